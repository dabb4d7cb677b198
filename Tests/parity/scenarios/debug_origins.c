/* Debug mode, switched at run time: which reports tell where their subject was made (F-19, L-13). */
#include "parity.h"

#include <errno.h>

static void told(rondo_loop *which, rondo_exception_context *context, void *arg)
{
    const char *message = rondo_exception_context_get_message(context);
    size_t count = 0;
    int size = 0, words = 0;

    (void)which;
    (void)arg;
    for (; message[size] != '\0'; size++)
        if (message[size] == ' ' && ++words == 3)
            break;
    rondo_status status = rondo_exception_context_get_source_frames(context, NULL, 0, &count);
    if (status != -ENOENT)
        MUST(status);
    say("%.*s: %s", size, message, count > 0 ? "it is known who made it" : "nobody knows who made it");
}

static void bad(void *arg)
{
    rondo_error *error = new_error("bad");

    (void)arg;
    MUST(rondo_loop_raise(loop, error));
    MUST(rondo_error_release(error));
}

RONDO_STEP(bug)
{
    (void)frame, (void)sent, (void)thrown;
    RONDO_RAISE(1, "bug");
}

static void turn(void)
{
    MUST(rondo_loop_stop(loop));
    MUST(rondo_loop_run_forever(loop));
}

static void fail_and_forget(rondo_future *future)
{
    rondo_error *error = new_error("future");

    MUST(rondo_future_set_exception(future, error));
    MUST(rondo_error_release(error));
    MUST(rondo_future_release(future));
}

static void forget(void)
{
    rondo_handle *handle = NULL;

    fail_and_forget(new_future());
    MUST(rondo_loop_spawn(loop, bug, NULL, NULL, NULL, NULL));
    turn();
    /* In C a call has a handle if one asks for it. */
    MUST(rondo_loop_call_soon(loop, bad, NULL, NULL, &handle));
    turn();
    MUST(rondo_handle_release(handle));
}

int main(void)
{
    static const int32_t modes[] = { 0, 1, 0 };
    rondo_future *future, *other;

    loop = new_loop();
    MUST(rondo_loop_set_exception_handler(loop, told, NULL, NULL));
    for (int i = 0; i < 3; i++) {
        MUST(rondo_loop_set_debug(loop, modes[i]));
        say("debug: %d", (int)rondo_loop_get_debug(loop));
        forget();
    }
    future = new_future();
    MUST(rondo_loop_set_debug(loop, 1));
    other = new_future();
    MUST(rondo_loop_set_debug(loop, 0));
    fail_and_forget(future);
    fail_and_forget(other);
    return finish();
}
