// SlabTests.swift - handles name one object only, and what is gone is found out.
//
// Kinds 13 to 15 are nobody's, so each test of the pool has its own.
import CRondo
import CRondoShim
import Testing

@testable import Rondo

@Suite struct SlabTests {
  static let size = 64

  private func withSlab(kind: UInt32, _ body: (SlabPointer) throws -> Void) rethrows {
    let slab = SlabPointer.allocate(capacity: 1)
    Slab.prepare(slab, kind: kind, size: Self.size)
    defer { slab.deallocate() }
    try body(slab)
  }

  private func handle(_ slot: Raw) -> UInt64 { slot.load(as: UInt64.self) }

  private func find(_ handle: UInt64, _ kind: UInt32) -> Raw? { Lookup.find(handle, kind, Self.size) }

  private func explain(_ handle: UInt64, _ kind: UInt32) -> rondo_status {
    Lookup.explain(handle, kind, Self.size)
  }

  @Test("handles are unique, never NULL, and lead to their slot")
  func unique() throws {
    try withSlab(kind: 14) { slab in
      var slots: [Raw] = []
      var handles = Set<UInt64>()
      for _ in 0..<10_000 {  // more than two chunks
        let slot = try #require(Slab.take(slab, owner: nil))
        slots.append(slot)
        #expect(handle(slot) != 0)
        #expect(handles.insert(handle(slot)).inserted)
      }
      #expect(slab.pointee.live == 10_000)
      #expect(Set(slots).count == 10_000)
      for slot in slots {
        #expect(find(handle(slot), 14) == slot)
        #expect(find(handle(slot), 13) == nil)
        #expect(explain(handle(slot), 13) == RONDO_E_BAD_HANDLE)
      }
      for slot in slots { Slab.give(slab, slot) }
      #expect(slab.pointee.live == 0)
      Slab.retire(slab)
    }
  }

  @Test("a new object has one user reference, one pin and no flags")
  func header() throws {
    try withSlab(kind: 14) { slab in
      for _ in 0..<3 {
        let slot = try #require(Slab.take(slab, owner: nil))
        let header = slot.assumingMemoryBound(to: ObjectHeader.self)
        #expect(header.pointee.userRefs == 1)
        #expect(header.pointee.refs == 1)
        #expect(header.pointee.bits == 0)
        header.pointee.userRefs = 9
        header.pointee.refs = 9
        header.pointee.bits = 9
        Slab.give(slab, slot)
      }
      Slab.retire(slab)
    }
  }

  @Test("a slot that was given back is taken next, under another handle")
  func stale() throws {
    try withSlab(kind: 14) { slab in
      let slot = try #require(Slab.take(slab, owner: nil))
      var seen = [handle(slot)]
      for _ in 0..<100 {
        let old = handle(slot)
        Slab.give(slab, slot)
        #expect(find(old, 14) == nil)
        #expect(explain(old, 14) == RONDO_E_STALE_HANDLE)
        let again = try #require(Slab.take(slab, owner: nil))
        #expect(again == slot)
        #expect(!seen.contains(handle(again)))
        #expect(find(old, 14) == nil)
        #expect(explain(old, 14) == RONDO_E_STALE_HANDLE)
        seen.append(handle(again))
      }
      Slab.give(slab, slot)
      Slab.retire(slab)
    }
  }

  @Test("invented handles are none")
  func invented() throws {
    try withSlab(kind: 14) { slab in
      let slot = try #require(Slab.take(slab, owner: nil))
      let good = handle(slot)
      #expect(explain(0, 14) == -EINVAL)
      for wrong in [1, 4096, good &+ 1 << 32, good & noSlot, good | 0xFFFF, good | noSlot, UInt64.max] {
        #expect(find(wrong, 14) == nil)
        #expect(explain(wrong, 14) == (wrong == 0 ? -EINVAL : RONDO_E_BAD_HANDLE))  // 0: slot 0 of chunk 0
      }
      // The next handle of this slot, before the slot is taken again.
      Slab.give(slab, slot)
      #expect(find(good &+ 1 << 32, 14) == nil)
      #expect(find(handle(slot), 14) == nil)
      var numbers = Numbers(state: 7)
      for _ in 0..<10_000 { #expect(find(numbers.next(), 14) == nil) }
      Slab.retire(slab)
    }
  }

  @Test("the last generation is followed by the first, never by 0")
  func generations() throws {
    try withSlab(kind: 14) { slab in
      let slot = try #require(Slab.take(slab, owner: nil))
      let header = slot.assumingMemoryBound(to: ObjectHeader.self)
      let own = header.pointee.handle & noSlot
      header.pointee.handle = 0xFFFF_FFFF << 32 | own
      Slab.give(slab, slot)
      let again = try #require(Slab.take(slab, owner: nil))
      #expect(again == slot)
      #expect(handle(again) == 1 << 32 | own)
      Slab.give(slab, slot)
      Slab.retire(slab)
    }
  }

  @Test("a retired slab's chunk serves the next slab, and its old handles stay stale")
  func retire() throws {
    try withSlab(kind: 13) { first in
      var owner = 0
      try withUnsafeMutablePointer(to: &owner) { owner in
        var handles: [UInt64] = []
        var slots: [Raw] = []
        for _ in 0..<50 { slots.append(try #require(Slab.take(first, owner: Raw(owner)))) }
        #expect(chunk(of: slots[0]).pointee.owner == Raw(owner))
        for slot in slots {
          handles.append(handle(slot))
          Slab.give(first, slot)
        }
        Slab.retire(first)
        #expect(first.pointee.chunks == 0)
        for old in handles { #expect(explain(old, 13) == RONDO_E_STALE_HANDLE) }
        try withSlab(kind: 13) { second in
          for i in 0..<60 {  // some slots used before, some never
            let slot = try #require(Slab.take(second, owner: nil))
            #expect(i >= 50 || slot == slots[i])
            #expect(!handles.contains(handle(slot)))
            #expect(find(handle(slot), 13) == slot)
            slots.append(slot)
          }
          #expect(chunk(of: slots[0]).pointee.owner == nil)
          for old in handles { #expect(explain(old, 13) == RONDO_E_STALE_HANDLE) }
          for slot in slots[50...] { Slab.give(second, slot) }
          Slab.retire(second)
        }
      }
    }
  }

  @Test("visiting meets every live object once and no other", arguments: [11, 12] as [UInt64])
  func forEach(seed: UInt64) throws {
    var numbers = Numbers(state: seed)
    try withSlab(kind: 15) { slab in
      var live = Set<Raw>()
      for _ in 0..<12_000 {
        if numbers.next() % 3 != 0 || live.isEmpty {
          live.insert(try #require(Slab.take(slab, owner: nil)))
        } else if let slot = live.randomElement(using: &numbers) {
          Slab.give(slab, slot)
          live.remove(slot)
        }
      }
      #expect(slab.pointee.live == UInt64(live.count))
      var visited = Set<Raw>()
      Slab.forEach(slab) { #expect(visited.insert($0).inserted) }
      #expect(visited == live)
      for slot in live { Slab.give(slab, slot) }
      Slab.forEach(slab) { _ in Issue.record("nothing is alive") }
      Slab.retire(slab)
      Slab.forEach(slab) { _ in Issue.record("a retired slab has nothing") }
    }
  }

  @Test("C's references and pins are two counts, and the last of both ends it")
  func counts() throws {
    let slot = try #require(Global.take(15, Self.size))
    #expect(Global.userRefs(slot) == 1)
    #expect(Global.isSoleUser(slot))
    #expect(Global.retain(slot) == RONDO_OK)
    Global.pin(slot)
    #expect(Global.release(slot) == .stays)
    #expect(Global.release(slot) == .stays)
    #expect(Global.release(slot) == .stale)  // never takes the pin
    Global.moveToUser(slot)
    #expect(Global.isSoleUser(slot))
    #expect(Global.moveToPin(slot))
    #expect(!Global.moveToPin(slot))
    #expect(Global.unpin(slot))
    Global.give(15, slot)
    let again = try #require(Global.take(15, Self.size))
    Global.pin(again)
    #expect(!Global.unpin(again))
    #expect(Global.release(again) == .ends)
    Global.give(15, again)
  }

  @Test("references of C's never run over into the pins, and nobody revives what is being ended")
  func overflow() throws {
    let slot = try #require(Global.take(15, Self.size))
    let counts = (slot + 8).assumingMemoryBound(to: UInt64.self)
    counts.pointee = 0xFFFF_FFFE
    #expect(Global.retain(slot) == RONDO_OK)
    #expect(Global.retain(slot) == -EOVERFLOW)
    #expect(counts.pointee == 0xFFFF_FFFF)
    counts.pointee = 1
    #expect(Global.release(slot) == .ends)
    #expect(Global.retain(slot) == RONDO_E_STALE_HANDLE)
    #expect(Global.isUnused(slot))
    #expect(Global.retain(slot, unused: true) == RONDO_OK)
    #expect(Global.isSoleUser(slot))
    Global.give(15, slot)
  }

  @Test("what no slot was ever made of is not looked at")
  func neverMade() throws {
    try withSlab(kind: 14) { slab in
      let slot = try #require(Slab.take(slab, owner: nil))
      let base = chunk(of: slot)
      let behind = Raw(base) + chunkHeaderSize + Int(base.pointee.made) * Self.size
      let invented = 1 << 32 | UInt64(base.pointee.number) << 16 | UInt64(base.pointee.made)
      behind.storeBytes(of: invented, as: UInt64.self)  // as malloc may hand it out
      #expect(find(invented, 14) == nil)
      #expect(explain(invented, 14) == RONDO_E_BAD_HANDLE)
      Slab.give(slab, slot)
      Slab.retire(slab)
    }
  }
}
