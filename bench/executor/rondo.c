/* Jobs with rondo: rondo_loop_run_in_executor, a future for each, its done callback. */
#include "executor.h"

#include <rondo.h>

static rondo_loop *loop;
static rondo_executor *pool;

static void pool_open(void)
{
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = WORKERS };

    BENCH_CHECK(rondo_loop_new(NULL, &loop) == RONDO_OK);
    BENCH_CHECK(rondo_executor_new_thread_pool(&options, &pool) == RONDO_OK);
}

static rondo_status job(rondo_job *self, void *arg)
{
    (void)self;
    bench_job((int)(intptr_t)arg);
    return RONDO_OK;
}

static void done(rondo_future *future, void *arg)
{
    (void)arg;
    rondo_future_release(future);
    bench_job_done();
}

static void pool_submit(int index)
{
    rondo_future *future = NULL;

    BENCH_CHECK(rondo_loop_run_in_executor(loop, pool, NULL, job, (void *)(intptr_t)index, NULL, &future) == RONDO_OK);
    BENCH_CHECK(rondo_future_add_done_callback(future, done, NULL, NULL) == RONDO_OK);
}

static void pool_run(void)
{
    BENCH_CHECK(rondo_loop_run_forever(loop) == RONDO_OK);
}

static void pool_stop(void)
{
    BENCH_CHECK(rondo_loop_stop(loop) == RONDO_OK);
}
