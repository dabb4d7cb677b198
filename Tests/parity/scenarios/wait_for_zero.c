/* wait_for: no time at all, a limit that passes, one that does not (G-28, G-31, G-35). */
#define VIRTUAL_TIME
#include "parity.h"

RONDO_STEP(body_step)
{
    SELF;
    say("never starts");
    RONDO_END(self);
}

RONDO_STEP(stubborn)
{
    SELF;
    self->f = new_future();
    RONDO_TRY_AWAIT_MOVED(self, self->f);
    RONDO_RAISE(1, "while cancelled");
    RONDO_END(self);
}

static rondo_awaitable *nap(int64_t delay)
{
    rondo_coroutine *made = NULL;

    MUST(rondo_sleep(delay, "slept", NULL, &made));
    return made;
}

/* n'th case: what to wait for (a future or task stays in f), how long, and its label. */
static rondo_awaitable *subject(struct frame *self)
{
    static struct frame frames[3];

    rondo_future_release(self->f);
    rondo_future_release(self->g);
    self->f = self->g = NULL;
    switch (self->i) {
    case 0: return new_coroutine("body", body_step, &frames[0]);
    case 1: return new_coroutine("body", body_step, &frames[1]);
    case 2:
        self->f = new_future();
        set(self->f, "done");
        return self->f;
    case 3:
    case 5:
        return self->f = new_future();
    case 4:
        self->f = new_future();
        MUST(rondo_shield(loop, self->f, &self->g));
        return self->g;
    case 6: return new_coroutine("stubborn", stubborn, &frames[2]);
    case 7: return nap(MS);
    default: return nap(0);
    }
}

static const struct {
    const char *label;
    int64_t timeout;
    const char *after; /* say how the future stands then */
} cases[] = {
    { "coroutine, 0", 0, NULL },
    { "coroutine, negative", -1000 * MS, NULL },
    { "done, 0", 0, NULL },
    { "pending, 0", 0, "pending" },
    { "shield, 0", 0, "inside the shield" },
    { "pending, 1 ms", MS, "pending" },
    { "stubborn, 1 ms", MS, NULL },
    { "sleep, no limit", RONDO_NEVER, NULL },
    { "sleep, enough", 60000 * MS, NULL },
};

RONDO_STEP(main_step)
{
    SELF;
    for (self->i = 0; self->i < (int)(sizeof cases / sizeof *cases); self->i++) {
        MUST(rondo_wait_for(subject(self), cases[self->i].timeout, &self->c));
        RONDO_TRY_AWAIT_MOVED(self, self->c);
        say("%s: %s", cases[self->i].label,
            thrown != NULL ? class_of(rondo_error_get_status(thrown)) : text(sent));
        if (cases[self->i].after != NULL)
            outcome(cases[self->i].after, self->f);
    }
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
