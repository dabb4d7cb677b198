// Event.swift - a flag that tasks wait for.
//
// Setting wakes everybody who waits by then, in their order; they have seen it even if it is
// cleared before they run.
//
// Knows: SyncWait. Does not know: who sets it.

import CRondo
import CRondoShim

extension SyncRef {
  var isSet: Bool { s.pointee.phase != 0 }

  func setEvent() -> rondo_status {
    if isSet { return RONDO_OK }
    if !lot.canWake(atMost: UInt64.max, loop) { return -ENOMEM }
    s.pointee.phase = 1
    lot.wake(atMost: UInt64.max)
    return RONDO_OK
  }

  func clearEvent() { s.pointee.phase = 0 }

  func waitForEvent() -> (CoroutineRef?, rondo_status) {
    SyncWait.make(self, "Event.wait", { SyncWait($1).eventStep($3) })
  }
}

extension SyncWait {
  fileprivate func eventStep(_ thrown: OpaquePointer?) -> rondo_step {
    if isFirst {
      if let refused = begin() { return Native.raise(refused) }
      if object.isSet { return Native.value(.none) }
      return wait(in: object.lot, SyncStage.waiting) ?? SyncWait.raiseOutOfMemory()
    }
    parking.leave()
    return thrown == nil ? Native.value(.none) : Native.raise(nil, thrown)
  }
}
