/*
 * isolated.c - thread pools whose workers each own a state: made and ended in the worker's thread,
 * seen by its jobs alone, whatever fails on the way.
 */
#define _GNU_SOURCE
#include "kit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* What a factory makes: it knows its thread, and how many of its kind there are. */
struct state {
    int32_t thread;
    long jobs;
};

static atomic_int made, ended, started, stopped, wrong, pools_gone;

static void forget_counts(void)
{
    atomic_int *const counts[] = { &made, &ended, &started, &stopped, &wrong, &pools_gone };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        atomic_store(counts[i], 0);
}

static rondo_status make_state(void *arg, void **out_state)
{
    struct state *state = calloc(1, sizeof *state);
    CHECK_EQ_STR(arg, "pool");
    state->thread = kit_tid();
    atomic_fetch_add(&made, 1);
    *out_state = state;
    return RONDO_OK;
}

static void end_state(void *arg, void *given)
{
    struct state *state = given;
    CHECK_EQ_STR(arg, "pool");
    if (state->thread != kit_tid())
        atomic_fetch_add(&wrong, 1);
    atomic_fetch_add(&ended, 1);
    free(state);
}

static void pool_gone(void *arg)
{
    CHECK_EQ_STR(arg, "pool");
    atomic_fetch_add(&pools_gone, 1);
}

static rondo_executor *isolated_pool(uint32_t workers)
{
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = workers, .make = make_state,
                                          .end = end_state, .arg = "pool", .drop = pool_gone };
    rondo_executor *executor = NULL;
    forget_counts();
    CHECK_OK(rondo_executor_new_thread_pool(&options, &executor));
    return executor;
}

static void end_pool(rondo_executor *executor)
{
    CHECK_OK(rondo_executor_shutdown(executor, 0, RONDO_NEVER, NULL));
    CHECK_OK(rondo_executor_release(executor));
}

static struct state *state_of(rondo_job *job)
{
    void *state = NULL;
    CHECK_OK(rondo_job_get_state(job, &state));
    return state;
}

/* Its state is this thread's, and nobody else counts in it meanwhile. */
static rondo_status count_in_state(rondo_job *job, void *arg)
{
    struct state *state = state_of(job);
    long before = state->jobs;
    (void)arg;
    for (int i = 0; i < 100; i++)
        state->jobs++;
    if (state->thread != kit_tid() || state->jobs != before + 100)
        atomic_fetch_add(&wrong, 1);
    return rondo_job_return(job, state, NULL);
}

static void *result_of(rondo_thread_future *future)
{
    void *value = NULL;
    CHECK_OK(rondo_thread_future_result(future, RONDO_NEVER, &value));
    CHECK_OK(rondo_thread_future_release(future));
    return value;
}

/* ---- one state each ---------------------------------------------------------------------------- */

KIT_TEST(a_job_gets_the_state_of_its_worker)
{
    rondo_executor *pool = isolated_pool(1);
    rondo_thread_future *first = NULL, *second = NULL;
    CHECK_EQ_INT(atomic_load(&made), 0); /* no thread before there is a job */
    CHECK_OK(rondo_executor_submit(pool, NULL, count_in_state, NULL, NULL, &first));
    CHECK_OK(rondo_executor_submit(pool, NULL, count_in_state, NULL, NULL, &second));
    struct state *state = result_of(first);
    CHECK(state != NULL);
    CHECK_EQ_PTR(result_of(second), state);
    CHECK_EQ_INT(state->jobs, 200); /* what the first left the second found */
    end_pool(pool);
    CHECK_EQ_INT(atomic_load(&made), 1);
    CHECK_EQ_INT(atomic_load(&ended), 1);
    CHECK_EQ_INT(atomic_load(&wrong), 0);
    CHECK_EQ_INT(atomic_load(&pools_gone), 1);
}

/* All workers at once: each waits until the others are there. */
static pthread_barrier_t together;

static rondo_status meet(rondo_job *job, void *arg)
{
    (void)arg;
    pthread_barrier_wait(&together);
    return rondo_job_return(job, state_of(job), NULL);
}

KIT_TEST(each_worker_has_a_state_of_its_own)
{
    enum { WORKERS = 4 };
    rondo_executor *pool = isolated_pool(WORKERS);
    rondo_thread_future *futures[WORKERS];
    void *states[WORKERS];
    CHECK_EQ_INT(pthread_barrier_init(&together, NULL, WORKERS), 0);
    for (int i = 0; i < WORKERS; i++)
        CHECK_OK(rondo_executor_submit(pool, NULL, meet, NULL, NULL, &futures[i]));
    for (int i = 0; i < WORKERS; i++) {
        states[i] = result_of(futures[i]);
        CHECK(states[i] != NULL);
        for (int j = 0; j < i; j++)
            CHECK(states[i] != states[j]);
    }
    pthread_barrier_destroy(&together);
    end_pool(pool);
    CHECK_EQ_INT(atomic_load(&made), WORKERS);
    CHECK_EQ_INT(atomic_load(&ended), WORKERS);
    CHECK_EQ_INT(atomic_load(&wrong), 0);
}

KIT_TEST_WITHIN(many_jobs_never_share_a_state, 60)
{
    int rounds = kit_rounds(20000);
    rondo_executor *pool = isolated_pool(4);
    for (int i = 0; i < rounds; i++)
        CHECK_OK(rondo_executor_submit(pool, NULL, count_in_state, NULL, NULL, NULL));
    end_pool(pool);
    CHECK_EQ_INT(atomic_load(&wrong), 0);
    CHECK(atomic_load(&made) >= 1);
    CHECK_EQ_INT(atomic_load(&ended), atomic_load(&made));
}

KIT_TEST(a_loop_uses_isolated_workers)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = isolated_pool(2);
    rondo_future *future = NULL;
    void *value = NULL;
    CHECK_OK(rondo_loop_run_in_executor(loop, pool, NULL, count_in_state, NULL, NULL, &future));
    CHECK_OK(rondo_loop_run_until_complete(loop, (rondo_awaitable *)future, NULL));
    CHECK_OK(rondo_future_result(future, &value));
    CHECK(value != NULL);
    CHECK_OK(rondo_future_release(future));
    end_pool(pool);
    kit_loop_end(loop);
    CHECK_EQ_INT(atomic_load(&ended), atomic_load(&made));
}

/* A worker that is idle for too long ends with its state; the next one makes another. */
KIT_TEST(an_idle_worker_ends_its_state)
{
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = 1, .idle_ns = 1, .make = make_state,
                                          .end = end_state, .arg = "pool" };
    rondo_executor *pool = NULL;
    rondo_thread_future *future = NULL;
    forget_counts();
    CHECK_OK(rondo_executor_new_thread_pool(&options, &pool));
    CHECK_OK(rondo_executor_submit(pool, NULL, count_in_state, NULL, NULL, &future));
    CHECK(result_of(future) != NULL);
    while (atomic_load(&ended) == 0)
        sched_yield();
    CHECK_OK(rondo_executor_submit(pool, NULL, count_in_state, NULL, NULL, &future));
    CHECK(result_of(future) != NULL);
    end_pool(pool);
    CHECK_EQ_INT(atomic_load(&made), 2);
    CHECK_EQ_INT(atomic_load(&ended), 2);
    CHECK_EQ_INT(atomic_load(&wrong), 0);
}

/* ---- order and failures ------------------------------------------------------------------------ */

static rondo_status log_start(void *arg)
{
    (void)arg;
    kit_log("start");
    return RONDO_OK;
}

static void log_stop(void *arg)
{
    (void)arg;
    kit_log("stop");
}

static rondo_status log_make(void *arg, void **out_state)
{
    (void)arg;
    kit_log("make");
    *out_state = "state";
    return RONDO_OK;
}

static void log_end(void *arg, void *state)
{
    (void)arg;
    kit_log("end(%s)", (const char *)state);
}

static rondo_status log_job(rondo_job *job, void *arg)
{
    void *state = NULL;
    (void)arg;
    CHECK_OK(rondo_job_get_state(job, &state));
    kit_log("job(%s)", (const char *)state);
    return RONDO_OK;
}

KIT_TEST(start_make_jobs_end_stop)
{
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = 1, .start = log_start,
                                          .stop = log_stop, .make = log_make, .end = log_end };
    rondo_executor *pool = NULL;
    CHECK_OK(rondo_executor_new_thread_pool(&options, &pool));
    CHECK_OK(rondo_executor_submit(pool, NULL, log_job, NULL, NULL, NULL));
    end_pool(pool);
    kit_expect_log("start make job(state) end(state) stop");
}

static rondo_status fail_to_make(void *arg, void **out_state)
{
    (void)arg;
    (void)out_state;
    kit_log("make");
    return -ENOSPC;
}

/* As an initializer that fails (BrokenInterpreterPool): what waits fails, and what started is stopped. */
KIT_TEST(a_factory_that_fails_breaks_the_pool)
{
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = 1, .start = log_start,
                                          .stop = log_stop, .make = fail_to_make, .end = log_end };
    rondo_executor *pool = NULL;
    rondo_thread_future *future = NULL;
    rondo_error *error = NULL;
    CHECK_OK(rondo_executor_new_thread_pool(&options, &pool));
    CHECK_OK(rondo_executor_submit(pool, NULL, log_job, NULL, NULL, &future));
    CHECK_OK(rondo_thread_future_exception(future, RONDO_NEVER, &error));
    CHECK_EQ_INT(rondo_error_get_code(error), RONDO_E_RUNTIME);
    CHECK_EQ_INT(rondo_error_get_code(rondo_error_get_cause(error)), ENOSPC);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_thread_future_release(future));
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    CHECK_STATUS(rondo_executor_submit(pool, NULL, log_job, NULL, NULL, NULL), RONDO_E_EXECUTOR_SHUT_DOWN);
    CHECK_OK(rondo_executor_release(pool));
    kit_expect_log("start make stop");
}

KIT_TEST(an_end_without_a_factory_is_refused)
{
    rondo_thread_pool_options options = { .size = sizeof options, .end = log_end, .arg = "pool", .drop = kit_drop };
    rondo_executor *pool = NULL;
    CHECK_STATUS(rondo_executor_new_thread_pool(&options, &pool), -EINVAL);
    CHECK_EQ_INT(atomic_load(&kit_drops), 1);
}

/* A state that needs no end, and may be NULL. */
static rondo_status make_nothing(void *arg, void **out_state)
{
    (void)arg;
    (void)out_state;
    return RONDO_OK;
}

static rondo_status look_at_state(rondo_job *job, void *arg)
{
    void *state = arg;
    CHECK_OK(rondo_job_get_state(job, &state));
    CHECK_EQ_PTR(state, NULL);
    CHECK_STATUS(rondo_job_get_state(job, NULL), -EINVAL);
    return RONDO_OK;
}

KIT_TEST(no_state_is_null)
{
    rondo_thread_pool_options plain = { .size = sizeof plain };
    rondo_thread_pool_options empty = { .size = sizeof empty, .make = make_nothing };
    const rondo_thread_pool_options *both[] = { &plain, &empty };
    for (int i = 0; i < 2; i++) {
        rondo_executor *pool = NULL;
        rondo_thread_future *future = NULL;
        CHECK_OK(rondo_executor_new_thread_pool(both[i], &pool));
        CHECK_OK(rondo_executor_submit(pool, NULL, look_at_state, &plain, NULL, &future));
        CHECK_EQ_PTR(result_of(future), NULL);
        end_pool(pool);
    }
}

/* ---- whose state it is not --------------------------------------------------------------------- */

static rondo_status keep_job(void *self, rondo_job *job, int32_t lane)
{
    (void)lane;
    *(rondo_job **)self = job;
    return RONDO_OK;
}

/* A worker runs a job of a custom executor: that has no state. Its own has one still. */
static rondo_status run_anothers(rondo_job *job, void *arg)
{
    CHECK(state_of(job) != NULL);
    CHECK_OK(rondo_job_run(arg));
    CHECK(state_of(job) != NULL);
    return RONDO_OK;
}

KIT_TEST(a_job_of_another_executor_has_no_state)
{
    rondo_executor_vtable vtable = { .size = sizeof vtable, .submit = keep_job };
    rondo_executor *pool = isolated_pool(1), *custom = NULL;
    rondo_job *kept = NULL;
    rondo_thread_future *inner = NULL, *outer = NULL;
    CHECK_OK(rondo_executor_new_custom(&vtable, &kept, NULL, &custom));
    CHECK_OK(rondo_executor_submit(custom, NULL, look_at_state, &kept, NULL, &inner));
    CHECK_OK(rondo_executor_submit(pool, NULL, run_anothers, kept, NULL, &outer));
    CHECK_EQ_PTR(result_of(outer), NULL);
    CHECK_EQ_PTR(result_of(inner), NULL);
    CHECK_OK(rondo_executor_release(custom));
    end_pool(pool);
}

struct gate {
    struct kit_event begun, open;
    rondo_job *job;
};

static rondo_status wait_at_gate(rondo_job *job, void *arg)
{
    struct gate *gate = arg;
    gate->job = job;
    kit_event_set(&gate->begun);
    kit_event_wait(&gate->open);
    return RONDO_OK;
}

KIT_TEST(another_thread_cannot_get_the_state)
{
    struct gate gate = { .begun = KIT_EVENT_INIT, .open = KIT_EVENT_INIT };
    rondo_executor *pool = isolated_pool(1);
    rondo_thread_future *future = NULL;
    void *state = &gate;
    CHECK_OK(rondo_executor_submit(pool, NULL, wait_at_gate, &gate, NULL, &future));
    kit_event_wait(&gate.begun);
    CHECK_STATUS(rondo_job_get_state(gate.job, &state), RONDO_E_WRONG_THREAD);
    CHECK_EQ_PTR(state, &gate);
    kit_event_set(&gate.open);
    CHECK_EQ_PTR(result_of(future), NULL);
    end_pool(pool);
}

/* ---- letting go -------------------------------------------------------------------------------- */

/* Nobody waits: the last worker ends its state and frees the pool. */
KIT_TEST(a_pool_let_go_of_ends_its_states)
{
    rondo_executor *pool = isolated_pool(2);
    for (int i = 0; i < 10; i++)
        CHECK_OK(rondo_executor_submit(pool, NULL, count_in_state, NULL, NULL, NULL));
    CHECK_OK(rondo_executor_release(pool));
    while (atomic_load(&pools_gone) == 0)
        sched_yield();
    CHECK_EQ_INT(atomic_load(&ended), atomic_load(&made));
    CHECK_EQ_INT(atomic_load(&wrong), 0);
}
