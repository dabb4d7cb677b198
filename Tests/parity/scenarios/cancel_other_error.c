/* A cancellation turned into another error, and a future cancelled by someone else (C-11, C-12, C-13). */
#include "parity.h"

RONDO_STEP(turns)
{
    SELF;
    RONDO_TRY_AWAIT(self, self->f);
    RONDO_RAISE(1, "instead");
    RONDO_END(self);
}

RONDO_STEP(waits)
{
    SELF;
    RONDO_AWAIT(self, self->f);
    RONDO_END(self);
}

RONDO_STEP(finished)
{
    SELF;
    RONDO_TRY_AWAIT(self, self->t);
    if (thrown != NULL)
        say_error("caught", thrown);
    outcome("task", self->t);
    RONDO_END(self);
}

static void say_context(rondo_task *task)
{
    rondo_error *error = NULL;

    MUST(rondo_future_exception(rondo_task_as_future(task), &error));
    say_error("context", rondo_error_get_context(error));
    MUST(rondo_error_release(error));
}

static void release(struct frame *self)
{
    MUST(rondo_task_release(self->t));
    MUST(rondo_future_release(self->f));
}

RONDO_STEP(main_step)
{
    static struct frame child[3], end[3];
    uint32_t count = 99;

    SELF;
    self->f = child[0].f = new_future();
    self->t = end[0].t = spawn(turns, &child[0]);
    RONDO_SLEEP(self, 0);
    MUST(rondo_task_cancel(self->t, "why", NULL));
    RONDO_AWAIT_MOVED(self, new_coroutine("finished", finished, &end[0]));
    say_context(self->t);
    release(self);

    self->f = child[1].f = new_future();
    self->t = end[1].t = spawn(waits, &child[1]);
    RONDO_SLEEP(self, 0);
    MUST(rondo_future_cancel(self->f, "by hand", NULL));
    RONDO_AWAIT_MOVED(self, new_coroutine("finished", finished, &end[1]));
    MUST(rondo_task_cancelling(self->t, &count));
    say("cancelling: %d", (int)count);
    release(self);

    self->f = child[2].f = new_future();
    self->t = end[2].t = spawn(waits, &child[2]);
    RONDO_SLEEP(self, 0);
    MUST(rondo_future_cancel(self->f, "future", NULL));
    MUST(rondo_task_cancel(self->t, "task", NULL));
    RONDO_AWAIT_MOVED(self, new_coroutine("finished", finished, &end[2]));
    release(self);
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
