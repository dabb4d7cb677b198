// Log.swift - where messages go: the program's sink, the queue before it, or stderr.
//
// The sink is called with no lock held, so it may log itself, and replace itself. Then another
// thread may still be inside the old one. So a sink is counted: once for being installed, once
// for every call that is in it. Replacing only takes the first away; whoever takes the last away,
// which may be a thread that comes out of its call much later, drops the argument. Nobody waits,
// and how many sinks are on their way out does not matter.
//
// Who has something to say asks takes() first, so that no text is made for nobody.
//
// Knows: Base, LogQueue. Does not know: what the messages are about.

import CRondo
import CRondoShim

struct LogSink {
  var refs: UInt32  // any thread; goes up from 1 under the lock only
  var fn: rondo_log_fn?
  var arg: Value
  var queue: UInt64  // address of the queue that has the function and the argument, 0 for none
}

/// What a message is about, for programs.
struct LogFields {
  static let most = 8
  private var items = InlineArray<8, rondo_log_field>(repeating: rondo_log_field())
  private var count = 0

  init() {}

  mutating func add(_ key: StaticString, _ number: UInt64) {
    if number != 0 { add(key, Int64(bitPattern: number)) }
  }

  mutating func add(_ key: StaticString, _ number: Int64) {
    items[count] = rondo_log_field(key: literal(key), text: nil, number: number)
    count += 1
  }

  /// The text is borrowed until the message is written.
  mutating func add(_ key: StaticString, _ text: UnsafePointer<CChar>?) {
    guard let text else { return }
    items[count] = rondo_log_field(key: literal(key), text: text, number: 0)
    count += 1
  }

  func use(_ body: (UnsafePointer<rondo_log_field>?, Int) -> Void) {
    withUnsafePointer(to: items) {
      body(count == 0 ? nil : UnsafeRawPointer($0).assumingMemoryBound(to: rondo_log_field.self), count)
    }
  }
}

enum Log {
  private typealias SinkPointer = UnsafeMutablePointer<LogSink>

  private static func sink(_ address: UInt64) -> SinkPointer? {
    Rondo.address(address)?.assumingMemoryBound(to: LogSink.self)
  }

  // MARK: - the sink

  /// The argument moves, on failure as well; without a function it is let go of at once, because
  /// nothing will ever be called with it.
  static func setSink(_ fn: rondo_log_fn?, _ arg: Value) -> rondo_status {
    var status = RONDO_OK
    if fn == nil {
      replace(nil)
      arg.dispose()
    } else {
      status = install(fn, arg, queue: 0)
      if status != RONDO_OK { arg.dispose() }
    }
    LogQueue.endOrphans()
    return status
  }

  /// The same, with a queue and a thread before it.
  static func setQueuedSink(_ options: rondo_log_queue_options, _ fn: rondo_log_fn?, _ arg: Value) -> rondo_status {
    let (queue, status) = LogQueue.make(options, fn, arg)
    guard let queue else {
      arg.dispose()
      return status
    }
    let installed = install(nil, .none, queue: bits(queue))
    if installed != RONDO_OK { LogQueue.end(queue) }
    LogQueue.endOrphans()
    return installed
  }

  private static func install(_ fn: rondo_log_fn?, _ arg: Value, queue: UInt64) -> rondo_status {
    guard let made = allocateArray(LogSink.self, 1) else { return -ENOMEM }
    made.initialize(to: LogSink(refs: 1, fn: fn, arg: arg, queue: queue))
    replace(made)
    return RONDO_OK
  }

  private static func replace(_ new: SinkPointer?) {
    let globals = rondo_globals()!
    rondo_lock(&globals.pointee.lock)
    let old = sink(globals.pointee.log_sink)
    globals.pointee.log_sink = bits(new)
    rondo_unlock(&globals.pointee.lock)
    if let old { letGo(old) }
  }

  private static func hold() -> SinkPointer? {
    let globals = rondo_globals()!
    rondo_lock(&globals.pointee.lock)
    let used = sink(globals.pointee.log_sink)
    if let used { _ = rondo_add32(&used.pointee.refs, 1) }
    rondo_unlock(&globals.pointee.lock)
    return used
  }

  /// The last one runs the user's drop, or tells the queue to.
  private static func letGo(_ sink: SinkPointer) {
    if rondo_add32(&sink.pointee.refs, UInt32.max) != 1 { return }
    let gone = sink.pointee
    free(sink)
    if let queue = LogQueue.at(gone.queue) { return LogQueue.end(queue) }
    gone.arg.dispose()
  }

  // MARK: - writing

  static var level: Int32 { Int32(bitPattern: rondo_peek32(&rondo_globals()!.pointee.log_level)) }

  static func setLevel(_ level: Int32) { rondo_poke32(&rondo_globals()!.pointee.log_level, UInt32(bitPattern: level)) }

  /// Whether a message of this level would be logged.
  static func takes(_ level: Int32) -> Bool { level >= self.level }

  /// Write a message of the library's, which says in words what its fields say.
  @inline(never)  // messages are rare
  static func write(_ level: Int32, _ message: UnsafePointer<CChar>, _ fields: LogFields = LogFields()) {
    fields.use { write(level, message, $0, $1, isOwn: true) }
  }

  @inline(never)  // as above
  static func write(
    _ level: Int32, _ message: UnsafePointer<CChar>, _ fields: UnsafePointer<rondo_log_field>?, _ count: Int, isOwn: Bool
  ) {
    if !takes(level) { return }
    let used = hold()
    if let queue = LogQueue.at(used?.pointee.queue ?? 0) {
      LogQueue.push(queue, level, message, fields, count, isOwn: isOwn)
    } else if let fn = used?.pointee.fn {
      fn(level, message, fields, count, used!.pointee.arg.pointer)
    } else {
      toStderr(message, fields, isOwn ? 0 : count)
    }
    if let used { letGo(used) }
  }

  /// One write, so that lines of threads do not mix.
  static func toStderr(_ message: UnsafePointer<CChar>, _ fields: UnsafePointer<rondo_log_field>?, _ count: Int) {
    if count == 0 { return rondo_shim_log_line(message) }
    var text = Text()
    text.add(message)
    for i in 0..<count {
      text.add(" ")
      text.add(fields![i].key)
      text.add("=")
      if let value = fields![i].text { text.add(value) } else { text.add(fields![i].number) }
    }
    rondo_shim_log_line(text.cString)
  }

  /// Wait until what was written before is through.
  static func flush(_ timeout: Int64) -> rondo_status {
    if timeout < 0 { return -EINVAL }
    if rondo_thread()!.pointee.log_worker != 0 { return -EDEADLK }
    LogQueue.endOrphans()
    let used = hold()
    let status = LogQueue.wait(LogQueue.at(used?.pointee.queue ?? 0), timeout)
    if let used { letGo(used) }
    return status
  }
}
