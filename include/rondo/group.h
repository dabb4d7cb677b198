/*
 * rondo/group.h - task groups: tasks that end before a part of their parent does.
 *
 * A part of a task's body begins with rondo_task_group_enter() and ends by awaiting the coroutine
 * of rondo_task_group_exit(), whatever way the part is left. In between it makes tasks. The first
 * one that fails cancels the others and the body. All that failed is raised as one error, the
 * group: RONDO_E_GROUP, read with rondo_error_get_count() and rondo_error_get_member().
 *
 * rondo/async.h has macros for the two ends.
 */
#ifndef RONDO_GROUP_H
#define RONDO_GROUP_H

#include <rondo/base.h>
#include <rondo/coroutine.h>
#include <rondo/task.h>

RONDO_BEGIN_DECLS

/**
 * Make a task group (asyncio.TaskGroup). It is used once.
 *
 * @return RONDO_OK, RONDO_E_LOOP_CLOSED or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_group(rondo_task_group_release)  since:0.1
 */
rondo_status rondo_task_group_new(rondo_loop *loop, rondo_task_group **out_group);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_task_group_retain(rondo_task_group *group);
/** Give a reference back. NULL is a no-op. Tasks of the group run on.
 * @par Contract
 * thread:any  blocks:no  reenters:drop,callbacks (the exception handler)  since:0.1 */
rondo_status rondo_task_group_release(rondo_task_group *group);
/** Begin the part, in the task that is running, which becomes the parent.
 * @return RONDO_OK; RONDO_E_RUNTIME ("TaskGroup has already been entered", "TaskGroup cannot
 *         determine the parent task"); RONDO_E_LOOP_CLOSED.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_task_group_enter(rondo_task_group *group);
/**
 * Make a task of a coroutine, as a child of the group.
 *
 * Children may make children while the parent waits at the exit already.
 *
 * @param coroutine Moves on every return; on failure it is closed.
 * @param options   NULL for the defaults.
 * @param out_task  NULL or the task.
 * @return As rondo_loop_create_task(), or RONDO_E_RUNTIME ("TaskGroup has not been entered", "is
 *         finished", "is shutting down").
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure),callbacks (eager: its step)  moves:coroutine  owns:out_task(rondo_task_release)  since:0.1
 */
rondo_status rondo_task_group_create_task(rondo_task_group *group, rondo_coroutine *coroutine,
                                          const rondo_task_options *options, rondo_task **out_task);
/** As rondo_task_group_create_task(), straight from a body, as rondo_loop_spawn().
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure),callbacks (eager: its step)  moves:frame  owns:out_task(rondo_task_release)  since:0.1 */
rondo_status rondo_task_group_spawn(rondo_task_group *group, rondo_step_fn step, void *frame,
                                    rondo_drop_fn drop, const rondo_task_options *options,
                                    rondo_task **out_task);
/**
 * End the group early and silently: cancel every child and the body (since CPython 3.15).
 *
 * The exit raises nothing for it. Errors of children, and a cancellation that somebody else asked
 * for, still go on. Before entering it is remembered: the body runs up to its first wait. After
 * the exit, and a second time, it does nothing.
 *
 * @return RONDO_OK or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  cancel:lossless  since:0.1
 */
rondo_status rondo_task_group_cancel(rondo_task_group *group);
/**
 * Make the coroutine that ends the part; to be awaited by the parent (__aexit__).
 *
 * It waits for every child, however often the parent is cancelled meanwhile. Then it returns, or
 * raises, in this order: RONDO_E_INTERRUPTED or RONDO_E_EXIT of a child or the body, as it is (what
 * else failed goes to the exception handler); RONDO_E_GROUP with the errors of the children in the
 * order in which they came and that of the body last; the cancellation of the parent by somebody
 * else. A parent that is cancelled when a group is raised is cancelled again at its next await.
 *
 * @param thrown NULL if the part was left normally, else the error that leaves it; retained.
 *               Children are cancelled if there is one.
 * @return RONDO_OK or -ENOMEM. The coroutine itself raises RONDO_E_RUNTIME for a group that was not
 *         entered, or left before.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_task_group_exit(rondo_task_group *group, rondo_error *thrown,
                                   rondo_coroutine **out_coroutine);

RONDO_END_DECLS
#endif
