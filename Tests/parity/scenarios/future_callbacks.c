/* Done callbacks: in order, through call_soon, never inline (F-06). */
#include "parity.h"

static void third(rondo_future *future, void *arg)
{
    say("third");
    MUST(rondo_future_add_done_callback(future, say_done, arg, NULL));
}

static void stop_soon(void *arg)
{
    soon(stop, arg);
}

int main(void)
{
    rondo_future *future;

    loop = new_loop();
    future = new_future();
    MUST(rondo_future_add_done_callback(future, say_done, "first", NULL));
    MUST(rondo_future_add_done_callback(future, say_done, "second", NULL));
    MUST(rondo_future_add_done_callback(future, third, "added by third", NULL));
    soon(say_arg, "soon before");
    set(future, "x");
    say("set");
    soon(say_arg, "soon after");
    MUST(rondo_future_add_done_callback(future, say_done, "added when done", NULL));
    soon(stop_soon, NULL);
    MUST(rondo_loop_run_forever(loop));
    MUST(rondo_future_release(future));
    return finish();
}
