// AsCompleted.swift - one outcome after the other, in the order in which they come: as_completed().
//
// A queue of futures that are done, and of those who wait for the next one: asyncio uses its Queue
// for it, and this does what that queue does, without a limit. There are never more waiters than
// futures, so both have room from the start and nothing can fail later.
//
// Knows: Scope, Awaitables, Native. Does not know: who awaits.

import CRondo
import CRondoShim

struct AsCompletedState {
  var header: ObjectHeader
  var type: UInt32
  var pad: UInt32
  var futures: UnsafeMutablePointer<FutureRef>?  // each once, pinned
  var done: UnsafeMutablePointer<UInt64>?  // addresses of those, in the order they ended; 0 for "no time"
  var getters: UnsafeMutablePointer<UInt64>?  // addresses of futures, pinned: who waits, in order
  var count: Int
  var doneCount: Int
  var takenCount: Int
  var getterHead: Int
  var getterCount: Int
  var todo: Int  // not in `done` yet
  var left: Int  // how often there is a next one
  var timer: UInt64  // address of a handle, pinned
}

struct AsCompleted {
  let s: UnsafeMutablePointer<AsCompletedState>

  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: AsCompletedState.self) }

  var raw: Raw { Raw(s) }
  var loop: LoopRef { Owned.loop(of: raw) }
  var isEmpty: Bool { s.pointee.takenCount == s.pointee.doneCount }

  // MARK: - making

  /// Coroutines move on every return.
  static func make(_ loop: LoopRef, _ awaitables: UnsafePointer<Raw?>, _ count: Int, _ timeout: Int64)
    -> (AsCompleted?, rondo_status)
  {
    let refused = Gather.check(loop, awaitables, count)
    guard refused == RONDO_OK, let made = allocate(loop, count) else {
      Gather.letGo(awaitables, from: 0, count)
      return (nil, refused == RONDO_OK ? -ENOMEM : refused)
    }
    var status = made.takeEach(awaitables, count)
    if status == RONDO_OK { status = made.listen(timeout) }
    if status == RONDO_OK { return (made, RONDO_OK) }
    made.stopListening()
    _ = Scope.releaseUser(made.raw)
    return (nil, status)
  }

  private static func allocate(_ loop: LoopRef, _ count: Int) -> AsCompleted? {
    let futures = allocateArray(FutureRef.self, count)
    let done = allocateArray(UInt64.self, count)
    let getters = allocateArray(UInt64.self, count)
    guard let futures, let done, let getters, let raw = Scope.make(loop, ScopeType.asCompleted) else {
      free(futures)
      free(done)
      free(getters)
      return nil
    }
    let made = AsCompleted(raw)
    made.s.pointee.futures = futures
    made.s.pointee.done = done
    made.s.pointee.getters = getters
    return made
  }

  /// A future of each, once however often it was given; see Gather.check for the marks.
  private func takeEach(_ awaitables: UnsafePointer<Raw?>, _ count: Int) -> rondo_status {
    var status = RONDO_OK
    for i in 0..<count {
      let awaitable = OpaquePointer(awaitables[i])
      if let coroutine = CoroutineRef.find(awaitable) {
        if !coroutine.body.has(ActivationBits.gathered) { continue }
        coroutine.body.remove(ActivationBits.gathered)
      } else if FutureRef.find(awaitable)?.has(FutureBits.gathered) ?? true {
        continue
      }
      let (future, _, refused) = loop.ensureFuture(awaitable)
      guard let future else {
        Gather.letGo(awaitables, from: i + 1, count)
        status = refused
        break
      }
      future.add(FutureBits.gathered)
      (s.pointee.futures! + s.pointee.count).initialize(to: future)
      s.pointee.count += 1
    }
    for i in 0..<s.pointee.count { s.pointee.futures![i].remove(FutureBits.gathered) }
    return status
  }

  private func listen(_ timeout: Int64) -> rondo_status {
    for i in 0..<s.pointee.count {
      Scope.pin(raw)
      let status = s.pointee.futures![i].addCallback(AsCompleted.onCompletion, Value(pointer: raw, drop: Scope.drop), 0)
      if status != RONDO_OK {
        Scope.unpin(raw)
        return status
      }
    }
    s.pointee.todo = s.pointee.count
    s.pointee.left = s.pointee.count
    if s.pointee.count == 0 || timeout == Int64.max { return RONDO_OK }
    let call = Call(fn: { AsCompleted($0!).expire() }, arg: raw, drop: Scope.drop, context: 0)
    guard let timer = loop.callAt(loop.deadline(after: timeout), call, user: false) else { return -ENOMEM }
    Scope.pin(raw)
    timer.pin()
    s.pointee.timer = bits(timer.s)
    return RONDO_OK
  }

  private func stopListening() {
    for i in 0..<s.pointee.count { s.pointee.futures![i].removeCallbacks(AsCompleted.onCompletion, raw) }
    s.pointee.todo = 0
  }

  func letGo() {
    loop.stopTimer(place(&s.pointee.timer))
    while s.pointee.getterCount > 0 { removeGetter(at: 0) }
    for i in 0..<s.pointee.count { s.pointee.futures![i].unpin() }
    free(s.pointee.futures)
    free(s.pointee.done)
    free(s.pointee.getters)
  }

  // MARK: - what ends

  /// The callback of each; its argument is the iterator.
  static var onCompletion: rondo_future_fn {
    { future, raw in if let done = FutureRef.find(future) { AsCompleted(raw!).put(done) } }
  }

  private func put(_ done: FutureRef) {
    if s.pointee.todo == 0 { return }  // the time was over first
    s.pointee.todo -= 1
    put(bits(done.s))
    if s.pointee.todo == 0 { loop.stopTimer(place(&s.pointee.timer)) }
  }

  private func put(_ item: UInt64) {
    s.pointee.done![s.pointee.doneCount] = item
    s.pointee.doneCount += 1
    wakeNext()
  }

  /// The time is over: everyone who still waits, or will, is told so.
  private func expire() {
    let missing = s.pointee.todo
    stopListening()
    for _ in 0..<missing { put(0) }
    loop.stopTimer(place(&s.pointee.timer))
  }

  // MARK: - who waits

  private var getters: UnsafeMutablePointer<UInt64> { s.pointee.getters! + s.pointee.getterHead }

  func addGetter(_ getter: FutureRef) {
    if s.pointee.getterHead + s.pointee.getterCount == s.pointee.count {
      memmove(s.pointee.getters!, getters, s.pointee.getterCount * 8)
      s.pointee.getterHead = 0
    }
    getter.pin()
    getters[s.pointee.getterCount] = bits(getter.s)
    s.pointee.getterCount += 1
  }

  func forEachGetter(_ visit: (FutureRef) -> Void) {
    for i in 0..<s.pointee.getterCount { visit(FutureRef(address(getters[i])!)) }
  }

  func removeGetter(_ getter: FutureRef) {
    for i in 0..<s.pointee.getterCount where getters[i] == bits(getter.s) { return removeGetter(at: i) }
  }

  private func removeGetter(at index: Int) {
    let getter = FutureRef(address(getters[index])!)
    s.pointee.getterCount -= 1
    if index == 0 {
      s.pointee.getterHead += 1
    } else {
      memmove(getters + index, getters + index + 1, (s.pointee.getterCount - index) * 8)
    }
    getter.unpin()
  }

  func wakeNext() {
    while s.pointee.getterCount > 0 {
      let getter = FutureRef(address(getters[0])!)
      let isDone = getter.isDone
      if !isDone { getter.complete(RONDO_FUTURE_RESULT, .none) }
      removeGetter(at: 0)
      if !isDone { return }
    }
  }

  /// The next one that is done; nil for "no time".
  func take() -> FutureRef? {
    s.pointee.takenCount += 1
    return address(s.pointee.done![s.pointee.takenCount - 1]).map { FutureRef($0) }
  }
}

// MARK: - the next one

struct NextFrame {
  var from: OpaquePointer?  // with a reference of C's
  var getter: UInt64  // address of a future, pinned, while it waits
  var givesFuture: Bool
}

/// The coroutine that waits for the next outcome.
struct NextCompleted {
  let s: UnsafeMutablePointer<NextFrame>

  static func make(_ from: AsCompleted, givesFuture: Bool) -> CoroutineRef? {
    let drop: rondo_drop_fn = { NextCompleted(s: $0!.assumingMemoryBound(to: NextFrame.self)).letGo() }
    let step: rondo_step_fn = { NextCompleted(s: $1!.assumingMemoryBound(to: NextFrame.self)).step($3) }
    guard let (made, frame) = CoroutineRef.makeNative("_wait_for_one", step, NextFrame.self, drop) else { return nil }
    _ = Owned.retain(from.raw)
    frame.pointee = NextFrame(from: Scope.handle(from.raw), getter: 0, givesFuture: givesFuture)
    from.s.pointee.left -= 1
    return made
  }

  private func letGo() {
    takeGetter()?.unpin()
    if let from = Scope.find(s.pointee.from, ScopeType.asCompleted) { _ = Scope.releaseUser(from) }
  }

  private func takeGetter() -> FutureRef? {
    guard let raw = address(s.pointee.getter) else { return nil }
    s.pointee.getter = 0
    return FutureRef(raw)
  }

  private func step(_ thrown: OpaquePointer?) -> rondo_step {
    guard let raw = Scope.owned(s.pointee.from, ScopeType.asCompleted) else {
      return Native.raise(ErrorRef.of(Scope.refuse(s.pointee.from, ScopeType.asCompleted)))
    }
    let from = AsCompleted(raw)
    let getter = takeGetter()
    defer { getter?.unpin() }
    if thrown != nil {
      if let getter { giveUp(from, getter) }
      return Native.raise(nil, thrown)
    }
    if from.isEmpty { return wait(from) }
    guard let done = from.take() else { return Native.raise(ErrorRef.of(RONDO_E_TIMEOUT)) }
    return s.pointee.givesFuture ? give(done) : resolve(done)
  }

  private func wait(_ from: AsCompleted) -> rondo_step {
    guard let getter = FutureRef.make(from.loop, user: true) else { return Native.raise(ErrorRef.of(-ENOMEM)) }
    getter.add(FutureBits.library)
    getter.pin()
    s.pointee.getter = bits(getter.s)
    from.addGetter(getter)
    return Native.awaits(getter.handle, moved: true)
  }

  /// Cancelled: a wake-up that came already is handed on.
  private func giveUp(_ from: AsCompleted, _ getter: FutureRef) {
    _ = getter.cancel(ErrorRef.plainCancelled())
    from.removeGetter(getter)
    if !from.isEmpty && !getter.isCancelled { from.wakeNext() }
  }

  private func give(_ done: FutureRef) -> rondo_step {
    let status = Owned.retain(done.raw)
    if status != RONDO_OK { return Native.raise(ErrorRef.of(status)) }
    let drop: rondo_drop_fn = { if let future = FutureRef.find(OpaquePointer($0)) { _ = future.releaseUser() } }
    return Native.value(Value(pointer: done.handle.map { Raw($0) }, drop: drop))
  }

  private func resolve(_ done: FutureRef) -> rondo_step {
    if done.outcome() != RONDO_OK {
      done.error!.pin()
      return Native.raise(done.error!)
    }
    // Nobody but the iterator holds it: the value moves, for the iterator may go next.
    if Native.canTake(done, held: 0) { return Native.value(done.takeValue()) }
    return Native.value(Value(pointer: done.s.pointee.value.pointer, drop: nil))
  }
}
