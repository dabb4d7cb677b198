// ParkingLot.swift - who waits for a lock, an event, a queue: first come, first woken.
//
// The one primitive under everything in this room. Who waits is a coroutine, and its place is a
// part of its frame, so that waiting allocates nothing but the future that the coroutine awaits.
// Waking is completing that future. Cancelling it needs no help from here: the coroutine is
// stepped with the cancellation, leaves its place and hands on what it was woken for. Until that
// step its place stays taken, as in asyncio, whose hop counts this keeps.
//
// Woken ones at the front are not looked at again for each wake-up: `cursor` is behind them.
//
// Knows: Future. Does not know: what is waited for.

import CRondo
import CRondoShim

/// A place in a lot. Zeroed it is in none.
struct ParkingPlace {
  var next: UInt64
  var previous: UInt64
  var lot: UInt64  // address; 0: in none, or taken out when it was woken
  var future: UInt64  // address, pinned; 0 for none
}

struct ParkingLot {
  var first: UInt64  // address of a place
  var last: UInt64
  var cursor: UInt64  // whoever is before this one is done; 0: everybody is

  static let empty = ParkingLot(first: 0, last: 0, cursor: 0)
}

typealias PlacePointer = UnsafeMutablePointer<ParkingPlace>
typealias LotPointer = UnsafeMutablePointer<ParkingLot>

extension UnsafeMutablePointer where Pointee == ParkingPlace {
  static func at(_ value: UInt64) -> PlacePointer? { address(value)?.assumingMemoryBound(to: ParkingPlace.self) }

  var future: FutureRef { FutureRef(address(pointee.future)!) }

  /// Woken, and not cancelled before that.
  var isWoken: Bool { future.state == RONDO_FUTURE_RESULT }

  func wake() { future.complete(RONDO_FUTURE_RESULT, .none) }

  /// Wait no longer, if it does.
  func leave() {
    address(pointee.lot)?.assumingMemoryBound(to: ParkingLot.self).remove(self)
    guard let future = address(pointee.future) else { return }
    pointee.future = 0
    FutureRef(future).unpin()
  }
}

extension UnsafeMutablePointer where Pointee == ParkingLot {
  var first: PlacePointer? { PlacePointer.at(pointee.first) }

  /// Queue up with a new future of the loop's; nil, and nothing done, if memory is out.
  func park(_ place: PlacePointer, _ loop: LoopRef) -> FutureRef? {
    guard let future = FutureRef.make(loop, user: false) else { return nil }
    future.add(FutureBits.library)
    place.pointee = ParkingPlace(next: 0, previous: pointee.last, lot: bits(self), future: bits(future.s))
    if let last = PlacePointer.at(pointee.last) {
      last.pointee.next = bits(place)
    } else {
      pointee.first = bits(place)
    }
    pointee.last = bits(place)
    if pointee.cursor == 0 { pointee.cursor = bits(place) }
    return future
  }

  func remove(_ place: PlacePointer) {
    let next = place.pointee.next
    let previous = place.pointee.previous
    if pointee.cursor == bits(place) { pointee.cursor = next }
    if let next = PlacePointer.at(next) { next.pointee.previous = previous } else { pointee.last = previous }
    if let previous = PlacePointer.at(previous) { previous.pointee.next = next } else { pointee.first = next }
    place.pointee.lot = 0
  }

  /// The first one that is neither woken nor cancelled.
  var firstPending: PlacePointer? {
    while let place = PlacePointer.at(pointee.cursor) {
      if !place.future.isDone { return place }
      pointee.cursor = place.pointee.next
    }
    return nil
  }

  /// True if nobody is here but those who were cancelled and have not left yet.
  var isDeserted: Bool {
    var at = first
    while let place = at {
      if !place.future.isCancelled { return false }
      at = PlacePointer.at(place.pointee.next)
    }
    return true
  }

  // MARK: - waking

  /// Wake the next one; false if there is none.
  func wakeNext() -> Bool {
    guard let place = firstPending else { return false }
    place.wake()
    return true
  }

  func wake(atMost count: UInt64) {
    var left = count
    while left > 0 && wakeNext() { left -= 1 }
  }

  /// Wake the next one and take it out; whoever is before it has been woken or cancelled and is
  /// taken out, too.
  func takeOutAndWakeNext() {
    while let place = first {
      remove(place)
      if place.future.isDone { continue }
      return place.wake()
    }
  }

  func takeOutAndWakeAll() {
    while first != nil { takeOutAndWakeNext() }
  }

  /// How many would be woken.
  func countPending(atMost limit: UInt64) -> Int {
    var count = 0
    var at = firstPending
    while let place = at, count < limit {
      if !place.future.isDone { count += 1 }
      at = PlacePointer.at(place.pointee.next)
    }
    return count
  }

  /// Make sure that waking so many cannot fail.
  func canWake(atMost limit: UInt64, _ loop: LoopRef) -> Bool {
    pointee.cursor == 0 || loop.canWake(countPending(atMost: limit))
  }
}

extension LoopRef {
  /// Room for waking so many. On a closed loop nobody is woken, and the ring is gone.
  func canWake(_ count: Int) -> Bool { count == 0 || s.pointee.isClosing || ready.reserve(count) }
}
