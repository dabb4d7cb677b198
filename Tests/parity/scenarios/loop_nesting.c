/* A running loop runs no second time, and no second loop runs in its thread (L-06, L-07). */
#include "parity.h"

static rondo_loop *second;

/* "Cannot close a running event loop" shares its status with another sentence: only the class. */
static void attempt_close(rondo_status status)
{
    say("close: %s", status == RONDO_OK ? "ok" : class_of(status));
}

static void inside(void *arg)
{
    rondo_future *own = new_future(), *foreign = NULL;

    MUST(rondo_future_new(second, &foreign));
    attempt("same loop", rondo_loop_run_until_complete(loop, own, NULL));
    attempt("other loop", rondo_loop_run_until_complete(second, foreign, NULL));
    MUST(rondo_future_release(own));
    MUST(rondo_future_release(foreign));
    say("running loop unchanged: %d", rondo_running_loop() == loop);
    say("running: %d %d", rondo_loop_is_running(loop), rondo_loop_is_running(second));
    attempt_close(rondo_loop_close(loop, NULL));
    stop(arg);
}

int main(void)
{
    loop = new_loop();
    second = new_loop();
    attempt("outside", rondo_running_loop() != NULL ? RONDO_OK : RONDO_E_NO_LOOP);
    soon(inside, NULL);
    MUST(rondo_loop_run_forever(loop));
    say("running: %d", rondo_loop_is_running(loop));
    MUST(rondo_loop_close(second, NULL));
    MUST(rondo_loop_release(second));
    return finish();
}
