// call_soon with Asio: asio::post to an io_context that was told that there is one thread only.
#include "calls.h"

#include <asio/io_context.hpp>
#include <asio/post.hpp>

static asio::io_context context(ASIO_CONCURRENCY_HINT_UNSAFE);
static long left;

static void refill()
{
    if (left <= 0)
        return;
    left -= BATCH;
    for (long i = 1; i < BATCH; i++)
        asio::post(context, [] {});
    asio::post(context, refill);
}

static void next()
{
    if (--left > 0)
        asio::post(context, next);
}

static void run_from(void (*first)(), long count)
{
    left = count;
    asio::post(context, first);
    context.run();
    context.restart();
    BENCH_CHECK(left <= 0);
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

    if (bench_is(argv, "batch"))
        return calls_measure(batch, count);
    if (bench_is(argv, "chain"))
        return calls_measure(chain, count);
    return bench_unknown(argv);
}
