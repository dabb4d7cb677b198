/*
 * executor_end.c - the end of executors and of what they were given: shutdowns that are awaited, jobs that
 * outlive their loop, results in another order than asked for, workers that end just when they are needed.
 */
#define _GNU_SOURCE
#include "kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

/* ---- jobs -------------------------------------------------------------------------------------- */

struct gate {
    struct kit_event begun, open;
};
#define GATE_INIT { KIT_EVENT_INIT, KIT_EVENT_INIT }

static rondo_status wait_at_gate(rondo_job *job, void *arg)
{
    struct gate *gate = arg;
    kit_event_set(&gate->begun);
    kit_event_wait(&gate->open);
    return rondo_job_return(job, gate, kit_drop);
}

static rondo_status return_arg(rondo_job *job, void *arg) { return rondo_job_return(job, arg, NULL); }

static rondo_executor *pool_of(uint32_t workers, int64_t idle_ns)
{
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = workers, .idle_ns = idle_ns };
    rondo_executor *pool = NULL;
    CHECK_OK(rondo_executor_new_thread_pool(&options, &pool));
    return pool;
}

static rondo_future *run_in(rondo_loop *loop, rondo_executor *pool, rondo_job_fn fn, void *arg)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_run_in_executor(loop, pool, NULL, fn, arg, NULL, &future));
    return future;
}

static void finish(rondo_loop *loop, rondo_future *future)
{
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
}

static rondo_future *shut_down(rondo_loop *loop, rondo_executor *pool, uint32_t flags, int64_t timeout_ns)
{
    rondo_future *ended = NULL;
    CHECK_OK(rondo_loop_shutdown_executor(loop, pool, flags, timeout_ns, &ended));
    return ended;
}

static uint32_t workers_of(rondo_executor *pool)
{
    rondo_executor_report report = { .size = sizeof report };
    CHECK_OK(rondo_executor_get_report(pool, &report));
    return report.workers;
}

static void end_future(rondo_future *future) { CHECK_OK(rondo_future_release(future)); }

/* ---- a shutdown that is awaited ---------------------------------------------------------------- */

KIT_TEST(shutdown_is_awaited)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1, 0);
    struct gate gate = GATE_INIT;
    rondo_future *running = run_in(loop, pool, wait_at_gate, &gate), *queued = run_in(loop, pool, return_arg, "ran");
    kit_event_wait(&gate.begun);
    rondo_future *ended = shut_down(loop, pool, 0, RONDO_NEVER);
    CHECK_EQ_INT(rondo_future_is_done(ended), 0);
    CHECK_STATUS(rondo_loop_run_in_executor(loop, pool, NULL, return_arg, NULL, kit_drop, NULL),
                 RONDO_E_EXECUTOR_SHUT_DOWN);
    kit_pass(loop); /* the loop goes on */
    CHECK_EQ_INT(rondo_future_is_done(ended), 0);
    kit_event_set(&gate.open);
    finish(loop, ended);
    CHECK_EQ_INT(workers_of(pool), 0);
    CHECK_EQ_INT(rondo_future_is_done(running) && rondo_future_is_done(queued), 1); /* what was queued has run */
    end_future(running);
    end_future(queued);
    end_future(ended);
    CHECK_OK(rondo_executor_release(pool));
    kit_loop_end(loop);
}

/* Without a worker there is nothing to wait for, also a second time. */
KIT_TEST(shutdown_of_what_has_ended)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1, 0);
    for (int i = 0; i < 2; i++) {
        rondo_future *ended = shut_down(loop, pool, 0, 0);
        CHECK_EQ_INT(rondo_future_is_done(ended), 1);
        CHECK_OK(rondo_future_result(ended, NULL));
        end_future(ended);
    }
    CHECK_OK(rondo_loop_shutdown_executor(loop, pool, 0, RONDO_NEVER, NULL));
    CHECK_OK(rondo_executor_release(pool));
    kit_loop_end(loop);
}

KIT_TEST(shutdown_cancels_and_counts)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1, 0);
    struct gate gate = GATE_INIT;
    rondo_future *running = run_in(loop, pool, wait_at_gate, &gate), *queued = run_in(loop, pool, return_arg, NULL);
    kit_event_wait(&gate.begun);
    rondo_future *ended = shut_down(loop, pool, RONDO_SHUTDOWN_CANCEL, RONDO_NEVER);
    kit_event_set(&gate.open);
    finish(loop, ended);
    CHECK_EQ_INT(rondo_future_is_cancelled(queued), 1);
    CHECK_EQ_INT(rondo_future_is_cancelled(running), 0);
    CHECK_OK(rondo_future_result(running, NULL));
    end_future(running);
    end_future(queued);
    end_future(ended);
    CHECK_OK(rondo_executor_release(pool));
    kit_loop_end(loop);
}

/* The warning has the words of the default executor's, and names what hangs. */
KIT_TEST(shutdown_times_out)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1, 0);
    struct gate gate = GATE_INIT;
    rondo_future *running = run_in(loop, pool, wait_at_gate, &gate);
    kit_catch_log();
    kit_event_wait(&gate.begun);
    rondo_future *ended = shut_down(loop, pool, 0, 10000000);
    finish(loop, ended);
    CHECK_EQ_INT(kit_logged(), 1);
    CHECK(kit_logged_containing("The executor did not finishing joining its threads within 0.01 seconds."));
    CHECK(kit_logged_containing(" s in rondo_0"));
    CHECK_EQ_INT(rondo_future_is_done(running), 0);
    end_future(ended);
    ended = shut_down(loop, pool, 0, RONDO_NEVER); /* once more, with time */
    kit_event_set(&gate.open);
    finish(loop, ended);
    CHECK_EQ_INT(kit_logged(), 1);
    end_future(ended);
    end_future(running);
    CHECK_OK(rondo_executor_release(pool));
    kit_loop_end(loop);
}

/* Cancelling ends the waiting and nothing else: the pool stays shut, its job runs, no warning comes. */
KIT_TEST(cancelling_the_wait)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1, 0);
    struct gate gate = GATE_INIT;
    rondo_future *running = run_in(loop, pool, wait_at_gate, &gate);
    kit_catch_log();
    kit_event_wait(&gate.begun);
    rondo_future *first = shut_down(loop, pool, 0, 1), *second = shut_down(loop, pool, 0, RONDO_NEVER);
    CHECK_OK(rondo_future_cancel(first, NULL, NULL));
    CHECK_EQ_INT(rondo_future_is_cancelled(first), 1);
    CHECK_STATUS(rondo_loop_run_in_executor(loop, pool, NULL, return_arg, NULL, NULL, NULL), RONDO_E_EXECUTOR_SHUT_DOWN);
    kit_pass(loop);
    CHECK_EQ_INT(rondo_future_is_done(running), 0);
    kit_event_set(&gate.open);
    finish(loop, second); /* who else waits does so */
    CHECK_OK(rondo_future_result(running, NULL));
    CHECK_EQ_INT(kit_logged(), 0);
    end_future(running);
    end_future(first);
    end_future(second);
    CHECK_OK(rondo_executor_release(pool));
    kit_loop_end(loop);
}

/* The waiting holds the executor; the loop may close meanwhile. */
KIT_TEST(the_loop_closes_while_it_waits)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1, 0);
    struct gate gate = GATE_INIT;
    CHECK_OK(rondo_loop_run_in_executor(loop, pool, NULL, wait_at_gate, &gate, NULL, NULL));
    kit_event_wait(&gate.begun);
    rondo_future *ended = shut_down(loop, pool, 0, 3600 * SECOND);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_EQ_INT(rondo_future_is_done(ended), 0);
    kit_event_set(&gate.open);
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    CHECK_OK(rondo_executor_release(pool));
    end_future(ended);
    CHECK_OK(rondo_loop_release(loop));
}

static rondo_loop *to_close;

static void close_the_loop(void *arg)
{
    CHECK_OK(rondo_loop_close(to_close, NULL));
    kit_event_set(arg);
}

static rondo_status closes_when_asked(rondo_job *job, void *arg)
{
    struct gate *gate = arg;
    CHECK_OK(rondo_job_set_unblock(job, close_the_loop, &gate->open));
    return wait_at_gate(job, arg);
}

/* A hook that closes the very loop, inside the call that shuts the pool down. */
KIT_TEST(a_hook_closes_the_loop)
{
    rondo_executor *pool = pool_of(1, 0);
    struct gate gate = GATE_INIT;
    rondo_loop *loop = to_close = kit_loop();
    CHECK_OK(rondo_loop_run_in_executor(loop, pool, NULL, closes_when_asked, &gate, NULL, NULL));
    kit_event_wait(&gate.begun);
    rondo_future *ended = shut_down(loop, pool, RONDO_SHUTDOWN_UNBLOCK, SECOND);
    CHECK_EQ_INT(rondo_loop_is_closed(loop), 1);
    CHECK_EQ_INT(rondo_future_is_done(ended), 0);
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    CHECK_OK(rondo_executor_release(pool));
    end_future(ended);
    CHECK_OK(rondo_loop_release(loop));
}

struct custom {
    rondo_job *jobs[10000];
    int count, shutdowns;
    uint32_t flags;
    rondo_status answer;
};

static rondo_status keep_job(void *self, rondo_job *job, int32_t lane)
{
    struct custom *custom = self;
    (void)lane;
    custom->jobs[custom->count++] = job;
    return RONDO_OK;
}

static rondo_status note_shutdown(void *self, uint32_t flags, int64_t timeout_ns)
{
    struct custom *custom = self;
    CHECK_EQ_INT(timeout_ns, 0);
    custom->shutdowns++;
    custom->flags = flags;
    return custom->answer;
}

static rondo_executor *custom_executor(struct custom *custom)
{
    rondo_executor_vtable vtable = { .size = sizeof vtable, .submit = keep_job, .shutdown = note_shutdown };
    rondo_executor *executor = NULL;
    CHECK_OK(rondo_executor_new_custom(&vtable, custom, NULL, &executor));
    return executor;
}

KIT_TEST(shutdown_of_a_custom_executor)
{
    static struct custom custom;
    rondo_loop *loop = kit_loop();
    rondo_executor *executor = custom_executor(&custom);
    rondo_future *ended = NULL;
    custom.answer = -EBUSY;
    CHECK_STATUS(rondo_loop_shutdown_executor(loop, executor, RONDO_SHUTDOWN_CANCEL, SECOND, &ended), -EBUSY);
    CHECK_EQ_PTR(ended, NULL);
    CHECK_EQ_INT(custom.flags, RONDO_SHUTDOWN_CANCEL);
    custom.answer = RONDO_OK;
    ended = shut_down(loop, executor, 0, SECOND);
    CHECK_EQ_INT(rondo_future_is_done(ended), 1);
    CHECK_EQ_INT(custom.shutdowns, 2);
    end_future(ended);
    CHECK_OK(rondo_executor_release(executor));
    kit_loop_end(loop);
}

static rondo_status shut_own_pool_down(rondo_job *job, void *arg)
{
    rondo_loop *loop = kit_loop();
    (void)job;
    CHECK_STATUS(rondo_loop_shutdown_executor(loop, arg, 0, RONDO_NEVER, NULL), -EDEADLK);
    kit_loop_end(loop);
    return RONDO_OK;
}

KIT_TEST(shutdowns_that_are_refused)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1, 0);
    rondo_future *ended = NULL;
    CHECK_STATUS(rondo_loop_shutdown_executor(loop, NULL, 0, 0, &ended), -EINVAL);
    CHECK_STATUS(rondo_loop_shutdown_executor(loop, pool, 0x80, 0, &ended), -EINVAL);
    CHECK_STATUS(rondo_loop_shutdown_executor(loop, pool, 0, -1, &ended), -EINVAL);
    rondo_future *future = run_in(loop, pool, shut_own_pool_down, pool); /* none of these shut it */
    finish(loop, future);
    CHECK_OK(rondo_future_result(future, NULL));
    end_future(future);
    int child = kit_fork();
    if (child == 0) {
        CHECK_OK(rondo_loop_reset_after_fork(loop));
        _exit(rondo_loop_shutdown_executor(loop, pool, 0, 0, &ended) == RONDO_E_WRONG_PROCESS ? 0 : 1);
    }
    CHECK_EQ_INT(kit_wait_child(child), 0);
    ended = shut_down(loop, pool, 0, RONDO_NEVER);
    finish(loop, ended);
    end_future(ended);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_loop_shutdown_executor(loop, pool, 0, 0, &ended), RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_executor_release(pool));
    CHECK_OK(rondo_loop_release(loop));
}

/* ---- jobs that outlive their loop -------------------------------------------------------------- */

struct outlived {
    rondo_executor *pool;
    struct gate *gate;
    struct kit_event closed, end;
};

static void *close_early(void *arg)
{
    struct outlived *outlived = arg;
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_run_in_executor(loop, outlived->pool, NULL, wait_at_gate, outlived->gate, NULL, NULL));
    kit_event_wait(&outlived->gate->begun);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_OK(rondo_loop_release(loop));
    kit_event_set(&outlived->closed);
    kit_event_wait(&outlived->end);
    return NULL;
}

/* F65: the thread lives on, and never makes another loop. The value goes at once, the slot with the thread. */
KIT_TEST(a_job_outlives_its_loop)
{
    struct gate gate = GATE_INIT;
    struct outlived outlived = { pool_of(1, 0), &gate, KIT_EVENT_INIT, KIT_EVENT_INIT };
    pthread_t thread = kit_thread_start(close_early, &outlived);
    kit_event_wait(&outlived.closed);
    kit_event_set(&gate.open);
    CHECK_OK(rondo_executor_shutdown(outlived.pool, 0, RONDO_NEVER, NULL));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_executor_release(outlived.pool));
    kit_event_set(&outlived.end);
    kit_thread_join(thread);
    CHECK_EQ_INT(rondo_debug_live(), 0); /* though nobody has made a loop since */
}

/* The same when the thread has ended before the job: the worker takes its place. */
KIT_TEST(a_job_outlives_its_loops_thread)
{
    for (int i = 0; i < 20; i++) {
        struct gate gate = GATE_INIT;
        struct outlived outlived = { pool_of(1, 0), &gate, KIT_EVENT_INIT, KIT_EVENT_INIT };
        kit_event_set(&outlived.end);
        kit_thread_join(kit_thread_start(close_early, &outlived));
        kit_event_set(&gate.open);
        CHECK_OK(rondo_executor_shutdown(outlived.pool, 0, RONDO_NEVER, NULL));
        CHECK_OK(rondo_executor_release(outlived.pool));
        CHECK_EQ_INT(rondo_debug_live(), 0);
    }
    CHECK_EQ_INT(kit_drops, 20);
}

/* ---- outcomes ----------------------------------------------------------------------------------- */

static rondo_status stop_iteration(rondo_job *job, void *arg)
{
    (void)job;
    (void)arg;
    return RONDO_E_STOP_ITERATION;
}

/* StopIteration raised in the worker is RuntimeError for who awaits it, with the first as its cause. */
KIT_TEST(stop_iteration_in_a_worker)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1, 0);
    rondo_error *error = NULL;
    rondo_future *future = run_in(loop, pool, stop_iteration, NULL);
    finish(loop, future);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_STATUS(rondo_error_get_status(error), RONDO_E_RUNTIME);
    CHECK_EQ_STR(rondo_error_get_message(error), "StopIteration interacts badly with generators and cannot be raised into a Future");
    CHECK_STATUS(rondo_error_get_status(rondo_error_get_cause(error)), RONDO_E_STOP_ITERATION);
    CHECK_OK(rondo_error_release(error));
    end_future(future);
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    CHECK_OK(rondo_executor_release(pool));
    kit_loop_end(loop);
}

static rondo_status wait_for_own_pool(rondo_job *job, void *arg)
{
    rondo_thread_future *inner = NULL;
    (void)job;
    CHECK_OK(rondo_executor_submit(arg, NULL, return_arg, NULL, NULL, &inner));
    rondo_status status = rondo_thread_future_result(inner, RONDO_NEVER, NULL);
    CHECK_OK(rondo_thread_future_release(inner));
    return status;
}

/* F61: a pool of one whose job waits for another one: it is told, and the loop has not stood still. */
KIT_TEST(the_loop_goes_on_while_its_pool_is_stuck)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1, 0);
    rondo_error *error = NULL;
    struct gate gate = GATE_INIT;
    rondo_future *first = run_in(loop, pool, wait_at_gate, &gate), *stuck = run_in(loop, pool, wait_for_own_pool, pool);
    kit_event_wait(&gate.begun);
    for (int i = 0; i < 10; i++)
        kit_pass(loop);
    kit_event_set(&gate.open);
    finish(loop, stuck);
    CHECK_OK(rondo_future_exception(stuck, &error));
    CHECK_STATUS(rondo_error_get_status(error), RONDO_E_DEADLOCK);
    CHECK_OK(rondo_error_release(error));
    end_future(stuck);
    end_future(first);
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    CHECK_OK(rondo_executor_release(pool));
    kit_loop_end(loop);
}

/* ---- order ------------------------------------------------------------------------------------- */

/* F66: 10,000 jobs end in the opposite order; each result goes to its own future, and gather keeps its order. */
KIT_TEST_WITHIN(results_in_the_opposite_order, 60)
{
    enum { COUNT = 10000 };
    static struct custom custom;
    static rondo_awaitable *futures[COUNT];
    rondo_loop *loop = kit_loop();
    rondo_executor *executor = custom_executor(&custom);
    rondo_future *all = NULL;
    for (uintptr_t i = 0; i < COUNT; i++)
        futures[i] = run_in(loop, executor, return_arg, (void *)(i + 1));
    CHECK_OK(rondo_gather(loop, futures, COUNT, 0, &all));
    for (int i = COUNT; i-- > 0;)
        CHECK_OK(rondo_job_run(custom.jobs[i]));
    finish(loop, all);
    for (uintptr_t i = 0; i < COUNT; i++) {
        void *gathered = NULL, *own = NULL;
        CHECK_OK(rondo_gather_get_result(all, i, &gathered));
        CHECK_OK(rondo_future_result(futures[i], &own));
        CHECK_EQ_INT((uintptr_t)gathered, i + 1);
        CHECK_EQ_INT((uintptr_t)own, i + 1);
        end_future(futures[i]);
    }
    end_future(all);
    CHECK_OK(rondo_executor_release(executor));
    kit_loop_end(loop);
}

/* ---- workers that end -------------------------------------------------------------------------- */

/* A worker's time is over just when the next job comes: it is done all the same. */
KIT_TEST_WITHIN(a_job_meets_a_worker_that_ends, 60)
{
    rondo_executor *pool = pool_of(1, 1);
    for (int i = 0, rounds = kit_rounds(20000); i < rounds; i++) {
        rondo_thread_future *future = NULL;
        CHECK_OK(rondo_executor_submit(pool, NULL, return_arg, NULL, NULL, &future));
        CHECK_OK(rondo_thread_future_result(future, RONDO_NEVER, NULL));
        CHECK_OK(rondo_thread_future_release(future));
        for (int spin = i % 50; spin > 0; spin--)
            sched_yield();
    }
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    CHECK_OK(rondo_executor_release(pool));
}
