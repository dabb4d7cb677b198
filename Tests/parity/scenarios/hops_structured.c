/* How many passes until the awaiting task runs again: wait, as_completed, TaskGroup (section 0). */
#include "parity.h"

RONDO_STEP(quick_step)
{
    SELF;
    RONDO_RETURN("quick");
    RONDO_END(self);
}

static rondo_coroutine *quick(void)
{
    static struct frame frames[16];
    static int used;

    return new_coroutine("quick", quick_step, &frames[used++]);
}

static rondo_task *task(void)
{
    rondo_task *made = NULL;

    MUST(rondo_loop_create_task(loop, quick(), NULL, &made));
    return made;
}

static rondo_future *done(void)
{
    rondo_future *future = new_future();

    set(future, NULL);
    return future;
}

/* Of the first the reference stays, so that it is nobody's broken promise. */
static rondo_awaitable *kept;

static rondo_coroutine *wait_for(rondo_awaitable *first, rondo_awaitable *second, int64_t timeout)
{
    rondo_awaitable *these[2] = { first, second };
    rondo_coroutine *made = NULL;

    MUST(rondo_wait(loop, these, second != NULL ? 2 : 1, timeout, RONDO_WAIT_ALL_COMPLETED, &made));
    kept = first;
    MUST(rondo_future_release(second));
    return made;
}

static rondo_task_group *tasks;
static rondo_timeout *limit;
static rondo_as_completed *iterator;
static rondo_awaitable *aws[2];

RONDO_STEP(group)
{
    int i;

    SELF;
    RONDO_TASK_GROUP_ENTER(self, tasks, loop);
    for (i = 0; i < self->n; i++)
        MUST(rondo_task_group_create_task(tasks, quick(), NULL, NULL));
    RONDO_TASK_GROUP_EXIT(self, work, tasks);
    RONDO_END(self);
}

RONDO_STEP(limited)
{
    rondo_error *left;

    SELF;
    RONDO_TIMEOUT_ENTER(self, limit, loop, self->n * MS);
    if (self->n > 0)
        RONDO_AWAIT_IN(self, work, quick());
    else
        RONDO_AWAIT_MOVED_IN(self, work, new_future());
    RONDO_TRY_TIMEOUT_EXIT(self, work, limit, left);
    rondo_error_release(left);
    RONDO_END(self);
}

RONDO_STEP(iterated)
{
    SELF;
    MUST(rondo_as_completed_new(loop, aws, (size_t)self->n, RONDO_NEVER, &iterator));
    while (rondo_as_completed_next(iterator, &self->c) == RONDO_OK)
        RONDO_AWAIT(self, self->c);
    MUST(rondo_as_completed_release(iterator));
    RONDO_END(self);
}

static const char *label_of(int i)
{
    static const char *const labels[] = {
        "wait for a task", "wait for two", "wait for done", "wait, no time", "as_completed",
        "as_completed of two", "as_completed of done", "empty group", "group of one",
        "group of three", "timeout not needed", "timeout of zero",
    };
    return i < (int)(sizeof labels / sizeof *labels) ? labels[i] : NULL;
}

static rondo_coroutine *body(rondo_step_fn step, int n)
{
    static struct frame frames[16];
    static int used;

    frames[used].n = n;
    return new_coroutine("body", step, &frames[used++]);
}

static rondo_awaitable *make(int i)
{
    switch (i) {
    case 0: return wait_for(task(), NULL, RONDO_NEVER);
    case 1: return wait_for(task(), task(), RONDO_NEVER);
    case 2: return wait_for(done(), NULL, RONDO_NEVER);
    case 3: return wait_for(new_future(), NULL, 0);
    case 4: aws[0] = quick(); return body(iterated, 1);
    case 5: aws[0] = quick(), aws[1] = quick(); return body(iterated, 2);
    case 6: aws[0] = done(); return body(iterated, 1);
    case 7: return body(group, 0);
    case 8: return body(group, 1);
    case 9: return body(group, 3);
    case 10: return body(limited, 60000);
    default: return body(limited, 0);
    }
}

RONDO_STEP(main_step)
{
    rondo_awaitable *awaitable;

    SELF;
    for (self->i = 0; label_of(self->i) != NULL; self->i++) {
        awaitable = make(self->i);
        start_ticks();
        RONDO_AWAIT_MOVED(self, awaitable);
        say("%s: %d", label_of(self->i), stop_ticks());
        if (self->i < 4)
            MUST(rondo_future_release(kept));
        if (self->i == 6)
            MUST(rondo_future_release(aws[0]));
        RONDO_SLEEP(self, 0); /* the ticker ends */
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
