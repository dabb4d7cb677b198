// ContextTests.swift - who sees what is set where: entering, leaving, and the claim on objects.
import CRondo
import CRondoShim
import Testing

@testable import Rondo

@Suite struct ContextTests {
  private func variable() throws -> VariableRef { try #require(VariableRef.make("v", Raw(bitPattern: 99))) }

  private func set(_ variable: VariableRef, _ number: Int) {
    #expect(Contexts.set(variable, Value(pointer: Raw(bitPattern: number), drop: nil)) == RONDO_OK)
  }

  private func get(_ variable: VariableRef) -> Int { Int(bitPattern: Contexts.get(variable)) }

  @Test("a captured context is a copy: neither side sees the other's changes")
  func capture() throws {
    try inEmptyContext {
      let v = try variable()
      #expect(Contexts.capture() == 0)
      #expect(get(v) == 99)
      set(v, 1)
      let tag = Contexts.capture()
      set(v, 2)
      let saved = try #require(Contexts.tryEnter(tag))
      #expect(get(v) == 1)
      set(v, 3)
      #expect(get(v) == 3)
      Contexts.leave(tag, saved)
      #expect(get(v) == 2)
      let again = try #require(Contexts.tryEnter(tag))
      #expect(get(v) == 1)
      Contexts.leave(tag, again)
      Contexts.release(tag)
      #expect(v.releaseUser() == RONDO_OK)
    }
  }

  @Test("the empty context can be entered too")
  func empty() throws {
    try inEmptyContext {
      let v = try variable()
      let counted = Counted()
      set(v, 1)
      let saved = try #require(Contexts.tryEnter(0))
      #expect(get(v) == 99)
      #expect(Contexts.set(v, counted.value) == RONDO_OK)
      Contexts.leave(0, saved)
      #expect(counted.count == 1)
      #expect(get(v) == 1)
      #expect(v.releaseUser() == RONDO_OK)
    }
  }

  @Test("what is set inside an object stays in it")
  func object() throws {
    try inEmptyContext {
      let v = try variable()
      let context = try #require(ContextRef.make(0))
      set(v, 1)
      for i in 0..<3 {
        let tag = Contexts.tag(context)
        let saved = try #require(Contexts.tryEnter(tag))
        #expect(Contexts.tryEnter(tag) == nil)
        #expect(rondo_thread()!.pointee.entered == handleBits(context.handle))
        #expect(get(v) == (i == 0 ? 99 : i * 10))
        set(v, (i + 1) * 10)
        Contexts.leave(tag, saved)
        #expect(get(v) == 1)
        Contexts.release(tag)
      }
      #expect(context.releaseUser() == RONDO_OK)
      #expect(v.releaseUser() == RONDO_OK)
    }
  }

  @Test("objects and copies nest, and an object can be entered once")
  func nesting() throws {
    try inEmptyContext {
      let v = try variable()
      let outer = try #require(ContextRef.make(0)), inner = try #require(ContextRef.make(0))
      let (outerTag, innerTag) = (Contexts.tag(outer), Contexts.tag(inner))
      let first = try #require(Contexts.tryEnter(outerTag))
      set(v, 1)
      let second = try #require(Contexts.tryEnter(innerTag))
      set(v, 2)
      #expect(Contexts.tryEnter(outerTag) == nil)
      let copy = Contexts.capture()
      let third = try #require(Contexts.tryEnter(copy))
      #expect(rondo_thread()!.pointee.entered == 0)
      #expect(get(v) == 2)
      set(v, 3)
      Contexts.leave(copy, third)
      #expect(get(v) == 2)
      Contexts.leave(innerTag, second)
      #expect(get(v) == 1)
      #expect(rondo_thread()!.pointee.entered == handleBits(outer.handle))
      Contexts.leave(outerTag, first)
      #expect(get(v) == 99)
      Contexts.release(copy)
      for tag in [outerTag, innerTag] { Contexts.release(tag) }
      #expect(outer.releaseUser() == RONDO_OK)
      #expect(inner.releaseUser() == RONDO_OK)
      #expect(v.releaseUser() == RONDO_OK)
    }
  }

  @Test("who is refused an object leaves it and the current context untouched")
  func refused() throws {
    try inEmptyContext {
      let v = try variable()
      let context = try #require(ContextRef.make(0))
      let tag = Contexts.tag(context)
      let saved = try #require(Contexts.tryEnter(tag))
      set(v, 5)
      #expect(Contexts.tryEnter(tag) == nil)
      #expect(get(v) == 5)
      Contexts.leave(tag, saved)
      Contexts.release(tag)
      #expect(context.releaseUser() == RONDO_OK)
      #expect(v.releaseUser() == RONDO_OK)
    }
  }

  @Test("a map of a task's own changes from step to step and is seen nowhere else")
  func owned() throws {
    try inEmptyContext {
      let v = try variable()
      var map: ContextMap = 0
      for i in 1...5 {
        let saved = Contexts.enterOwned(map)
        #expect(get(v) == (i == 1 ? 99 : i - 1))
        set(v, i)
        map = Contexts.leaveOwned(saved)
        #expect(get(v) == 99)
      }
      Contexts.release(map)
      #expect(v.releaseUser() == RONDO_OK)
    }
  }

  @Test("values are dropped when the last context that has them ends")
  func drops() throws {
    let values = (0..<3).map { _ in Counted() }
    let v = try variable()
    try inEmptyContext {
      #expect(Contexts.set(v, values[0].value) == RONDO_OK)
      let copy = try #require(ContextRef.make(Contexts.capture()))
      let tag = Contexts.tag(copy)
      let second = Contexts.tag(copy)
      #expect(Contexts.set(v, values[1].value) == RONDO_OK)
      #expect(copy.releaseUser() == RONDO_OK)
      Contexts.release(tag)
      #expect(values[0].count == 0)
      Contexts.release(second)
      #expect(values[0].count == 1)
      #expect(v.releaseUser() == RONDO_OK)  // values stay when their variable goes
      #expect(values[1].count == 0)
      let other = try variable()
      #expect(Contexts.set(other, values[2].value) == RONDO_OK)
      #expect(other.releaseUser() == RONDO_OK)
    }
    #expect(values.map(\.count) == [1, 1, 1])
  }

  @Test("a variable whose slot is used again has no values of the one before")
  func handlesAreNotReused() throws {
    try inEmptyContext {
      for i in 1...20 {
        let v = try variable()
        #expect(get(v) == 99)
        set(v, i)
        #expect(v.releaseUser() == RONDO_OK)
      }
    }
  }
}
