/*
 * queue_workers.c - the queue example of asyncio's documentation: jobs shared out to three workers.
 *
 * There the jobs are sleeps of random length, and real time says who gets which. Here a job is a
 * number of passes of the loop, so that the output is always the same. Main waits with join until
 * the work on all of them is done, then cancels the workers, who wait for more.
 */
#include <errno.h>
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>

#define JOBS 10

struct job { int number, passes; };
struct worker {
    RONDO_FRAME;
    const char *name;
    rondo_queue *queue;
    rondo_coroutine *next;
    struct job *job;
    int done, i;
};

static void drop_worker(void *frame)
{
    free(((struct worker *)frame)->job);
}

RONDO_STEP(worker_step)
{
    struct worker *self = frame;
    void *item = NULL;

    RONDO_BEGIN(self);
    for (;;) {
        RONDO_CHECK(rondo_queue_get(self->queue, &self->next), "get");
        RONDO_AWAIT(self, self->next);
        RONDO_CHECK(rondo_coroutine_take_sent(co, &item), "take"); /* the job is ours now */
        self->job = item;
        for (self->i = 0; self->i < self->job->passes; self->i++)
            RONDO_SLEEP(self, 0);
        printf("%s has done job %d, of %d passes\n", self->name, self->job->number, self->job->passes);
        self->done++;
        free(self->job);
        self->job = NULL;
        RONDO_CHECK(rondo_queue_task_done(self->queue), "task_done");
    }
    RONDO_END(self);
}

struct main_frame {
    RONDO_FRAME;
    rondo_queue *queue;
    struct worker workers[3];
    rondo_task *tasks[3];
    rondo_coroutine *join;
    rondo_future *gather;
};

static void drop_main(void *frame)
{
    struct main_frame *self = frame;
    for (int i = 0; i < 3; i++)
        rondo_task_release(self->tasks[i]);
    rondo_queue_release(self->queue);
}

static rondo_status put_jobs(rondo_queue *queue)
{
    rondo_status status = RONDO_OK;
    for (int i = 0; i < JOBS && status == RONDO_OK; i++) {
        struct job *job = malloc(sizeof *job);
        if (job == NULL)
            return -ENOMEM;
        *job = (struct job){ .number = i, .passes = 1 + i * 7 % 5 };
        status = rondo_queue_put_nowait(queue, job, free);
    }
    return status;
}

static rondo_status start_workers(struct main_frame *self)
{
    static const char *const names[] = { "worker-0", "worker-1", "worker-2" };
    rondo_status status = RONDO_OK;
    for (int i = 0; i < 3 && status == RONDO_OK; i++) {
        self->workers[i] = (struct worker){ .name = names[i], .queue = self->queue };
        status = rondo_loop_spawn(rondo_running_loop(), worker_step, &self->workers[i], drop_worker,
                                  NULL, &self->tasks[i]);
    }
    return status;
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_queue_new(rondo_running_loop(), 0, &self->queue), "queue");
    RONDO_CHECK(put_jobs(self->queue), "put");
    RONDO_CHECK(start_workers(self), "start");
    RONDO_CHECK(rondo_queue_join(self->queue, &self->join), "join");
    RONDO_AWAIT(self, self->join);
    for (int i = 0; i < 3; i++)
        RONDO_CHECK(rondo_task_cancel(self->tasks[i], NULL, NULL), "cancel");
    RONDO_CHECK(rondo_gather(rondo_running_loop(), (rondo_awaitable *const *)self->tasks, 3,
                             RONDO_GATHER_RETURN_EXCEPTIONS, &self->gather), "gather");
    RONDO_AWAIT_MOVED(self, self->gather);
    puts("====");
    for (int i = 0; i < 3; i++)
        printf("%s did %d jobs\n", self->workers[i].name, self->workers[i].done);
    RONDO_END(self);
}

int main(void)
{
    struct main_frame frame = { 0 };
    rondo_coroutine *main_coroutine = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, drop_main, &main_coroutine);
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
