/* Cancelling the future of a job that waits, and of one that runs. */
#include "parity.h"

#include <semaphore.h>

static sem_t begun, go_on;

static rondo_status waits(rondo_job *job, void *arg)
{
    (void)job;
    (void)arg;
    sem_post(&begun);
    sem_wait(&go_on);
    say("the first goes on");
    return RONDO_OK;
}

static rondo_status never(rondo_job *job, void *arg)
{
    (void)job;
    (void)arg;
    say("never");
    return RONDO_OK;
}

static rondo_status last(rondo_job *job, void *arg)
{
    (void)arg;
    say("the last runs");
    return rondo_job_return(job, "last", NULL);
}

static const char *cancelled(rondo_future *future)
{
    return rondo_future_cancel(future, NULL, NULL) == RONDO_OK ? "True" : "False";
}

RONDO_STEP(main_step)
{
    static rondo_executor *pool;
    static rondo_future *third;
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = 1 };
    const char *once;

    SELF;
    MUST(rondo_executor_new_thread_pool(&options, &pool));
    MUST(rondo_loop_run_in_executor(loop, pool, NULL, waits, NULL, NULL, &self->f));
    sem_wait(&begun);
    MUST(rondo_loop_run_in_executor(loop, pool, NULL, never, NULL, NULL, &self->g));
    MUST(rondo_loop_run_in_executor(loop, pool, NULL, last, NULL, NULL, &third));
    once = cancelled(self->g);
    say("queued: %s again: %s", once, cancelled(self->g));
    say("running: %s", cancelled(self->f));
    for (self->i = 0; self->i < 3; self->i++)
        RONDO_SLEEP(self, 0);
    outcome("queued", self->g);
    outcome("running", self->f);
    sem_post(&go_on);
    RONDO_AWAIT_MOVED(self, third);
    say("%s", text(sent));
    MUST(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    MUST(rondo_executor_release(pool));
    MUST(rondo_future_release(self->f));
    MUST(rondo_future_release(self->g));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    sem_init(&begun, 0, 0);
    sem_init(&go_on, 0, 0);
    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
