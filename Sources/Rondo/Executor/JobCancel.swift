// JobCancel.swift - taking a job back, or asking one that runs to end.
//
// A job that waits in a pool's queue is taken out under the pool's locks. One that a custom
// executor has stays there as an empty shell, because the executor has its handle. One that runs
// is marked, and its unblock hook is called, once, while it is held: so the hook never runs when
// the job has moved on, and the job never ends under the hook.
//
// Knows: Job, Executor's locks. Does not know: workers.

import CRondo
import CRondoShim

extension JobRef {
  /// Its future was cancelled, on the loop's thread.
  static func futureCancelled(_ future: FutureRef, _ error: ErrorRef) {
    let job = JobRef(of: future)
    future.pin()
    _ = job.untie()
    future.becomeCancelled(error)
    let loop = future.loop
    loop.stopTimer(place(&job.s.pointee.timer))
    job.letClockGo(loop)
    job.cancel()
    future.unpin()
  }

  /// Nobody wants its result any more. The caller knows that the slot is still the job's.
  @inline(never)  // runs the user's drops and hooks
  func cancel() {
    if phase == JobPhase.queued {
      if s.pointee.executor == 0 {
        if rondo_cas32(stateWord, JobPhase.queued, JobPhase.done | JobPhase.asked) != 0 { return dropShell() }
      } else if takeOut() {
        s.pointee.outcome = JobOutcome.cancelled
        return handOverUnrun()
      }
    }
    askToEnd()
  }

  /// A custom executor has the handle: only what the job was given goes.
  private func dropShell() {
    let arg = s.pointee.arg
    s.pointee.arg = .none
    arg.dispose()
  }

  /// Take it out of its pool's queue; false if it is not in there any more. In a child of fork the
  /// queue is the parent's, and stays as it is.
  private func takeOut() -> Bool {
    let executor = ExecutorRef(address(s.pointee.executor)!)
    if executor.isInherited { return false }
    executor.lockBoth()
    let isThere = phase == JobPhase.queued
    if isThere {
      executor.remove(self)
      rondo_store32(stateWord, JobPhase.done)
    }
    executor.unlockBoth()
    return isThere
  }

  // MARK: - one that runs

  /// Mark it and call its hook, if it runs.
  @inline(never)  // rare
  func askToEnd() {
    while true {
      let seen = state
      if seen & JobPhase.mask != JobPhase.running { return }
      if rondo_cas32(stateWord, seen, seen | JobPhase.asked) != 0 { break }
    }
    if hold() { askHeld() }
  }

  /// The same for a job that this thread holds, which it lets go of.
  func askHeld() {
    _ = rondo_or32(stateWord, JobPhase.asked)
    let hook = s.pointee.unblock
    s.pointee.unblock = nil
    hook?(s.pointee.unblockArg)
    letGoOfHold()
  }

  /// Keep it from ending; false if it does not run, or this thread holds it already.
  func hold() -> Bool {
    let me = rondo_thread_id()
    while true {
      let seen = state
      if seen & JobPhase.mask != JobPhase.running { return false }
      if seen & JobPhase.held != 0 {
        if rondo_load64(&s.pointee.holder) == me { return false }
        waitWhileHeld(seen)
      } else if rondo_cas32(stateWord, seen, seen | JobPhase.held) != 0 {
        rondo_store64(&s.pointee.holder, me)
        return true
      }
    }
  }

  func letGoOfHold() {
    rondo_store64(&s.pointee.holder, 0)
    let before = rondo_and32(stateWord, ~(JobPhase.held | JobPhase.sleeper))
    if before & JobPhase.sleeper != 0 { rondo_shim_wake_all(stateWord) }
  }

  func waitWhileHeld(_ seen: UInt32) {
    let marked = seen | JobPhase.sleeper
    if seen != marked && rondo_cas32(stateWord, seen, marked) == 0 { return }
    rondo_shim_wait(stateWord, marked, Int64.max)
  }

  // MARK: - its own thread

  @inline(__always)
  var isMine: Bool { rondo_load64(&s.pointee.thread) == rondo_thread_id() }

  func setUnblock(_ fn: rondo_call_fn?, _ arg: Raw?) -> rondo_status {
    // Not held by this: the hook itself, called in this thread, sets another.
    let holds = hold()
    let isLate = fn != nil && state & JobPhase.asked != 0
    s.pointee.unblock = isLate ? nil : fn
    s.pointee.unblockArg = arg
    if holds { letGoOfHold() }
    return isLate ? RONDO_E_CANCELLED : RONDO_OK
  }

  // MARK: - what a custom executor does with it

  /// Run it here. The handle has had its one call then.
  func runForCustom() -> rondo_status {
    let refusal = claimForCustom(JobPhase.running)
    if refusal != RONDO_OK { return refusal }
    run()
    return RONDO_OK
  }

  func abandonForCustom() -> rondo_status {
    let refusal = claimForCustom(JobPhase.done)
    // Cancelled before: there is nothing left to abandon.
    if refusal != RONDO_OK { return refusal == RONDO_E_CANCELLED ? RONDO_OK : refusal }
    s.pointee.outcome = JobOutcome.cancelled
    handOverUnrun()
    return RONDO_OK
  }

  private func claimForCustom(_ phase: UInt32) -> rondo_status {
    if s.pointee.executor != 0 || self.phase == JobPhase.watching { return RONDO_E_ALREADY_RUNNING }
    if rondo_cas32(stateWord, JobPhase.queued, phase | JobPhase.gone) != 0 { return RONDO_OK }
    if self.phase == JobPhase.running { return RONDO_E_ALREADY_RUNNING }
    // It had its call before, and is on its way back.
    if rondo_or32(stateWord, JobPhase.gone) & JobPhase.gone != 0 { return RONDO_E_STALE_HANDLE }
    Contexts.release(s.pointee.context)
    s.pointee.context = 0
    s.pointee.outcome = JobOutcome.none
    if isOfLoop { giveBack() } else { settleShell() }
    return RONDO_E_CANCELLED
  }

  /// Its thread future is cancelled already.
  private func settleShell() {
    ThreadFutureRef(address(s.pointee.future)!.assumingMemoryBound(to: ThreadFutureState.self)).unpin()
    unpinGlobal()
  }
}
