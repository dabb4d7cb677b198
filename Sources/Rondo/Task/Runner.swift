// Runner.swift - a loop and a context for several mains, one after the other (asyncio.Runner).
//
// It belongs to no loop, for it is there before its loop is made. One thread at a time runs or closes
// it: `user` is claimed with one compare-and-swap and names that thread. The loop checks for itself
// who may run it.
//
// rondo_run() is a runner that is made, run once and closed. With one run there is nobody whom its
// context outlives, so it takes a copy as any task does, and makes no object.
//
// Knows: RunMain, GlobalObjects. Does not know: what a new loop needs (it is given a function).

import CRondo
import CRondoShim

enum RunnerPhase {
  static let created: UInt32 = 0
  static let initialised: UInt32 = 1
  static let closed: UInt32 = 2
}

struct RunnerState {
  var header: ObjectHeader
  var user: UInt64  // any thread; the thread that runs or closes it, 0 for none
  var loopHandle: UInt64  // any thread; written before the phase
  var phase: UInt32  // any thread
  var debug: Int32
  var loop: UInt64  // address, pinned, while it is initialised; the user's
  var context: UInt64  // address, pinned; 0 for none; the user's
  var make: rondo_loop_factory_fn
  var makeArg: Raw?
  var setsCurrent: Bool  // the loop is also the current one of the thread
  var watchesSigint: Bool
  var isSingle: Bool  // for one run only
}

/// How it is made, checked.
struct RunnerOptions {
  var debug: Int32
  var make: rondo_loop_factory_fn
  var makeArg: Raw?
  var setsCurrent: Bool
  var watchesSigint: Bool
}

struct RunnerRef {
  let s: UnsafeMutablePointer<RunnerState>

  static let size = MemoryLayout<RunnerState>.stride

  static func find(_ handle: OpaquePointer?) -> RunnerRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.runner, size) else { return nil }
    return RunnerRef(s: found.assumingMemoryBound(to: RunnerState.self))
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.runner, size)
  }

  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  private var loop: LoopRef? { address(s.pointee.loop).map { LoopRef($0) } }
  private var phase: UInt32 { rondo_load32(&s.pointee.phase) }

  /// A new one with one reference of C's; nil if memory is out.
  static func make(_ options: RunnerOptions, isSingle: Bool) -> RunnerRef? {
    guard let slot = Global.take(Kind.runner, size) else { return nil }
    let made = RunnerRef(s: slot.assumingMemoryBound(to: RunnerState.self))
    rondo_store64(&made.s.pointee.user, 0)
    rondo_store64(&made.s.pointee.loopHandle, 0)
    rondo_store32(&made.s.pointee.phase, RunnerPhase.created)
    made.s.pointee.debug = options.debug
    made.s.pointee.loop = 0
    made.s.pointee.context = 0
    made.s.pointee.make = options.make
    made.s.pointee.makeArg = options.makeArg
    made.s.pointee.setsCurrent = options.setsCurrent
    made.s.pointee.watchesSigint = options.watchesSigint
    made.s.pointee.isSingle = isSingle
    return made
  }

  func releaseUser() -> rondo_status { Global.release(Raw(s)) { end() } }

  /// Nobody names it any more. A loop that was not closed is let go of as any other.
  private func end() {
    let loop = loop
    let context = takeContext()
    Global.give(Kind.runner, Raw(s))
    context?.unpin()
    loop?.unpinLoop()
    Registry.settleLate()
  }

  private func takeContext() -> ContextRef? {
    guard let raw = address(s.pointee.context) else { return nil }
    s.pointee.context = 0
    return ContextRef(raw.assumingMemoryBound(to: ContextState.self))
  }

  // MARK: - one user at a time

  /// Claim it for this thread, and keep it.
  private func enter() -> rondo_status {
    if rondo_cas64(&s.pointee.user, 0, rondo_thread_id()) != 0 {
      Global.pin(Raw(s))
      return RONDO_OK
    }
    let inherited = LoopRef.find(opaque(rondo_load64(&s.pointee.loopHandle)))
    let isForked = inherited.map { rondo_load64(&$0.s.pointee.owner) == Owner.forked } ?? false
    return isForked ? RONDO_E_WRONG_PROCESS : RONDO_E_LOOP_RUNNING
  }

  private func leave() {
    rondo_store64(&s.pointee.user, 0)
    if Global.unpin(Raw(s)) { end() }
  }

  // MARK: - the loop

  /// Make the loop unless there is one: Runner._lazy_init().
  private func initialise() -> rondo_status {
    if phase == RunnerPhase.closed { return RONDO_E_RUNNER_CLOSED }
    if phase == RunnerPhase.initialised { return RONDO_OK }
    var made: OpaquePointer?
    let status = s.pointee.make(s.pointee.makeArg, &made)
    if status != RONDO_OK { return status }
    guard let loop = LoopRef.find(made), Global.moveToPin(Raw(loop.s)) else { return LoopRef.refuse(made) }
    if !s.pointee.isSingle && !makeContext() {
      loop.unpinLoop()
      return -ENOMEM
    }
    if s.pointee.debug != 0 { loop.setDebug(s.pointee.debug > 0) }
    if s.pointee.setsCurrent { LoopRef.setCurrent(loop) }
    s.pointee.loop = bits(loop.s)
    rondo_store64(&s.pointee.loopHandle, loop.s.pointee.header.handle)
    rondo_store32(&s.pointee.phase, RunnerPhase.initialised)
    return RONDO_OK
  }

  private func makeContext() -> Bool {
    let map = Contexts.capture()
    guard let context = ContextRef.make(map) else {
      Contexts.release(map)
      return false
    }
    _ = Global.moveToPin(context.state)
    s.pointee.context = bits(context.state)
    return true
  }

  /// Runner.get_loop(): its handle.
  func getLoop() -> (OpaquePointer?, rondo_status) {
    if phase != RunnerPhase.initialised {
      let entered = enter()
      if entered != RONDO_OK { return (nil, entered) }
      let status = initialise()
      leave()
      if status != RONDO_OK { return (nil, status) }
    }
    return (opaque(rondo_load64(&s.pointee.loopHandle)), RONDO_OK)
  }

  // MARK: - running

  /// Runner.run(), in the runner's context unless another is named. A coroutine moves on every
  /// return. What main ended with, pinned, if it became a task.
  func run(_ main: OpaquePointer?, in context: OpaquePointer?) -> (FutureRef?, rondo_status) {
    // First, as in asyncio: it may be this runner's own loop.
    var status = rondo_thread()!.pointee.running != 0 ? RONDO_E_LOOP_RUNNING : enter()
    if status != RONDO_OK {
      LoopRef.letGo(awaitable: main)
      return (nil, status)
    }
    defer { leave() }
    status = initialise()
    guard status == RONDO_OK, let loop else {
      LoopRef.letGo(awaitable: main)
      return (nil, status)
    }
    let (coroutine, refused) = MainWait.coroutine(for: main, loop)
    guard let coroutine else { return (nil, refused) }
    let own = address(s.pointee.context).map { ContextRef($0.assumingMemoryBound(to: ContextState.self)).handle }
    return loop.runMain(coroutine, in: context ?? own ?? nil, watchesSigint: s.pointee.watchesSigint)
  }

  // MARK: - the end

  /// Runner.close(). Last: the error that left what was left, pinned.
  func close() -> (rondo_status, ErrorRef?) {
    if phase != RunnerPhase.initialised { return (RONDO_OK, nil) }
    var status = enter()
    if status == RONDO_E_LOOP_RUNNING || status == RONDO_E_WRONG_PROCESS { return (status, nil) }
    defer { leave() }
    guard phase == RunnerPhase.initialised, let loop else { return (RONDO_OK, nil) }
    status = loop.windUp()
    if status == RONDO_E_LOOP_RUNNING || status == RONDO_E_OTHER_LOOP_RUNNING { return (status, nil) }
    // In a child there is nothing to wait for: the tasks are the parent's.
    if status == RONDO_E_WRONG_PROCESS { status = RONDO_OK }
    let leaves = status == RONDO_E_INTERRUPTED || status == RONDO_E_EXIT
    let escaped = leaves ? loop.takeEscaped() : nil
    if s.pointee.setsCurrent { LoopRef.setCurrent(nil) }
    _ = loop.shut(nil)
    s.pointee.loop = 0
    rondo_store32(&s.pointee.phase, RunnerPhase.closed)
    takeContext()?.unpin()
    loop.unpinLoop()
    Registry.settleLate()
    return (status, escaped)
  }
}

/// A main that is no coroutine: a coroutine that awaits it (asyncio's _wrap_awaitable()).
private struct MainWait {
  var future: UInt64  // address, pinned
  var isAwaited: Bool

  typealias Pointer = UnsafeMutablePointer<MainWait>

  static func coroutine(for main: OpaquePointer?, _ loop: LoopRef) -> (CoroutineRef?, rondo_status) {
    if let coroutine = CoroutineRef.find(main) { return (coroutine, RONDO_OK) }
    guard let future = FutureRef.find(main) else { return (nil, LoopRef.refuseAwaitable(main)) }
    if future.loop.s != loop.s { return (nil, RONDO_E_WRONG_LOOP) }
    if !future.loop.isReadable { return (nil, future.loop.refusal) }
    guard
      let (made, frame) = CoroutineRef.makeNative(
        "main", { MainWait.step($1!.assumingMemoryBound(to: MainWait.self), $2, $3) }, MainWait.self,
        { MainWait.letGo($0!.assumingMemoryBound(to: MainWait.self)) })
    else { return (nil, -ENOMEM) }
    future.pin()
    frame.pointee.future = bits(future.s)
    return (made, RONDO_OK)
  }

  static func step(_ frame: Pointer, _ sent: Raw?, _ thrown: OpaquePointer?) -> rondo_step {
    if thrown != nil { return Native.raise(nil, thrown) }
    if frame.pointee.isAwaited { return Native.value(.borrowed(sent)) }
    frame.pointee.isAwaited = true
    return Native.awaits(FutureRef(address(frame.pointee.future)!).handle, moved: false)
  }

  static func letGo(_ frame: Pointer) {
    guard let future = address(frame.pointee.future) else { return }
    frame.pointee.future = 0
    FutureRef(future).unpin()
  }
}
