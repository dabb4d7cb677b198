/* set_task_factory: who asks it, in which order tasks are made, what a factory that fails does. */
#include "parity.h"

static int made;
static const char *making; /* the coroutine's name, in turn */
static const char *const names[] = { "main", "one", "two", "one", "two" };

static rondo_status factory(rondo_loop *of, rondo_coroutine *coroutine, const rondo_task_options *options,
                            void *arg, rondo_task **out_task)
{
    (void)arg;
    making = names[made++];
    say("factory %d: %s", made, making);
    return rondo_task_new(of, coroutine, options, out_task);
}

static rondo_status failing(rondo_loop *of, rondo_coroutine *coroutine, const rondo_task_options *options,
                            void *arg, rondo_task **out_task)
{
    (void)of;
    (void)coroutine;
    (void)options;
    (void)arg;
    (void)out_task;
    return RONDO_E_USER;
}

static rondo_status replacing(rondo_loop *of, rondo_coroutine *coroutine, const rondo_task_options *options,
                              void *arg, rondo_task **out_task)
{
    (void)arg;
    say("replacing");
    MUST(rondo_loop_set_task_factory(of, NULL, NULL, NULL));
    return rondo_task_new(of, coroutine, options, out_task);
}

RONDO_STEP(returns_name)
{
    SELF;
    say("%s runs", self->name);
    RONDO_RETURN((void *)self->name);
    RONDO_END(self);
}

static rondo_coroutine *one_or_two(const char *name)
{
    static struct frame frames[8];
    static int count;
    struct frame *frame = &frames[count++];

    frame->name = name;
    return new_coroutine(name, returns_name, frame);
}

static rondo_task *create(const char *name)
{
    rondo_task *task = NULL;

    MUST(rondo_loop_create_task(loop, one_or_two(name), NULL, &task));
    return task;
}

RONDO_STEP(main_step)
{
    rondo_awaitable *both[2];
    rondo_task_factory_fn fn = NULL;

    SELF;
    say("main runs");
    self->t = create("one");
    both[0] = one_or_two("two");
    both[1] = one_or_two("one");
    MUST(rondo_gather(loop, both, 2, 0, &self->f));
    MUST(rondo_ensure_future(loop, one_or_two("two"), &self->g));
    RONDO_AWAIT(self, self->t);
    RONDO_AWAIT_MOVED(self, self->f);
    RONDO_AWAIT_MOVED(self, self->g);
    outcome("task", self->t);
    MUST(rondo_task_release(self->t));
    MUST(rondo_loop_set_task_factory(loop, failing, NULL, NULL));
    if (rondo_loop_create_task(loop, one_or_two("one"), NULL, &self->t) == RONDO_E_USER)
        say("failed: no task");
    MUST(rondo_loop_set_task_factory(loop, replacing, NULL, NULL));
    self->t = create("one");
    RONDO_AWAIT(self, self->t);
    outcome("replaced", self->t);
    MUST(rondo_task_release(self->t));
    MUST(rondo_loop_get_task_factory(loop, &fn, NULL));
    say("factory is set: %d", fn != NULL);
    self->t = create("two");
    RONDO_AWAIT(self, self->t);
    outcome("plain", self->t);
    MUST(rondo_task_release(self->t));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;
    rondo_task_factory_fn fn = NULL;

    loop = new_loop();
    MUST(rondo_loop_set_task_factory(loop, factory, NULL, NULL));
    MUST(rondo_loop_get_task_factory(loop, &fn, NULL));
    say("is set: %d", fn == factory);
    run(main_step, &frame);
    return finish();
}
