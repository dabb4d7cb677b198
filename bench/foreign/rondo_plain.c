/* The same without arguments: what the typed forms are to stay close to. */
#include "foreign.h"

static void call(void *arg) { ++*(int64_t *)arg; }

static void schedule(rondo_loop *loop, void *target, int32_t number, double half)
{
    (void)number, (void)half;
    BENCH_CHECK(rondo_loop_call_soon(loop, call, target, NULL, NULL) == RONDO_OK);
}

static void prepare(int index, rondo_future *future) { (void)index, (void)future; }

static void complete(int index, rondo_future *future, int32_t number)
{
    (void)index, (void)number;
    BENCH_CHECK(rondo_future_set_result_threadsafe(future, NULL, NULL) == RONDO_OK);
}

static void finish(int index) { (void)index; }
