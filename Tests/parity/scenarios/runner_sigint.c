/* SIGINT in the runs of a runner: the first cancels main, the second ends the run. */
#include "parity.h"

#include <signal.h>

static rondo_runner *runner;

static int mode_is(struct frame *self, const char *mode)
{
    return strcmp(self->name, mode) == 0;
}

static void interrupt(void *arg)
{
    (void)arg;
    kill(getpid(), SIGINT);
}

static rondo_task *current(void)
{
    rondo_task *task = NULL;

    MUST(rondo_current_task(NULL, &task));
    return task;
}

RONDO_STEP(interrupted)
{
    SELF;
    kill(getpid(), SIGINT);
    MUST(rondo_future_new(rondo_running_loop(), &self->f));
    RONDO_TRY_AWAIT_MOVED(self, self->f);
    say("%s: cancelled", self->name);
    if (mode_is(self, "swallows"))
        RONDO_RETURN("value");
    if (mode_is(self, "uncancels"))
        MUST(rondo_task_uncancel(current(), NULL));
    if (mode_is(self, "twice cancelled"))
        MUST(rondo_task_cancel(current(), NULL, NULL));
    RONDO_SLEEP(self, 0);
    say("%s: cleaned up", self->name);
    if (mode_is(self, "twice")) {
        MUST(rondo_loop_call_soon(rondo_running_loop(), interrupt, NULL, NULL, NULL));
        MUST(rondo_loop_call_soon(rondo_running_loop(), say_arg, "twice: after the interrupt", NULL, NULL));
        MUST(rondo_future_new(rondo_running_loop(), &self->f));
        RONDO_TRY_AWAIT_MOVED(self, self->f);
        say("%s: cancelled by the close", self->name);
        return rondo_coroutine_raise(co, thrown);
    }
    return rondo_coroutine_raise_status(co, RONDO_E_CANCELLED, NULL);
    RONDO_END(self);
}

static void run_mode(const char *mode)
{
    static struct frame frames[6];
    static int count;
    struct frame *frame = &frames[count++];
    void *value = NULL;

    frame->name = mode;
    switch (rondo_runner_run(runner, new_coroutine("interrupted", interrupted, frame), &value, NULL)) {
    case RONDO_OK: say("%s: returned %s", mode, text(value)); break;
    case RONDO_E_INTERRUPTED: say("%s: KeyboardInterrupt", mode); break;
    case RONDO_E_CANCELLED: say("%s: CancelledError", mode); break;
    default: say("%s: something else", mode);
    }
}

int main(void)
{
    alarm(30);
    signal(SIGINT, SIG_DFL);
    MUST(rondo_runner_new(NULL, &runner));
    run_mode("passes");
    run_mode("swallows");
    run_mode("uncancels");
    run_mode("twice cancelled");
    run_mode("passes");
    run_mode("twice");
    MUST(rondo_runner_close(runner));
    say("closed");
    MUST(rondo_runner_release(runner));
    return 0;
}
