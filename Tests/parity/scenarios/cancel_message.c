/* cancel(message) arrives as it was given, through nested awaits (C-20), also before the first step. */
#include "parity.h"

RONDO_STEP(inner)
{
    SELF;
    say("inner waits");
    self->f = new_future();
    RONDO_TRY_AWAIT_MOVED(self, self->f);
    say_error("inner", thrown);
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

RONDO_STEP(outer)
{
    static struct frame frame_of_inner;

    SELF;
    RONDO_TRY_AWAIT_MOVED(self, new_coroutine("inner", inner, &frame_of_inner));
    say_error("outer", thrown);
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

static int cancel(rondo_task *task, const char *message)
{
    return rondo_task_cancel(task, message, NULL) == RONDO_OK;
}

RONDO_STEP(main_step)
{
    static struct frame first, second;
    uint32_t count = 99;
    int asked;

    SELF;
    self->t = spawn(outer, &first);
    RONDO_SLEEP(self, 0);
    asked = cancel(self->t, "enough");
    MUST(rondo_task_cancelling(self->t, &count));
    say("cancel: %d %d", asked, (int)count);
    outcome("not yet", self->t);
    RONDO_TRY_AWAIT(self, self->t);
    say_error("main", thrown);
    outcome("task", self->t);
    say("cancel of done: %d", cancel(self->t, NULL));
    MUST(rondo_task_release(self->t));
    self->t = spawn(outer, &second);
    (void)cancel(self->t, NULL);
    RONDO_TRY_AWAIT_MOVED(self, self->t);
    say_error("main", thrown);
    say("outer never started");
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
