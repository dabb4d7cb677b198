// ContextMapTests.swift - maps share their values, and a value ends with the last map that has it.
import CRondo
import CRondoShim
import Testing

@testable import Rondo

@Suite struct ContextMapTests {
  @Test("the empty map holds nothing and needs nothing")
  func empty() {
    #expect(Maps.find(0, 1) == nil)
    Maps.retain(0)
    Maps.release(0)
  }

  @Test("setting makes a new map and leaves the old one as it was")
  func immutable() throws {
    let a = Counted(), b = Counted()
    let first = try #require(Maps.setting(0, 7, a.value))
    let second = try #require(Maps.setting(first, 7, b.value))
    #expect(Maps.find(first, 7)?.pointee.value.pointer == Raw(a.drops))
    #expect(Maps.find(second, 7)?.pointee.value.pointer == Raw(b.drops))
    #expect(Maps.find(second, 8) == nil)
    Maps.release(first)
    #expect(a.count == 1)  // the second does not have it
    #expect(b.count == 0)
    Maps.release(second)
    #expect(b.count == 1)
  }

  @Test("a value that two maps share is dropped once, with the last")
  func sharing() throws {
    let shared = Counted(), other = Counted()
    let first = try #require(Maps.setting(0, 1, shared.value))
    let second = try #require(Maps.setting(first, 2, other.value))
    Maps.retain(second)
    Maps.release(first)
    Maps.release(second)
    #expect(shared.count == 0)
    #expect(Maps.find(second, 1)?.pointee.value.pointer == Raw(shared.drops))
    Maps.release(second)
    #expect(shared.count == 1)
    #expect(other.count == 1)
  }

  @Test("many versions against a Dictionary", arguments: [1, 2] as [UInt64])
  func model(seed: UInt64) throws {
    var numbers = Numbers(state: seed)
    var versions: [(map: ContextMap, model: [UInt64: Int])] = [(0, [:])]
    for i in 1...600 {
      let from = versions[Int(numbers.next() % UInt64(versions.count))]
      let variable = numbers.next() % 20 + 1
      let value = Value(pointer: Raw(bitPattern: i), drop: nil)
      var model = from.model
      model[variable] = i
      versions.append((try #require(Maps.setting(from.map, variable, value)), model))
    }
    for (map, model) in versions {
      for variable in 0...21 as ClosedRange<UInt64> {
        let found = Maps.find(map, variable)
        #expect(found.map { Int(bitPattern: $0.pointee.value.pointer) } == model[variable])
      }
    }
    for (map, _) in versions.shuffled(using: &numbers) { Maps.release(map) }
  }

  @Test("set to nothing is not unset")
  func nothing() throws {
    let map = try #require(Maps.setting(0, 3, .none))
    #expect(Maps.find(map, 3) != nil)
    #expect(Maps.find(map, 3)?.pointee.value.pointer == nil)
    Maps.release(map)
  }
}
