// TimerHeap.swift - deadlines in order: earliest first, equal ones in the order they were set.
//
// A four-ary heap of 16-byte entries: deadline, number of arming, slot of the timer. The entries
// carry all that ordering needs, so moving them never touches a timer. Two things are lazy.
// Cancelling leaves the entry behind (it is stale: the timer no longer knows its number), and
// arming a timer later than its entry only changes the timer, which is put right when the entry
// comes up. Stale entries are swept out when they are more than half (asyncio's rule) and before
// the heap would grow. When much is due at once it is taken out in one sweep and sorted, which
// costs less than popping a million times.
//
// Tried: a hierarchical wheel. Three times faster to insert, and it needs a sort at the end for
// first-in first-out nanoseconds anyway; with the lazy re-arm the heap is ahead over all.
//
// Knows: Memory. Does not know: what a timer is, only how to ask for its numbers.

import CRondo
import CRondoShim

struct TimerEntry {
  var when: Int64
  var order: UInt32
  var timer: UInt32  // slot number

  @inline(__always)
  static func < (a: TimerEntry, b: TimerEntry) -> Bool {
    a.when < b.when || (a.when == b.when && a.order < b.order)
  }
}

struct TimerHeap {
  var entries: UnsafeMutablePointer<TimerEntry>?
  var count: Int
  var capacity: Int
  var stale: Int  // entries whose timer was cancelled or armed earlier; an exact count
  var lastOrder: UInt32

  static let empty = TimerHeap(entries: nil, count: 0, capacity: 0, stale: 0, lastOrder: 0)
}

typealias TimerHeapPointer = UnsafeMutablePointer<TimerHeap>

extension UnsafeMutablePointer where Pointee == TimerHeap {
  /// Add an entry; false if memory is out.
  @inline(__always)
  func push(_ entry: TimerEntry) -> Bool {
    if pointee.count == pointee.capacity && !grow() { return false }
    pushReserved(entry)
    return true
  }

  @inline(__always)
  func pushReserved(_ entry: TimerEntry) {
    pointee.count += 1
    siftUp(entry, from: pointee.count - 1)
  }

  @inline(never)  // the slow half of push
  func grow() -> Bool {
    let capacity = Swift.max(64, pointee.capacity * 2)
    guard let bigger = allocateArray(TimerEntry.self, capacity) else { return false }
    if let entries = pointee.entries {
      memcpy(bigger, entries, pointee.count * MemoryLayout<TimerEntry>.stride)
      free(entries)
    }
    pointee.entries = bigger
    pointee.capacity = capacity
    return true
  }

  @inline(__always)
  func siftUp(_ entry: TimerEntry, from start: Int) {
    let entries = pointee.entries!
    var hole = start
    while hole > 0 {
      let parent = (hole - 1) >> 2
      if !(entry < entries[parent]) { break }
      entries[hole] = entries[parent]
      hole = parent
    }
    entries[hole] = entry
  }

  func siftDown(_ entry: TimerEntry, from start: Int) {
    let entries = pointee.entries!
    let count = pointee.count
    var hole = start
    while true {
      let first = (hole << 2) + 1
      if first >= count { break }
      var least = first
      let end = Swift.min(first + 4, count)
      var child = first + 1
      while child < end {
        if entries[child] < entries[least] { least = child }
        child += 1
      }
      if !(entries[least] < entry) { break }
      entries[hole] = entries[least]
      hole = least
    }
    entries[hole] = entry
  }

  func removeFirst() {
    pointee.count -= 1
    if pointee.count > 0 { siftDown(pointee.entries![pointee.count], from: 0) }
  }

  /// Put another entry in the place of the first.
  func replaceFirst(_ entry: TimerEntry) { siftDown(entry, from: 0) }

  /// Order an array that was filled in any order.
  func heapify() {
    if pointee.count < 2 { return }
    var at = (pointee.count - 2) >> 2
    while at >= 0 {
      siftDown(pointee.entries![at], from: at)
      at -= 1
    }
  }

  /// Keep the entries for which `isLive` and order the rest anew.
  func sweep(_ isLive: (TimerEntry) -> Bool) {
    var kept = 0
    for i in 0..<pointee.count {
      let entry = pointee.entries![i]
      if isLive(entry) {
        pointee.entries![kept] = entry
        kept += 1
      }
    }
    pointee.count = kept
    pointee.stale = 0
    heapify()
  }

  /// Take everything due at `now` off the heap in one sweep and leave it, sorted, behind `count`.
  ///
  /// `resolve` brings an entry up to date, or says that it is stale. Returns how many are due; 0
  /// as well if only a few are, or memory for sorting is out: then they are to be popped singly.
  @inline(never)  // it allocates; hot-path looks at what is round it
  func takeManyDue(_ now: Int64, _ resolve: (inout TimerEntry) -> Bool) -> Int {
    // If the first levels are not all due the rest is not worth a sweep.
    if pointee.count < 256 { return 0 }
    let entries = pointee.entries!
    for i in 0..<85 where entries[i].when > now { return 0 }
    var due = 0
    for i in 0..<pointee.count where entries[i].when <= now { due += 1 }
    if due < pointee.count >> 4 { return 0 }
    guard let spare = allocateArray(TimerEntry.self, due * 2 + TimerSort.room) else { return 0 }
    var taken = 0
    var kept = 0
    for i in 0..<pointee.count {
      var entry = entries[i]
      if entry.when <= now {
        if !resolve(&entry) { continue }
        if entry.when <= now {
          spare[taken] = entry
          taken += 1
          continue
        }
      }
      entries[kept] = entry
      kept += 1
    }
    if taken > 0 {
      let sorted = TimerSort.sort(spare, spare + due, taken)
      memcpy(entries + kept, sorted, taken * MemoryLayout<TimerEntry>.stride)
    }
    free(spare)
    pointee.count = kept
    heapify()
    return taken
  }

  func deallocateEntries() {
    free(pointee.entries)
    pointee = .empty
  }
}

/// A radix sort by deadline and number, least digit first, skipping digits that are all alike.
enum TimerSort {
  /// What sorting needs behind its two arrays, in entries: 256 counts. Not on the stack, where
  /// Swift asks the heap behind our back, and not in a call that could fail.
  static let room = 256 * 8 / 16

  /// `b` has room for `count` entries and `room` more.
  static func sort(
    _ a: UnsafeMutablePointer<TimerEntry>, _ b: UnsafeMutablePointer<TimerEntry>, _ count: Int
  ) -> UnsafeMutablePointer<TimerEntry> {
    var from = a
    var to = b
    var digit = 0
    // Four bytes of the number, then eight of the deadline.
    let counts = Raw(b + count).assumingMemoryBound(to: Int.self)
    while digit < 12 {
      if pass(from, to, count, digit, counts) { swap(&from, &to) }
      digit += 1
    }
    return from
  }

  @inline(__always)
  private static func byte(_ entry: TimerEntry, _ digit: Int) -> Int {
    digit < 4
      ? Int((entry.order >> UInt32(digit * 8)) & 0xFF)
      : Int((UInt64(bitPattern: entry.when ^ Int64.min) >> UInt64((digit - 4) * 8)) & 0xFF)  // signed order
  }

  /// False if all entries agree in this digit, and nothing was moved.
  private static func pass(
    _ from: UnsafeMutablePointer<TimerEntry>, _ to: UnsafeMutablePointer<TimerEntry>, _ count: Int,
    _ digit: Int, _ counts: UnsafeMutablePointer<Int>
  ) -> Bool {
    for i in 0..<256 { counts[i] = 0 }
    for i in 0..<count { counts[byte(from[i], digit)] += 1 }
    if counts[byte(from[0], digit)] == count { return false }
    var sum = 0
    for i in 0..<256 {
      let here = counts[i]
      counts[i] = sum
      sum += here
    }
    for i in 0..<count {
      let at = byte(from[i], digit)
      to[counts[at]] = from[i]
      counts[at] += 1
    }
    return true
  }
}
