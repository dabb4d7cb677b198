/* A thread future on the loop: outcomes come over, cancelling goes back (F-16). */
#include "parity.h"

static rondo_thread_future *source;

static void renew(struct frame *self)
{
    rondo_future_release(self->f);
    rondo_thread_future_release(source);
    MUST(rondo_thread_future_new(&source));
    MUST(rondo_wrap_future(loop, source, &self->f));
}

static void say_cancel(struct frame *self)
{
    say("cancel: %d", rondo_future_cancel(self->f, NULL, NULL) == RONDO_OK);
}

RONDO_STEP(main_step)
{
    rondo_error *error;
    void *value = NULL;

    SELF;
    renew(self);
    MUST(rondo_thread_future_set_result(source, "x", NULL));
    outcome("not yet", self->f);
    RONDO_AWAIT(self, self->f);
    outcome("wrapped", self->f);
    renew(self);
    error = new_error("over");
    MUST(rondo_thread_future_set_exception(source, error));
    MUST(rondo_error_release(error));
    RONDO_TRY_AWAIT(self, self->f);
    outcome("wrapped", self->f);
    renew(self);
    say_cancel(self);
    RONDO_SLEEP(self, 0);
    say("source cancelled: %d", rondo_thread_future_is_cancelled(source));
    renew(self);
    MUST(rondo_thread_future_set_result(source, "kept", NULL));
    say_cancel(self);
    RONDO_SLEEP(self, 0);
    say("source cancelled: %d", rondo_thread_future_is_cancelled(source));
    MUST(rondo_thread_future_result(source, 0, &value));
    say("source: %s", text(value));
    outcome("wrapped", self->f);
    MUST(rondo_future_release(self->f));
    MUST(rondo_thread_future_release(source));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
