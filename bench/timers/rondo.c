/* Timers with rondo: handles where the work cancels or moves them, none where it does not. */
#include "timers.h"

#include <rondo.h>

static rondo_loop *loop;
static rondo_handle **handles;
static void (*work)(long count);
#ifdef WITH_ABSOLUTE_DEADLINES
static int64_t now;
#endif

static void timers_init(long count)
{
    BENCH_CHECK(rondo_loop_new(NULL, &loop) == RONDO_OK);
    handles = calloc((size_t)count, sizeof *handles);
    BENCH_CHECK(handles != NULL);
}

static void do_work(void *count)
{
#ifdef WITH_ABSOLUTE_DEADLINES
    BENCH_CHECK(rondo_loop_time(loop, &now) == RONDO_OK);
#endif
    work(*(long *)count);
    BENCH_CHECK(rondo_loop_stop(loop) == RONDO_OK);
}

static void timers_run(void (*fn)(long count), long count)
{
    work = fn;
    BENCH_CHECK(rondo_loop_call_soon(loop, do_work, &count, NULL, NULL) == RONDO_OK);
    BENCH_CHECK(rondo_loop_run_forever(loop) == RONDO_OK);
}

static void on_timer(void *arg)
{
    (void)arg;
    fired();
    if (timers_left == 0)
        rondo_loop_stop(loop);
}

static void timer_start(long i, int64_t delay_ns)
{
    rondo_handle **out = timers_want_handles ? &handles[i] : NULL;

#ifdef WITH_ABSOLUTE_DEADLINES
    BENCH_CHECK(rondo_loop_call_at(loop, now + delay_ns, on_timer, NULL, NULL, out) == RONDO_OK);
#else
    BENCH_CHECK(rondo_loop_call_later(loop, delay_ns, on_timer, NULL, NULL, out) == RONDO_OK);
#endif
}

static void timer_cancel(long i)
{
    BENCH_CHECK(rondo_handle_cancel(handles[i]) == RONDO_OK);
    BENCH_CHECK(rondo_handle_release(handles[i]) == RONDO_OK);
}

static void timer_move(long i, int64_t delay_ns)
{
#ifdef WITH_ABSOLUTE_DEADLINES
    BENCH_CHECK(rondo_handle_rearm_at(handles[i], now + delay_ns) == RONDO_OK);
#else
    BENCH_CHECK(rondo_handle_rearm(handles[i], delay_ns) == RONDO_OK);
#endif
}

static void timers_fire(void)
{
    BENCH_CHECK(rondo_loop_run_forever(loop) == RONDO_OK);
}
