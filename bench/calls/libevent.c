/*
 * call_soon with libevent: event_active on events that were never added. Locking is off, as it is
 * unless a program asks for it. A chain stays inside one pass: libevent does not poll in between.
 */
#include "calls.h"

#include <event2/event.h>
#include <event2/event_struct.h>

static struct event_base *base;
static struct event events[BATCH], link_event;
static long left;

static void nothing(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static void next(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    if (--left > 0)
        event_active(arg, EV_TIMEOUT, 0);
}

static void batch(long count)
{
    long i;

    for (; count > 0; count -= BATCH) {
        for (i = 0; i < BATCH; i++)
            event_active(&events[i], EV_TIMEOUT, 0);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    BENCH_CHECK(event_base_get_num_events(base, EVENT_BASE_COUNT_ACTIVE) == 0);
}

static void chain(long count)
{
    left = count;
    event_active(&link_event, EV_TIMEOUT, 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    BENCH_CHECK(left == 0);
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv), i;

    base = event_base_new();
    BENCH_CHECK(base != NULL);
    for (i = 0; i < BATCH; i++)
        BENCH_CHECK(event_assign(&events[i], base, -1, 0, nothing, NULL) == 0);
    BENCH_CHECK(event_assign(&link_event, base, -1, 0, next, &link_event) == 0);
    if (bench_is(argv, "batch"))
        return calls_measure(batch, count);
    if (bench_is(argv, "chain"))
        return calls_measure(chain, count);
    return bench_unknown(argv);
}
