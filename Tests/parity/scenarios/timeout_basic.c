/* timeout(): too late, in time, no time at all, swallowed, another error, states (TO-01 to TO-05, TO-10). */
#define VIRTUAL_TIME
#include "parity.h"

RONDO_STEP(nothing)
{
    SELF;
    RONDO_END(self);
}

RONDO_STEP(waits)
{
    SELF;
    RONDO_AWAIT_MOVED(self, new_future());
    RONDO_END(self);
}

RONDO_STEP(yields)
{
    SELF;
    RONDO_SLEEP(self, 0);
    RONDO_END(self);
}

RONDO_STEP(swallows)
{
    SELF;
    RONDO_TRY_AWAIT_MOVED(self, new_future());
    say("swallowed");
    RONDO_END(self);
}

RONDO_STEP(fails)
{
    SELF;
    RONDO_RAISE(1, "own");
    RONDO_END(self);
}

RONDO_STEP(fails_late)
{
    SELF;
    RONDO_TRY_AWAIT_MOVED(self, new_future());
    RONDO_RAISE(1, "instead");
    RONDO_END(self);
}

static struct {
    const char *label;
    int64_t delay;
    rondo_step_fn body;
} parts[] = {
    { "too late", MS, waits },
    { "in time", 60000 * MS, yields },
    { "no limit", RONDO_NEVER, yields },
    { "no time, a yield", 0, yields },
    { "no time, no await", 0, nothing },
    { "negative", -1000 * MS, waits },
    { "swallows", MS, swallows },
    { "fails", 60000 * MS, fails },
    { "fails late", MS, fails_late },
};

static void tell(const char *label, rondo_error *left)
{
    rondo_error *cause = rondo_error_get_cause(left);

    if (left == NULL) {
        say("%s: no error", label);
        return;
    }
    say_error(label, left);
    say("cause: %s", cause != NULL ? class_of(rondo_error_get_status(cause)) : "NoneType");
    rondo_error_release(left);
}

RONDO_STEP(all_parts)
{
    static struct frame children[9];
    static rondo_timeout *limit;
    rondo_error *left = NULL;
    uint32_t cancelling;

    SELF;
    MUST(rondo_current_task(NULL, &self->t));
    for (self->i = 0; self->i < 9; self->i++) {
        MUST(rondo_timeout_new(loop, parts[self->i].delay, &limit));
        MUST(rondo_timeout_enter(limit));
        RONDO_TRY_AWAIT(self, new_coroutine("body", parts[self->i].body, &children[self->i]));
        MUST(rondo_timeout_exit(limit, thrown, &left));
        tell(parts[self->i].label, left);
        RONDO_SLEEP(self, 0);
        MUST(rondo_task_cancelling(self->t, &cancelling));
        say("expired: %s, cancelling: %u", rondo_timeout_is_expired(limit) ? "True" : "False", cancelling);
        MUST(rondo_timeout_release(limit));
    }
    RONDO_END(self);
}

static int64_t now(void)
{
    int64_t time = 0;

    MUST(rondo_loop_time(loop, &time));
    return time;
}

RONDO_STEP(states)
{
    static rondo_timeout *limit;
    int64_t when = 0;
    rondo_error *left = NULL;

    SELF;
    MUST(rondo_timeout_new(loop, 60000 * MS, &limit));
    attempt("reschedule before", rondo_timeout_reschedule(limit, 1));
    MUST(rondo_timeout_enter(limit));
    attempt("reschedule", rondo_timeout_reschedule(limit, RONDO_NEVER));
    MUST(rondo_timeout_get_when(limit, &when));
    say("when: %s", when == RONDO_NEVER ? "None" : "something");
    MUST(rondo_timeout_reschedule(limit, now() + 60000 * MS));
    MUST(rondo_timeout_exit(limit, NULL, NULL));
    attempt("reschedule after", rondo_timeout_reschedule(limit, 1));
    attempt("enter twice", rondo_timeout_enter(limit));
    MUST(rondo_timeout_release(limit));
    RONDO_TIMEOUT_ENTER(self, limit, loop, 60000 * MS);
    MUST(rondo_timeout_reschedule(limit, now() - 1000 * MS));
    RONDO_AWAIT_MOVED_IN(self, past, new_future());
    RONDO_TRY_TIMEOUT_EXIT(self, past, limit, left);
    if (rondo_error_get_status(left) == RONDO_E_TIMEOUT)
        say("rescheduled into the past");
    rondo_error_release(left);
    MUST(rondo_timeout_new(loop, 0, &limit));
    MUST(rondo_timeout_enter(limit));
    RONDO_TRY_AWAIT_MOVED(self, new_future());
    say("expiring: %s", rondo_timeout_is_expired(limit) ? "True" : "False");
    attempt("reschedule", rondo_timeout_reschedule(limit, 1));
    MUST(rondo_timeout_exit(limit, thrown, &left));
    if (rondo_error_get_status(left) == RONDO_E_TIMEOUT)
        attempt("reschedule expired", rondo_timeout_reschedule(limit, 1));
    rondo_error_release(left);
    MUST(rondo_timeout_release(limit));
    RONDO_END(self);
}

int main(void)
{
    static struct frame first, second;

    loop = new_loop();
    run(all_parts, &first);
    run(states, &second);
    return finish();
}
