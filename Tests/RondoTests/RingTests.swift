// RingTests.swift - the ring against an Array that does the same.
import CRondo
import CRondoShim
import Testing

@testable import Rondo

@Suite struct RingTests {
  private func withRing(_ body: (UnsafeMutablePointer<Ring>) throws -> Void) rethrows {
    let ring = UnsafeMutablePointer<Ring>.allocate(capacity: 1)
    ring.initialize(to: Ring.empty)
    defer {
      ring.deallocateCells()
      ring.deallocate()
    }
    try body(ring)
  }

  private func call(_ number: Int) -> Call {
    Call(fn: { _ in }, arg: Raw(bitPattern: number + 1), drop: nil, context: UInt64(number))
  }

  private func number(_ call: Call) -> Int { Int(bitPattern: call.arg) - 1 }

  @Test("an empty ring has neither calls nor room, and costs nothing to let go of")
  func empty() {
    withRing { ring in
      #expect(Int(ring.used) == 0)
      #expect(!ring.hasRoom)
      #expect(ring.pointee.cells == nil)
    }
  }

  @Test("first in, first out, whatever the mix of pushing and popping", arguments: [1, 2, 3, 4] as [UInt64])
  func model(seed: UInt64) {
    var numbers = Numbers(state: seed)
    withRing { ring in
      var model: [Int] = []
      var next = 0
      for _ in 0..<20_000 {
        // Runs of one kind, so that it fills and empties.
        let pushes = numbers.next() % 3 != 0
        for _ in 0..<Int(numbers.next() % 40) {
          if pushes {
            #expect(ring.push(call(next)))
            model.append(next)
            next += 1
          } else if !model.isEmpty {
            let popped = ring.popFirst()
            #expect(number(popped) == model.first)
            #expect(popped.context == UInt64(model.removeFirst()))
          }
        }
        #expect(Int(ring.used) == model.count)
        if model.count > 3000 { break }
      }
      while !model.isEmpty { #expect(number(ring.popFirst()) == model.removeFirst()) }
      #expect(Int(ring.used) == 0)
    }
  }

  @Test("it wraps around without growing")
  func wraparound() {
    withRing { ring in
      for i in 0..<64 { #expect(ring.push(call(i))) }
      let slots = ring.pointee.cells
      #expect(!ring.hasRoom)
      for i in 0..<1000 {
        #expect(number(ring.popFirst()) == i)
        #expect(ring.push(call(64 + i)))
      }
      #expect(ring.pointee.cells == slots)
      #expect(Int(ring.used) == 64)
    }
  }

  @Test("it grows while it is wrapped around and keeps the order")
  func growsWrapped() {
    withRing { ring in
      for i in 0..<64 { #expect(ring.push(call(i))) }
      for i in 0..<37 { #expect(number(ring.popFirst()) == i) }
      for i in 64..<500 { #expect(ring.push(call(i))) }
      for i in 37..<500 { #expect(number(ring.popFirst()) == i) }
      #expect(Int(ring.used) == 0)
    }
  }

  @Test("what was reserved can be pushed without growing")
  func reserve() {
    withRing { ring in
      for i in 0..<10 { #expect(ring.push(call(i))) }
      #expect(ring.reserve(1000))
      let slots = ring.pointee.cells
      for i in 10..<1010 { ring.pushReserved(call(i)) }
      #expect(ring.pointee.cells == slots)
      for i in 0..<1010 { #expect(number(ring.popFirst()) == i) }
    }
  }

  @Test("absurd room is refused and nothing changes")
  func absurd() {
    withRing { ring in
      #expect(ring.push(call(1)))
      #expect(!ring.reserve(Int.max / 2))
      #expect(!ring.reserve(Int.max))
      #expect(Int(ring.used) == 1)
      #expect(number(ring.popFirst()) == 1)
    }
  }

  @Test("the counters may wrap")
  func countersWrap() {
    withRing { ring in
      #expect(ring.reserve(64))
      ring.pointee.head = UInt.max - 9
      ring.pointee.tail = UInt.max - 9
      for i in 0..<64 { #expect(ring.push(call(i))) }
      #expect(Int(ring.used) == 64)
      #expect(ring.push(call(64)))  // grows
      for i in 0...64 { #expect(number(ring.popFirst()) == i) }
    }
  }
}
