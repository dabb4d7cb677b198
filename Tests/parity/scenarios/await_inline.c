/* Awaiting a coroutine does not yield: a created task waits for its turn (K-02). */
#include "parity.h"

RONDO_STEP(one)
{
    static char results[4][16];
    static int count;
    struct frame *self = frame;

    (void)sent;
    (void)thrown;
    say("%s", self->name);
    snprintf(results[count % 4], sizeof results[0], "%s result", self->name);
    return rondo_coroutine_return(co, results[count++ % 4], NULL);
}

RONDO_STEP(main_step)
{
    static struct frame a = { .name = "a" }, b = { .name = "b" };
    static struct frame c = { .name = "c" }, d = { .name = "d" };

    SELF;
    self->t = spawn(one, &b);
    for (self->i = 0; self->i < 3; self->i++) {
        RONDO_AWAIT_MOVED(self, new_coroutine("one", one, &a));
        say("%s", text(sent));
    }
    RONDO_AWAIT(self, self->t);
    say("%s", text(sent));
    MUST(rondo_task_release(self->t));
    /* And the other order: awaiting the task first lets it run. */
    self->t = spawn(one, &d);
    RONDO_SLEEP(self, 0);
    RONDO_AWAIT_MOVED(self, new_coroutine("one", one, &c));
    say("%s", text(sent));
    RONDO_AWAIT_MOVED(self, self->t);
    say("%s", text(sent));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
