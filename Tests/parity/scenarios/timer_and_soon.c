/* A due timer joins after what is ready, and what it schedules waits a pass (T-01, T-06). */
#include "parity.h"

static void stop_soon(void *arg)
{
    soon(stop, arg);
}

static void timer(void *arg)
{
    (void)arg;
    say("timer");
    soon(say_arg, "soon of the timer");
    MUST(rondo_loop_call_later(loop, 0, say_arg, "timer of the timer", NULL, NULL));
    soon(stop_soon, NULL);
}

int main(void)
{
    loop = new_loop();
    MUST(rondo_loop_call_later(loop, 0, timer, NULL, NULL, NULL));
    soon(say_arg, "soon 1");
    soon(say_arg, "soon 2");
    MUST(rondo_loop_run_forever(loop));
    return finish();
}
