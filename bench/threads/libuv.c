/* Posting with libuv: uv_async_send, which coalesces, and a locked queue beside it. */
#include "locked_queue.h"

#include <uv.h>

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    struct locked_queue queue;
};

static void on_wake(uv_async_t *wake)
{
    queue_run(&((struct loop *)wake->data)->queue);
}

static struct loop *loop_make(void)
{
    struct loop *loop = calloc(1, sizeof *loop);

    BENCH_CHECK(loop != NULL && uv_loop_init(&loop->uv) == 0);
    BENCH_CHECK(uv_async_init(&loop->uv, &loop->wake, on_wake) == 0);
    loop->wake.data = loop;
    queue_init(&loop->queue);
    return loop;
}

static void loop_post(struct loop *loop, call_fn fn, void *arg)
{
    if (queue_push(&loop->queue, fn, arg))
        uv_async_send(&loop->wake);
}

static void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void loop_end(struct loop *loop)
{
    uv_stop(&loop->uv);
}
