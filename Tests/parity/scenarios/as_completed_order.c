/* as_completed(): outcomes in the order in which they come, whoever waits; and no time (G-22 to G-25). */
#include "parity.h"

RONDO_STEP(tell)
{
    SELF;
    RONDO_TRY_AWAIT(self, self->c);
    if (thrown == NULL)
        say("%s: %s", self->name, text(sent));
    else
        say_error(self->name, thrown);
    RONDO_END(self);
}

RONDO_STEP(passes)
{
    SELF;
    for (self->i = 0; self->i < self->n; self->i++)
        RONDO_SLEEP(self, 0);
    return rondo_coroutine_return(co, (void *)self->name, NULL);
    RONDO_END(self);
}

static struct frame frames[16];
static int used;
static rondo_as_completed *iterator;
static rondo_future *a, *b, *c, *d;

static rondo_coroutine *teller(const char *name, rondo_coroutine *coroutine)
{
    struct frame *frame = &frames[used++];

    frame->name = name;
    frame->c = coroutine;
    return new_coroutine("tell", tell, frame);
}

static rondo_task *telling(const char *name, rondo_coroutine *coroutine)
{
    rondo_task *made = NULL;

    MUST(rondo_loop_create_task(loop, teller(name, coroutine), NULL, &made));
    return made;
}

static rondo_coroutine *next(void)
{
    rondo_coroutine *made = NULL;

    MUST(rondo_as_completed_next(iterator, &made));
    return made;
}

static void iterate(rondo_awaitable *const *these, size_t count, int64_t timeout)
{
    MUST(rondo_as_completed_release(iterator));
    iterator = NULL;
    MUST(rondo_as_completed_new(loop, these, count, timeout, &iterator));
}

RONDO_STEP(main_step)
{
    static rondo_coroutine *third, *fourth;
    static struct frame child = { .name = "same", .n = 3 };
    rondo_awaitable *these[4];
    rondo_coroutine *coroutine = NULL;

    SELF;
    these[0] = a = new_future();
    these[1] = b = new_future();
    these[2] = c = new_future();
    these[3] = d = new_future();
    iterate(these, 4, RONDO_NEVER);
    self->t = telling("first", next());
    self->u = telling("second", next());
    third = next();
    fourth = next();
    RONDO_SLEEP(self, 0);
    set(d, "d");
    fail(b, "b");
    MUST(rondo_future_cancel(a, "a", NULL));
    set(c, "c");
    RONDO_AWAIT_MOVED(self, self->t);
    RONDO_AWAIT_MOVED(self, self->u);
    RONDO_AWAIT(self, teller("fourth", fourth));
    RONDO_AWAIT(self, teller("third", third));
    these[0] = these[1] = new_coroutine("passes", passes, &child);
    iterate(these, 2, RONDO_NEVER);
    while (rondo_as_completed_next(iterator, &coroutine) == RONDO_OK)
        RONDO_AWAIT(self, teller("once", coroutine));
    MUST(rondo_future_release(a));
    MUST(rondo_future_release(b));
    MUST(rondo_future_release(c));
    MUST(rondo_future_release(d));
    these[0] = a = new_future();
    these[1] = b = new_future();
    these[2] = c = new_future();
    set(b, "b");
    iterate(these, 3, MS);
    while (rondo_as_completed_next(iterator, &coroutine) == RONDO_OK)
        RONDO_AWAIT(self, teller("in time", coroutine));
    outcome("a", a);
    /* Cancelled while it waits, it takes nothing. */
    these[0] = a;
    these[1] = c;
    iterate(these, 2, RONDO_NEVER);
    self->t = telling("cancelled", next());
    self->u = telling("other", next());
    RONDO_SLEEP(self, 0);
    set(c, "c");
    RONDO_SLEEP(self, 0);
    MUST(rondo_task_cancel(self->t, NULL, NULL));
    RONDO_AWAIT_MOVED(self, self->u);
    outcome("task", self->t);
    MUST(rondo_task_release(self->t));
    MUST(rondo_as_completed_release(iterator));
    MUST(rondo_future_release(a));
    MUST(rondo_future_release(b));
    MUST(rondo_future_release(c));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
