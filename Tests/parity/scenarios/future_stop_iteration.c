/* A future cannot hold StopIteration: a RuntimeError with it as cause (F-09). */
#include "parity.h"

int main(void)
{
    rondo_future *future;
    rondo_error *error = NULL, *stored = NULL;

    loop = new_loop();
    future = new_future();
    MUST(rondo_error_new(RONDO_DOMAIN_RONDO, RONDO_E_STOP_ITERATION, NULL, &error));
    attempt("set_exception", rondo_future_set_exception(future, error));
    outcome("future", future);
    MUST(rondo_future_exception(future, &stored));
    say("cause: %s", class_of(rondo_error_get_status(rondo_error_get_cause(stored))));
    MUST(rondo_error_release(stored));
    MUST(rondo_error_release(error));
    MUST(rondo_future_release(future));
    return finish();
}
