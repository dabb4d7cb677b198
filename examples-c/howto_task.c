/*
 * howto_task.c - the HOWTO's create_task(loudmouth_penguin(magic_number=5)).
 *
 * A task is a coroutine tied to an event loop. Making it only schedules it; it runs once the
 * coroutine that made it lets the loop have its turn, here by awaiting the task.
 */
#include <rondo.h>
#include <stdio.h>

struct penguin { RONDO_FRAME; int magic_number; };
struct main_frame { RONDO_FRAME; struct penguin penguin; };

RONDO_STEP(loudmouth_penguin)
{
    struct penguin *self = frame;
    RONDO_BEGIN(self);
    printf("I am a super special talking penguin. Far cooler than that printer. "
           "By the way, my lucky number is: %d.\n", self->magic_number);
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    rondo_coroutine *coroutine = NULL;
    rondo_task *task = NULL;

    RONDO_BEGIN(self);
    self->penguin.magic_number = 5;
    RONDO_CHECK(rondo_coroutine_new("loudmouth_penguin", loudmouth_penguin, &self->penguin, NULL,
                                    &coroutine), "loudmouth_penguin");
    /* This creates a task and schedules its execution via the event loop. */
    RONDO_CHECK(rondo_loop_create_task(rondo_running_loop(), coroutine, NULL, &task),
                "create_task");
    puts("The task is scheduled.");
    RONDO_AWAIT_MOVED(self, task);
    puts("The task is done.");
    RONDO_END(self);
}

int main(void)
{
    struct main_frame frame = { 0 };
    rondo_coroutine *main_coroutine = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, NULL, &main_coroutine);
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
