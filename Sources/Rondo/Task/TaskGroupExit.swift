// TaskGroupExit.swift - the end of a task group: asyncio's __aexit__ as a coroutine.
//
// It waits until no child is left, however often its task is cancelled meanwhile, and then says
// what leaves the group: one error that ends the loop as it is, else a cancellation that somebody
// else asked for, else a group of all errors, else nothing.
//
// Knows: TaskGroup, Native. Does not know: who awaits it.

import CRondo
import CRondoShim

struct GroupExitFrame {
  var group: OpaquePointer?  // with a reference of C's, so that any thread may drop it
  var thrown: UInt64  // address of an error, pinned: how the body ended
  var propagated: UInt64  // address of an error, pinned: the cancellation that is to go on
  var stage: Int32
}

struct GroupExit {
  let s: UnsafeMutablePointer<GroupExitFrame>

  static func make(_ group: TaskGroup, _ thrown: ErrorRef?) -> CoroutineRef? {
    let drop: rondo_drop_fn = { GroupExit(s: $0!.assumingMemoryBound(to: GroupExitFrame.self)).letGo() }
    let step: rondo_step_fn = { GroupExit(s: $1!.assumingMemoryBound(to: GroupExitFrame.self)).step($3) }
    guard let (made, frame) = CoroutineRef.makeNative("__aexit__", step, GroupExitFrame.self, drop) else { return nil }
    _ = Owned.retain(group.raw)
    frame.pointee.group = Scope.handle(group.raw)
    thrown?.pin()
    frame.pointee.thrown = bits(thrown?.state)
    return made
  }

  private func letGo() {
    at(s.pointee.thrown)?.unpin()
    at(s.pointee.propagated)?.unpin()
    if let group = Scope.find(s.pointee.group, ScopeType.taskGroup) { _ = Scope.releaseUser(group) }
  }

  private func at(_ word: UInt64) -> ErrorRef? {
    address(word).map { ErrorRef($0) }
  }

  private func propagate(_ error: ErrorRef?) {
    error?.pin()
    at(s.pointee.propagated)?.unpin()
    s.pointee.propagated = bits(error?.state)
  }

  // MARK: - waiting

  private func step(_ thrown: OpaquePointer?) -> rondo_step {
    guard let raw = Scope.owned(s.pointee.group, ScopeType.taskGroup) else {
      return Native.raise(ErrorRef.of(Scope.refuse(s.pointee.group, ScopeType.taskGroup)))
    }
    let group = TaskGroup(raw)
    if s.pointee.stage == 0 {
      if let refusal = begin(group) { return refusal }
    } else if let error = ErrorRef.find(thrown) {
      if !error.isCancellation { return Native.raise(nil, thrown) }
      noteCancellation(group, error)
    }
    group.letGoOfCompleted()
    return group.hasChildren ? waitForChildren(group) : finish(group)
  }

  private func begin(_ group: TaskGroup) -> rondo_step? {
    if !group.has(GroupBits.entered) {
      return Native.raise(ErrorRef.of(RONDO_E_RUNTIME, sentence: "TaskGroup has not been entered"))
    }
    if group.has(GroupBits.exiting) {
      return Native.raise(ErrorRef.of(RONDO_E_RUNTIME, sentence: "TaskGroup is finished"))
    }
    s.pointee.stage = 1
    group.add(GroupBits.exiting)
    if let error = at(s.pointee.thrown) {
      group.noteBaseError(error)
      if error.isCancellation { propagate(error) }
      if !group.has(GroupBits.aborting) { group.abort() }
    }
    return nil
  }

  /// Cancelled while it waits. That is somebody else's, unless the group is being ended already;
  /// after cancel(), which of the two it is the count of requests tells in the end.
  private func noteCancellation(_ group: TaskGroup, _ error: ErrorRef) {
    if !group.has(GroupBits.aborting) {
      propagate(error)
      group.abort()
    } else if group.has(GroupBits.cancelled) {
      propagate(error)
    }
  }

  private func waitForChildren(_ group: TaskGroup) -> rondo_step {
    // The parent is being closed with its loop, and so are the children: nothing will come.
    if group.loop.isClosed { return leaveClosedLoop() }
    guard let completed = FutureRef.make(group.loop, user: true) else {
      // Memory is out: look again in the next pass. Giving up would leave the children alone.
      return Native.sleep(nil, 0)
    }
    completed.add(FutureBits.library)
    // The children were cancelled. To be cancelled again has no use, and would be so in each pass.
    if group.has(GroupBits.aborting) { completed.add(FutureBits.patient) }
    completed.pin()
    group.s.pointee.completed = bits(completed.s)
    return Native.awaits(completed.handle, moved: true)
  }

  private func leaveClosedLoop() -> rondo_step {
    if let error = at(s.pointee.thrown) { return Native.raise(nil, error.handle) }
    return Native.raise(ErrorRef.of(RONDO_E_LOOP_CLOSED))
  }

  // MARK: - leaving

  private func finish(_ group: TaskGroup) -> rondo_step {
    if let error = group.takeBaseError() {
      reportOthers(group, than: error)
      group.letGoOfErrors()
      return Native.raise(error)
    }
    if group.has(GroupBits.parentCancelled) && group.parent.uncancel() == 0 { propagate(nil) }
    let thrown = at(s.pointee.thrown)
    let isOwn = thrown != nil && !thrown!.isCancellation
    if group.s.pointee.firstError == 0 {
      if let error = at(s.pointee.propagated) { return Native.raise(nil, error.handle) }
      if !isOwn { return Native.value(.none) }
      // asyncio 3.15: closing a generator inside of a group must look like closing.
      if thrown!.isRondo(RONDO_E_GENERATOR_EXIT) { return Native.raise(nil, thrown!.handle) }
    }
    return raiseGroup(group, isOwn ? thrown : nil)
  }

  /// asyncio 3.15: what is not raised is not lost.
  private func reportOthers(_ group: TaskGroup, than raised: ErrorRef) {
    let loop = group.loop
    func report(_ error: ErrorRef) {
      if error.state == raised.state || error.isCancellation { return }
      loop.report(literal("unhandled error in a TaskGroup that is ended by SystemExit or KeyboardInterrupt"), error)
    }
    group.forEachError(report)
    if let thrown = at(s.pointee.thrown) { report(thrown) }
  }

  private func raiseGroup(_ group: TaskGroup, _ own: ErrorRef?) -> rondo_step {
    // An outside cancellation goes on at the parent's next await; its count stays.
    if group.parent.body.pointee.count > 0 {
      _ = group.parent.uncancel()
      _ = group.parent.cancel(ErrorRef.plainCancelled())
    }
    let error = collect(group, own)
    group.letGoOfErrors()
    return Native.raise(error)
  }

  /// The group of all errors, pinned; "out of memory" if there is none for it.
  private func collect(_ group: TaskGroup, _ own: ErrorRef?) -> ErrorRef {
    var count = own == nil ? 0 : 1
    group.forEachError { _ in count += 1 }
    guard let errors = allocateArray(OpaquePointer?.self, count) else { return ErrorRef.of(-ENOMEM) }
    var filled = 0
    func add(_ error: ErrorRef) {
      errors[filled] = error.handle
      filled += 1
    }
    group.forEachError(add)
    if let own { add(own) }
    let (made, status) = ErrorRef.group(literal("unhandled errors in a TaskGroup"), errors, count)
    free(errors)
    guard let made else { return ErrorRef.of(status) }
    _ = Global.moveToPin(made.state)
    return made
  }
}
