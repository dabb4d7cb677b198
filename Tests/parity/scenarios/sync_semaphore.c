/* Semaphore: units in order, cancelled ones passed over, units handed on (S-16, S-20, S-21). */
#include "told.h"

static rondo_semaphore *semaphore;
static rondo_task *tasks[4];
static struct frame frames[3];

static void renew(int64_t value)
{
    rondo_semaphore_release(semaphore);
    MUST(rondo_semaphore_new(loop, value, 0, &semaphore));
}

static void four(const char *part_name)
{
    static const char *const names[] = { "a", "b", "c", "d" };

    part(part_name);
    renew(0);
    for (int i = 0; i < 4; i++)
        tasks[i] = tell(names[i], CO(rondo_semaphore_acquire, semaphore));
}

static void post(void)
{
    MUST(rondo_semaphore_post(semaphore));
}

static void say_locked(void)
{
    say("locked %d", rondo_semaphore_is_locked(semaphore));
}

RONDO_STEP(twice_step)
{
    SELF;
    for (self->n = 1; self->n <= 2; self->n++) {
        RONDO_AWAIT(self, CO(rondo_semaphore_acquire, semaphore));
        say("%d %s_%d", ticks, self->name, self->n);
        PASSES(1);
        post();
        PASSES(1);
    }
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static const char *const names[] = { "c1", "c2", "c3" };

    SELF;
    four("two cancelled");
    PASSES(1);
    cancel(tasks[0]);
    cancel(tasks[1]);
    post();
    say_locked();
    PASSES(3);
    four("given, then cancelled");
    PASSES(1);
    post();
    cancel(tasks[0]);
    PASSES(3);
    tell("late", CO(rondo_semaphore_acquire, semaphore));
    post();
    post();
    cancel(tasks[2]);
    say_locked();
    PASSES(1);
    post();
    PASSES(3);
    say_locked();
    four("more than there are");
    PASSES(1);
    for (int i = 0; i < 6; i++)
        post();
    say_locked();
    tell("late", CO(rondo_semaphore_acquire, semaphore));
    PASSES(2);
    say_locked();
    part("by turns");
    renew(1);
    for (int i = 0; i < 3; i++) {
        frames[i].name = names[i];
        tell(names[i], new_coroutine("twice", twice_step, &frames[i]));
    }
    PASSES(20);
    MUST(rondo_semaphore_release(semaphore));
    RONDO_END(self);
}

int main(void)
{
    loop = new_loop();
    return run_told(main_step);
}
