/* Loading libev: one ev_feed_event, one pass. */
#include "load.h"

#include <ev.h>

static void callback(struct ev_loop *loop, ev_watcher *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
    called++;
}

static void load_and_use(void)
{
    struct ev_loop *loop;
    ev_watcher watcher;

    load_open("libev.so.4");
    LOAD(ev_loop_new);
    LOAD(ev_feed_event);
    LOAD(ev_run);
    LOAD(ev_loop_destroy);
    loop = my_ev_loop_new(EVFLAG_AUTO);
    BENCH_CHECK(loop != NULL);
    ev_init(&watcher, callback);
    my_ev_feed_event(loop, &watcher, EV_CUSTOM);
    my_ev_run(loop, EVRUN_NOWAIT);
    my_ev_loop_destroy(loop);
}
