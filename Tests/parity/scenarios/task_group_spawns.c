/* TaskGroup: children that make children, eager children, a timeout around it (TG-13, TG-16). */
#include "parity.h"

static rondo_task_group *tasks, *kept;
static rondo_timeout *limit;

static void add(rondo_step_fn step, const char *name, int n);

RONDO_STEP(passes)
{
    SELF;
    for (self->i = 0; self->i < self->n; self->i++)
        RONDO_SLEEP(self, 0);
    say("%s", self->name);
    RONDO_END(self);
}

RONDO_STEP(makes)
{
    SELF;
    RONDO_SLEEP(self, 0);
    say("depth %d", self->n);
    if (self->n > 0)
        add(makes, NULL, self->n - 1);
    RONDO_END(self);
}

RONDO_STEP(waits)
{
    SELF;
    RONDO_TRY_AWAIT_MOVED(self, new_future());
    say("child ends");
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

static void add(rondo_step_fn step, const char *name, int n)
{
    static struct frame frames[20];
    static int used;
    struct frame *frame = &frames[used++];

    frame->name = name;
    frame->n = n;
    MUST(rondo_task_group_create_task(tasks != NULL ? tasks : kept, new_coroutine("child", step, frame),
                                      NULL, NULL));
}

RONDO_STEP(main_step)
{
    rondo_error *left = NULL;

    SELF;
    RONDO_TASK_GROUP_ENTER(self, tasks, loop);
    MUST(rondo_task_group_retain(tasks));
    kept = tasks;
    add(makes, NULL, 3);
    say("body ends");
    RONDO_TASK_GROUP_EXIT(self, first, tasks);
    MUST(rondo_task_group_release(kept));
    say("group ends");
    MUST(rondo_loop_set_eager_tasks(loop, 1));
    RONDO_TASK_GROUP_ENTER(self, tasks, loop);
    add(passes, "eager", 0);
    add(passes, "eager, one pass", 1);
    say("body ends");
    RONDO_TASK_GROUP_EXIT(self, second, tasks);
    MUST(rondo_loop_set_eager_tasks(loop, 0));
    say("group ends");
    RONDO_TIMEOUT_ENTER(self, limit, loop, MS);
    RONDO_TASK_GROUP_ENTER(self, tasks, loop);
    add(waits, NULL, 0);
    RONDO_TRY_TASK_GROUP_EXIT(self, third, tasks);
    RONDO_TRY_TIMEOUT_EXIT(self, around, limit, left);
    say("%s", class_of(rondo_error_get_status(left)));
    rondo_error_release(left);
    RONDO_TASK_GROUP_ENTER(self, tasks, loop);
    RONDO_TIMEOUT_ENTER(self, limit, loop, 0);
    RONDO_SLEEP_IN(self, inside, 60000 * MS);
    RONDO_TRY_TIMEOUT_EXIT(self, inside, limit, left);
    say("%s inside", class_of(rondo_error_get_status(left)));
    rondo_error_release(left);
    thrown = NULL;
    add(passes, "goes on", 1);
    RONDO_TASK_GROUP_EXIT(self, fourth, tasks);
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
