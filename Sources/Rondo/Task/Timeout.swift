// Timeout.swift - a deadline for a part of a task: asyncio's timeout(), rule by rule.
//
// A cancellation of the task that is taken back again (uncancel) when the part is left, and that
// leaves it as a timeout if nobody else asked for a cancellation meanwhile. While it is armed its
// timer holds it; it holds its task from entering to its end.
//
// wait_for does the same for one awaitable and shares the rule for what is raised. It has no timeout
// object: its coroutine may go in any thread, and its own five words do.
//
// Knows: Scope, Task, Timers. Does not know: wait_for.

import CRondo
import CRondoShim

struct TimeoutState {
  var header: ObjectHeader
  var type: UInt32
  var phase: UInt32  // a TimeoutPhase
  var task: UInt64  // address, pinned, once entered
  var timer: UInt64  // address of a handle, pinned, while armed
  var when: Int64
  var cancelling: UInt32  // the task's requests when it was entered
}

enum TimeoutPhase {
  static let created: UInt32 = 0
  static let entered: UInt32 = 1
  static let expiring: UInt32 = 2
  static let expired: UInt32 = 3
  static let exited: UInt32 = 4
}

struct Timeout {
  let s: UnsafeMutablePointer<TimeoutState>

  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: TimeoutState.self) }

  var raw: Raw { Raw(s) }
  var loop: LoopRef { Owned.loop(of: raw) }
  private var task: TaskRef { TaskRef(address(s.pointee.task)!) }

  static func make(_ loop: LoopRef, when: Int64) -> Timeout? {
    guard let raw = Scope.make(loop, ScopeType.timeout) else { return nil }
    let made = Timeout(raw)
    made.s.pointee.when = when
    return made
  }

  func letGo() {
    loop.stopTimer(place(&s.pointee.timer))
    if let task = address(s.pointee.task) { FutureRef(task).unpin() }
  }

  var isExpired: Bool { s.pointee.phase == TimeoutPhase.expiring || s.pointee.phase == TimeoutPhase.expired }

  // MARK: - entering

  func enter() -> rondo_status {
    if s.pointee.phase != TimeoutPhase.created { return RONDO_E_RUNTIME }
    guard let current = address(loop.s.pointee.currentTask) else { return RONDO_E_RUNTIME }
    if !arm(s.pointee.when) { return -ENOMEM }
    let task = TaskRef(current)
    task.future.pin()
    s.pointee.task = bits(current)
    s.pointee.cancelling = task.body.pointee.count
    s.pointee.phase = TimeoutPhase.entered
    return RONDO_OK
  }

  func reschedule(_ when: Int64) -> rondo_status {
    if s.pointee.phase != TimeoutPhase.entered { return RONDO_E_RUNTIME }
    if !arm(when) { return -ENOMEM }
    s.pointee.when = when
    return RONDO_OK
  }

  /// Arm the timer anew, or leave everything as it is: false.
  private func arm(_ when: Int64) -> Bool {
    var made: HandleRef?
    if when != Int64.max {
      let call = Call(fn: { Timeout($0!).expire() }, arg: raw, drop: Scope.drop, context: 0)
      made = loop.callWhen(when, call)
      if made == nil { return false }
      Scope.pin(raw)
    }
    loop.stopTimer(place(&s.pointee.timer))
    s.pointee.timer = bits(made.map { Raw($0.s) })
    return true
  }

  private func expire() {
    if s.pointee.phase != TimeoutPhase.entered { return }
    let error = ErrorRef.plainCancelled()
    _ = task.cancel(error)
    s.pointee.phase = TimeoutPhase.expiring
    loop.stopTimer(place(&s.pointee.timer))
  }

  // MARK: - leaving

  /// The part is left with `thrown`, or normally. What is to be raised then, pinned.
  func exit(_ thrown: ErrorRef?) -> (ErrorRef?, rondo_status) {
    switch s.pointee.phase {
    case TimeoutPhase.entered:
      loop.stopTimer(place(&s.pointee.timer))
      s.pointee.phase = TimeoutPhase.exited
    case TimeoutPhase.expiring:
      s.pointee.phase = TimeoutPhase.expired
      let isAlone = task.uncancel() <= s.pointee.cancelling
      if isAlone, let thrown { return (Timeout.timedOut(thrown), RONDO_OK) }
    default: return (nil, RONDO_E_RUNTIME)
    }
    thrown?.pin()
    return (thrown, RONDO_OK)
  }

  /// What is raised, pinned, instead of what left a part whose time is over, if nobody else asked
  /// for a cancellation: a timeout for the cancellation, or the same with a timeout among its contexts.
  static func timedOut(_ thrown: ErrorRef) -> ErrorRef {
    if thrown.isCancellation {
      let error = ErrorRef.of(RONDO_E_TIMEOUT)
      _ = error.setCause(thrown)
      return error
    }
    thrown.noteTimeout()
    if thrown.isRondo(RONDO_E_GROUP) {
      for i in 0..<thrown.state.pointee.count { thrown.state.pointee.members![i].noteTimeout() }
    }
    thrown.pin()
    return thrown
  }
}
