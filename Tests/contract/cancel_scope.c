/* cancel_scope.c - cancel scopes: state, nesting, shields, deadlines, grace, reasons. */
#include "coro.h"

#include <errno.h>
#include <stdio.h>

#define LONG INT64_C(3600000000000)
#define SHORT INT64_C(1000000)

struct part {
    RONDO_FRAME;
    const char *name;
    rondo_loop *loop;
    rondo_task *task;
    rondo_cancel_scope *scope, *outer, *kept;
    rondo_timeout *limit;
    rondo_task_group *group;
    rondo_future *future, *other;
    rondo_coroutine *child;
    rondo_error *left, *thrown; /* owned */
    struct part *parent;
    int64_t time;
    uint32_t flags;
    int mode, i, n, drops;
};

static void part_drop(void *frame)
{
    struct part *self = frame;
    CHECK_OK(rondo_cancel_scope_release(self->scope));
    CHECK_OK(rondo_cancel_scope_release(self->outer));
    CHECK_OK(rondo_timeout_release(self->limit));
    CHECK_OK(rondo_task_group_release(self->group));
    self->scope = self->outer = NULL;
    self->limit = NULL;
    self->group = NULL;
    self->drops++;
}

static rondo_task *spawn_part(rondo_loop *loop, rondo_step_fn step, struct part *self)
{
    rondo_task *task = NULL;
    self->loop = loop;
    CHECK_OK(rondo_loop_spawn(loop, step, self, part_drop, NULL, &task));
    self->task = task;
    return task;
}

static void finish_part(struct part *self)
{
    CHECK_OK(rondo_error_release(self->left));
    CHECK_OK(rondo_error_release(self->thrown));
    CHECK_OK(rondo_cancel_scope_release(self->kept));
    CHECK_EQ_INT(self->drops, 1);
    if (self->task != NULL)
        end_task(self->task);
    if (self->future != NULL)
        end_future(self->future);
    if (self->other != NULL)
        end_future(self->other);
}

/* Make a task of it and run until it is done with the result NULL. */
static void run_part(rondo_loop *loop, rondo_step_fn step, struct part *self)
{
    run_until_done(loop, spawn_part(loop, step, self));
    expect_result(as_future(self->task), NULL);
    CHECK_EQ_INT(cancelling(self->task), 0);
    finish_part(self);
}

static rondo_cancel_scope *scope_of(rondo_loop *loop, uint32_t flags)
{
    rondo_cancel_scope_options options = { .size = sizeof options, .flags = flags };
    rondo_cancel_scope *scope = NULL;
    CHECK_OK(rondo_cancel_scope_new(loop, &options, &scope));
    return scope;
}

static rondo_cancel_scope *entered(rondo_loop *loop, uint32_t flags)
{
    rondo_cancel_scope *scope = scope_of(loop, flags);
    CHECK_OK(rondo_cancel_scope_enter(scope));
    return scope;
}

/* Leave it with thrown; what is to be raised, as its status. */
static rondo_status leave(rondo_cancel_scope **scope, rondo_error *thrown)
{
    rondo_error *left = NULL;
    rondo_status status = RONDO_OK;
    CHECK_OK(rondo_cancel_scope_exit(*scope, thrown, &left));
    if (left != NULL)
        status = rondo_error_get_status(left);
    CHECK_OK(rondo_error_release(left));
    CHECK_OK(rondo_cancel_scope_release(*scope));
    *scope = NULL;
    return status;
}

static void cancel(rondo_cancel_scope *scope)
{
    CHECK_OK(rondo_cancel_scope_cancel(scope, NULL, NULL));
}

static void cancel_scope_soon(void *scope)
{
    CHECK_OK(rondo_cancel_scope_cancel(scope, "soon", NULL));
}

static int64_t now_of(rondo_loop *loop)
{
    int64_t now = 0;
    CHECK_OK(rondo_loop_time(loop, &now));
    return now;
}

/* ---- one scope ------------------------------------------------------------------------------- */

/* Not cancelled: nothing happens, and what is raised passes. */
RONDO_STEP(is_not_cancelled)
{
    struct part *self = frame;
    rondo_error *error = NULL;
    RONDO_BEGIN(self);
    self->scope = entered(self->loop, 0);
    RONDO_YIELD(self);
    CHECK_EQ_INT(rondo_cancel_scope_is_cancelled(self->scope), 0);
    CHECK_EQ_INT(rondo_current_cancel_requested(NULL), 0);
    CHECK_EQ_PTR(rondo_cancel_scope_get_error(self->scope), NULL);
    CHECK_EQ_INT(leave(&self->scope, NULL), RONDO_OK);
    self->scope = entered(self->loop, 0);
    error = kit_error(5, "five");
    CHECK_EQ_INT(leave(&self->scope, error), RONDO_E_USER);
    CHECK_OK(rondo_error_release(error));
    self->scope = entered(self->loop, 0);
    error = kit_rondo_error(RONDO_E_CANCELLED, "of a task that was awaited");
    CHECK_EQ_INT(leave(&self->scope, error), RONDO_E_CANCELLED);
    CHECK_OK(rondo_error_release(error));
    RONDO_END(self);
}

KIT_TEST(nothing_happens)
{
    rondo_loop *loop = kit_loop();
    struct part self = { 0 };
    run_part(loop, is_not_cancelled, &self);
    kit_loop_end(loop);
}

/* Each wait is cancelled, and the exit swallows it. */
RONDO_STEP(waits_again)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->scope = entered(self->loop, 0);
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_CANCELLED, "enough");
    CHECK_EQ_STR(rondo_error_get_operation(thrown), "here (there.c:7)");
    CHECK_EQ_INT(cancelling(self->task), 1);
    RONDO_TRY(self, rondo_coroutine_sleep(co, LONG)); /* again */
    expect_thrown(thrown, RONDO_E_CANCELLED, "enough");
    RONDO_TRY(self, rondo_coroutine_yield(co, NULL)); /* and again */
    expect_thrown(thrown, RONDO_E_CANCELLED, "enough");
    RONDO_TRY_AWAIT(self, self->other); /* is done: no wait */
    CHECK(thrown == NULL);
    RONDO_TRY(self, rondo_coroutine_sleep(co, LONG));
    CHECK_EQ_INT(cancelling(self->task), 1);
    CHECK_EQ_PTR(thrown, rondo_cancel_scope_get_error(self->scope));
    CHECK_OK(rondo_cancel_scope_exit(self->scope, thrown, &self->left));
    CHECK_EQ_PTR(self->left, NULL);
    CHECK_EQ_INT(rondo_cancel_scope_is_caught(self->scope), 1);
    CHECK_EQ_INT(rondo_cancel_scope_is_cancelled(self->scope), 1);
    CHECK_EQ_INT(rondo_cancel_scope_is_expired(self->scope), 0);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_YIELD(self); /* nothing is left */
    RONDO_SLEEP(self, 1);
    RONDO_END(self);
}

KIT_TEST(is_a_state)
{
    rondo_loop *loop = kit_loop();
    struct part self = { .future = future_of(loop), .other = future_of(loop) };
    CHECK_OK(rondo_future_set_result(self.other, NULL, NULL));
    spawn_part(loop, waits_again, &self);
    kit_pass(loop);
    CHECK_OK(rondo_cancel_scope_cancel(self.scope, "enough", "here (there.c:7)"));
    CHECK_OK(rondo_cancel_scope_cancel(self.scope, "too late", NULL));
    CHECK_EQ_INT(cancelling(self.task), 1);
    run_until_done(loop, self.task);
    expect_result(as_future(self.task), NULL);
    finish_part(&self);
    kit_loop_end(loop);
}

/* Cancelled by the task itself, or before it is entered: up to the first wait. */
RONDO_STEP(cancels_itself)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    for (self->i = 0; self->i < 4; self->i++) {
        self->scope = scope_of(self->loop, 0);
        if (self->i & 1)
            cancel(self->scope);
        CHECK_OK(rondo_cancel_scope_enter(self->scope));
        if (!(self->i & 1))
            cancel(self->scope);
        CHECK_EQ_INT(rondo_current_cancel_requested(self->loop), 1);
        CHECK_EQ_INT(cancelling(self->task), 1);
        if (self->i & 2)
            RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
        else
            RONDO_TRY(self, rondo_coroutine_sleep(co, LONG));
        expect_thrown(thrown, RONDO_E_CANCELLED, "cancelled");
        CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_OK);
        self->scope = entered(self->loop, 0); /* and without any wait there is nothing to swallow */
        cancel(self->scope);
        CHECK_OK(rondo_cancel_scope_exit(self->scope, NULL, NULL));
        CHECK_EQ_INT(rondo_cancel_scope_is_caught(self->scope), 0);
        CHECK_OK(rondo_cancel_scope_release(self->scope));
        self->scope = NULL;
        CHECK_EQ_INT(cancelling(self->task), 0);
        RONDO_YIELD(self);
    }
    RONDO_END(self);
}

KIT_TEST(up_to_the_first_wait)
{
    rondo_loop *loop = kit_loop();
    struct part self = { 0 };
    run_part(loop, cancels_itself, &self);
    kit_loop_end(loop);
}

/* Woken with a result and cancelled in the same pass: the result arrives, the next wait does not. */
RONDO_STEP(is_woken_first)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->scope = entered(self->loop, 0);
    RONDO_TRY_AWAIT(self, self->future);
    CHECK(thrown == NULL);
    CHECK_EQ_PTR(sent, self);
    RONDO_TRY(self, rondo_coroutine_sleep(co, LONG));
    expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_OK);
    RONDO_END(self);
}

KIT_TEST(a_result_is_not_lost)
{
    rondo_loop *loop = kit_loop();
    struct part self = { .future = future_of(loop) };
    spawn_part(loop, is_woken_first, &self);
    kit_pass(loop);
    CHECK_OK(rondo_future_set_result(self.future, &self, NULL));
    cancel(self.scope);
    run_until_done(loop, self.task);
    expect_result(as_future(self.task), NULL);
    finish_part(&self);
    kit_loop_end(loop);
}

/* The reason and the place of whoever cancelled. */
RONDO_STEP(raises_out)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->scope = entered(self->loop, 0);
    RONDO_AWAIT(self, self->future); /* leaves without the exit */
    RONDO_END(self);
}

static rondo_error *error_of(rondo_task *task)
{
    rondo_error *error = NULL;
    CHECK_OK(rondo_future_get_cancelled_error(as_future(task), &error));
    return error;
}

KIT_TEST(says_who_cancelled)
{
    rondo_loop *loop = kit_loop();
    char text[200], place[100];
    struct part self = { .future = future_of(loop) };
    spawn_part(loop, raises_out, &self);
    kit_pass(loop);
    self.kept = self.scope;
    CHECK_OK(rondo_cancel_scope_retain(self.kept));
    CHECK_OK(rondo_cancel_scope_cancel_here(self.scope, "shutting down"));
    snprintf(place, sizeof place, "%s (%s:%d)", __func__, __FILE__, __LINE__ - 1);
    run_until_done(loop, self.task);
    /* It ended in its scope, which was left with it. */
    expect_cancelled(as_future(self.task), "shutting down");
    CHECK_EQ_INT(cancelling(self.task), 0);
    rondo_error *error = error_of(self.task);
    CHECK_EQ_PTR(error, rondo_cancel_scope_get_error(self.kept));
    CHECK_EQ_STR(rondo_error_get_operation(error), place);
    CHECK_OK(rondo_error_describe(error, text, sizeof text, NULL));
    CHECK(strstr(text, "CancelledError('shutting down') in kit_body_says_who_cancelled (") == text);
    CHECK_STATUS(rondo_cancel_scope_exit(self.kept, NULL, NULL), RONDO_E_RUNTIME);
    CHECK_OK(rondo_error_release(error));
    finish_part(&self);
    rondo_cancel_scope *scope = scope_of(loop, 0);
    CHECK_OK(rondo_cancel_scope_cancel_at(scope, NULL, NULL, "x.py", 3));
    CHECK_EQ_STR(rondo_error_get_operation(rondo_cancel_scope_get_error(scope)), "(x.py:3)");
    CHECK_EQ_STR(rondo_error_get_message(rondo_cancel_scope_get_error(scope)), "cancelled");
    CHECK_OK(rondo_cancel_scope_release(scope));
    kit_loop_end(loop);
}

/* ---- somebody else's cancellation ------------------------------------------------------------ */

/* mode 1: cancelled by task.cancel(), 2: and the scope as well, 3: the scope first. */
RONDO_STEP(is_cancelled_from_outside)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->scope = entered(self->loop, 0);
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    CHECK_EQ_INT(cancelling(self->task), self->mode == 1 ? 1 : 2);
    CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_E_CANCELLED);
    CHECK_EQ_INT(cancelling(self->task), 1);
    RONDO_YIELD(self); /* one cancellation was delivered; no other comes */
    CHECK_EQ_INT(uncancel(self->task), 0);
    RONDO_END(self);
}

KIT_TEST(a_task_cancel_passes)
{
    rondo_loop *loop = kit_loop();
    for (int mode = 1; mode <= 3; mode++) {
        struct part self = { .mode = mode, .future = future_of(loop) };
        spawn_part(loop, is_cancelled_from_outside, &self);
        kit_pass(loop);
        if (mode == 3)
            cancel(self.scope);
        if (mode != 3)
            CHECK_OK(rondo_task_cancel(self.task, "outside", NULL));
        if (mode == 2)
            cancel(self.scope);
        if (mode == 3) { /* what it waits for is cancelled already: this one comes with its next step */
            CHECK_OK(rondo_task_cancel(self.task, "outside", NULL));
        }
        run_until_done(loop, self.task);
        expect_result(as_future(self.task), NULL);
        finish_part(&self);
    }
    kit_loop_end(loop);
}

/* Cancelled before the scope: that counts for nothing inside. */
RONDO_STEP(was_cancelled_before)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_CANCELLED, "before");
    self->scope = entered(self->loop, 0);
    cancel(self->scope);
    CHECK_EQ_INT(cancelling(self->task), 2);
    RONDO_TRY(self, rondo_coroutine_sleep(co, LONG));
    CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_OK);
    CHECK_EQ_INT(cancelling(self->task), 1);
    RONDO_YIELD(self);
    CHECK_EQ_INT(uncancel(self->task), 0);
    RONDO_END(self);
}

KIT_TEST(an_earlier_cancel_is_none_of_it)
{
    rondo_loop *loop = kit_loop();
    struct part self = { .future = future_of(loop) };
    spawn_part(loop, was_cancelled_before, &self);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(self.task, "before", NULL));
    run_until_done(loop, self.task);
    finish_part(&self);
    kit_loop_end(loop);
}

/* ---- nested ---------------------------------------------------------------------------------- */

/* mode 0: the outer one is cancelled, 1: the inner one, 2: both, 3: the outer one, and the inner
 * one is a shield; 4: both, and the inner one is a shield. */
RONDO_STEP(nested)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->outer = entered(self->loop, 0);
    self->scope = entered(self->loop, self->mode >= 3 ? RONDO_CANCEL_SCOPE_SHIELD : 0);
    RONDO_TRY_AWAIT(self, self->future);
    if (self->mode == 3) {
        CHECK(thrown == NULL); /* until the future was completed, under the shield */
        CHECK_EQ_INT(cancelling(self->task), 0);
        CHECK_EQ_INT(rondo_current_cancel_requested(NULL), 0);
        CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_OK);
    } else {
        expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
        CHECK_EQ_INT(cancelling(self->task), 1);
        CHECK_EQ_INT(leave(&self->scope, thrown), self->mode == 0 || self->mode == 2 ? RONDO_E_CANCELLED : RONDO_OK);
    }
    CHECK_EQ_INT(cancelling(self->task), self->mode == 1 ? 0 : 1);
    RONDO_TRY(self, rondo_coroutine_sleep(co, self->mode == 1 ? 1 : LONG));
    CHECK_EQ_INT(thrown != NULL, self->mode != 1);
    CHECK_EQ_INT(leave(&self->outer, thrown), RONDO_OK);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_YIELD(self);
    RONDO_END(self);
}

KIT_TEST(scopes_in_scopes)
{
    rondo_loop *loop = kit_loop();
    for (int mode = 0; mode <= 4; mode++) {
        struct part self = { .mode = mode, .future = future_of(loop) };
        spawn_part(loop, nested, &self);
        kit_pass(loop);
        if (mode != 1)
            cancel(self.outer);
        if (mode == 1 || mode == 2 || mode == 4)
            cancel(self.scope);
        if (mode == 3) {
            kit_pass(loop);
            expect_pending(self.future);
            CHECK_OK(rondo_future_set_result(self.future, NULL, NULL));
        }
        run_until_done(loop, self.task);
        expect_result(as_future(self.task), NULL);
        finish_part(&self);
    }
    kit_loop_end(loop);
}

/* A shield that is put up, and taken down again, while its task waits. */
RONDO_STEP(behind_a_shield)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->outer = entered(self->loop, 0);
    self->scope = entered(self->loop, 0);
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    CHECK_OK(rondo_cancel_scope_set_shield(self->scope, 1));
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_SLEEP(self, 1);
    self->i = 1;
    RONDO_TRY_AWAIT(self, self->other);
    expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_E_CANCELLED);
    CHECK_EQ_INT(leave(&self->outer, thrown), RONDO_OK);
    RONDO_END(self);
}

KIT_TEST(a_shield_is_taken_down)
{
    rondo_loop *loop = kit_loop();
    struct part self = { .future = future_of(loop), .other = future_of(loop) };
    spawn_part(loop, behind_a_shield, &self);
    kit_pass(loop);
    cancel(self.outer);
    while (self.i == 0)
        kit_pass(loop);
    kit_pass(loop);
    expect_pending(self.other);
    CHECK_STATUS(rondo_cancel_scope_set_shield(self.scope, 2), -EINVAL);
    CHECK_OK(rondo_cancel_scope_set_shield(self.scope, 0));
    CHECK_EQ_INT(cancelling(self.task), 1);
    run_until_done(loop, self.task);
    expect_result(as_future(self.task), NULL);
    finish_part(&self);
    kit_loop_end(loop);
}

/* Many scopes deep: nothing here may recurse. */
#define DEPTH 20000

RONDO_STEP(goes_deep)
{
    static rondo_cancel_scope *scopes[DEPTH];
    struct part *self = frame;
    RONDO_BEGIN(self);
    for (int i = 0; i < DEPTH; i++)
        scopes[i] = entered(self->loop, 0);
    self->kept = scopes[0];
    CHECK_OK(rondo_cancel_scope_retain(self->kept));
    RONDO_TRY(self, rondo_coroutine_sleep(co, LONG));
    for (int i = DEPTH - 1; i >= 0; i--)
        CHECK_EQ_INT(leave(&scopes[i], thrown), i == 0 ? RONDO_OK : RONDO_E_CANCELLED);
    RONDO_END(self);
}

KIT_TEST(deep)
{
    rondo_loop *loop = kit_loop();
    struct part self = { 0 };
    spawn_part(loop, goes_deep, &self);
    kit_pass(loop);
    cancel(self.kept);
    run_until_done(loop, self.task);
    expect_result(as_future(self.task), NULL);
    finish_part(&self);
    kit_loop_end(loop);
}

/* ---- deadlines ------------------------------------------------------------------------------- */

RONDO_STEP(has_a_deadline)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    RONDO_FAIL_AFTER(self, self->scope, self->loop, 0);
    RONDO_YIELD(self);
    RONDO_END(self);
}

RONDO_STEP(fails_after)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    RONDO_FAIL_AFTER(self, self->scope, self->loop, self->mode == 0 ? SHORT : -1);
    self->kept = self->scope;
    CHECK_OK(rondo_cancel_scope_retain(self->kept));
    RONDO_SLEEP_IN(self, work, LONG);
    RONDO_TRY_CANCEL_SCOPE_EXIT(self, work, self->scope, self->left);
    expect_thrown(self->left, RONDO_E_TIMEOUT, NULL);
    expect_thrown(rondo_error_get_cause(self->left), RONDO_E_CANCELLED, "the deadline of a cancel scope is over");
    CHECK_EQ_INT(rondo_cancel_scope_is_expired(self->kept), 1);
    CHECK_EQ_INT(rondo_cancel_scope_is_cancelled(self->kept), 1);
    CHECK_EQ_INT(rondo_cancel_scope_is_caught(self->kept), 1);
    RONDO_END(self);
}

RONDO_STEP(moves_on)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->time = now_of(self->loop);
    RONDO_MOVE_ON_AFTER(self, self->scope, self->loop, SHORT);
    RONDO_SLEEP_IN(self, nap, LONG);
    kit_fail(__FILE__, __LINE__, "slept too long");
    RONDO_CANCEL_SCOPE_EXIT(self, nap, self->scope);
    CHECK(now_of(self->loop) >= self->time + SHORT);
    RONDO_MOVE_ON_AFTER(self, self->scope, self->loop, LONG); /* in time */
    RONDO_SLEEP_IN(self, nap2, 1);
    RONDO_CANCEL_SCOPE_EXIT(self, nap2, self->scope);
    RONDO_END(self);
}

/* What an inner part swallowed is not thrown in the outer one. */
RONDO_STEP(moves_on_inside)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    RONDO_MOVE_ON_AFTER(self, self->outer, self->loop, LONG);
    RONDO_MOVE_ON_AFTER(self, self->scope, self->loop, 0);
    RONDO_SLEEP_IN(self, inner, LONG);
    RONDO_CANCEL_SCOPE_EXIT(self, inner, self->scope);
    RONDO_MOVE_ON_AFTER(self, self->scope, self->loop, 0);
    RONDO_SLEEP_IN(self, again, LONG);
    RONDO_TRY_CANCEL_SCOPE_EXIT(self, again, self->scope, self->left);
    CHECK_EQ_PTR(self->left, NULL);
    RONDO_CANCEL_SCOPE_EXIT(self, outer, self->outer);
    RONDO_END(self);
}

KIT_TEST(deadline_moves_on)
{
    rondo_loop *loop = kit_loop();
    struct part self = { 0 }, inside = { 0 };
    run_part(loop, moves_on, &self);
    run_part(loop, moves_on_inside, &inside);
    kit_loop_end(loop); /* finds no timer */
}

KIT_TEST(deadline_fails)
{
    rondo_loop *loop = kit_loop();
    for (int mode = 0; mode < 2; mode++) {
        struct part self = { .mode = mode };
        run_part(loop, fails_after, &self);
    }
    kit_loop_end(loop);
}

/* A task that ends without leaving what it entered: nothing stays behind. */
KIT_TEST(left_behind)
{
    rondo_loop *loop = kit_loop();
    struct part self = { 0 };
    run_until_done(loop, spawn_part(loop, has_a_deadline, &self));
    expect_cancelled(as_future(self.task), "the deadline of a cancel scope is over");
    CHECK_EQ_INT(cancelling(self.task), 0);
    finish_part(&self);
    kit_loop_end(loop);
}

static int64_t current_deadline(void)
{
    int64_t when = 77;
    CHECK_OK(rondo_current_deadline(NULL, &when));
    return when;
}

static int64_t time_left(void)
{
    int64_t left = 77;
    CHECK_OK(rondo_current_time_left(NULL, &left));
    return left;
}

RONDO_STEP(asks_for_the_time)
{
    struct part *self = frame;
    int64_t when = 0;
    RONDO_BEGIN(self);
    self->time = now_of(self->loop) + LONG;
    CHECK_EQ_INT(current_deadline(), RONDO_NEVER);
    CHECK_EQ_INT(time_left(), RONDO_NEVER);
    self->outer = entered(self->loop, 0);
    CHECK_EQ_INT(current_deadline(), RONDO_NEVER);
    CHECK_OK(rondo_cancel_scope_set_deadline(self->outer, self->time));
    CHECK_EQ_INT(current_deadline(), self->time);
    CHECK(time_left() > 0 && time_left() <= LONG);
    self->scope = entered(self->loop, 0);
    CHECK_OK(rondo_cancel_scope_set_deadline(self->scope, self->time + 1)); /* later: the outer one counts */
    CHECK_EQ_INT(current_deadline(), self->time);
    CHECK_OK(rondo_cancel_scope_get_deadline(self->scope, &when));
    CHECK_EQ_INT(when, self->time + 1);
    CHECK_OK(rondo_cancel_scope_set_shield(self->scope, 1));
    CHECK_EQ_INT(current_deadline(), self->time + 1);
    CHECK_OK(rondo_cancel_scope_set_shield(self->scope, 0));
    CHECK_OK(rondo_cancel_scope_set_deadline(self->scope, self->time - 1));
    CHECK_EQ_INT(current_deadline(), self->time - 1);
    CHECK_OK(rondo_cancel_scope_set_deadline(self->scope, INT64_MIN)); /* over: cancelled now */
    CHECK_EQ_INT(rondo_cancel_scope_is_expired(self->scope), 1);
    CHECK_EQ_INT(current_deadline(), INT64_MIN);
    CHECK_EQ_INT(time_left(), 0);
    RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
    CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_OK);
    CHECK_EQ_INT(current_deadline(), self->time);
    CHECK_OK(rondo_cancel_scope_set_deadline(self->outer, RONDO_NEVER));
    CHECK_EQ_INT(time_left(), RONDO_NEVER);
    RONDO_YIELD(self);
    CHECK_OK(rondo_cancel_scope_exit(self->outer, NULL, NULL));
    CHECK_STATUS(rondo_cancel_scope_set_deadline(self->outer, 5), RONDO_E_RUNTIME);
    RONDO_END(self);
}

KIT_TEST(time_that_is_left)
{
    rondo_loop *loop = kit_loop();
    struct part self = { 0 };
    int64_t when = 0;
    run_part(loop, asks_for_the_time, &self);
    CHECK_STATUS(rondo_current_deadline(NULL, &when), RONDO_E_NO_LOOP);
    CHECK_STATUS(rondo_current_time_left(NULL, &when), RONDO_E_NO_LOOP);
    CHECK_OK(rondo_current_deadline(loop, &when));
    CHECK_EQ_INT(when, RONDO_NEVER);
    kit_loop_end(loop);
}

/* ---- grace ----------------------------------------------------------------------------------- */

static rondo_cancel_scope *patient_scope(rondo_loop *loop, int64_t grace)
{
    rondo_cancel_scope_options options = { .size = sizeof options, .grace_ns = grace };
    rondo_cancel_scope *scope = NULL;
    CHECK_OK(rondo_cancel_scope_new(loop, &options, &scope));
    return scope;
}

/* mode 0: ends within the grace period; 1: is made to end by insist(), 2: by the time. */
RONDO_STEP(is_asked)
{
    struct part *self = frame;
    rondo_future *request = NULL;
    RONDO_BEGIN(self);
    self->scope = patient_scope(self->loop, self->mode == 2 ? SHORT : LONG);
    CHECK_OK(rondo_cancel_scope_enter(self->scope));
    CHECK_STATUS(rondo_cancel_scope_insist(self->scope), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_cancel_scope_get_request(self->scope, &request));
    RONDO_TRY_AWAIT_MOVED(self, request); /* please finish */
    CHECK(thrown == NULL);
    CHECK_EQ_INT(rondo_current_cancel_requested(NULL), 1);
    CHECK_EQ_INT(rondo_cancel_scope_is_cancelled(self->scope), 1);
    CHECK_EQ_INT(cancelling(self->task), 0);
    CHECK(current_deadline() > INT64_MIN && time_left() <= LONG);
    if (self->mode != 2)
        RONDO_SLEEP(self, 1); /* there is time to finish */
    if (self->mode == 0) {
        CHECK_EQ_INT(leave(&self->scope, NULL), RONDO_OK);
        RONDO_RETURN(NULL);
    }
    if (self->mode == 1)
        CHECK_OK(rondo_cancel_scope_insist(self->scope));
    RONDO_TRY(self, rondo_coroutine_sleep(co, LONG));
    expect_thrown(thrown, RONDO_E_CANCELLED, "please");
    CHECK_EQ_INT(time_left(), 0);
    CHECK_OK(rondo_cancel_scope_insist(self->scope));
    CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_OK);
    RONDO_YIELD(self);
    RONDO_END(self);
}

KIT_TEST(asks_first_insists_later)
{
    rondo_loop *loop = kit_loop();
    for (int mode = 0; mode < 3; mode++) {
        struct part self = { .mode = mode };
        spawn_part(loop, is_asked, &self);
        kit_pass(loop);
        CHECK_OK(rondo_cancel_scope_cancel(self.scope, "please", NULL));
        run_until_done(loop, self.task);
        expect_result(as_future(self.task), NULL);
        finish_part(&self);
    }
    kit_loop_end(loop);
}

/* One who waits for the request is cancelled; the others wait on. A scope that is left is over. */
KIT_TEST(each_request_is_its_own)
{
    rondo_loop *loop = kit_loop();
    rondo_cancel_scope *scope = patient_scope(loop, RONDO_NEVER);
    rondo_future *one = NULL, *two = NULL, *three = NULL;
    CHECK_OK(rondo_cancel_scope_get_request(scope, &one));
    CHECK_OK(rondo_cancel_scope_get_request(scope, &two));
    CHECK_OK(rondo_future_cancel(one, NULL, NULL));
    expect_pending(two);
    cancel(scope);
    kit_pass(loop);
    expect_result(two, NULL);
    CHECK_OK(rondo_cancel_scope_get_request(scope, &three));
    kit_pass(loop);
    expect_result(three, NULL);
    end_future(one);
    end_future(two);
    end_future(three);
    CHECK_OK(rondo_cancel_scope_release(scope));
    scope = scope_of(loop, 0);
    CHECK_OK(rondo_cancel_scope_get_request(scope, &one));
    CHECK_OK(rondo_cancel_scope_release(scope));
    kit_pass(loop);
    expect_result(one, NULL);
    end_future(one);
    kit_loop_end(loop);
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* A child: logs what ends its wait. mode 1: behind a shield of its own, for one pass. */
RONDO_STEP(child)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    CHECK_EQ_INT(current_deadline() < RONDO_NEVER, self->parent->time != 0);
    if (self->mode == 1) {
        self->scope = entered(self->loop, RONDO_CANCEL_SCOPE_SHIELD);
        RONDO_TRY_AWAIT(self, self->future);
        CHECK(thrown == NULL);
        CHECK_EQ_INT(leave(&self->scope, NULL), RONDO_OK);
    }
    RONDO_TRY(self, rondo_coroutine_sleep(co, LONG));
    kit_log("%s:%s", self->name, thrown == NULL ? "-" : rondo_error_get_message(thrown));
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* A group with two children in a scope; a third is made from inside of an inner scope. */
RONDO_STEP(has_children)
{
    static struct part children[3];
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->outer = entered(self->loop, 0);
    if (self->time != 0)
        CHECK_OK(rondo_cancel_scope_set_deadline(self->outer, now_of(self->loop) + LONG));
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    self->scope = entered(self->loop, RONDO_CANCEL_SCOPE_SHIELD);
    for (int i = 0; i < 3; i++) {
        children[i] = (struct part){ .name = i == 0 ? "a" : i == 1 ? "b" : "c", .loop = self->loop, .parent = self,
                                     .future = self->future, .mode = i == 2 ? self->mode : 0 };
        CHECK_OK(rondo_task_group_spawn(self->group, child, &children[i], part_drop, NULL, NULL));
    }
    CHECK_EQ_INT(leave(&self->scope, NULL), RONDO_OK);
    if (self->n)
        RONDO_SLEEP_IN(self, group, LONG);
    RONDO_TRY_TASK_GROUP_EXIT(self, group, self->group);
    kit_log("exit:%s", thrown == NULL ? "-" : rondo_error_get_message(thrown));
    CHECK_EQ_INT(cancelling(self->task), 1);
    CHECK_EQ_INT(leave(&self->outer, thrown), RONDO_OK);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_YIELD(self);
    RONDO_END(self);
}

static void cancel_group_in_scope(int n, int mode, const char *expected)
{
    rondo_loop *loop = kit_loop();
    struct part self = { .n = n, .mode = mode, .time = mode, .future = future_of(loop) };
    spawn_part(loop, has_children, &self);
    kit_pass(loop);
    kit_pass(loop);
    CHECK_OK(rondo_cancel_scope_cancel(self.outer, "all", NULL));
    for (int i = 0; i < 6; i++)
        kit_pass(loop);
    if (mode == 1) {
        CHECK_EQ_INT(rondo_future_is_done(as_future(self.task)), 0);
        CHECK_OK(rondo_future_set_result(self.future, NULL, NULL));
    }
    run_until_done(loop, self.task);
    expect_result(as_future(self.task), NULL);
    kit_expect_log(expected);
    finish_part(&self);
    kit_loop_end(loop);
}

KIT_TEST(children_are_inside) { cancel_group_in_scope(1, 0, "a:all b:all c:all exit:all"); }
KIT_TEST(children_of_a_waiting_exit) { cancel_group_in_scope(0, 0, "a:all b:all c:all exit:all"); }
KIT_TEST(a_child_behind_a_shield) { cancel_group_in_scope(1, 1, "a:all b:all c:all exit:all"); }
KIT_TEST(an_exit_waits_for_a_shield) { cancel_group_in_scope(0, 1, "a:all b:all c:all exit:all"); }

/* The parent waits for a child that lets itself be asked twice: no pass is spent on asking again. */
RONDO_STEP(waits_behind_a_shield)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->scope = entered(self->loop, RONDO_CANCEL_SCOPE_SHIELD);
    RONDO_TRY_AWAIT(self, self->future);
    CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_OK);
    RONDO_END(self);
}

RONDO_STEP(waits_for_it)
{
    static struct part inner;
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->outer = entered(self->loop, 0);
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    inner = (struct part){ .loop = self->loop, .future = self->future };
    CHECK_OK(rondo_task_group_spawn(self->group, waits_behind_a_shield, &inner, part_drop, NULL, NULL));
    RONDO_TRY_TASK_GROUP_EXIT(self, group, self->group);
    CHECK_EQ_INT(leave(&self->outer, thrown), RONDO_OK);
    RONDO_END(self);
}

static uint64_t drive(rondo_loop *loop)
{
    uint64_t calls = 0;
    CHECK_OK(rondo_loop_drive(loop, 0, 0, &calls));
    return calls;
}

KIT_TEST(nothing_is_polled)
{
    rondo_loop *loop = kit_loop();
    struct part self = { .future = future_of(loop) };
    spawn_part(loop, waits_for_it, &self);
    drive(loop);
    drive(loop);
    cancel(self.outer);
    for (int i = 0; i < 5; i++)
        drive(loop);
    CHECK_EQ_INT(drive(loop), 0); /* everybody waits, nobody is asked again */
    CHECK_OK(rondo_future_set_result(self.future, NULL, NULL));
    run_until_done(loop, self.task);
    expect_result(as_future(self.task), NULL);
    finish_part(&self);
    kit_loop_end(loop);
}

/* The same for a condition, which has to take its lock again. */
struct locked {
    RONDO_FRAME;
    rondo_loop *loop;
    rondo_condition *condition;
    rondo_cancel_scope *scope;
    rondo_coroutine *wait;
};

RONDO_STEP(waits_for_a_condition)
{
    struct locked *self = frame;
    RONDO_BEGIN(self);
    self->scope = entered(self->loop, 0);
    CHECK_OK(rondo_condition_acquire(self->condition, &self->wait));
    RONDO_AWAIT(self, self->wait);
    CHECK_OK(rondo_condition_wait(self->condition, &self->wait));
    RONDO_TRY_AWAIT(self, self->wait);
    expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    CHECK_EQ_INT(rondo_condition_is_locked(self->condition), 1);
    CHECK_OK(rondo_condition_unlock(self->condition));
    CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_OK);
    RONDO_END(self);
}

static void lock_and_cancel(void *arg)
{
    struct locked *self = arg;
    rondo_coroutine *acquire = NULL;
    CHECK_OK(rondo_condition_acquire(self->condition, &acquire));
    CHECK_OK(rondo_loop_create_task(self->loop, acquire, NULL, NULL));
    cancel(self->scope);
}

KIT_TEST(a_condition_takes_its_lock_again)
{
    rondo_loop *loop = kit_loop();
    struct locked self = { .loop = loop };
    rondo_task *task = NULL;
    CHECK_OK(rondo_condition_new(loop, NULL, &self.condition));
    CHECK_OK(rondo_loop_spawn(loop, waits_for_a_condition, &self, NULL, NULL, &task));
    drive(loop);
    drive(loop);
    CHECK_EQ_INT(rondo_condition_is_locked(self.condition), 0);
    CHECK_OK(rondo_loop_call_soon(loop, lock_and_cancel, &self, NULL, NULL));
    for (int i = 0; i < 5; i++)
        drive(loop);
    CHECK_EQ_INT(rondo_condition_is_locked(self.condition), 1); /* somebody else's */
    CHECK_EQ_INT(drive(loop), 0);
    CHECK_OK(rondo_condition_unlock(self.condition));
    run_until_done(loop, task);
    expect_result(as_future(task), NULL);
    end_task(task);
    CHECK_OK(rondo_condition_release(self.condition));
    kit_loop_end(loop);
}

/* ---- timeouts -------------------------------------------------------------------------------- */

/* A timeout inside of a scope. mode 0: the timeout's time is over; 1: the scope is cancelled; 2:
 * both, in one pass; 3: the timeout is over, and the scope is cancelled while that is handled. */
RONDO_STEP(has_a_timeout)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->scope = entered(self->loop, 0);
    CHECK_OK(rondo_timeout_new(self->loop, self->mode == 1 ? LONG : 0, &self->limit));
    CHECK_OK(rondo_timeout_enter(self->limit));
    if (self->mode == 2)
        CHECK_OK(rondo_loop_call_soon(self->loop, cancel_scope_soon, self->scope, NULL, NULL));
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    CHECK_OK(rondo_timeout_exit(self->limit, thrown, &self->left));
    expect_thrown(self->left, self->mode == 0 || self->mode == 3 ? RONDO_E_TIMEOUT : RONDO_E_CANCELLED, NULL);
    thrown = self->left;
    if (self->mode == 3) {
        cancel(self->scope);
        RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
        expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    }
    CHECK_EQ_INT(cancelling(self->task), self->mode == 0 ? 0 : 1);
    CHECK_EQ_INT(leave(&self->scope, thrown), self->mode == 0 ? RONDO_E_TIMEOUT : RONDO_OK);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_YIELD(self);
    RONDO_END(self);
}

KIT_TEST(timeouts_inside)
{
    rondo_loop *loop = kit_loop();
    for (int mode = 0; mode < 4; mode++) {
        struct part self = { .mode = mode, .future = future_of(loop) };
        spawn_part(loop, has_a_timeout, &self);
        kit_pass(loop);
        if (mode == 1)
            cancel(self.scope);
        run_until_done(loop, self.task);
        expect_result(as_future(self.task), NULL);
        CHECK_EQ_INT(cancelling(self.task), 0);
        finish_part(&self);
    }
    kit_loop_end(loop);
}

/* A scope inside of a timeout. mode 0: the timeout's time is over; 1: the scope is cancelled; 2: both. */
RONDO_STEP(is_in_a_timeout)
{
    struct part *self = frame;
    rondo_status status;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_timeout_new(self->loop, self->mode == 1 ? LONG : 0, &self->limit));
    CHECK_OK(rondo_timeout_enter(self->limit));
    self->scope = entered(self->loop, 0);
    if (self->mode >= 1)
        cancel(self->scope);
    if (self->mode == 2) /* the timeout's call comes before the step that is cancelled by the scope */
        RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
    else
        RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    self->thrown = thrown;
    CHECK_OK(rondo_error_retain(thrown));
    status = leave(&self->scope, thrown);
    CHECK_EQ_INT(status, self->mode == 1 ? RONDO_OK : RONDO_E_CANCELLED);
    CHECK_OK(rondo_timeout_exit(self->limit, self->mode == 1 ? NULL : self->thrown, &self->left));
    if (self->mode != 1)
        expect_thrown(self->left, RONDO_E_TIMEOUT, NULL);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_YIELD(self);
    RONDO_END(self);
}

KIT_TEST(timeouts_around)
{
    rondo_loop *loop = kit_loop();
    for (int mode = 0; mode < 3; mode++) {
        struct part self = { .mode = mode, .future = future_of(loop) };
        run_part(loop, is_in_a_timeout, &self);
    }
    kit_loop_end(loop);
}

/* A group that fails inside of a cancelled scope: the group is raised, and no stray cancellation stays. */
RONDO_STEP(fails_now)
{
    (void)frame, (void)sent, (void)thrown;
    return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, 5, "five");
}

RONDO_STEP(has_a_group_that_fails)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->scope = entered(self->loop, 0);
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    CHECK_OK(rondo_task_group_spawn(self->group, fails_now, NULL, NULL, NULL, NULL));
    cancel(self->scope);
    RONDO_SLEEP_IN(self, group, LONG);
    RONDO_TRY_TASK_GROUP_EXIT(self, group, self->group);
    expect_thrown(thrown, RONDO_E_GROUP, NULL);
    CHECK_EQ_INT(cancelling(self->task), 1);
    CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_E_GROUP);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_YIELD(self);
    RONDO_SLEEP(self, 1);
    RONDO_END(self);
}

KIT_TEST(a_group_fails_inside)
{
    rondo_loop *loop = kit_loop();
    struct part self = { 0 };
    run_part(loop, has_a_group_that_fails, &self);
    kit_loop_end(loop);
}

/* ---- what asyncio's own waits make of it ----------------------------------------------------- */

/* mode 0: gather, 1: shield, 2: wait_for, 3: a task, 4: wait; each in a cancelled scope. */
static rondo_awaitable *wait_of(struct part *self, struct frame *inner)
{
    rondo_future *made = NULL;
    rondo_coroutine *wait = NULL;
    rondo_awaitable *both[2];
    *inner = (struct frame){ .loop = self->loop, .future = self->future, .name = "inner" };
    rondo_task *task = task_of(self->loop, tells_step, inner);
    both[0] = task;
    both[1] = self->other;
    switch (self->mode) {
    case 0: CHECK_OK(rondo_gather(self->loop, both, 2, 0, &made)); break;
    case 1: CHECK_OK(rondo_shield(self->loop, task, &made)); break;
    case 2: CHECK_OK(rondo_wait_for(task, LONG, &wait)); break;
    case 3: made = as_future(task); return made; /* its reference is given to the await */
    default: CHECK_OK(rondo_wait(self->loop, both, 2, RONDO_NEVER, RONDO_WAIT_ALL_COMPLETED, &wait));
    }
    end_task(task);
    return made != NULL ? (rondo_awaitable *)made : wait;
}

RONDO_STEP(waits_in_asyncios_ways)
{
    static struct frame inner;
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->scope = entered(self->loop, 0);
    RONDO_TRY_AWAIT_MOVED(self, wait_of(self, &inner));
    expect_thrown(thrown, RONDO_E_CANCELLED, "soon");
    CHECK_EQ_INT(cancelling(self->task), 1);
    CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_OK);
    RONDO_YIELD(self);
    RONDO_END(self);
}

KIT_TEST(waits_of_every_kind)
{
    rondo_loop *loop = kit_loop();
    for (int mode = 0; mode < 5; mode++) {
        struct part self = { .mode = mode, .future = future_of(loop), .other = future_of(loop) };
        spawn_part(loop, waits_in_asyncios_ways, &self);
        kit_pass(loop);
        kit_pass(loop);
        cancel_scope_soon(self.scope);
        run_until_done(loop, self.task);
        expect_result(as_future(self.task), NULL);
        /* shield and wait cancel nothing: what they waited for goes on. */
        CHECK_EQ_INT(rondo_future_is_done(self.future), mode != 1 && mode != 4);
        if (mode == 1 || mode == 4)
            CHECK_OK(rondo_future_set_result(self.future, NULL, NULL));
        kit_pass(loop);
        kit_pass(loop);
        kit_expect_log(mode == 1 || mode == 4 ? "inner:ok" : "inner:cancelled");
        finish_part(&self);
    }
    kit_loop_end(loop);
}

/* ---- misuse ---------------------------------------------------------------------------------- */

RONDO_STEP(enters_what_is_not_its_own)
{
    struct part *self = frame;
    rondo_error *left = NULL;
    RONDO_BEGIN(self);
    self->scope = entered(self->loop, 0);
    CHECK_STATUS(rondo_cancel_scope_enter(self->scope), RONDO_E_RUNTIME);
    CHECK_STATUS(rondo_cancel_scope_exit(self->parent->scope, NULL, &left), RONDO_E_RUNTIME); /* another task's */
    CHECK_STATUS(rondo_cancel_scope_enter(self->parent->scope), RONDO_E_RUNTIME);
    self->outer = entered(self->loop, 0);
    CHECK_STATUS(rondo_cancel_scope_exit(self->scope, NULL, &left), RONDO_E_RUNTIME); /* out of order */
    CHECK_EQ_PTR(left, NULL);
    CHECK_EQ_INT(leave(&self->outer, NULL), RONDO_OK);
    CHECK_OK(rondo_cancel_scope_exit(self->scope, NULL, NULL));
    CHECK_STATUS(rondo_cancel_scope_exit(self->scope, NULL, NULL), RONDO_E_RUNTIME);
    CHECK_STATUS(rondo_cancel_scope_enter(self->scope), RONDO_E_RUNTIME);
    CHECK_STATUS(rondo_cancel_scope_set_shield(self->scope, 1), RONDO_E_RUNTIME);
    CHECK_OK(rondo_cancel_scope_cancel(self->scope, NULL, NULL)); /* nothing is left to do */
    CHECK_EQ_INT(rondo_cancel_scope_is_cancelled(self->scope), 0);
    RONDO_YIELD(self);
    RONDO_END(self);
}

KIT_TEST(wrong_order_and_wrong_task)
{
    rondo_loop *loop = kit_loop();
    struct part other = { .future = future_of(loop) }, self = { .parent = &other };
    spawn_part(loop, raises_out, &other);
    kit_pass(loop);
    CHECK_STATUS(rondo_cancel_scope_exit(other.scope, NULL, NULL), RONDO_E_RUNTIME); /* no task at all */
    run_part(loop, enters_what_is_not_its_own, &self);
    CHECK_OK(rondo_future_set_result(other.future, NULL, NULL));
    run_until_done(loop, other.task);
    finish_part(&other);
    rondo_cancel_scope *scope = scope_of(loop, 0);
    CHECK_STATUS(rondo_cancel_scope_enter(scope), RONDO_E_RUNTIME);
    CHECK_STATUS(rondo_cancel_scope_exit(scope, NULL, NULL), RONDO_E_RUNTIME);
    CHECK_OK(rondo_cancel_scope_release(scope));
    kit_loop_end(loop);
}

KIT_TEST(options)
{
    rondo_loop *loop = kit_loop();
    struct {
        rondo_cancel_scope_options options;
        char tail[8];
    } big = { .options = { .size = sizeof big } };
    rondo_cancel_scope *scope = NULL;
    CHECK_OK(rondo_cancel_scope_new(loop, &big.options, &scope));
    CHECK_OK(rondo_cancel_scope_release(scope));
    scope = NULL;
    big.tail[0] = 1;
    CHECK_STATUS(rondo_cancel_scope_new(loop, &big.options, &scope), -E2BIG);
    big.options.size = 4;
    CHECK_STATUS(rondo_cancel_scope_new(loop, &big.options, &scope), -EINVAL);
    big.options.size = sizeof big.options;
    big.options.flags = 0x80;
    CHECK_STATUS(rondo_cancel_scope_new(loop, &big.options, &scope), -EINVAL);
    big.options.flags = 0;
    big.options.grace_ns = -1;
    CHECK_STATUS(rondo_cancel_scope_new_after(loop, 1, &big.options, &scope), -EINVAL);
    CHECK_EQ_PTR(scope, NULL);
    kit_loop_end(loop);
}

/* Released while it is entered: it works on, as its task and its timer have it. */
RONDO_STEP(lets_go_of_it)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_cancel_scope_new_after(self->loop, SHORT, NULL, &self->scope));
    CHECK_OK(rondo_cancel_scope_enter(self->scope));
    CHECK_OK(rondo_cancel_scope_release(self->scope));
    self->scope = NULL;
    RONDO_SLEEP(self, LONG);
    RONDO_END(self);
}

KIT_TEST(released_while_entered)
{
    rondo_loop *loop = kit_loop();
    struct part self = { 0 };
    run_until_done(loop, spawn_part(loop, lets_go_of_it, &self));
    expect_cancelled(as_future(self.task), NULL);
    finish_part(&self);
    kit_loop_end(loop);
}

/* The loop is closed around tasks in scopes; bodies that are closed may still call the exit. */
RONDO_STEP(cleans_up)
{
    struct part *self = frame;
    RONDO_BEGIN(self);
    self->outer = entered(self->loop, 0);
    CHECK_OK(rondo_cancel_scope_set_deadline(self->outer, now_of(self->loop) + LONG));
    self->scope = entered(self->loop, 0);
    RONDO_TASK_GROUP_ENTER(self, self->group, self->loop);
    CHECK_OK(rondo_task_group_spawn(self->group, awaits_step, self->parent, NULL, NULL, NULL));
    RONDO_TRY(self, rondo_coroutine_sleep(co, LONG));
    expect_thrown(thrown, RONDO_E_GENERATOR_EXIT, NULL);
    CHECK_EQ_INT(leave(&self->scope, thrown), RONDO_E_GENERATOR_EXIT);
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

KIT_TEST(closed_loop)
{
    rondo_loop *loop = kit_loop();
    static struct frame waits;
    struct part self = { .parent = (struct part *)&waits, .future = future_of(loop) };
    waits = (struct frame){ .loop = loop, .future = self.future };
    kit_record_reports(loop);
    spawn_part(loop, cleans_up, &self);
    kit_pass(loop);
    kit_pass(loop);
    self.kept = self.outer;
    CHECK_OK(rondo_cancel_scope_retain(self.kept));
    cancel(self.scope);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_cancel_scope_cancel(self.kept, NULL, NULL), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_cancel_scope_insist(self.kept), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_cancel_scope_set_deadline(self.kept, 1), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_cancel_scope_exit(self.kept, NULL, NULL), RONDO_E_RUNTIME);
    CHECK_EQ_INT(rondo_cancel_scope_is_cancelled(self.kept), 0);
    finish_part(&self);
    CHECK_OK(rondo_loop_release(loop));
}
