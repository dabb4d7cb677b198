// InboxTests.swift - what producers leave and the loop takes, and who wakes whom.
import CRondo
import CRondoShim
import Foundation
import Testing

@testable import Rondo

@Suite struct InboxTests {
  private func withInbox(_ body: (InboxPointer) throws -> Void) rethrows {
    let inbox = InboxPointer.allocate(capacity: 1)
    inbox.initialize(to: .empty)
    defer {
      inbox.deallocateCalls()
      inbox.deallocate()
    }
    try body(inbox)
  }

  /// Every third has a context and takes two cells.
  private func call(_ number: Int) -> Call {
    Call(fn: { _ in }, arg: Raw(bitPattern: number + 1), drop: nil, context: number % 3 == 0 ? 16 : 0)
  }

  private func number(_ call: Call) -> Int { Int(bitPattern: call.arg) - 1 }

  private func numbers(_ cells: RingCells?, _ count: Int) -> [Int] {
    var found: [Int] = []
    Cells.forEach(cells, count) { found.append(number($0)) }
    return found
  }

  /// What a producer does.
  private func post(_ inbox: InboxPointer, _ number: Int) -> rondo_status {
    rondo_lock(inbox.lock)
    if !inbox.append(call(number)) {
      rondo_unlock(inbox.lock)
      return -ENOMEM
    }
    if inbox.needsWaking { return inbox.signalAndUnlock(for: call(number)) }
    rondo_unlock(inbox.lock)
    return RONDO_OK
  }

  private func readable(_ fd: Int32) -> Bool {
    var wanted = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
    return poll(&wanted, 1, 0) == 1
  }

  @Test("what was left is taken in order, and the memory goes round")
  func order() {
    withInbox { inbox in
      var memories = Set<UInt>()
      for round in 0..<6 {
        for i in 0..<100 { #expect(post(inbox, round * 100 + i) == RONDO_OK) }
        let (calls, count) = inbox.take(Int.max)
        #expect(inbox.isEmpty)
        #expect(numbers(calls, count) == Array(round * 100..<round * 100 + 100))
        memories.insert(UInt(bitPattern: calls))
      }
      #expect(memories.count == 2)
    }
  }

  @Test("where there is room for some, the rest stays in order")
  func partly() {
    withInbox { inbox in
      for i in 0..<50 { #expect(post(inbox, i) == RONDO_OK) }
      let (first, taken) = inbox.take(Int.max)
      #expect(numbers(first, taken) == Array(0..<50))
      for i in 0..<50 { #expect(post(inbox, i) == RONDO_OK) }
      var next = 0
      while !inbox.isEmpty {
        let (calls, count) = inbox.take(7)
        #expect(count > 0 && count <= 7)
        for seen in numbers(calls, count) {
          #expect(seen == next)
          next += 1
        }
      }
      #expect(next == 50)
    }
  }

  @Test("without any memory they come one by one")
  func singly() {
    withInbox { inbox in
      for i in 0..<100 { #expect(post(inbox, i) == RONDO_OK) }
      #expect(inbox.take(3).1 == 0)  // nowhere to put the other 97
      for i in 0..<100 { #expect(inbox.takeFirst().map(number) == i) }
      #expect(inbox.isEmpty)
    }
  }

  @Test("one sleep costs one wake-up, and who is awake is not woken")
  func waking() {
    withInbox { inbox in
      let fd = eventfd(0, Int32(EFD_NONBLOCK))
      defer { close(fd) }
      #expect(post(inbox, 1) == RONDO_OK)
      #expect(!readable(fd))
      #expect(!inbox.fallAsleep(fd))  // there is something: no sleep
      _ = inbox.take(Int.max)
      #expect(inbox.fallAsleep(fd))
      #expect(post(inbox, 2) == RONDO_OK)
      #expect(readable(fd))
      var value: UInt64 = 0
      #expect(read(fd, &value, 8) == 8 && value == 1)
      #expect(post(inbox, 3) == RONDO_OK)
      #expect(!readable(fd))  // the second producer saw that it was woken
      inbox.wakeUp()
      #expect(post(inbox, 4) == RONDO_OK)
      #expect(!readable(fd))
    }
  }

  @Test("a wake-up that fails takes its call back and no other")
  func failedWake() {
    withInbox { inbox in
      let fd = eventfd(0, Int32(EFD_NONBLOCK))
      close(fd)
      #expect(inbox.fallAsleep(fd))
      #expect(post(inbox, 1) == -EBADF)
      #expect(inbox.isEmpty)
      inbox.wakeUp()
      #expect(post(inbox, 2) == RONDO_OK)
      let (calls, count) = inbox.take(Int.max)
      #expect(numbers(calls, count) == [2])
    }
  }

  @Test("four producers: nothing lost, nothing doubled, each in its order")
  func producers() {
    withInbox { inbox in
      let each = 20_000
      let shared = UInt(bitPattern: inbox)
      let group = DispatchGroup()
      for producer in 0..<4 {
        DispatchQueue.global().async(group: group) {
          let inbox = InboxPointer(bitPattern: shared)!
          for i in 0..<each { #expect(post(inbox, producer * each + i) == RONDO_OK) }
        }
      }
      var next = [0, 0, 0, 0]
      while next.reduce(0, +) < 4 * each {
        let (calls, count) = inbox.take(Int.max)
        for seen in numbers(calls, count) {
          #expect(seen % each == next[seen / each])
          next[seen / each] += 1
        }
      }
      group.wait()
      #expect(inbox.isEmpty)
    }
  }
}
