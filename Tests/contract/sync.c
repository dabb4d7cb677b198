/*
 * sync.c - locks, events, conditions, semaphores and barriers: S-02 to S-28, cancellation and who
 * is woken instead, closing by hand and with the loop, misuse.
 */
#include "coro.h"

#include <errno.h>
#include <stdlib.h>

/* ---- what the tests share -------------------------------------------------------------------- */

/* Awaits child; logs name:ok, name:cancelled or name:STATUS; passes on what came. */
RONDO_STEP(actor_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->child);
    if (thrown == NULL) {
        kit_log("%s:ok", self->name);
        return rondo_coroutine_return(co, sent, NULL);
    }
    if (rondo_error_get_status(thrown) == RONDO_E_CANCELLED)
        kit_log("%s:cancelled", self->name);
    else
        kit_log("%s:%s", self->name, rondo_status_name(rondo_error_get_status(thrown)) + 8);
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

static rondo_task *actor(rondo_loop *loop, struct frame *frame, const char *name,
                         rondo_coroutine *child)
{
    frame->name = name;
    frame->child = child;
    return task_of(loop, actor_step, frame);
}

static void cancel(rondo_task *task, const char *message)
{
    CHECK_OK(rondo_task_cancel(task, message, NULL));
}

static void end_tasks(rondo_task **tasks, int count)
{
    for (int i = 0; i < count; i++)
        end_task(tasks[i]);
}

static void passes(rondo_loop *loop, int count)
{
    while (count-- > 0)
        kit_pass(loop);
}

/* A coroutine that need not wait, driven to its end by hand: its value. */
static void *at_once(rondo_coroutine *coroutine)
{
    rondo_step step = -1;
    void *value = NULL;
    rondo_error *error = NULL;
    CHECK_OK(rondo_coroutine_send(coroutine, NULL, &step, &value, &error));
    CHECK_EQ_INT(step, RONDO_STEP_RETURN);
    CHECK_OK(rondo_coroutine_release(coroutine));
    return value;
}

/* The same for one that raises at once. */
static void raises_at_once(rondo_coroutine *coroutine, rondo_status status, const char *message)
{
    rondo_step step = -1;
    rondo_error *error = NULL;
    CHECK_OK(rondo_coroutine_send(coroutine, NULL, &step, NULL, &error));
    CHECK_EQ_INT(step, RONDO_STEP_RAISE);
    CHECK_STATUS(rondo_error_get_status(error), status);
    if (message != NULL)
        CHECK_EQ_STR(rondo_error_get_message(error), message);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_coroutine_release(coroutine));
}

#define MAKE(call, type, ...)                                                                     \
    ({                                                                                            \
        type made_ = NULL;                                                                        \
        CHECK_OK(call(__VA_ARGS__, &made_));                                                      \
        made_;                                                                                    \
    })
#define LOCK(loop) MAKE(rondo_lock_new, rondo_lock *, loop)
#define ACQUIRE(lock) MAKE(rondo_lock_acquire, rondo_coroutine *, lock)
#define EVENT(loop) MAKE(rondo_event_new, rondo_event *, loop)
#define EVENT_WAIT(event) MAKE(rondo_event_wait, rondo_coroutine *, event)
#define CONDITION(loop, lock) MAKE(rondo_condition_new, rondo_condition *, loop, lock)
#define CONDITION_ACQUIRE(condition) MAKE(rondo_condition_acquire, rondo_coroutine *, condition)
#define CONDITION_WAIT(condition) MAKE(rondo_condition_wait, rondo_coroutine *, condition)
#define SEMAPHORE(loop, value, flags) MAKE(rondo_semaphore_new, rondo_semaphore *, loop, value, flags)
#define TAKE(semaphore) MAKE(rondo_semaphore_acquire, rondo_coroutine *, semaphore)
#define BARRIER(loop, parties) MAKE(rondo_barrier_new, rondo_barrier *, loop, parties)
#define BARRIER_WAIT(barrier) MAKE(rondo_barrier_wait, rondo_coroutine *, barrier)

/* ---- Lock ------------------------------------------------------------------------------------ */

/* S-02 */
KIT_TEST(S02_unlock_unlocked)
{
    rondo_loop *loop = kit_loop();
    rondo_lock *lock = LOCK(loop);
    CHECK_EQ_INT(rondo_lock_is_locked(lock), 0);
    CHECK_STATUS(rondo_lock_unlock(lock), RONDO_E_RUNTIME);
    CHECK_EQ_PTR(at_once(ACQUIRE(lock)), NULL);
    CHECK_EQ_INT(rondo_lock_is_locked(lock), 1);
    CHECK_OK(rondo_lock_unlock(lock));
    CHECK_EQ_INT(rondo_lock_is_locked(lock), 0);
    CHECK_STATUS(rondo_lock_unlock(lock), RONDO_E_RUNTIME);
    CHECK_OK(rondo_lock_release(lock));
    kit_loop_end(loop);
}

RONDO_STEP(four_locks_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    for (self->i = 0; self->i < 4; self->i++) {
        RONDO_AWAIT(self, ACQUIRE(self->value));
        CHECK_EQ_PTR(sent, NULL);
        CHECK_OK(rondo_lock_unlock(self->value));
    }
    kit_log("done");
    RONDO_END(self);
}

/* What is free is taken without giving anybody else a turn. */
KIT_TEST(lock_that_is_free_does_not_yield)
{
    rondo_loop *loop = kit_loop();
    rondo_lock *lock = LOCK(loop);
    struct frame frame = { .value = lock };
    rondo_task *task = task_of(loop, four_locks_step, &frame);
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "callback", NULL, NULL));
    kit_pass(loop);
    kit_expect_log("done callback");
    end_task(task);
    CHECK_OK(rondo_lock_release(lock));
    kit_loop_end(loop);
}

/* Four who wait for a lock that is taken. */
struct locked {
    rondo_loop *loop;
    rondo_lock *lock;
    struct frame frames[4];
    rondo_task *tasks[4];
};

static const char *const letters[] = { "a", "b", "c", "d" };

static struct locked *locked_by_nobody(void)
{
    static struct locked self;
    self = (struct locked){ .loop = kit_loop() };
    self.lock = LOCK(self.loop);
    at_once(ACQUIRE(self.lock));
    for (int i = 0; i < 4; i++)
        self.tasks[i] = actor(self.loop, &self.frames[i], letters[i], ACQUIRE(self.lock));
    kit_pass(self.loop);
    kit_expect_log("");
    return &self;
}

static void end_locked(struct locked *self)
{
    for (int i = 0; i < 4; i++)
        if (!rondo_future_is_done(as_future(self->tasks[i])))
            cancel(self->tasks[i], NULL);
    kit_pass(self->loop);
    end_tasks(self->tasks, 4);
    CHECK_OK(rondo_lock_release(self->lock));
    kit_loop_end(self->loop);
}

KIT_TEST(lock_goes_round_in_order)
{
    struct locked *self = locked_by_nobody();
    for (int i = 0; i < 4; i++) {
        CHECK_OK(rondo_lock_unlock(self->lock));
        CHECK_EQ_INT(rondo_lock_is_locked(self->lock), 0);
        kit_pass(self->loop);
        CHECK_EQ_INT(rondo_lock_is_locked(self->lock), 1);
    }
    kit_expect_log("a:ok b:ok c:ok d:ok");
    end_locked(self);
}

/* S-03: cancelled and unlocked in the same tick: the next one gets it. */
KIT_TEST(S03_cancelled_head_is_skipped)
{
    struct locked *self = locked_by_nobody();
    cancel(self->tasks[0], NULL);
    CHECK_OK(rondo_lock_unlock(self->lock));
    kit_pass(self->loop);
    kit_expect_log("a:cancelled");
    kit_pass(self->loop);
    kit_expect_log("b:ok");
    CHECK_EQ_INT(rondo_lock_is_locked(self->lock), 1);
    kit_pass(self->loop);
    kit_expect_log("");
    end_locked(self);
}

/* S-04: exactly one is served. */
KIT_TEST(S04_cancel_and_unlock_race)
{
    struct locked *self = locked_by_nobody();
    CHECK_OK(rondo_lock_unlock(self->lock));
    cancel(self->tasks[0], NULL);
    passes(self->loop, 5);
    kit_expect_log("a:cancelled b:ok");
    end_locked(self);
}

/* S-05: woken, then cancelled before it runs; two in a row. */
KIT_TEST(S05_wakeup_is_handed_on)
{
    struct locked *self = locked_by_nobody();
    CHECK_OK(rondo_lock_unlock(self->lock));
    cancel(self->tasks[0], "first");
    kit_pass(self->loop);
    kit_expect_log("a:cancelled");
    cancel(self->tasks[1], "second");
    passes(self->loop, 2);
    kit_expect_log("b:cancelled c:ok");
    expect_cancelled(as_future(self->tasks[0]), "first");
    expect_cancelled(as_future(self->tasks[1]), "second");
    end_locked(self);
}

/* All cancelled: the lock stays free, and can be taken even before they have left. */
KIT_TEST(lock_whose_waiters_are_all_cancelled)
{
    struct locked *self = locked_by_nobody();
    for (int i = 0; i < 4; i++)
        cancel(self->tasks[i], NULL);
    CHECK_OK(rondo_lock_unlock(self->lock));
    at_once(ACQUIRE(self->lock));
    CHECK_EQ_INT(rondo_lock_is_locked(self->lock), 1);
    kit_pass(self->loop);
    kit_expect_log("a:cancelled b:cancelled c:cancelled d:cancelled");
    CHECK_OK(rondo_lock_unlock(self->lock));
    kit_pass(self->loop);
    kit_expect_log("");
    end_locked(self);
}

/* Free but on its way to who waits: whoever asks now queues up. */
KIT_TEST(nobody_pushes_in)
{
    struct locked *self = locked_by_nobody();
    struct frame late = { 0 };
    CHECK_OK(rondo_lock_unlock(self->lock));
    rondo_task *task = actor(self->loop, &late, "late", ACQUIRE(self->lock));
    for (int i = 0; i < 4; i++) {
        kit_pass(self->loop);
        CHECK_OK(rondo_lock_unlock(self->lock));
    }
    kit_pass(self->loop);
    kit_expect_log("a:ok b:ok c:ok d:ok late:ok");
    end_task(task);
    end_locked(self);
}

/* ---- Event ----------------------------------------------------------------------------------- */

/* S-08 */
KIT_TEST(S08_set_wakes_all_in_order)
{
    rondo_loop *loop = kit_loop();
    rondo_event *event = EVENT(loop);
    struct frame frames[3] = { 0 };
    rondo_task *tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = actor(loop, &frames[i], letters[i], EVENT_WAIT(event));
    passes(loop, 2);
    kit_expect_log("");
    CHECK_EQ_INT(rondo_event_is_set(event), 0);
    CHECK_OK(rondo_event_set(event));
    CHECK_OK(rondo_event_set(event));
    CHECK_EQ_INT(rondo_event_is_set(event), 1);
    CHECK_EQ_PTR(at_once(EVENT_WAIT(event)), NULL);
    kit_pass(loop);
    kit_expect_log("a:ok b:ok c:ok");
    end_tasks(tasks, 3);
    CHECK_OK(rondo_event_release(event));
    kit_loop_end(loop);
}

KIT_TEST(event_cleared_at_once)
{
    rondo_loop *loop = kit_loop();
    rondo_event *event = EVENT(loop);
    struct frame frames[3] = { 0 };
    rondo_task *tasks[3];
    for (int i = 0; i < 2; i++)
        tasks[i] = actor(loop, &frames[i], letters[i], EVENT_WAIT(event));
    kit_pass(loop);
    cancel(tasks[0], NULL);
    CHECK_OK(rondo_event_set(event));
    CHECK_OK(rondo_event_clear(event));
    tasks[2] = actor(loop, &frames[2], "late", EVENT_WAIT(event));
    passes(loop, 2);
    kit_expect_log("a:cancelled b:ok");
    CHECK_OK(rondo_event_set(event));
    kit_pass(loop);
    kit_expect_log("late:ok");
    end_tasks(tasks, 3);
    CHECK_OK(rondo_event_release(event));
    kit_loop_end(loop);
}

/* ---- Condition ------------------------------------------------------------------------------- */

/* Takes the lock, waits, keeps the lock for n passes, lets go of it. value is the condition. */
RONDO_STEP(waiter_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_AWAIT(self, CONDITION_ACQUIRE(self->value));
    self->started++;
    RONDO_TRY_AWAIT(self, CONDITION_WAIT(self->value));
    CHECK_EQ_INT(rondo_condition_is_locked(self->value), 1);
    if (thrown != NULL) {
        kit_log("%s:%s", self->name, rondo_error_get_message(thrown));
        CHECK_OK(rondo_condition_unlock(self->value));
        return rondo_coroutine_raise(co, thrown);
    }
    kit_log("%s:woken", self->name);
    for (self->i = 0; self->i < self->n; self->i++)
        RONDO_YIELD(self);
    CHECK_OK(rondo_condition_unlock(self->value));
    RONDO_END(self);
}

struct waiting {
    rondo_loop *loop;
    rondo_condition *condition;
    struct frame frames[4];
    rondo_task *tasks[4];
};

/* Four tasks wait for a notification. */
static struct waiting *waiting(void)
{
    static struct waiting self;
    self = (struct waiting){ .loop = kit_loop() };
    self.condition = CONDITION(self.loop, NULL);
    for (int i = 0; i < 4; i++) {
        self.frames[i] = (struct frame){ .name = letters[i], .value = self.condition };
        self.tasks[i] = task_of(self.loop, waiter_step, &self.frames[i]);
    }
    kit_pass(self.loop);
    for (int i = 0; i < 4; i++)
        CHECK_EQ_INT(self.frames[i].started, 1);
    CHECK_EQ_INT(rondo_condition_is_locked(self.condition), 0);
    return &self;
}

static void end_waiting(struct waiting *self)
{
    for (int i = 0; i < 4; i++)
        if (!rondo_future_is_done(as_future(self->tasks[i])))
            cancel(self->tasks[i], NULL);
    passes(self->loop, 8);
    end_tasks(self->tasks, 4);
    CHECK_EQ_INT(rondo_condition_is_locked(self->condition), 0);
    CHECK_OK(rondo_condition_release(self->condition));
    kit_loop_end(self->loop);
}

static void notify(struct waiting *self, size_t count)
{
    at_once(CONDITION_ACQUIRE(self->condition));
    CHECK_OK(rondo_condition_notify(self->condition, count));
    CHECK_OK(rondo_condition_unlock(self->condition));
}

/* S-09 */
KIT_TEST(S09_without_the_lock)
{
    rondo_loop *loop = kit_loop();
    rondo_condition *condition = CONDITION(loop, NULL);
    raises_at_once(CONDITION_WAIT(condition), RONDO_E_RUNTIME, "cannot wait on un-acquired lock");
    CHECK_STATUS(rondo_condition_notify(condition, 1), RONDO_E_RUNTIME);
    CHECK_STATUS(rondo_condition_notify_all(condition), RONDO_E_RUNTIME);
    CHECK_STATUS(rondo_condition_unlock(condition), RONDO_E_RUNTIME);
    CHECK_OK(rondo_condition_release(condition));
    kit_loop_end(loop);
}

KIT_TEST(notify_some_then_all)
{
    struct waiting *self = waiting();
    notify(self, 0);
    passes(self->loop, 2);
    kit_expect_log("");
    notify(self, 1);
    passes(self->loop, 2);
    kit_expect_log("a:woken");
    notify(self, 2);
    passes(self->loop, 4);
    kit_expect_log("b:woken c:woken");
    at_once(CONDITION_ACQUIRE(self->condition));
    CHECK_OK(rondo_condition_notify_all(self->condition));
    passes(self->loop, 2);
    kit_expect_log(""); /* the lock is not let go of */
    CHECK_OK(rondo_condition_unlock(self->condition));
    passes(self->loop, 2);
    kit_expect_log("d:woken");
    end_waiting(self);
}

/* The notified ones get the lock one after the other. */
KIT_TEST(woken_ones_take_turns)
{
    struct waiting *self = waiting();
    for (int i = 0; i < 4; i++)
        self->frames[i].n = 2;
    notify(self, 100);
    kit_pass(self->loop);
    kit_expect_log("a:woken");
    passes(self->loop, 2);
    kit_expect_log("");
    kit_pass(self->loop);
    kit_expect_log("b:woken");
    passes(self->loop, 8);
    kit_expect_log("c:woken d:woken");
    end_waiting(self);
}

/* S-12: cancelled while it waits for the lock again: it takes it, then raises the latest one. */
KIT_TEST(S12_cancelled_while_relocking)
{
    struct waiting *self = waiting();
    notify(self, 1);
    at_once(CONDITION_ACQUIRE(self->condition)); /* before it runs */
    kit_pass(self->loop);
    cancel(self->tasks[0], "first");
    kit_pass(self->loop);
    kit_expect_log("");
    cancel(self->tasks[0], "second");
    passes(self->loop, 2);
    cancel(self->tasks[0], "third");
    passes(self->loop, 2);
    kit_expect_log("");
    CHECK_OK(rondo_condition_unlock(self->condition));
    kit_pass(self->loop);
    kit_expect_log("a:third");
    expect_cancelled(as_future(self->tasks[0]), "third");
    kit_pass(self->loop);
    kit_expect_log("b:woken"); /* the notification went on */
    end_waiting(self);
}

/* S-12: the very error that cancelled it is the one that comes out. */
KIT_TEST(S12_original_cancellation)
{
    struct waiting *self = waiting();
    rondo_error *reason = kit_error(7, "why"), *cancelled = NULL;
    at_once(CONDITION_ACQUIRE(self->condition));
    CHECK_OK(rondo_task_cancel(self->tasks[2], "stop", reason));
    passes(self->loop, 3);
    kit_expect_log("");
    CHECK_OK(rondo_condition_unlock(self->condition));
    passes(self->loop, 1);
    kit_expect_log("c:stop");
    CHECK_OK(rondo_future_get_cancelled_error(as_future(self->tasks[2]), &cancelled));
    CHECK_EQ_PTR(rondo_error_get_cause(cancelled), reason);
    CHECK_OK(rondo_error_release(cancelled));
    CHECK_OK(rondo_error_release(reason));
    passes(self->loop, 3);
    kit_expect_log("a:woken"); /* for nothing, which is allowed */
    end_waiting(self);
}

/* S-13: cancelled in the tick in which it is notified: another one is told. */
KIT_TEST(S13_notification_is_handed_on)
{
    struct waiting *self = waiting();
    notify(self, 1);
    cancel(self->tasks[0], "gone");
    passes(self->loop, 1);
    kit_expect_log("a:gone");
    passes(self->loop, 2);
    kit_expect_log("b:woken");
    cancel(self->tasks[2], "gone"); /* the other way round */
    notify(self, 1);
    passes(self->loop, 3);
    kit_expect_log("c:gone d:woken");
    end_waiting(self);
}

/* Take every future that there is memory for. */
static int take_futures(rondo_loop *loop, rondo_future **futures, int count)
{
    while (rondo_future_new(loop, &futures[count]) == RONDO_OK)
        CHECK(++count < 20000);
    return count;
}

/* No memory to wait for the lock with: the coroutine tries again in each pass, and gets it. */
KIT_TEST(relocking_without_memory)
{
    static rondo_future *futures[20000];
    if (!kit_alloc_works()) {
        kit_skip("a sanitizer has the allocator");
        return;
    }
    struct waiting *self = waiting();
    notify(self, 1);
    at_once(CONDITION_ACQUIRE(self->condition));
    kit_alloc_fail(1, true);
    int count = 0;
    for (int i = 0; i < 5; i++) {
        count = take_futures(self->loop, futures, count);
        if (i == 2)
            (void)rondo_task_cancel(self->tasks[0], NULL, NULL);
        kit_pass(self->loop);
    }
    kit_expect_log("");
    CHECK(kit_alloc_failed() > 5);
    CHECK_OK(rondo_condition_unlock(self->condition));
    kit_pass(self->loop);
    kit_alloc_end();
    kit_expect_log("a:cancelled");
    passes(self->loop, 2);
    kit_expect_log("b:woken");
    while (count > 0)
        end_future(futures[--count]);
    end_waiting(self);
}

static int32_t counts_down(void *arg)
{
    int *left = arg;
    kit_log("asked");
    return *left > 0 ? 0 : 42;
}

static rondo_coroutine *wait_until_zero(rondo_condition *condition, int *left)
{
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_condition_wait_for(condition, counts_down, left, kit_drop, &coroutine));
    return coroutine;
}

RONDO_STEP(wait_for_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_AWAIT(self, CONDITION_ACQUIRE(self->value));
    RONDO_AWAIT(self, wait_until_zero(self->value, &self->n));
    CHECK_EQ_INT((intptr_t)sent, 42);
    kit_log("%s:woken", self->name);
    CHECK_OK(rondo_condition_unlock(self->value));
    RONDO_END(self);
}

/* S-14 */
KIT_TEST(S14_wait_for)
{
    rondo_loop *loop = kit_loop();
    rondo_condition *condition = CONDITION(loop, NULL);
    int zero = 0, one = 1;
    CHECK_EQ_INT((intptr_t)at_once(wait_until_zero(condition, &zero)), 42); /* without the lock */
    kit_expect_log("asked");
    CHECK_EQ_INT(kit_drops, 1);
    raises_at_once(wait_until_zero(condition, &one), RONDO_E_RUNTIME, "cannot wait on un-acquired lock");
    kit_expect_log("asked");
    CHECK_EQ_INT(kit_drops, 2);

    struct waiting self = { .loop = loop, .condition = condition };
    struct frame frame = { .name = "a", .value = condition, .n = 2 };
    rondo_task *task = task_of(loop, wait_for_step, &frame);
    kit_pass(loop);
    for (; frame.n > 0; frame.n--) {
        notify(&self, 1);
        passes(loop, 2);
    }
    kit_expect_log("asked asked asked");
    notify(&self, 1);
    passes(loop, 2);
    kit_expect_log("asked a:woken");
    end_task(task);
    CHECK_EQ_INT(kit_drops, 3);
    CHECK_OK(rondo_condition_release(condition));
    kit_loop_end(loop);
}

KIT_TEST(conditions_share_a_lock)
{
    rondo_loop *loop = kit_loop(), *other = kit_loop();
    rondo_lock *lock = LOCK(loop);
    rondo_condition *first = CONDITION(loop, lock), *second = CONDITION(loop, lock), *none = NULL;
    CHECK_STATUS(rondo_condition_new(other, lock, &none), RONDO_E_WRONG_LOOP);
    CHECK_STATUS(rondo_condition_new(loop, (rondo_lock *)first, &none), RONDO_E_BAD_HANDLE);
    CHECK_EQ_PTR(none, NULL);
    at_once(CONDITION_ACQUIRE(first));
    CHECK_EQ_INT(rondo_lock_is_locked(lock), 1);
    CHECK_EQ_INT(rondo_condition_is_locked(second), 1);
    CHECK_OK(rondo_condition_notify_all(second));
    CHECK_OK(rondo_lock_release(lock)); /* the conditions keep it */
    CHECK_STATUS(rondo_lock_release(lock), RONDO_E_STALE_HANDLE);
    CHECK_OK(rondo_condition_unlock(second));
    CHECK_EQ_INT(rondo_lock_is_locked(lock), 0);
    CHECK_OK(rondo_condition_release(first));
    CHECK_OK(rondo_condition_release(second));
    CHECK_STATUS(rondo_lock_unlock(lock), RONDO_E_STALE_HANDLE);
    kit_loop_end(other);
    kit_loop_end(loop);
}

/* ---- Semaphore ------------------------------------------------------------------------------- */

static int64_t units(rondo_semaphore *semaphore)
{
    int64_t value = -1;
    CHECK_OK(rondo_semaphore_get_value(semaphore, &value));
    return value;
}

/* S-21 */
KIT_TEST(S21_values)
{
    rondo_loop *loop = kit_loop();
    rondo_semaphore *none = NULL;
    CHECK_STATUS(rondo_semaphore_new(loop, -1, 0, &none), -EINVAL);
    CHECK_STATUS(rondo_semaphore_new(loop, 1, 2, &none), -EINVAL);
    CHECK_EQ_PTR(none, NULL);
    rondo_semaphore *zero = SEMAPHORE(loop, 0, 0), *two = SEMAPHORE(loop, 2, RONDO_SEMAPHORE_BOUNDED);
    CHECK_EQ_INT(rondo_semaphore_is_locked(zero), 1);
    CHECK_OK(rondo_semaphore_post(zero));
    CHECK_EQ_INT(rondo_semaphore_is_locked(zero), 0);
    CHECK_STATUS(rondo_semaphore_post(two), -EOVERFLOW);
    CHECK_EQ_INT(units(two), 2);
    CHECK_EQ_PTR(at_once(TAKE(two)), NULL);
    CHECK_EQ_INT(units(two), 1);
    CHECK_OK(rondo_semaphore_post(two));
    CHECK_STATUS(rondo_semaphore_post(two), -EOVERFLOW);
    CHECK_OK(rondo_semaphore_release(zero));
    CHECK_OK(rondo_semaphore_release(two));
    rondo_semaphore *most = SEMAPHORE(loop, INT64_MAX, 0);
    CHECK_STATUS(rondo_semaphore_post(most), -EOVERFLOW);
    CHECK_OK(rondo_semaphore_release(most));
    kit_loop_end(loop);
}

struct taking {
    rondo_loop *loop;
    rondo_semaphore *semaphore;
    struct frame frames[4];
    rondo_task *tasks[4];
};

static struct taking *taking(void)
{
    static struct taking self;
    self = (struct taking){ .loop = kit_loop() };
    self.semaphore = SEMAPHORE(self.loop, 0, 0);
    for (int i = 0; i < 4; i++)
        self.tasks[i] = actor(self.loop, &self.frames[i], letters[i], TAKE(self.semaphore));
    kit_pass(self.loop);
    kit_expect_log("");
    return &self;
}

static void end_taking(struct taking *self)
{
    for (int i = 0; i < 4; i++)
        if (!rondo_future_is_done(as_future(self->tasks[i])))
            cancel(self->tasks[i], NULL);
    kit_pass(self->loop);
    end_tasks(self->tasks, 4);
    CHECK_OK(rondo_semaphore_release(self->semaphore));
    kit_loop_end(self->loop);
}

/* S-16 */
KIT_TEST(S16_cancelled_ones_are_passed_over)
{
    struct taking *self = taking();
    cancel(self->tasks[0], NULL);
    cancel(self->tasks[1], NULL);
    CHECK_OK(rondo_semaphore_post(self->semaphore));
    CHECK_EQ_INT(units(self->semaphore), 0);
    passes(self->loop, 3);
    kit_expect_log("a:cancelled b:cancelled c:ok");
    CHECK_EQ_INT(rondo_semaphore_is_locked(self->semaphore), 1);
    end_taking(self);
}

/* A unit given to one who is cancelled before it runs goes to the next. */
KIT_TEST(unit_is_handed_on)
{
    struct taking *self = taking();
    CHECK_OK(rondo_semaphore_post(self->semaphore));
    cancel(self->tasks[0], NULL);
    passes(self->loop, 2);
    kit_expect_log("a:cancelled b:ok");
    CHECK_OK(rondo_semaphore_post(self->semaphore));
    cancel(self->tasks[2], NULL);
    cancel(self->tasks[3], NULL);
    passes(self->loop, 2);
    kit_expect_log("c:cancelled d:cancelled");
    CHECK_EQ_INT(units(self->semaphore), 1);
    end_taking(self);
}

/* Two units for four, and one who comes late: in order, nobody pushes in. */
KIT_TEST(units_are_given_in_order)
{
    struct taking *self = taking();
    struct frame late = { 0 };
    CHECK_OK(rondo_semaphore_post(self->semaphore));
    CHECK_OK(rondo_semaphore_post(self->semaphore));
    CHECK_EQ_INT(units(self->semaphore), 0);
    rondo_task *task = actor(self->loop, &late, "late", TAKE(self->semaphore));
    kit_pass(self->loop);
    kit_expect_log("a:ok b:ok");
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_semaphore_post(self->semaphore));
    kit_pass(self->loop);
    kit_expect_log("c:ok d:ok late:ok");
    end_task(task);
    end_taking(self);
}

/* Acquires twice, with a pass in between and one after each. */
RONDO_STEP(twice_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    for (self->i = 1; self->i <= 2; self->i++) {
        RONDO_AWAIT(self, TAKE(self->value));
        kit_log("%s_%d", self->name, self->i);
        RONDO_YIELD(self);
        CHECK_OK(rondo_semaphore_post(self->value));
        if (self->i == 1)
            RONDO_YIELD(self);
    }
    RONDO_END(self);
}

/* S-20 */
KIT_TEST(S20_fifo)
{
    rondo_loop *loop = kit_loop();
    rondo_semaphore *semaphore = SEMAPHORE(loop, 1, 0);
    struct frame frames[3] = { { .name = "c1" }, { .name = "c2" }, { .name = "c3" } };
    rondo_task *tasks[3];
    for (int i = 0; i < 3; i++) {
        frames[i].value = semaphore;
        tasks[i] = task_of(loop, twice_step, &frames[i]);
    }
    for (int i = 0; i < 3; i++)
        run_until_done(loop, tasks[i]);
    kit_expect_log("c1_1 c2_1 c3_1 c1_2 c2_2 c3_2");
    end_tasks(tasks, 3);
    CHECK_OK(rondo_semaphore_release(semaphore));
    kit_loop_end(loop);
}

/* Waking many does not look at each of them for each. */
KIT_TEST_WITHIN(a_great_many_waiters, 60)
{
    int count = kit_rounds(100000);
    rondo_loop *loop = kit_loop();
    rondo_semaphore *semaphore = SEMAPHORE(loop, 0, 0);
    rondo_task **tasks = calloc((size_t)count, sizeof *tasks);
    for (int i = 0; i < count; i++)
        CHECK_OK(rondo_loop_create_task(loop, TAKE(semaphore), NULL, &tasks[i]));
    kit_pass(loop);
    for (int i = 0; i < count; i += 2)
        cancel(tasks[i], NULL);
    for (int i = 0; i < count; i++)
        CHECK_OK(rondo_semaphore_post(semaphore));
    CHECK_EQ_INT(units(semaphore), (count + 1) / 2);
    kit_pass(loop);
    for (int i = 0; i < count; i++) {
        CHECK_EQ_INT(state_of(as_future(tasks[i])), i % 2 ? RONDO_FUTURE_RESULT : RONDO_FUTURE_CANCELLED);
        end_task(tasks[i]);
    }
    free(tasks);
    CHECK_OK(rondo_semaphore_release(semaphore));
    kit_loop_end(loop);
}

/* ---- Barrier --------------------------------------------------------------------------------- */

static size_t n_waiting(rondo_barrier *barrier)
{
    size_t count = 77;
    CHECK_OK(rondo_barrier_get_n_waiting(barrier, &count));
    return count;
}

/* Waits at the barrier and logs name=index, or name!. */
RONDO_STEP(meets_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, BARRIER_WAIT(self->value));
    if (thrown != NULL) {
        kit_log("%s!%s", self->name, rondo_error_get_message(thrown));
        return rondo_coroutine_raise(co, thrown);
    }
    kit_log("%s=%d", self->name, (int)(uintptr_t)sent);
    RONDO_END(self);
}

static rondo_task *meets(rondo_loop *loop, struct frame *frame, const char *name,
                         rondo_barrier *barrier)
{
    *frame = (struct frame){ .name = name, .value = barrier };
    return task_of(loop, meets_step, frame);
}

static void end_barrier(rondo_loop *loop, rondo_barrier *barrier)
{
    CHECK_OK(rondo_barrier_release(barrier));
    kit_loop_end(loop);
}

/* S-22, twice, for the barrier can be used again. */
KIT_TEST(S22_numbers_and_order)
{
    rondo_loop *loop = kit_loop();
    rondo_barrier *barrier = BARRIER(loop, 3);
    struct frame frames[3];
    rondo_task *tasks[3];
    size_t parties = 0;
    CHECK_OK(rondo_barrier_get_parties(barrier, &parties));
    CHECK_EQ_INT(parties, 3);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 2; i++)
            tasks[i] = meets(loop, &frames[i], letters[i], barrier);
        passes(loop, 2);
        kit_expect_log("");
        CHECK_EQ_INT(n_waiting(barrier), 2);
        tasks[2] = meets(loop, &frames[2], "c", barrier);
        passes(loop, 4);
        kit_expect_log("c=2 a=0 b=1");
        CHECK_EQ_INT(n_waiting(barrier), 0);
        CHECK_EQ_INT(rondo_barrier_is_broken(barrier), 0);
        end_tasks(tasks, 3);
    }
    end_barrier(loop, barrier);
}

/* S-24 */
KIT_TEST(S24_cancelled_while_filling)
{
    rondo_loop *loop = kit_loop();
    rondo_barrier *barrier = BARRIER(loop, 3);
    struct frame frames[4];
    rondo_task *tasks[4];
    for (int i = 0; i < 2; i++)
        tasks[i] = meets(loop, &frames[i], letters[i], barrier);
    kit_pass(loop);
    cancel(tasks[0], "off");
    passes(loop, 2);
    kit_expect_log("a!off");
    CHECK_EQ_INT(n_waiting(barrier), 1);
    CHECK_EQ_INT(rondo_barrier_is_broken(barrier), 0);
    tasks[2] = meets(loop, &frames[2], "c", barrier);
    passes(loop, 3);
    kit_expect_log("");
    tasks[3] = meets(loop, &frames[3], "d", barrier);
    passes(loop, 4);
    kit_expect_log("d=2 b=1 c=1"); /* asyncio gives a number twice then, too */
    end_tasks(tasks, 4);
    end_barrier(loop, barrier);
}

/* S-25 */
KIT_TEST(S25_reset)
{
    rondo_loop *loop = kit_loop();
    rondo_barrier *barrier = BARRIER(loop, 3);
    struct frame frames[5];
    rondo_task *tasks[5];
    for (int i = 0; i < 2; i++)
        tasks[i] = meets(loop, &frames[i], letters[i], barrier);
    kit_pass(loop);
    at_once(MAKE(rondo_barrier_reset, rondo_coroutine *, barrier));
    CHECK_EQ_INT(n_waiting(barrier), 0);
    for (int i = 2; i < 5; i++) /* they wait until the others are out */
        tasks[i] = meets(loop, &frames[i], i == 4 ? "e" : letters[i], barrier);
    kit_pass(loop);
    kit_expect_log("a!Abort or reset of barrier b!Abort or reset of barrier e=2");
    kit_pass(loop);
    kit_expect_log("c=0 d=1");
    CHECK_EQ_INT(rondo_barrier_is_broken(barrier), 0);
    expect_failed(as_future(tasks[0]), RONDO_E_BROKEN_BARRIER, NULL);
    expect_failed(as_future(tasks[1]), RONDO_E_BROKEN_BARRIER, NULL);
    end_tasks(tasks, 5);
    end_barrier(loop, barrier);
}

/* S-27 */
KIT_TEST(S27_abort)
{
    rondo_loop *loop = kit_loop();
    rondo_barrier *barrier = BARRIER(loop, 3);
    struct frame frames[2];
    rondo_task *tasks[2];
    for (int i = 0; i < 2; i++)
        tasks[i] = meets(loop, &frames[i], letters[i], barrier);
    kit_pass(loop);
    CHECK_EQ_PTR(at_once(MAKE(rondo_barrier_abort, rondo_coroutine *, barrier)), NULL);
    CHECK_EQ_INT(rondo_barrier_is_broken(barrier), 1);
    CHECK_EQ_INT(n_waiting(barrier), 0);
    passes(loop, 4);
    kit_expect_log("a!Abort or reset of barrier b!Abort or reset of barrier");
    raises_at_once(BARRIER_WAIT(barrier), RONDO_E_BROKEN_BARRIER, "Barrier aborted");
    for (int i = 0; i < 2; i++) {
        expect_failed(as_future(tasks[i]), RONDO_E_BROKEN_BARRIER, NULL);
        end_task(tasks[i]);
    }
    at_once(MAKE(rondo_barrier_reset, rondo_coroutine *, barrier));
    CHECK_EQ_INT(rondo_barrier_is_broken(barrier), 0);
    rondo_barrier *one = BARRIER(loop, 1);
    CHECK_EQ_PTR(at_once(BARRIER_WAIT(one)), NULL);
    CHECK_EQ_PTR(at_once(BARRIER_WAIT(one)), NULL);
    CHECK_OK(rondo_barrier_release(one));
    end_barrier(loop, barrier);
}

/* S-28 */
KIT_TEST(S28_no_parties)
{
    rondo_loop *loop = kit_loop();
    rondo_barrier *barrier = NULL;
    CHECK_STATUS(rondo_barrier_new(loop, 0, &barrier), -EINVAL);
    CHECK_EQ_PTR(barrier, NULL);
    kit_loop_end(loop);
}

/* ---- by hand, and closing -------------------------------------------------------------------- */

/* Drive a coroutine until it waits. */
static void start_by_hand(rondo_coroutine *coroutine)
{
    rondo_step step = -1;
    void *future = NULL;
    CHECK_OK(rondo_coroutine_send(coroutine, NULL, &step, &future, NULL));
    CHECK_EQ_INT(step, RONDO_STEP_AWAIT);
    CHECK_STATUS(rondo_future_set_result(future, NULL, NULL), RONDO_E_RUNTIME);
}

/* Who is closed while it waits leaves the line; who was woken before that hands it on. */
KIT_TEST(closed_by_hand)
{
    struct locked *self = locked_by_nobody();
    rondo_coroutine *first = ACQUIRE(self->lock);
    rondo_semaphore *semaphore = SEMAPHORE(self->loop, 0, 0);
    rondo_coroutine *woken = TAKE(semaphore), *next = TAKE(semaphore);
    start_by_hand(first);
    CHECK_OK(rondo_coroutine_close(first, NULL));
    CHECK_OK(rondo_coroutine_release(first));
    start_by_hand(woken);
    start_by_hand(next);
    CHECK_OK(rondo_semaphore_post(semaphore));
    CHECK_EQ_INT(units(semaphore), 0);
    CHECK_OK(rondo_coroutine_release(woken));
    CHECK_EQ_INT(units(semaphore), 0);
    at_once(next); /* it was given the unit */
    CHECK_OK(rondo_semaphore_release(semaphore));
    CHECK_OK(rondo_lock_unlock(self->lock));
    kit_pass(self->loop);
    kit_expect_log("a:ok");
    end_locked(self);
}

/* A condition's wait that is closed does not wait for the lock. */
KIT_TEST(condition_closed_by_hand)
{
    rondo_loop *loop = kit_loop();
    rondo_condition *condition = CONDITION(loop, NULL);
    rondo_coroutine *waits = CONDITION_WAIT(condition), *other = CONDITION_WAIT(condition);
    at_once(CONDITION_ACQUIRE(condition));
    start_by_hand(waits);
    CHECK_EQ_INT(rondo_condition_is_locked(condition), 0);
    CHECK_OK(rondo_coroutine_close(waits, NULL));
    CHECK_EQ_INT(rondo_condition_is_locked(condition), 1); /* it was free */
    CHECK_OK(rondo_coroutine_release(waits));
    start_by_hand(other);
    at_once(CONDITION_ACQUIRE(condition));
    CHECK_OK(rondo_coroutine_close(other, NULL));
    CHECK_OK(rondo_coroutine_release(other));
    CHECK_OK(rondo_condition_unlock(condition));
    CHECK_EQ_INT(rondo_condition_is_locked(condition), 0);
    CHECK_OK(rondo_condition_release(condition));
    kit_loop_end(loop);
}

/* A loop that is closed while somebody waits for everything there is. */
KIT_TEST(loop_closed_with_waiters)
{
    rondo_loop *loop = kit_loop();
    rondo_lock *lock = LOCK(loop);
    rondo_event *event = EVENT(loop);
    rondo_condition *condition = CONDITION(loop, NULL);
    rondo_semaphore *semaphore = SEMAPHORE(loop, 0, 0);
    rondo_barrier *barrier = BARRIER(loop, 2);
    struct frame frames[5] = { 0 }, waiter = { .name = "w", .value = condition };
    rondo_task *tasks[6];
    rondo_coroutine *none = NULL, *by_hand = EVENT_WAIT(event);
    kit_record_reports(loop);
    at_once(ACQUIRE(lock));
    tasks[0] = actor(loop, &frames[0], "lock", ACQUIRE(lock));
    tasks[1] = actor(loop, &frames[1], "lock", ACQUIRE(lock));
    tasks[2] = actor(loop, &frames[2], "event", EVENT_WAIT(event));
    tasks[3] = actor(loop, &frames[3], "semaphore", TAKE(semaphore));
    tasks[4] = actor(loop, &frames[4], "barrier", BARRIER_WAIT(barrier));
    tasks[5] = task_of(loop, waiter_step, &waiter);
    kit_pass(loop);
    start_by_hand(by_hand);
    CHECK_OK(rondo_lock_unlock(lock)); /* on its way */
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_EQ_INT(kit_reports(), 6);
    kit_expect_log("lock:GENERATOR_EXIT lock:GENERATOR_EXIT event:GENERATOR_EXIT "
                   "semaphore:GENERATOR_EXIT barrier:GENERATOR_EXIT "
                   "w:the coroutine is being closed");
    end_tasks(tasks, 6);
    /* What does not wait still works. */
    CHECK_EQ_INT(rondo_lock_is_locked(lock), 0);
    CHECK_OK(rondo_event_set(event));
    at_once(by_hand); /* it may end */
    CHECK_EQ_INT(rondo_event_is_set(event), 1);
    CHECK_OK(rondo_semaphore_post(semaphore));
    CHECK_STATUS(rondo_lock_acquire(lock, &none), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_event_wait(event, &none), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_condition_wait(condition, &none), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_semaphore_acquire(semaphore, &none), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_barrier_wait(barrier, &none), RONDO_E_LOOP_CLOSED);
    rondo_lock *late = NULL;
    CHECK_STATUS(rondo_lock_new(loop, &late), RONDO_E_LOOP_CLOSED);
    CHECK(none == NULL && late == NULL);
    CHECK_OK(rondo_loop_release(loop));
    CHECK_OK(rondo_lock_release(lock));
    CHECK_OK(rondo_event_release(event));
    CHECK_OK(rondo_condition_release(condition));
    CHECK_OK(rondo_semaphore_release(semaphore));
    CHECK_OK(rondo_barrier_release(barrier));
}

/* ---- misuse ---------------------------------------------------------------------------------- */

/* The five are not one another. */
KIT_TEST(wrong_type)
{
    rondo_loop *loop = kit_loop();
    rondo_lock *lock = LOCK(loop);
    rondo_event *event = EVENT(loop);
    CHECK_STATUS(rondo_event_set((rondo_event *)lock), RONDO_E_BAD_HANDLE);
    CHECK_STATUS(rondo_lock_unlock((rondo_lock *)event), RONDO_E_BAD_HANDLE);
    CHECK_STATUS(rondo_condition_release((rondo_condition *)lock), RONDO_E_BAD_HANDLE);
    CHECK_STATUS(rondo_future_cancel((rondo_future *)lock, NULL, NULL), RONDO_E_BAD_HANDLE);
    CHECK_EQ_INT(rondo_semaphore_is_locked((rondo_semaphore *)lock), 0);
    CHECK_OK(rondo_lock_release(lock));
    CHECK_OK(rondo_event_release(event));
    kit_loop_end(loop);
}

/* A task of another loop is told so, whether it would have to wait or not. */
KIT_TEST(awaited_in_another_loop)
{
    rondo_loop *loop = kit_loop(), *other = kit_loop();
    rondo_lock *lock = LOCK(loop);
    struct frame frame = { 0 };
    for (int i = 0; i < 2; i++) {
        rondo_task *task = actor(other, &frame, "a", ACQUIRE(lock));
        passes(other, 2);
        kit_expect_log("a:WRONG_LOOP");
        expect_failed(as_future(task), RONDO_E_WRONG_LOOP, NULL);
        end_task(task);
        frame = (struct frame){ 0 };
        if (i == 0)
            at_once(ACQUIRE(lock));
    }
    CHECK_OK(rondo_lock_release(lock));
    kit_loop_end(other);
    kit_loop_end(loop);
}

/* Nobody holds it but who waits for it, or is about to. */
KIT_TEST(coroutines_keep_the_object)
{
    rondo_loop *loop = kit_loop();
    rondo_event *event = EVENT(loop);
    struct frame frames[2] = { 0 };
    rondo_task *tasks[2];
    tasks[0] = actor(loop, &frames[0], "a", EVENT_WAIT(event));
    kit_pass(loop);
    tasks[1] = actor(loop, &frames[1], "b", EVENT_WAIT(event));
    CHECK_OK(rondo_event_release(event));
    CHECK_OK(rondo_event_set(event));
    kit_pass(loop);
    kit_expect_log("b:ok a:ok");
    CHECK_STATUS(rondo_event_set(event), RONDO_E_STALE_HANDLE);
    end_tasks(tasks, 2);
    kit_loop_end(loop);
}

/* One release too many takes the reference of a coroutine that has not begun. */
KIT_TEST(released_once_too_often)
{
    rondo_loop *loop = kit_loop();
    rondo_event *event = EVENT(loop);
    rondo_coroutine *waits = EVENT_WAIT(event), *late = EVENT_WAIT(event);
    start_by_hand(waits);
    CHECK_OK(rondo_event_release(event));
    CHECK_OK(rondo_event_release(event)); /* that of late */
    CHECK_STATUS(rondo_event_release(event), RONDO_E_STALE_HANDLE);
    CHECK_OK(rondo_event_set(event)); /* kept by who waits */
    at_once(waits);
    raises_at_once(late, RONDO_E_STALE_HANDLE, NULL);
    kit_loop_end(loop);
}

static void release_coroutine(void *arg)
{
    kit_catch_log();
    CHECK_OK(rondo_coroutine_release(arg));
}

/* Never begun and let go of on another thread: the loop's thread does the rest. */
KIT_TEST(dropped_on_another_thread)
{
    rondo_loop *loop = kit_loop();
    rondo_lock *lock = LOCK(loop);
    rondo_coroutine *coroutine = ACQUIRE(lock);
    CHECK_OK(rondo_lock_release(lock));
    CHECK_EQ_INT(rondo_lock_is_locked(lock), 0);
    kit_in_thread(release_coroutine, coroutine);
    CHECK(kit_logged_containing("coroutine 'Lock.acquire' was never awaited"));
    kit_pass(loop);
    CHECK_STATUS(rondo_lock_unlock(lock), RONDO_E_STALE_HANDLE);
    kit_loop_end(loop);
}
