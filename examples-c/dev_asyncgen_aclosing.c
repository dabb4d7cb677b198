/*
 * dev_asyncgen_aclosing.c - asyncio-dev: close asynchronous generators explicitly.
 *
 * func() leaves its loop over gen() early. gen() is closed all the same, before func() goes on:
 * RONDO_ACLOSING_EXIT is contextlib.aclosing().
 */
#include <rondo.h>
#include <stdio.h>

struct gen_frame { RONDO_FRAME; };

RONDO_STEP(gen)
{
    struct gen_frame *self = frame;

    RONDO_BEGIN(self);
    RONDO_YIELD_VALUE(self, (void *)1, NULL);
    RONDO_YIELD_VALUE(self, (void *)2, NULL);
    RONDO_END(self);
}

struct func_frame {
    RONDO_FRAME;
    rondo_async_generator *g, *seen;
    void *x;
};

RONDO_STEP(func)
{
    struct func_frame *self = frame;
    int32_t state = -1;
    void *unused;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_async_generator_new_with_frame("gen", gen, sizeof(struct gen_frame), NULL,
                                                     &unused, &self->g), "gen");
    self->seen = self->g; /* to look at it afterwards */
    rondo_async_generator_retain(self->seen);
    RONDO_ASYNC_FOR_IN(self, loop, self->g, self->x)
        break; /* don't iterate until the end */
    RONDO_ACLOSING_EXIT(self, loop, self->g);
    rondo_async_generator_get_state(self->seen, &state);
    puts(state == RONDO_GENERATOR_CLOSED ? "closed" : "open");
    rondo_async_generator_release(self->seen);
    RONDO_END(self);
}

int main(void)
{
    struct func_frame frame = { 0 };
    rondo_coroutine *coroutine = NULL;
    rondo_status status = rondo_coroutine_new("func", func, &frame, NULL, &coroutine);
    if (status == RONDO_OK)
        status = rondo_run(coroutine, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
