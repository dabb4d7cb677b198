/* A closed loop refuses, and drops what was scheduled (L-09, L-10). */
#include "parity.h"

int main(void)
{
    rondo_future *future, *another = NULL;
    int32_t removed = -1;

    loop = new_loop();
    future = new_future();
    soon(say_arg, "never");
    MUST(rondo_loop_call_later(loop, 0, say_arg, "never", NULL, NULL));
    MUST(rondo_loop_close(loop, NULL));
    MUST(rondo_loop_close(loop, NULL));
    say("closed: %d", rondo_loop_is_closed(loop));
    attempt("run_forever", rondo_loop_run_forever(loop));
    attempt("run_until_complete", rondo_loop_run_until_complete(loop, future, NULL));
    attempt("call_soon", rondo_loop_call_soon(loop, say_arg, "never", NULL, NULL));
    attempt("call_soon_threadsafe",
            rondo_loop_call_soon_threadsafe(loop, say_arg, "never", NULL, NULL));
    attempt("call_later", rondo_loop_call_later(loop, 1000 * MS, say_arg, "never", NULL, NULL));
    attempt("call_at", rondo_loop_call_at(loop, 1000 * MS, say_arg, "never", NULL, NULL));
    attempt("create_future", rondo_future_new(loop, &another));
    MUST(rondo_loop_remove_reader(loop, 0, &removed));
    say("remove_reader: %d", removed);
    MUST(rondo_loop_remove_writer(loop, 0, &removed));
    say("remove_writer: %d", removed);
    attempt("set_result", rondo_future_set_result(future, "x", NULL));
    attempt("add_done_callback", rondo_future_add_done_callback(future, say_done, "never", NULL));
    MUST(rondo_future_release(another));
    MUST(rondo_future_release(future));
    MUST(rondo_loop_release(loop));
    return 0;
}
