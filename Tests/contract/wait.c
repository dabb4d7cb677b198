/* wait.c - waiting for several: wait() and as_completed(), as CPython 3.13. */
#include "coro.h"

#include <errno.h>
#include <stdlib.h>

#define LONG INT64_C(3600000000000)
#define SHORT INT64_C(1000000)

static const rondo_drop_fn no_drop = NULL;

static rondo_coroutine *wait_of(rondo_loop *loop, rondo_awaitable *const *awaitables, size_t count,
                                int64_t timeout_ns, int32_t when)
{
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_wait(loop, awaitables, count, timeout_ns, when, &coroutine));
    return coroutine;
}

/* Run it as a task of its own; how many were done. */
static size_t run_wait(rondo_loop *loop, rondo_awaitable *const *awaitables, size_t count,
                       int64_t timeout_ns, int32_t when)
{
    rondo_future *done = NULL;
    void *value = NULL;
    CHECK_OK(rondo_loop_run_until_complete(loop, wait_of(loop, awaitables, count, timeout_ns, when), &done));
    CHECK_OK(rondo_future_result(done, &value));
    end_future(done);
    return (uintptr_t)value;
}

static rondo_task *wait_task(rondo_loop *loop, rondo_awaitable *const *awaitables, size_t count,
                             int64_t timeout_ns, int32_t when)
{
    rondo_task *task = NULL;
    CHECK_OK(rondo_loop_create_task(loop, wait_of(loop, awaitables, count, timeout_ns, when), NULL, &task));
    return task;
}

static void set_value(rondo_future *future, const char *value)
{
    CHECK_OK(rondo_future_set_result(future, (void *)(uintptr_t)value, no_drop));
}

/* ---- wait: the three modes ------------------------------------------------------------------- */

KIT_TEST(all_completed)
{
    rondo_loop *loop = kit_virtual_loop();
    struct frame frames[2] = { { .n = 1 }, { .n = 4 } };
    rondo_task *a = task_of(loop, passes_step, &frames[0]), *b = task_of(loop, passes_step, &frames[1]);
    rondo_future *done = future_of(loop);
    set_value(done, "done");
    rondo_awaitable *all[] = { a, b, done, a }; /* the same one twice is one */
    CHECK_EQ_INT(run_wait(loop, all, 4, RONDO_NEVER, RONDO_WAIT_ALL_COMPLETED), 3);
    CHECK_EQ_INT(rondo_future_is_done(as_future(b)), 1);
    end_task(a);
    end_task(b);
    end_future(done);
    kit_loop_end(loop);
}

KIT_TEST(first_completed)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop);
    rondo_awaitable *both[] = { a, b };
    rondo_task *waiter = wait_task(loop, both, 2, LONG, RONDO_WAIT_FIRST_COMPLETED);
    kit_pass(loop);
    set_value(b, "b");
    run_until_done(loop, waiter);
    expect_result(as_future(waiter), (void *)1);
    expect_pending(a);
    end_task(waiter);
    end_future(a);
    end_future(b);
    kit_loop_end(loop); /* finds no timer */
}

/* G-19: what ends in the pass in between counts: membership is found out when the waiter goes on. */
KIT_TEST(G19_membership_when_it_goes_on)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop);
    rondo_awaitable *both[] = { a, b };
    rondo_task *waiter = wait_task(loop, both, 2, RONDO_NEVER, RONDO_WAIT_FIRST_COMPLETED);
    kit_pass(loop);
    set_value(a, "a");
    kit_pass(loop); /* a's callback; the waiter's wake-up is in the ring */
    expect_pending(as_future(waiter));
    set_value(b, "b");
    kit_pass(loop);
    expect_result(as_future(waiter), (void *)2);
    kit_pass(loop); /* b's callback comes to nothing: it was taken out, or is late */
    end_task(waiter);
    end_future(a);
    end_future(b);
    kit_loop_end(loop);
}

KIT_TEST(first_exception)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop), *c = future_of(loop), *d = future_of(loop);
    rondo_error *error = kit_error(5, "five");
    rondo_awaitable *all[] = { a, b, c, d };
    rondo_task *waiter = wait_task(loop, all, 4, RONDO_NEVER, RONDO_WAIT_FIRST_EXCEPTION);
    kit_record_reports(loop);
    kit_pass(loop);
    set_value(a, "a");
    CHECK_OK(rondo_future_cancel(b, NULL, NULL)); /* no exception */
    kit_pass(loop);
    kit_pass(loop);
    expect_pending(as_future(waiter));
    CHECK_OK(rondo_future_set_exception(c, error));
    run_until_done(loop, waiter);
    expect_result(as_future(waiter), (void *)3);
    expect_pending(d);
    end_task(waiter);
    end_future(a);
    end_future(b);
    end_future(c);
    end_future(d);
    CHECK_EQ_INT(kit_reports(), 0); /* asyncio has looked at the exception */
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(loop);
}

/* Without any exception it is as ALL_COMPLETED; and a failure is none of wait()'s own. */
KIT_TEST(failures_are_not_raised)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_error *error = kit_error(5, "five");
    for (int when = 0; when <= RONDO_WAIT_FIRST_EXCEPTION; when++) {
        rondo_future *a = future_of(loop), *b = future_of(loop);
        rondo_awaitable *both[] = { a, b };
        set_value(a, "a");
        CHECK_OK(rondo_future_set_exception(b, error));
        CHECK_EQ_INT(run_wait(loop, both, 2, RONDO_NEVER, when), 2);
        expect_failed(b, 5, NULL);
        end_future(a);
        end_future(b);
    }
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(loop);
}

/* An exception that only ALL_COMPLETED saw was not read by anybody. */
KIT_TEST(unread_stays_unread)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_error *error = kit_error(5, "five");
    rondo_future *a = future_of(loop);
    rondo_awaitable *one[] = { a };
    kit_record_reports(loop);
    CHECK_OK(rondo_future_set_exception(a, error));
    CHECK_EQ_INT(run_wait(loop, one, 1, RONDO_NEVER, RONDO_WAIT_ALL_COMPLETED), 1);
    end_future(a);
    CHECK_EQ_INT(kit_reports(), 1);
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(loop);
}

/* ---- wait: time ------------------------------------------------------------------------------ */

/* G-18: the time is over: nothing is raised and nothing is cancelled. */
KIT_TEST(G18_timeout)
{
    rondo_loop *loop = kit_virtual_loop();
    static const int64_t limits[] = { SHORT, 0, -1, INT64_MIN };
    rondo_future *a = future_of(loop), *b = future_of(loop);
    rondo_awaitable *both[] = { a, b };
    set_value(a, "a");
    for (int i = 0; i < 4; i++) {
        CHECK_EQ_INT(run_wait(loop, both, 2, limits[i], RONDO_WAIT_ALL_COMPLETED), 1);
        expect_pending(b);
    }
    end_future(a);
    end_future(b);
    kit_loop_end(loop);
}

/* G-21: the time is over in the pass in which one ends. */
static void complete_it(void *future) { set_value(future, "now"); }

KIT_TEST(G21_ends_with_the_time)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop);
    rondo_awaitable *both[] = { a, b };
    CHECK_OK(rondo_loop_call_soon(loop, complete_it, a, NULL, NULL));
    CHECK_EQ_INT(run_wait(loop, both, 2, 0, RONDO_WAIT_ALL_COMPLETED), 1);
    expect_result(a, "now");
    expect_pending(b);
    end_future(a);
    end_future(b);
    kit_loop_end(loop);
}

/* ---- wait: cancelled, refused, closed -------------------------------------------------------- */

/* C-19: the waiter is cancelled, what it waits for goes on; at each point. */
KIT_TEST(C19_cancelled)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int point = 0; point < 4; point++) {
        struct frame frame = { .future = future_of(loop) };
        rondo_task *inner = task_of(loop, awaits_step, &frame);
        rondo_awaitable *one[] = { inner };
        rondo_task *waiter = wait_task(loop, one, 1, LONG, RONDO_WAIT_ALL_COMPLETED);
        if (point >= 1)
            kit_pass(loop);
        if (point >= 2) {
            set_value(frame.future, "done");
            kit_pass(loop); /* the inner one ends */
        }
        if (point >= 3)
            kit_pass(loop); /* its callback: the waiter's wake-up is in the ring */
        CHECK_OK(rondo_task_cancel(waiter, "out", NULL));
        run_until_done(loop, waiter);
        expect_cancelled(as_future(waiter), "out");
        if (point < 2) {
            expect_pending(as_future(inner));
            set_value(frame.future, "done");
            run_until_done(loop, inner);
        }
        expect_result(as_future(inner), (void *)"done");
        end_task(waiter);
        end_task(inner);
        end_future(frame.future);
    }
    kit_loop_end(loop);
}

KIT_TEST(G17_refuses)
{
    rondo_loop *loop = kit_virtual_loop(), *other = kit_virtual_loop();
    rondo_coroutine *out = NULL;
    rondo_future *future = future_of(loop), *foreign = future_of(other);
    struct frame frame = { 0 };
    rondo_coroutine *coroutine = coroutine_of(no_step, &frame);
    rondo_error *error = kit_error(1, "one");
    rondo_awaitable *list[2] = { future, NULL };
    kit_catch_log();
    CHECK_STATUS(rondo_wait(loop, list, 0, 0, RONDO_WAIT_ALL_COMPLETED, &out), -EINVAL);
    CHECK_STATUS(rondo_wait(loop, NULL, 1, 0, RONDO_WAIT_ALL_COMPLETED, &out), -EINVAL);
    CHECK_STATUS(rondo_wait(loop, list, SIZE_MAX, 0, RONDO_WAIT_ALL_COMPLETED, &out), -EINVAL);
    CHECK_STATUS(rondo_wait(loop, list, 1, 0, 3, &out), -EINVAL);
    CHECK_STATUS(rondo_wait(loop, list, 1, 0, -1, &out), -EINVAL);
    CHECK_STATUS(rondo_wait(loop, list, 2, 0, 0, &out), -EINVAL);
    list[1] = coroutine;
    CHECK_STATUS(rondo_wait(loop, list, 2, 0, 0, &out), RONDO_E_TYPE);
    list[1] = error;
    CHECK_STATUS(rondo_wait(loop, list, 2, 0, 0, &out), RONDO_E_TYPE);
    list[1] = foreign;
    CHECK_STATUS(rondo_wait(loop, list, 2, 0, 0, &out), RONDO_E_WRONG_LOOP);
    CHECK_EQ_PTR(out, NULL);
    CHECK_EQ_INT(frame.drops, 0); /* it stays the caller's */
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_OK(rondo_error_release(error));
    end_future(future);
    end_future(foreign);
    kit_loop_end(other);
    kit_loop_end(loop);
}

/* Awaited by a task of another loop. */
KIT_TEST(wait_in_another_loop)
{
    rondo_loop *loop = kit_virtual_loop(), *other = kit_virtual_loop();
    rondo_future *future = future_of(loop), *done = NULL;
    rondo_awaitable *one[] = { future };
    CHECK_OK(rondo_loop_run_until_complete(other, wait_of(loop, one, 1, 0, 0), &done));
    expect_failed(done, RONDO_E_WRONG_LOOP, NULL);
    end_future(done);
    end_future(future);
    kit_loop_end(other);
    kit_loop_end(loop);
}

KIT_TEST(wait_never_awaited)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *future = future_of(loop);
    rondo_awaitable *two[] = { future, future };
    kit_catch_log();
    CHECK_OK(rondo_coroutine_release(wait_of(loop, two, 2, LONG, 0)));
    CHECK(kit_logged_containing("coroutine 'wait' was never awaited"));
    end_future(future);
    kit_loop_end(loop);
}

KIT_TEST(loop_closed_while_waiting)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *future = future_of(loop);
    rondo_awaitable *one[] = { future };
    kit_record_reports(loop);
    rondo_task *waiter = wait_task(loop, one, 1, LONG, 0);
    kit_pass(loop);
    CHECK_OK(rondo_loop_close(loop, NULL));
    end_task(waiter);
    end_future(future);
    CHECK_OK(rondo_loop_release(loop));
}

/* Nobody is left who could complete it: that is an outcome, too, as for whoever awaits it. */
KIT_TEST(broken_promise)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop);
    rondo_awaitable *both[] = { a, b };
    rondo_task *waiter = wait_task(loop, both, 2, RONDO_NEVER, RONDO_WAIT_FIRST_EXCEPTION);
    rondo_as_completed *iterator = NULL;
    rondo_coroutine *next = NULL;
    rondo_future *done = NULL;
    end_future(a); /* before it waits, and after */
    kit_pass(loop);
    run_until_done(loop, waiter);
    expect_result(as_future(waiter), (void *)1);
    end_task(waiter);
    CHECK_OK(rondo_as_completed_new(loop, (rondo_awaitable *[]){ b }, 1, RONDO_NEVER, &iterator));
    end_future(b);
    CHECK_OK(rondo_as_completed_next(iterator, &next));
    CHECK_OK(rondo_loop_run_until_complete(loop, next, &done));
    expect_failed(done, RONDO_E_BROKEN_PROMISE, NULL);
    end_future(done);
    CHECK_OK(rondo_as_completed_release(iterator));
    kit_loop_end(loop);
}

/* ---- hops ------------------------------------------------------------------------------------ */

struct hop {
    RONDO_FRAME;
    rondo_loop *loop;
    rondo_coroutine *(*make)(struct hop *self);
    rondo_as_completed *iterator;
    struct frame child;
    rondo_task *task;
    int ticks, stop;
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
    rondo_coroutine *awaited = NULL;
    RONDO_BEGIN(self);
    self->task = task_of(self->loop, returns_step, &self->child);
    awaited = self->make(self);
    CHECK_OK(rondo_loop_call_soon(self->loop, tick, self, NULL, NULL));
    RONDO_AWAIT(self, awaited);
    self->stop = 1;
    RONDO_YIELD(self);
    RONDO_END(self);
}

static int hops(rondo_coroutine *(*make)(struct hop *self))
{
    struct hop self = { .loop = kit_virtual_loop(), .make = make };
    rondo_coroutine *main = NULL;
    CHECK_OK(rondo_coroutine_new("hop", hop_step, &self, NULL, &main));
    CHECK_OK(rondo_loop_run_until_complete(self.loop, main, NULL));
    CHECK_OK(rondo_as_completed_release(self.iterator));
    end_task(self.task);
    kit_loop_end(self.loop);
    return self.ticks;
}

static rondo_coroutine *by_wait(struct hop *self)
{
    return wait_of(self->loop, (rondo_awaitable *[]){ self->task }, 1, RONDO_NEVER, 0);
}

static rondo_coroutine *by_as_completed(struct hop *self)
{
    rondo_coroutine *next = NULL;
    rondo_awaitable *one[] = { self->task };
    CHECK_OK(rondo_as_completed_new(self->loop, one, 1, RONDO_NEVER, &self->iterator));
    CHECK_OK(rondo_as_completed_next(self->iterator, &next));
    return next;
}

KIT_TEST(hop_table)
{
    CHECK_EQ_INT(hops(by_wait), 2);
    CHECK_EQ_INT(hops(by_as_completed), 2);
}

/* ---- as_completed ---------------------------------------------------------------------------- */

static rondo_as_completed *completed_of(rondo_loop *loop, rondo_awaitable *const *awaitables, size_t count,
                                        int64_t timeout_ns)
{
    rondo_as_completed *iterator = NULL;
    CHECK_OK(rondo_as_completed_new(loop, awaitables, count, timeout_ns, &iterator));
    return iterator;
}

static rondo_coroutine *next_of(rondo_as_completed *iterator)
{
    rondo_coroutine *next = NULL;
    CHECK_OK(rondo_as_completed_next(iterator, &next));
    return next;
}

static void expect_no_next(rondo_as_completed *iterator)
{
    rondo_coroutine *next = NULL;
    CHECK_STATUS(rondo_as_completed_next(iterator, &next), RONDO_E_STOP_ITERATION);
    CHECK_STATUS(rondo_as_completed_next_future(iterator, &next), RONDO_E_STOP_ITERATION);
    CHECK_EQ_PTR(next, NULL);
}

static rondo_future *run_next(rondo_loop *loop, rondo_as_completed *iterator)
{
    rondo_future *done = NULL;
    CHECK_OK(rondo_loop_run_until_complete(loop, next_of(iterator), &done));
    return done;
}

/* G-22: in the order in which they end; coroutines become tasks. */
KIT_TEST(G22_order_of_ending)
{
    rondo_loop *loop = kit_virtual_loop();
    struct kit_arg values[3] = { 0 };
    struct frame frames[3];
    rondo_awaitable *list[4];
    static const int passes[] = { 6, 2, 4 };
    for (int i = 0; i < 3; i++) {
        frames[i] = (struct frame){ .n = passes[i], .value = &values[i], .drop = kit_arg_drop };
        list[i] = coroutine_of(passes_step, &frames[i]);
    }
    list[3] = list[1]; /* given twice, comes once */
    rondo_as_completed *iterator = completed_of(loop, list, 4, LONG);
    static const int order[] = { 1, 2, 0 };
    for (int i = 0; i < 3; i++) {
        rondo_future *done = run_next(loop, iterator);
        expect_result(done, &values[order[i]]);
        end_future(done);
    }
    expect_no_next(iterator);
    CHECK_OK(rondo_as_completed_release(iterator));
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_INT(values[i].drops, 1);
        CHECK_EQ_INT(frames[i].drops, 1);
    }
    kit_loop_end(loop);
}

/* Its value outlives the iterator. */
KIT_TEST(value_moves)
{
    rondo_loop *loop = kit_virtual_loop();
    struct kit_arg value = { 0 };
    struct frame frame = { .value = &value, .drop = kit_arg_drop };
    rondo_awaitable *one[] = { coroutine_of(returns_step, &frame) };
    rondo_as_completed *iterator = completed_of(loop, one, 1, RONDO_NEVER);
    rondo_future *done = run_next(loop, iterator);
    CHECK_OK(rondo_as_completed_release(iterator));
    CHECK_EQ_INT(value.drops, 0);
    expect_result(done, &value);
    end_future(done);
    CHECK_EQ_INT(value.drops, 1);
    kit_loop_end(loop);
}

/* G-23: the k-th to be awaited gets the k-th outcome, whichever was made first. */
KIT_TEST(G23_order_of_awaiting)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop), *got = NULL;
    rondo_awaitable *both[] = { a, b };
    rondo_as_completed *iterator = completed_of(loop, both, 2, RONDO_NEVER);
    rondo_coroutine *first = next_of(iterator), *second = next_of(iterator);
    expect_no_next(iterator);
    set_value(b, "b");
    CHECK_OK(rondo_loop_run_until_complete(loop, second, &got));
    expect_result(got, (void *)"b");
    end_future(got);
    set_value(a, "a");
    CHECK_OK(rondo_loop_run_until_complete(loop, first, &got));
    expect_result(got, (void *)"a");
    end_future(got);
    CHECK_OK(rondo_as_completed_release(iterator));
    end_future(a);
    end_future(b);
    kit_loop_end(loop);
}

/* Several wait at the same time: each gets one, in the order in which they began to wait. */
KIT_TEST(several_wait)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *futures[3];
    rondo_task *tasks[3];
    rondo_awaitable *list[3];
    static const char *const names[] = { "a", "b", "c" };
    for (int i = 0; i < 3; i++)
        list[i] = futures[i] = future_of(loop);
    rondo_as_completed *iterator = completed_of(loop, list, 3, RONDO_NEVER);
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_loop_create_task(loop, next_of(iterator), NULL, &tasks[i]));
    kit_pass(loop);
    for (int i = 2; i >= 0; i--)
        set_value(futures[i], names[i]);
    for (int i = 0; i < 3; i++) {
        run_until_done(loop, tasks[i]);
        expect_result(as_future(tasks[i]), names[2 - i]);
        end_task(tasks[i]);
        end_future(futures[i]);
    }
    CHECK_OK(rondo_as_completed_release(iterator));
    kit_loop_end(loop);
}

/* G-24: errors and cancellations are raised where their turn comes. */
KIT_TEST(G24_failures)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_error *error = kit_error(5, "five");
    rondo_future *a = future_of(loop), *b = future_of(loop);
    rondo_awaitable *both[] = { a, b };
    rondo_as_completed *iterator = completed_of(loop, both, 2, RONDO_NEVER);
    CHECK_OK(rondo_future_set_exception(b, error));
    CHECK_OK(rondo_future_cancel(a, "gone", NULL));
    rondo_future *done = run_next(loop, iterator);
    expect_failed(done, 5, "five");
    end_future(done);
    done = run_next(loop, iterator);
    expect_cancelled(done, "gone");
    end_future(done);
    CHECK_OK(rondo_as_completed_release(iterator));
    end_future(a);
    end_future(b);
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(loop);
}

/* G-25: the time is over: each that is missing is a timeout, and goes on. */
KIT_TEST(G25_timeout)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *a = future_of(loop), *b = future_of(loop), *c = future_of(loop);
    rondo_awaitable *all[] = { a, b, c };
    rondo_as_completed *iterator = completed_of(loop, all, 3, SHORT);
    rondo_task *early = NULL;
    set_value(b, "b");
    rondo_future *done = run_next(loop, iterator);
    expect_result(done, (void *)"b");
    end_future(done);
    CHECK_OK(rondo_loop_create_task(loop, next_of(iterator), NULL, &early));
    run_until_done(loop, early); /* waits while the time passes */
    expect_failed(as_future(early), RONDO_E_TIMEOUT, NULL);
    end_task(early);
    set_value(a, "late");
    done = run_next(loop, iterator);
    expect_failed(done, RONDO_E_TIMEOUT, NULL);
    end_future(done);
    expect_no_next(iterator);
    expect_pending(c);
    CHECK_OK(rondo_as_completed_release(iterator));
    end_future(a);
    end_future(b);
    end_future(c);
    kit_loop_end(loop);
}

/* G-26: broken off and gone on with: the rest comes. */
KIT_TEST(G26_goes_on)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *futures[4];
    rondo_awaitable *list[4];
    for (int i = 0; i < 4; i++) {
        list[i] = futures[i] = future_of(loop);
        CHECK_OK(rondo_future_set_result(futures[i], futures[i], NULL));
    }
    rondo_as_completed *iterator = completed_of(loop, list, 4, RONDO_NEVER);
    for (int i = 0; i < 4; i++) {
        rondo_future *done = run_next(loop, iterator);
        expect_result(done, futures[i]);
        end_future(done);
        for (int pass = 0; i == 1 && pass < 3; pass++)
            kit_pass(loop);
    }
    expect_no_next(iterator);
    CHECK_OK(rondo_as_completed_release(iterator));
    for (int i = 0; i < 4; i++)
        end_future(futures[i]);
    kit_loop_end(loop);
}

/* async for: the futures and tasks themselves. */
RONDO_STEP(iterates_futures)
{
    struct frame *self = frame;
    rondo_coroutine *next = NULL;
    RONDO_BEGIN(self);
    while (rondo_as_completed_next_future(self->value, &next) == RONDO_OK) {
        void *kept = NULL;
        RONDO_AWAIT(self, next);
        CHECK_EQ_INT(rondo_future_is_done(sent), 1);
        kit_log("%s", sent == (void *)self->task ? "task" : sent == (void *)self->future ? "future" : "new");
        CHECK_OK(rondo_coroutine_take_sent(co, &kept));
        CHECK_EQ_PTR(kept, sent);
        CHECK_OK(rondo_future_release(kept));
    }
    RONDO_END(self);
}

KIT_TEST(same_objects_come_out)
{
    rondo_loop *loop = kit_virtual_loop();
    struct frame frames[3] = { { .n = 2 }, { .n = 4 }, { 0 } };
    frames[2].task = task_of(loop, passes_step, &frames[0]);
    frames[2].future = future_of(loop);
    rondo_awaitable *all[] = { frames[2].task, frames[2].future, coroutine_of(passes_step, &frames[1]) };
    frames[2].value = completed_of(loop, all, 3, RONDO_NEVER);
    set_value(frames[2].future, "done");
    rondo_future *done = run_frame(loop, iterates_futures, &frames[2]);
    kit_expect_log("future task new");
    end_future(done);
    CHECK_OK(rondo_as_completed_release(frames[2].value));
    end_task(frames[2].task);
    end_future(frames[2].future);
    kit_loop_end(loop);
}

/* Cancelled while it waits, it takes nothing: what comes is the next one's. Also if it was woken. */
KIT_TEST(cancelled_takes_none)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int woken = 0; woken < 2; woken++) {
        rondo_future *a = future_of(loop), *b = future_of(loop);
        rondo_awaitable *both[] = { a, b };
        rondo_as_completed *iterator = completed_of(loop, both, 2, RONDO_NEVER);
        rondo_task *first = NULL, *second = NULL;
        CHECK_OK(rondo_loop_create_task(loop, next_of(iterator), NULL, &first));
        CHECK_OK(rondo_loop_create_task(loop, next_of(iterator), NULL, &second));
        kit_pass(loop);
        if (woken) {
            set_value(a, "a");
            kit_pass(loop); /* first is woken, and has not run */
        }
        CHECK_OK(rondo_task_cancel(first, NULL, NULL));
        if (!woken)
            set_value(a, "a");
        run_until_done(loop, second);
        expect_cancelled(as_future(first), NULL);
        expect_result(as_future(second), (void *)"a");
        end_task(first);
        end_task(second);
        CHECK_OK(rondo_as_completed_release(iterator));
        end_future(a);
        end_future(b);
        kit_loop_drop(loop); /* b is pending, and its callback holds the iterator */
        loop = kit_virtual_loop();
    }
    kit_loop_end(loop);
}

KIT_TEST(none_at_all)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_as_completed *iterator = completed_of(loop, NULL, 0, 0);
    expect_no_next(iterator);
    CHECK_OK(rondo_as_completed_release(iterator));
    CHECK_STATUS(rondo_as_completed_release(iterator), RONDO_E_STALE_HANDLE);
    kit_loop_end(loop);
}

KIT_TEST(as_completed_refuses)
{
    rondo_loop *loop = kit_virtual_loop(), *other = kit_virtual_loop();
    rondo_as_completed *iterator = NULL;
    rondo_future *foreign = future_of(other);
    struct frame frames[2] = { { 0 } };
    kit_catch_log();
    rondo_awaitable *list[3] = { coroutine_of(no_step, &frames[0]), NULL, foreign };
    list[1] = list[0];
    CHECK_STATUS(rondo_as_completed_new(loop, list, 3, 0, &iterator), RONDO_E_WRONG_LOOP);
    CHECK_EQ_INT(frames[0].drops, 1); /* coroutines move, each once */
    list[0] = coroutine_of(no_step, &frames[1]);
    CHECK_STATUS(rondo_as_completed_new(loop, list, 1, 0, NULL), -EINVAL);
    CHECK_EQ_INT(frames[1].drops, 1);
    CHECK_STATUS(rondo_as_completed_new(loop, list, SIZE_MAX, 0, &iterator), -EINVAL);
    CHECK_EQ_PTR(iterator, NULL);
    end_future(foreign);
    kit_loop_end(other);
    kit_loop_end(loop);
}

/* Closed while one waits, with coroutines and the iterator left over. */
KIT_TEST(as_completed_loop_closed)
{
    rondo_loop *loop = kit_virtual_loop();
    kit_record_reports(loop);
    kit_catch_log();
    rondo_future *a = future_of(loop), *b = future_of(loop);
    rondo_awaitable *both[] = { a, b };
    rondo_as_completed *iterator = completed_of(loop, both, 2, LONG);
    rondo_task *waiter = NULL;
    CHECK_OK(rondo_loop_create_task(loop, next_of(iterator), NULL, &waiter));
    kit_pass(loop);
    rondo_coroutine *left = next_of(iterator);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_OK(rondo_coroutine_release(left));
    CHECK_OK(rondo_as_completed_release(iterator));
    end_task(waiter);
    end_future(a);
    end_future(b);
    CHECK_OK(rondo_loop_release(loop));
}

static void release_it(void *iterator) { CHECK_OK(rondo_as_completed_release(iterator)); }

KIT_TEST(as_completed_released_by_another_thread)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *a = future_of(loop);
    rondo_awaitable *one[] = { a };
    rondo_as_completed *iterator = completed_of(loop, one, 1, LONG);
    kit_in_thread(release_it, iterator);
    set_value(a, "a");
    kit_pass(loop);
    kit_pass(loop);
    end_future(a);
    kit_loop_end(loop); /* its timer went with its last future */
}

KIT_TEST(many_at_once)
{
    rondo_loop *loop = kit_virtual_loop();
    int count = kit_rounds(2000);
    rondo_awaitable **list = calloc((size_t)count, sizeof *list);
    for (int i = 0; i < count; i++)
        list[i] = future_of(loop);
    rondo_task *waiter = wait_task(loop, list, (size_t)count, LONG, RONDO_WAIT_ALL_COMPLETED);
    rondo_as_completed *iterator = completed_of(loop, list, (size_t)count, LONG);
    kit_pass(loop);
    for (int i = count - 1; i >= 0; i--)
        CHECK_OK(rondo_future_set_result(list[i], list[i], NULL));
    run_until_done(loop, waiter);
    expect_result(as_future(waiter), (void *)(uintptr_t)count);
    for (int i = count - 1; i >= 0; i--) {
        rondo_future *done = run_next(loop, iterator);
        expect_result(done, list[i]);
        end_future(done);
    }
    CHECK_OK(rondo_as_completed_release(iterator));
    end_task(waiter);
    for (int i = 0; i < count; i++)
        end_future(list[i]);
    free(list);
    kit_loop_end(loop);
}
