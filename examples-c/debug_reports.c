/*
 * debug_reports.c - the reports of debug mode, one after the other: what was done, and what the log says.
 *
 * Each function makes one mistake. dev_never_awaited_debug.c and dev_never_retrieved_debug.c have two more.
 */
#include <pthread.h>
#include <rondo.h>
#include <stdio.h>
#include <time.h>

#define MS INT64_C(1000000)

static rondo_loop *loop;

static void print_log(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)level, (void)fields, (void)count, (void)arg;
    puts(message);
}

static void nothing(void *arg)
{
    (void)arg;
}

static rondo_status run_once(void)
{
    rondo_status status = rondo_loop_stop(loop);
    return status == RONDO_OK ? rondo_loop_run_forever(loop) : status;
}

/* [slow] */
/* A callback that does work which belongs into an executor. */
static void compress(void *arg)
{
    struct timespec time = { .tv_nsec = 150 * MS };
    (void)arg;
    nanosleep(&time, NULL);
}

static rondo_status slow(void)
{
    rondo_status status = rondo_loop_call_soon(loop, compress, NULL, NULL, NULL);
    return status == RONDO_OK ? run_once() : status;
}

/* [thread] */
/* A thread that forgets _threadsafe, and does not look at the status. */
static void *other_thread(void *arg)
{
    (void)arg;
    rondo_loop_call_soon(loop, nothing, NULL, NULL, NULL);
    return NULL;
}

static rondo_status wrong_thread(void)
{
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, other_thread, NULL);
    return failed != 0 ? -failed : -pthread_join(thread, NULL);
}

/* [pending] */
/* A task that still waits when its loop is closed. */
struct patient { RONDO_FRAME; };

RONDO_STEP(patient_step)
{
    struct patient *self = frame;
    RONDO_BEGIN(self);
    RONDO_SLEEP(self, 3600000 * MS);
    RONDO_END(self);
}

static rondo_status pending(void)
{
    static struct patient patient;
    rondo_task_options options = { .size = sizeof options, .name = "patient", .coroutine_name = "patient_step" };
    rondo_status status = rondo_loop_spawn(loop, patient_step, &patient, NULL, &options, NULL);
    if (status == RONDO_OK)
        status = run_once();
    return status == RONDO_OK ? rondo_loop_close(loop, NULL) : status;
}
/* [end] */

/* Volatile, so that the compiler keeps each function to itself, and the log can name it. */
static int example(const char *name, rondo_status (*volatile fn)(void))
{
    printf("== %s\n", name);
    rondo_status status = fn();
    if (status != RONDO_OK)
        fprintf(stderr, "%s: %s\n", name, rondo_status_message(status));
    return status != RONDO_OK;
}

int main(void)
{
    rondo_loop_options options = { .size = sizeof options, .flags = RONDO_LOOP_DEBUG };
    if (rondo_log_set_sink(print_log, NULL, NULL) != RONDO_OK || rondo_loop_new(&options, &loop) != RONDO_OK)
        return 1;
    int failed = example("slow", slow) + example("wrong thread", wrong_thread) + example("pending", pending);
    rondo_loop_release(loop);
    return failed;
}
