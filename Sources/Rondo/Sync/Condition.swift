// Condition.swift - wait, with a lock let go of meanwhile, until somebody notifies.
//
// Whatever ends the wait, the lock is taken again before the coroutine goes on; cancellations that
// come while it waits for the lock do not change that, and the last of them is raised afterwards.
// Who goes with an error may have had a notification that others wait for, so it is passed on:
// somebody may then be woken for nothing, and nobody is forgotten.
//
// Taking the lock again must not fail, and yet waiting for it needs a future. Without memory for
// that the coroutine tries again in each pass.
//
// Only a cancellation can be put off so. A coroutine that is being closed may not wait any more;
// it takes the lock if that is free and goes without it if not.
//
// Knows: Lock, SyncWait. Does not know: barriers, which wait as conditions do.

import CRondo
import CRondoShim

extension SyncRef {
  func waitForNotification(_ predicate: rondo_predicate_fn? = nil, _ arg: Value = .none)
    -> (CoroutineRef?, rondo_status)
  {
    SyncWait.make(self, predicate == nil ? "Condition.wait" : "Condition.wait_for",
                  { SyncWait($1).conditionStep($3) }, predicate, arg)
  }

  /// Condition.notify().
  func notify(_ count: UInt64) -> rondo_status {
    if !lock.pointee.isLocked { return RONDO_E_RUNTIME }
    if !lot.canWake(atMost: count, loop) { return -ENOMEM }
    lot.wake(atMost: count)
    return RONDO_OK
  }
}

/// How a wait for a notification goes on.
enum SyncTurn {
  case waits(rondo_step)
  case ends(ErrorRef?)  // pinned
}

extension SyncWait {
  /// Let go of the lock and wait.
  func beginWait() -> SyncTurn {
    let object = object
    if !object.lock.pointee.isLocked {
      return .ends(ErrorRef.of(RONDO_E_RUNTIME, sentence: "cannot wait on un-acquired lock"))
    }
    guard let answer = wait(in: object.lot, SyncStage.waiting) else { return .ends(ErrorRef.of(-ENOMEM)) }
    s.pointee.hasLock = false
    _ = object.lock.unlock(checked: false)
    return .waits(answer)
  }

  /// The next step of such a wait.
  func goOnWaiting(_ thrown: OpaquePointer?) -> SyncTurn {
    if s.pointee.stage == SyncStage.relocking {
      guard let error = endLocking(thrown) else { return endWait(locked: true) }
      error.unpin()  // the step has it as well
    } else {
      parking.leave()
    }
    note(thrown)
    return relock()
  }

  private func relock() -> SyncTurn {
    let lock = object.lock
    if lock.isFree {
      lock.pointee.isLocked = true
      return endWait(locked: true)
    }
    if let error, !error.isCancellation { return endWait(locked: false) }
    if let answer = wait(in: lock.lot, SyncStage.relocking) {
      if error != nil { parking.future.add(FutureBits.patient) }
      return .waits(answer)
    }
    s.pointee.stage = SyncStage.retrying
    return .waits(Native.sleep(nil, 0))
  }

  private func endWait(locked: Bool) -> SyncTurn {
    s.pointee.hasLock = locked
    guard let error = takeError() else { return .ends(nil) }
    _ = object.lot.wakeNext()
    return .ends(error)
  }

  // MARK: - wait and wait_for

  fileprivate func conditionStep(_ thrown: OpaquePointer?) -> rondo_step {
    if !isFirst { return conclude(goOnWaiting(thrown)) }
    if let refused = begin() { return Native.raise(refused) }
    return s.pointee.predicate == nil ? conclude(beginWait()) : askPredicate()
  }

  private func conclude(_ turn: SyncTurn) -> rondo_step {
    switch turn {
    case .waits(let answer): return answer
    case .ends(let error?): return Native.raise(error)
    case .ends(nil): return s.pointee.predicate == nil ? Native.value(.none) : askPredicate()
    }
  }

  /// It may do anything: the frame and the object are pinned by who calls this.
  private func askPredicate() -> rondo_step {
    let answer = s.pointee.predicate!(s.pointee.arg.pointer)
    if answer != 0 { return Native.value(Value(pointer: Raw(bitPattern: Int(answer)), drop: nil)) }
    return conclude(beginWait())
  }
}
