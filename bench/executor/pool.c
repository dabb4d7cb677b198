/*
 * The limit: a pool written for this work alone, without a loop around it.
 *
 * A locked list of jobs that a worker empties one by one, a locked list of those that are done that
 * the loop takes whole, a condition variable for the workers and an eventfd for the loop. A worker
 * is woken only if one sleeps, the loop only if its list was empty. Nothing is allocated, nothing can
 * be cancelled, and nobody has a future.
 */
#include "executor.h"

#include <sys/eventfd.h>

struct job {
    struct job *next;
    int index;
};

static struct job jobs[BATCH];
static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct job *first, **last;
    int sleeping, signalled;
} queue = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &queue.first, 0, 0 };
static struct {
    pthread_mutex_t lock;
    struct job *first, **last;
} finished = { PTHREAD_MUTEX_INITIALIZER, NULL, &finished.first };
static int wake_fd, stopped;

static struct job *take_job(void)
{
    struct job *job;

    pthread_mutex_lock(&queue.lock);
    while (queue.first == NULL) {
        queue.sleeping++;
        pthread_cond_wait(&queue.more, &queue.lock);
        queue.sleeping--;
        queue.signalled = 0;
    }
    job = queue.first;
    queue.first = job->next;
    if (queue.first == NULL)
        queue.last = &queue.first;
    if (queue.first != NULL && queue.sleeping > 0 && !queue.signalled) {
        queue.signalled = 1;
        pthread_cond_signal(&queue.more);
    }
    pthread_mutex_unlock(&queue.lock);
    return job;
}

static void finish_job(struct job *job)
{
    uint64_t one = 1;
    int was_empty;

    job->next = NULL;
    pthread_mutex_lock(&finished.lock);
    was_empty = finished.first == NULL;
    *finished.last = job;
    finished.last = &job->next;
    pthread_mutex_unlock(&finished.lock);
    if (was_empty)
        BENCH_CHECK(write(wake_fd, &one, sizeof one) == sizeof one);
}

static void *work(void *arg)
{
    for (;;) {
        struct job *job = take_job();

        bench_job(job->index);
        finish_job(job);
    }
    return arg;
}

static void pool_open(void)
{
    pthread_t thread;
    int i;

    wake_fd = eventfd(0, EFD_CLOEXEC);
    BENCH_CHECK(wake_fd >= 0);
    for (i = 0; i < WORKERS; i++)
        BENCH_CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
}

static void pool_submit(int index)
{
    struct job *job = &jobs[index];
    int wakes;

    job->index = index;
    job->next = NULL;
    pthread_mutex_lock(&queue.lock);
    *queue.last = job;
    queue.last = &job->next;
    wakes = queue.sleeping > 0 && !queue.signalled;
    if (wakes)
        queue.signalled = 1;
    pthread_mutex_unlock(&queue.lock);
    if (wakes)
        pthread_cond_signal(&queue.more);
}

static void pool_run(void)
{
    uint64_t count;

    stopped = 0;
    while (!stopped) {
        struct job *job;

        BENCH_CHECK(read(wake_fd, &count, sizeof count) == sizeof count);
        pthread_mutex_lock(&finished.lock);
        job = finished.first;
        finished.first = NULL;
        finished.last = &finished.first;
        pthread_mutex_unlock(&finished.lock);
        while (job != NULL) {
            struct job *next = job->next;

            bench_job_done(); /* may hand jobs in again, also this one */
            job = next;
        }
    }
}

static void pool_stop(void)
{
    stopped = 1;
}
