// Functions.swift - which C function leads to which completer.
//
// The library has functions of its own, static code that knows its number, and makes closures of libffi
// where those will not do. A closure is never given back to libffi: released, it takes no arguments and
// does nothing, and stands in line to be used again, so that a call that comes too late finds code.
// The longest free is taken first. All under the lock of the slab of completers, which fork() takes,
// so libffi's own lock is never held in a process that is being copied.
//
// Knows: the table of the shim. Does not know: what completers do when they are called.

import CRondo
import CRondoShim

enum Functions {
  static let none = UInt32.max

  private static var table: UnsafeMutablePointer<rondo_functions> { rondo_functions() }
  private static var lock: UnsafeMutablePointer<UInt32> { rondo_global_lock(Kind.completer) }

  /// One of the library's own; none if all are taken.
  static func takeStatic(_ completer: Raw) -> UInt32 {
    rondo_lock(lock)
    defer { rondo_unlock(lock) }
    var number = none
    if table.pointee.static_used < UInt32(RONDO_STATIC_FUNCTIONS) {
      number = table.pointee.static_used
      table.pointee.static_used += 1
    } else {
      number = takeFirst(&table.pointee.static_head)
    }
    if number != none { rondo_store64(&rondo_function(number).pointee.completer, bits(completer)) }
    return number
  }

  /// A closure of this plan.
  static func takeClosure(_ completer: Raw, _ plan: PlanPointer) -> (UInt32, rondo_status) {
    rondo_lock(lock)
    defer { rondo_unlock(lock) }
    var number = takeFirst(&table.pointee.closure_head)
    if number == none {
      number = UInt32(RONDO_STATIC_FUNCTIONS) + table.pointee.made
      if number >= UInt32(RONDO_FUNCTIONS) { return (none, -EMFILE) }
      if rondo_shim_prepare_closure(number, plan) != 0 { return (none, RONDO_E_NO_CLOSURES) }
      table.pointee.made += 1
    } else if rondo_shim_prepare_closure(number, plan) != 0 {
      putLast(number)
      return (none, RONDO_E_NO_CLOSURES)
    }
    rondo_store64(&rondo_function(number).pointee.completer, bits(completer))
    return (number, RONDO_OK)
  }

  static func code(_ number: UInt32) -> Raw? {
    number < UInt32(RONDO_STATIC_FUNCTIONS) ? rondo_shim_static_function(number) : rondo_function(number).pointee.code
  }

  /// The completer is gone: its function is nobody's.
  static func give(_ number: UInt32) {
    rondo_lock(lock)
    defer { rondo_unlock(lock) }
    rondo_store64(&rondo_function(number).pointee.completer, 0)
    // Else a late call would be read by a plan that may be gone.
    if number >= UInt32(RONDO_STATIC_FUNCTIONS) { _ = rondo_shim_prepare_closure(number, nil) }
    putLast(number)
  }

  // In the lines 0 is nobody, so numbers are one more there.

  private static func takeFirst(_ head: UnsafeMutablePointer<UInt32>) -> UInt32 {
    let first = head.pointee
    if first == 0 { return none }
    head.pointee = rondo_function(first - 1).pointee.next
    return first - 1
  }

  private static func putLast(_ number: UInt32) {
    rondo_function(number).pointee.next = 0
    let isStatic = number < UInt32(RONDO_STATIC_FUNCTIONS)
    let head = isStatic ? place(&table.pointee.static_head) : place(&table.pointee.closure_head)
    let tail = isStatic ? place(&table.pointee.static_tail) : place(&table.pointee.closure_tail)
    if head.pointee == 0 {
      head.pointee = number + 1
    } else {
      rondo_function(tail.pointee - 1).pointee.next = number + 1
    }
    tail.pointee = number + 1
  }
}
