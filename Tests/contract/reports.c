/* reports.c - what nobody looked at: never retrieved, never awaited, destroyed while pending. */
#include "coro.h"

#define FUTURE_REPORT "Future exception was never retrieved"
#define TASK_REPORT "Task exception was never retrieved"
#define PENDING_REPORT "Task was destroyed but it is pending!"

static rondo_future *failed_future(rondo_loop *loop)
{
    rondo_future *future = future_of(loop);
    rondo_error *error = kit_error(5, "five");
    CHECK_OK(rondo_future_set_exception(future, error));
    CHECK_OK(rondo_error_release(error));
    return future;
}

/* ---- never retrieved ------------------------------------------------------------------------ */

struct seen {
    int reports;
    rondo_future *future;
    rondo_task *task;
};

static void look_at_report(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    struct seen *seen = arg;
    rondo_future *future = rondo_exception_context_get_future(context);
    (void)loop;
    seen->reports++;
    CHECK_EQ_PTR(future, seen->future);
    CHECK_EQ_PTR(rondo_exception_context_get_task(context), seen->task);
    CHECK_EQ_INT(rondo_error_get_code(rondo_exception_context_get_error(context)), 5);
    CHECK_EQ_INT(rondo_future_is_done(future), 1); /* usable while the handler runs */
    CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_RAISED);
    CHECK_EQ_STR(rondo_exception_context_get_message(context), seen->task ? TASK_REPORT : FUTURE_REPORT);
}

/* F-11: reported once, at the last release, with the future and the error. */
KIT_TEST(F11_never_retrieved)
{
    rondo_loop *loop = kit_loop();
    struct seen seen = { .future = failed_future(loop) };
    CHECK_OK(rondo_loop_set_exception_handler(loop, look_at_report, &seen, NULL));
    CHECK_OK(rondo_future_retain(seen.future));
    end_future(seen.future);
    CHECK_EQ_INT(seen.reports, 0);
    end_future(seen.future);
    kit_pass(loop);
    CHECK_EQ_INT(seen.reports, 1);
    kit_loop_end(loop);
    CHECK_EQ_INT(seen.reports, 1);
}

KIT_TEST(F11_never_retrieved_of_a_task)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .error = kit_error(5, "five") };
    rondo_task *task = task_of(loop, raises_step, &frame);
    struct seen seen = { .future = as_future(task), .task = task };
    CHECK_OK(rondo_loop_set_exception_handler(loop, look_at_report, &seen, NULL));
    run_until_done(loop, task);
    CHECK_OK(rondo_error_release(frame.error));
    CHECK_EQ_INT(seen.reports, 0);
    end_task(task);
    kit_pass(loop);
    CHECK_EQ_INT(seen.reports, 1);
    kit_loop_end(loop);
}

/* A task that nobody kept is reported when it ends. */
KIT_TEST(F11_never_retrieved_of_a_task_nobody_kept)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 1, .error = kit_error(5, "five") };
    kit_record_reports(loop);
    end_task(task_of(loop, raises_step, &frame));
    for (int i = 0; i < 4; i++)
        kit_pass(loop);
    CHECK_OK(rondo_error_release(frame.error));
    CHECK_EQ_INT(kit_reports(), 1);
    CHECK_EQ_STR(kit_report_message(0), TASK_REPORT);
    CHECK_EQ_INT(kit_report_code(0), 5);
    kit_loop_end(loop);
}

/* F-12: whoever read it, also by the status alone, or cancelled it in vain, keeps it silent. */
KIT_TEST(F12_retrieved)
{
    rondo_loop *loop = kit_loop();
    kit_record_reports(loop);
    for (int how = 0; how < 5; how++) {
        rondo_future *future = failed_future(loop);
        if (how == 0)
            CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_RAISED);
        else if (how == 1)
            CHECK_OK(rondo_future_exception(future, NULL));
        else if (how == 2)
            CHECK_STATUS(rondo_future_cancel(future, NULL, NULL), RONDO_E_INVALID_STATE);
        else if (how == 3)
            CHECK_STATUS(rondo_future_take_result(future, NULL), RONDO_E_RAISED);
        else
            CHECK_STATUS(rondo_future_set_result(future, NULL, NULL), RONDO_E_INVALID_STATE);
        end_future(future);
        kit_pass(loop);
        CHECK_EQ_INT(kit_reports(), how < 4 ? 0 : 1); /* a failed set_result reads nothing */
    }
    kit_loop_end(loop);
}

RONDO_STEP(reads_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, 5, "five");
    RONDO_END(self);
}

/* F-12: an awaiter has read it, before and after it was done. */
KIT_TEST(F12_awaited)
{
    rondo_loop *loop = kit_loop();
    kit_record_reports(loop);
    for (int done_before = 0; done_before < 2; done_before++) {
        rondo_future *future = done_before ? failed_future(loop) : future_of(loop);
        rondo_error *error = kit_error(5, "five");
        struct frame frame = { .future = future };
        rondo_task *task = task_of(loop, reads_step, &frame);
        kit_pass(loop);
        if (!done_before)
            CHECK_OK(rondo_future_set_exception(future, error));
        run_until_done(loop, task);
        end_task(task);
        end_future(future);
        CHECK_OK(rondo_error_release(error));
    }
    kit_pass(loop);
    CHECK_EQ_INT(kit_reports(), 0);
    kit_loop_end(loop);
}

static void ignore_future(rondo_future *future, void *arg)
{
    (void)future;
    (void)arg;
}

/* A done callback that does not look is no retrieval. */
KIT_TEST(F11_a_callback_that_does_not_look)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = failed_future(loop);
    kit_record_reports(loop);
    CHECK_OK(rondo_future_add_done_callback(future, ignore_future, NULL, NULL));
    end_future(future);
    CHECK_EQ_INT(kit_reports(), 0); /* the callback holds it */
    kit_pass(loop);
    kit_pass(loop);
    CHECK_EQ_INT(kit_reports(), 1);
    kit_loop_end(loop);
}

/* The default handler logs it. */
KIT_TEST(F11_default_handler)
{
    rondo_loop *loop = kit_loop();
    kit_catch_log();
    end_future(failed_future(loop));
    kit_pass(loop);
    CHECK_EQ_INT(kit_logged(), 1);
    CHECK(kit_logged_containing(FUTURE_REPORT));
    CHECK(kit_logged_containing("five"));
    kit_loop_end(loop);
}

static void release_it(void *arg)
{
    CHECK_OK(rondo_future_release(arg));
}

/* Released by another thread: the report is the loop's thread's. */
KIT_TEST(F11_released_by_another_thread)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = failed_future(loop);
    kit_record_reports(loop);
    kit_in_thread(release_it, future);
    CHECK_EQ_INT(kit_reports(), 0);
    kit_pass(loop);
    kit_pass(loop);
    CHECK_EQ_INT(kit_reports(), 1);
    kit_loop_end(loop);
}

static void keep_future(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    rondo_future **kept = arg;
    (void)loop;
    *kept = rondo_exception_context_get_future(context);
    CHECK_OK(rondo_future_retain(*kept));
}

/* A handler that keeps the future: it lives on and is not reported again. */
KIT_TEST(F11_kept_by_the_handler)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = failed_future(loop), *kept = NULL;
    CHECK_OK(rondo_loop_set_exception_handler(loop, keep_future, &kept, NULL));
    end_future(future);
    kit_pass(loop);
    CHECK_EQ_PTR(kept, future);
    kit_record_reports(loop);
    CHECK_EQ_INT(state_of(kept), RONDO_FUTURE_EXCEPTION);
    end_future(kept);
    kit_pass(loop);
    CHECK_EQ_INT(kit_reports(), 0);
    kit_loop_end(loop);
}

/* ---- never awaited -------------------------------------------------------------------------- */

/* K-13: "coroutine 'X' was never awaited", a warning. */
KIT_TEST(K13_never_awaited)
{
    struct frame frame = { .name = "main_entry" }, unnamed = { 0 };
    rondo_coroutine *coroutine = coroutine_of(no_step, &frame);
    kit_catch_log();
    CHECK_OK(rondo_coroutine_retain(coroutine));
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_EQ_INT(kit_logged(), 0);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_EQ_INT(kit_logged(), 1);
    CHECK(kit_logged_containing("coroutine 'main_entry' was never awaited"));
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_OK(rondo_coroutine_new(NULL, no_step, &unnamed, frame_drop, &coroutine));
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK(kit_logged_containing("coroutine 'coroutine' was never awaited"));
    CHECK_EQ_INT(unnamed.drops, 1);
}

/* Not said of one that was started, closed, thrown into, or made a task that was cancelled. */
KIT_TEST(K13_awaited_somehow)
{
    rondo_loop *loop = kit_loop();
    struct frame started = { .n = 1 }, closed = { 0 }, thrown = { 0 }, cancelled = { 0 };
    rondo_error *error = kit_error(1, "one");
    rondo_step step = 0;
    kit_catch_log();
    rondo_coroutine *coroutine = coroutine_of(passes_step, &started);
    CHECK_OK(rondo_coroutine_send(coroutine, NULL, &step, NULL, NULL));
    CHECK_OK(rondo_coroutine_release(coroutine));
    coroutine = coroutine_of(no_step, &closed);
    CHECK_OK(rondo_coroutine_close(coroutine, NULL));
    CHECK_OK(rondo_coroutine_release(coroutine));
    coroutine = coroutine_of(no_step, &thrown);
    CHECK_OK(rondo_coroutine_throw(coroutine, error, &step, NULL, NULL));
    CHECK_OK(rondo_coroutine_release(coroutine));
    rondo_task *task = task_of(loop, no_step, &cancelled);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    run_until_done(loop, task);
    end_task(task);
    CHECK_EQ_INT(kit_logged(), 0);
    CHECK_EQ_INT(started.drops + closed.drops + thrown.drops + cancelled.drops, 4);
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(loop);
}

/* ---- destroyed while pending ---------------------------------------------------------------- */

RONDO_STEP(waits_for_the_end)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->future);
    kit_log("%s", thrown == NULL ? "ok" : rondo_status_name(rondo_error_get_status(thrown)));
    RONDO_END(self);
}

/* K-12: a loop that is closed lets go of its tasks and says so; frames are dropped once. */
KIT_TEST(K12_destroyed_while_pending)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .future = future_of(loop) }, unstarted = { 0 };
    rondo_close_report report = { .size = sizeof report };
    kit_record_reports(loop);
    kit_catch_log();
    rondo_task *task = task_of(loop, waits_for_the_end, &frame);
    kit_pass(loop);
    end_task(task_of(loop, no_step, &unstarted));
    CHECK_OK(rondo_loop_close(loop, &report));
    CHECK_EQ_INT(report.pending_tasks, 2);
    CHECK_EQ_INT(kit_reports(), 2);
    CHECK_EQ_STR(kit_report_message(0), PENDING_REPORT);
    CHECK_EQ_STR(kit_report_message(1), PENDING_REPORT);
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_EQ_INT(unstarted.drops, 1);
    CHECK_STATUS(rondo_future_set_result(as_future(task), NULL, NULL), RONDO_E_RUNTIME);
    end_task(task);
    end_future(frame.future);
    CHECK_OK(rondo_loop_release(loop));
    CHECK_EQ_INT(kit_reports(), 2); /* once each */
}

/* Logged by the default handler, with the task's name. */
KIT_TEST(K12_default_handler)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "sleeper", .future = future_of(loop) };
    kit_catch_log();
    rondo_task *task = task_of(loop, waits_for_the_end, &frame);
    CHECK_OK(rondo_task_set_name(task, "forgotten"));
    kit_pass(loop);
    end_task(task);
    kit_loop_drop(loop);
    CHECK(kit_logged_containing(PENDING_REPORT));
    CHECK(kit_logged_containing("forgotten"));
    CHECK(kit_logged_containing("sleeper"));
    end_future(frame.future);
    CHECK_EQ_INT(frame.drops, 1);
}

/* Tasks that await each other, timers, inline coroutines: all of it goes. */
RONDO_STEP(sleeps_inside)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    if (self->n > 0)
        RONDO_AWAIT(self, coroutine_of(sleeps_inside, self + 1));
    RONDO_SLEEP(self, INT64_C(3600000000000));
    RONDO_END(self);
}

KIT_TEST(K12_everything_goes)
{
    rondo_loop *loop = kit_loop();
    struct frame frames[] = { { .n = 2 }, { .n = 1 }, { .n = 0 } }, waiter = { 0 }, gathered = { .n = 5 };
    rondo_future *gather = NULL, *shield = NULL;
    kit_record_reports(loop);
    kit_catch_log();
    rondo_task *task = task_of(loop, sleeps_inside, frames);
    waiter.future = as_future(task);
    rondo_task *second = task_of(loop, waits_for_the_end, &waiter);
    rondo_awaitable *awaitables[] = { second, coroutine_of(passes_step, &gathered) };
    CHECK_OK(rondo_gather(loop, awaitables, 2, 0, &gather));
    CHECK_OK(rondo_shield(loop, task, &shield));
    kit_pass(loop);
    CHECK_OK(rondo_loop_close(loop, NULL));
    /* Not the child that gather made a task of: asyncio keeps quiet about those. */
    CHECK_EQ_INT(kit_reports(), 2);
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(frames[i].drops, 1);
    CHECK_EQ_INT(waiter.drops + gathered.drops, 2);
    end_task(task);
    end_task(second);
    end_future(gather);
    end_future(shield);
    CHECK_OK(rondo_loop_release(loop));
}
