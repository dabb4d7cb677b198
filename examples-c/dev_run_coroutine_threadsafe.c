/*
 * dev_run_coroutine_threadsafe.c - asyncio-dev: run_coroutine_threadsafe(coro_func(), loop).
 *
 * The loop runs in the main thread. Another thread gives it coro_func(), which sleeps and returns
 * 42, and waits for the result. (The document sleeps 1 s; the argument is in seconds.)
 */
#include <pthread.h>
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>

struct coro_func { RONDO_FRAME; int64_t delay_ns; rondo_coroutine *sleep; };
struct other { rondo_loop *loop; struct coro_func frame; rondo_status status; };

/* return await asyncio.sleep(1, 42) */
RONDO_STEP(coro_func)
{
    struct coro_func *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_sleep(self->delay_ns, (void *)(intptr_t)42, NULL, &self->sleep), "sleep");
    RONDO_AWAIT(self, self->sleep);
    RONDO_RETURN(sent);
    RONDO_END(self);
}

static void stop(void *loop)
{
    if (rondo_loop_stop(loop) != RONDO_OK)
        puts("the loop could not be stopped");
}

static rondo_status ask(struct other *self)
{
    rondo_coroutine *coroutine = NULL;
    rondo_thread_future *future = NULL;
    void *result = NULL;
    rondo_status status = rondo_coroutine_new("coro_func", coro_func, &self->frame, NULL,
                                              &coroutine);
    if (status == RONDO_OK)
        status = rondo_loop_run_coroutine_threadsafe(self->loop, coroutine, &future);
    if (status == RONDO_OK) /* Wait for the result: */
        status = rondo_thread_future_result(future, RONDO_NEVER, &result);
    if (status == RONDO_OK)
        printf("future.result() in the other thread: %d\n", (int)(intptr_t)result);
    rondo_status released = rondo_thread_future_release(future);
    return status != RONDO_OK ? status : released;
}

static void *other_thread(void *arg)
{
    struct other *self = arg;
    self->status = ask(self);
    rondo_status status = rondo_loop_call_soon_threadsafe(self->loop, stop, self->loop, NULL, NULL);
    if (self->status == RONDO_OK)
        self->status = status;
    return NULL;
}

static rondo_status run(struct other *other)
{
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, other_thread, other);
    if (failed)
        return -failed;
    rondo_status status = rondo_loop_run_forever(other->loop);
    failed = pthread_join(thread, NULL);
    if (status == RONDO_OK)
        status = other->status;
    if (status == RONDO_OK)
        status = rondo_loop_close(other->loop, NULL);
    return status == RONDO_OK ? -failed : status;
}

int main(int argc, char **argv)
{
    struct other other = { .frame.delay_ns = (int64_t)((argc > 1 ? atof(argv[1]) : 1) * 1e9) };
    rondo_status status = rondo_loop_new(NULL, &other.loop);
    if (status == RONDO_OK)
        status = run(&other);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return rondo_loop_release(other.loop) == RONDO_OK && status == RONDO_OK ? 0 : 1;
}
