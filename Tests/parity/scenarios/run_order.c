/* run: main ends, what is left is cancelled and awaited, errors of it are reported. */
#include "parity.h"

RONDO_STEP(background)
{
    SELF;
    MUST(rondo_future_new(rondo_running_loop(), &self->f));
    RONDO_TRY_AWAIT_MOVED(self, self->f);
    say("background cancelled");
    RONDO_SLEEP(self, 0);
    say("background cleaned up");
    return rondo_coroutine_raise_status(co, RONDO_E_CANCELLED, NULL);
    RONDO_END(self);
}

RONDO_STEP(fails)
{
    SELF;
    MUST(rondo_future_new(rondo_running_loop(), &self->f));
    RONDO_TRY_AWAIT_MOVED(self, self->f);
    RONDO_RAISE(1, "at shutdown");
    RONDO_END(self);
}

RONDO_STEP(other)
{
    SELF;
    say("never");
    RONDO_END(self);
}

static void nested_run(void)
{
    static struct frame frame;
    rondo_status status = rondo_run(new_coroutine("other", other, &frame), NULL, NULL, NULL);

    say("nested run: %s", status == RONDO_OK ? "ok" : class_of(status));
}

RONDO_STEP(main_step)
{
    static struct frame first, second;

    SELF;
    loop = rondo_running_loop();
    MUST(rondo_loop_set_exception_handler(loop, print_report, NULL, NULL));
    MUST(rondo_task_release(spawn(background, &first)));
    MUST(rondo_task_release(spawn(fails, &second)));
    RONDO_SLEEP(self, 0);
    nested_run();
    say("main done");
    RONDO_RETURN("value");
    RONDO_END(self);
}

RONDO_STEP(raises)
{
    SELF;
    RONDO_RAISE(1, "main raises");
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame, bad;
    void *value = NULL;
    rondo_error *error = NULL;

    alarm(30);
    MUST(rondo_run(new_coroutine("main", main_step, &frame), NULL, &value, NULL));
    say("returned %s", text(value));
    if (rondo_run(new_coroutine("raises", raises, &bad), NULL, NULL, &error) == RONDO_E_RAISED)
        say("raised %s", rondo_error_get_message(error));
    MUST(rondo_error_release(error));
    attempt("outside", rondo_running_loop() != NULL ? RONDO_OK : RONDO_E_NO_LOOP);
    return 0;
}
