// WaitFor.swift - sleep and wait_for: coroutines whose bodies are written in Swift.
//
// wait_for is asyncio's since 3.12: the awaitable is awaited in the task that awaits wait_for,
// and the timeout is a cancellation of that task which is taken back again (uncancel). If somebody
// else cancelled the task meanwhile, theirs goes on.
//
// Knows: Task, Awaitables, the rule of Timeout. Does not know: who awaits it.

import CRondo
import CRondoShim

// MARK: - sleep

struct SleepFrame {
  var delay: Int64
  var value: Value
  var hasSlept: Bool
}

enum Sleep {
  static func make(_ delay: Int64, _ value: Value) -> CoroutineRef? {
    let drop: rondo_drop_fn = { $0!.assumingMemoryBound(to: SleepFrame.self).pointee.value.dispose() }
    guard let (made, frame) = CoroutineRef.makeNative("sleep", { Sleep.step($0, $1, $3) }, SleepFrame.self, drop) else {
      return nil
    }
    frame.pointee = SleepFrame(delay: delay, value: value, hasSlept: false)
    return made
  }

  private static func step(_ co: OpaquePointer?, _ frame: Raw?, _ thrown: OpaquePointer?) -> rondo_step {
    let me = frame!.assumingMemoryBound(to: SleepFrame.self)
    if thrown != nil { return Native.raise(co, thrown) }
    if !me.pointee.hasSlept {
      me.pointee.hasSlept = true
      return Native.sleep(co, me.pointee.delay)
    }
    let value = me.pointee.value
    me.pointee.value = .none
    return Native.value(value)
  }
}

/// What the library's own bodies answer with: the action functions, without the checks.
enum Native {
  static func act(_ action: Int32, _ a: UInt64, _ b: UInt64 = 0, _ flags: UInt32 = 0) {
    let thread = rondo_thread()!
    thread.pointee.step_action = action
    thread.pointee.step_a = a
    thread.pointee.step_b = b
    thread.pointee.step_flags = flags
  }

  static func raise(_ co: OpaquePointer?, _ thrown: OpaquePointer?) -> rondo_step {
    let error = ErrorRef.find(thrown) ?? ErrorRef.outOfMemory()
    error.pin()
    return raise(error)
  }

  /// The pin moves.
  static func raise(_ error: ErrorRef) -> rondo_step {
    act(Act.raise, bits(error.state))
    return RONDO_STEP_RAISE
  }

  static func sleep(_ co: OpaquePointer?, _ delay: Int64) -> rondo_step {
    if delay <= 0 {
      act(Act.yield, 0)
      return RONDO_STEP_YIELD
    }
    act(Act.sleep, UInt64(bitPattern: delay))
    return RONDO_STEP_AWAIT
  }

  static func value(_ value: Value) -> rondo_step {
    act(Act.value, bits(value.pointer), UInt64(unsafeBitCast(value.drop, to: UInt.self)))
    return RONDO_STEP_RETURN
  }

  static func awaits(_ handle: OpaquePointer?, moved: Bool) -> rondo_step {
    act(Act.await, handleBits(handle), 0, moved ? Act.moved : 0)
    return RONDO_STEP_AWAIT
  }

  /// The value that the body was woken with, with its drop if it can be had: a future's stays with
  /// it, unless nobody holds the future but the body (`held` references of C's) and this step.
  static func takeSent(_ sent: Raw?, held: UInt32) -> Value {
    let thread = rondo_thread()!
    if let value = address(thread.pointee.sent_value)?.assumingMemoryBound(to: Value.self) {
      thread.pointee.sent_value = 0
      let taken = value.pointee
      value.pointee.drop = nil
      return taken
    }
    guard let raw = address(thread.pointee.sent_future), canTake(FutureRef(raw), held: held) else {
      return .borrowed(sent)
    }
    thread.pointee.sent_future = 0
    return FutureRef(raw).takeValue()
  }

  /// Whether one pin and `held` of C's references are all that keep the future.
  static func canTake(_ future: FutureRef, held: UInt32) -> Bool {
    future.s.pointee.header.refs == 1 + (held > 0 ? 1 : 0)
      && rondo_peek32(&future.s.pointee.header.userRefs) == held
      && !future.has(FutureBits.taken) && future.s.pointee.extra == 0
  }
}

// MARK: - wait_for

struct WaitForFrame {
  var awaitable: OpaquePointer?  // a future with a reference of C's, or a coroutine; nil once given on
  var timeout: Int64
  var task: UInt64  // address of the task that is to be cancelled
  var timer: UInt64  // address of a timer's handle, pinned
  var waiter: UInt64  // address of the future that is to end, pinned (timeout of zero)
  var cancelling: UInt32
  var stage: Int32
  var isExpired: Bool
}

struct WaitFor {
  let s: UnsafeMutablePointer<WaitForFrame>

  /// `awaitable`'s reference (a future's, taken by the caller, or a coroutine's) moves on success.
  static func make(_ awaitable: OpaquePointer?, _ timeout: Int64) -> CoroutineRef? {
    let drop: rondo_drop_fn = { WaitFor(s: $0!.assumingMemoryBound(to: WaitForFrame.self)).letGo() }
    let step: rondo_step_fn = { WaitFor(s: $1!.assumingMemoryBound(to: WaitForFrame.self)).step($2, $3) }
    guard let (made, frame) = CoroutineRef.makeNative("wait_for", step, WaitForFrame.self, drop) else { return nil }
    frame.pointee.awaitable = awaitable
    frame.pointee.timeout = timeout
    return made
  }

  /// How many of C's references the frame has on the future it was given.
  private var held: UInt32 { s.pointee.awaitable == nil ? 0 : 1 }

  private func letGo() {
    disarm()
    if let waiter = address(s.pointee.waiter) {
      s.pointee.waiter = 0
      FutureRef(waiter).unpin()
    }
    if let future = FutureRef.find(s.pointee.awaitable) {
      _ = future.releaseUser()
    } else if let coroutine = CoroutineRef.find(s.pointee.awaitable) {
      LoopRef.closeAndRelease(coroutine)
    }
    s.pointee.awaitable = nil
  }

  private func step(_ sent: Raw?, _ thrown: OpaquePointer?) -> rondo_step {
    switch s.pointee.stage {
    case 0: return start()
    case 1: return endTimeout(sent, thrown)
    default: return endCancelled(thrown)
    }
  }

  private func start() -> rondo_step {
    guard let running = address(rondo_thread()!.pointee.running),
      let task = address(LoopRef(running).s.pointee.currentTask).map({ TaskRef($0) })
    else { return Native.raise(ErrorRef.of(RONDO_E_RUNTIME, sentence: "Timeout should be used inside a task")) }
    if s.pointee.timeout <= 0 { return cancelAtOnce(LoopRef(running)) }
    s.pointee.task = bits(task.s)
    s.pointee.cancelling = task.body.pointee.count
    if s.pointee.timeout != Int64.max && !arm(LoopRef(running)) { return Native.raise(ErrorRef.of(-ENOMEM)) }
    s.pointee.stage = 1
    let awaitable = s.pointee.awaitable
    // A coroutine moves; a future's reference stays until the frame goes.
    if CoroutineRef.find(awaitable) != nil { s.pointee.awaitable = nil }
    return Native.awaits(awaitable, moved: false)
  }

  // MARK: - with a timeout

  private func arm(_ loop: LoopRef) -> Bool {
    let call = Call(
      fn: { WaitFor(s: $0!.assumingMemoryBound(to: WaitForFrame.self)).expire() }, arg: Raw(s), drop: nil, context: 0)
    guard let timer = loop.callAt(loop.deadline(after: s.pointee.timeout), call, user: false) else { return false }
    timer.pin()
    s.pointee.timer = bits(timer.s)
    return true
  }

  private func expire() {
    s.pointee.isExpired = true
    let task = TaskRef(address(s.pointee.task)!)
    _ = task.cancel(ErrorRef.plainCancelled())
  }

  private func disarm() {
    guard let raw = address(s.pointee.timer) else { return }
    s.pointee.timer = 0
    let timer = HandleRef(raw)
    timer.loop.cancel(timer)
    timer.unpin()
  }

  private func endTimeout(_ sent: Raw?, _ thrown: OpaquePointer?) -> rondo_step {
    disarm()
    guard s.pointee.isExpired else {
      return thrown != nil ? Native.raise(nil, thrown) : Native.value(Native.takeSent(sent, held: held))
    }
    let left = TaskRef(address(s.pointee.task)!).uncancel()
    guard let error = ErrorRef.find(thrown) else { return Native.value(Native.takeSent(sent, held: held)) }
    if left <= s.pointee.cancelling { return Native.raise(Timeout.timedOut(error)) }
    return Native.raise(nil, thrown)
  }

  // MARK: - without any time

  private func cancelAtOnce(_ loop: LoopRef) -> rondo_step {
    let awaitable = s.pointee.awaitable
    let (future, _, status) = loop.ensureFuture(awaitable)
    // A coroutine has moved; a future keeps the frame's reference.
    if FutureRef.find(awaitable) == nil { s.pointee.awaitable = nil }
    guard let future else { return Native.raise(ErrorRef.of(status)) }
    s.pointee.waiter = bits(future.s)
    if future.isDone { return endAtOnce(future) }
    return cancelAndWait(loop, future)
  }

  /// asyncio's _cancel_and_wait: a future of its own, so that its outcome is not this one's.
  private func cancelAndWait(_ loop: LoopRef, _ future: FutureRef) -> rondo_step {
    guard let released = FutureRef.make(loop, user: false) else { return Native.raise(ErrorRef.of(-ENOMEM)) }
    released.add(FutureBits.library)
    released.pin()
    let added = future.addCallback(
      WaitFor.onEnd, Value(pointer: released.raw, drop: { FutureRef($0!).unpin() }), 0)
    if added != RONDO_OK {
      released.unpin()
      released.unpin()
      return Native.raise(ErrorRef.of(added))
    }
    _ = future.cancel(ErrorRef.plainCancelled())
    s.pointee.stage = 2
    // The reference that moves is C's: give it one.
    _ = Owned.retain(released.raw)
    released.unpin()
    return Native.awaits(released.handle, moved: true)
  }

  /// The callback of what is cancelled; its argument is the future that wait_for awaits meanwhile.
  static var onEnd: rondo_future_fn {
    { _, raw in
      let waiter = FutureRef(raw!)
      if !waiter.isDone { waiter.complete(RONDO_FUTURE_RESULT, .none) }
    }
  }

  private func endCancelled(_ thrown: OpaquePointer?) -> rondo_step {
    if thrown != nil { return Native.raise(nil, thrown) }
    return endAtOnce(FutureRef(address(s.pointee.waiter)!))
  }

  private func endAtOnce(_ future: FutureRef) -> rondo_step {
    let wasWaiting = s.pointee.stage == 2
    switch future.outcome() {
    case RONDO_OK:
      if Native.canTake(future, held: held) { return Native.value(future.takeValue()) }
      return Native.value(.borrowed(future.s.pointee.value.pointer))
    case RONDO_E_CANCELLED where wasWaiting: return Native.raise(Timeout.timedOut(future.error!))
    default:
      future.error!.pin()
      return Native.raise(future.error!)
    }
  }
}
