// TypedApi.swift - the exports of rondo/typed.h, but for those that take arguments as printf() does.
//
// A typed call is a frame, and from there on a call like any other: fn(frame), then drop(frame). So each
// export makes the frame and goes on as the export without types. What is wrong with the loop is found out
// first; nothing of the arguments is looked at then, unless they own something.
//
// Knows: TypedCall, TypedTask. Does not know: how arguments are read.

import CRondo
import CRondoShim

public typealias TypedArgs = UnsafePointer<UnsafeRawPointer?>

// MARK: - signatures

@_cdecl("rondo_signature_new") @implementation
public func rondo_signature_new(_ text: UnsafePointer<CChar>?, _ outSignature: OutHandle?) -> rondo_status {
  guard let outSignature else { return -EINVAL }
  let (found, status) = Plans.find(text)
  guard let found else { return status }
  let made: SignatureRef?
  if let keeper = found.keeper {
    Global.moveToUser(Raw(keeper.s))
    made = keeper
  } else {
    made = SignatureRef.make(found.plan, owns: false)
  }
  guard let made else { return -ENOMEM }
  outSignature.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_signature_retain") @implementation
public func rondo_signature_retain(_ signature: OpaquePointer?) -> rondo_status {
  if signature == nil { return RONDO_OK }
  guard let found = SignatureRef.find(signature) else { return SignatureRef.explain(signature) }
  return Global.retain(Raw(found.s))
}

@_cdecl("rondo_signature_release") @implementation
public func rondo_signature_release(_ signature: OpaquePointer?) -> rondo_status {
  if signature == nil { return RONDO_OK }
  guard let found = SignatureRef.find(signature) else { return SignatureRef.explain(signature) }
  return found.releaseUser()
}

@_cdecl("rondo_signature_check") @implementation
public func rondo_signature_check(
  _ text: UnsafePointer<CChar>?, _ outPosition: UnsafeMutablePointer<Int>?, _ buffer: UnsafeMutablePointer<CChar>?,
  _ size: Int, _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let text else { return -EINVAL }
  if size < 0 || (buffer == nil && size > 0) { return -EINVAL }
  var said = Text()
  let (position, status) = Plans.check(text, &said)
  if status != RONDO_OK { return status }
  let written = said.copyOut(buffer, size, outSize)
  if written == RONDO_OK || written == -ERANGE { outPosition?.pointee = position }
  return written
}

@_cdecl("rondo_signature_get_sizes") @implementation
public func rondo_signature_get_sizes(
  _ signature: OpaquePointer?, _ outCount: UnsafeMutablePointer<Int>?, _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let found = SignatureRef.find(signature) else { return SignatureRef.explain(signature) }
  outCount?.pointee = Int(found.plan.pointee.entries)
  outSize?.pointee = Int(found.plan.pointee.result_size)
  return RONDO_OK
}

// MARK: - frames

@_cdecl("rondo_shim_typed_frame") @implementation
public func rondo_shim_typed_frame(
  _ fn: rondo_any_fn?, _ signature: UnsafePointer<CChar>?, _ list: Raw?, _ outFrame: UnsafeMutablePointer<Raw?>?
) -> Int32 {
  let (kept, status) = Plans.find(signature)
  guard let kept else { return status }
  // A function is only missing by mistake, and then what moves is dropped as ever.
  let (made, result) = TypedCall.make(fn ?? { }, kept) { rondo_shim_read_list($0, $1, list) }
  guard let made else { return result }
  if fn == nil {
    made.drop()
    return -EINVAL
  }
  outFrame!.pointee = made.raw
  return RONDO_OK
}

/// The frame of a call whose arguments are in an array.
private func frame(
  _ fn: rondo_any_fn?, _ signature: OpaquePointer?, _ args: TypedArgs?, _ count: Int
) -> (Raw?, rondo_status) {
  guard let found = SignatureRef.find(signature) else { return (nil, SignatureRef.explain(signature)) }
  if count != Int(found.plan.pointee.entries) || (args == nil && count > 0) { return (nil, -EINVAL) }
  let (made, status) = TypedCall.make(fn ?? { }, KeptPlan(found)) { rondo_shim_read_array($0, $1, args) }
  guard let made else { return (nil, status) }
  if fn != nil { return (made.raw, RONDO_OK) }
  made.drop()
  return (nil, -EINVAL)
}

/// RONDO_OK, or why nothing can be scheduled on this loop from here; what is wrong with the frame comes after.
@inline(never)  // once things have gone wrong
private func refuseFrame(_ loop: OpaquePointer?, _ made: rondo_status, anyThread: Bool) -> rondo_status {
  let isFit = anyThread ? LoopRef.find(loop) != nil && !LoopRef.find(loop)!.isInherited : LoopRef.owned(loop) != nil
  return isFit ? made : LoopRef.refuse(loop)
}

extension LoopRef {
  fileprivate var isInherited: Bool { rondo_load64(&s.pointee.owner) == Owner.forked }
}

/// A callback's result is ignored, and a coroutine is nothing to be ignored.
@inline(__always)
private func isCallback(_ frame: Raw) -> Bool { Int32(TypedCall(frame).s.pointee.result) != RONDO_CODE_CORO }

@inline(never)  // a mistake
private func refuseCoroutine(_ frame: Raw) -> rondo_status {
  TypedCall(frame).drop()
  return -EINVAL
}

// MARK: - calls

@_cdecl("rondo_shim_typed_soon") @implementation
public func rondo_shim_typed_soon(_ loop: Raw?, _ frame: Raw?, _ made: Int32) -> Int32 {
  soon(OpaquePointer(loop), frame, made, nil)
}

@inline(__always)
private func soon(_ loop: OpaquePointer?, _ frame: Raw?, _ made: rondo_status, _ outHandle: OutHandle?) -> rondo_status {
  guard let frame else { return refuseFrame(loop, made, anyThread: false) }
  if !isCallback(frame) { return refuseCoroutine(frame) }
  return rondo_loop_call_soon(loop, TypedCall.runFn, frame, TypedCall.dropFn, outHandle)
}

@_cdecl("rondo_shim_typed_later") @implementation
public func rondo_shim_typed_later(_ loop: Raw?, _ delay: Int64, _ frame: Raw?, _ made: Int32) -> Int32 {
  later(OpaquePointer(loop), delay, frame, made, nil)
}

private func later(_ loop: OpaquePointer?, _ delay: Int64, _ frame: Raw?, _ made: rondo_status, _ outHandle: OutHandle?)
  -> rondo_status
{
  guard let frame else { return refuseFrame(loop, made, anyThread: false) }
  if !isCallback(frame) { return refuseCoroutine(frame) }
  return rondo_loop_call_later(loop, delay, TypedCall.runFn, frame, TypedCall.dropFn, outHandle)
}

@_cdecl("rondo_shim_typed_at") @implementation
public func rondo_shim_typed_at(_ loop: Raw?, _ when: Int64, _ frame: Raw?, _ made: Int32) -> Int32 {
  at(OpaquePointer(loop), when, frame, made, nil)
}

private func at(_ loop: OpaquePointer?, _ when: Int64, _ frame: Raw?, _ made: rondo_status, _ outHandle: OutHandle?)
  -> rondo_status
{
  guard let frame else { return refuseFrame(loop, made, anyThread: false) }
  if !isCallback(frame) { return refuseCoroutine(frame) }
  return rondo_loop_call_at(loop, when, TypedCall.runFn, frame, TypedCall.dropFn, outHandle)
}

@_cdecl("rondo_shim_typed_post") @implementation
public func rondo_shim_typed_post(_ loop: Raw?, _ frame: Raw?, _ made: Int32) -> Int32 {
  post(OpaquePointer(loop), frame, made, nil)
}

private func post(_ loop: OpaquePointer?, _ frame: Raw?, _ made: rondo_status, _ outHandle: OutHandle?) -> rondo_status {
  guard let frame else { return refuseFrame(loop, made, anyThread: true) }
  if !isCallback(frame) { return refuseCoroutine(frame) }
  return rondo_loop_call_soon_threadsafe(loop, TypedCall.runFn, frame, TypedCall.dropFn, outHandle)
}

@_cdecl("rondo_shim_typed_run") @implementation
public func rondo_shim_typed_run(_ loop: Raw?, _ outFuture: Raw?, _ frame: Raw?, _ made: Int32) -> Int32 {
  run(OpaquePointer(loop), frame, made, outFuture?.assumingMemoryBound(to: OpaquePointer?.self))
}

private func run(_ loop: OpaquePointer?, _ frame: Raw?, _ made: rondo_status, _ outFuture: OutHandle?) -> rondo_status {
  guard let frame else { return refuseFrame(loop, made, anyThread: true) }
  guard LoopRef.find(loop) != nil, let coroutine = TypedTask.make(TypedCall(frame)) else {
    TypedCall(frame).drop()
    return LoopRef.find(loop) == nil ? LoopRef.refuse(loop) : -ENOMEM
  }
  return rondo_loop_run_coroutine_threadsafe(loop, coroutine.handle, outFuture)
}

// MARK: - in an executor

@_cdecl("rondo_shim_typed_job") @implementation
public func rondo_shim_typed_job(_ loop: Raw?, _ executor: Raw?, _ outFuture: Raw?, _ frame: Raw?, _ made: Int32) -> Int32 {
  job(OpaquePointer(loop), OpaquePointer(executor), frame, made, outFuture?.assumingMemoryBound(to: OpaquePointer?.self))
}

private func job(
  _ loop: OpaquePointer?, _ executor: OpaquePointer?, _ frame: Raw?, _ made: rondo_status, _ outFuture: OutHandle?
) -> rondo_status {
  guard let frame else {
    let status = refuseFrame(loop, made, anyThread: false)
    if status != made || executor == nil || ExecutorRef.find(executor) != nil { return status }
    return ExecutorRef.explain(executor)
  }
  if !isCallback(frame) { return refuseCoroutine(frame) }
  // The executor lets go of a job's argument when it has run, but the frame becomes the result.
  guard let parcel = TypedCall(frame).parcel() else {
    TypedCall(frame).drop()
    return -ENOMEM
  }
  return rondo_loop_run_in_executor(
    loop, executor, nil,
    { job, parcel in
      let frame = TypedCall.unpack(parcel!)
      frame.run()
      var value = Value.none
      if !frame.becomeResult(&value) { return -ENOMEM }
      return rondo_job_return(job, value.pointer, value.drop)
    }, parcel, TypedCall.dropParcelFn, outFuture)
}

@_cdecl("rondo_loop_run_in_executor_typed_array") @implementation
public func rondo_loop_run_in_executor_typed_array(
  _ loop: OpaquePointer?, _ executor: OpaquePointer?, _ fn: rondo_any_fn?, _ signature: OpaquePointer?,
  _ args: TypedArgs?, _ count: Int, _ outFuture: OutHandle?
) -> rondo_status {
  let (made, status) = frame(fn, signature, args, count)
  return job(loop, executor, made, status, outFuture)
}

// MARK: - with arrays

@_cdecl("rondo_loop_call_soon_typed_array") @implementation
public func rondo_loop_call_soon_typed_array(
  _ loop: OpaquePointer?, _ fn: rondo_any_fn?, _ signature: OpaquePointer?, _ args: TypedArgs?, _ count: Int,
  _ outHandle: OutHandle?
) -> rondo_status {
  let (made, status) = frame(fn, signature, args, count)
  return soon(loop, made, status, outHandle)
}

@_cdecl("rondo_loop_call_later_typed_array") @implementation
public func rondo_loop_call_later_typed_array(
  _ loop: OpaquePointer?, _ delay: Int64, _ fn: rondo_any_fn?, _ signature: OpaquePointer?, _ args: TypedArgs?,
  _ count: Int, _ outHandle: OutHandle?
) -> rondo_status {
  let (made, status) = frame(fn, signature, args, count)
  return later(loop, delay, made, status, outHandle)
}

@_cdecl("rondo_loop_call_at_typed_array") @implementation
public func rondo_loop_call_at_typed_array(
  _ loop: OpaquePointer?, _ when: Int64, _ fn: rondo_any_fn?, _ signature: OpaquePointer?, _ args: TypedArgs?,
  _ count: Int, _ outHandle: OutHandle?
) -> rondo_status {
  let (made, status) = frame(fn, signature, args, count)
  return at(loop, when, made, status, outHandle)
}

@_cdecl("rondo_loop_call_soon_threadsafe_typed_array") @implementation
public func rondo_loop_call_soon_threadsafe_typed_array(
  _ loop: OpaquePointer?, _ fn: rondo_any_fn?, _ signature: OpaquePointer?, _ args: TypedArgs?, _ count: Int,
  _ outHandle: OutHandle?
) -> rondo_status {
  let (made, status) = frame(fn, signature, args, count)
  return post(loop, made, status, outHandle)
}

@_cdecl("rondo_loop_run_coroutine_threadsafe_typed_array") @implementation
public func rondo_loop_run_coroutine_threadsafe_typed_array(
  _ loop: OpaquePointer?, _ fn: rondo_any_fn?, _ signature: OpaquePointer?, _ args: TypedArgs?, _ count: Int,
  _ outFuture: OutHandle?
) -> rondo_status {
  let (made, status) = frame(fn, signature, args, count)
  return run(loop, made, status, outFuture)
}

// MARK: - results

@_cdecl("rondo_future_result_typed") @implementation
public func rondo_future_result_typed(_ future: OpaquePointer?, _ buffer: UnsafeMutableRawPointer?, _ size: Int)
  -> rondo_status
{
  let status = rondo_future_result(future, nil)
  if status != RONDO_OK { return status }
  guard let found = FutureRef.find(future) else { return RONDO_E_STALE_HANDLE }
  return TypedCall.read(found.s.pointee.value, buffer, size)
}

@_cdecl("rondo_thread_future_result_typed") @implementation
public func rondo_thread_future_result_typed(
  _ future: OpaquePointer?, _ timeoutNs: Int64, _ buffer: UnsafeMutableRawPointer?, _ size: Int
) -> rondo_status {
  guard let found = ThreadFutureRef.find(future) else { return ThreadFutureRef.explain(future) }
  found.pin()  // another thread may release it while this one waits
  var status = found.wait(timeoutNs)
  if status == RONDO_OK { status = TypedCall.read(found.valueWithDrop, buffer, size) }
  found.unpin()
  return status
}

extension ThreadFutureRef {
  /// Only its drop may change after it is done, when somebody takes the value.
  fileprivate var valueWithDrop: Value {
    rondo_lock(rondo_global_lock(Kind.threadFuture))
    defer { rondo_unlock(rondo_global_lock(Kind.threadFuture)) }
    return s.pointee.value
  }
}
