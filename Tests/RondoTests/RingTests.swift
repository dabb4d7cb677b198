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
    Call(fn: { _ in }, arg: Raw(bitPattern: number + 1), drop: nil, context: context(number))
  }

  /// Every seventh is a plain call of one cell.
  private func context(_ number: Int) -> UInt64 { number % 7 == 0 ? 0 : UInt64(number) << 1 }

  private func number(_ call: Call) -> Int { Int(bitPattern: call.arg) - 1 }

  @Test("an empty ring has neither calls nor room, and costs nothing to let go of")
  func empty() {
    withRing { ring in
      #expect(ring.isEmpty)
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
            #expect(popped.context == context(model.removeFirst()))
          }
        }
        #expect(ring.isEmpty == model.isEmpty)
        // One cell for a plain call, two for one with a context; every seventh here is plain.
        #expect(Int(ring.used) == model.reduce(0) { $0 + ($1 % 7 == 0 ? 1 : 2) })
        if model.count > 3000 { break }
      }
      while !model.isEmpty { #expect(number(ring.popFirst()) == model.removeFirst()) }
      #expect(ring.isEmpty)
    }
  }

  @Test("it wraps around without growing")
  func wraparound() {
    withRing { ring in
      #expect(ring.push(call(0)))
      var pushed = 1
      while ring.hasRoom {
        #expect(ring.push(call(pushed)))
        pushed += 1
      }
      let slots = ring.pointee.cells
      for i in 0..<1000 {
        #expect(number(ring.popFirst()) == i)
        if !ring.hasRoom { continue }
        #expect(ring.push(call(pushed)))
        pushed += 1
      }
      #expect(ring.pointee.cells == slots)
      for i in 1000..<pushed { #expect(number(ring.popFirst()) == i) }
      #expect(ring.isEmpty)
    }
  }

  @Test("an empty ring begins at its first cell again")
  func rewinds() {
    withRing { ring in
      for i in 0..<50 { #expect(ring.push(call(i))) }
      for i in 0..<50 {
        ring.rewindIfEmpty()
        #expect(number(ring.popFirst()) == i)
      }
      ring.rewindIfEmpty()
      #expect(ring.pointee.head == 0 && ring.isEmpty)
    }
  }

  @Test("it grows while it is wrapped around and keeps the order")
  func growsWrapped() {
    withRing { ring in
      for i in 0..<64 { #expect(ring.push(call(i))) }
      for i in 0..<37 { #expect(number(ring.popFirst()) == i) }
      for i in 64..<500 { #expect(ring.push(call(i))) }
      for i in 37..<500 { #expect(number(ring.popFirst()) == i) }
      #expect(ring.isEmpty)
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
      #expect(ring.used == 2)
      #expect(number(ring.popFirst()) == 1)
    }
  }

  @Test("the counters may wrap")
  func countersWrap() {
    withRing { ring in
      #expect(ring.reserve(64))
      ring.pointee.head = UInt.max - 9
      ring.pointee.tail = UInt.max - 9
      for i in 0..<200 { #expect(ring.push(call(i))) }  // grows
      for i in 0..<200 { #expect(number(ring.popFirst()) == i) }
    }
  }
}
