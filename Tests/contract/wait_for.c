/* wait_for.c - waiting with a limit: in the same task, as CPython 3.12 and later. */
#include "coro.h"

#define LONG INT64_C(3600000000000)
#define SHORT INT64_C(1000000)

static rondo_coroutine *wait_for(rondo_awaitable *awaitable, int64_t timeout_ns)
{
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_wait_for(awaitable, timeout_ns, &coroutine));
    return coroutine;
}

/* Run it as a task of its own and give the future that is done. */
static rondo_future *run_wait_for(rondo_loop *loop, rondo_awaitable *awaitable, int64_t timeout_ns)
{
    rondo_future *done = NULL;
    CHECK_OK(rondo_loop_run_until_complete(loop, wait_for(awaitable, timeout_ns), &done));
    return done;
}

/* TimeoutError whose cause is the CancelledError. */
static void expect_timeout(rondo_future *future)
{
    rondo_error *error = NULL;
    CHECK_EQ_INT(rondo_future_is_cancelled(future), 0);
    CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_EQ_INT(rondo_error_get_status(error), RONDO_E_TIMEOUT);
    rondo_error *cause = rondo_error_get_cause(error);
    CHECK(cause != NULL);
    CHECK_EQ_INT(rondo_error_get_status(cause), RONDO_E_CANCELLED);
    CHECK_OK(rondo_error_release(error));
}

KIT_TEST(G27_result_in_time)
{
    rondo_loop *loop = kit_virtual_loop();
    static const int64_t limits[] = { LONG, RONDO_NEVER };
    for (int i = 0; i < 4; i++) {
        struct kit_arg value = { 0 };
        struct frame frame = { .n = i < 2 ? 0 : 3, .value = &value, .drop = kit_arg_drop };
        rondo_future *done = run_wait_for(loop, coroutine_of(passes_step, &frame), limits[i % 2]);
        expect_result(done, &value);
        end_future(done);
        CHECK_EQ_INT(value.drops, 1);
        CHECK_EQ_INT(frame.drops, 1);
    }
    kit_loop_end(loop); /* finds no timer */
}

KIT_TEST(G27_error_in_time)
{
    rondo_loop *loop = kit_virtual_loop();
    struct frame frame = { .n = 1, .error = kit_error(5, "five") };
    rondo_future *done = run_wait_for(loop, coroutine_of(raises_step, &frame), LONG);
    expect_failed(done, 5, "five");
    end_future(done);
    CHECK_OK(rondo_error_release(frame.error));
    kit_loop_end(loop);
}

/* Too late: what it waits for is cancelled and waited for; of each kind. */
KIT_TEST(G29_timeout)
{
    rondo_loop *loop = kit_virtual_loop();
    struct frame inline_frame = { .name = "coroutine", .future = future_of(loop) };
    struct frame task_frame = { .name = "task", .future = future_of(loop) };
    rondo_future *future = future_of(loop);
    rondo_future *done = run_wait_for(loop, coroutine_of(tells_step, &inline_frame), SHORT);
    expect_timeout(done);
    end_future(done);
    CHECK_EQ_INT(inline_frame.drops, 1);
    expect_cancelled(inline_frame.future, NULL);
    rondo_task *task = task_of(loop, tells_step, &task_frame);
    done = run_wait_for(loop, task, SHORT);
    expect_timeout(done);
    expect_cancelled(as_future(task), NULL);
    end_future(done);
    end_task(task);
    done = run_wait_for(loop, future, SHORT);
    expect_timeout(done);
    expect_cancelled(future, NULL);
    end_future(done);
    kit_expect_log("coroutine:cancelled task:cancelled");
    end_future(future);
    end_future(inline_frame.future);
    end_future(task_frame.future);
    kit_loop_end(loop);
}

/* G-28: zero or less: a coroutine never starts, TimeoutError caused by the CancelledError. */
KIT_TEST(G28_coroutine_without_time)
{
    rondo_loop *loop = kit_virtual_loop();
    kit_catch_log();
    static const int64_t limits[] = { 0, -1, INT64_MIN };
    for (int i = 0; i < 3; i++) {
        struct frame frame = { 0 };
        rondo_future *done = run_wait_for(loop, coroutine_of(no_step, &frame), limits[i]);
        expect_timeout(done);
        end_future(done);
        CHECK_EQ_INT(frame.drops, 1);
    }
    CHECK_EQ_INT(kit_logged(), 0); /* cancelled is not "never awaited" */
    kit_loop_end(loop);
}

/* Zero, and it is done already: its outcome. */
KIT_TEST(G28_done_without_time)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *future = future_of(loop);
    CHECK_OK(rondo_future_set_result(future, loop, NULL));
    rondo_future *done = run_wait_for(loop, future, 0);
    expect_result(done, loop);
    end_future(done);
    end_future(future);
    kit_loop_end(loop);
}

/* Zero, and it is not: cancelled and waited for. */
KIT_TEST(G28_pending_without_time)
{
    rondo_loop *loop = kit_virtual_loop();
    struct frame frame = { .name = "task", .future = future_of(loop) };
    rondo_task *task = task_of(loop, tells_step, &frame);
    kit_pass(loop);
    rondo_future *done = run_wait_for(loop, task, 0);
    expect_timeout(done);
    kit_expect_log("task:cancelled");
    expect_cancelled(as_future(task), NULL);
    end_future(done);
    end_task(task);
    end_future(frame.future);
    kit_loop_end(loop);
}

/* Catches the cancellation; n: 0 returns value, 1 raises error. */
RONDO_STEP(answers_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, RONDO_E_CANCELLED, NULL);
    if (self->n == 1)
        return rondo_coroutine_raise(co, self->error);
    return rondo_coroutine_return(co, self->value, self->drop);
    RONDO_END(self);
}

/* G-31: it raises something else while it is cancelled: that, not TimeoutError. */
KIT_TEST(G31_error_during_the_cancellation)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int as_task = 0; as_task < 2; as_task++) {
        struct frame frame = { .n = 1, .future = future_of(loop), .error = kit_error(5, "foo") };
        rondo_task *task = as_task ? task_of(loop, answers_step, &frame) : NULL;
        rondo_awaitable *inner = as_task ? (rondo_awaitable *)task : coroutine_of(answers_step, &frame);
        rondo_future *done = run_wait_for(loop, inner, SHORT);
        expect_failed(done, 5, "foo");
        end_future(done);
        if (as_task)
            end_task(task);
        end_future(frame.future);
        CHECK_OK(rondo_error_release(frame.error));
    }
    kit_loop_end(loop);
}

/* CPython 3.13: raised while the cancellation was handled, its context is the timeout. */
KIT_TEST(G31_the_context_is_a_timeout)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 1, .future = future_of(loop), .error = kit_error(5, "five") };
    rondo_future *done = run_wait_for(loop, coroutine_of(answers_step, &frame), SHORT);
    expect_failed(done, 5, "five");
    rondo_error *context = rondo_error_get_context(frame.error);
    expect_thrown(context, RONDO_E_TIMEOUT, NULL);
    expect_thrown(rondo_error_get_cause(context), RONDO_E_CANCELLED, NULL);
    end_future(done);
    end_future(frame.future);
    CHECK_OK(rondo_error_release(frame.error));
    kit_loop_end(loop);
}

/* CPython 3.12+: it swallows the cancellation and returns: its value, and no timeout; with a
 * limit of zero, too (for a task; a coroutine would not start). */
KIT_TEST(G30_result_during_the_cancellation)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int kind = 0; kind < 3; kind++) {
        struct kit_arg value = { 0 };
        struct frame frame = { .value = &value, .drop = kit_arg_drop, .future = future_of(loop) };
        rondo_task *task = kind > 0 ? task_of(loop, answers_step, &frame) : NULL;
        rondo_awaitable *inner = kind > 0 ? (rondo_awaitable *)task : coroutine_of(answers_step, &frame);
        kit_pass(loop);
        rondo_future *done = run_wait_for(loop, inner, kind == 2 ? 0 : SHORT);
        expect_result(done, &value);
        if (kind > 0)
            end_task(task);
        end_future(done);
        CHECK_EQ_INT(value.drops, 1);
        end_future(frame.future);
    }
    kit_loop_end(loop);
}

/* G-32: the waiter is cancelled: so is the task, and CancelledError comes out. */
KIT_TEST(G32_cancel_the_waiter)
{
    rondo_loop *loop = kit_virtual_loop();
    struct frame frame = { .name = "task", .future = future_of(loop) };
    rondo_task *task = task_of(loop, tells_step, &frame), *waiter = NULL;
    CHECK_OK(rondo_loop_create_task(loop, wait_for(task, LONG), NULL, &waiter));
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(waiter, "out", NULL));
    run_until_done(loop, waiter);
    kit_expect_log("task:cancelled");
    expect_cancelled(as_future(task), "out");
    expect_cancelled(as_future(waiter), "out");
    end_task(task);
    end_task(waiter);
    end_future(frame.future);
    kit_loop_end(loop);
}

/* G-33: done and cancelled in the same pass: the cancellation wins, the inner keeps its result. */
KIT_TEST(G33_done_and_cancelled_at_once)
{
    rondo_loop *loop = kit_virtual_loop();
    struct frame frame = { .future = future_of(loop) };
    rondo_task *task = task_of(loop, awaits_step, &frame), *waiter = NULL;
    CHECK_OK(rondo_loop_create_task(loop, wait_for(task, LONG), NULL, &waiter));
    kit_pass(loop);
    CHECK_OK(rondo_future_set_result(frame.future, loop, NULL));
    kit_pass(loop); /* the inner ends, the waiter's wake-up is scheduled */
    expect_result(as_future(task), loop);
    expect_pending(as_future(waiter));
    CHECK_OK(rondo_task_cancel(waiter, NULL, NULL));
    run_until_done(loop, waiter);
    expect_cancelled(as_future(waiter), NULL);
    expect_result(as_future(task), loop);
    end_task(task);
    end_task(waiter);
    end_future(frame.future);
    kit_loop_end(loop);
}

/* G-35: wait_for(shield(task), 0): TimeoutError, the shield cancelled, the task runs on. */
KIT_TEST(G35_shielded)
{
    rondo_loop *loop = kit_virtual_loop();
    for (int64_t limit = 0; limit <= SHORT; limit += SHORT) {
        struct frame frame = { .name = "task", .future = future_of(loop) };
        rondo_task *task = task_of(loop, tells_step, &frame);
        rondo_future *shield = NULL;
        CHECK_OK(rondo_shield(loop, task, &shield));
        rondo_future *done = run_wait_for(loop, shield, limit);
        expect_timeout(done);
        expect_cancelled(shield, NULL);
        expect_pending(as_future(task));
        CHECK_OK(rondo_future_set_result(frame.future, loop, NULL));
        run_until_done(loop, task);
        kit_expect_log("task:ok");
        expect_result(as_future(task), loop);
        end_future(done);
        end_future(shield);
        end_task(task);
        end_future(frame.future);
    }
    kit_loop_end(loop);
}

RONDO_STEP(uses_wait_for_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &self->task));
    RONDO_TRY_AWAIT(self, wait_for(self->future, SHORT));
    expect_thrown(thrown, RONDO_E_TIMEOUT, NULL);
    CHECK_EQ_INT(cancelling(self->task), 0);
    RONDO_YIELD(self);
    CHECK_EQ_INT(cancelling(self->task), 0);
    kit_log("after");
    RONDO_END(self);
}

/* The waiting task itself is cancelled by the limit, and that is taken back. */
KIT_TEST(G36_nothing_is_left_counted)
{
    rondo_loop *loop = kit_virtual_loop();
    struct frame frame = { .future = future_of(loop) };
    end_future(run_frame(loop, uses_wait_for_step, &frame));
    kit_expect_log("after");
    expect_cancelled(frame.future, NULL);
    end_future(frame.future);
    kit_loop_end(loop);
}

/* F86: nested limits: the shorter one speaks. */
KIT_TEST(F86_nested)
{
    rondo_loop *loop = kit_virtual_loop();
    rondo_future *future = future_of(loop);
    rondo_future *done = run_wait_for(loop, wait_for(future, SHORT), LONG);
    expect_timeout(done);
    end_future(done);
    end_future(future);
    future = future_of(loop);
    done = run_wait_for(loop, wait_for(future, LONG), SHORT);
    expect_timeout(done);
    expect_cancelled(future, NULL);
    end_future(done);
    end_future(future);
    kit_loop_end(loop);
}

/* A wait_for that is never awaited holds its awaitable, and lets go of it. */
KIT_TEST(never_awaited)
{
    rondo_loop *loop = kit_virtual_loop();
    struct frame frame = { 0 };
    rondo_future *future = future_of(loop);
    kit_catch_log();
    CHECK_OK(rondo_coroutine_release(wait_for(coroutine_of(no_step, &frame), LONG)));
    CHECK_OK(rondo_coroutine_release(wait_for(future, LONG)));
    CHECK_EQ_INT(frame.drops, 1);
    CHECK(kit_logged_containing("was never awaited"));
    expect_pending(future);
    end_future(future);
    kit_loop_end(loop);
}

KIT_TEST(wait_for_refuses)
{
    rondo_loop *loop = kit_virtual_loop(), *other = kit_virtual_loop();
    rondo_error *error = kit_error(1, "one");
    rondo_coroutine *coroutine = NULL;
    rondo_future *future = future_of(other);
    CHECK_STATUS(rondo_wait_for(error, LONG, &coroutine), RONDO_E_TYPE);
    CHECK_STATUS(rondo_wait_for(loop, LONG, &coroutine), RONDO_E_TYPE);
    CHECK_EQ_PTR(coroutine, NULL);
    rondo_future *done = run_wait_for(loop, future, LONG);
    expect_failed(done, RONDO_E_WRONG_LOOP, NULL); /* F-15, inside */
    end_future(done);
    end_future(future);
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(other);
    kit_loop_end(loop);
}
