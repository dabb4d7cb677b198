// Memory.swift - raw memory that may be refused.
//
// Swift's own `allocate` hands back a nil pointer in a type that says it cannot be nil, and a
// class or an Array traps; -ENOMEM is only possible with malloc's own answer.
//
// Knows: the shim. Does not know: anything else.

import CRondo
import CRondoShim

public typealias Raw = UnsafeMutableRawPointer

@inline(__always)
func allocateBytes(_ count: Int) -> Raw? { malloc(count) }

/// Room for `count` values, uninitialised; nil if the product overflows or memory is out.
func allocateArray<T>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T>? {
  let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<T>.stride)
  if overflow || count < 0 { return nil }
  return malloc(size > 0 ? size : 1)?.bindMemory(to: T.self, capacity: count)
}

/// A copy of a C string; nil if memory is out.
func copyString(_ text: UnsafePointer<CChar>) -> UnsafeMutablePointer<CChar>? {
  strdup(text)
}

/// What a broken invariant says before the process ends. Compiled into release builds.
@inline(__always)
func invariant(_ fact: Bool, _ sentence: StaticString) {
  if !fact {
    rondo_shim_panic(UnsafeRawPointer(sentence.utf8Start).assumingMemoryBound(to: CChar.self))
  }
}

/// A value and what lets go of it.
struct Value {
  var pointer: Raw?
  var drop: rondo_drop_fn?

  static let none = Value(pointer: nil, drop: nil)

  /// A value that stays somebody else's: it can be read, not taken.
  static func borrowed(_ pointer: Raw?) -> Value {
    Value(pointer: pointer, drop: unsafeBitCast(UInt(rondo_borrowed()), to: rondo_drop_fn?.self))
  }

  var isBorrowed: Bool { unsafeBitCast(drop, to: UInt.self) == UInt(rondo_borrowed()) }

  /// A value of the library's own making: its drop is no plain free, so C can read it and not take
  /// it. In front of what it points to lies the function that ends it.
  static func kept(_ pointer: Raw) -> Value { Value(pointer: pointer, drop: dropKept) }

  private static var dropKept: rondo_drop_fn {
    { raw in (raw! - 8).load(as: (@convention(c) (Raw) -> Void).self)(raw!) }
  }

  var isKept: Bool { unsafeBitCast(drop, to: UInt.self) == unsafeBitCast(Value.dropKept, to: UInt.self) }

  @inline(__always)
  func dispose() {
    if drop != nil { Drops.run(self) }
  }
}

/// What is run later: fn(arg), then drop(arg), in a context.
struct Call {
  var fn: rondo_call_fn
  var arg: Raw?
  var drop: rondo_drop_fn?
  var context: ContextTag
}
