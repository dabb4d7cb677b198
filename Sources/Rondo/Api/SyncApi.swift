// SyncApi.swift - the exports of rondo/sync.h.
//
// What does not wait may also be used when the loop is closed; what waits needs an open one.
//
// Knows: SyncObject and the five. Does not know: how they wait.

import CRondo
import CRondoShim

// MARK: - what all five share

private func make(_ loop: OpaquePointer?, _ type: UInt32, _ out: OutHandle?, value: UInt64 = 0, limit: UInt64 = 0)
  -> rondo_status
{
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let out else { return -EINVAL }
  guard let made = SyncRef.make(found, type, value: value, limit: limit) else { return -ENOMEM }
  out.pointee = made.handle
  return RONDO_OK
}

private func retain(_ object: OpaquePointer?, _ type: UInt32) -> rondo_status {
  if object == nil { return RONDO_OK }
  guard let found = SyncRef.find(object, type) else { return SyncRef.refuse(object, type) }
  return Owned.retain(found.raw)
}

private func release(_ object: OpaquePointer?, _ type: UInt32) -> rondo_status {
  if object == nil { return RONDO_OK }
  guard let found = SyncRef.find(object, type) else { return SyncRef.refuse(object, type) }
  return Owned.release(found.raw) { SyncObjects.unpin($0) }
}

private func wait(_ object: OpaquePointer?, _ type: UInt32, _ out: OutHandle?,
                  _ make: (SyncRef) -> (CoroutineRef?, rondo_status)) -> rondo_status {
  guard let found = SyncRef.find(object, type), found.loop.isMine else { return SyncRef.refuse(object, type) }
  guard let out else { return -EINVAL }
  let (made, status) = make(found)
  if let made { out.pointee = made.handle }
  return status
}

/// Why no coroutine that waits can be made of bad arguments.
private func refusalToWait(_ object: OpaquePointer?, _ type: UInt32) -> rondo_status {
  guard let found = SyncRef.find(object, type), found.loop.isMine else { return SyncRef.refuse(object, type) }
  return -EINVAL
}

/// Do something that does not wait.
private func use(_ object: OpaquePointer?, _ type: UInt32, _ act: (SyncRef) -> rondo_status) -> rondo_status {
  guard let found = SyncRef.owned(object, type) else { return SyncRef.refuse(object, type) }
  return act(found)
}

private func read<T>(_ object: OpaquePointer?, _ type: UInt32, _ out: UnsafeMutablePointer<T>?,
                     _ value: (SyncRef) -> T) -> rondo_status {
  guard let found = SyncRef.owned(object, type) else { return SyncRef.refuse(object, type) }
  guard let out else { return -EINVAL }
  out.pointee = value(found)
  return RONDO_OK
}

private func tell(_ object: OpaquePointer?, _ type: UInt32, _ fact: (SyncRef) -> Bool) -> Int32 {
  guard let found = SyncRef.owned(object, type) else { return 0 }
  return fact(found) ? 1 : 0
}

// MARK: - Lock

@_cdecl("rondo_lock_new") @implementation
public func rondo_lock_new(_ loop: OpaquePointer?, _ outLock: OutHandle?) -> rondo_status {
  make(loop, SyncType.lock, outLock)
}

@_cdecl("rondo_lock_retain") @implementation
public func rondo_lock_retain(_ lock: OpaquePointer?) -> rondo_status { retain(lock, SyncType.lock) }

@_cdecl("rondo_lock_release") @implementation
public func rondo_lock_release(_ lock: OpaquePointer?) -> rondo_status { release(lock, SyncType.lock) }

@_cdecl("rondo_lock_acquire") @implementation
public func rondo_lock_acquire(_ lock: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  wait(lock, SyncType.lock, outCoroutine) { $0.acquireLock() }
}

@_cdecl("rondo_lock_unlock") @implementation
public func rondo_lock_unlock(_ lock: OpaquePointer?) -> rondo_status {
  use(lock, SyncType.lock) { $0.lock.unlock(checked: true) }
}

@_cdecl("rondo_lock_is_locked") @implementation
public func rondo_lock_is_locked(_ lock: OpaquePointer?) -> Int32 {
  tell(lock, SyncType.lock) { $0.lock.pointee.isLocked }
}

// MARK: - Event

@_cdecl("rondo_event_new") @implementation
public func rondo_event_new(_ loop: OpaquePointer?, _ outEvent: OutHandle?) -> rondo_status {
  make(loop, SyncType.event, outEvent)
}

@_cdecl("rondo_event_retain") @implementation
public func rondo_event_retain(_ event: OpaquePointer?) -> rondo_status { retain(event, SyncType.event) }

@_cdecl("rondo_event_release") @implementation
public func rondo_event_release(_ event: OpaquePointer?) -> rondo_status { release(event, SyncType.event) }

@_cdecl("rondo_event_set") @implementation
public func rondo_event_set(_ event: OpaquePointer?) -> rondo_status { use(event, SyncType.event) { $0.setEvent() } }

@_cdecl("rondo_event_clear") @implementation
public func rondo_event_clear(_ event: OpaquePointer?) -> rondo_status {
  use(event, SyncType.event) {
    $0.clearEvent()
    return RONDO_OK
  }
}

@_cdecl("rondo_event_is_set") @implementation
public func rondo_event_is_set(_ event: OpaquePointer?) -> Int32 { tell(event, SyncType.event) { $0.isSet } }

@_cdecl("rondo_event_wait") @implementation
public func rondo_event_wait(_ event: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  wait(event, SyncType.event, outCoroutine) { $0.waitForEvent() }
}

// MARK: - Condition

@_cdecl("rondo_condition_new") @implementation
public func rondo_condition_new(_ loop: OpaquePointer?, _ lock: OpaquePointer?, _ outCondition: OutHandle?)
  -> rondo_status
{
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  let given = SyncRef.find(lock, SyncType.lock)
  if lock != nil && given == nil { return SyncRef.refuse(lock, SyncType.lock) }
  if let given, given.loop.s != found.s { return RONDO_E_WRONG_LOOP }
  let status = make(loop, SyncType.condition, outCondition)
  if status != RONDO_OK { return status }
  if let given, let made = SyncRef.find(outCondition?.pointee, SyncType.condition) {
    Owned.pin(given.raw)
    made.s.pointee.given = bits(given.s)
  }
  return RONDO_OK
}

@_cdecl("rondo_condition_retain") @implementation
public func rondo_condition_retain(_ condition: OpaquePointer?) -> rondo_status {
  retain(condition, SyncType.condition)
}

@_cdecl("rondo_condition_release") @implementation
public func rondo_condition_release(_ condition: OpaquePointer?) -> rondo_status {
  release(condition, SyncType.condition)
}

@_cdecl("rondo_condition_acquire") @implementation
public func rondo_condition_acquire(_ condition: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  wait(condition, SyncType.condition, outCoroutine) { $0.acquireLock() }
}

@_cdecl("rondo_condition_unlock") @implementation
public func rondo_condition_unlock(_ condition: OpaquePointer?) -> rondo_status {
  use(condition, SyncType.condition) { $0.lock.unlock(checked: true) }
}

@_cdecl("rondo_condition_is_locked") @implementation
public func rondo_condition_is_locked(_ condition: OpaquePointer?) -> Int32 {
  tell(condition, SyncType.condition) { $0.lock.pointee.isLocked }
}

@_cdecl("rondo_condition_wait") @implementation
public func rondo_condition_wait(_ condition: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  wait(condition, SyncType.condition, outCoroutine) { $0.waitForNotification() }
}

@_cdecl("rondo_condition_wait_for") @implementation
public func rondo_condition_wait_for(
  _ condition: OpaquePointer?, _ fn: rondo_predicate_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?,
  _ outCoroutine: OutHandle?
) -> rondo_status {
  guard let fn else { return refuse(refusalToWait(condition, SyncType.condition), arg, drop) }
  let status = wait(condition, SyncType.condition, outCoroutine) {
    $0.waitForNotification(fn, Value(pointer: arg, drop: drop))
  }
  return status == RONDO_OK ? status : refuse(status, arg, drop)
}

@_cdecl("rondo_condition_notify") @implementation
public func rondo_condition_notify(_ condition: OpaquePointer?, _ count: Int) -> rondo_status {
  // A size_t arrives as an Int: what is above half of it is negative here, and means all.
  use(condition, SyncType.condition) { $0.notify(UInt64(UInt(bitPattern: count))) }
}

@_cdecl("rondo_condition_notify_all") @implementation
public func rondo_condition_notify_all(_ condition: OpaquePointer?) -> rondo_status {
  use(condition, SyncType.condition) { $0.notify(UInt64.max) }
}

// MARK: - Semaphore

@_cdecl("rondo_semaphore_new") @implementation
public func rondo_semaphore_new(
  _ loop: OpaquePointer?, _ value: Int64, _ flags: UInt32, _ outSemaphore: OutHandle?
) -> rondo_status {
  if LoopRef.owned(loop) == nil { return LoopRef.refuse(loop) }
  if value < 0 || flags & ~UInt32(RONDO_SEMAPHORE_BOUNDED) != 0 { return -EINVAL }
  let limit = flags & UInt32(RONDO_SEMAPHORE_BOUNDED) != 0 ? value : Int64.max
  return make(loop, SyncType.semaphore, outSemaphore, value: UInt64(value), limit: UInt64(limit))
}

@_cdecl("rondo_semaphore_retain") @implementation
public func rondo_semaphore_retain(_ semaphore: OpaquePointer?) -> rondo_status {
  retain(semaphore, SyncType.semaphore)
}

@_cdecl("rondo_semaphore_release") @implementation
public func rondo_semaphore_release(_ semaphore: OpaquePointer?) -> rondo_status {
  release(semaphore, SyncType.semaphore)
}

@_cdecl("rondo_semaphore_acquire") @implementation
public func rondo_semaphore_acquire(_ semaphore: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  wait(semaphore, SyncType.semaphore, outCoroutine) { $0.acquireUnit() }
}

@_cdecl("rondo_semaphore_post") @implementation
public func rondo_semaphore_post(_ semaphore: OpaquePointer?) -> rondo_status {
  use(semaphore, SyncType.semaphore) { $0.putUnitBack() }
}

@_cdecl("rondo_semaphore_is_locked") @implementation
public func rondo_semaphore_is_locked(_ semaphore: OpaquePointer?) -> Int32 {
  tell(semaphore, SyncType.semaphore) { $0.isExhausted }
}

@_cdecl("rondo_semaphore_get_value") @implementation
public func rondo_semaphore_get_value(_ semaphore: OpaquePointer?, _ outValue: UnsafeMutablePointer<Int64>?)
  -> rondo_status
{
  read(semaphore, SyncType.semaphore, outValue) { Int64($0.s.pointee.value) }
}

// MARK: - Barrier

@_cdecl("rondo_barrier_new") @implementation
public func rondo_barrier_new(_ loop: OpaquePointer?, _ parties: Int, _ outBarrier: OutHandle?) -> rondo_status {
  if LoopRef.owned(loop) == nil { return LoopRef.refuse(loop) }
  if parties == 0 { return -EINVAL }
  return make(loop, SyncType.barrier, outBarrier, limit: UInt64(UInt(bitPattern: parties)))
}

@_cdecl("rondo_barrier_retain") @implementation
public func rondo_barrier_retain(_ barrier: OpaquePointer?) -> rondo_status { retain(barrier, SyncType.barrier) }

@_cdecl("rondo_barrier_release") @implementation
public func rondo_barrier_release(_ barrier: OpaquePointer?) -> rondo_status { release(barrier, SyncType.barrier) }

@_cdecl("rondo_barrier_wait") @implementation
public func rondo_barrier_wait(_ barrier: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  wait(barrier, SyncType.barrier, outCoroutine) { $0.waitAtBarrier() }
}

@_cdecl("rondo_barrier_reset") @implementation
public func rondo_barrier_reset(_ barrier: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  wait(barrier, SyncType.barrier, outCoroutine) { $0.resetBarrier() }
}

@_cdecl("rondo_barrier_abort") @implementation
public func rondo_barrier_abort(_ barrier: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  wait(barrier, SyncType.barrier, outCoroutine) { $0.abortBarrier() }
}

@_cdecl("rondo_barrier_get_parties") @implementation
public func rondo_barrier_get_parties(_ barrier: OpaquePointer?, _ outParties: UnsafeMutablePointer<Int>?)
  -> rondo_status
{
  read(barrier, SyncType.barrier, outParties) { Int(bitPattern: UInt($0.s.pointee.limit)) }
}

@_cdecl("rondo_barrier_get_n_waiting") @implementation
public func rondo_barrier_get_n_waiting(_ barrier: OpaquePointer?, _ outCount: UnsafeMutablePointer<Int>?)
  -> rondo_status
{
  read(barrier, SyncType.barrier, outCount) {
    $0.s.pointee.phase == BarrierPhase.filling ? Int($0.s.pointee.value) : 0
  }
}

@_cdecl("rondo_barrier_is_broken") @implementation
public func rondo_barrier_is_broken(_ barrier: OpaquePointer?) -> Int32 {
  tell(barrier, SyncType.barrier) { $0.s.pointee.phase == BarrierPhase.broken }
}
