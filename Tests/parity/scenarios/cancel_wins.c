/* A cancel that comes after the result but before the step wins; two cancels throw once (C-05, C-06). */
#include "parity.h"

RONDO_STEP(waits)
{
    SELF;
    RONDO_TRY_AWAIT(self, self->f);
    if (thrown != NULL)
        say_error("caught", thrown);
    else
        say("got %s", text(sent));
    RONDO_SLEEP(self, 0);
    say("still running");
    RONDO_RETURN("end");
    RONDO_END(self);
}

static void cancel(rondo_task *task, const char *message)
{
    say("cancel: %d", rondo_task_cancel(task, message, NULL) == RONDO_OK);
}

static void say_cancelling(rondo_task *task)
{
    uint32_t count = 99;

    MUST(rondo_task_cancelling(task, &count));
    say("cancelling: %d", (int)count);
}

RONDO_STEP(main_step)
{
    static struct frame first, second;

    SELF;
    self->f = first.f = new_future();
    self->t = spawn(waits, &first);
    RONDO_SLEEP(self, 0);
    set(self->f, "x");
    cancel(self->t, "late");
    RONDO_AWAIT(self, self->t);
    outcome("task", self->t);
    outcome("future", self->f);
    MUST(rondo_task_release(self->t));
    MUST(rondo_future_release(self->f));
    self->f = second.f = new_future();
    self->t = spawn(waits, &second);
    RONDO_SLEEP(self, 0);
    cancel(self->t, "first");
    cancel(self->t, "second");
    say_cancelling(self->t);
    RONDO_AWAIT(self, self->t);
    outcome("task", self->t);
    outcome("future", self->f);
    say_cancelling(self->t);
    MUST(rondo_task_release(self->t));
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
