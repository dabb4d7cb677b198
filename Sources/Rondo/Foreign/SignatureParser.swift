// SignatureParser.swift - "i32(ptr,{u8[4],f64})" becomes a row of codes.
//
// One pass, no memory but the row. An array in a struct is its element so often as it says, because
// that is how libffi has them. Where it goes wrong the position stays, with a sentence.
//
// Knows: the codes. Does not know: sizes, registers, libffi.

import CRondo
import CRondoShim

/// Every name, followed by a letter that stands for its code.
private let names: StaticString =
  """
  voidA boolB i8C scharC u8D ucharD i16E shortE u16F ushortF i32G intG u32H uintH i64I llongI u64J ullongJ \
  f32K floatK f64L doubleL ldoubleM c64N c128O ptrP strQ bytesR ownS userT coroU longY ssizeY ulongZ sizeZ char[
  """

private enum Place {
  case result, parameter, variadic, member
}

struct SignatureParser {
  private let text: UnsafePointer<UInt8>
  private let codes: UnsafeMutablePointer<UInt8>
  private(set) var at = 0
  private(set) var count = 0
  private(set) var sentence: StaticString = ""
  private var hasUser = false
  private var depth = 0

  static let mostCodes = 1024
  static let longestText = 4096

  /// `codes` has room for mostCodes.
  init(_ text: UnsafePointer<CChar>, _ codes: UnsafeMutablePointer<UInt8>) {
    self.text = UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self)
    self.codes = codes
  }

  private mutating func fail(_ why: StaticString) -> Bool {
    sentence = why
    return false
  }

  private mutating func skipSpaces() { while text[at] == 32 { at += 1 } }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpaces()
    if UInt32(text[at]) != character.value { return false }
    at += 1
    return true
  }

  private mutating func append(_ code: Int32) -> Bool {
    if count == SignatureParser.mostCodes { return fail("too many types") }
    codes[count] = UInt8(code)
    count += 1
    return true
  }

  // MARK: - the whole

  /// False if it is no signature: `at` and `sentence` say where and why.
  @inline(never)  // once per signature
  mutating func parse() -> Bool {
    if !type(.result) { return false }
    if !take("(") { return fail("'(' expected") }
    if !take(")") && !parameters() { return false }
    skipSpaces()
    return text[at] == 0 || fail("the end expected")
  }

  private mutating func parameters() -> Bool {
    var place = Place.parameter
    var number = 0
    repeat {
      skipSpaces()
      if text[at] == 46 {
        if !ellipsis(place, number) { return false }
        place = .variadic
      } else {
        if !type(place) { return false }
        number += 1
        if number > 100 { return fail("too many parameters") }
      }
    } while take(",")
    if codes[count - 1] == UInt8(RONDO_CODE_VARIADIC) { return fail("types expected behind '...'") }
    return take(")") || fail("',' or ')' expected")
  }

  private mutating func ellipsis(_ place: Place, _ number: Int) -> Bool {
    if place == .variadic { return fail("a second '...'") }
    if number == 0 { return fail("a parameter expected before '...'") }
    if text[at + 1] != 46 || text[at + 2] != 46 { return fail("'...' expected") }
    at += 3
    return append(RONDO_CODE_VARIADIC)
  }

  // MARK: - types

  private mutating func type(_ place: Place) -> Bool {
    skipSpaces()
    if text[at] == 123 { return structure() }
    var length = 0
    while isNamePart(text[at + length]) { length += 1 }
    if length == 0 { return fail("a type expected") }
    let code = SignatureParser.code(text + at, length)
    if code == 0 { return fail("unknown type") }
    if !isAllowed(code, place) { return false }
    if !append(code) { return false }
    at += length
    return true
  }

  private func isNamePart(_ c: UInt8) -> Bool { (c >= 97 && c <= 122) || (c >= 48 && c <= 57) }

  private mutating func isAllowed(_ code: Int32, _ place: Place) -> Bool {
    let isCopied = code == RONDO_CODE_BYTES || code == RONDO_CODE_OWN || code == RONDO_CODE_USER
    switch place {
    case .result: return !isCopied || fail("not the type of a result")
    case .member:
      return (code > RONDO_CODE_VOID && code <= RONDO_CODE_PTR) || fail("not the type of a member")
    case .variadic:
      let isNarrow = code < RONDO_CODE_I32 || code == RONDO_CODE_F32
      if isNarrow && code != RONDO_CODE_VOID { return fail("C passes no narrower type than int and double here") }
    case .parameter: break
    }
    if code == RONDO_CODE_VOID || code == RONDO_CODE_CORO { return fail("the type of a result only") }
    if code == RONDO_CODE_USER {
      if hasUser { return fail("a second user") }
      hasUser = true
    }
    return true
  }

  private mutating func structure() -> Bool {
    at += 1
    depth += 1
    if depth > 16 { return fail("too deep") }
    if !append(RONDO_CODE_STRUCT) { return false }
    repeat {
      let start = count
      if !type(.member) { return false }
      if take("[") && !array(of: start) { return false }
    } while take(",")
    if !take("}") { return fail("',' or '}' expected") }
    depth -= 1
    return append(RONDO_CODE_END)
  }

  /// What was appended from `start` on, so often.
  private mutating func array(of start: Int) -> Bool {
    skipSpaces()
    var number = 0
    let digits = at
    while text[at] >= 48 && text[at] <= 57 && number < SignatureParser.mostCodes {
      number = number * 10 + Int(text[at]) - 48
      at += 1
    }
    if digits == at || number == 0 { return fail("a number expected") }
    let size = count - start
    if number * size > SignatureParser.mostCodes - start { return fail("too many elements") }
    var left = number - 1
    while left > 0 {
      memcpy(codes + count, codes + start, size)
      count += size
      left -= 1
    }
    return take("]") || fail("']' expected")
  }

  private static func code(_ name: UnsafePointer<UInt8>, _ length: Int) -> Int32 {
    var entry = names.utf8Start
    let end = entry + names.utf8CodeUnitCount
    while entry < end {
      var size = 0
      while entry[size] >= 97 || (entry[size] >= 48 && entry[size] <= 57) { size += 1 }
      if size == length && memcmp(entry, name, length) == 0 { return machine(Int32(entry[size]) - 64) }
      entry += size + 2
    }
    return 0
  }

  /// The last three stand for what differs from machine to machine.
  private static func machine(_ letter: Int32) -> Int32 {
    switch letter {
    case 25: return MemoryLayout<Int>.size == 8 ? RONDO_CODE_I64 : RONDO_CODE_I32
    case 26: return MemoryLayout<Int>.size == 8 ? RONDO_CODE_U64 : RONDO_CODE_U32
    case 27: return CChar.min < 0 ? RONDO_CODE_I8 : RONDO_CODE_U8
    default: return letter
    }
  }
}
