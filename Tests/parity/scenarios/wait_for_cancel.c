/* Cancelling the waiter of wait_for, alone and together with the result (G-32, G-33; 3.12). */
#include "parity.h"

RONDO_STEP(waiter)
{
    SELF;
    MUST(rondo_wait_for(self->f, 60000 * MS, &self->c));
    RONDO_TRY_AWAIT_MOVED(self, self->c);
    if (thrown != NULL) {
        say_error("waiter", thrown);
        return rondo_coroutine_raise(co, thrown);
    }
    say("got %s", text(sent));
    RONDO_END(self);
}

RONDO_STEP(one)
{
    static struct frame child;

    SELF;
    self->f = new_future();
    child = (struct frame){ .f = self->f };
    self->t = spawn(waiter, &child);
    RONDO_SLEEP(self, 0);
    if (self->n)
        set(self->f, "done");
    MUST(rondo_task_cancel(self->t, "stop", NULL));
    RONDO_TRY_AWAIT(self, self->t);
    if (thrown != NULL)
        say_error("main", thrown);
    outcome("task", self->t);
    outcome("future", self->f);
    MUST(rondo_task_release(self->t));
    MUST(rondo_future_release(self->f));
    RONDO_END(self);
}

int main(void)
{
    static struct frame first, second = { .n = 1 };

    loop = new_loop();
    run(one, &first);
    run(one, &second);
    return finish();
}
