// Scope.swift - what timeouts, task groups, as_completed and cancel scopes have in common as objects.
//
// They belong to a loop, like futures, but are none: nobody awaits them and they have no outcome.
// There are few of them and they are alike in size, so they share one slab and one kind, and a
// word says which of the four a slot is. It is not in the header's flags, which only the owner's
// thread may read: a lookup comes from any thread.
//
// Knows: Slab, Objects. Does not know: what each of them does.

import CRondo
import CRondoShim

/// What each of the four begins with.
struct ScopeHeader {
  var header: ObjectHeader
  var type: UInt32  // any thread; a ScopeType
  var state: UInt32  // the type's own
}

enum ScopeType {
  static let timeout: UInt32 = 1
  static let taskGroup: UInt32 = 2
  static let asCompleted: UInt32 = 3
  static let cancelScope: UInt32 = 4
}

enum Scope {
  static let size = 144

  private static func header(_ raw: Raw) -> UnsafeMutablePointer<ScopeHeader> {
    raw.assumingMemoryBound(to: ScopeHeader.self)
  }

  static func find(_ handle: OpaquePointer?, _ type: UInt32) -> Raw? {
    guard let found = Lookup.find(handleBits(handle), Kind.scope, size),
      rondo_peek32(&header(found).pointee.type) == type
    else { return nil }
    return found
  }

  /// The same, if this thread may use it, also of a closed loop; else ask `refuse`.
  static func owned(_ handle: OpaquePointer?, _ type: UInt32) -> Raw? {
    guard let found = find(handle, type), Owned.loop(of: found).isReadable else { return nil }
    return found
  }

  static func refuse(_ handle: OpaquePointer?, _ type: UInt32) -> rondo_status {
    if let found = find(handle, type) { return Owned.loop(of: found).refusal }
    return Lookup.explain(handleBits(handle), Kind.scope, size)
  }

  static func handle(_ raw: Raw) -> OpaquePointer? { opaque(header(raw).pointee.header.handle) }

  /// A new one with one reference of C's; behind its header it is zero.
  static func make(_ loop: LoopRef, _ type: UInt32) -> Raw? {
    guard let made = Slab.take(loop.scopes, owner: Raw(loop.s)) else { return nil }
    Owned.begin(made, user: true)
    let own = MemoryLayout<ObjectHeader>.stride
    memset(made + own, 0, size - own)
    rondo_poke32(&header(made).pointee.type, type)
    return made
  }

  static func pin(_ raw: Raw) { Owned.pin(raw) }

  static func unpin(_ raw: Raw) { if Owned.unpin(raw) { end(raw) } }

  static func releaseUser(_ raw: Raw) -> rondo_status { Owned.release(raw) { Scope.unpin($0) } }

  private static func end(_ raw: Raw) {
    let loop = Owned.loop(of: raw)
    switch header(raw).pointee.type {
    case ScopeType.timeout: Timeout(raw).letGo()
    case ScopeType.taskGroup: TaskGroup(raw).letGo()
    case ScopeType.cancelScope: CancelScope(raw).letGo()
    default: AsCompleted(raw).letGo()
    }
    Slab.give(loop.scopes, raw)
    if loop.s.pointee.isClosing { loop.freeIfUnused() }
  }

  /// For a callback's or timer's argument: it holds the object.
  static var drop: rondo_drop_fn { { if let raw = $0 { Scope.unpin(raw) } } }
}

extension LoopRef {
  /// A timer, or a call in the next pass if `when` is not to come, with one pin, the caller's.
  func callWhen(_ when: Int64, _ call: Call) -> HandleRef? {
    if when > now {
      guard let timer = callAt(when, call, user: false) else { return nil }
      timer.pin()
      return timer
    }
    guard let soon = callSoon(call) else { return nil }
    if !Owned.moveToPin(Raw(soon.s)) { invariant(false, "a new handle has not one reference of C's") }
    return soon
  }

  /// Cancel what callWhen made, if anything, and let go of it.
  func stopTimer(_ word: UnsafeMutablePointer<UInt64>) {
    guard let raw = address(word.pointee) else { return }
    word.pointee = 0
    let timer = HandleRef(raw)
    cancel(timer)
    timer.unpin()
  }
}
