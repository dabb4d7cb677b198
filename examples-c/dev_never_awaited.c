/*
 * dev_never_awaited.c - asyncio-dev: detect never-awaited coroutines.
 *
 * main() makes the coroutine test() and forgets to await it. The release of the last reference,
 * where Python's collector would come by, reports it; a log sink shows the report on stdout.
 */
#include <rondo.h>
#include <stdio.h>

struct main_frame { RONDO_FRAME; };

static void print_log(int32_t level, const char *message, const rondo_log_field *fields,
                      size_t field_count, void *arg)
{
    (void)level, (void)fields, (void)field_count, (void)arg;
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
    rondo_coroutine *main_coroutine = NULL;
    rondo_status status = rondo_log_set_sink(print_log, NULL, NULL);
    if (status == RONDO_OK)
        status = rondo_coroutine_new("main", main_step, &frame, NULL, &main_coroutine);
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
