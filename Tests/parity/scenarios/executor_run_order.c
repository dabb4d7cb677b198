/* The end of a run: what is left is cancelled, then the default executor's jobs are waited for. */
#include "parity.h"

#include <semaphore.h>

static sem_t go_on;

static rondo_status job(rondo_job *self, void *arg)
{
    (void)self;
    (void)arg;
    sem_wait(&go_on);
    say("exec done");
    return RONDO_OK;
}

RONDO_STEP(background)
{
    SELF;
    MUST(rondo_future_new(rondo_running_loop(), &self->f));
    RONDO_TRY_AWAIT_MOVED(self, self->f);
    say("bg cancelled");
    sem_post(&go_on);
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static struct frame other;

    SELF;
    loop = rondo_running_loop();
    MUST(rondo_task_release(spawn(background, &other)));
    MUST(rondo_loop_run_in_executor(loop, NULL, NULL, job, NULL, NULL, NULL));
    RONDO_SLEEP(self, 0);
    say("main done");
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    alarm(30);
    sem_init(&go_on, 0, 0);
    MUST(rondo_run(new_coroutine("main", main_step, &frame), NULL, NULL, NULL));
    say("closed");
    return 0;
}
