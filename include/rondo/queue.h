/*
 * rondo/queue.h - queues between the tasks of one loop: first in first out, last in first out, by
 * priority.
 *
 * An item is a pointer with a drop. It moves into the queue when it is put there, and to the
 * caller when it is got; what is left in the queue is dropped with it. As in rondo/sync.h what may
 * have to wait makes a coroutine for a task of the queue's loop, nothing is for other threads, and
 * what does not wait also works once the loop is closed.
 */
#ifndef RONDO_QUEUE_H
#define RONDO_QUEUE_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** Compare two items: below 0 if a is to leave before b, above 0 if after, 0 if it is the same. The
 * queue that it is called for cannot be changed meanwhile. */
typedef int32_t (*rondo_compare_fn)(const void *a, const void *b, void *arg);

/**
 * Make a queue that gives items in the order in which they were put (Queue(maxsize)).
 *
 * @param maxsize How many items it takes; zero or less: any number.
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_queue(rondo_queue_release)  since:0.1
 */
rondo_status rondo_queue_new(rondo_loop *loop, int64_t maxsize, rondo_queue **out_queue);
/** As rondo_queue_new(), but the item put last is given first (LifoQueue).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_queue(rondo_queue_release)  since:0.1 */
rondo_status rondo_queue_new_lifo(rondo_loop *loop, int64_t maxsize, rondo_queue **out_queue);
/** As rondo_queue_new(), but the smallest item is given first (PriorityQueue); of those that are the
 * same, the one put first.
 * @param fn   The order.
 * @param arg  Moves on every return.
 * @param drop NULL, or called once with arg when the queue goes.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_queue(rondo_queue_release)  since:0.1 */
rondo_status rondo_queue_new_priority(rondo_loop *loop, int64_t maxsize, rondo_compare_fn fn,
                                      void *arg, rondo_drop_fn drop, rondo_queue **out_queue);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_queue_retain(rondo_queue *queue);
/** Give a reference back. NULL is a no-op. The last one drops the items that are left.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  since:0.1 */
rondo_status rondo_queue_release(rondo_queue *queue);

/**
 * Make a coroutine that puts an item in once there is room (put()). Its value is NULL.
 *
 * Raises RONDO_E_QUEUE_SHUT_DOWN. Whenever it does not put the item in (it raises, is cancelled,
 * never starts) it drops it.
 *
 * @param item Moves on every return.
 * @param drop NULL, or called once with item if nobody gets it.
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:item  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_queue_put(rondo_queue *queue, void *item, rondo_drop_fn drop,
                             rondo_coroutine **out_coroutine);
/**
 * Put an item in now (put_nowait()).
 *
 * @param item Moves on every return: to keep it when there is no room, give no drop.
 * @return RONDO_OK, RONDO_E_QUEUE_FULL, RONDO_E_QUEUE_SHUT_DOWN, -ENOMEM or -EBUSY (called from the
 *         queue's own comparison).
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:callbacks (the comparison),drop (on failure)  moves:item  since:0.1
 */
rondo_status rondo_queue_put_nowait(rondo_queue *queue, void *item, rondo_drop_fn drop);
/**
 * Make a coroutine that takes the next item out, waiting for one if need be (get()). The item is its
 * value: make it your own with rondo_coroutine_take_sent(), or from a task with
 * rondo_future_take_result(), else it is dropped as every value is.
 *
 * Raises RONDO_E_QUEUE_SHUT_DOWN once the queue is shut down and empty. Cancelled, it has taken
 * nothing.
 *
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_queue_get(rondo_queue *queue, rondo_coroutine **out_coroutine);
/** Take the next item out now (get_nowait()); its drop will not be called.
 * @return RONDO_OK, RONDO_E_QUEUE_EMPTY, RONDO_E_QUEUE_SHUT_DOWN (and empty), -EINVAL, -ENOMEM or
 *         -EBUSY (called from the queue's own comparison).
 * @par Contract
 * thread:loop  blocks:no  reenters:callbacks (the comparison)  owns:out_item(as its maker says)  since:0.1 */
rondo_status rondo_queue_get_nowait(rondo_queue *queue, void **out_item);

/** Tell how many items are in the queue.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_queue_qsize(const rondo_queue *queue, size_t *out_count);
/** Tell how many items it takes, as it was made with.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_queue_get_maxsize(const rondo_queue *queue, int64_t *out_maxsize);
/** Return 1 if nothing is in the queue, else 0.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_queue_is_empty(const rondo_queue *queue);
/** Return 1 if no more can be put in, else 0; never 1 without a maxsize.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_queue_is_full(const rondo_queue *queue);

/** Say that the work on an item that was got is done; once for each item.
 * @return RONDO_OK, RONDO_E_INVALID_STATE ("task_done() called too many times") or -ENOMEM (it does
 *         not count).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_queue_task_done(rondo_queue *queue);
/** Make a coroutine that waits until the work on every item that was put is done (join()). Its value
 * is NULL.
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1 */
rondo_status rondo_queue_join(rondo_queue *queue, rondo_coroutine **out_coroutine);
/**
 * Shut the queue down (shutdown()): nothing more is put in, and who waits is told so.
 *
 * What is in it can still be got. It may be called again, to be immediate.
 *
 * @param immediate 1: what is in it is dropped and counts as done. 0: it stays.
 * @return RONDO_OK, -ENOMEM (nothing has changed) or -EBUSY (called from the queue's own comparison).
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop  since:0.1
 */
rondo_status rondo_queue_shutdown(rondo_queue *queue, int32_t immediate);

RONDO_END_DECLS
#endif
