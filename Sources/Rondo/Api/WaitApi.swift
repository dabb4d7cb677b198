// WaitApi.swift - the exports of rondo/wait.h and rondo/run.h.
//
// Knows: Awaitables, Gather, Shield, WaitFor, RunMain. Does not know: how they do it.

import CRondo
import CRondoShim

@_cdecl("rondo_sleep") @implementation
public func rondo_sleep(_ delay: Int64, _ value: Raw?, _ drop: rondo_drop_fn?, _ outCoroutine: OutHandle?) -> rondo_status {
  guard let outCoroutine else { return refuse(-EINVAL, value, drop) }
  guard let made = Sleep.make(delay, Value(pointer: value, drop: drop)) else { return refuse(-ENOMEM, value, drop) }
  outCoroutine.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_ensure_future") @implementation
public func rondo_ensure_future(_ loop: OpaquePointer?, _ awaitable: Raw?, _ outFuture: OutHandle?) -> rondo_status {
  guard let found = LoopRef.owned(loop), let outFuture else {
    let status = LoopRef.owned(loop) == nil ? LoopRef.refuse(loop) : refusalWithoutOut(awaitable)
    LoopRef.letGo(awaitable: OpaquePointer(awaitable))
    return status
  }
  let (future, _, status) = found.ensureFuture(OpaquePointer(awaitable))
  guard let future else { return status }
  let retained = Owned.retain(future.raw)
  if retained == RONDO_OK { outFuture.pointee = future.handle }
  future.unpin()
  return retained
}

/// Nowhere to write the result to; what else is wrong goes first.
private func refusalWithoutOut(_ awaitable: Raw?) -> rondo_status {
  guard let coroutine = CoroutineRef.find(OpaquePointer(awaitable)) else { return -EINVAL }
  let status = Drive.refusal(coroutine)
  return status == RONDO_OK ? -EINVAL : status
}

// MARK: - gather

@_cdecl("rondo_gather") @implementation
public func rondo_gather(
  _ loop: OpaquePointer?, _ awaitables: UnsafePointer<Raw?>?, _ count: Int, _ flags: UInt32, _ outFuture: OutHandle?
) -> rondo_status {
  let status = refusalOfGather(loop, awaitables, count, flags, outFuture)
  if status == -E2BIG { return -EINVAL }
  guard status == RONDO_OK, let found = LoopRef.owned(loop), let outFuture else {
    for i in 0..<count { LoopRef.letGo(awaitable: OpaquePointer(awaitables?[i])) }
    return status
  }
  let returns = flags & UInt32(RONDO_GATHER_RETURN_EXCEPTIONS) != 0
  // A pointer that is never followed for a count of zero.
  let list = awaitables ?? UnsafePointer(UnsafeRawPointer(outFuture).assumingMemoryBound(to: Raw?.self))
  let (future, result) = Gather.make(found, list, count, returnsExceptions: returns)
  guard let future else { return result }
  outFuture.pointee = future.handle
  return RONDO_OK
}

/// -E2BIG for what must not even be read.
private func refusalOfGather(
  _ loop: OpaquePointer?, _ awaitables: UnsafePointer<Raw?>?, _ count: Int, _ flags: UInt32, _ outFuture: OutHandle?
) -> rondo_status {
  if count < 0 || count > 1 << 28 || (awaitables == nil && count > 0) { return -E2BIG }
  if LoopRef.owned(loop) == nil { return LoopRef.refuse(loop) }
  return outFuture == nil || flags & ~UInt32(RONDO_GATHER_RETURN_EXCEPTIONS) != 0 ? -EINVAL : RONDO_OK
}

private func gather(_ future: OpaquePointer?) -> (Gather?, rondo_status) {
  guard let found = FutureRef.owned(future) else { return (nil, FutureRef.refuse(future)) }
  guard let gather = Gather.find(found) else { return (nil, RONDO_E_TYPE) }
  return (gather, RONDO_OK)
}

@_cdecl("rondo_gather_get_count") @implementation
public func rondo_gather_get_count(_ future: OpaquePointer?, _ outCount: UnsafeMutablePointer<Int>?) -> rondo_status {
  let (found, status) = gather(future)
  guard let found else { return status }
  guard let outCount else { return -EINVAL }
  outCount.pointee = found.childCount
  return RONDO_OK
}

@_cdecl("rondo_gather_get_result") @implementation
public func rondo_gather_get_result(_ future: OpaquePointer?, _ index: Int, _ outValue: UnsafeMutablePointer<Raw?>?)
  -> rondo_status
{
  let (found, status) = gather(future)
  guard let found else { return status }
  guard let child = found.child(index) else { return -ERANGE }
  return rondo_future_result(child.handle, outValue)
}

@_cdecl("rondo_gather_get_exception") @implementation
public func rondo_gather_get_exception(_ future: OpaquePointer?, _ index: Int, _ outError: OutHandle?) -> rondo_status {
  let (found, status) = gather(future)
  guard let found else { return status }
  guard let child = found.child(index) else { return -ERANGE }
  if !child.isDone { return RONDO_E_INVALID_STATE }
  if child.outcome() == RONDO_OK { outError?.pointee = nil } else { giveOut(child.error!, outError) }
  return RONDO_OK
}

// MARK: - shield, wait_for

@_cdecl("rondo_shield") @implementation
public func rondo_shield(_ loop: OpaquePointer?, _ awaitable: Raw?, _ outFuture: OutHandle?) -> rondo_status {
  guard let found = LoopRef.owned(loop), let outFuture else {
    let status = LoopRef.owned(loop) == nil ? LoopRef.refuse(loop) : -EINVAL
    LoopRef.letGo(awaitable: OpaquePointer(awaitable))
    return status
  }
  let (inner, _, status) = found.ensureFuture(OpaquePointer(awaitable))
  guard let inner else { return status }
  let (outer, made) = Shield.make(inner)
  guard let outer else { return made }
  outFuture.pointee = outer.handle
  return RONDO_OK
}

@_cdecl("rondo_wait_for") @implementation
public func rondo_wait_for(_ awaitable: Raw?, _ timeout: Int64, _ outCoroutine: OutHandle?) -> rondo_status {
  let given = OpaquePointer(awaitable)
  let status = keepForWait(given, outCoroutine)
  if status != RONDO_OK {
    LoopRef.letGo(awaitable: OpaquePointer(awaitable))
    return status
  }
  guard let made = WaitFor.make(given, timeout) else {
    if let future = FutureRef.find(given) { _ = future.releaseUser() }
    LoopRef.letGo(awaitable: OpaquePointer(awaitable))
    return -ENOMEM
  }
  outCoroutine!.pointee = made.handle
  return RONDO_OK
}

/// Take a reference of a future; a coroutine must be free to be awaited.
private func keepForWait(_ awaitable: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  if outCoroutine == nil { return -EINVAL }
  if let future = FutureRef.find(awaitable) { return Owned.retain(future.raw) }
  if let coroutine = CoroutineRef.find(awaitable) { return Drive.refusal(coroutine) }
  return LoopRef.refuseAwaitable(awaitable)
}

// MARK: - what it is

@_cdecl("rondo_awaitable_is_future") @implementation
public func rondo_awaitable_is_future(_ awaitable: UnsafeRawPointer?) -> Int32 {
  FutureRef.find(OpaquePointer(awaitable)) != nil ? 1 : 0
}

@_cdecl("rondo_awaitable_is_coroutine") @implementation
public func rondo_awaitable_is_coroutine(_ awaitable: UnsafeRawPointer?) -> Int32 {
  CoroutineRef.find(OpaquePointer(awaitable)) != nil ? 1 : 0
}

// MARK: - wait, as_completed

@_cdecl("rondo_wait") @implementation
public func rondo_wait(
  _ loop: OpaquePointer?, _ awaitables: UnsafePointer<Raw?>?, _ count: Int, _ timeout: Int64, _ returnWhen: Int32,
  _ outCoroutine: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let awaitables, let outCoroutine, count > 0, count <= 1 << 28,
    returnWhen >= RONDO_WAIT_ALL_COMPLETED, returnWhen <= RONDO_WAIT_FIRST_EXCEPTION
  else { return -EINVAL }
  let (made, status) = Wait.make(found, awaitables, count, timeout, returnWhen)
  if let made { outCoroutine.pointee = made.handle }
  return status
}

@_cdecl("rondo_as_completed_new") @implementation
public func rondo_as_completed_new(
  _ loop: OpaquePointer?, _ awaitables: UnsafePointer<Raw?>?, _ count: Int, _ timeout: Int64, _ outIterator: OutHandle?
) -> rondo_status {
  // As for gather: coroutines move, unless the list must not even be read.
  let status = refusalOfGather(loop, awaitables, count, 0, outIterator)
  if status == -E2BIG { return -EINVAL }
  guard status == RONDO_OK, let found = LoopRef.owned(loop), let outIterator else {
    for i in 0..<count { LoopRef.letGo(awaitable: OpaquePointer(awaitables?[i])) }
    return status
  }
  let list = awaitables ?? UnsafePointer(UnsafeRawPointer(outIterator).assumingMemoryBound(to: Raw?.self))
  let (made, result) = AsCompleted.make(found, list, count, timeout)
  if let made { outIterator.pointee = Scope.handle(made.raw) }
  return result
}

@_cdecl("rondo_as_completed_retain") @implementation
public func rondo_as_completed_retain(_ iterator: OpaquePointer?) -> rondo_status {
  if iterator == nil { return RONDO_OK }
  guard let found = Scope.find(iterator, ScopeType.asCompleted) else {
    return Scope.refuse(iterator, ScopeType.asCompleted)
  }
  return Owned.retain(found)
}

@_cdecl("rondo_as_completed_release") @implementation
public func rondo_as_completed_release(_ iterator: OpaquePointer?) -> rondo_status {
  if iterator == nil { return RONDO_OK }
  guard let found = Scope.find(iterator, ScopeType.asCompleted) else {
    return Scope.refuse(iterator, ScopeType.asCompleted)
  }
  return Scope.releaseUser(found)
}

@_cdecl("rondo_as_completed_next") @implementation
public func rondo_as_completed_next(_ iterator: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  next(iterator, outCoroutine, givesFuture: false)
}

@_cdecl("rondo_as_completed_next_future") @implementation
public func rondo_as_completed_next_future(_ iterator: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  next(iterator, outCoroutine, givesFuture: true)
}

private func next(_ iterator: OpaquePointer?, _ outCoroutine: OutHandle?, givesFuture: Bool) -> rondo_status {
  guard let found = Scope.owned(iterator, ScopeType.asCompleted).map({ AsCompleted($0) }) else {
    return Scope.refuse(iterator, ScopeType.asCompleted)
  }
  guard let outCoroutine else { return -EINVAL }
  if found.s.pointee.left == 0 { return RONDO_E_STOP_ITERATION }
  guard let made = NextCompleted.make(found, givesFuture: givesFuture) else { return -ENOMEM }
  outCoroutine.pointee = made.handle
  return RONDO_OK
}
