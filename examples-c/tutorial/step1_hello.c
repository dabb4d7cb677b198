/*
 * step1_hello.c - the tutorial, step 1: a coroutine that says hello, sleeps, and goes on.
 */
#include <rondo.h>
#include <stdio.h>

/* [time] */
#define MS INT64_C(1000000)

/* [main] */
struct main_frame {
    RONDO_FRAME;
};

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    puts("hello ...");
    RONDO_SLEEP(self, 100 * MS);
    puts("... world");
    RONDO_END(self);
}

/* [run] */
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
/* [end] */
