// CompleterApi.swift - the exports of rondo/completer.h.
//
// Knows: Completer, Signature. Does not know: what happens when a function is called.

import CRondo
import CRondoShim

private func make(
  _ future: FutureRef?, _ queue: ThreadQueueRef?, _ signature: UnsafePointer<CChar>?,
  _ options: UnsafePointer<rondo_completer_options>?, _ arg: Value, _ outCompleter: OutHandle?
) -> rondo_status {
  var wanted = rondo_completer_options()
  let refusal = readOptions(options, into: &wanted)
  if refusal != RONDO_OK { return refusal }
  guard let outCompleter, wanted.flags & ~UInt32(RONDO_COMPLETER_CLOSURE) == 0 else { return -EINVAL }
  let (kept, bad) = Plans.find(signature)
  guard let kept else { return bad }
  var wish = CompleterWish(future: future, queue: queue, kept: kept)
  wish.wantsClosure = wanted.flags & UInt32(RONDO_COMPLETER_CLOSURE) != 0
  wish.result = wanted.result
  wish.arg = arg
  let (made, status) = CompleterRef.make(wish)
  guard let made else {
    kept.letGo()
    return status
  }
  outCompleter.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_future_completer") @implementation
public func rondo_future_completer(
  _ future: OpaquePointer?, _ signature: UnsafePointer<CChar>?, _ options: UnsafePointer<rondo_completer_options>?,
  _ arg: UnsafeMutableRawPointer?, _ drop: rondo_drop_fn?, _ outCompleter: OutHandle?
) -> rondo_status {
  guard let found = FutureRef.find(future) else { return refuse(FutureRef.refuse(future), arg, drop) }
  var status = found.isTask || found.has(FutureBits.library) ? RONDO_E_RUNTIME : RONDO_OK
  let owner = rondo_load64(&found.loop.s.pointee.owner)
  if owner == Owner.forked { status = RONDO_E_WRONG_PROCESS }
  if owner == Owner.closed { status = RONDO_E_LOOP_CLOSED }
  if status == RONDO_OK { status = make(found, nil, signature, options, Value(pointer: arg, drop: drop), outCompleter) }
  return status == RONDO_OK ? RONDO_OK : refuse(status, arg, drop)
}

@_cdecl("rondo_thread_queue_completer") @implementation
public func rondo_thread_queue_completer(
  _ queue: OpaquePointer?, _ signature: UnsafePointer<CChar>?, _ options: UnsafePointer<rondo_completer_options>?,
  _ arg: UnsafeMutableRawPointer?, _ drop: rondo_drop_fn?, _ outCompleter: OutHandle?
) -> rondo_status {
  guard let found = ThreadQueueRef.find(queue) else { return refuse(ThreadQueueRef.explain(queue), arg, drop) }
  if Global.retain(Raw(found.s)) != RONDO_OK { return refuse(RONDO_E_STALE_HANDLE, arg, drop) }
  var status = RONDO_E_STALE_HANDLE
  if found.handle == queue { status = make(nil, found, signature, options, Value(pointer: arg, drop: drop), outCompleter) }
  _ = found.releaseUser()
  return status == RONDO_OK ? RONDO_OK : refuse(status, arg, drop)
}

@_cdecl("rondo_completer_free") @implementation
public func rondo_completer_free(_ args: UnsafeMutableRawPointer?) { if let args { Caught.drop(args: args) } }

@_cdecl("rondo_completer_retain") @implementation
public func rondo_completer_retain(_ completer: OpaquePointer?) -> rondo_status {
  if completer == nil { return RONDO_OK }
  guard let found = CompleterRef.find(completer) else { return CompleterRef.explain(completer) }
  return Global.retain(found.raw)
}

@_cdecl("rondo_completer_release") @implementation
public func rondo_completer_release(_ completer: OpaquePointer?) -> rondo_status {
  if completer == nil { return RONDO_OK }
  guard let found = CompleterRef.find(completer) else { return CompleterRef.explain(completer) }
  return found.releaseUser()
}

@_cdecl("rondo_completer_get_function") @implementation
public func rondo_completer_get_function(
  _ completer: OpaquePointer?, _ outFunction: UnsafeMutablePointer<rondo_any_fn?>?
) -> rondo_status {
  guard let found = CompleterRef.find(completer) else { return CompleterRef.explain(completer) }
  guard let outFunction else { return -EINVAL }
  outFunction.pointee = unsafeBitCast(UInt(bitPattern: found.code), to: rondo_any_fn?.self)
  return RONDO_OK
}

@_cdecl("rondo_completer_get_counts") @implementation
public func rondo_completer_get_counts(
  _ completer: OpaquePointer?, _ outCalls: UnsafeMutablePointer<UInt64>?, _ outIgnored: UnsafeMutablePointer<UInt64>?
) -> rondo_status {
  guard let found = CompleterRef.find(completer) else { return CompleterRef.explain(completer) }
  outCalls?.pointee = rondo_load64(&found.s.pointee.calls)
  outIgnored?.pointee = rondo_load64(&found.s.pointee.ignored)
  return RONDO_OK
}
