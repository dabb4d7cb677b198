// ScopeApi.swift - the exports of rondo/scope.h.
//
// Knows: CancelScope. Does not know: how a cancellation finds its way.

import CRondo
import CRondoShim

/// A scope that this thread may use.
private func scope(_ handle: OpaquePointer?) -> CancelScope? {
  Scope.owned(handle, ScopeType.cancelScope).map { CancelScope($0) }
}

/// The same, of a loop that is open.
private func open(_ handle: OpaquePointer?) -> CancelScope? {
  guard let found = scope(handle), found.loop.isMine else { return nil }
  return found
}

private func refusal(_ handle: OpaquePointer?) -> rondo_status { Scope.refuse(handle, ScopeType.cancelScope) }

private func has(_ handle: OpaquePointer?, _ bit: UInt32) -> Int32 { scope(handle)?.has(bit) == true ? 1 : 0 }

// MARK: - life

private func make(
  _ loop: OpaquePointer?, _ delay: Int64?, _ options: UnsafePointer<rondo_cancel_scope_options>?, _ outScope: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let outScope else { return -EINVAL }
  var given = rondo_cancel_scope_options()
  let status = readOptions(options, into: &given)
  if status != RONDO_OK { return status }
  let known = UInt32(RONDO_CANCEL_SCOPE_SHIELD | RONDO_CANCEL_SCOPE_FAIL)
  if given.flags & ~known != 0 || given.grace_ns < 0 { return -EINVAL }
  let when = delay.map { found.deadline(after: $0) } ?? (given.deadline_ns == 0 ? Int64.max : given.deadline_ns)
  guard let made = CancelScope.make(
    found, deadline: when, grace: given.grace_ns, shield: given.flags & UInt32(RONDO_CANCEL_SCOPE_SHIELD) != 0,
    fails: given.flags & UInt32(RONDO_CANCEL_SCOPE_FAIL) != 0)
  else { return -ENOMEM }
  outScope.pointee = Scope.handle(made.raw)
  return RONDO_OK
}

@_cdecl("rondo_cancel_scope_new") @implementation
public func rondo_cancel_scope_new(
  _ loop: OpaquePointer?, _ options: UnsafePointer<rondo_cancel_scope_options>?, _ outScope: OutHandle?
) -> rondo_status { make(loop, nil, options, outScope) }

@_cdecl("rondo_cancel_scope_new_after") @implementation
public func rondo_cancel_scope_new_after(
  _ loop: OpaquePointer?, _ delay: Int64, _ options: UnsafePointer<rondo_cancel_scope_options>?, _ outScope: OutHandle?
) -> rondo_status { make(loop, delay, options, outScope) }

@_cdecl("rondo_cancel_scope_retain") @implementation
public func rondo_cancel_scope_retain(_ handle: OpaquePointer?) -> rondo_status {
  if handle == nil { return RONDO_OK }
  guard let found = Scope.find(handle, ScopeType.cancelScope) else { return refusal(handle) }
  return Owned.retain(found)
}

@_cdecl("rondo_cancel_scope_release") @implementation
public func rondo_cancel_scope_release(_ handle: OpaquePointer?) -> rondo_status {
  if handle == nil { return RONDO_OK }
  guard let found = Scope.find(handle, ScopeType.cancelScope) else { return refusal(handle) }
  return Scope.releaseUser(found)
}

@_cdecl("rondo_cancel_scope_enter") @implementation
public func rondo_cancel_scope_enter(_ handle: OpaquePointer?) -> rondo_status {
  guard let found = open(handle) else { return refusal(handle) }
  return found.enter()
}

@_cdecl("rondo_cancel_scope_exit") @implementation
public func rondo_cancel_scope_exit(_ handle: OpaquePointer?, _ thrown: OpaquePointer?, _ outError: OutHandle?)
  -> rondo_status
{
  guard let found = scope(handle) else { return refusal(handle) }
  let given = ErrorRef.find(thrown)
  if given == nil && thrown != nil { return ErrorRef.explain(thrown) }
  let (error, status) = found.exit(given)
  if status != RONDO_OK { return status }
  if let error {
    giveOut(error, outError)
    error.unpin()
  } else {
    outError?.pointee = nil
  }
  return RONDO_OK
}

// MARK: - cancelling

@_cdecl("rondo_cancel_scope_cancel") @implementation
public func rondo_cancel_scope_cancel(
  _ handle: OpaquePointer?, _ reason: UnsafePointer<CChar>?, _ place: UnsafePointer<CChar>?
) -> rondo_status {
  guard let found = open(handle) else { return refusal(handle) }
  guard let error = CancelScope.makeError(reason, place) else { return -ENOMEM }
  found.cancel(error)
  return RONDO_OK
}

@_cdecl("rondo_cancel_scope_cancel_at") @implementation
public func rondo_cancel_scope_cancel_at(
  _ handle: OpaquePointer?, _ reason: UnsafePointer<CChar>?, _ function: UnsafePointer<CChar>?,
  _ file: UnsafePointer<CChar>?, _ line: Int32
) -> rondo_status {
  guard let file else { return rondo_cancel_scope_cancel(handle, reason, nil) }
  var text = Text()
  text.add(function)
  text.add(function == nil ? "(" as StaticString : " (")
  text.add(file)
  text.add(":")
  text.add(Int64(line))
  text.add(")")
  if text.isCut { return open(handle) == nil ? refusal(handle) : -ENOMEM }
  return rondo_cancel_scope_cancel(handle, reason, text.cString)
}

@_cdecl("rondo_cancel_scope_insist") @implementation
public func rondo_cancel_scope_insist(_ handle: OpaquePointer?) -> rondo_status {
  guard let found = open(handle) else { return refusal(handle) }
  return found.insist() ? RONDO_OK : RONDO_E_INVALID_STATE
}

@_cdecl("rondo_cancel_scope_set_deadline") @implementation
public func rondo_cancel_scope_set_deadline(_ handle: OpaquePointer?, _ when: Int64) -> rondo_status {
  guard let found = open(handle) else { return refusal(handle) }
  return found.setDeadline(when)
}

@_cdecl("rondo_cancel_scope_get_deadline") @implementation
public func rondo_cancel_scope_get_deadline(_ handle: OpaquePointer?, _ outWhen: UnsafeMutablePointer<Int64>?)
  -> rondo_status
{
  guard let found = scope(handle) else { return refusal(handle) }
  guard let outWhen else { return -EINVAL }
  outWhen.pointee = found.s.pointee.deadline
  return RONDO_OK
}

@_cdecl("rondo_cancel_scope_set_shield") @implementation
public func rondo_cancel_scope_set_shield(_ handle: OpaquePointer?, _ enabled: Int32) -> rondo_status {
  guard let found = open(handle) else { return refusal(handle) }
  return enabled == 0 || enabled == 1 ? found.setShield(enabled == 1) : -EINVAL
}

// MARK: - what has happened

@_cdecl("rondo_cancel_scope_is_cancelled") @implementation
public func rondo_cancel_scope_is_cancelled(_ handle: OpaquePointer?) -> Int32 { has(handle, CancelScopeBits.asked) }

@_cdecl("rondo_cancel_scope_is_expired") @implementation
public func rondo_cancel_scope_is_expired(_ handle: OpaquePointer?) -> Int32 { has(handle, CancelScopeBits.expired) }

@_cdecl("rondo_cancel_scope_is_caught") @implementation
public func rondo_cancel_scope_is_caught(_ handle: OpaquePointer?) -> Int32 { has(handle, CancelScopeBits.caught) }

@_cdecl("rondo_cancel_scope_get_error") @implementation
public func rondo_cancel_scope_get_error(_ handle: OpaquePointer?) -> OpaquePointer? { scope(handle)?.error?.handle }

@_cdecl("rondo_cancel_scope_get_request") @implementation
public func rondo_cancel_scope_get_request(_ handle: OpaquePointer?, _ outFuture: OutHandle?) -> rondo_status {
  guard let found = open(handle) else { return refusal(handle) }
  guard let outFuture else { return -EINVAL }
  let (future, status) = found.requestFuture()
  if let future { outFuture.pointee = future.handle }
  return status
}

// MARK: - from inside

/// The loop that C means: the running one for NULL.
private func loopOrRunning(_ loop: OpaquePointer?) -> (LoopRef?, rondo_status) {
  if loop == nil {
    guard let running = address(rondo_thread()!.pointee.running) else { return (nil, RONDO_E_NO_LOOP) }
    return (LoopRef(running), RONDO_OK)
  }
  guard let found = LoopRef.owned(loop) else { return (nil, LoopRef.refuse(loop)) }
  return (found, RONDO_OK)
}

private func currentScope(_ loop: LoopRef) -> CancelScope? {
  address(loop.s.pointee.currentTask).flatMap { TaskRef($0).scope }
}

@_cdecl("rondo_current_cancel_requested") @implementation
public func rondo_current_cancel_requested(_ loop: OpaquePointer?) -> Int32 {
  guard let found = loopOrRunning(loop).0, let scope = currentScope(found) else { return 0 }
  return scope.has(CancelScopeBits.underAsked) ? 1 : 0
}

@_cdecl("rondo_current_deadline") @implementation
public func rondo_current_deadline(_ loop: OpaquePointer?, _ outWhen: UnsafeMutablePointer<Int64>?) -> rondo_status {
  let (found, status) = loopOrRunning(loop)
  guard let found else { return status }
  guard let outWhen else { return -EINVAL }
  outWhen.pointee = currentScope(found)?.effectiveDeadline ?? Int64.max
  return RONDO_OK
}

@_cdecl("rondo_current_time_left") @implementation
public func rondo_current_time_left(_ loop: OpaquePointer?, _ outLeft: UnsafeMutablePointer<Int64>?) -> rondo_status {
  let (found, status) = loopOrRunning(loop)
  guard let found else { return status }
  guard let outLeft else { return -EINVAL }
  let when = currentScope(found)?.effectiveDeadline ?? Int64.max
  let now = found.deadline(after: 0)
  outLeft.pointee = when == Int64.max ? when : when <= now ? 0 : when.subtractingReportingOverflow(now).partialValue
  return RONDO_OK
}
