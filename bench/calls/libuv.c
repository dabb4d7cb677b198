/*
 * call_soon with libuv: idle handles, which run once in every pass until they are stopped.
 *
 * One that stops itself is what libuv has for "call this once, soon". The chain uses two handles in
 * turn, because one cannot stop and start itself in its own call without running for ever.
 */
#include "calls.h"

#include <uv.h>

static uv_loop_t loop;
static uv_idle_t idles[BATCH], links[2];
static long left;

static void once(uv_idle_t *idle)
{
    uv_idle_stop(idle);
}

static void next(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    if (--left > 0)
        uv_idle_start(&links[idle == &links[0]], next);
}

static void batch(long count)
{
    long i;

    for (; count > 0; count -= BATCH) {
        for (i = 0; i < BATCH; i++)
            uv_idle_start(&idles[i], once);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    BENCH_CHECK(!uv_loop_alive(&loop));
}

static void chain(long count)
{
    left = count;
    uv_idle_start(&links[0], next);
    BENCH_CHECK(uv_run(&loop, UV_RUN_DEFAULT) == 0 && left == 0);
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv), i;

    BENCH_CHECK(uv_loop_init(&loop) == 0);
    for (i = 0; i < BATCH; i++)
        uv_idle_init(&loop, &idles[i]);
    uv_idle_init(&loop, &links[0]);
    uv_idle_init(&loop, &links[1]);
    if (bench_is(argv, "batch"))
        return calls_measure(batch, count);
    if (bench_is(argv, "chain"))
        return calls_measure(chain, count);
    return bench_unknown(argv);
}
