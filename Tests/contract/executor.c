/*
 * executor.c - thread pools, jobs, the default executor, executors of one's own, shutdowns and what
 * hangs: F49, F60 to F66, X-08, X-11.
 */
#define _GNU_SOURCE
#include "kit.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

/* ---- jobs ------------------------------------------------------------------------------------- */

static rondo_status return_arg(rondo_job *job, void *arg)
{
    return rondo_job_return(job, arg, NULL);
}

static rondo_status return_counted(rondo_job *job, void *arg)
{
    return rondo_job_return(job, arg, kit_drop);
}

static rondo_status do_nothing(rondo_job *job, void *arg)
{
    (void)job;
    (void)arg;
    return RONDO_OK;
}

static rondo_status count_job(rondo_job *job, void *arg)
{
    (void)job;
    atomic_fetch_add((atomic_int *)arg, 1);
    return RONDO_OK;
}

/* Blocks until it is let go on, and says that it has begun. */
struct gate {
    struct kit_event begun, open;
    rondo_job *job;
    atomic_int unblocked;
};
#define GATE_INIT { .begun = KIT_EVENT_INIT, .open = KIT_EVENT_INIT }

static rondo_status wait_at_gate(rondo_job *job, void *arg)
{
    struct gate *gate = arg;
    gate->job = job;
    kit_event_set(&gate->begun);
    kit_event_wait(&gate->open);
    return rondo_job_return(job, "through", NULL);
}

static rondo_executor *pool_of(uint32_t workers)
{
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = workers };
    rondo_executor *executor = NULL;
    CHECK_OK(rondo_executor_new_thread_pool(&options, &executor));
    return executor;
}

static void end_pool(rondo_executor *executor)
{
    CHECK_OK(rondo_executor_shutdown(executor, 0, RONDO_NEVER, NULL));
    CHECK_OK(rondo_executor_release(executor));
}

static rondo_executor_report report_of(rondo_executor *executor)
{
    rondo_executor_report report = { .size = sizeof report };
    CHECK_OK(rondo_executor_get_report(executor, &report));
    return report;
}

static rondo_future *run_in(rondo_loop *loop, rondo_executor *executor, rondo_job_fn fn, void *arg)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_run_in_executor(loop, executor, NULL, fn, arg, NULL, &future));
    return future;
}

static rondo_status finish(rondo_loop *loop, rondo_future *future, void **out_value)
{
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    return rondo_future_result(future, out_value);
}

/* ---- results ---------------------------------------------------------------------------------- */

KIT_TEST(result_arrives)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = run_in(loop, NULL, return_arg, "done");
    void *value = NULL;
    CHECK_OK(finish(loop, future, &value));
    CHECK_EQ_STR(value, "done");
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);
}

/* The value belongs to the future, and goes with it. */
KIT_TEST(value_is_dropped_with_the_future)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = run_in(loop, NULL, return_counted, &future);
    CHECK_OK(finish(loop, future, NULL));
    CHECK_EQ_INT(kit_drops, 0);
    CHECK_OK(rondo_future_release(future));
    CHECK_EQ_INT(kit_drops, 1);
    kit_loop_end_with_pool(loop);
}

static rondo_status fail_with_status(rondo_job *job, void *arg)
{
    CHECK_OK(rondo_job_return(job, arg, kit_drop));
    return -ENOENT;
}

static rondo_status raise_error(rondo_job *job, void *arg)
{
    CHECK_OK(rondo_job_raise(job, arg));
    return RONDO_OK;
}

static rondo_status return_nonsense(rondo_job *job, void *arg)
{
    (void)job;
    (void)arg;
    return 7;
}

static void check_raised(rondo_loop *loop, rondo_future *future, rondo_status expected)
{
    rondo_error *error = NULL;
    CHECK_STATUS(finish(loop, future, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_STATUS(rondo_error_get_status(error), expected);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_release(future));
}

KIT_TEST(failures_are_raised)
{
    rondo_loop *loop = kit_loop();
    rondo_error *error = kit_error(12, "boom");
    check_raised(loop, run_in(loop, NULL, fail_with_status, &error), -ENOENT);
    CHECK_EQ_INT(kit_drops, 1); /* the value that it gave up */
    check_raised(loop, run_in(loop, NULL, raise_error, error), RONDO_E_USER);
    check_raised(loop, run_in(loop, NULL, return_nonsense, NULL), -EINVAL);
    CHECK_OK(rondo_error_release(error));
    kit_loop_end_with_pool(loop);
}

KIT_TEST(argument_is_dropped_once_in_the_worker)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    struct kit_arg arg = { 0 };
    CHECK_OK(rondo_loop_run_in_executor(loop, NULL, NULL, do_nothing, &arg, kit_arg_drop, &future));
    CHECK_OK(finish(loop, future, NULL));
    CHECK_EQ_INT(arg.drops, 1);
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);
}

/* A future that nobody keeps: the job runs, and its result goes. */
KIT_TEST(without_a_future)
{
    rondo_loop *loop = kit_loop();
    atomic_int ran = 0;
    CHECK_OK(rondo_loop_run_in_executor(loop, NULL, NULL, count_job, &ran, NULL, NULL));
    CHECK_OK(rondo_loop_run_in_executor(loop, NULL, NULL, return_counted, &ran, NULL, NULL));
    kit_loop_end_with_pool(loop);
    CHECK_EQ_INT(ran, 1);
    CHECK_EQ_INT(kit_drops, 1);
}

/* F66: each of 10,000 results goes to its own future, in whatever order they come. */
static rondo_status return_number(rondo_job *job, void *arg)
{
    if ((uintptr_t)arg % 7 == 0)
        sched_yield();
    return rondo_job_return(job, (void *)((uintptr_t)arg * 3 + 1), NULL);
}

KIT_TEST_WITHIN(ten_thousand_results, 60)
{
    enum { COUNT = 10000 };
    static rondo_awaitable *futures[COUNT];
    rondo_loop *loop = kit_loop();
    rondo_future *all = NULL;
    for (uintptr_t i = 0; i < COUNT; i++)
        futures[i] = run_in(loop, NULL, return_number, (void *)i);
    CHECK_OK(rondo_gather(loop, futures, COUNT, 0, &all));
    CHECK_OK(finish(loop, all, NULL));
    for (uintptr_t i = 0; i < COUNT; i++) {
        void *value = NULL;
        CHECK_OK(rondo_future_result(futures[i], &value));
        CHECK_EQ_INT((uintptr_t)value, i * 3 + 1);
        CHECK_OK(rondo_future_release(futures[i]));
    }
    CHECK_OK(rondo_future_release(all));
    kit_loop_end_with_pool(loop);
}

/* ---- threads ---------------------------------------------------------------------------------- */

static rondo_status name_thread(rondo_job *job, void *arg)
{
    char *name = arg;
    CHECK_EQ_INT(pthread_getname_np(pthread_self(), name, 16), 0);
    return rondo_job_return(job, name, NULL);
}

KIT_TEST(threads_have_names)
{
    rondo_loop *loop = kit_loop();
    char name[16];
    rondo_future *future = run_in(loop, NULL, name_thread, name);
    CHECK_OK(finish(loop, future, NULL));
    CHECK_EQ_STR(name, "asyncio_0");
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);
}

static rondo_status check_signals(rondo_job *job, void *arg)
{
    sigset_t blocked;
    (void)job;
    (void)arg;
    CHECK_EQ_INT(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    CHECK_EQ_INT(sigismember(&blocked, SIGINT), 1);
    CHECK_EQ_INT(sigismember(&blocked, SIGTERM), 1);
    return RONDO_OK;
}

KIT_TEST(signals_are_not_for_workers)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = run_in(loop, NULL, check_signals, NULL);
    CHECK_OK(finish(loop, future, NULL));
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);
}

/* Threads come when there is work for them, one for each job that must not wait. */
KIT_TEST(threads_start_on_demand)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(3);
    struct gate gates[4] = { GATE_INIT, GATE_INIT, GATE_INIT, GATE_INIT };
    rondo_future *futures[4];
    CHECK_EQ_INT(report_of(pool).workers, 0);
    for (int i = 0; i < 4; i++) {
        futures[i] = run_in(loop, pool, wait_at_gate, &gates[i]);
        if (i < 3)
            kit_event_wait(&gates[i].begun);
    }
    rondo_executor_report report = report_of(pool);
    CHECK_EQ_INT(report.workers, 3);
    CHECK_EQ_INT(report.running, 3);
    CHECK_EQ_INT(report.queued, 1);
    CHECK(!kit_event_is_set(&gates[3].begun));
    for (int i = 0; i < 4; i++)
        kit_event_set(&gates[i].open);
    for (int i = 0; i < 4; i++) {
        CHECK_OK(finish(loop, futures[i], NULL));
        CHECK_OK(rondo_future_release(futures[i]));
    }
    CHECK_EQ_INT(report_of(pool).workers, 3);
    end_pool(pool);
    kit_loop_end(loop);
}

/* One that has nothing to do is used again before another is started. */
KIT_TEST(idle_workers_are_used_again)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(8);
    for (int i = 0; i < 20; i++) {
        rondo_future *future = run_in(loop, pool, do_nothing, NULL);
        CHECK_OK(finish(loop, future, NULL));
        CHECK_OK(rondo_future_release(future));
        while (report_of(pool).idle != report_of(pool).workers)
            sched_yield();
    }
    CHECK_EQ_INT(report_of(pool).workers, 1);
    end_pool(pool);
    kit_loop_end(loop);
}

/* Two jobs that need one another at the same time: each gets a worker. */
struct pair {
    struct kit_event first, second;
};

static rondo_status be_first(rondo_job *job, void *arg)
{
    struct pair *pair = arg;
    (void)job;
    kit_event_set(&pair->first);
    kit_event_wait(&pair->second);
    return RONDO_OK;
}

static rondo_status be_second(rondo_job *job, void *arg)
{
    struct pair *pair = arg;
    (void)job;
    kit_event_wait(&pair->first);
    kit_event_set(&pair->second);
    return RONDO_OK;
}

KIT_TEST_WITHIN(no_job_waits_while_a_worker_could_come, 60)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(2);
    for (int i = 0, rounds = kit_rounds(2000); i < rounds; i++) {
        struct pair pair = { KIT_EVENT_INIT, KIT_EVENT_INIT };
        rondo_future *a = run_in(loop, pool, i % 2 ? be_first : be_second, &pair);
        rondo_future *b = run_in(loop, pool, i % 2 ? be_second : be_first, &pair);
        CHECK_OK(finish(loop, a, NULL));
        CHECK_OK(finish(loop, b, NULL));
        CHECK_OK(rondo_future_release(a));
        CHECK_OK(rondo_future_release(b));
    }
    end_pool(pool);
    kit_loop_end(loop);
}

KIT_TEST(idle_workers_end)
{
    rondo_thread_pool_options options = {
        .size = sizeof options, .max_workers = 4, .min_workers = 1, .idle_ns = 1000000
    };
    rondo_executor *pool = NULL;
    struct gate gates[3] = { GATE_INIT, GATE_INIT, GATE_INIT };
    CHECK_OK(rondo_executor_new_thread_pool(&options, &pool));
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_executor_submit(pool, NULL, wait_at_gate, &gates[i], NULL, NULL));
    for (int i = 0; i < 3; i++)
        kit_event_wait(&gates[i].begun);
    CHECK_EQ_INT(report_of(pool).workers, 3);
    for (int i = 0; i < 3; i++)
        kit_event_set(&gates[i].open);
    while (report_of(pool).workers != 1)
        usleep(100);
    rondo_thread_future *future = NULL;
    CHECK_OK(rondo_executor_submit(pool, NULL, return_arg, "again", NULL, &future));
    CHECK_OK(rondo_thread_future_result(future, RONDO_NEVER, NULL));
    CHECK_OK(rondo_thread_future_release(future));
    end_pool(pool);
}

struct hooks {
    atomic_int started, stopped;
    rondo_status answer;
};

static rondo_status start_worker(void *arg)
{
    struct hooks *hooks = arg;
    atomic_fetch_add(&hooks->started, 1);
    return hooks->answer;
}

static void stop_worker(void *arg)
{
    atomic_fetch_add(&((struct hooks *)arg)->stopped, 1);
}

KIT_TEST(initializer_and_finalizer)
{
    struct hooks hooks = { 0 };
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = 2, .name = "files",
        .start = start_worker, .stop = stop_worker, .arg = &hooks, .drop = kit_drop };
    rondo_executor *pool = NULL;
    rondo_thread_future *future = NULL;
    char name[16];
    void *value = NULL;
    CHECK_OK(rondo_executor_new_thread_pool(&options, &pool));
    CHECK_OK(rondo_executor_submit(pool, NULL, name_thread, name, NULL, &future));
    CHECK_OK(rondo_thread_future_result(future, RONDO_NEVER, &value));
    CHECK_EQ_STR(value, "files_0");
    CHECK_EQ_INT(hooks.started, 1);
    CHECK_EQ_INT(hooks.stopped, 0);
    CHECK_OK(rondo_thread_future_release(future));
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    CHECK_EQ_INT(hooks.stopped, 1);
    CHECK_EQ_INT(kit_drops, 0);
    CHECK_OK(rondo_executor_release(pool));
    CHECK_EQ_INT(kit_drops, 1);
}

/* BrokenThreadPool: what waits fails, and nothing is taken any more. */
KIT_TEST(initializer_fails)
{
    struct hooks hooks = { .answer = -EACCES };
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = 1,
        .start = start_worker, .stop = stop_worker, .arg = &hooks };
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = NULL;
    rondo_error *error = NULL;
    CHECK_OK(rondo_executor_new_thread_pool(&options, &pool));
    rondo_future *future = NULL;
    struct kit_arg arg = { 0 };
    rondo_status status = rondo_loop_run_in_executor(loop, pool, NULL, do_nothing, &arg, kit_arg_drop, &future);
    if (status == RONDO_OK) { /* else the thread was even faster */
        CHECK_STATUS(finish(loop, future, NULL), RONDO_E_RAISED);
        CHECK_OK(rondo_future_exception(future, &error));
        CHECK_STATUS(rondo_error_get_status(error), RONDO_E_RUNTIME);
        CHECK_EQ_STR(rondo_error_get_message(error),
                     "A thread initializer failed, the thread pool is not usable anymore");
        CHECK_STATUS(rondo_error_get_status(rondo_error_get_cause(error)), -EACCES);
        CHECK_OK(rondo_error_release(error));
        CHECK_OK(rondo_future_release(future));
    }
    CHECK_EQ_INT(arg.drops, 1);
    while (report_of(pool).workers != 0)
        sched_yield();
    CHECK_STATUS(rondo_executor_submit(pool, NULL, do_nothing, NULL, NULL, NULL),
                 RONDO_E_EXECUTOR_SHUT_DOWN);
    CHECK_EQ_INT(hooks.stopped, 0);
    end_pool(pool);
    kit_loop_end(loop);
}

/* ---- cancelling ------------------------------------------------------------------------------- */

KIT_TEST(cancel_takes_a_queued_job_out)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1);
    struct gate gate = GATE_INIT;
    struct kit_arg arg = { 0 };
    rondo_future *running = run_in(loop, pool, wait_at_gate, &gate), *queued = NULL;
    kit_event_wait(&gate.begun);
    CHECK_OK(rondo_loop_run_in_executor(loop, pool, NULL, count_job, &arg, kit_arg_drop, &queued));
    CHECK_EQ_INT(report_of(pool).queued, 1);
    CHECK_OK(rondo_future_cancel(queued, NULL, NULL));
    CHECK_EQ_INT(rondo_future_is_cancelled(queued), 1);
    CHECK_EQ_INT(report_of(pool).queued, 0);
    CHECK_EQ_INT(arg.drops, 1);
    kit_event_set(&gate.open);
    CHECK_OK(finish(loop, running, NULL));
    CHECK_OK(rondo_future_release(running));
    CHECK_OK(rondo_future_release(queued));
    end_pool(pool);
    kit_pass(loop);
    CHECK_EQ_INT(arg.calls, 0);
    kit_loop_end(loop);
}

static rondo_status see_cancel(rondo_job *job, void *arg)
{
    struct gate *gate = arg;
    CHECK_EQ_INT(rondo_job_is_cancelled(job), 0);
    wait_at_gate(job, arg);
    atomic_store(&gate->unblocked, rondo_job_is_cancelled(job));
    return rondo_job_return(job, arg, kit_drop);
}

/* F65: it goes on, sees that nobody waits, and what it returns is dropped once. */
KIT_TEST(cancelled_while_it_runs)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1);
    struct gate gate = GATE_INIT;
    rondo_future *future = run_in(loop, pool, see_cancel, &gate);
    kit_event_wait(&gate.begun);
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_CANCELLED);
    kit_event_set(&gate.open);
    end_pool(pool);
    CHECK_EQ_INT(gate.unblocked, 1);
    kit_pass(loop);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

static void unblock(void *arg)
{
    struct gate *gate = arg;
    atomic_fetch_add(&gate->unblocked, 1);
    kit_event_set(&gate->open);
}

static rondo_status wait_unblockably(rondo_job *job, void *arg)
{
    struct gate *gate = arg;
    CHECK_OK(rondo_job_set_unblock(job, unblock, gate));
    kit_event_set(&gate->begun);
    kit_event_wait(&gate->open);
    CHECK_OK(rondo_job_set_unblock(job, NULL, NULL));
    CHECK_STATUS(rondo_job_set_unblock(job, unblock, gate), RONDO_E_CANCELLED);
    return RONDO_E_CANCELLED;
}

KIT_TEST(cancel_calls_the_unblock_hook)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1);
    struct gate gate = GATE_INIT;
    rondo_future *future = run_in(loop, pool, wait_unblockably, &gate);
    kit_event_wait(&gate.begun);
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    CHECK_EQ_INT(gate.unblocked, 1);
    CHECK_OK(rondo_future_release(future));
    end_pool(pool);
    CHECK_EQ_INT(gate.unblocked, 1);
    kit_pass(loop);
    kit_loop_end(loop);
}

/* Cancel and the end of the job at the same time, many times: the hook runs at most once, and never
 * after the job. */
struct race {
    atomic_int alive, hooked;
};

static void race_hook(void *arg)
{
    struct race *race = arg;
    CHECK_EQ_INT(atomic_load(&race->alive), 1);
    CHECK_EQ_INT(atomic_fetch_add(&race->hooked, 1), 0);
    CHECK_EQ_INT(atomic_load(&race->alive), 1);
}

static rondo_status race_job(rondo_job *job, void *arg)
{
    struct race *race = arg;
    atomic_store(&race->alive, 1);
    if (rondo_job_set_unblock(job, race_hook, race) != RONDO_OK)
        return RONDO_E_CANCELLED;
    CHECK_OK(rondo_job_set_unblock(job, NULL, NULL));
    atomic_store(&race->alive, 0);
    return RONDO_OK;
}

KIT_TEST_WITHIN(cancel_races_with_the_end, 60)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(2);
    for (int i = 0, rounds = kit_rounds(5000); i < rounds; i++) {
        static struct race races[2];
        rondo_future *futures[2];
        memset(races, 0, sizeof races);
        for (int k = 0; k < 2; k++)
            futures[k] = run_in(loop, pool, race_job, &races[k]);
        for (int k = i % 64; k > 0; k--)
            sched_yield();
        for (int k = 0; k < 2; k++) {
            rondo_status status = rondo_future_cancel(futures[k], NULL, NULL);
            CHECK(status == RONDO_OK || status == RONDO_E_INVALID_STATE);
            CHECK_OK(rondo_future_release(futures[k]));
        }
        while (report_of(pool).running + report_of(pool).queued != 0)
            sched_yield();
        kit_pass(loop);
    }
    end_pool(pool);
    kit_pass(loop);
    kit_loop_end(loop);
}

/* ---- without a loop --------------------------------------------------------------------------- */

KIT_TEST(submit_without_a_loop)
{
    rondo_executor *pool = pool_of(2);
    rondo_thread_future *future = NULL;
    rondo_error *error = NULL;
    void *value = NULL;
    CHECK_OK(rondo_executor_submit(pool, NULL, return_arg, "x", NULL, &future));
    CHECK_OK(rondo_thread_future_result(future, RONDO_NEVER, &value));
    CHECK_EQ_STR(value, "x");
    CHECK_STATUS(rondo_thread_future_set_result(future, NULL, NULL), RONDO_E_RUNTIME);
    CHECK_OK(rondo_thread_future_release(future));
    CHECK_OK(rondo_executor_submit(pool, NULL, return_nonsense, NULL, NULL, &future));
    CHECK_STATUS(rondo_thread_future_result(future, RONDO_NEVER, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_thread_future_exception(future, 0, &error));
    CHECK_STATUS(rondo_error_get_status(error), -EINVAL);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_thread_future_release(future));
    end_pool(pool);
}

KIT_TEST(cancel_a_thread_future)
{
    rondo_executor *pool = pool_of(1);
    struct gate gate = GATE_INIT, hooked = GATE_INIT;
    struct kit_arg arg = { 0 };
    rondo_thread_future *running = NULL, *queued = NULL, *unblocked = NULL;
    CHECK_OK(rondo_executor_submit(pool, NULL, see_cancel, &gate, NULL, &running));
    CHECK_OK(rondo_executor_submit(pool, NULL, count_job, &arg, kit_arg_drop, &queued));
    kit_event_wait(&gate.begun);
    CHECK_OK(rondo_thread_future_cancel(queued));
    CHECK_EQ_INT(arg.drops, 1);
    CHECK_OK(rondo_thread_future_cancel(running));
    CHECK_STATUS(rondo_thread_future_result(running, 0, NULL), RONDO_E_CANCELLED);
    kit_event_set(&gate.open);
    CHECK_OK(rondo_executor_submit(pool, NULL, wait_unblockably, &hooked, NULL, &unblocked));
    kit_event_wait(&hooked.begun);
    CHECK_OK(rondo_thread_future_cancel(unblocked));
    CHECK_EQ_INT(hooked.unblocked, 1);
    end_pool(pool);
    CHECK_EQ_INT(gate.unblocked, 1);
    CHECK_EQ_INT(arg.calls, 0);
    CHECK_EQ_INT(kit_drops, 1); /* what the cancelled one returned */
    CHECK_OK(rondo_thread_future_release(running));
    CHECK_OK(rondo_thread_future_release(queued));
    CHECK_OK(rondo_thread_future_release(unblocked));
}

/* ---- context ---------------------------------------------------------------------------------- */

static rondo_contextvar *variable;

static rondo_status read_variable(rondo_job *job, void *arg)
{
    void *value = "unset";
    (void)arg;
    rondo_contextvar_get(variable, &value);
    CHECK_OK(rondo_contextvar_set(variable, "job's own", NULL));
    return rondo_job_return(job, value, NULL);
}

/* run_in_executor takes no context along, to_thread a copy; what a job sets stays in the job. */
static void use_context_variables(void *arg)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    void *value = arg;
    CHECK_OK(rondo_contextvar_new("v", "default", &variable));
    CHECK_OK(rondo_contextvar_set(variable, "set", NULL));
    CHECK_OK(rondo_loop_to_thread(loop, read_variable, NULL, NULL, &future));
    CHECK_OK(finish(loop, future, &value));
    CHECK_EQ_STR(value, "set");
    CHECK_OK(rondo_future_release(future));
    for (int i = 0; i < 2; i++) {
        future = run_in(loop, NULL, read_variable, NULL);
        CHECK_OK(finish(loop, future, &value));
        CHECK_EQ_STR(value, "default");
        CHECK_OK(rondo_future_release(future));
    }
    CHECK_OK(rondo_contextvar_get(variable, &value));
    CHECK_EQ_STR(value, "set");
    CHECK_OK(rondo_contextvar_release(variable));
    kit_loop_end_with_pool(loop);
}

KIT_TEST(context_variables)
{
    kit_in_thread(use_context_variables, NULL);
}

/* ---- lanes ------------------------------------------------------------------------------------ */

static rondo_status log_lane(rondo_job *job, void *arg)
{
    (void)job;
    kit_log("%s", (const char *)arg);
    return RONDO_OK;
}

static void submit_in(rondo_executor *pool, int32_t lane, const char *name)
{
    rondo_job_options options = { .size = sizeof options, .lane = lane };
    CHECK_OK(rondo_executor_submit(pool, &options, log_lane, (void *)(uintptr_t)name, NULL, NULL));
}

KIT_TEST(lanes_are_served_in_order)
{
    rondo_executor *pool = pool_of(1);
    struct gate gate = GATE_INIT;
    CHECK_OK(rondo_executor_submit(pool, NULL, wait_at_gate, &gate, NULL, NULL));
    kit_event_wait(&gate.begun);
    submit_in(pool, RONDO_LANE_LOW, "low");
    for (int i = 0; i < 3; i++)
        submit_in(pool, RONDO_LANE_RESOLVER, "resolver");
    submit_in(pool, RONDO_LANE_NORMAL, "normal1");
    submit_in(pool, RONDO_LANE_NORMAL, "normal2");
    submit_in(pool, RONDO_LANE_FILES, "files");
    submit_in(pool, RONDO_LANE_HIGH, "high");
    kit_event_set(&gate.open);
    end_pool(pool);
    kit_expect_log("high normal1 files resolver normal2 resolver resolver low");
}

/* A resolver whose names do not answer leaves room for files. */
KIT_TEST(a_lane_has_its_limit)
{
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = 2 };
    rondo_job_options resolver = { .size = sizeof resolver, .lane = RONDO_LANE_RESOLVER };
    rondo_job_options files = { .size = sizeof files, .lane = RONDO_LANE_FILES };
    rondo_executor *pool = NULL;
    struct gate gates[2] = { GATE_INIT, GATE_INIT };
    rondo_thread_future *future = NULL;
    options.lane_limits[RONDO_LANE_RESOLVER] = 1;
    CHECK_OK(rondo_executor_new_thread_pool(&options, &pool));
    for (int i = 0; i < 2; i++)
        CHECK_OK(rondo_executor_submit(pool, &resolver, wait_at_gate, &gates[i], NULL, NULL));
    kit_event_wait(&gates[0].begun);
    for (int i = 0; i < 10; i++) {
        CHECK_OK(rondo_executor_submit(pool, &files, do_nothing, NULL, NULL, &future));
        CHECK_OK(rondo_thread_future_result(future, RONDO_NEVER, NULL));
        CHECK_OK(rondo_thread_future_release(future));
    }
    CHECK(!kit_event_is_set(&gates[1].begun));
    kit_event_set(&gates[0].open);
    kit_event_wait(&gates[1].begun);
    kit_event_set(&gates[1].open);
    end_pool(pool);
}

KIT_TEST(queue_limit)
{
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = 1, .queue_limit = 2 };
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = NULL;
    struct gate gate = GATE_INIT;
    struct kit_arg arg = { 0 };
    rondo_future *future = NULL;
    CHECK_OK(rondo_executor_new_thread_pool(&options, &pool));
    CHECK_OK(rondo_executor_submit(pool, NULL, wait_at_gate, &gate, NULL, NULL));
    kit_event_wait(&gate.begun);
    CHECK_OK(rondo_executor_submit(pool, NULL, do_nothing, NULL, NULL, NULL));
    CHECK_OK(rondo_executor_submit(pool, NULL, do_nothing, NULL, NULL, NULL));
    CHECK_STATUS(rondo_executor_submit(pool, NULL, do_nothing, &arg, kit_arg_drop, NULL), RONDO_E_QUEUE_FULL);
    CHECK_EQ_INT(arg.drops, 1);
    CHECK_STATUS(rondo_loop_run_in_executor(loop, pool, NULL, do_nothing, NULL, kit_drop, &future),
                 RONDO_E_QUEUE_FULL);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_EQ_PTR(future, NULL);
    kit_event_set(&gate.open);
    end_pool(pool);
    kit_loop_end(loop);
}

/* ---- shutting down ---------------------------------------------------------------------------- */

/* F62: all that is queued still runs, and no more is taken. */
KIT_TEST_WITHIN(shutdown_runs_what_is_queued, 60)
{
    int count = kit_rounds(100000);
    rondo_executor *pool = pool_of(2);
    struct gate gate = GATE_INIT;
    atomic_int ran = 0;
    CHECK_OK(rondo_executor_submit(pool, NULL, wait_at_gate, &gate, NULL, NULL));
    for (int i = 0; i < count; i++)
        CHECK_OK(rondo_executor_submit(pool, NULL, count_job, &ran, kit_drop, NULL));
    kit_event_set(&gate.open);
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    CHECK_EQ_INT(ran, count);
    CHECK_EQ_INT(kit_drops, count);
    CHECK_STATUS(rondo_executor_submit(pool, NULL, count_job, &ran, kit_drop, NULL), RONDO_E_EXECUTOR_SHUT_DOWN);
    CHECK_EQ_INT(kit_drops, count + 1);
    CHECK_EQ_STR(rondo_status_message(RONDO_E_EXECUTOR_SHUT_DOWN), "cannot schedule new futures after shutdown");
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL)); /* once more is no mistake */
    CHECK_OK(rondo_executor_release(pool));
}

/* F62: what is queued is cancelled, once each. */
KIT_TEST_WITHIN(shutdown_cancels_what_is_queued, 60)
{
    int count = kit_rounds(100000);
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1);
    struct gate gate = GATE_INIT;
    atomic_int ran = 0;
    rondo_executor_report report = { .size = sizeof report };
    rondo_future **futures = calloc((size_t)count, sizeof *futures);
    rondo_future *running = run_in(loop, pool, wait_at_gate, &gate);
    kit_event_wait(&gate.begun);
    for (int i = 0; i < count; i++)
        CHECK_OK(rondo_loop_run_in_executor(loop, pool, NULL, count_job, &ran, kit_drop, &futures[i]));
    CHECK_OK(rondo_executor_shutdown(pool, RONDO_SHUTDOWN_CANCEL, 0, &report));
    CHECK_EQ_INT(report.cancelled, count);
    CHECK_EQ_INT(report.running, 1);
    CHECK_EQ_INT(report.queued, 0);
    CHECK_EQ_INT(kit_drops, count);
    kit_event_set(&gate.open);
    CHECK_OK(finish(loop, running, NULL));
    for (int i = 0; i < count; i++) {
        CHECK_EQ_INT(rondo_future_is_cancelled(futures[i]), 1);
        CHECK_OK(rondo_future_release(futures[i]));
    }
    CHECK_EQ_INT(ran, 0);
    CHECK_OK(rondo_future_release(running));
    end_pool(pool);
    free(futures);
    kit_loop_end(loop);
}

/* A shutdown that does not wait for ever, and says what hangs. */
KIT_TEST(shutdown_names_what_hangs)
{
    rondo_executor *pool = pool_of(2);
    struct gate gates[2] = { GATE_INIT, GATE_INIT };
    rondo_job_options options = { .size = sizeof options, .name = "read /dev/slow" };
    rondo_executor_report report = { .size = sizeof report };
    char text[2000] = "", small[4] = "abc";
    size_t size = 0;
    CHECK_OK(rondo_executor_submit(pool, &options, wait_at_gate, &gates[0], NULL, NULL));
    CHECK_OK(rondo_executor_submit(pool, NULL, wait_at_gate, &gates[1], NULL, NULL));
    for (int i = 0; i < 2; i++)
        kit_event_wait(&gates[i].begun);
    CHECK_STATUS(rondo_executor_shutdown(pool, 0, 1000000, &report), RONDO_E_TIMEOUT);
    CHECK_EQ_INT(report.workers, 2);
    CHECK_EQ_INT(report.running, 2);
    CHECK_STATUS(rondo_executor_describe_jobs(pool, NULL, 0, &size), -ERANGE);
    CHECK(size > 40 && size < sizeof text);
    CHECK_STATUS(rondo_executor_describe_jobs(pool, small, sizeof small, NULL), -ERANGE);
    CHECK_EQ_STR(small, "abc");
    CHECK_OK(rondo_executor_describe_jobs(pool, text, sizeof text, NULL));
    CHECK(strstr(text, "job read /dev/slow runs for 0.0") != NULL);
    CHECK(strstr(text, " s in rondo_0") != NULL);
    CHECK(strstr(text, " s in rondo_1") != NULL);
    for (int i = 0; i < 2; i++)
        kit_event_set(&gates[i].open);
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    CHECK_OK(rondo_executor_describe_jobs(pool, text, sizeof text, NULL));
    CHECK_EQ_STR(text, "");
    CHECK_OK(rondo_executor_release(pool));
}

static void count_report(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    (void)loop;
    CHECK_EQ_STR(rondo_exception_context_get_message(context), "Future exception was never retrieved");
    CHECK(rondo_exception_context_get_error(context) != NULL);
    ++*(int *)arg;
}

static rondo_status fails_at_gate(rondo_job *job, void *arg)
{
    rondo_status status = wait_at_gate(job, arg);
    return status == RONDO_OK ? -EIO : status;
}

/* Without a future the error of a job is told as that of a future that nobody kept; a cancelled one's is not. */
KIT_TEST(a_failure_that_nobody_can_read)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1);
    struct gate gates[3] = { GATE_INIT, GATE_INIT, GATE_INIT };
    int reports = 0;
    CHECK_OK(rondo_loop_set_exception_handler(loop, count_report, &reports, NULL));
    CHECK_OK(rondo_loop_run_in_executor(loop, pool, NULL, fails_at_gate, &gates[0], NULL, NULL));
    rondo_future *dropped = run_in(loop, pool, fails_at_gate, &gates[1]);
    CHECK_OK(rondo_future_release(dropped));
    rondo_future *cancelled = run_in(loop, pool, fails_at_gate, &gates[2]);
    for (int i = 0; i < 3; i++) {
        kit_event_wait(&gates[i].begun);
        if (i == 2) {
            CHECK_OK(rondo_future_cancel(cancelled, NULL, NULL));
            CHECK_OK(rondo_future_release(cancelled));
        }
        kit_event_set(&gates[i].open);
    }
    rondo_future *last = run_in(loop, pool, do_nothing, NULL);
    CHECK_OK(finish(loop, last, NULL));
    CHECK_OK(rondo_future_release(last));
    CHECK_EQ_INT(reports, 2);
    end_pool(pool);
    kit_loop_end(loop);
}

/* In debug mode it says where the job was handed in, too. */
KIT_TEST(debug_mode_notes_the_origin)
{
    rondo_loop_options options = { .size = sizeof options, .flags = RONDO_LOOP_DEBUG };
    rondo_loop *loop = NULL;
    rondo_executor *pool = pool_of(1);
    struct gate gate = GATE_INIT;
    char text[4000] = "";
    CHECK_OK(rondo_loop_new(&options, &loop));
    rondo_future *future = run_in(loop, pool, wait_at_gate, &gate);
    kit_event_wait(&gate.begun);
    CHECK_OK(rondo_executor_describe_jobs(pool, text, sizeof text, NULL));
    CHECK(strstr(text, ", submitted at\n") != NULL);
    CHECK(strstr(text, "job wait_at_gate() runs for") != NULL || strstr(text, "job 0x") != NULL);
    CHECK(strstr(text, "in kit_body_debug_mode_notes_the_origin") != NULL || strstr(text, "contract") != NULL);
    kit_event_set(&gate.open);
    CHECK_OK(finish(loop, future, NULL));
    CHECK_OK(rondo_future_release(future));
    end_pool(pool);
    kit_loop_end(loop);
}

KIT_TEST(shutdown_unblocks_what_runs)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(4);
    struct gate gates[4] = { GATE_INIT, GATE_INIT, GATE_INIT, GATE_INIT };
    rondo_future *futures[4];
    for (int i = 0; i < 4; i++) {
        futures[i] = run_in(loop, pool, wait_unblockably, &gates[i]);
        kit_event_wait(&gates[i].begun);
    }
    CHECK_OK(rondo_executor_shutdown(pool, RONDO_SHUTDOWN_UNBLOCK, RONDO_NEVER, NULL));
    for (int i = 0; i < 4; i++) {
        CHECK_OK(rondo_loop_run_until_complete(loop, futures[i], NULL));
        CHECK_EQ_INT(rondo_future_is_cancelled(futures[i]), 1);
        CHECK_EQ_INT(gates[i].unblocked, 1);
        CHECK_OK(rondo_future_release(futures[i]));
    }
    CHECK_OK(rondo_executor_release(pool));
    kit_loop_end(loop);
}

static rondo_status shut_own_pool(rondo_job *job, void *arg)
{
    (void)job;
    CHECK_STATUS(rondo_executor_shutdown(arg, 0, RONDO_NEVER, NULL), -EDEADLK);
    CHECK_OK(rondo_executor_shutdown(arg, 0, 0, NULL));
    return RONDO_OK;
}

KIT_TEST(shutdown_in_its_own_job)
{
    rondo_executor *pool = pool_of(1);
    rondo_thread_future *future = NULL;
    CHECK_OK(rondo_executor_submit(pool, NULL, shut_own_pool, pool, NULL, &future));
    CHECK_OK(rondo_thread_future_result(future, RONDO_NEVER, NULL));
    CHECK_OK(rondo_thread_future_release(future));
    end_pool(pool);
}

/* A pool that nobody holds does what it has and ends by itself. */
KIT_TEST(release_without_shutdown)
{
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = 2, .drop = kit_drop };
    rondo_executor *pool = NULL;
    struct gate gate = GATE_INIT;
    atomic_int ran = 0;
    CHECK_OK(rondo_executor_new_thread_pool(&options, &pool));
    CHECK_OK(rondo_executor_submit(pool, NULL, wait_at_gate, &gate, NULL, NULL));
    for (int i = 0; i < 100; i++)
        CHECK_OK(rondo_executor_submit(pool, NULL, count_job, &ran, NULL, NULL));
    CHECK_OK(rondo_executor_release(pool));
    CHECK_STATUS(rondo_executor_retain(pool), RONDO_E_STALE_HANDLE);
    kit_event_set(&gate.open);
    while (atomic_load(&kit_drops) == 0) /* the last thing that a pool does */
        sched_yield();
    CHECK_EQ_INT(ran, 100);
}

static rondo_status release_own_pool(rondo_job *job, void *arg)
{
    (void)job;
    CHECK_OK(rondo_executor_release(arg));
    return RONDO_OK;
}

KIT_TEST(released_by_its_own_job)
{
    rondo_executor *pool = pool_of(1);
    rondo_thread_future *future = NULL;
    CHECK_OK(rondo_executor_submit(pool, NULL, release_own_pool, pool, NULL, &future));
    CHECK_OK(rondo_thread_future_result(future, RONDO_NEVER, NULL));
    CHECK_OK(rondo_thread_future_release(future));
}

/* ---- the default executor --------------------------------------------------------------------- */

KIT_TEST(default_executor_can_be_set)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1), *got = NULL;
    char name[16];
    CHECK_OK(rondo_loop_get_default_executor(loop, &got));
    CHECK_EQ_PTR(got, NULL);
    CHECK_OK(rondo_loop_set_default_executor(loop, pool));
    CHECK_OK(rondo_loop_set_default_executor(loop, pool));
    CHECK_OK(rondo_loop_get_default_executor(loop, &got));
    CHECK_EQ_PTR(got, pool);
    CHECK_OK(rondo_executor_release(got));
    CHECK_OK(rondo_executor_release(pool)); /* the loop holds it */
    rondo_future *future = run_in(loop, NULL, name_thread, name);
    CHECK_OK(finish(loop, future, NULL));
    CHECK_EQ_STR(name, "rondo_0");
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);
}

KIT_TEST(default_executor_after_shutdown)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1);
    rondo_future *future = run_in(loop, NULL, do_nothing, NULL), *ended = NULL;
    CHECK_OK(rondo_loop_shutdown_default_executor(loop, RONDO_NEVER, &ended));
    CHECK_STATUS(rondo_loop_run_in_executor(loop, NULL, NULL, do_nothing, NULL, kit_drop, NULL),
                 RONDO_E_EXECUTOR_SHUT_DOWN);
    CHECK_STATUS(rondo_loop_to_thread(loop, do_nothing, NULL, kit_drop, NULL), RONDO_E_EXECUTOR_SHUT_DOWN);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_OK(finish(loop, ended, NULL));
    CHECK_EQ_INT(rondo_future_is_done(future), 1);
    CHECK_OK(rondo_future_release(ended));
    CHECK_OK(rondo_future_release(future));
    future = run_in(loop, pool, do_nothing, NULL); /* others are not meant */
    CHECK_OK(finish(loop, future, NULL));
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_loop_shutdown_default_executor(loop, 0, NULL));
    end_pool(pool);
    kit_loop_end_with_pool(loop);
}

/* X-11, and the jobs that hang with it. */
KIT_TEST(shutdown_of_the_default_executor_times_out)
{
    rondo_loop *loop = kit_loop();
    struct gate gate = GATE_INIT;
    rondo_future *future = run_in(loop, NULL, wait_at_gate, &gate), *ended = NULL;
    kit_catch_log();
    kit_event_wait(&gate.begun);
    CHECK_OK(rondo_loop_shutdown_default_executor(loop, 10000000, &ended));
    CHECK_OK(finish(loop, ended, NULL));
    CHECK_EQ_INT(kit_logged(), 1);
    CHECK(kit_logged_containing("The executor did not finishing joining its threads within 0.01 seconds."));
    CHECK(kit_logged_containing(" s in asyncio_0"));
    CHECK_EQ_INT(rondo_future_is_done(future), 0);
    kit_event_set(&gate.open);
    CHECK_OK(finish(loop, future, NULL));
    CHECK_OK(rondo_future_release(ended));
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);
}

KIT_TEST(shutdown_future_is_cancelled)
{
    rondo_loop *loop = kit_loop();
    struct gate gate = GATE_INIT;
    rondo_future *future = run_in(loop, NULL, wait_at_gate, &gate), *ended = NULL;
    CHECK_OK(rondo_loop_shutdown_default_executor(loop, SECOND, &ended));
    CHECK_OK(rondo_future_cancel(ended, NULL, NULL));
    CHECK_EQ_INT(rondo_future_is_cancelled(ended), 1);
    CHECK_OK(rondo_future_release(ended));
    kit_event_set(&gate.open);
    CHECK_OK(finish(loop, future, NULL));
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);
}

/* The loop closes before its pool has ended: nothing of either is left when the job is over. */
KIT_TEST(close_while_the_pool_ends)
{
    rondo_loop *loop = kit_loop();
    struct gate gate = GATE_INIT;
    CHECK_OK(rondo_loop_run_in_executor(loop, NULL, NULL, wait_at_gate, &gate, NULL, NULL));
    kit_event_wait(&gate.begun);
    rondo_future *ended = NULL;
    CHECK_OK(rondo_loop_shutdown_default_executor(loop, 3600 * SECOND, &ended));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_EQ_INT(rondo_future_is_done(ended), 0);
    CHECK_OK(rondo_future_release(ended));
    CHECK_OK(rondo_loop_release(loop));
    kit_event_set(&gate.open);
    while (rondo_debug_live() != 0) {
        rondo_loop *other = kit_loop();
        kit_loop_drop(other);
        sched_yield();
    }
}

/* ---- loops that close ------------------------------------------------------------------------- */

/* F65: the loop is gone when the job ends. Its result is dropped, and nothing of the loop is left. */
KIT_TEST(loop_closes_while_a_job_runs)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1);
    struct gate gate = GATE_INIT;
    struct kit_arg arg = { 0 };
    rondo_close_report report = { .size = sizeof report };
    rondo_future *future = run_in(loop, pool, see_cancel, &gate), *queued = NULL;
    kit_event_wait(&gate.begun);
    CHECK_OK(rondo_loop_run_in_executor(loop, pool, NULL, return_counted, &arg, kit_arg_drop, &queued));
    CHECK_OK(rondo_loop_close(loop, &report));
    CHECK_EQ_INT(report.pending_futures, 2);
    CHECK_STATUS(rondo_loop_run_in_executor(loop, pool, NULL, do_nothing, NULL, kit_drop, NULL),
                 RONDO_E_LOOP_CLOSED);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_EQ_INT(rondo_future_is_done(future), 0);
    CHECK_OK(rondo_future_release(future));
    kit_event_set(&gate.open);
    end_pool(pool);
    CHECK_EQ_INT(kit_drops, 3);
    CHECK_EQ_INT(arg.drops, 1);
    CHECK_EQ_INT(rondo_future_is_done(queued), 0);
    CHECK_OK(rondo_future_release(queued));
    CHECK_OK(rondo_loop_release(loop));
}

/* Results that were on their way when the loop closed. */
KIT_TEST(loop_closes_with_results_in_its_inbox)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1);
    rondo_future *future = NULL;
    for (int i = 0; i < 10; i++)
        CHECK_OK(rondo_loop_run_in_executor(loop, pool, NULL, return_counted, NULL, NULL, i == 0 ? &future : NULL));
    end_pool(pool);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_EQ_INT(kit_drops, 10);
    CHECK_EQ_INT(rondo_future_is_done(future), 0);
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_loop_release(loop));
}

/* Close does not wait for the default pool. Its job ends later. */
KIT_TEST(close_does_not_wait)
{
    rondo_loop *loop = kit_loop();
    struct gate gate = GATE_INIT;
    CHECK_OK(rondo_loop_run_in_executor(loop, NULL, NULL, wait_at_gate, &gate, NULL, NULL));
    kit_event_wait(&gate.begun);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_OK(rondo_loop_release(loop));
    kit_event_set(&gate.open);
    while (rondo_debug_live() != 0) {
        rondo_loop *other = kit_loop(); /* what the job left is settled when the thread comes by */
        kit_loop_drop(other);
        sched_yield();
    }
}

/* A job of a loop whose thread has ended: it is delivered when another thread runs the loop. */
struct orphan {
    rondo_loop *loop;
    rondo_executor *pool;
    rondo_future *future;
    struct gate gate;
};

static void make_orphan(void *arg)
{
    struct orphan *orphan = arg;
    orphan->loop = kit_loop();
    orphan->future = run_in(orphan->loop, orphan->pool, wait_at_gate, &orphan->gate);
    kit_event_wait(&orphan->gate.begun);
}

KIT_TEST(owner_of_the_loop_ends)
{
    struct orphan orphan = { .pool = pool_of(1), .gate = GATE_INIT };
    void *value = NULL;
    kit_in_thread(make_orphan, &orphan);
    kit_event_set(&orphan.gate.open);
    end_pool(orphan.pool);
    CHECK_OK(finish(orphan.loop, orphan.future, &value));
    CHECK_EQ_STR(value, "through");
    CHECK_OK(rondo_future_release(orphan.future));
    kit_loop_end(orphan.loop);
}

/* ---- a virtual clock -------------------------------------------------------------------------- */

/* While a job is waited for no time passes: the clock does not jump to the timer, nor see a deadlock. */
KIT_TEST(virtual_clock_waits_for_jobs)
{
    rondo_loop_options options = { .size = sizeof options, .flags = RONDO_LOOP_VIRTUAL_CLOCK };
    rondo_loop *loop = NULL;
    struct gate gate = GATE_INIT;
    struct kit_arg timer = { 0 };
    void *value = NULL;
    CHECK_OK(rondo_loop_new(&options, &loop));
    CHECK_OK(rondo_loop_call_later(loop, 3600 * SECOND, kit_arg_call, &timer, NULL, NULL));
    rondo_future *future = run_in(loop, NULL, wait_at_gate, &gate);
    kit_event_wait(&gate.begun);
    CHECK_OK(rondo_loop_begin(loop));
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_loop_iterate(loop, 1000000));
    CHECK_OK(rondo_loop_end(loop));
    CHECK_EQ_INT(timer.calls, 0);
    kit_event_set(&gate.open);
    CHECK_OK(finish(loop, future, &value));
    CHECK_EQ_STR(value, "through");
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_loop_shutdown_default_executor(loop, 300 * SECOND, &future));
    CHECK_OK(finish(loop, future, NULL));
    CHECK_EQ_INT(timer.calls, 0);
    CHECK_OK(rondo_future_release(future));
    kit_loop_drop(loop);
}

/* ---- a run ------------------------------------------------------------------------------------ */

static rondo_status log_late(rondo_job *job, void *arg)
{
    (void)job;
    (void)arg;
    usleep(10000);
    kit_log("exec-done");
    return RONDO_OK;
}

static rondo_step main_step(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame;
    (void)sent;
    (void)thrown;
    CHECK_OK(rondo_loop_run_in_executor(rondo_running_loop(), NULL, NULL, log_late, NULL, NULL, NULL));
    kit_log("main-done");
    return rondo_coroutine_return(co, NULL, NULL);
}

/* rondo_run waits for the jobs of the default executor. */
KIT_TEST(run_joins_the_default_executor)
{
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_coroutine_new("main", main_step, NULL, NULL, &coroutine));
    CHECK_OK(rondo_run(coroutine, NULL, NULL, NULL));
    kit_expect_log("main-done exec-done");
}

/* ---- executors of one's own ------------------------------------------------------------------- */

struct own {
    rondo_job *jobs[16];
    int32_t lanes[16];
    int count, drops, shutdowns;
    rondo_status answer;
};

static rondo_status own_submit(void *self, rondo_job *job, int32_t lane)
{
    struct own *own = self;
    if (own->answer != RONDO_OK)
        return own->answer;
    own->lanes[own->count] = lane;
    own->jobs[own->count++] = job;
    return RONDO_OK;
}

static rondo_status own_shutdown(void *self, uint32_t flags, int64_t timeout_ns)
{
    struct own *own = self;
    CHECK_EQ_INT(flags, RONDO_SHUTDOWN_CANCEL);
    CHECK_EQ_INT(timeout_ns, 5);
    own->shutdowns++;
    return RONDO_E_TIMEOUT;
}

static void own_drop(void *self)
{
    ((struct own *)self)->drops++;
}

static rondo_executor *own_executor(struct own *own)
{
    rondo_executor_vtable vtable = { .size = sizeof vtable, .submit = own_submit, .shutdown = own_shutdown };
    rondo_executor *executor = NULL;
    CHECK_OK(rondo_executor_new_custom(&vtable, own, own_drop, &executor));
    return executor;
}

KIT_TEST(custom_executor)
{
    rondo_loop *loop = kit_loop();
    struct own own = { 0 };
    rondo_executor *executor = own_executor(&own);
    rondo_job_options options = { .size = sizeof options, .lane = RONDO_LANE_FILES };
    rondo_future *future = NULL, *refused = NULL;
    rondo_thread_future *plain = NULL;
    void *value = NULL;
    CHECK_OK(rondo_loop_run_in_executor(loop, executor, &options, return_arg, "mine", NULL, &future));
    CHECK_EQ_INT(own.count, 1);
    CHECK_EQ_INT(own.lanes[0], RONDO_LANE_FILES);
    CHECK_STATUS(rondo_job_return(own.jobs[0], NULL, NULL), RONDO_E_WRONG_THREAD);
    CHECK_OK(rondo_job_run(own.jobs[0]));
    CHECK_STATUS(rondo_job_run(own.jobs[0]), RONDO_E_STALE_HANDLE);
    CHECK_OK(finish(loop, future, &value));
    CHECK_EQ_STR(value, "mine");
    CHECK_STATUS(rondo_job_run(own.jobs[0]), RONDO_E_STALE_HANDLE);
    CHECK_OK(rondo_executor_submit(executor, NULL, return_arg, "plain", NULL, &plain));
    CHECK_OK(rondo_job_run(own.jobs[1]));
    CHECK_OK(rondo_thread_future_result(plain, 0, &value));
    CHECK_EQ_STR(value, "plain");
    CHECK_STATUS(rondo_loop_set_default_executor(loop, executor), RONDO_E_TYPE);
    own.answer = -EBUSY;
    CHECK_STATUS(rondo_loop_run_in_executor(loop, executor, NULL, do_nothing, NULL, kit_drop, &refused), -EBUSY);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_executor_shutdown(executor, RONDO_SHUTDOWN_CANCEL, 5, NULL), RONDO_E_TIMEOUT);
    CHECK_EQ_INT(own.shutdowns, 1);
    CHECK_STATUS(rondo_executor_submit(executor, NULL, do_nothing, NULL, NULL, NULL), RONDO_E_EXECUTOR_SHUT_DOWN);
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_thread_future_release(plain));
    CHECK_OK(rondo_executor_release(executor));
    CHECK_EQ_INT(own.drops, 1);
    kit_loop_end(loop);
}

/* Cancelled, abandoned, and left over at close: arguments and handles are let go of once. */
KIT_TEST(custom_executor_lets_go)
{
    rondo_loop *loop = kit_loop();
    struct own own = { 0 };
    rondo_executor *executor = own_executor(&own);
    rondo_future *cancelled = NULL, *abandoned = NULL, *left = NULL;
    rondo_thread_future *plain = NULL, *plain_abandoned = NULL;
    CHECK_OK(rondo_loop_run_in_executor(loop, executor, NULL, return_arg, NULL, kit_drop, &cancelled));
    CHECK_OK(rondo_loop_run_in_executor(loop, executor, NULL, return_arg, NULL, kit_drop, &abandoned));
    CHECK_OK(rondo_loop_run_in_executor(loop, executor, NULL, return_counted, NULL, kit_drop, &left));
    CHECK_OK(rondo_executor_submit(executor, NULL, return_arg, NULL, kit_drop, &plain));
    CHECK_OK(rondo_executor_submit(executor, NULL, return_arg, NULL, kit_drop, &plain_abandoned));
    CHECK_OK(rondo_future_cancel(cancelled, NULL, NULL));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_job_run(own.jobs[0]), RONDO_E_CANCELLED);
    CHECK_OK(rondo_job_abandon(own.jobs[1]));
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_STATUS(rondo_loop_run_until_complete(loop, abandoned, NULL), RONDO_OK);
    CHECK_EQ_INT(rondo_future_is_cancelled(abandoned), 1);
    CHECK_OK(rondo_thread_future_cancel(plain));
    CHECK_STATUS(rondo_job_run(own.jobs[3]), RONDO_E_CANCELLED);
    CHECK_OK(rondo_job_abandon(own.jobs[4]));
    CHECK_STATUS(rondo_thread_future_result(plain_abandoned, 0, NULL), RONDO_E_CANCELLED);
    CHECK_EQ_INT(kit_drops, 4);
    CHECK_OK(rondo_thread_future_release(plain));
    CHECK_OK(rondo_thread_future_release(plain_abandoned));
    CHECK_OK(rondo_future_release(cancelled));
    CHECK_OK(rondo_future_release(abandoned));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_OK(rondo_job_run(own.jobs[2])); /* runs, and nobody is there any more */
    CHECK_EQ_INT(kit_drops, 6);
    CHECK_OK(rondo_future_release(left));
    CHECK_OK(rondo_executor_release(executor));
    CHECK_OK(rondo_loop_release(loop));
}

/* ---- what cannot end -------------------------------------------------------------------------- */

static rondo_status wait_for_own_pool(rondo_job *job, void *arg)
{
    rondo_executor *pool = arg;
    rondo_thread_future *future = NULL;
    (void)job;
    CHECK_OK(rondo_executor_submit(pool, NULL, do_nothing, NULL, NULL, &future));
    CHECK_STATUS(rondo_thread_future_result(future, 1000000, NULL), RONDO_E_TIMEOUT);
    rondo_status status = rondo_thread_future_result(future, RONDO_NEVER, NULL);
    CHECK_OK(rondo_thread_future_release(future));
    return status;
}

/* F61: the only worker waits for a job that only it could run. */
KIT_TEST(waiting_for_the_own_pool)
{
    rondo_executor *pool = pool_of(1);
    rondo_thread_future *future = NULL;
    rondo_error *error = NULL;
    CHECK_OK(rondo_executor_submit(pool, NULL, wait_for_own_pool, pool, NULL, &future));
    CHECK_STATUS(rondo_thread_future_result(future, RONDO_NEVER, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_thread_future_exception(future, 0, &error));
    CHECK_STATUS(rondo_error_get_status(error), RONDO_E_DEADLOCK);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_thread_future_release(future));
    end_pool(pool);
}

/* With several workers the last of them is told, and that frees the others. */
struct waiting {
    rondo_executor *pool;
    struct kit_event *go;
    atomic_int *told, *served;
};

static rondo_status wait_with_others(rondo_job *job, void *arg)
{
    struct waiting *waiting = arg;
    rondo_thread_future *future = NULL;
    (void)job;
    kit_event_wait(waiting->go);
    CHECK_OK(rondo_executor_submit(waiting->pool, NULL, do_nothing, NULL, NULL, &future));
    rondo_status status = rondo_thread_future_result(future, RONDO_NEVER, NULL);
    CHECK(status == RONDO_OK || status == RONDO_E_DEADLOCK);
    atomic_fetch_add(status == RONDO_OK ? waiting->served : waiting->told, 1);
    CHECK_OK(rondo_thread_future_release(future));
    return RONDO_OK;
}

KIT_TEST_WITHIN(waiting_for_one_another, 30)
{
    enum { WORKERS = 3 };
    for (int round = 0; round < kit_rounds(200); round++) {
        struct kit_event go = KIT_EVENT_INIT;
        atomic_int told = 0, served = 0;
        struct waiting waiting = { pool_of(WORKERS), &go, &told, &served };
        for (int i = 0; i < WORKERS; i++)
            CHECK_OK(rondo_executor_submit(waiting.pool, NULL, wait_with_others, &waiting, NULL, NULL));
        while (report_of(waiting.pool).running != WORKERS)
            sched_yield();
        kit_event_set(&go);
        while (atomic_load(&told) + atomic_load(&served) != WORKERS)
            sched_yield();
        end_pool(waiting.pool);
        CHECK_EQ_INT(told + served, WORKERS);
        CHECK(told >= 1);
    }
}

/* ---- fork, exit, threads that cannot be had ---------------------------------------------------- */

static int use_in_child(rondo_executor *pool, rondo_loop *loop, rondo_future *future)
{
    rondo_executor_report report = { .size = sizeof report };
    CHECK_STATUS(rondo_executor_submit(pool, NULL, do_nothing, NULL, kit_drop, NULL), RONDO_E_WRONG_PROCESS);
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_STATUS(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL), RONDO_E_WRONG_PROCESS);
    CHECK_STATUS(rondo_executor_get_report(pool, &report), RONDO_E_WRONG_PROCESS);
    CHECK_STATUS(rondo_loop_run_in_executor(loop, pool, NULL, do_nothing, NULL, NULL, NULL), RONDO_E_WRONG_PROCESS);
    CHECK_OK(rondo_loop_reset_after_fork(loop));
    CHECK_STATUS(rondo_loop_run_in_executor(loop, pool, NULL, do_nothing, NULL, NULL, NULL), RONDO_E_WRONG_PROCESS);
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    CHECK_OK(rondo_executor_release(pool));
    /* A pool of the child's own works. */
    rondo_executor *own = pool_of(1);
    rondo_future *mine = run_in(loop, own, return_arg, "child");
    void *value = NULL;
    CHECK_OK(finish(loop, mine, &value));
    CHECK_EQ_STR(value, "child");
    CHECK_OK(rondo_future_release(mine));
    end_pool(own);
    CHECK_OK(rondo_loop_close(loop, NULL));
    return 0;
}

KIT_TEST(fork_leaves_the_pool_to_the_parent)
{
    if (KIT_SANITIZED) {
        kit_skip("a sanitizer's own threads do not survive a fork");
        return;
    }
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1);
    struct gate gate = GATE_INIT;
    rondo_future *running = run_in(loop, pool, wait_at_gate, &gate), *queued = run_in(loop, pool, return_arg, "q");
    void *value = NULL;
    kit_event_wait(&gate.begun);
    int pid = kit_fork();
    if (pid == 0)
        _exit(use_in_child(pool, loop, queued));
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    kit_event_set(&gate.open);
    CHECK_OK(finish(loop, running, &value));
    CHECK_EQ_STR(value, "through");
    CHECK_OK(finish(loop, queued, &value));
    CHECK_EQ_STR(value, "q");
    CHECK_OK(rondo_future_release(running));
    CHECK_OK(rondo_future_release(queued));
    end_pool(pool);
    kit_loop_end(loop);
}

static rondo_status fork_and_return(rondo_job *job, void *arg)
{
    int pid = kit_fork();
    if (pid == 0)
        return rondo_job_return(job, NULL, NULL); /* the child's only thread ends, and so does it */
    *(int *)arg = kit_wait_child(pid);
    return RONDO_OK;
}

KIT_TEST(fork_in_a_job)
{
    if (KIT_SANITIZED) {
        kit_skip("a sanitizer's own threads do not survive a fork");
        return;
    }
    rondo_loop *loop = kit_loop();
    int status = -1;
    rondo_future *future = run_in(loop, NULL, fork_and_return, &status);
    CHECK_OK(finish(loop, future, NULL));
    CHECK_EQ_INT(status, 0);
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);
}

/* F49, F60: a worker that hangs keeps neither exit() nor a return from main() waiting. */
static int exit_with_a_job(void)
{
    static struct gate gate = GATE_INIT;
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_run_in_executor(loop, NULL, NULL, wait_at_gate, &gate, NULL, NULL));
    kit_event_wait(&gate.begun);
    CHECK_OK(rondo_loop_close(loop, NULL));
    exit(7);
}

KIT_TEST(exit_does_not_wait)
{
    if (KIT_SANITIZED) {
        kit_skip("the leak checker has its own opinion of exit() with a live loop");
        return;
    }
    int pid = kit_fork();
    if (pid == 0)
        exit_with_a_job();
    CHECK_EQ_INT(kit_wait_child(pid), 7);
}

/* ---- pthread_create() that refuses ------------------------------------------------------------ */

static atomic_int threads_left = -1; /* how many may still be made; -1: any number */

#if !KIT_SANITIZED /* a sanitizer has a pthread_create() of its own */
typedef int (*create_fn)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg)
{
    static create_fn real;
    if (real == NULL)
        real = (create_fn)(uintptr_t)dlsym(RTLD_NEXT, "pthread_create");
    if (kit_is_library(__builtin_return_address(0)) && atomic_load(&threads_left) >= 0) {
        if (atomic_load(&threads_left) == 0)
            return EAGAIN;
        atomic_fetch_sub(&threads_left, 1);
    }
    return real(thread, attributes, fn, arg);
}
#endif

/* F64: without a single thread the job is refused; with fewer than wished for all is done. */
KIT_TEST(threads_that_cannot_be_had)
{
    if (KIT_SANITIZED) {
        kit_skip("a sanitizer has a pthread_create() of its own");
        return;
    }
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(8);
    rondo_future *futures[20], *refused = NULL;
    atomic_int ran = 0;
    atomic_store(&threads_left, 0);
    CHECK_STATUS(rondo_loop_run_in_executor(loop, pool, NULL, count_job, &ran, kit_drop, &refused), -EAGAIN);
    CHECK_STATUS(rondo_executor_submit(pool, NULL, count_job, &ran, kit_drop, NULL), -EAGAIN);
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_EQ_PTR(refused, NULL);
    CHECK_EQ_INT(report_of(pool).workers, 0);
    atomic_store(&threads_left, 2);
    struct gate gate = GATE_INIT;
    rondo_future *waiting = run_in(loop, pool, wait_at_gate, &gate);
    kit_event_wait(&gate.begun);
    for (int i = 0; i < 20; i++)
        futures[i] = run_in(loop, pool, count_job, &ran);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(finish(loop, futures[i], NULL));
        CHECK_OK(rondo_future_release(futures[i]));
    }
    CHECK_EQ_INT(ran, 20);
    CHECK_EQ_INT(report_of(pool).workers, 2);
    atomic_store(&threads_left, -1);
    kit_event_set(&gate.open);
    CHECK_OK(finish(loop, waiting, NULL));
    CHECK_OK(rondo_future_release(waiting));
    end_pool(pool);
    kit_loop_end(loop);
}

/* F64: whichever thread is the first that cannot be had, the k before it do all the work. */
KIT_TEST(the_kth_thread_cannot_be_had)
{
    enum { MOST = 6 };
    if (KIT_SANITIZED) {
        kit_skip("a sanitizer has a pthread_create() of its own");
        return;
    }
    for (int k = 1; k <= MOST; k++) {
        rondo_loop *loop = kit_loop();
        rondo_executor *pool = pool_of(MOST);
        struct gate gates[MOST] = { GATE_INIT, GATE_INIT, GATE_INIT, GATE_INIT, GATE_INIT, GATE_INIT };
        rondo_future *futures[MOST];
        atomic_store(&threads_left, k);
        for (int i = 0; i < MOST; i++) {
            futures[i] = run_in(loop, pool, wait_at_gate, &gates[i]);
            if (i < k)
                kit_event_wait(&gates[i].begun);
        }
        rondo_executor_report report = report_of(pool);
        CHECK_EQ_INT(report.workers, k);
        CHECK_EQ_INT(report.queued, MOST - k); /* and none of these is lost */
        for (int i = 0; i < MOST; i++)
            kit_event_set(&gates[i].open);
        for (int i = 0; i < MOST; i++) {
            void *value = NULL;
            CHECK_OK(finish(loop, futures[i], &value));
            CHECK_EQ_STR(value, "through");
            CHECK_OK(rondo_future_release(futures[i]));
        }
        atomic_store(&threads_left, -1);
        end_pool(pool);
        kit_loop_end(loop);
    }
}

/* ---- many at once ----------------------------------------------------------------------------- */

struct submitter {
    rondo_executor *pool;
    int rounds;
    atomic_int *ran;
};

static void *submit_many(void *arg)
{
    struct submitter *submitter = arg;
    for (int i = 0; i < submitter->rounds; i++) {
        rondo_thread_future *future = NULL;
        CHECK_OK(rondo_executor_submit(submitter->pool, NULL, count_job, submitter->ran, NULL, &future));
        if (i % 3 == 0)
            CHECK_OK(rondo_thread_future_result(future, RONDO_NEVER, NULL));
        if (i % 3 == 1 && rondo_thread_future_cancel(future) == RONDO_OK)
            sched_yield();
        CHECK_OK(rondo_thread_future_release(future));
    }
    return NULL;
}

KIT_TEST_WITHIN(many_submitters, 60)
{
    rondo_executor *pool = pool_of(4);
    atomic_int ran = 0;
    struct submitter submitter = { pool, kit_rounds(5000), &ran };
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        threads[i] = kit_thread_start(submit_many, &submitter);
    for (int i = 0; i < 3; i++)
        kit_thread_join(threads[i]);
    end_pool(pool);
    CHECK(ran <= 3 * submitter.rounds);
    CHECK(ran >= submitter.rounds);
}

/* ---- options ---------------------------------------------------------------------------------- */

static rondo_status try_pool(const void *options)
{
    rondo_executor *executor = NULL;
    rondo_status status = rondo_executor_new_thread_pool(options, &executor);
    if (status == RONDO_OK)
        CHECK_OK(rondo_executor_release(executor));
    return status;
}

KIT_TEST(pool_options)
{
    struct {
        rondo_thread_pool_options options;
        char tail[24];
    } big = { .options = { .size = 0 } };
    rondo_thread_pool_options *options = &big.options;
    CHECK_STATUS(try_pool(&big), -EINVAL);
    options->size = sizeof *options - 1;
    CHECK_STATUS(try_pool(&big), -EINVAL);
    options->size = sizeof big;
    CHECK_OK(try_pool(&big));
    big.tail[3] = 1;
    CHECK_STATUS(try_pool(&big), -E2BIG);
    options->size = sizeof *options;
    options->drop = kit_drop;
    options->max_workers = UINT32_MAX;
    CHECK_STATUS(try_pool(&big), -EINVAL);
    options->max_workers = 2;
    options->min_workers = 3;
    CHECK_STATUS(try_pool(&big), -EINVAL);
    options->min_workers = 0;
    options->idle_ns = -1;
    CHECK_STATUS(try_pool(&big), -EINVAL);
    options->idle_ns = 0;
    options->name = "ten-letter";
    CHECK_STATUS(try_pool(&big), -ENAMETOOLONG);
    options->name = "nine-char";
    options->stack_size = 5;
    CHECK_STATUS(try_pool(&big), -EINVAL);
    options->stack_size = 0;
    options->reserved = 1;
    CHECK_STATUS(try_pool(&big), -EINVAL);
    CHECK_EQ_INT(kit_drops, 6);
    options->reserved = 0;
    CHECK_OK(try_pool(&big));
    CHECK_EQ_INT(kit_drops, 7);
    CHECK_STATUS(rondo_executor_new_thread_pool(options, NULL), -EINVAL);
    CHECK_EQ_INT(kit_drops, 8);
}

KIT_TEST(job_options_and_flags)
{
    rondo_executor *pool = pool_of(1);
    rondo_job_options options = { .size = sizeof options, .lane = 5 };
    rondo_executor_report report = { .size = 1 };
    CHECK_STATUS(rondo_executor_submit(pool, &options, do_nothing, NULL, kit_drop, NULL), -EINVAL);
    options.lane = -1;
    CHECK_STATUS(rondo_executor_submit(pool, &options, do_nothing, NULL, kit_drop, NULL), -EINVAL);
    options.lane = 0;
    options.flags = 0x80;
    CHECK_STATUS(rondo_executor_submit(pool, &options, do_nothing, NULL, kit_drop, NULL), -EINVAL);
    options.flags = 0;
    options.size = 4;
    CHECK_STATUS(rondo_executor_submit(pool, &options, do_nothing, NULL, kit_drop, NULL), -EINVAL);
    CHECK_EQ_INT(kit_drops, 4);
    CHECK_STATUS(rondo_executor_shutdown(pool, 0x10, 0, NULL), -EINVAL);
    CHECK_STATUS(rondo_executor_shutdown(pool, 0, -1, NULL), -EINVAL);
    CHECK_STATUS(rondo_executor_shutdown(pool, 0, 0, &report), -EINVAL);
    CHECK_STATUS(rondo_executor_get_report(pool, &report), -EINVAL);
    CHECK_EQ_INT(rondo_job_is_cancelled(NULL), 0);
    end_pool(pool);
}
