// ScheduleApi.swift - the exports that schedule calls: soon, later, from other threads, handles.
//
// The hot ones are written so that the common case is a handful of compares and a push; whatever
// is refused leaves through `refuse`.
//
// Knows: Loop. Does not know: futures, tasks.

import CRondo
import CRondoShim

// MARK: - soon

@_cdecl("rondo_loop_call_soon") @implementation
public func rondo_loop_call_soon(
  _ loop: OpaquePointer?, _ fn: rondo_call_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?, _ outHandle: OutHandle?
) -> rondo_status {
  // The usual call in a dozen instructions; whatever is special about it is looked at elsewhere.
  if let found = LoopRef.running(loop), UInt(bitPattern: outHandle) | unsafeBitCast(drop, to: UInt.self) == 0,
    let fn, found.takesPlainCalls
  {
    found.ready.pushPlain(fn, arg)
    return RONDO_OK
  }
  return callSoonSlowly(loop, fn, arg, drop, outHandle)
}

@inline(never)  // with the same parameters, so that it is jumped to
private func callSoonSlowly(
  _ loop: OpaquePointer?, _ fn: rondo_call_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?, _ outHandle: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.owned(loop), let fn else { return refuseCall(loop, fn, arg, drop) }
  let call = Call(fn: fn, arg: arg, drop: drop, context: Contexts.capture())
  if outHandle != nil { return soonWithHandle(found, call, outHandle) }
  return found.schedule(call) ? RONDO_OK : refuseMemory(call)
}

@inline(never)  // keeps the way without a handle short
private func soonWithHandle(_ loop: LoopRef, _ call: Call, _ outHandle: OutHandle?) -> rondo_status {
  guard let made = loop.callSoon(call) else { return refuseMemory(call) }
  outHandle!.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_loop_call_soon_in_context") @implementation
public func rondo_loop_call_soon_in_context(
  _ loop: OpaquePointer?, _ context: OpaquePointer?, _ fn: rondo_call_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?,
  _ outHandle: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.owned(loop), let fn else { return refuseCall(loop, fn, arg, drop) }
  let (tag, status) = Contexts.tag(named: context)
  if status != RONDO_OK { return refuse(status, arg, drop) }
  let call = Call(fn: fn, arg: arg, drop: drop, context: tag)
  if outHandle != nil { return soonWithHandle(found, call, outHandle) }
  return found.schedule(call) ? RONDO_OK : refuseMemory(call)
}

@inline(never)
private func refuseCall(_ loop: OpaquePointer?, _ fn: rondo_call_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?)
  -> rondo_status
{
  refuse(LoopRef.owned(loop) == nil ? LoopRef.refuse(loop) : -EINVAL, arg, drop)
}

@inline(never)
private func refuseMemory(_ call: Call) -> rondo_status {
  Contexts.release(call.context)
  return refuse(-ENOMEM, call.arg, call.drop)
}

// MARK: - later

@_cdecl("rondo_loop_call_later") @implementation
public func rondo_loop_call_later(
  _ loop: OpaquePointer?, _ delay: Int64, _ fn: rondo_call_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?,
  _ outHandle: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.owned(loop), let fn else { return refuseCall(loop, fn, arg, drop) }
  return callAt(found, found.deadline(after: delay), Contexts.capture(), fn, arg, drop, outHandle)
}

@_cdecl("rondo_loop_call_at") @implementation
public func rondo_loop_call_at(
  _ loop: OpaquePointer?, _ when: Int64, _ fn: rondo_call_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?,
  _ outHandle: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.owned(loop), let fn else { return refuseCall(loop, fn, arg, drop) }
  return callAt(found, when, Contexts.capture(), fn, arg, drop, outHandle)
}

@_cdecl("rondo_loop_call_later_in_context") @implementation
public func rondo_loop_call_later_in_context(
  _ loop: OpaquePointer?, _ context: OpaquePointer?, _ delay: Int64, _ fn: rondo_call_fn?, _ arg: Raw?,
  _ drop: rondo_drop_fn?, _ outHandle: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return refuseCall(loop, fn, arg, drop) }
  return rondo_loop_call_at_in_context(loop, context, found.deadline(after: delay), fn, arg, drop, outHandle)
}

@_cdecl("rondo_loop_call_at_in_context") @implementation
public func rondo_loop_call_at_in_context(
  _ loop: OpaquePointer?, _ context: OpaquePointer?, _ when: Int64, _ fn: rondo_call_fn?, _ arg: Raw?,
  _ drop: rondo_drop_fn?, _ outHandle: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.owned(loop), let fn else { return refuseCall(loop, fn, arg, drop) }
  let (tag, status) = Contexts.tag(named: context)
  if status != RONDO_OK { return refuse(status, arg, drop) }
  return callAt(found, when, tag, fn, arg, drop, outHandle)
}

@inline(__always)
private func callAt(
  _ loop: LoopRef, _ when: Int64, _ context: ContextTag, _ fn: @escaping rondo_call_fn, _ arg: Raw?,
  _ drop: rondo_drop_fn?, _ outHandle: OutHandle?
) -> rondo_status {
  let call = Call(fn: fn, arg: arg, drop: drop, context: context)
  guard let made = loop.callAt(when, call, user: outHandle != nil) else { return refuseMemory(call) }
  outHandle?.pointee = made.handle
  return RONDO_OK
}

// MARK: - from any thread

@_cdecl("rondo_loop_call_soon_threadsafe") @implementation
public func rondo_loop_call_soon_threadsafe(
  _ loop: OpaquePointer?, _ fn: rondo_call_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?, _ outHandle: OutHandle?
) -> rondo_status {
  if UInt(bitPattern: outHandle) | unsafeBitCast(drop, to: UInt.self) == 0, let fn, let found = LoopRef.find(loop),
    rondo_thread()!.pointee.context == 0, found.postPlain(fn, arg, handle: handleBits(loop))
  {
    return RONDO_OK
  }
  return postAnyhow(loop, fn, arg, drop, outHandle)
}

@_cdecl("rondo_loop_call_soon_threadsafe_in_context") @implementation
public func rondo_loop_call_soon_threadsafe_in_context(
  _ loop: OpaquePointer?, _ context: OpaquePointer?, _ fn: rondo_call_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?,
  _ outHandle: OutHandle?
) -> rondo_status {
  guard LoopRef.find(loop) != nil else { return refuse(LoopRef.refuse(loop), arg, drop) }
  let (tag, status) = Contexts.tag(named: context)
  if status != RONDO_OK { return refuse(status, arg, drop) }
  return post(loop, tag, fn, arg, drop, outHandle)
}

@inline(never)  // with the same parameters, so that it is jumped to
private func postAnyhow(
  _ loop: OpaquePointer?, _ fn: rondo_call_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?, _ outHandle: OutHandle?
) -> rondo_status {
  post(loop, Contexts.capture(), fn, arg, drop, outHandle)
}

/// Post a call whose context moves.
private func post(
  _ loop: OpaquePointer?, _ context: ContextTag, _ fn: rondo_call_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?,
  _ outHandle: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.find(loop), let fn else {
    Contexts.release(context)
    return refuse(LoopRef.find(loop) == nil ? LoopRef.refuse(loop) : -EINVAL, arg, drop)
  }
  let call = Call(fn: fn, arg: arg, drop: drop, context: context)
  if outHandle != nil { return postWithHandle(found, loop, call, outHandle) }
  let status = found.post(call, handle: handleBits(loop))
  return status == RONDO_OK ? RONDO_OK : refusePost(status, call)
}

@inline(never)
private func postWithHandle(_ found: LoopRef, _ loop: OpaquePointer?, _ call: Call, _ outHandle: OutHandle?)
  -> rondo_status
{
  let (made, status) = found.postWithHandle(call, handle: handleBits(loop))
  guard let made else { return refusePost(status, call) }
  outHandle!.pointee = made.handle
  return RONDO_OK
}

@inline(never)
private func refusePost(_ status: rondo_status, _ call: Call) -> rondo_status {
  Contexts.release(call.context)
  return refuse(status, call.arg, call.drop)
}

// MARK: - handles

/// The handle, if this thread may use it, else why not.
private func owned(_ handle: OpaquePointer?) -> (HandleRef?, rondo_status) {
  guard let found = HandleRef.find(handle) else { return (nil, explain(handle)) }
  return found.loop.isReadable ? (found, RONDO_OK) : (nil, found.loop.refusal)
}

/// Why a handle is none: it may have been one of either kind.
private func explain(_ handle: OpaquePointer?) -> rondo_status {
  let plain = Lookup.explain(handleBits(handle), Kind.handle, HandleRef.size)
  return plain == RONDO_E_BAD_HANDLE
    ? Lookup.explain(handleBits(handle), Kind.threadHandle, ThreadHandleRef.size) : plain
}

/// The loop of a handle of either kind, if this thread may look at it, else why not.
func loop(ofHandle handle: OpaquePointer?) -> (LoopRef?, rondo_status) {
  if let posted = ThreadHandleRef.find(handle) {
    return posted.loop.isReadable ? (posted.loop, RONDO_OK) : (nil, posted.loop.refusal)
  }
  let (found, status) = owned(handle)
  return (found?.loop, status)
}

@_cdecl("rondo_handle_cancel") @implementation
public func rondo_handle_cancel(_ handle: OpaquePointer?) -> rondo_status {
  if let posted = ThreadHandleRef.find(handle) {
    posted.cancel()
    return RONDO_OK
  }
  let (found, status) = owned(handle)
  guard let found else { return status }
  found.loop.cancel(found)
  return RONDO_OK
}

@_cdecl("rondo_handle_is_cancelled") @implementation
public func rondo_handle_is_cancelled(_ handle: OpaquePointer?) -> Int32 {
  if let posted = ThreadHandleRef.find(handle) { return posted.isCancelled ? 1 : 0 }
  guard let found = HandleRef.find(handle) else { return 0 }
  return found.isCancelled ? 1 : 0
}

@_cdecl("rondo_handle_get_context") @implementation
public func rondo_handle_get_context(_ handle: OpaquePointer?, _ outContext: OutHandle?) -> rondo_status {
  if ThreadHandleRef.find(handle) != nil { return RONDO_E_TYPE }
  let (found, status) = owned(handle)
  guard let found else { return status }
  guard let outContext else { return -EINVAL }
  let (context, result) = found.contextForUser()
  if let context { outContext.pointee = context.handle }
  return result
}

@_cdecl("rondo_handle_get_when") @implementation
public func rondo_handle_get_when(_ handle: OpaquePointer?, _ outWhen: UnsafeMutablePointer<Int64>?) -> rondo_status {
  if ThreadHandleRef.find(handle) != nil { return RONDO_E_TYPE }
  let (found, status) = owned(handle)
  guard let found else { return status }
  guard let outWhen else { return -EINVAL }
  if !found.has(HandleBits.timer) { return RONDO_E_TYPE }
  outWhen.pointee = found.s.pointee.when
  return RONDO_OK
}

@_cdecl("rondo_handle_rearm") @implementation
public func rondo_handle_rearm(_ handle: OpaquePointer?, _ delay: Int64) -> rondo_status {
  guard let found = HandleRef.find(handle), found.loop.isMine else { return refuseTimer(handle) }
  return found.loop.rearm(found, after: delay)
}

@_cdecl("rondo_handle_rearm_at") @implementation
public func rondo_handle_rearm_at(_ handle: OpaquePointer?, _ when: Int64) -> rondo_status {
  guard let found = HandleRef.find(handle), found.loop.isMine else { return refuseTimer(handle) }
  return found.loop.rearm(found, at: when)
}

/// Why a handle cannot be armed again by this thread.
@inline(never)
private func refuseTimer(_ handle: OpaquePointer?) -> rondo_status {
  if ThreadHandleRef.find(handle) != nil { return RONDO_E_TYPE }
  let (found, status) = owned(handle)
  return found == nil ? status : RONDO_E_LOOP_CLOSED
}

@_cdecl("rondo_handle_retain") @implementation
public func rondo_handle_retain(_ handle: OpaquePointer?) -> rondo_status {
  if handle == nil { return RONDO_OK }
  if let posted = ThreadHandleRef.find(handle) { return Global.retain(Raw(posted.s)) }
  guard let found = HandleRef.find(handle) else { return explain(handle) }
  return Owned.retain(Raw(found.s))
}

@_cdecl("rondo_handle_release") @implementation
public func rondo_handle_release(_ handle: OpaquePointer?) -> rondo_status {
  if handle == nil { return RONDO_OK }
  if let found = HandleRef.find(handle) { return found.releaseUser() }
  guard let posted = ThreadHandleRef.find(handle) else { return explain(handle) }
  return posted.releaseUser()
}
