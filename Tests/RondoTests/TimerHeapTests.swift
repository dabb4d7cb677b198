// TimerHeapTests.swift - the heap against a sorted array.
import CRondo
import CRondoShim
import Testing

@testable import Rondo

extension TimerEntry: Equatable {
  public static func == (a: TimerEntry, b: TimerEntry) -> Bool {
    a.when == b.when && a.order == b.order && a.timer == b.timer
  }
}

@Suite struct TimerHeapTests {
  private func withHeap(_ body: (TimerHeapPointer) throws -> Void) rethrows {
    let heap = TimerHeapPointer.allocate(capacity: 1)
    heap.initialize(to: .empty)
    defer {
      heap.deallocateEntries()
      heap.deallocate()
    }
    try body(heap)
  }

  private func isHeap(_ heap: TimerHeapPointer) -> Bool {
    guard let entries = heap.pointee.entries, heap.pointee.count > 1 else { return true }
    for i in 1..<heap.pointee.count where entries[i] < entries[(i - 1) / 4] { return false }
    return true
  }

  private func contents(_ heap: TimerHeapPointer) -> [TimerEntry] {
    (0..<heap.pointee.count).map { heap.pointee.entries![$0] }
  }

  /// Everything in the order in which it comes out.
  private func drained(_ heap: TimerHeapPointer) -> [TimerEntry] {
    var out: [TimerEntry] = []
    while heap.pointee.count > 0 {
      out.append(heap.pointee.entries![0])
      heap.removeFirst()
    }
    return out
  }

  /// `count` entries with many equal deadlines, numbered in the order they are made.
  private func entries(_ count: Int, _ numbers: inout Numbers, whens: UInt64) -> [TimerEntry] {
    (0..<count).map { i in
      TimerEntry(when: Int64(numbers.next() % whens), order: UInt32(i), timer: UInt32(i))
    }
  }

  @Test("equal deadlines come out in the order they were set")
  func fifo() {
    withHeap { heap in
      for i in 0..<1000 {
        #expect(heap.push(TimerEntry(when: 5, order: UInt32(i), timer: UInt32(i))))
      }
      #expect(drained(heap).map(\.timer) == Array(0..<1000))
    }
  }

  @Test("pushing and removing against a sorted array", arguments: [1, 2, 3] as [UInt64])
  func model(seed: UInt64) {
    var numbers = Numbers(state: seed)
    withHeap { heap in
      var model: [TimerEntry] = []
      for step in 0..<4000 {
        let entry = TimerEntry(when: Int64(numbers.next() % 300), order: UInt32(step), timer: UInt32(step))
        switch numbers.next() % 5 {
        case 0, 1, 2:
          #expect(heap.push(entry))
          model.append(entry)
        case 3 where !model.isEmpty:
          heap.replaceFirst(entry)
          model[0] = entry
        case 4 where !model.isEmpty:
          heap.removeFirst()
          model.removeFirst()
        default: continue
        }
        model.sort(by: <)
        #expect(heap.pointee.count == model.count)
        if let first = model.first { #expect(heap.pointee.entries![0] == first) }
        if step % 50 == 0 { #expect(isHeap(heap)) }
      }
      #expect(isHeap(heap))
      #expect(drained(heap) == model)
    }
  }

  @Test("deadlines at the ends of the range")
  func extremes() {
    withHeap { heap in
      let whens: [Int64] = [Int64.max, 0, 1, Int64.max - 1, 0, Int64.max]
      for (i, when) in whens.enumerated() {
        #expect(heap.push(TimerEntry(when: when, order: UInt32(i), timer: UInt32(i))))
      }
      #expect(drained(heap).map(\.timer) == [1, 4, 2, 3, 0, 5])
    }
  }

  @Test("a sweep keeps what is live, in order", arguments: [0, 1, 2, 5, 64, 1000])
  func sweep(count: Int) {
    var numbers = Numbers(state: UInt64(count) + 9)
    withHeap { heap in
      let all = entries(count, &numbers, whens: 50)
      for entry in all { #expect(heap.push(entry)) }
      heap.pointee.stale = count / 3
      heap.sweep { $0.timer % 3 != 0 }
      #expect(heap.pointee.stale == 0)
      #expect(isHeap(heap))
      #expect(drained(heap) == all.filter { $0.timer % 3 != 0 }.sorted(by: <))
    }
  }

  @Test("an array filled in any order becomes a heap", arguments: [0, 1, 2, 3, 5, 6, 21, 22, 500])
  func heapify(count: Int) {
    var numbers = Numbers(state: UInt64(count))
    withHeap { heap in
      let all = entries(count, &numbers, whens: 40).shuffled(using: &numbers)
      for _ in 0..<4 where heap.pointee.capacity < count { #expect(heap.grow()) }
      for (i, entry) in all.enumerated() { heap.pointee.entries![i] = entry }
      heap.pointee.count = count
      heap.heapify()
      #expect(isHeap(heap))
      #expect(drained(heap) == all.sorted(by: <))
    }
  }

  // MARK: - much at once

  /// What the loop may answer about an entry: stale, moved a little, moved beyond now, or as it is.
  private func resolve(_ entry: inout TimerEntry, _ now: Int64) -> Bool {
    switch entry.timer % 10 {
    case 0: return false
    case 1: entry.when = Swift.min(entry.when + 7, now)
    case 2: entry.when = now + 1 + Int64(entry.timer)
    default: break
    }
    return true
  }

  @Test("taking much that is due gives it sorted and keeps the rest", arguments: [1, 2, 3, 4] as [UInt64])
  func takeMany(seed: UInt64) {
    var numbers = Numbers(state: seed)
    withHeap { heap in
      let now: Int64 = 700
      let all = entries(3000, &numbers, whens: 1000)
      for entry in all { #expect(heap.push(entry)) }
      let taken = heap.takeManyDue(now) { resolve(&$0, now) }
      var due: [TimerEntry] = []
      var rest: [TimerEntry] = []
      for var entry in all {
        if entry.when <= now && !resolve(&entry, now) { continue }
        if entry.when <= now { due.append(entry) } else { rest.append(entry) }
      }
      #expect(taken == due.count)
      #expect(heap.pointee.count == rest.count)
      let behind = (0..<taken).map { heap.pointee.entries![heap.pointee.count + $0] }
      #expect(behind == due.sorted(by: <))
      #expect(isHeap(heap))
      #expect(drained(heap) == rest.sorted(by: <))
    }
  }

  @Test("everything stale or everything due")
  func takeAll() {
    var numbers = Numbers(state: 5)
    withHeap { heap in
      let all = entries(500, &numbers, whens: 10)
      for entry in all { #expect(heap.push(entry)) }
      #expect(heap.takeManyDue(10) { _ in true } == 500)
      #expect(heap.pointee.count == 0)
      #expect((0..<500).map { heap.pointee.entries![$0] } == all.sorted(by: <))
      for entry in all { #expect(heap.push(entry)) }
      #expect(heap.takeManyDue(10) { _ in false } == 0)
      #expect(heap.pointee.count == 0)
    }
  }

  @Test("little that is due is left to popping, untouched")
  func takeFew() {
    var numbers = Numbers(state: 6)
    withHeap { heap in
      for entry in entries(255, &numbers, whens: 10) { #expect(heap.push(entry)) }
      #expect(heap.takeManyDue(100) { _ in true } == 0)  // few in all
      #expect(heap.pointee.count == 255)
      for i in 255..<5000 {
        #expect(heap.push(TimerEntry(when: 1000, order: UInt32(i), timer: UInt32(i))))
      }
      let before = contents(heap)
      #expect(heap.takeManyDue(5) { _ in true } == 0)  // the first levels are not all due
      #expect(heap.takeManyDue(100) { _ in true } == 0)  // less than a sixteenth is
      #expect(contents(heap) == before)
    }
  }

  @Test("the radix sort sorts", arguments: [1, 2, 3, 255, 256, 257, 5000])
  func radix(count: Int) {
    var numbers = Numbers(state: UInt64(count))
    for whens in [1, 3, 1000, UInt64(Int64.max)] {
      let all = entries(count, &numbers, whens: whens).shuffled(using: &numbers)
      let memory = UnsafeMutablePointer<TimerEntry>.allocate(capacity: count * 2 + TimerSort.room)
      defer { memory.deallocate() }
      for (i, entry) in all.enumerated() { memory[i] = entry }
      let sorted = TimerSort.sort(memory, memory + count, count)
      #expect(sorted == memory || sorted == memory + count)
      #expect((0..<count).map { sorted[$0] } == all.sorted(by: <))
    }
  }

  @Test("deadlines before the clock began come first")
  func negative() {
    let whens: [Int64] = [5, -1, Int64.min, 0, Int64.max, -300, 5, -1]
    let memory = UnsafeMutablePointer<TimerEntry>.allocate(capacity: whens.count * 2 + TimerSort.room)
    defer { memory.deallocate() }
    for (i, when) in whens.enumerated() { memory[i] = TimerEntry(when: when, order: UInt32(i), timer: 0) }
    let all = (0..<whens.count).map { memory[$0] }
    let sorted = TimerSort.sort(memory, memory + whens.count, whens.count)
    #expect((0..<whens.count).map { sorted[$0] } == all.sorted(by: <))
  }
}
