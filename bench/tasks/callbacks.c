/*
 * The floor of coroutines: state machines written by hand in C, on the raw ring.
 *
 * A future is a counted object on the heap with one waiter; a machine is a struct with a state and a
 * step function. Nothing can be cancelled, nothing is reported, nobody can await a machine.
 */
#include "tasks.h"
#include "../ring.h"

struct machine {
    void (*step)(void *machine);
    int state;
};

struct future {
    int references;
    int is_done;
    void *value;
    struct machine *waiter;
};

static struct ring ring;
static long running;

static struct future *future_new(void)
{
    struct future *future = malloc(sizeof *future);

    BENCH_CHECK(future != NULL);
    *future = (struct future){ .references = 1 };
    return future;
}

static void future_release(struct future *future)
{
    if (--future->references == 0)
        free(future);
}

static void future_set_result(struct future *future, void *value)
{
    future->is_done = 1;
    future->value = value;
    if (future->waiter != NULL)
        ring_push(&ring, future->waiter->step, future->waiter);
}

static void run_all(void)
{
    while (!ring_is_empty(&ring))
        ring_run_pass(&ring);
}

/* ---- await ---------------------------------------------------------------------------------- */

struct player {
    struct machine machine;
    struct future *awaited;
    struct player *other;
    long turns;
};

static void play(void *arg)
{
    struct player *self = arg;

    if (self->awaited != NULL)
        future_release(self->awaited);
    self->awaited = NULL;
    if (self->turns-- > 0) {
        self->awaited = future_new();
        self->awaited->waiter = &self->machine;
    }
    if (self->other->awaited != NULL && !self->other->awaited->is_done)
        future_set_result(self->other->awaited, NULL);
}

static void await_in_turns(long count)
{
    struct player players[2] = { { { play, 0 }, NULL, &players[1], count / 2 },
                                 { { play, 0 }, NULL, &players[0], count / 2 } };

    ring_push(&ring, play, &players[0]);
    ring_push(&ring, play, &players[1]);
    run_all();
    BENCH_CHECK(players[0].turns < 0 && players[1].turns < 0);
}

/* ---- spawn ---------------------------------------------------------------------------------- */

static void visit(void *arg)
{
    struct machine *self = arg;

    if (self->state == 0) {
        self->state = 1;
        ring_push(&ring, visit, self);
    } else {
        running--;
        free(self);
    }
}

static void spawn_all(long count)
{
    long i;

    for (; count > 0; count -= ALIVE) {
        running = ALIVE;
        for (i = 0; i < ALIVE; i++) {
            struct machine *machine = malloc(sizeof *machine);
            BENCH_CHECK(machine != NULL);
            *machine = (struct machine){ visit, 0 };
            ring_push(&ring, visit, machine);
        }
        run_all();
        BENCH_CHECK(running == 0);
    }
}

/* ---- bytes ---------------------------------------------------------------------------------- */

struct sleeper {
    struct machine machine;
    struct sleeper *next;
};

static struct sleeper *at_gate;

static void sleep_at_gate(void *arg)
{
    struct sleeper *self = arg;

    if (self->machine.state++ == 0) {
        self->next = at_gate;
        at_gate = self;
    } else {
        running--;
        free(self);
    }
}

static void suspend_all(long count)
{
    long i;

    running = count;
    for (i = 0; i < count; i++) {
        struct sleeper *sleeper = malloc(sizeof *sleeper);
        BENCH_CHECK(sleeper != NULL);
        *sleeper = (struct sleeper){ { sleep_at_gate, 0 }, NULL };
        ring_push(&ring, sleep_at_gate, sleeper);
        if (i % ALIVE == ALIVE - 1)
            run_all();
    }
    run_all();
}

static void wake_all(void)
{
    for (; at_gate != NULL; at_gate = at_gate->next)
        ring_push(&ring, sleep_at_gate, at_gate);
    run_all();
    BENCH_CHECK(running == 0);
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv);

    ring_init(&ring);
    if (bench_is(argv, "await"))
        return tasks_measure(await_in_turns, count);
    if (bench_is(argv, "spawn"))
        return tasks_measure(spawn_all, count);
    if (bench_is(argv, "bytes"))
        return tasks_weigh(suspend_all, wake_all, count);
    return bench_unknown(argv);
}
