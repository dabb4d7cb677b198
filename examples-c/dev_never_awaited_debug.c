/*
 * dev_never_awaited_debug.c - asyncio-dev: detect never-awaited coroutines, in debug mode.
 *
 * As dev_never_awaited.c, run with debug = 1: the report tells where the coroutine was made. The
 * calls inside of the library, "< .. >" in asyncio's page, are one line.
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

static rondo_step test(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co, (void)frame, (void)sent, (void)thrown;
    puts("never scheduled");
    return RONDO_STEP_RETURN;
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    rondo_coroutine *coroutine = NULL;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_coroutine_new("test", test, NULL, NULL, &coroutine), "test");
    RONDO_CHECK(rondo_coroutine_release(coroutine), "test");
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
