/* A task that cancels itself: at its end, and at its next await, which reaches down (C-09, C-10). */
#include "parity.h"

static void cancel_self(void)
{
    rondo_task *task = NULL;

    MUST(rondo_current_task(NULL, &task));
    MUST(rondo_task_cancel(task, NULL, NULL));
}

RONDO_STEP(at_end)
{
    SELF;
    cancel_self();
    RONDO_RETURN("lost");
    RONDO_END(self);
}

RONDO_STEP(waits)
{
    SELF;
    RONDO_AWAIT(self, self->f);
    RONDO_END(self);
}

RONDO_STEP(awaits)
{
    SELF;
    cancel_self();
    say("awaiting");
    RONDO_AWAIT(self, self->t);
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static struct frame ends, sub, child;

    SELF;
    self->t = spawn(at_end, &ends);
    RONDO_SLEEP(self, 0);
    outcome("at end", self->t);
    MUST(rondo_task_release(self->t));
    self->f = sub.f = new_future();
    self->u = child.t = spawn(waits, &sub);
    RONDO_SLEEP(self, 0);
    self->t = spawn(awaits, &child);
    RONDO_TRY_AWAIT(self, self->t);
    if (thrown != NULL)
        say("caught");
    outcome("task", self->t);
    outcome("sub-task", self->u);
    outcome("future", self->f);
    MUST(rondo_task_release(self->t));
    MUST(rondo_task_release(self->u));
    MUST(rondo_future_release(self->f));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
