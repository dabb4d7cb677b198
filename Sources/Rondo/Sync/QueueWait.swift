// QueueWait.swift - the coroutines of a queue: put, get, join.
//
// put and get look, wait, and look again, as asyncio's do; in between somebody else may have been
// faster. Whoever leaves with an error after it was woken wakes the next one, if there still is
// something to be had.
//
// Knows: Queue. Does not know: who puts and gets.

import CRondo
import CRondoShim

struct QueueFrame {
  var hold: SyncHold
  var hasBegun: Bool
  var place: ParkingPlace
  var item: Value  // put's, until it is in the queue
}

struct QueueWait {
  let s: UnsafeMutablePointer<QueueFrame>

  private init(_ frame: Raw?) { s = frame.unsafelyUnwrapped.assumingMemoryBound(to: QueueFrame.self) }

  /// `item` moves on success. Nil, and why not.
  private static func make(_ queue: QueueRef, _ name: StaticString, _ step: @escaping rondo_step_fn,
                           _ item: Value = .none) -> (CoroutineRef?, rondo_status) {
    guard let (made, frame) = CoroutineRef.makeNative(name, step, QueueFrame.self, { QueueWait($0).letGo() }) else {
      return (nil, -ENOMEM)
    }
    let status = place(&frame.pointee.hold).take(queue.raw)
    if status != RONDO_OK {
      made.giveUp()
      return (nil, status)
    }
    frame.pointee.item = item
    return (made, RONDO_OK)
  }

  static func put(_ queue: QueueRef, _ item: Value) -> (CoroutineRef?, rondo_status) {
    make(queue, "Queue.put", { QueueWait($1).putStep($3) }, item)
  }

  static func get(_ queue: QueueRef) -> (CoroutineRef?, rondo_status) {
    make(queue, "Queue.get", { QueueWait($1).getStep($3) })
  }

  static func join(_ queue: QueueRef) -> (CoroutineRef?, rondo_status) {
    make(queue, "Queue.join", { QueueWait($1).joinStep($3) })
  }

  private func letGo() {
    let item = s.pointee.item
    s.pointee.item = .none
    parking.leave()
    place(&s.pointee.hold).letGo()
    item.dispose()
  }

  private var queue: QueueRef { QueueRef(address(s.pointee.hold.object)!) }
  private var parking: PlacePointer { place(&s.pointee.place) }

  /// The error, pinned, for which the first step must not go on.
  private func begin() -> ErrorRef? {
    if s.pointee.hasBegun { return nil }
    if let error = place(&s.pointee.hold).begin() { return error }
    s.pointee.hasBegun = true
    return nil
  }

  private func wait(in lot: LotPointer) -> rondo_step {
    guard let future = lot.park(parking, queue.loop) else { return SyncWait.raiseOutOfMemory() }
    return Native.awaits(future.handle, moved: false)
  }

  private static func raise(_ status: rondo_status) -> rondo_step { Native.raise(ErrorRef.of(status)) }

  // MARK: - put

  private func putStep(_ thrown: OpaquePointer?) -> rondo_step {
    if let refused = begin() { return Native.raise(refused) }
    if thrown != nil {
      let wasWoken = leave()
      if wasWoken && !queue.isFull { queue.putters.takeOutAndWakeNext() }
      return Native.raise(nil, thrown)
    }
    parking.leave()
    if queue.isFull {
      return queue.s.pointee.isShutDown ? QueueWait.raise(RONDO_E_QUEUE_SHUT_DOWN) : wait(in: queue.putters)
    }
    let status = queue.put(s.pointee.item, checked: false)
    if status == RONDO_OK {
      s.pointee.item = .none
      return Native.value(.none)
    }
    // The room it was woken for is another's now.
    if status != RONDO_E_QUEUE_SHUT_DOWN { queue.putters.takeOutAndWakeNext() }
    return QueueWait.raise(status)
  }

  // MARK: - get

  private func getStep(_ thrown: OpaquePointer?) -> rondo_step {
    if let refused = begin() { return Native.raise(refused) }
    if thrown != nil {
      let wasWoken = leave()
      if wasWoken && !queue.isEmpty { queue.getters.takeOutAndWakeNext() }
      return Native.raise(nil, thrown)
    }
    parking.leave()
    if queue.isEmpty {
      return queue.s.pointee.isShutDown ? QueueWait.raise(RONDO_E_QUEUE_SHUT_DOWN) : wait(in: queue.getters)
    }
    let (item, status) = queue.get(checked: false)
    if status == RONDO_OK { return Native.value(item) }
    queue.getters.takeOutAndWakeNext()
    return QueueWait.raise(status)
  }

  /// Wait no longer; whether it had been woken.
  private func leave() -> Bool {
    let wasWoken = s.pointee.place.future != 0 && parking.isWoken
    parking.leave()
    return wasWoken
  }

  // MARK: - join

  private func joinStep(_ thrown: OpaquePointer?) -> rondo_step {
    let isFirst = !s.pointee.hasBegun
    if let refused = begin() { return Native.raise(refused) }
    if isFirst && queue.s.pointee.unfinished > 0 { return wait(in: queue.joiners) }
    parking.leave()
    return thrown == nil ? Native.value(.none) : Native.raise(nil, thrown)
  }
}
