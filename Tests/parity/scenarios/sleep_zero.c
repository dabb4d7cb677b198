/* sleep(0) and less are one pass and return the result (T-12). */
#include "parity.h"

static rondo_coroutine *nap(int64_t delay, const char *value)
{
    rondo_coroutine *made = NULL;

    MUST(rondo_sleep(delay, (void *)value, NULL, &made));
    return made;
}

RONDO_STEP(main_step)
{
    SELF;
    for (self->i = 0; self->i < 2; self->i++) {
        start_ticks();
        RONDO_AWAIT_MOVED(self, nap(self->i == 0 ? 0 : -1000 * MS, "nap"));
        say("%s after %d", text(sent), stop_ticks());
    }
    start_ticks();
    for (self->i = 0; self->i < 3; self->i++)
        RONDO_SLEEP(self, 0);
    say("three after %d", stop_ticks());
    RONDO_AWAIT_MOVED(self, nap(MS, "long nap"));
    say("%s", text(sent));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
