// Objects.swift - counting references to what belongs to a loop, from any thread.
//
// Two counts. `userRefs` is C's and atomic; `refs` are the library's own pins, touched by the
// loop's thread alone, with no atomics; all of C's references together hold one pin (the bit
// below). So the loop's thread works at full speed, C may release from any thread, and a release
// too many is found out because C's count is its own.
//
// A last release from another thread cannot end the object there. It leaves the slot on the
// loop's stack of late releases, linked through the slot itself: no memory, so no failure.
//
// Knows: Slab, Loop. Does not know: what the objects are.

import CRondo
import CRondoShim

enum Owned {
  static let userPinned: UInt32 = 1 << 31  // in header.bits
  static let queued: UInt32 = 1 << 31  // in userRefs: on the stack of late releases
  static let countMask: UInt32 = queued - 1

  @inline(__always)
  static func loop(of slot: Raw) -> LoopRef { LoopRef(chunk(of: slot).pointee.owner!) }

  @inline(__always)
  private static func header(_ slot: Raw) -> HeaderPointer { slot.assumingMemoryBound(to: ObjectHeader.self) }

  /// Call after Slab.take: C holds the object if it asked for a handle.
  @inline(__always)
  static func begin(_ slot: Raw, user: Bool) {
    if user {
      rondo_poke32(&header(slot).pointee.bits, header(slot).pointee.bits | userPinned)
    } else {
      rondo_poke32(&header(slot).pointee.userRefs, 0)
    }
  }

  @inline(__always)
  static func pin(_ slot: Raw) { header(slot).pointee.refs &+= 1 }

  /// True if that was the last pin: the caller ends the object.
  @inline(__always)
  static func unpin(_ slot: Raw) -> Bool {
    header(slot).pointee.refs &-= 1
    return header(slot).pointee.refs == 0
  }

  static func retain(_ slot: Raw) -> rondo_status {
    let count = place(&header(slot).pointee.userRefs)
    let isOwner = loop(of: slot).isReadable
    while true {
      let seen = rondo_load32(count)
      // Another thread can only add to a reference that it has.
      if seen & countMask == 0 && !isOwner { return RONDO_E_STALE_HANDLE }
      if seen & countMask == countMask { return -EOVERFLOW }
      if rondo_cas32(count, seen, seen + 1) == 0 { continue }
      if isOwner && header(slot).pointee.bits & userPinned == 0 {
        rondo_poke32(&header(slot).pointee.bits, header(slot).pointee.bits | userPinned)
        pin(slot)
      }
      return RONDO_OK
    }
  }

  /// Turn C's only reference into a pin of the caller's, on the loop's thread; false if it is not
  /// the only one.
  @inline(__always)
  static func moveToPin(_ slot: Raw) -> Bool {
    let count = place(&header(slot).pointee.userRefs)
    if rondo_load32(count) != 1 || header(slot).pointee.bits & userPinned == 0 { return false }
    rondo_poke32(count, 0)
    rondo_poke32(&header(slot).pointee.bits, header(slot).pointee.bits & ~userPinned)
    return true
  }

  /// Release for C. `last` gives back the pin; it is called on the loop's thread only.
  @inline(__always)
  static func release(_ slot: Raw, _ last: (Raw) -> Void) -> rondo_status {
    let count = place(&header(slot).pointee.userRefs)
    if loop(of: slot).isReadable {
      let seen = rondo_load32(count)
      // An exchange, although the caller has the only reference: another thread may, wrongly, be
      // giving back the same one, and then exactly one of the two must be told so.
      if seen == 1 && rondo_cas32(count, 1, 0) != 0 {
        dropUserPin(slot, last)
        return RONDO_OK
      }
      return releaseOneOfMany(slot, last)
    }
    return releaseElsewhere(slot)
  }

  @inline(never)
  private static func releaseOneOfMany(_ slot: Raw, _ last: (Raw) -> Void) -> rondo_status {
    let count = place(&header(slot).pointee.userRefs)
    while true {
      let seen = rondo_load32(count)
      if seen & countMask == 0 { return RONDO_E_STALE_HANDLE }
      if rondo_cas32(count, seen, seen - 1) == 0 { continue }
      // If it is queued the stack will find the count at zero.
      if seen == 1 { dropUserPin(slot, last) }
      return RONDO_OK
    }
  }

  @inline(never)
  private static func releaseElsewhere(_ slot: Raw) -> rondo_status {
    let owner = loop(of: slot)
    if rondo_load64(&owner.s.pointee.owner) == Owner.forked { return RONDO_E_WRONG_PROCESS }
    let count = place(&header(slot).pointee.userRefs)
    while true {
      let seen = rondo_load32(count)
      if seen & countMask == 0 { return RONDO_E_STALE_HANDLE }
      let next = seen == 1 ? queued : seen - 1
      if rondo_cas32(count, seen, next) == 0 { continue }
      if seen == 1 { owner.leaveRelease(slot) }
      return RONDO_OK
    }
  }

  @inline(__always)
  private static func dropUserPin(_ slot: Raw, _ last: (Raw) -> Void) {
    if header(slot).pointee.bits & userPinned == 0 { return }
    rondo_poke32(&header(slot).pointee.bits, header(slot).pointee.bits & ~userPinned)
    last(slot)
  }

  /// A slot came off the stack: end C's hold unless somebody took a reference meanwhile.
  static func settleLateRelease(_ slot: Raw, _ last: (Raw) -> Void) {
    let before = rondo_and32(&header(slot).pointee.userRefs, ~queued)
    if before & countMask == 0 { dropUserPin(slot, last) }
  }
}

extension LoopRef {
  /// Put a slot on the stack of late releases and wake the loop for it.
  func leaveRelease(_ slot: Raw) {
    Global.pin(Raw(s))  // once the slot is on the stack nothing else keeps the loop
    let header = slot.assumingMemoryBound(to: ObjectHeader.self)
    let number = UInt32(truncatingIfNeeded: header.pointee.handle)
    while true {
      let top = rondo_load32(&s.pointee.releases)
      rondo_poke32(&header.pointee.nextRelease, top)
      // 0 would be slot 0 of chunk 0, which the slab of loops or errors has taken first: see
      // Registry.prepare and ErrorRef.prepareShared, which every loop calls before it exists.
      if rondo_cas32(&s.pointee.releases, top, number) != 0 { break }
    }
    inbox.wakeForRelease()
    // A closed loop has no passes, so its thread is to look when it comes by.
    if isClosed { Registry.markLate() }
    unpinLoop()
  }

  /// Finish the releases that other threads began.
  @inline(__always)
  func collectReleases() { if rondo_peek32(&s.pointee.releases) != 0 { collectReleasesNow() } }

  @inline(never)  // rare
  private func collectReleasesNow() {
    var number = rondo_swap32(&s.pointee.releases, 0)
    while number != 0 {
      let base = rondo_chunk(number >> 16)!.assumingMemoryBound(to: ChunkHeader.self)
      let found = slot(number: number, size: Int(base.pointee.slotSize))
      number = rondo_peek32(&found.assumingMemoryBound(to: ObjectHeader.self).pointee.nextRelease)
      if base.pointee.kind == Kind.handle {
        Owned.settleLateRelease(found) { HandleRef($0).unpin() }
      } else if base.pointee.kind == Kind.completer {
        s.pointee.hooks.completeLate(found)
      } else {
        let unpin = s.pointee.hooks.unpin
        Owned.settleLateRelease(found) { unpin($0) }
      }
    }
  }
}
