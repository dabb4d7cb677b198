/* What cannot be yielded or awaited in a task is thrown in there (K-04, K-05). */
#include "parity.h"

RONDO_STEP(once)
{
    SELF;
    say("once");
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static struct frame inner;

    SELF;
    RONDO_TRY(self, rondo_coroutine_yield(co, "text"));
    if (thrown != NULL)
        say("bad yield: %s %d", class_of(rondo_error_get_status(thrown)),
            strstr(rondo_error_get_message(thrown), "Task got bad yield") != NULL);
    self->c = new_coroutine("once", once, &inner);
    /* Each of the two awaits moves a reference; the third is let go of below. */
    MUST(rondo_coroutine_retain(self->c));
    MUST(rondo_coroutine_retain(self->c));
    RONDO_AWAIT(self, self->c);
    RONDO_TRY_AWAIT(self, self->c);
    if (thrown != NULL)
        say_error("again", thrown);
    MUST(rondo_coroutine_release(self->c));
    RONDO_SLEEP(self, 0);
    say("goes on");
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
