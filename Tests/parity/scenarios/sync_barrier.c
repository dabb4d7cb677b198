/* Barrier: numbers and order of leaving, cancelled, reset, aborted (S-22, S-24, S-25, S-27). */
#include "told.h"

static rondo_barrier *barrier;
static rondo_task *tasks[3];

static void state(void)
{
    size_t count = 0;

    MUST(rondo_barrier_get_n_waiting(barrier, &count));
    say("waiting %d, broken %d", (int)count, rondo_barrier_is_broken(barrier));
}

/* A task for each letter. */
static void meet(const char *letters)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f" };

    for (int i = 0; letters[i] != '\0'; i++)
        tasks[i] = tell_as(names[letters[i] - 'a'], CO(rondo_barrier_wait, barrier), 1);
}

RONDO_STEP(main_step)
{
    SELF;
    part("twice");
    meet("abc");
    PASSES(1);
    state();
    meet("def");
    PASSES(6);
    part("cancelled while it fills");
    meet("ab");
    PASSES(2);
    state();
    cancel(tasks[0]);
    PASSES(2);
    state();
    meet("cd");
    PASSES(5);
    part("cancelled while it drains");
    meet("abc");
    PASSES(1);
    cancel(tasks[0]);
    PASSES(5);
    state();
    part("reset");
    meet("ab");
    PASSES(1);
    RONDO_AWAIT(self, CO(rondo_barrier_reset, barrier));
    state();
    meet("cde");
    PASSES(6);
    part("aborted");
    meet("ab");
    PASSES(1);
    RONDO_AWAIT(self, CO(rondo_barrier_abort, barrier));
    state();
    tell_as("late", CO(rondo_barrier_wait, barrier), 1);
    PASSES(5);
    RONDO_AWAIT(self, CO(rondo_barrier_reset, barrier));
    state();
    part("all leave");
    meet("ab");
    PASSES(1);
    cancel(tasks[0]);
    cancel(tasks[1]);
    meet("c");
    PASSES(4);
    state();
    MUST(rondo_barrier_release(barrier));
    RONDO_END(self);
}

int main(void)
{
    loop = new_loop();
    MUST(rondo_barrier_new(loop, 3, &barrier));
    return run_told(main_step);
}
