/* timeouts inside of timeouts, and of a task that is cancelled (TO-06 to TO-09, TO-12, TO-13). */
#define VIRTUAL_TIME
#include "parity.h"

static struct nesting {
    int64_t outer, inner;
    int busy, handles;
} nestings[] = {
    { MS, 2 * MS, 1, 0 },
    { 200 * MS, MS, 0, 1 },
    { MS, 60000 * MS, 0, 0 },
    { 60000 * MS, MS, 0, 0 },
};

static uint32_t cancelling_of(rondo_task *task)
{
    uint32_t count = 99;

    MUST(rondo_task_cancelling(task, &count));
    return count;
}

RONDO_STEP(nested)
{
    static rondo_timeout *outer, *inner;
    static rondo_error *left, *last;

    SELF;
    MUST(rondo_current_task(NULL, &self->t));
    for (self->i = 0; self->i < 4; self->i++) {
        MUST(rondo_timeout_new(loop, nestings[self->i].outer, &outer));
        MUST(rondo_timeout_enter(outer));
        MUST(rondo_timeout_new(loop, nestings[self->i].inner, &inner));
        MUST(rondo_timeout_enter(inner));
        if (nestings[self->i].busy)
            MUST(rondo_loop_advance(loop, 5 * MS));
        RONDO_TRY(self, rondo_coroutine_sleep(co, 60000 * MS));
        MUST(rondo_timeout_exit(inner, thrown, &left));
        say("inner %s", class_of(rondo_error_get_status(left)));
        if (nestings[self->i].handles) {
            rondo_error_release(left);
            left = NULL;
            RONDO_TRY(self, rondo_coroutine_sleep(co, 60000 * MS));
            left = thrown;
            MUST(rondo_error_retain(left));
        }
        MUST(rondo_timeout_exit(outer, left, &last));
        if (rondo_error_get_status(last) == RONDO_E_TIMEOUT)
            say("outer TimeoutError");
        say("cancelling: %u", cancelling_of(self->t));
        MUST(rondo_error_release(left));
        MUST(rondo_error_release(last));
        MUST(rondo_timeout_release(outer));
        MUST(rondo_timeout_release(inner));
    }
    RONDO_END(self);
}

static rondo_step raise_moved(rondo_coroutine *co, rondo_error *error)
{
    rondo_step step = rondo_coroutine_raise(co, error);

    rondo_error_release(error);
    return step;
}

RONDO_STEP(limited)
{
    static rondo_timeout *limit;
    rondo_error *left = NULL;

    SELF;
    MUST(rondo_timeout_new(loop, self->n * MS, &limit));
    MUST(rondo_timeout_enter(limit));
    RONDO_TRY_AWAIT_MOVED(self, new_future());
    MUST(rondo_timeout_exit(limit, thrown, &left));
    say("left by %s: %s, expired: %s", class_of(rondo_error_get_status(left)),
        strcmp(rondo_error_get_message(left), "cancelled") == 0 ? "" : rondo_error_get_message(left),
        rondo_timeout_is_expired(limit) ? "True" : "False");
    MUST(rondo_timeout_release(limit));
    return raise_moved(co, left);
    RONDO_END(self);
}

RONDO_STEP(after_a_cancellation)
{
    static rondo_timeout *limit;
    rondo_error *left = NULL;

    SELF;
    MUST(rondo_current_task(NULL, &self->t));
    RONDO_TRY_AWAIT_MOVED(self, new_future());
    RONDO_TIMEOUT_ENTER(self, limit, loop, 0);
    if (self->n)
        MUST(rondo_task_cancel(self->t, NULL, NULL));
    RONDO_SLEEP_IN(self, part, 60000 * MS);
    RONDO_TRY_TIMEOUT_EXIT(self, part, limit, left);
    say("left by %s, cancelling: %u", class_of(rondo_error_get_status(left)), cancelling_of(self->t));
    rondo_error_release(left);
    RONDO_END(self);
}

static void cancel_it(void *task)
{
    MUST(rondo_task_cancel(task, "too", NULL));
}

static rondo_coroutine *end_of(rondo_task *task)
{
    rondo_coroutine *made = NULL;

    MUST(rondo_wait(loop, (rondo_awaitable *[]){ task }, 1, RONDO_NEVER, 0, &made));
    return made;
}

RONDO_STEP(main_step)
{
    static struct frame first, children[2] = { { .n = 60000 }, { .n = 0 } }, again[2] = { { .n = 0 }, { .n = 1 } };

    SELF;
    RONDO_AWAIT(self, new_coroutine("nested", nested, &first));
    self->t = spawn(limited, &children[0]);
    RONDO_SLEEP(self, 0);
    MUST(rondo_task_cancel(self->t, "outside", NULL));
    RONDO_AWAIT(self, end_of(self->t));
    outcome("task", self->t);
    MUST(rondo_task_release(self->t));
    self->t = spawn(limited, &children[1]);
    RONDO_SLEEP(self, 0);
    soon(cancel_it, self->t); /* behind the timeout's own */
    RONDO_AWAIT(self, end_of(self->t));
    outcome("task", self->t);
    say("cancelling: %u", cancelling_of(self->t));
    MUST(rondo_task_release(self->t));
    for (self->i = 0; self->i < 2; self->i++) {
        self->t = spawn(after_a_cancellation, &again[self->i]);
        RONDO_SLEEP(self, 0);
        MUST(rondo_task_cancel(self->t, NULL, NULL));
        RONDO_AWAIT(self, end_of(self->t));
        outcome("task", self->t);
        MUST(rondo_task_release(self->t));
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
