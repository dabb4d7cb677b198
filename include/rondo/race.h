/* rondo/race.h - several ways to the same end, started one after the other: the first that succeeds wins. */
#ifndef RONDO_RACE_H
#define RONDO_RACE_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/**
 * Makes the coroutine of contestant number index, when its turn has come.
 *
 * A status that is not RONDO_OK is the contestant's failure. The coroutine moves to the library.
 */
typedef rondo_status (*rondo_race_fn)(size_t index, void *arg, rondo_coroutine **out_coroutine);

/**
 * How a race ended: the value of the coroutine of rondo_staggered_race(), borrowed as any value is.
 * It cannot be taken: rondo_coroutine_take_sent() and rondo_future_take_result() refuse.
 */
typedef struct rondo_race_result {
    /** The winner's value, or NULL. */
    void *value;
    /** The number of the winner, or -1. */
    int64_t winner;
    /** How many contestants were started: 0 to started - 1. */
    size_t started;
    /** What each of them failed with; NULL for the winner. Borrowed as the result is. */
    rondo_error *const *errors;
} rondo_race_result;

/**
 * Make a coroutine that starts contestants one after the other until one succeeds (asyncio.staggered).
 *
 * Number 0 starts at once, and each next one delay_ns after the one before it was started, or as
 * soon as that has failed. The first that returns wins; the others are cancelled, and waited for.
 * Each runs in a task of its own, in the cancel scope of the task that awaits the coroutine.
 *
 * The coroutine's value is a const rondo_race_result *, also if nobody wins: no failure of a
 * contestant is raised, but RONDO_E_INTERRUPTED and RONDO_E_EXIT. Cancelled, it cancels every
 * contestant, waits for them, and raises that cancellation.
 *
 * @param count    How many contestants there are.
 * @param delay_ns RONDO_NEVER: the next one starts only when the one before has failed. Zero or
 *                 less: one pass or two after it.
 * @param fn       Called in the task of the contestant; never more than once for an index.
 * @param arg      Moves on every return.
 * @param drop     NULL, or called once with @p arg after the last possible @p fn.
 * @return RONDO_OK, -EINVAL (count too large, NULL) or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_staggered_race(size_t count, int64_t delay_ns, rondo_race_fn fn, void *arg,
                                  rondo_drop_fn drop, rondo_coroutine **out_coroutine);

RONDO_END_DECLS
#endif
