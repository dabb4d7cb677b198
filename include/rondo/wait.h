/*
 * rondo/wait.h - sleep, gather, shield, wait_for, wait, as_completed, timeouts.
 *
 * gather, shield and rondo_ensure_future() make a future at once; sleep, wait_for, wait and what as_completed
 * gives are coroutines, to be awaited in a task.
 *
 * TIMEOUTS. rondo_wait_for() is a deadline for one wait. A deadline for a part of a task with any number of
 * waits in it is a timeout, which the task enters and leaves: rondo_timeout_new(), and the macros
 * RONDO_TIMEOUT_ENTER and RONDO_TIMEOUT_EXIT of rondo/async.h. When the time is over the task is
 * cancelled, and at the end of the part that cancellation becomes RONDO_E_TIMEOUT. rondo_wait() and
 * as_completed cancel nothing when their time is over.
 */
#ifndef RONDO_WAIT_H
#define RONDO_WAIT_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** Failures are results: nothing is raised and nothing is cut short. */
#define RONDO_GATHER_RETURN_EXCEPTIONS 0x1

/** Wait until every one is done. */
#define RONDO_WAIT_ALL_COMPLETED 0
/** Wait until at least one is done. */
#define RONDO_WAIT_FIRST_COMPLETED 1
/** Wait until one has failed (not: was cancelled), or every one is done. */
#define RONDO_WAIT_FIRST_EXCEPTION 2

/**
 * Make a coroutine that sleeps and then returns value (asyncio.sleep).
 *
 * @param delay_ns Zero or less: exactly one pass of the loop.
 * @return RONDO_OK or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:value  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_sleep(int64_t delay_ns, void *value, rondo_drop_fn drop,
                         rondo_coroutine **out_coroutine);

/**
 * Make a future or task of an awaitable: a future or task gives itself, a coroutine a new task.
 *
 * @param awaitable Coroutines move on every return; futures and tasks are borrowed.
 * @return RONDO_OK, RONDO_E_TYPE ("An asyncio.Future, a coroutine or an awaitable is required"),
 *         RONDO_E_WRONG_LOOP, RONDO_E_ALREADY_AWAITED, RONDO_E_LOOP_CLOSED or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  moves:awaitable (coroutines)  owns:out_future(rondo_future_release)  since:0.1
 */
rondo_status rondo_ensure_future(rondo_loop *loop, rondo_awaitable *awaitable,
                                 rondo_future **out_future);
/** Return 1 for a future or a task, else 0 (isfuture()).
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_awaitable_is_future(const rondo_awaitable *awaitable);
/** Return 1 for a coroutine object, else 0 (iscoroutine()).
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_awaitable_is_coroutine(const rondo_awaitable *awaitable);

/**
 * Wait for all of them; the result is their results, in the order of the arguments.
 *
 * The value of the future is a void *const * of count results, borrowed until the future is
 * released; rondo_gather_get_result() reads them one by one. The first failure is raised by the
 * future while the others run on, unless RONDO_GATHER_RETURN_EXCEPTIONS. Cancelling it cancels
 * every child. The same awaitable given twice is awaited once. count 0 is done at once.
 *
 * @param awaitables Futures and tasks are borrowed; coroutines move on every return.
 * @param flags      RONDO_GATHER_ flags.
 * @return RONDO_OK, -EINVAL (count too large, unknown flags), RONDO_E_TYPE, RONDO_E_WRONG_LOOP,
 *         RONDO_E_ALREADY_AWAITED, RONDO_E_LOOP_CLOSED or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  moves:awaitables (coroutines)  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_gather(rondo_loop *loop, rondo_awaitable *const *awaitables, size_t count,
                          uint32_t flags, rondo_future **out_future);
/** Tell how many children a gather has.
 * @return RONDO_OK or RONDO_E_TYPE (not a gather).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_gather_get_count(rondo_future *gather, size_t *out_count);
/** Read child index as rondo_future_result() does.
 * @return As rondo_future_result(); RONDO_E_TYPE (not a gather), -ERANGE (index).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:out_value(until the gather is released)  since:0.1 */
rondo_status rondo_gather_get_result(rondo_future *gather, size_t index, void **out_value);
/** Read child index as rondo_future_exception() does; a cancelled child gives its cancellation.
 * @return RONDO_OK, RONDO_E_INVALID_STATE, RONDO_E_TYPE or -ERANGE.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_error(rondo_error_release)  since:0.1 */
rondo_status rondo_gather_get_exception(rondo_future *gather, size_t index,
                                        rondo_error **out_error);

/**
 * Wait for awaitable, but do not pass cancellation on to it.
 *
 * An error that it raises after the shield was cancelled goes to the exception handler once.
 *
 * @param awaitable Coroutines move on every return.
 * @return As rondo_ensure_future().
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  moves:awaitable (coroutines)  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_shield(rondo_loop *loop, rondo_awaitable *awaitable, rondo_future **out_future);

/**
 * Make a coroutine that awaits awaitable, in the task that awaits the coroutine, for timeout_ns.
 *
 * When the time is over it cancels the awaitable, waits until it has ended, and raises
 * RONDO_E_TIMEOUT, unless it ended with a result or another error. Its value is the awaitable's; that of a future
 * that somebody else holds stays with it.
 *
 * @param awaitable  Futures and tasks are retained; coroutines move on every return.
 * @param timeout_ns Zero or less: what is not done is cancelled at once, a coroutine never starts;
 *                   RONDO_NEVER: no limit.
 * @return RONDO_OK, RONDO_E_TYPE, RONDO_E_ALREADY_AWAITED or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:awaitable (coroutines)  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_wait_for(rondo_awaitable *awaitable, int64_t timeout_ns,
                            rondo_coroutine **out_coroutine);

/* ---- several at once ----------------------------------------------------------------------- */

/**
 * Make a coroutine that waits for some of several futures and tasks (asyncio.wait).
 *
 * Its value is how many are done when its awaiter goes on, as a number: (uintptr_t)sent. Which
 * ones, rondo_future_is_done() tells; more may have ended in the pass in between, and those count.
 * The end of the time is no failure, and nothing is ever cancelled: neither when the time is over
 * nor when the waiting task is cancelled. The same one given twice counts once.
 *
 * @param awaitables  Futures and tasks of this loop. They are kept until the coroutine ends. A
 *                    coroutine is refused and stays the caller's ("Passing coroutines is forbidden,
 *                    use tasks explicitly.").
 * @param count       How many; at least 1.
 * @param timeout_ns  Counted from the await; zero or less: until the next pass; RONDO_NEVER: no limit.
 * @param return_when RONDO_WAIT_.
 * @return RONDO_OK, -EINVAL (count, return_when), RONDO_E_TYPE, RONDO_E_WRONG_LOOP,
 *         RONDO_E_LOOP_CLOSED or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_wait(rondo_loop *loop, rondo_awaitable *const *awaitables, size_t count,
                        int64_t timeout_ns, int32_t return_when, rondo_coroutine **out_coroutine);

/**
 * Make an iterator over outcomes in the order in which they come (asyncio.as_completed).
 *
 * Coroutines become tasks now. The same awaitable given twice is awaited once and comes once.
 * Releasing the iterator cancels nothing.
 *
 * @param awaitables Futures and tasks are retained; coroutines move on every return.
 * @param count      How many; with 0 there is no next one.
 * @param timeout_ns From now. Then every one that is still missing comes as RONDO_E_TIMEOUT, and
 *                   none of them is cancelled. RONDO_NEVER: no limit.
 * @return As rondo_gather().
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:callbacks (eager: first steps)  moves:awaitables (coroutines)  owns:out_iterator(rondo_as_completed_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_as_completed_new(rondo_loop *loop, rondo_awaitable *const *awaitables,
                                    size_t count, int64_t timeout_ns,
                                    rondo_as_completed **out_iterator);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_as_completed_retain(rondo_as_completed *iterator);
/** Give a reference back. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:drop,callbacks (the exception handler)  since:0.1 */
rondo_status rondo_as_completed_release(rondo_as_completed *iterator);
/**
 * Make a coroutine that waits for the next one that ends and returns or raises what that did.
 *
 * The k-th coroutine to be awaited gets the k-th outcome. Cancelled while it waits, it takes none.
 *
 * @return RONDO_OK; RONDO_E_STOP_ITERATION (each had its turn); -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_as_completed_next(rondo_as_completed *iterator, rondo_coroutine **out_coroutine);
/** As rondo_as_completed_next(), but its value is the future or task itself, which is done (async for).
 *
 * The value is a rondo_future *: the one that was given, or the task that was made of a coroutine.
 * It is borrowed as any value is; taken with rondo_coroutine_take_sent(), release it.
 * @return As rondo_as_completed_next().
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1 */
rondo_status rondo_as_completed_next_future(rondo_as_completed *iterator,
                                            rondo_coroutine **out_coroutine);

/* ---- timeouts ------------------------------------------------------------------------------ */

/**
 * Make a timeout: a deadline for a part of a task (asyncio.timeout).
 *
 * The part begins with rondo_timeout_enter() and ends with rondo_timeout_exit(), both called by
 * the task's own body. When the time is over the task is cancelled; exit turns that cancellation,
 * and no other, into RONDO_E_TIMEOUT. A timeout is used once; they may be nested.
 *
 * @param delay_ns From now, not from entering. Zero or less: due in the pass after entering, so a
 *                 part that does not wait is not cut short. RONDO_NEVER: no limit yet.
 * @return RONDO_OK, RONDO_E_LOOP_CLOSED or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_timeout(rondo_timeout_release)  since:0.1
 */
rondo_status rondo_timeout_new(rondo_loop *loop, int64_t delay_ns, rondo_timeout **out_timeout);
/** As rondo_timeout_new(), at a point in time (asyncio.timeout_at); see rondo_loop_time().
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_timeout(rondo_timeout_release)  since:0.1 */
rondo_status rondo_timeout_new_at(rondo_loop *loop, int64_t when_ns, rondo_timeout **out_timeout);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_timeout_retain(rondo_timeout *timeout);
/** Give a reference back. NULL is a no-op. One that is entered and not left still fires.
 * @par Contract
 * thread:any  blocks:no  reenters:drop,callbacks (the exception handler)  since:0.1 */
rondo_status rondo_timeout_release(rondo_timeout *timeout);
/** Begin the part, in the task that is running.
 * @return RONDO_OK; RONDO_E_RUNTIME ("Timeout has already been entered", "Timeout should be used
 *         inside a task"); RONDO_E_LOOP_CLOSED; -ENOMEM, and it is not entered.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_timeout_enter(rondo_timeout *timeout);
/**
 * End the part, and say what to raise for the error that leaves it.
 *
 * If the time was over and nobody else asked for the task's cancellation, a cancellation becomes
 * RONDO_E_TIMEOUT with it as cause. Everything else passes, also what was raised or returned
 * instead of the cancellation. Works on a closed loop, too.
 *
 * @param thrown    NULL if the part was left normally, else the error that leaves it.
 * @param out_error NULL, or what to raise from here; NULL is written for nothing.
 * @return RONDO_OK, or RONDO_E_RUNTIME (not entered, or left before).
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_error(rondo_error_release)  since:0.1
 */
rondo_status rondo_timeout_exit(rondo_timeout *timeout, rondo_error *thrown,
                                rondo_error **out_error);
/** Move the deadline of a timeout that is entered; what is not to come fires in the next pass.
 * @param when_ns A point in time; RONDO_NEVER: no limit.
 * @return RONDO_OK; RONDO_E_RUNTIME ("Timeout has not been entered", "Cannot change state of
 *         finished Timeout", also if it is expiring or expired); RONDO_E_LOOP_CLOSED; -ENOMEM, and
 *         the deadline is the old one.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_timeout_reschedule(rondo_timeout *timeout, int64_t when_ns);
/** Tell the deadline; RONDO_NEVER if there is none.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_timeout_get_when(const rondo_timeout *timeout, int64_t *out_when_ns);
/** Return 1 if the time was over before the part was left, else 0.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_timeout_is_expired(const rondo_timeout *timeout);

RONDO_END_DECLS
#endif
