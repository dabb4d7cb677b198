// OriginApi.swift - the exports of rondo/origin.h.
//
// Knows: Origins, Traces, Frames, TaskStack. Does not know: how stacks are found or looked up.

import CRondo
import CRondoShim

typealias FrameBuffer = UnsafeMutablePointer<UInt>
typealias SizePointer = UnsafeMutablePointer<Int>
typealias TextBuffer = UnsafeMutablePointer<CChar>

// MARK: - of objects

/// The number of the stack that made an object, or why there is none.
private func trace(of object: UnsafeRawPointer?) -> (TraceID, rondo_status) {
  let handle = UInt64(UInt(bitPattern: object))
  guard let found = Lookup.any(handle) else { return (0, Lookup.explainAny(handle)) }
  if !Origins.isRecorded(chunk(of: found).pointee.kind) { return (0, RONDO_E_TYPE) }
  let trace = Origins.trace(of: found)
  return (trace, trace == 0 ? -ENOENT : RONDO_OK)
}

private func describe(_ trace: TraceID, _ buffer: TextBuffer?, _ size: Int, _ outSize: SizePointer?) -> rondo_status {
  if buffer == nil && size != 0 { return -EINVAL }
  guard let (frames, count) = Traces.frames(trace) else { return -ENOENT }
  var text = Text()
  Frames.describe(frames, count, &text)
  return text.copyOut(buffer, size, outSize)
}

private func copy(_ trace: TraceID, _ frames: FrameBuffer?, _ capacity: Int, _ outCount: SizePointer?) -> rondo_status {
  guard let outCount, frames != nil || capacity == 0, capacity >= 0 else { return -EINVAL }
  guard let (found, count) = Traces.frames(trace) else { return -ENOENT }
  for i in 0..<Swift.min(count, capacity) { frames![i] = found[i] }
  outCount.pointee = count
  return RONDO_OK
}

@_cdecl("rondo_origin_describe") @implementation
public func rondo_origin_describe(
  _ object: UnsafeRawPointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int,
  _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  let (trace, status) = trace(of: object)
  return status == RONDO_OK ? describe(trace, buffer, size, outSize) : status
}

@_cdecl("rondo_origin_get_frames") @implementation
public func rondo_origin_get_frames(
  _ object: UnsafeRawPointer?, _ frames: UnsafeMutablePointer<UInt>?, _ capacity: Int,
  _ outCount: UnsafeMutablePointer<Int>?
) -> rondo_status {
  let (trace, status) = trace(of: object)
  return status == RONDO_OK ? copy(trace, frames, capacity, outCount) : status
}

@_cdecl("rondo_debug_describe_frame") @implementation
public func rondo_debug_describe_frame(
  _ frame: UInt, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  if frame == 0 || (buffer == nil && size != 0) { return -EINVAL }
  var text = Text()
  Frames.describe(frame, &text)
  return text.copyOut(buffer, size, outSize)
}

// MARK: - of reports

@_cdecl("rondo_exception_context_get_source_traceback") @implementation
public func rondo_exception_context_get_source_traceback(
  _ context: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int,
  _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let report = ReportRef.find(context) else { return Lookup.explain(handleBits(context), Kind.report, ReportRef.size) }
  return describe(UInt32(truncatingIfNeeded: report.s.pointee.source), buffer, size, outSize)
}

@_cdecl("rondo_exception_context_get_source_frames") @implementation
public func rondo_exception_context_get_source_frames(
  _ context: OpaquePointer?, _ frames: UnsafeMutablePointer<UInt>?, _ capacity: Int,
  _ outCount: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let report = ReportRef.find(context) else { return Lookup.explain(handleBits(context), Kind.report, ReportRef.size) }
  return copy(UInt32(truncatingIfNeeded: report.s.pointee.source), frames, capacity, outCount)
}

// MARK: - of tasks and handles

@_cdecl("rondo_task_get_stack") @implementation
public func rondo_task_get_stack(
  _ task: OpaquePointer?, _ frames: UnsafeMutablePointer<rondo_stack_frame>?, _ capacity: Int,
  _ outCount: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let found = TaskRef.owned(task) else { return TaskRef.refuse(task) }
  guard let outCount, frames != nil || capacity == 0, capacity >= 0 else { return -EINVAL }
  guard let count = found.copyStack(frames, capacity) else { return -ENOMEM }
  outCount.pointee = count
  return RONDO_OK
}

@_cdecl("rondo_task_print_stack") @implementation
public func rondo_task_print_stack(
  _ task: OpaquePointer?, _ limit: Int, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int,
  _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let found = TaskRef.owned(task) else { return TaskRef.refuse(task) }
  if limit < 0 || (buffer == nil && size != 0) { return -EINVAL }
  var text = Text()
  if !found.describeStack(limit, &text) { return -ENOMEM }
  return text.copyOut(buffer, size, outSize)
}

@_cdecl("rondo_handle_describe") @implementation
public func rondo_handle_describe(
  _ handle: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  let (loop, status) = loop(ofHandle: handle)
  guard let loop else { return status }
  if buffer == nil && size != 0 { return -EINVAL }
  var text = Text()
  loop.describeHandle(&text, "", handle)
  return text.copyOut(buffer, size, outSize)
}
