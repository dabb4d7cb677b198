// Frames.swift - what calls are called: function, file and line of return addresses.
//
// Lines are as Python's: `  File "prog.c", line 12, in work`, and below it the source if the file is
// where the compiler saw it. They come from libdw, if it is there
// and the program has debug information (see symbols.c), else dladdr tells the object and, for a
// function that it exports, the name. What was looked up is kept, up to a limit, because a program
// that reports once usually reports the same place again. (What dlclose and another dlopen put in
// the same place is taken for what was there before.)
//
// No lock is held while anything is looked up.
//
// Knows: Text, Traces. Does not know: why somebody asks.

import CRondo
import CRondoShim

typealias Frame = UInt  // a return address

/// What is known of an address; strings stay.
struct Symbol {
  var pc: Frame = 0
  var name: UnsafePointer<CChar>? = nil
  var file: UnsafePointer<CChar>? = nil
  var line: Int64 = 0
  var source: UnsafePointer<CChar>? = nil  // that line

  static let size = MemoryLayout<Symbol>.stride
}

enum Frames {
  /// As many as asyncio keeps in debug mode (DEBUG_STACK_DEPTH).
  static let depth = Int(RONDO_TRACE_DEPTH)

  /// One line for each, outermost first; what is there already ends with its own.
  @inline(never)  // for people
  static func describe(_ frames: UnsafePointer<Frame>, _ count: Int, _ text: inout Text) {
    lookUp(frames, count)
    var i = count
    while i > 0 {
      i -= 1
      if text.count > 0 { text.add("\n") }
      describe(frames[i], &text)
    }
  }

  /// Where the program has called the library; nil if the system cannot say. (Which export it called is
  /// not on the stack: they end in jumps.)
  @inline(never)  // for reports
  static func caller() -> Frame? {
    withUnsafeTemporaryAllocation(of: Raw?.self, capacity: depth) { frames in
      let count = Int(backtrace(frames.baseAddress!, Int32(depth)))
      for i in 0..<Swift.max(0, count) {
        guard let frame = frames[i], rondo_shim_is_own_code(bits(frame)) == 0 else { continue }
        return Frame(bitPattern: frame)
      }
      return nil
    }
  }

  /// `  File "prog.c", line 12, in work`, of a return address.
  static func describe(_ frame: Frame, _ text: inout Text) {
    text.add("  File \"")
    if rondo_shim_is_own_code(UInt64(frame)) != 0 { return describeOwn(frame, &text) }
    let symbol = symbol(frame)
    if let file = symbol.file {
      text.add(file)
      text.add("\", line ")
      text.add(symbol.line)
      text.add(", in ")
      if let name = symbol.name { text.add(name) } else { text.addHex(UInt64(frame)) }
      if let source = symbol.source {
        text.add("\n    ")
        text.add(source)
      }
      return
    }
    var info = Dl_info()
    let isKnown = dladdr(Raw(bitPattern: frame &- 1), &info) != 0
    text.add(isKnown ? info.dli_fname.map { UnsafePointer($0) } : literal("?"))
    text.add("\", in ")
    if let name = symbol.name { return text.add(name) }
    if isKnown, let name = info.dli_sname {
      text.add(UnsafePointer(name))
      text.add("+")
      return text.addHex(UInt64(frame) &- bits(info.dli_saddr))
    }
    text.addHex(UInt64(frame) &- 1 &- (isKnown ? bits(info.dli_fbase) : 0))
  }

  /// A call into the library: what it is in there is nobody's business but the export's name.
  private static func describeOwn(_ frame: Frame, _ text: inout Text) {
    text.add("librondo\", in ")
    var info = Dl_info()
    let isNamed = dladdr(Raw(bitPattern: frame &- 1), &info) != 0 && info.dli_sname != nil
    text.add(isNamed ? UnsafePointer(info.dli_sname!) : literal("rondo"))
  }

  /// "prog.c:12", or what else there is to say.
  static func describePlace(_ frame: Frame, _ text: inout Text) {
    let symbol = symbol(frame)
    if let file = symbol.file {
      text.add(file)
      text.add(":")
      return text.add(symbol.line)
    }
    var info = Dl_info()
    if dladdr(Raw(bitPattern: frame &- 1), &info) == 0 { return text.addHex(UInt64(frame)) }
    text.add(info.dli_fname.map { UnsafePointer($0) })
    text.add("+")
    text.addHex(UInt64(frame) &- 1 &- bits(info.dli_fbase))
  }

  /// The function that begins at an address: what is known about its first instruction.
  static func function(_ address: UInt) -> Symbol { symbol(address &+ 1) }

  /// "work()", if the program exports it or, where it is looked up, its debug information tells it;
  /// else its address.
  static func addName(ofFunction address: UInt, looksUp: Bool, _ text: inout Text) {
    var info = Dl_info()
    if looksUp, let name = function(address).name {
      text.add(name)
    } else if dladdr(Raw(bitPattern: address), &info) != 0, let name = info.dli_sname,
      info.dli_saddr == Raw(bitPattern: address)
    {
      text.add(UnsafePointer(name))
    } else {
      text.addHex(UInt64(address))
    }
    text.add("()")
  }

  /// " at prog.c:12", if it is known.
  static func addPlace(ofFunction address: UInt, _ text: inout Text) {
    let symbol = function(address)
    guard let file = symbol.file else { return }
    text.add(" at ")
    text.add(file)
    text.add(":")
    text.add(symbol.line)
  }

  /// What is known about a coroutine's function, and the line to show: the one it waits at, else the
  /// function's own. Nothing about the library's.
  @inline(never)  // for people
  static func place(ofFunction address: UInt, _ line: Int64) -> (Symbol, Int64) {
    if address == 0 || rondo_shim_is_own_code(UInt64(address)) != 0 { return (Symbol(), 0) }
    let symbol = function(address)
    return (symbol, line > 0 ? line : symbol.line)
  }

  /// The line for a coroutine: its function, and the line it waits at if that is known. Without
  /// debug information it has the name that the program gave it.
  static func describe(function address: UInt, _ line: Int32, _ name: UnsafePointer<CChar>?, _ text: inout Text) {
    let isOwn = rondo_shim_is_own_code(UInt64(address)) != 0
    let symbol = isOwn ? Symbol() : function(address)
    var info = Dl_info()
    let isKnown = !isOwn && dladdr(Raw(bitPattern: address), &info) != 0
    text.add("  File \"")
    text.add(isOwn ? literal("librondo") : symbol.file ?? (isKnown ? UnsafePointer(info.dli_fname) : literal("?")))
    text.add("\"")
    let at = line > 0 ? Int64(line) : symbol.line
    if at > 0 {
      text.add(", line ")
      text.add(at)
    }
    text.add(", in ")
    text.add(symbol.name ?? name)
    if let file = symbol.file { addSource(file, at, &text) }
  }

  /// The line of the program's source, if it can be read.
  private static func addSource(_ file: UnsafePointer<CChar>, _ line: Int64, _ text: inout Text) {
    withSource(file, line) { source in
      text.add("\n    ")
      text.add(source)
    }
  }

  private static func withSource(_ file: UnsafePointer<CChar>, _ line: Int64, _ body: (UnsafePointer<CChar>) -> Void) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      let size = Int(rondo_shim_source_line(file, line, buffer.baseAddress, 256))
      let blank = strspn(buffer.baseAddress!, literal(" \t"))
      if size > blank { body(UnsafePointer(buffer.baseAddress! + blank)) }
    }
  }

  // MARK: - looking up

  private static func symbol(_ frame: Frame) -> Symbol {
    var frame = frame
    lookUp(&frame, 1)
    return isOff ? Symbol() : known(frame) ?? Symbol()
  }

  /// RONDO_SYMBOLIZER=none: as if libdw were not there.
  private static var isOff: Bool {
    guard let wanted = Environment.value(of: "RONDO_SYMBOLIZER") else { return false }
    return strcmp(wanted, literal("none")) == 0
  }

  /// Look up what is not known yet, in one session. What there is no room to keep stays unknown.
  @inline(never)  // for people
  private static func lookUp(_ frames: UnsafePointer<Frame>, _ count: Int) {
    if isOff { return }
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Frames.depth) { pcs in
      var unknown = 0
      for i in 0..<Swift.min(count, Frames.depth) where known(frames[i]) == nil {
        pcs[unknown] = UInt64(frames[i]) &- 1
        unknown += 1
      }
      if unknown == 0 { return }
      _ = rondo_shim_symbolize(
        pcs.baseAddress, UInt32(unknown), { Frames.take($0, $1, $2, $3) })
    }
  }

  /// libdw's answer, whose strings go with the session.
  private static func take(_ pc: UInt, _ name: UnsafePointer<CChar>?, _ file: UnsafePointer<CChar>?, _ line: Int32) {
    let frame = pc &+ 1
    if known(frame) != nil { return }
    guard let name = kept(name), let file = kept(file) else { return }
    var symbol = Symbol(
      pc: frame, name: name.pointee == 0 ? nil : name, file: file.pointee == 0 ? nil : file, line: Int64(line))
    if symbol.file != nil { withSource(file, symbol.line) { symbol.source = kept($0) } }
    keep(symbol)
  }

  // MARK: - what is kept

  private static let tableSize = 6144  // 40 bytes each: one block
  private static let mostSymbols: UInt32 = 4500
  private static let mostBytes: UInt32 = 1 << 20

  private static var globals: UnsafeMutablePointer<rondo_globals> { rondo_globals()! }
  private static var lock: UnsafeMutablePointer<UInt32> { rondo_pool_lock() }

  /// A copy that stays, "" for NULL; nil if there is no room for more.
  private static func kept(_ string: UnsafePointer<CChar>?) -> UnsafePointer<CChar>? {
    guard let string else { return literal("") }
    let size = strlen(string) + 1
    if rondo_add32(&globals.pointee.symbol_bytes, 0) > mostBytes { return nil }
    _ = rondo_add32(&globals.pointee.symbol_bytes, UInt32(truncatingIfNeeded: size))
    guard size < 4096, let copy = Traces.keep(size) else { return nil }
    memcpy(copy, string, size)
    return UnsafePointer(copy.assumingMemoryBound(to: CChar.self))
  }

  /// Its entry in the table, or a free one; the lock is held.
  private static func entry(_ pc: Frame) -> UnsafeMutablePointer<Symbol>? {
    guard let table = address(globals.pointee.symbol_table)?.assumingMemoryBound(to: Symbol.self) else { return nil }
    var at = Int((UInt64(pc) &* 0x9E37_79B9_7F4A_7C15) >> 40)
    while true {
      let entry = table + at % tableSize
      if entry.pointee.pc == pc || entry.pointee.pc == 0 { return entry }
      at += 1
    }
  }

  private static func known(_ pc: Frame) -> Symbol? {
    rondo_lock(lock)
    defer { rondo_unlock(lock) }
    guard let entry = entry(pc), entry.pointee.pc == pc else { return nil }
    return entry.pointee
  }

  private static func keep(_ symbol: Symbol) {
    if rondo_load64(&globals.pointee.symbol_table) == 0 {
      guard let made = Traces.keepBlock() else { return }
      if rondo_cas64(&globals.pointee.symbol_table, 0, bits(made)) == 0 { free(made) }
    }
    rondo_lock(lock)
    defer { rondo_unlock(lock) }
    if globals.pointee.symbol_count >= mostSymbols { return }
    guard let entry = entry(symbol.pc), entry.pointee.pc == 0 else { return }
    entry.pointee = symbol
    globals.pointee.symbol_count += 1
  }
}
