// SyncWait.swift - the frame of every coroutine that waits for one of the five, and how it waits.
//
// A step ends by awaiting the future of the frame's own place in a parking lot; `stage` says which
// lot that was. Taking the lock is here because three kinds of coroutines do it.
//
// Knows: SyncObject, Lock. Does not know: events, conditions, semaphores, barriers.

import CRondo
import CRondoShim

struct SyncFrame {
  var hold: SyncHold
  var stage: Int32
  var hasLock: Bool  // a barrier's: this coroutine took its lock
  var isCounted: Bool  // a barrier's: this coroutine is in it
  var place: ParkingPlace
  var error: UInt64  // address, pinned: what to raise once the lock is taken again
  var predicate: rondo_predicate_fn?
  var arg: Value
  var index: UInt64
}

enum SyncStage {
  static let start: Int32 = 0
  static let waiting: Int32 = 1  // for what the object is there for
  static let locking: Int32 = 2  // for the lock, at the beginning
  static let relocking: Int32 = 3  // for the lock, after a notification
  static let retrying: Int32 = 4  // a pass, for there was no memory to wait for the lock with
}

struct SyncWait {
  let s: UnsafeMutablePointer<SyncFrame>

  init(_ frame: Raw?) { s = frame.unsafelyUnwrapped.assumingMemoryBound(to: SyncFrame.self) }

  /// A coroutine that waits for `object`; `arg` moves on success. Nil, and why not.
  static func make(_ object: SyncRef, _ name: StaticString, _ step: @escaping rondo_step_fn,
                   _ predicate: rondo_predicate_fn? = nil, _ arg: Value = .none) -> (CoroutineRef?, rondo_status) {
    guard let (made, frame) = CoroutineRef.makeNative(name, step, SyncFrame.self, { SyncWait($0).letGo() }) else {
      return (nil, -ENOMEM)
    }
    let status = place(&frame.pointee.hold).take(object.raw)
    if status != RONDO_OK {
      made.giveUp()
      return (nil, status)
    }
    frame.pointee.predicate = predicate
    frame.pointee.arg = arg
    return (made, RONDO_OK)
  }

  private func letGo() {
    let arg = s.pointee.arg
    s.pointee.arg = .none
    parking.leave()
    takeError()?.unpin()
    place(&s.pointee.hold).letGo()
    arg.dispose()
  }

  var object: SyncRef { SyncRef(address(s.pointee.hold.object)!) }
  var parking: PlacePointer { place(&s.pointee.place) }
  var isFirst: Bool { s.pointee.stage == SyncStage.start }

  /// The error, pinned, for which the first step must not go on.
  func begin() -> ErrorRef? { place(&s.pointee.hold).begin() }

  // MARK: - waiting

  /// Wait in a lot: what the step is to answer; nil, and nothing done, if memory is out.
  func wait(in lot: LotPointer, _ stage: Int32) -> rondo_step? {
    guard let future = lot.park(parking, object.loop) else { return nil }
    s.pointee.stage = stage
    return Native.awaits(future.handle, moved: false)
  }

  static func raiseOutOfMemory() -> rondo_step { Native.raise(ErrorRef.of(-ENOMEM)) }

  // MARK: - the lock

  /// The wait for the lock is over: nil if it is taken, else the error, pinned.
  func endLocking(_ thrown: OpaquePointer?) -> ErrorRef? {
    parking.leave()
    let lock = object.lock
    guard let error = ErrorRef.find(thrown) else {
      lock.pointee.isLocked = true
      return nil
    }
    // It may have been woken to take the lock: whoever is first now gets it. On every error, though
    // asyncio does it on cancellations only: a coroutine that is closed is woken in vain as well.
    if !lock.pointee.isLocked { lock.wakeFirst() }
    error.pin()
    return error
  }

  // MARK: - the error to raise later

  /// Remember it, pinned here; the latest counts.
  func note(_ thrown: OpaquePointer?) {
    guard let error = ErrorRef.find(thrown) else { return }
    error.pin()
    takeError()?.unpin()
    s.pointee.error = bits(error.state)
  }

  /// With its pin.
  func takeError() -> ErrorRef? {
    guard let raw = address(s.pointee.error) else { return nil }
    s.pointee.error = 0
    return ErrorRef(raw)
  }

  var error: ErrorRef? {
    address(s.pointee.error).map { ErrorRef($0) }
  }
}
