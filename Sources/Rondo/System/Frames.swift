// Frames.swift - the calls that a thread is in: return addresses, and what they are called.
//
// Knows: Text. Does not know: why somebody asks.

import CRondo
import CRondoShim

typealias Frame = UInt  // a return address

enum Frames {
  /// As many as asyncio keeps in debug mode (DEBUG_STACK_DEPTH).
  static let depth = 10

  /// One line for each: function and offset, and the object it is in.
  @inline(never)
  static func describe(_ frames: UnsafePointer<Frame>, _ count: Int, _ text: inout Text) {
    for i in 0..<count {
      text.add("\n  ")
      describe(frames[i], &text)
    }
  }

  /// "work+0x1f (program)", of a return address.
  static func describe(_ frame: Frame, _ text: inout Text) {
    var info = Dl_info()
    guard dladdr(UnsafeRawPointer(bitPattern: frame &- 1), &info) != 0 else { return text.addHex(UInt64(frame)) }
    if let name = info.dli_sname {
      text.add(UnsafePointer(name))
      text.add("+")
      text.addHex(UInt64(frame &- UInt(bitPattern: info.dli_saddr)))
    } else {
      text.addHex(UInt64(frame &- UInt(bitPattern: info.dli_fbase)))
    }
    text.add(" (")
    text.add(info.dli_fname.map { UnsafePointer($0) })
    text.add(")")
  }
}
