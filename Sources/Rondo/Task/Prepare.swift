// Prepare.swift - what this room does for the loop: slabs, descriptions, the end of tasks.
//
// Knows: Future, Task. Does not know: who calls the hooks.

import CRondo
import CRondoShim

extension LoopRef {
  /// Set up a new loop for futures and tasks.
  func prepareTasks() {
    Slab.prepare(futures, kind: Kind.future, size: FutureRef.size)
    Slab.prepare(tasks, kind: Kind.task, size: TaskRef.size)
    Slab.prepare(nodes, kind: Kind.node, size: Waiter.size)
    Slab.prepare(scopes, kind: Kind.scope, size: Scope.size)
    s.pointee.hooks = LoopHooks(
      unpin: { LoopRef.unpinTaskObject($0) },
      countPending: { LoopRef($0).countPending($1) },
      endTasks: { LoopRef($0).endTasks() },
      describe: { handle, text in
        let text = text.assumingMemoryBound(to: Text.self)
        FutureRef.find(opaque(handle))?.describe(&text.pointee)
        GeneratorRef.find(opaque(handle))?.describe(&text.pointee)
      },
      collectLate: { LoopRef($0).collectLateWakes() },
      interrupt: { LoopRef($0).interrupt() },
      enterContext: { TaskRef.enterContext($0, $1.assumingMemoryBound(to: SavedContext.self)) },
      leaveContext: { TaskRef.leaveContext($0, $1.assumingMemoryBound(to: SavedContext.self)) },
      stepFn: unsafeBitCast(TaskRef.stepFn, to: UInt.self),
      doneFn: unsafeBitCast(Waiter.entryFn, to: UInt.self),
      lookAt: { LoopRef.lookAt($0.assumingMemoryBound(to: Subject.self)) },
      lookAway: { FutureRef($0).unpin() },
      note: { TaskRef($0).note($1.assumingMemoryBound(to: StallNote.self)) })
  }

  /// A call that is a step of a task is that task; one that is a done callback has the callback's name.
  private static func lookAt(_ subject: UnsafeMutablePointer<Subject>) {
    guard let arg = subject.pointee.arg else { return }
    if isSame(subject.pointee.fn, TaskRef.stepFn) {
      FutureRef(arg).pin()
      subject.pointee.task = arg
    } else if isSame(subject.pointee.fn, Waiter.entryFn) {
      subject.pointee.fn = unsafeBitCast(
        arg.assumingMemoryBound(to: WaiterNode.self).pointee.fn, to: rondo_call_fn.self)
    }
  }

  private static func isSame(_ a: rondo_call_fn, _ b: rondo_call_fn) -> Bool {
    unsafeBitCast(a, to: UInt.self) == unsafeBitCast(b, to: UInt.self)
  }

  /// Give C's hold on a future, a task or a scope back.
  static func unpinTaskObject(_ raw: Raw) {
    if chunk(of: raw).pointee.kind == Kind.scope { Scope.unpin(raw) } else { FutureRef(raw).unpinUser() }
  }

  private func countPending(_ report: UnsafeMutablePointer<rondo_close_report>) {
    Slab.forEach(tasks) { if !FutureRef($0).isDone { report.pointee.pending_tasks += 1 } }
    Slab.forEach(futures) { if !FutureRef($0).isDone { report.pointee.pending_futures += 1 } }
  }

  /// The loop is closed: nothing will ever wake what is left.
  private func endTasks() {
    returnTaskNumbers()
    forgetGenerators()
    Slab.forEach(tasks) { raw in
      if !FutureRef(raw).isDone { TaskRef(raw).abandon() }
    }
    forgetWaiters(tasks)
    forgetWaiters(futures)
  }

  private func forgetWaiters(_ slab: SlabPointer) {
    Slab.forEach(slab) { raw in
      let future = FutureRef(raw)
      future.pin()
      future.dropWaiters()
      future.unpin()
    }
  }

  /// Memory was out when these should have been woken.
  private func collectLateWakes() {
    s.pointee.hasLateWakes = false
    func wake(_ raw: Raw) {
      let future = FutureRef(raw)
      if future.has(FutureBits.lateWake) {
        future.remove(FutureBits.lateWake)
        future.wakeWaiters()
      }
      if future.has(FutureBits.lateStep) {
        future.remove(FutureBits.lateStep)
        TaskRef(raw).stepAgain()
      }
    }
    Slab.forEach(futures, wake)
    Slab.forEach(tasks, wake)
  }
}

extension FutureRef {
  /// "<Future pending>", "<Task finished name='Task-2' coro=<bug()> exception=...>".
  func describe(_ text: inout Text) {
    text.add(isTask ? "<Task " as StaticString : "<Future ")
    switch state {
    case RONDO_FUTURE_PENDING: text.add("pending")
    case RONDO_FUTURE_CANCELLED: text.add("cancelled")
    default: text.add("finished")
    }
    if isTask { describeTask(&text) }
    if state == RONDO_FUTURE_RESULT {
      text.add(" result=")
      text.addHex(bits(s.pointee.value.pointer))
    } else if state == RONDO_FUTURE_EXCEPTION {
      text.add(" exception=")
      error!.describe(&text)
    }
    Origins.addPlace(raw, &text)
    text.add(">")
  }

  private func describeTask(_ text: inout Text) {
    let task = TaskRef(raw)
    text.add(" name='")
    task.addName(&text)
    text.add("' coro=<")
    text.add(task.body.pointee.name)
    text.add("()>")
    if let awaited = address(task.s.pointee.awaiting), !isDone {
      text.add(FutureRef(awaited).isTask ? " wait_for=<Task " as StaticString : " wait_for=<Future ")
      text.add(FutureRef(awaited).isDone ? "finished" as StaticString : "pending")
      Origins.addPlace(awaited, &text)
      text.add(">")
    }
  }
}
