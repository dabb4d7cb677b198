/* A callback that raises is reported and the batch goes on (L-13). */
#include "parity.h"

static void raise_boom(const char *message)
{
    rondo_error *error = new_error(message);

    MUST(rondo_loop_raise(loop, error));
    MUST(rondo_error_release(error));
}

static void bad(void *arg)
{
    (void)arg;
    say("bad");
    raise_boom("one");
}

static void bad_done(rondo_future *future, void *arg)
{
    outcome(arg, future);
    raise_boom("two");
}

static void next_done(rondo_future *future, void *arg)
{
    (void)future;
    say_arg(arg);
}

static void set_x(void *future)
{
    set(future, "x");
}

static void report(const char *message, const char *boom)
{
    rondo_exception_context *context = NULL;

    MUST(rondo_exception_context_new(message, &context));
    if (boom != NULL) {
        rondo_error *error = new_error(boom);
        MUST(rondo_exception_context_set_error(context, error));
        MUST(rondo_error_release(error));
    }
    MUST(rondo_loop_call_exception_handler(loop, context));
    MUST(rondo_exception_context_release(context));
}

int main(void)
{
    rondo_future *future;

    loop = new_loop();
    soon(bad, NULL);
    soon(say_arg, "next");
    future = new_future();
    MUST(rondo_future_add_done_callback(future, bad_done, "done", NULL));
    MUST(rondo_future_add_done_callback(future, next_done, "next done callback", NULL));
    soon(set_x, future);
    MUST(rondo_loop_run_until_complete(loop, future, NULL));
    report("my own", NULL);
    report("with error", "three");
    MUST(rondo_future_release(future));
    return finish();
}
