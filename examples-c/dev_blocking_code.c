/*
 * dev_blocking_code.c - "Developing with asyncio", running blocking code.
 *
 * "Blocking (CPU-bound) code should not be called directly. An executor can be used to run a task
 * in a different thread to avoid blocking the OS thread with the event loop."
 *
 * Three jobs: one reads a file, in the loop's default executor; one calculates, in a pool of the
 * program's own; one blocks until the loop has run three more times, which it can only because the
 * job does not block the loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <rondo.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MS INT64_C(1000000)

/* ---- jobs: these run in other threads -------------------------------------------------------- */

/* File operations (such as logging) can block the event loop. */
static rondo_status blocking_io(rondo_job *job, void *arg)
{
    char *buffer = malloc(100);
    int fd = buffer != NULL ? open(arg, O_RDONLY) : -1;
    ssize_t size = fd >= 0 ? read(fd, buffer, 100) : -1;

    if (size < 0) {
        int error = errno;
        free(buffer);
        if (fd >= 0)
            close(fd);
        return -error; /* raised in whoever awaits the job */
    }
    close(fd);
    return rondo_job_return(job, buffer, free);
}

/* CPU-bound operations block the event loop: in general it is better to run them elsewhere. */
static rondo_status cpu_bound(rondo_job *job, void *arg)
{
    uint64_t *sum = arg;

    for (uint64_t i = 0; i < 1000000; i++)
        *sum += i * i;
    return rondo_job_return(job, sum, NULL);
}

static rondo_status wait_for_the_loop(rondo_job *job, void *arg)
{
    sem_wait(arg);
    return rondo_job_return(job, "the loop went on", NULL);
}

/* ---- the loop's side ------------------------------------------------------------------------- */

struct main_frame {
    RONDO_FRAME;
    rondo_executor *pool;
    rondo_future *future;
    uint64_t sum;
    sem_t ticks;
    int i;
};

static rondo_status run(struct main_frame *self, rondo_executor *executor, rondo_job_fn fn, void *arg)
{
    return rondo_loop_run_in_executor(rondo_running_loop(), executor, NULL, fn, arg, NULL, &self->future);
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    RONDO_BEGIN(self);

    /* 1. Run in the default loop's executor. */
    if (run(self, NULL, blocking_io, "/dev/zero") != RONDO_OK)
        RONDO_RAISE(1, "no executor");
    RONDO_AWAIT(self, self->future);
    printf("default thread pool: %d\n", ((char *)sent)[99]);
    rondo_future_release(self->future); /* and the buffer with it */

    if (run(self, NULL, blocking_io, "/no/such/file") != RONDO_OK)
        RONDO_RAISE(1, "no executor");
    RONDO_TRY_AWAIT_MOVED(self, self->future);
    printf("default thread pool: %s\n", rondo_error_get_message(thrown));

    /* 2. Run in a custom thread pool. */
    if (rondo_executor_new_thread_pool(NULL, &self->pool) != RONDO_OK ||
        run(self, self->pool, cpu_bound, &self->sum) != RONDO_OK)
        RONDO_RAISE(1, "no executor");
    RONDO_AWAIT_MOVED(self, self->future);
    printf("custom thread pool: %llu\n", (unsigned long long)self->sum);
    rondo_executor_release(self->pool);

    /* 3. The loop is not blocked meanwhile. */
    if (run(self, NULL, wait_for_the_loop, &self->ticks) != RONDO_OK)
        RONDO_RAISE(1, "no executor");
    for (self->i = 1; self->i <= 3; self->i++) {
        RONDO_SLEEP(self, 1 * MS);
        printf("tick %d\n", self->i);
    }
    sem_post(&self->ticks);
    RONDO_AWAIT(self, self->future);
    printf("%s\n", (char *)sent);
    rondo_future_release(self->future);
    RONDO_END(self);
}

int main(void)
{
    static struct main_frame frame;
    rondo_coroutine *coroutine = NULL;
    rondo_error *error = NULL;

    sem_init(&frame.ticks, 0, 0);
    if (rondo_coroutine_new("main", main_step, &frame, NULL, &coroutine) != RONDO_OK)
        return 1;
    if (rondo_run(coroutine, NULL, NULL, &error) == RONDO_OK)
        return 0;
    fprintf(stderr, "%s\n", rondo_error_get_message(error));
    rondo_error_release(error);
    return 1;
}
