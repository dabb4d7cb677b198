// Log.swift - where messages go: the program's sink, or stderr.
//
// The sink is called with no lock held, so it may log itself, and replace itself. Then another
// thread may still be inside the old one. So a sink is counted: once for being installed, once
// for every call that is in it. Replacing only takes the first away; whoever takes the last away,
// which may be a thread that comes out of its call much later, drops the argument. Nobody waits,
// and how many sinks are on their way out does not matter.
//
// Knows: Base. Does not know: what the messages are about.

import CRondo
import CRondoShim

struct LogSink {
  var refs: UInt32  // any thread; goes up from 1 under the lock only
  var fn: rondo_log_fn
  var arg: Value
}

enum Log {
  private typealias SinkPointer = UnsafeMutablePointer<LogSink>

  private static func sink(_ address: UInt64) -> SinkPointer? {
    Rondo.address(address)?.assumingMemoryBound(to: LogSink.self)
  }

  /// The argument moves, on failure as well; without a function it is let go of at once, because
  /// nothing will ever be called with it.
  static func setSink(_ fn: rondo_log_fn?, _ arg: Value) -> rondo_status {
    var made: SinkPointer?
    if let fn {
      made = allocateArray(LogSink.self, 1)
      if made == nil {
        arg.dispose()
        return -ENOMEM
      }
      made!.initialize(to: LogSink(refs: 1, fn: fn, arg: arg))
    }
    let globals = rondo_globals()!
    rondo_lock(&globals.pointee.lock)
    let old = sink(globals.pointee.log_sink)
    globals.pointee.log_sink = bits(made)
    rondo_unlock(&globals.pointee.lock)
    if let old { letGo(old) }
    if fn == nil { arg.dispose() }
    return RONDO_OK
  }

  static func setLevel(_ level: Int32) { rondo_poke32(&rondo_globals()!.pointee.log_level, UInt32(bitPattern: level)) }

  static func write(_ level: Int32, _ message: UnsafePointer<CChar>) {
    let globals = rondo_globals()!
    if level < Int32(bitPattern: rondo_peek32(&globals.pointee.log_level)) { return }
    rondo_lock(&globals.pointee.lock)
    let used = sink(globals.pointee.log_sink)
    if let used { _ = rondo_add32(&used.pointee.refs, 1) }
    rondo_unlock(&globals.pointee.lock)
    guard let used else { return rondo_shim_log_line(message) }
    used.pointee.fn(level, message, used.pointee.arg.pointer)
    letGo(used)
  }

  /// The last one runs the user's drop.
  private static func letGo(_ sink: SinkPointer) {
    if rondo_add32(&sink.pointee.refs, UInt32.max) != 1 { return }
    let arg = sink.pointee.arg
    free(sink)
    arg.dispose()
  }
}
