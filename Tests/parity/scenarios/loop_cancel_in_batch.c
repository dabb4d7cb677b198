/* A handle cancelled by an earlier call of the same batch does not run (L-11). */
#define VIRTUAL_TIME
#include "parity.h"

static rondo_handle *handles[2];

static void cancel(void *arg)
{
    (void)arg;
    MUST(rondo_handle_cancel(handles[0]));
    MUST(rondo_handle_cancel(handles[0]));
    say("cancelled: %d %d", rondo_handle_is_cancelled(handles[0]),
        rondo_handle_is_cancelled(handles[1]));
}

int main(void)
{
    loop = new_loop();
    soon(cancel, NULL);
    MUST(rondo_loop_call_soon(loop, say_arg, "never", NULL, &handles[0]));
    MUST(rondo_loop_call_soon(loop, say_arg, "runs", NULL, &handles[1]));
    soon(stop, NULL);
    MUST(rondo_loop_run_forever(loop));
    MUST(rondo_handle_cancel(handles[1]));
    say("cancelled after it ran: %d", rondo_handle_is_cancelled(handles[1]));
    MUST(rondo_handle_release(handles[0]));
    MUST(rondo_handle_release(handles[1]));
    /* A timer that is due already, cancelled by a call of the pass that would have run it. */
    MUST(rondo_loop_call_later(loop, 0, say_arg, "never", NULL, &handles[0]));
    MUST(rondo_loop_call_later(loop, 0, say_arg, "timer runs", NULL, &handles[1]));
    soon(cancel, NULL);
    MUST(rondo_loop_call_later(loop, 10 * MS, stop, NULL, NULL, NULL));
    MUST(rondo_loop_run_forever(loop));
    MUST(rondo_handle_release(handles[0]));
    MUST(rondo_handle_release(handles[1]));
    return finish();
}
