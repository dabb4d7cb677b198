/* shield: the outside is cancelled alone, the inside takes the outside along (G-12, G-13). */
#include "parity.h"

/* f is the inside, g the shield. */
static void renew(struct frame *self)
{
    rondo_future_release(self->f);
    rondo_future_release(self->g);
    self->f = new_future();
    MUST(rondo_shield(loop, self->f, &self->g));
}

RONDO_STEP(main_step)
{
    SELF;
    renew(self);
    say("cancel: %d", rondo_future_cancel(self->g, NULL, NULL) == RONDO_OK);
    outcome("outer", self->g);
    outcome("inner", self->f);
    set(self->f, "kept");
    RONDO_SLEEP(self, 0);
    outcome("inner", self->f);
    renew(self);
    MUST(rondo_future_cancel(self->f, NULL, NULL));
    RONDO_SLEEP(self, 0);
    outcome("outer", self->g);
    renew(self);
    fail(self->f, "through");
    outcome("outer", self->g);
    RONDO_SLEEP(self, 0);
    outcome("outer", self->g);
    renew(self);
    set(self->f, "x");
    RONDO_SLEEP(self, 0);
    outcome("outer", self->g);
    MUST(rondo_future_release(self->f));
    MUST(rondo_future_release(self->g));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
