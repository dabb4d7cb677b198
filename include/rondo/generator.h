/*
 * rondo/generator.h - asynchronous generators: coroutines that hand out values on their way.
 *
 * The body is a step callback as in rondo/coroutine.h, and may do all that a coroutine's may. It
 * ends a step with rondo_coroutine_yield_value() to hand a value to whoever asked for the next one;
 * its next step comes when somebody asks again, with what was sent in as sent. It ends by
 * returning. What it returns is dropped.
 *
 * Who asks awaits one of rondo_async_generator_anext(), _asend(), _athrow(), _aclose(). Each makes
 * a coroutine that runs the body inline, in the task that awaits: it costs no pass of the loop. One
 * of them at a time: another one raises RONDO_E_GENERATOR_RUNNING. At the end the first three
 * raise RONDO_E_STOP_ASYNC_ITERATION.
 *
 * A generator belongs to the loop that runs when it is first asked. If it is let go of half-way,
 * that loop closes it in a task of its own, later. Code that must have cleaned up by a certain
 * point awaits rondo_async_generator_aclose() there; see RONDO_ACLOSING_EXIT in rondo/async.h.
 */
#ifndef RONDO_GENERATOR_H
#define RONDO_GENERATOR_H

#include <rondo/base.h>
#include <rondo/coroutine.h>

RONDO_BEGIN_DECLS

/** Its body has not begun. */
#define RONDO_GENERATOR_CREATED 0
/** Somebody awaits its next value, or its end. */
#define RONDO_GENERATOR_RUNNING 1
/** It waits to be asked. */
#define RONDO_GENERATOR_SUSPENDED 2
/** Its body has ended. */
#define RONDO_GENERATOR_CLOSED 3

/**
 * Make an asynchronous generator. Its body begins when its first value is awaited.
 *
 * @param name  Its function's name, for reports; NULL for "generator".
 * @param step  The body.
 * @param frame Moves on every return.
 * @param drop  NULL, or called once with frame when the body has ended or goes.
 * @param out_generator The generator.
 * @return RONDO_OK, -EINVAL or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:frame  borrows:name(while the generator lives)  owns:out_generator(rondo_async_generator_release)  since:0.1
 */
rondo_status rondo_async_generator_new(const char *name, rondo_step_fn step, void *frame,
                                       rondo_drop_fn drop, rondo_async_generator **out_generator);
/** As rondo_async_generator_new(), with a frame of frame_size zeroed bytes that the library frees after drop.
 * @param out_frame The frame, to be filled in before the first step.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:name(while the generator lives)  borrows:out_frame(until the body ends)  owns:out_generator(rondo_async_generator_release)  since:0.1 */
rondo_status rondo_async_generator_new_with_frame(const char *name, rondo_step_fn step,
                                                  size_t frame_size, rondo_drop_fn drop,
                                                  void **out_frame,
                                                  rondo_async_generator **out_generator);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_async_generator_retain(rondo_async_generator *generator);
/**
 * Give a reference back. NULL is a no-op.
 *
 * If the last one goes while the body waits at a yield, the loop that it belongs to awaits its
 * aclose() in a new task, whichever thread this is. If there is no such loop, or it is closed, the
 * body gets RONDO_E_GENERATOR_EXIT here and now; what it then awaits or yields is not waited for
 * ("async generator ignored GeneratorExit", in the log).
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop,callbacks (its step, without an open loop)  since:0.1
 */
rondo_status rondo_async_generator_release(rondo_async_generator *generator);
/** Return its name; NULL if the handle is not good.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(as its maker says)  since:0.1 */
const char *rondo_async_generator_get_name(rondo_async_generator *generator);
/** Tell its state, one of the RONDO_GENERATOR_ numbers (inspect.getasyncgenstate()).
 * @return RONDO_OK or -EINVAL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_async_generator_get_state(rondo_async_generator *generator, int32_t *out_state);

/**
 * Make the coroutine whose result is the next value (anext()).
 *
 * The result is the awaiter's as any coroutine's: borrowed until it suspends, or taken with
 * rondo_coroutine_take_sent(). Awaited, it raises RONDO_E_STOP_ASYNC_ITERATION once the body has
 * ended; RONDO_E_GENERATOR_RUNNING ("anext(): asynchronous generator is already running"); or what
 * the body raises. A cancellation that comes before the first step is thrown into the body.
 *
 * @return RONDO_OK or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:callbacks (the firstiter hook)  owns:out_coroutine(rondo_coroutine_release)  cancel:as the body  since:0.1
 */
rondo_status rondo_async_generator_anext(rondo_async_generator *generator,
                                         rondo_coroutine **out_coroutine);
/**
 * As rondo_async_generator_anext(), but its result is value once the body has ended (anext() with
 * two arguments).
 *
 * Everything else that the body raises is raised.
 *
 * @param value Moves on every return. The result, if the body has ended: then it is the awaiter's
 *              as any coroutine's result. Otherwise it is dropped with the coroutine.
 * @param drop  NULL, or called once with value unless the awaiter takes it.
 * @return RONDO_OK or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure),callbacks (the firstiter hook)  moves:value  owns:out_coroutine(rondo_coroutine_release)  cancel:as the body  since:0.1
 */
rondo_status rondo_async_generator_anext_default(rondo_async_generator *generator, void *value,
                                                 rondo_drop_fn drop, rondo_coroutine **out_coroutine);
/**
 * As rondo_async_generator_anext(), and value is what the yield that the body waits at answers.
 *
 * Awaited while the body has not begun it raises RONDO_E_TYPE, unless value is NULL.
 *
 * @param value Moves on every return; the body borrows it until it suspends, or takes it.
 * @return RONDO_OK or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure),callbacks (the firstiter hook)  moves:value  owns:out_coroutine(rondo_coroutine_release)  cancel:as the body  since:0.1
 */
rondo_status rondo_async_generator_asend(rondo_async_generator *generator, void *value,
                                         rondo_drop_fn drop, rondo_coroutine **out_coroutine);
/**
 * Make the coroutine that throws error in where the body waits; its result is the next value.
 *
 * Awaited when the body has ended it returns NULL; while it has not begun, the body never runs.
 *
 * @param error Retained.
 * @return RONDO_OK or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:callbacks (the firstiter hook)  owns:out_coroutine(rondo_coroutine_release)  cancel:as the body  since:0.1
 */
rondo_status rondo_async_generator_athrow(rondo_async_generator *generator, rondo_error *error,
                                          rondo_coroutine **out_coroutine);
/**
 * Make the coroutine that closes the generator: it throws RONDO_E_GENERATOR_EXIT in and awaits the
 * body's cleaning up.
 *
 * Awaited again, or when the body has not begun, it does nothing more. It raises what else the body
 * raises, and RONDO_E_RUNTIME ("async generator ignored GeneratorExit") if the body yields a value.
 *
 * @return RONDO_OK or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:callbacks (the firstiter hook)  owns:out_coroutine(rondo_coroutine_release)  cancel:as the body  since:0.1
 */
rondo_status rondo_async_generator_aclose(rondo_async_generator *generator,
                                          rondo_coroutine **out_coroutine);
/**
 * Make the coroutine that ends a part of a body that uses the generator (contextlib.aclosing()): it
 * closes it and then raises thrown, if there is one.
 *
 * @param thrown NULL if the part was left normally, else the error that leaves it; retained.
 * @return RONDO_OK or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:callbacks (the firstiter hook)  owns:out_coroutine(rondo_coroutine_release)  cancel:as the body  since:0.1
 */
rondo_status rondo_async_generator_exit(rondo_async_generator *generator, rondo_error *thrown,
                                        rondo_coroutine **out_coroutine);

/* ---- actions: how a step ends -------------------------------------------------------------- */

/** Yield a value to whoever awaits the next one; in the body of a generator only.
 * The next step's sent is what was sent in: NULL by anext().
 * @par Contract
 * thread:loop  blocks:no  reenters:no  moves:value  cancel:lossless  since:0.1 */
rondo_step rondo_coroutine_yield_value(rondo_coroutine *co, void *value, rondo_drop_fn drop);
/** Await the next value of a generator: as awaiting its anext(), with no object made for it.
 * @par Contract
 * thread:loop  blocks:no  reenters:callbacks (the firstiter hook)  cancel:as the body  since:0.1 */
rondo_step rondo_coroutine_anext(rondo_coroutine *co, rondo_async_generator *generator);

/* ---- what a loop does about generators ----------------------------------------------------- */

/** Is told of a generator, on the loop's thread. */
typedef void (*rondo_async_generator_fn)(rondo_loop *loop, rondo_async_generator *generator,
                                         void *arg);

/**
 * Replace what the loop does about generators (sys.set_asyncgen_hooks()).
 *
 * By itself, a loop lists each generator that is first asked while it runs, and awaits aclose() of
 * one that is let go of half-way. What replaces one of the two takes over its duty: a generator
 * that only firstiter knows is not closed by rondo_loop_shutdown_asyncgens(), and one that
 * finalizer neither closes nor keeps goes without its cleaning up.
 *
 * @param firstiter NULL for the loop's own, else called inside the call that first asks.
 * @param finalizer NULL for the loop's own, else called by the loop in a pass after the last
 *                  reference went; the generator lives until it returns, or as long as it is retained.
 * @return RONDO_OK, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop  moves:arg  since:0.1
 */
rondo_status rondo_loop_set_asyncgen_hooks(rondo_loop *loop, rondo_async_generator_fn firstiter,
                                           rondo_async_generator_fn finalizer, void *arg,
                                           rondo_drop_fn drop);
/** Tell the hooks that are set; NULL for the loop's own.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:out_arg(until the hooks are replaced)  since:0.1 */
rondo_status rondo_loop_get_asyncgen_hooks(rondo_loop *loop, rondo_async_generator_fn *out_firstiter,
                                           rondo_async_generator_fn *out_finalizer, void **out_arg);
/**
 * Make the coroutine that closes every generator that the loop lists, all of them at once.
 *
 * What one raises goes to the exception handler ("an error occurred during closing of asynchronous
 * generator ..."), with the generator in the context. A generator that is first asked after this
 * was awaited is listed all the same, with a warning. rondo_run() and rondo_runner_close() await
 * it before they close the loop.
 *
 * @return RONDO_OK, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_loop_shutdown_asyncgens(rondo_loop *loop, rondo_coroutine **out_coroutine);

/** Return the generator that the context is about, or NULL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until the handler returns)  since:0.1 */
rondo_async_generator *rondo_exception_context_get_asyncgen(const rondo_exception_context *context);

RONDO_END_DECLS
#endif
