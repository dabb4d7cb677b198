/* task.c - tasks: steps, outcomes, names, current and all tasks, what may not be awaited. */
#include "coro.h"

#include <errno.h>
#include <stdio.h>

static const char *name_of(rondo_task *task)
{
    static char name[256];
    CHECK_OK(rondo_task_get_name(task, name, sizeof name, NULL));
    return name;
}

static const char *describe(rondo_future *future)
{
    static char text[1024];
    CHECK_OK(rondo_future_describe(future, text, sizeof text, NULL));
    return text;
}

/* ---- outcomes ------------------------------------------------------------------------------- */

KIT_TEST(returns_a_value)
{
    rondo_loop *loop = kit_loop();
    struct kit_arg value = { 0 };
    struct frame frame = { .value = &value, .drop = kit_arg_drop };
    rondo_task *task = task_of(loop, returns_step, &frame);
    CHECK_EQ_INT(frame.started, 0);
    expect_pending(as_future(task));
    kit_pass(loop);
    CHECK_EQ_INT(frame.started, 1);
    CHECK_EQ_INT(frame.drops, 1);
    expect_result(as_future(task), &value);
    CHECK_EQ_INT(value.drops, 0);
    end_task(task);
    CHECK_EQ_INT(value.drops, 1);
    kit_loop_end(loop);
}

KIT_TEST(raises)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 2, .error = kit_error(5, "five") };
    rondo_future *done = run_frame(loop, raises_step, &frame);
    rondo_error *error = NULL;
    CHECK_OK(rondo_future_exception(done, &error));
    CHECK_EQ_PTR(error, frame.error);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_error_release(frame.error));
    CHECK_EQ_INT(frame.drops, 1);
    end_future(done);
    kit_loop_end(loop);
}

/* A released task runs on: the loop holds it. */
KIT_TEST(released_tasks_run_on)
{
    rondo_loop *loop = kit_loop();
    struct kit_arg value = { 0 };
    struct frame frame = { .name = "done", .n = 3, .value = &value, .drop = kit_arg_drop };
    end_task(task_of(loop, passes_step, &frame));
    for (int i = 0; i < 3; i++)
        kit_pass(loop);
    kit_expect_log("");
    kit_pass(loop);
    kit_expect_log("done");
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_EQ_INT(value.drops, 1);
    kit_loop_end(loop);
}

KIT_TEST(without_out_task)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .name = "a" }, spawned = { .name = "b" };
    CHECK_OK(rondo_loop_create_task(loop, coroutine_of(returns_step, &frame), NULL, NULL));
    CHECK_OK(rondo_loop_spawn(loop, returns_step, &spawned, frame_drop, NULL, NULL));
    kit_pass(loop);
    kit_expect_log("a b");
    CHECK_EQ_INT(frame.drops + spawned.drops, 2);
    kit_loop_end(loop);
}

static void log_task(rondo_future *future, void *arg)
{
    CHECK_EQ_PTR(future, rondo_task_as_future(*(rondo_task **)arg));
    kit_log("done");
}

KIT_TEST(spawn)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 1, .value = loop };
    rondo_task_options options = { .size = sizeof options, .name = "N", .coroutine_name = "worker" };
    rondo_task *task = NULL;
    CHECK_OK(rondo_loop_spawn(loop, passes_step, &frame, frame_drop, &options, &task));
    CHECK_OK(rondo_future_add_done_callback(as_future(task), log_task, &task, NULL));
    CHECK_EQ_STR(name_of(task), "N");
    CHECK(strstr(describe(as_future(task)), "coro=<worker()") != NULL);
    run_until_done(loop, task);
    kit_pass(loop);
    kit_expect_log("done");
    expect_result(as_future(task), loop);
    CHECK_EQ_INT(frame.drops, 1);
    end_task(task);
    CHECK_STATUS(rondo_loop_spawn(loop, NULL, &frame, kit_drop, NULL, &task), -EINVAL);
    CHECK_EQ_INT(kit_drops, 1);
    kit_loop_end(loop);
}

/* A task is a future: the same handle, the same references. */
KIT_TEST(a_task_is_a_future)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { 0 };
    rondo_task *task = task_of(loop, returns_step, &frame);
    CHECK_EQ_PTR(rondo_task_as_future(task), task);
    CHECK_EQ_PTR(rondo_future_get_loop(as_future(task)), loop);
    CHECK_OK(rondo_future_retain(as_future(task)));
    CHECK_OK(rondo_task_release(task));
    run_until_done(loop, task);
    CHECK_OK(rondo_future_release(as_future(task)));
    CHECK_STATUS(rondo_task_release(task), RONDO_E_STALE_HANDLE);
    CHECK_EQ_PTR(rondo_task_as_future(task), NULL);
    kit_loop_end(loop);
}

/* A future is no task. */
KIT_TEST(a_future_is_no_task)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    uint32_t count = 0;
    CHECK_STATUS(rondo_task_cancel((rondo_task *)future, NULL, NULL), RONDO_E_BAD_HANDLE);
    CHECK_STATUS(rondo_task_cancelling((rondo_task *)future, &count), RONDO_E_BAD_HANDLE);
    CHECK_STATUS(rondo_task_release((rondo_task *)future), RONDO_E_BAD_HANDLE);
    CHECK_EQ_PTR(rondo_task_as_future((rondo_task *)future), NULL);
    end_future(future);
    kit_loop_end(loop);
}

/* create_task on a closed loop: the coroutine moves and is closed. */
KIT_TEST(L10_create_task_on_a_closed_loop)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { 0 };
    rondo_task *task = NULL;
    kit_catch_log();
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_loop_create_task(loop, coroutine_of(no_step, &frame), NULL, &task),
                 RONDO_E_LOOP_CLOSED);
    CHECK_EQ_INT(frame.drops, 1);
    CHECK_STATUS(rondo_loop_spawn(loop, no_step, NULL, kit_drop, NULL, &task), RONDO_E_LOOP_CLOSED);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_EQ_PTR(task, NULL);
    CHECK_OK(rondo_loop_release(loop));
}

/* K-07: "Task does not support set_result operation"; the value is dropped, the task unaffected. */
KIT_TEST(K07_outcome_from_outside)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = 1, .value = loop };
    struct kit_arg value = { 0 };
    rondo_error *error = kit_error(1, "one");
    rondo_task *task = task_of(loop, passes_step, &frame);
    CHECK_STATUS(rondo_future_set_result(as_future(task), &value, kit_arg_drop), RONDO_E_RUNTIME);
    CHECK_EQ_INT(value.drops, 1);
    CHECK_STATUS(rondo_future_set_exception(as_future(task), error), RONDO_E_RUNTIME);
    expect_pending(as_future(task));
    run_until_done(loop, task);
    expect_result(as_future(task), loop);
    CHECK_OK(rondo_error_release(error));
    end_task(task);
    kit_loop_end(loop);
}

/* ---- awaiting ------------------------------------------------------------------------------- */

/* Awaits future, which must fail; checks its code and keeps the message's start in name. */
RONDO_STEP(await_fails_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    if (self->future == NULL) {
        CHECK_OK(rondo_current_task(NULL, &self->task));
        self->future = as_future(self->task);
    }
    RONDO_TRY_AWAIT(self, self->future);
    CHECK(thrown != NULL);
    CHECK_EQ_INT(rondo_error_get_status(thrown), self->n);
    CHECK(strstr(rondo_error_get_message(thrown), self->value) != NULL);
    kit_log("thrown");
    RONDO_YIELD(self); /* it goes on as if nothing had been */
    RONDO_END(self);
}

/* K-06: RuntimeError("Task cannot await on itself: ..."), thrown in at the await. */
KIT_TEST(K06_task_awaits_itself)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .n = RONDO_E_RUNTIME, .value = "Task cannot await on itself" };
    rondo_future *done = run_frame(loop, await_fails_step, &frame);
    expect_result(done, NULL);
    kit_expect_log("thrown");
    end_future(done);
    kit_loop_end(loop);
}

/* F-15, F56: a pending future of another loop: "attached to a different loop", at the await. */
KIT_TEST(F15_future_of_another_loop)
{
    rondo_loop *loop = kit_loop(), *other = kit_loop();
    rondo_future *future = future_of(other);
    struct frame frame = { .n = RONDO_E_WRONG_LOOP, .value = "attached to a different loop", .future = future };
    rondo_future *done = run_frame(loop, await_fails_step, &frame);
    expect_result(done, NULL);
    kit_expect_log("thrown");
    expect_pending(future);
    end_future(done);
    end_future(future);
    kit_loop_end(other);
    kit_loop_end(loop);
}

RONDO_STEP(bad_yield_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY(self, rondo_coroutine_yield(co, self->value));
    expect_thrown(thrown, RONDO_E_RUNTIME, NULL);
    CHECK(strncmp(rondo_error_get_message(thrown), "Task got bad yield", 18) == 0);
    kit_log("thrown");
    RONDO_YIELD(self);
    return rondo_coroutine_return(co, self->value, NULL);
    RONDO_END(self);
}

/* RuntimeError("Task got bad yield: 5") is thrown in where it yielded, a pass later. */
KIT_TEST(K04_bad_yield)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .value = &frame };
    rondo_task *task = task_of(loop, bad_yield_step, &frame);
    kit_pass(loop);
    kit_expect_log("");
    kit_pass(loop);
    kit_expect_log("thrown");
    run_until_done(loop, task);
    expect_result(as_future(task), &frame);
    end_task(task);
    kit_loop_end(loop);
}

static rondo_step unknown_step(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co;
    (void)frame;
    (void)sent;
    (void)thrown;
    return -3;
}

KIT_TEST(unknown_answer_in_a_task)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { 0 };
    rondo_future *done = run_frame(loop, unknown_step, &frame);
    expect_failed(done, RONDO_E_RUNTIME, NULL);
    CHECK_EQ_INT(frame.drops, 1);
    end_future(done);
    kit_loop_end(loop);
}

/* Many tasks await one: all get its value, in the order in which they began to wait. */
KIT_TEST(many_await_one)
{
    rondo_loop *loop = kit_loop();
    struct frame one = { .n = 3, .value = loop };
    struct frame waiters[4] = { { .name = "a" }, { .name = "b" }, { .name = "c" }, { .name = "d" } };
    rondo_task *task = task_of(loop, passes_step, &one), *tasks[4];
    for (int i = 0; i < 4; i++) {
        waiters[i].future = as_future(task);
        tasks[i] = task_of(loop, awaits_step, &waiters[i]);
    }
    run_until_done(loop, tasks[3]);
    kit_expect_log("a b c d");
    for (int i = 0; i < 4; i++) {
        expect_result(as_future(tasks[i]), loop);
        end_task(tasks[i]);
    }
    end_task(task);
    kit_loop_end(loop);
}

/* An error passes through a chain of tasks: the same instance. */
KIT_TEST(errors_travel_through_tasks)
{
    rondo_loop *loop = kit_loop();
    struct frame inner = { .n = 1, .error = kit_error(5, "five") };
    struct frame middle = { .name = "middle" }, outer = { .name = "outer" };
    rondo_task *first = task_of(loop, raises_step, &inner), *second;
    middle.future = as_future(first);
    second = task_of(loop, tells_step, &middle);
    outer.future = as_future(second);
    rondo_future *done = run_frame(loop, tells_step, &outer);
    rondo_error *error = NULL;
    kit_expect_log("middle:5 outer:5");
    CHECK_OK(rondo_future_exception(done, &error));
    CHECK_EQ_PTR(error, inner.error);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_error_release(inner.error));
    end_future(done);
    end_task(second);
    end_task(first);
    kit_loop_end(loop);
}

/* ---- names ---------------------------------------------------------------------------------- */

/* K-08: "Task-N" from one counter of the process; set_name(); shown in the description. */
KIT_TEST(K08_names)
{
    rondo_loop *loop = kit_loop(), *other = kit_loop();
    struct frame a = { .name = "coro" }, b = { 0 }, c = { 0 };
    rondo_task *first = task_of(loop, returns_step, &a), *second = task_of(other, returns_step, &b);
    char one[64], two[64];
    strcpy(one, name_of(first));
    strcpy(two, name_of(second));
    int n = 0, m = 0;
    CHECK_EQ_INT(sscanf(one, "Task-%d", &n), 1);
    CHECK_EQ_INT(sscanf(two, "Task-%d", &m), 1);
    CHECK_EQ_INT(m, n + 1);
    CHECK(strstr(describe(as_future(first)), one) != NULL);
    CHECK(strncmp(describe(as_future(first)), "<Task pending", 13) == 0);
    CHECK_OK(rondo_task_set_name(first, "rock"));
    CHECK_EQ_STR(name_of(first), "rock");
    CHECK(strstr(describe(as_future(first)), "name='rock' coro=<coro()") != NULL);
    CHECK_STATUS(rondo_task_set_name(first, NULL), -EINVAL);
    rondo_task_options options = { .size = sizeof options, .name = "made" };
    rondo_task *third = NULL;
    CHECK_OK(rondo_loop_create_task(loop, coroutine_of(returns_step, &c), &options, &third));
    CHECK_EQ_STR(name_of(third), "made");
    run_until_done(loop, third);
    run_until_done(other, second);
    CHECK_EQ_STR(name_of(first), "rock"); /* also when it is done */
    CHECK(strncmp(describe(as_future(first)), "<Task finished", 14) == 0);
    kit_expect_log("coro");
    end_task(first);
    end_task(second);
    end_task(third);
    kit_loop_end(other);
    kit_loop_end(loop);
}

KIT_TEST(K08_long_names_are_not_truncated)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { 0 };
    rondo_task *task = task_of(loop, returns_step, &frame);
    static char name[5000], read[5001];
    memset(name, 'n', sizeof name - 1);
    size_t size = 0;
    char small[8] = "small";
    CHECK_OK(rondo_task_set_name(task, name));
    CHECK_STATUS(rondo_task_get_name(task, NULL, 0, &size), -ERANGE);
    CHECK_EQ_INT(size, sizeof name - 1);
    CHECK_STATUS(rondo_task_get_name(task, small, sizeof small, &size), -ERANGE);
    CHECK_EQ_STR(small, "small");
    CHECK_OK(rondo_task_get_name(task, read, sizeof name, &size)); /* fits exactly */
    CHECK_EQ_STR(read, name);
    CHECK_OK(rondo_task_set_name(task, ""));
    CHECK_EQ_STR(name_of(task), "");
    run_until_done(loop, task);
    end_task(task);
    kit_loop_end(loop);
}

/* ---- current and all tasks ------------------------------------------------------------------ */

RONDO_STEP(sees_itself_step)
{
    struct frame *self = frame;
    rondo_task *current = NULL;
    RONDO_BEGIN(self);
    for (self->i = 0; self->i < self->n; self->i++) {
        CHECK_OK(rondo_current_task(NULL, &current));
        CHECK_EQ_PTR(current, self->task);
        CHECK_OK(rondo_current_task(self->loop, &current));
        CHECK_EQ_PTR(current, self->task);
        kit_log("%s", self->name);
        RONDO_YIELD(self);
    }
    RONDO_END(self);
}

static void no_task_here(void *arg)
{
    rondo_task *current = arg;
    CHECK_OK(rondo_current_task(NULL, &current));
    CHECK_EQ_PTR(current, NULL);
    kit_log("callback");
}

/* K-09: interleaved tasks see themselves, callbacks see none, without a running loop: an error. */
KIT_TEST(K09_current_task)
{
    rondo_loop *loop = kit_loop();
    struct frame a = { .name = "a", .n = 3 }, b = { .name = "b", .n = 3 };
    rondo_task *current = (rondo_task *)loop;
    CHECK_STATUS(rondo_current_task(NULL, &current), RONDO_E_NO_LOOP);
    CHECK_EQ_PTR(current, loop);
    CHECK_OK(rondo_current_task(loop, &current));
    CHECK_EQ_PTR(current, NULL);
    a.task = task_of(loop, sees_itself_step, &a);
    CHECK_OK(rondo_loop_call_soon(loop, no_task_here, loop, NULL, NULL));
    b.task = task_of(loop, sees_itself_step, &b);
    run_until_done(loop, b.task);
    kit_expect_log("a callback b a b a b");
    CHECK_STATUS(rondo_current_task(NULL, &current), RONDO_E_NO_LOOP);
    end_task(a.task);
    end_task(b.task);
    kit_loop_end(loop);
}

static size_t count_tasks(rondo_loop *loop)
{
    rondo_task *tasks[200];
    size_t count = 0;
    CHECK_OK(rondo_all_tasks(loop, tasks, 200, &count));
    CHECK(count <= 200);
    for (size_t i = 0; i < count; i++) {
        expect_pending(as_future(tasks[i]));
        end_task(tasks[i]);
    }
    return count;
}

RONDO_STEP(counts_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_EQ_INT(count_tasks(NULL), 101);
    CHECK_EQ_INT(count_tasks(self->loop), 101);
    RONDO_END(self);
}

/* K-10: 100 tasks and this one; only of this loop, only what is not done. */
KIT_TEST(K10_all_tasks)
{
    rondo_loop *loop = kit_loop(), *other = kit_loop();
    struct frame frames[100] = { { 0 } }, strange = { 0 }, main = { 0 };
    rondo_task *tasks[100], *foreign = task_of(other, returns_step, &strange);
    size_t count = 77;
    CHECK_OK(rondo_all_tasks(loop, NULL, 0, &count));
    CHECK_EQ_INT(count, 0);
    CHECK_STATUS(rondo_all_tasks(NULL, NULL, 0, &count), RONDO_E_NO_LOOP);
    for (int i = 0; i < 100; i++) {
        frames[i].n = 3;
        tasks[i] = task_of(loop, passes_step, &frames[i]);
    }
    end_future(run_frame(loop, counts_step, &main));
    rondo_task *few[3] = { NULL };
    CHECK_OK(rondo_all_tasks(loop, few, 3, &count));
    CHECK_EQ_INT(count, 100);
    for (int i = 0; i < 3; i++)
        end_task(few[i]);
    run_until_done(loop, tasks[99]);
    CHECK_EQ_INT(count_tasks(loop), 0);
    CHECK_EQ_INT(count_tasks(other), 1);
    for (int i = 0; i < 100; i++)
        end_task(tasks[i]);
    run_until_done(other, foreign);
    end_task(foreign);
    kit_loop_end(other);
    kit_loop_end(loop);
}

static void count_from_outside(void *arg)
{
    rondo_task *tasks[10];
    size_t count = 0;
    CHECK_OK(rondo_all_tasks(arg, tasks, 10, &count));
    CHECK_EQ_INT(count, 5);
    for (size_t i = 0; i < count; i++)
        CHECK_OK(rondo_task_release(tasks[i]));
}

struct asker {
    rondo_loop *loop;
    pthread_t thread;
};

static void *count_then_stop(void *arg)
{
    count_from_outside(arg);
    CHECK_OK(rondo_loop_call_soon_threadsafe(arg, kit_stop_call, arg, NULL, NULL));
    return NULL;
}

static void start_asking(void *arg)
{
    struct asker *asker = arg;
    asker->thread = kit_thread_start(count_then_stop, asker->loop);
}

static void outside_of_an_idle_loop(void *arg)
{
    size_t count = 0;
    CHECK_STATUS(rondo_all_tasks(arg, NULL, 0, &count), RONDO_E_WRONG_THREAD);
}

/* K-10: another thread asks a running loop, and is refused by one that does not run. */
KIT_TEST(K10_all_tasks_of_another_thread)
{
    struct asker asker = { .loop = kit_loop() };
    rondo_loop *loop = asker.loop;
    rondo_future *future = future_of(loop);
    struct frame frames[5] = { { 0 } };
    rondo_task *tasks[5];
    for (int i = 0; i < 5; i++) {
        frames[i].future = future;
        tasks[i] = task_of(loop, awaits_step, &frames[i]);
    }
    kit_in_thread(outside_of_an_idle_loop, loop);
    CHECK_OK(rondo_loop_call_soon(loop, start_asking, &asker, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_thread_join(asker.thread);
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    run_until_done(loop, tasks[4]);
    for (int i = 0; i < 5; i++)
        end_task(tasks[i]);
    end_future(future);
    kit_loop_end(loop);
}

/* ---- ensure_future -------------------------------------------------------------------------- */

/* K-16: a future or task gives itself, a coroutine a task, anything else is a TypeError. */
KIT_TEST(K16_ensure_future)
{
    rondo_loop *loop = kit_loop(), *other = kit_loop();
    struct frame frame = { .value = loop }, again = { 0 };
    rondo_future *future = future_of(loop), *out = NULL;
    rondo_error *error = kit_error(1, "one");
    CHECK_OK(rondo_ensure_future(loop, future, &out));
    CHECK_EQ_PTR(out, future);
    end_future(out);
    out = NULL;
    CHECK_STATUS(rondo_ensure_future(other, future, &out), RONDO_E_WRONG_LOOP);
    CHECK_STATUS(rondo_ensure_future(loop, error, &out), RONDO_E_TYPE);
    CHECK_STATUS(rondo_ensure_future(loop, loop, &out), RONDO_E_TYPE);
    CHECK_EQ_PTR(out, NULL);
    rondo_coroutine *coroutine = coroutine_of(returns_step, &frame);
    CHECK_OK(rondo_coroutine_retain(coroutine));
    CHECK_OK(rondo_ensure_future(loop, coroutine, &out));
    CHECK_STATUS(rondo_ensure_future(loop, coroutine, NULL), RONDO_E_ALREADY_AWAITED);
    CHECK_OK(rondo_loop_run_until_complete(loop, out, NULL));
    expect_result(out, loop);
    end_future(out);
    rondo_task *task = task_of(loop, returns_step, &again);
    CHECK_OK(rondo_ensure_future(loop, task, &out));
    CHECK_EQ_PTR(out, as_future(task));
    end_future(out);
    run_until_done(loop, task);
    end_task(task);
    CHECK_OK(rondo_error_release(error));
    end_future(future);
    kit_loop_end(other);
    kit_loop_end(loop);
}

/* ---- errors that leave the loop ------------------------------------------------------------- */

RONDO_STEP(awaits_exit_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->future);
    kit_log("%s", rondo_status_name(rondo_error_get_status(thrown)));
    RONDO_END(self);
}

/* K-21: KeyboardInterrupt and SystemExit are the task's exception and leave the loop as well.
 * As in CPython the awaiter gets it, too, when the loop is run again. */
KIT_TEST(K21_exit_and_interrupt_leave_the_loop)
{
    static const int32_t codes[] = { RONDO_E_EXIT, RONDO_E_INTERRUPTED };
    for (int i = 0; i < 2; i++) {
        rondo_loop *loop = kit_loop();
        struct frame frame = { .n = 1, .error = kit_rondo_error(codes[i], "bye") }, waiter = { 0 };
        rondo_task *task = task_of(loop, raises_step, &frame), *second;
        rondo_error *escaped = NULL;
        waiter.future = as_future(task);
        second = task_of(loop, awaits_exit_step, &waiter);
        CHECK_STATUS(rondo_loop_take_escaped(loop, &escaped), RONDO_E_INVALID_STATE);
        CHECK_STATUS(rondo_loop_run_forever(loop), codes[i]);
        CHECK_OK(rondo_loop_take_escaped(loop, &escaped));
        CHECK_EQ_PTR(escaped, frame.error);
        CHECK_STATUS(rondo_loop_take_escaped(loop, &escaped), RONDO_E_INVALID_STATE);
        CHECK_OK(rondo_error_release(escaped));
        expect_failed(as_future(task), codes[i], "bye");
        run_until_done(loop, second);
        kit_expect_log(rondo_status_name(codes[i]));
        CHECK_EQ_INT(frame.drops, 1);
        CHECK_OK(rondo_error_release(frame.error));
        end_task(task);
        end_task(second);
        kit_loop_end(loop);
    }
}

KIT_TEST(K21_exit_leaves_run_until_complete)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { .error = kit_rondo_error(RONDO_E_EXIT, "bye") };
    rondo_error *escaped = NULL;
    kit_record_reports(loop);
    CHECK_STATUS(rondo_loop_run_until_complete(loop, coroutine_of(raises_step, &frame), NULL),
                 RONDO_E_EXIT);
    CHECK_OK(rondo_loop_take_escaped(loop, &escaped));
    CHECK_EQ_PTR(escaped, frame.error);
    CHECK_OK(rondo_error_release(escaped));
    CHECK_OK(rondo_error_release(frame.error));
    kit_loop_drop(loop); /* in CPython, too, the callback that would have stopped it is left over */
    /* CPython: run_until_complete reads the exception of its own task before it lets it pass */
    CHECK_EQ_INT(kit_reports(), 0);
}

/* ---- sleep ---------------------------------------------------------------------------------- */

RONDO_STEP(sleeps_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_loop_time(self->loop, (int64_t *)self->value));
    RONDO_SLEEP(self, 2000000);
    int64_t now = 0;
    CHECK_OK(rondo_loop_time(self->loop, &now));
    CHECK(now >= *(int64_t *)self->value + 2000000); /* never early */
    kit_log("slept");
    RONDO_END(self);
}

KIT_TEST(T12_sleep_in_a_task)
{
    rondo_loop *loop = kit_loop();
    int64_t start = 0;
    struct frame frame = { .value = &start };
    end_future(run_frame(loop, sleeps_step, &frame));
    kit_expect_log("slept");
    kit_loop_end(loop);
}

/* asyncio.sleep(delay, result) as a coroutine of its own, and as a task. */
KIT_TEST(T12_sleep_gives_its_value)
{
    rondo_loop *loop = kit_loop();
    for (int64_t delay = -1; delay <= 1; delay++) {
        struct kit_arg value = { 0 };
        rondo_coroutine *coroutine = NULL;
        rondo_future *done = NULL;
        CHECK_OK(rondo_sleep(delay, &value, kit_arg_drop, &coroutine));
        CHECK_OK(rondo_loop_run_until_complete(loop, coroutine, &done));
        expect_result(done, &value);
        end_future(done);
        CHECK_EQ_INT(value.drops, 1);
    }
    kit_loop_end(loop);
}

KIT_TEST(sleep_zero_is_one_pass)
{
    rondo_loop *loop = kit_loop();
    rondo_coroutine *coroutine = NULL;
    rondo_task *task = NULL;
    CHECK_OK(rondo_sleep(0, loop, NULL, &coroutine));
    CHECK_OK(rondo_loop_create_task(loop, coroutine, NULL, &task));
    kit_pass(loop);
    expect_pending(as_future(task));
    kit_pass(loop);
    expect_result(as_future(task), loop);
    end_task(task);
    kit_loop_end(loop);
}
