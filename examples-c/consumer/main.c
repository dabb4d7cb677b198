/*
 * main.c - a program outside of rondo's tree: find_package(rondo), link rondo::rondo, include
 * <rondo.h>. Prints which library it found and one line from a task.
 */
#include <rondo.h>
#include <stdio.h>

struct main_frame { RONDO_FRAME; };

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_YIELD(self);
    puts("a task ran");
    RONDO_END(self);
}

int main(void)
{
    struct main_frame frame = { 0 };
    rondo_coroutine *main_coroutine = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, NULL, &main_coroutine);
    printf("rondo %s\n", rondo_version_string());
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
