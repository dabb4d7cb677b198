/* run_in_executor: results, exceptions, the worker's name, and the order with what a job posts. */
#define _GNU_SOURCE
#include "parity.h"

#include <pthread.h>

static rondo_status returns(rondo_job *job, void *arg)
{
    char name[16];
    static char said[32];

    (void)arg;
    pthread_getname_np(pthread_self(), name, sizeof name);
    snprintf(said, sizeof said, "from %.8s", name);
    return rondo_job_return(job, said, NULL);
}

static rondo_status raises(rondo_job *job, void *arg)
{
    rondo_error *error = new_error("in the job");

    (void)arg;
    MUST(rondo_job_raise(job, error));
    return rondo_error_release(error);
}

static void first(void *arg)
{
    (void)arg;
    say("posted by the job");
    soon(say_arg, "called by that");
}

static rondo_status posts(rondo_job *job, void *arg)
{
    (void)arg;
    MUST(rondo_loop_call_soon_threadsafe(loop, first, NULL, NULL, NULL));
    return rondo_job_return(job, "returned", NULL);
}

static rondo_future *in_executor(rondo_job_fn fn)
{
    rondo_future *future = NULL;

    MUST(rondo_loop_run_in_executor(loop, NULL, NULL, fn, NULL, NULL, &future));
    return future;
}

RONDO_STEP(main_step)
{
    SELF;
    RONDO_AWAIT_MOVED(self, in_executor(returns));
    say("%s", text(sent));
    RONDO_TRY_AWAIT_MOVED(self, in_executor(raises));
    say("raised %s", rondo_error_get_message(thrown));
    RONDO_AWAIT_MOVED(self, in_executor(posts));
    say("%s", text(sent));
    self->f = in_executor(raises);
    MUST(rondo_future_add_done_callback(self->f, say_done, "callback", NULL));
    MUST(rondo_wait(loop, (rondo_awaitable *[]){ self->f }, 1, RONDO_NEVER, RONDO_WAIT_ALL_COMPLETED, &self->c));
    RONDO_AWAIT_MOVED(self, self->c);
    outcome("waited", self->f);
    MUST(rondo_future_release(self->f));
    MUST(rondo_loop_shutdown_default_executor(loop, RONDO_NEVER, &self->f));
    RONDO_AWAIT_MOVED(self, self->f);
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    MUST(rondo_loop_close(loop, NULL));
    attempt("closed", rondo_loop_run_in_executor(loop, NULL, NULL, returns, NULL, NULL, NULL));
    MUST(rondo_loop_release(loop));
    return 0;
}
