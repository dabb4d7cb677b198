// StaggeredRunner.swift - one contestant's task in a staggered race: asyncio's run_one_coro().
//
// It waits for its turn, makes the task of the one after it, and runs the contestant's coroutine.
// The wait is wait_for around a coroutine of its own, because with no delay at all that makes a
// task more, and so a pass more, in asyncio.
//
// Knows: StaggeredRace, WaitFor. Does not know: who awaits the race.

import CRondo
import CRondoShim

struct RunnerFrame {
  var race: RacePointer
  var previous: UInt64  // address of a future, pinned: the one before has failed
  var failed: UInt64  // address of a future, pinned: this one has failed
  var task: UInt64  // address of its own task
  var index: Int
  var stage: Int32
}

struct StaggeredRunner {
  let s: UnsafeMutablePointer<RunnerFrame>

  private var race: RacePointer { s.pointee.race }

  static var step: rondo_step_fn {
    { StaggeredRunner(s: $1!.assumingMemoryBound(to: RunnerFrame.self)).step($2, $3) }
  }

  static var drop: rondo_drop_fn { { StaggeredRunner(s: $0!.assumingMemoryBound(to: RunnerFrame.self)).letGo() } }

  static func makeFrame(_ race: RacePointer, _ previous: FutureRef?) -> UnsafeMutablePointer<RunnerFrame>? {
    guard let frame = allocateArray(RunnerFrame.self, 1) else { return nil }
    frame.initialize(to: RunnerFrame(
      race: race, previous: bits(previous?.s), failed: 0, task: 0, index: 0, stage: 0))
    previous?.pin()
    race.pointee.holders += 1
    return frame
  }

  func letGo() {
    let race = race
    if let previous = address(s.pointee.previous) { FutureRef(previous).unpin() }
    if let failed = address(s.pointee.failed) { FutureRef(failed).unpin() }
    free(s)
    race.letGo()
  }

  private func step(_ sent: Raw?, _ thrown: OpaquePointer?) -> rondo_step {
    // Closed with its loop, it only ends.
    guard let running = address(rondo_thread()!.pointee.running) else { return Native.raise(nil, thrown) }
    let loop = LoopRef(running)
    switch s.pointee.stage {
    case 0:
      s.pointee.task = loop.s.pointee.currentTask
      return s.pointee.previous == 0 ? start(loop) : waitForTurn()
    case 1:
      // The delay is over: as good as if the one before had failed.
      if let error = ErrorRef.find(thrown), !error.isRondo(RONDO_E_TIMEOUT) { return Native.raise(nil, thrown) }
      return start(loop)
    default: return end(sent, thrown)
    }
  }

  // MARK: - waiting for its turn

  private func waitForTurn() -> rondo_step {
    s.pointee.stage = 1
    let drop: rondo_drop_fn = { raw in
      let held = raw!.assumingMemoryBound(to: UInt64.self)
      if let future = address(held.pointee) { FutureRef(future).unpin() }
    }
    let step: rondo_step_fn = { co, raw, _, thrown in
      let held = raw!.assumingMemoryBound(to: UInt64.self)
      guard let future = address(held.pointee).map({ FutureRef($0) }) else {
        return thrown == nil ? Native.value(.none) : Native.raise(co, thrown)
      }
      held.pointee = 0
      if thrown != nil || future.isDone {
        future.unpin()
        return thrown == nil ? Native.value(.none) : Native.raise(co, thrown)
      }
      _ = Owned.retain(future.raw)
      let answer = Native.awaits(future.handle, moved: true)
      future.unpin()
      return answer
    }
    guard let (turn, held) = CoroutineRef.makeNative("wait", step, UInt64.self, drop) else { return outOfMemory() }
    held.pointee = s.pointee.previous
    s.pointee.previous = 0
    guard let limited = WaitFor.make(turn.handle, race.pointee.delay) else {
      LoopRef.closeAndRelease(turn)
      return outOfMemory()
    }
    return Native.awaits(limited.handle, moved: false)
  }

  private func outOfMemory() -> rondo_step { Native.raise(ErrorRef.of(-ENOMEM)) }

  // MARK: - running

  private func start(_ loop: LoopRef) -> rondo_step {
    if race.pointee.result.started == race.pointee.count { return Native.value(.none) }
    guard let failed = FutureRef.make(loop, user: false) else { return outOfMemory() }
    failed.add(FutureBits.library)
    s.pointee.failed = bits(failed.s)
    let status = race.startRunner(loop, after: failed)
    if status != RONDO_OK { return Native.raise(ErrorRef.of(status)) }
    s.pointee.index = race.pointee.result.started
    race.pointee.result.started += 1
    s.pointee.stage = 2
    var made: OpaquePointer?
    let answer = race.pointee.fn(s.pointee.index, race.pointee.arg.pointer, &made)
    if answer != RONDO_OK { return fail(StaggeredRunner.error(of: answer)) }
    guard CoroutineRef.find(made) != nil else { return fail(ErrorRef.of(RONDO_E_TYPE)) }
    return Native.awaits(made, moved: true)
  }

  /// A status that C made up is no reason to end the process.
  private static func error(of status: rondo_status) -> ErrorRef {
    ErrorRef.of(Status.text(status) != nil && status < 0 || status < 0 && status > -4096 ? status : RONDO_E_RUNTIME)
  }

  /// The pin moves.
  private func fail(_ error: ErrorRef) -> rondo_step {
    race.pointee.errors[s.pointee.index] = error.handle
    FutureRef(address(s.pointee.failed)!).completeOnce()
    return Native.value(.none)
  }

  private func end(_ sent: Raw?, _ thrown: OpaquePointer?) -> rondo_step {
    if let error = ErrorRef.find(thrown) {
      // Closed with its loop: nothing is to be started any more.
      if error.leavesLoop || error.isRondo(RONDO_E_GENERATOR_EXIT) { return Native.raise(nil, thrown) }
      error.pin()
      return fail(error)
    }
    let value = Native.takeSent(sent, held: 0)
    if race.pointee.result.winner >= 0 {
      // Two in one pass: CPython fails an assertion here. The first one stays the winner.
      value.dispose()
      return fail(ErrorRef.plainCancelledPinned())
    }
    race.pointee.result.winner = Int64(s.pointee.index)
    race.pointee.value = value
    race.cancelAll(but: s.pointee.task, ErrorRef.plainCancelled())
    return Native.value(.none)
  }
}
