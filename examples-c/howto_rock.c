/*
 * howto_rock.c - the HOWTO's Rock: how await and send pass control and values.
 *
 * main() awaits a rock, whose __await__ yields 7. The yield goes through the await to whoever
 * drives main(), and the 42 that is sent back goes the same way down. No loop is involved.
 */
#include <rondo.h>
#include <stdio.h>

struct rock { RONDO_FRAME; };
struct main_frame { RONDO_FRAME; struct rock rock; };

static void *number(int value)
{
    return (void *)(intptr_t)value;
}

static int as_int(void *value)
{
    return (int)(intptr_t)value;
}

RONDO_STEP(rock_await)
{
    struct rock *self = frame;
    RONDO_BEGIN(self);
    RONDO_DO(self, rondo_coroutine_yield(co, number(7)));
    printf("Rock.__await__ resuming with value: %d.\n", as_int(sent));
    RONDO_RETURN(sent);
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    rondo_coroutine *rock = NULL;

    RONDO_BEGIN(self);
    puts("Beginning coroutine main().");
    RONDO_CHECK(rondo_coroutine_new("Rock.__await__", rock_await, &self->rock, NULL, &rock),
                "Rock");
    puts("Awaiting rock...");
    RONDO_AWAIT(self, rock);
    printf("Coroutine received value: %d from rock.\n", as_int(sent));
    RONDO_RETURN(number(23));
    RONDO_END(self);
}

static rondo_status drive(rondo_coroutine *coroutine)
{
    rondo_step step = RONDO_STEP_RAISE;
    void *value = NULL;
    rondo_status status = rondo_coroutine_send(coroutine, NULL, &step, &value, NULL);
    if (status != RONDO_OK || step != RONDO_STEP_YIELD)
        return status != RONDO_OK ? status : RONDO_E_RUNTIME;
    printf("Coroutine paused and returned intermediate value: %d.\n", as_int(value));

    puts("Resuming coroutine and sending in value: 42.");
    status = rondo_coroutine_send(coroutine, number(42), &step, &value, NULL);
    if (status != RONDO_OK || step != RONDO_STEP_RETURN)
        return status != RONDO_OK ? status : RONDO_E_RUNTIME;
    printf("Coroutine main() finished and provided value: %d.\n", as_int(value));
    return RONDO_OK;
}

int main(void)
{
    struct main_frame frame = { 0 };
    rondo_coroutine *coroutine = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, NULL, &coroutine);
    if (status == RONDO_OK)
        status = drive(coroutine);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return rondo_coroutine_release(coroutine) == RONDO_OK && status == RONDO_OK ? 0 : 1;
}
