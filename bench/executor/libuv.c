/* Jobs with libuv: uv_queue_work; the requests are there before the clock starts. */
#include "executor.h"

#include <uv.h>

static uv_loop_t loop;
static uv_work_t works[BATCH];

static void pool_open(void)
{
    BENCH_CHECK(setenv("UV_THREADPOOL_SIZE", "4", 1) == 0);
    BENCH_CHECK(uv_loop_init(&loop) == 0);
}

static void job(uv_work_t *work)
{
    bench_job((int)(work - works));
}

static void done(uv_work_t *work, int status)
{
    (void)work;
    BENCH_CHECK(status == 0);
    bench_job_done();
}

static void pool_submit(int index)
{
    BENCH_CHECK(uv_queue_work(&loop, &works[index], job, done) == 0);
}

static void pool_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void pool_stop(void)
{
    uv_stop(&loop);
}
