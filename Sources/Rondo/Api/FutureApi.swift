// FutureApi.swift - the exports of rondo/future.h.
//
// Knows: Future. Does not know: tasks, except that a task is a future with a will of its own.

import CRondo
import CRondoShim

// MARK: - life

@_cdecl("rondo_future_new") @implementation
public func rondo_future_new(_ loop: OpaquePointer?, _ outFuture: OutHandle?) -> rondo_status {
  guard let found = LoopRef.find(loop), found.isReadable else { return LoopRef.refuse(loop) }
  guard let outFuture else { return -EINVAL }
  guard let made = FutureRef.make(found, user: true) else { return -ENOMEM }
  outFuture.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_future_retain") @implementation
public func rondo_future_retain(_ future: OpaquePointer?) -> rondo_status {
  if future == nil { return RONDO_OK }
  guard let found = FutureRef.find(future) else { return FutureRef.refuse(future) }
  return Owned.retain(found.raw)
}

@_cdecl("rondo_future_release") @implementation
public func rondo_future_release(_ future: OpaquePointer?) -> rondo_status {
  if future == nil { return RONDO_OK }
  guard let found = FutureRef.find(future) else { return FutureRef.refuse(future) }
  return found.releaseUser()
}

// MARK: - completing

/// Why C may not complete a future, or RONDO_OK.
private func refusalToComplete(_ found: FutureRef) -> rondo_status {
  if found.isTask || found.has(FutureBits.library) { return RONDO_E_RUNTIME }
  if found.isDone { return RONDO_E_INVALID_STATE }
  return found.canWake() ? RONDO_OK : -ENOMEM
}

@_cdecl("rondo_future_set_result") @implementation
public func rondo_future_set_result(_ future: OpaquePointer?, _ value: Raw?, _ drop: rondo_drop_fn?) -> rondo_status {
  // The usual future, awaited by one task or by nobody, in one go.
  if let found = FutureRef.findPlain(future), found.loop.isMine, found.completePlain(Value(pointer: value, drop: drop)) {
    return RONDO_OK
  }
  return setResultAnyhow(future, value, drop)
}

@inline(never)  // with the same parameters, so that it is jumped to
private func setResultAnyhow(_ future: OpaquePointer?, _ value: Raw?, _ drop: rondo_drop_fn?) -> rondo_status {
  guard let found = FutureRef.owned(future) else { return refuse(FutureRef.refuse(future), value, drop) }
  let status = refusalToComplete(found)
  if status != RONDO_OK { return refuse(status, value, drop) }
  found.complete(RONDO_FUTURE_RESULT, Value(pointer: value, drop: drop))
  return RONDO_OK
}

@_cdecl("rondo_future_set_exception") @implementation
public func rondo_future_set_exception(_ future: OpaquePointer?, _ error: OpaquePointer?) -> rondo_status {
  guard let found = FutureRef.owned(future) else { return FutureRef.refuse(future) }
  guard let given = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  let status = refusalToComplete(found)
  if status != RONDO_OK { return status }
  guard let stored = storable(given) else { return -ENOMEM }
  found.fail(stored)
  stored.unpin()
  return RONDO_OK
}

@_cdecl("rondo_future_set_exception_status") @implementation
public func rondo_future_set_exception_status(
  _ future: OpaquePointer?, _ status: rondo_status, _ operation: UnsafePointer<CChar>?
) -> rondo_status {
  guard let found = FutureRef.owned(future) else { return FutureRef.refuse(future) }
  if !Status.isFailure(status) { return -EINVAL }
  let refused = refusalToComplete(found)
  if refused != RONDO_OK { return refused }
  guard let stored = storable(status, operation) else { return -ENOMEM }
  found.fail(stored)
  stored.unpin()
  return RONDO_OK
}

/// What a future holds for a status, pinned; nil if memory is out.
private func storable(_ status: rondo_status, _ operation: UnsafePointer<CChar>?) -> ErrorRef? {
  let error = ErrorRef.of(status, operation)
  defer { error.unpin() }
  return storable(error)
}

@_cdecl("rondo_future_cancel") @implementation
public func rondo_future_cancel(
  _ future: OpaquePointer?, _ message: UnsafePointer<CChar>?, _ reason: OpaquePointer?
) -> rondo_status {
  guard let found = FutureRef.owned(future) else { return FutureRef.refuse(future) }
  return cancel(found, message, reason)
}

/// Cancel a future or task for C.
func cancel(_ found: FutureRef, _ message: UnsafePointer<CChar>?, _ reason: OpaquePointer?) -> rondo_status {
  var cause: ErrorRef?
  if reason != nil {
    cause = ErrorRef.find(reason)
    if cause == nil { return ErrorRef.explain(reason) }
  }
  if found.isDone {
    found.remove(FutureBits.unread)
    return RONDO_E_INVALID_STATE
  }
  guard let error = FutureRef.cancellation(message, cause) else { return -ENOMEM }
  defer { error.unpin() }
  if !found.isTask && found.s.pointee.extra == 0 && !found.canWake() { return -ENOMEM }
  return found.cancel(error) ? RONDO_OK : RONDO_E_INVALID_STATE
}

// MARK: - reading

@_cdecl("rondo_future_is_done") @implementation
public func rondo_future_is_done(_ future: OpaquePointer?) -> Int32 { FutureRef.owned(future)?.isDone == true ? 1 : 0 }

@_cdecl("rondo_future_is_cancelled") @implementation
public func rondo_future_is_cancelled(_ future: OpaquePointer?) -> Int32 {
  FutureRef.owned(future)?.isCancelled == true ? 1 : 0
}

@_cdecl("rondo_future_get_state") @implementation
public func rondo_future_get_state(_ future: OpaquePointer?, _ outState: UnsafeMutablePointer<Int32>?) -> rondo_status {
  guard let found = FutureRef.owned(future) else { return FutureRef.refuse(future) }
  guard let outState else { return -EINVAL }
  outState.pointee = found.state
  return RONDO_OK
}

@_cdecl("rondo_future_result") @implementation
public func rondo_future_result(_ future: OpaquePointer?, _ outValue: UnsafeMutablePointer<Raw?>?) -> rondo_status {
  guard let found = FutureRef.owned(future) else { return FutureRef.refuse(future) }
  let status = found.outcome()
  if status == RONDO_OK { outValue?.pointee = found.s.pointee.value.pointer }
  return status
}

@_cdecl("rondo_future_take_result") @implementation
public func rondo_future_take_result(_ future: OpaquePointer?, _ outValue: UnsafeMutablePointer<Raw?>?) -> rondo_status {
  guard let found = FutureRef.owned(future) else { return FutureRef.refuse(future) }
  let status = found.outcome()
  if status != RONDO_OK { return status }
  if found.has(FutureBits.taken) { return RONDO_E_INVALID_STATE }
  guard let outValue else { return -EINVAL }
  guard let value = found.take() else { return RONDO_E_INVALID_STATE }
  outValue.pointee = value.pointer
  return RONDO_OK
}

@_cdecl("rondo_future_exception") @implementation
public func rondo_future_exception(_ future: OpaquePointer?, _ outError: OutHandle?) -> rondo_status {
  guard let found = FutureRef.owned(future) else { return FutureRef.refuse(future) }
  switch found.outcome() {
  case RONDO_OK: outError?.pointee = nil
  case RONDO_E_RAISED: giveOut(found.error!, outError)
  case let other: return other
  }
  return RONDO_OK
}

/// Hand an error to C with a reference.
func giveOut(_ error: ErrorRef, _ outError: OutHandle?) {
  guard let outError else { return }
  _ = Global.retain(error.state)
  outError.pointee = error.handle
}

@_cdecl("rondo_future_get_cancelled_error") @implementation
public func rondo_future_get_cancelled_error(_ future: OpaquePointer?, _ outError: OutHandle?) -> rondo_status {
  guard let found = FutureRef.owned(future) else { return FutureRef.refuse(future) }
  guard let outError else { return -EINVAL }
  if !found.isCancelled { return RONDO_E_INVALID_STATE }
  giveOut(found.error!, outError)
  return RONDO_OK
}

// MARK: - callbacks

@_cdecl("rondo_future_add_done_callback") @implementation
public func rondo_future_add_done_callback(
  _ future: OpaquePointer?, _ fn: rondo_future_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?
) -> rondo_status { addCallback(future, nil, fn, arg, drop) }

@_cdecl("rondo_future_add_done_callback_in_context") @implementation
public func rondo_future_add_done_callback_in_context(
  _ future: OpaquePointer?, _ context: OpaquePointer?, _ fn: rondo_future_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?
) -> rondo_status { addCallback(future, context, fn, arg, drop) }

private func addCallback(
  _ future: OpaquePointer?, _ context: OpaquePointer?, _ fn: rondo_future_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?
) -> rondo_status {
  guard let found = FutureRef.owned(future) else { return refuse(FutureRef.refuse(future), arg, drop) }
  guard let fn else { return refuse(-EINVAL, arg, drop) }
  let (tag, refused) = Contexts.tag(named: context)
  if refused != RONDO_OK { return refuse(refused, arg, drop) }
  let status = found.addCallback(fn, Value(pointer: arg, drop: drop), tag)
  if status == RONDO_OK { return RONDO_OK }
  Contexts.release(tag)
  return refuse(status, arg, drop)
}

@_cdecl("rondo_future_remove_done_callback") @implementation
public func rondo_future_remove_done_callback(
  _ future: OpaquePointer?, _ fn: rondo_future_fn?, _ arg: Raw?, _ outRemoved: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let found = FutureRef.owned(future) else { return FutureRef.refuse(future) }
  guard let fn else { return -EINVAL }
  let wanted = unsafeBitCast(fn, to: UInt.self)
  found.pin()
  let removed = found.removeCallbacks { node in
    unsafeBitCast(node.pointee.fn, to: UInt.self) == wanted && node.pointee.arg.pointer == arg
  }
  found.unpin()
  outRemoved?.pointee = removed
  return RONDO_OK
}

@_cdecl("rondo_future_get_loop") @implementation
public func rondo_future_get_loop(_ future: OpaquePointer?) -> OpaquePointer? { FutureRef.find(future)?.loop.handle }

@_cdecl("rondo_future_describe") @implementation
public func rondo_future_describe(
  _ future: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let found = FutureRef.owned(future) else { return FutureRef.refuse(future) }
  if buffer == nil && size != 0 { return -EINVAL }
  var text = Text()
  found.describe(&text)
  return text.copyOut(buffer, size, outSize)
}

// MARK: - from any thread

@_cdecl("rondo_future_set_result_threadsafe") @implementation
public func rondo_future_set_result_threadsafe(_ future: OpaquePointer?, _ value: Raw?, _ drop: rondo_drop_fn?)
  -> rondo_status
{
  guard let found = FutureRef.find(future) else { return refuse(FutureRef.refuse(future), value, drop) }
  if found.isTask || found.has(FutureBits.library) { return refuse(RONDO_E_RUNTIME, value, drop) }
  let status = found.post(.result(Value(pointer: value, drop: drop)))
  return status == RONDO_OK ? RONDO_OK : refuse(status, value, drop)
}

@_cdecl("rondo_future_set_exception_threadsafe") @implementation
public func rondo_future_set_exception_threadsafe(_ future: OpaquePointer?, _ error: OpaquePointer?) -> rondo_status {
  guard let found = FutureRef.find(future) else { return FutureRef.refuse(future) }
  guard let given = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  if found.isTask || found.has(FutureBits.library) { return RONDO_E_RUNTIME }
  guard let stored = storable(given) else { return -ENOMEM }
  let status = found.post(.exception(stored))
  if status != RONDO_OK { stored.unpin() }
  return status
}

@_cdecl("rondo_future_set_exception_status_threadsafe") @implementation
public func rondo_future_set_exception_status_threadsafe(
  _ future: OpaquePointer?, _ status: rondo_status, _ operation: UnsafePointer<CChar>?
) -> rondo_status {
  guard let found = FutureRef.find(future) else { return FutureRef.refuse(future) }
  if !Status.isFailure(status) { return -EINVAL }
  if found.isTask || found.has(FutureBits.library) { return RONDO_E_RUNTIME }
  guard let stored = storable(status, operation) else { return -ENOMEM }
  let posted = found.post(.exception(stored))
  if posted != RONDO_OK { stored.unpin() }
  return posted
}

@_cdecl("rondo_future_cancel_threadsafe") @implementation
public func rondo_future_cancel_threadsafe(
  _ future: OpaquePointer?, _ message: UnsafePointer<CChar>?, _ reason: OpaquePointer?
) -> rondo_status {
  guard let found = FutureRef.find(future) else { return FutureRef.refuse(future) }
  var cause: ErrorRef?
  if reason != nil {
    cause = ErrorRef.find(reason)
    if cause == nil { return ErrorRef.explain(reason) }
  }
  guard let error = FutureRef.cancellation(message, cause) else { return -ENOMEM }
  let status = found.post(.cancellation(error))
  if status != RONDO_OK { error.unpin() }
  return status
}
