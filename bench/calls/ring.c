/* The limit of call_soon: a raw ring of function pointers in C. */
#include "calls.h"
#include "../ring.h"

static struct ring ring;
static long left;

static void nothing(void *arg)
{
    (void)arg;
}

static void refill(void *arg)
{
    struct ring *mine = arg;
    long i;

    if (left <= 0)
        return;
    left -= BATCH;
    for (i = 1; i < BATCH; i++)
        ring_push(mine, nothing, NULL);
    ring_push(mine, refill, mine);
}

static void next(void *arg)
{
    if (--left > 0)
        ring_push(arg, next, arg);
}

static void run_from(void (*first)(void *), long count)
{
    left = count;
    ring_push(&ring, first, &ring);
    while (!ring_is_empty(&ring))
        ring_run_pass(&ring);
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

    ring_init(&ring);
    if (bench_is(argv, "batch"))
        return calls_measure(batch, count);
    if (bench_is(argv, "chain"))
        return calls_measure(chain, count);
    return bench_unknown(argv);
}
