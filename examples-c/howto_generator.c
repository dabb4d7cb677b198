/*
 * howto_generator.c - the HOWTO's get_random_number(): a generator and next().
 *
 * A coroutine that only yields is a generator: each rondo_coroutine_send(NULL) is a next(), which
 * runs it to its next yield and gives what it yields.
 */
#include <rondo.h>
#include <stdio.h>

struct generator { RONDO_FRAME; };

static void *number(intptr_t value)
{
    return (void *)value;
}

/* This would be a bad random number generator! */
RONDO_STEP(get_random_number)
{
    struct generator *self = frame;
    RONDO_BEGIN(self);
    puts("Hi");
    RONDO_DO(self, rondo_coroutine_yield(co, number(1)));
    puts("Hello");
    RONDO_DO(self, rondo_coroutine_yield(co, number(7)));
    puts("Howdy");
    RONDO_DO(self, rondo_coroutine_yield(co, number(4)));
    RONDO_END(self);
}

/* Print what the next yield gives, as Python's prompt does. */
static rondo_status next(rondo_coroutine *generator)
{
    rondo_step step = RONDO_STEP_RAISE;
    void *value = NULL;
    rondo_status status = rondo_coroutine_send(generator, NULL, &step, &value, NULL);
    if (status != RONDO_OK)
        return status;
    if (step != RONDO_STEP_YIELD)
        return RONDO_E_RUNTIME;
    printf("%d\n", (int)(intptr_t)value);
    return RONDO_OK;
}

int main(void)
{
    struct generator frame = { 0 };
    rondo_coroutine *generator = NULL;
    rondo_status status = rondo_coroutine_new("get_random_number", get_random_number, &frame, NULL,
                                              &generator);
    for (int i = 0; status == RONDO_OK && i < 3; i++)
        status = next(generator);
    if (status == RONDO_OK) /* it waits at its third yield: end it there */
        status = rondo_coroutine_close(generator, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return rondo_coroutine_release(generator) == RONDO_OK && status == RONDO_OK ? 0 : 1;
}
