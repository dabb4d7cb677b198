// SyncObject.swift - locks, events, conditions, semaphores, barriers: objects of a loop.
//
// They are small and much the same, so they share one kind of slot and a word that says which of
// the five it is. C's references and the library's pins are counted as those of futures.
//
// A coroutine that is about to wait may be dropped on any thread, so it holds one of C's
// references. With its first step, on the loop's thread, that becomes a pin, which keeps the
// object's parking lot where it is for as long as the coroutine may stand in it.
//
// Knows: Task, ParkingLot. Does not know: what each of the five does.

import CRondo
import CRondoShim

enum SyncType {
  static let lock: UInt32 = 1
  static let event: UInt32 = 2
  static let condition: UInt32 = 3
  static let semaphore: UInt32 = 4
  static let barrier: UInt32 = 5
}

/// A lock by itself: that of a lock object, or a condition's or a barrier's own.
struct LockPart {
  var isLocked: Bool
  var lot: ParkingLot

  static let free = LockPart(isLocked: false, lot: .empty)
}

struct SyncState {
  var header: ObjectHeader
  var type: UInt32  // a SyncType
  var phase: UInt32  // an event: 1 if it is set; a barrier: a BarrierPhase
  var lock: LockPart
  var lot: ParkingLot  // who waits for the event, the condition, a unit
  var value: UInt64  // a semaphore's units; who is in a barrier
  var limit: UInt64  // how many units a semaphore may have; a barrier's parties
  var given: UInt64  // the address of the lock that a condition was given, pinned; 0: its own
}

struct SyncRef {
  let s: UnsafeMutablePointer<SyncState>

  static let size = MemoryLayout<SyncState>.stride

  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: SyncState.self) }

  static func find(_ handle: OpaquePointer?, _ type: UInt32) -> SyncRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.sync, size) else { return nil }
    let object = SyncRef(found)
    return object.s.pointee.type == type ? object : nil
  }

  /// The same, if this thread may use it; else ask `refuse`. Also when the loop is closed.
  static func owned(_ handle: OpaquePointer?, _ type: UInt32) -> SyncRef? {
    guard let found = find(handle, type), found.loop.isReadable else { return nil }
    return found
  }

  @inline(never)  // the cold way out
  static func refuse(_ handle: OpaquePointer?, _ type: UInt32) -> rondo_status {
    if let found = find(handle, type) { return found.loop.refusal }
    return Lookup.explain(handleBits(handle), Kind.sync, size)
  }

  var raw: Raw { Raw(s) }
  var loop: LoopRef { Owned.loop(of: raw) }
  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  var lot: LotPointer { place(&s.pointee.lot) }
  var lock: UnsafeMutablePointer<LockPart> {
    address(s.pointee.given).map { place(&SyncRef($0).s.pointee.lock) } ?? place(&s.pointee.lock)
  }

  /// A new object with one reference of C's.
  static func make(_ loop: LoopRef, _ type: UInt32, value: UInt64 = 0, limit: UInt64 = 0) -> SyncRef? {
    guard let slot = Slab.take(loop.syncs, owner: Raw(loop.s)) else { return nil }
    Owned.begin(slot, user: true)
    let made = SyncRef(slot)
    made.s.pointee.type = type
    made.s.pointee.phase = 0
    made.s.pointee.lock = .free
    made.s.pointee.lot = .empty
    made.s.pointee.value = value
    made.s.pointee.limit = limit
    made.s.pointee.given = 0
    return made
  }

  func unpin() { if Owned.unpin(raw) { end() } }

  private func end() {
    let loop = loop
    let given = address(s.pointee.given)
    Slab.give(loop.syncs, raw)
    // Not the last of the loop's objects then, so the loop is still there.
    if let given { SyncRef(given).unpin() } else if loop.s.pointee.isClosing { loop.freeIfUnused() }
  }
}

enum SyncObjects {
  /// Give back a pin of an object of this room.
  static func unpin(_ raw: Raw) {
    if chunk(of: raw).pointee.kind == Kind.queue { QueueRef(raw).unpin() } else { SyncRef(raw).unpin() }
  }

  static func isOne(_ raw: Raw) -> Bool {
    let kind = chunk(of: raw).pointee.kind
    return kind == Kind.sync || kind == Kind.queue
  }
}

extension LoopRef {
  /// Set up a new loop for the objects of this room, after prepareTasks().
  func prepareSync() {
    Slab.prepare(syncs, kind: Kind.sync, size: SyncRef.size)
    Slab.prepare(queues, kind: Kind.queue, size: QueueRef.size)
    s.pointee.hooks.unpin = { raw in
      if SyncObjects.isOne(raw) { SyncObjects.unpin(raw) } else { LoopRef.unpinTaskObject(raw) }
    }
  }
}

// MARK: - what a coroutine's frame holds

struct SyncHold {
  var handle: OpaquePointer?  // with a reference of C's, until the first step
  var object: UInt64  // address, pinned, from the first step on
}

extension UnsafeMutablePointer where Pointee == SyncHold {
  private var found: Raw? {
    let name = handleBits(pointee.handle)
    return Lookup.find(name, Kind.sync, SyncRef.size) ?? Lookup.find(name, Kind.queue, QueueRef.size)
  }

  /// Take a reference of an object on its loop's thread.
  func take(_ raw: Raw) -> rondo_status {
    let status = Owned.retain(raw)
    pointee = SyncHold(handle: status == RONDO_OK ? opaque(raw.load(as: UInt64.self)) : nil, object: 0)
    return status
  }

  /// The first step: the reference becomes a pin. Else an error, pinned, that says why the object
  /// cannot be waited for here.
  func begin() -> ErrorRef? {
    guard let raw = found else { return ErrorRef.of(RONDO_E_STALE_HANDLE) }
    let loop = Owned.loop(of: raw)
    if !loop.isMine { return ErrorRef.of(loop.refusal) }
    let running = rondo_thread()!.pointee.running
    if running != 0 && running != bits(loop.s) { return ErrorRef.of(RONDO_E_WRONG_LOOP) }
    Owned.pin(raw)
    pointee = SyncHold(handle: nil, object: bits(raw))
    _ = Owned.release(raw) { SyncObjects.unpin($0) }
    return nil
  }

  func letGo() {
    if let object = address(pointee.object) {
      pointee.object = 0
      SyncObjects.unpin(object)
    } else if let raw = found {
      pointee.handle = nil
      _ = Owned.release(raw) { SyncObjects.unpin($0) }
    }
  }
}
