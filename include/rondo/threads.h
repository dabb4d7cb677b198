/*
 * rondo/threads.h - what other threads may do: schedule calls and coroutines, wait for results.
 *
 * A loop is for one thread. Other threads do not touch it, they leave something for it: a call with
 * rondo_loop_call_soon_threadsafe(), a coroutine with rondo_loop_run_coroutine_threadsafe(), the outcome of
 * a future with rondo_future_set_result_threadsafe(). A loop that sleeps wakes for it. What was accepted
 * runs, or is dropped when the loop is closed first.
 *
 * A thread future is a result that belongs to no loop. Any thread may wait for it, in
 * rondo_thread_future_result(); a task awaits what rondo_wrap_future() makes of it.
 *
 * Handles are retained and released by any thread. Which thread may call a function says its contract line;
 * a call from a wrong one is RONDO_E_WRONG_THREAD and changes nothing.
 */
#ifndef RONDO_THREADS_H
#define RONDO_THREADS_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/**
 * Run fn(arg) on the loop's thread in its next pass, from any thread.
 *
 * Calls made by one thread run in the order they were made. A loop asleep in the
 * kernel wakes; many calls made before it wakes cost one wake-up.
 *
 * @param fn         Never called if this function fails.
 * @param arg        Moves into the library on every return, failure included.
 * @param drop       NULL, or called once with arg when the library lets go of it.
 * @param out_handle NULL for "cannot be cancelled" (nothing is allocated for it), else a handle
 *                   that any thread may cancel.
 * @return RONDO_OK, -EINVAL, -ENOMEM, RONDO_E_LOOP_CLOSED, RONDO_E_OWNER_DEAD (the thread that
 *         ran the loop has ended), RONDO_E_WRONG_PROCESS or the errno of a wake-up that failed.
 *         After RONDO_OK the call is certain to run or, on cancel or close, to drop.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_handle(rondo_handle_release)  since:0.1
 */
rondo_status rondo_loop_call_soon_threadsafe(rondo_loop *loop, rondo_call_fn fn, void *arg,
                                             rondo_drop_fn drop, rondo_handle **out_handle);

/** As rondo_loop_call_soon_threadsafe(), with context instead of a copy of the current one; NULL is as
 * without. A context that a thread is in when the call's turn comes is reported ("cannot enter
 * context"), and fn does not run.
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_handle(rondo_handle_release)  since:0.1 */
rondo_status rondo_loop_call_soon_threadsafe_in_context(rondo_loop *loop, rondo_context *context,
                                                        rondo_call_fn fn, void *arg,
                                                        rondo_drop_fn drop,
                                                        rondo_handle **out_handle);

/**
 * Make a task of a coroutine on another thread's loop.
 *
 * The thread future and the task are chained both ways: cancelling one cancels the other.
 *
 * @param coroutine  Moves on every return.
 * @param out_future NULL, or a future that any thread may wait on.
 * @return As rondo_loop_call_soon_threadsafe(), RONDO_E_ALREADY_AWAITED.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:coroutine  owns:out_future(rondo_thread_future_release)  since:0.1
 */
rondo_status rondo_loop_run_coroutine_threadsafe(rondo_loop *loop, rondo_coroutine *coroutine,
                                                 rondo_thread_future **out_future);

/** Make a pending thread future that belongs to no loop (concurrent.futures.Future).
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_future(rondo_thread_future_release)  since:0.1 */
rondo_status rondo_thread_future_new(rondo_thread_future **out_future);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_thread_future_retain(rondo_thread_future *future);
/** Give a reference back; what it stands for runs on. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  since:0.1 */
rondo_status rondo_thread_future_release(rondo_thread_future *future);
/** Complete it. One that run_coroutine_threadsafe made completes by itself: RONDO_E_RUNTIME.
 * @return RONDO_OK, RONDO_E_INVALID_STATE or RONDO_E_RUNTIME.
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure),callbacks  moves:value  since:0.1 */
rondo_status rondo_thread_future_set_result(rondo_thread_future *future, void *value,
                                            rondo_drop_fn drop);
/** Complete it with an exception; retained.
 * @par Contract
 * thread:any  blocks:no  reenters:callbacks  since:0.1 */
rondo_status rondo_thread_future_set_exception(rondo_thread_future *future, rondo_error *error);
/**
 * Wait for the result.
 *
 * On the thread of the loop that would have to complete it this is -EDEADLK, not a deadlock.
 *
 * @param timeout_ns How long to wait: 0 not at all, RONDO_NEVER for ever.
 * @param out_value  NULL, or the value.
 * @return RONDO_OK; RONDO_E_TIMEOUT (not done yet); RONDO_E_RAISED (read
 *         rondo_thread_future_exception()); RONDO_E_CANCELLED; -EDEADLK; -EINVAL (negative).
 *
 * @par Contract
 * thread:any  blocks:ms:timeout_ns  reenters:no  borrows:out_value(until the future is released)  since:0.1
 */
rondo_status rondo_thread_future_result(rondo_thread_future *future, int64_t timeout_ns,
                                        void **out_value);
/** As rondo_thread_future_result(), for the exception; NULL is written if there is a result.
 * @par Contract
 * thread:any  blocks:ms:timeout_ns  reenters:no  owns:out_error(rondo_error_release)  since:0.1 */
rondo_status rondo_thread_future_exception(rondo_thread_future *future, int64_t timeout_ns,
                                           rondo_error **out_error);
/** Return 1 if it is done, else 0.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_thread_future_is_done(const rondo_thread_future *future);
/** Return 1 if it was cancelled, else 0.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_thread_future_is_cancelled(const rondo_thread_future *future);
/** Cancel it, and the task it stands for.
 * @return RONDO_OK, or RONDO_E_INVALID_STATE if it is done.
 * @par Contract
 * thread:any  blocks:no  reenters:callbacks  cancel:lossless  since:0.1 */
rondo_status rondo_thread_future_cancel(rondo_thread_future *future);
/** Run fn(future, arg) once when it is done: in the thread that completes it (for a coroutine the
 * loop's), or here and now if it is done already. No lock is held.
 * @par Contract
 * thread:any  blocks:no  reenters:callbacks (if it is done),drop  moves:arg  since:0.1 */
rondo_status rondo_thread_future_add_done_callback(rondo_thread_future *future,
                                                   void (*fn)(rondo_thread_future *future, void *arg),
                                                   void *arg, rondo_drop_fn drop);
/** Make a loop's future of it (wrap_future); cancelling it cancels the thread future.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1 */
rondo_status rondo_wrap_future(rondo_loop *loop, rondo_thread_future *thread_future,
                               rondo_future **out_future);

RONDO_END_DECLS
#endif
