// TaskApi.swift - the exports of rondo/task.h, and rondo_loop_run_until_complete.
//
// Knows: Task, Awaitables. Does not know: how a task is stepped.

import CRondo
import CRondoShim

// MARK: - making

/// The options of a new task, checked.
func readTaskOptions(_ options: UnsafePointer<rondo_task_options>?) -> (LoopRef.TaskOptions, UnsafePointer<CChar>?, rondo_status) {
  var given = rondo_task_options()
  var wanted = LoopRef.TaskOptions()
  let status = readOptions(options, into: &given)
  if status != RONDO_OK { return (wanted, nil, status) }
  if given.eager_start < RONDO_EAGER_DEFAULT || given.eager_start > RONDO_EAGER_NO { return (wanted, nil, -EINVAL) }
  wanted.name = given.name
  wanted.context = given.context
  wanted.eager = given.eager_start
  return (wanted, given.coroutine_name, RONDO_OK)
}

@_cdecl("rondo_loop_create_task") @implementation
public func rondo_loop_create_task(
  _ loop: OpaquePointer?, _ coroutine: OpaquePointer?, _ options: UnsafePointer<rondo_task_options>?,
  _ outTask: OutHandle?
) -> rondo_status {
  createTask(loop, coroutine, options, outTask, byFactory: true)
}

@_cdecl("rondo_task_new") @implementation
public func rondo_task_new(
  _ loop: OpaquePointer?, _ coroutine: OpaquePointer?, _ options: UnsafePointer<rondo_task_options>?,
  _ outTask: OutHandle?
) -> rondo_status {
  createTask(loop, coroutine, options, outTask, byFactory: false)
}

@_cdecl("rondo_eager_task_factory") @implementation
public func rondo_eager_task_factory(
  _ loop: OpaquePointer?, _ coroutine: OpaquePointer?, _ options: UnsafePointer<rondo_task_options>?, _ arg: Raw?,
  _ outTask: OutHandle?
) -> rondo_status {
  createTask(loop, coroutine, options, outTask, byFactory: false, eager: RONDO_EAGER_YES)
}

@inline(__always)
private func createTask(
  _ loop: OpaquePointer?, _ coroutine: OpaquePointer?, _ options: UnsafePointer<rondo_task_options>?,
  _ outTask: OutHandle?, byFactory: Bool, eager: Int32 = RONDO_EAGER_DEFAULT
) -> rondo_status {
  guard let given = CoroutineRef.find(coroutine) else { return CoroutineRef.explain(coroutine) }
  guard let found = LoopRef.owned(loop) else {
    let status = LoopRef.refuse(loop)
    LoopRef.closeAndRelease(given)
    return status
  }
  var (wanted, _, status) = readTaskOptions(options)
  if status != RONDO_OK {
    LoopRef.closeAndRelease(given)
    return status
  }
  if wanted.eager == RONDO_EAGER_DEFAULT { wanted.eager = eager }
  let user = outTask != nil
  let (made, result) = byFactory ? found.createTask(given, wanted, user: user) : found.makeTask(given, wanted, user: user)
  if let made, let outTask { outTask.pointee = made.future.handle }
  return result
}

@_cdecl("rondo_loop_spawn") @implementation
public func rondo_loop_spawn(
  _ loop: OpaquePointer?, _ step: rondo_step_fn?, _ frame: Raw?, _ drop: rondo_drop_fn?,
  _ options: UnsafePointer<rondo_task_options>?, _ outTask: OutHandle?
) -> rondo_status {
  // The usual spawn, from a callback or task and without options, in one go.
  if options == nil, let step, let found = LoopRef.running(loop), found.takesPlainCalls, found.s.pointee.taskMaking == 0 {
    if let made = found.spawnPlain(step, frame, drop, user: outTask != nil) {
      outTask?.pointee = made.future.handle
      return RONDO_OK
    }
  }
  return spawnAnyhow(loop, step, frame, drop, options, outTask)
}

@inline(never)  // with the same parameters, so that it is jumped to
private func spawnAnyhow(
  _ loop: OpaquePointer?, _ step: rondo_step_fn?, _ frame: Raw?, _ drop: rondo_drop_fn?,
  _ options: UnsafePointer<rondo_task_options>?, _ outTask: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return refuse(LoopRef.refuse(loop), frame, drop) }
  guard let step else { return refuse(-EINVAL, frame, drop) }
  let (wanted, name, status) = readTaskOptions(options)
  if status != RONDO_OK { return refuse(status, frame, drop) }
  let body = Activation(
    step: step, frame: frame, drop: drop, name: name ?? literal("coroutine"), parent: 0, flags: 0, count: 0)
  let (made, result, moved) = found.spawnAndStart(body, wanted, user: outTask != nil)
  guard let made else { return moved ? result : refuse(result, frame, drop) }
  outTask?.pointee = made.future.handle
  return RONDO_OK
}

@_cdecl("rondo_loop_set_task_factory") @implementation
public func rondo_loop_set_task_factory(
  _ loop: OpaquePointer?, _ fn: rondo_task_factory_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return refuse(LoopRef.refuse(loop), arg, drop) }
  found.setTaskFactory(fn, Value(pointer: arg, drop: drop))
  return RONDO_OK
}

@_cdecl("rondo_loop_get_task_factory") @implementation
public func rondo_loop_get_task_factory(
  _ loop: OpaquePointer?, _ outFn: UnsafeMutablePointer<rondo_task_factory_fn?>?, _ outArg: UnsafeMutablePointer<Raw?>?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let outFn else { return -EINVAL }
  outFn.pointee = found.s.pointee.taskFactory
  outArg?.pointee = found.taskFactoryArg.pointee.value.pointer
  return RONDO_OK
}

@_cdecl("rondo_loop_set_eager_tasks") @implementation
public func rondo_loop_set_eager_tasks(_ loop: OpaquePointer?, _ enabled: Int32) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  if enabled != 0 && enabled != 1 { return -EINVAL }
  found.s.pointee.taskMaking &= ~TaskMaking.eager
  if enabled == 1 { found.s.pointee.taskMaking |= TaskMaking.eager }
  return RONDO_OK
}

// MARK: - references

@_cdecl("rondo_task_retain") @implementation
public func rondo_task_retain(_ task: OpaquePointer?) -> rondo_status {
  if task == nil { return RONDO_OK }
  guard let found = TaskRef.find(task) else { return TaskRef.refuse(task) }
  return Owned.retain(found.future.raw)
}

@_cdecl("rondo_task_release") @implementation
public func rondo_task_release(_ task: OpaquePointer?) -> rondo_status {
  if task == nil { return RONDO_OK }
  guard let found = TaskRef.find(task) else { return TaskRef.refuse(task) }
  return found.future.releaseUser()
}

@_cdecl("rondo_task_as_future") @implementation
public func rondo_task_as_future(_ task: OpaquePointer?) -> OpaquePointer? { TaskRef.find(task)?.future.handle }

// MARK: - cancelling

@_cdecl("rondo_task_cancel") @implementation
public func rondo_task_cancel(
  _ task: OpaquePointer?, _ message: UnsafePointer<CChar>?, _ reason: OpaquePointer?
) -> rondo_status {
  guard let found = TaskRef.owned(task) else { return TaskRef.refuse(task) }
  return cancel(found.future, message, reason)
}

@_cdecl("rondo_task_cancelling") @implementation
public func rondo_task_cancelling(_ task: OpaquePointer?, _ outCount: UnsafeMutablePointer<UInt32>?) -> rondo_status {
  guard let found = TaskRef.owned(task) else { return TaskRef.refuse(task) }
  guard let outCount else { return -EINVAL }
  outCount.pointee = found.body.pointee.count
  return RONDO_OK
}

@_cdecl("rondo_task_uncancel") @implementation
public func rondo_task_uncancel(_ task: OpaquePointer?, _ outRemaining: UnsafeMutablePointer<UInt32>?) -> rondo_status {
  guard let found = TaskRef.owned(task) else { return TaskRef.refuse(task) }
  let remaining = found.uncancel()
  outRemaining?.pointee = remaining
  return RONDO_OK
}

// MARK: - names and contexts

@_cdecl("rondo_task_get_name") @implementation
public func rondo_task_get_name(
  _ task: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let found = TaskRef.owned(task) else { return TaskRef.refuse(task) }
  if buffer == nil && size != 0 { return -EINVAL }
  var text = Text()
  found.addName(&text)
  return text.copyOut(buffer, size, outSize)
}

@_cdecl("rondo_task_set_name") @implementation
public func rondo_task_set_name(_ task: OpaquePointer?, _ name: UnsafePointer<CChar>?) -> rondo_status {
  guard let found = TaskRef.owned(task) else { return TaskRef.refuse(task) }
  guard let name else { return -EINVAL }
  guard let copy = copyString(name) else { return -ENOMEM }
  found.setName(copy)
  return RONDO_OK
}

@_cdecl("rondo_task_get_context") @implementation
public func rondo_task_get_context(_ task: OpaquePointer?, _ outContext: OutHandle?) -> rondo_status {
  guard let found = TaskRef.owned(task) else { return TaskRef.refuse(task) }
  guard let outContext else { return -EINVAL }
  guard let context = found.contextForUser() else { return -ENOMEM }
  outContext.pointee = context.handle
  return RONDO_OK
}

// MARK: - which tasks

/// The loop that C means: the running one for NULL.
private func loopOrRunning(_ loop: OpaquePointer?) -> (LoopRef?, rondo_status) {
  if loop == nil {
    guard let running = address(rondo_thread()!.pointee.running) else { return (nil, RONDO_E_NO_LOOP) }
    return (LoopRef(running), RONDO_OK)
  }
  guard let found = LoopRef.find(loop) else { return (nil, LoopRef.refuse(loop)) }
  return (found, RONDO_OK)
}

@_cdecl("rondo_current_task") @implementation
public func rondo_current_task(_ loop: OpaquePointer?, _ outTask: OutHandle?) -> rondo_status {
  let (found, status) = loopOrRunning(loop)
  guard let found else { return status }
  if !found.isReadable { return found.refusal }
  guard let outTask else { return -EINVAL }
  outTask.pointee = address(found.s.pointee.currentTask).flatMap { TaskRef($0).future.handle }
  return RONDO_OK
}

@_cdecl("rondo_all_tasks") @implementation
public func rondo_all_tasks(
  _ loop: OpaquePointer?, _ tasks: OutHandle?, _ capacity: Int, _ outCount: UnsafeMutablePointer<Int>?
) -> rondo_status {
  let (found, status) = loopOrRunning(loop)
  guard let found else { return status }
  guard let outCount, tasks != nil || capacity == 0, capacity >= 0 else { return -EINVAL }
  if found.isReadable {
    outCount.pointee = found.listTasks(tasks, capacity)
    return RONDO_OK
  }
  return found.askForTasks(tasks, capacity, outCount)
}

// MARK: - running until one is done

@_cdecl("rondo_loop_run_until_complete") @implementation
public func rondo_loop_run_until_complete(_ loop: OpaquePointer?, _ awaitable: Raw?, _ outFuture: OutHandle?)
  -> rondo_status
{
  let given = OpaquePointer(awaitable)
  guard let found = LoopRef.find(loop) else {
    let status = LoopRef.refuse(loop)
    LoopRef.letGo(awaitable: given)
    return status
  }
  // Checked first, as asyncio does: a refused run makes no task.
  let status = found.begin()
  if status != RONDO_OK {
    LoopRef.letGo(awaitable: given)
    return status
  }
  let result = found.runUntilComplete(given, outFuture)
  found.finish()
  return result
}
