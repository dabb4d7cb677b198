/*
 * dev_call_soon_threadsafe.c - asyncio-dev: loop.call_soon_threadsafe(callback, *args).
 *
 * Another thread schedules callbacks on the loop. They run in the loop's thread, in the order of
 * the calls; the last one stops the loop.
 */
#include <pthread.h>
#include <rondo.h>
#include <stdio.h>

struct job { rondo_loop *loop; int number; };

static pthread_t loop_thread;

static void callback(void *arg)
{
    const struct job *job = arg;
    printf("callback %d runs in the %s thread\n", job->number,
           pthread_equal(pthread_self(), loop_thread) ? "loop's" : "wrong");
    if (job->number == 3 && rondo_loop_stop(job->loop) != RONDO_OK)
        puts("the loop could not be stopped");
}

static void *other_thread(void *arg)
{
    struct job *jobs = arg;
    for (int i = 0; i < 3; i++) {
        rondo_status status = rondo_loop_call_soon_threadsafe(jobs[i].loop, callback, &jobs[i],
                                                              NULL, NULL);
        if (status != RONDO_OK)
            fprintf(stderr, "call_soon_threadsafe: %s\n", rondo_status_message(status));
    }
    return NULL;
}

static rondo_status run(rondo_loop *loop)
{
    struct job jobs[] = { { loop, 1 }, { loop, 2 }, { loop, 3 } };
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, other_thread, jobs);
    if (failed)
        return -failed;
    rondo_status status = rondo_loop_run_forever(loop);
    failed = pthread_join(thread, NULL);
    if (status == RONDO_OK)
        status = rondo_loop_close(loop, NULL);
    return status == RONDO_OK ? -failed : status;
}

int main(void)
{
    rondo_loop *loop = NULL;
    rondo_status status = rondo_loop_new(NULL, &loop);
    loop_thread = pthread_self();
    if (status == RONDO_OK)
        status = run(loop);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return rondo_loop_release(loop) == RONDO_OK && status == RONDO_OK ? 0 : 1;
}
