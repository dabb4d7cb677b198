/*
 * dev_asyncgen_concurrent.c - asyncio-dev: avoid concurrent iteration of the same generator.
 *
 * Two tasks send to one generator. The second one comes while the first one's answer is still
 * awaited, and is told so.
 */
#include <rondo.h>
#include <stdio.h>

struct consumer_frame {
    RONDO_FRAME;
    int idx;
};

RONDO_STEP(consumer)
{
    struct consumer_frame *self = frame;

    RONDO_BEGIN(self);
    for (self->idx = 0; self->idx < 100; self->idx++) {
        RONDO_SLEEP(self, 0);
        RONDO_YIELD_VALUE(self, (void *)(intptr_t)self->idx, NULL);
        printf("received %s\n", sent != NULL ? (char *)sent : "None");
    }
    RONDO_END(self);
}

struct amain_frame {
    RONDO_FRAME;
    rondo_async_generator *agenerator;
    rondo_task *fa, *fb;
};

static void end_amain(void *frame)
{
    struct amain_frame *self = frame;

    rondo_task_release(self->fa);
    rondo_task_release(self->fb);
    rondo_async_generator_release(self->agenerator);
}

static rondo_status send_in_task(rondo_async_generator *generator, char *message, rondo_task **out)
{
    rondo_coroutine *sending = NULL;
    rondo_status status = rondo_async_generator_asend(generator, message, NULL, &sending);
    if (status != RONDO_OK)
        return status;
    return rondo_loop_create_task(rondo_running_loop(), sending, NULL, out);
}

RONDO_STEP(amain)
{
    struct amain_frame *self = frame;
    void *unused;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_async_generator_new_with_frame("consumer", consumer,
                                                     sizeof(struct consumer_frame), NULL, &unused,
                                                     &self->agenerator), "consumer");
    RONDO_DO(self, rondo_coroutine_anext(co, self->agenerator)); /* as asend(None) */
    RONDO_CHECK(send_in_task(self->agenerator, "A", &self->fa), "asend");
    RONDO_CHECK(send_in_task(self->agenerator, "B", &self->fb), "asend");
    RONDO_AWAIT(self, self->fa);
    RONDO_AWAIT(self, self->fb);
    RONDO_END(self);
}

int main(void)
{
    struct amain_frame frame = { 0 };
    rondo_coroutine *coroutine = NULL;
    rondo_error *error = NULL;
    rondo_status status = rondo_coroutine_new("amain", amain, &frame, end_amain, &coroutine);
    if (status == RONDO_OK)
        status = rondo_run(coroutine, NULL, NULL, &error);
    if (status == RONDO_E_RAISED)
        printf("RuntimeError: %s\n", rondo_error_get_message(error));
    else
        fprintf(stderr, "%s\n", rondo_status_message(status));
    rondo_error_release(error);
    return status == RONDO_E_RAISED ? 0 : 1;
}
