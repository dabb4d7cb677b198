/*
 * rondo/coroutine.h - coroutines as step callbacks.
 *
 * A coroutine is a function that is called again and again with its frame (its local variables)
 * and with what it was woken with, and that answers with one of the actions below:
 *
 *     static rondo_step body(rondo_coroutine *co, void *frame, void *sent,
 *                            rondo_error *thrown);
 *
 * co      names the running coroutine to the action functions; borrowed for this step.
 * frame   the coroutine's own memory.
 * sent    the result of what it awaited, or what rondo_coroutine_send() sent; NULL at the start.
 *         Borrowed until the coroutine next suspends.
 * thrown  NULL, or the error at the point where it waits: what it awaited failed, or it is being
 *         cancelled. Borrowed until the coroutine next suspends. Answer
 *         rondo_coroutine_raise(co, thrown) to let it pass.
 *
 * Each step ends with "return rondo_coroutine_...(co, ...)". Exactly one action per step.
 * rondo/async.h has macros that let one write this as straight code.
 */
#ifndef RONDO_COROUTINE_H
#define RONDO_COROUTINE_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** What a step answers. */
typedef int32_t rondo_step;
/** The coroutine returned; on its own, without rondo_coroutine_return(), it returned NULL. */
#define RONDO_STEP_RETURN 0
/** It yields; on its own, without rondo_coroutine_yield(), it yields NULL: one pass of the loop. */
#define RONDO_STEP_YIELD 1
/** It awaits; only as the answer of an action function. */
#define RONDO_STEP_AWAIT 2
/** It raised; only as the answer of an action function. */
#define RONDO_STEP_RAISE 3

/** The body of a coroutine. */
typedef rondo_step (*rondo_step_fn)(rondo_coroutine *co, void *frame, void *sent,
                                    rondo_error *thrown);

/**
 * Make a coroutine object. It does nothing until it is awaited, made a task or driven.
 *
 * Released before its first step it is reported ("coroutine 'NAME' was never awaited").
 *
 * @param name    Its function's name, for reports; NULL for "coroutine".
 * @param step    The body.
 * @param frame   Moves on every return.
 * @param drop    NULL, or called once with frame when the coroutine has ended or goes.
 * @param out_coroutine The coroutine.
 * @return RONDO_OK, -EINVAL or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:frame  borrows:name(while the coroutine or its task lives)  owns:out_coroutine(rondo_coroutine_release)  since:0.1
 */
rondo_status rondo_coroutine_new(const char *name, rondo_step_fn step, void *frame,
                                 rondo_drop_fn drop, rondo_coroutine **out_coroutine);
/** As rondo_coroutine_new(), with a frame of frame_size zeroed bytes that the library frees after drop.
 * @param out_frame The frame, to be filled in before the first step.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:name(while the coroutine or its task lives)  borrows:out_frame(until the coroutine ends)  owns:out_coroutine(rondo_coroutine_release)  since:0.1 */
rondo_status rondo_coroutine_new_with_frame(const char *name, rondo_step_fn step, size_t frame_size,
                                            rondo_drop_fn drop, void **out_frame,
                                            rondo_coroutine **out_coroutine);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_coroutine_retain(rondo_coroutine *coroutine);
/** Give a reference back. NULL is a no-op. The last one closes a coroutine that is suspended.
 * @par Contract
 * thread:any (the one that drives it)  blocks:no  reenters:drop,callbacks (its step)  since:0.1 */
rondo_status rondo_coroutine_release(rondo_coroutine *coroutine);

/**
 * Start or resume a coroutine by hand, sending value in (coroutine.send()).
 *
 * @param value     What the yield it waits at answers; NULL at the start.
 * @param out_step  RONDO_STEP_YIELD: it yielded out_value. RONDO_STEP_AWAIT: it awaits the pending
 *                  future out_value (borrowed). RONDO_STEP_RETURN: it returned out_value, which
 *                  is the caller's now. RONDO_STEP_RAISE: it raised out_error.
 * @param out_value NULL, or see out_step.
 * @param out_error NULL, or the error it raised.
 * @return RONDO_OK for each of these; RONDO_E_TYPE ("can't send non-None value to a just-started
 *         coroutine"); RONDO_E_ALREADY_RUNNING; RONDO_E_ALREADY_AWAITED (it has ended, or a task
 *         or another coroutine has it).
 *
 * @par Contract
 * thread:any (one at a time)  blocks:no  reenters:callbacks (its step)  owns:out_error(rondo_error_release)  since:0.1
 */
rondo_status rondo_coroutine_send(rondo_coroutine *coroutine, void *value, rondo_step *out_step,
                                  void **out_value, rondo_error **out_error);
/** As rondo_coroutine_send(), with an error thrown in where it waits. Not started, it ends with it.
 * @par Contract
 * thread:any (one at a time)  blocks:no  reenters:callbacks (its step)  owns:out_error(rondo_error_release)  since:0.1 */
rondo_status rondo_coroutine_throw(rondo_coroutine *coroutine, rondo_error *error,
                                   rondo_step *out_step, void **out_value,
                                   rondo_error **out_error);
/** Close it: throw RONDO_E_GENERATOR_EXIT in where it waits; idempotent.
 * @param out_error NULL, or the other error it raised.
 * @return RONDO_OK; RONDO_E_RUNTIME ("coroutine ignored GeneratorExit"); RONDO_E_RAISED (it raised
 *         something else); RONDO_E_ALREADY_RUNNING; RONDO_E_ALREADY_AWAITED (a task has it).
 * @par Contract
 * thread:any (one at a time)  blocks:no  reenters:callbacks (its step),drop  owns:out_error(rondo_error_release)  since:0.1 */
rondo_status rondo_coroutine_close(rondo_coroutine *coroutine, rondo_error **out_error);

/* ---- actions: how a step ends -------------------------------------------------------------- */

/**
 * Await a future, a task or a coroutine.
 *
 * What is done already, and a coroutine that does not wait, does not suspend: the next step comes
 * at once. A coroutine is run inline, inside the same task, and moves; a future or task is
 * borrowed and kept by the library while it is awaited. What cannot be awaited is thrown in as
 * an error at this await.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  moves:awaitable (coroutines)  cancel:as the awaited thing  since:0.1
 */
rondo_step rondo_coroutine_await(rondo_coroutine *co, rondo_awaitable *awaitable);
/** As rondo_coroutine_await(), and the caller's reference moves: it is released afterwards.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  moves:awaitable  cancel:as the awaited thing  since:0.1 */
rondo_step rondo_coroutine_await_moved(rondo_coroutine *co, rondo_awaitable *awaitable);
/** Sleep: zero or less is a bare yield, one pass of the loop.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  cancel:lossless  since:0.1 */
rondo_step rondo_coroutine_sleep(rondo_coroutine *co, int64_t delay_ns);
/** Yield a value to whoever drives the coroutine. In a task only NULL makes sense: one pass.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  cancel:lossless  since:0.1 */
rondo_step rondo_coroutine_yield(rondo_coroutine *co, void *value);
/** Return a value, which becomes the result of the task or of the await. Readers borrow it.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  moves:value  since:0.1 */
rondo_step rondo_coroutine_return(rondo_coroutine *co, void *value, rondo_drop_fn drop);
/** Raise an error; retained. A cancellation makes the task cancelled.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_step rondo_coroutine_raise(rondo_coroutine *co, rondo_error *error);
/** Raise a new error; see rondo_error_new().
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_step rondo_coroutine_raise_new(rondo_coroutine *co, int32_t domain, int32_t code,
                                     const char *message);
/** Raise the error that stands for a status, of operation (copied; may be NULL).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_step rondo_coroutine_raise_status(rondo_coroutine *co, rondo_status status,
                                        const char *operation);
/**
 * Make the value that came in as sent the caller's own: its drop will not be called.
 *
 * @return RONDO_OK, or RONDO_E_INVALID_STATE if nothing was sent, it was taken before, it is a
 *         structure of the library's own (such as rondo_race_result), or it is
 *         the value of a future that somebody else holds and that only rondo_wait_for() waited for.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_value(as its maker says)  since:0.1
 */
rondo_status rondo_coroutine_take_sent(rondo_coroutine *co, void **out_value);

RONDO_END_DECLS
#endif
