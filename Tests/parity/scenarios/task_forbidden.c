/* A task can neither await itself nor a foreign future, nor be completed from outside (K-06, K-07, F-15). */
#include "parity.h"

RONDO_STEP(itself)
{
    SELF;
    RONDO_TRY_AWAIT(self, self->t);
    say_error("itself", thrown);
    RONDO_TRY_AWAIT(self, self->f);
    say("foreign: %s %d", class_of(rondo_error_get_status(thrown)),
        strstr(rondo_error_get_message(thrown), "attached to a different loop") != NULL);
    RONDO_SLEEP(self, 0);
    RONDO_RETURN("fine");
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;
    rondo_error *error;
    rondo_loop *other;
    rondo_future *future;

    loop = new_loop();
    other = new_loop();
    MUST(rondo_future_new(other, &frame.f));
    frame.t = spawn(itself, &frame);
    future = rondo_task_as_future(frame.t);
    error = new_error("x");
    attempt("set_result", rondo_future_set_result(future, "x", NULL));
    attempt("set_exception", rondo_future_set_exception(future, error));
    outcome("task", frame.t);
    MUST(rondo_loop_run_until_complete(loop, frame.t, NULL));
    outcome("task", frame.t);
    MUST(rondo_error_release(error));
    MUST(rondo_task_release(frame.t));
    MUST(rondo_future_release(frame.f));
    MUST(rondo_loop_close(other, NULL));
    MUST(rondo_loop_release(other));
    return finish();
}
