// ThreadEvent.swift - a flag that threads and the tasks of any loop wait for; and setting a loop's
// event from another thread.
//
// Who waits when it is set has seen it, also if it is cleared before they run: a sleeping thread by the
// turn, a task by having been taken out of the line.
//
// Knows: ThreadLot, GlobalObjects, Event. Does not know: who sets it.

import CRondo
import CRondoShim

struct ThreadEventState {
  var header: ObjectHeader
  var spare: UInt64
  var lock: UInt32  // any thread; at OwnLock.offset
  var isSet: UInt32  // any thread reads; under the lock
  var waiters: ThreadLot  // under the lock
}

struct ThreadEventRef {
  let s: UnsafeMutablePointer<ThreadEventState>

  static let size = MemoryLayout<ThreadEventState>.stride

  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: ThreadEventState.self) }

  static func find(_ handle: OpaquePointer?) -> ThreadEventRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.threadEvent, size) else { return nil }
    return ThreadEventRef(found)
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.threadEvent, size)
  }

  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  var lock: UnsafeMutablePointer<UInt32> { place(&s.pointee.lock) }
  var waiters: ThreadLotPointer { place(&s.pointee.waiters) }
  var isSet: Bool { rondo_load32(&s.pointee.isSet) != 0 }

  /// A new event with one reference of C's; nil if memory is out.
  static func make() -> ThreadEventRef? {
    guard let slot = Global.take(Kind.threadEvent, size) else { return nil }
    let made = ThreadEventRef(slot)
    invariant(Raw(made.lock) - slot == OwnLock.offset, "the lock of an event is not where fork() looks for it")
    rondo_lock(made.lock)
    rondo_store32(&made.s.pointee.isSet, 0)
    made.s.pointee.waiters = .empty
    rondo_unlock(made.lock)
    return made
  }

  func pin() { Global.pin(Raw(s)) }
  func unpin() { if Global.unpin(Raw(s)) { end() } }
  func releaseUser() -> rondo_status { Global.release(Raw(s)) { end() } }
  private func end() { Global.give(Kind.threadEvent, Raw(s)) }

  func set() {
    rondo_lock(lock)
    if isSet { return rondo_unlock(lock) }
    rondo_store32(&s.pointee.isSet, 1)
    let limit = waiters.pointee.entered
    let wake = waiters.wakeSleepers()
    rondo_unlock(lock)
    wake.deliver()
    waiters.wakeTasks(lock, upTo: limit)
  }

  func clear() {
    rondo_lock(lock)
    rondo_store32(&s.pointee.isSet, 0)
    rondo_unlock(lock)
  }

  func wait(_ timeout: Int64) -> rondo_status {
    var turn: UInt32?
    return waiters.wait(lock, timeout) {
      let isOver = isSet || waiters.pointee.turn != turn ?? waiters.pointee.turn
      turn = waiters.pointee.turn
      return (isOver ? RONDO_OK : RONDO_E_TIMEOUT, ThreadWake())
    }
  }
}

// MARK: - a loop's event, from any thread

extension SyncRef {
  /// Have the loop set it in its next pass.
  func postSet() -> rondo_status {
    let status = Owned.retain(raw)
    if status != RONDO_OK { return status }
    let call = Call(
      fn: { SyncRef($0!).setEventAnyhow() }, arg: raw, drop: { _ = Owned.release($0!) { SyncObjects.unpin($0) } },
      context: 0)
    let loop = loop
    let posted = loop.post(call, handle: loop.s.pointee.header.handle)
    if posted != RONDO_OK { _ = Owned.release(raw) { SyncObjects.unpin($0) } }
    return posted
  }

  /// Without memory its waiters are woken in a later pass.
  private func setEventAnyhow() {
    if isSet { return }
    s.pointee.phase = 1
    lot.wake(atMost: UInt64.max)
  }
}
