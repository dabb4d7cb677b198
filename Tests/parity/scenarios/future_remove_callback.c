/* remove_done_callback removes every copy that is not scheduled yet (F-07). */
#include "parity.h"

static int removed(rondo_future *future, const char *arg)
{
    size_t count = 99;

    MUST(rondo_future_remove_done_callback(future, say_done, (void *)arg, &count));
    return (int)count;
}

int main(void)
{
    static char never[] = "never", other[] = "other", unknown[] = "unknown";
    rondo_future *future;

    loop = new_loop();
    future = new_future();
    for (int i = 0; i < 6; i++)
        MUST(rondo_future_add_done_callback(future, say_done, never, NULL));
    MUST(rondo_future_add_done_callback(future, say_done, other, NULL));
    say("removed: %d", removed(future, never));
    say("removed: %d", removed(future, never));
    say("removed: %d", removed(future, unknown));
    set(future, "x");
    say("removed when scheduled: %d", removed(future, other));
    MUST(rondo_loop_run_until_complete(loop, future, NULL));
    MUST(rondo_future_release(future));
    return finish();
}
