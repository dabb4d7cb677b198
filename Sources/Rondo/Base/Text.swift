// Text.swift - a growing line of text for messages and descriptions.
//
// Running out of memory cuts the text and remembers it; a description is never worth a failure.
//
// Knows: Memory. Does not know: who reads it.

import CRondo
import CRondoShim

struct Text: ~Copyable {
  private(set) var bytes: UnsafeMutablePointer<CChar>?
  private(set) var count = 0
  private var capacity = 0
  private(set) var isCut = false

  init() {}

  deinit { free(bytes) }

  private mutating func reserve(_ more: Int) -> Bool {
    if count + more + 1 <= capacity { return true }
    let wanted = Swift.max(128, Swift.max(capacity * 2, count + more + 1))
    guard let bigger = realloc(bytes, wanted) else {
      isCut = true
      return false
    }
    bytes = bigger.bindMemory(to: CChar.self, capacity: wanted)
    capacity = wanted
    return true
  }

  /// Something that belongs into it could not be had.
  mutating func cut() { isCut = true }

  @inline(never)  // texts are for people; small code is worth more than fast
  mutating func add(_ text: StaticString) {
    add(UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self), text.utf8CodeUnitCount)
  }

  // Else `add(a ? "x" : "y")` would come here with a String, copied to a heap that may be full.
  @_disfavoredOverload
  @inline(never)
  mutating func add(_ text: UnsafePointer<CChar>?) {
    if let text { add(text, strlen(text)) }
  }

  @inline(never)
  mutating func add(_ text: UnsafePointer<CChar>, _ length: Int) {
    if !reserve(length) { return }
    memcpy(bytes! + count, text, length)
    count += length
    bytes![count] = 0
  }

  @inline(never)
  mutating func add(_ number: Int64) {
    if number < 0 { add("-") }
    var left = number.magnitude
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 20) { digits in
      var at = 20
      repeat {
        at -= 1
        digits[at] = CChar(48 + left % 10)
        left /= 10
      } while left > 0
      add(UnsafePointer(digits.baseAddress! + at), 20 - at)
    }
  }

  /// "0.120" of 120.
  @inline(never)
  mutating func addThousandths(_ number: Int64) {
    add(number / 1000)
    let rest = number % 1000
    add(rest < 10 ? ".00" : rest < 100 ? ".0" : "." as StaticString)
    add(rest)
  }

  @inline(never)
  mutating func addHex(_ number: UInt64) {
    add("0x")
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { digits in
      var at = 16
      var left = number
      repeat {
        at -= 1
        let digit = CChar(left & 15)
        digits[at] = digit < 10 ? 48 + digit : 87 + digit
        left >>= 4
      } while left > 0
      add(UnsafePointer(digits.baseAddress! + at), 16 - at)
    }
  }

  /// The text, NUL-terminated; "" if there is none. Valid until the next change.
  var cString: UnsafePointer<CChar> {
    if let bytes { return UnsafePointer(bytes) }
    return UnsafeRawPointer(StaticString("").utf8Start).assumingMemoryBound(to: CChar.self)
  }

  /// The text moves out; nil if there is none.
  mutating func take() -> UnsafeMutablePointer<CChar>? {
    let taken = bytes
    bytes = nil
    count = 0
    capacity = 0
    return taken
  }

  /// Hand it to a caller's buffer by the rule of the describing functions: -ERANGE if text and NUL
  /// do not fit, so also when there is no buffer, only the length is asked for.
  func copyOut(_ buffer: UnsafeMutablePointer<CChar>?, _ size: Int,
               _ outSize: UnsafeMutablePointer<Int>?) -> rondo_status {
    if isCut { return -ENOMEM }
    outSize?.pointee = count
    guard let buffer, size > count else { return -ERANGE }
    memcpy(buffer, cString, count)
    buffer[count] = 0
    return RONDO_OK
  }
}

/// The C string in a literal.
@inline(__always)
func literal(_ text: StaticString) -> UnsafePointer<CChar> {
  UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}
