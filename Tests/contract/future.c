/* future.c - the life of a future: outcomes, done callbacks, cancellation, who owns the value. */
#include "coro.h"

#include <errno.h>

#define NUMBER(n) ((void *)(intptr_t)(n))

/* F-01: InvalidStateError("Result is not ready.") and ("Exception is not set."). */
KIT_TEST(F01_outcome_of_a_pending_future)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    void *value = loop;
    rondo_error *error = (rondo_error *)loop;
    expect_pending(future);
    CHECK_EQ_INT(rondo_future_is_cancelled(future), 0);
    CHECK_STATUS(rondo_future_result(future, &value), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_future_take_result(future, &value), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_future_exception(future, &error), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_future_get_cancelled_error(future, &error), RONDO_E_INVALID_STATE);
    CHECK_EQ_PTR(value, loop); /* outputs are written on success only */
    CHECK_EQ_PTR(error, loop);
    CHECK_EQ_PTR(rondo_future_get_loop(future), loop);
    end_future(future);
    kit_loop_end(loop);
}

/* F46: the first completion stays; what comes too late is dropped by the call itself. */
KIT_TEST(F46_first_completion_stays)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_error *error = kit_error(1, "late");
    struct kit_arg first = { 0 }, late = { 0 };
    CHECK_OK(rondo_future_set_result(future, &first, kit_arg_drop));
    CHECK_STATUS(rondo_future_set_result(future, &late, kit_arg_drop), RONDO_E_INVALID_STATE);
    CHECK_EQ_INT(late.drops, 1);
    CHECK_STATUS(rondo_future_set_exception(future, error), RONDO_E_INVALID_STATE);
    expect_result(future, &first);
    expect_result(future, &first); /* reading does not use it up */
    CHECK_EQ_INT(first.drops, 0);
    end_future(future);
    CHECK_EQ_INT(first.drops, 1);
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(loop);
}

/* F-03: cancel(msg) is True, then False; both readers raise it; set_result is an invalid state. */
KIT_TEST(F03_cancel_pending)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_error *error = kit_error(1, "late");
    struct kit_arg late = { 0 };
    CHECK_OK(rondo_future_cancel(future, "msg", NULL));
    expect_cancelled(future, "msg");
    CHECK_STATUS(rondo_future_cancel(future, "again", NULL), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_future_set_result(future, &late, kit_arg_drop), RONDO_E_INVALID_STATE);
    CHECK_EQ_INT(late.drops, 1);
    CHECK_STATUS(rondo_future_set_exception(future, error), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_future_take_result(future, NULL), RONDO_E_CANCELLED);
    expect_cancelled(future, "msg");
    CHECK_OK(rondo_error_release(error));
    end_future(future);
    kit_loop_end(loop);
}

KIT_TEST(F03_cancel_with_a_reason)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_error *reason = kit_error(9, "why"), *error = NULL;
    CHECK_OK(rondo_future_cancel(future, NULL, reason));
    CHECK_OK(rondo_error_release(reason));
    CHECK_OK(rondo_future_get_cancelled_error(future, &error));
    CHECK_EQ_INT(rondo_error_get_status(error), RONDO_E_CANCELLED);
    CHECK_EQ_STR(rondo_error_get_message(rondo_error_get_cause(error)), "why");
    CHECK_OK(rondo_error_release(error));
    end_future(future);
    kit_loop_end(loop);
}

/* F-04: cancel() of a finished future is False and changes nothing. */
KIT_TEST(F04_cancel_finished)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop), *failed = future_of(loop);
    rondo_error *error = kit_error(3, "three");
    CHECK_OK(rondo_future_set_result(future, loop, NULL));
    CHECK_OK(rondo_future_set_exception(failed, error));
    CHECK_STATUS(rondo_future_cancel(future, NULL, NULL), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_future_cancel(failed, NULL, NULL), RONDO_E_INVALID_STATE);
    expect_result(future, loop);
    CHECK_EQ_INT(rondo_future_is_cancelled(future), 0);
    expect_failed(failed, 3, "three");
    CHECK_OK(rondo_error_release(error));
    end_future(failed);
    end_future(future);
    kit_loop_end(loop);
}

KIT_TEST(exception_of_each_outcome)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop), *failed = future_of(loop);
    rondo_error *error = kit_error(3, "three"), *read = error;
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    CHECK_OK(rondo_future_exception(future, &read));
    CHECK_EQ_PTR(read, NULL);
    CHECK_STATUS(rondo_future_get_cancelled_error(future, &read), RONDO_E_INVALID_STATE);
    expect_result(future, NULL);
    CHECK_STATUS(rondo_future_set_exception(failed, NULL), -EINVAL);
    expect_pending(failed);
    CHECK_OK(rondo_future_set_exception(failed, error));
    CHECK_OK(rondo_future_exception(failed, &read));
    CHECK_EQ_PTR(read, error); /* the same object, one reference more */
    CHECK_OK(rondo_error_release(read));
    CHECK_OK(rondo_future_exception(failed, NULL));
    CHECK_STATUS(rondo_future_take_result(failed, NULL), RONDO_E_RAISED);
    CHECK_STATUS(rondo_future_get_cancelled_error(failed, &read), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_error_release(error));
    end_future(failed);
    end_future(future);
    kit_loop_end(loop);
}

/* As in CPython, set_exception(CancelledError()) is an exception, not a cancellation. */
KIT_TEST(cancellation_as_an_exception)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_error *error = kit_rondo_error(RONDO_E_CANCELLED, "as exception");
    CHECK_OK(rondo_future_set_exception(future, error));
    CHECK_EQ_INT(rondo_future_is_cancelled(future), 0);
    CHECK_EQ_INT(rondo_future_is_done(future), 1);
    expect_failed(future, RONDO_E_CANCELLED, "as exception");
    CHECK_OK(rondo_error_release(error));
    end_future(future);
    kit_loop_end(loop);
}

/* F-09, X-13: StopIteration becomes RuntimeError with the StopIteration as cause. */
/* ---- exceptions from a status ---------------------------------------------------------------- */

static rondo_error *exception_of(rondo_future *future)
{
    rondo_error *error = NULL;
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK(error != NULL);
    return error;
}

static rondo_error *failed_with(rondo_loop *loop, rondo_status status, const char *operation)
{
    rondo_future *future = future_of(loop);
    CHECK_OK(rondo_future_set_exception_status(future, status, operation));
    CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_RAISED);
    rondo_error *error = exception_of(future);
    end_future(future);
    return error;
}

KIT_TEST(exception_of_a_status)
{
    rondo_loop *loop = kit_loop();
    char operation[] = "connect";
    rondo_error *error = failed_with(loop, -ECONNREFUSED, operation);
    operation[0] = 'X'; /* it was copied */
    CHECK_EQ_INT(rondo_error_get_domain(error), RONDO_DOMAIN_POSIX);
    CHECK_EQ_INT(rondo_error_get_code(error), ECONNREFUSED);
    CHECK_EQ_INT(rondo_error_get_status(error), -ECONNREFUSED);
    CHECK_EQ_STR(rondo_error_get_operation(error), "connect");
    CHECK_EQ_STR(rondo_error_get_message(error), rondo_status_message(-ECONNREFUSED));
    CHECK_OK(rondo_error_release(error));
    error = failed_with(loop, RONDO_E_TIMEOUT, NULL);
    CHECK_EQ_INT(rondo_error_get_domain(error), RONDO_DOMAIN_RONDO);
    CHECK_EQ_INT(rondo_error_get_code(error), RONDO_E_TIMEOUT);
    CHECK_EQ_PTR(rondo_error_get_operation(error), NULL);
    CHECK_OK(rondo_error_release(error));
    error = failed_with(loop, RONDO_E_STOP_ITERATION, "next"); /* as rondo_future_set_exception() */
    CHECK_EQ_INT(rondo_error_get_code(error), RONDO_E_RUNTIME);
    CHECK_EQ_INT(rondo_error_get_code(rondo_error_get_cause(error)), RONDO_E_STOP_ITERATION);
    CHECK_EQ_STR(rondo_error_get_operation(rondo_error_get_cause(error)), "next");
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(loop);
}

KIT_TEST(exception_of_a_status_wakes_like_any)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    struct kit_arg arg = { 0 };
    CHECK_OK(rondo_future_add_done_callback(future, kit_arg_future, &arg, kit_arg_drop));
    CHECK_OK(rondo_future_set_exception_status(future, -EIO, "read"));
    CHECK_EQ_INT(arg.calls, 0);
    kit_pass(loop);
    CHECK_EQ_INT(arg.calls, 1);
    CHECK_STATUS(rondo_future_set_exception_status(future, -EPIPE, NULL), RONDO_E_INVALID_STATE);
    expect_failed(future, EIO, NULL);
    end_future(future);
    kit_loop_end(loop);
}

KIT_TEST(exception_of_what_is_no_failure)
{
    static const rondo_status none[] = { RONDO_OK, 1, EIO, -4096, -19999, -20000, RONDO_E_RESOLVER - 1, INT32_MIN,
                                         INT32_MAX };
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_task *task = NULL;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        CHECK_STATUS(rondo_future_set_exception_status(future, none[i], "x"), -EINVAL);
        CHECK_STATUS(rondo_future_set_exception_status_threadsafe(future, none[i], "x"), -EINVAL);
    }
    expect_pending(future);
    kit_catch_log(); /* the task is left behind */
    CHECK_OK(rondo_loop_spawn(loop, no_step, NULL, NULL, NULL, &task));
    CHECK_STATUS(rondo_future_set_exception_status((rondo_future *)task, -EIO, NULL), RONDO_E_RUNTIME);
    CHECK_STATUS(rondo_future_set_exception_status_threadsafe((rondo_future *)task, -EIO, NULL), RONDO_E_RUNTIME);
    end_task(task);
    end_future(future);
    kit_loop_drop(loop);
}

KIT_TEST(F09_X13_stop_iteration)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_error *stop = kit_rondo_error(RONDO_E_STOP_ITERATION, NULL), *read = NULL;
    CHECK_OK(rondo_future_set_exception(future, stop));
    CHECK_OK(rondo_future_exception(future, &read));
    CHECK_EQ_INT(rondo_error_get_code(read), RONDO_E_RUNTIME);
    CHECK_EQ_STR(rondo_error_get_message(read), "StopIteration interacts badly with generators and "
                                                "cannot be raised into a Future");
    CHECK_EQ_PTR(rondo_error_get_cause(read), stop);
    CHECK_OK(rondo_error_release(read));
    CHECK_OK(rondo_error_release(stop));
    end_future(future);
    kit_loop_end(loop);
}

/* ---- done callbacks ------------------------------------------------------------------------- */

static void log_done(rondo_future *future, void *arg)
{
    CHECK_EQ_INT(rondo_future_is_done(future), 1);
    kit_log("%s", (const char *)arg);
}

KIT_TEST(callbacks_run_in_order_and_never_inline)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    CHECK_OK(rondo_future_add_done_callback(future, log_done, "a", kit_drop));
    CHECK_OK(rondo_future_add_done_callback(future, log_done, "b", kit_drop));
    CHECK_OK(rondo_future_add_done_callback(future, log_done, "c", kit_drop));
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "before", NULL, NULL));
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "after", NULL, NULL));
    kit_expect_log("");
    kit_pass(loop);
    kit_expect_log("before a b c after");
    CHECK_EQ_INT(kit_drops, 3);
    end_future(future);
    kit_loop_end(loop);
}

/* F-06: on a done future it is scheduled, not called. */
KIT_TEST(F06_callback_on_a_done_future)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    CHECK_OK(rondo_future_add_done_callback(future, log_done, "done", kit_drop));
    kit_expect_log("");
    kit_pass(loop);
    kit_expect_log("done");
    CHECK_EQ_INT(kit_drops, 1);
    end_future(future);
    kit_loop_end(loop);
}

static size_t removed(rondo_future *future, rondo_future_fn fn, void *arg)
{
    size_t count = 99;
    CHECK_OK(rondo_future_remove_done_callback(future, fn, arg, &count));
    return count;
}

/* F-07: six registrations go at once; unknown is 0; a scheduled one runs. */
KIT_TEST(F07_remove_done_callback)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    for (int i = 0; i < 6; i++)
        CHECK_OK(rondo_future_add_done_callback(future, log_done, "six", kit_drop));
    CHECK_OK(rondo_future_add_done_callback(future, log_done, "one", kit_drop));
    CHECK_EQ_INT(removed(future, log_done, "six"), 6);
    CHECK_EQ_INT(kit_drops, 6);
    CHECK_EQ_INT(removed(future, log_done, "six"), 0);
    CHECK_EQ_INT(removed(future, log_done, "unknown"), 0);
    CHECK_EQ_INT(removed(future, kit_arg_future, "one"), 0);
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    CHECK_EQ_INT(removed(future, log_done, "one"), 0); /* too late: it is scheduled */
    kit_pass(loop);
    kit_expect_log("one");
    CHECK_EQ_INT(kit_drops, 7);
    end_future(future);
    kit_loop_end(loop);
}

KIT_TEST(F07_remove_from_the_middle)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    static const char *names[] = { "a", "b", "c", "b", "d", "b" };
    for (int i = 0; i < 6; i++)
        CHECK_OK(rondo_future_add_done_callback(future, log_done, (void *)(uintptr_t)names[i], NULL));
    CHECK_EQ_INT(removed(future, log_done, (void *)(uintptr_t)names[1]), 3);
    CHECK_OK(rondo_future_add_done_callback(future, log_done, "e", NULL));
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("a c d e");
    end_future(future);
    kit_loop_end(loop);
}

struct reenter {
    rondo_future *future;
    int drops;
};

static void reenter_future(rondo_future *future, void *arg)
{
    (void)future;
    ((struct reenter *)arg)->drops += 100;
}

/* The drop of a removed callback removes and adds on the same future. */
static void reenter_drop(void *arg)
{
    struct reenter *self = arg;
    if (++self->drops != 1)
        return;
    (void)removed(self->future, reenter_future, self);
    CHECK_OK(rondo_future_add_done_callback(self->future, log_done, "added", NULL));
}

/* F-08, F47: removal re-enters add and remove; nothing is dropped twice or forgotten. */
KIT_TEST(F08_removal_is_reentered)
{
    rondo_loop *loop = kit_loop();
    struct reenter self = { .future = future_of(loop) };
    for (int i = 0; i < 4; i++)
        CHECK_OK(rondo_future_add_done_callback(self.future, reenter_future, &self, reenter_drop));
    CHECK_OK(rondo_future_remove_done_callback(self.future, reenter_future, &self, NULL));
    CHECK_EQ_INT(self.drops, 4);
    CHECK_OK(rondo_future_set_result(self.future, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("added");
    CHECK_EQ_INT(self.drops, 4);
    end_future(self.future);
    kit_loop_end(loop);
}

static void add_and_remove(rondo_future *future, void *arg)
{
    kit_log("first");
    CHECK_OK(rondo_future_add_done_callback(future, log_done, "added", NULL));
    CHECK_EQ_INT(removed(future, log_done, arg), 0); /* it is scheduled */
}

/* F47: callbacks add and remove callbacks during the walk: the added one runs a pass later. */
KIT_TEST(F47_callback_adds_a_callback)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    static char second[] = "second";
    CHECK_OK(rondo_future_add_done_callback(future, add_and_remove, second, NULL));
    CHECK_OK(rondo_future_add_done_callback(future, log_done, second, NULL));
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("first second");
    kit_pass(loop);
    kit_expect_log("added");
    end_future(future);
    kit_loop_end(loop);
}

static void release_inside(rondo_future *future, void *arg)
{
    CHECK_OK(rondo_future_release(future)); /* the last reference but the callback's own */
    CHECK_EQ_INT(rondo_future_is_done(future), 1);
    kit_arg_call(arg);
}

/* The handle that a callback receives stays until it returns. */
KIT_TEST(F42_released_inside_its_callback)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    struct kit_arg arg = { 0 }, value = { 0 };
    CHECK_OK(rondo_future_add_done_callback(future, release_inside, &arg, kit_arg_drop));
    CHECK_OK(rondo_future_set_result(future, &value, kit_arg_drop));
    kit_pass(loop);
    CHECK_EQ_INT(arg.calls, 1);
    CHECK_EQ_INT(arg.drops, 1);
    CHECK_EQ_INT(value.drops, 1);
    kit_loop_end(loop);
}

KIT_TEST(released_before_its_callback_runs)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    struct kit_arg value = { 0 };
    CHECK_OK(rondo_future_add_done_callback(future, log_done, "ran", kit_drop));
    CHECK_OK(rondo_future_set_result(future, &value, kit_arg_drop));
    end_future(future);
    CHECK_EQ_INT(value.drops, 0);
    kit_pass(loop);
    kit_expect_log("ran");
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_EQ_INT(value.drops, 1);
    kit_loop_end(loop);
}

KIT_TEST(callback_without_a_function)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    struct kit_arg arg = { 0 };
    CHECK_STATUS(rondo_future_add_done_callback(future, NULL, &arg, kit_arg_drop), -EINVAL);
    CHECK_EQ_INT(arg.drops, 1);
    end_future(future);
    kit_loop_end(loop);
}

KIT_TEST(many_callbacks)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    struct kit_arg arg = { 0 };
    for (int i = 0; i < 10000; i++)
        CHECK_OK(rondo_future_add_done_callback(future, kit_arg_future, &arg, NULL));
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    kit_pass(loop);
    CHECK_EQ_INT(arg.calls, 10000);
    end_future(future);
    kit_loop_end(loop);
}

/* ---- context -------------------------------------------------------------------------------- */

static rondo_contextvar *variable;

static void log_variable(rondo_future *future, void *arg)
{
    (void)future;
    (void)arg;
    void *value = NULL;
    CHECK_OK(rondo_contextvar_get(variable, &value));
    kit_log("%d", (int)(intptr_t)value);
}

static void check_contexts(void *arg)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_context *context = NULL;
    (void)arg;
    CHECK_OK(rondo_contextvar_set(variable, NUMBER(5), NULL));
    CHECK_OK(rondo_context_copy_current(&context));
    CHECK_OK(rondo_contextvar_set(variable, NUMBER(3), NULL));
    CHECK_OK(rondo_future_add_done_callback(future, log_variable, NULL, NULL));
    CHECK_OK(rondo_future_add_done_callback_in_context(future, context, log_variable, NULL, NULL));
    CHECK_OK(rondo_future_add_done_callback_in_context(future, NULL, log_variable, NULL, NULL));
    CHECK_OK(rondo_contextvar_set(variable, NUMBER(4), NULL));
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("3 5 3");
    end_future(future);
    CHECK_OK(rondo_context_release(context));
    kit_loop_end(loop);
}

/* F-18: the context of add_done_callback (3), not the one of set_result (4). */
KIT_TEST(F18_context_of_a_callback)
{
    rondo_context *context = NULL;
    CHECK_OK(rondo_contextvar_new("v", NUMBER(0), &variable));
    CHECK_OK(rondo_context_new(&context));
    CHECK_OK(rondo_context_run(context, check_contexts, NULL));
    CHECK_OK(rondo_context_release(context));
    CHECK_OK(rondo_contextvar_release(variable));
}

/* ---- who owns the value --------------------------------------------------------------------- */

KIT_TEST(take_result)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    struct kit_arg value = { 0 };
    void *taken = NULL;
    CHECK_OK(rondo_future_set_result(future, &value, kit_arg_drop));
    CHECK_OK(rondo_future_take_result(future, &taken));
    CHECK_EQ_PTR(taken, &value);
    CHECK_STATUS(rondo_future_take_result(future, &taken), RONDO_E_INVALID_STATE);
    end_future(future);
    CHECK_EQ_INT(value.drops, 0);
    kit_loop_end(loop);
}

KIT_TEST(retain_and_release)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    struct kit_arg value = { 0 };
    CHECK_OK(rondo_future_retain(future));
    CHECK_OK(rondo_future_set_result(future, &value, kit_arg_drop));
    end_future(future);
    expect_result(future, &value);
    end_future(future);
    CHECK_EQ_INT(value.drops, 1);
    CHECK_STATUS(rondo_future_release(future), RONDO_E_STALE_HANDLE);
    CHECK_OK(rondo_future_retain(NULL));
    CHECK_OK(rondo_future_release(NULL));
    kit_loop_end(loop);
}

struct dropper {
    rondo_future *future;
    int drops;
};

static void complete_drop(void *arg)
{
    struct dropper *self = arg;
    self->drops++;
    CHECK_STATUS(rondo_future_set_result(self->future, NULL, NULL), RONDO_E_INVALID_STATE);
}

/* A late value's drop runs inside set_result and uses the same future. */
KIT_TEST(drop_reenters_the_future)
{
    rondo_loop *loop = kit_loop();
    struct dropper self = { .future = future_of(loop) };
    CHECK_OK(rondo_future_set_result(self.future, loop, NULL));
    CHECK_STATUS(rondo_future_set_result(self.future, &self, complete_drop), RONDO_E_INVALID_STATE);
    CHECK_EQ_INT(self.drops, 1);
    expect_result(self.future, loop);
    end_future(self.future);
    kit_loop_end(loop);
}

/* ---- a closed loop -------------------------------------------------------------------------- */

KIT_TEST(futures_of_a_closed_loop)
{
    rondo_loop *loop = kit_loop();
    rondo_future *done = future_of(loop), *pending = future_of(loop), *late = NULL;
    struct kit_arg value = { 0 }, arg = { 0 };
    CHECK_OK(rondo_future_set_result(done, &value, kit_arg_drop));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_OK(rondo_future_new(loop, &late)); /* create_future() does not ask */
    expect_pending(late);
    expect_result(done, &value);
    expect_pending(pending);
    CHECK_STATUS(rondo_future_add_done_callback(done, kit_arg_future, &arg, kit_arg_drop),
                 RONDO_E_LOOP_CLOSED);
    CHECK_EQ_INT(arg.drops, 1);
    CHECK_OK(rondo_future_cancel(pending, NULL, NULL));
    expect_cancelled(pending, NULL);
    end_future(done);
    end_future(pending);
    end_future(late);
    CHECK_EQ_INT(value.drops, 1);
    CHECK_OK(rondo_loop_release(loop));
}

KIT_TEST(scheduled_callbacks_of_a_closed_loop_are_dropped)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop), *pending = future_of(loop);
    struct kit_arg scheduled = { 0 }, waiting = { 0 };
    CHECK_OK(rondo_future_add_done_callback(future, kit_arg_future, &scheduled, kit_arg_drop));
    CHECK_OK(rondo_future_add_done_callback(pending, kit_arg_future, &waiting, kit_arg_drop));
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    kit_loop_drop(loop);
    CHECK_EQ_INT(scheduled.drops, 1);
    end_future(pending);
    CHECK_EQ_INT(waiting.drops, 1);
    CHECK_EQ_INT(scheduled.calls + waiting.calls, 0);
    end_future(future);
}

/* ---- letting go of a pending one ------------------------------------------------------------ */

/* F-13: a pending or result-only future is dropped without a word, its callbacks too. */
KIT_TEST(F13_dropped_in_silence)
{
    rondo_loop *loop = kit_loop();
    rondo_future *pending = future_of(loop), *done = future_of(loop), *cancelled = future_of(loop);
    kit_catch_log();
    kit_record_reports(loop);
    CHECK_OK(rondo_future_set_result(done, NULL, NULL));
    CHECK_OK(rondo_future_cancel(cancelled, NULL, NULL));
    end_future(pending);
    end_future(done);
    end_future(cancelled);
    kit_pass(loop);
    CHECK_EQ_INT(kit_reports(), 0);
    CHECK_EQ_INT(kit_logged(), 0);
    kit_loop_end(loop);
}

RONDO_STEP(breaks_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_BROKEN_PROMISE, NULL);
    kit_log("broken");
    RONDO_END(self);
}

/* A promise that everybody let go of is broken to whoever awaits it. */
KIT_TEST(broken_promise)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .future = future_of(loop) };
    rondo_task *task = task_of(loop, breaks_step, &frame);
    kit_pass(loop);
    end_future(frame.future);
    run_until_done(loop, task);
    kit_expect_log("broken");
    expect_result(as_future(task), NULL);
    end_task(task);
    kit_loop_end(loop);
}

/* F-16, F-17: thread future to future, each state; cancelling the destination cancels the source. */
KIT_TEST(F16_F17_states_are_copied)
{
    rondo_loop *loop = kit_loop();
    for (int kind = 0; kind < 4; kind++) {
        rondo_thread_future *source = NULL;
        rondo_future *future = NULL;
        rondo_error *error = kit_error(4, "four");
        CHECK_OK(rondo_thread_future_new(&source));
        CHECK_OK(rondo_wrap_future(loop, source, &future));
        if (kind == 3)
            CHECK_OK(rondo_future_cancel(future, NULL, NULL));
        if (kind == 0)
            CHECK_OK(rondo_thread_future_set_result(source, loop, NULL));
        else if (kind == 1)
            CHECK_OK(rondo_thread_future_set_exception(source, error));
        else if (kind == 2)
            CHECK_OK(rondo_thread_future_cancel(source));
        if (kind != 3)
            CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
        kit_pass(loop);
        if (kind == 0)
            expect_result(future, loop);
        else if (kind == 1)
            expect_failed(future, 4, "four");
        else
            expect_cancelled(future, NULL);
        if (kind == 3)
            CHECK_EQ_INT(rondo_thread_future_is_cancelled(source), 1); /* F-16 */
        CHECK_OK(rondo_error_release(error));
        end_future(future);
        CHECK_OK(rondo_thread_future_release(source));
    }
    kit_loop_end(loop);
}

/* ---- describing ----------------------------------------------------------------------------- */

static const char *describe(rondo_future *future)
{
    static char text[1024];
    size_t size = 0;
    CHECK_OK(rondo_future_describe(future, text, sizeof text, &size));
    CHECK_EQ_INT(size, strlen(text));
    return text;
}

KIT_TEST(describes_itself)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_error *error = kit_error(4, "four");
    char small[4] = "xyz";
    size_t size = 0;
    CHECK_EQ_STR(describe(future), "<Future pending>");
    CHECK_STATUS(rondo_future_describe(future, small, sizeof small, &size), -ERANGE);
    CHECK_EQ_INT(size, strlen("<Future pending>"));
    CHECK_EQ_STR(small, "xyz"); /* never truncated */
    CHECK_OK(rondo_future_set_exception(future, error));
    CHECK(strncmp(describe(future), "<Future finished", 16) == 0);
    CHECK(strstr(describe(future), "four") != NULL);
    CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_error_release(error));
    end_future(future);
    future = future_of(loop);
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    CHECK_EQ_STR(describe(future), "<Future cancelled>");
    end_future(future);
    kit_loop_end(loop);
}
