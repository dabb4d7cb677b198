/* loop_lifecycle.c - making, running, stopping and closing a loop; the order of a pass; reports. */
#include "kit.h"

#include <errno.h>
#include <unistd.h>

/* ---- the pass and stop ----------------------------------------------------------------------- */

struct pair {
    rondo_loop *loop;
    rondo_handle *handle;
    rondo_error *error;
    int count;
};

static void log_a_then_schedule_c(void *arg)
{
    kit_log("a");
    CHECK_OK(rondo_loop_call_soon(arg, kit_log_call, "c", NULL, NULL));
}

/* L-01: what a callback schedules belongs to the next pass. */
KIT_TEST(batch_is_what_was_ready)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, log_a_then_schedule_c, loop, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "b", NULL, NULL));
    kit_stop_soon(loop);
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_expect_log("a b");
    kit_stop_soon(loop);
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_expect_log("c");
    kit_loop_end(loop);
}

static int next_expected;

static void expect_in_order(void *arg)
{
    CHECK_EQ_INT((intptr_t)arg, next_expected);
    next_expected++;
}

/* L-02: first in, first out, each once; across the growth of the queue. */
KIT_TEST(call_soon_is_fifo)
{
    rondo_loop *loop = kit_loop();
    next_expected = 0;
    for (intptr_t i = 0; i < 10000; i++)
        CHECK_OK(rondo_loop_call_soon(loop, expect_in_order, (void *)i, kit_drop, NULL));
    kit_pass(loop);
    CHECK_EQ_INT(next_expected, 10000);
    CHECK_EQ_INT(kit_drops, 10000);
    kit_loop_end(loop);
}

KIT_TEST(ready_capacity_is_a_hint)
{
    rondo_loop_options options = { .size = sizeof options, .ready_capacity = 3 };
    rondo_loop *loop = NULL;
    CHECK_OK(rondo_loop_new(&options, &loop));
    next_expected = 0;
    for (intptr_t i = 0; i < 100; i++)
        CHECK_OK(rondo_loop_call_soon(loop, expect_in_order, (void *)i, NULL, NULL));
    kit_pass(loop);
    CHECK_EQ_INT(next_expected, 100);
    kit_loop_end(loop);
}

/* L-04: stop() lets the batch end. */
KIT_TEST(stop_ends_after_the_batch)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "a", NULL, NULL));
    kit_stop_soon(loop);
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "b", NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_expect_log("a b");
    kit_loop_end(loop);
}

KIT_TEST(stop_before_run_makes_one_pass)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, log_a_then_schedule_c, loop, NULL, NULL));
    CHECK_OK(rondo_loop_stop(loop));
    CHECK_OK(rondo_loop_stop(loop));
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_expect_log("a");
    kit_pass(loop);
    kit_expect_log("c");
    kit_pass(loop); /* nothing to do, and it does not sleep either */
    kit_expect_log("");
    kit_loop_end(loop);
}

static void schedule_again(void *arg)
{
    struct pair *pair = arg;
    pair->count++;
    if (pair->count < 1000)
        CHECK_OK(rondo_loop_call_soon(pair->loop, schedule_again, pair, kit_drop, NULL));
    else
        CHECK_OK(rondo_loop_stop(pair->loop));
}

KIT_TEST(a_callback_reschedules_itself)
{
    struct pair pair = { .loop = kit_loop() };
    CHECK_OK(rondo_loop_call_soon(pair.loop, schedule_again, &pair, kit_drop, NULL));
    CHECK_OK(rondo_loop_run_forever(pair.loop));
    CHECK_EQ_INT(pair.count, 1000);
    CHECK_EQ_INT(kit_drops, 1000);
    kit_loop_end(pair.loop);
}

/* L-05: stop during run_until_complete leaves the future pending; it can be run again. */
KIT_TEST(stop_during_run_until_complete)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL, *out = NULL;
    void *value = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    kit_stop_soon(loop);
    CHECK_STATUS(rondo_loop_run_until_complete(loop, future, &out), RONDO_E_LOOP_STOPPED);
    CHECK_EQ_PTR(out, future);
    CHECK_OK(rondo_future_release(out));
    CHECK_EQ_INT(rondo_future_is_done(future), 0);
    CHECK_EQ_STR(rondo_status_message(RONDO_E_LOOP_STOPPED),
                 "Event loop stopped before Future completed.");
    CHECK_OK(rondo_future_set_result(future, "x", NULL));
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    CHECK_OK(rondo_future_result(future, &value));
    CHECK_EQ_STR(value, "x");
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

KIT_TEST(run_until_complete_of_a_failed_future)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL, *out = NULL;
    rondo_error *error = kit_error(7, "seven"), *read = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_OK(rondo_future_set_exception(future, error));
    CHECK_OK(rondo_loop_run_until_complete(loop, future, &out));
    CHECK_STATUS(rondo_future_result(out, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_future_exception(out, &read));
    CHECK_EQ_INT(rondo_error_get_code(read), 7);
    CHECK_OK(rondo_error_release(read));
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_release(out));
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

/* ---- nesting --------------------------------------------------------------------------------- */

static rondo_step never_step(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co;
    (void)frame;
    (void)sent;
    (void)thrown;
    kit_fail(__FILE__, __LINE__, "a coroutine ran that must not run");
}

static void run_inside(void *arg)
{
    struct pair *pair = arg;
    rondo_future *future = NULL;
    rondo_coroutine *coroutine = NULL;
    CHECK_STATUS(rondo_loop_run_forever(pair->loop), RONDO_E_LOOP_RUNNING);
    CHECK_OK(rondo_future_new(pair->loop, &future));
    CHECK_STATUS(rondo_loop_run_until_complete(pair->loop, future, NULL), RONDO_E_LOOP_RUNNING);
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_coroutine_new("inner", never_step, pair, kit_drop, &coroutine));
    CHECK_STATUS(rondo_loop_run_until_complete(pair->loop, coroutine, NULL), RONDO_E_LOOP_RUNNING);
    CHECK_EQ_INT(kit_drops, 1); /* the coroutine moved and went */
    CHECK_STATUS(rondo_loop_drive(pair->loop, 0, 0, NULL), RONDO_E_LOOP_RUNNING);
    CHECK_STATUS(rondo_loop_begin(pair->loop), RONDO_E_LOOP_RUNNING);
    CHECK_STATUS(rondo_loop_close(pair->loop, NULL), RONDO_E_LOOP_RUNNING);
    CHECK_EQ_INT(rondo_loop_is_running(pair->loop), 1);
    kit_log("inside");
}

/* L-06, F40, F41: the running loop can be neither run again nor closed. */
KIT_TEST(nested_run_is_refused)
{
    struct pair pair = { .loop = kit_loop() };
    kit_catch_log(); /* the coroutine was never awaited, and that is said */
    CHECK_EQ_INT(rondo_loop_is_running(pair.loop), 0);
    CHECK_OK(rondo_loop_call_soon(pair.loop, run_inside, &pair, NULL, NULL));
    kit_pass(pair.loop);
    kit_expect_log("inside");
    CHECK_EQ_INT(rondo_loop_is_running(pair.loop), 0);
    kit_loop_end(pair.loop);
}

static void run_the_other(void *arg)
{
    struct pair *pair = arg;
    rondo_loop *other = kit_loop();
    CHECK_EQ_PTR(rondo_running_loop(), pair->loop);
    CHECK_STATUS(rondo_loop_run_forever(other), RONDO_E_OTHER_LOOP_RUNNING);
    CHECK_STATUS(rondo_loop_drive(other, 0, 0, NULL), RONDO_E_OTHER_LOOP_RUNNING);
    CHECK_STATUS(rondo_loop_begin(other), RONDO_E_OTHER_LOOP_RUNNING);
    CHECK_EQ_PTR(rondo_running_loop(), pair->loop);
    kit_loop_end(other);
    kit_log("done");
}

/* L-07: one running loop per thread. */
KIT_TEST(another_loop_inside_is_refused)
{
    struct pair pair = { .loop = kit_loop() };
    CHECK_OK(rondo_loop_call_soon(pair.loop, run_the_other, &pair, NULL, NULL));
    kit_pass(pair.loop);
    kit_expect_log("done");
    CHECK_EQ_PTR(rondo_running_loop(), NULL);
    kit_loop_end(pair.loop);
}

static void check_running_is(void *arg)
{
    rondo_loop *found = NULL;
    CHECK_EQ_PTR(rondo_running_loop(), arg);
    CHECK_OK(rondo_get_event_loop(&found));
    CHECK_EQ_PTR(found, arg);
    kit_log("ok");
}

static void no_loop_here(void *arg)
{
    rondo_loop *found = arg;
    CHECK_EQ_PTR(rondo_running_loop(), NULL);
    CHECK_STATUS(rondo_get_event_loop(&found), RONDO_E_NO_LOOP);
    CHECK_EQ_PTR(found, arg);
}

KIT_TEST(running_and_current_loop_belong_to_a_thread)
{
    rondo_loop *loop = kit_loop(), *set = kit_loop(), *found = NULL;
    no_loop_here(loop);
    CHECK_OK(rondo_set_event_loop(set));
    CHECK_OK(rondo_get_event_loop(&found));
    CHECK_EQ_PTR(found, set);
    kit_in_thread(no_loop_here, loop);
    CHECK_OK(rondo_loop_call_soon(loop, check_running_is, loop, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("ok");
    CHECK_OK(rondo_get_event_loop(&found));
    CHECK_EQ_PTR(found, set);
    CHECK_OK(rondo_set_event_loop(NULL));
    no_loop_here(loop);
    kit_loop_end(set);
    kit_loop_end(loop);
}

/* A loop that was set is the library's, too: releasing it does not take it away. */
KIT_TEST(set_event_loop_takes_a_reference)
{
    rondo_loop *loop = kit_loop(), *found = NULL;
    CHECK_OK(rondo_set_event_loop(loop));
    CHECK_OK(rondo_loop_release(loop));
    CHECK_OK(rondo_get_event_loop(&found));
    CHECK_EQ_PTR(found, loop);
    CHECK_EQ_INT(rondo_loop_is_closed(found), 0);
    CHECK_OK(rondo_set_event_loop(NULL));
    CHECK_EQ_INT(rondo_loop_is_closed(loop), 1);
}

/* ---- closing --------------------------------------------------------------------------------- */

/* L-09: close drops what waits, runs nothing, and is idempotent. */
KIT_TEST(close_drops_and_is_idempotent)
{
    rondo_loop *loop = kit_loop();
    rondo_close_report report = { .size = sizeof report };
    CHECK_OK(rondo_loop_call_soon(loop, kit_no_call, NULL, kit_drop, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 0, kit_no_call, NULL, kit_drop, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 1000000000, kit_no_call, NULL, kit_drop, NULL));
    CHECK_OK(rondo_loop_call_later(loop, RONDO_NEVER, kit_no_call, NULL, kit_drop, NULL));
    CHECK_EQ_INT(rondo_loop_is_closed(loop), 0);
    CHECK_OK(rondo_loop_close(loop, &report));
    CHECK_EQ_INT(kit_drops, 4);
    CHECK_EQ_INT(report.ready_calls, 1);
    CHECK_EQ_INT(report.timers, 3);
    CHECK_EQ_INT(rondo_loop_is_closed(loop), 1);
    memset(&report, 0xff, sizeof report);
    report.size = sizeof report;
    CHECK_OK(rondo_loop_close(loop, &report));
    CHECK_EQ_INT(report.ready_calls, 0);
    CHECK_EQ_INT(report.timers, 0);
    CHECK_EQ_INT(report.pending_futures, 0);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_EQ_INT(kit_drops, 4);
    CHECK_OK(rondo_loop_release(loop));
}

static rondo_step wait_for_ever(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame;
    (void)sent;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    return rondo_coroutine_sleep(co, RONDO_NEVER / 4);
}

KIT_TEST(close_report_counts_everything)
{
    rondo_loop *loop = kit_loop();
    rondo_close_report report = { .size = sizeof report };
    rondo_future *future = NULL, *done = NULL;
    int fds[2];
    kit_socketpair(fds);
    kit_record_reports(loop);
    CHECK_OK(rondo_loop_add_reader(loop, fds[0], kit_arg_fd, NULL, kit_drop));
    CHECK_OK(rondo_loop_add_writer(loop, fds[0], kit_arg_fd, NULL, kit_drop));
    CHECK_OK(rondo_loop_add_reader(loop, fds[1], kit_arg_fd, NULL, kit_drop));
    CHECK_OK(rondo_loop_spawn(loop, wait_for_ever, NULL, kit_drop, NULL, NULL));
    kit_pass(loop);
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_OK(rondo_future_new(loop, &done));
    CHECK_OK(rondo_future_set_result(done, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_no_call, NULL, kit_drop, NULL));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_no_call, NULL, kit_drop, NULL));
    CHECK_OK(rondo_loop_close(loop, &report));
    CHECK_EQ_INT(report.readers, 2);
    CHECK_EQ_INT(report.writers, 1);
    CHECK_EQ_INT(report.threadsafe_calls, 2);
    CHECK_EQ_INT(report.pending_tasks, 1);
    CHECK_EQ_INT(report.pending_futures, 2); /* ours, and the one that the sleep waits for */
    CHECK_EQ_INT(kit_drops, 6);
    CHECK_EQ_INT(kit_reports(), 1);
    CHECK_EQ_STR(kit_report_message(0), "Task was destroyed but it is pending!");
    CHECK_EQ_INT(rondo_future_is_done(future), 0);
    CHECK_EQ_INT(rondo_future_is_done(done), 1);
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_future_release(done));
    CHECK_OK(rondo_loop_release(loop));
    close(fds[0]);
    close(fds[1]);
}

KIT_TEST(close_report_size_is_checked)
{
    rondo_loop *loop = kit_loop();
    rondo_close_report report = { .size = 0 };
    CHECK_STATUS(rondo_loop_close(loop, &report), -EINVAL);
    report.size = 3;
    CHECK_STATUS(rondo_loop_close(loop, &report), -EINVAL);
    CHECK_EQ_INT(rondo_loop_is_closed(loop), 0);
    kit_loop_end(loop);
}

/* L-10: what a closed loop refuses and what it still does. */
KIT_TEST(closed_loop_refuses)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL, *finished = NULL;
    rondo_coroutine *coroutine = NULL;
    rondo_handle *handle = NULL;
    int32_t removed = 7, fd = -1;
    int fds[2];
    kit_socketpair(fds);
    kit_catch_log();
    CHECK_OK(rondo_future_new(loop, &finished));
    CHECK_OK(rondo_future_set_result(finished, NULL, NULL));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_run_until_complete(loop, finished, NULL), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_drive(loop, 0, 0, NULL), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_begin(loop), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_stop(loop), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_get_fd(loop, &fd), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_call_soon(loop, kit_no_call, NULL, kit_drop, &handle), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_call_later(loop, 1, kit_no_call, NULL, kit_drop, &handle),
                 RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_call_at(loop, 1, kit_no_call, NULL, kit_drop, &handle),
                 RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_call_soon_threadsafe(loop, kit_no_call, NULL, kit_drop, &handle),
                 RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_add_reader(loop, fds[0], kit_arg_fd, NULL, kit_drop),
                 RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_add_writer(loop, fds[0], kit_arg_fd, NULL, kit_drop),
                 RONDO_E_LOOP_CLOSED);
    CHECK_EQ_INT(kit_drops, 6);
    CHECK_STATUS(rondo_loop_spawn(loop, never_step, NULL, kit_drop, NULL, NULL), RONDO_E_LOOP_CLOSED);
    CHECK_EQ_INT(kit_drops, 7);
    CHECK_OK(rondo_coroutine_new("late", never_step, NULL, kit_drop, &coroutine));
    CHECK_STATUS(rondo_loop_create_task(loop, coroutine, NULL, NULL), RONDO_E_LOOP_CLOSED);
    CHECK_EQ_INT(kit_drops, 8);
    CHECK(handle == NULL);
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_OK(rondo_loop_remove_reader(loop, fds[0], &removed));
    CHECK_EQ_INT(removed, 0);
    removed = 7;
    CHECK_OK(rondo_loop_remove_writer(loop, fds[0], &removed));
    CHECK_EQ_INT(removed, 0);
    CHECK_EQ_STR(rondo_status_message(RONDO_E_LOOP_CLOSED), "Event loop is closed");
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_future_release(finished));
    CHECK_OK(rondo_loop_release(loop));
    close(fds[0]);
    close(fds[1]);
}

static void schedule_on_drop(void *arg)
{
    CHECK_STATUS(rondo_loop_call_soon(arg, kit_no_call, NULL, kit_drop, NULL), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_call_soon_threadsafe(arg, kit_no_call, NULL, kit_drop, NULL),
                 RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_loop_close(arg, NULL));
    kit_log("drop");
}

/* A drop that runs inside close finds the loop closed already, and may close it again. */
KIT_TEST(drops_inside_close_see_a_closed_loop)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, kit_no_call, loop, schedule_on_drop, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 1000, kit_no_call, loop, schedule_on_drop, NULL));
    CHECK_OK(rondo_loop_close(loop, NULL));
    kit_expect_log("drop drop");
    CHECK_EQ_INT(kit_drops, 4);
    CHECK_OK(rondo_loop_release(loop));
}

KIT_TEST(release_closes)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, kit_no_call, NULL, kit_drop, NULL));
    CHECK_OK(rondo_loop_retain(loop));
    CHECK_OK(rondo_loop_release(loop));
    CHECK_EQ_INT(rondo_loop_is_closed(loop), 0);
    CHECK_OK(rondo_loop_release(loop));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_EQ_INT(rondo_loop_is_closed(loop), 1);
    CHECK_STATUS(rondo_loop_release(loop), RONDO_E_STALE_HANDLE);
    CHECK_STATUS(rondo_loop_stop(loop), RONDO_E_STALE_HANDLE);
}

static void release_loop(void *arg)
{
    CHECK_OK(rondo_loop_release(arg));
    kit_log("released");
}

/* Releasing the running loop's last reference inside its own callback waits for the run's end. */
KIT_TEST(release_inside_a_callback)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, release_loop, loop, NULL, NULL));
    CHECK_OK(rondo_loop_stop(loop));
    rondo_status status = rondo_loop_run_forever(loop);
    CHECK_OK(status);
    kit_expect_log("released");
    CHECK_EQ_INT(rondo_loop_is_closed(loop), 1);
}

KIT_TEST(many_loops_come_and_go)
{
    for (int i = 0; i < kit_rounds(2000); i++) {
        rondo_loop *loop = kit_loop();
        rondo_handle *handle = NULL;
        CHECK_OK(rondo_loop_call_later(loop, 0, kit_arg_call, NULL, NULL, &handle));
        CHECK_OK(rondo_handle_release(handle));
        kit_loop_drop(loop);
        CHECK_STATUS(rondo_handle_cancel(handle), RONDO_E_STALE_HANDLE);
    }
}

/* ---- handles --------------------------------------------------------------------------------- */

static void cancel_the_other(void *arg)
{
    struct pair *pair = arg;
    CHECK_OK(rondo_handle_cancel(pair->handle));
    CHECK_EQ_INT(rondo_handle_is_cancelled(pair->handle), 1);
    CHECK_EQ_INT(kit_drops, 1);
    kit_log("cancel");
}

/* L-11: a call of the same batch can still be cancelled; its arg is dropped at once. */
KIT_TEST(cancel_inside_the_batch)
{
    struct pair pair = { .loop = kit_loop() };
    CHECK_OK(rondo_loop_call_soon(pair.loop, cancel_the_other, &pair, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(pair.loop, kit_no_call, NULL, kit_drop, &pair.handle));
    CHECK_OK(rondo_loop_call_soon(pair.loop, kit_log_call, "after", NULL, NULL));
    kit_pass(pair.loop);
    kit_expect_log("cancel after");
    CHECK_OK(rondo_handle_cancel(pair.handle));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_handle_release(pair.handle));
    kit_loop_end(pair.loop);
}

KIT_TEST(cancel_before_and_after)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_soon(loop, kit_no_call, NULL, kit_drop, &handle));
    CHECK_EQ_INT(rondo_handle_is_cancelled(handle), 0);
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_handle_release(handle));
    kit_pass(loop);

    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "ran", kit_drop, &handle));
    kit_pass(loop);
    kit_expect_log("ran");
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_OK(rondo_handle_cancel(handle)); /* too late, and not an error */
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_STATUS(rondo_handle_cancel(handle), RONDO_E_STALE_HANDLE);
    kit_loop_end(loop);
}

static void cancel_and_release_self(void *arg)
{
    struct pair *pair = arg;
    CHECK_OK(rondo_handle_cancel(pair->handle));
    CHECK_OK(rondo_handle_release(pair->handle));
    CHECK_EQ_INT(kit_drops, 0); /* never while fn runs */
    pair->count++;
}

/* F42: a handle cancelled and released inside its own callback; arg lives until fn returns. */
KIT_TEST(handle_ends_inside_its_own_callback)
{
    struct pair pair = { .loop = kit_loop() };
    CHECK_OK(rondo_loop_call_soon(pair.loop, cancel_and_release_self, &pair, kit_drop, &pair.handle));
    kit_pass(pair.loop);
    CHECK_EQ_INT(pair.count, 1);
    CHECK_EQ_INT(kit_drops, 1);
    kit_drops = 0;
    CHECK_OK(rondo_loop_call_later(pair.loop, 0, cancel_and_release_self, &pair, kit_drop,
                                   &pair.handle));
    kit_pass(pair.loop);
    CHECK_EQ_INT(pair.count, 2);
    CHECK_EQ_INT(kit_drops, 1);
    kit_loop_end(pair.loop);
}

KIT_TEST(handle_outlives_its_loop)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_soon(loop, kit_no_call, NULL, kit_drop, &handle));
    kit_loop_drop(loop);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_EQ_INT(rondo_handle_is_cancelled(handle), 1);
    CHECK_OK(rondo_handle_release(handle));
    CHECK_STATUS(rondo_handle_release(handle), RONDO_E_STALE_HANDLE);
}

KIT_TEST(handle_released_early_still_runs)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "ran", kit_drop, &handle));
    CHECK_OK(rondo_handle_retain(handle));
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_handle_release(handle));
    kit_pass(loop);
    kit_expect_log("ran");
    CHECK_EQ_INT(kit_drops, 1);
    kit_loop_end(loop);
}

/* ---- exceptions ------------------------------------------------------------------------------ */

static void raise_error(void *arg)
{
    struct pair *pair = arg;
    CHECK_OK(rondo_loop_raise(pair->loop, pair->error));
    kit_log("raise");
}

static void check_report(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    struct pair *pair = arg;
    const char *message = rondo_exception_context_get_message(context);
    CHECK_EQ_PTR(loop, pair->loop);
    CHECK(message != NULL && strncmp(message, "Exception in callback", 21) == 0);
    CHECK_EQ_PTR(rondo_exception_context_get_error(context), pair->error);
    CHECK_EQ_PTR(rondo_exception_context_get_handle(context), pair->handle);
    CHECK_EQ_PTR(rondo_exception_context_get_task(context), NULL);
    CHECK_EQ_PTR(rondo_exception_context_get_future(context), NULL);
    kit_log("report");
}

/* L-13: a callback that raises is reported once; the loop and the batch go on. */
KIT_TEST(raise_in_a_callback)
{
    struct pair pair = { .loop = kit_loop(), .error = kit_error(1, "boom") };
    CHECK_OK(rondo_loop_set_exception_handler(pair.loop, check_report, &pair, kit_drop));
    CHECK_OK(rondo_loop_call_soon(pair.loop, raise_error, &pair, NULL, &pair.handle));
    CHECK_OK(rondo_loop_call_soon(pair.loop, kit_log_call, "next", NULL, NULL));
    kit_pass(pair.loop);
    kit_expect_log("raise report next");
    CHECK_STATUS(rondo_loop_raise(pair.loop, pair.error), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_handle_release(pair.handle));
    CHECK_OK(rondo_error_release(pair.error));
    CHECK_EQ_INT(kit_drops, 0);
    kit_loop_end(pair.loop);
    CHECK_EQ_INT(kit_drops, 1);
}

KIT_TEST(default_handler_logs)
{
    struct pair pair = { .loop = kit_loop(), .error = kit_error(1, "boom") };
    kit_catch_log();
    CHECK_OK(rondo_loop_call_soon(pair.loop, raise_error, &pair, NULL, NULL));
    kit_pass(pair.loop);
    CHECK_EQ_INT(kit_logged(), 1);
    CHECK(strncmp(kit_logged_message(0), "Exception in callback", 21) == 0);
    CHECK(kit_logged_containing("boom"));
    CHECK_OK(rondo_error_release(pair.error));
    kit_loop_end(pair.loop);
}

static void handler_that_raises(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    (void)context;
    rondo_error *error = kit_error(2, "handler's own");
    CHECK_OK(rondo_loop_raise(loop, error));
    CHECK_OK(rondo_error_release(error));
    kit_log("%s", (const char *)arg);
}

/* D-02: a handler that raises is reported by the default one, and the loop goes on. */
KIT_TEST(handler_raises)
{
    struct pair pair = { .loop = kit_loop(), .error = kit_error(1, "boom") };
    kit_catch_log();
    CHECK_OK(rondo_loop_set_exception_handler(pair.loop, handler_that_raises, "handler", NULL));
    CHECK_OK(rondo_loop_call_soon(pair.loop, raise_error, &pair, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(pair.loop, kit_log_call, "next", NULL, NULL));
    kit_pass(pair.loop);
    kit_expect_log("raise handler next");
    CHECK_EQ_INT(kit_logged(), 1);
    CHECK(kit_logged_containing("Unhandled error in exception handler"));
    CHECK(kit_logged_containing("handler's own"));
    CHECK_OK(rondo_error_release(pair.error));
    kit_loop_end(pair.loop);
}

static void call_the_handler(void *arg)
{
    rondo_exception_context *context = NULL;
    rondo_error *error = kit_error(3, "by hand");
    CHECK_OK(rondo_exception_context_new("something", &context));
    CHECK_OK(rondo_exception_context_set_error(context, error));
    CHECK_OK(rondo_loop_call_exception_handler(arg, context));
    CHECK_OK(rondo_exception_context_release(context));
    CHECK_OK(rondo_error_release(error));
}

KIT_TEST(call_exception_handler_by_hand)
{
    rondo_loop *loop = kit_loop();
    rondo_exception_handler_fn fn = NULL;
    void *arg = NULL;
    kit_record_reports(loop);
    CHECK_OK(rondo_loop_get_exception_handler(loop, &fn, &arg));
    CHECK(fn == kit_record_report);
    call_the_handler(loop);
    CHECK_EQ_INT(kit_reports(), 1);
    CHECK_EQ_STR(kit_report_message(0), "something");
    CHECK_EQ_INT(kit_report_code(0), 3);
    CHECK_OK(rondo_loop_set_exception_handler(loop, NULL, NULL, NULL));
    CHECK_OK(rondo_loop_get_exception_handler(loop, &fn, &arg));
    CHECK(fn == NULL && arg == NULL);
    kit_catch_log();
    call_the_handler(loop);
    CHECK_EQ_INT(kit_reports(), 1);
    CHECK(kit_logged_containing("something"));
    CHECK(kit_logged_containing("by hand"));
    kit_loop_end(loop);
}

KIT_TEST(default_message_of_a_context)
{
    rondo_loop *loop = kit_loop();
    rondo_exception_context *context = NULL;
    kit_catch_log();
    CHECK_OK(rondo_exception_context_new(NULL, &context));
    CHECK_OK(rondo_loop_default_exception_handler(loop, context));
    CHECK_EQ_INT(kit_logged(), 1);
    CHECK(kit_logged_containing("Unhandled exception in event loop"));
    CHECK_OK(rondo_exception_context_release(context));
    kit_loop_end(loop);
}

static void replace_handler(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    (void)context;
    CHECK_EQ_PTR(arg, &kit_drops);
    CHECK_OK(rondo_loop_set_exception_handler(loop, kit_record_report, NULL, NULL));
    kit_log("replaced");
}

/* F42: the exception handler replaces itself while it runs. */
KIT_TEST(handler_replaces_itself)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_set_exception_handler(loop, replace_handler, &kit_drops, kit_drop));
    call_the_handler(loop);
    kit_expect_log("replaced");
    CHECK_EQ_INT(kit_drops, 1);
    call_the_handler(loop);
    CHECK_EQ_INT(kit_reports(), 1);
    kit_loop_end(loop);
}

static rondo_contextvar *handler_variable;

static void set_variable_and_raise(void *arg)
{
    CHECK_OK(rondo_contextvar_set(handler_variable, "inside", NULL));
    raise_error(arg);
}

static void read_variable(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    (void)loop;
    (void)context;
    (void)arg;
    void *value = NULL;
    CHECK_OK(rondo_contextvar_get(handler_variable, &value));
    kit_log("%s", (const char *)value);
}

/* The handler runs in the context of the callback that raised (CPython 3.12). */
KIT_TEST(handler_runs_in_the_callbacks_context)
{
    struct pair pair = { .loop = kit_loop(), .error = kit_error(1, "boom") };
    void *value = NULL;
    CHECK_OK(rondo_contextvar_new("v", "default", &handler_variable));
    CHECK_OK(rondo_loop_set_exception_handler(pair.loop, read_variable, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(pair.loop, set_variable_and_raise, &pair, NULL, NULL));
    kit_pass(pair.loop);
    kit_expect_log("raise inside");
    CHECK_OK(rondo_contextvar_get(handler_variable, &value));
    CHECK_EQ_STR(value, "default");
    CHECK_OK(rondo_contextvar_release(handler_variable));
    CHECK_OK(rondo_error_release(pair.error));
    kit_loop_end(pair.loop);
}

/* SystemExit's shape: the run ends at once, what is left of the batch stays for the next run. */
KIT_TEST(exit_leaves_the_loop_and_keeps_the_batch)
{
    struct pair pair = { .loop = kit_loop(), .error = kit_rondo_error(RONDO_E_EXIT, "bye") };
    rondo_error *escaped = NULL;
    kit_record_reports(pair.loop);
    CHECK_OK(rondo_loop_call_soon(pair.loop, kit_log_call, "a", NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(pair.loop, raise_error, &pair, kit_drop, NULL));
    CHECK_OK(rondo_loop_call_soon(pair.loop, kit_log_call, "c", kit_drop, NULL));
    CHECK_STATUS(rondo_loop_run_forever(pair.loop), RONDO_E_EXIT);
    kit_expect_log("a raise");
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_EQ_INT(kit_reports(), 0);
    CHECK_EQ_INT(rondo_loop_is_running(pair.loop), 0);
    CHECK_OK(rondo_loop_take_escaped(pair.loop, &escaped));
    CHECK_EQ_INT(rondo_error_get_code(escaped), RONDO_E_EXIT);
    CHECK_EQ_STR(rondo_error_get_message(escaped), "bye");
    CHECK_OK(rondo_error_release(escaped));
    CHECK_STATUS(rondo_loop_take_escaped(pair.loop, &escaped), RONDO_E_INVALID_STATE);
    kit_pass(pair.loop);
    kit_expect_log("c");
    CHECK_OK(rondo_error_release(pair.error));
    kit_loop_end(pair.loop);
}

KIT_TEST(interrupt_leaves_run_until_complete)
{
    struct pair pair = { .loop = kit_loop() };
    rondo_future *future = NULL;
    pair.error = kit_rondo_error(RONDO_E_INTERRUPTED, NULL);
    CHECK_OK(rondo_future_new(pair.loop, &future));
    CHECK_OK(rondo_loop_call_soon(pair.loop, raise_error, &pair, NULL, NULL));
    CHECK_STATUS(rondo_loop_run_until_complete(pair.loop, future, NULL), RONDO_E_INTERRUPTED);
    CHECK_EQ_INT(rondo_future_is_done(future), 0);
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_error_release(pair.error));
    CHECK_OK(rondo_loop_close(pair.loop, NULL)); /* the escaped error that nobody took goes, too */
    CHECK_OK(rondo_loop_release(pair.loop));
}

/* ---- passes and sleeping --------------------------------------------------------------------- */

static void count_poll(rondo_loop *loop, void *arg)
{
    (void)loop;
    atomic_fetch_add(&((struct kit_arg *)arg)->calls, 1);
}

static void next_sleep(void *arg)
{
    static const int64_t delays[] = { 10000000, 100000, 1000, 10, 0 };
    struct pair *pair = arg;
    if (pair->count == 5)
        CHECK_OK(rondo_loop_stop(pair->loop));
    else
        CHECK_OK(rondo_loop_call_later(pair->loop, delays[pair->count++], next_sleep, pair, NULL, NULL));
}

/* L-18: short timers do not spin: five sleeps from 10 ms down need at most twenty polls. */
KIT_TEST(short_timers_do_not_spin)
{
    struct pair pair = { .loop = kit_loop() };
    struct kit_arg polls = { 0 };
    CHECK_OK(rondo_loop_set_poll_hooks(pair.loop, count_poll, NULL, &polls, kit_arg_drop));
    CHECK_OK(rondo_loop_call_soon(pair.loop, next_sleep, &pair, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(pair.loop));
    CHECK(polls.calls >= 1);
    CHECK(polls.calls <= 20);
    kit_loop_end(pair.loop);
    CHECK_EQ_INT(polls.drops, 1);
}

struct idle {
    rondo_loop *loop;
    struct kit_arg polls;
    atomic_int tid;
};

static void tell_tid(void *arg)
{
    atomic_store(&((struct idle *)arg)->tid, kit_tid());
}

static void *run_idle(void *arg)
{
    struct idle *idle = arg;
    CHECK_OK(rondo_loop_new(NULL, &idle->loop));
    CHECK_OK(rondo_loop_set_poll_hooks(idle->loop, count_poll, NULL, &idle->polls, NULL));
    CHECK_OK(rondo_loop_call_soon(idle->loop, tell_tid, idle, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(idle->loop));
    kit_loop_end(idle->loop);
    return NULL;
}

/* L-18: without work the loop sleeps, for ever, in one poll. */
KIT_TEST(an_idle_loop_sleeps)
{
    struct idle idle = { 0 };
    pthread_t thread = kit_thread_start(run_idle, &idle);
    while (atomic_load(&idle.tid) == 0)
        usleep(200);
    kit_wait_asleep(atomic_load(&idle.tid));
    int polls = atomic_load(&idle.polls.calls);
    CHECK_EQ_INT(polls, 1);
    usleep(20000);
    CHECK_EQ_INT(atomic_load(&idle.polls.calls), polls);
    CHECK_OK(rondo_loop_call_soon_threadsafe(idle.loop, kit_stop_call, idle.loop, NULL, NULL));
    kit_thread_join(thread);
}

static void note_readable(int32_t fd, void *arg)
{
    struct pair *pair = arg;
    pair->count++;
    kit_log("io");
    CHECK_OK(rondo_loop_remove_reader(pair->loop, fd, NULL));
}

static void work(void *arg)
{
    struct pair *pair = arg;
    if (++*(int *)pair->handle < 1000 && pair->count == 0)
        CHECK_OK(rondo_loop_call_soon(pair->loop, work, pair, NULL, NULL));
    else
        CHECK_OK(rondo_loop_stop(pair->loop));
}

/* F44: callbacks that always schedule more do not starve descriptors. */
KIT_TEST(endless_work_does_not_starve_descriptors)
{
    struct pair pair = { .loop = kit_loop() };
    int fds[2], rounds = 0;
    kit_socketpair(fds);
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    pair.handle = (rondo_handle *)&rounds;
    CHECK_OK(rondo_loop_add_reader(pair.loop, fds[0], note_readable, &pair, NULL));
    CHECK_OK(rondo_loop_call_soon(pair.loop, work, &pair, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(pair.loop));
    CHECK_EQ_INT(pair.count, 1);
    CHECK(rounds < 1000);
    kit_loop_end(pair.loop);
    close(fds[0]);
    close(fds[1]);
}

static void schedule_many(void *arg)
{
    next_expected = 0;
    for (intptr_t i = 0; i < 100000; i++)
        CHECK_OK(rondo_loop_call_soon(arg, expect_in_order, (void *)i, NULL, NULL));
}

/* F44: 100,000 calls made by one callback run in the next pass only. */
KIT_TEST(a_flood_waits_for_the_next_pass)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, schedule_many, loop, NULL, NULL));
    kit_pass(loop);
    CHECK_EQ_INT(next_expected, 0);
    kit_pass(loop);
    CHECK_EQ_INT(next_expected, 100000);
    kit_loop_end(loop);
}

/* ---- threads and ownership ------------------------------------------------------------------- */

static void run_elsewhere(void *arg)
{
    CHECK_OK(rondo_loop_call_soon_threadsafe(arg, check_running_is, arg, NULL, NULL));
    CHECK_STATUS(rondo_loop_stop(arg), RONDO_E_WRONG_THREAD);
    CHECK_OK(rondo_loop_call_soon_threadsafe(arg, kit_stop_call, arg, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(arg));
}

/* The thread that runs a loop takes it over, and another may close it once it rests. */
KIT_TEST(a_loop_is_taken_over_by_who_runs_it)
{
    rondo_loop *loop = kit_loop();
    kit_in_thread(run_elsewhere, loop);
    kit_expect_log("ok");
    rondo_status status = rondo_loop_call_soon(loop, kit_no_call, NULL, kit_drop, NULL);
    CHECK(status == RONDO_E_WRONG_THREAD || status == RONDO_E_OWNER_DEAD);
    CHECK_EQ_INT(kit_drops, 1);
    kit_loop_end(loop);
}

static void close_it(void *arg)
{
    CHECK_OK(rondo_loop_close(arg, NULL));
    CHECK_EQ_INT(rondo_loop_is_closed(arg), 1);
}

KIT_TEST(close_by_another_thread)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, kit_no_call, NULL, kit_drop, NULL));
    kit_in_thread(close_it, loop);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_EQ_INT(rondo_loop_is_closed(loop), 1);
    CHECK_STATUS(rondo_loop_call_soon(loop, kit_no_call, NULL, NULL, NULL), RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_loop_release(loop));
}

/* ---- small things ---------------------------------------------------------------------------- */

KIT_TEST(time_is_monotonic_clock)
{
    rondo_loop *loop = kit_loop();
    int64_t before = kit_now(), now = 0;
    CHECK_OK(rondo_loop_time(loop, &now));
    CHECK(now >= before);
    CHECK(now <= kit_now());
    kit_loop_end(loop);
}

KIT_TEST(debug_mode)
{
    rondo_loop_options options = { .size = sizeof options, .flags = RONDO_LOOP_DEBUG };
    rondo_loop *loop = NULL;
    CHECK_OK(rondo_loop_new(&options, &loop));
    CHECK_EQ_INT(rondo_loop_get_debug(loop), 1);
    CHECK_OK(rondo_loop_set_debug(loop, 0));
    CHECK_EQ_INT(rondo_loop_get_debug(loop), 0);
    CHECK_OK(rondo_loop_set_debug(loop, 1));
    CHECK_EQ_INT(rondo_loop_get_debug(loop), 1);
    kit_loop_end(loop);
}

/* Nothing is opened before it is needed: no descriptor for a loop that only runs callbacks. */
KIT_TEST(descriptors_come_with_the_first_need)
{
    int probe = dup(0);
    close(probe);
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, kit_arg_call, NULL, NULL, NULL));
    kit_pass(loop);
    int next = dup(0);
    CHECK_EQ_INT(next, probe);
    close(next);
    kit_loop_end(loop);
}

static rondo_contextvar *soon_variable;

static void log_variable(void *arg)
{
    (void)arg;
    void *value = NULL;
    CHECK_OK(rondo_contextvar_get(soon_variable, &value));
    kit_log("%s", (const char *)value);
}

static void set_two(void *arg)
{
    CHECK_OK(rondo_contextvar_set(soon_variable, "two", NULL));
    CHECK_OK(rondo_loop_call_soon(arg, log_variable, NULL, NULL, NULL));
    CHECK_OK(rondo_contextvar_set(soon_variable, "three", NULL));
}

/* call_soon captures the context of the call; what a callback sets stays in its own copy. */
KIT_TEST(call_soon_captures_the_context)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_contextvar_new("v", "one", &soon_variable));
    CHECK_OK(rondo_loop_call_soon(loop, set_two, loop, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(loop, log_variable, NULL, NULL, NULL));
    kit_pass(loop);
    kit_pass(loop);
    kit_expect_log("one two");
    CHECK_OK(rondo_contextvar_release(soon_variable));
    kit_loop_end(loop);
}

KIT_TEST(call_soon_in_context_keeps_what_is_set)
{
    rondo_loop *loop = kit_loop();
    rondo_context *context = NULL;
    CHECK_OK(rondo_contextvar_new("v", "one", &soon_variable));
    CHECK_OK(rondo_context_new(&context));
    CHECK_OK(rondo_loop_call_soon_in_context(loop, context, set_two, loop, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon_in_context(loop, context, log_variable, NULL, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon(loop, log_variable, NULL, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("three one");
    kit_pass(loop);
    kit_expect_log("two");
    CHECK_OK(rondo_context_release(context));
    CHECK_OK(rondo_contextvar_release(soon_variable));
    kit_loop_end(loop);
}
