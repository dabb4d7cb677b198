/* rondo/replay.h - a clock of the loop's own, and an order of calls that is chosen, seeded, replayed. */
#ifndef RONDO_REPLAY_H
#define RONDO_REPLAY_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/*
 * THE VIRTUAL CLOCK. A loop made with RONDO_LOOP_VIRTUAL_CLOCK or RONDO_LOOP_MANUAL_CLOCK has a clock
 * of its own, which begins at 0 and stands still while callbacks run. Every deadline of the loop
 * (call_later, sleep, wait_for, timeouts, wait) is one of this clock, and rondo_loop_time() tells it.
 *
 * RONDO_LOOP_VIRTUAL_CLOCK jumps. Where a loop would sleep until T, it asks the kernel without
 * sleeping; if that and the other threads brought nothing, the clock becomes T at once. T is the
 * earliest deadline, or the end of rondo_loop_iterate()'s max_wait_ns if that comes before. Without
 * any deadline the loop sleeps in the kernel, as long as a descriptor is watched or rondo_loop_hold()
 * says that something will come. If not, nothing could ever wake it, and the run ends with
 * RONDO_E_DEADLOCK; the loop stays as it is and can be run again. (rondo_run()'s SIGINT and calls that
 * other threads might make do not count.) rondo_loop_drive() that finds nothing ready jumps as well.
 *
 * RONDO_LOOP_MANUAL_CLOCK moves when rondo_loop_advance() moves it, and never else. A loop with nothing
 * due sleeps in the kernel until it is moved, by another thread, or something comes; the max_wait_ns of
 * rondo_loop_iterate() is real time then.
 *
 * What has no loop keeps the real clock: waits for thread futures, rondo_loop_drive()'s max_ns.
 *
 * THE ORDER. A loop made with a seed (rondo_loop_options.seed, or RONDO_SEED in the environment) varies
 * what asyncio leaves open: the order of timers with equal deadlines, of descriptors that are ready at
 * once, and between calls that different threads made (each thread's own keep their order; what threads
 * agreed on among themselves is not seen). With RONDO_LOOP_ANY_ORDER, or RONDO_SEED=n:any, it is
 * everything: the calls of a pass run in any order (of many, within each 1,024 of them). That breaks the
 * promise that callbacks run in the order in which they were scheduled, in order to find who relies on
 * it. What a pass runs does not change, nor who is served first by a lock or queue.
 * The same program with the same seed gets the same order, and the same rondo_loop_get_schedule_hash().
 */

/** Which of the calls that are ready is next. */
#define RONDO_CHOICE_READY 1
/** Which of several timers with the same deadline is next. */
#define RONDO_CHOICE_TIMER 2
/** Which of several descriptors that are ready is next. */
#define RONDO_CHOICE_DESCRIPTOR 3
/** Which of several threads' calls is next. */
#define RONDO_CHOICE_THREAD 4

/**
 * Decides which of count things is next: 0 is the one that would be without it, count - 1 the last.
 *
 * kind is a RONDO_CHOICE_. count is 2 at least; a larger answer counts as the last. It must not use the loop.
 */
typedef uint32_t (*rondo_choice_fn)(rondo_loop *loop, int32_t kind, uint32_t count, void *arg);

/**
 * Move the loop's clock forward by delta_ns. What is due then runs in the next pass.
 *
 * A loop that sleeps wakes. On a clock that jumps this stands for time that the program itself took.
 *
 * @param delta_ns 0 or more.
 * @return RONDO_OK, -EINVAL (negative, or beyond what the clock can tell), RONDO_E_INVALID_STATE (the
 *         loop has the real clock) or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_loop_advance(rondo_loop *loop, int64_t delta_ns);

/**
 * Say that something will come from outside: a clock that jumps stands still until rondo_loop_unhold().
 *
 * Holds are counted. The library holds the clock itself while rondo_wrap_future() waits for a thread
 * and while a task waits for a thread queue or a thread event.
 * With the real clock holds change nothing.
 *
 * @return RONDO_OK or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_loop_hold(rondo_loop *loop);
/** Take back one rondo_loop_hold().
 * @return RONDO_OK, RONDO_E_INVALID_STATE (there is none) or RONDO_E_LOOP_CLOSED.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_loop_unhold(rondo_loop *loop);

/**
 * Let fn decide the order instead of the seed: to replay recorded decisions, or to go through all.
 *
 * It is asked for what the seed would decide (see above; the loop's options say how much that is).
 * From here on the loop has a schedule hash, which begins anew.
 *
 * @param fn NULL gives the decisions back to the seed.
 * @return RONDO_OK, -ENOMEM (nothing has changed) or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop  moves:arg  since:0.1
 */
rondo_status rondo_loop_set_choice(rondo_loop *loop, rondo_choice_fn fn, void *arg, rondo_drop_fn drop);

/** Tell the loop's seed; 0 if it has none.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_loop_get_seed(const rondo_loop *loop, uint64_t *out_seed);

/**
 * Tell the hash of the loop's schedule: of how many calls each pass ran, of every decision, and of the
 * time on a virtual clock. Addresses and names do not enter it.
 *
 * It can be read after close. A loop made with RONDO_LOOP_PRINT_SCHEDULE logs it as it closes, as
 * does one with a seed in debug mode: "rondo: seed=7 order=any decisions=12 schedule=09f0...".
 *
 * @return RONDO_OK, or RONDO_E_INVALID_STATE: the loop has no seed, choice function or
 *         RONDO_LOOP_PRINT_SCHEDULE.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_loop_get_schedule_hash(const rondo_loop *loop, uint64_t *out_hash);

RONDO_END_DECLS
#endif
