// Ring.swift - the calls that are ready, first in, first out.
//
// A power of two of slots and two counters that only grow, so "full" and "empty" need no flag.
// It never shrinks: what a burst needed once it will need again. The fields live inside the
// loop's state and are worked on through a pointer, because the call that is being run may push
// onto the ring it came from.
//
// Knows: Memory. Does not know: loops.

import CRondo
import CRondoShim

struct Ring {
  var slots: UnsafeMutablePointer<Call>?
  var capacity: UInt  // a power of two, 0 without slots: then it is full and never looked at
  var head: UInt  // the next to run
  var tail: UInt  // behind the last

  static let empty = Ring(slots: nil, capacity: 0, head: 0, tail: 0)
}

extension UnsafeMutablePointer where Pointee == Ring {
  @inline(__always)
  var count: Int { Int(bitPattern: pointee.tail &- pointee.head) }

  @inline(__always)
  var hasRoom: Bool { pointee.tail &- pointee.head < pointee.capacity }

  /// Append, growing if need be; false if memory is out (nothing changed then).
  @inline(__always)
  func push(_ call: Call) -> Bool {
    if !hasRoom && !grow(by: 1) { return false }
    pushReserved(call)
    return true
  }

  /// Append where there is room for certain.
  @inline(__always)
  func pushReserved(_ call: Call) {
    (pointee.slots.unsafelyUnwrapped + Int(bitPattern: pointee.tail & (pointee.capacity &- 1))).initialize(to: call)
    pointee.tail &+= 1
  }

  @inline(__always)
  func popFirst() -> Call {
    let call = pointee.slots.unsafelyUnwrapped[Int(bitPattern: pointee.head & (pointee.capacity &- 1))]
    pointee.head &+= 1
    return call
  }

  var room: Int { Int(bitPattern: pointee.capacity) - count }

  func reserve(_ more: Int) -> Bool { room >= more || grow(by: more) }

  @inline(never)  // the slow half of push
  func grow(by more: Int) -> Bool {
    var capacity = pointee.slots == nil ? 64 : Int(bitPattern: pointee.capacity) * 2
    while capacity - count < more {
      let (doubled, overflow) = capacity.multipliedReportingOverflow(by: 2)
      if overflow { return false }
      capacity = doubled
    }
    guard let bigger = allocateArray(Call.self, capacity) else { return false }
    let used = count
    for i in 0..<used {
      (bigger + i).initialize(to: pointee.slots![Int(bitPattern: (pointee.head &+ UInt(i)) & (pointee.capacity &- 1))])
    }
    free(pointee.slots)
    pointee.slots = bigger
    pointee.capacity = UInt(capacity)
    pointee.head = 0
    pointee.tail = UInt(used)
    return true
  }

  func deallocateSlots() {
    free(pointee.slots)
    pointee = .empty
  }
}
