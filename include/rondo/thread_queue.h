/*
 * rondo/thread_queue.h - queues and events between threads and tasks, in every direction.
 *
 * They belong to no loop. A plain thread waits in the call, at most so long; a task, of any loop,
 * awaits a coroutine. A thread that runs a loop does not wait in a call, which would stop the loop:
 * that is -EDEADLK. Nothing is lost: an item is in the queue until somebody takes it, and who is
 * woken for one and does not take it leaves it for the next.
 *
 * Hold a reference for as long as a thread or a task waits. Closing a loop ends the waits of its
 * tasks and no others; shut a queue down to wake everybody.
 *
 * A task that waits holds the clock of its loop if that is virtual (see rondo_loop_hold()): another
 * thread may be about to wake it, so time does not jump and nothing is a deadlock meanwhile.
 */
#ifndef RONDO_THREAD_QUEUE_H
#define RONDO_THREAD_QUEUE_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/* ---- queues -------------------------------------------------------------------------------- */

/**
 * Make a queue for threads and tasks. Items leave in the order in which they were put in.
 *
 * @param maxsize How many items it takes; zero or less: any number.
 * @return RONDO_OK, -EINVAL or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_queue(rondo_thread_queue_release)  since:0.1
 */
rondo_status rondo_thread_queue_new(int64_t maxsize, rondo_thread_queue **out_queue);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_thread_queue_retain(rondo_thread_queue *queue);
/** Give a reference back. NULL is a no-op. The last one drops the items that are left.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  since:0.1 */
rondo_status rondo_thread_queue_release(rondo_thread_queue *queue);

/**
 * Put an item in now; never waits.
 *
 * @param item Moves on every return: to keep it when there is no room, give no drop.
 * @param drop NULL, or called once with item if nobody gets it.
 * @return RONDO_OK, RONDO_E_QUEUE_FULL, RONDO_E_QUEUE_SHUT_DOWN or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:item  since:0.1
 */
rondo_status rondo_thread_queue_put_nowait(rondo_thread_queue *queue, void *item, rondo_drop_fn drop);
/**
 * Put an item in once there is room, waiting in this thread.
 *
 * @param timeout_ns How long to wait: 0 not at all, RONDO_NEVER for ever.
 * @return As rondo_thread_queue_put_nowait(), but for RONDO_E_TIMEOUT where it is still full;
 *         -EDEADLK (full, and this thread runs a loop); -EINVAL (negative).
 *
 * @par Contract
 * thread:any  blocks:ms:timeout_ns  reenters:drop (on failure)  moves:item  since:0.1
 */
rondo_status rondo_thread_queue_put(rondo_thread_queue *queue, void *item, rondo_drop_fn drop,
                                    int64_t timeout_ns);
/**
 * Make a coroutine that puts an item in once there is room. Its value is NULL.
 *
 * Raises RONDO_E_QUEUE_SHUT_DOWN. Whenever it does not put the item in (it raises, is cancelled,
 * never starts) it drops it.
 *
 * @return RONDO_OK, -EINVAL or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:item  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_thread_queue_put_async(rondo_thread_queue *queue, void *item, rondo_drop_fn drop,
                                          rondo_coroutine **out_coroutine);
/** Take the next item out now; never waits. Its drop will not be called.
 * @return RONDO_OK, RONDO_E_QUEUE_EMPTY, RONDO_E_QUEUE_SHUT_DOWN (and empty) or -EINVAL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_item(as its maker says)  since:0.1 */
rondo_status rondo_thread_queue_get_nowait(rondo_thread_queue *queue, void **out_item);
/** Take the next item out, waiting for one in this thread.
 * @param timeout_ns How long to wait: 0 not at all, RONDO_NEVER for ever.
 * @return As rondo_thread_queue_get_nowait(), but for RONDO_E_TIMEOUT where it is still empty;
 *         -EDEADLK (empty, and this thread runs a loop).
 * @par Contract
 * thread:any  blocks:ms:timeout_ns  reenters:no  owns:out_item(as its maker says)  since:0.1 */
rondo_status rondo_thread_queue_get(rondo_thread_queue *queue, int64_t timeout_ns, void **out_item);
/**
 * Make a coroutine that takes the next item out, waiting for one if need be. The item is its value:
 * make it your own with rondo_coroutine_take_sent(), or from a task with rondo_future_take_result(),
 * else it is dropped as every value is.
 *
 * Raises RONDO_E_QUEUE_SHUT_DOWN once the queue is shut down and empty. Cancelled, it has taken
 * nothing.
 *
 * @return RONDO_OK, -EINVAL or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_thread_queue_get_async(rondo_thread_queue *queue, rondo_coroutine **out_coroutine);

/** Tell how many items are in it, as of a moment ago.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_thread_queue_qsize(const rondo_thread_queue *queue, size_t *out_count);
/** Tell how many items it takes, as it was made with.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_thread_queue_get_maxsize(const rondo_thread_queue *queue, int64_t *out_maxsize);
/** Say that the work on an item that was got is done; once for each item.
 * @return RONDO_OK or RONDO_E_INVALID_STATE ("task_done() called too many times").
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_thread_queue_task_done(rondo_thread_queue *queue);
/** Wait in this thread until the work on every item that was put is done.
 * @param timeout_ns How long to wait: 0 not at all, RONDO_NEVER for ever.
 * @return RONDO_OK, RONDO_E_TIMEOUT, -EDEADLK (this thread runs a loop) or -EINVAL (negative).
 * @par Contract
 * thread:any  blocks:ms:timeout_ns  reenters:no  since:0.1 */
rondo_status rondo_thread_queue_join(rondo_thread_queue *queue, int64_t timeout_ns);
/** Make a coroutine that waits until the work on every item that was put is done. Its value is NULL.
 * @return RONDO_OK, -EINVAL or -ENOMEM.
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1 */
rondo_status rondo_thread_queue_join_async(rondo_thread_queue *queue, rondo_coroutine **out_coroutine);
/**
 * Shut the queue down: nothing more is put in, and who waits, thread or task, is told so.
 *
 * What is in it can still be got. It may be called again, to be immediate.
 *
 * @param immediate 1: what is in it is dropped and counts as done. 0: it stays.
 * @return RONDO_OK.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop  since:0.1
 */
rondo_status rondo_thread_queue_shutdown(rondo_thread_queue *queue, int32_t immediate);

/* ---- events -------------------------------------------------------------------------------- */

/** Make an event for threads and tasks, not set.
 * @return RONDO_OK, -EINVAL or -ENOMEM.
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_event(rondo_thread_event_release)  since:0.1 */
rondo_status rondo_thread_event_new(rondo_thread_event **out_event);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_thread_event_retain(rondo_thread_event *event);
/** Give a reference back. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_thread_event_release(rondo_thread_event *event);
/** Set it and wake everybody who waits by now, also if it is cleared before they run.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_thread_event_set(rondo_thread_event *event);
/** Clear it.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_thread_event_clear(rondo_thread_event *event);
/** Return 1 if it is set, else 0.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_thread_event_is_set(const rondo_thread_event *event);
/** Wait in this thread until it is set.
 * @param timeout_ns How long to wait: 0 not at all, RONDO_NEVER for ever.
 * @return RONDO_OK, RONDO_E_TIMEOUT, -EDEADLK (not set, and this thread runs a loop) or -EINVAL
 *         (negative).
 * @par Contract
 * thread:any  blocks:ms:timeout_ns  reenters:no  since:0.1 */
rondo_status rondo_thread_event_wait(rondo_thread_event *event, int64_t timeout_ns);
/** Make a coroutine that waits until it is set. Its value is NULL.
 * @return RONDO_OK, -EINVAL or -ENOMEM.
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1 */
rondo_status rondo_thread_event_wait_async(rondo_thread_event *event, rondo_coroutine **out_coroutine);

RONDO_END_DECLS
#endif
