/* Shutting executors down: what still runs, what is refused, and the default one's warning. */
#include "parity.h"

#include <errno.h>
#include <semaphore.h>

static sem_t begun, go_on;

static rondo_status waits(rondo_job *job, void *arg)
{
    (void)job;
    (void)arg;
    sem_post(&begun);
    sem_wait(&go_on);
    return RONDO_OK;
}

static rondo_status job(rondo_job *self, void *name)
{
    (void)self;
    say("runs: %s", (char *)name);
    return RONDO_OK;
}

static rondo_future *in_executor(rondo_executor *pool, rondo_job_fn fn, const char *name)
{
    rondo_future *future = NULL;

    MUST(rondo_loop_run_in_executor(loop, pool, NULL, fn, (void *)name, NULL, &future));
    return future;
}

static rondo_status refuses(void *self, rondo_job *job, int32_t lane)
{
    (void)self;
    (void)job;
    (void)lane;
    return -ENOSYS;
}

static void set_a_wrong_one(void)
{
    rondo_executor_vtable vtable = { .size = sizeof vtable, .submit = refuses };
    rondo_executor *wrong = NULL;

    MUST(rondo_executor_new_custom(&vtable, NULL, NULL, &wrong));
    attempt("set a wrong one", rondo_loop_set_default_executor(loop, wrong));
    MUST(rondo_executor_release(wrong));
}

/* The warning's first line; the others name the jobs that hang. */
static void say_warning(int32_t level, const char *message, const rondo_log_field *fields,
                        size_t field_count, void *arg)
{
    (void)level;
    (void)fields;
    (void)field_count;
    (void)arg;
    say("%.*s", (int)strcspn(message, "\n"), message);
}

RONDO_STEP(cancels)
{
    static rondo_executor *pool;
    static rondo_future *futures[3];
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = 1 };

    SELF;
    MUST(rondo_executor_new_thread_pool(&options, &pool));
    futures[0] = in_executor(pool, waits, NULL);
    sem_wait(&begun);
    for (int i = 1; i < 3; i++)
        futures[i] = in_executor(pool, job, "cancelled");
    MUST(rondo_executor_shutdown(pool, RONDO_SHUTDOWN_CANCEL, 0, NULL));
    attempt("submit after shutdown", rondo_loop_run_in_executor(loop, pool, NULL, job, "refused", NULL, NULL));
    sem_post(&go_on);
    MUST(rondo_wait(loop, (rondo_awaitable **)futures, 3, RONDO_NEVER, RONDO_WAIT_ALL_COMPLETED, &self->c));
    RONDO_AWAIT_MOVED(self, self->c);
    outcome("running", futures[0]);
    for (int i = 1; i < 3; i++)
        outcome("queued", futures[i]);
    for (int i = 0; i < 3; i++)
        MUST(rondo_future_release(futures[i]));
    MUST(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    MUST(rondo_executor_release(pool));
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static struct frame part;

    SELF;
    RONDO_AWAIT_MOVED(self, new_coroutine("cancels", cancels, &part));
    set_a_wrong_one();
    self->f = in_executor(NULL, waits, NULL);
    sem_wait(&begun);
    MUST(rondo_log_set_sink(say_warning, NULL, NULL));
    MUST(rondo_loop_shutdown_default_executor(loop, 50 * MS, &self->g));
    RONDO_AWAIT_MOVED(self, self->g);
    MUST(rondo_log_set_sink(NULL, NULL, NULL));
    outcome("hanging", self->f);
    attempt("after that", rondo_loop_run_in_executor(loop, NULL, NULL, job, "refused", NULL, NULL));
    sem_post(&go_on);
    RONDO_AWAIT(self, self->f);
    outcome("hanging", self->f);
    MUST(rondo_future_release(self->f));
    MUST(rondo_loop_shutdown_default_executor(loop, RONDO_NEVER, &self->g));
    RONDO_AWAIT_MOVED(self, self->g);
    say("twice is fine");
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
