/* Loading libevent's core: one event that is made active, one pass. */
#include "load.h"

#include <event2/event.h>

static void callback(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    called++;
}

static void load_and_use(void)
{
    struct event_base *base;
    struct event *event;

    load_open("libevent_core-2.1.so.7");
    LOAD(event_base_new);
    LOAD(event_new);
    LOAD(event_active);
    LOAD(event_base_loop);
    LOAD(event_free);
    LOAD(event_base_free);
    base = my_event_base_new();
    BENCH_CHECK(base != NULL);
    event = my_event_new(base, -1, 0, callback, NULL);
    BENCH_CHECK(event != NULL);
    my_event_active(event, EV_TIMEOUT, 0);
    my_event_base_loop(base, EVLOOP_NONBLOCK);
    my_event_free(event);
    my_event_base_free(base);
}
