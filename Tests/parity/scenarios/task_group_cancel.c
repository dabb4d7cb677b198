/* TaskGroup and cancellation: from outside, with an error, again and again, nested (TG-05 to TG-10). */
#include "parity.h"

static uint32_t cancelling_of(rondo_task *task)
{
    uint32_t count = 99;

    MUST(rondo_task_cancelling(task, &count));
    return count;
}

enum { PLAIN, FAILS, SLOW };

/* n: one of the three. */
RONDO_STEP(child)
{
    static rondo_error *why;

    SELF;
    RONDO_TRY_AWAIT_MOVED(self, new_future());
    why = thrown;
    MUST(rondo_error_retain(why));
    for (self->i = 0; self->n == SLOW && self->i < 3; self->i++)
        RONDO_TRY(self, rondo_coroutine_sleep(co, 0));
    say("%s ends", self->name);
    MUST(rondo_error_release(why));
    if (self->n == FAILS)
        RONDO_RAISE(1, self->name);
    return rondo_coroutine_raise(co, why);
    RONDO_END(self);
}

RONDO_STEP(fails)
{
    SELF;
    RONDO_RAISE(1, self->name);
    RONDO_END(self);
}

static void add(rondo_task_group *to, rondo_step_fn step, const char *name, int n)
{
    static struct frame frames[20];
    static int used;
    struct frame *frame = &frames[used++];

    frame->name = name;
    frame->n = n;
    MUST(rondo_task_group_create_task(to, new_coroutine("child", step, frame), NULL, NULL));
}

/* i: waits in its body; n: its child's kind. */
RONDO_STEP(parent)
{
    static rondo_task_group *tasks;

    SELF;
    MUST(rondo_current_task(NULL, &self->t));
    RONDO_TASK_GROUP_ENTER(self, tasks, loop);
    add(tasks, child, "child", self->n);
    if (self->i)
        RONDO_AWAIT_MOVED_IN(self, work, new_future());
    RONDO_TRY_TASK_GROUP_EXIT(self, work, tasks);
    if (rondo_error_get_status(thrown) == RONDO_E_GROUP) {
        say("group of %zu, cancelling: %u", rondo_error_get_count(thrown), cancelling_of(self->t));
        RONDO_TRY(self, rondo_coroutine_sleep(co, 60000 * MS));
        if (thrown != NULL)
            say("again, cancelling: %u", cancelling_of(self->t));
        RONDO_RETURN(NULL);
    }
    say_error("left by", thrown);
    say("cancelling: %u", cancelling_of(self->t));
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* n: both fail. */
RONDO_STEP(nested)
{
    static rondo_task_group *outer, *inner;

    SELF;
    MUST(rondo_current_task(NULL, &self->t));
    RONDO_TASK_GROUP_ENTER(self, outer, loop);
    add(outer, fails, "outer", 0);
    RONDO_TASK_GROUP_ENTER(self, inner, loop);
    add(inner, self->n ? fails : child, "inner", PLAIN);
    RONDO_SLEEP_IN(self, inner, 60000 * MS);
    RONDO_TRY_TASK_GROUP_EXIT(self, inner, inner);
    if (thrown != NULL)
        say("inner: %s, cancelling: %u",
            rondo_error_get_status(thrown) == RONDO_E_GROUP ? "ExceptionGroup"
                                                            : class_of(rondo_error_get_status(thrown)),
            cancelling_of(self->t));
    if (self->n)
        RONDO_SLEEP_IN(self, outer, 60000 * MS);
    RONDO_TRY_TASK_GROUP_EXIT(self, outer, outer);
    say("outer: %zu %s, cancelling: %u", rondo_error_get_count(thrown),
        rondo_error_get_message(rondo_error_get_member(thrown, 0)), cancelling_of(self->t));
    RONDO_END(self);
}

static rondo_coroutine *end_of(rondo_task *task)
{
    rondo_coroutine *made = NULL;

    MUST(rondo_wait(loop, (rondo_awaitable *[]){ task }, 1, RONDO_NEVER, 0, &made));
    return made;
}

RONDO_STEP(main_step)
{
    static struct frame parents[6], both = { .n = 1 }, one;
    static int k, pass;

    SELF;
    for (k = 0; k < 6; k++) {
        parents[k].i = k < 3;
        parents[k].n = k % 3;
        self->t = spawn(parent, &parents[k]);
        RONDO_SLEEP(self, 0);
        RONDO_SLEEP(self, 0);
        MUST(rondo_task_cancel(self->t, "test", NULL));
        for (pass = 0; pass < 3; pass++)
            RONDO_SLEEP(self, 0);
        say("pending: %s", rondo_future_is_done(rondo_task_as_future(self->t)) ? "False" : "True");
        if (k % 3 == SLOW)
            MUST(rondo_task_cancel(self->t, "later", NULL));
        RONDO_AWAIT(self, end_of(self->t));
        outcome("task", self->t);
        MUST(rondo_task_release(self->t));
    }
    RONDO_AWAIT(self, new_coroutine("nested", nested, &both));
    RONDO_AWAIT(self, new_coroutine("nested", nested, &one));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
