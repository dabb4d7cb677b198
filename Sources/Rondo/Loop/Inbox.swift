// Inbox.swift - calls that other threads leave for the loop.
//
// A vector under a lock of one word. Producers append; the loop swaps the vector for an empty one
// and moves the calls to its ring, so each producer's calls keep their order and memory is reused.
// A lock-free list needs a node per post and came out slower (see docs/decisions).
//
// Waking: the loop says under the lock that it goes to sleep, and only if the vector is empty. The
// first producer that finds it asleep writes to the eventfd; the others see that somebody did.
// So one sleep costs one wake-up, and none costs none.
//
// Knows: Base, System. Does not know: what the calls do.

import CRondo
import CRondoShim

struct Inbox {
  var lock: UInt32  // any thread
  var count: UInt32  // any thread reads; under the lock; cells
  var calls: RingCells?  // under the lock
  var capacity: Int  // under the lock
  var spare: RingCells?  // the loop's thread
  var spareCapacity: Int
  var isClosed: Bool  // under the lock
  var isSleeping: Bool  // under the lock
  var isSignaled: Bool  // under the lock
  var takesPlain: Bool  // under the lock; open, and nobody asks which thread made a call
  var writers: UInt32  // any thread; who is about to write to the eventfd
  var wake: Int32  // under the lock; the eventfd, -1 before the first sleep

  static let empty = Inbox(
    lock: 0, count: 0, calls: nil, capacity: 0, spare: nil, spareCapacity: 0, isClosed: false,
    isSleeping: false, isSignaled: false, takesPlain: true, writers: 0, wake: -1)
}

typealias InboxPointer = UnsafeMutablePointer<Inbox>

extension UnsafeMutablePointer where Pointee == Inbox {
  @inline(__always)
  var lock: UnsafeMutablePointer<UInt32> { place(&pointee.lock) }

  // MARK: - producers, under the lock

  @inline(__always)
  func append(_ call: Call) -> Bool {
    let count = Int(pointee.count)
    if count + 2 > pointee.capacity && !grow() { return false }
    let size = Cells.size(call)
    Cells.write(call, size, to: pointee.calls.unsafelyUnwrapped + count)
    rondo_poke32(&pointee.count, UInt32(count + size))
    return true
  }

  @inline(never)  // the slow half of append
  private func grow() -> Bool {
    let capacity = Swift.max(128, pointee.capacity * 2)
    if capacity > Int(UInt32.max) { return false }
    guard let bigger = allocateArray(RingCell.self, capacity) else { return false }
    if let calls = pointee.calls {
      memcpy(bigger, calls, Int(pointee.count) * MemoryLayout<RingCell>.stride)
      free(calls)
    }
    pointee.calls = bigger
    pointee.capacity = capacity
    return true
  }

  /// True if nobody has woken the loop from the sleep that it is in, or goes to.
  @inline(__always)
  var needsWaking: Bool { pointee.isSleeping && !pointee.isSignaled }

  /// Wake the loop and let go of the lock, which is not held while writing: the loop's thread, just
  /// woken, would find it locked and go to sleep again, and every other producer behind it. Counted
  /// until it is over, because close() must not give the descriptor's number back before. If it
  /// fails, `call` is taken back, unless the loop has it already: it was up anyway, so that will run.
  /// (Calls that came during the write stay. They run in the next pass, whatever brings it about.)
  @inline(never)  // once per sleep
  func signalAndUnlock(for call: Call?) -> rondo_status {
    pointee.isSignaled = true
    let fd = pointee.wake
    _ = rondo_add32(&pointee.writers, 1)
    rondo_unlock(lock)
    var status = WakeUp.signal(fd)
    if status != RONDO_OK && !takeBack(call) { status = RONDO_OK }
    // Others may have relied on this wake-up and been told that all is well.
    if status != RONDO_OK && call != nil && !isEmpty { wakeForRelease() }
    _ = rondo_add32(&pointee.writers, UInt32.max)  // pairs with waitForWriters
    return status
  }

  private func takeBack(_ call: Call?) -> Bool {
    rondo_lock(lock)
    defer { rondo_unlock(lock) }
    pointee.isSignaled = false
    guard let call else { return true }
    guard let found = lastPlace(of: call) else { return false }
    removeCells(at: found, Cells.size(call))
    // The mark before it, which a seeded loop has, would be left alone.
    var at = 0
    if pointee.count == 1 && LoopRef.isMark(Cells.read(pointee.calls!, &at)) { removeCells(at: 0, 1) }
    return true
  }

  private func lastPlace(of call: Call) -> Int? {
    var found: Int?
    var at = 0
    while at < Int(pointee.count) {
      let place = at
      let seen = Cells.read(pointee.calls!, &at)
      if seen.arg == call.arg && seen.context == call.context
        && unsafeBitCast(seen.fn, to: UInt.self) == unsafeBitCast(call.fn, to: UInt.self)
        && unsafeBitCast(seen.drop, to: UInt.self) == unsafeBitCast(call.drop, to: UInt.self)
      {
        found = place
      }
    }
    return found
  }

  private func removeCells(at place: Int, _ size: Int) {
    let left = Int(pointee.count) - size
    memmove(pointee.calls! + place, pointee.calls! + place + size, (left - place) * MemoryLayout<RingCell>.stride)
    rondo_poke32(&pointee.count, UInt32(left))
  }

  /// Until nobody is about to write to the descriptor, which goes. The inbox is shut: no new ones.
  func waitForWriters() {
    while rondo_load32(&pointee.writers) != 0 { _ = sched_yield() }
  }

  /// Wake the loop for something that is not a call. If that fails it waits for the next pass.
  func wakeForRelease() {
    rondo_lock(lock)
    if needsWaking { _ = signalAndUnlock(for: nil) } else { rondo_unlock(lock) }
  }

  // MARK: - the loop's thread

  @inline(__always)
  var isEmpty: Bool { rondo_load32(&pointee.count) == 0 }

  /// True if the loop may sleep now: from here on producers wake it.
  func fallAsleep(_ wake: Int32) -> Bool {
    rondo_lock(lock)
    let quiet = pointee.count == 0
    if quiet {
      pointee.isSleeping = true
      pointee.wake = wake
    }
    rondo_unlock(lock)
    return quiet
  }

  /// The sleep is over: producers need not wake it.
  func wakeUp() {
    rondo_lock(lock)
    pointee.isSleeping = false
    pointee.isSignaled = false
    rondo_unlock(lock)
  }

  /// Take calls of up to `room` cells: the vector, which lasts until the next time, and the number
  /// of cells. None if there is no memory to put the rest into; then there is `takeFirst`.
  func take(_ room: Int) -> (RingCells?, Int) {
    rondo_lock(lock)
    defer { rondo_unlock(lock) }
    let count = Int(pointee.count)
    let taken = pointee.calls
    let takenCapacity = pointee.capacity
    let goes = count <= room ? count : wholeCalls(room)
    let left = count - goes
    if left > 0 {
      // Not enough memory for all: the rest stays. Rare, so it may copy under the lock.
      if pointee.spareCapacity < left || goes == 0 { return (nil, 0) }
      memcpy(pointee.spare!, taken! + goes, left * MemoryLayout<RingCell>.stride)
    }
    pointee.calls = pointee.spare
    pointee.capacity = pointee.spareCapacity
    pointee.spare = taken
    pointee.spareCapacity = takenCapacity
    rondo_poke32(&pointee.count, UInt32(left))
    return (taken, goes)
  }

  /// How many cells the first calls take that fit into `room`.
  private func wholeCalls(_ room: Int) -> Int {
    var at = 0
    while true {
      let before = at
      _ = Cells.read(pointee.calls!, &at)
      if at > room { return before }
    }
  }

  /// Take the first call only: slow, but it needs no memory at all.
  func takeFirst() -> Call? {
    rondo_lock(lock)
    defer { rondo_unlock(lock) }
    if pointee.count == 0 { return nil }
    var at = 0
    let first = Cells.read(pointee.calls!, &at)
    removeCells(at: 0, at)
    return first
  }

  /// Refuse calls from now on, under the lock; what is in it stays for `take`.
  func shut() {
    pointee.isClosed = true
    pointee.takesPlain = false
    pointee.wake = -1
    pointee.isSleeping = false
  }

  func deallocateCalls() {
    rondo_lock(lock)
    free(pointee.calls)
    free(pointee.spare)
    pointee.calls = nil
    pointee.spare = nil
    pointee.capacity = 0
    pointee.spareCapacity = 0
    rondo_unlock(lock)
  }
}

extension LoopRef {
  /// Leave a plain call from any thread if nothing is in the way: the lock is free, the loop open
  /// and awake, the vector has room. False, and nothing done, if something is.
  @inline(__always)
  func postPlain(_ fn: @escaping rondo_call_fn, _ arg: Raw?, handle: UInt64) -> Bool {
    if rondo_try_lock(inbox.lock) == 0 { return false }
    let count = Int(inbox.pointee.count)
    let goes = rondo_peek64(&s.pointee.header.handle) == handle && rondo_peek64(&s.pointee.owner) > Owner.dead
      && inbox.pointee.takesPlain && !inbox.needsWaking && count < inbox.pointee.capacity
    if goes {
      (inbox.pointee.calls.unsafelyUnwrapped + count).initialize(to: RingCell(
        word: unsafeBitCast(fn, to: UInt.self), other: UInt(bitPattern: arg)))
      rondo_poke32(&inbox.pointee.count, UInt32(truncatingIfNeeded: count + 1))
    }
    rondo_unlock(inbox.lock)
    return goes
  }

  /// Leave a call from any thread. On failure nothing was kept and the caller drops what moved.
  @inline(__always)
  func post(_ call: Call, handle: UInt64) -> rondo_status {
    rondo_lock(inbox.lock)
    if inbox.pointee.isClosed || rondo_peek64(&s.pointee.owner) <= Owner.dead
      || rondo_peek64(&s.pointee.header.handle) != handle
    {
      return refusePost(handle)
    }
    if (!inbox.pointee.takesPlain && !markPoster()) || !inbox.append(call) {
      rondo_unlock(inbox.lock)
      return -ENOMEM
    }
    if inbox.needsWaking { return inbox.signalAndUnlock(for: call) }
    rondo_unlock(inbox.lock)
    return RONDO_OK
  }

  @inline(never)
  private func refusePost(_ handle: UInt64) -> rondo_status {
    let owner = rondo_peek64(&s.pointee.owner)
    let same = rondo_peek64(&s.pointee.header.handle) == handle
    rondo_unlock(inbox.lock)
    if !same { return RONDO_E_STALE_HANDLE }
    switch owner {
    case Owner.forked: return RONDO_E_WRONG_PROCESS
    case Owner.dead: return RONDO_E_OWNER_DEAD
    default: return RONDO_E_LOOP_CLOSED
    }
  }
}
