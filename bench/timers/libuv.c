/* Timers with libuv: one uv_timer_t each, initialised once, off the clock; milliseconds are all it has. */
#include "timers.h"

#include <uv.h>

static uv_loop_t loop;
static uv_timer_t *timers;
static uv_idle_t worker;
static void (*work)(long count);
static long work_count;

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    fired();
}

static void timers_init(long count)
{
    long i;

    timers = calloc((size_t)count, sizeof *timers);
    BENCH_CHECK(timers != NULL && uv_loop_init(&loop) == 0 && uv_idle_init(&loop, &worker) == 0);
    for (i = 0; i < count; i++)
        uv_timer_init(&loop, &timers[i]);
}

static void do_work(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    uv_update_time(&loop);
    work(work_count);
}

static void timers_run(void (*fn)(long count), long count)
{
    work = fn;
    work_count = count;
    uv_idle_start(&worker, do_work);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static void timer_start(long i, int64_t delay_ns)
{
    uv_timer_start(&timers[i], on_timer, (uint64_t)(delay_ns + 999999) / 1000000, 0);
}

static void timer_cancel(long i)
{
    uv_timer_stop(&timers[i]);
}

static void timer_move(long i, int64_t delay_ns)
{
    timer_start(i, delay_ns);
}

static void timers_fire(void)
{
    BENCH_CHECK(uv_run(&loop, UV_RUN_DEFAULT) == 0);
}
