// ThreadFutureApi.swift - the rondo_thread_future_ exports of rondo/threads.h.
//
// Knows: ThreadFutureRef, ErrorRef. Does not know: loops, tasks; what chains them is in Task.

import CRondo
import CRondoShim

@_cdecl("rondo_thread_future_new") @implementation
public func rondo_thread_future_new(_ outFuture: UnsafeMutablePointer<OpaquePointer?>?) -> rondo_status {
  guard let outFuture else { return -EINVAL }
  guard let future = ThreadFutureRef.make() else { return -ENOMEM }
  outFuture.pointee = future.handle
  return RONDO_OK
}

@_cdecl("rondo_thread_future_retain") @implementation
public func rondo_thread_future_retain(_ future: OpaquePointer?) -> rondo_status {
  if future == nil { return RONDO_OK }
  guard let found = ThreadFutureRef.find(future) else { return ThreadFutureRef.explain(future) }
  return Global.retain(found.s)
}

@_cdecl("rondo_thread_future_release") @implementation
public func rondo_thread_future_release(_ future: OpaquePointer?) -> rondo_status {
  if future == nil { return RONDO_OK }
  guard let found = ThreadFutureRef.find(future) else { return ThreadFutureRef.explain(future) }
  return found.releaseUser()
}

// MARK: - completing

@_cdecl("rondo_thread_future_set_result") @implementation
public func rondo_thread_future_set_result(
  _ future: OpaquePointer?, _ value: UnsafeMutableRawPointer?, _ drop: rondo_drop_fn?
) -> rondo_status {
  let value = Value(pointer: value, drop: drop)
  let status = setResult(future, value)
  if status != RONDO_OK { value.dispose() }
  return status
}

private func setResult(_ future: OpaquePointer?, _ value: Value) -> rondo_status {
  guard let found = ThreadFutureRef.find(future) else { return ThreadFutureRef.explain(future) }
  if found.isChained { return RONDO_E_RUNTIME }
  return found.settle(ThreadFutureRef.State.result, value, nil) ? RONDO_OK : RONDO_E_INVALID_STATE
}

@_cdecl("rondo_thread_future_set_exception") @implementation
public func rondo_thread_future_set_exception(_ future: OpaquePointer?, _ error: OpaquePointer?) -> rondo_status {
  guard let found = ThreadFutureRef.find(future) else { return ThreadFutureRef.explain(future) }
  guard let given = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  if found.isChained { return RONDO_E_RUNTIME }
  if found.isDone { return RONDO_E_INVALID_STATE }
  // Pinned once, whether it is the given one or the one made for it.
  guard let stored = storable(given) else { return -ENOMEM }
  let won = found.settle(ThreadFutureRef.State.exception, .none, stored)
  stored.unpin()
  return won ? RONDO_OK : RONDO_E_INVALID_STATE
}

@_cdecl("rondo_thread_future_cancel") @implementation
public func rondo_thread_future_cancel(_ future: OpaquePointer?) -> rondo_status {
  guard let found = ThreadFutureRef.find(future) else { return ThreadFutureRef.explain(future) }
  return found.cancel()
}

@_cdecl("rondo_thread_future_add_done_callback") @implementation
public func rondo_thread_future_add_done_callback(
  _ future: OpaquePointer?, _ fn: (@convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Void)?,
  _ arg: UnsafeMutableRawPointer?, _ drop: rondo_drop_fn?
) -> rondo_status {
  let arg = Value(pointer: arg, drop: drop)
  guard let found = ThreadFutureRef.find(future) else {
    let status = ThreadFutureRef.explain(future)
    arg.dispose()
    return status
  }
  guard let fn else {
    arg.dispose()
    return -EINVAL
  }
  return found.addCallback(fn, arg)
}

// MARK: - reading

@_cdecl("rondo_thread_future_result") @implementation
public func rondo_thread_future_result(
  _ future: OpaquePointer?, _ timeoutNs: Int64, _ outValue: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> rondo_status {
  guard let found = ThreadFutureRef.find(future) else { return ThreadFutureRef.explain(future) }
  found.pin()  // another thread may release it while this one waits
  let status = found.wait(timeoutNs)
  if status == RONDO_OK, let outValue { outValue.pointee = found.value }
  found.unpin()
  return status
}

@_cdecl("rondo_thread_future_exception") @implementation
public func rondo_thread_future_exception(
  _ future: OpaquePointer?, _ timeoutNs: Int64, _ outError: UnsafeMutablePointer<OpaquePointer?>?
) -> rondo_status {
  guard let found = ThreadFutureRef.find(future) else { return ThreadFutureRef.explain(future) }
  found.pin()
  defer { found.unpin() }
  let status = found.wait(timeoutNs)
  if status != RONDO_OK && status != RONDO_E_RAISED { return status }
  guard let outError else { return RONDO_OK }
  let kept = found.error.map { Global.retain($0.state) } ?? RONDO_OK
  if kept == RONDO_OK { outError.pointee = found.error?.handle }
  return kept
}

@_cdecl("rondo_thread_future_is_done") @implementation
public func rondo_thread_future_is_done(_ future: OpaquePointer?) -> Int32 {
  ThreadFutureRef.find(future)?.isDone == true ? 1 : 0
}

@_cdecl("rondo_thread_future_is_cancelled") @implementation
public func rondo_thread_future_is_cancelled(_ future: OpaquePointer?) -> Int32 {
  ThreadFutureRef.find(future)?.isCancelled == true ? 1 : 0
}
