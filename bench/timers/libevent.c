/* Timers with libevent: one struct event each, assigned once, off the clock. */
#include "timers.h"

#include <event2/event.h>
#include <event2/event_struct.h>

static struct event_base *base;
static struct event *timers, worker;
static void (*work)(long count);
static long work_count;

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    fired();
}

static void timers_init(long count)
{
    long i;

    base = event_base_new();
    timers = calloc((size_t)count, sizeof *timers);
    BENCH_CHECK(base != NULL && timers != NULL);
    for (i = 0; i < count; i++)
        evtimer_assign(&timers[i], base, on_timer, NULL);
}

static void do_work(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    work(work_count);
}

static void timers_run(void (*fn)(long count), long count)
{
    work = fn;
    work_count = count;
    event_assign(&worker, base, -1, 0, do_work, NULL);
    event_active(&worker, EV_TIMEOUT, 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
}

static void timer_start(long i, int64_t delay_ns)
{
    struct timeval delay = { delay_ns / SECOND, (delay_ns % SECOND + 999) / 1000 };

    event_add(&timers[i], &delay);
}

static void timer_cancel(long i)
{
    event_del(&timers[i]);
}

static void timer_move(long i, int64_t delay_ns)
{
    timer_start(i, delay_ns);
}

static void timers_fire(void)
{
    while (timers_left > 0)
        event_base_loop(base, EVLOOP_ONCE);
}
