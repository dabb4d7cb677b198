// GroupApi.swift - the exports of rondo/group.h.
//
// Knows: TaskGroup, its exit. Does not know: how children are watched.

import CRondo
import CRondoShim

/// A group that this thread may use.
private func group(_ handle: OpaquePointer?) -> TaskGroup? {
  Scope.owned(handle, ScopeType.taskGroup).map { TaskGroup($0) }
}

private func refusal(_ handle: OpaquePointer?) -> rondo_status { Scope.refuse(handle, ScopeType.taskGroup) }

@_cdecl("rondo_task_group_new") @implementation
public func rondo_task_group_new(_ loop: OpaquePointer?, _ outGroup: OutHandle?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let outGroup else { return -EINVAL }
  guard let made = TaskGroup.make(found) else { return -ENOMEM }
  outGroup.pointee = Scope.handle(made.raw)
  return RONDO_OK
}

@_cdecl("rondo_task_group_retain") @implementation
public func rondo_task_group_retain(_ handle: OpaquePointer?) -> rondo_status {
  if handle == nil { return RONDO_OK }
  guard let found = Scope.find(handle, ScopeType.taskGroup) else { return refusal(handle) }
  return Owned.retain(found)
}

@_cdecl("rondo_task_group_release") @implementation
public func rondo_task_group_release(_ handle: OpaquePointer?) -> rondo_status {
  if handle == nil { return RONDO_OK }
  guard let found = Scope.find(handle, ScopeType.taskGroup) else { return refusal(handle) }
  return Scope.releaseUser(found)
}

@_cdecl("rondo_task_group_enter") @implementation
public func rondo_task_group_enter(_ handle: OpaquePointer?) -> rondo_status {
  guard let found = group(handle), found.loop.isMine else { return refusal(handle) }
  return found.enter()
}

@_cdecl("rondo_task_group_cancel") @implementation
public func rondo_task_group_cancel(_ handle: OpaquePointer?) -> rondo_status {
  guard let found = group(handle), found.loop.isMine else { return refusal(handle) }
  found.cancel()
  return RONDO_OK
}

@_cdecl("rondo_task_group_exit") @implementation
public func rondo_task_group_exit(_ handle: OpaquePointer?, _ thrown: OpaquePointer?, _ outCoroutine: OutHandle?)
  -> rondo_status
{
  guard let found = group(handle) else { return refusal(handle) }
  let given = ErrorRef.find(thrown)
  if given == nil && thrown != nil { return ErrorRef.explain(thrown) }
  guard let outCoroutine else { return -EINVAL }
  guard let made = GroupExit.make(found, given) else { return -ENOMEM }
  outCoroutine.pointee = made.handle
  return RONDO_OK
}

// MARK: - children

@_cdecl("rondo_task_group_create_task") @implementation
public func rondo_task_group_create_task(
  _ handle: OpaquePointer?, _ coroutine: OpaquePointer?, _ options: UnsafePointer<rondo_task_options>?,
  _ outTask: OutHandle?
) -> rondo_status {
  guard let given = CoroutineRef.find(coroutine) else { return CoroutineRef.explain(coroutine) }
  let (wanted, _, status) = refusalOfChild(handle, options)
  guard status == RONDO_OK, let found = group(handle) else {
    LoopRef.closeAndRelease(given)
    return status
  }
  var isTaken = false
  let (task, result) = found.createTask {
    isTaken = true
    return found.loop.createTask(given, wanted, user: true)
  }
  if !isTaken { LoopRef.closeAndRelease(given) }
  return handOut(task, result, outTask)
}

@_cdecl("rondo_task_group_spawn") @implementation
public func rondo_task_group_spawn(
  _ handle: OpaquePointer?, _ step: rondo_step_fn?, _ frame: Raw?, _ drop: rondo_drop_fn?,
  _ options: UnsafePointer<rondo_task_options>?, _ outTask: OutHandle?
) -> rondo_status {
  guard let found = group(handle), found.loop.isMine else { return refuse(refusal(handle), frame, drop) }
  guard let step else { return refuse(-EINVAL, frame, drop) }
  let (wanted, name, status) = refusalOfChild(handle, options)
  if status != RONDO_OK { return refuse(status, frame, drop) }
  let body = Activation(
    step: step, frame: frame, drop: drop, name: name ?? literal("coroutine"), parent: 0, flags: 0, count: 0)
  var hasMoved = false
  let (task, result) = found.createTask {
    let (made, status, moved) = found.loop.spawnAndStart(body, wanted, user: true)
    hasMoved = moved
    return (made, status)
  }
  if task == nil { return hasMoved ? result : refuse(result, frame, drop) }
  return handOut(task, result, outTask)
}

/// The options of a new child, or why there can be none.
private func refusalOfChild(_ handle: OpaquePointer?, _ options: UnsafePointer<rondo_task_options>?)
  -> (LoopRef.TaskOptions, UnsafePointer<CChar>?, rondo_status)
{
  guard let found = group(handle), found.loop.isMine else { return (LoopRef.TaskOptions(), nil, refusal(handle)) }
  var (wanted, name, status) = readTaskOptions(options)
  if found.has(GroupBits.entered) { wanted.scope = found.scopeOfChildren }
  return (wanted, name, status == RONDO_OK ? found.refusalOfChild : status)
}

/// The task's reference goes to C, if it wants one.
private func handOut(_ task: TaskRef?, _ status: rondo_status, _ outTask: OutHandle?) -> rondo_status {
  guard let task else { return status }
  if let outTask {
    outTask.pointee = task.future.handle
  } else {
    _ = task.future.releaseUser()
  }
  return RONDO_OK
}
