/*
 * howto_async_sleep.c - the HOWTO's home-made asyncio.sleep(): a future and a watcher task.
 *
 * async_sleep() awaits a future. The watcher looks at the clock once per cycle of the loop, cedes
 * control in between with YieldToEventLoop, and marks the future as done when it is time.
 * Argument: how many seconds to sleep; 3 without one.
 */
#define _POSIX_C_SOURCE 200809L
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct yield { RONDO_FRAME; };
struct watcher { RONDO_FRAME; rondo_future *future; int64_t time_to_wake; struct yield yield; };
struct sleeper { RONDO_FRAME; int64_t delay_ns; rondo_future *future; };
struct main_frame {
    RONDO_FRAME;
    int64_t delay_ns;
    struct sleeper sleeper;
    rondo_awaitable *work_tasks[3];
};

/* YieldToEventLoop.__await__: yield, and nothing else. */
RONDO_STEP(yield_to_event_loop)
{
    struct yield *self = frame;
    RONDO_BEGIN(self);
    RONDO_YIELD(self);
    RONDO_END(self);
}

static rondo_status cede_control(struct yield *yield, rondo_coroutine **out)
{
    *yield = (struct yield){ 0 };
    return rondo_coroutine_new("YieldToEventLoop", yield_to_event_loop, yield, NULL, out);
}

RONDO_STEP(sleep_watcher)
{
    struct watcher *self = frame;
    rondo_coroutine *yield = NULL;
    int64_t now = 0;

    RONDO_BEGIN(self);
    for (;;) {
        RONDO_CHECK(rondo_loop_time(rondo_running_loop(), &now), "time");
        if (now >= self->time_to_wake)
            break;
        RONDO_CHECK(cede_control(&self->yield, &yield), "YieldToEventLoop");
        RONDO_AWAIT(self, yield);
    }
    /* This marks the future as done. */
    RONDO_CHECK(rondo_future_set_result(self->future, NULL, NULL), "set_result");
    RONDO_END(self);
}

static void watcher_drop(void *frame)
{
    struct watcher *self = frame;
    if (rondo_future_release(self->future) != RONDO_OK)
        fputs("the watcher's future was released once too often\n", stderr);
}

/* Make the watcher: its frame is its own, because it may live longer than who made it. */
static rondo_status watch(rondo_future *future, int64_t delay_ns)
{
    rondo_coroutine *coroutine = NULL;
    void *frame = NULL;
    rondo_status status = rondo_coroutine_new_with_frame("_sleep_watcher", sleep_watcher,
                                                         sizeof(struct watcher), watcher_drop,
                                                         &frame, &coroutine);
    if (status != RONDO_OK)
        return status;
    struct watcher *watcher = frame;
    watcher->future = future;
    status = rondo_future_retain(future);
    if (status == RONDO_OK)
        status = rondo_loop_time(rondo_running_loop(), &watcher->time_to_wake);
    watcher->time_to_wake += delay_ns;
    if (status == RONDO_OK) /* the loop holds the task; nobody else needs it */
        return rondo_loop_create_task(rondo_running_loop(), coroutine, NULL, NULL);
    (void)rondo_coroutine_release(coroutine); /* the first failure is the one to tell */
    return status;
}

RONDO_STEP(async_sleep)
{
    struct sleeper *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_future_new(rondo_running_loop(), &self->future), "future");
    /* Add the watcher task to the event loop. */
    RONDO_CHECK(watch(self->future, self->delay_ns), "_sleep_watcher");
    /* Block until the future is marked as done. */
    RONDO_AWAIT_MOVED(self, self->future);
    RONDO_END(self);
}

static rondo_step other_work(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co, (void)frame, (void)sent, (void)thrown;
    puts("I like work. Work work.");
    return RONDO_STEP_RETURN;
}

static rondo_status create_task(const char *name, rondo_step_fn step, void *frame,
                                rondo_task **out_task)
{
    rondo_coroutine *coroutine = NULL;
    rondo_status status = rondo_coroutine_new(name, step, frame, NULL, &coroutine);
    if (status != RONDO_OK)
        return status;
    return rondo_loop_create_task(rondo_running_loop(), coroutine, NULL, out_task);
}

static rondo_status create_work_tasks(struct main_frame *self)
{
    for (int i = 0; i < 3; i++) {
        rondo_task *task = NULL;
        rondo_status status = create_task("other_work", other_work, NULL, &task);
        if (status != RONDO_OK)
            return status;
        self->work_tasks[i] = task;
    }
    return RONDO_OK;
}

static void print_time(const char *what)
{
    char text[sizeof "HH:MM:SS"] = "";
    time_t now = time(NULL);
    struct tm local;
    if (localtime_r(&now, &local) != NULL && strftime(text, sizeof text, "%H:%M:%S", &local) > 0)
        printf("%s asynchronous sleep at time: %s.\n", what, text);
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    rondo_task *sleep = NULL;
    rondo_future *all = NULL;

    RONDO_BEGIN(self);
    /* Add a few other tasks to the event loop, so there's something to do while sleeping. */
    RONDO_CHECK(create_work_tasks(self), "other_work");
    print_time("Beginning");
    self->sleeper.delay_ns = self->delay_ns;
    RONDO_CHECK(create_task("async_sleep", async_sleep, &self->sleeper, &sleep), "async_sleep");
    RONDO_AWAIT_MOVED(self, sleep);
    print_time("Done");
    /* gather effectively awaits each task in the collection. */
    RONDO_CHECK(rondo_gather(rondo_running_loop(), self->work_tasks, 3, 0, &all), "gather");
    RONDO_AWAIT_MOVED(self, all);
    RONDO_END(self);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 3;
    struct main_frame frame = { .delay_ns = (int64_t)(seconds * 1e9) };
    rondo_coroutine *main_coroutine = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, NULL, &main_coroutine);
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    for (int i = 0; i < 3; i++)
        if (rondo_task_release(frame.work_tasks[i]) != RONDO_OK)
            return 1;
    return status == RONDO_OK ? 0 : 1;
}
