/* Runner.close(): what runs left goes on in the next run, and is cancelled and awaited at the close. */
#include "parity.h"

RONDO_STEP(background)
{
    SELF;
    MUST(rondo_future_new(rondo_running_loop(), &self->f));
    RONDO_TRY_AWAIT_MOVED(self, self->f);
    say("%s cancelled", self->name);
    for (self->i = 0; self->i < self->n; self->i++)
        RONDO_SLEEP(self, 0);
    say("%s cleaned up", self->name);
    RONDO_RAISE(1, "at the close");
    RONDO_END(self);
}

RONDO_STEP(counts)
{
    SELF;
    for (self->i = 0; self->i < 4; self->i++) {
        say("count %d", self->i);
        RONDO_SLEEP(self, 0);
    }
    RONDO_END(self);
}

RONDO_STEP(first)
{
    static struct frame one = { .name = "one", .n = 2 }, three;

    SELF;
    loop = rondo_running_loop();
    MUST(rondo_loop_set_exception_handler(loop, print_report, NULL, NULL));
    MUST(rondo_task_release(spawn(background, &one)));
    MUST(rondo_task_release(spawn(counts, &three)));
    RONDO_SLEEP(self, 0);
    say("first done");
    RONDO_END(self);
}

RONDO_STEP(second)
{
    SELF;
    RONDO_SLEEP(self, 0);
    say("second done");
    RONDO_END(self);
}

RONDO_STEP(stops)
{
    SELF;
    MUST(rondo_loop_stop(rondo_running_loop()));
    MUST(rondo_future_new(rondo_running_loop(), &self->f));
    RONDO_TRY_AWAIT_MOVED(self, self->f);
    say("stopped main cancelled");
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

int main(void)
{
    static struct frame frames[4];
    rondo_runner *runner = NULL;

    alarm(30);
    MUST(rondo_runner_new(NULL, &runner));
    MUST(rondo_runner_run(runner, new_coroutine("first", first, &frames[0]), NULL, NULL));
    say("between");
    MUST(rondo_runner_run(runner, new_coroutine("second", second, &frames[1]), NULL, NULL));
    say("closing");
    MUST(rondo_runner_close(runner));
    MUST(rondo_runner_release(runner));
    MUST(rondo_runner_new(NULL, &runner));
    attempt("stopped", rondo_runner_run(runner, new_coroutine("stops", stops, &frames[2]), NULL, NULL));
    MUST(rondo_runner_run(runner, new_coroutine("second", second, &frames[3]), NULL, NULL));
    say("closing");
    MUST(rondo_runner_close(runner));
    say("closed");
    MUST(rondo_runner_release(runner));
    return 0;
}
