/* Loading rondo: one call_soon, one pass. */
#include "load.h"

#include <rondo.h>

static void callback(void *arg)
{
    (void)arg;
    called++;
}

static void load_and_use(void)
{
    rondo_loop *loop;

    load_open("librondo.so.0");
    LOAD(rondo_loop_new);
    LOAD(rondo_loop_call_soon);
    LOAD(rondo_loop_stop);
    LOAD(rondo_loop_run_forever);
    LOAD(rondo_loop_close);
    LOAD(rondo_loop_release);
    BENCH_CHECK(my_rondo_loop_new(NULL, &loop) == RONDO_OK);
    BENCH_CHECK(my_rondo_loop_call_soon(loop, callback, NULL, NULL, NULL) == RONDO_OK);
    BENCH_CHECK(my_rondo_loop_stop(loop) == RONDO_OK); /* before a run it means: one pass */
    BENCH_CHECK(my_rondo_loop_run_forever(loop) == RONDO_OK);
    BENCH_CHECK(my_rondo_loop_close(loop, NULL) == RONDO_OK);
    BENCH_CHECK(my_rondo_loop_release(loop) == RONDO_OK);
}
