// ThreadWait.swift - the coroutines that wait for a thread queue or a thread event.
//
// A coroutine may be made on one thread and run by the loop of another, so it holds a pin, which any
// thread may give back. It belongs to a loop only while it stands in line: with a future of the loop
// that runs it, whose clock it holds meanwhile: whoever wakes it may be another thread, which no
// virtual clock may overtake.
//
// Knows: ThreadQueue, ThreadEvent. Does not know: who puts and gets.

import CRondo
import CRondoShim

private enum ThreadWish {
  static let get: UInt32 = 0
  static let put: UInt32 = 1
  static let join: UInt32 = 2
  static let event: UInt32 = 3
}

private struct ThreadFrame {
  var object: UInt64  // address, pinned
  var wish: UInt32
  var place: ThreadPlace
  var held: UInt64  // handle of the loop whose clock it holds, 0 for none
  var item: Value  // put's, until it is in the queue
}

struct ThreadWait {
  private let s: UnsafeMutablePointer<ThreadFrame>

  private init(_ frame: Raw?) { s = frame.unsafelyUnwrapped.assumingMemoryBound(to: ThreadFrame.self) }

  private static func make(_ name: StaticString, _ object: Raw, _ wish: UInt32, _ item: Value = .none)
    -> CoroutineRef?
  {
    guard
      let (made, frame) = CoroutineRef.makeNative(
        name, { ThreadWait($1).step($3) }, ThreadFrame.self, { ThreadWait($0).letGo() })
    else { return nil }
    Global.pin(object)
    frame.pointee.object = bits(object)
    frame.pointee.wish = wish
    frame.pointee.item = item
    return made
  }

  /// Nil if memory is out. `item` moves on success.
  static func put(_ queue: ThreadQueueRef, _ item: Value) -> CoroutineRef? {
    make("ThreadQueue.put", Raw(queue.s), ThreadWish.put, item)
  }
  static func get(_ queue: ThreadQueueRef) -> CoroutineRef? { make("ThreadQueue.get", Raw(queue.s), ThreadWish.get) }
  static func join(_ queue: ThreadQueueRef) -> CoroutineRef? { make("ThreadQueue.join", Raw(queue.s), ThreadWish.join) }
  static func wait(_ event: ThreadEventRef) -> CoroutineRef? { make("ThreadEvent.wait", Raw(event.s), ThreadWish.event) }

  private var queue: ThreadQueueRef { ThreadQueueRef(address(s.pointee.object)!) }
  private var event: ThreadEventRef { ThreadEventRef(address(s.pointee.object)!) }
  private var parking: ThreadPlacePointer { place(&s.pointee.place) }

  private var lock: UnsafeMutablePointer<UInt32> { s.pointee.wish == ThreadWish.event ? event.lock : queue.lock }

  private var lot: ThreadLotPointer {
    switch s.pointee.wish {
    case ThreadWish.get: return queue.getters
    case ThreadWish.put: return queue.putters
    case ThreadWish.join: return queue.joiners
    default: return event.waiters
    }
  }

  private func letGo() {
    let item = s.pointee.item
    s.pointee.item = .none
    if leaveLine() { handOn() }
    if s.pointee.wish == ThreadWish.event { event.unpin() } else { queue.unpin() }
    item.dispose()
  }

  // MARK: - stepping

  private func step(_ thrown: OpaquePointer?) -> rondo_step {
    let wasWoken = leaveLine()
    if let error = ErrorRef.find(thrown), !(wasWoken && error.status == RONDO_E_BROKEN_PROMISE) {
      if wasWoken { handOn() }
      return Native.raise(nil, thrown)
    }
    if wasWoken && s.pointee.wish >= ThreadWish.join { return Native.value(.none) }
    return look(wasWoken)
  }

  /// Look whether there is what is wanted, else stand in line. Twice, because the future that is
  /// needed for that is made without the lock.
  private func look(_ wasWoken: Bool) -> rondo_step {
    var future: FutureRef?
    var failure = RONDO_E_NO_LOOP
    while true {
      var value = Value.none
      rondo_lock(lock)
      let (status, wake) = attempt(&value)
      if status == RONDO_E_TIMEOUT, let future { lot.enter(parking, future) }
      rondo_unlock(lock)
      if status != RONDO_E_TIMEOUT {
        wake.deliver()
        if let future { _ = future.releaseUser() }
        return status == RONDO_OK ? Native.value(value) : Native.raise(ErrorRef.of(status))
      }
      if let future {
        holdClock(future.loop)
        return Native.awaits(future.handle, moved: false)
      }
      if let running = address(rondo_thread()!.pointee.running) {
        future = FutureRef.make(LoopRef(running), user: true)
        failure = -ENOMEM
      }
      if future == nil {
        if wasWoken { handOn() }
        return Native.raise(ErrorRef.of(failure))
      }
    }
  }

  /// Under the lock; RONDO_E_TIMEOUT if it has to wait.
  private func attempt(_ value: inout Value) -> (rondo_status, ThreadWake) {
    switch s.pointee.wish {
    case ThreadWish.get: return queue.tryGet(&value)
    case ThreadWish.put:
      let (status, wake) = queue.tryPut(s.pointee.item)
      if status == RONDO_OK { s.pointee.item = .none }
      return (status, wake)
    case ThreadWish.join: return (queue.s.pointee.unfinished == 0 ? RONDO_OK : RONDO_E_TIMEOUT, ThreadWake())
    default: return (event.isSet ? RONDO_OK : RONDO_E_TIMEOUT, ThreadWake())
    }
  }

  // MARK: - leaving

  private func holdClock(_ loop: LoopRef) {
    if loop.isVirtual && loop.hold() == RONDO_OK { s.pointee.held = loop.s.pointee.header.handle }
  }

  /// The loop may be gone.
  private func letClockGo() {
    if s.pointee.held == 0 { return }
    if let loop = LoopRef.find(opaque(s.pointee.held)) { _ = loop.unhold() }
    s.pointee.held = 0
  }

  /// Stand in line no longer; whether it had been woken.
  private func leaveLine() -> Bool {
    if !s.pointee.place.isParked { return false }
    s.pointee.place.isParked = false
    letClockGo()
    rondo_lock(lock)
    let isInLine = s.pointee.place.lot != 0
    if isInLine { lot.remove(parking) }
    rondo_unlock(lock)
    if isInLine { _ = FutureRef(address(s.pointee.place.future)!).releaseUser() }
    return !isInLine
  }

  /// What it was woken for is for the next one.
  private func handOn() {
    if s.pointee.wish >= ThreadWish.join { return }
    rondo_lock(lock)
    let wake = s.pointee.wish == ThreadWish.get ? queue.handOnItem() : queue.handOnRoom()
    rondo_unlock(lock)
    wake.deliver()
  }
}
