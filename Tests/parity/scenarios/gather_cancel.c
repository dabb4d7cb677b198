/* Cancelling a gather cancels its children, and ends with it, even with failures as results (G-05, G-06). */
#include "parity.h"

RONDO_STEP(child)
{
    SELF;
    self->f = new_future();
    RONDO_TRY_AWAIT_MOVED(self, self->f);
    say("%s cancelled", self->name);
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

RONDO_STEP(one)
{
    static struct frame a, b;

    SELF;
    a = (struct frame){ .name = "a" };
    b = (struct frame){ .name = "b" };
    self->t = spawn(child, &a);
    self->u = spawn(child, &b);
    MUST(rondo_gather(loop, (rondo_awaitable *[]){ self->t, self->u }, 2, (uint32_t)self->n,
                      &self->f));
    RONDO_SLEEP(self, 0);
    say("cancel: %d", rondo_future_cancel(self->f, NULL, NULL) == RONDO_OK);
    say("done: %d", rondo_future_is_done(self->f));
    RONDO_TRY_AWAIT(self, self->f);
    if (thrown != NULL)
        say_error("caught", thrown);
    say("cancelled: %d", rondo_future_is_cancelled(self->f));
    outcome("child", self->t);
    outcome("child", self->u);
    say("cancel again: %d", rondo_future_cancel(self->f, NULL, NULL) == RONDO_OK);
    MUST(rondo_task_release(self->t));
    MUST(rondo_task_release(self->u));
    MUST(rondo_future_release(self->f));
    RONDO_END(self);
}

int main(void)
{
    static struct frame plain, flagged = { .n = RONDO_GATHER_RETURN_EXCEPTIONS };

    loop = new_loop();
    run(one, &plain);
    run(one, &flagged);
    return finish();
}
