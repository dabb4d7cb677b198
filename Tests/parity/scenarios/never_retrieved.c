/* An exception that nobody read is reported once, when its future goes (F-11, F-12, F-13). */
#include "parity.h"

static rondo_future *failed(const char *message)
{
    rondo_future *future = new_future();

    fail(future, message);
    return future;
}

RONDO_STEP(awaits)
{
    SELF;
    RONDO_TRY_AWAIT(self, self->f);
    say("caught %s", rondo_error_get_message(thrown));
    RONDO_END(self);
}

RONDO_STEP(raises)
{
    SELF;
    RONDO_RAISE(1, "task lost");
    RONDO_END(self);
}

/* Release and let a pass go by, in case the report comes with it. */
static void drop(rondo_future *future)
{
    MUST(rondo_future_release(future));
    MUST(rondo_loop_stop(loop));
    MUST(rondo_loop_run_forever(loop));
}

int main(void)
{
    static struct frame frame, bad;
    rondo_future *future;

    loop = new_loop();
    say("not read");
    drop(failed("lost"));
    say("read");
    future = failed("seen");
    MUST(rondo_future_exception(future, NULL));
    drop(future);
    say("cancelled afterwards");
    future = failed("cancelled");
    (void)rondo_future_cancel(future, NULL, NULL);
    drop(future);
    say("awaited");
    frame.f = failed("awaited");
    run(awaits, &frame);
    drop(frame.f);
    say("pending and with a result");
    drop(new_future());
    future = new_future();
    set(future, "x");
    drop(future);
    say("task");
    future = rondo_task_as_future(spawn(raises, &bad));
    MUST(rondo_loop_stop(loop));
    MUST(rondo_loop_run_forever(loop));
    drop(future);
    return finish();
}
