// Lock.swift - mutual exclusion between tasks, in the order in which they asked.
//
// A lock that is free while somebody waits is on its way to who waits first: whoever asks then
// queues up, so nobody can push in. Releasing wakes the first one and no other. If that one was
// cancelled in the same pass it wakes the next one itself, when it is stepped.
//
// Knows: SyncWait. Does not know: conditions, who use the same lock.

import CRondo
import CRondoShim

extension UnsafeMutablePointer where Pointee == LockPart {
  var lot: LotPointer { place(&pointee.lot) }

  /// Free for the taking: unlocked, and nobody waits.
  var isFree: Bool { !pointee.isLocked && lot.isDeserted }

  func wakeFirst() {
    if let first = lot.first, !first.future.isDone { first.wake() }
  }

  /// Unlock it, by whomever it is locked. With `checked`, -ENOMEM if waking could fail.
  func unlock(checked: Bool) -> rondo_status {
    if !pointee.isLocked { return RONDO_E_RUNTIME }
    if checked, let first = lot.first, !first.future.isDone, !first.future.canWake() { return -ENOMEM }
    pointee.isLocked = false
    wakeFirst()
    return RONDO_OK
  }
}

extension SyncRef {
  /// A coroutine that takes the lock, or that of the condition.
  func acquireLock() -> (CoroutineRef?, rondo_status) {
    SyncWait.make(self, "Lock.acquire", { SyncWait($1).acquireStep($3) })
  }
}

extension SyncWait {
  /// Take the lock, which is nil, or what the step is to answer to wait for it.
  func lockOrWait() -> rondo_step? {
    let lock = object.lock
    if !lock.isFree { return wait(in: lock.lot, SyncStage.locking) ?? SyncWait.raiseOutOfMemory() }
    lock.pointee.isLocked = true
    return nil
  }

  fileprivate func acquireStep(_ thrown: OpaquePointer?) -> rondo_step {
    if isFirst {
      if let refused = begin() { return Native.raise(refused) }
      return lockOrWait() ?? Native.value(.none)
    }
    if let error = endLocking(thrown) { return Native.raise(error) }
    return Native.value(.none)
  }
}
