/*
 * howto_simpler_sleep.c - the HOWTO's simpler_async_sleep(): no future, no watcher.
 *
 * The sleeping coroutine itself looks at the clock, once per cycle of the loop, and cedes control
 * in between, so that other tasks run. Argument: how many seconds to sleep; 3 without one.
 */
#define _POSIX_C_SOURCE 200809L
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct sleeper { RONDO_FRAME; int64_t delay_ns, time_to_wake; };
struct main_frame { RONDO_FRAME; struct sleeper sleeper; rondo_coroutine *sleep; };

RONDO_STEP(simpler_async_sleep)
{
    struct sleeper *self = frame;
    int64_t now = 0;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_loop_time(rondo_running_loop(), &now), "time");
    self->time_to_wake = now + self->delay_ns;
    for (;;) {
        RONDO_CHECK(rondo_loop_time(rondo_running_loop(), &now), "time");
        if (now >= self->time_to_wake)
            RONDO_RETURN(NULL);
        RONDO_YIELD(self); /* await YieldToEventLoop() */
    }
    RONDO_END(self);
}

static rondo_step other_work(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co, (void)frame, (void)sent, (void)thrown;
    puts("I like work. Work work.");
    return RONDO_STEP_RETURN;
}

static rondo_status create_work_tasks(void)
{
    rondo_status status = RONDO_OK;
    for (int i = 0; status == RONDO_OK && i < 3; i++)
        status = rondo_loop_spawn(rondo_running_loop(), other_work, NULL, NULL, NULL, NULL);
    return status;
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
    RONDO_BEGIN(self);
    RONDO_CHECK(create_work_tasks(), "other_work");
    print_time("Beginning");
    RONDO_CHECK(rondo_coroutine_new("simpler_async_sleep", simpler_async_sleep, &self->sleeper,
                                    NULL, &self->sleep), "simpler_async_sleep");
    RONDO_AWAIT(self, self->sleep);
    print_time("Done");
    RONDO_END(self);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 3;
    struct main_frame frame = { .sleeper.delay_ns = (int64_t)(seconds * 1e9) };
    rondo_coroutine *main_coroutine = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, NULL, &main_coroutine);
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
