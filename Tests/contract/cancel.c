/* cancel.c - cancellation: delivered once, counted, taken back, swallowed, turned into something else. */
#include "coro.h"

/* ---- asking --------------------------------------------------------------------------------- */

/* Cancelled before its first step it never runs: CancelledError is thrown into an unstarted body. */
KIT_TEST(C01_cancel_before_the_first_step)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { 0 };
    rondo_task *task = task_of(loop, no_step, &frame);
    kit_catch_log();
    CHECK_OK(rondo_task_cancel(task, "early", NULL));
    expect_pending(as_future(task)); /* asked, not ended */
    run_until_done(loop, task);
    expect_cancelled(as_future(task), "early");
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_EQ_INT(kit_logged(), 0);
    end_task(task);
    kit_loop_end(loop);
}

KIT_TEST(C02_cancel_what_is_done)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .value = loop };
    rondo_task *task = task_of(loop, returns_step, &frame);
    run_until_done(loop, task);
    CHECK_STATUS(rondo_task_cancel(task, NULL, NULL), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_future_cancel(as_future(task), NULL, NULL), RONDO_E_INVALID_STATE);
    expect_result(as_future(task), loop);
    CHECK_EQ_INT(cancelling(task), 0);
    end_task(task);
    kit_loop_end(loop);
}

/* What it awaits is cancelled at once, the task a pass later; both ways of asking. */
KIT_TEST(C03_what_it_awaits_is_cancelled_first)
{
    rondo_loop *loop = kit_loop();
    for (int as_a_future = 0; as_a_future < 2; as_a_future++) {
        struct frame frame = { .name = "t", .future = future_of(loop) };
        rondo_task *task = task_of(loop, tells_step, &frame);
        kit_pass(loop);
        if (as_a_future)
            CHECK_OK(rondo_future_cancel(as_future(task), "msg", NULL));
        else
            CHECK_OK(rondo_task_cancel(task, "msg", NULL));
        expect_cancelled(frame.future, "msg");
        expect_pending(as_future(task));
        CHECK_EQ_INT(cancelling(task), 1);
        kit_pass(loop);
        kit_expect_log("t:cancelled");
        expect_cancelled(as_future(task), "msg");
        end_task(task);
        end_future(frame.future);
    }
    kit_loop_end(loop);
}

RONDO_STEP(reason_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
    expect_thrown(thrown, RONDO_E_CANCELLED, "msg");
    CHECK_EQ_PTR(rondo_error_get_cause(thrown), self->error);
    kit_log("seen");
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

KIT_TEST(C04_reason_is_the_cause)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .error = kit_error(9, "why") };
    rondo_task *task = task_of(loop, reason_step, &frame);
    rondo_error *cancelled = NULL;
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, "msg", frame.error));
    run_until_done(loop, task);
    kit_expect_log("seen");
    CHECK_OK(rondo_future_get_cancelled_error(as_future(task), &cancelled));
    CHECK_EQ_PTR(rondo_error_get_cause(cancelled), frame.error);
    CHECK_EQ_STR(rondo_error_get_message(cancelled), "msg");
    CHECK_OK(rondo_error_release(cancelled));
    CHECK_OK(rondo_error_release(frame.error));
    end_task(task);
    kit_loop_end(loop);
}

/* Swallows every cancellation it sees and counts them in started. */
RONDO_STEP(swallows_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    for (self->i = 0; self->i < self->n; self->i++) {
        RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
        if (thrown != NULL)
            self->started++;
    }
    return rondo_coroutine_return(co, self->value, NULL);
    RONDO_END(self);
}

/* C-05: cancel() twice before the step: both True, cancelling() 2, one CancelledError. */
KIT_TEST(C05_two_requests_one_cancellation)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 4, .value = loop };
    rondo_task *task = task_of(loop, swallows_step, &frame);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    CHECK_EQ_INT(cancelling(task), 2);
    run_until_done(loop, task);
    CHECK_EQ_INT(frame.started, 1);
    expect_result(as_future(task), loop);
    CHECK_EQ_INT(cancelling(task), 2);
    end_task(task);
    kit_loop_end(loop);
}

/* C-06: f has its result and the task is about to resume: the cancellation comes instead. */
KIT_TEST(C06_cancellation_instead_of_the_result)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "t", .future = future_of(loop) };
    rondo_task *task = task_of(loop, tells_step, &frame);
    kit_pass(loop);
    CHECK_OK(rondo_future_set_result(frame.future, loop, NULL));
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    run_until_done(loop, task);
    kit_expect_log("t:cancelled");
    expect_cancelled(as_future(task), NULL);
    expect_result(frame.future, loop);
    end_task(task);
    end_future(frame.future);
    kit_loop_end(loop);
}

/* C-07: as C-06, taken back before the step: the task gets the result. */
KIT_TEST(C07_uncancel_withdraws_it)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "t", .future = future_of(loop) };
    rondo_task *task = task_of(loop, tells_step, &frame);
    kit_pass(loop);
    CHECK_OK(rondo_future_set_result(frame.future, loop, NULL));
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    CHECK_EQ_INT(uncancel(task), 0);
    CHECK_EQ_INT(cancelling(task), 0);
    run_until_done(loop, task);
    kit_expect_log("t:ok");
    expect_result(as_future(task), loop);
    end_task(task);
    end_future(frame.future);
    kit_loop_end(loop);
}

/* Of two requests one taken back: the cancellation is still delivered. */
KIT_TEST(C07_only_the_last_uncancel_withdraws_it)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "t", .future = future_of(loop) };
    rondo_task *task = task_of(loop, tells_step, &frame);
    kit_pass(loop);
    CHECK_OK(rondo_future_set_result(frame.future, loop, NULL));
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    CHECK_EQ_INT(uncancel(task), 1);
    run_until_done(loop, task);
    kit_expect_log("t:cancelled");
    end_task(task);
    end_future(frame.future);
    kit_loop_end(loop);
}

/* CPython: the first message arrives; it travels with the cancelled future. */
KIT_TEST(C05_the_first_message_arrives)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "t", .future = future_of(loop) };
    rondo_task *task = task_of(loop, tells_step, &frame);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, "one", NULL));
    CHECK_OK(rondo_task_cancel(task, "two", NULL));
    run_until_done(loop, task);
    kit_expect_log("t:cancelled");
    expect_cancelled(as_future(task), "one");
    end_task(task);
    end_future(frame.future);
    kit_loop_end(loop);
}

/* ---- cancelling oneself --------------------------------------------------------------------- */

static void cancel_current(const char *message)
{
    rondo_task *task = NULL;
    CHECK_OK(rondo_current_task(NULL, &task));
    CHECK_OK(rondo_task_cancel(task, message, NULL));
}

static rondo_step cancels_itself(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)sent;
    (void)thrown;
    cancel_current("self");
    return rondo_coroutine_return(co, self->value, self->drop);
}

/* C-09: it ends cancelled, and the value is dropped. */
KIT_TEST(C09_cancels_itself_and_returns)
{
    rondo_loop *loop = kit_loop();
    struct kit_arg value = { 0 };
    struct frame frame = { .value = &value, .drop = kit_arg_drop };
    rondo_task *task = task_of(loop, cancels_itself, &frame);
    run_until_done(loop, task);
    expect_cancelled(as_future(task), "self");
    CHECK_EQ_INT(value.drops, 1);
    CHECK_EQ_INT(frame.drops, 1);
    end_task(task);
    kit_loop_end(loop);
}

RONDO_STEP(cancels_itself_then_awaits)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    cancel_current(NULL);
    RONDO_TRY_AWAIT(self, self->future);
    kit_log("outer:%s", thrown != NULL ? "cancelled" : "ok");
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* C-10: the task, the sub-task it awaits and what that awaits are all cancelled. */
KIT_TEST(C10_cancels_itself_then_awaits_a_task)
{
    rondo_loop *loop = kit_loop();
    struct frame sub = { .name = "sub", .future = future_of(loop) }, outer = { 0 };
    rondo_task *subtask = task_of(loop, tells_step, &sub), *task;
    kit_pass(loop);
    outer.future = as_future(subtask);
    task = task_of(loop, cancels_itself_then_awaits, &outer);
    run_until_done(loop, task);
    kit_expect_log("sub:cancelled outer:cancelled");
    expect_cancelled(as_future(task), NULL);
    expect_cancelled(as_future(subtask), NULL);
    expect_cancelled(sub.future, NULL);
    end_task(task);
    end_task(subtask);
    end_future(sub.future);
    kit_loop_end(loop);
}

RONDO_STEP(cancels_itself_then_passes)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    cancel_current(NULL);
    kit_log("on");
    RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
    kit_log("%s", thrown != NULL ? "cancelled" : "ok");
    RONDO_END(self);
}

/* The request takes effect at the next suspension, and code until then runs. */
KIT_TEST(C08_cancels_itself_then_yields)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { 0 };
    rondo_future *done = run_frame(loop, cancels_itself_then_passes, &frame);
    kit_expect_log("on cancelled");
    expect_result(done, NULL); /* it swallowed it */
    end_future(done);
    kit_loop_end(loop);
}

RONDO_STEP(cancels_itself_then_goes_on)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    cancel_current(NULL);
    RONDO_TRY_AWAIT(self, self->future);
    kit_log("done:%s", thrown != NULL ? "cancelled" : "ok");
    RONDO_TRY_AWAIT(self, coroutine_of(returns_step, self->parent));
    kit_log("inline:%s", thrown != NULL ? "cancelled" : "ok");
    RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
    kit_log("yield:%s", thrown != NULL ? "cancelled" : "ok");
    RONDO_END(self);
}

/* CPython: an await that does not suspend is no place to deliver it. */
KIT_TEST(C08_awaits_that_do_not_suspend)
{
    rondo_loop *loop = kit_loop();
    struct frame child = { 0 }, frame = { .parent = &child, .future = future_of(loop) };
    CHECK_OK(rondo_future_set_result(frame.future, NULL, NULL));
    end_future(run_frame(loop, cancels_itself_then_goes_on, &frame));
    kit_expect_log("done:ok inline:ok yield:cancelled");
    end_future(frame.future);
    kit_loop_end(loop);
}

/* ---- cancelled from elsewhere --------------------------------------------------------------- */

/* C-11: somebody else cancels what it awaits: it gets that, and ends cancelled. */
KIT_TEST(C11_inner_future_is_cancelled)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "t", .future = future_of(loop) };
    rondo_task *task = task_of(loop, tells_step, &frame);
    kit_pass(loop);
    CHECK_OK(rondo_future_cancel(frame.future, "inner", NULL));
    run_until_done(loop, task);
    kit_expect_log("t:cancelled");
    expect_cancelled(as_future(task), "inner");
    CHECK_EQ_INT(cancelling(task), 0); /* nobody asked the task */
    end_task(task);
    end_future(frame.future);
    kit_loop_end(loop);
}

/* C-12: both cancelled: one CancelledError. */
KIT_TEST(C12_task_and_inner_future)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "t", .future = future_of(loop) };
    rondo_task *task = task_of(loop, tells_step, &frame);
    kit_pass(loop);
    CHECK_OK(rondo_future_cancel(frame.future, NULL, NULL));
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    run_until_done(loop, task);
    kit_expect_log("t:cancelled");
    expect_cancelled(as_future(task), NULL);
    expect_cancelled(frame.future, NULL);
    end_task(task);
    end_future(frame.future);
    kit_loop_end(loop);
}

RONDO_STEP(turns_it_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_CANCELLED, "stop");
    return rondo_coroutine_raise(co, self->error);
    RONDO_END(self);
}

/* C-13: turned into another error: the task failed, and the cancellation is its context. */
KIT_TEST(C13_turned_into_another_error)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .future = future_of(loop), .error = kit_error(5, "five") };
    rondo_task *task = task_of(loop, turns_it_step, &frame);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, "stop", NULL));
    run_until_done(loop, task);
    CHECK_EQ_INT(rondo_future_is_cancelled(as_future(task)), 0);
    expect_failed(as_future(task), 5, "five");
    rondo_error *context = rondo_error_get_context(frame.error);
    CHECK(context != NULL);
    expect_thrown(context, RONDO_E_CANCELLED, "stop");
    CHECK_OK(rondo_error_release(frame.error));
    end_task(task);
    end_future(frame.future);
    kit_loop_end(loop);
}

/* ---- taking it back ------------------------------------------------------------------------- */

/* C-15: one less, never below zero. On a finished task CPython's counter still goes down; the
 * outcome is what does not change. */
KIT_TEST(C15_uncancel)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 4, .value = loop };
    rondo_task *task = task_of(loop, swallows_step, &frame);
    CHECK_EQ_INT(uncancel(task), 0);
    kit_pass(loop);
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    CHECK_EQ_INT(uncancel(task), 2);
    CHECK_EQ_INT(uncancel(task), 1);
    CHECK_EQ_INT(cancelling(task), 1);
    kit_pass(loop);
    CHECK_EQ_INT(frame.started, 1);
    CHECK_EQ_INT(uncancel(task), 0);
    CHECK_EQ_INT(uncancel(task), 0);
    run_until_done(loop, task);
    CHECK_EQ_INT(frame.started, 1);
    CHECK_OK(rondo_task_uncancel(task, NULL));
    expect_result(as_future(task), loop);
    end_task(task);
    kit_loop_end(loop);
}

/* C-16: cancel, catch, uncancel, cancel again. */
KIT_TEST(C16_cancel_again)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 6, .value = loop };
    rondo_task *task = task_of(loop, swallows_step, &frame);
    kit_pass(loop);
    for (int round = 1; round <= 2; round++) {
        CHECK_OK(rondo_task_cancel(task, NULL, NULL));
        CHECK_EQ_INT(cancelling(task), 1);
        kit_pass(loop);
        CHECK_EQ_INT(frame.started, round);
        CHECK_EQ_INT(uncancel(task), 0);
    }
    run_until_done(loop, task);
    expect_result(as_future(task), loop);
    end_task(task);
    kit_loop_end(loop);
}

/* Without uncancel, too, a second request is delivered after the first was swallowed. */
KIT_TEST(C16_cancel_again_without_uncancel)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 6, .value = loop };
    rondo_task *task = task_of(loop, swallows_step, &frame);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    CHECK_EQ_INT(cancelling(task), 2);
    run_until_done(loop, task);
    CHECK_EQ_INT(frame.started, 2);
    expect_result(as_future(task), loop);
    end_task(task);
    kit_loop_end(loop);
}

static void fire(void *arg)
{
    struct frame *self = arg;
    self->n = 1;
    CHECK_OK(rondo_task_cancel(self->task, "timeout", NULL));
}

/* C-17: a timeout written by hand; the code after the block runs, and nothing is left counted. */
RONDO_STEP(hand_written_timeout)
{
    struct frame *self = frame;
    rondo_handle *handle = NULL;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    CHECK_OK(rondo_loop_call_later(self->loop, 1000000, fire, self, NULL, &handle));
    self->value = handle;
    RONDO_TRY_AWAIT(self, self->future);
    CHECK_OK(rondo_handle_cancel(self->value));
    CHECK_OK(rondo_handle_release(self->value));
    if (self->n == 1 && uncancel(self->task) == 0 && thrown != NULL &&
        rondo_error_get_status(thrown) == RONDO_E_CANCELLED)
        kit_log("timeout");
    RONDO_YIELD(self);
    CHECK_EQ_INT(cancelling(self->task), 0);
    kit_log("after");
    RONDO_END(self);
}

KIT_TEST(C17_timeout_by_hand)
{
    rondo_loop *loop = kit_loop();
    struct frame late = { .future = future_of(loop) }, in_time = { .future = future_of(loop) };
    CHECK_OK(rondo_future_set_result(in_time.future, NULL, NULL));
    rondo_future *done = run_frame(loop, hand_written_timeout, &late);
    expect_result(done, NULL);
    kit_expect_log("timeout after");
    end_future(done);
    done = run_frame(loop, hand_written_timeout, &in_time);
    expect_result(done, NULL);
    kit_expect_log("after");
    end_future(done);
    end_future(late.future);
    end_future(in_time.future);
    kit_loop_end(loop);
}

/* ---- travelling ----------------------------------------------------------------------------- */

RONDO_STEP(nested_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    if (self->n > 0) {
        RONDO_TRY_AWAIT(self, coroutine_of(nested_step, self + 1));
    } else {
        RONDO_TRY_AWAIT(self, self->future);
    }
    expect_thrown(thrown, RONDO_E_CANCELLED, "travels");
    if (self->n > 0)
        CHECK_EQ_PTR(thrown, self[1].error);
    self->error = thrown;
    kit_log("%d", self->n);
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* C-20: through nested awaits the same instance travels, with the message. */
KIT_TEST(C20_the_same_instance_travels)
{
    rondo_loop *loop = kit_loop();
    struct frame frames[] = { { .n = 2 }, { .n = 1 }, { .n = 0, .future = future_of(loop) } };
    rondo_task *task = task_of(loop, nested_step, frames);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, "travels", NULL));
    run_until_done(loop, task);
    kit_expect_log("0 1 2");
    expect_cancelled(as_future(task), "travels");
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(frames[i].drops, 1);
    end_task(task);
    end_future(frames[2].future);
    kit_loop_end(loop);
}

/* Through tasks the message travels. */
KIT_TEST(C20_message_through_tasks)
{
    rondo_loop *loop = kit_loop();
    struct frame frames[3] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
    rondo_task *tasks[3];
    rondo_future *future = future_of(loop);
    for (int i = 0; i < 3; i++) {
        frames[i].future = i == 0 ? future : as_future(tasks[i - 1]);
        tasks[i] = task_of(loop, tells_step, &frames[i]);
    }
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(tasks[2], "deep", NULL));
    expect_cancelled(future, "deep"); /* all the way down at once */
    run_until_done(loop, tasks[2]);
    kit_expect_log("a:cancelled b:cancelled c:cancelled");
    for (int i = 0; i < 3; i++) {
        expect_cancelled(as_future(tasks[i]), "deep");
        end_task(tasks[i]);
    }
    end_future(future);
    kit_loop_end(loop);
}

/* A coroutine that raises a cancellation of its own ends its task cancelled, asked or not. */
KIT_TEST(C14_raises_a_cancellation)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 1, .error = kit_rondo_error(RONDO_E_CANCELLED, "mine") };
    rondo_future *done = run_frame(loop, raises_step, &frame);
    expect_cancelled(done, "mine");
    CHECK_OK(rondo_error_release(frame.error));
    end_future(done);
    kit_loop_end(loop);
}

RONDO_STEP(sleeps_long)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY(self, rondo_coroutine_sleep(co, INT64_C(3600000000000)));
    kit_log("%s", thrown != NULL ? "cancelled" : "slept");
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* T-12: a cancelled sleep takes its timer with it (kit_loop_end finds none); both forms. */
KIT_TEST(T12_cancel_a_sleep)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { 0 };
    struct kit_arg value = { 0 };
    rondo_task *task = task_of(loop, sleeps_long, &frame), *other = NULL;
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_sleep(INT64_C(3600000000000), &value, kit_arg_drop, &coroutine));
    CHECK_OK(rondo_loop_create_task(loop, coroutine, NULL, &other));
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    CHECK_OK(rondo_task_cancel(other, NULL, NULL));
    kit_pass(loop);
    kit_pass(loop);
    kit_expect_log("cancelled");
    expect_cancelled(as_future(task), NULL);
    expect_cancelled(as_future(other), NULL);
    CHECK_EQ_INT(value.drops, 1);
    end_task(task);
    end_task(other);
    kit_loop_end(loop);
}

static void cancel_task_of(rondo_future *future, void *arg)
{
    CHECK_STATUS(rondo_future_cancel(future, NULL, NULL), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_task_cancel(arg, NULL, NULL), RONDO_E_INVALID_STATE);
    kit_log("callback");
}

/* F45: cancel during the done callbacks of the task itself is False. */
KIT_TEST(F45_cancel_in_its_done_callback)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .value = loop };
    rondo_task *task = task_of(loop, returns_step, &frame);
    CHECK_OK(rondo_future_add_done_callback(as_future(task), cancel_task_of, task, NULL));
    kit_pass(loop);
    kit_pass(loop);
    kit_expect_log("callback");
    expect_result(as_future(task), loop);
    end_task(task);
    kit_loop_end(loop);
}

static rondo_step cancels_its_awaiter(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)co;
    (void)sent;
    if (thrown != NULL) {
        kit_log("inner:cancelled");
        return rondo_coroutine_raise(co, thrown);
    }
    if (self->i++ == 0)
        return RONDO_STEP_YIELD;
    CHECK_OK(rondo_task_cancel(self->task, NULL, NULL)); /* who awaits us: it cancels us in turn */
    kit_log("asked");
    return RONDO_STEP_YIELD;
}

/* F45: a task cancels the one that awaits it, and so itself. */
KIT_TEST(F45_cancel_the_awaiter)
{
    rondo_loop *loop = kit_loop();
    struct frame inner = { 0 }, outer = { .name = "outer" };
    rondo_task *first = task_of(loop, cancels_its_awaiter, &inner), *second;
    outer.future = as_future(first);
    inner.task = second = task_of(loop, tells_step, &outer);
    run_until_done(loop, second);
    kit_expect_log("asked inner:cancelled outer:cancelled");
    expect_cancelled(as_future(first), NULL);
    expect_cancelled(as_future(second), NULL);
    end_task(first);
    end_task(second);
    kit_loop_end(loop);
}

/* F84: cancelling a chain of 20,000 tasks that await each other needs no deep recursion. */
KIT_TEST_WITHIN(F84_cancel_a_long_chain, 30)
{
    enum { LENGTH = 20000 };
    static struct frame frames[LENGTH];
    static rondo_task *tasks[LENGTH];
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    for (int i = 0; i < LENGTH; i++) {
        frames[i] = (struct frame){ .future = i == 0 ? future : as_future(tasks[i - 1]) };
        tasks[i] = task_of(loop, awaits_step, &frames[i]);
    }
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(tasks[LENGTH - 1], "all", NULL));
    expect_cancelled(future, "all");
    run_until_done(loop, tasks[LENGTH - 1]);
    for (int i = 0; i < LENGTH; i++) {
        expect_cancelled(as_future(tasks[i]), "all");
        CHECK_EQ_INT(frames[i].drops, 1);
        end_task(tasks[i]);
    }
    end_future(future);
    kit_loop_end(loop);
}

/* ---- circles ---------------------------------------------------------------------------------- */

RONDO_STEP(awaits_the_other)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->other);
    kit_log("%s:%s", self->name, thrown == NULL ? "woken" : rondo_status_name(rondo_error_get_status(thrown)));
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* Tasks that await each other can only be cancelled; asyncio's own cancel() is a RecursionError there. */
KIT_TEST(cancel_of_a_circle_of_tasks)
{
    rondo_loop *loop = kit_loop();
    struct frame frames[3] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
    rondo_task *tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = task_of(loop, awaits_the_other, &frames[i]);
    for (int i = 0; i < 3; i++)
        frames[i].other = as_future(tasks[(i + 1) % 3]);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(tasks[0], NULL, NULL));
    for (int i = 0; i < 4; i++)
        kit_pass(loop);
    kit_expect_log("a:RONDO_E_CANCELLED c:RONDO_E_CANCELLED b:RONDO_E_CANCELLED");
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_INT(rondo_future_is_cancelled(as_future(tasks[i])), 1);
        CHECK_OK(rondo_task_release(tasks[i]));
    }
    kit_loop_end(loop);
}

/* The same through a gather that the task itself is a child of. */
KIT_TEST(cancel_of_a_task_that_gathers_itself)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "a" };
    rondo_task *task = task_of(loop, awaits_the_other, &frame);
    rondo_awaitable *awaitables[] = { task };
    CHECK_OK(rondo_gather(loop, awaitables, 1, 0, &frame.other));
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    for (int i = 0; i < 4; i++)
        kit_pass(loop);
    kit_expect_log("a:RONDO_E_CANCELLED");
    CHECK_EQ_INT(rondo_future_is_cancelled(as_future(task)), 1);
    CHECK_EQ_INT(rondo_future_is_done(frame.other), 1);
    rondo_future_exception(frame.other, NULL);
    CHECK_OK(rondo_future_release(frame.other));
    CHECK_OK(rondo_task_release(task));
    kit_loop_end(loop);
}
