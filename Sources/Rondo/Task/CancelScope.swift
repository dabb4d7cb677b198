// CancelScope.swift - a part of a task that can be cancelled as a whole, and stays cancelled.
//
// A cancellation of asyncio's is an event: it is delivered once, and who swallows it has got rid of
// it. A scope's is a state: as long as the task is inside, everything that it has to wait for is
// cancelled, and so for the tasks of the groups that were entered inside. The scope that was
// cancelled swallows the cancellation at its exit, and no other does.
//
// There are two states, because one may be asked before one is made to: "asked" is a query and a
// future, "insisted" is the cancellation. Between them lies the grace period. Both hold for the
// scopes within, up to a shield; `under` bits keep that, so that a query needs no walk upwards.
// How they get to the tasks is in CancelScopeMembers.swift.
//
// A task has one request of its cancelling() for all scopes together, while it is in any that
// insists. What else is in the count was asked for by others: a scope swallows nothing if that
// has grown inside of it, which is the rule of timeouts and groups, too.
//
// Knows: Scope, Task, Timers. Does not know: groups, which only name the scope of their tasks.

import CRondo
import CRondoShim

struct CancelScopeState {
  var header: ObjectHeader
  var type: UInt32
  var bits: UInt32  // CancelScopeBits
  var host: UInt64  // address of a task, pinned while it is inside
  var parent: UInt64  // address of the scope around it, pinned, while it is entered
  var firstMember: UInt64  // address of a ScopeMember: the tasks whose innermost scope this is
  var firstChild: UInt64  // address of a scope: those directly inside
  var next: UInt64  // among the parent's children
  var previous: UInt64
  var timer: UInt64  // address of a handle, pinned: the deadline's; once asked, the grace period's
  var deadline: Int64
  var grace: Int64
  var insistAt: Int64  // once asked: the end of the grace period
  var error: UInt64  // address, pinned, once asked: the cancellation, with reason and place
  var request: UInt64  // address of a future, pinned, if somebody wanted one
  var foreign: UInt32  // cancelling() at the entry, without what scopes asked for
}

enum CancelScopeBits {
  static let entered: UInt32 = 1
  static let exited: UInt32 = 2
  static let shield: UInt32 = 4
  static let fails: UInt32 = 8  // the exit turns a deadline that was hit into a timeout
  static let asked: UInt32 = 16
  static let insisted: UInt32 = 32
  static let underAsked: UInt32 = 64  // this one, or one around it that it is not shielded from
  static let underInsisted: UInt32 = 128
  static let expired: UInt32 = 256
  static let caught: UInt32 = 512
}

struct CancelScope {
  let s: UnsafeMutablePointer<CancelScopeState>

  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: CancelScopeState.self) }

  init?(at word: UInt64) {
    guard let raw = address(word) else { return nil }
    self.init(raw)
  }

  var raw: Raw { Raw(s) }
  var loop: LoopRef { Owned.loop(of: raw) }
  var parent: CancelScope? { CancelScope(at: s.pointee.parent) }
  var isInside: Bool { s.pointee.bits & (CancelScopeBits.entered | CancelScopeBits.exited) == CancelScopeBits.entered }
  var error: ErrorRef? { address(s.pointee.error).map { ErrorRef($0) } }

  func has(_ bit: UInt32) -> Bool { s.pointee.bits & bit != 0 }
  func set(_ bit: UInt32, _ on: Bool) { s.pointee.bits = on ? s.pointee.bits | bit : s.pointee.bits & ~bit }

  private var now: Int64 { loop.deadline(after: 0) }

  static func make(_ loop: LoopRef, deadline: Int64, grace: Int64, shield: Bool, fails: Bool) -> CancelScope? {
    guard let raw = Scope.make(loop, ScopeType.cancelScope) else { return nil }
    let made = CancelScope(raw)
    made.s.pointee.deadline = deadline
    made.s.pointee.grace = grace
    made.set(CancelScopeBits.shield, shield)
    made.set(CancelScopeBits.fails, fails)
    return made
  }

  func letGo() {
    error?.unpin()
    endRequest()
    if let request = address(s.pointee.request) { FutureRef(request).unpin() }
  }

  // MARK: - entering

  func enter() -> rondo_status {
    if has(CancelScopeBits.entered) { return RONDO_E_RUNTIME }
    guard let current = address(loop.s.pointee.currentTask) else { return RONDO_E_RUNTIME }
    let task = TaskRef(current)
    guard let member = task.scopeMember ?? ScopeMember.make(task) else { return -ENOMEM }
    if !has(CancelScopeBits.asked) && s.pointee.deadline > now && !arm(s.pointee.deadline) {
      if member.pointee.scope == 0 { ScopeMember.end(member) }
      return -ENOMEM
    }
    Scope.pin(raw)
    task.future.pin()
    s.pointee.host = bits(current)
    s.pointee.foreign = task.foreignRequests
    set(CancelScopeBits.entered, true)
    CancelScope(at: member.pointee.scope)?.adopt(self)
    if has(CancelScopeBits.asked) {
      beginGrace()
    } else if s.pointee.deadline <= now {
      expire()
    }
    refresh()
    move(member, to: self)
    return RONDO_OK
  }

  // MARK: - cancelling

  /// Ask, and insist once the grace period is over. The error's pin moves. The first one counts.
  func cancel(_ error: ErrorRef) {
    if has(CancelScopeBits.asked | CancelScopeBits.exited) { return error.unpin() }
    set(CancelScopeBits.asked, true)
    s.pointee.error = bits(error.state)
    let (sum, overflow) = now.addingReportingOverflow(s.pointee.grace)
    s.pointee.insistAt = overflow || s.pointee.grace == Int64.max ? Int64.max : sum
    beginGrace()
    if isInside { refresh() } else { endRequest() }
  }

  /// The grace period is over now. False if nobody has asked yet.
  func insist() -> Bool {
    if !has(CancelScopeBits.asked) { return false }
    if has(CancelScopeBits.insisted | CancelScopeBits.exited) { return true }
    loop.stopTimer(place(&s.pointee.timer))
    set(CancelScopeBits.insisted, true)
    if isInside { refresh() }
    return true
  }

  /// Asked: insist at once, or set the timer for it. Memory that is out ends the period.
  private func beginGrace() {
    loop.stopTimer(place(&s.pointee.timer))
    let isOver = s.pointee.grace <= 0 || s.pointee.insistAt <= now
    if isOver || (isInside && !arm(s.pointee.insistAt)) { set(CancelScopeBits.insisted, true) }
  }

  private func expire() {
    set(CancelScopeBits.expired, true)
    cancel(CancelScope.makeError(literal("the deadline of a cancel scope is over"), nil) ?? ErrorRef.plainCancelledPinned())
  }

  /// The cancellation that is delivered, pinned; nil if memory is out.
  static func makeError(_ reason: UnsafePointer<CChar>?, _ where_: UnsafePointer<CChar>?) -> ErrorRef? {
    guard let error = ErrorRef.pinned(RONDO_E_CANCELLED, reason) else { return nil }
    if let where_ {
      error.state.pointee.operation = copyString(where_)
      if error.state.pointee.operation == nil {
        error.unpin()
        return nil
      }
    }
    return error
  }

  // MARK: - time

  /// Arm the timer anew, or leave everything as it is: false.
  private func arm(_ when: Int64) -> Bool {
    var made: HandleRef?
    if when != Int64.max {
      let call = Call(fn: { CancelScope($0!).timeIsOver() }, arg: raw, drop: Scope.drop, context: 0)
      made = loop.callWhen(when, call)
      if made == nil { return false }
      Scope.pin(raw)
    }
    loop.stopTimer(place(&s.pointee.timer))
    s.pointee.timer = bits(made.map { Raw($0.s) })
    return true
  }

  private func timeIsOver() {
    if !isInside { return }
    if !insist() { expire() }
  }

  /// Move the deadline; one that has passed cancels now.
  func setDeadline(_ when: Int64) -> rondo_status {
    if has(CancelScopeBits.exited) { return RONDO_E_RUNTIME }
    let counts = isInside && !has(CancelScopeBits.asked)
    if counts && when > now && !arm(when) { return -ENOMEM }
    s.pointee.deadline = when
    if counts && when <= now { expire() }
    return RONDO_OK
  }

  /// When the work inside is to be over: the earliest of the scopes around, up to a shield. For one
  /// that was asked it is the end of its grace period; Int64.min once it is over.
  var effectiveDeadline: Int64 {
    if has(CancelScopeBits.underInsisted) { return Int64.min }
    var earliest = Int64.max
    var at: CancelScope? = self
    while let scope = at {
      let own = scope.has(CancelScopeBits.asked) ? scope.s.pointee.insistAt : scope.s.pointee.deadline
      earliest = Swift.min(earliest, own)
      at = scope.has(CancelScopeBits.shield) ? nil : scope.parent
    }
    return earliest
  }

  func setShield(_ on: Bool) -> rondo_status {
    if has(CancelScopeBits.exited) { return RONDO_E_RUNTIME }
    set(CancelScopeBits.shield, on)
    if isInside { refresh() }
    return RONDO_OK
  }

  // MARK: - the request

  /// A future that is done once somebody asked, or the part is over; its reference is the caller's.
  func requestFuture() -> (FutureRef?, rondo_status) {
    if s.pointee.request == 0 {
      guard let made = FutureRef.make(loop, user: false) else { return (nil, -ENOMEM) }
      made.add(FutureBits.library)
      s.pointee.request = bits(made.s)
      if has(CancelScopeBits.asked | CancelScopeBits.underAsked | CancelScopeBits.exited) { endRequest() }
    }
    // Each has its own: who is cancelled while waiting would cancel that of all.
    let request = FutureRef(address(s.pointee.request)!)
    request.pin()
    return Shield.make(request)
  }

  func endRequest() {
    if let request = address(s.pointee.request) { FutureRef(request).completeOnce() }
  }

  // MARK: - leaving

  /// The part is left with `thrown`, or normally. What is to be raised then, pinned.
  func exit(_ thrown: ErrorRef?) -> (ErrorRef?, rondo_status) {
    guard isInside, let host = address(s.pointee.host).map({ TaskRef($0) }) else { return (nil, RONDO_E_RUNTIME) }
    // Bodies that their closed loop ends have no task any more that is the current one.
    let isCurrent = loop.isClosed || loop.s.pointee.currentTask == bits(host.s)
    guard isCurrent, host.scopeMember?.pointee.scope == bits(s) else { return (nil, RONDO_E_RUNTIME) }
    let isForeign = host.foreignRequests > s.pointee.foreign
    let isOwn = has(CancelScopeBits.insisted) && (has(CancelScopeBits.shield) || parent?.has(CancelScopeBits.underInsisted) != true)
    thrown?.pin()
    Scope.pin(raw)
    leave()
    defer { Scope.unpin(raw) }
    guard isOwn, !isForeign, let thrown, thrown.isCancellation else { return (thrown, RONDO_OK) }
    set(CancelScopeBits.caught, true)
    var left: ErrorRef?
    if has(CancelScopeBits.fails) && has(CancelScopeBits.expired) {
      left = ErrorRef.of(RONDO_E_TIMEOUT)
      _ = left!.setCause(thrown)
    }
    thrown.unpin()
    return (left, RONDO_OK)
  }

  /// The host is inside no longer. Whoever still is, because a task or a group outlives the part
  /// that it was made in, belongs to the scope around from now on.
  func leave() {
    let host = TaskRef(address(s.pointee.host)!)
    let around = parent
    loop.stopTimer(place(&s.pointee.timer))
    set(CancelScopeBits.exited, true)
    if let own = error { host.forgetPending(own) }
    while let member = ScopeMember.at(s.pointee.firstMember) {
      let task = member.task
      move(member, to: around)
      if task.s != host.s { task.cancelWaiting() }
    }
    while let child = CancelScope(at: s.pointee.firstChild) {
      orphan(child)
      around?.adopt(child)
      child.refresh()
    }
    around?.orphan(self)
    endRequest()
    s.pointee.host = 0
    host.future.unpin()
    Scope.unpin(raw)
  }
}
