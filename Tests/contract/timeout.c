/* timeout.c - deadlines for parts of a task: asyncio.timeout(), as CPython 3.13 and later. */
#include "coro.h"

#define LONG INT64_C(3600000000000)
#define SHORT INT64_C(1000000)

static int64_t time_of(rondo_loop *loop)
{
    int64_t now = -1;
    CHECK_OK(rondo_loop_time(loop, &now));
    return now;
}

/* A part of a task under a timeout; what is done in it is the test's own. */
struct part {
    RONDO_FRAME;
    rondo_loop *loop;
    rondo_task *task;
    rondo_timeout *limit, *outer;
    rondo_future *future;
    rondo_error *left; /* what the exit said to raise; owned */
    rondo_error *thrown; /* what it was told; owned */
    rondo_error *own;
    int64_t delay, delay2;
    uint32_t before;
    int expired, mode, drops;
};

static void part_drop(void *frame)
{
    struct part *self = frame;
    CHECK_OK(rondo_timeout_release(self->limit));
    CHECK_OK(rondo_timeout_release(self->outer));
    self->drops++;
}

static void run_part(rondo_loop *loop, rondo_step_fn step, struct part *self)
{
    rondo_coroutine *coroutine = NULL;
    rondo_future *done = NULL;
    self->loop = loop;
    CHECK_OK(rondo_coroutine_new("part", step, self, part_drop, &coroutine));
    CHECK_OK(rondo_loop_run_until_complete(loop, coroutine, &done));
    expect_result(done, NULL);
    end_future(done);
    CHECK_EQ_INT(self->drops, 1);
}

static rondo_task *spawn_part(rondo_loop *loop, rondo_step_fn step, struct part *self)
{
    rondo_task *task = NULL;
    self->loop = loop;
    CHECK_OK(rondo_loop_spawn(loop, step, self, part_drop, NULL, &task));
    return task;
}

static void take_part(struct part *self)
{
    if (self->left != NULL)
        CHECK_OK(rondo_error_release(self->left));
    self->left = NULL;
}

/* TimeoutError whose cause is the cancellation that came in. */
static void expect_timeout(rondo_error *error)
{
    expect_thrown(error, RONDO_E_TIMEOUT, NULL);
    expect_thrown(rondo_error_get_cause(error), RONDO_E_CANCELLED, NULL);
}

/* ---- one timeout ----------------------------------------------------------------------------- */

/* Awaits future under delay, notes what left. */
RONDO_STEP(awaits_under)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    self->before = cancelling(self->task);
    RONDO_TIMEOUT_ENTER(self, self->limit, self->loop, self->delay);
    CHECK_OK(rondo_timeout_retain(self->limit));
    self->outer = self->limit;
    RONDO_AWAIT_IN(self, work, self->future);
    RONDO_TRY_TIMEOUT_EXIT(self, work, self->limit, self->left);
    self->expired = rondo_timeout_is_expired(self->outer);
    if (self->mode == 0)
        CHECK_EQ_INT(cancelling(self->task), self->before);
    if (self->left != NULL && self->mode == 2)
        return rondo_coroutine_raise(co, self->left);
    RONDO_YIELD(self); /* nothing is left to be delivered */
    RONDO_END(self);
}

KIT_TEST(TO01_too_late)
{
    /* On the real clock never early, on a virtual one at the very nanosecond. */
    for (int is_virtual = 0; is_virtual < 2; is_virtual++) {
        rondo_loop *loop = is_virtual ? kit_virtual_loop() : kit_loop();
        struct part self = { .delay = SHORT, .future = future_of(loop) };
        int64_t before = time_of(loop);
        run_part(loop, awaits_under, &self);
        CHECK(is_virtual ? time_of(loop) == SHORT : time_of(loop) - before >= SHORT);
        expect_timeout(self.left);
        CHECK_EQ_INT(self.expired, 1);
        expect_cancelled(self.future, NULL);
        take_part(&self);
        end_future(self.future);
        kit_loop_end(loop);
    }
}

KIT_TEST(TO01_in_time)
{
    rondo_loop *loop = kit_virtual_loop();
    static const int64_t delays[] = { LONG, RONDO_NEVER, INT64_MAX - 1 };
    for (int i = 0; i < 3; i++) {
        struct part self = { .delay = delays[i], .future = future_of(loop) };
        rondo_task *task = spawn_part(loop, awaits_under, &self);
        kit_pass(loop);
        CHECK_OK(rondo_future_set_result(self.future, NULL, NULL));
        run_until_done(loop, task);
        CHECK_EQ_PTR(self.left, NULL);
        CHECK_EQ_INT(self.expired, 0);
        end_task(task);
        end_future(self.future);
    }
    kit_loop_end(loop); /* finds no timer */
}

/* TO-02: due at once: fires in the next pass. */
KIT_TEST(TO02_no_time)
{
    rondo_loop *loop = kit_virtual_loop();
    static const int64_t delays[] = { 0, -1, INT64_MIN };
    for (int i = 0; i < 3; i++) {
        struct part self = { .delay = delays[i], .future = future_of(loop) };
        run_part(loop, awaits_under, &self);
        expect_timeout(self.left);
        take_part(&self);
        end_future(self.future);
    }
    kit_loop_end(loop);
}

RONDO_STEP(sleeps_zero_under_zero)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    RONDO_TIMEOUT_ENTER(self, self->limit, self->loop, 0);
    RONDO_SLEEP_IN(self, nap, 0);
    kit_log("not reached");
    RONDO_TRY_TIMEOUT_EXIT(self, nap, self->limit, self->left);
    RONDO_END(self);
}

KIT_TEST(TO02_around_a_bare_yield)
{
    rondo_loop *loop = kit_virtual_loop();
    struct part self = { 0 };
    run_part(loop, sleeps_zero_under_zero, &self);
    expect_timeout(self.left);
    kit_expect_log("");
    take_part(&self);
    kit_loop_end(loop);
}

RONDO_STEP(does_not_wait)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    RONDO_TIMEOUT_ENTER(self, self->limit, self->loop, 0);
    CHECK_OK(rondo_timeout_retain(self->limit));
    self->outer = self->limit;
    RONDO_TRY_TIMEOUT_EXIT(self, nothing, self->limit, self->left);
    CHECK_EQ_INT(rondo_timeout_is_expired(self->outer), 0);
    RONDO_SLEEP(self, SHORT); /* and no stray cancellation */
    RONDO_END(self);
}

KIT_TEST(TO02_around_no_await)
{
    rondo_loop *loop = kit_virtual_loop();
    struct part self = { 0 };
    run_part(loop, does_not_wait, &self);
    CHECK_EQ_PTR(self.left, NULL);
    kit_loop_end(loop);
}

/* ---- what leaves the part -------------------------------------------------------------------- */

/* mode 0: swallows the cancellation; 1: raises own instead; 2: a group with own in it. */
RONDO_STEP(answers_under)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    CHECK_OK(rondo_timeout_new(self->loop, SHORT, &self->limit));
    CHECK_OK(rondo_timeout_enter(self->limit));
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    CHECK_EQ_INT(rondo_timeout_is_expired(self->limit), 1); /* expiring */
    CHECK_STATUS(rondo_timeout_reschedule(self->limit, RONDO_NEVER), RONDO_E_RUNTIME);
    CHECK_OK(rondo_timeout_exit(self->limit, self->own, &self->left));
    CHECK_EQ_INT(rondo_timeout_is_expired(self->limit), 1);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_YIELD(self);
    RONDO_END(self);
}

KIT_TEST(TO04_swallowed)
{
    rondo_loop *loop = kit_virtual_loop();
    struct part self = { .future = future_of(loop) };
    run_part(loop, answers_under, &self);
    CHECK_EQ_PTR(self.left, NULL);
    end_future(self.future);
    kit_loop_end(loop);
}

KIT_TEST(TO05_other_error_passes)
{
    rondo_loop *loop = kit_virtual_loop();
    struct part self = { .future = future_of(loop), .own = kit_error(5, "five") };
    run_part(loop, answers_under, &self);
    CHECK_EQ_PTR(self.left, self.own);
    take_part(&self);
    end_future(self.future);
    CHECK_OK(rondo_error_release(self.own));
    kit_loop_end(loop);
}

/* Raises own while it handles what is thrown at its await: own gets that as its context. */
RONDO_STEP(raises_while_handling)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->future);
    return rondo_coroutine_raise(co, self->own);
    RONDO_END(self);
}

RONDO_STEP(awaits_what_raises)
{
    struct part *self = frame;
    static struct part inner;
    rondo_coroutine *coroutine = NULL;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_timeout_new(self->loop, SHORT, &self->limit));
    CHECK_OK(rondo_timeout_enter(self->limit));
    inner = (struct part){ .future = self->future, .own = self->own };
    CHECK_OK(rondo_coroutine_new("inner", raises_while_handling, &inner, NULL, &coroutine));
    RONDO_TRY_AWAIT(self, coroutine);
    CHECK_EQ_PTR(thrown, self->own);
    if (self->mode == 1) {
        rondo_error *group = NULL;
        CHECK_OK(rondo_error_group_new("several", &self->own, 1, &group));
        CHECK_OK(rondo_timeout_exit(self->limit, group, &self->left));
        CHECK_EQ_PTR(self->left, group);
        CHECK_OK(rondo_error_release(group));
    } else {
        CHECK_OK(rondo_timeout_exit(self->limit, self->own, &self->left));
        CHECK_EQ_PTR(self->left, self->own);
    }
    RONDO_END(self);
}

/* CPython 3.13: the cancellation in the chain of contexts becomes a timeout; also in a group. */
KIT_TEST(context_becomes_a_timeout)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int mode = 0; mode < 2; mode++) {
        struct part self = { .mode = mode, .future = future_of(loop), .own = kit_error(5, "five") };
        run_part(loop, awaits_what_raises, &self);
        rondo_error *context = rondo_error_get_context(self.own);
        expect_timeout(context);
        expect_thrown(rondo_error_get_context(context), RONDO_E_CANCELLED, NULL);
        take_part(&self);
        end_future(self.future);
        CHECK_OK(rondo_error_release(self.own));
    }
    kit_loop_end(loop);
}

/* TO-06: cancelled by somebody else before the deadline. */
KIT_TEST(TO06_cancelled_from_outside)
{
    rondo_loop *loop = kit_virtual_loop();
    struct part self = { .mode = 2, .delay = LONG, .future = future_of(loop) };
    rondo_task *task = spawn_part(loop, awaits_under, &self);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, "outside", NULL));
    run_until_done(loop, task);
    expect_cancelled(as_future(task), "outside");
    expect_thrown(self.left, RONDO_E_CANCELLED, "outside");
    CHECK_EQ_INT(self.expired, 0);
    take_part(&self);
    end_task(task);
    end_future(self.future);
    kit_loop_end(loop);
}

/* Cancels its own task from a callback, once the timeout has fired and before the task runs. */
static void cancel_task(void *task)
{
    CHECK_OK(rondo_task_cancel(task, "too", NULL));
}

/* TO-07: the deadline and somebody else in the same pass: the cancellation goes on. */
KIT_TEST(TO07_expired_and_cancelled)
{
    rondo_loop *loop = kit_virtual_loop();
    struct part self = { .mode = 2, .delay = 0, .future = future_of(loop) };
    rondo_task *task = spawn_part(loop, awaits_under, &self);
    kit_pass(loop); /* entered; the timeout is in the ring */
    CHECK_OK(rondo_loop_call_soon(loop, cancel_task, task, NULL, NULL));
    run_until_done(loop, task);
    expect_thrown(self.left, RONDO_E_CANCELLED, NULL);
    CHECK_EQ_INT(self.expired, 1);
    CHECK_EQ_INT(rondo_future_is_cancelled(as_future(task)), 1);
    CHECK_EQ_INT(cancelling(task), 1);
    take_part(&self);
    end_task(task);
    end_future(self.future);
    kit_loop_end(loop);
}

/* ---- cancelled before ------------------------------------------------------------------------ */

/* Is cancelled, catches it, and uses a timeout while cancelling() is 1. mode 1: a new cancel. */
RONDO_STEP(uses_one_though_cancelled)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    CHECK_EQ_INT(cancelling(self->task), 1);
    RONDO_TIMEOUT_ENTER(self, self->limit, self->loop, 0);
    if (self->mode == 1)
        CHECK_OK(rondo_task_cancel(self->task, NULL, NULL));
    RONDO_SLEEP_IN(self, nap, LONG);
    RONDO_TRY_TIMEOUT_EXIT(self, nap, self->limit, self->left);
    CHECK_EQ_INT(cancelling(self->task), self->mode == 1 ? 2 : 1);
    RONDO_END(self);
}

static void timeout_after_cancellation(int mode, int32_t expected)
{
    rondo_loop *loop = kit_virtual_loop();
    struct part self = { .mode = mode, .future = future_of(loop) };
    rondo_task *task = spawn_part(loop, uses_one_though_cancelled, &self);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    run_until_done(loop, task);
    expect_thrown(self.left, expected, NULL);
    expect_result(as_future(task), NULL);
    take_part(&self);
    end_task(task);
    end_future(self.future);
    kit_loop_end(loop);
}

KIT_TEST(TO12_after_a_cancellation) { timeout_after_cancellation(0, RONDO_E_TIMEOUT); }
KIT_TEST(TO13_cancelled_again_inside) { timeout_after_cancellation(1, RONDO_E_CANCELLED); }

/* ---- nested ---------------------------------------------------------------------------------- */

/* Blocks the loop until both are overdue (mode 0), or waits (mode 1). */
RONDO_STEP(nested)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    RONDO_TIMEOUT_ENTER(self, self->outer, self->loop, self->delay);
    RONDO_TIMEOUT_ENTER(self, self->limit, self->loop, self->delay2);
    if (self->mode == 0)
        CHECK_OK(rondo_loop_advance(self->loop, 4 * SHORT));
    RONDO_SLEEP_IN(self, inner, LONG);
    RONDO_TRY_TIMEOUT_EXIT(self, inner, self->limit, self->left);
    kit_log("inner:%s", self->left == NULL ? "-" : rondo_status_name(rondo_error_get_status(self->left)));
    thrown = self->left;
    if (self->mode == 2) { /* the inner one is handled, and the outer one's time passes later */
        take_part(self);
        thrown = NULL;
        RONDO_SLEEP_IN(self, outer, LONG);
    }
    self->thrown = self->left;
    RONDO_TRY_TIMEOUT_EXIT(self, outer, self->outer, self->left);
    rondo_error_release(self->thrown);
    kit_log("outer:%s", self->left == NULL ? "-" : rondo_status_name(rondo_error_get_status(self->left)));
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_END(self);
}

static void run_nested(int mode, int64_t outer, int64_t inner, const char *expected)
{
    rondo_loop *loop = kit_virtual_loop();
    struct part self = { .mode = mode, .delay = outer, .delay2 = inner };
    run_part(loop, nested, &self);
    kit_expect_log(expected);
    take_part(&self);
    kit_loop_end(loop);
}

/* TO-08: both overdue when the loop goes on. */
KIT_TEST(TO08_both_overdue)
{
    run_nested(0, SHORT, 2 * SHORT, "inner:RONDO_E_CANCELLED outer:RONDO_E_TIMEOUT");
}

KIT_TEST(TO09_inner_then_outer)
{
    run_nested(2, 200 * SHORT, SHORT, "inner:RONDO_E_TIMEOUT outer:RONDO_E_TIMEOUT");
}

KIT_TEST(nested_outer_first)
{
    run_nested(1, SHORT, LONG, "inner:RONDO_E_CANCELLED outer:RONDO_E_TIMEOUT");
}

KIT_TEST(nested_inner_first_passes_the_outer)
{
    run_nested(1, LONG, SHORT, "inner:RONDO_E_TIMEOUT outer:RONDO_E_TIMEOUT");
}

/* ---- when and reschedule --------------------------------------------------------------------- */

static int64_t when_of(rondo_timeout *timeout)
{
    int64_t when = 77;
    CHECK_OK(rondo_timeout_get_when(timeout, &when));
    return when;
}

/* mode 0: sooner; 1: later, then never; 2: into the past. */
RONDO_STEP(reschedules)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    RONDO_TIMEOUT_ENTER(self, self->limit, self->loop, self->delay);
    if (self->mode == 1) {
        CHECK_OK(rondo_timeout_reschedule(self->limit, time_of(self->loop) + LONG));
        RONDO_SLEEP_IN(self, nap, 4 * SHORT);
        CHECK_OK(rondo_timeout_reschedule(self->limit, RONDO_NEVER));
        CHECK_EQ_INT(when_of(self->limit), RONDO_NEVER);
        RONDO_SLEEP_IN(self, nap, SHORT);
        RONDO_LEAVE(nap);
    }
    CHECK_OK(rondo_timeout_reschedule(self->limit, self->mode == 0 ? time_of(self->loop) + SHORT : 1));
    RONDO_SLEEP_IN(self, nap, LONG);
    RONDO_TRY_TIMEOUT_EXIT(self, nap, self->limit, self->left);
    RONDO_END(self);
}

KIT_TEST(TO10_reschedule)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int mode = 0; mode < 3; mode++) {
        struct part self = { .mode = mode, .delay = mode == 1 ? SHORT : LONG };
        run_part(loop, reschedules, &self);
        if (mode == 1)
            CHECK_EQ_PTR(self.left, NULL);
        else
            expect_timeout(self.left);
        take_part(&self);
    }
    kit_loop_end(loop);
}

RONDO_STEP(uses_it_wrongly)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    rondo_error *error = NULL;
    int64_t when = time_of(self->loop) + LONG;
    CHECK_OK(rondo_timeout_new_at(self->loop, when, &self->limit));
    CHECK_EQ_INT(when_of(self->limit), when);
    CHECK_STATUS(rondo_timeout_reschedule(self->limit, 0), RONDO_E_RUNTIME); /* not entered */
    CHECK_STATUS(rondo_timeout_exit(self->limit, NULL, &error), RONDO_E_RUNTIME);
    CHECK_OK(rondo_timeout_enter(self->limit));
    CHECK_STATUS(rondo_timeout_enter(self->limit), RONDO_E_RUNTIME); /* TO-11 */
    CHECK_OK(rondo_timeout_reschedule(self->limit, when + 1));
    CHECK_EQ_INT(when_of(self->limit), when + 1);
    CHECK_OK(rondo_timeout_exit(self->limit, NULL, &error));
    CHECK_EQ_PTR(error, NULL);
    CHECK_EQ_INT(rondo_timeout_is_expired(self->limit), 0);
    CHECK_STATUS(rondo_timeout_exit(self->limit, NULL, NULL), RONDO_E_RUNTIME);
    CHECK_STATUS(rondo_timeout_reschedule(self->limit, 0), RONDO_E_RUNTIME); /* finished */
    CHECK_STATUS(rondo_timeout_enter(self->limit), RONDO_E_RUNTIME);
    RONDO_END(self);
}

KIT_TEST(TO10_TO11_wrong_state)
{
    rondo_loop *loop = kit_virtual_loop();
    struct part self = { 0 };
    run_part(loop, uses_it_wrongly, &self);
    kit_loop_end(loop);
}

static void enter_outside(void *timeout)
{
    CHECK_STATUS(rondo_timeout_enter(timeout), RONDO_E_RUNTIME);
}

KIT_TEST(TO11_outside_a_task)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_timeout *timeout = NULL;
    CHECK_OK(rondo_timeout_new(loop, SHORT, &timeout));
    CHECK_STATUS(rondo_timeout_enter(timeout), RONDO_E_RUNTIME);
    CHECK_OK(rondo_loop_call_soon(loop, enter_outside, timeout, NULL, NULL));
    kit_pass(loop);
    CHECK_OK(rondo_timeout_release(timeout));
    kit_loop_end(loop);
}

/* ---- the library's own memory ---------------------------------------------------------------- */

/* Enters and forgets about it; waits. */
RONDO_STEP(enters_only)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_timeout_new(self->loop, self->delay, &self->limit));
    CHECK_OK(rondo_timeout_enter(self->limit));
    if (self->mode == 1) {
        CHECK_OK(rondo_timeout_release(self->limit));
        self->limit = NULL;
    }
    RONDO_TRY_AWAIT(self, self->future);
    if (self->mode == 2) { /* the loop is closed: leaving works */
        expect_thrown(thrown, RONDO_E_GENERATOR_EXIT, NULL);
        CHECK_STATUS(rondo_timeout_reschedule(self->limit, 0), RONDO_E_LOOP_CLOSED);
        CHECK_OK(rondo_timeout_exit(self->limit, thrown, &self->left));
        CHECK_EQ_PTR(self->left, thrown);
        take_part(self);
    }
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* Released while it is entered, it still fires; as with a timeout object that nobody holds. */
KIT_TEST(released_while_entered)
{
    rondo_loop *loop = kit_virtual_loop();
    struct part self = { .mode = 1, .delay = SHORT, .future = future_of(loop) };
    rondo_task *task = spawn_part(loop, enters_only, &self);
    run_until_done(loop, task);
    expect_cancelled(as_future(task), NULL);
    end_task(task);
    end_future(self.future);
    kit_loop_end(loop);
}

KIT_TEST(loop_closed_while_entered)
{
    for (int mode = 0; mode < 3; mode++) {
        rondo_loop *loop = kit_virtual_loop();
        kit_record_reports(loop);
        struct part self = { .mode = mode, .delay = LONG, .future = future_of(loop) };
        rondo_task *task = spawn_part(loop, enters_only, &self);
        kit_pass(loop);
        CHECK_OK(rondo_loop_close(loop, NULL));
        CHECK_EQ_INT(self.drops, 1);
        end_task(task);
        end_future(self.future);
        CHECK_OK(rondo_loop_release(loop));
    }
}

KIT_TEST(outlives_its_loop)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_timeout *timeout = NULL, *other = NULL;
    CHECK_OK(rondo_timeout_new(loop, 0, &timeout));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_timeout_new(loop, 0, &other), RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_loop_release(loop));
    CHECK_STATUS(rondo_timeout_enter(timeout), RONDO_E_LOOP_CLOSED);
    CHECK_EQ_INT(rondo_timeout_is_expired(timeout), 0);
    CHECK_EQ_INT(when_of(timeout), 0);
    CHECK_OK(rondo_timeout_release(timeout));
    CHECK_STATUS(rondo_timeout_release(timeout), RONDO_E_STALE_HANDLE);
}

static void release_elsewhere(void *timeout)
{
    CHECK_OK(rondo_timeout_retain(timeout));
    CHECK_OK(rondo_timeout_release(timeout));
    CHECK_OK(rondo_timeout_release(timeout));
}

KIT_TEST(released_by_another_thread)
{
    rondo_loop *loop = kit_virtual_loop();
    struct part self = { .delay = LONG, .future = future_of(loop) };
    rondo_task *task = spawn_part(loop, enters_only, &self);
    kit_pass(loop);
    kit_in_thread(release_elsewhere, self.limit);
    self.limit = NULL;
    CHECK_OK(rondo_future_set_result(self.future, NULL, NULL));
    run_until_done(loop, task);
    end_task(task);
    end_future(self.future);
    kit_loop_drop(loop); /* its timer is still armed */
}

/* Handles of one type are no handles of another. */
KIT_TEST(types_are_told_apart)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_timeout *timeout = NULL;
    rondo_task_group *group = NULL;
    CHECK_OK(rondo_timeout_new(loop, 0, &timeout));
    CHECK_OK(rondo_task_group_new(loop, &group));
    CHECK_STATUS(rondo_timeout_enter((rondo_timeout *)group), RONDO_E_BAD_HANDLE);
    CHECK_STATUS(rondo_task_group_enter((rondo_task_group *)timeout), RONDO_E_BAD_HANDLE);
    CHECK_STATUS(rondo_as_completed_release((rondo_as_completed *)timeout), RONDO_E_BAD_HANDLE);
    CHECK_STATUS(rondo_future_release((rondo_future *)timeout), RONDO_E_BAD_HANDLE);
    CHECK_OK(rondo_timeout_release(timeout));
    CHECK_OK(rondo_task_group_release(group));
    kit_loop_end(loop);
}
