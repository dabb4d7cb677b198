/*
 * Timers with libev: one ev_timer each, initialised once, off the clock. To move one, libev's manual
 * recommends ev_timer_again with the new repeat time.
 */
#include "timers.h"

#include <ev.h>

/* ev.h's macros cast watchers on purpose */
#pragma GCC diagnostic ignored "-Wstrict-aliasing"

static struct ev_loop *loop;
static ev_timer *timers;
static ev_watcher worker;
static void (*work)(long count);
static long work_count;

static void on_timer(struct ev_loop *on, ev_timer *timer, int events)
{
    (void)on;
    (void)timer;
    (void)events;
    fired();
}

static void timers_init(long count)
{
    long i;

    loop = ev_loop_new(EVFLAG_AUTO);
    timers = calloc((size_t)count, sizeof *timers);
    BENCH_CHECK(loop != NULL && timers != NULL);
    for (i = 0; i < count; i++)
        ev_timer_init(&timers[i], on_timer, 0.0, 0.0);
}

static void do_work(struct ev_loop *on, ev_watcher *watcher, int events)
{
    (void)watcher;
    (void)events;
    ev_now_update(on);
    work(work_count);
}

static void timers_run(void (*fn)(long count), long count)
{
    work = fn;
    work_count = count;
    ev_init(&worker, do_work);
    ev_feed_event(loop, &worker, EV_CUSTOM);
    ev_run(loop, EVRUN_NOWAIT);
}

static void timer_start(long i, int64_t delay_ns)
{
    ev_timer_set(&timers[i], (double)delay_ns * 1e-9, 0.0);
    ev_timer_start(loop, &timers[i]);
}

static void timer_cancel(long i)
{
    ev_timer_stop(loop, &timers[i]);
}

static void timer_move(long i, int64_t delay_ns)
{
    timers[i].repeat = (double)delay_ns * 1e-9;
    ev_timer_again(loop, &timers[i]);
}

static void timers_fire(void)
{
    while (timers_left > 0)
        ev_run(loop, EVRUN_ONCE);
}
