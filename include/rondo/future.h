/*
 * rondo/future.h - a result that comes later: pending, then once and for all done or cancelled.
 *
 * A future is pending at first, and then done, once: it has a value, has an error, or was cancelled. The
 * tasks that await it go on, and its done callbacks run, in the order in which they came and in a later
 * pass, never inside of the call that completes it.
 *
 * The value belongs to the future, and who reads it borrows it for as long as the future is there;
 * rondo_future_take_result() makes it the caller's. An error that nobody has read when the last reference
 * is released is reported.
 *
 * A task is a future, too: rondo_task_as_future(). What completes or reads a future is for its loop's
 * thread, but for the functions whose names end in _threadsafe.
 *
 * CANCELLING. A plain future is cancelled at once; what would have completed it has to be told. There is
 * no hook of its own for that: add a done callback before the future is given away. It runs in the next
 * pass, before whoever awaits the future goes on, and if rondo_future_is_cancelled() then, ends the
 * operation. Its drop runs exactly once, after the last use, whether the callback ran, could not be
 * registered, or went with its loop or the future: that is where what the operation needed is freed.
 *
 *     rondo_future_add_done_callback(future, stop_if_cancelled,
 *                                    operation, free_operation);
 */
#ifndef RONDO_FUTURE_H
#define RONDO_FUTURE_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** It is not done. */
#define RONDO_FUTURE_PENDING 0
/** It is done and has a value. */
#define RONDO_FUTURE_RESULT 1
/** It is done and has an error. */
#define RONDO_FUTURE_EXCEPTION 2
/** It was cancelled. */
#define RONDO_FUTURE_CANCELLED 3

/**
 * Make a pending future of a loop (create_future()). Works on a closed loop, too.
 *
 * Whoever holds a reference can complete it. When the last reference is released while it is
 * pending and somebody awaits it, it completes with RONDO_E_BROKEN_PROMISE.
 *
 * @return RONDO_OK or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_future(rondo_future_release)  since:0.1
 */
rondo_status rondo_future_new(rondo_loop *loop, rondo_future **out_future);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_future_retain(rondo_future *future);
/** Give a reference back. NULL is a no-op.
 *
 * The last release of a future whose exception nobody read calls the exception handler once
 * ("Future exception was never retrieved"), on the loop's thread.
 * @par Contract
 * thread:any  blocks:no  reenters:drop,callbacks (the exception handler)  since:0.1 */
rondo_status rondo_future_release(rondo_future *future);

/**
 * Complete with a value. Done callbacks are scheduled, never called from here.
 *
 * @param value Moves into the future on every return. Readers borrow it.
 * @param drop  NULL, or called once with value when the future goes.
 * @return RONDO_OK; RONDO_E_INVALID_STATE if it is done; RONDO_E_RUNTIME for a task ("Task does
 *         not support set_result operation") or an operation of the library.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:value  since:0.1
 */
rondo_status rondo_future_set_result(rondo_future *future, void *value, rondo_drop_fn drop);
/** Complete with an exception; retained. RONDO_E_STOP_ITERATION is stored as RONDO_E_RUNTIME.
 * @return As rondo_future_set_result(), or -ENOMEM.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_future_set_exception(rondo_future *future, rondo_error *error);
/**
 * Complete with the exception that stands for a status, as the library's own operations raise it.
 *
 * It is the error of RONDO_DOMAIN_POSIX for -errno, that of RONDO_DOMAIN_RONDO for a RONDO_E_ code, with
 * the status's own message. If there is no memory for it the exception is ENOMEM, which needs none.
 *
 * @param status    -errno or one of RONDO_E_.
 * @param operation NULL, or what was being done, such as "connect"; copied.
 * @return As rondo_future_set_exception(); -EINVAL for a status that is no failure, or none at all.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_future_set_exception_status(rondo_future *future, rondo_status status,
                                               const char *operation);
/**
 * Ask for cancellation. A plain future is cancelled at once; a task or operation decides.
 *
 * @param message NULL or a text that arrives with the cancellation; copied.
 * @param reason  NULL or an error that becomes the cancellation's cause; retained.
 * @return RONDO_OK (asyncio's True), RONDO_E_INVALID_STATE if it is done (False), or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  cancel:lossless  since:0.1
 */
rondo_status rondo_future_cancel(rondo_future *future, const char *message, rondo_error *reason);

/** Return 1 if the future is done (result, exception or cancelled), else 0.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_future_is_done(const rondo_future *future);
/** Return 1 if the future was cancelled, else 0.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_future_is_cancelled(const rondo_future *future);
/** Tell the state: RONDO_FUTURE_PENDING, _RESULT, _EXCEPTION or _CANCELLED.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_future_get_state(const rondo_future *future, int32_t *out_state);
/**
 * Read the result; an exception counts as retrieved from then on.
 *
 * @param out_value NULL, or the value.
 * @return RONDO_OK; RONDO_E_INVALID_STATE ("Result is not ready."); RONDO_E_RAISED (read
 *         rondo_future_exception()); RONDO_E_CANCELLED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:out_value(until the future is released)  since:0.1
 */
rondo_status rondo_future_result(rondo_future *future, void **out_value);
/** As rondo_future_result(), but the value becomes the caller's and its drop will not be called.
 * A shield's value is taken from what it shields; a gather's stays with the gather.
 * @return As rondo_future_result(); RONDO_E_INVALID_STATE also if it was taken before or cannot be.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_value(as its maker says)  since:0.1 */
rondo_status rondo_future_take_result(rondo_future *future, void **out_value);
/** Read the exception; it counts as retrieved from then on.
 * @param out_error NULL, or the error; NULL is written if it ended with a result.
 * @return RONDO_OK; RONDO_E_INVALID_STATE ("Exception is not set."); RONDO_E_CANCELLED.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_error(rondo_error_release)  since:0.1 */
rondo_status rondo_future_exception(rondo_future *future, rondo_error **out_error);
/** Give the cancellation of a cancelled future as an error: its message and its cause.
 * @return RONDO_OK or RONDO_E_INVALID_STATE (it is not cancelled).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_error(rondo_error_release)  since:0.1 */
rondo_status rondo_future_get_cancelled_error(rondo_future *future, rondo_error **out_error);

/**
 * Run fn(future, arg) once the future is done: through call_soon, in the order added.
 *
 * On a future that is done it is scheduled now. The current context is captured.
 *
 * @return RONDO_OK, -EINVAL or -ENOMEM; RONDO_E_LOOP_CLOSED for a done future of a closed loop.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:arg  since:0.1
 */
rondo_status rondo_future_add_done_callback(rondo_future *future, rondo_future_fn fn, void *arg,
                                            rondo_drop_fn drop);
/** As rondo_future_add_done_callback(), with context; NULL is as without.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:arg  since:0.1 */
rondo_status rondo_future_add_done_callback_in_context(rondo_future *future, rondo_context *context,
                                                       rondo_future_fn fn, void *arg,
                                                       rondo_drop_fn drop);
/** Remove every done callback with this fn and arg that is not scheduled yet.
 * @param out_removed NULL, or how many.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop  since:0.1 */
rondo_status rondo_future_remove_done_callback(rondo_future *future, rondo_future_fn fn, void *arg,
                                               size_t *out_removed);
/** Return the future's loop; NULL if future is none.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until the loop is released)  since:0.1 */
rondo_loop *rondo_future_get_loop(const rondo_future *future);
/** Write a description such as "<Future pending>" or "<Task finished name='Task-2' coro=<bug()> ...>".
 * @return As rondo_error_describe().
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_future_describe(const rondo_future *future, char *buffer, size_t size,
                                   size_t *out_size);

/* ---- completing from any thread ------------------------------------------------------------ */

/**
 * Complete a future from any thread: its loop's thread does it in its next pass. The first of
 * several wins; a late value is dropped there.
 *
 * @return RONDO_OK, RONDO_E_LOOP_CLOSED, RONDO_E_OWNER_DEAD, -ENOMEM or the errno of a failed wake-up.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:value  since:0.1
 */
rondo_status rondo_future_set_result_threadsafe(rondo_future *future, void *value,
                                                rondo_drop_fn drop);
/** As rondo_future_set_result_threadsafe(), with an exception; retained.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_future_set_exception_threadsafe(rondo_future *future, rondo_error *error);
/** As rondo_future_set_exception_threadsafe(), with the error of rondo_future_set_exception_status().
 * @return As rondo_future_set_exception_threadsafe(); -EINVAL for a status that is no failure.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_future_set_exception_status_threadsafe(rondo_future *future, rondo_status status,
                                                          const char *operation);
/** Cancel from any thread: call_soon_threadsafe(fut.cancel).
 * @par Contract
 * thread:any  blocks:no  reenters:no  cancel:lossless  since:0.1 */
rondo_status rondo_future_cancel_threadsafe(rondo_future *future, const char *message,
                                            rondo_error *reason);

RONDO_END_DECLS
#endif
