/* rondo/debug.h - watching a loop, what is alive, and the library's own alarm. */
#ifndef RONDO_DEBUG_H
#define RONDO_DEBUG_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/*
 * DEBUG MODE. It is on for loops that are made with RONDO_LOOP_DEBUG, or while RONDO_DEBUG is set; for the
 * loop of a run whose options say so; and where rondo_loop_set_debug() switched it on. In debug mode
 *
 *   origins    objects record the calls that made them, and reports tell them: see rondo/origin.h
 *   slowness   callbacks and polls that take long are logged: rondo_loop_set_slow_callback_duration()
 *   stalls     a thread tells where a callback hangs: rondo_loop_set_watchdog()
 *   threads    calls from a wrong thread are logged; they are refused in any case
 *   leaks      loops that nobody closed are logged
 *
 * ENVIRONMENT. These variables are looked at:
 *
 *   RONDO_DEBUG       anything but "0" and nothing: loops are in debug mode
 *   RONDO_SEED        the seed of loops that are made without one: see rondo/replay.h
 *   RONDO_FAIL_ON     which reports are the end of the process: see below
 *   RONDO_SYMBOLIZER  if it is "none", reports have no files and lines: see rondo/origin.h
 *
 * RONDO_FAIL_ON. In a test what the library only reports can be the end of the process: the environment
 * variable RONDO_FAIL_ON holds names with commas between, and the first report of such a kind is
 * followed by one line on stderr and abort().
 *
 *   unretrieved  an exception of a future or task that nobody read
 *   unawaited    a coroutine that was never awaited
 *   leaked       a task that is destroyed while it is pending, a loop that nobody closed, an asynchronous
 *                generator that is dropped half-way after its loop
 *   blocked      a slow callback (debug mode), a stall (see rondo_loop_set_watchdog)
 *   wrongthread  a call that was refused with RONDO_E_WRONG_THREAD, in debug mode or not
 *
 * The variable is read once; what is unknown in it is ignored. A program with rights that its caller lacks
 * (set-user-ID, set-group-ID, file capabilities) heeds none of the variables that begin with RONDO_.
 */

/**
 * Set from which duration on debug mode logs a callback, a step of a task or a poll as slow.
 *
 * A warning "Executing <Handle ...> took 0.120 seconds" is written after each such call. A poll is
 * logged if it took that much longer than it was asked to: "poll 25.000 ms took 130.123 ms: 2 events",
 * at level INFO from one second on, else DEBUG. 0 means all of them. From 100 ms on callbacks are timed
 * by the kernel's coarse clock: what is told may be up to 10 ms too long.
 *
 * @param loop        The loop.
 * @param duration_ns 100 ms at first; RONDO_NEVER for none.
 * @return RONDO_OK, -EINVAL (negative) or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_loop_set_slow_callback_duration(rondo_loop *loop, int64_t duration_ns);
/** Tell from which duration on a callback is slow.
 * @return RONDO_OK, -EINVAL or RONDO_E_LOOP_CLOSED.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_loop_get_slow_callback_duration(rondo_loop *loop, int64_t *out_duration_ns);

/**
 * Let a thread watch the loop's: if one callback runs for longer than this, log where it is meanwhile.
 *
 * Once a stall, that thread logs a warning with the stack of the loop's thread. For that the thread gets a real-time
 * signal that the program has no handler for and does not block; if there is none, the warning says
 * so. The signal can end a sleep early, as any signal that is handled. The watching thread starts with the next
 * pass and ends with the loop.
 *
 * @param loop         The loop.
 * @param threshold_ns 0, as at first: one second in debug mode, else off. RONDO_NEVER: off.
 * @return RONDO_OK, -EINVAL (negative) or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_loop_set_watchdog(rondo_loop *loop, int64_t threshold_ns);

/** Return how many objects are alive in the whole process: loops, futures, tasks, handles, errors, ...
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
uint64_t rondo_debug_live(void);
/** Break one of the library's own promises on purpose: prints one sentence and aborts.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
void rondo_debug_trap(void);
/** Tell whether libffi works in this process.
 * @return RONDO_OK or -ENOSYS.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_debug_check_ffi(void);

RONDO_END_DECLS
#endif
