/*
 * dev_cancel_threadsafe.c - asyncio-dev: loop.call_soon_threadsafe(fut.cancel).
 *
 * main() awaits a future that nobody will complete; another thread cancels it. In C this is one
 * call, rondo_future_cancel_threadsafe(), which schedules the cancellation on the loop.
 */
#include <pthread.h>
#include <rondo.h>
#include <stdio.h>

struct main_frame { RONDO_FRAME; rondo_future *fut; pthread_t thread; };

static void *other_thread(void *arg)
{
    rondo_status status = rondo_future_cancel_threadsafe(arg, "not needed any more", NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "cancel: %s\n", rondo_status_message(status));
    return NULL;
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_future_new(rondo_running_loop(), &self->fut), "future");
    RONDO_CHECK(-pthread_create(&self->thread, NULL, other_thread, self->fut), "thread");
    puts("main() awaits the future.");
    RONDO_TRY_AWAIT(self, self->fut);
    if (thrown == NULL || rondo_error_get_code(thrown) != RONDO_E_CANCELLED)
        RONDO_RAISE(1, "the future was not cancelled");
    printf("The future was cancelled: %s.\n", rondo_error_get_message(thrown));
    RONDO_CHECK(-pthread_join(self->thread, NULL), "thread");
    RONDO_CHECK(rondo_future_release(self->fut), "future");
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
