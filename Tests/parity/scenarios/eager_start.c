/* An eager task runs to its first wait inside create_task (E-01, E-02, E-04, E-07). */
#include "parity.h"

RONDO_STEP(blocks)
{
    SELF;
    say("step 1");
    RONDO_SLEEP(self, 0);
    say("step 2");
    RONDO_RETURN("blocked");
    RONDO_END(self);
}

RONDO_STEP(returns)
{
    SELF;
    say("no wait");
    RONDO_RETURN("at once");
    RONDO_END(self);
}

RONDO_STEP(raises)
{
    SELF;
    RONDO_RAISE(1, "eager");
    RONDO_END(self);
}

static rondo_task *current(void)
{
    rondo_task *task = NULL;

    MUST(rondo_current_task(NULL, &task));
    return task;
}

RONDO_STEP(who)
{
    SELF;
    say("another task: %d", current() != self->u);
    RONDO_END(self);
}

static struct frame frames[8];

RONDO_STEP(main_step)
{
    SELF;
    self->u = current();
    self->t = spawn(blocks, &frames[0]);
    say("made");
    outcome("blocks", self->t);
    RONDO_AWAIT(self, self->t);
    outcome("blocks", self->t);
    MUST(rondo_task_release(self->t));
    self->t = spawn(returns, &frames[1]);
    outcome("returns", self->t);
    say("cancel of done: %d", rondo_task_cancel(self->t, NULL, NULL) == RONDO_OK);
    outcome("returns", self->t);
    MUST(rondo_task_release(self->t));
    self->t = spawn(raises, &frames[2]);
    outcome("raises", self->t);
    MUST(rondo_task_release(self->t));
    self->t = spawn(blocks, &frames[3]);
    say("cancel of blocked: %d", rondo_task_cancel(self->t, NULL, NULL) == RONDO_OK);
    RONDO_TRY_AWAIT(self, self->t);
    if (thrown != NULL)
        say("cancelled");
    outcome("blocks", self->t);
    MUST(rondo_task_release(self->t));
    frames[4].u = self->u;
    MUST(rondo_task_release(spawn(who, &frames[4])));
    say("still the parent: %d", current() == self->u);
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;
    rondo_task *before;

    loop = new_loop();
    MUST(rondo_loop_set_eager_tasks(loop, 1));
    before = spawn(returns, &frames[5]);
    say("not running: not eager");
    run(main_step, &frame);
    outcome("before", before);
    MUST(rondo_task_release(before));
    return finish();
}
