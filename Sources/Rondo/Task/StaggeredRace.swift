// StaggeredRace.swift - the first of several that succeeds, started one after the other: asyncio's staggered_race().
//
// Each contestant has a task (StaggeredRunner.swift), which first makes the task of the next one
// and then runs its own coroutine; the next one waits for that to fail, or for the delay. The race
// itself is a coroutine that waits until no such task is left, cancelled or not, as CPython's does
// since 3.13, so that none outlives it.
//
// Knows: Native, Task, CancelScope. Does not know: what the contestants do.

import CRondo
import CRondoShim

/// What a race's coroutine and its tasks share, and in the end its value: nothing can fail then.
struct RaceState {
  var end: @convention(c) (Raw) -> Void  // of the result, which C gets a pointer to: see Value.kept
  var result: rondo_race_result
  var holders: Int  // the coroutine's frame, the runners' frames, their tasks' callbacks; the value
  var fn: rondo_race_fn
  var arg: Value
  var count: Int
  var delay: Int64
  var value: Value  // the winner's
  var errors: UnsafeMutablePointer<OpaquePointer?>  // of `count`, each pinned
  var running: UnsafeMutablePointer<UInt64>  // addresses of tasks, pinned; room for count + 1
  var runningCount: Int
  var completed: UInt64  // address of a future, pinned, while the race waits
  var unhandled: UInt64  // address of an error, pinned: a runner failed, not its contestant
  var scope: UInt64  // address, pinned while it runs: the cancel scope of the one who awaits the race
}

typealias RacePointer = UnsafeMutablePointer<RaceState>

extension UnsafeMutablePointer where Pointee == RaceState {
  /// More contestants than any list in memory has.
  static var most: Int { 1 << 24 }

  /// The argument moves on success.
  static func make(_ count: Int, _ delay: Int64, _ fn: @escaping rondo_race_fn, _ arg: Value) -> RacePointer? {
    let state = allocateArray(RaceState.self, 1)
    let errors = allocateArray(OpaquePointer?.self, count + 1)
    let running = allocateArray(UInt64.self, count + 1)
    guard let state, let errors, let running else {
      free(state)
      free(errors)
      free(running)
      return nil
    }
    memset(errors, 0, (count + 1) * MemoryLayout<OpaquePointer?>.stride)
    state.initialize(to: RaceState(
      end: { ($0 - 8).assumingMemoryBound(to: RaceState.self).letGo() },
      result: rondo_race_result(value: nil, winner: -1, started: 0, errors: UnsafePointer(errors)), holders: 1, fn: fn,
      arg: arg, count: count, delay: delay, value: .none, errors: errors, running: running, runningCount: 0,
      completed: 0, unhandled: 0, scope: 0))
    return state
  }

  func letGo() {
    pointee.holders -= 1
    if pointee.holders > 0 { return }
    let arg = pointee.arg
    let value = pointee.value
    for i in 0..<pointee.result.started { ErrorRef.find(pointee.errors[i])?.unpin() }
    if let error = address(pointee.unhandled) { ErrorRef(error).unpin() }
    // Only where the loop was closed: the tasks' callbacks did not run.
    for i in 0..<pointee.runningCount { FutureRef(address(pointee.running[i])!).unpin() }
    free(pointee.errors)
    free(pointee.running)
    free(self)
    arg.dispose()
    value.dispose()
  }

  // MARK: - the tasks

  /// A task for the next contestant, who waits for `previous` to be done. RONDO_OK, or why not.
  func startRunner(_ loop: LoopRef, after previous: FutureRef?) -> rondo_status {
    guard let frame = StaggeredRunner.makeFrame(self, previous) else { return -ENOMEM }
    guard let node = Waiter.take(loop) else {
      StaggeredRunner(s: frame).letGo()
      return -ENOMEM
    }
    let body = Activation(
      step: StaggeredRunner.step, frame: Raw(frame), drop: StaggeredRunner.drop, name: literal("run_one_coro"),
      parent: 0, flags: 0, count: 0)
    var options = LoopRef.TaskOptions(name: nil, context: nil)
    // An eager runner would begin before it is in the list; asyncio makes it wait for that. So no task
    // factory is asked either, which could start it.
    options.eager = RONDO_EAGER_NO
    options.scope = pointee.scope
    let (made, status) = loop.spawn(body, options, user: false)
    made?.start(eager: false)
    guard let task = made else {
      Waiter.give(node)
      StaggeredRunner(s: frame).letGo()
      return status
    }
    task.future.pin()
    pointee.running[pointee.runningCount] = bits(task.s)
    pointee.runningCount += 1
    pointee.holders += 1
    let value = Value(pointer: Raw(self), drop: { $0!.assumingMemoryBound(to: RaceState.self).letGo() })
    task.future.addCallback(node, { task, raw in
      if let raw, let task = FutureRef.find(task) { raw.assumingMemoryBound(to: RaceState.self).taskDone(task) }
    }, value)
    return RONDO_OK
  }

  private func taskDone(_ task: FutureRef) {
    forget(task)
    if pointee.runningCount == 0, let completed = address(pointee.completed) { FutureRef(completed).completeOnce() }
    if task.state != RONDO_FUTURE_EXCEPTION { return }
    task.remove(FutureBits.unread)
    if pointee.unhandled != 0 { return }
    task.error!.pin()
    pointee.unhandled = bits(task.error!.state)
  }

  private func forget(_ task: FutureRef) {
    for i in 0..<pointee.runningCount where pointee.running[i] == bits(task.s) {
      pointee.runningCount -= 1
      for k in i..<pointee.runningCount { pointee.running[k] = pointee.running[k + 1] }
      return task.unpin()
    }
  }

  /// Cancel every task but one. Cancelling runs code that may end others: look at the list anew.
  func cancelAll(but own: UInt64, _ error: ErrorRef) {
    var i = 0
    while i < pointee.runningCount {
      let task = FutureRef(address(pointee.running[i])!)
      i += 1
      if bits(task.s) == own || task.isDone { continue }
      task.pin()
      _ = task.cancel(error)
      task.unpin()
    }
  }

  /// As in a task group: tasks in a cancelled scope are cancelled by it, and not behind shields.
  var areCancelledByScope: Bool { CancelScope(at: pointee.scope)?.has(CancelScopeBits.underInsisted) == true }
}

// MARK: - the coroutine

struct RaceFrame {
  var race: RacePointer
  var cancelled: UInt64  // address of an error, pinned: what to raise in the end
  var hasBegun: Bool
}

struct StaggeredRace {
  let s: UnsafeMutablePointer<RaceFrame>

  private var race: RacePointer { s.pointee.race }

  /// `arg` moves on success.
  static func make(_ count: Int, _ delay: Int64, _ fn: @escaping rondo_race_fn, _ arg: Value) -> CoroutineRef? {
    let step: rondo_step_fn = { StaggeredRace(s: $1!.assumingMemoryBound(to: RaceFrame.self)).step($3) }
    let drop: rondo_drop_fn = { StaggeredRace(s: $0!.assumingMemoryBound(to: RaceFrame.self)).letGo() }
    guard let race = RacePointer.make(count, delay, fn, arg) else { return nil }
    guard let (made, frame) = CoroutineRef.makeNative("staggered_race", step, RaceFrame.self, drop) else {
      race.pointee.arg = .none
      race.letGo()
      return nil
    }
    frame.initialize(to: RaceFrame(race: race, cancelled: 0, hasBegun: false))
    return made
  }

  /// It is over. If it was closed before that, its tasks are not left to themselves.
  private func letGo() {
    let race = race
    if race.pointee.runningCount > 0 && !FutureRef(address(race.pointee.running[0])!).loop.isClosed {
      race.cancelAll(but: 0, ErrorRef.plainCancelled())
    }
    letGoOfCompleted()
    if let error = address(s.pointee.cancelled) { ErrorRef(error).unpin() }
    if let scope = address(race.pointee.scope) { Scope.unpin(scope) }
    race.pointee.scope = 0
    race.letGo()
  }

  private func letGoOfCompleted() {
    guard let completed = address(race.pointee.completed) else { return }
    race.pointee.completed = 0
    FutureRef(completed).unpin()
  }

  private func step(_ thrown: OpaquePointer?) -> rondo_step {
    guard let running = address(rondo_thread()!.pointee.running) else {
      return thrown != nil ? Native.raise(nil, thrown) : Native.raise(ErrorRef.of(RONDO_E_NO_LOOP))
    }
    let loop = LoopRef(running)
    if !s.pointee.hasBegun {
      if let refusal = begin(loop) { return refusal }
    } else if let error = ErrorRef.find(thrown) {
      if !error.isCancellation { return Native.raise(nil, thrown) }
      note(error)
      if !race.areCancelledByScope { race.cancelAll(but: 0, error) }
    }
    letGoOfCompleted()
    return race.pointee.runningCount > 0 ? wait(loop) : finish()
  }

  private func begin(_ loop: LoopRef) -> rondo_step? {
    s.pointee.hasBegun = true
    if let task = address(loop.s.pointee.currentTask), let scope = TaskRef(task).scope {
      Scope.pin(scope.raw)
      race.pointee.scope = bits(scope.s)
    }
    let status = race.startRunner(loop, after: nil)
    return status == RONDO_OK ? nil : Native.raise(ErrorRef.of(status))
  }

  private func note(_ error: ErrorRef) {
    error.pin()
    if let old = address(s.pointee.cancelled) { ErrorRef(old).unpin() }
    s.pointee.cancelled = bits(error.state)
  }

  private func wait(_ loop: LoopRef) -> rondo_step {
    guard let completed = FutureRef.make(loop, user: true) else { return Native.sleep(nil, 0) }
    completed.add(FutureBits.library)
    if s.pointee.cancelled != 0 { completed.add(FutureBits.patient) }
    completed.pin()
    race.pointee.completed = bits(completed.s)
    return Native.awaits(completed.handle, moved: true)
  }

  private func finish() -> rondo_step {
    if let error = address(race.pointee.unhandled) {
      race.pointee.unhandled = 0
      return Native.raise(ErrorRef(error))
    }
    if let error = address(s.pointee.cancelled) {
      s.pointee.cancelled = 0
      return Native.raise(ErrorRef(error))
    }
    race.pointee.result.value = race.pointee.value.pointer
    race.pointee.holders += 1
    return Native.value(.kept(Raw(race) + 8))
  }
}
