/* Three tasks take turns in the order in which they were made. */
#include "parity.h"

RONDO_STEP(worker)
{
    SELF;
    for (self->i = 0; self->i < 3; self->i++) {
        say("%s %d", self->name, self->i);
        RONDO_SLEEP(self, 0);
    }
    RONDO_RETURN((void *)self->name);
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static struct frame frames[3] = { { .name = "x" }, { .name = "y" }, { .name = "z" } };
    static rondo_task *tasks[3];

    SELF;
    for (self->i = 0; self->i < 3; self->i++)
        tasks[self->i] = spawn(worker, &frames[self->i]);
    say("made");
    for (self->i = 0; self->i < 3; self->i++) {
        RONDO_AWAIT(self, tasks[self->i]);
        outcome("task", tasks[self->i]);
        MUST(rondo_task_release(tasks[self->i]));
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
