/* Posting with libev: ev_async_send, which coalesces, and a locked queue beside it. */
#include "locked_queue.h"

#include <ev.h>

struct loop {
    ev_async wake;
    struct ev_loop *ev;
    struct locked_queue queue;
};

static void on_wake(struct ev_loop *ev, ev_async *wake, int events)
{
    (void)ev;
    (void)events;
    queue_run(&((struct loop *)wake)->queue);
}

static struct loop *loop_make(void)
{
    struct loop *loop = calloc(1, sizeof *loop);

    BENCH_CHECK(loop != NULL);
    loop->ev = ev_loop_new(EVFLAG_AUTO);
    BENCH_CHECK(loop->ev != NULL);
    ev_async_init(&loop->wake, on_wake);
    ev_async_start(loop->ev, &loop->wake);
    queue_init(&loop->queue);
    return loop;
}

static void loop_post(struct loop *loop, call_fn fn, void *arg)
{
    if (queue_push(&loop->queue, fn, arg))
        ev_async_send(loop->ev, &loop->wake);
}

static void loop_run(struct loop *loop)
{
    ev_run(loop->ev, 0);
}

static void loop_end(struct loop *loop)
{
    ev_break(loop->ev, EVBREAK_ONE);
}
