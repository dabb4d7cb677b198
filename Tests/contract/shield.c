/* shield.c - waiting without passing cancellation on. */
#include "coro.h"

static rondo_future *shield_of(rondo_loop *loop, rondo_awaitable *awaitable)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_shield(loop, awaitable, &future));
    return future;
}

KIT_TEST(G11_result_and_exception_pass)
{
    rondo_loop *loop = kit_loop();
    struct kit_arg value = { 0 };
    struct frame good = { .n = 1, .value = &value, .drop = kit_arg_drop }, bad = { .error = kit_error(5, "five") };
    rondo_future *shield = shield_of(loop, coroutine_of(passes_step, &good));
    CHECK_OK(rondo_loop_run_until_complete(loop, shield, NULL));
    expect_result(shield, &value);
    CHECK_EQ_INT(value.drops, 0);
    end_future(shield);
    CHECK_EQ_INT(value.drops, 1);
    shield = shield_of(loop, coroutine_of(raises_step, &bad));
    kit_record_reports(loop);
    CHECK_OK(rondo_loop_run_until_complete(loop, shield, NULL));
    expect_failed(shield, 5, "five");
    end_future(shield);
    CHECK_EQ_INT(kit_reports(), 0);
    CHECK_OK(rondo_error_release(bad.error));
    kit_loop_end(loop);
}

/* The shield is cancelled at once; what is behind it runs on, and its success is no report (G-13). */
KIT_TEST(G13_cancel_the_shield)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "inner", .n = 2, .value = loop };
    rondo_task *task = task_of(loop, passes_step, &frame);
    rondo_future *shield = shield_of(loop, task);
    kit_record_reports(loop);
    kit_catch_log();
    kit_pass(loop);
    CHECK_OK(rondo_future_cancel(shield, "outer", NULL));
    expect_cancelled(shield, "outer");
    CHECK_EQ_INT(cancelling(task), 0);
    run_until_done(loop, task);
    kit_expect_log("inner");
    expect_result(as_future(task), loop);
    expect_cancelled(shield, "outer");
    end_task(task);
    end_future(shield);
    kit_pass(loop);
    CHECK_EQ_INT(kit_reports(), 0);
    CHECK_EQ_INT(kit_logged(), 0);
    kit_loop_end(loop);
}

/* An error after the shield was cancelled goes to the exception handler, once. */
KIT_TEST(G14_error_after_the_shield_was_cancelled)
{
    rondo_loop *loop = kit_loop();
    for (int keep = 0; keep < 2; keep++) {
        struct frame frame = { .n = 2, .error = kit_error(5, "five") };
        rondo_task *task = task_of(loop, raises_step, &frame);
        rondo_future *shield = shield_of(loop, task);
        kit_record_reports(loop);
        kit_pass(loop);
        CHECK_OK(rondo_future_cancel(shield, NULL, NULL));
        if (!keep)
            end_task(task);
        end_future(shield);
        for (int i = 0; i < 6; i++)
            kit_pass(loop);
        CHECK_EQ_INT(frame.drops, 1);
        if (keep)
            end_task(task);
        kit_pass(loop);
        CHECK_EQ_INT(kit_reports(), keep + 1);
        CHECK_EQ_INT(kit_report_code(keep), 5);
        CHECK_OK(rondo_error_release(frame.error));
    }
    kit_loop_end(loop);
}

/* G-12: what is behind it is cancelled: so is the shield. */
KIT_TEST(G12_inner_is_cancelled)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop), *shield = shield_of(loop, future);
    CHECK_OK(rondo_future_cancel(future, "inner", NULL));
    expect_pending(shield);
    kit_pass(loop);
    expect_cancelled(shield, NULL);
    end_future(future);
    end_future(shield);
    kit_loop_end(loop);
}

RONDO_STEP(awaits_shield_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT_MOVED(self, shield_of(self->loop, self->other));
    kit_log("%s", thrown == NULL ? "ok" : rondo_status_name(rondo_error_get_status(thrown)));
    RONDO_AWAIT(self, self->other);
    kit_log("inner:ok");
    RONDO_END(self);
}

/* The usual idiom: the awaiter is cancelled and then waits for the inner all the same. */
KIT_TEST(G13_awaiter_is_cancelled)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .other = future_of(loop) };
    rondo_task *task = task_of(loop, awaits_shield_step, &frame);
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("RONDO_E_CANCELLED");
    expect_pending(frame.other);
    CHECK_OK(rondo_future_set_result(frame.other, NULL, NULL));
    run_until_done(loop, task);
    kit_expect_log("inner:ok");
    end_task(task);
    end_future(frame.other);
    kit_loop_end(loop);
}

/* Two shields of one task: one cancelled, the other not. */
KIT_TEST(two_shields)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 2, .value = loop };
    rondo_task *task = task_of(loop, passes_step, &frame);
    rondo_future *first = shield_of(loop, task), *second = shield_of(loop, task);
    CHECK(first != second);
    CHECK_OK(rondo_future_cancel(first, NULL, NULL));
    CHECK_OK(rondo_loop_run_until_complete(loop, second, NULL));
    expect_result(second, loop);
    end_future(first);
    end_future(second);
    end_task(task);
    kit_loop_end(loop);
}

/* CPython: shield() of what is done gives it back: it is done at once. */
KIT_TEST(shield_of_what_is_done)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    CHECK_OK(rondo_future_set_result(future, loop, NULL));
    rondo_future *shield = shield_of(loop, future);
    expect_result(shield, loop);
    end_future(future);
    end_future(shield);
    kit_loop_end(loop);
}

KIT_TEST(shield_refuses)
{
    rondo_loop *loop = kit_loop(), *other = kit_loop();
    rondo_future *future = future_of(other), *shield = NULL;
    rondo_error *error = kit_error(1, "one");
    struct frame frame = { 0 };
    rondo_coroutine *coroutine = coroutine_of(returns_step, &frame);
    CHECK_STATUS(rondo_shield(loop, future, &shield), RONDO_E_WRONG_LOOP);
    CHECK_STATUS(rondo_shield(loop, error, &shield), RONDO_E_TYPE);
    CHECK_OK(rondo_coroutine_retain(coroutine));
    rondo_future *done = shield_of(loop, coroutine);
    CHECK_STATUS(rondo_shield(loop, coroutine, &shield), RONDO_E_ALREADY_AWAITED);
    CHECK_STATUS(rondo_future_set_result(done, NULL, NULL), RONDO_E_RUNTIME); /* the library's */
    CHECK_EQ_PTR(shield, NULL);
    CHECK_OK(rondo_loop_run_until_complete(loop, done, NULL));
    end_future(done);
    end_future(future);
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(other);
    kit_loop_end(loop);
}

/* A shield of a coroutine that nobody keeps: the task runs to its end. */
KIT_TEST(shield_is_released_early)
{
    rondo_loop *loop = kit_loop();
    struct kit_arg value = { 0 };
    struct frame frame = { .name = "inner", .n = 2, .value = &value, .drop = kit_arg_drop };
    end_future(shield_of(loop, coroutine_of(passes_step, &frame)));
    for (int i = 0; i < 6; i++)
        kit_pass(loop);
    kit_expect_log("inner");
    CHECK_EQ_INT(value.drops, 1);
    kit_loop_end(loop);
}
