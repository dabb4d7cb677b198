/* How many passes until the awaiting task runs again (section 0 of the rules; 3.12's wait_for). */
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

static rondo_future *done(void)
{
    rondo_future *future = new_future();

    set(future, NULL);
    return future;
}

static void set_none(void *future)
{
    set(future, NULL);
}

static rondo_future *pending(void)
{
    rondo_future *future = new_future();

    soon(set_none, future);
    return future;
}

static rondo_task *task(void)
{
    rondo_task *made = NULL;

    MUST(rondo_loop_create_task(loop, quick(), NULL, &made));
    return made;
}

static rondo_awaitable *gather(size_t count, rondo_awaitable *const *awaitables)
{
    rondo_future *made = NULL;

    MUST(rondo_gather(loop, awaitables, count, 0, &made));
    return made;
}

static rondo_awaitable *shield(rondo_awaitable *awaitable)
{
    rondo_future *made = NULL;

    MUST(rondo_shield(loop, awaitable, &made));
    MUST(rondo_future_release(awaitable));
    return made;
}

static rondo_awaitable *wait_for(rondo_awaitable *awaitable)
{
    rondo_coroutine *made = NULL;

    MUST(rondo_wait_for(awaitable, 60000 * MS, &made));
    return made;
}

static rondo_awaitable *gather_done(void)
{
    rondo_future *future = done();
    rondo_awaitable *made = gather(1, (rondo_awaitable *[]){ future });

    MUST(rondo_future_release(future));
    return made;
}

static rondo_awaitable *wait_for_task(void)
{
    rondo_task *inner = task();
    rondo_awaitable *made = wait_for(inner);

    MUST(rondo_task_release(inner));
    return made;
}

static rondo_awaitable *shield_task(void)
{
    rondo_future *made = NULL;
    rondo_task *inner = task();

    MUST(rondo_shield(loop, inner, &made));
    MUST(rondo_task_release(inner));
    return made;
}

static rondo_awaitable *sleep_0(void)
{
    rondo_coroutine *made = NULL;

    MUST(rondo_sleep(0, NULL, NULL, &made));
    return made;
}

static const char *label_of(int i)
{
    static const char *const labels[] = {
        "done future", "coroutine", "empty gather", "wait_for coroutine", "pending future", "task",
        "sleep(0)", "wait_for task", "gather of one", "gather of three", "gather of done", "shield",
        "shield of done",
    };
    return i < (int)(sizeof labels / sizeof *labels) ? labels[i] : NULL;
}

static rondo_awaitable *make(int i)
{
    switch (i) {
    case 0: return done();
    case 1: return quick();
    case 2: return gather(0, NULL);
    case 3: return wait_for(quick());
    case 4: return pending();
    case 5: return task();
    case 6: return sleep_0();
    case 7: return wait_for_task();
    case 8: return gather(1, (rondo_awaitable *[]){ quick() });
    case 9: return gather(3, (rondo_awaitable *[]){ quick(), quick(), quick() });
    case 10: return gather_done();
    case 11: return shield_task();
    default: return shield(done());
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
