/* as_completed() with async for: the futures and tasks themselves, and going on after a break (G-26). */
#include "parity.h"

RONDO_STEP(passes)
{
    SELF;
    for (self->i = 0; self->i < self->n; self->i++)
        RONDO_SLEEP(self, 0);
    return rondo_coroutine_return(co, (void *)self->name, NULL);
    RONDO_END(self);
}

static rondo_as_completed *iterator;

static rondo_coroutine *next(void)
{
    rondo_coroutine *made = NULL;

    return rondo_as_completed_next_future(iterator, &made) == RONDO_OK ? made : NULL;
}

static void tell(struct frame *self, void *done)
{
    void *value = NULL;

    MUST(rondo_future_result(done, &value));
    say("%s: %s", done == (void *)self->f ? "the future" : done == (void *)self->t ? "the task" : "a new task",
        text(value));
}

RONDO_STEP(main_step)
{
    static struct frame children[2] = { { .name = "task", .n = 4 }, { .name = "coroutine", .n = 7 } };
    rondo_awaitable *these[3];

    SELF;
    these[2] = self->f = new_future();
    these[0] = self->t = spawn(passes, &children[0]);
    set(self->f, "future");
    these[1] = new_coroutine("passes", passes, &children[1]);
    MUST(rondo_as_completed_new(loop, these, 3, RONDO_NEVER, &iterator));
    RONDO_AWAIT(self, next());
    tell(self, sent);
    while ((self->c = next()) != NULL) {
        RONDO_AWAIT(self, self->c);
        tell(self, sent);
    }
    if (next() != NULL)
        say("no more");
    MUST(rondo_task_release(self->t));
    MUST(rondo_future_release(self->f));
    MUST(rondo_as_completed_release(iterator));
    these[0] = self->f = new_future();
    MUST(rondo_as_completed_new(loop, these, 1, 60000 * MS, &iterator));
    RONDO_TRY_AWAIT(self, next());
    MUST(rondo_as_completed_release(iterator));
    set(self->f, NULL);
    MUST(rondo_future_release(self->f));
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    say("not reached");
    RONDO_END(self);
}

RONDO_STEP(late)
{
    rondo_awaitable *these[1];

    SELF;
    these[0] = self->f = new_future();
    MUST(rondo_as_completed_new(loop, these, 1, 0, &iterator));
    while ((self->c = next()) != NULL) {
        RONDO_TRY_AWAIT(self, self->c);
        if (thrown != NULL) {
            say("%s", class_of(rondo_error_get_status(thrown)));
            break;
        }
        say("not reached");
    }
    say("pending: %s", rondo_future_is_done(self->f) ? "False" : "True");
    MUST(rondo_as_completed_release(iterator));
    MUST(rondo_future_release(self->f));
    RONDO_END(self);
}

RONDO_STEP(start)
{
    static struct frame main_frame, late_frame;

    SELF;
    self->t = spawn(main_step, &main_frame);
    for (self->i = 0; self->i < 30; self->i++)
        RONDO_SLEEP(self, 0);
    MUST(rondo_task_cancel(self->t, NULL, NULL));
    RONDO_TRY_AWAIT_MOVED(self, self->t);
    if (thrown != NULL)
        say("cancelled");
    RONDO_AWAIT(self, new_coroutine("late", late, &late_frame));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(start, &frame);
    return finish();
}
