/*
 * call_soon with libev: ev_feed_event on watchers that were never started.
 *
 * Pending events run last in, first out, and what a callback feeds runs before the older ones, so a
 * batch is fed from outside and run by one EVRUN_NOWAIT pass. A chain never leaves that pass: libev
 * does not poll in between.
 */
#include "calls.h"

#include <ev.h>

/* ev.h's macros cast watchers on purpose */
#pragma GCC diagnostic ignored "-Wstrict-aliasing"

static struct ev_loop *loop;
static ev_watcher watchers[BATCH], link_watcher;
static long left;

static void nothing(struct ev_loop *on, ev_watcher *watcher, int events)
{
    (void)on;
    (void)watcher;
    (void)events;
}

static void next(struct ev_loop *on, ev_watcher *watcher, int events)
{
    (void)events;
    if (--left > 0)
        ev_feed_event(on, watcher, EV_CUSTOM);
}

static void batch(long count)
{
    long i;

    for (; count > 0; count -= BATCH) {
        for (i = 0; i < BATCH; i++)
            ev_feed_event(loop, &watchers[i], EV_CUSTOM);
        ev_run(loop, EVRUN_NOWAIT);
    }
    BENCH_CHECK(ev_pending_count(loop) == 0);
}

static void chain(long count)
{
    left = count;
    ev_feed_event(loop, &link_watcher, EV_CUSTOM);
    ev_run(loop, EVRUN_NOWAIT);
    BENCH_CHECK(left == 0);
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv), i;

    loop = ev_loop_new(EVFLAG_AUTO);
    BENCH_CHECK(loop != NULL);
    for (i = 0; i < BATCH; i++)
        ev_init(&watchers[i], nothing);
    ev_init(&link_watcher, next);
    if (bench_is(argv, "batch"))
        return calls_measure(batch, count);
    if (bench_is(argv, "chain"))
        return calls_measure(chain, count);
    return bench_unknown(argv);
}
