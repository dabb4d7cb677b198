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

  /// Where the program has called the library; nil if the system cannot say, and where the library
  /// is part of the program. (Which export it called is not on the stack: they end in jumps.)
  @inline(never)  // for reports
  static func caller() -> Frame? {
    withUnsafeTemporaryAllocation(of: Raw?.self, capacity: depth) { frames in
      let count = Int(backtrace(frames.baseAddress!, Int32(depth)))
      var own = Dl_info()
      var info = Dl_info()
      if dladdr(rondo_globals(), &own) == 0 { return nil }
      for i in 0..<Swift.max(0, count) {
        guard let frame = frames[i], dladdr(frame - 1, &info) != 0, info.dli_fbase != own.dli_fbase else { continue }
        return Frame(bitPattern: frame)
      }
      return nil
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
