/* Loading libuv: one idle handle that stops itself, one pass, another to close the handle. */
#include "load.h"

#include <uv.h>

static __typeof__(uv_idle_stop) *stop_idle;

static void callback(uv_idle_t *idle)
{
    called++;
    stop_idle(idle);
}

static void load_and_use(void)
{
    uv_loop_t loop;
    uv_idle_t idle;

    load_open("libuv.so.1");
    LOAD(uv_loop_init);
    LOAD(uv_idle_init);
    LOAD(uv_idle_start);
    LOAD(uv_idle_stop);
    LOAD(uv_run);
    LOAD(uv_close);
    LOAD(uv_loop_close);
    stop_idle = my_uv_idle_stop;
    BENCH_CHECK(my_uv_loop_init(&loop) == 0);
    my_uv_idle_init(&loop, &idle);
    my_uv_idle_start(&idle, callback);
    my_uv_run(&loop, UV_RUN_NOWAIT);
    my_uv_close((uv_handle_t *)&idle, NULL);
    my_uv_run(&loop, UV_RUN_DEFAULT);
    BENCH_CHECK(my_uv_loop_close(&loop) == 0);
}
