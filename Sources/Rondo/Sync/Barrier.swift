// Barrier.swift - a place where a number of tasks meet before they go on together.
//
// asyncio builds it of a condition, and what order its tasks leave in, and after how many passes,
// follows from that: the last one to come goes straight on, the others take the lock one after the
// other. So it is a condition here, too, with asyncio's four phases.
//
// Knows: Condition. Does not know: what is done behind it.

import CRondo
import CRondoShim

enum BarrierPhase {
  static let filling: UInt32 = 0
  static let draining: UInt32 = 1
  static let resetting: UInt32 = 2
  static let broken: UInt32 = 3
}

extension SyncRef {
  func waitAtBarrier() -> (CoroutineRef?, rondo_status) {
    SyncWait.make(self, "Barrier.wait", { SyncWait($1).barrierStep($3) })
  }

  func resetBarrier() -> (CoroutineRef?, rondo_status) {
    SyncWait.make(self, "Barrier.reset", { SyncWait($1).changeStep($3, BarrierPhase.resetting) })
  }

  func abortBarrier() -> (CoroutineRef?, rondo_status) {
    SyncWait.make(self, "Barrier.abort", { SyncWait($1).changeStep($3, BarrierPhase.broken) })
  }

  fileprivate func enterPhase(_ phase: UInt32) {
    s.pointee.phase = phase
    lot.wake(atMost: UInt64.max)
  }

  /// One task leaves; the last one makes way for those who wait to get in.
  fileprivate func leaveBarrier() {
    s.pointee.value -= 1
    if s.pointee.value > 0 { return }
    let phase = s.pointee.phase
    let isOver = phase == BarrierPhase.draining || phase == BarrierPhase.resetting
    enterPhase(isOver ? BarrierPhase.filling : phase)
  }
}

extension SyncWait {
  // MARK: - wait

  fileprivate func barrierStep(_ thrown: OpaquePointer?) -> rondo_step {
    switch s.pointee.stage {
    case SyncStage.start:
      if let refused = begin() { return Native.raise(refused) }
      return lockOrWait() ?? enter()
    case SyncStage.locking:
      if let error = endLocking(thrown) { return Native.raise(error) }
      return enter()
    default:
      return goOn(goOnWaiting(thrown))
    }
  }

  private func goOn(_ turn: SyncTurn) -> rondo_step {
    switch turn {
    case .waits(let answer): return answer
    case .ends(let error?): return leave(error)
    case .ends(nil): return s.pointee.isCounted ? pass() : enter()
    }
  }

  /// The lock is taken: get in, once those of the last time are out.
  private func enter() -> rondo_step {
    s.pointee.hasLock = true
    let barrier = object
    switch barrier.s.pointee.phase {
    case BarrierPhase.draining, BarrierPhase.resetting: return goOn(beginWait())
    case BarrierPhase.broken: return leave(ErrorRef.of(RONDO_E_BROKEN_BARRIER, sentence: "Barrier aborted"))
    default: break
    }
    s.pointee.index = barrier.s.pointee.value
    s.pointee.isCounted = true
    barrier.s.pointee.value += 1
    if barrier.s.pointee.value < barrier.s.pointee.limit { return pass() }
    barrier.enterPhase(BarrierPhase.draining)
    return leave(nil)
  }

  /// Wait until all have come.
  private func pass() -> rondo_step {
    switch object.s.pointee.phase {
    case BarrierPhase.filling: return goOn(beginWait())
    case BarrierPhase.draining: return leave(nil)
    default: return leave(ErrorRef.of(RONDO_E_BROKEN_BARRIER, sentence: "Abort or reset of barrier"))
    }
  }

  /// The error's pin moves.
  private func leave(_ error: ErrorRef?) -> rondo_step {
    let barrier = object
    if s.pointee.isCounted { barrier.leaveBarrier() }
    if s.pointee.hasLock { _ = barrier.lock.unlock(checked: false) }
    if let error { return Native.raise(error) }
    return Native.value(Value(pointer: address(s.pointee.index), drop: nil))
  }

  // MARK: - reset and abort

  fileprivate func changeStep(_ thrown: OpaquePointer?, _ phase: UInt32) -> rondo_step {
    if isFirst {
      if let refused = begin() { return Native.raise(refused) }
      return lockOrWait() ?? change(phase)
    }
    if let error = endLocking(thrown) { return Native.raise(error) }
    return change(phase)
  }

  private func change(_ phase: UInt32) -> rondo_step {
    let barrier = object
    let isEmpty = barrier.s.pointee.value == 0
    barrier.enterPhase(phase == BarrierPhase.resetting && isEmpty ? BarrierPhase.filling : phase)
    _ = barrier.lock.unlock(checked: false)
    return Native.value(.none)
  }
}
