/* run_until_complete of something that stays pending: an error, and it can be run again (L-05). */
#include "parity.h"

static void set_late(void *future)
{
    set(future, "late");
}

static void set_x(void *future)
{
    set(future, "x");
}

static void stop_soon(void *arg)
{
    soon(stop, arg);
}

int main(void)
{
    rondo_future *future, *other;

    loop = new_loop();
    future = new_future();
    soon(stop, NULL);
    attempt("first", rondo_loop_run_until_complete(loop, future, NULL));
    outcome("future", future);
    soon(set_late, future);
    attempt("second", rondo_loop_run_until_complete(loop, future, NULL));
    outcome("future", future);
    /* Done already: still one pass, which runs what is ready. */
    soon(say_arg, "ready before");
    attempt("third", rondo_loop_run_until_complete(loop, future, NULL));
    /* The stop comes in the same batch as the end: the end wins. */
    other = new_future();
    soon(set_x, other);
    soon(stop_soon, NULL);
    attempt("fourth", rondo_loop_run_until_complete(loop, other, NULL));
    outcome("other", other);
    MUST(rondo_future_release(future));
    MUST(rondo_future_release(other));
    return finish();
}
