// FailOn.swift - RONDO_FAIL_ON: reports that a test wants to be the end of the process.
//
// The variable is read once, by the first report that asks. It holds names with commas between;
// unknown ones are ignored, so that a program of tomorrow runs with the library of today.
//
// Knows: Text. Does not know: who reports what.

import CRondo
import CRondoShim

enum FailOn {
  static let unretrieved: UInt32 = 1
  static let unawaited: UInt32 = 2
  static let leaked: UInt32 = 4
  static let blocked: UInt32 = 8
  static let wrongThread: UInt32 = 16
  private static let known: UInt32 = 1 << 31

  /// One line on stderr and abort, if the variable names this.
  @inline(never)  // reports are rare
  static func check(_ which: UInt32, _ sentence: UnsafePointer<CChar>) {
    if switches & which == 0 { return }
    say(sentence)
    abort()
  }

  /// Apart: before a call that never returns the compiler ends the text too early.
  @inline(never)
  private static func say(_ sentence: UnsafePointer<CChar>) {
    var text = Text()
    text.add("rondo: RONDO_FAIL_ON: ")
    text.add(sentence)
    rondo_shim_log_line(text.cString)
  }

  private static var switches: UInt32 {
    let globals = rondo_globals()!
    let seen = rondo_peek32(&globals.pointee.fail_on)
    if seen & known != 0 { return seen }
    let read = known | parse(Environment.value(of: "RONDO_FAIL_ON"))
    rondo_poke32(&globals.pointee.fail_on, read)
    return read
  }

  private static func parse(_ list: UnsafeMutablePointer<CChar>?) -> UInt32 {
    guard var rest = list.map({ UnsafePointer($0) }) else { return 0 }
    var found: UInt32 = 0
    while true {
      let length = strcspn(rest, literal(","))
      found |= named(rest, length)
      if rest[length] == 0 { return found }
      rest += length + 1
    }
  }

  private static func named(_ text: UnsafePointer<CChar>, _ length: Int) -> UInt32 {
    func isIt(_ name: StaticString) -> Bool {
      name.utf8CodeUnitCount == length && memcmp(text, name.utf8Start, length) == 0
    }
    if isIt("unretrieved") { return unretrieved }
    if isIt("unawaited") { return unawaited }
    if isIt("leaked") { return leaked }
    if isIt("blocked") { return blocked }
    return isIt("wrongthread") ? wrongThread : 0
  }
}
