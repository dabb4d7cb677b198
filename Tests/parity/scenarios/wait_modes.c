/* wait(): the three modes, a limit, what counts as done, what is refused (G-17 to G-21). */
#include "parity.h"

static rondo_future *a, *b, *c;
static rondo_awaitable *these[3];

static void futures(void)
{
    rondo_future_release(a);
    rondo_future_release(b);
    rondo_future_release(c);
    these[0] = a = new_future();
    these[1] = b = new_future();
    these[2] = c = new_future();
}

static struct {
    const char *label;
    size_t count;
    int64_t timeout;
    int32_t when;
} now;

static rondo_coroutine *waits(const char *label, size_t count, int64_t timeout, int32_t when)
{
    rondo_coroutine *made = NULL;

    now.label = label;
    now.count = count;
    MUST(rondo_wait(loop, these, count, timeout, when, &made));
    return made;
}

static void tell(size_t count, void *sent)
{
    say("%s: %zu done, %zu pending", now.label, (size_t)sent, count - (size_t)sent);
}

RONDO_STEP(mode)
{
    static const char *const labels[] = { "mode 0", "mode 1", "mode 2" };

    SELF;
    RONDO_AWAIT(self, waits(labels[self->n], 3, RONDO_NEVER, self->n));
    tell(3, sent);
    RONDO_END(self);
}

static void set_b(void *arg)
{
    (void)arg;
    set(b, "b");
}

RONDO_STEP(main_step)
{
    static struct frame children[3];

    SELF;
    for (self->i = 0; self->i < 3; self->i++) {
        futures();
        children[self->i].n = self->i;
        self->t = spawn(mode, &children[self->i]);
        RONDO_SLEEP(self, 0);
        MUST(rondo_future_cancel(a, NULL, NULL));
        RONDO_SLEEP(self, 0);
        RONDO_SLEEP(self, 0);
        say("waits on: %s", rondo_future_is_done(rondo_task_as_future(self->t)) ? "False" : "True");
        fail(b, "b");
        RONDO_SLEEP(self, 0);
        set(c, "c"); /* in the pass in between: it counts */
        RONDO_AWAIT_MOVED(self, self->t);
        outcome("b", b);
    }
    futures();
    set(a, "a");
    RONDO_AWAIT(self, waits("no time", 3, 0, RONDO_WAIT_ALL_COMPLETED));
    tell(3, sent);
    RONDO_AWAIT(self, waits("1 ms", 3, MS, RONDO_WAIT_ALL_COMPLETED));
    tell(3, sent);
    outcome("c", c);
    RONDO_AWAIT(self, waits("one of them", 2, RONDO_NEVER, RONDO_WAIT_FIRST_COMPLETED));
    tell(2, sent);
    these[1] = a;
    RONDO_AWAIT(self, waits("the same twice", 2, RONDO_NEVER, RONDO_WAIT_ALL_COMPLETED));
    tell(1, sent);
    these[1] = b;
    soon(set_b, NULL);
    RONDO_AWAIT(self, waits("ends with the time", 3, 0, RONDO_WAIT_ALL_COMPLETED));
    tell(3, sent);
    rondo_future_release(a);
    rondo_future_release(b);
    rondo_future_release(c);
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
