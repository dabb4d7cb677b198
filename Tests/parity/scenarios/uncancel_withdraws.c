/* uncancel() to zero withdraws a cancellation that was not delivered yet (C-07, C-15; 3.13). */
#include "parity.h"

RONDO_STEP(waits)
{
    SELF;
    RONDO_AWAIT(self, self->f);
    RONDO_RETURN(sent);
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static struct frame child;
    uint32_t count = 99;

    SELF;
    self->f = child.f = new_future();
    self->t = spawn(waits, &child);
    RONDO_SLEEP(self, 0);
    set(self->f, "x");
    MUST(rondo_task_cancel(self->t, NULL, NULL));
    MUST(rondo_task_cancel(self->t, NULL, NULL));
    MUST(rondo_task_cancelling(self->t, &count));
    say("cancelling: %d", (int)count);
    for (int i = 0; i < 3; i++) {
        MUST(rondo_task_uncancel(self->t, &count));
        say("uncancel: %d", (int)count);
    }
    RONDO_AWAIT(self, self->t);
    say("%s", text(sent));
    outcome("task", self->t);
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
