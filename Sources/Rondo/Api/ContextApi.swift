// ContextApi.swift - the exports of rondo/context.h.
//
// Knows: Contexts, ContextRef, VariableRef, who watches threads. Does not know: loops, tasks.

import CRondo
import CRondoShim

// MARK: - variables

@_cdecl("rondo_contextvar_new") @implementation
public func rondo_contextvar_new(
  _ name: UnsafePointer<CChar>?, _ defaultValue: UnsafeMutableRawPointer?,
  _ outVariable: UnsafeMutablePointer<OpaquePointer?>?
) -> rondo_status {
  guard let name, let outVariable else { return -EINVAL }
  guard let variable = VariableRef.make(name, defaultValue) else { return -ENOMEM }
  outVariable.pointee = variable.handle
  return RONDO_OK
}

@_cdecl("rondo_contextvar_retain") @implementation
public func rondo_contextvar_retain(_ variable: OpaquePointer?) -> rondo_status {
  if variable == nil { return RONDO_OK }
  guard let found = VariableRef.find(variable) else { return VariableRef.explain(variable) }
  return Global.retain(found.state)
}

@_cdecl("rondo_contextvar_release") @implementation
public func rondo_contextvar_release(_ variable: OpaquePointer?) -> rondo_status {
  if variable == nil { return RONDO_OK }
  guard let found = VariableRef.find(variable) else { return VariableRef.explain(variable) }
  return found.releaseUser()
}

@_cdecl("rondo_contextvar_get") @implementation
public func rondo_contextvar_get(
  _ variable: OpaquePointer?, _ outValue: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> rondo_status {
  guard let found = VariableRef.find(variable) else { return VariableRef.explain(variable) }
  guard let outValue else { return -EINVAL }
  outValue.pointee = Contexts.get(found)
  return RONDO_OK
}

@_cdecl("rondo_contextvar_set") @implementation
public func rondo_contextvar_set(
  _ variable: OpaquePointer?, _ value: UnsafeMutableRawPointer?, _ drop: rondo_drop_fn?
) -> rondo_status {
  let value = Value(pointer: value, drop: drop)
  guard let found = VariableRef.find(variable) else {
    let status = VariableRef.explain(variable)  // first: drop may change the answer
    value.dispose()
    return status
  }
  // A thread without a loop has to be watched, too: its values are dropped when it ends.
  if rondo_thread()!.pointee.context == 0 && Registry.prepare() { _ = rondo_shim_watch_thread() }
  return Contexts.set(found, value)
}

// MARK: - tokens

/// What tells the current context from others: the object that is entered, the task that runs, or
/// the thread. (Two plain callbacks of one thread are not told apart.)
private func currentContextName() -> UInt64 {
  let thread = rondo_thread()!
  if thread.pointee.entered != 0 { return thread.pointee.entered }
  if let running = address(thread.pointee.running), let task = address(LoopRef(running).s.pointee.currentTask) {
    return TaskRef(task).future.s.pointee.header.handle
  }
  return rondo_thread_id()
}

@_cdecl("rondo_contextvar_set_with_token") @implementation
public func rondo_contextvar_set_with_token(
  _ variable: OpaquePointer?, _ value: UnsafeMutableRawPointer?, _ drop: rondo_drop_fn?, _ outToken: OutHandle?
) -> rondo_status {
  guard let found = VariableRef.find(variable) else { return refuse(VariableRef.explain(variable), value, drop) }
  guard let outToken else { return refuse(-EINVAL, value, drop) }
  guard let token = TokenRef.make(found, currentContextName()) else { return refuse(-ENOMEM, value, drop) }
  let status = rondo_contextvar_set(variable, value, drop)
  if status == RONDO_OK { outToken.pointee = token.handle } else { _ = token.releaseUser() }
  return status
}

@_cdecl("rondo_contextvar_reset") @implementation
public func rondo_contextvar_reset(_ variable: OpaquePointer?, _ token: OpaquePointer?) -> rondo_status {
  guard let found = VariableRef.find(variable) else { return VariableRef.explain(variable) }
  guard let given = TokenRef.find(token) else { return TokenRef.explain(token) }
  return given.reset(found, currentContextName())
}

@_cdecl("rondo_context_token_get_old_value") @implementation
public func rondo_context_token_get_old_value(_ token: OpaquePointer?, _ outValue: UnsafeMutablePointer<Raw?>?)
  -> rondo_status
{
  guard let given = TokenRef.find(token) else { return TokenRef.explain(token) }
  guard let outValue else { return -EINVAL }
  guard let old = given.s.pointee.old else { return -ENOENT }
  outValue.pointee = old.pointee.value.pointer
  return RONDO_OK
}

@_cdecl("rondo_context_token_retain") @implementation
public func rondo_context_token_retain(_ token: OpaquePointer?) -> rondo_status {
  if token == nil { return RONDO_OK }
  guard let found = TokenRef.find(token) else { return TokenRef.explain(token) }
  return Global.retain(Raw(found.s))
}

@_cdecl("rondo_context_token_release") @implementation
public func rondo_context_token_release(_ token: OpaquePointer?) -> rondo_status {
  if token == nil { return RONDO_OK }
  guard let found = TokenRef.find(token) else { return TokenRef.explain(token) }
  return found.releaseUser()
}

// MARK: - contexts

@_cdecl("rondo_context_new") @implementation
public func rondo_context_new(_ outContext: UnsafeMutablePointer<OpaquePointer?>?) -> rondo_status {
  guard let outContext else { return -EINVAL }
  guard let context = ContextRef.make(0) else { return -ENOMEM }
  outContext.pointee = context.handle
  return RONDO_OK
}

@_cdecl("rondo_context_copy_current") @implementation
public func rondo_context_copy_current(_ outContext: UnsafeMutablePointer<OpaquePointer?>?) -> rondo_status {
  guard let outContext else { return -EINVAL }
  let map = Contexts.capture()
  guard let context = ContextRef.make(map) else {
    Contexts.release(map)
    return -ENOMEM
  }
  outContext.pointee = context.handle
  return RONDO_OK
}

@_cdecl("rondo_context_retain") @implementation
public func rondo_context_retain(_ context: OpaquePointer?) -> rondo_status {
  if context == nil { return RONDO_OK }
  guard let found = ContextRef.find(context) else { return ContextRef.explain(context) }
  return Global.retain(found.state)
}

@_cdecl("rondo_context_release") @implementation
public func rondo_context_release(_ context: OpaquePointer?) -> rondo_status {
  if context == nil { return RONDO_OK }
  guard let found = ContextRef.find(context) else { return ContextRef.explain(context) }
  return found.releaseUser()
}

@_cdecl("rondo_context_run") @implementation
public func rondo_context_run(
  _ context: OpaquePointer?, _ fn: rondo_call_fn?, _ arg: UnsafeMutableRawPointer?
) -> rondo_status {
  guard let found = ContextRef.find(context) else { return ContextRef.explain(context) }
  guard let fn else { return -EINVAL }
  // The tag's pin keeps it alive if fn releases it.
  let tag = Contexts.tag(found)
  guard let saved = Contexts.tryEnter(tag) else {
    Contexts.release(tag)
    return RONDO_E_RUNTIME
  }
  fn(arg)
  Contexts.leave(tag, saved)
  Contexts.release(tag)
  return RONDO_OK
}
