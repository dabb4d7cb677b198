/*
 * reentrancy.c - callbacks that end the very thing that calls them (F42), and completions that
 * meet (F45-F47). For handles, timers, readers, hooks and the exception handler see their own files.
 */
#include "kit.h"

#include <errno.h>
#include <unistd.h>

struct own {
    rondo_loop *loop;
    rondo_future *future;
    rondo_task *task;
    rondo_coroutine *coroutine;
    rondo_thread_future *thread_future;
    rondo_context *context;
    rondo_error *error;
    int calls;
};

/* ---- futures --------------------------------------------------------------------------------- */

static void release_own_future(rondo_future *future, void *arg)
{
    struct own *own = arg;
    CHECK_EQ_PTR(future, own->future);
    CHECK_OK(rondo_future_release(future));
    CHECK_EQ_INT(rondo_future_is_done(future), 1); /* borrowed: good until we return */
    CHECK_EQ_INT(kit_drops, 0);
    own->calls++;
}

KIT_TEST(done_callback_releases_its_future)
{
    struct own own = { .loop = kit_loop() };
    CHECK_OK(rondo_future_new(own.loop, &own.future));
    CHECK_OK(rondo_future_add_done_callback(own.future, release_own_future, &own, kit_drop));
    CHECK_OK(rondo_future_set_result(own.future, NULL, kit_drop));
    kit_pass(own.loop);
    kit_pass(own.loop);
    CHECK_EQ_INT(own.calls, 1);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_STATUS(rondo_future_release(own.future), RONDO_E_STALE_HANDLE);
    kit_loop_end(own.loop);
}

static void log_future(rondo_future *future, void *arg)
{
    (void)future;
    kit_log("%s", (const char *)arg);
}

static void add_and_remove(rondo_future *future, void *arg)
{
    size_t removed = 7;
    kit_log("first");
    CHECK_OK(rondo_future_remove_done_callback(future, log_future, arg, &removed));
    CHECK_EQ_INT(removed, 0); /* scheduled already: too late, as in asyncio */
    CHECK_OK(rondo_future_add_done_callback(future, log_future, "added", NULL));
}

/* F47: a done callback that adds and removes done callbacks of the same future. */
KIT_TEST(done_callbacks_change_the_list)
{
    struct own own = { .loop = kit_loop() };
    static char second[] = "second";
    CHECK_OK(rondo_future_new(own.loop, &own.future));
    CHECK_OK(rondo_future_add_done_callback(own.future, add_and_remove, second, NULL));
    CHECK_OK(rondo_future_add_done_callback(own.future, log_future, second, NULL));
    CHECK_OK(rondo_future_set_result(own.future, NULL, NULL));
    kit_pass(own.loop);
    kit_expect_log("first second");
    kit_pass(own.loop);
    kit_expect_log("added");
    CHECK_OK(rondo_future_release(own.future));
    kit_loop_end(own.loop);
}

static void remove_more(void *arg)
{
    struct own *own = arg;
    size_t removed = 7;
    CHECK_OK(rondo_future_remove_done_callback(own->future, log_future, "x", &removed));
    CHECK_EQ_INT(removed, 0);
    CHECK_OK(rondo_future_add_done_callback(own->future, log_future, "from the drop", NULL));
    own->calls++;
}

/* F47, F-08: the drop of a removed callback works on the same list. */
KIT_TEST(drop_of_a_removed_callback_changes_the_list)
{
    struct own own = { .loop = kit_loop() };
    size_t removed = 0;
    CHECK_OK(rondo_future_new(own.loop, &own.future));
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_future_add_done_callback(own.future, release_own_future, &own, remove_more));
    CHECK_OK(rondo_future_remove_done_callback(own.future, release_own_future, &own, &removed));
    CHECK_EQ_INT(removed, 3);
    CHECK_EQ_INT(own.calls, 3);
    CHECK_OK(rondo_future_set_result(own.future, NULL, NULL));
    kit_pass(own.loop);
    kit_expect_log("from the drop from the drop from the drop");
    CHECK_OK(rondo_future_release(own.future));
    kit_loop_end(own.loop);
}

static void complete_in_drop(void *arg)
{
    struct own *own = arg;
    CHECK_STATUS(rondo_future_set_result(own->future, NULL, kit_drop), RONDO_E_INVALID_STATE);
    CHECK_EQ_INT(kit_drops, 1);
    own->calls++;
}

/* F46: completed twice, after a cancel, read too early: the first stays. */
KIT_TEST(second_completion_is_refused)
{
    struct own own = { .loop = kit_loop() };
    rondo_error *error = kit_error(1, NULL);
    void *value = NULL;
    CHECK_OK(rondo_future_new(own.loop, &own.future));
    CHECK_STATUS(rondo_future_result(own.future, &value), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_future_exception(own.future, NULL), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_future_set_result(own.future, "first", NULL));
    CHECK_STATUS(rondo_future_set_result(own.future, &own, complete_in_drop), RONDO_E_INVALID_STATE);
    CHECK_EQ_INT(own.calls, 1);
    CHECK_STATUS(rondo_future_set_exception(own.future, error), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_future_cancel(own.future, NULL, NULL), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_future_result(own.future, &value));
    CHECK_EQ_STR(value, "first");
    CHECK_OK(rondo_future_release(own.future));
    CHECK_OK(rondo_future_new(own.loop, &own.future));
    CHECK_OK(rondo_future_cancel(own.future, NULL, NULL));
    CHECK_STATUS(rondo_future_set_result(own.future, NULL, kit_drop), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_future_set_exception(own.future, error), RONDO_E_INVALID_STATE);
    CHECK_STATUS(rondo_future_cancel(own.future, NULL, NULL), RONDO_E_INVALID_STATE);
    CHECK_EQ_INT(rondo_future_is_cancelled(own.future), 1);
    CHECK_OK(rondo_future_release(own.future));
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(own.loop);
}

/* ---- tasks and coroutines -------------------------------------------------------------------- */

static rondo_step release_own_task(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct own *own = frame;
    (void)sent;
    (void)thrown;
    CHECK_EQ_INT(kit_drops, 0);
    if (own->calls++ == 0) {
        CHECK_OK(rondo_task_release(own->task));
        return rondo_coroutine_yield(co, NULL);
    }
    kit_log("went on");
    return rondo_coroutine_return(co, NULL, NULL);
}

/* The loop holds a task: it goes on without anybody's reference. */
KIT_TEST(step_releases_its_own_task)
{
    struct own own = { .loop = kit_loop() };
    CHECK_OK(rondo_loop_spawn(own.loop, release_own_task, &own, kit_drop, NULL, &own.task));
    for (int i = 0; i < 3; i++)
        kit_pass(own.loop);
    kit_expect_log("went on");
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_task_release(own.task), RONDO_E_STALE_HANDLE);
    kit_loop_end(own.loop);
}

static rondo_step cancel_own_task(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct own *own = frame;
    (void)sent;
    if (thrown != NULL) {
        kit_log("cancelled");
        return rondo_coroutine_raise(co, thrown);
    }
    CHECK_OK(rondo_task_cancel(own->task, "myself", NULL));
    return rondo_coroutine_yield(co, NULL);
}

/* F45: a task cancels itself, and cancelling a finished task changes nothing. */
KIT_TEST(step_cancels_its_own_task)
{
    struct own own = { .loop = kit_loop() };
    CHECK_OK(rondo_loop_spawn(own.loop, cancel_own_task, &own, kit_drop, NULL, &own.task));
    CHECK_OK(rondo_loop_run_until_complete(own.loop, own.task, NULL));
    kit_expect_log("cancelled");
    CHECK_EQ_INT(rondo_future_is_cancelled(rondo_task_as_future(own.task)), 1);
    CHECK_STATUS(rondo_task_cancel(own.task, NULL, NULL), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_task_release(own.task));
    kit_loop_end(own.loop);
}

static rondo_step wait_on_future(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct own *own = frame;
    (void)sent;
    if (thrown != NULL) {
        kit_log("%s", rondo_status_name(rondo_error_get_status(thrown)));
        return rondo_coroutine_raise(co, thrown);
    }
    if (own->calls++ == 0)
        return rondo_coroutine_await(co, own->future);
    kit_log("woken");
    return rondo_coroutine_return(co, NULL, NULL);
}

static void cancel_the_waiter(rondo_future *future, void *arg)
{
    struct own *own = arg;
    CHECK_EQ_INT(rondo_future_is_done(future), 1);
    CHECK_OK(rondo_task_cancel(own->task, NULL, NULL));
}

/* F45: a done callback cancels the task that the same completion is about to wake: CE wins. */
KIT_TEST(cancel_between_completion_and_wake_up)
{
    struct own own = { .loop = kit_loop() };
    CHECK_OK(rondo_future_new(own.loop, &own.future));
    CHECK_OK(rondo_future_add_done_callback(own.future, cancel_the_waiter, &own, NULL));
    CHECK_OK(rondo_loop_spawn(own.loop, wait_on_future, &own, NULL, NULL, &own.task));
    kit_pass(own.loop);
    CHECK_OK(rondo_future_set_result(own.future, NULL, NULL));
    CHECK_OK(rondo_loop_run_until_complete(own.loop, own.task, NULL));
    kit_expect_log("RONDO_E_CANCELLED");
    CHECK_STATUS(rondo_future_result(own.future, NULL), RONDO_OK); /* it keeps its result */
    CHECK_OK(rondo_future_release(own.future));
    CHECK_OK(rondo_task_release(own.task));
    kit_loop_end(own.loop);
}

static rondo_step end_myself(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct own *own = frame;
    rondo_step step = -1;
    (void)sent;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    CHECK_STATUS(rondo_coroutine_send(own->coroutine, NULL, &step, NULL, NULL), RONDO_E_ALREADY_RUNNING);
    CHECK_STATUS(rondo_coroutine_close(own->coroutine, NULL), RONDO_E_ALREADY_RUNNING);
    CHECK_STATUS(rondo_coroutine_throw(own->coroutine, own->error, &step, NULL, NULL),
                 RONDO_E_ALREADY_RUNNING);
    CHECK_EQ_INT(step, -1);
    CHECK_OK(rondo_coroutine_release(own->coroutine));
    CHECK_EQ_INT(kit_drops, 0);
    own->calls++;
    return rondo_coroutine_return(co, "value", NULL);
}

/* A coroutine that drives, closes and releases itself while it runs. */
KIT_TEST(step_releases_its_own_coroutine)
{
    struct own own = { .error = kit_error(1, NULL) };
    rondo_step step = -1;
    void *value = NULL;
    CHECK_OK(rondo_coroutine_new("me", end_myself, &own, kit_drop, &own.coroutine));
    CHECK_OK(rondo_coroutine_send(own.coroutine, NULL, &step, &value, NULL));
    CHECK_EQ_INT(step, RONDO_STEP_RETURN);
    CHECK_EQ_STR(value, "value");
    CHECK_EQ_INT(own.calls, 1);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_coroutine_release(own.coroutine), RONDO_E_STALE_HANDLE);
    CHECK_OK(rondo_error_release(own.error));
}

/* ---- thread futures, contexts, sinks --------------------------------------------------------- */

static void release_own_thread_future(rondo_thread_future *future, void *arg)
{
    struct own *own = arg;
    CHECK_EQ_PTR(future, own->thread_future);
    CHECK_STATUS(rondo_thread_future_set_result(future, NULL, kit_drop), RONDO_E_INVALID_STATE);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_thread_future_release(future));
    CHECK_EQ_INT(rondo_thread_future_is_done(future), 1);
    own->calls++;
}

KIT_TEST(done_callback_releases_its_thread_future)
{
    struct own own = { 0 };
    CHECK_OK(rondo_thread_future_new(&own.thread_future));
    CHECK_OK(rondo_thread_future_add_done_callback(own.thread_future, release_own_thread_future, &own,
                                                   kit_drop));
    CHECK_OK(rondo_thread_future_set_result(own.thread_future, NULL, kit_drop));
    CHECK_EQ_INT(own.calls, 1);
    CHECK_EQ_INT(kit_drops, 3);
    CHECK_STATUS(rondo_thread_future_release(own.thread_future), RONDO_E_STALE_HANDLE);
}

static void enter_again(void *arg)
{
    struct own *own = arg;
    CHECK_STATUS(rondo_context_run(own->context, kit_no_call, NULL), RONDO_E_RUNTIME);
    CHECK_OK(rondo_context_release(own->context));
    own->calls++;
}

KIT_TEST(context_is_released_while_it_is_entered)
{
    struct own own = { 0 };
    CHECK_OK(rondo_context_new(&own.context));
    CHECK_OK(rondo_context_run(own.context, enter_again, &own));
    CHECK_EQ_INT(own.calls, 1);
    CHECK_STATUS(rondo_context_release(own.context), RONDO_E_STALE_HANDLE);
}

static void replace_sink(int32_t level, const char *message, const rondo_log_field *fields,
                         size_t field_count, void *arg)
{
    (void)fields, (void)field_count;
    (void)level;
    (void)message;
    (void)arg;
    kit_log("sink");
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
}

KIT_TEST(sink_replaces_itself)
{
    rondo_loop *loop = kit_loop();
    rondo_exception_context *context = NULL;
    CHECK_OK(rondo_exception_context_new("x", &context));
    CHECK_OK(rondo_log_set_sink(replace_sink, NULL, kit_drop));
    CHECK_OK(rondo_loop_default_exception_handler(loop, context));
    kit_expect_log("sink");
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_exception_context_release(context));
    kit_loop_end(loop);
}

/* ---- drops ----------------------------------------------------------------------------------- */

static void schedule_in_drop(void *arg)
{
    struct own *own = arg;
    CHECK_OK(rondo_loop_call_soon(own->loop, kit_log_call, "from a drop", kit_drop, NULL));
    own->calls++;
}

/* A drop may use the library: after its callback, on cancel, and on a failed call. */
KIT_TEST(drops_schedule)
{
    struct own own = { .loop = kit_loop() };
    rondo_handle *handle = NULL;
    CHECK_OK(rondo_loop_call_later(own.loop, 3600000000000, kit_no_call, &own, schedule_in_drop, &handle));
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_OK(rondo_handle_release(handle));
    CHECK_STATUS(rondo_loop_call_soon(own.loop, NULL, &own, schedule_in_drop, NULL), -EINVAL);
    CHECK_EQ_INT(own.calls, 2);
    kit_pass(own.loop);
    kit_expect_log("from a drop from a drop");
    CHECK_EQ_INT(kit_drops, 2);
    kit_loop_end(own.loop);
}

static void release_in_drop(void *arg)
{
    struct own *own = arg;
    CHECK_OK(rondo_future_release(own->future));
    own->calls++;
}

/* A future's value owns another future: the chain goes down without recursion into freed memory. */
KIT_TEST(drop_of_a_value_releases_another_future)
{
    struct own chain[50];
    rondo_loop *loop = kit_loop();
    rondo_future *last = NULL;
    CHECK_OK(rondo_future_new(loop, &last));
    for (int i = 0; i < 50; i++) {
        chain[i] = (struct own){ .loop = loop, .future = last };
        CHECK_OK(rondo_future_new(loop, &last));
        CHECK_OK(rondo_future_set_result(last, &chain[i], release_in_drop));
    }
    CHECK_OK(rondo_future_release(last));
    for (int i = 0; i < 50; i++)
        CHECK_EQ_INT(chain[i].calls, 1);
    kit_loop_end(loop);
}
