/* call_soon with rondo: no handle is asked for, as when nobody is going to cancel the call. */
#include "calls.h"

#include <rondo.h>

static rondo_loop *loop;
static long left;
static rondo_status failed;

static void nothing(void *arg)
{
    (void)arg;
}

static void refill(void *arg)
{
    long i;

    (void)arg;
    if (left <= 0) {
        failed |= rondo_loop_stop(loop);
        return;
    }
    left -= BATCH;
    for (i = 1; i < BATCH; i++)
        failed |= rondo_loop_call_soon(loop, nothing, NULL, NULL, NULL);
    failed |= rondo_loop_call_soon(loop, refill, NULL, NULL, NULL);
}

static void next(void *arg)
{
    (void)arg;
    if (--left > 0)
        failed |= rondo_loop_call_soon(loop, next, NULL, NULL, NULL);
    else
        failed |= rondo_loop_stop(loop);
}

static void run_from(rondo_call_fn first, long count)
{
    left = count;
    failed |= rondo_loop_call_soon(loop, first, NULL, NULL, NULL);
    failed |= rondo_loop_run_forever(loop);
    BENCH_CHECK(failed == RONDO_OK);
}

static void batch(long count)
{
    run_from(refill, count);
}

static void chain(long count)
{
    run_from(next, count);
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv);

    BENCH_CHECK(rondo_loop_new(NULL, &loop) == RONDO_OK);
    if (bench_is(argv, "batch"))
        return calls_measure(batch, count);
    if (bench_is(argv, "chain"))
        return calls_measure(chain, count);
    return bench_unknown(argv);
}
