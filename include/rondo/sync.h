/*
 * rondo/sync.h - Lock, Event, Condition, Semaphore, Barrier: between the tasks of one loop.
 *
 * They are not for threads: every call but retain and release is for the loop's thread. What may
 * have to wait makes a coroutine, as in asyncio; awaiting one that need not wait does not suspend.
 * It is awaited in a task of the object's loop; elsewhere it raises RONDO_E_WRONG_LOOP. The
 * coroutine keeps the object. Who waits is served in the order of coming, and nobody can push in.
 * A waiter that is cancelled after it was woken hands its wake-up on.
 *
 * "release" is what it is everywhere in rondo: a reference is given back. asyncio's release() is
 * rondo_lock_unlock(), rondo_condition_unlock() and rondo_semaphore_post().
 *
 * What does not wait also works once the loop is closed; new objects and waiting then are
 * RONDO_E_LOOP_CLOSED.
 */
#ifndef RONDO_SYNC_H
#define RONDO_SYNC_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/* ---- Lock ------------------------------------------------------------------------------------ */

/**
 * Make a lock, unlocked (Lock()).
 *
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_lock(rondo_lock_release)  since:0.1
 */
rondo_status rondo_lock_new(rondo_loop *loop, rondo_lock **out_lock);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_lock_retain(rondo_lock *lock);
/** Give a reference back; does not unlock. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_lock_release(rondo_lock *lock);
/**
 * Make a coroutine that takes the lock, waiting for it if need be (acquire()). Its value is NULL.
 *
 * The lock does not know who has it: whoever took it, or somebody else, unlocks it. Cancelled, the
 * coroutine has not taken it.
 *
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_lock_acquire(rondo_lock *lock, rondo_coroutine **out_coroutine);
/** Unlock it and wake who waits first (release()).
 * @return RONDO_OK, RONDO_E_RUNTIME ("Lock is not acquired.") or -ENOMEM (it stays locked).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_lock_unlock(rondo_lock *lock);
/** Return 1 if it is locked, else 0 (locked()).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_lock_is_locked(const rondo_lock *lock);

/* ---- Event ----------------------------------------------------------------------------------- */

/**
 * Make an event, not set (Event()).
 *
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_event(rondo_event_release)  since:0.1
 */
rondo_status rondo_event_new(rondo_loop *loop, rondo_event **out_event);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_event_retain(rondo_event *event);
/** Give a reference back. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_event_release(rondo_event *event);
/** Set it and wake all who wait, in their order; no-op if it is set.
 * @return RONDO_OK or -ENOMEM (it stays as it was).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_event_set(rondo_event *event);
/**
 * Have the loop set it in its next pass, from any thread.
 *
 * @return RONDO_OK, -ENOMEM, RONDO_E_LOOP_CLOSED, RONDO_E_OWNER_DEAD, RONDO_E_WRONG_PROCESS or the
 *         errno of a wake-up that failed. After RONDO_OK it is certain to be set, or its loop closed.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_event_set_threadsafe(rondo_event *event);
/** Clear it. Who was woken goes on all the same.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_event_clear(rondo_event *event);
/** Return 1 if it is set, else 0.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_event_is_set(const rondo_event *event);
/** Make a coroutine that waits until the event is set (wait()). Its value is NULL.
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1 */
rondo_status rondo_event_wait(rondo_event *event, rondo_coroutine **out_coroutine);

/* ---- Condition ------------------------------------------------------------------------------- */

/** Say whether what is waited for is so: not 0, or 0 to wait on. Called on the loop's thread in the
 * waiting task's step, with the lock taken, as often as it is needed. */
typedef int32_t (*rondo_predicate_fn)(void *arg);

/**
 * Make a condition (Condition()).
 *
 * @param lock NULL for a lock of its own, or a lock of this loop to share; retained.
 * @return RONDO_OK, -EINVAL, -ENOMEM, RONDO_E_WRONG_LOOP or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_condition(rondo_condition_release)  since:0.1
 */
rondo_status rondo_condition_new(rondo_loop *loop, rondo_lock *lock,
                                 rondo_condition **out_condition);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_condition_retain(rondo_condition *condition);
/** Give a reference back; does not unlock. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_condition_release(rondo_condition *condition);
/** As rondo_lock_acquire(), of the condition's lock.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1 */
rondo_status rondo_condition_acquire(rondo_condition *condition, rondo_coroutine **out_coroutine);
/** As rondo_lock_unlock(), of the condition's lock.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_condition_unlock(rondo_condition *condition);
/** Return 1 if its lock is locked, else 0.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_condition_is_locked(const rondo_condition *condition);
/**
 * Make a coroutine that lets go of the lock, waits for a notification and takes the lock again
 * (wait()). Its value is NULL.
 *
 * Without the lock it raises RONDO_E_RUNTIME ("cannot wait on un-acquired lock"). It may wake for
 * nothing: look again. Cancelled, it takes the lock again before it raises, whatever comes
 * meanwhile, and passes a notification on; the last of several cancellations is raised. Only if
 * the coroutine is closed and the lock is taken it ends without the lock.
 *
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_condition_wait(rondo_condition *condition, rondo_coroutine **out_coroutine);
/**
 * Make a coroutine that waits until fn(arg) is not 0 (wait_for()). Its value is what fn answered,
 * as (void *)(intptr_t).
 *
 * fn is asked before the first wait, too; if that is enough, the lock is not looked at.
 *
 * @param arg  Moves on every return.
 * @param drop NULL, or called once with arg when the coroutine has ended or goes.
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_condition_wait_for(rondo_condition *condition, rondo_predicate_fn fn, void *arg,
                                      rondo_drop_fn drop, rondo_coroutine **out_coroutine);
/** Wake up to count of those who wait; they go on once they have the lock.
 * @return RONDO_OK, RONDO_E_RUNTIME ("cannot notify on un-acquired lock") or -ENOMEM (none is woken).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_condition_notify(rondo_condition *condition, size_t count);
/** As rondo_condition_notify(), for all who wait.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_condition_notify_all(rondo_condition *condition);

/* ---- Semaphore ------------------------------------------------------------------------------- */

/** Putting back more units than there were at the start is refused (BoundedSemaphore). */
#define RONDO_SEMAPHORE_BOUNDED 0x1

/**
 * Make a semaphore (Semaphore(value), BoundedSemaphore(value)).
 *
 * @param value How many units it has at the start.
 * @param flags RONDO_SEMAPHORE_ flags.
 * @return RONDO_OK, -EINVAL (value below 0, unknown flags), -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_semaphore(rondo_semaphore_release)  since:0.1
 */
rondo_status rondo_semaphore_new(rondo_loop *loop, int64_t value, uint32_t flags,
                                 rondo_semaphore **out_semaphore);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_semaphore_retain(rondo_semaphore *semaphore);
/** Give a reference back; puts no unit back. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_semaphore_release(rondo_semaphore *semaphore);
/** Make a coroutine that takes a unit, waiting for one if need be (acquire()). Its value is NULL.
 * Cancelled, it has taken none.
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1 */
rondo_status rondo_semaphore_acquire(rondo_semaphore *semaphore, rondo_coroutine **out_coroutine);
/** Put a unit back; it goes to who waits first (release()).
 * @return RONDO_OK, -EOVERFLOW ("BoundedSemaphore released too many times", or INT64_MAX units) or
 *         -ENOMEM (nothing is put back).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_semaphore_post(rondo_semaphore *semaphore);
/** Return 1 if a unit could not be taken at once, else 0 (locked()).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_semaphore_is_locked(const rondo_semaphore *semaphore);
/** Tell how many units are free; one that is on its way to who waits is not.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_semaphore_get_value(const rondo_semaphore *semaphore, int64_t *out_value);

/* ---- Barrier --------------------------------------------------------------------------------- */

/**
 * Make a barrier (Barrier(parties)).
 *
 * @param parties How many tasks have to come.
 * @return RONDO_OK, -EINVAL (parties 0), -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_barrier(rondo_barrier_release)  since:0.1
 */
rondo_status rondo_barrier_new(rondo_loop *loop, size_t parties, rondo_barrier **out_barrier);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_barrier_retain(rondo_barrier *barrier);
/** Give a reference back. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_barrier_release(rondo_barrier *barrier);
/**
 * Make a coroutine that waits until all have come (wait()). Its value is a number of its own from
 * 0 to parties - 1, as (void *)(uintptr_t).
 *
 * Raises RONDO_E_BROKEN_BARRIER if the barrier is broken, or reset or aborted meanwhile. A waiter
 * that is cancelled does not count any more; the others wait on, and one of their numbers may then
 * be given twice, as in asyncio.
 *
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_barrier_wait(rondo_barrier *barrier, rondo_coroutine **out_coroutine);
/** Make a coroutine that empties the barrier and makes it as new (reset()): who waits there gets
 * RONDO_E_BROKEN_BARRIER. Its value is NULL.
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1 */
rondo_status rondo_barrier_reset(rondo_barrier *barrier, rondo_coroutine **out_coroutine);
/** Make a coroutine that breaks the barrier until it is reset (abort()). Its value is NULL.
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_coroutine(rondo_coroutine_release)  cancel:lossless  since:0.1 */
rondo_status rondo_barrier_abort(rondo_barrier *barrier, rondo_coroutine **out_coroutine);
/** Tell how many tasks have to come.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_barrier_get_parties(const rondo_barrier *barrier, size_t *out_parties);
/** Tell how many have come and wait; 0 while they leave (n_waiting).
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_barrier_get_n_waiting(const rondo_barrier *barrier, size_t *out_count);
/** Return 1 if it is broken, else 0.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
int32_t rondo_barrier_is_broken(const rondo_barrier *barrier);

RONDO_END_DECLS
#endif
