/*
 * rondo/run.h - run a main coroutine from start to orderly end (asyncio.run, asyncio.Runner).
 *
 * rondo_run() makes a loop, runs one coroutine to its end, cancels what is left, waits for it, and closes the
 * loop. A runner does the same in pieces: any number of runs on one loop and in one context, then the end.
 * Both handle SIGINT in the main thread: the first one cancels the main task.
 */
#ifndef RONDO_RUN_H
#define RONDO_RUN_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** Leave SIGINT alone. */
#define RONDO_RUN_NO_SIGINT 0x1

/** Makes the loop for a run: rondo_loop_new() and what else it wants. */
typedef rondo_status (*rondo_loop_factory_fn)(void *arg, rondo_loop **out_loop);

/** How to run; zero is the default everywhere. */
typedef struct rondo_run_options {
    uint32_t size;                      /**< sizeof(rondo_run_options). */
    uint32_t flags;                     /**< RONDO_RUN_ flags. */
    int32_t debug;                      /**< 0 as the environment says, 1 on, -1 off. */
    uint32_t reserved;                  /**< 0. */
    rondo_loop_factory_fn loop_factory; /**< NULL for rondo_loop_new(). */
    void *loop_factory_arg;             /**< Borrowed until the loop is made. */
} rondo_run_options;

/**
 * Make a loop, run main to its end, cancel what is left and wait for it, close the loop.
 *
 * The first SIGINT (main thread, default disposition) cancels main; if main ends cancelled by it
 * the result is RONDO_E_INTERRUPTED. The second ends the run at the next callback. The third
 * kills the process as without rondo. Errors of tasks that are left over are reported
 * ("unhandled exception during asyncio.run() shutdown"). It is a runner that is made, run once and
 * closed.
 *
 * @param main      A coroutine (moves on every return); or, with a loop factory, a future or task of
 *                  that loop (borrowed).
 * @param options   NULL for the defaults.
 * @param out_value NULL, or what main returned; the caller's now, its drop is not called. (Of a
 *                  future or task: it stays the future's.)
 * @param out_error NULL, or the error that main raised.
 * @return RONDO_OK (main returned); RONDO_E_RAISED (out_error); RONDO_E_CANCELLED;
 *         RONDO_E_INTERRUPTED; RONDO_E_EXIT; RONDO_E_LOOP_STOPPED; RONDO_E_LOOP_RUNNING ("cannot
 *         be called from a running event loop"); RONDO_E_TYPE; or why there is no loop: -ENOMEM,
 *         -EINVAL, ...
 *
 * @par Contract
 * thread:any  blocks:until-done  reenters:callbacks  moves:main (coroutines)  owns:out_error(rondo_error_release)  owns:out_value(as main says)  since:0.1
 */
rondo_status rondo_run(rondo_awaitable *main, const rondo_run_options *options, void **out_value,
                       rondo_error **out_error);

/**
 * Make a runner: a loop and a context for any number of runs, one after the other.
 *
 * Its loop is made when it is first needed: by the first run or rondo_runner_get_loop(). With no
 * loop factory it is also set as the current loop of that thread (rondo_get_event_loop()) until the
 * runner is closed.
 *
 * @param options    NULL for the defaults.
 * @param out_runner The runner.
 * @return RONDO_OK, -EINVAL, -E2BIG (options) or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_runner(rondo_runner_release)  since:0.1
 */
rondo_status rondo_runner_new(const rondo_run_options *options, rondo_runner **out_runner);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_runner_retain(rondo_runner *runner);
/** Give a reference back. NULL is a no-op. The last one of a runner that was not closed lets go of its
 * loop without running what is left.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  since:0.1 */
rondo_status rondo_runner_release(rondo_runner *runner);

/**
 * Run main to its end on the runner's loop (Runner.run()).
 *
 * What main sets in context variables is there in the next run; the context around is not changed.
 * Tasks that main leaves behind stay, and go on in the next run. SIGINT is as for rondo_run(), for
 * each run by itself.
 *
 * @param main      A coroutine (moves on every return), or a future or task of the runner's loop
 *                  (borrowed), which a new task awaits.
 * @param out_value As for rondo_run().
 * @param out_error NULL, or the error that main raised.
 * @return As rondo_run(); RONDO_E_RUNNER_CLOSED ("Runner is closed"); RONDO_E_LOOP_RUNNING (also
 *         while another thread runs it); RONDO_E_LOOP_CLOSED; RONDO_E_WRONG_LOOP. Stopped or
 *         interrupted a second time, main is left pending: the next run, or the close, goes on with it.
 *
 * @par Contract
 * thread:any (becomes the loop's owner)  blocks:until-done  reenters:callbacks  moves:main (coroutines)  owns:out_error(rondo_error_release)  owns:out_value(as main says)  since:0.1
 */
rondo_status rondo_runner_run(rondo_runner *runner, rondo_awaitable *main, void **out_value,
                              rondo_error **out_error);
/** As rondo_runner_run(), in context instead of the runner's own; NULL is as without.
 * @par Contract
 * thread:any (becomes the loop's owner)  blocks:until-done  reenters:callbacks  moves:main (coroutines)  owns:out_error(rondo_error_release)  owns:out_value(as main says)  since:0.1 */
rondo_status rondo_runner_run_in_context(rondo_runner *runner, rondo_context *context,
                                         rondo_awaitable *main, void **out_value,
                                         rondo_error **out_error);
/**
 * Give the runner's loop, which is made if there is none yet (Runner.get_loop()).
 *
 * @return RONDO_OK, RONDO_E_RUNNER_CLOSED, RONDO_E_LOOP_RUNNING (it is just being made), or why
 *         there is no loop.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:callbacks (the loop factory)  borrows:out_loop(until the runner is closed)  since:0.1
 */
rondo_status rondo_runner_get_loop(rondo_runner *runner, rondo_loop **out_loop);
/**
 * Cancel the tasks that are left and wait for them, then close the loop (Runner.close()). Idempotent.
 *
 * A runner without a loop stays as it is. Whatever it answers but RONDO_E_LOOP_RUNNING,
 * RONDO_E_OTHER_LOOP_RUNNING and handle errors, the runner is closed.
 *
 * @return RONDO_OK; RONDO_E_LOOP_RUNNING (it runs) or RONDO_E_OTHER_LOOP_RUNNING (this thread runs
 *         another loop): nothing has changed; RONDO_E_LOOP_CLOSED (its loop was closed already);
 *         RONDO_E_INTERRUPTED or RONDO_E_EXIT if a task that was left ended so; -ENOMEM or a
 *         negative errno of the poller (what was left has been let go of).
 *
 * @par Contract
 * thread:any (becomes the loop's owner)  blocks:until-done  reenters:callbacks  since:0.1
 */
rondo_status rondo_runner_close(rondo_runner *runner);

RONDO_END_DECLS
#endif
