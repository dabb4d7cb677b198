// Stacks.swift - the calls that a task is in: the coroutines that await each other inside of it.
//
// A task that waits keeps its innermost activation. One that takes a step does not: who drives it
// keeps that to itself until the step is over. Then the step words of the thread tell whose body
// runs, which is the innermost call of the running task; of a task whose step is interrupted by
// another one's eager start only the outermost is known.
//
// Knows: Task, Coroutine. Does not know: who asks.

import CRondo
import CRondoShim

enum Stacks {
  static func isRunning(_ task: TaskRef) -> Bool {
    task.future.loop.isMine && task.future.loop.s.pointee.currentTask == bits(task.s)
  }

  /// Visit the activations of a task, the innermost first. Those that only pass on what a generator
  /// answers are left out: the generator's body is there.
  static func forEachCall(of task: TaskRef, _ visit: (ActivationPointer) -> Void) {
    if task.future.isDone { return }
    let root = task.root
    var at = innermost(of: task)
    var isInner = false
    while true {
      if at == root || !(isInner && at.has(ActivationBits.asks)) { visit(at) }
      if at == root { return }
      isInner = at.isGenerator
      // A coroutine that a step drives by hand is nobody's child; the task is further out all the same.
      at = address(at.pointee.parent)?.assumingMemoryBound(to: Activation.self) ?? root
    }
  }

  private static func innermost(of task: TaskRef) -> ActivationPointer {
    if isRunning(task) { return activation(rondo_thread()!.pointee.step_co) ?? task.root }
    let isStepping = task.root.has(ActivationBits.running) || task.future.has(FutureBits.stepping)
    return isStepping ? task.root : task.root.innermost(task.s.pointee.top)
  }

  private static func activation(_ handle: UInt64) -> ActivationPointer? {
    CoroutineRef.find(opaque(handle))?.body ?? TaskRef.find(opaque(handle))?.body
  }

  /// The name that the coroutine was made with, else that of its function if the program exports it.
  static func name(of call: ActivationPointer) -> UnsafePointer<CChar> {
    let given = call.pointee.name ?? literal("coroutine")
    if strcmp(given, literal(call.isGenerator ? "generator" as StaticString : "coroutine")) != 0 { return given }
    let step = unsafeBitCast(call.pointee.step, to: UInt.self)
    var info = Dl_info()
    guard step != 0, dladdr(UnsafeRawPointer(bitPattern: step), &info) != 0, let name = info.dli_sname,
      info.dli_saddr == UnsafeMutableRawPointer(bitPattern: step)
    else { return given }
    return UnsafePointer(name)
  }
}
