// RunMain.swift - a main coroutine from start to end, and what is left after it (asyncio.run).
//
// A run begins and ends the running of the loop; so does the winding up. In between the loop does
// not run, and a runner may run another main on it.
//
// Knows: Awaitables, Gather, AsyncGeneratorShutdown. Does not know: who makes the loop, and who closes it (Runner.swift).

import CRondo
import CRondoShim

extension LoopRef {
  /// Run main on a loop that does not run. The outcome of main, pinned, if it became a task.
  func runMain(_ main: CoroutineRef, in context: OpaquePointer?, watchesSigint: Bool) -> (FutureRef?, rondo_status) {
    let status = begin()
    if status != RONDO_OK {
      LoopRef.closeAndRelease(main)
      return (nil, status)
    }
    var options = TaskOptions()
    options.isQuiet = true
    options.context = context
    let (task, refused) = beforeRunning { createTask(main, options, user: true) }
    guard let task else {
      finish()
      return (nil, refused)
    }
    task.future.pin()
    _ = task.future.releaseUser()
    let watched = watchesSigint && watchSigint(task)
    var result = run(until: task.future, isNew: true)
    if watched { unwatchSigint() }
    if result == RONDO_OK { result = outcomeOfMain(task) }
    finish()
    return (task.future, result)
  }

  /// The orderly end, in asyncio's order: what is left is cancelled and awaited, then asynchronous
  /// generators, then the default executor; the caller closes the loop.
  func windUp() -> rondo_status {
    let status = begin()
    if status != RONDO_OK { return status }
    let end = endLeftTasks()
    closeGenerators()
    finish()
    if !isClosed { s.pointee.hooks.joinExecutor(Raw(s)) }
    return end
  }

  private func outcomeOfMain(_ task: TaskRef) -> rondo_status {
    let outcome = task.future.outcome()
    let interrupted = s.pointee.sigintsSeen > 0
    if outcome == RONDO_E_CANCELLED && interrupted && task.uncancel() == 0 { return RONDO_E_INTERRUPTED }
    return outcome
  }

  // MARK: - SIGINT

  private func watchSigint(_ task: TaskRef) -> Bool {
    if poller.open() != RONDO_OK { return false }
    s.pointee.sigintsSeen = 0
    rondo_poke32(&s.pointee.sigints, 0)
    s.pointee.mainTask = bits(task.s)
    let installed = rondo_shim_sigint_install(
      &s.pointee.sigints, &s.pointee.attention, Attention.signal, poller.pointee.wake)
    if installed == 1 { return true }
    s.pointee.mainTask = 0
    return false
  }

  private func unwatchSigint() {
    rondo_shim_sigint_remove()
    s.pointee.mainTask = 0
    s.pointee.sigintsSeen = rondo_load32(&s.pointee.sigints)
  }

  /// SIGINT came: the first cancels main, the next one ends the run.
  func interrupt() {
    s.pointee.attention &= ~Attention.signal
    let count = rondo_load32(&s.pointee.sigints)
    let isFirst = s.pointee.sigintsSeen == 0 && count == 1
    s.pointee.sigintsSeen = count
    guard let main = address(s.pointee.mainTask).map({ TaskRef($0) }) else { return }
    if isFirst && !main.future.isDone {
      _ = main.cancel(ErrorRef.plainCancelled())
    } else {
      let error = ErrorRef.of(RONDO_E_INTERRUPTED)
      escape(error)
      error.unpin()
    }
  }

  // MARK: - what is left

  /// Cancel every task that is left, wait for all of them, report what they raised.
  private func endLeftTasks() -> rondo_status {
    s.pointee.attention = 0
    let count = listTasks(nil, 0)
    if count == 0 { return RONDO_OK }
    guard let left = allocateArray(OpaquePointer?.self, count) else { return -ENOMEM }
    var end = RONDO_OK
    let listed = Swift.min(count, listTasks(left, count))
    for i in 0..<listed {
      if let task = FutureRef.find(left[i]) { _ = task.cancel(ErrorRef.plainCancelled()) }
    }
    left.withMemoryRebound(to: Raw?.self, capacity: listed) { awaitables in
      let (all, status) = Gather.make(self, awaitables, listed, returnsExceptions: true)
      end = status
      guard let all else { return }
      if status == RONDO_OK { end = run(until: all, isNew: false) }
      _ = all.releaseUser()
    }
    for i in 0..<listed { reportLeft(left[i]) }
    free(left)
    return end
  }

  private func reportLeft(_ handle: OpaquePointer?) {
    guard let task = FutureRef.find(handle) else { return }
    if task.state == RONDO_FUTURE_EXCEPTION {
      task.remove(FutureBits.unread)
      report(
        literal("unhandled exception during asyncio.run() shutdown"), task.error,
        task: task.s.pointee.header.handle)
    }
    _ = task.releaseUser()
  }
}
