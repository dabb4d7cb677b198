/* Posting with rondo: rondo_loop_call_soon_threadsafe, with no handle, as nobody cancels the call. */
#include "threads.h"

#include <rondo.h>

/* a rondo_loop by another name; never defined */
static rondo_loop *rondo(struct loop *loop)
{
    return (rondo_loop *)loop;
}

static struct loop *loop_make(void)
{
    rondo_loop *loop;

    BENCH_CHECK(rondo_loop_new(NULL, &loop) == RONDO_OK);
    return (struct loop *)loop;
}

static void loop_post(struct loop *loop, call_fn fn, void *arg)
{
    BENCH_CHECK(rondo_loop_call_soon_threadsafe(rondo(loop), fn, arg, NULL, NULL) == RONDO_OK);
}

static void loop_run(struct loop *loop)
{
    BENCH_CHECK(rondo_loop_run_forever(rondo(loop)) == RONDO_OK);
}

static void loop_end(struct loop *loop)
{
    BENCH_CHECK(rondo_loop_stop(rondo(loop)) == RONDO_OK);
}
