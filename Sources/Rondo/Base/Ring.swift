// Ring.swift - the calls that are ready, first in, first out.
//
// Cells of 16 bytes. Most calls are a function and its argument, which is one cell; one that has
// something to drop or a context takes a second, and says so in the top bit of the function's
// address, which no function has. Half the memory of a cell for everything: a batch of a thousand
// calls stays in the first-level cache, and that is most of what scheduling costs.
//
// A power of two of cells and two counters that only grow, so "full" and "empty" need no flag. It
// never shrinks: what a burst needed once it will need again. The fields live inside the loop's
// state and are worked on through a pointer, because the call that is being run may push onto the
// ring it came from.
//
// Knows: Memory. Does not know: loops.

import CRondo
import CRondoShim

struct RingCell {
  var word: UInt  // a function, with the mark; or a drop
  var other: UInt  // an argument; or a context

  @inline(__always)
  var isLong: Bool { Int(bitPattern: word) < 0 }
}

typealias RingCells = UnsafeMutablePointer<RingCell>

/// Calls as cells in plain memory, such as those that other threads leave for the loop.
enum Cells {
  /// How many cells a call takes.
  @inline(__always)
  static func size(_ call: Call) -> Int { call.drop == nil && call.context == 0 ? 1 : 2 }

  @inline(__always)
  static func write(_ call: Call, _ size: Int, to at: RingCells) {
    let fn = unsafeBitCast(call.fn, to: UInt.self)
    at.initialize(to: RingCell(word: size == 1 ? fn : fn | Ring.mark, other: UInt(bitPattern: call.arg)))
    if size == 1 { return }
    (at + 1).initialize(to: RingCell(
      word: unsafeBitCast(call.drop, to: UInt.self), other: UInt(truncatingIfNeeded: call.context)))
  }

  /// The call at `at`, which moves behind it.
  static func read(_ cells: RingCells, _ at: inout Int) -> Call {
    let first = cells[at]
    at += first.isLong ? 2 : 1
    return first.isLong ? call(first, cells[at - 1]) : call(first)
  }

  /// The call that one cell is.
  @inline(__always)
  static func call(_ only: RingCell) -> Call {
    Call(fn: unsafeBitCast(only.word, to: rondo_call_fn.self), arg: Raw(bitPattern: only.other), drop: nil, context: 0)
  }

  /// The call that two cells are.
  @inline(__always)
  static func call(_ first: RingCell, _ second: RingCell) -> Call {
    Call(
      fn: unsafeBitCast(first.word & ~Ring.mark, to: rondo_call_fn.self), arg: Raw(bitPattern: first.other),
      drop: unsafeBitCast(second.word, to: rondo_drop_fn?.self), context: ContextTag(second.other))
  }

  static func forEach(_ cells: RingCells?, _ count: Int, _ visit: (Call) -> Void) {
    var at = 0
    while at < count { visit(read(cells!, &at)) }
  }
}

struct Ring {
  var cells: UnsafeMutablePointer<RingCell>?
  var capacity: UInt  // a power of two, 0 without cells: then it is full and never looked at
  var head: UInt  // the next to run
  var tail: UInt  // behind the last

  static let empty = Ring(cells: nil, capacity: 0, head: 0, tail: 0)
  static let mark: UInt = 1 << 63
}

extension UnsafeMutablePointer where Pointee == Ring {
  @inline(__always)
  var isEmpty: Bool { pointee.tail == pointee.head }

  /// Cells in use; a call has one or two.
  @inline(__always)
  var used: UInt { pointee.tail &- pointee.head }

  /// Room for one call of either kind.
  @inline(__always)
  var hasRoom: Bool { pointee.capacity &- used >= 2 }

  @inline(__always)
  func cell(_ at: UInt) -> UnsafeMutablePointer<RingCell> {
    pointee.cells.unsafelyUnwrapped + Int(bitPattern: at & (pointee.capacity &- 1))
  }

  // MARK: - appending

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
    let drop = unsafeBitCast(call.drop, to: UInt.self)
    let context = UInt(truncatingIfNeeded: call.context)
    if drop | context == 0 { return pushPlain(call.fn, call.arg) }
    let tail = pointee.tail
    cell(tail).initialize(to: RingCell(
      word: unsafeBitCast(call.fn, to: UInt.self) | Ring.mark, other: UInt(bitPattern: call.arg)))
    cell(tail &+ 1).initialize(to: RingCell(word: drop, other: context))
    pointee.tail = tail &+ 2
  }

  /// As pushReserved(), of a call with nothing to drop in the empty context.
  @inline(__always)
  func pushPlain(_ fn: @escaping rondo_call_fn, _ arg: Raw?) {
    let tail = pointee.tail
    cell(tail).initialize(to: RingCell(word: unsafeBitCast(fn, to: UInt.self), other: UInt(bitPattern: arg)))
    pointee.tail = tail &+ 1
  }

  /// Append calls that are cells already; there is room for certain.
  func pushCells(_ cells: RingCells, _ count: Int) {
    let start = Int(bitPattern: pointee.tail & (pointee.capacity &- 1))
    let straight = Swift.min(count, Int(bitPattern: pointee.capacity) - start)
    memcpy(pointee.cells! + start, cells, straight * MemoryLayout<RingCell>.stride)
    memcpy(pointee.cells!, cells + straight, (count - straight) * MemoryLayout<RingCell>.stride)
    pointee.tail &+= UInt(bitPattern: count)
  }

  // MARK: - taking

  @inline(__always)
  func popFirst() -> Call {
    let head = pointee.head
    let first = cell(head).pointee
    if !first.isLong {
      pointee.head = head &+ 1
      return Cells.call(first)
    }
    pointee.head = head &+ 2
    return Cells.call(first, cell(head &+ 1).pointee)
  }

  /// If it is empty, begin at the first cell again: the cells used last are still in the cache.
  @inline(__always)
  func rewindIfEmpty() {
    if isEmpty {
      pointee.head = 0
      pointee.tail = 0
    }
  }

  /// Look at every call without taking it.
  func forEach(_ visit: (Call) -> Void) {
    var copy = pointee
    withUnsafeMutablePointer(to: &copy) { ring in
      while !ring.isEmpty { visit(ring.popFirst()) }
    }
  }

  // MARK: - room

  /// How many calls of either kind there is room for.
  var room: Int { Int((pointee.capacity &- used) / 2) }

  func reserve(_ more: Int) -> Bool { room >= more || grow(by: more) }

  var roomForCells: Int { Int(bitPattern: pointee.capacity &- used) }

  func reserve(cells: Int) -> Bool { roomForCells >= cells || grow(by: cells / 2 + 1) }

  @inline(never)  // the slow half of push
  func grow(by more: Int) -> Bool {
    var capacity = pointee.cells == nil ? 128 : Int(bitPattern: pointee.capacity)
    let (wanted, overflow) = more.multipliedReportingOverflow(by: 2)
    if overflow { return false }
    while capacity - Int(used) < wanted {
      let (doubled, overflow) = capacity.multipliedReportingOverflow(by: 2)
      if overflow { return false }
      capacity = doubled
    }
    guard let bigger = allocateArray(RingCell.self, capacity) else { return false }
    // The counters go on: who runs a batch knows its end by them.
    var at = pointee.head
    while at != pointee.tail {
      (bigger + Int(bitPattern: at & UInt(capacity - 1))).initialize(to: cell(at).pointee)
      at &+= 1
    }
    free(pointee.cells)
    pointee.cells = bigger
    pointee.capacity = UInt(capacity)
    return true
  }

  func deallocateCells() {
    free(pointee.cells)
    pointee = .empty
  }
}
