/*
 * timers.h - the three works of this folder, done with whatever timers a contestant has.
 *
 * cancel: COUNT timers are started with deadlines between 1 s and 1,000 s, in no order, and then
 *         all cancelled, oldest first, as timeouts of requests that were answered.
 *         Nanoseconds per timer, both halves together.
 * fire:   COUNT timers are started with deadlines within 200 ms. When all are due (that wait is not
 *         counted) the loop runs until each has fired. Nanoseconds per timer, both halves together.
 * rearm:  100,000 timers stand between 1 s and 1,000 s; the first is moved COUNT times, earlier and
 *         later. Nanoseconds per move.
 *
 * A contestant includes this file and defines the functions below for a timer by its number. Timers
 * call fired(). Everything that is measured happens inside a callback of the loop, where libraries
 * that cache the time may do so, and is done twice, the second time on the clock.
 */
#ifndef BENCH_TIMERS_H
#define BENCH_TIMERS_H

#include "../bench.h"

#define STANDING 100000
#define SECOND 1000000000ll
#define FIRE_WITHIN 200000000ll
#define DELAYS 4096 /* a table for the moves, so that making them up is not measured */

/** Make room for count timers. */
static void timers_init(long count);
/** Call fn(count) once from inside the running loop, make one pass that does not sleep, return. */
static void timers_run(void (*fn)(long count), long count);
/** Start timer number i, which calls fired() when it fires. */
static void timer_start(long i, int64_t delay_ns);
/** Cancel timer number i, which has not fired, and let go of what was made for it. */
static void timer_cancel(long i);
/** Move timer number i, which has not fired. */
static void timer_move(long i, int64_t delay_ns);
/** Run the loop until timers_left is 0. */
static void timers_fire(void);

static long timers_left;
static int64_t timers_ns;          /* what the last part took */
static int timers_want_handles = 1; /* whether the work cancels or moves timers */

static inline void fired(void)
{
    timers_left--;
}

static inline int64_t timers_some_delay(uint64_t *seed, int64_t from, int64_t span)
{
    return from + (int64_t)(((__uint128_t)bench_random(seed) * (uint64_t)span) >> 64);
}

static inline void timers_do_cancel(long count)
{
    int64_t start = bench_work_now();
    uint64_t seed = 42;
    long i;

    for (i = 0; i < count; i++)
        timer_start(i, timers_some_delay(&seed, SECOND, 999 * SECOND));
    for (i = 0; i < count; i++)
        timer_cancel(i);
    timers_ns = bench_work_now() - start;
}

static inline int timers_measure_cancel(long count)
{
    timers_init(count);
    timers_run(timers_do_cancel, count);
    timers_run(timers_do_cancel, count);
    return bench_report((double)timers_ns / (double)count);
}

static inline void timers_do_start_near(long count)
{
    uint64_t seed = 42;
    long i;

    for (i = 0; i < count; i++)
        timer_start(i, timers_some_delay(&seed, 1, FIRE_WITHIN));
}

/* Those that are due before all are started may fire in the first part: both parts are counted. */
static inline int64_t timers_start_and_fire(long count)
{
    struct timespec wait = { 0, FIRE_WITHIN + 2000000 };
    int64_t start = bench_work_now(), first_part;

    timers_left = count;
    timers_run(timers_do_start_near, count);
    first_part = bench_work_now() - start;
    nanosleep(&wait, NULL);
    start = bench_work_now();
    timers_fire();
    BENCH_CHECK(timers_left == 0);
    return first_part + bench_work_now() - start;
}

static inline int timers_measure_fire(long count)
{
    timers_init(count);
    timers_want_handles = 0;
    timers_start_and_fire(count);
    return bench_report((double)timers_start_and_fire(count) / (double)count);
}

static inline void timers_do_stand(long count)
{
    uint64_t seed = 42;
    long i;

    for (i = 0; i < count; i++)
        timer_start(i, timers_some_delay(&seed, SECOND, 999 * SECOND));
}

static inline void timers_do_move(long count)
{
    static int64_t delays[DELAYS];
    uint64_t seed = 43;
    int64_t start;
    long i;

    for (i = 0; i < DELAYS; i++)
        delays[i] = timers_some_delay(&seed, SECOND, 999 * SECOND);
    start = bench_work_now();
    for (i = 0; i < count; i++)
        timer_move(0, delays[i % DELAYS]);
    timers_ns = bench_work_now() - start;
}

static inline int timers_measure_rearm(long count)
{
    timers_init(STANDING);
    timers_run(timers_do_stand, STANDING);
    timers_run(timers_do_move, count / 10 + 1);
    timers_run(timers_do_move, count);
    return bench_report((double)timers_ns / (double)count);
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv);

    if (bench_is(argv, "cancel"))
        return timers_measure_cancel(count);
    if (bench_is(argv, "fire"))
        return timers_measure_fire(count);
    if (bench_is(argv, "rearm"))
        return timers_measure_rearm(count);
    return bench_unknown(argv);
}

#endif
