// WatchApi.swift - the exports about descriptors and about exceptions that nobody handled.
//
// Knows: Loop. Does not know: sockets, futures.

import CRondo
import CRondoShim

// MARK: - descriptors

private func add(
  _ loop: OpaquePointer?, _ fd: Int32, _ fn: rondo_fd_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?, _ direction: Direction
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return refuse(LoopRef.refuse(loop), arg, drop) }
  guard let fn else { return refuse(-EINVAL, arg, drop) }
  let call = Call(
    fn: unsafeBitCast(fn, to: rondo_call_fn.self), arg: arg, drop: drop, context: Contexts.capture())
  let (_, status) = found.watch(fd, direction, call, bits: 0)
  if status == RONDO_OK { return RONDO_OK }
  Contexts.release(call.context)
  return refuse(status, arg, drop)
}

private func remove(
  _ loop: OpaquePointer?, _ fd: Int32, _ outRemoved: UnsafeMutablePointer<Int32>?, _ direction: Direction
) -> rondo_status {
  guard let found = LoopRef.find(loop) else { return LoopRef.refuse(loop) }
  if !found.isReadable { return found.refusal }
  if fd < 0 { return -EINVAL }
  let removed = !found.isClosed && found.unwatch(fd, direction, operation: false)
  outRemoved?.pointee = removed ? 1 : 0
  return RONDO_OK
}

@_cdecl("rondo_loop_add_reader") @implementation
public func rondo_loop_add_reader(
  _ loop: OpaquePointer?, _ fd: Int32, _ fn: rondo_fd_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?
) -> rondo_status { add(loop, fd, fn, arg, drop, .read) }

@_cdecl("rondo_loop_add_writer") @implementation
public func rondo_loop_add_writer(
  _ loop: OpaquePointer?, _ fd: Int32, _ fn: rondo_fd_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?
) -> rondo_status { add(loop, fd, fn, arg, drop, .write) }

@_cdecl("rondo_loop_remove_reader") @implementation
public func rondo_loop_remove_reader(
  _ loop: OpaquePointer?, _ fd: Int32, _ outRemoved: UnsafeMutablePointer<Int32>?
) -> rondo_status { remove(loop, fd, outRemoved, .read) }

@_cdecl("rondo_loop_remove_writer") @implementation
public func rondo_loop_remove_writer(
  _ loop: OpaquePointer?, _ fd: Int32, _ outRemoved: UnsafeMutablePointer<Int32>?
) -> rondo_status { remove(loop, fd, outRemoved, .write) }

// MARK: - the exception handler

@_cdecl("rondo_loop_set_exception_handler") @implementation
public func rondo_loop_set_exception_handler(
  _ loop: OpaquePointer?, _ fn: rondo_exception_handler_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return refuse(LoopRef.refuse(loop), arg, drop) }
  found.s.pointee.onException = fn
  found.onExceptionArg.replace(fn == nil ? .none : Value(pointer: arg, drop: drop))
  if fn == nil { drop?(arg) }
  return RONDO_OK
}

@_cdecl("rondo_loop_get_exception_handler") @implementation
public func rondo_loop_get_exception_handler(
  _ loop: OpaquePointer?, _ outFn: UnsafeMutablePointer<rondo_exception_handler_fn?>?,
  _ outArg: UnsafeMutablePointer<Raw?>?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let outFn else { return -EINVAL }
  outFn.pointee = found.s.pointee.onException
  outArg?.pointee = found.s.pointee.onExceptionArg.value.pointer
  return RONDO_OK
}

@_cdecl("rondo_loop_call_exception_handler") @implementation
public func rondo_loop_call_exception_handler(_ loop: OpaquePointer?, _ context: OpaquePointer?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let report = ReportRef.find(context) else { return explain(context) }
  Global.pin(Raw(report.s))
  found.callHandler(report)
  report.unpin()
  return RONDO_OK
}

@_cdecl("rondo_loop_default_exception_handler") @implementation
public func rondo_loop_default_exception_handler(_ loop: OpaquePointer?, _ context: OpaquePointer?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let report = ReportRef.find(context) else { return explain(context) }
  found.logReport(report)
  return RONDO_OK
}

@_cdecl("rondo_loop_raise") @implementation
public func rondo_loop_raise(_ loop: OpaquePointer?, _ error: OpaquePointer?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let raised = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  return found.raise(raised)
}

@_cdecl("rondo_loop_take_escaped") @implementation
public func rondo_loop_take_escaped(_ loop: OpaquePointer?, _ outError: OutHandle?) -> rondo_status {
  guard let found = LoopRef.find(loop) else { return LoopRef.refuse(loop) }
  if !found.isReadable { return found.refusal }
  guard let outError else { return -EINVAL }
  guard let error = found.takeEscaped() else { return RONDO_E_INVALID_STATE }
  Global.moveToUser(error.state)
  outError.pointee = error.handle
  return RONDO_OK
}

// MARK: - exception contexts

private func explain(_ context: OpaquePointer?) -> rondo_status {
  Lookup.explain(handleBits(context), Kind.report, ReportRef.size)
}

@_cdecl("rondo_exception_context_new") @implementation
public func rondo_exception_context_new(_ message: UnsafePointer<CChar>?, _ outContext: OutHandle?) -> rondo_status {
  guard let outContext else { return -EINVAL }
  guard let made = ReportRef.make(message) else { return -ENOMEM }
  outContext.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_exception_context_retain") @implementation
public func rondo_exception_context_retain(_ context: OpaquePointer?) -> rondo_status {
  if context == nil { return RONDO_OK }
  guard let found = ReportRef.find(context) else { return explain(context) }
  return Global.retain(Raw(found.s))
}

@_cdecl("rondo_exception_context_release") @implementation
public func rondo_exception_context_release(_ context: OpaquePointer?) -> rondo_status {
  if context == nil { return RONDO_OK }
  guard let found = ReportRef.find(context) else { return explain(context) }
  return found.releaseUser()
}

@_cdecl("rondo_exception_context_set_error") @implementation
public func rondo_exception_context_set_error(_ context: OpaquePointer?, _ error: OpaquePointer?) -> rondo_status {
  guard let found = ReportRef.find(context) else { return explain(context) }
  guard let given = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  found.setError(given)
  return RONDO_OK
}

@_cdecl("rondo_exception_context_get_message") @implementation
public func rondo_exception_context_get_message(_ context: OpaquePointer?) -> UnsafePointer<CChar>? {
  ReportRef.find(context)?.s.pointee.message.map { UnsafePointer($0) }
}

@_cdecl("rondo_exception_context_get_error") @implementation
public func rondo_exception_context_get_error(_ context: OpaquePointer?) -> OpaquePointer? {
  ReportRef.find(context)?.error?.handle
}

@_cdecl("rondo_exception_context_get_future") @implementation
public func rondo_exception_context_get_future(_ context: OpaquePointer?) -> OpaquePointer? {
  ReportRef.find(context).flatMap { opaque($0.s.pointee.future != 0 ? $0.s.pointee.future : $0.s.pointee.task) }
}

@_cdecl("rondo_exception_context_get_task") @implementation
public func rondo_exception_context_get_task(_ context: OpaquePointer?) -> OpaquePointer? {
  ReportRef.find(context).flatMap { opaque($0.s.pointee.task) }
}

@_cdecl("rondo_exception_context_get_handle") @implementation
public func rondo_exception_context_get_handle(_ context: OpaquePointer?) -> OpaquePointer? {
  ReportRef.find(context).flatMap { opaque($0.s.pointee.handle) }
}
