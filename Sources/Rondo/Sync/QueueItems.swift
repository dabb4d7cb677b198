// QueueItems.swift - what is in a queue: a ring that gives from its front, its back, or by priority.
//
// One array serves the three orders. First in first out and last in first out use it as a ring;
// by priority it is a heap that begins at index 0. Items that compare equal leave in the order in
// which they came: each has a number for that.
//
// The program compares items, in the middle of a change of the heap. So nothing is held across a
// comparison but indexes, and the queue refuses to be used by it (`isBusy` in Queue.swift).
//
// Knows: Memory. Does not know: who waits.

import CRondo
import CRondoShim

struct QueueItem {
  var value: Value
  var number: UInt64
}

struct QueueItems {
  var cells: UnsafeMutablePointer<QueueItem>?
  var capacity: Int  // a power of two, 0 without cells
  var first: Int  // index of the front, 0 for a heap
  var count: Int
  var added: UInt64  // ever
  var compare: rondo_compare_fn?  // by priority
  var compareArg: Raw?
  var isStack: Bool

  static let empty = QueueItems(
    cells: nil, capacity: 0, first: 0, count: 0, added: 0, compare: nil, compareArg: nil, isStack: false)
}

extension UnsafeMutablePointer where Pointee == QueueItems {
  private func cell(_ index: Int) -> UnsafeMutablePointer<QueueItem> {
    pointee.cells.unsafelyUnwrapped + ((pointee.first + index) & (pointee.capacity - 1))
  }

  /// Room for one more; false if memory is out.
  func makeRoom() -> Bool {
    if pointee.count < pointee.capacity { return true }
    let (wanted, overflow) = pointee.capacity.multipliedReportingOverflow(by: 2)
    let capacity = pointee.capacity == 0 ? 8 : wanted
    if overflow { return false }
    guard let bigger = allocateArray(QueueItem.self, capacity) else { return false }
    for i in 0..<pointee.count { (bigger + i).initialize(to: cell(i).pointee) }
    free(pointee.cells)
    pointee.cells = bigger
    pointee.capacity = capacity
    pointee.first = 0
    return true
  }

  /// Add an item, for which there is room.
  func add(_ value: Value) {
    cell(pointee.count).initialize(to: QueueItem(value: value, number: pointee.added))
    pointee.added += 1
    pointee.count += 1
    if pointee.compare != nil { moveUp(pointee.count - 1) }
  }

  /// Take the next one out; there is one.
  func take() -> Value {
    if pointee.compare != nil { return takeSmallest() }
    pointee.count -= 1
    if pointee.isStack { return cell(pointee.count).pointee.value }
    let value = cell(0).pointee.value
    pointee.first = (pointee.first + 1) & (pointee.capacity - 1)
    return value
  }

  // MARK: - the heap

  private func isBefore(_ a: QueueItem, _ b: QueueItem) -> Bool {
    let order = pointee.compare!(a.value.pointer, b.value.pointer, pointee.compareArg)
    return order != 0 ? order < 0 : a.number < b.number
  }

  private func swap(_ a: Int, _ b: Int) {
    let item = cell(a).pointee
    cell(a).pointee = cell(b).pointee
    cell(b).pointee = item
  }

  private func moveUp(_ from: Int) {
    var at = from
    while at > 0 && isBefore(cell(at).pointee, cell((at - 1) / 2).pointee) {
      swap(at, (at - 1) / 2)
      at = (at - 1) / 2
    }
  }

  private func takeSmallest() -> Value {
    let value = cell(0).pointee.value
    pointee.count -= 1
    cell(0).pointee = cell(pointee.count).pointee
    var at = 0
    while let child = smallerChild(at), isBefore(cell(child).pointee, cell(at).pointee) {
      swap(at, child)
      at = child
    }
    return value
  }

  private func smallerChild(_ parent: Int) -> Int? {
    let left = 2 * parent + 1
    if left >= pointee.count { return nil }
    if left + 1 < pointee.count && isBefore(cell(left + 1).pointee, cell(left).pointee) { return left + 1 }
    return left
  }

  // MARK: - the end

  /// Drop all that is in it. Whatever the drops do, they find it empty.
  func dropAll() {
    let old = pointee
    pointee.cells = nil
    pointee.capacity = 0
    pointee.first = 0
    pointee.count = 0
    for i in 0..<old.count { (old.cells! + ((old.first + i) & (old.capacity - 1))).pointee.value.dispose() }
    free(old.cells)
  }
}
