/*
 * dev_never_retrieved_debug.c - asyncio-dev: detect never-retrieved exceptions, in debug mode.
 *
 * As dev_never_retrieved.c, run with debug = 1: the report tells where the task was made, in the
 * description of the task and with all calls as source_traceback.
 */
#include <rondo.h>
#include <stdio.h>

struct main_frame { RONDO_FRAME; };

static void print_log(int32_t level, const char *message, const rondo_log_field *fields, size_t field_count,
                      void *arg)
{
    (void)fields, (void)field_count;
    (void)level, (void)arg;
    puts(message);
}

static rondo_step bug(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame, (void)sent, (void)thrown;
    RONDO_RAISE(1, "not consumed");
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    rondo_coroutine *coroutine = NULL;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_coroutine_new("bug", bug, NULL, NULL, &coroutine), "bug");
    RONDO_CHECK(rondo_loop_create_task(rondo_running_loop(), coroutine, NULL, NULL),
                "create_task");
    RONDO_YIELD(self);
    RONDO_END(self);
}

int main(void)
{
    struct main_frame frame = { 0 };
    rondo_run_options options = { .size = sizeof options, .debug = 1 };
    rondo_coroutine *main_coroutine = NULL;
    rondo_status status = rondo_log_set_sink(print_log, NULL, NULL);
    if (status == RONDO_OK)
        status = rondo_coroutine_new("main", main_step, &frame, NULL, &main_coroutine);
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, &options, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
