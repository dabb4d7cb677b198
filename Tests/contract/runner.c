/* runner.c - rondo_runner: several runs on one loop and in one context, and the orderly end. */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static rondo_runner *new_runner(const rondo_run_options *options)
{
    rondo_runner *runner = NULL;
    CHECK_OK(rondo_runner_new(options, &runner));
    return runner;
}

static void end_runner(rondo_runner *runner)
{
    CHECK_OK(rondo_runner_close(runner));
    CHECK_OK(rondo_runner_release(runner));
}

static rondo_loop *loop_of(rondo_runner *runner)
{
    rondo_loop *loop = NULL;
    CHECK_OK(rondo_runner_get_loop(runner, &loop));
    return loop;
}

static void *run_value(rondo_runner *runner, rondo_step_fn step, struct frame *frame)
{
    void *value = NULL;
    CHECK_OK(rondo_runner_run(runner, coroutine_of(step, frame), &value, NULL));
    CHECK_EQ_INT(frame->drops, 1);
    CHECK_EQ_PTR(rondo_running_loop(), NULL);
    return value;
}

static void expect_refused(rondo_runner *runner, rondo_status status)
{
    struct frame frame = { 0 };
    void *value = &frame;
    rondo_error *error = (rondo_error *)&frame;
    CHECK_STATUS(rondo_runner_run(runner, coroutine_of(no_step, &frame), &value, &error), status);
    CHECK_EQ_INT(frame.drops, 1); /* main moved all the same */
    CHECK_EQ_PTR(value, &frame);
    CHECK_EQ_PTR(error, &frame);
}

/* ---- the loop and its states ---------------------------------------------------------------- */

static rondo_step returns_loop(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame;
    (void)sent;
    (void)thrown;
    return rondo_coroutine_return(co, rondo_running_loop(), NULL);
}

KIT_TEST(several_runs_on_one_loop)
{
    rondo_runner *runner = new_runner(NULL);
    void *first = NULL;
    for (int i = 0; i < 5; i++) {
        struct frame frame = { 0 };
        void *loop = run_value(runner, returns_loop, &frame);
        if (i == 0)
            first = loop;
        CHECK(loop != NULL);
        CHECK_EQ_PTR(loop, first);
        CHECK_EQ_PTR(loop_of(runner), first);
        CHECK_EQ_INT(rondo_loop_is_running(first), 0);
    }
    CHECK_OK(rondo_loop_retain(first));
    CHECK_OK(rondo_runner_close(runner));
    CHECK_EQ_INT(rondo_loop_is_closed(first), 1);
    CHECK_OK(rondo_loop_release(first));
    CHECK_OK(rondo_runner_release(runner));
}

KIT_TEST(closed_is_closed)
{
    rondo_loop *loop = NULL;
    rondo_runner *runner = new_runner(NULL);
    struct frame frame = { 0 };
    kit_catch_log();
    run_value(runner, returns_loop, &frame);
    CHECK_OK(rondo_runner_close(runner));
    CHECK_OK(rondo_runner_close(runner));
    expect_refused(runner, RONDO_E_RUNNER_CLOSED);
    CHECK_STATUS(rondo_runner_get_loop(runner, &loop), RONDO_E_RUNNER_CLOSED);
    CHECK_EQ_PTR(loop, NULL);
    CHECK_EQ_STR(rondo_status_message(RONDO_E_RUNNER_CLOSED), "Runner is closed");
    CHECK_OK(rondo_runner_release(runner));
}

/* A runner that never had a loop has nothing to close, and can still be used. */
KIT_TEST(close_before_the_first_run)
{
    rondo_runner *runner = new_runner(NULL);
    struct frame frame = { 0 };
    CHECK_OK(rondo_runner_close(runner));
    CHECK(run_value(runner, returns_loop, &frame) != NULL);
    end_runner(runner);
}

KIT_TEST(never_used)
{
    CHECK_OK(rondo_runner_release(new_runner(NULL)));
    CHECK_OK(rondo_runner_release(NULL));
    CHECK_OK(rondo_runner_retain(NULL));
}

/* Released without being closed: the loop goes, and what is left of it is let go of. */
KIT_TEST(released_and_not_closed)
{
    rondo_runner *runner = new_runner(NULL);
    struct kit_arg arg = { 0 };
    CHECK_OK(rondo_loop_call_soon(loop_of(runner), kit_no_call, &arg, kit_arg_drop, NULL));
    CHECK_OK(rondo_set_event_loop(NULL));
    CHECK_OK(rondo_runner_release(runner));
    CHECK_EQ_INT(arg.drops, 1);
}

/* Made by get_loop(), so that the program can prepare it. */
KIT_TEST(get_loop_makes_it)
{
    rondo_runner *runner = new_runner(NULL);
    rondo_loop *loop = loop_of(runner);
    struct frame frame = { 0 };
    CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "prepared", NULL, NULL));
    CHECK_EQ_PTR(run_value(runner, returns_loop, &frame), loop);
    kit_expect_log("prepared");
    end_runner(runner);
}

/* Without a factory the loop is the thread's current one until the close; with one it is not. */
KIT_TEST(current_loop)
{
    rondo_loop *loop = NULL;
    rondo_runner *runner = new_runner(NULL);
    CHECK_STATUS(rondo_get_event_loop(&loop), RONDO_E_NO_LOOP);
    rondo_loop *own = loop_of(runner);
    CHECK_OK(rondo_get_event_loop(&loop));
    CHECK_EQ_PTR(loop, own);
    CHECK_OK(rondo_runner_close(runner));
    CHECK_STATUS(rondo_get_event_loop(&loop), RONDO_E_NO_LOOP);
    CHECK_OK(rondo_runner_release(runner));
}

static int factory_calls;

static rondo_status make_loop(void *arg, rondo_loop **out_loop)
{
    factory_calls++;
    *(int *)arg += 1;
    return rondo_loop_new(NULL, out_loop);
}

KIT_TEST(loop_factory_is_asked_once)
{
    int calls = 0;
    rondo_loop *loop = NULL;
    rondo_run_options options = { .size = sizeof options, .debug = 1, .loop_factory = make_loop,
                                  .loop_factory_arg = &calls };
    rondo_runner *runner = new_runner(&options);
    CHECK_EQ_INT(calls, 0);
    for (int i = 0; i < 3; i++) {
        struct frame frame = { 0 };
        run_value(runner, returns_loop, &frame);
    }
    CHECK_EQ_INT(calls, 1);
    CHECK_EQ_INT(rondo_loop_get_debug(loop_of(runner)), 1);
    CHECK_STATUS(rondo_get_event_loop(&loop), RONDO_E_NO_LOOP);
    end_runner(runner);
}

static rondo_status make_nothing(void *arg, rondo_loop **out_loop)
{
    (void)arg;
    (void)out_loop;
    return RONDO_OK;
}

static int failures_left;

static rondo_status fail_first(void *arg, rondo_loop **out_loop)
{
    (void)arg;
    return failures_left-- > 0 ? -EMFILE : rondo_loop_new(NULL, out_loop);
}

/* A factory that fails is asked again by the next run; one that gives nothing is refused. */
KIT_TEST(loop_factory_that_fails)
{
    rondo_run_options options = { .size = sizeof options, .loop_factory = fail_first };
    rondo_runner *runner = new_runner(&options);
    struct frame frame = { 0 };
    kit_catch_log();
    failures_left = 2;
    expect_refused(runner, -EMFILE);
    rondo_loop *loop = NULL;
    CHECK_STATUS(rondo_runner_get_loop(runner, &loop), -EMFILE);
    CHECK(run_value(runner, returns_loop, &frame) != NULL);
    end_runner(runner);
    options.loop_factory = make_nothing;
    runner = new_runner(&options);
    expect_refused(runner, -EINVAL);
    CHECK_OK(rondo_runner_release(runner));
}

KIT_TEST(options)
{
    rondo_run_options options = { .size = sizeof options };
    rondo_runner *runner = NULL;
    CHECK_STATUS(rondo_runner_new(NULL, NULL), -EINVAL);
    options.flags = 0x10;
    CHECK_STATUS(rondo_runner_new(&options, &runner), -EINVAL);
    options.flags = 0;
    options.debug = 2;
    CHECK_STATUS(rondo_runner_new(&options, &runner), -EINVAL);
    options.debug = 0;
    options.size = 4;
    CHECK_STATUS(rondo_runner_new(&options, &runner), -EINVAL);
    CHECK_EQ_PTR(runner, NULL);
}

/* ---- one context ---------------------------------------------------------------------------- */

static rondo_contextvar *variable;

/* Logs the variable, sets it to value. */
static rondo_step sets_variable(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    void *value = NULL;
    (void)co;
    (void)sent;
    (void)thrown;
    CHECK_OK(rondo_contextvar_get(variable, &value));
    kit_log("%s", (char *)value);
    CHECK_OK(rondo_contextvar_set(variable, self->value, NULL));
    return RONDO_STEP_RETURN;
}

static void expect_variable(const char *expected)
{
    void *value = NULL;
    CHECK_OK(rondo_contextvar_get(variable, &value));
    CHECK_EQ_STR(value, expected);
}

/* what the first run sets the second sees; the context around is not changed. */
KIT_TEST(R05_one_context)
{
    struct frame frames[] = { { .value = "five" }, { .value = "six" }, { .value = "x" }, { .value = "y" } };
    rondo_context *context = NULL;
    CHECK_OK(rondo_contextvar_new("v", "outer", &variable));
    rondo_runner *runner = new_runner(NULL);
    run_value(runner, sets_variable, &frames[0]);
    expect_variable("outer");
    run_value(runner, sets_variable, &frames[1]);
    expect_variable("outer");
    /* In a context of the program's own: what is set stays there, and the runner's is as it was. */
    CHECK_OK(rondo_context_new(&context));
    CHECK_OK(rondo_runner_run_in_context(runner, context, coroutine_of(sets_variable, &frames[2]), NULL, NULL));
    run_value(runner, sets_variable, &frames[3]);
    kit_expect_log("outer five outer six");
    end_runner(runner);
    CHECK_OK(rondo_context_release(context));
    CHECK_OK(rondo_contextvar_release(variable));
}

static void run_there(void *arg)
{
    struct frame frame = { .value = "z" };
    run_value(arg, sets_variable, &frame);
}

/* The context is copied when the loop is made, not in each run. */
KIT_TEST(context_is_copied_once)
{
    rondo_context *context = NULL;
    struct frame frame = { .value = "w" };
    CHECK_OK(rondo_contextvar_new("v", "outer", &variable));
    CHECK_OK(rondo_context_new(&context));
    rondo_runner *runner = new_runner(NULL);
    run_value(runner, sets_variable, &frame); /* copies the empty one */
    CHECK_OK(rondo_context_run(context, run_there, runner));
    kit_expect_log("outer w");
    end_runner(runner);
    CHECK_OK(rondo_context_release(context));
    CHECK_OK(rondo_contextvar_release(variable));
}

/* ---- outcomes ------------------------------------------------------------------------------- */

KIT_TEST(an_error_in_one_run_is_that_runs)
{
    rondo_runner *runner = new_runner(NULL);
    struct frame bad = { .error = kit_error(5, "five") }, good = { .value = &bad };
    rondo_error *error = NULL;
    CHECK_STATUS(rondo_runner_run(runner, coroutine_of(raises_step, &bad), NULL, &error), RONDO_E_RAISED);
    CHECK_EQ_PTR(error, bad.error);
    CHECK_OK(rondo_error_release(error));
    CHECK_EQ_PTR(run_value(runner, passes_step, &good), &bad);
    end_runner(runner);
    CHECK_OK(rondo_error_release(bad.error));
}

KIT_TEST(a_value_that_nobody_takes)
{
    rondo_runner *runner = new_runner(NULL);
    struct kit_arg value = { 0 };
    struct frame frame = { .value = &value, .drop = kit_arg_drop };
    CHECK_OK(rondo_runner_run(runner, coroutine_of(passes_step, &frame), NULL, NULL));
    CHECK_EQ_INT(value.drops, 1);
    end_runner(runner);
}

RONDO_STEP(stops_and_waits)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_loop_stop(rondo_running_loop()));
    RONDO_YIELD(self);
    kit_log("again");
    RONDO_TRY(self, rondo_coroutine_sleep(co, INT64_C(3600000000000)));
    kit_log("%s", rondo_status_name(rondo_error_get_status(thrown)));
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* Stopped: main stays, goes on in the next run, and is cancelled by the close. */
KIT_TEST(stopped_main_goes_on)
{
    rondo_runner *runner = new_runner(NULL);
    struct frame main = { 0 }, other = { .n = 3, .name = "other" };
    CHECK_STATUS(rondo_runner_run(runner, coroutine_of(stops_and_waits, &main), NULL, NULL), RONDO_E_LOOP_STOPPED);
    CHECK_EQ_INT(main.drops, 0);
    run_value(runner, passes_step, &other);
    kit_expect_log("again other");
    end_runner(runner);
    kit_expect_log("RONDO_E_CANCELLED");
    CHECK_EQ_INT(main.drops, 1);
}

/* SystemExit leaves the run; the runner is as good as before. */
KIT_TEST(exit_leaves_one_run)
{
    rondo_runner *runner = new_runner(NULL);
    struct frame frame = { .error = kit_rondo_error(RONDO_E_EXIT, "bye") }, next = { .value = &frame };
    rondo_error *error = NULL;
    CHECK_STATUS(rondo_runner_run(runner, coroutine_of(raises_step, &frame), NULL, &error), RONDO_E_EXIT);
    CHECK_EQ_PTR(error, frame.error);
    CHECK_OK(rondo_error_release(error));
    CHECK_EQ_PTR(run_value(runner, passes_step, &next), &frame);
    end_runner(runner);
    CHECK_OK(rondo_error_release(frame.error));
}

/* ---- any awaitable -------------------------------------------------------------------------- */

static void set_later(void *arg)
{
    CHECK_OK(rondo_future_set_result(arg, "later", NULL));
}

/* 3.14: a future or task of the loop; it stays its owner's, and so does its value. */
KIT_TEST(main_is_a_future)
{
    rondo_runner *runner = new_runner(NULL);
    rondo_loop *loop = loop_of(runner);
    rondo_future *future = future_of(loop);
    void *value = NULL;
    CHECK_OK(rondo_loop_call_soon(loop, set_later, future, NULL, NULL));
    CHECK_OK(rondo_runner_run(runner, future, &value, NULL));
    CHECK_EQ_STR(value, "later");
    value = NULL;
    CHECK_OK(rondo_runner_run(runner, future, &value, NULL)); /* done already */
    CHECK_EQ_STR(value, "later");
    expect_result(future, value);
    end_future(future);
    end_runner(runner);
}

KIT_TEST(main_is_a_task)
{
    rondo_runner *runner = new_runner(NULL);
    struct kit_arg arg = { 0 };
    struct frame good = { .n = 2, .value = &arg, .drop = kit_arg_drop }, bad = { .error = kit_error(7, "seven") };
    void *value = NULL;
    rondo_error *error = NULL;
    rondo_task *task = task_of(loop_of(runner), passes_step, &good);
    CHECK_OK(rondo_runner_run(runner, task, &value, NULL));
    CHECK_EQ_PTR(value, &arg);
    CHECK_EQ_INT(arg.drops, 0);
    end_task(task);
    CHECK_EQ_INT(arg.drops, 1);
    task = task_of(loop_of(runner), raises_step, &bad);
    CHECK_STATUS(rondo_runner_run(runner, task, NULL, &error), RONDO_E_RAISED);
    CHECK_EQ_PTR(error, bad.error);
    CHECK_OK(rondo_error_release(error));
    end_task(task);
    end_runner(runner);
    CHECK_OK(rondo_error_release(bad.error));
}

KIT_TEST(main_of_another_loop)
{
    rondo_runner *runner = new_runner(NULL);
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    CHECK_STATUS(rondo_runner_run(runner, future, NULL, NULL), RONDO_E_WRONG_LOOP);
    CHECK_STATUS(rondo_run(future, NULL, NULL, NULL), RONDO_E_WRONG_LOOP);
    expect_pending(future);
    end_future(future);
    kit_loop_end(loop);
    CHECK_STATUS(rondo_runner_run(runner, runner, NULL, NULL), RONDO_E_TYPE);
    end_runner(runner);
}

/* ---- what is left --------------------------------------------------------------------------- */

RONDO_STEP(background_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY(self, rondo_coroutine_sleep(co, INT64_C(3600000000000)));
    kit_log("%s:%s", self->name, rondo_status_name(rondo_error_get_status(thrown)));
    for (self->i = 0; self->i < self->n; self->i++)
        RONDO_YIELD(self);
    kit_log("%s:end", self->name);
    if (self->error != NULL)
        return rondo_coroutine_raise(co, self->error);
    return rondo_coroutine_raise_status(co, RONDO_E_CANCELLED, NULL);
    RONDO_END(self);
}

RONDO_STEP(leaves_background)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    kit_record_reports(rondo_running_loop());
    for (self->i = 1; self->i <= self->n; self->i++)
        end_task(task_of(rondo_running_loop(), background_step, &self[self->i]));
    RONDO_YIELD(self);
    kit_log("main:done");
    RONDO_END(self);
}

/* tasks that a run leaves go on in the next; the close cancels and awaits them. */
KIT_TEST(R01_leftovers_end_with_the_close)
{
    struct frame frames[] = { { .n = 2 }, { .name = "a", .n = 3 }, { .name = "b" } }, next = { .name = "next", .n = 2 };
    rondo_runner *runner = new_runner(NULL);
    run_value(runner, leaves_background, frames);
    run_value(runner, passes_step, &next);
    kit_expect_log("main:done next");
    CHECK_EQ_INT(frames[1].drops + frames[2].drops, 0);
    end_runner(runner);
    kit_expect_log("a:RONDO_E_CANCELLED b:RONDO_E_CANCELLED b:end a:end");
    CHECK_EQ_INT(frames[1].drops + frames[2].drops, 2);
    CHECK_EQ_INT(kit_reports(), 0);
}

KIT_TEST(R02_leftovers_that_fail)
{
    struct frame frames[] = { { .n = 1 }, { .name = "a", .error = kit_error(5, "five") } };
    rondo_runner *runner = new_runner(NULL);
    run_value(runner, leaves_background, frames);
    CHECK_EQ_INT(kit_reports(), 0);
    end_runner(runner);
    CHECK_EQ_INT(kit_reports(), 1);
    CHECK_EQ_STR(kit_report_message(0), "unhandled exception during asyncio.run() shutdown");
    CHECK_EQ_INT(kit_report_code(0), 5);
    CHECK_OK(rondo_error_release(frames[1].error));
}

/* SystemExit of a task that is left over leaves the close, which is complete all the same. */
KIT_TEST(exit_leaves_the_close)
{
    struct frame frames[] = { { .n = 1 }, { .name = "a", .error = kit_rondo_error(RONDO_E_EXIT, "bye") } };
    rondo_runner *runner = new_runner(NULL);
    run_value(runner, leaves_background, frames);
    rondo_loop *loop = loop_of(runner);
    CHECK_OK(rondo_loop_retain(loop));
    CHECK_STATUS(rondo_runner_close(runner), RONDO_E_EXIT);
    CHECK_EQ_INT(rondo_loop_is_closed(loop), 1);
    CHECK_OK(rondo_loop_release(loop));
    CHECK_OK(rondo_runner_close(runner));
    CHECK_OK(rondo_runner_release(runner));
    CHECK_OK(rondo_error_release(frames[1].error));
}

/* The same with rondo_run(): it takes the place of main's outcome, and main's value is dropped. */
RONDO_STEP(returns_and_leaves)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    end_task(task_of(rondo_running_loop(), background_step, self->parent));
    RONDO_YIELD(self);
    return rondo_coroutine_return(co, self->value, self->drop);
    RONDO_END(self);
}

KIT_TEST(exit_leaves_rondo_run)
{
    struct kit_arg value = { 0 };
    struct frame background = { .name = "a", .error = kit_rondo_error(RONDO_E_EXIT, "bye") };
    struct frame frame = { .parent = &background, .value = &value, .drop = kit_arg_drop };
    void *out = &frame;
    rondo_error *error = NULL;
    kit_catch_log();
    CHECK_STATUS(rondo_run(coroutine_of(returns_and_leaves, &frame), NULL, &out, &error), RONDO_E_EXIT);
    CHECK_EQ_PTR(out, &frame);
    CHECK_EQ_PTR(error, background.error);
    CHECK_EQ_INT(value.drops, 1);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_error_release(background.error));
}

KIT_TEST(loop_closed_behind_its_back)
{
    rondo_runner *runner = new_runner(NULL);
    kit_catch_log();
    CHECK_OK(rondo_loop_close(loop_of(runner), NULL));
    expect_refused(runner, RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_runner_close(runner), RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_runner_close(runner));
    expect_refused(runner, RONDO_E_RUNNER_CLOSED);
    CHECK_OK(rondo_runner_release(runner));
}

/* ---- from inside ---------------------------------------------------------------------------- */

static rondo_runner *outer_runner, *other_runner;

static rondo_step uses_runners(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    rondo_loop *loop = NULL;
    (void)co;
    (void)frame;
    (void)sent;
    (void)thrown;
    expect_refused(outer_runner, RONDO_E_LOOP_RUNNING);
    expect_refused(other_runner, RONDO_E_LOOP_RUNNING);
    CHECK_STATUS(rondo_runner_close(outer_runner), RONDO_E_LOOP_RUNNING);
    CHECK_OK(rondo_runner_get_loop(outer_runner, &loop));
    CHECK_EQ_PTR(loop, rondo_running_loop());
    CHECK_OK(rondo_runner_get_loop(other_runner, &loop)); /* made, though another loop runs */
    CHECK_STATUS(rondo_runner_close(other_runner), RONDO_E_OTHER_LOOP_RUNNING);
    CHECK_OK(rondo_runner_release(outer_runner)); /* the run keeps it */
    kit_log("refused");
    return RONDO_STEP_RETURN;
}

KIT_TEST(from_inside_a_run)
{
    struct frame frame = { 0 }, next = { 0 };
    kit_catch_log();
    outer_runner = new_runner(NULL);
    other_runner = new_runner(NULL);
    CHECK_OK(rondo_runner_retain(outer_runner));
    run_value(outer_runner, uses_runners, &frame);
    kit_expect_log("refused");
    run_value(other_runner, returns_loop, &next);
    end_runner(other_runner);
    end_runner(outer_runner);
}

/* ---- threads and processes ------------------------------------------------------------------ */

static struct kit_event inside = KIT_EVENT_INIT, go = KIT_EVENT_INIT;

static rondo_step waits_for_go(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co;
    (void)frame;
    (void)sent;
    (void)thrown;
    kit_event_set(&inside);
    kit_event_wait(&go);
    return RONDO_STEP_RETURN;
}

static void *runs_elsewhere(void *arg)
{
    struct frame frame = { 0 };
    run_value(arg, waits_for_go, &frame);
    return NULL;
}

/* One thread at a time; the next may be another one, which then owns the loop. */
KIT_TEST(threads_take_turns)
{
    rondo_runner *runner = new_runner(NULL);
    rondo_loop *loop = NULL;
    struct frame frame = { 0 };
    kit_catch_log();
    pthread_t thread = kit_thread_start(runs_elsewhere, runner);
    kit_event_wait(&inside);
    expect_refused(runner, RONDO_E_LOOP_RUNNING);
    CHECK_STATUS(rondo_runner_close(runner), RONDO_E_LOOP_RUNNING);
    CHECK_OK(rondo_runner_get_loop(runner, &loop));
    kit_event_set(&go);
    kit_thread_join(thread);
    CHECK_EQ_PTR(run_value(runner, returns_loop, &frame), loop);
    end_runner(runner);
}

static void *closes_elsewhere(void *arg)
{
    CHECK_OK(rondo_runner_close(arg));
    return NULL;
}

KIT_TEST(closed_by_another_thread)
{
    rondo_runner *runner = new_runner(NULL);
    struct frame frames[] = { { .n = 1 }, { .name = "a" } };
    run_value(runner, leaves_background, frames);
    kit_thread_join(kit_thread_start(closes_elsewhere, runner));
    kit_expect_log("main:done a:RONDO_E_CANCELLED a:end");
    CHECK_OK(rondo_set_event_loop(NULL)); /* this thread's */
    CHECK_OK(rondo_runner_release(runner));
}

/* An inherited runner refuses until its loop is reset; closing it waits for nobody. */
KIT_TEST(in_a_child)
{
    rondo_runner *runner = new_runner(NULL);
    struct frame frames[] = { { .n = 1 }, { .name = "a" } };
    run_value(runner, leaves_background, frames);
    kit_expect_log("main:done");
    int pid = kit_fork();
    if (pid == 0) {
        struct frame frame = { 0 };
        kit_catch_log();
        expect_refused(runner, RONDO_E_WRONG_PROCESS);
        CHECK_OK(rondo_loop_reset_after_fork(loop_of(runner)));
        run_value(runner, returns_loop, &frame);
        CHECK_OK(rondo_runner_close(runner));
        kit_expect_log("a:RONDO_E_CANCELLED a:end");
        _exit(0);
    }
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    pid = kit_fork();
    if (pid == 0) {
        kit_catch_log();
        CHECK_OK(rondo_runner_close(runner));
        expect_refused(runner, RONDO_E_RUNNER_CLOSED);
        _exit(0);
    }
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    end_runner(runner);
    kit_expect_log("a:RONDO_E_CANCELLED a:end");
}

static rondo_step forks_inside(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co;
    (void)frame;
    (void)sent;
    (void)thrown;
    int pid = kit_fork();
    if (pid == 0) {
        kit_catch_log();
        expect_refused(outer_runner, RONDO_E_WRONG_PROCESS);
        CHECK_STATUS(rondo_runner_close(outer_runner), RONDO_E_WRONG_PROCESS);
        _exit(0);
    }
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    return RONDO_STEP_RETURN;
}

KIT_TEST(forked_inside_a_run)
{
    struct frame frame = { 0 };
    outer_runner = new_runner(NULL);
    run_value(outer_runner, forks_inside, &frame);
    end_runner(outer_runner);
}

/* ---- SIGINT --------------------------------------------------------------------------------- */

/* Interrupts itself; n: 0 lets the cancellation pass, 1 swallows it, 2 interrupts once more. */
RONDO_STEP(interrupted_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_EQ_INT(kill(getpid(), SIGINT), 0);
    RONDO_TRY(self, rondo_coroutine_sleep(co, INT64_C(3600000000000)));
    kit_log("%s", rondo_status_name(rondo_error_get_status(thrown)));
    if (self->n == 0)
        return rondo_coroutine_raise(co, thrown);
    if (self->n == 1)
        return RONDO_STEP_RETURN;
    CHECK_EQ_INT(kill(getpid(), SIGINT), 0);
    RONDO_TRY(self, rondo_coroutine_sleep(co, INT64_C(3600000000000)));
    kit_log("close:%s", rondo_status_name(rondo_error_get_status(thrown)));
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

static bool sigint_is_default(void)
{
    struct sigaction action;
    CHECK_EQ_INT(sigaction(SIGINT, NULL, &action), 0);
    return action.sa_handler == SIG_DFL;
}

/* for each run by itself; the count starts anew. */
KIT_TEST(interrupts_of_each_run)
{
    struct frame first = { 0 }, swallows = { .n = 1 }, again = { 0 }, twice = { .n = 2 }, last = { 0 };
    signal(SIGINT, SIG_DFL);
    rondo_runner *runner = new_runner(NULL);
    CHECK_STATUS(rondo_runner_run(runner, coroutine_of(interrupted_step, &first), NULL, NULL), RONDO_E_INTERRUPTED);
    CHECK(sigint_is_default());
    CHECK_OK(rondo_runner_run(runner, coroutine_of(interrupted_step, &swallows), NULL, NULL));
    CHECK_STATUS(rondo_runner_run(runner, coroutine_of(interrupted_step, &again), NULL, NULL), RONDO_E_INTERRUPTED);
    kit_expect_log("RONDO_E_CANCELLED RONDO_E_CANCELLED RONDO_E_CANCELLED");
    CHECK_STATUS(rondo_runner_run(runner, coroutine_of(interrupted_step, &twice), NULL, NULL), RONDO_E_INTERRUPTED);
    CHECK(sigint_is_default());
    kit_expect_log("RONDO_E_CANCELLED");
    CHECK_EQ_INT(twice.drops, 0); /* left pending, as in asyncio */
    run_value(runner, returns_loop, &last);
    end_runner(runner);
    kit_expect_log("close:RONDO_E_CANCELLED");
    CHECK_EQ_INT(twice.drops, 1);
}

static rondo_step cancels_twice(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    rondo_task *task = NULL;
    (void)sent;
    if (self->i++ > 0)
        return rondo_coroutine_raise(co, thrown);
    CHECK_OK(rondo_current_task(NULL, &task));
    CHECK_EQ_INT(kill(getpid(), SIGINT), 0);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    return rondo_coroutine_sleep(co, INT64_C(3600000000000));
}

/* Cancelled by somebody else as well: uncancel() is not 0, so it is a cancellation. */
KIT_TEST(interrupted_and_cancelled)
{
    struct frame frame = { 0 };
    signal(SIGINT, SIG_DFL);
    rondo_runner *runner = new_runner(NULL);
    CHECK_STATUS(rondo_runner_run(runner, coroutine_of(cancels_twice, &frame), NULL, NULL), RONDO_E_CANCELLED);
    end_runner(runner);
}

/* ---- what an awaitable is ------------------------------------------------------------------- */

KIT_TEST(isfuture_and_iscoroutine)
{
    rondo_loop *loop = kit_loop();
    struct frame frames[2] = { { 0 } };
    rondo_future *future = future_of(loop);
    rondo_task *task = task_of(loop, returns_step, &frames[0]);
    rondo_coroutine *coroutine = coroutine_of(no_step, &frames[1]);
    kit_catch_log();
    CHECK_EQ_INT(rondo_awaitable_is_future(future), 1);
    CHECK_EQ_INT(rondo_awaitable_is_future(task), 1);
    CHECK_EQ_INT(rondo_awaitable_is_future(coroutine), 0);
    CHECK_EQ_INT(rondo_awaitable_is_coroutine(coroutine), 1);
    CHECK_EQ_INT(rondo_awaitable_is_coroutine(task), 0);
    CHECK_EQ_INT(rondo_awaitable_is_coroutine(loop), 0);
    CHECK_OK(rondo_coroutine_release(coroutine));
    CHECK_EQ_INT(rondo_awaitable_is_coroutine(coroutine), 0);
    kit_pass(loop);
    end_task(task);
    end_future(future);
    kit_loop_end(loop);
}
