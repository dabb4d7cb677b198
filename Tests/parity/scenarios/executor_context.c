/* Context variables: run_in_executor takes none along, to_thread a copy. */
#include "parity.h"

static rondo_contextvar *var;

static rondo_status see(rondo_job *job, void *arg)
{
    void *value = NULL;

    (void)arg;
    MUST(rondo_contextvar_get(var, &value));
    return rondo_job_return(job, value, NULL);
}

static rondo_status see_and_set(rondo_job *job, void *arg)
{
    rondo_status status = see(job, arg);

    MUST(rondo_contextvar_set(var, "set in the job", NULL));
    return status;
}

static rondo_future *to_thread(rondo_job_fn fn)
{
    rondo_future *future = NULL;

    MUST(rondo_loop_to_thread(loop, fn, NULL, NULL, &future));
    return future;
}

RONDO_STEP(main_step)
{
    void *value = NULL;

    SELF;
    MUST(rondo_contextvar_set(var, "main's", NULL));
    RONDO_AWAIT_MOVED(self, to_thread(see_and_set));
    say("to_thread sees %s", text(sent));
    MUST(rondo_contextvar_get(var, &value));
    say("main sees %s", text(value));
    MUST(rondo_loop_run_in_executor(loop, NULL, NULL, see, NULL, NULL, &self->f));
    RONDO_AWAIT_MOVED(self, self->f);
    say("run_in_executor sees %s", text(sent));
    RONDO_AWAIT_MOVED(self, to_thread(see));
    say("to_thread sees %s", text(sent));
    MUST(rondo_loop_shutdown_default_executor(loop, RONDO_NEVER, &self->f));
    RONDO_AWAIT_MOVED(self, self->f);
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    MUST(rondo_contextvar_new("var", "default", &var));
    run(main_step, &frame);
    MUST(rondo_contextvar_release(var));
    return finish();
}
