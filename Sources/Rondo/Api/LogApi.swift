// LogApi.swift - the exports of rondo/log.h.
//
// Knows: Log. Does not know: sinks.

import CRondo
import CRondoShim

@_cdecl("rondo_log_set_sink") @implementation
public func rondo_log_set_sink(_ fn: rondo_log_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?) -> rondo_status {
  Log.setSink(fn, Value(pointer: arg, drop: drop))
}

@_cdecl("rondo_log_set_queued_sink") @implementation
public func rondo_log_set_queued_sink(
  _ options: UnsafePointer<rondo_log_queue_options>?, _ fn: rondo_log_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?
) -> rondo_status {
  var wanted = rondo_log_queue_options()
  var status = readOptions(options, into: &wanted)
  if status == RONDO_OK && !isGood(wanted) { status = -EINVAL }
  // A child of fork() has to be told that the thread is not in it.
  if status == RONDO_OK && !Registry.prepare() { status = -ENOMEM }
  if status != RONDO_OK { return refuse(status, arg, drop) }
  return Log.setQueuedSink(wanted, fn, Value(pointer: arg, drop: drop))
}

private func isGood(_ wanted: rondo_log_queue_options) -> Bool {
  wanted.flags & ~UInt32(RONDO_LOG_QUEUE_DROP_OLDEST) == 0 && wanted.reserved == 0
    && wanted.capacity <= LogQueue.largest && wanted.exit_wait_ns >= -1
    && (wanted.thread_name.map { strlen($0) <= 15 } ?? true)
}

@_cdecl("rondo_log_flush") @implementation
public func rondo_log_flush(_ timeout: Int64) -> rondo_status { Log.flush(timeout) }

@_cdecl("rondo_log_get_dropped") @implementation
public func rondo_log_get_dropped() -> UInt64 { rondo_load64(&rondo_globals()!.pointee.log_dropped) }

@_cdecl("rondo_log_set_level") @implementation
public func rondo_log_set_level(_ level: Int32) -> rondo_status {
  Log.setLevel(level)
  return RONDO_OK
}

@_cdecl("rondo_log_get_level") @implementation
public func rondo_log_get_level() -> Int32 { Log.level }

@_cdecl("rondo_log") @implementation
public func rondo_log(
  _ level: Int32, _ message: UnsafePointer<CChar>?, _ fields: UnsafePointer<rondo_log_field>?, _ count: Int
) -> rondo_status {
  guard let message else { return -EINVAL }
  if count > 64 || count < 0 { return -E2BIG }
  if count > 0 {
    guard let fields else { return -EINVAL }
    for i in 0..<count where fields[i].key == nil { return -EINVAL }
  }
  Log.write(level, message, fields, count, isOwn: false)
  return RONDO_OK
}
