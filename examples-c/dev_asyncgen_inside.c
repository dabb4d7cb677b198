/*
 * dev_asyncgen_inside.c - asyncio-dev: create asynchronous generators while the event loop runs.
 *
 * The repair of dev_asyncgen_before_loop.c: main() makes the generator and asks it inside of the
 * loop, which awaits the cleaning up when main() drops it.
 */
#include <rondo.h>
#include <stdio.h>

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

struct main_frame {
    RONDO_FRAME;
    rondo_async_generator *agen;
};

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    void *unused;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_async_generator_new_with_frame("agenfn", agenfn, sizeof(struct agen_frame),
                                                     end_agen, &unused, &self->agen), "agenfn");
    RONDO_DO(self, rondo_coroutine_anext(co, self->agen));
    printf("%d\n", (int)(intptr_t)sent);
    rondo_async_generator_release(self->agen); /* del agen */
    RONDO_END(self);
}

int main(void)
{
    struct main_frame frame = { 0 };
    rondo_coroutine *coroutine = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, NULL, &coroutine);
    if (status == RONDO_OK)
        status = rondo_run(coroutine, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
