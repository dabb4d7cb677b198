/* Typed calls and completers. */
#include "foreign.h"

static rondo_completer *completers[BATCH];
static void (*functions[BATCH])(int32_t number, void *user);

static void call(int64_t *target, int32_t number, double half) { *target += number + (int64_t)half; }

static void schedule(rondo_loop *loop, void *target, int32_t number, double half)
{
    BENCH_CHECK(rondo_loop_call_soon_typed(loop, RONDO_ANY(call), "void(ptr,i32,f64)", target, number, half) == RONDO_OK);
}

static void prepare(int index, rondo_future *future)
{
    rondo_any_fn fn;
    BENCH_CHECK(rondo_future_completer(future, "void(i32,user)", NULL, NULL, NULL, &completers[index]) == RONDO_OK);
    BENCH_CHECK(rondo_completer_get_function(completers[index], &fn) == RONDO_OK);
    functions[index] = (void (*)(int32_t, void *))fn;
}

static void complete(int index, rondo_future *future, int32_t number)
{
    (void)future;
    functions[index](number, completers[index]);
}

static void finish(int index) { BENCH_CHECK(rondo_completer_release(completers[index]) == RONDO_OK); }
