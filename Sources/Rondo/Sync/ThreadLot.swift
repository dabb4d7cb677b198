// ThreadLot.swift - who waits for something that threads and tasks share.
//
// Threads sleep on a word, `turn`, which changes with every wake-up. Tasks stand in a line, each with a
// place in its coroutine's frame and a future of its loop; the line holds one of C's references of that
// future, which other threads may pass on. All of it is under the lock of the object, and what is left
// to do after it (waking the sleeper, the loop) is in a ThreadWake.
//
// Who is woken looks again, and takes what it finds. One thread and one task are woken for one item, so
// that a loop that does not run keeps nothing from the threads; whoever comes second waits on.
//
// A wake-up never fails. It is a call in the loop's inbox; without memory for that, it is the late
// release of the future, which needs none and ends it as a broken promise. A loop that is closed,
// forked or orphaned is passed over.
//
// Knows: Inbox, Future. Does not know: what is waited for.

import CRondo
import CRondoShim

/// A task's place. Zeroed it stands nowhere.
struct ThreadPlace {
  var next: UInt64
  var previous: UInt64
  var lot: UInt64  // under the lock; address, 0: not in the line
  var future: UInt64  // under the lock; address
  var number: UInt64  // under the lock
  var isParked: Bool  // the task's; it awaits the future
}

struct ThreadLot {
  var first: UInt64  // address of a place
  var last: UInt64
  var entered: UInt64  // the number of the last one that came
  var turn: UInt32  // any thread, a futex; changes under the lock
  var sleepers: UInt32

  static let empty = ThreadLot(first: 0, last: 0, entered: 0, turn: 0, sleepers: 0)
}

/// What is to be done once the lock is free.
struct ThreadWake {
  var word: UnsafeMutablePointer<UInt32>? = nil
  var isForAll = false
  var loop: LoopRef? = nil  // has a call in its inbox and may sleep
  var own: FutureRef? = nil  // of this thread's loop, with one of C's references
  var late: FutureRef? = nil  // with one of C's references: releasing it is the wake-up

  func deliver() {
    if let word { isForAll ? rondo_shim_wake_all(word) : rondo_shim_wake_one(word) }
    if let loop { loop.inbox.wakeForRelease() }
    if let own { ThreadWake.complete(own) }
    if let future = own ?? late { _ = future.releaseUser() }
  }

  static func complete(_ future: FutureRef) {
    if !future.isDone { future.complete(RONDO_FUTURE_RESULT, .none) }
  }
}

typealias ThreadLotPointer = UnsafeMutablePointer<ThreadLot>
typealias ThreadPlacePointer = UnsafeMutablePointer<ThreadPlace>

extension UnsafeMutablePointer where Pointee == ThreadPlace {
  fileprivate static func at(_ value: UInt64) -> ThreadPlacePointer? {
    address(value)?.assumingMemoryBound(to: ThreadPlace.self)
  }
}

// MARK: - under the lock of the object

extension UnsafeMutablePointer where Pointee == ThreadLot {
  /// Stand in line with a future of this thread's loop, whose only reference of C's moves here.
  func enter(_ place: ThreadPlacePointer, _ future: FutureRef) {
    pointee.entered += 1
    place.pointee = ThreadPlace(
      next: 0, previous: pointee.last, lot: bits(self), future: bits(future.s), number: pointee.entered, isParked: true)
    if let last = ThreadPlacePointer.at(pointee.last) {
      last.pointee.next = bits(place)
    } else {
      pointee.first = bits(place)
    }
    pointee.last = bits(place)
  }

  /// The reference of the future is the caller's then.
  func remove(_ place: ThreadPlacePointer) {
    let next = place.pointee.next
    let previous = place.pointee.previous
    if let next = ThreadPlacePointer.at(next) { next.pointee.previous = previous } else { pointee.last = previous }
    if let previous = ThreadPlacePointer.at(previous) { previous.pointee.next = next } else { pointee.first = next }
    place.pointee.lot = 0
  }

  /// Wake a thread that sleeps and a task that stands in line.
  func wakeOne() -> ThreadWake {
    var (wake, _) = wakeNextTask(after: 0, upTo: UInt64.max)
    if pointee.sleepers > 0 { wake.word = turnOver() }
    return wake
  }

  /// Wake every thread; the tasks follow with wakeTasks().
  func wakeSleepers() -> ThreadWake {
    let word = turnOver()
    return pointee.sleepers > 0 ? ThreadWake(word: word, isForAll: true) : ThreadWake()
  }

  private func turnOver() -> UnsafeMutablePointer<UInt32> {
    rondo_store32(&pointee.turn, pointee.turn &+ 1)
    return place(&pointee.turn)
  }

  /// Take the next task that can be woken out of the line; and its number, 0 for none.
  fileprivate func wakeNextTask(after last: UInt64, upTo limit: UInt64) -> (ThreadWake, UInt64) {
    var at = pointee.first
    while let place = ThreadPlacePointer.at(at), place.pointee.number <= limit {
      at = place.pointee.next
      if place.pointee.number > last, let wake = tell(place) { return (wake, place.pointee.number) }
    }
    return (ThreadWake(), 0)
  }

  /// Nil if the loop of this one will not run it.
  private func tell(_ place: ThreadPlacePointer) -> ThreadWake? {
    let future = FutureRef(address(place.pointee.future)!)
    let loop = future.loop
    var wake = ThreadWake()
    if loop.isMine {
      wake.own = future
    } else {
      switch loop.leaveWake(future) {
      case RONDO_OK: wake.loop = loop
      case -ENOMEM: wake.late = future
      default: return nil
      }
    }
    remove(place)
    return wake
  }

  /// Sleep until the next turn or the deadline. The lock is let go of meanwhile.
  func sleep(_ lock: UnsafeMutablePointer<UInt32>, _ deadline: Int64) {
    let seen = pointee.turn
    pointee.sleepers += 1
    rondo_unlock(lock)
    rondo_shim_wait(&pointee.turn, seen, deadline)
    rondo_lock(lock)
    pointee.sleepers -= 1
  }
}

// MARK: - without the lock

extension UnsafeMutablePointer where Pointee == ThreadLot {
  /// Wake the tasks that had come by `limit`, in their order, one at a time: what wakes them may call
  /// into their loop, and the lock is not held for that.
  func wakeTasks(_ lock: UnsafeMutablePointer<UInt32>, upTo limit: UInt64) {
    var last: UInt64 = 0
    while true {
      rondo_lock(lock)
      let (wake, number) = wakeNextTask(after: last, upTo: limit)
      rondo_unlock(lock)
      if number == 0 { return }
      wake.deliver()
      last = number
    }
  }

  /// Try, and as long as that answers RONDO_E_TIMEOUT sleep and try again. `attempt` has the lock.
  func wait(_ lock: UnsafeMutablePointer<UInt32>, _ timeout: Int64, _ attempt: () -> (rondo_status, ThreadWake))
    -> rondo_status
  {
    if timeout < 0 { return -EINVAL }
    var deadline: Int64?
    rondo_lock(lock)
    while true {
      var (status, wake) = attempt()
      if status == RONDO_E_TIMEOUT && timeout > 0 && rondo_thread()!.pointee.running != 0 { status = -EDEADLK }
      if status == RONDO_E_TIMEOUT && timeout > 0 {
        let until = deadline ?? ThreadClock.deadline(timeout)
        deadline = until
        if until == Int64.max || rondo_shim_now() < until {
          sleep(lock, until)
          continue
        }
      }
      rondo_unlock(lock)
      wake.deliver()
      return status
    }
  }
}

private enum ThreadClock {
  static func deadline(_ timeout: Int64) -> Int64 {
    let (sum, overflow) = rondo_shim_now().addingReportingOverflow(timeout)
    return overflow ? Int64.max : sum
  }
}

extension LoopRef {
  /// Leave a wake-up in the inbox, but do not wake the loop yet. The reference of the future moves on
  /// success. For who holds a lock that comes before the inbox's.
  fileprivate func leaveWake(_ future: FutureRef) -> rondo_status {
    let call = Call(
      fn: { ThreadWake.complete(FutureRef($0!)) }, arg: future.raw, drop: { _ = FutureRef($0!).releaseUser() },
      context: 0)
    rondo_lock(inbox.lock)
    defer { rondo_unlock(inbox.lock) }
    if inbox.pointee.isClosed || rondo_peek64(&s.pointee.owner) <= Owner.dead { return RONDO_E_LOOP_CLOSED }
    return inbox.append(call) ? RONDO_OK : -ENOMEM
  }
}
