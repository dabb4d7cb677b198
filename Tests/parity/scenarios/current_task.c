/* current_task: the one that is stepped, none in a callback, an error without a loop (K-09, K-10). */
#include "parity.h"

static rondo_task *current(void)
{
    rondo_task *task = NULL;

    MUST(rondo_current_task(NULL, &task));
    return task;
}

static int all(rondo_loop *of)
{
    size_t count = 99;

    MUST(rondo_all_tasks(of, NULL, 0, &count));
    return (int)count;
}

RONDO_STEP(worker)
{
    SELF;
    self->t = current();
    for (self->i = 0; self->i < 2; self->i++) {
        RONDO_SLEEP(self, 0);
        say("worker %d is itself: %d", self->n, current() == self->t);
    }
    RONDO_END(self);
}

static void callback(void *arg)
{
    (void)arg;
    say("in a callback: %s", current() == NULL ? "None" : "a task");
}

RONDO_STEP(main_step)
{
    static struct frame frames[3];
    static rondo_task *children[3];

    SELF;
    for (int i = 0; i < 3; i++) {
        frames[i].n = i;
        children[i] = spawn(worker, &frames[i]);
    }
    say("all: %d", all(NULL));
    soon(callback, NULL);
    for (self->i = 0; self->i < 3; self->i++)
        RONDO_AWAIT_MOVED(self, children[self->i]);
    say("all: %d", all(NULL));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;
    rondo_task *task = NULL;

    loop = new_loop();
    attempt("outside", rondo_current_task(NULL, &task));
    run(main_step, &frame);
    say("all: %d", all(loop));
    task = (rondo_task *)loop;
    MUST(rondo_current_task(loop, &task));
    say("of a loop that rests: %s", task == NULL ? "None" : "a task");
    return finish();
}
