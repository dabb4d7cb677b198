// Semaphore.swift - a number of units that tasks take and put back.
//
// Putting one back while somebody waits gives it to who waits first, there and then: it is not
// counted as free meanwhile, so nobody can push in. If that one is cancelled before it runs, it
// puts the unit back.
//
// Knows: SyncWait. Does not know: what a unit stands for.

import CRondo
import CRondoShim

extension SyncRef {
  /// No unit to be had at once: none is free, or others are first.
  var isExhausted: Bool { s.pointee.value == 0 || !lot.isDeserted }

  func putUnitBack() -> rondo_status {
    if s.pointee.value >= s.pointee.limit { return -EOVERFLOW }
    if !lot.canWake(atMost: 1, loop) { return -ENOMEM }
    s.pointee.value += 1
    giveUnit()
    return RONDO_OK
  }

  /// Give a free unit to who waits for one.
  private func giveUnit() {
    if lot.wakeNext() { s.pointee.value -= 1 }
  }

  /// Those who came while others were first may be served now.
  fileprivate func giveUnits() {
    while s.pointee.value > 0 && lot.firstPending != nil { giveUnit() }
  }

  func acquireUnit() -> (CoroutineRef?, rondo_status) {
    SyncWait.make(self, "Semaphore.acquire", { SyncWait($1).semaphoreStep($3) })
  }
}

extension SyncWait {
  fileprivate func semaphoreStep(_ thrown: OpaquePointer?) -> rondo_step {
    if isFirst {
      if let refused = begin() { return Native.raise(refused) }
      if object.isExhausted { return wait(in: object.lot, SyncStage.waiting) ?? SyncWait.raiseOutOfMemory() }
      object.s.pointee.value -= 1
      return Native.value(.none)
    }
    if thrown != nil && parking.isWoken { object.s.pointee.value += 1 }
    parking.leave()
    object.giveUnits()
    return thrown == nil ? Native.value(.none) : Native.raise(nil, thrown)
  }
}
