/*
 * rondo/scope.h - cancel scopes: a part of a task that can be cancelled as a whole.
 *
 * A part of a task's body begins with rondo_cancel_scope_enter() and ends with
 * rondo_cancel_scope_exit(), whatever way the part is left; both are called by the task itself. The
 * tasks of a group (rondo/group.h) that is entered inside are inside, too.
 *
 * A scope that is cancelled stays so until it is left: whatever a task inside waits for is cancelled,
 * and whatever it waits for next, and next. What can be had without waiting can be had, and a task
 * that is woken already keeps what it is woken with. The exit of the scope that was cancelled
 * swallows the cancellation; those inside of it let it pass.
 *
 * A cancelled scope cancels the scopes inside of it, unless they are shields. A shield keeps away
 * what comes from the scopes around it, deadlines as well, and nothing else: rondo_task_cancel()
 * reaches into it. While a task is in a scope that is cancelled, rondo_task_cancelling() is one
 * higher, once for all such scopes; a scope does not swallow a cancellation if somebody else asked
 * for one inside of it, and a timeout does not take a scope's for its own.
 *
 * rondo/async.h has macros for the two ends.
 */
#ifndef RONDO_SCOPE_H
#define RONDO_SCOPE_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** The scope is a shield: what is cancelled around it does not reach into it. */
#define RONDO_CANCEL_SCOPE_SHIELD 0x1
/** The exit turns what its deadline cancelled into RONDO_E_TIMEOUT, instead of swallowing it. */
#define RONDO_CANCEL_SCOPE_FAIL 0x2

/** Options of a cancel scope. Zero is the default everywhere but in size. */
typedef struct rondo_cancel_scope_options {
    /** sizeof(rondo_cancel_scope_options) */
    uint32_t size;
    /** RONDO_CANCEL_SCOPE_ flags. */
    uint32_t flags;
    /** When it is cancelled by itself, see rondo_loop_time(); 0 or RONDO_NEVER: never. */
    int64_t deadline_ns;
    /** How long after the request those inside may go on; 0: not at all; RONDO_NEVER: as long as they want. */
    int64_t grace_ns;
} rondo_cancel_scope_options;

/**
 * Make a cancel scope. It is used once.
 *
 * @param options NULL for the defaults.
 * @return RONDO_OK, -EINVAL (options), -E2BIG (options), RONDO_E_LOOP_CLOSED or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_scope(rondo_cancel_scope_release)  since:0.1
 */
rondo_status rondo_cancel_scope_new(rondo_loop *loop, const rondo_cancel_scope_options *options,
                                    rondo_cancel_scope **out_scope);
/** As rondo_cancel_scope_new(), with a deadline delay_ns from now; that of the options counts for nothing.
 * @param delay_ns Zero or less: it is cancelled as soon as it is entered. RONDO_NEVER: no deadline.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_scope(rondo_cancel_scope_release)  since:0.1 */
rondo_status rondo_cancel_scope_new_after(rondo_loop *loop, int64_t delay_ns,
                                          const rondo_cancel_scope_options *options,
                                          rondo_cancel_scope **out_scope);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_cancel_scope_retain(rondo_cancel_scope *scope);
/** Give a reference back. NULL is a no-op. One that is entered and not left works on.
 * @par Contract
 * thread:any  blocks:no  reenters:drop,callbacks (the exception handler)  since:0.1 */
rondo_status rondo_cancel_scope_release(rondo_cancel_scope *scope);
/**
 * Begin the part, in the task that is running.
 *
 * A scope that was cancelled before, or whose deadline has passed, is cancelled from the start: the
 * part runs up to its first wait.
 *
 * @return RONDO_OK; RONDO_E_RUNTIME (entered before, or no task is running); RONDO_E_LOOP_CLOSED;
 *         -ENOMEM, and it is not entered.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_cancel_scope_enter(rondo_cancel_scope *scope);
/**
 * End the part, and say what to raise for the error that leaves it.
 *
 * A cancellation is swallowed if this scope was cancelled, no scope around it was that it is not
 * shielded from, and nobody else asked for the task's cancellation inside. Every other error
 * passes. Tasks and scopes that are still inside belong to the scope around from now on. A task that
 * ends leaves its scopes by itself. Works on a closed loop, too.
 *
 * @param thrown    NULL if the part was left normally, else the error that leaves it.
 * @param out_error NULL, or what to raise from here; NULL is written for nothing.
 * @return RONDO_OK, or RONDO_E_RUNTIME (not entered, or left before; another task entered it; a
 *         scope that was entered later has not been left), and nothing has changed.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (what was cancelled)  owns:out_error(rondo_error_release)  since:0.1
 */
rondo_status rondo_cancel_scope_exit(rondo_cancel_scope *scope, rondo_error *thrown,
                                     rondo_error **out_error);

/* ---- cancelling ---------------------------------------------------------------------------- */

/**
 * Cancel the scope: ask those inside to end and, after its grace period, make them.
 *
 * The first reason counts; a second call does nothing. Before entering it is remembered, after the
 * exit there is nothing left to do.
 *
 * @param reason NULL, or why: the message of the cancellation that is delivered.
 * @param place  NULL, or where in the program, such as "stop (server.c:42)": its operation.
 * @return RONDO_OK, RONDO_E_LOOP_CLOSED, or -ENOMEM, and nothing has changed.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (what is cancelled)  cancel:lossless  since:0.1
 */
rondo_status rondo_cancel_scope_cancel(rondo_cancel_scope *scope, const char *reason,
                                       const char *place);
/** As rondo_cancel_scope_cancel(), with the place put together: "function (file:line)".
 * @param function NULL, or the name of the function.
 * @param file     NULL for no place at all, or the name of the file.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (what is cancelled)  cancel:lossless  since:0.1 */
rondo_status rondo_cancel_scope_cancel_at(rondo_cancel_scope *scope, const char *reason,
                                          const char *function, const char *file, int32_t line);
/** Cancel a scope from here: reason, and this place in this file. */
#define rondo_cancel_scope_cancel_here(scope, reason) \
    rondo_cancel_scope_cancel_at((scope), (reason), __func__, __FILE__, __LINE__)
/** End the grace period now.
 * @return RONDO_OK, also if it is over; RONDO_E_INVALID_STATE (not cancelled); RONDO_E_LOOP_CLOSED.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (what is cancelled)  cancel:lossless  since:0.1 */
rondo_status rondo_cancel_scope_insist(rondo_cancel_scope *scope);
/** Move the deadline, before or after entering; one that has passed cancels a scope that is entered at once.
 * @param when_ns A point in time; RONDO_NEVER: none.
 * @return RONDO_OK; RONDO_E_RUNTIME (left before); RONDO_E_LOOP_CLOSED; -ENOMEM, and the deadline
 *         is the old one. Once the scope is cancelled it makes no difference any more.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (what is cancelled)  since:0.1 */
rondo_status rondo_cancel_scope_set_deadline(rondo_cancel_scope *scope, int64_t when_ns);
/** Tell the scope's own deadline; RONDO_NEVER if there is none.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_cancel_scope_get_deadline(const rondo_cancel_scope *scope, int64_t *out_when_ns);
/** Make the scope a shield, or no longer one, before or after entering.
 * @param enabled 1 or 0. With 0, what was cancelled around it reaches into it now.
 * @return RONDO_OK, -EINVAL, RONDO_E_RUNTIME (left before) or RONDO_E_LOOP_CLOSED.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (what is cancelled)  since:0.1 */
rondo_status rondo_cancel_scope_set_shield(rondo_cancel_scope *scope, int32_t enabled);

/* ---- what has happened ---------------------------------------------------------------------- */

/** Return 1 if the scope itself was cancelled, by a call or by its deadline, else 0.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_cancel_scope_is_cancelled(const rondo_cancel_scope *scope);
/** Return 1 if it was its deadline that cancelled the scope, else 0.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_cancel_scope_is_expired(const rondo_cancel_scope *scope);
/** Return 1 if the exit has swallowed a cancellation or made a timeout of it, else 0 (anyio: cancelled_caught).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_cancel_scope_is_caught(const rondo_cancel_scope *scope);
/**
 * Return the cancellation that the scope delivers, or NULL if it was not cancelled.
 *
 * Its message is the reason, its operation the place of whoever cancelled. It is what those inside
 * are woken with, so a report of what leaves them tells both.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:result(until the scope is released)  since:0.1
 */
rondo_error *rondo_cancel_scope_get_error(const rondo_cancel_scope *scope);
/**
 * Make a future that is done as soon as those inside the scope are asked to end.
 *
 * That is when this scope is cancelled, or one around it that it is not shielded from, and before
 * the grace period of that one; at the latest when the scope is left. Each call makes one.
 *
 * @return RONDO_OK, RONDO_E_LOOP_CLOSED or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_cancel_scope_get_request(rondo_cancel_scope *scope, rondo_future **out_future);

/* ---- from inside, whatever the scope -------------------------------------------------------- */

/** Return 1 if the running task is asked to end by a scope that it is in, else 0.
 * @param loop NULL for the loop that runs in this thread.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_current_cancel_requested(rondo_loop *loop);
/**
 * Tell when the running task is to be done: the earliest deadline of the scopes that it is in.
 *
 * Deadlines beyond a shield do not count. In a scope that is cancelled it is the end of the grace
 * period, and INT64_MIN from then on.
 *
 * @param loop        NULL for the loop that runs in this thread.
 * @param out_when_ns A point in time; RONDO_NEVER if there is none, or no task is running.
 * @return RONDO_OK, RONDO_E_NO_LOOP (NULL, and none runs) or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_current_deadline(rondo_loop *loop, int64_t *out_when_ns);
/** Tell how long it is until rondo_current_deadline(): 0 if it has passed, RONDO_NEVER if there is none.
 * @param loop NULL for the loop that runs in this thread.
 * @return As rondo_current_deadline().
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_current_time_left(rondo_loop *loop, int64_t *out_left_ns);

RONDO_END_DECLS
#endif
