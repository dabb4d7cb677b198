/*
 * dev_asyncgen_before_loop.c - asyncio-dev: iteration that begins before the event loop runs.
 *
 * anext() is called outside of the loop, which so does not learn of the generator. When it is
 * dropped nobody can await its cleaning up: all that can be done is said in the log.
 * dev_asyncgen_inside.c does it right.
 */
#include <rondo.h>
#include <stdio.h>

static void print_log(int32_t level, const char *message, const rondo_log_field *fields, size_t field_count,
                      void *arg)
{
    (void)fields, (void)field_count;
    (void)level, (void)arg;
    puts(message);
}

struct agen_frame {
    RONDO_FRAME;
    rondo_error *error;
};

static void end_agen(void *frame)
{
    struct agen_frame *self = frame;

    rondo_error_release(self->error);
}

RONDO_STEP(agenfn)
{
    struct agen_frame *self = frame;

    RONDO_BEGIN(self);
    RONDO_YIELD_VALUE_IN(self, try, (void *)10, NULL);
    RONDO_FINALLY(self, try, self->error);
    RONDO_SLEEP(self, 0);
    RONDO_END_FINALLY(self, self->error);
    RONDO_END(self);
}

static rondo_status print_first(rondo_loop *loop, rondo_async_generator *agen)
{
    rondo_coroutine *next = NULL;
    rondo_future *future = NULL;
    void *value = NULL;
    rondo_status status = rondo_async_generator_anext(agen, &next);
    if (status == RONDO_OK)
        status = rondo_loop_run_until_complete(loop, next, &future);
    if (status == RONDO_OK)
        status = rondo_future_result(future, &value);
    if (status == RONDO_OK)
        printf("%d\n", (int)(intptr_t)value);
    rondo_future_release(future);
    return status;
}

int main(void)
{
    rondo_loop *loop = NULL;
    rondo_async_generator *agen = NULL;
    void *frame;
    rondo_status status = rondo_log_set_sink(print_log, NULL, NULL);
    if (status == RONDO_OK)
        status = rondo_loop_new(NULL, &loop);
    if (status == RONDO_OK)
        status = rondo_async_generator_new_with_frame("agenfn", agenfn, sizeof(struct agen_frame),
                                                      end_agen, &frame, &agen);
    if (status == RONDO_OK)
        status = print_first(loop, agen);
    rondo_async_generator_release(agen); /* del agen */
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    rondo_loop_close(loop, NULL);
    rondo_loop_release(loop);
    return status == RONDO_OK ? 0 : 1;
}
