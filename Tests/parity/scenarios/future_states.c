/* What a future allows in each state (F-01, F-03, F-04). */
#include "parity.h"

static int cancel(rondo_future *future, const char *message)
{
    return rondo_future_cancel(future, message, NULL) == RONDO_OK;
}

int main(void)
{
    rondo_future *future;
    rondo_error *none = NULL, *error;

    loop = new_loop();
    future = new_future();
    error = new_error("z");
    attempt("result of pending", rondo_future_result(future, NULL));
    attempt("exception of pending", rondo_future_exception(future, NULL));
    set(future, "x");
    attempt("result", rondo_future_result(future, NULL));
    attempt("exception", rondo_future_exception(future, &none));
    attempt("set_result again", rondo_future_set_result(future, "y", NULL));
    attempt("set_exception again", rondo_future_set_exception(future, error));
    say("cancel of done: %d", cancel(future, NULL));
    outcome("done", future);
    MUST(rondo_future_release(future));
    MUST(rondo_error_release(error));

    future = new_future();
    say("cancel: %d", cancel(future, "why"));
    say("cancel again: %d", cancel(future, NULL));
    say("done: %d cancelled: %d", rondo_future_is_done(future), rondo_future_is_cancelled(future));
    attempt("set_result of cancelled", rondo_future_set_result(future, "y", NULL));
    outcome("cancelled", future);
    MUST(rondo_future_release(future));

    future = new_future();
    fail(future, "bad");
    say("cancel of failed: %d", cancel(future, NULL));
    outcome("failed", future);
    MUST(rondo_future_release(future));
    return finish();
}
