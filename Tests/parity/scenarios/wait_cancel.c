/* Cancelling the task that is inside wait(): what it waits for goes on (C-19), at each point. */
#include "parity.h"

RONDO_STEP(inner)
{
    SELF;
    RONDO_AWAIT(self, self->f);
    return rondo_coroutine_return(co, sent, NULL);
    RONDO_END(self);
}

RONDO_STEP(waits)
{
    rondo_awaitable *one[1];

    SELF;
    one[0] = self->t;
    MUST(rondo_wait(loop, one, 1, RONDO_NEVER, RONDO_WAIT_ALL_COMPLETED, &self->c));
    RONDO_TRY_AWAIT(self, self->c);
    if (thrown != NULL) {
        say_error("waiter", thrown);
        return rondo_coroutine_raise(co, thrown);
    }
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static struct frame inners[4], waiters[4];

    SELF;
    for (self->n = 0; self->n < 4; self->n++) {
        self->f = inners[self->n].f = new_future();
        self->t = waiters[self->n].t = spawn(inner, &inners[self->n]);
        self->u = spawn(waits, &waiters[self->n]);
        RONDO_SLEEP(self, 0);
        if (self->n > 0)
            set(self->f, "done");
        for (self->i = 0; self->i < self->n; self->i++)
            RONDO_SLEEP(self, 0);
        rondo_task_cancel(self->u, "out", NULL);
        RONDO_SLEEP(self, 0);
        outcome("task", self->t);
        if (self->n == 0)
            set(self->f, "done");
        for (self->i = 0; self->i < 4; self->i++)
            RONDO_SLEEP(self, 0);
        outcome("task", self->t);
        outcome("waiter", self->u);
        MUST(rondo_task_release(self->t));
        MUST(rondo_task_release(self->u));
        MUST(rondo_future_release(self->f));
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
