// GlobalObjects.swift - objects that belong to no loop: errors, coroutines, contexts, ...
//
// Any thread makes and drops them, so their slabs are taken with a lock and their counts are
// atomic: C's references and the library's own pins, two halves of one word. Apart, so that one
// release too many by C is found out and never takes a pin away; in one word, so that exactly one
// thread sees both reach zero and ends the object.
//
// Knows: Slab. Does not know: what an object is.

import CRondo
import CRondoShim

enum Global {
  private static let onePin: UInt64 = 1 << 32

  @inline(__always)
  private static func counts(_ slot: Raw) -> UnsafeMutablePointer<UInt64> {
    (slot + 8).assumingMemoryBound(to: UInt64.self)
  }

  /// A new object with one user reference and no pin.
  @inline(never)
  static func take(_ kind: UInt32, _ size: Int) -> Raw? {
    let slab: SlabPointer = rondo_global_slab(kind)
    rondo_lock(rondo_global_lock(kind))
    if slab.pointee.kind == 0 { Slab.prepare(slab, kind: kind, size: size) }
    let found = Slab.take(slab, owner: nil, pins: 0)
    rondo_unlock(rondo_global_lock(kind))
    return found
  }

  @inline(never)
  static func give(_ kind: UInt32, _ slot: Raw) {
    rondo_lock(rondo_global_lock(kind))
    Slab.give(rondo_global_slab(kind), slot)
    rondo_unlock(rondo_global_lock(kind))
  }

  // MARK: - the slot that a thread keeps

  // Every wait makes a coroutine that ends before the next one is made. So while a loop runs its
  // thread keeps the slot of the last one back, which saves both turns of the lock. When the run
  // ends it is given back, so that a process at rest has no object that is counted and not there.

  static func takeKept(_ kind: UInt32, _ size: Int) -> Raw? {
    let thread = rondo_thread()!
    guard let slot = address(thread.pointee.kept_coroutine) else { return take(kind, size) }
    thread.pointee.kept_coroutine = 0
    Slab.revive(slot, pins: 0)
    return slot
  }

  static func giveOrKeep(_ kind: UInt32, _ slot: Raw) {
    let thread = rondo_thread()!
    if thread.pointee.running == 0 || thread.pointee.kept_coroutine != 0 { return give(kind, slot) }
    Slab.kill(slot)
    thread.pointee.kept_coroutine = bits(slot)
  }

  static func giveKept(_ kind: UInt32) {
    let thread = rondo_thread()!
    guard let slot = address(thread.pointee.kept_coroutine) else { return }
    thread.pointee.kept_coroutine = 0
    rondo_lock(rondo_global_lock(kind))
    Slab.put(rondo_global_slab(kind), slot)
    rondo_unlock(rondo_global_lock(kind))
  }

  // MARK: - counts

  /// Add a reference for C. An object without any count is being ended (its drops may still be
  /// running) and stays so, unless `unused` says that its kind lives on without.
  static func retain(_ slot: Raw, unused: Bool = false) -> rondo_status {
    let word = counts(slot)
    while true {
      let seen = rondo_load64(word)
      if seen == 0 && !unused { return RONDO_E_STALE_HANDLE }
      // One more would be a pin.
      if seen & 0xFFFF_FFFF == 0xFFFF_FFFF { return -EOVERFLOW }
      if rondo_cas64(word, seen, seen + 1) != 0 { return RONDO_OK }
    }
  }

  enum Release { case stays, ends, stale }

  /// Take one of C's references away.
  @inline(never)
  static func release(_ slot: Raw) -> Release {
    let word = counts(slot)
    while true {
      let seen = rondo_load64(word)
      if seen & 0xFFFF_FFFF == 0 { return .stale }
      if rondo_cas64(word, seen, seen - 1) != 0 { return seen == 1 ? .ends : .stays }
    }
  }

  /// The same as a status for C; `end` is called if nobody holds it any more.
  @inline(__always)
  static func release(_ slot: Raw, _ end: () -> Void) -> rondo_status {
    switch release(slot) {
    case .stays: return RONDO_OK
    case .stale: return RONDO_E_STALE_HANDLE
    case .ends:
      end()
      return RONDO_OK
    }
  }

  @inline(__always)
  static func pin(_ slot: Raw) { _ = rondo_add64(counts(slot), onePin) }

  /// Pin what may be ending in another thread just now; false if it is.
  static func tryPin(_ slot: Raw) -> Bool {
    let word = counts(slot)
    while true {
      let seen = rondo_load64(word)
      if seen == 0 { return false }
      if rondo_cas64(word, seen, seen + onePin) != 0 { return true }
    }
  }

  /// True if that was the last of all counts: the caller ends the object.
  @inline(__always)
  static func unpin(_ slot: Raw) -> Bool {
    rondo_add64(counts(slot), 0 &- onePin) == onePin
  }

  /// Turn one of C's references into a pin; false if C has none.
  static func moveToPin(_ slot: Raw) -> Bool {
    let word = counts(slot)
    while true {
      let seen = rondo_load64(word)
      if seen & 0xFFFF_FFFF == 0 { return false }
      if rondo_cas64(word, seen, seen - 1 + onePin) != 0 { return true }
    }
  }

  /// Turn one pin into a reference of C's.
  static func moveToUser(_ slot: Raw) { _ = rondo_add64(counts(slot), 1 &- onePin) }

  /// True if C holds no other reference than one.
  static func isSoleUser(_ slot: Raw) -> Bool { rondo_load64(counts(slot)) == 1 }

  /// True if nobody holds it: neither C nor the library.
  static func isUnused(_ slot: Raw) -> Bool { rondo_load64(counts(slot)) == 0 }

  static func userRefs(_ slot: Raw) -> UInt32 { UInt32(truncatingIfNeeded: rondo_load64(counts(slot))) }
}
