/*
 * howto_await_coroutine.c - the HOWTO's coro_a() and coro_b(): awaiting a coroutine.
 *
 * Awaiting a coroutine is like calling a function: control never goes back to the loop, so all
 * three coro_a() run before the task coro_b(), which was there first.
 */
#include <rondo.h>
#include <stdio.h>

struct main_frame { RONDO_FRAME; int i; rondo_task *task_b; };

static rondo_step coro_a(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co, (void)frame, (void)sent, (void)thrown;
    puts("I am coro_a(). Hi!");
    return RONDO_STEP_RETURN;
}

static rondo_step coro_b(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co, (void)frame, (void)sent, (void)thrown;
    puts("I am coro_b(). I sure hope no one hogs the event loop...");
    return RONDO_STEP_RETURN;
}

static rondo_status create_task(const char *name, rondo_step_fn step, rondo_task **out_task)
{
    rondo_coroutine *coroutine = NULL;
    rondo_status status = rondo_coroutine_new(name, step, NULL, NULL, &coroutine);
    if (status != RONDO_OK)
        return status;
    return rondo_loop_create_task(rondo_running_loop(), coroutine, NULL, out_task);
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    rondo_coroutine *a = NULL;

    RONDO_BEGIN(self);
    RONDO_CHECK(create_task("coro_b", coro_b, &self->task_b), "create_task");
    for (self->i = 0; self->i < 3; self->i++) {
        RONDO_CHECK(rondo_coroutine_new("coro_a", coro_a, NULL, NULL, &a), "coro_a");
        RONDO_AWAIT(self, a);
    }
    RONDO_AWAIT_MOVED(self, self->task_b);
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
