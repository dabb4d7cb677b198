/* Timers fire by deadline; cancelled ones do not (T-07, T-10). */
#define VIRTUAL_TIME
#include "parity.h"

static void at(int64_t when, rondo_call_fn fn, const char *arg, rondo_handle **out)
{
    MUST(rondo_loop_call_at(loop, when, fn, (void *)arg, NULL, out));
}

int main(void)
{
    static const int order[] = { 5, 1, 4, 2, 3 };
    static const char *const names[] = { "", "timer 1", "timer 2", "timer 3", "timer 4", "timer 5" };
    rondo_handle *head, *middle;
    int64_t base, when;

    loop = new_loop();
    MUST(rondo_loop_time(loop, &base));
    base += 5 * MS;
    for (int i = 0; i < 5; i++)
        at(base + order[i] * MS, say_arg, names[order[i]], NULL);
    at(base, say_arg, "never", &head);
    at(base + 5 * MS / 2, say_arg, "never", &middle);
    MUST(rondo_handle_get_when(head, &when));
    say("when: %d", when == base);
    MUST(rondo_handle_cancel(head));
    MUST(rondo_handle_cancel(middle));
    MUST(rondo_handle_cancel(middle));
    say("cancelled: %d %d", rondo_handle_is_cancelled(head), rondo_handle_is_cancelled(middle));
    at(base + 10 * MS, stop, NULL, NULL);
    MUST(rondo_loop_run_forever(loop));
    /* All due at once: still by deadline. */
    at(base - 1000 * MS, say_arg, "late 1", NULL);
    at(base - 3000 * MS, say_arg, "late 3", NULL);
    at(base - 2000 * MS, say_arg, "late 2", NULL);
    at(base, stop, NULL, NULL);
    MUST(rondo_loop_run_forever(loop));
    MUST(rondo_handle_release(head));
    MUST(rondo_handle_release(middle));
    return finish();
}
