/* rondo/run.h - run a main coroutine from start to orderly end (asyncio.run). */
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
    void *loop_factory_arg;             /**< Borrowed during the call. */
} rondo_run_options;

/**
 * Make a loop, run main to its end, cancel what is left and wait for it, close the loop.
 *
 * The first SIGINT (main thread, default disposition) cancels main; if main ends cancelled by it
 * the result is RONDO_E_INTERRUPTED. The second ends the run at the next callback. The third
 * kills the process as without rondo. Errors of tasks that are left over are reported
 * ("unhandled exception during asyncio.run() shutdown").
 *
 * @param main      Moves on every return.
 * @param options   NULL for the defaults.
 * @param out_value NULL, or what main returned; the caller's now, its drop is not called.
 * @param out_error NULL, or the error that main raised.
 * @return RONDO_OK (main returned); RONDO_E_RAISED (out_error); RONDO_E_CANCELLED;
 *         RONDO_E_INTERRUPTED; RONDO_E_EXIT; RONDO_E_LOOP_STOPPED; RONDO_E_LOOP_RUNNING ("cannot
 *         be called from a running event loop"); or why there is no loop: -ENOMEM, -EINVAL, ...
 *
 * @par Contract
 * thread:any  blocks:until-done  reenters:callbacks  moves:main  owns:out_error(rondo_error_release)  owns:out_value(as main says)  since:0.1
 */
rondo_status rondo_run(rondo_coroutine *main, const rondo_run_options *options, void **out_value,
                       rondo_error **out_error);

RONDO_END_DECLS
#endif
