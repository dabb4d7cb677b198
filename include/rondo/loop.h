/*
 * rondo/loop.h - the event loop: running, scheduling, timers, descriptors, exception handler, embedding.
 *
 * A loop runs callbacks, one after the other, in the thread that runs it. It goes round in passes. A pass
 * asks the kernel for descriptors that are ready, and sleeps there until the next deadline if there is
 * nothing to do; takes what other threads have left; makes the timers ready that are due; and runs exactly
 * the calls that are ready by then, in the order in which they were scheduled. What these schedule runs in
 * the next pass, so a callback that schedules itself keeps nobody else waiting.
 *
 * A callback that takes long keeps everybody waiting. What blocks belongs into another thread: see
 * rondo/executor.h.
 *
 * There are four ways to run a loop:
 *
 *   rondo_run()                    all that most programs need: see rondo/run.h
 *   rondo_loop_run_forever()       until rondo_loop_stop(), or rondo_loop_run_until_complete()
 *   rondo_loop_begin()             pass by pass, with rondo_loop_iterate() and rondo_loop_end()
 *   rondo_loop_get_fd()            as the guest of another loop, with rondo_loop_drive()
 *
 * When a loop is closed, what is ready and every timer is let go of, not run.
 */
#ifndef RONDO_LOOP_H
#define RONDO_LOOP_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** Start in debug mode whatever RONDO_DEBUG says. */
#define RONDO_LOOP_DEBUG 0x1
/** A clock of the loop's own that jumps to the next deadline when nothing is ready; see rondo/replay.h. */
#define RONDO_LOOP_VIRTUAL_CLOCK 0x10
/** A clock of the loop's own that only rondo_loop_advance() moves. */
#define RONDO_LOOP_MANUAL_CLOCK 0x20
/** With a seed or a choice function: the calls of a pass run in any order, not only where asyncio
 * leaves it open. */
#define RONDO_LOOP_ANY_ORDER 0x40
/** Log seed and schedule hash when the loop is closed. */
#define RONDO_LOOP_PRINT_SCHEDULE 0x80

/** How a loop is made; zero is the default everywhere. */
typedef struct rondo_loop_options {
    uint32_t size;           /**< sizeof(rondo_loop_options). */
    uint32_t flags;          /**< RONDO_LOOP_ flags. */
    uint32_t ready_capacity; /**< Calls to make room for at the start; it grows by itself. */
    uint32_t reserved;       /**< 0. */
    uint64_t seed;           /**< 0: as RONDO_SEED in the environment says; see rondo/replay.h. */
} rondo_loop_options;

/** What was still alive when a loop was closed. */
typedef struct rondo_close_report {
    uint32_t size;                 /**< sizeof(rondo_close_report), set by the caller. */
    uint32_t readers;              /**< Readers still registered. */
    uint32_t writers;              /**< Writers still registered. */
    uint32_t reserved;             /**< 0. */
    uint64_t ready_calls;          /**< Calls that were ready and never ran. */
    uint64_t timers;               /**< Timers that had not fired. */
    uint64_t threadsafe_calls;     /**< Calls from other threads that never ran. */
    uint64_t pending_tasks;        /**< Tasks that were not done. */
    uint64_t pending_futures;      /**< Futures, other than tasks, that were not done. */
} rondo_close_report;

/**
 * Make an event loop. It belongs to this thread until another thread runs it.
 *
 * Nothing is opened: descriptors come with the first sleep or watched descriptor.
 *
 * @param options  NULL for the defaults.
 * @param out_loop The loop.
 * @return RONDO_OK, -EINVAL, -E2BIG (options) or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_loop(rondo_loop_release)  since:0.1
 */
rondo_status rondo_loop_new(const rondo_loop_options *options, rondo_loop **out_loop);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_loop_retain(rondo_loop *loop);
/** Give a reference back. NULL is a no-op. The last one closes the loop if that was forgotten;
 * on another thread than the loop's that waits until the loop is next used or its thread ends.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  since:0.1 */
rondo_status rondo_loop_release(rondo_loop *loop);

/**
 * Close the loop: drop what is ready and every timer without running them. Idempotent.
 *
 * Tasks that are not done are let go of and reported ("Task was destroyed but it is pending!").
 * Futures stay readable until released. A thread other than the owner may close a loop that is
 * not running.
 *
 * @param out_report NULL, or a report with its size set; zeroes the second time.
 * @return RONDO_OK, RONDO_E_LOOP_RUNNING ("Cannot close a running event loop") or -EINVAL (report's size).
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop  since:0.1
 */
rondo_status rondo_loop_close(rondo_loop *loop, rondo_close_report *out_report);

/**
 * Run until rondo_loop_stop(). A loop made by another thread and not running is taken over.
 *
 * @return RONDO_OK after a stop; RONDO_E_LOOP_RUNNING, RONDO_E_OTHER_LOOP_RUNNING (this thread
 *         runs another loop), RONDO_E_LOOP_CLOSED, a negative errno of the poller, or
 *         RONDO_E_INTERRUPTED or RONDO_E_EXIT when such an error left a callback or task.
 *
 * @par Contract
 * thread:any (becomes the owner)  blocks:until-done  reenters:callbacks  since:0.1
 */
rondo_status rondo_loop_run_forever(rondo_loop *loop);

/**
 * Run until awaitable is done. A coroutine is made a task first.
 *
 * @param awaitable  A future or task (borrowed), or a coroutine (moves on every return).
 * @param out_future NULL, or the future that is done: its outcome is read with
 *                   rondo_future_result() and rondo_future_exception().
 * @return RONDO_OK when it is done, however it ended; RONDO_E_LOOP_STOPPED if the loop was stopped
 *         before (it stays pending and may be run again; out_future is written then, too), else
 *         as rondo_loop_run_forever(), RONDO_E_WRONG_LOOP, RONDO_E_ALREADY_AWAITED or -ENOMEM.
 *
 * @par Contract
 * thread:any (becomes the owner)  blocks:until-done  reenters:callbacks  moves:awaitable (coroutines)  owns:out_future(rondo_future_release)  since:0.1
 */
rondo_status rondo_loop_run_until_complete(rondo_loop *loop, rondo_awaitable *awaitable,
                                           rondo_future **out_future);

/** Stop after the current batch; before a run: that run makes exactly one pass that does not sleep.
 * @return RONDO_OK or RONDO_E_LOOP_CLOSED.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_loop_stop(rondo_loop *loop);
/** Return 1 if the loop is running (in any thread), else 0.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_loop_is_running(const rondo_loop *loop);
/** Return 1 if the loop is closed or gone, else 0.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_loop_is_closed(const rondo_loop *loop);
/** Tell the loop's time: nanoseconds of a monotonic clock, or of its own (rondo/replay.h).
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_loop_time(const rondo_loop *loop, int64_t *out_ns);

/** Return the loop running in this thread, or NULL (get_running_loop()).
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until it stops)  since:0.1 */
rondo_loop *rondo_running_loop(void);
/** Find the running loop, else the one set for this thread (get_event_loop()).
 * @return RONDO_OK or RONDO_E_NO_LOOP; never makes one.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:out_loop(until it is released or unset)  since:0.1 */
rondo_status rondo_get_event_loop(rondo_loop **out_loop);
/** Set this thread's current loop; NULL unsets it. The library takes a reference of its own.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_set_event_loop(rondo_loop *loop);

/* ---- scheduling ---------------------------------------------------------------------------- */

/**
 * Run fn(arg) in the next pass, after everything that is ready now.
 *
 * The current context is captured and current again when fn runs.
 *
 * @param fn         Never called if this function fails.
 * @param arg        Moves into the library on every return, failure included.
 * @param drop       NULL, or called once with arg when the library lets go of it.
 * @param out_handle NULL for "cannot be cancelled" (nothing is allocated then), else a handle.
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_handle(rondo_handle_release)  since:0.1
 */
rondo_status rondo_loop_call_soon(rondo_loop *loop, rondo_call_fn fn, void *arg, rondo_drop_fn drop,
                                  rondo_handle **out_handle);
/** As rondo_loop_call_soon(), with context instead of a copy of the current one; NULL is as without.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_handle(rondo_handle_release)  since:0.1 */
rondo_status rondo_loop_call_soon_in_context(rondo_loop *loop, rondo_context *context,
                                             rondo_call_fn fn, void *arg, rondo_drop_fn drop,
                                             rondo_handle **out_handle);
/**
 * Run fn(arg) once delay_ns have passed: never before, equal deadlines in the order of the calls.
 *
 * @param delay_ns Relative to now; zero or less: in the next pass, after what is ready now;
 *                 a deadline beyond what the clock can tell is never.
 * @return As rondo_loop_call_soon().
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_handle(rondo_handle_release)  since:0.1
 */
rondo_status rondo_loop_call_later(rondo_loop *loop, int64_t delay_ns, rondo_call_fn fn, void *arg,
                                   rondo_drop_fn drop, rondo_handle **out_handle);
/** As rondo_loop_call_later(), with an absolute deadline of rondo_loop_time().
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_handle(rondo_handle_release)  since:0.1 */
rondo_status rondo_loop_call_at(rondo_loop *loop, int64_t when_ns, rondo_call_fn fn, void *arg,
                                rondo_drop_fn drop, rondo_handle **out_handle);

/** As rondo_loop_call_later(), with context instead of a copy of the current one; NULL is as without.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_handle(rondo_handle_release)  since:0.1 */
rondo_status rondo_loop_call_later_in_context(rondo_loop *loop, rondo_context *context,
                                              int64_t delay_ns, rondo_call_fn fn, void *arg,
                                              rondo_drop_fn drop, rondo_handle **out_handle);
/** As rondo_loop_call_at(), with context instead of a copy of the current one; NULL is as without.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_handle(rondo_handle_release)  since:0.1 */
rondo_status rondo_loop_call_at_in_context(rondo_loop *loop, rondo_context *context, int64_t when_ns,
                                           rondo_call_fn fn, void *arg, rondo_drop_fn drop,
                                           rondo_handle **out_handle);

/**
 * Cancel a scheduled call: fn will not run and arg is dropped now. Idempotent, also after it ran.
 *
 * A handle of rondo_loop_call_soon_threadsafe() may be cancelled by any thread; while its fn runs
 * in the loop's thread that waits until fn returns (asyncio 3.14), except from inside fn.
 *
 * @return RONDO_OK; rondo_handle_is_cancelled() tells.
 *
 * @par Contract
 * thread:loop (threadsafe handles: any)  blocks:threadsafe handles, while fn runs  reenters:drop  since:0.1
 */
rondo_status rondo_handle_cancel(rondo_handle *handle);
/** Return 1 if the handle was cancelled, else 0.
 * @par Contract
 * thread:any  blocks:threadsafe handles, while fn runs  reenters:no  since:0.1 */
int32_t rondo_handle_is_cancelled(const rondo_handle *handle);
/** Return the context that a handle's fn runs in (Handle.get_context()): the one that it was given, else a
 * copy of what it took along, as of now.
 * @return RONDO_OK, RONDO_E_INVALID_STATE (its call is over), RONDO_E_TYPE (a thread-safe one) or -ENOMEM.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_context(rondo_context_release)  since:0.1 */
rondo_status rondo_handle_get_context(const rondo_handle *handle, rondo_context **out_context);
/** Tell the deadline of a timer.
 * @return RONDO_OK or RONDO_E_TYPE (not a timer).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_handle_get_when(const rondo_handle *handle, int64_t *out_when_ns);
/**
 * Move a timer that has not fired, or that is just firing, to delay_ns from now.
 *
 * Called inside its own fn it makes the timer repeat: arg is kept for the next time.
 *
 * @return RONDO_OK, RONDO_E_TYPE (not a timer), RONDO_E_INVALID_STATE (cancelled, or it has fired),
 *         -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_handle_rearm(rondo_handle *handle, int64_t delay_ns);
/**
 * As rondo_handle_rearm(), with an absolute deadline of rondo_loop_time(): who moves many timers
 * at a time reads the clock once.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_handle_rearm_at(rondo_handle *handle, int64_t when_ns);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_handle_retain(rondo_handle *handle);
/** Give a reference back; the call stays scheduled. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_handle_release(rondo_handle *handle);

/* ---- descriptors --------------------------------------------------------------------------- */

/**
 * Run fn(fd, arg) in every pass in which fd is readable. Replaces fd's reader, dropping its arg.
 *
 * The descriptor stays the caller's; remove the reader before closing it.
 *
 * @return RONDO_OK; -EBADF; -EPERM for what cannot be polled (a regular file, a directory);
 *         -EBUSY while a socket operation of the loop waits on it; -EINVAL, -ENOMEM, -ENOSPC or
 *         RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop  moves:arg  since:0.1
 */
rondo_status rondo_loop_add_reader(rondo_loop *loop, int32_t fd, rondo_fd_fn fn, void *arg,
                                   rondo_drop_fn drop);
/** As rondo_loop_add_reader(), for writability.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop  moves:arg  since:0.1 */
rondo_status rondo_loop_add_writer(rondo_loop *loop, int32_t fd, rondo_fd_fn fn, void *arg,
                                   rondo_drop_fn drop);
/** Remove fd's reader; a call of it that is ready already does not run.
 * @param out_removed NULL, or 1 if there was one, else 0. A closed loop has none.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop  since:0.1 */
rondo_status rondo_loop_remove_reader(rondo_loop *loop, int32_t fd, int32_t *out_removed);
/** Remove fd's writer; as rondo_loop_remove_reader().
 * @par Contract
 * thread:loop  blocks:no  reenters:drop  since:0.1 */
rondo_status rondo_loop_remove_writer(rondo_loop *loop, int32_t fd, int32_t *out_removed);

/* ---- exceptions that nobody handled -------------------------------------------------------- */

/** Handles what nobody else handled. The context is borrowed until it returns. */
typedef void (*rondo_exception_handler_fn)(rondo_loop *loop, rondo_exception_context *context,
                                           void *arg);

/** Set the exception handler; NULL restores the default one, which logs.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop  moves:arg  since:0.1 */
rondo_status rondo_loop_set_exception_handler(rondo_loop *loop, rondo_exception_handler_fn fn,
                                              void *arg, rondo_drop_fn drop);
/** Tell the exception handler that is set; NULL for the default one.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:out_arg(until the handler is replaced)  since:0.1 */
rondo_status rondo_loop_get_exception_handler(rondo_loop *loop, rondo_exception_handler_fn *out_fn,
                                              void **out_arg);
/** Call the exception handler. A handler that raises is reported itself and never escapes.
 * @par Contract
 * thread:loop  blocks:no  reenters:callbacks  since:0.1 */
rondo_status rondo_loop_call_exception_handler(rondo_loop *loop, rondo_exception_context *context);
/** Log context at error level: the message, then the other keys sorted, a line each.
 * @par Contract
 * thread:loop  blocks:no  reenters:callbacks (the log sink)  since:0.1 */
rondo_status rondo_loop_default_exception_handler(rondo_loop *loop,
                                                  rondo_exception_context *context);
/**
 * Raise error in the callback that is running: it is reported when the callback returns
 * ("Exception in callback ..."). RONDO_E_INTERRUPTED and RONDO_E_EXIT end the run instead.
 *
 * @return RONDO_OK, or RONDO_E_INVALID_STATE if no callback of the loop is running.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_loop_raise(rondo_loop *loop, rondo_error *error);
/** Take the error that ended the last run with RONDO_E_INTERRUPTED or RONDO_E_EXIT.
 * @return RONDO_OK or RONDO_E_INVALID_STATE (there is none).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_error(rondo_error_release)  since:0.1 */
rondo_status rondo_loop_take_escaped(rondo_loop *loop, rondo_error **out_error);

/** Make a context for rondo_loop_call_exception_handler(). Message copied; NULL for the default.
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_context(rondo_exception_context_release)  since:0.1 */
rondo_status rondo_exception_context_new(const char *message, rondo_exception_context **out_context);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_exception_context_retain(rondo_exception_context *context);
/** Give a reference back. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_exception_context_release(rondo_exception_context *context);
/** Set the error; retained.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_exception_context_set_error(rondo_exception_context *context, rondo_error *error);
/** Return the message; NULL if there is none.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until context is released)  since:0.1 */
const char *rondo_exception_context_get_message(const rondo_exception_context *context);
/** Return the error or NULL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until context is released)  since:0.1 */
rondo_error *rondo_exception_context_get_error(const rondo_exception_context *context);
/** Return the future (a task's is its future) or NULL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until the handler returns)  since:0.1 */
rondo_future *rondo_exception_context_get_future(const rondo_exception_context *context);
/** Return the task or NULL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until the handler returns)  since:0.1 */
rondo_task *rondo_exception_context_get_task(const rondo_exception_context *context);
/** Return the handle whose callback raised, or NULL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until the handler returns)  since:0.1 */
rondo_handle *rondo_exception_context_get_handle(const rondo_exception_context *context);

/* ---- hooks and embedding ------------------------------------------------------------------- */

/** Call before(loop, arg) before and after(loop, arg) after each poll; either may be NULL.
 *
 * Both NULL removes them. A pass that needs no poll (there is work, and no descriptor is watched)
 * has none, so the hooks are not called for it.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop  moves:arg  since:0.1 */
rondo_status rondo_loop_set_poll_hooks(rondo_loop *loop, rondo_loop_fn before, rondo_loop_fn after,
                                       void *arg, rondo_drop_fn drop);

/**
 * Give the one descriptor that is readable exactly when the loop has something to do.
 *
 * From then on interest, timers and ready calls are applied to it eagerly. Poll it for input,
 * then call rondo_loop_drive(). It is the loop's: never close or read it.
 *
 * @return RONDO_OK, a negative errno or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:out_fd(until the loop is closed)  since:0.1
 */
rondo_status rondo_loop_get_fd(rondo_loop *loop, int32_t *out_fd);
/**
 * Do what there is to do, bounded, without ever sleeping: whole passes in the order of
 * rondo_loop_run_forever(), cut off after max_calls callbacks or max_ns.
 *
 * @param max_calls At most so many callbacks; 0 for no such limit.
 * @param max_ns    Stop soon after so many nanoseconds; 0 for no such limit.
 *                  With neither limit exactly one pass is made.
 * @param out_calls NULL, or how many callbacks ran.
 * @return RONDO_OK; RONDO_E_LOOP_STOPPED once after rondo_loop_stop(); else as rondo_loop_run_forever().
 *
 * @par Contract
 * thread:any (becomes the owner)  blocks:no  reenters:callbacks  since:0.1
 */
rondo_status rondo_loop_drive(rondo_loop *loop, uint64_t max_calls, int64_t max_ns,
                              uint64_t *out_calls);
/** Begin a run that is driven by hand: from here to rondo_loop_end() the loop is the running one.
 * @return As rondo_loop_run_forever().
 * @par Contract
 * thread:any (becomes the owner)  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_loop_begin(rondo_loop *loop);
/** Make one pass, sleeping max_wait_ns at most (RONDO_NEVER: until something happens).
 * @return RONDO_OK, RONDO_E_LOOP_STOPPED after rondo_loop_stop(), RONDO_E_INVALID_STATE without
 *         rondo_loop_begin(), else as rondo_loop_run_forever().
 * @par Contract
 * thread:loop  blocks:ms:max_wait_ns  reenters:callbacks  since:0.1 */
rondo_status rondo_loop_iterate(rondo_loop *loop, int64_t max_wait_ns);
/** End what rondo_loop_begin() began.
 * @return RONDO_OK or RONDO_E_INVALID_STATE.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_loop_end(rondo_loop *loop);

/**
 * Make an inherited loop usable in a child process after fork().
 *
 * The poller and the wake-up are made anew, so nothing the child does reaches the parent. Ready
 * calls, timers, tasks and watched descriptors are kept; what other threads had posted, too.
 *
 * @return RONDO_OK, a negative errno, or RONDO_E_INVALID_STATE in the process that made the loop
 *         or if the loop was running when the process forked.
 *
 * @par Contract
 * thread:any (becomes the owner)  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_loop_reset_after_fork(rondo_loop *loop);

/** Return 1 if debug mode is on, else 0.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_loop_get_debug(const rondo_loop *loop);
/** Switch debug mode on (1) or off (0), from the next pass on; see rondo/debug.h for what it does.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_loop_set_debug(rondo_loop *loop, int32_t enabled);

RONDO_END_DECLS
#endif
