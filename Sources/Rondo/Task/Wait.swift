// Wait.swift - waiting for the first, the first failure or all of several futures: asyncio's wait().
//
// A coroutine that awaits one future of its own, which the callbacks of the others complete. The
// callbacks count in that future's extra and hold it, because one that is in the ring already runs
// even though the coroutine has gone on meanwhile.
//
// Knows: Future, Native. Does not know: who awaits it.

import CRondo
import CRondoShim

struct WaitState {
  var extra: FutureExtra
  var left: Int
  var returnWhen: Int32
  var timer: UInt64  // address of a handle, pinned
}

struct WaitFrame {
  var futures: UnsafeMutablePointer<FutureRef>?  // each once; with a reference of C's, pinned once it waits
  var count: Int
  var timeout: Int64
  var returnWhen: Int32
  var waiter: UInt64  // address of a future, pinned, while it waits
  var hasPins: Bool
}

struct Wait {
  let s: UnsafeMutablePointer<WaitFrame>

  // MARK: - making

  static func make(_ loop: LoopRef, _ awaitables: UnsafePointer<Raw?>, _ count: Int, _ timeout: Int64,
                   _ returnWhen: Int32) -> (CoroutineRef?, rondo_status)
  {
    let refused = check(loop, awaitables, count)
    if refused != RONDO_OK { return (nil, refused) }
    let drop: rondo_drop_fn = { Wait(s: $0!.assumingMemoryBound(to: WaitFrame.self)).letGo() }
    let step: rondo_step_fn = { Wait(s: $1!.assumingMemoryBound(to: WaitFrame.self)).step($3) }
    guard let futures = allocateArray(FutureRef.self, count) else { return (nil, -ENOMEM) }
    guard let (made, frame) = CoroutineRef.makeNative("wait", step, WaitFrame.self, drop) else {
      free(futures)
      return (nil, -ENOMEM)
    }
    frame.pointee = WaitFrame(
      futures: futures, count: takeEach(awaitables, count, futures), timeout: timeout, returnWhen: returnWhen,
      waiter: 0, hasPins: false)
    return (made, RONDO_OK)
  }

  private static func check(_ loop: LoopRef, _ awaitables: UnsafePointer<Raw?>, _ count: Int) -> rondo_status {
    for i in 0..<count {
      let awaitable = OpaquePointer(awaitables[i])
      guard let future = FutureRef.find(awaitable) else {
        // asyncio: "Passing coroutines is forbidden, use tasks explicitly."
        return CoroutineRef.find(awaitable) != nil ? RONDO_E_TYPE : LoopRef.refuseAwaitable(awaitable)
      }
      if future.loop.s != loop.s { return RONDO_E_WRONG_LOOP }
    }
    return RONDO_OK
  }

  /// Take a reference of each future, once however often it was given; how many there are.
  private static func takeEach(_ awaitables: UnsafePointer<Raw?>, _ count: Int,
                               _ futures: UnsafeMutablePointer<FutureRef>) -> Int {
    var taken = 0
    for i in 0..<count {
      guard let future = FutureRef.find(OpaquePointer(awaitables[i])), !future.has(FutureBits.gathered),
        Owned.retain(future.raw) == RONDO_OK
      else { continue }
      future.add(FutureBits.gathered)
      (futures + taken).initialize(to: future)
      taken += 1
    }
    for i in 0..<taken { futures[i].remove(FutureBits.gathered) }
    return taken
  }

  private func letGo() {
    stopListening()
    for i in 0..<s.pointee.count {
      let future = s.pointee.futures![i]
      if s.pointee.hasPins { future.unpin() } else { _ = future.releaseUser() }
    }
    free(s.pointee.futures)
  }

  // MARK: - waiting

  private func step(_ thrown: OpaquePointer?) -> rondo_step {
    if s.pointee.waiter == 0 && thrown == nil { return start() }
    stopListening()
    if thrown != nil { return Native.raise(nil, thrown) }
    // Who is done is found out now, not when the wait was over: more may have ended since.
    var done = 0
    for i in 0..<s.pointee.count where s.pointee.futures![i].isDone { done += 1 }
    return Native.value(Value(pointer: Raw(bitPattern: done), drop: nil))
  }

  private func start() -> rondo_step {
    let loop = s.pointee.futures![0].loop
    let running = address(rondo_thread()!.pointee.running)
    if running != Raw(loop.s) { return Native.raise(ErrorRef.of(running == nil ? RONDO_E_NO_LOOP : RONDO_E_WRONG_LOOP)) }
    guard let waiter = makeWaiter(loop) else { return Native.raise(ErrorRef.of(-ENOMEM)) }
    s.pointee.waiter = bits(waiter.s)
    if !listen(loop, waiter) {
      stopListening()
      return Native.raise(ErrorRef.of(-ENOMEM))
    }
    keepWithPins()
    _ = Owned.retain(waiter.raw)
    return Native.awaits(waiter.handle, moved: true)
  }

  /// A coroutine that has not begun may go in any thread, so it has references of C's. From here on
  /// they would hide that nobody is left who could complete a future.
  private func keepWithPins() {
    s.pointee.hasPins = true
    for i in 0..<s.pointee.count {
      s.pointee.futures![i].pin()
      _ = s.pointee.futures![i].releaseUser()
    }
  }

  private func makeWaiter(_ loop: LoopRef) -> FutureRef? {
    guard let state = allocateArray(WaitState.self, 1) else { return nil }
    guard let waiter = FutureRef.make(loop, user: false) else {
      free(state)
      return nil
    }
    let extra = FutureExtra(
      cancel: { future, error in
        FutureRef(future).becomeCancelled(ErrorRef(error))
        return true
      },
      end: { free(Wait.state(FutureRef($0))) })
    state.initialize(to: WaitState(extra: extra, left: s.pointee.count, returnWhen: s.pointee.returnWhen, timer: 0))
    waiter.s.pointee.extra = bits(state)
    waiter.add(FutureBits.library)
    return waiter
  }

  private static func state(_ waiter: FutureRef) -> UnsafeMutablePointer<WaitState> {
    address(waiter.s.pointee.extra)!.assumingMemoryBound(to: WaitState.self)
  }

  private static var letGoOfWaiter: rondo_drop_fn { { FutureRef($0!).unpin() } }

  private func listen(_ loop: LoopRef, _ waiter: FutureRef) -> Bool {
    if s.pointee.timeout != Int64.max {
      let call = Call(fn: { Wait.release(FutureRef($0!)) }, arg: waiter.raw, drop: Wait.letGoOfWaiter, context: 0)
      guard let timer = loop.callAt(loop.deadline(after: s.pointee.timeout), call, user: false) else { return false }
      waiter.pin()
      timer.pin()
      Wait.state(waiter).pointee.timer = bits(timer.s)
    }
    for i in 0..<s.pointee.count {
      waiter.pin()
      let value = Value(pointer: waiter.raw, drop: Wait.letGoOfWaiter)
      if s.pointee.futures![i].addCallback(Wait.onCompletion, value, 0) != RONDO_OK {
        waiter.unpin()
        return false
      }
    }
    return true
  }

  private func stopListening() {
    guard let raw = address(s.pointee.waiter) else { return }
    s.pointee.waiter = 0
    let waiter = FutureRef(raw)
    waiter.loop.stopTimer(place(&Wait.state(waiter).pointee.timer))
    for i in 0..<s.pointee.count { s.pointee.futures![i].removeCallbacks(Wait.onCompletion, raw) }
    waiter.unpin()
  }

  // MARK: - one is done

  /// The callback of each; its argument is the future that the waiting coroutine awaits.
  static var onCompletion: rondo_future_fn {
    { future, raw in if let done = FutureRef.find(future) { Wait.count(done, FutureRef(raw!)) } }
  }

  private static func count(_ done: FutureRef, _ waiter: FutureRef) {
    let state = Wait.state(waiter)
    state.pointee.left -= 1
    var isOver = state.pointee.left <= 0 || state.pointee.returnWhen == RONDO_WAIT_FIRST_COMPLETED
    if !isOver && state.pointee.returnWhen == RONDO_WAIT_FIRST_EXCEPTION && done.state == RONDO_FUTURE_EXCEPTION {
      done.remove(FutureBits.unread)  // asyncio looks at the exception, and so it counts as read
      isOver = true
    }
    if !isOver { return }
    waiter.loop.stopTimer(place(&state.pointee.timer))
    release(waiter)
  }

  private static func release(_ waiter: FutureRef) {
    if !waiter.isDone { waiter.complete(RONDO_FUTURE_RESULT, .none) }
  }
}
