// CancelScopeMembers.swift - which tasks are in which cancel scope, and how a cancellation reaches them.
//
// Scopes form a tree. A task that is in one has a record, kept as its `extra`, which is in the list
// of its innermost scope; a child of a group begins in the scope that its group was entered in.
//
// A change of state goes down the tree once: it is written into the scopes' bits and the tasks'
// flag first, and only then are waits cancelled, because that may run code of the program, which
// may enter and leave scopes. From then on the flag does the rest, at each wait (`Task.wait`) and at
// each step that follows a bare yield (`Task.run`): nothing is polled, and a task that has something
// to do, or that is woken with a result already, is not disturbed.
//
// Knows: CancelScope, Task. Does not know: who cancels.

import CRondo
import CRondoShim

/// A task that is in a scope.
struct ScopeMember {
  var extra: FutureExtra
  var task: UInt64  // address; the record goes with the task at the latest
  var scope: UInt64  // address, pinned: the innermost one
  var next: UInt64  // in that scope's list
  var previous: UInt64
  var nextDue: UInt64  // while a cancellation is on its way to it; the task is pinned then
  var isDue: Bool
  var isGone: Bool  // ended while it was due

  static func at(_ word: UInt64) -> ScopeMemberPointer? { address(word)?.assumingMemoryBound(to: ScopeMember.self) }

  static func make(_ task: TaskRef) -> ScopeMemberPointer? {
    guard let made = allocateArray(ScopeMember.self, 1) else { return nil }
    begin(made, task)
    return made
  }

  static func begin(_ made: ScopeMemberPointer, _ task: TaskRef) {
    let extra = FutureExtra(cancel: { _, _ in false }, end: { TaskRef($0).leaveScopes() })
    made.initialize(to: ScopeMember(
      extra: extra, task: bits(task.s), scope: 0, next: 0, previous: 0, nextDue: 0, isDue: false, isGone: false))
    task.future.s.pointee.extra = bits(made)
  }

  /// It is in no scope.
  static func end(_ member: ScopeMemberPointer) {
    TaskRef(address(member.pointee.task)!).future.s.pointee.extra = 0
    if member.pointee.isDue { member.pointee.isGone = true } else { free(member) }
  }
}

typealias ScopeMemberPointer = UnsafeMutablePointer<ScopeMember>

extension UnsafeMutablePointer where Pointee == ScopeMember {
  var task: TaskRef { TaskRef(address(pointee.task)!) }
}

// MARK: - the tree

extension CancelScope {
  func adopt(_ child: CancelScope) {
    Scope.pin(raw)
    child.s.pointee.parent = bits(s)
    child.s.pointee.previous = 0
    child.s.pointee.next = s.pointee.firstChild
    CancelScope(at: s.pointee.firstChild)?.s.pointee.previous = bits(child.s)
    s.pointee.firstChild = bits(child.s)
  }

  func orphan(_ child: CancelScope) {
    let next = child.s.pointee.next
    let previous = child.s.pointee.previous
    CancelScope(at: next)?.s.pointee.previous = previous
    if let previous = CancelScope(at: previous) { previous.s.pointee.next = next } else { s.pointee.firstChild = next }
    child.s.pointee.parent = 0
    Scope.unpin(raw)
  }

  /// A task's innermost scope is another one from now on; none: its record goes.
  func move(_ member: ScopeMemberPointer, to scope: CancelScope?) {
    let old = CancelScope(at: member.pointee.scope)
    old?.unlink(member)
    if let scope {
      scope.link(member)
    } else {
      member.task.setInCancelled(false)
      ScopeMember.end(member)
    }
    if let old { Scope.unpin(old.raw) }
  }

  private func link(_ member: ScopeMemberPointer) {
    Scope.pin(raw)
    member.pointee.scope = bits(s)
    member.pointee.previous = 0
    member.pointee.next = s.pointee.firstMember
    ScopeMember.at(s.pointee.firstMember)?.pointee.previous = bits(member)
    s.pointee.firstMember = bits(member)
    member.task.setInCancelled(has(CancelScopeBits.underInsisted))
  }

  private func unlink(_ member: ScopeMemberPointer) {
    let next = member.pointee.next
    let previous = member.pointee.previous
    ScopeMember.at(next)?.pointee.previous = previous
    if let previous = ScopeMember.at(previous) { previous.pointee.next = next } else { s.pointee.firstMember = next }
    member.pointee.scope = 0
  }

  /// The innermost scope, from this one on, that insists and is visible from here.
  var origin: CancelScope? {
    var at: CancelScope? = self
    while let scope = at {
      if scope.has(CancelScopeBits.insisted) { return scope }
      at = scope.has(CancelScopeBits.shield) ? nil : scope.parent
    }
    return nil
  }

  // MARK: - down the tree

  /// What holds here or around has changed: let it be known below, and cancel what is waited for.
  func refresh() {
    var due: UInt64 = 0
    var at: CancelScope? = self
    while let scope = at {
      if scope.inherit(&due), let child = CancelScope(at: scope.s.pointee.firstChild) {
        at = child
        continue
      }
      var up = scope
      while up.s != s && up.s.pointee.next == 0 { up = up.parent! }
      at = up.s == s ? nil : CancelScope(at: up.s.pointee.next)
    }
    CancelScope.deliver(due)
  }

  /// Work out the `under` bits anew, and tell the tasks. True if something has changed.
  private func inherit(_ due: inout UInt64) -> Bool {
    let visible = has(CancelScopeBits.shield) ? 0 : parent?.s.pointee.bits ?? 0
    let isAsked = has(CancelScopeBits.asked) || visible & CancelScopeBits.underAsked != 0
    let isInsisted = has(CancelScopeBits.insisted) || visible & CancelScopeBits.underInsisted != 0
    let before = s.pointee.bits
    set(CancelScopeBits.underAsked, isAsked)
    set(CancelScopeBits.underInsisted, isInsisted)
    if isAsked { endRequest() }
    if before == s.pointee.bits { return false }
    var next = s.pointee.firstMember
    while let member = ScopeMember.at(next) {
      next = member.pointee.next
      let wasCancelled = member.task.future.has(FutureBits.inCancelled)
      member.task.setInCancelled(isInsisted)
      if !isInsisted || wasCancelled || !member.task.isWaiting || member.pointee.isDue { continue }
      member.task.future.pin()
      member.pointee.isDue = true
      member.pointee.nextDue = due
      due = bits(member)
    }
    return true
  }

  private static func deliver(_ first: UInt64) {
    var next = first
    while let member = ScopeMember.at(next) {
      let task = member.task
      next = member.pointee.nextDue
      member.pointee.isDue = false
      if member.pointee.isGone { free(member) } else { task.cancelWaiting() }
      task.future.unpin()
    }
  }
}

// MARK: - a task's side

extension TaskRef {
  /// Its record; nil if it is in no scope.
  var scopeMember: ScopeMemberPointer? { ScopeMember.at(future.s.pointee.extra) }

  var scope: CancelScope? { scopeMember.flatMap { CancelScope(at: $0.pointee.scope) } }

  /// Requests to cancel it that did not come from scopes.
  var foreignRequests: UInt32 {
    let own: UInt32 = future.has(FutureBits.inCancelled) ? 1 : 0
    return body.pointee.count - Swift.min(own, body.pointee.count)
  }

  var isWaiting: Bool { address(s.pointee.awaiting).map { !FutureRef($0).isDone } ?? false }

  /// It is in a scope that insists, or no longer; all such scopes together are one request.
  func setInCancelled(_ on: Bool) {
    if on == future.has(FutureBits.inCancelled) { return }
    if on {
      future.add(FutureBits.inCancelled)
      body.pointee.count &+= 1
    } else {
      future.remove(FutureBits.inCancelled)
      _ = uncancel()
    }
  }

  /// Cancel what it waits for, as Task.cancel() does, but for the state it is in: no new request.
  func cancelWaiting() {
    guard future.has(FutureBits.inCancelled), isWaiting, let error = scope?.origin?.error else { return }
    error.pin()
    if cancel(error) { body.pointee.count &-= 1 }
    error.unpin()
  }

  /// It has begun to wait in a scope that is cancelled. Some waits have to end by themselves, and
  /// have been cancelled before.
  @inline(never)  // off the usual way of a task
  func cancelNewWait(_ awaited: FutureRef) { if !awaited.has(FutureBits.patient) { cancelWaiting() } }

  /// Its next step comes after a bare yield: that was a wait, too. One that has not begun is not
  /// waiting for anything.
  @inline(never)  // off the usual way of a task
  func cancelYield() {
    guard s.pointee.awaiting | s.pointee.pending == 0, hasStarted, let error = scope?.origin?.error else { return }
    error.pin()
    s.pointee.pending = bits(error.state)
  }

  /// A child of a group that was entered in this scope.
  func begin(in scope: CancelScope, _ member: ScopeMemberPointer) {
    ScopeMember.begin(member, self)
    scope.move(member, to: scope)
  }

  /// It is done: leave what it entered and did not leave, and where it began.
  @inline(never)  // off the usual way of a task
  func leaveScopes() {
    while let scope = scope, scope.s.pointee.host == bits(s) { scope.leave() }
    guard let member = scopeMember, let scope = scope else { return }
    scope.move(member, to: nil)
  }
}
