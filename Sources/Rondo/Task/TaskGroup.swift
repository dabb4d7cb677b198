// TaskGroup.swift - tasks that end before a part of their parent does: asyncio's TaskGroup, rule by rule.
//
// Each child's callback has a record of its own, which is linked into the group while the child
// runs and holds the group. A child that failed leaves its record behind as one of the group's
// errors, so that noting an error needs no memory. Who leaves the part awaits the exit, which is a
// coroutine (TaskGroupExit.swift).
//
// The group cancels its parent to get its attention, and takes that back on the way out. What
// asyncio does since 3.15 is in cancel().
//
// Knows: Scope, Task. Does not know: what the parent does with the errors.

import CRondo
import CRondoShim

/// A child: in the list of those that run, or in the list of errors.
struct GroupMember {
  var next: UInt64  // address of a member, 0 at the end
  var previous: UInt64
  var group: UInt64  // address; pinned while the child's callback is there
  var task: UInt64  // address; its callback keeps it
  var error: UInt64  // address, pinned: it has failed
  var isLinked: Bool  // among those that run
}

typealias GroupMemberPointer = UnsafeMutablePointer<GroupMember>

struct TaskGroupState {
  var header: ObjectHeader
  var type: UInt32
  var flags: UInt32  // GroupBits
  var parent: UInt64  // address of a task, pinned, once entered
  var first: UInt64  // those that run, in the order they were made
  var last: UInt64
  var firstError: UInt64  // those that failed, in that order
  var lastError: UInt64
  var baseError: UInt64  // address of an error, pinned, that leaves the loop
  var completed: UInt64  // address of a future, pinned: the exit waits for it
  var scope: UInt64  // address, pinned: the cancel scope that it was entered in
}

enum GroupBits {
  static let entered: UInt32 = 1
  static let exiting: UInt32 = 2
  static let aborting: UInt32 = 4
  static let parentCancelled: UInt32 = 8  // by us, and to be taken back
  static let cancelled: UInt32 = 16  // cancel() was called
}

struct TaskGroup {
  let s: UnsafeMutablePointer<TaskGroupState>

  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: TaskGroupState.self) }

  var raw: Raw { Raw(s) }
  var loop: LoopRef { Owned.loop(of: raw) }
  var parent: TaskRef { TaskRef(address(s.pointee.parent)!) }
  var hasChildren: Bool { s.pointee.first != 0 }

  func has(_ bit: UInt32) -> Bool { s.pointee.flags & bit != 0 }
  func add(_ bit: UInt32) { s.pointee.flags |= bit }

  static func make(_ loop: LoopRef) -> TaskGroup? { Scope.make(loop, ScopeType.taskGroup).map { TaskGroup($0) } }

  func letGo() {
    letGoOfErrors()
    letGoOfCompleted()
    if let scope = address(s.pointee.scope) { Scope.unpin(scope) }
    if let parent = address(s.pointee.parent) { FutureRef(parent).unpin() }
  }

  func letGoOfCompleted() {
    guard let completed = address(s.pointee.completed) else { return }
    s.pointee.completed = 0
    FutureRef(completed).unpin()
  }

  // MARK: - entering

  func enter() -> rondo_status {
    if has(GroupBits.entered) { return RONDO_E_RUNTIME }
    guard let current = address(loop.s.pointee.currentTask) else { return RONDO_E_RUNTIME }
    FutureRef(current).pin()
    s.pointee.parent = bits(current)
    if let scope = parent.scope {
      Scope.pin(scope.raw)
      s.pointee.scope = bits(scope.s)
    }
    add(GroupBits.entered)
    if has(GroupBits.cancelled) { abortAndCancelParent() }
    return RONDO_OK
  }

  // MARK: - children

  /// Why no child can be made now.
  var refusalOfChild: rondo_status {
    let isFinished = has(GroupBits.exiting) && !hasChildren
    return !has(GroupBits.entered) || isFinished || has(GroupBits.aborting) ? RONDO_E_RUNTIME : RONDO_OK
  }

  /// The cancel scope that children begin in: the one around the group, however deep inside of
  /// other ones they are made. Address; 0 for none.
  var scopeOfChildren: UInt64 {
    guard let scope = CancelScope(at: s.pointee.scope) else { return 0 }
    return scope.isInside ? bits(scope.s) : bits(parent.scope?.raw)
  }

  /// Make a child; `make` gives its task with one of C's references, and may run user code.
  func createTask(_ make: () -> (TaskRef?, rondo_status)) -> (TaskRef?, rondo_status) {
    guard let member = allocateArray(GroupMember.self, 1) else { return (nil, -ENOMEM) }
    guard let node = Waiter.take(loop) else {
      free(member)
      return (nil, -ENOMEM)
    }
    Scope.pin(raw)
    let (made, status) = make()
    guard let task = made else {
      Waiter.give(node)
      free(member)
      Scope.unpin(raw)
      return (nil, status)
    }
    member.initialize(to: GroupMember(
      next: 0, previous: 0, group: bits(s), task: bits(task.s), error: 0, isLinked: false))
    if task.future.isDone {
      // Eager, and it did not wait: asyncio calls the callback at once.
      Waiter.give(node)
      childEnded(task.future, member)
      TaskGroup.letGo(member)
    } else {
      link(member)
      let value = Value(pointer: Raw(member), drop: { TaskGroup.letGo($0!.assumingMemoryBound(to: GroupMember.self)) })
      task.future.addCallback(node, TaskGroup.onChildDone, value)
    }
    return (task, RONDO_OK)
  }

  /// The callback of each child; its argument is the child's record.
  static var onChildDone: rondo_future_fn { { TaskGroup.childDone($0, $1) } }

  private static func childDone(_ child: OpaquePointer?, _ raw: Raw?) {
    guard let raw, let child = FutureRef.find(child) else { return }
    let member = raw.assumingMemoryBound(to: GroupMember.self)
    let group = TaskGroup(address(member.pointee.group)!)
    group.unlink(member)
    group.childEnded(child, member)
  }

  /// The child's callback is gone: it ran, or the loop was closed.
  private static func letGo(_ member: GroupMemberPointer) {
    let group = TaskGroup(address(member.pointee.group)!)
    if member.pointee.isLinked { group.unlink(member) }
    if member.pointee.error == 0 { free(member) }
    Scope.unpin(group.raw)
  }

  private func childEnded(_ child: FutureRef, _ member: GroupMemberPointer) {
    if !hasChildren, let completed = address(s.pointee.completed).map({ FutureRef($0) }), !completed.isDone {
      completed.complete(RONDO_FUTURE_RESULT, .none)
    }
    if child.state != RONDO_FUTURE_EXCEPTION { return }
    child.remove(FutureBits.unread)
    let error = child.error!
    error.pin()
    member.pointee.error = bits(error.state)
    addError(member)
    noteBaseError(error)
    if parent.future.isDone { return reportOrphan(child, error) }
    if !has(GroupBits.aborting) && !has(GroupBits.parentCancelled) { abortAndCancelParent() }
  }

  private func reportOrphan(_ child: FutureRef, _ error: ErrorRef) {
    var text = Text()
    text.add("Task ")
    child.describe(&text)
    text.add(" has errored out but its parent task ")
    parent.future.describe(&text)
    text.add(" is already completed")
    loop.report(text.cString, error, task: child.s.pointee.header.handle)
  }

  /// KeyboardInterrupt and SystemExit are raised as they are.
  func noteBaseError(_ error: ErrorRef) {
    if !error.leavesLoop || s.pointee.baseError != 0 { return }
    error.pin()
    s.pointee.baseError = bits(error.state)
  }

  // MARK: - cancelling

  /// Cancel every child; none can be made any more. In a cancelled scope they are: to cancel them
  /// one by one would reach behind the shields that they have put up against just that.
  func abort() {
    add(GroupBits.aborting)
    if CancelScope(at: scopeOfChildren)?.has(CancelScopeBits.underInsisted) == true { return }
    var next = s.pointee.first
    while let raw = address(next) {
      let member = raw.assumingMemoryBound(to: GroupMember.self)
      next = member.pointee.next
      let child = FutureRef(address(member.pointee.task)!)
      if !child.isDone { _ = child.cancel(ErrorRef.plainCancelled()) }
    }
  }

  private func abortAndCancelParent() {
    abort()
    if has(GroupBits.parentCancelled) { return }
    add(GroupBits.parentCancelled)
    _ = parent.cancel(ErrorRef.plainCancelled())
  }

  /// TaskGroup.cancel() of 3.15: end early and silently. Before entering it is remembered, after
  /// the exit there is nothing left to do.
  func cancel() {
    if has(GroupBits.exiting) && !hasChildren { return }
    add(GroupBits.cancelled)
    if has(GroupBits.entered) { abortAndCancelParent() }
  }

  // MARK: - the two lists

  private func link(_ member: GroupMemberPointer) {
    member.pointee.isLinked = true
    member.pointee.previous = s.pointee.last
    if let last = address(s.pointee.last) {
      last.assumingMemoryBound(to: GroupMember.self).pointee.next = bits(member)
    } else {
      s.pointee.first = bits(member)
    }
    s.pointee.last = bits(member)
  }

  private func unlink(_ member: GroupMemberPointer) {
    member.pointee.isLinked = false
    if let before = address(member.pointee.previous) {
      before.assumingMemoryBound(to: GroupMember.self).pointee.next = member.pointee.next
    } else {
      s.pointee.first = member.pointee.next
    }
    if let after = address(member.pointee.next) {
      after.assumingMemoryBound(to: GroupMember.self).pointee.previous = member.pointee.previous
    } else {
      s.pointee.last = member.pointee.previous
    }
  }

  private func addError(_ member: GroupMemberPointer) {
    member.pointee.next = 0
    if let last = address(s.pointee.lastError) {
      last.assumingMemoryBound(to: GroupMember.self).pointee.next = bits(member)
    } else {
      s.pointee.firstError = bits(member)
    }
    s.pointee.lastError = bits(member)
  }

  /// Visit the children's errors in the order in which they came.
  func forEachError(_ visit: (ErrorRef) -> Void) {
    var next = s.pointee.firstError
    while let raw = address(next) {
      let member = raw.assumingMemoryBound(to: GroupMember.self)
      next = member.pointee.next
      visit(ErrorRef(address(member.pointee.error)!))
    }
  }

  func letGoOfErrors() {
    var next = s.pointee.firstError
    s.pointee.firstError = 0
    s.pointee.lastError = 0
    while let raw = address(next) {
      let member = raw.assumingMemoryBound(to: GroupMember.self)
      next = member.pointee.next
      ErrorRef(address(member.pointee.error)!).unpin()
      free(member)
    }
    takeBaseError()?.unpin()
  }

  /// The first error that leaves the loop, whose pin moves.
  func takeBaseError() -> ErrorRef? {
    guard let raw = address(s.pointee.baseError) else { return nil }
    s.pointee.baseError = 0
    return ErrorRef(raw)
  }
}
