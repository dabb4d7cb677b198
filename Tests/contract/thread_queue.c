/* thread_queue.c - queues and events between threads and tasks: order, waiting, shutting down, nothing lost. */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static rondo_thread_queue *new_queue(int64_t maxsize)
{
    rondo_thread_queue *queue = NULL;
    CHECK_OK(rondo_thread_queue_new(maxsize, &queue));
    return queue;
}

static void put(rondo_thread_queue *queue, intptr_t item)
{
    CHECK_OK(rondo_thread_queue_put_nowait(queue, (void *)item, NULL));
}

static void expect_item(rondo_thread_queue *queue, intptr_t expected)
{
    void *item = NULL;
    CHECK_OK(rondo_thread_queue_get_nowait(queue, &item));
    CHECK_EQ_INT((intptr_t)item, expected);
}

static size_t qsize(rondo_thread_queue *queue)
{
    size_t count = 77;
    CHECK_OK(rondo_thread_queue_qsize(queue, &count));
    return count;
}

static void end_queue(rondo_thread_queue *queue)
{
    CHECK_OK(rondo_thread_queue_release(queue));
}

/* ---- without waiting ------------------------------------------------------------------------ */

KIT_TEST(first_in_first_out)
{
    rondo_thread_queue *queue = new_queue(0);
    int64_t maxsize = 5;
    void *item = &maxsize;
    for (int i = 0; i < 100; i++)
        put(queue, i);
    CHECK_EQ_INT(qsize(queue), 100);
    for (int i = 0; i < 100; i++)
        expect_item(queue, i);
    CHECK_STATUS(rondo_thread_queue_get_nowait(queue, &item), RONDO_E_QUEUE_EMPTY);
    CHECK_STATUS(rondo_thread_queue_get(queue, 0, &item), RONDO_E_TIMEOUT);
    CHECK_STATUS(rondo_thread_queue_get(queue, 1, &item), RONDO_E_TIMEOUT);
    CHECK_STATUS(rondo_thread_queue_get(queue, -1, &item), -EINVAL);
    CHECK_STATUS(rondo_thread_queue_get(queue, INT64_MIN, &item), -EINVAL);
    CHECK_EQ_PTR(item, &maxsize);
    CHECK_OK(rondo_thread_queue_get_maxsize(queue, &maxsize));
    CHECK_EQ_INT(maxsize, 0);
    end_queue(queue);
}

KIT_TEST(full)
{
    rondo_thread_queue *queue = new_queue(2);
    put(queue, 1);
    put(queue, 2);
    CHECK_STATUS(rondo_thread_queue_put_nowait(queue, NULL, kit_drop), RONDO_E_QUEUE_FULL);
    CHECK_STATUS(rondo_thread_queue_put(queue, NULL, kit_drop, 0), RONDO_E_TIMEOUT);
    CHECK_STATUS(rondo_thread_queue_put(queue, NULL, kit_drop, 1000), RONDO_E_TIMEOUT);
    CHECK_STATUS(rondo_thread_queue_put(queue, NULL, kit_drop, -5), -EINVAL);
    CHECK_EQ_INT(kit_drops, 4);
    expect_item(queue, 1);
    CHECK_OK(rondo_thread_queue_put(queue, (void *)3, NULL, RONDO_NEVER));
    expect_item(queue, 2);
    expect_item(queue, 3);
    end_queue(queue);
}

KIT_TEST(what_is_left_is_dropped)
{
    struct kit_arg args[3] = { { 0 } };
    void *item = NULL;
    rondo_thread_queue *queue = new_queue(0);
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_thread_queue_put_nowait(queue, &args[i], kit_arg_drop));
    CHECK_OK(rondo_thread_queue_get_nowait(queue, &item));
    CHECK_EQ_PTR(item, &args[0]);
    end_queue(queue);
    CHECK_EQ_INT(args[0].drops, 0); /* the caller's */
    CHECK_EQ_INT(args[1].drops + args[2].drops, 2);
}

KIT_TEST(task_done_and_join)
{
    rondo_thread_queue *queue = new_queue(0);
    CHECK_OK(rondo_thread_queue_join(queue, RONDO_NEVER)); /* nothing to wait for */
    CHECK_STATUS(rondo_thread_queue_task_done(queue), RONDO_E_INVALID_STATE);
    put(queue, 1);
    put(queue, 2);
    expect_item(queue, 1);
    expect_item(queue, 2);
    CHECK_STATUS(rondo_thread_queue_join(queue, 0), RONDO_E_TIMEOUT);
    CHECK_OK(rondo_thread_queue_task_done(queue));
    CHECK_STATUS(rondo_thread_queue_join(queue, 1000), RONDO_E_TIMEOUT);
    CHECK_OK(rondo_thread_queue_task_done(queue));
    CHECK_OK(rondo_thread_queue_join(queue, 0));
    CHECK_STATUS(rondo_thread_queue_task_done(queue), RONDO_E_INVALID_STATE);
    end_queue(queue);
}

KIT_TEST(shut_down)
{
    rondo_thread_queue *queue = new_queue(0);
    void *item = NULL;
    put(queue, 1);
    CHECK_OK(rondo_thread_queue_put_nowait(queue, NULL, kit_drop));
    CHECK_OK(rondo_thread_queue_shutdown(queue, 0));
    CHECK_STATUS(rondo_thread_queue_put_nowait(queue, NULL, kit_drop), RONDO_E_QUEUE_SHUT_DOWN);
    CHECK_STATUS(rondo_thread_queue_put(queue, NULL, kit_drop, RONDO_NEVER), RONDO_E_QUEUE_SHUT_DOWN);
    CHECK_EQ_INT(kit_drops, 2);
    expect_item(queue, 1);
    CHECK_OK(rondo_thread_queue_task_done(queue));
    CHECK_OK(rondo_thread_queue_shutdown(queue, 1)); /* what is in it counts as done */
    CHECK_EQ_INT(kit_drops, 3);
    CHECK_OK(rondo_thread_queue_join(queue, 0));
    CHECK_STATUS(rondo_thread_queue_get_nowait(queue, &item), RONDO_E_QUEUE_SHUT_DOWN);
    CHECK_STATUS(rondo_thread_queue_get(queue, RONDO_NEVER, &item), RONDO_E_QUEUE_SHUT_DOWN);
    end_queue(queue);
}

/* ---- threads that wait ---------------------------------------------------------------------- */

struct waiter {
    rondo_thread_queue *queue;
    rondo_thread_event *event;
    atomic_int tid;
    intptr_t item;
    rondo_status status;
};

static void *gets(void *arg)
{
    struct waiter *waiter = arg;
    void *item = NULL;
    atomic_store(&waiter->tid, kit_tid());
    waiter->status = rondo_thread_queue_get(waiter->queue, RONDO_NEVER, &item);
    waiter->item = (intptr_t)item;
    return NULL;
}

static void *puts_one(void *arg)
{
    struct waiter *waiter = arg;
    atomic_store(&waiter->tid, kit_tid());
    waiter->status = rondo_thread_queue_put(waiter->queue, (void *)waiter->item, NULL, RONDO_NEVER);
    return NULL;
}

static void *joins(void *arg)
{
    struct waiter *waiter = arg;
    atomic_store(&waiter->tid, kit_tid());
    waiter->status = rondo_thread_queue_join(waiter->queue, RONDO_NEVER);
    return NULL;
}

static pthread_t start_waiting(void *(*fn)(void *), struct waiter *waiter)
{
    pthread_t thread = kit_thread_start(fn, waiter);
    while (atomic_load(&waiter->tid) == 0)
        sched_yield();
    kit_wait_asleep(waiter->tid);
    return thread;
}

KIT_TEST(a_thread_waits_for_an_item)
{
    struct waiter waiter = { .queue = new_queue(0) };
    pthread_t thread = start_waiting(gets, &waiter);
    put(waiter.queue, 42);
    kit_thread_join(thread);
    CHECK_OK(waiter.status);
    CHECK_EQ_INT(waiter.item, 42);
    end_queue(waiter.queue);
}

KIT_TEST(a_thread_waits_for_room)
{
    struct waiter waiter = { .queue = new_queue(1), .item = 2 };
    put(waiter.queue, 1);
    pthread_t thread = start_waiting(puts_one, &waiter);
    expect_item(waiter.queue, 1);
    kit_thread_join(thread);
    CHECK_OK(waiter.status);
    expect_item(waiter.queue, 2);
    end_queue(waiter.queue);
}

KIT_TEST(a_thread_waits_for_the_work)
{
    struct waiter waiter = { .queue = new_queue(0) };
    put(waiter.queue, 1);
    expect_item(waiter.queue, 1);
    pthread_t thread = start_waiting(joins, &waiter);
    CHECK_OK(rondo_thread_queue_task_done(waiter.queue));
    put(waiter.queue, 2); /* it was over, if only for a moment */
    kit_thread_join(thread);
    CHECK_OK(waiter.status);
    end_queue(waiter.queue);
}

KIT_TEST(shutdown_wakes_every_thread)
{
    rondo_thread_queue *empty = new_queue(0), *packed = new_queue(1);
    struct waiter getters[3] = { { 0 } }, putters[3] = { { 0 } };
    pthread_t threads[6];
    put(packed, 1);
    for (int i = 0; i < 3; i++) {
        getters[i].queue = empty;
        putters[i].queue = packed;
        threads[i] = start_waiting(gets, &getters[i]);
        threads[3 + i] = start_waiting(puts_one, &putters[i]);
    }
    CHECK_OK(rondo_thread_queue_shutdown(empty, 0));
    CHECK_OK(rondo_thread_queue_shutdown(packed, 1));
    for (int i = 0; i < 6; i++)
        kit_thread_join(threads[i]);
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(getters[i].status, RONDO_E_QUEUE_SHUT_DOWN);
        CHECK_STATUS(putters[i].status, RONDO_E_QUEUE_SHUT_DOWN);
    }
    end_queue(empty);
    end_queue(packed);
}

/* C's last reference goes while a thread waits: the wait has one of its own. */
KIT_TEST(released_while_a_thread_waits)
{
    struct waiter waiter = { .queue = new_queue(0) };
    pthread_t thread = start_waiting(gets, &waiter);
    CHECK_OK(rondo_thread_queue_release(waiter.queue));
    put(waiter.queue, 7);
    kit_thread_join(thread);
    CHECK_EQ_INT(waiter.item, 7);
    CHECK_STATUS(rondo_thread_queue_release(waiter.queue), RONDO_E_STALE_HANDLE);
}

/* ---- tasks ---------------------------------------------------------------------------------- */

struct async {
    RONDO_FRAME;
    rondo_thread_queue *queue;
    rondo_thread_event *event;
    rondo_coroutine *co;
    const char *name;
    intptr_t item, count, next;
    int drops;
};

static void async_drop(void *frame)
{
    struct async *self = frame;
    self->drops++;
}

/* Gets count items and logs them. */
RONDO_STEP(getter_step)
{
    struct async *self = frame;
    RONDO_BEGIN(self);
    while (self->count-- > 0) {
        CHECK_OK(rondo_thread_queue_get_async(self->queue, &self->co));
        RONDO_TRY_AWAIT_MOVED(self, self->co);
        if (thrown != NULL) {
            kit_log("%s:%s", self->name, rondo_status_name(rondo_error_get_status(thrown)));
            return rondo_coroutine_raise(co, thrown);
        }
        void *item = NULL;
        CHECK_OK(rondo_coroutine_take_sent(co, &item));
        kit_log("%s:%d", self->name, (int)(intptr_t)item);
    }
    RONDO_END(self);
}

/* Puts item, item + 1, ... count of them. */
RONDO_STEP(putter_step)
{
    struct async *self = frame;
    RONDO_BEGIN(self);
    while (self->count-- > 0) {
        CHECK_OK(rondo_thread_queue_put_async(self->queue, (void *)self->item, kit_drop, &self->co));
        RONDO_TRY_AWAIT_MOVED(self, self->co);
        if (thrown != NULL) {
            kit_log("%s:%s", self->name, rondo_status_name(rondo_error_get_status(thrown)));
            return rondo_coroutine_raise(co, thrown);
        }
        kit_log("%s:put:%d", self->name, (int)self->item++);
    }
    RONDO_END(self);
}

RONDO_STEP(joiner_step)
{
    struct async *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_thread_queue_join_async(self->queue, &self->co));
    RONDO_AWAIT_MOVED(self, self->co);
    kit_log("%s:joined", self->name);
    RONDO_END(self);
}

RONDO_STEP(event_step)
{
    struct async *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_thread_event_wait_async(self->event, &self->co));
    RONDO_AWAIT_MOVED(self, self->co);
    kit_log("%s:set", self->name);
    RONDO_END(self);
}

static rondo_task *spawn(rondo_loop *loop, rondo_step_fn step, struct async *frame)
{
    rondo_task *task = NULL;
    CHECK_OK(rondo_loop_spawn(loop, step, frame, async_drop, NULL, &task));
    return task;
}

static void finish_task(rondo_loop *loop, rondo_task *task)
{
    run_until_done(loop, task);
    end_task(task);
}

KIT_TEST(tasks_of_one_loop)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_queue *queue = new_queue(2);
    struct async getter = { .queue = queue, .name = "g", .count = 4 };
    struct async putter = { .queue = queue, .name = "p", .item = 1, .count = 4 };
    rondo_task *first = spawn(loop, getter_step, &getter), *second = spawn(loop, putter_step, &putter);
    finish_task(loop, first);
    finish_task(loop, second);
    kit_expect_log("p:put:1 p:put:2 g:1 g:2 p:put:3 p:put:4 g:3 g:4");
    CHECK_EQ_INT(kit_drops, 0);
    end_queue(queue);
    kit_loop_end(loop);
}

/* Tasks are served in the order in which they came. */
KIT_TEST(tasks_are_served_in_order)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_queue *queue = new_queue(0);
    struct async frames[3] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
    rondo_task *tasks[3];
    for (int i = 0; i < 3; i++) {
        frames[i].queue = queue;
        frames[i].count = 1;
        tasks[i] = spawn(loop, getter_step, &frames[i]);
    }
    kit_pass(loop);
    for (int i = 1; i <= 3; i++)
        put(queue, i);
    for (int i = 0; i < 3; i++)
        finish_task(loop, tasks[i]);
    kit_expect_log("a:1 b:2 c:3");
    end_queue(queue);
    kit_loop_end(loop);
}

struct put_elsewhere {
    rondo_thread_queue *queue;
    int32_t tid;
};

static void *puts_when_the_loop_sleeps(void *arg)
{
    struct put_elsewhere *self = arg;
    for (intptr_t i = 1; i <= 3; i++) {
        kit_wait_asleep(self->tid);
        put(self->queue, i);
    }
    return NULL;
}

/* The loop sleeps in the kernel and is woken for each item. */
KIT_TEST(from_a_thread_to_a_sleeping_loop)
{
    rondo_loop *loop = kit_loop();
    struct put_elsewhere self = { new_queue(0), kit_tid() };
    struct async getter = { .queue = self.queue, .name = "g", .count = 3 };
    rondo_task *task = spawn(loop, getter_step, &getter);
    pthread_t thread = kit_thread_start(puts_when_the_loop_sleeps, &self);
    finish_task(loop, task);
    kit_thread_join(thread);
    kit_expect_log("g:1 g:2 g:3");
    end_queue(self.queue);
    kit_loop_end(loop);
}

static void *gets_three(void *arg)
{
    struct waiter *waiter = arg;
    for (int i = 1; i <= 3; i++) {
        void *item = NULL;
        CHECK_OK(rondo_thread_queue_get(waiter->queue, RONDO_NEVER, &item));
        CHECK_EQ_INT((intptr_t)item, i);
    }
    return NULL;
}

/* A queue of one: the task waits for room, the thread for items. */
KIT_TEST(from_a_loop_to_a_thread)
{
    rondo_loop *loop = kit_loop();
    struct waiter waiter = { .queue = new_queue(1) };
    struct async putter = { .queue = waiter.queue, .name = "p", .item = 1, .count = 3 };
    pthread_t thread = kit_thread_start(gets_three, &waiter);
    finish_task(loop, spawn(loop, putter_step, &putter));
    kit_thread_join(thread);
    kit_expect_log("p:put:1 p:put:2 p:put:3");
    end_queue(waiter.queue);
    kit_loop_end(loop);
}

KIT_TEST(a_task_joins)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_queue *queue = new_queue(0);
    struct async joiner = { .queue = queue, .name = "j" }, late = { .queue = queue, .name = "k" };
    put(queue, 1);
    rondo_task *task = spawn(loop, joiner_step, &joiner);
    kit_pass(loop);
    kit_pass(loop);
    kit_expect_log("");
    expect_item(queue, 1);
    CHECK_OK(rondo_thread_queue_task_done(queue));
    put(queue, 2);
    finish_task(loop, task);
    CHECK_OK(rondo_thread_queue_shutdown(queue, 1));
    finish_task(loop, spawn(loop, joiner_step, &late));
    kit_expect_log("j:joined k:joined");
    end_queue(queue);
    kit_loop_end(loop);
}

KIT_TEST(shutdown_wakes_tasks)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_queue *queue = new_queue(1), *empty = new_queue(0);
    struct async frames[4] = { { .queue = queue, .name = "p", .count = 1 }, { .queue = queue, .name = "q", .count = 1 },
                               { .queue = empty, .name = "g", .count = 1 }, { .queue = queue, .name = "j" } };
    rondo_task *tasks[4];
    put(queue, 1);
    for (int i = 0; i < 4; i++)
        tasks[i] = spawn(loop, i < 2 ? putter_step : i == 2 ? getter_step : joiner_step, &frames[i]);
    kit_pass(loop);
    kit_pass(loop);
    CHECK_OK(rondo_thread_queue_shutdown(empty, 0));
    CHECK_OK(rondo_thread_queue_shutdown(queue, 1));
    for (int i = 0; i < 4; i++) {
        run_until_done(loop, tasks[i]);
        if (i < 3)
            expect_failed(as_future(tasks[i]), RONDO_E_QUEUE_SHUT_DOWN, NULL);
        end_task(tasks[i]);
    }
    kit_expect_log("g:RONDO_E_QUEUE_SHUT_DOWN j:joined p:RONDO_E_QUEUE_SHUT_DOWN q:RONDO_E_QUEUE_SHUT_DOWN");
    CHECK_EQ_INT(kit_drops, 2);
    end_queue(queue);
    end_queue(empty);
    kit_loop_end(loop);
}

/* ---- nothing is lost ------------------------------------------------------------------------ */

/* Woken and cancelled in the same pass: the item is the next one's. */
KIT_TEST(cancelled_when_woken)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_queue *queue = new_queue(0);
    struct async first = { .queue = queue, .name = "a", .count = 1 }, second = { .queue = queue, .name = "b", .count = 1 };
    rondo_task *one = spawn(loop, getter_step, &first), *two = spawn(loop, getter_step, &second);
    kit_pass(loop);
    put(queue, 5);
    CHECK_OK(rondo_task_cancel(one, NULL, NULL));
    finish_task(loop, two);
    run_until_done(loop, one);
    expect_cancelled(as_future(one), NULL);
    end_task(one);
    kit_expect_log("a:RONDO_E_CANCELLED b:5");
    end_queue(queue);
    kit_loop_end(loop);
}

static void *puts_five(void *arg)
{
    put(arg, 5);
    return NULL;
}

/* The same with the wake-up on its way from another thread. */
KIT_TEST(cancelled_when_woken_from_elsewhere)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_queue *queue = new_queue(0);
    struct async first = { .queue = queue, .name = "a", .count = 1 }, second = { .queue = queue, .name = "b", .count = 1 };
    rondo_task *one = spawn(loop, getter_step, &first), *two = spawn(loop, getter_step, &second);
    kit_pass(loop);
    kit_thread_join(kit_thread_start(puts_five, queue));
    CHECK_OK(rondo_task_cancel(one, NULL, NULL));
    finish_task(loop, two);
    end_task(one);
    kit_expect_log("a:RONDO_E_CANCELLED b:5");
    end_queue(queue);
    kit_loop_end(loop);
}

/* A getter that is cancelled before it is woken takes no wake-up with it. */
KIT_TEST(cancelled_before)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_queue *queue = new_queue(1);
    struct async first = { .queue = queue, .name = "a", .count = 1 }, second = { .queue = queue, .name = "b", .count = 1 };
    rondo_task *one = spawn(loop, getter_step, &first), *two = spawn(loop, getter_step, &second);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(one, NULL, NULL));
    kit_pass(loop);
    put(queue, 5);
    finish_task(loop, two);
    end_task(one);
    kit_expect_log("a:RONDO_E_CANCELLED b:5");
    end_queue(queue);
    kit_loop_end(loop);
}

/* A putter that is cancelled drops its item; the room it was woken for is the next one's. */
KIT_TEST(putter_cancelled_when_woken)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_queue *queue = new_queue(1);
    struct async first = { .queue = queue, .name = "a", .item = 1, .count = 1 };
    struct async second = { .queue = queue, .name = "b", .item = 2, .count = 1 };
    put(queue, 0);
    rondo_task *one = spawn(loop, putter_step, &first), *two = spawn(loop, putter_step, &second);
    kit_pass(loop);
    expect_item(queue, 0);
    CHECK_OK(rondo_task_cancel(one, NULL, NULL));
    finish_task(loop, two);
    end_task(one);
    kit_expect_log("a:RONDO_E_CANCELLED b:put:2");
    CHECK_EQ_INT(kit_drops, 1);
    expect_item(queue, 2);
    end_queue(queue);
    kit_loop_end(loop);
}

/* A task of a loop that does not run keeps nothing from a thread. */
KIT_TEST(a_loop_that_does_not_run)
{
    rondo_loop *loop = kit_loop();
    struct waiter waiter = { .queue = new_queue(0) };
    struct async getter = { .queue = waiter.queue, .name = "g", .count = 1 };
    rondo_task *task = spawn(loop, getter_step, &getter);
    kit_pass(loop);
    pthread_t thread = start_waiting(gets, &waiter);
    put(waiter.queue, 1);
    kit_thread_join(thread);
    CHECK_EQ_INT(waiter.item, 1);
    put(waiter.queue, 2);
    finish_task(loop, task);
    kit_expect_log("g:2");
    end_queue(waiter.queue);
    kit_loop_end(loop);
}

/* A loop is closed with a task in line: the next item is for who is behind it. */
KIT_TEST(a_loop_that_is_closed)
{
    rondo_loop *closed = kit_loop(), *loop = kit_loop();
    rondo_thread_queue *queue = new_queue(0);
    struct async first = { .queue = queue, .name = "a", .count = 1 }, second = { .queue = queue, .name = "b", .count = 1 };
    kit_record_reports(closed);
    rondo_task *one = spawn(closed, getter_step, &first);
    kit_pass(closed);
    rondo_task *two = spawn(loop, getter_step, &second);
    kit_pass(loop);
    CHECK_OK(rondo_loop_close(closed, NULL));
    end_task(one);
    CHECK_OK(rondo_loop_release(closed));
    put(queue, 9);
    finish_task(loop, two);
    CHECK_EQ_INT(kit_reports(), 1);
    kit_expect_log("a:RONDO_E_GENERATOR_EXIT b:9");
    CHECK_EQ_INT(first.drops, 1);
    end_queue(queue);
    kit_loop_end(loop);
}

/* And the one that was woken before the close hands on, too. */
KIT_TEST(a_loop_that_is_closed_when_woken)
{
    rondo_loop *closed = kit_loop(), *loop = kit_loop();
    rondo_thread_queue *queue = new_queue(0);
    struct async first = { .queue = queue, .name = "a", .count = 1 }, second = { .queue = queue, .name = "b", .count = 1 };
    kit_record_reports(closed);
    rondo_task *one = spawn(closed, getter_step, &first);
    kit_pass(closed);
    rondo_task *two = spawn(loop, getter_step, &second);
    kit_pass(loop);
    kit_thread_join(kit_thread_start(puts_five, queue));
    CHECK_OK(rondo_loop_close(closed, NULL));
    end_task(one);
    CHECK_OK(rondo_loop_release(closed));
    finish_task(loop, two);
    kit_expect_log("a:RONDO_E_GENERATOR_EXIT b:5");
    end_queue(queue);
    kit_loop_end(loop);
}

/* Coroutines that never run. */
KIT_TEST(never_started)
{
    rondo_thread_queue *queue = new_queue(0);
    rondo_thread_event *event = NULL;
    rondo_coroutine *coroutines[4] = { NULL };
    kit_catch_log();
    CHECK_OK(rondo_thread_event_new(&event));
    CHECK_OK(rondo_thread_queue_put_async(queue, NULL, kit_drop, &coroutines[0]));
    CHECK_OK(rondo_thread_queue_get_async(queue, &coroutines[1]));
    CHECK_OK(rondo_thread_queue_join_async(queue, &coroutines[2]));
    CHECK_OK(rondo_thread_event_wait_async(event, &coroutines[3]));
    CHECK_OK(rondo_thread_queue_release(queue)); /* the coroutines keep it */
    CHECK_OK(rondo_thread_event_release(event));
    for (int i = 0; i < 4; i++)
        CHECK_OK(rondo_coroutine_release(coroutines[i]));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK(kit_logged_containing("coroutine 'ThreadQueue.get' was never awaited"));
}

/* Driven by hand with no loop there is nothing to await. */
KIT_TEST(driven_by_hand)
{
    rondo_thread_queue *queue = new_queue(0);
    rondo_coroutine *coroutine = NULL;
    rondo_step step = 0;
    void *value = NULL;
    rondo_error *error = NULL;
    put(queue, 3);
    CHECK_OK(rondo_thread_queue_get_async(queue, &coroutine));
    CHECK_OK(rondo_coroutine_send(coroutine, NULL, &step, &value, &error));
    CHECK_EQ_INT(step, RONDO_STEP_RETURN);
    CHECK_EQ_INT((intptr_t)value, 3);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_OK(rondo_thread_queue_get_async(queue, &coroutine));
    CHECK_OK(rondo_coroutine_send(coroutine, NULL, &step, &value, &error));
    CHECK_EQ_INT(step, RONDO_STEP_RAISE);
    CHECK_STATUS(rondo_error_get_status(error), RONDO_E_NO_LOOP);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_coroutine_release(coroutine));
    end_queue(queue);
}

/* ---- a loop's thread does not wait in a call ------------------------------------------------- */

static void waits_in_a_callback(void *arg)
{
    struct waiter *waiter = arg;
    void *item = NULL;
    CHECK_STATUS(rondo_thread_queue_get(waiter->queue, RONDO_NEVER, &item), -EDEADLK);
    CHECK_STATUS(rondo_thread_queue_get(waiter->queue, 0, &item), RONDO_E_TIMEOUT);
    CHECK_STATUS(rondo_thread_event_wait(waiter->event, RONDO_NEVER), -EDEADLK);
    CHECK_OK(rondo_thread_queue_put(waiter->queue, (void *)1, NULL, RONDO_NEVER)); /* needs no waiting */
    CHECK_STATUS(rondo_thread_queue_put(waiter->queue, NULL, kit_drop, RONDO_NEVER), -EDEADLK);
    CHECK_STATUS(rondo_thread_queue_join(waiter->queue, RONDO_NEVER), -EDEADLK);
    CHECK_OK(rondo_thread_queue_get(waiter->queue, RONDO_NEVER, &item));
    CHECK_EQ_INT(kit_drops, 1);
    kit_log("refused");
}

KIT_TEST(in_a_callback)
{
    rondo_loop *loop = kit_loop();
    struct waiter waiter = { .queue = new_queue(1) };
    CHECK_OK(rondo_thread_event_new(&waiter.event));
    CHECK_OK(rondo_loop_call_soon(loop, waits_in_a_callback, &waiter, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("refused");
    end_queue(waiter.queue);
    CHECK_OK(rondo_thread_event_release(waiter.event));
    kit_loop_end(loop);
}

/* ---- events --------------------------------------------------------------------------------- */

static void *waits_for_event(void *arg)
{
    struct waiter *waiter = arg;
    atomic_store(&waiter->tid, kit_tid());
    waiter->status = rondo_thread_event_wait(waiter->event, RONDO_NEVER);
    return NULL;
}

/* Set and cleared at once: who waited has seen it, threads and tasks. */
KIT_TEST(event_wakes_everybody)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_event *event = NULL;
    struct waiter waiters[3] = { { 0 } };
    struct async frames[2] = { { .name = "a" }, { .name = "b" } };
    pthread_t threads[3];
    rondo_task *tasks[2];
    CHECK_OK(rondo_thread_event_new(&event));
    CHECK_STATUS(rondo_thread_event_wait(event, 0), RONDO_E_TIMEOUT);
    CHECK_STATUS(rondo_thread_event_wait(event, 1000), RONDO_E_TIMEOUT);
    CHECK_STATUS(rondo_thread_event_wait(event, -1), -EINVAL);
    for (int i = 0; i < 2; i++) {
        frames[i].event = event;
        tasks[i] = spawn(loop, event_step, &frames[i]);
    }
    kit_pass(loop);
    for (int i = 0; i < 3; i++) {
        waiters[i].event = event;
        threads[i] = start_waiting(waits_for_event, &waiters[i]);
    }
    CHECK_EQ_INT(rondo_thread_event_is_set(event), 0);
    CHECK_OK(rondo_thread_event_set(event));
    CHECK_EQ_INT(rondo_thread_event_is_set(event), 1);
    CHECK_OK(rondo_thread_event_wait(event, RONDO_NEVER));
    CHECK_OK(rondo_thread_event_clear(event));
    for (int i = 0; i < 3; i++) {
        kit_thread_join(threads[i]);
        CHECK_OK(waiters[i].status);
    }
    for (int i = 0; i < 2; i++)
        finish_task(loop, tasks[i]);
    kit_expect_log("a:set b:set");
    CHECK_OK(rondo_thread_event_release(event));
    kit_loop_end(loop);
}

static void *sets_event(void *arg)
{
    CHECK_OK(rondo_thread_event_set(arg));
    return NULL;
}

KIT_TEST(event_set_by_a_thread)
{
    rondo_loop *loop = kit_loop();
    struct async frame = { .name = "a" }, again = { .name = "b" };
    CHECK_OK(rondo_thread_event_new(&frame.event));
    again.event = frame.event;
    rondo_task *task = spawn(loop, event_step, &frame);
    kit_pass(loop);
    pthread_t thread = kit_thread_start(sets_event, frame.event);
    finish_task(loop, task);
    kit_thread_join(thread);
    finish_task(loop, spawn(loop, event_step, &again)); /* it is set */
    kit_expect_log("a:set b:set");
    CHECK_OK(rondo_thread_event_release(frame.event));
    kit_loop_end(loop);
}

RONDO_STEP(loop_event_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_event_wait(self->value, &self->child));
    RONDO_AWAIT_MOVED(self, self->child);
    kit_log("%s:set", self->name);
    RONDO_END(self);
}

static void *sets_loop_event(void *arg)
{
    CHECK_OK(rondo_event_set_threadsafe(arg));
    CHECK_OK(rondo_event_set_threadsafe(arg)); /* it is set already */
    return NULL;
}

/* rondo_event_set_threadsafe(): a loop's own event, from another thread. */
KIT_TEST(loop_event_set_by_a_thread)
{
    rondo_loop *loop = kit_loop();
    rondo_event *event = NULL;
    CHECK_OK(rondo_event_new(loop, &event));
    struct frame frame = { .name = "a", .value = event };
    rondo_task *task = task_of(loop, loop_event_step, &frame);
    kit_pass(loop);
    pthread_t thread = kit_thread_start(sets_loop_event, event);
    run_until_done(loop, task);
    kit_thread_join(thread);
    end_task(task);
    kit_expect_log("a:set");
    kit_pass(loop);
    CHECK_EQ_INT(rondo_event_is_set(event), 1);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_event_set_threadsafe(event), RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_event_release(event));
    CHECK_OK(rondo_loop_release(loop));
}

/* ---- after fork ----------------------------------------------------------------------------- */

static atomic_int forking;

static void *puts_and_gets(void *arg)
{
    void *item;
    while (atomic_load(&forking)) {
        put(arg, 1);
        rondo_thread_queue_get_nowait(arg, &item);
    }
    return NULL;
}

/* A child never inherits a lock that nobody lets go of, and the queue goes on in both. */
KIT_TEST(fork_while_threads_use_it)
{
    rondo_thread_queue *queue = new_queue(0);
    pthread_t threads[2];
    atomic_store(&forking, 1);
    for (int i = 0; i < 2; i++)
        threads[i] = kit_thread_start(puts_and_gets, queue);
    for (int i = 0; i < kit_rounds(50); i++) {
        int pid = kit_fork();
        if (pid == 0) {
            void *item = NULL;
            while (rondo_thread_queue_get_nowait(queue, &item) == RONDO_OK)
                continue;
            put(queue, 3);
            expect_item(queue, 3);
            _exit(0);
        }
        CHECK_EQ_INT(kit_wait_child(pid), 0);
    }
    atomic_store(&forking, 0);
    for (int i = 0; i < 2; i++)
        kit_thread_join(threads[i]);
    end_queue(queue);
}

/* ---- many ----------------------------------------------------------------------------------- */

#define PRODUCERS 4
#define CONSUMERS 4

struct stress {
    rondo_thread_queue *queue;
    int producers, per_producer;
    atomic_int next_producer;
    atomic_long got, sum;
    atomic_int out_of_order;
};

/* Item: producer << 32 | number. Each consumer sees each producer's numbers rise. */
static void take_note(struct stress *stress, intptr_t *last, intptr_t item)
{
    int producer = (int)(item >> 32);
    intptr_t number = item & 0xffffffff;
    if (number <= last[producer])
        atomic_fetch_add(&stress->out_of_order, 1);
    last[producer] = number;
    atomic_fetch_add(&stress->sum, number);
    atomic_fetch_add(&stress->got, 1);
}

static void *stress_producer(void *arg)
{
    struct stress *stress = arg;
    intptr_t producer = atomic_fetch_add(&stress->next_producer, 1);
    for (intptr_t i = 1; i <= stress->per_producer; i++) {
        void *item = (void *)(producer << 32 | i);
        if (i % 3 == 0 && rondo_thread_queue_put_nowait(stress->queue, item, NULL) == RONDO_OK)
            continue;
        CHECK_OK(rondo_thread_queue_put(stress->queue, item, NULL, RONDO_NEVER));
    }
    return NULL;
}

static void *stress_consumer(void *arg)
{
    struct stress *stress = arg;
    intptr_t last[2 * PRODUCERS] = { 0 };
    for (;;) {
        void *item = NULL;
        rondo_status status = rondo_thread_queue_get(stress->queue, 50000, &item);
        if (status == RONDO_E_QUEUE_SHUT_DOWN)
            return NULL;
        if (status == RONDO_E_TIMEOUT)
            continue;
        CHECK_OK(status);
        take_note(stress, last, (intptr_t)item);
        CHECK_OK(rondo_thread_queue_task_done(stress->queue));
    }
}

struct stress_task {
    RONDO_FRAME;
    struct stress *stress;
    rondo_coroutine *co;
    intptr_t last[2 * PRODUCERS];
    intptr_t producer, i;
};

RONDO_STEP(stress_getter)
{
    struct stress_task *self = frame;
    RONDO_BEGIN(self);
    for (;;) {
        CHECK_OK(rondo_thread_queue_get_async(self->stress->queue, &self->co));
        RONDO_TRY_AWAIT_MOVED(self, self->co);
        if (thrown != NULL) {
            CHECK_STATUS(rondo_error_get_status(thrown), RONDO_E_QUEUE_SHUT_DOWN);
            return RONDO_STEP_RETURN;
        }
        take_note(self->stress, self->last, (intptr_t)sent);
        CHECK_OK(rondo_thread_queue_task_done(self->stress->queue));
    }
    RONDO_END(self);
}

RONDO_STEP(stress_putter)
{
    struct stress_task *self = frame;
    RONDO_BEGIN(self);
    for (self->i = 1; self->i <= self->stress->per_producer; self->i++) {
        CHECK_OK(rondo_thread_queue_put_async(self->stress->queue, (void *)(self->producer << 32 | self->i), NULL,
                                              &self->co));
        RONDO_AWAIT_MOVED(self, self->co);
    }
    RONDO_END(self);
}

/* A loop with two tasks that put and two that get. */
static void *stress_loop(void *arg)
{
    struct stress *stress = arg;
    rondo_loop *loop = kit_loop();
    struct stress_task tasks[4] = { { .stress = stress } };
    rondo_task *handles[4];
    for (int i = 0; i < 4; i++) {
        tasks[i].stress = stress;
        if (i < 2)
            tasks[i].producer = atomic_fetch_add(&stress->next_producer, 1);
        CHECK_OK(rondo_loop_spawn(loop, i < 2 ? stress_putter : stress_getter, &tasks[i], NULL, NULL, &handles[i]));
    }
    for (int i = 0; i < 4; i++) {
        run_until_done(loop, handles[i]);
        expect_result(as_future(handles[i]), NULL);
        end_task(handles[i]);
    }
    kit_loop_end(loop);
    return NULL;
}

static void run_stress(int64_t maxsize, int producers, int consumers, int loops, int per_producer)
{
    struct stress stress = { .queue = new_queue(maxsize), .per_producer = kit_rounds(per_producer) };
    pthread_t threads[PRODUCERS + CONSUMERS + 2];
    int count = 0, streams = producers + 2 * loops;
    for (int i = 0; i < loops; i++)
        threads[count++] = kit_thread_start(stress_loop, &stress);
    for (int i = 0; i < consumers; i++)
        threads[count++] = kit_thread_start(stress_consumer, &stress);
    for (int i = 0; i < producers; i++)
        threads[count++] = kit_thread_start(stress_producer, &stress);
    long expected = (long)streams * stress.per_producer;
    while (atomic_load(&stress.got) < expected) /* the join below may come before the first put */
        CHECK_OK(rondo_thread_queue_join(stress.queue, RONDO_NEVER));
    CHECK_OK(rondo_thread_queue_join(stress.queue, RONDO_NEVER));
    CHECK_OK(rondo_thread_queue_shutdown(stress.queue, 0));
    for (int i = 0; i < count; i++)
        kit_thread_join(threads[i]);
    CHECK_EQ_INT(atomic_load(&stress.got), expected);
    CHECK_EQ_INT(atomic_load(&stress.sum), (long)streams * stress.per_producer * (stress.per_producer + 1L) / 2);
    CHECK_EQ_INT(atomic_load(&stress.out_of_order), 0);
    CHECK_EQ_INT(qsize(stress.queue), 0);
    end_queue(stress.queue);
}

/* Eight threads; nothing lost, nothing twice, each producer's items in their order. */
KIT_TEST_WITHIN(stress_eight_threads, 60)
{
    run_stress(8, PRODUCERS, CONSUMERS, 0, 50000);
}

KIT_TEST_WITHIN(stress_eight_threads_unbounded, 60)
{
    run_stress(0, PRODUCERS, CONSUMERS, 0, 50000);
}

/* Threads and two loops on one small queue. */
KIT_TEST_WITHIN(stress_threads_and_loops, 60)
{
    run_stress(3, 3, 3, 2, 10000);
}

KIT_TEST_WITHIN(stress_loops_alone, 60)
{
    run_stress(1, 0, 0, 2, 10000);
}

/* ---- cancelled at any time ------------------------------------------------------------------ */

static void *puts_many(void *arg)
{
    struct stress *stress = arg;
    for (intptr_t i = 1; i <= stress->per_producer; i++)
        CHECK_OK(rondo_thread_queue_put(stress->queue, (void *)i, NULL, RONDO_NEVER));
    return NULL;
}

struct victim {
    RONDO_FRAME;
    struct stress *stress;
    rondo_coroutine *co;
};

RONDO_STEP(victim_step)
{
    struct victim *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_thread_queue_get_async(self->stress->queue, &self->co));
    RONDO_AWAIT_MOVED(self, self->co);
    atomic_fetch_add(&self->stress->got, 1);
    atomic_fetch_add(&self->stress->sum, (intptr_t)sent);
    RONDO_END(self);
}

/* Getters are cancelled as often as not while a thread puts: every item is got once all the same. */
KIT_TEST_WITHIN(cancelled_at_any_time, 60)
{
    rondo_loop *loop = kit_loop();
    struct stress stress = { .queue = new_queue(2), .per_producer = kit_rounds(5000) };
    uint32_t random = 12345;
    pthread_t thread = kit_thread_start(puts_many, &stress);
    while (atomic_load(&stress.got) < stress.per_producer) {
        struct victim victims[4] = { { .stress = &stress } };
        rondo_task *tasks[4];
        for (int i = 0; i < 4; i++) {
            victims[i].stress = &stress;
            CHECK_OK(rondo_loop_spawn(loop, victim_step, &victims[i], NULL, NULL, &tasks[i]));
        }
        for (int pass = 0; pass < 3; pass++)
            kit_pass(loop);
        for (int i = 0; i < 4; i++) {
            random = random * 1664525 + 1013904223;
            /* The last of all may have nothing left to get. */
            if (random >> 31 || atomic_load(&stress.got) + 4 > stress.per_producer)
                rondo_task_cancel(tasks[i], NULL, NULL);
        }
        for (int i = 0; i < 4; i++) {
            if (!rondo_future_is_done(as_future(tasks[i])) && atomic_load(&stress.got) + 4 > stress.per_producer)
                rondo_task_cancel(tasks[i], NULL, NULL);
            run_until_done(loop, tasks[i]);
            end_task(tasks[i]);
        }
    }
    kit_thread_join(thread);
    CHECK_EQ_INT(atomic_load(&stress.got), stress.per_producer);
    CHECK_EQ_INT(atomic_load(&stress.sum), stress.per_producer * (stress.per_producer + 1L) / 2);
    end_queue(stress.queue);
    kit_loop_end(loop);
}
