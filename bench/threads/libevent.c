/* Posting with libevent: event_active with its locking switched on, and a locked queue beside it. */
#include "locked_queue.h"

#include <event2/event.h>
#include <event2/thread.h>

struct loop {
    struct event_base *base;
    struct event *wake;
    struct locked_queue queue;
};

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    queue_run(&((struct loop *)arg)->queue);
}

static struct loop *loop_make(void)
{
    struct loop *loop = calloc(1, sizeof *loop);

    BENCH_CHECK(loop != NULL && evthread_use_pthreads() == 0);
    loop->base = event_base_new();
    BENCH_CHECK(loop->base != NULL);
    loop->wake = event_new(loop->base, -1, EV_PERSIST, on_wake, loop);
    BENCH_CHECK(loop->wake != NULL);
    queue_init(&loop->queue);
    return loop;
}

static void loop_post(struct loop *loop, call_fn fn, void *arg)
{
    if (queue_push(&loop->queue, fn, arg))
        event_active(loop->wake, EV_READ, 0);
}

static void loop_run(struct loop *loop)
{
    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

static void loop_end(struct loop *loop)
{
    event_base_loopbreak(loop->base);
}
