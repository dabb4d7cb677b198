/* hops.c - how many passes until the awaiting task runs again (behaviour cases, section 0). */
#include "coro.h"

/* The numbers below were measured with CPython 3.13: ready holds the awaited thing's own work
 * first, then a counter that schedules itself; the number is how often the counter ran. */

struct hop {
    RONDO_FRAME;
    rondo_loop *loop;
    rondo_awaitable *(*make)(struct hop *self);
    int coroutine; /* make gives a coroutine, which moves */
    rondo_awaitable *awaited;
    struct frame children[2];
    int ticks, stop, drops;
};

static void tick(void *arg)
{
    struct hop *self = arg;
    if (self->stop)
        return;
    self->ticks++;
    CHECK_OK(rondo_loop_call_soon(self->loop, tick, self, NULL, NULL));
}

RONDO_STEP(hop_step)
{
    struct hop *self = frame;
    RONDO_BEGIN(self);
    self->awaited = self->make(self);
    CHECK_OK(rondo_loop_call_soon(self->loop, tick, self, NULL, NULL));
    if (self->coroutine) {
        RONDO_AWAIT(self, self->awaited);
    } else {
        RONDO_AWAIT_MOVED(self, self->awaited);
    }
    self->stop = 1;
    RONDO_YIELD(self); /* the counter's last call */
    RONDO_END(self);
}

static void hop_drop(void *frame)
{
    ((struct hop *)frame)->drops++;
}

static int hops(rondo_awaitable *(*make)(struct hop *self), int coroutine)
{
    struct hop self = { .loop = kit_loop(), .make = make, .coroutine = coroutine };
    rondo_coroutine *main = NULL;
    rondo_future *done = NULL;
    CHECK_OK(rondo_coroutine_new("hop", hop_step, &self, hop_drop, &main));
    CHECK_OK(rondo_loop_run_until_complete(self.loop, main, &done));
    expect_result(done, NULL);
    end_future(done);
    CHECK_EQ_INT(self.drops, 1);
    kit_loop_end(self.loop);
    return self.ticks;
}

static rondo_coroutine *child(struct hop *self, int index)
{
    return coroutine_of(returns_step, &self->children[index]);
}

static rondo_task *child_task(struct hop *self, int index)
{
    return task_of(self->loop, returns_step, &self->children[index]);
}

static rondo_awaitable *done_future(struct hop *self)
{
    rondo_future *future = future_of(self->loop);
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    return future;
}

static rondo_awaitable *plain_coroutine(struct hop *self)
{
    return child(self, 0);
}

static rondo_awaitable *empty_gather(struct hop *self)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_gather(self->loop, NULL, 0, 0, &future));
    return future;
}

static rondo_awaitable *wait_for_coroutine(struct hop *self)
{
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_wait_for(child(self, 0), INT64_C(1000000000), &coroutine));
    return coroutine;
}

static rondo_awaitable *wait_for_coroutine_no_limit(struct hop *self)
{
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_wait_for(child(self, 0), RONDO_NEVER, &coroutine));
    return coroutine;
}

KIT_TEST(hops_of_what_is_there)
{
    CHECK_EQ_INT(hops(done_future, 0), 0);
    CHECK_EQ_INT(hops(plain_coroutine, 1), 0);
    CHECK_EQ_INT(hops(empty_gather, 0), 0);
    CHECK_EQ_INT(hops(wait_for_coroutine, 1), 0);
    CHECK_EQ_INT(hops(wait_for_coroutine_no_limit, 1), 0);
}

static void set_it(void *arg)
{
    CHECK_OK(rondo_future_set_result(arg, NULL, NULL));
}

static rondo_awaitable *future_set_in_this_tick(struct hop *self)
{
    rondo_future *future = future_of(self->loop);
    CHECK_OK(rondo_loop_call_soon(self->loop, set_it, future, NULL, NULL));
    return future;
}

static rondo_awaitable *created_task(struct hop *self)
{
    return child_task(self, 0);
}

static rondo_awaitable *wait_for_task(struct hop *self)
{
    rondo_coroutine *coroutine = NULL;
    rondo_task *task = child_task(self, 0);
    CHECK_OK(rondo_wait_for(task, INT64_C(1000000000), &coroutine));
    end_task(task);
    return coroutine;
}

static rondo_awaitable *sleep_zero(struct hop *self)
{
    rondo_coroutine *coroutine = NULL;
    (void)self;
    CHECK_OK(rondo_sleep(0, NULL, NULL, &coroutine));
    return coroutine;
}

static rondo_awaitable *wait_for_sleep_zero(struct hop *self)
{
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_wait_for(sleep_zero(self), INT64_C(1000000000), &coroutine));
    return coroutine;
}

KIT_TEST(hops_of_one)
{
    CHECK_EQ_INT(hops(future_set_in_this_tick, 0), 1);
    CHECK_EQ_INT(hops(created_task, 0), 1);
    CHECK_EQ_INT(hops(wait_for_task, 1), 1);
    CHECK_EQ_INT(hops(sleep_zero, 1), 1);
    CHECK_EQ_INT(hops(wait_for_sleep_zero, 1), 1);
}

static rondo_awaitable *gather_of_two(struct hop *self)
{
    rondo_awaitable *children[] = { child(self, 0), child(self, 1) };
    rondo_future *future = NULL;
    CHECK_OK(rondo_gather(self->loop, children, 2, 0, &future));
    return future;
}

static rondo_awaitable *gather_of_one(struct hop *self)
{
    rondo_awaitable *children[] = { child(self, 0) };
    rondo_future *future = NULL;
    CHECK_OK(rondo_gather(self->loop, children, 1, RONDO_GATHER_RETURN_EXCEPTIONS, &future));
    return future;
}

static rondo_awaitable *shielded_task(struct hop *self)
{
    rondo_task *task = child_task(self, 0);
    rondo_future *future = NULL;
    CHECK_OK(rondo_shield(self->loop, task, &future));
    end_task(task);
    return future;
}

static rondo_awaitable *shielded_coroutine(struct hop *self)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_shield(self->loop, child(self, 0), &future));
    return future;
}

KIT_TEST(hops_of_two)
{
    CHECK_EQ_INT(hops(gather_of_two, 0), 2);
    CHECK_EQ_INT(hops(gather_of_one, 0), 2);
    CHECK_EQ_INT(hops(shielded_task, 0), 2);
    CHECK_EQ_INT(hops(shielded_coroutine, 0), 2);
}

/* ---- what an await that does not yield means ------------------------------------------------ */

RONDO_STEP(howto_both)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    self->task = task_of(self->loop, returns_step, self->parent);
    for (self->i = 1; self->i <= 3; self->i++) {
        if (self->n == 0) {
            RONDO_AWAIT(self, coroutine_of(returns_step, &self[self->i]));
        } else {
            RONDO_AWAIT_MOVED(self, task_of(self->loop, returns_step, &self[self->i]));
        }
    }
    RONDO_AWAIT_MOVED(self, self->task);
    RONDO_END(self);
}

/* K-02, the HOWTO: task_b is made first, yet three awaits of coro_a() come before it; with tasks
 * instead of coroutines b comes first. */
KIT_TEST(K02_awaiting_a_coroutine_does_not_yield)
{
    for (int tasks = 0; tasks < 2; tasks++) {
        rondo_loop *loop = kit_loop();
        struct frame b = { .name = "b" };
        struct frame frames[] = { { .n = tasks, .parent = &b }, { .name = "a" }, { .name = "a" }, { .name = "a" } };
        end_future(run_frame(loop, howto_both, frames));
        kit_expect_log(tasks ? "b a a a" : "a a a b");
        kit_loop_end(loop);
    }
}
