/*
 * howto_hello_task.c - the HOWTO's create_task(hello()) whose task nobody holds.
 *
 * In Python such a task may be collected before it runs. Here the loop itself holds every task
 * until it is done, so main() need not even ask for the handle.
 */
#include <rondo.h>
#include <stdio.h>

struct main_frame { RONDO_FRAME; };

static rondo_step hello(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co, (void)frame, (void)sent, (void)thrown;
    puts("hello!");
    return RONDO_STEP_RETURN;
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    rondo_coroutine *coroutine = NULL;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_coroutine_new("hello", hello, NULL, NULL, &coroutine), "hello");
    RONDO_CHECK(rondo_loop_create_task(rondo_running_loop(), coroutine, NULL, NULL),
                "create_task");
    /* Other statements that run for a while and cede control to the event loop... */
    RONDO_YIELD(self);
    RONDO_END(self);
}

int main(void)
{
    struct main_frame frame = { 0 };
    rondo_coroutine *main_coroutine = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, NULL, &main_coroutine);
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
