/*
 * rondo/task.h - a task: a future whose outcome is a coroutine's, run by the loop.
 *
 * A task runs a coroutine on a loop, step by step, and is a future for what the coroutine returns or
 * raises. The loop holds it until it is done, so nobody else has to.
 *
 * CANCELLING. rondo_task_cancel() asks a task to end. What the task awaits is cancelled first; then an
 * error with the status RONDO_E_CANCELLED is thrown into the coroutine where it waits. The coroutine cleans
 * up and lets the error pass, and the task is cancelled. If it goes on instead, the task goes on. A body
 * that does not wait is not interrupted.
 *
 * Each request is counted, see rondo_task_cancelling(). Code that asked for a cancellation itself and has
 * dealt with it takes it back with rondo_task_uncancel(); timeouts, scopes and groups do so. That is how
 * each of them knows its own cancellation from somebody else's, which it lets pass.
 *
 * Who wants to end a part of a task and not all of it has three things for that: a timeout
 * (rondo_timeout_new()), a cancel scope (rondo/scope.h) and a task group (rondo/group.h).
 */
#ifndef RONDO_TASK_H
#define RONDO_TASK_H

#include <rondo/base.h>
#include <rondo/coroutine.h>

RONDO_BEGIN_DECLS

/** As the loop's default. */
#define RONDO_EAGER_DEFAULT 0
/** Run the first step inside create_task. Ignored while the loop is not running. */
#define RONDO_EAGER_YES 1
/** Schedule the first step, also where eager is the loop's default. */
#define RONDO_EAGER_NO 2

/** How a task is made; zero is the default everywhere. */
typedef struct rondo_task_options {
    uint32_t size;              /**< sizeof(rondo_task_options). */
    int32_t eager_start;        /**< RONDO_EAGER_. */
    const char *name;           /**< Copied; NULL for "Task-N". */
    rondo_context *context;     /**< Run in this context itself; NULL for a copy of the current one. */
    const char *coroutine_name; /**< For rondo_loop_spawn(): as in rondo_coroutine_new(). */
} rondo_task_options;

/**
 * Make a task of a coroutine and schedule its first step. The loop holds it until it is done.
 *
 * @param coroutine Moves on every return; on failure it is closed.
 * @param options   NULL for the defaults.
 * @param out_task  NULL or the task.
 * @return RONDO_OK, -EINVAL, -E2BIG, -ENOMEM, RONDO_E_LOOP_CLOSED or RONDO_E_ALREADY_AWAITED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure),callbacks (eager: its step)  moves:coroutine  owns:out_task(rondo_task_release)  since:0.1
 */
rondo_status rondo_loop_create_task(rondo_loop *loop, rondo_coroutine *coroutine,
                                    const rondo_task_options *options, rondo_task **out_task);
/** As rondo_loop_create_task(), straight from a body, with no coroutine object in between.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure),callbacks (eager: its step)  moves:frame  owns:out_task(rondo_task_release)  since:0.1 */
rondo_status rondo_loop_spawn(rondo_loop *loop, rondo_step_fn step, void *frame, rondo_drop_fn drop,
                              const rondo_task_options *options, rondo_task **out_task);
/**
 * Make a task of a coroutine without asking the loop's task factory (Task(coro, loop=loop)): what a
 * task factory does.
 *
 * @param coroutine Moves on every return; on failure it is closed.
 * @param options   NULL for the defaults.
 * @param out_task  NULL or the task.
 * @return As rondo_loop_create_task().
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure),callbacks (eager: its step)  moves:coroutine  owns:out_task(rondo_task_release)  since:0.1
 */
rondo_status rondo_task_new(rondo_loop *loop, rondo_coroutine *coroutine,
                            const rondo_task_options *options, rondo_task **out_task);

/**
 * Makes the loop's tasks: gives coroutine to rondo_task_new(), with options as they are or others,
 * and its task, with the reference, to out_task.
 *
 * The coroutine's reference is the factory's. One that fails without having given it away may leave
 * it: the library then closes the coroutine. Options and the strings in them are borrowed until it
 * returns.
 */
typedef rondo_status (*rondo_task_factory_fn)(rondo_loop *loop, rondo_coroutine *coroutine,
                                              const rondo_task_options *options, void *arg,
                                              rondo_task **out_task);

/**
 * Set what makes the loop's tasks; NULL restores the default (set_task_factory()).
 *
 * It is asked by whatever makes a task of a coroutine: rondo_loop_create_task(), rondo_loop_spawn(),
 * gather, task groups, coroutines from other threads, rondo_loop_run_until_complete(), runners. What
 * a factory fails with is the status of that call. One that gives no task of this loop makes it
 * RONDO_E_TYPE or RONDO_E_WRONG_LOOP; one that asks itself without end, RONDO_E_RUNTIME.
 *
 * @param fn   May set another one while it runs.
 * @param arg  Moves on every return.
 * @param drop NULL, or called once with arg when the factory is replaced or the loop closed.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop  moves:arg  since:0.1
 */
rondo_status rondo_loop_set_task_factory(rondo_loop *loop, rondo_task_factory_fn fn, void *arg,
                                         rondo_drop_fn drop);
/** Tell the task factory that is set; NULL for the default.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:out_arg(until the factory is replaced)  since:0.1 */
rondo_status rondo_loop_get_task_factory(rondo_loop *loop, rondo_task_factory_fn *out_fn,
                                         void **out_arg);
/**
 * Make a task that takes its first step now, if the loop is running: a ready-made factory for
 * rondo_loop_set_task_factory() (eager_task_factory).
 *
 * @param options NULL, or with RONDO_EAGER_NO for one that is not eager.
 * @param arg     Not looked at.
 * @return As rondo_task_new().
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure),callbacks (the task's step)  moves:coroutine  owns:out_task(rondo_task_release)  since:0.1
 */
rondo_status rondo_eager_task_factory(rondo_loop *loop, rondo_coroutine *coroutine,
                                      const rondo_task_options *options, void *arg,
                                      rondo_task **out_task);
/** Make every task eager by default (eager_task_factory): 1, or not: 0.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_loop_set_eager_tasks(rondo_loop *loop, int32_t enabled);

/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_task_retain(rondo_task *task);
/** Give a reference back; the task runs on. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:drop,callbacks (the exception handler)  since:0.1 */
rondo_status rondo_task_release(rondo_task *task);
/** Return the task as the future it is: the same handle, the same references.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(as task)  since:0.1 */
rondo_future *rondo_task_as_future(rondo_task *task);

/**
 * Ask the task to end: the cancellation is thrown into its coroutine at its next step.
 *
 * What it awaits is cancelled first. Counts the request. Where tasks await each other in a circle,
 * one of them stops waiting and is cancelled.
 *
 * @return RONDO_OK (True), RONDO_E_INVALID_STATE if it is done (False), or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  cancel:lossless  since:0.1
 */
rondo_status rondo_task_cancel(rondo_task *task, const char *message, rondo_error *reason);
/** Tell how many cancellations are asked for and not taken back.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_task_cancelling(const rondo_task *task, uint32_t *out_count);
/** Take one cancellation back; the last also withdraws one that was not delivered yet.
 * @param out_remaining NULL, or how many remain.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_task_uncancel(rondo_task *task, uint32_t *out_remaining);

/** Write the task's name; see rondo_error_describe() for buffer, size and out_size.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_task_get_name(const rondo_task *task, char *buffer, size_t size,
                                 size_t *out_size);
/** Set the task's name; copied.
 * @return RONDO_OK, -EINVAL or -ENOMEM.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_task_set_name(rondo_task *task, const char *name);
/** Give the task's context: the one it was made with, else a copy of what it is now.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_context(rondo_context_release)  since:0.1 */
rondo_status rondo_task_get_context(rondo_task *task, rondo_context **out_context);

/** Find the task that is running: NULL in a plain callback.
 * @param loop     NULL for the running loop.
 * @param out_task NULL is written if none is.
 * @return RONDO_OK or RONDO_E_NO_LOOP ("no running event loop").
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:out_task(until this step ends)  since:0.1 */
rondo_status rondo_current_task(rondo_loop *loop, rondo_task **out_task);
/**
 * List the tasks that are not done.
 *
 * @param loop      NULL for the running loop.
 * @param tasks     Filled with up to capacity tasks, each retained; may be NULL with capacity 0.
 * @param out_count How many there are, whether they fitted or not.
 * @return RONDO_OK, RONDO_E_NO_LOOP, -EINVAL, -ENOMEM, RONDO_E_LOOP_CLOSED, RONDO_E_TIMEOUT (from another thread, and the loop did not
 *         answer within 10 s), RONDO_E_WRONG_THREAD (from another thread, and the loop is not
 *         running).
 *
 * @par Contract
 * thread:any  blocks:no (from another thread: until the loop answers)  reenters:no  owns:tasks(rondo_task_release)  since:0.1
 */
rondo_status rondo_all_tasks(rondo_loop *loop, rondo_task **tasks, size_t capacity,
                             size_t *out_count);

RONDO_END_DECLS
#endif
