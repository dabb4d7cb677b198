/*
 * dev_asyncgen_order.c - asyncio-dev: generators that are not closed end in an unexpected order.
 *
 * main() leaves both loops and drops both generators. Each is closed by a task of its own, later:
 * cursor() ends while rows(), which was dropped first, still does its asynchronous work. The end of
 * the run reports what cursor() raised. dev_asyncgen_order_fixed.c closes them explicitly.
 */
#include <rondo.h>
#include <stdbool.h>
#include <stdio.h>

static bool work_done;

static void print_log(int32_t level, const char *message, const rondo_log_field *fields, size_t field_count,
                      void *arg)
{
    (void)fields, (void)field_count;
    (void)level, (void)arg;
    puts(message);
}

struct generator_frame {
    RONDO_FRAME;
    rondo_error *error;
};

static void end_generator(void *frame)
{
    struct generator_frame *self = frame;

    rondo_error_release(self->error);
}

RONDO_STEP(cursor)
{
    struct generator_frame *self = frame;

    RONDO_BEGIN(self);
    RONDO_YIELD_VALUE_IN(self, try, (void *)1, NULL);
    RONDO_FINALLY(self, try, self->error);
    if (!work_done)
        RONDO_RAISE(1, "work_done");
    RONDO_END_FINALLY(self, self->error);
    RONDO_END(self);
}

RONDO_STEP(rows)
{
    struct generator_frame *self = frame;

    RONDO_BEGIN(self);
    RONDO_YIELD_VALUE_IN(self, try, (void *)2, NULL);
    RONDO_FINALLY(self, try, self->error);
    RONDO_SLEEP(self, 100000000); /* imitate some asynchronous work */
    work_done = true;
    RONDO_END_FINALLY(self, self->error);
    RONDO_END(self);
}

static rondo_status generate(const char *name, rondo_step_fn step, rondo_async_generator **out)
{
    void *frame;

    return rondo_async_generator_new_with_frame(name, step, sizeof(struct generator_frame),
                                                end_generator, &frame, out);
}

struct main_frame {
    RONDO_FRAME;
    rondo_async_generator *cursor, *rows;
    void *c, *r;
};

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;

    RONDO_BEGIN(self);
    RONDO_CHECK(generate("cursor", cursor, &self->cursor), "cursor");
    RONDO_ASYNC_FOR(self, self->cursor, self->c) {
        RONDO_CHECK(generate("rows", rows, &self->rows), "rows");
        RONDO_ASYNC_FOR(self, self->rows, self->r)
            break;
        rondo_async_generator_release(self->rows);
        break;
    }
    rondo_async_generator_release(self->cursor);
    RONDO_END(self);
}

int main(void)
{
    struct main_frame frame = { 0 };
    rondo_coroutine *coroutine = NULL;
    rondo_status status = rondo_log_set_sink(print_log, NULL, NULL);
    if (status == RONDO_OK)
        status = rondo_coroutine_new("main", main_step, &frame, NULL, &coroutine);
    if (status == RONDO_OK)
        status = rondo_run(coroutine, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
