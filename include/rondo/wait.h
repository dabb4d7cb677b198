/* rondo/wait.h - sleep, gather, shield, wait_for. */
#ifndef RONDO_WAIT_H
#define RONDO_WAIT_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** Failures are results: nothing is raised and nothing is cut short. */
#define RONDO_GATHER_RETURN_EXCEPTIONS 0x1

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

RONDO_END_DECLS
#endif
