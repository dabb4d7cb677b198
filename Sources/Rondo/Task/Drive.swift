// Drive.swift - runs bodies until they wait or end.
//
// One loop, no recursion: an inline await pushes an activation, its end pops one, and what it
// ended with becomes what its parent is woken with. So a thousand nested awaits need no stack,
// and an await of what is done costs one more turn of this loop.
//
// A body tells what it wants through the thread's own words (the action functions write them, see
// `Act`), because its answer is one number. A body may drive another one inside its step; the
// words are saved around that.
//
// Knows: Coroutine, Future. Does not know: tasks, whose steps are in Task.swift.

import CRondo
import CRondoShim

enum Act {
  static let none: Int32 = 0
  static let value: Int32 = 1  // returns: a pointer, b drop
  static let raise: Int32 = 2  // a error's address, pinned
  static let yield: Int32 = 3  // a pointer
  static let await: Int32 = 4  // a handle, flags 1 if the reference moves
  static let sleep: Int32 = 5  // a nanoseconds
  static let item: Int32 = 6  // a generator yields: a pointer, b drop
  static let ask: Int32 = 7  // a generator's address, pinned, b an operation's; a 0: b is why not
  static let moved: UInt32 = 1
}

/// What a body is woken with.
struct Wake {
  var sent: Raw?
  var thrown: ErrorRef?  // pinned
  var value: Value  // what `sent` belongs to, unless it is a future's
  var future: FutureRef?  // pinned; what `sent` belongs to

  static let nothing = Wake(sent: nil, thrown: nil, value: .none, future: nil)

  static func error(_ pinned: ErrorRef) -> Wake {
    Wake(sent: nil, thrown: pinned, value: .none, future: nil)
  }

  /// With the outcome of a done future, whose pin moves.
  @inline(__always)
  static func outcome(_ future: FutureRef) -> Wake {
    if future.outcome() == RONDO_OK {
      return Wake(sent: future.s.pointee.value.pointer, thrown: nil, value: .none, future: future)
    }
    let error = future.error!
    error.pin()
    return Wake(sent: nil, thrown: error, value: .none, future: future)
  }

  @inline(__always)
  func letGo() {
    thrown?.unpin()
    value.dispose()
    future?.unpin()
  }
}

/// How a drive ended.
enum Outcome {
  case yields(Raw?)
  case waits(FutureRef)  // pinned
  case returns(Value)
  case raises(ErrorRef)  // pinned
  case item(Value)  // a generator yielded it; who asked is woken with it
}

enum Drive {
  /// Run from the innermost activation until something waits or the root has ended. `top` is
  /// where the innermost one is kept.
  static func run(_ root: ActivationPointer, _ top: UnsafeMutablePointer<UInt64>, _ wake: Wake) -> Outcome {
    let thread = rondo_thread()!
    // Within somebody's step its words are kept for it; elsewhere they mean nothing.
    if thread.pointee.step_co != 0 { return runNested(root, top, wake, thread) }
    return runFirst(root, top, wake, thread)
  }

  @inline(never)  // rare
  private static func runNested(_ root: ActivationPointer, _ top: UnsafeMutablePointer<UInt64>, _ wake: Wake,
                                _ thread: UnsafeMutablePointer<rondo_thread>) -> Outcome {
    let saved = thread.pointee
    let outcome = runFirst(root, top, wake, thread)
    restore(thread, saved)
    return outcome
  }

  @inline(__always)
  private static func runFirst(_ root: ActivationPointer, _ top: UnsafeMutablePointer<UInt64>, _ woken: Wake,
                               _ thread: UnsafeMutablePointer<rondo_thread>) -> Outcome {
    root.add(ActivationBits.running)
    let at = root.innermost(top.pointee)
    var wake = woken
    let first = step(at, &wake, thread)
    let outcome = run(root, top, at, first, wake)
    root.remove(ActivationBits.running)
    return outcome
  }

  /// The rest of a drive whose root has just been called outside of it, with `held` as what it
  /// was woken by, and has answered. The step words hold what it wants.
  @inline(never)  // off the usual way of a task
  static func goOn(_ root: ActivationPointer, _ top: UnsafeMutablePointer<UInt64>, _ held: FutureRef?,
                   _ answer: rondo_step, _ action: Int32) -> Outcome {
    var wake = held.map { Wake.outcome($0) } ?? .nothing
    root.add(ActivationBits.running)
    let first = read(root, answer, action, &wake, rondo_thread()!)
    let outcome = run(root, top, root, first, wake)
    root.remove(ActivationBits.running)
    return outcome
  }

  private static func run(_ root: ActivationPointer, _ top: UnsafeMutablePointer<UInt64>, _ start: ActivationPointer,
                          _ first: Turn, _ woken: Wake) -> Outcome {
    let thread = rondo_thread()!
    var at = start
    var turn = first
    var wake = woken
    while true {
      switch turn {
      case .suspend(let how):
        top.pointee = at == root ? 0 : bits(at)
        return how
      case .again: break
      case .push(let child, let innermost):
        child.pointee.parent = bits(at)
        at = innermost
      case .pop(let ended):
        if at == root {
          top.pointee = 0
          return ended
        }
        let parent = address(at.pointee.parent)!.assumingMemoryBound(to: Activation.self)
        if let coroutine = at.coroutine {
          coroutine.unpin()
          wake = self.woken(by: ended)
        } else {
          wake = self.woken(by: at.generator.leave(with: ended))
        }
        at = parent
      }
      turn = step(at, &wake, thread)
    }
  }

  enum Turn {
    case suspend(Outcome)
    case again  // step once more, with what is now in wake
    case push(ActivationPointer, ActivationPointer)  // the awaited one, the innermost of its chain
    case pop(Outcome)
  }

  private static func restore(_ thread: UnsafeMutablePointer<rondo_thread>, _ saved: rondo_thread) {
    thread.pointee.step_co = saved.step_co
    thread.pointee.step_a = saved.step_a
    thread.pointee.step_b = saved.step_b
    thread.pointee.step_action = saved.step_action
    thread.pointee.step_flags = saved.step_flags
    thread.pointee.sent_value = saved.sent_value
    thread.pointee.sent_future = saved.sent_future
  }

  private static func woken(by ended: Outcome) -> Wake {
    switch ended {
    case .returns(let value): return Wake(sent: value.pointer, thrown: nil, value: value, future: nil)
    case .raises(let error): return .error(error)
    default: return .nothing
    }
  }

  // MARK: - one step

  private static func step(_ at: ActivationPointer, _ wake: inout Wake, _ thread: UnsafeMutablePointer<rondo_thread>)
    -> Turn
  {
    if !at.has(ActivationBits.started) {
      at.add(ActivationBits.started)
      // Python: an error thrown into a coroutine that was not started ends it there.
      if let thrown = wake.thrown, !at.has(ActivationBits.asks) {
        thrown.pin()
        wake.letGo()
        wake = .nothing
        return end(at, .raises(thrown))
      }
    }
    let answer = call(at, &wake, thread)
    let action = thread.pointee.step_action
    thread.pointee.step_action = Act.none
    thread.pointee.step_co = 0
    return read(at, answer, action, &wake, thread)
  }

  /// Call the body with what it is woken with.
  @inline(__always)
  private static func call(_ at: ActivationPointer, _ wake: inout Wake, _ thread: UnsafeMutablePointer<rondo_thread>)
    -> rondo_step
  {
    thread.pointee.step_co = at.handle
    thread.pointee.step_action = Act.none
    thread.pointee.sent_future = wake.thrown == nil ? wake.future.map { bits($0.s) } ?? 0 : 0
    let canTake = wake.thrown == nil && wake.future == nil && !wake.value.isBorrowed
      && (wake.value.pointer != nil || wake.value.drop != nil)
    let sent = wake.sent
    let thrown = wake.thrown?.handle
    let answer = withUnsafeMutablePointer(to: &wake.value) { value in
      thread.pointee.sent_value = canTake ? bits(value) : 0
      return at.pointee.step!(opaque(at.handle), at.pointee.frame, sent, thrown)
    }
    thread.pointee.sent_value = 0
    thread.pointee.sent_future = 0
    return answer
  }

  /// Make of the answer what comes next. What the body was woken with goes now.
  private static func read(
    _ at: ActivationPointer, _ answer: rondo_step, _ action: Int32, _ wake: inout Wake,
    _ thread: UnsafeMutablePointer<rondo_thread>
  ) -> Turn {
    let old = wake
    wake = .nothing
    let a = thread.pointee.step_a
    switch action {
    case Act.value where answer == RONDO_STEP_RETURN:
      let value = Value(pointer: address(a), drop: unsafeBitCast(UInt(thread.pointee.step_b), to: rondo_drop_fn?.self))
      old.letGo()
      return end(at, .returns(value))
    case Act.raise where answer == RONDO_STEP_RAISE:
      let error = raised(ErrorRef(address(a)!), old.thrown, at)
      old.letGo()
      return end(at, .raises(error))
    case Act.yield where answer == RONDO_STEP_YIELD:
      old.letGo()
      return .suspend(.yields(address(a)))
    case Act.await where answer == RONDO_STEP_AWAIT:
      let moved = thread.pointee.step_flags & Act.moved != 0
      let turn = awaitHandle(a, moved, &wake)
      old.letGo()
      return turn
    case Act.sleep where answer == RONDO_STEP_AWAIT:
      old.letGo()
      return sleep(Int64(bitPattern: a), &wake)
    case Act.ask where answer == RONDO_STEP_AWAIT:
      let b = thread.pointee.step_b
      old.letGo()
      guard let generator = address(a) else { return throwIn(&wake, ErrorRef.of(rondo_status(truncatingIfNeeded: b))) }
      return ask(GeneratorRef(generator), address(b), &wake)
    case Act.item where answer == RONDO_STEP_YIELD && at.isGenerator:
      let value = Value(pointer: address(a), drop: unsafeBitCast(UInt(thread.pointee.step_b), to: rondo_drop_fn?.self))
      old.letGo()
      return .pop(.item(value))
    default:
      if action != Act.none { Drive.discard(action, a, thread.pointee.step_b, thread.pointee.step_flags) }
      let turn = action == Act.item ? refuseItem(at) : readBare(at, answer)
      old.letGo()
      return turn
    }
  }

  /// An answer that no action function made.
  private static func readBare(_ at: ActivationPointer, _ answer: rondo_step) -> Turn {
    switch answer {
    case RONDO_STEP_RETURN: return end(at, .returns(.none))
    case RONDO_STEP_YIELD: return .suspend(.yields(nil))
    default: return end(at, .raises(ErrorRef.of(RONDO_E_RUNTIME, sentence: "the step answered with no action")))
    }
  }

  @inline(never)  // a mistake in a body
  private static func refuseItem(_ at: ActivationPointer) -> Turn {
    end(at, .raises(ErrorRef.of(RONDO_E_RUNTIME, sentence: "a value was yielded outside of an asynchronous generator")))
  }

  /// What a raise means: StopIteration may not leave a coroutine (PEP 479), nor may it or
  /// StopAsyncIteration leave a generator, and what was being handled is noted.
  private static func raised(_ error: ErrorRef, _ handled: ErrorRef?, _ at: ActivationPointer) -> ErrorRef {
    let isStop = error.isRondo(RONDO_E_STOP_ITERATION)
    if isStop || (at.isGenerator && error.isRondo(RONDO_E_STOP_ASYNC_ITERATION)) {
      let sentence: StaticString = !at.isGenerator
        ? "coroutine raised StopIteration" as StaticString
        : isStop ? "async generator raised StopIteration" as StaticString : "async generator raised StopAsyncIteration"
      let wrapped = ErrorRef.of(RONDO_E_RUNTIME, sentence: sentence)
      _ = wrapped.setCause(error)
      error.unpin()
      return wrapped
    }
    if let handled, handled.state != error.state { error.noteContext(handled) }
    return error
  }

  private static func end(_ at: ActivationPointer, _ how: Outcome) -> Turn {
    at.dropFrame()
    return .pop(how)
  }

  /// Let go of what an action carried that does not count.
  static func discard(_ action: Int32, _ a: UInt64, _ b: UInt64, _ flags: UInt32) {
    switch action {
    case Act.value, Act.item:
      Value(pointer: address(a), drop: unsafeBitCast(UInt(b), to: rondo_drop_fn?.self)).dispose()
    case Act.raise: ErrorRef(address(a)!).unpin()
    case Act.await: letGoOfAwaitable(a, flags & Act.moved != 0)
    case Act.ask: if let generator = address(a) { GeneratorRef(generator).unpin() }
    default: break
    }
  }

  static func letGoOfAwaitable(_ handle: UInt64, _ moved: Bool) {
    if let coroutine = CoroutineRef.find(opaque(handle)) {
      _ = coroutine.releaseUser()
    } else if moved, let future = FutureRef.find(opaque(handle)) {
      _ = future.releaseUser()
    }
  }

  // MARK: - awaiting

  private static func awaitHandle(_ handle: UInt64, _ moved: Bool, _ wake: inout Wake) -> Turn {
    if let future = FutureRef.find(opaque(handle)) { return awaitFuture(future, moved, &wake) }
    guard let coroutine = CoroutineRef.find(opaque(handle)) else {
      return throwIn(&wake, refusalOfAwaitable(opaque(handle)))
    }
    if !coroutine.isFree { return throwIn(&wake, refuseClaim(coroutine)) }
    _ = coroutine.claim()
    let (innermost, woken) = takeOver(coroutine)
    wake = woken
    return .push(coroutine.body, innermost)
  }

  /// What somebody drove by hand so far goes on where it is: the innermost activation, and what
  /// it is woken with.
  static func takeOver(_ coroutine: CoroutineRef) -> (ActivationPointer, Wake) {
    let innermost = coroutine.body.innermost(coroutine.s.pointee.top)
    coroutine.s.pointee.top = 0
    return (innermost, wakeByHand(coroutine))
  }

  /// What a drive by hand wakes it with: the outcome of what it awaits, which must be done.
  static func wakeByHand(_ coroutine: CoroutineRef) -> Wake {
    guard let awaiting = address(coroutine.s.pointee.awaiting) else { return .nothing }
    coroutine.s.pointee.awaiting = 0
    let future = FutureRef(awaiting)
    if future.isDone { return .outcome(future) }
    future.unpin()
    return .error(ErrorRef.of(RONDO_E_RUNTIME, sentence: "await wasn't used with future"))
  }

  private static func awaitFuture(_ future: FutureRef, _ moved: Bool, _ wake: inout Wake) -> Turn {
    if !future.loop.isReadable {
      if moved { letGoOfAwaitable(handleBits(future.handle), true) }
      let status = future.loop.quietRefusal == RONDO_E_WRONG_THREAD ? RONDO_E_WRONG_LOOP : future.loop.quietRefusal
      return throwIn(&wake, ErrorRef.of(status))
    }
    future.pin()
    if moved { letGoOfAwaitable(handleBits(future.handle), true) }
    if !future.isDone { return .suspend(.waits(future)) }
    wake = .outcome(future)
    return .again
  }

  /// Why something cannot be awaited.
  private static func refusalOfAwaitable(_ handle: OpaquePointer?) -> ErrorRef {
    if handle == nil { return ErrorRef.of(RONDO_E_TYPE, sentence: "object NULL can't be used in 'await' expression") }
    var status = FutureRef.refuse(handle)
    if status == RONDO_E_BAD_HANDLE { status = CoroutineRef.explain(handle) }
    return ErrorRef.of(status == RONDO_E_BAD_HANDLE ? RONDO_E_TYPE : status)
  }

  private static func throwIn(_ wake: inout Wake, _ error: ErrorRef) -> Turn {
    wake = .error(error)
    return .again
  }

  private static func sleep(_ delay: Int64, _ wake: inout Wake) -> Turn {
    if delay <= 0 { return .suspend(.yields(nil)) }
    guard let running = address(rondo_thread()!.pointee.running) else {
      return throwIn(&wake, ErrorRef.of(RONDO_E_NO_LOOP))
    }
    guard let future = LoopRef(running).sleepFuture(delay) else { return throwIn(&wake, ErrorRef.of(-ENOMEM)) }
    return .suspend(.waits(future))
  }
}

extension LoopRef {
  /// A future that a timer completes; one pin, the caller's.
  func sleepFuture(_ delay: Int64) -> FutureRef? {
    guard let future = FutureRef.make(self, user: false) else { return nil }
    let call = Call(
      fn: { raw in
        let future = FutureRef(raw!)
        if !future.isDone { future.complete(RONDO_FUTURE_RESULT, .none) }
      },
      arg: future.raw, drop: { FutureRef($0!).unpin() }, context: 0)
    guard let timer = callAt(deadline(after: delay), call, user: false) else {
      future.unpin()
      return nil
    }
    future.pin()  // the timer's
    timer.pin()  // the future's
    future.s.pointee.extra = bits(timer.s)
    future.add(FutureBits.sleep | FutureBits.library)
    return future
  }
}
