/* What a program does without them: a struct from malloc, a function that unpacks it. */
#include "foreign.h"

struct packed {
    int64_t *target;
    int32_t number;
    double half;
};

static void call(void *arg)
{
    struct packed *packed = arg;
    *packed->target += packed->number + (int64_t)packed->half;
}

static void schedule(rondo_loop *loop, void *target, int32_t number, double half)
{
    struct packed *packed = malloc(sizeof *packed);
    *packed = (struct packed){ target, number, half };
    BENCH_CHECK(rondo_loop_call_soon(loop, call, packed, free, NULL) == RONDO_OK);
}

static void prepare(int index, rondo_future *future) { (void)index, (void)future; }

static void complete(int index, rondo_future *future, int32_t number)
{
    int32_t *value = malloc(sizeof *value);
    (void)index;
    *value = number;
    BENCH_CHECK(rondo_future_set_result_threadsafe(future, value, free) == RONDO_OK);
}

static void finish(int index) { (void)index; }
