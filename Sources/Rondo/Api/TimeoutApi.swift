// TimeoutApi.swift - the exports of rondo/wait.h that are about timeouts.
//
// Knows: Timeout. Does not know: how it cancels.

import CRondo
import CRondoShim

/// A timeout that this thread may use.
private func timeout(_ handle: OpaquePointer?) -> Timeout? {
  Scope.owned(handle, ScopeType.timeout).map { Timeout($0) }
}

private func refusal(_ handle: OpaquePointer?) -> rondo_status { Scope.refuse(handle, ScopeType.timeout) }

private func make(_ found: LoopRef, _ when: Int64, _ outTimeout: OutHandle?) -> rondo_status {
  guard let outTimeout else { return -EINVAL }
  guard let made = Timeout.make(found, when: when) else { return -ENOMEM }
  outTimeout.pointee = Scope.handle(made.raw)
  return RONDO_OK
}

@_cdecl("rondo_timeout_new") @implementation
public func rondo_timeout_new(_ loop: OpaquePointer?, _ delay: Int64, _ outTimeout: OutHandle?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  let (sum, overflow) = found.now.addingReportingOverflow(delay)
  return make(found, overflow || delay == Int64.max ? Int64.max : sum, outTimeout)
}

@_cdecl("rondo_timeout_new_at") @implementation
public func rondo_timeout_new_at(_ loop: OpaquePointer?, _ when: Int64, _ outTimeout: OutHandle?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  return make(found, when, outTimeout)
}

@_cdecl("rondo_timeout_retain") @implementation
public func rondo_timeout_retain(_ handle: OpaquePointer?) -> rondo_status {
  if handle == nil { return RONDO_OK }
  guard let found = Scope.find(handle, ScopeType.timeout) else { return refusal(handle) }
  return Owned.retain(found)
}

@_cdecl("rondo_timeout_release") @implementation
public func rondo_timeout_release(_ handle: OpaquePointer?) -> rondo_status {
  if handle == nil { return RONDO_OK }
  guard let found = Scope.find(handle, ScopeType.timeout) else { return refusal(handle) }
  return Scope.releaseUser(found)
}

@_cdecl("rondo_timeout_enter") @implementation
public func rondo_timeout_enter(_ handle: OpaquePointer?) -> rondo_status {
  guard let found = timeout(handle), found.loop.isMine else { return refusal(handle) }
  return found.enter()
}

@_cdecl("rondo_timeout_exit") @implementation
public func rondo_timeout_exit(_ handle: OpaquePointer?, _ thrown: OpaquePointer?, _ outError: OutHandle?)
  -> rondo_status
{
  guard let found = timeout(handle) else { return refusal(handle) }
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

@_cdecl("rondo_timeout_reschedule") @implementation
public func rondo_timeout_reschedule(_ handle: OpaquePointer?, _ when: Int64) -> rondo_status {
  guard let found = timeout(handle), found.loop.isMine else { return refusal(handle) }
  return found.reschedule(when)
}

@_cdecl("rondo_timeout_get_when") @implementation
public func rondo_timeout_get_when(_ handle: OpaquePointer?, _ outWhen: UnsafeMutablePointer<Int64>?) -> rondo_status {
  guard let found = timeout(handle) else { return refusal(handle) }
  guard let outWhen else { return -EINVAL }
  outWhen.pointee = found.s.pointee.when
  return RONDO_OK
}

@_cdecl("rondo_timeout_is_expired") @implementation
public func rondo_timeout_is_expired(_ handle: OpaquePointer?) -> Int32 { timeout(handle)?.isExpired == true ? 1 : 0 }
