/* eager_task_factory as the loop's factory: what starts at once and what does not (E-01, E-09). */
#include "parity.h"

static rondo_task *create(rondo_step_fn step, const char *name);

RONDO_STEP(returns)
{
    SELF;
    say("%s runs", self->name);
    RONDO_RETURN((void *)self->name);
    RONDO_END(self);
}

RONDO_STEP(waits)
{
    SELF;
    say("%s step 1", self->name);
    RONDO_SLEEP(self, 0);
    say("%s step 2", self->name);
    RONDO_RETURN((void *)self->name);
    RONDO_END(self);
}

RONDO_STEP(makes)
{
    SELF;
    say("%s makes", self->name);
    self->t = create(returns, "e's");
    outcome("e's", self->t);
    MUST(rondo_task_release(self->t));
    RONDO_RETURN((void *)self->name);
    RONDO_END(self);
}

static rondo_coroutine *coroutine(rondo_step_fn step, const char *name)
{
    static struct frame frames[8];
    static int count;
    struct frame *frame = &frames[count++];

    frame->name = name;
    return new_coroutine(name, step, frame);
}

static rondo_task *create(rondo_step_fn step, const char *name)
{
    rondo_task *task = NULL;

    MUST(rondo_loop_create_task(loop, coroutine(step, name), NULL, &task));
    return task;
}

static void create_and_tell(const char *label, rondo_step_fn step, const char *name)
{
    rondo_task *task = create(step, name);

    outcome(label, task);
    MUST(rondo_task_release(task));
}

RONDO_STEP(main_step)
{
    rondo_awaitable *both[2];

    SELF;
    say("main runs");
    create_and_tell("created", returns, "a");
    self->t = create(waits, "b");
    outcome("waits", self->t);
    both[0] = coroutine(returns, "c");
    both[1] = coroutine(waits, "d");
    MUST(rondo_gather(loop, both, 2, 0, &self->f));
    outcome("gather", self->f);
    create_and_tell("makes", makes, "e");
    RONDO_AWAIT(self, self->t);
    RONDO_AWAIT(self, self->f);
    say("%s %s", (char *)((void *const *)sent)[0], (char *)((void *const *)sent)[1]);
    MUST(rondo_future_release(self->f));
    outcome("waits", self->t);
    MUST(rondo_task_release(self->t));
    MUST(rondo_loop_set_task_factory(loop, NULL, NULL, NULL));
    self->t = create(returns, "f");
    outcome("plain", self->t);
    RONDO_AWAIT_MOVED(self, self->t);
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    soon(say_arg, "before main");
    MUST(rondo_loop_set_task_factory(loop, rondo_eager_task_factory, NULL, NULL));
    run(main_step, &frame);
    return finish();
}
