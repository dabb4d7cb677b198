// Log.swift - where messages go: the program's sink, or stderr.
//
// The sink is read under the lock and called without it, so that it may log itself.
//
// Knows: Base. Does not know: what the messages are about.

import CRondo
import CRondoShim

enum Log {
  static func setSink(_ fn: rondo_log_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?) {
    let globals = rondo_globals()!
    rondo_lock(&globals.pointee.lock)
    let old = Value(
      pointer: address(globals.pointee.log_arg),
      drop: unsafeBitCast(UInt(globals.pointee.log_drop), to: rondo_drop_fn?.self))
    globals.pointee.log_fn = UInt64(unsafeBitCast(fn, to: UInt.self))
    globals.pointee.log_arg = bits(arg)
    globals.pointee.log_drop = UInt64(unsafeBitCast(drop, to: UInt.self))
    rondo_unlock(&globals.pointee.lock)
    old.dispose()
  }

  static func setLevel(_ level: Int32) { rondo_poke32(&rondo_globals()!.pointee.log_level, UInt32(bitPattern: level)) }

  static func write(_ level: Int32, _ message: UnsafePointer<CChar>) {
    let globals = rondo_globals()!
    if level < Int32(bitPattern: rondo_peek32(&globals.pointee.log_level)) { return }
    rondo_lock(&globals.pointee.lock)
    let fn = unsafeBitCast(UInt(globals.pointee.log_fn), to: rondo_log_fn?.self)
    let arg = address(globals.pointee.log_arg)
    rondo_unlock(&globals.pointee.lock)
    if let fn { fn(level, message, arg) } else { rondo_shim_log_line(message) }
  }
}
