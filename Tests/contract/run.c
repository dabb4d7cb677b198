/* run.c - rondo_run: from start to orderly end, errors, leftovers, SIGINT, debug, factories. */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct run {
    rondo_status status;
    void *value;
    rondo_error *error;
};

static struct run run_main(rondo_step_fn step, struct frame *frame, const rondo_run_options *options)
{
    struct run run = { 0 };
    run.status = rondo_run(coroutine_of(step, frame), options, &run.value, &run.error);
    CHECK_EQ_INT(frame->drops, 1);
    CHECK_EQ_PTR(rondo_running_loop(), NULL);
    return run;
}

static void expect_run(struct run run, rondo_status status)
{
    CHECK_STATUS(run.status, status);
    if (run.error != NULL)
        CHECK_OK(rondo_error_release(run.error));
}

/* Background jobs of a shell start with SIGINT ignored: the tests need the default. */
static void default_sigint(void)
{
    signal(SIGINT, SIG_DFL);
}

static void *sigint_handler(void)
{
    struct sigaction action;
    CHECK_EQ_INT(sigaction(SIGINT, NULL, &action), 0);
    return (void *)(uintptr_t)action.sa_handler;
}

/* ---- outcomes ------------------------------------------------------------------------------- */

KIT_TEST(returns_what_main_returns)
{
    struct kit_arg value = { 0 };
    struct frame frame = { .n = 2, .value = &value, .drop = kit_arg_drop };
    struct run run = run_main(passes_step, &frame, NULL);
    expect_run(run, RONDO_OK);
    CHECK_EQ_PTR(run.value, &value);
    CHECK_EQ_INT(value.drops, 0); /* the caller's now */
}

KIT_TEST(drops_what_nobody_takes)
{
    struct kit_arg value = { 0 };
    struct frame frame = { .value = &value, .drop = kit_arg_drop };
    CHECK_OK(rondo_run(coroutine_of(passes_step, &frame), NULL, NULL, NULL));
    CHECK_EQ_INT(value.drops, 1);
    CHECK_EQ_INT(frame.drops, 1);
}

KIT_TEST(raises_what_main_raises)
{
    struct frame frame = { .n = 1, .error = kit_error(5, "five") }, silent = { .error = kit_error(6, "six") };
    struct run run = run_main(raises_step, &frame, NULL);
    CHECK_EQ_PTR(run.error, frame.error);
    expect_run(run, RONDO_E_RAISED);
    kit_catch_log();
    CHECK_STATUS(rondo_run(coroutine_of(raises_step, &silent), NULL, NULL, NULL), RONDO_E_RAISED);
    CHECK_EQ_INT(kit_logged(), 0); /* the status told */
    CHECK_OK(rondo_error_release(frame.error));
    CHECK_OK(rondo_error_release(silent.error));
}

RONDO_STEP(cancels_itself_step)
{
    struct frame *self = frame;
    rondo_task *task = NULL;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_current_task(NULL, &task));
    CHECK_OK(rondo_task_cancel(task, "self", NULL));
    RONDO_YIELD(self);
    RONDO_END(self);
}

KIT_TEST(main_is_cancelled)
{
    struct frame frame = { 0 };
    expect_run(run_main(cancels_itself_step, &frame, NULL), RONDO_E_CANCELLED);
}

RONDO_STEP(stops_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_loop_stop(rondo_running_loop()));
    RONDO_TRY(self, rondo_coroutine_sleep(co, INT64_C(3600000000000)));
    kit_log("%s", thrown != NULL ? rondo_status_name(rondo_error_get_status(thrown)) : "slept");
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* Stopped before main is done: main is what is left over, so it is cancelled and waited for. */
KIT_TEST(loop_is_stopped)
{
    struct frame frame = { 0 };
    expect_run(run_main(stops_step, &frame, NULL), RONDO_E_LOOP_STOPPED);
    kit_expect_log("RONDO_E_CANCELLED");
}

/* ---- what is left over ---------------------------------------------------------------------- */

/* A task in the background: n passes to clean up, then error, if any, or the cancellation. */
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
    return rondo_coroutine_raise_new(co, RONDO_DOMAIN_RONDO, RONDO_E_CANCELLED, NULL);
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
    if (self->error != NULL)
        return rondo_coroutine_raise(co, self->error);
    RONDO_END(self);
}

/* main is done, then what is left is cancelled and awaited, then the loop is closed. */
KIT_TEST(R01_leftovers_are_cancelled_and_awaited)
{
    struct frame frames[] = { { .n = 2 }, { .name = "a", .n = 3 }, { .name = "b" } };
    expect_run(run_main(leaves_background, frames, NULL), RONDO_OK);
    kit_expect_log("main:done a:RONDO_E_CANCELLED b:RONDO_E_CANCELLED b:end a:end");
    CHECK_EQ_INT(frames[1].drops + frames[2].drops, 2);
    CHECK_EQ_INT(kit_reports(), 0);
}

KIT_TEST(R01_leftovers_when_main_fails)
{
    struct frame frames[] = { { .n = 1, .error = kit_error(5, "five") }, { .name = "a" } };
    expect_run(run_main(leaves_background, frames, NULL), RONDO_E_RAISED);
    kit_expect_log("main:done a:RONDO_E_CANCELLED a:end");
    CHECK_OK(rondo_error_release(frames[0].error));
}

/* "unhandled exception during asyncio.run() shutdown", to the loop's exception handler. */
KIT_TEST(R02_leftovers_that_fail)
{
    struct frame frames[] = { { .n = 1 }, { .name = "a", .error = kit_error(5, "five") } };
    expect_run(run_main(leaves_background, frames, NULL), RONDO_OK);
    CHECK_EQ_INT(kit_reports(), 1);
    CHECK_EQ_STR(kit_report_message(0), "unhandled exception during asyncio.run() shutdown");
    CHECK_EQ_INT(kit_report_code(0), 5);
    CHECK_OK(rondo_error_release(frames[1].error));
}

/* ---- where it cannot run -------------------------------------------------------------------- */

static rondo_step runs_inside(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)co;
    (void)sent;
    (void)thrown;
    rondo_error *error = NULL;
    rondo_status status = rondo_run(coroutine_of(no_step, self->parent), NULL, NULL, &error);
    CHECK_STATUS(status, RONDO_E_LOOP_RUNNING);
    CHECK_EQ_INT(self->parent->drops, 1);
    CHECK(rondo_running_loop() != NULL);
    kit_log("refused");
    return RONDO_STEP_RETURN;
}

/* "cannot be called from a running event loop"; main has moved all the same. */
KIT_TEST(R03_inside_a_running_loop)
{
    struct frame inner = { 0 }, outer = { .parent = &inner };
    kit_catch_log(); /* whether "never awaited" is said of it is open */
    expect_run(run_main(runs_inside, &outer, NULL), RONDO_OK);
    kit_expect_log("refused");
}

static rondo_step looks_for_loops(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    rondo_loop *loop = NULL;
    (void)co;
    (void)frame;
    (void)sent;
    (void)thrown;
    CHECK_OK(rondo_get_event_loop(&loop));
    CHECK_EQ_PTR(loop, rondo_running_loop());
    return RONDO_STEP_RETURN;
}

/* outside a running loop there is none, and none is made; a run leaves none behind. */
KIT_TEST(R18_no_current_loop)
{
    rondo_loop *loop = NULL;
    struct frame frame = { 0 };
    CHECK_STATUS(rondo_get_event_loop(&loop), RONDO_E_NO_LOOP);
    expect_run(run_main(looks_for_loops, &frame, NULL), RONDO_OK);
    CHECK_STATUS(rondo_get_event_loop(&loop), RONDO_E_NO_LOOP);
    CHECK_EQ_PTR(loop, NULL);
}

/* ---- debug and factories -------------------------------------------------------------------- */

static rondo_step returns_debug(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame;
    (void)sent;
    (void)thrown;
    intptr_t debug = rondo_loop_get_debug(rondo_running_loop());
    return rondo_coroutine_return(co, (void *)debug, NULL);
}

/* 0 as the environment says, 1 and -1 whatever it says. */
KIT_TEST(R11_debug)
{
    char *before = getenv("RONDO_DEBUG");
    before = before != NULL ? strdup(before) : NULL;
    for (int environment = 0; environment < 2; environment++) {
        if (environment)
            setenv("RONDO_DEBUG", "1", 1);
        else
            unsetenv("RONDO_DEBUG");
        for (int debug = -1; debug <= 1; debug++) {
            rondo_run_options options = { .size = sizeof options, .debug = debug };
            struct frame frame = { 0 };
            struct run run = run_main(returns_debug, &frame, &options);
            expect_run(run, RONDO_OK);
            CHECK_EQ_INT((intptr_t)run.value, debug != 0 ? debug > 0 : environment);
        }
    }
    if (before != NULL)
        setenv("RONDO_DEBUG", before, 1);
    else
        unsetenv("RONDO_DEBUG");
    free(before);
}

static rondo_status make_loop(void *arg, rondo_loop **out_loop)
{
    rondo_status status = rondo_loop_new(NULL, out_loop);
    *(rondo_loop **)arg = *out_loop;
    CHECK_OK(rondo_loop_retain(*out_loop)); /* the test's own reference */
    return status;
}

static rondo_status make_no_loop(void *arg, rondo_loop **out_loop)
{
    (void)arg;
    (void)out_loop;
    return -EMFILE;
}

static rondo_step returns_loop(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame;
    (void)sent;
    (void)thrown;
    return rondo_coroutine_return(co, rondo_running_loop(), NULL);
}

KIT_TEST(loop_factory)
{
    rondo_loop *loop = NULL;
    rondo_run_options options = { .size = sizeof options, .loop_factory = make_loop, .loop_factory_arg = &loop };
    struct frame frame = { 0 }, never = { 0 };
    struct run run = run_main(returns_loop, &frame, &options);
    expect_run(run, RONDO_OK);
    CHECK_EQ_PTR(run.value, loop);
    CHECK_EQ_INT(rondo_loop_is_closed(loop), 1);
    CHECK_OK(rondo_loop_release(loop));
    kit_catch_log();
    options.loop_factory = make_no_loop;
    expect_run(run_main(no_step, &never, &options), -EMFILE);
}

/* ---- SIGINT --------------------------------------------------------------------------------- */

/* Interrupts itself and waits; n: 0 lets the cancellation pass, 1 swallows it. */
RONDO_STEP(interrupted_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_EQ_INT(kill(getpid(), SIGINT), 0);
    RONDO_TRY(self, rondo_coroutine_sleep(co, INT64_C(3600000000000)));
    CHECK(thrown != NULL);
    kit_log("%s", rondo_status_name(rondo_error_get_status(thrown)));
    if (self->n == 1)
        return rondo_coroutine_return(co, self->value, NULL);
    self->error = thrown;
    CHECK_OK(rondo_error_retain(thrown));
    RONDO_YIELD(self);
    kit_log("cleanup");
    CHECK_OK(rondo_error_release(self->error));
    return rondo_coroutine_raise_new(co, RONDO_DOMAIN_RONDO, RONDO_E_CANCELLED, NULL);
    RONDO_END(self);
}

/* main is cancelled once; after its cleanup the run was interrupted. */
KIT_TEST(R07_interrupted_while_it_waits)
{
    struct frame frame = { 0 };
    default_sigint();
    expect_run(run_main(interrupted_step, &frame, NULL), RONDO_E_INTERRUPTED);
    kit_expect_log("RONDO_E_CANCELLED cleanup");
    CHECK_EQ_PTR(sigint_handler(), (void *)(uintptr_t)SIG_DFL);
}

static void *interrupt_from_outside(void *arg)
{
    kit_wait_asleep(*(int32_t *)arg);
    CHECK_EQ_INT(kill(getpid(), SIGINT), 0);
    return NULL;
}

RONDO_STEP(waits_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY(self, rondo_coroutine_sleep(co, INT64_C(3600000000000)));
    kit_log("%s", rondo_status_name(rondo_error_get_status(thrown)));
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* the loop sleeps in the kernel when the signal comes. */
KIT_TEST(R07_interrupted_while_the_loop_sleeps)
{
    struct frame frame = { 0 };
    int32_t tid = kit_tid();
    default_sigint();
    pthread_t thread = kit_thread_start(interrupt_from_outside, &tid);
    expect_run(run_main(waits_step, &frame, NULL), RONDO_E_INTERRUPTED);
    kit_thread_join(thread);
    kit_expect_log("RONDO_E_CANCELLED");
}

/* main swallows it and returns: its value, no interrupt. */
KIT_TEST(R08_main_swallows_it)
{
    struct frame frame = { .n = 1, .value = &frame };
    default_sigint();
    struct run run = run_main(interrupted_step, &frame, NULL);
    expect_run(run, RONDO_OK);
    CHECK_EQ_PTR(run.value, &frame);
    kit_expect_log("RONDO_E_CANCELLED");
}

/* Swallows the first and interrupts again: what comes then is the shutdown's cancellation. */
RONDO_STEP(interrupted_twice)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    CHECK_EQ_INT(kill(getpid(), SIGINT), 0);
    RONDO_TRY(self, rondo_coroutine_sleep(co, INT64_C(3600000000000)));
    kit_log("first:%s", rondo_status_name(rondo_error_get_status(thrown)));
    CHECK_EQ_INT(kill(getpid(), SIGINT), 0);
    RONDO_TRY(self, rondo_coroutine_sleep(co, INT64_C(3600000000000)));
    kit_log("then:%s", rondo_status_name(rondo_error_get_status(thrown)));
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* the second ends the run at once; what is left, main too, is cancelled and awaited. */
KIT_TEST(R09_interrupted_twice)
{
    struct frame frame = { 0 };
    default_sigint();
    expect_run(run_main(interrupted_twice, &frame, NULL), RONDO_E_INTERRUPTED);
    kit_expect_log("first:RONDO_E_CANCELLED then:RONDO_E_CANCELLED");
    CHECK_EQ_PTR(sigint_handler(), (void *)(uintptr_t)SIG_DFL);
}

static rondo_step interrupts_thrice(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co;
    (void)frame;
    (void)sent;
    (void)thrown;
    for (int i = 0; i < 3; i++)
        raise(SIGINT);
    return RONDO_STEP_RETURN;
}

/* The third kills the process as without rondo, though it hangs in a step. */
KIT_TEST(R09_the_third_kills)
{
    default_sigint();
    int pid = kit_fork();
    if (pid == 0) {
        static struct frame frame;
        rondo_run(coroutine_of(interrupts_thrice, &frame), NULL, NULL, NULL);
        _exit(0);
    }
    CHECK_EQ_INT(kit_wait_child(pid), 128 + SIGINT);
}

static void my_handler(int number)
{
    (void)number;
}

static rondo_step returns_handler(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame;
    (void)sent;
    (void)thrown;
    return rondo_coroutine_return(co, sigint_handler(), NULL);
}

/* Only the default disposition is replaced, only in the main thread, and not with the flag. */
KIT_TEST(R10_sigint_is_left_alone)
{
    struct frame frames[3] = { { 0 } };
    rondo_run_options options = { .size = sizeof options, .flags = RONDO_RUN_NO_SIGINT };
    default_sigint();
    struct run run = run_main(returns_handler, &frames[0], &options);
    expect_run(run, RONDO_OK);
    CHECK_EQ_PTR(run.value, (void *)(uintptr_t)SIG_DFL);
    signal(SIGINT, my_handler);
    run = run_main(returns_handler, &frames[1], NULL);
    expect_run(run, RONDO_OK);
    CHECK_EQ_PTR(run.value, (void *)(uintptr_t)my_handler);
    CHECK_EQ_PTR(sigint_handler(), (void *)(uintptr_t)my_handler);
    default_sigint();
    run = run_main(returns_handler, &frames[2], NULL);
    expect_run(run, RONDO_OK);
    CHECK(run.value != (void *)(uintptr_t)SIG_DFL);
    CHECK_EQ_PTR(sigint_handler(), (void *)(uintptr_t)SIG_DFL);
}

static void run_in_thread(void *arg)
{
    struct frame frame = { 0 };
    (void)arg;
    struct run run = run_main(returns_handler, &frame, NULL);
    expect_run(run, RONDO_OK);
    CHECK_EQ_PTR(run.value, (void *)(uintptr_t)SIG_DFL);
}

KIT_TEST(R10_another_thread)
{
    default_sigint();
    kit_in_thread(run_in_thread, NULL);
}

/* ---- exit ----------------------------------------------------------------------------------- */

RONDO_STEP(exits_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    end_task(task_of(rondo_running_loop(), background_step, self->parent));
    RONDO_YIELD(self);
    return rondo_coroutine_raise(co, self->error);
    RONDO_END(self);
}

/* SystemExit leaves the run; what is left over is still cancelled and awaited. */
KIT_TEST(K21_exit_leaves_the_run)
{
    struct frame background = { .name = "bg", .n = 1 };
    struct frame frame = { .parent = &background, .error = kit_rondo_error(RONDO_E_EXIT, "bye") };
    struct run run = run_main(exits_step, &frame, NULL);
    if (run.error != NULL)
        CHECK_EQ_PTR(run.error, frame.error);
    expect_run(run, RONDO_E_EXIT);
    kit_expect_log("bg:RONDO_E_CANCELLED bg:end");
    CHECK_EQ_INT(background.drops, 1);
    CHECK_OK(rondo_error_release(frame.error));
}

KIT_TEST(many_runs)
{
    for (int i = 0; i < 200; i++) {
        struct frame frame = { .n = i % 3, .value = &frame };
        struct run run = run_main(passes_step, &frame, NULL);
        expect_run(run, RONDO_OK);
        CHECK_EQ_PTR(run.value, &frame);
    }
}
