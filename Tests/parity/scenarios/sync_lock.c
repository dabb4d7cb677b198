/* Lock: in order, nobody pushes in, wake-ups are handed on (S-03, S-04, S-05). */
#include "told.h"

static rondo_lock *lock;
static rondo_task *tasks[3];

static void renew(const char *name)
{
    part(name);
    rondo_lock_release(lock);
    MUST(rondo_lock_new(loop, &lock));
}

static void three(void)
{
    static const char *const names[] = { "a", "b", "c" };

    for (int i = 0; i < 3; i++)
        tasks[i] = tell(names[i], CO(rondo_lock_acquire, lock));
}

#define CONTENDED(name)                                                                           \
    renew(name);                                                                                  \
    RONDO_AWAIT(self, CO(rondo_lock_acquire, lock))

RONDO_STEP(main_step)
{
    SELF;
    CONTENDED("in order");
    three();
    PASSES(1);
    for (self->n = 0; self->n < 3; self->n++) {
        MUST(rondo_lock_unlock(lock));
        PASSES(2);
    }
    CONTENDED("late");
    three();
    PASSES(1);
    MUST(rondo_lock_unlock(lock));
    tell("late", CO(rondo_lock_acquire, lock));
    for (self->n = 0; self->n < 3; self->n++) {
        PASSES(1);
        MUST(rondo_lock_unlock(lock));
    }
    PASSES(2);
    CONTENDED("cancelled, then released");
    three();
    PASSES(1);
    cancel(tasks[0]);
    MUST(rondo_lock_unlock(lock));
    PASSES(4);
    CONTENDED("released, then cancelled");
    three();
    PASSES(1);
    MUST(rondo_lock_unlock(lock));
    cancel(tasks[0]);
    PASSES(1);
    cancel(tasks[1]);
    PASSES(4);
    CONTENDED("all cancelled");
    three();
    PASSES(1);
    for (int i = 0; i < 3; i++)
        cancel(tasks[i]);
    MUST(rondo_lock_unlock(lock));
    tell("late", CO(rondo_lock_acquire, lock));
    PASSES(3);
    rondo_lock_release(lock);
    RONDO_END(self);
}

int main(void)
{
    loop = new_loop();
    return run_told(main_step);
}
