/*
 * Coroutines with rondo: tasks from rondo_loop_spawn(), bodies written with the macros of async.h.
 *
 * Frames are the program's own: in "spawn" each is allocated and its drop frees it, as C++ does with
 * coroutine frames; in "bytes" they are allocated and touched before the weighing, which is to weigh
 * what the library adds.
 */
#include "tasks.h"

#include <rondo.h>

static rondo_loop *loop;
static long running;
static rondo_status failed;

static void one_done(void)
{
    if (--running == 0)
        failed |= rondo_loop_stop(loop);
}

static void run_until_done(void)
{
    BENCH_CHECK(rondo_loop_run_forever(loop) == RONDO_OK && failed == RONDO_OK && running == 0);
}

/* ---- await ---------------------------------------------------------------------------------- */

struct player {
    RONDO_FRAME;
    rondo_future *awaited; /* the reference belongs to the await */
    struct player *other;
    long turns;
};

RONDO_STEP(play)
{
    struct player *self = frame;

    RONDO_BEGIN(self);
    for (; self->turns > 0; self->turns--) {
        failed |= rondo_future_new(loop, &self->awaited);
        if (self->other->awaited != NULL)
            failed |= rondo_future_set_result(self->other->awaited, NULL, NULL);
        RONDO_AWAIT_MOVED(self, self->awaited);
    }
    self->awaited = NULL;
    if (self->other->awaited != NULL)
        failed |= rondo_future_set_result(self->other->awaited, NULL, NULL);
    one_done();
    RONDO_END(self);
}

static void await_in_turns(long count)
{
    struct player players[2] = { { .other = &players[1], .turns = count / 2 },
                                 { .other = &players[0], .turns = count / 2 } };
    int i;

    running = 2;
    for (i = 0; i < 2; i++)
        failed |= rondo_loop_spawn(loop, play, &players[i], NULL, NULL, NULL);
    run_until_done();
}

/* ---- spawn ---------------------------------------------------------------------------------- */

struct visitor {
    RONDO_FRAME;
};

static long to_start;

static void spawn_visitors(void *arg);

RONDO_STEP(visit)
{
    struct visitor *self = frame;

    RONDO_BEGIN(self);
    RONDO_YIELD(self);
    if (--running == 0)
        failed |= rondo_loop_call_soon(loop, spawn_visitors, NULL, NULL, NULL);
    RONDO_END(self);
}

static void spawn_visitors(void *arg)
{
    long i;

    (void)arg;
    if (to_start <= 0) {
        failed |= rondo_loop_stop(loop);
        return;
    }
    running = ALIVE;
    to_start -= ALIVE;
    for (i = 0; i < ALIVE; i++) {
        struct visitor *visitor = calloc(1, sizeof *visitor);
        BENCH_CHECK(visitor != NULL);
        failed |= rondo_loop_spawn(loop, visit, visitor, free, NULL, NULL);
    }
}

static void spawn_all(long count)
{
    to_start = count;
    failed |= rondo_loop_call_soon(loop, spawn_visitors, NULL, NULL, NULL);
    run_until_done();
}

/* ---- bytes ---------------------------------------------------------------------------------- */

struct sleeper {
    RONDO_FRAME;
};

static struct sleeper *sleepers;
static rondo_future *gate;

RONDO_STEP(sleep_at_gate)
{
    struct sleeper *self = frame;

    RONDO_BEGIN(self);
    RONDO_AWAIT(self, gate);
    one_done();
    RONDO_END(self);
}

/* A thousand at a time, so that the queue of calls does not grow to a million, too. */
static void suspend_all(long count)
{
    long i;

    running = count;
    for (i = 0; i < count; i++) {
        failed |= rondo_loop_spawn(loop, sleep_at_gate, &sleepers[i], NULL, NULL, NULL);
        if (i % ALIVE == ALIVE - 1 || i == count - 1) {
            failed |= rondo_loop_stop(loop); /* before a run it means: one pass */
            failed |= rondo_loop_run_forever(loop);
        }
    }
}

static void wake_all(void)
{
    failed |= rondo_future_set_result(gate, NULL, NULL);
    run_until_done();
}

static int measure_bytes(long count)
{
    sleepers = malloc((size_t)count * sizeof *sleepers);
    BENCH_CHECK(sleepers != NULL && rondo_future_new(loop, &gate) == RONDO_OK);
    memset(sleepers, 0, (size_t)count * sizeof *sleepers);
    return tasks_weigh(suspend_all, wake_all, count);
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv);

    BENCH_CHECK(rondo_loop_new(NULL, &loop) == RONDO_OK);
    if (bench_is(argv, "await"))
        return tasks_measure(await_in_turns, count);
    if (bench_is(argv, "spawn"))
        return tasks_measure(spawn_all, count);
    if (bench_is(argv, "bytes"))
        return measure_bytes(count);
    return bench_unknown(argv);
}
