/*
 * first.c - the first program of the README: one task that says hello, sleeps and says goodbye.
 *
 * rondo_run() makes an event loop, runs the coroutine on it as a task, and closes the loop.
 */
#include <rondo.h>
#include <stdio.h>

struct hello { RONDO_FRAME; };

RONDO_STEP(hello_step)
{
    struct hello *self = frame;
    RONDO_BEGIN(self);
    puts("hello ...");
    RONDO_SLEEP(self, 100000000); /* 0.1 s, in which the loop could run other tasks */
    puts("... world");
    RONDO_END(self);
}

int main(void)
{
    struct hello frame = { 0 };
    rondo_coroutine *hello = NULL;
    if (rondo_coroutine_new("hello", hello_step, &frame, NULL, &hello) != RONDO_OK)
        return 1;
    return rondo_run(hello, NULL, NULL, NULL) == RONDO_OK ? 0 : 1;
}
