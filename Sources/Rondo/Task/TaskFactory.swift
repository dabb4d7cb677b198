// TaskFactory.swift - the program's own way of making tasks (loop.set_task_factory).
//
// Whatever makes a task of a coroutine asks the factory: create_task, spawn, gather, groups,
// coroutines from other threads. The factory is given the coroutine with the reference that the
// caller had, and is to give it on to rondo_task_new(). If it fails before that, the reference is
// still there: who holds how many is known, so it is found out and given back here. A factory
// need not clean up.
//
// Knows: Task, Setting. Does not know: who asks for a task.

import CRondo
import CRondoShim

extension LoopRef {
  /// A factory that makes its tasks through the loop asks itself, for ever: CPython's RecursionError.
  private var maxFactoryDepth: UInt32 { 200 }

  func setTaskFactory(_ factory: rondo_task_factory_fn?, _ arg: Value) {
    s.pointee.taskFactory = factory
    s.pointee.taskMaking &= ~TaskMaking.factory
    if factory != nil { s.pointee.taskMaking |= TaskMaking.factory }
    taskFactoryArg.replace(factory == nil ? .none : arg)
    if factory == nil { arg.dispose() }
  }

  /// As createTask, by the factory that is set.
  @inline(never)  // most loops have none
  func createByFactory(_ coroutine: CoroutineRef, _ options: TaskOptions, user: Bool) -> (TaskRef?, rondo_status) {
    guard !isClosed, s.pointee.factoryDepth < maxFactoryDepth, let factory = s.pointee.taskFactory else {
      LoopRef.closeAndRelease(coroutine)
      return (nil, isClosed ? RONDO_E_LOOP_CLOSED : RONDO_E_RUNTIME)
    }
    let given = coroutine.handle
    let references = Global.userRefs(Raw(coroutine.s))
    var (made, status) = call(factory, given, options)
    if status == RONDO_OK {
      if let task = ownTask(made) { return (finish(task, options, user: user), RONDO_OK) }
      status = refuseMade(made)
    }
    if let left = CoroutineRef.find(given), Global.userRefs(Raw(left.s)) == references { LoopRef.closeAndRelease(left) }
    made = nil
    return (nil, status)
  }

  private func call(_ factory: rondo_task_factory_fn, _ coroutine: OpaquePointer?, _ options: TaskOptions)
    -> (OpaquePointer?, rondo_status)
  {
    var wanted = rondo_task_options()
    wanted.size = UInt32(MemoryLayout<rondo_task_options>.size)
    wanted.eager_start = options.eager
    wanted.name = options.name
    wanted.context = options.context
    var made: OpaquePointer?
    var status = RONDO_OK
    Global.pin(Raw(s))  // the factory may let go of a loop that does not run
    s.pointee.factoryDepth += 1
    taskFactoryArg.use { status = factory(handle, coroutine, &wanted, $0, &made) }
    s.pointee.factoryDepth -= 1
    unpinLoop()
    return (made, status)
  }

  private func ownTask(_ made: OpaquePointer?) -> TaskRef? {
    guard let task = TaskRef.find(made), task.future.loop.s == s else { return nil }
    return task
  }

  private func finish(_ task: TaskRef, _ options: TaskOptions, user: Bool) -> TaskRef? {
    if options.isQuiet { task.future.add(FutureBits.quiet) }
    if user { return task }
    _ = task.future.releaseUser()
    return nil
  }

  /// It gave something else: let go of that and say what is wrong.
  private func refuseMade(_ made: OpaquePointer?) -> rondo_status {
    guard let future = FutureRef.find(made) else { return RONDO_E_TYPE }
    let isTask = future.isTask
    _ = future.releaseUser()
    return isTask ? RONDO_E_WRONG_LOOP : RONDO_E_TYPE
  }

  /// As spawnAndStart, by the factory, which needs a coroutine object.
  @inline(never)  // as createByFactory
  func spawnByFactory(_ body: Activation, _ options: TaskOptions, user: Bool) -> (TaskRef?, rondo_status, Bool) {
    let frame = Value(pointer: body.frame, drop: body.drop)
    guard let coroutine = CoroutineRef.make(body.name, body.step!, frame) else { return (nil, -ENOMEM, false) }
    let (made, status) = createByFactory(coroutine, options, user: user)
    return (made, status, true)
  }
}

// MARK: - the context of what is reported

extension TaskRef {
  /// Make a task's context the current one, for the exception handler. False if it is that already,
  /// if another thread is in it, or if there is no such task. Keeps the task until leaveContext().
  static func enterContext(_ handle: UInt64, _ saved: UnsafeMutablePointer<SavedContext>) -> Bool {
    guard let task = find(opaque(handle)) else { return false }
    let isIn = task.future.has(FutureBits.stepping) || task.future.loop.s.pointee.currentTask == bits(task.s)
    if isIn { return false }
    let tag = task.s.pointee.context
    if tag & 1 == 0 {
      task.s.pointee.context = 0
      saved.pointee = Contexts.enterOwned(tag)
    } else {
      guard let entered = Contexts.tryEnter(tag) else { return false }
      saved.pointee = entered
    }
    task.future.pin()
    task.future.add(FutureBits.stepping)  // the thread has the map
    return true
  }

  static func leaveContext(_ handle: UInt64, _ saved: UnsafeMutablePointer<SavedContext>) {
    guard let task = find(opaque(handle)) else { return }
    task.future.remove(FutureBits.stepping)
    let tag = task.s.pointee.context
    if tag & 1 == 0 {
      task.s.pointee.context = Contexts.leaveOwned(saved.pointee)
    } else {
      Contexts.leave(tag, saved.pointee)
    }
    task.future.unpin()
  }
}
