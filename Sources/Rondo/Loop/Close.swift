// Close.swift - the end of a loop: nothing that is left runs, everything is let go of.
//
// The loop is marked closed first, so that what the drops call finds a closed loop and is
// refused. Futures stay readable, so the loop's own memory stays as long as C holds one of its
// objects; `freeIfUnused` looks each time an object of a closed loop goes.
//
// Knows: everything in this room. Does not know: tasks (a hook lets go of them).

import CRondo
import CRondoShim

extension LoopRef {
  /// rondo_loop_close for this thread or, if it does not run, for another.
  func shut(_ report: UnsafeMutablePointer<rondo_close_report>?) -> rondo_status {
    if isClosed { return RONDO_OK }
    // Running in this thread or another: asyncio's "Cannot close a running event loop".
    if rondo_load32(&s.pointee.runningFlag) == Phase.running { return RONDO_E_LOOP_RUNNING }
    if rondo_cas32(&s.pointee.runningFlag, Phase.idle, Phase.closing) == 0 {
      return rondo_load32(&s.pointee.runningFlag) == Phase.running ? RONDO_E_LOOP_RUNNING : RONDO_OK
    }
    if !isClosed {
      Global.pin(Raw(s))
      closeClaimed(report)
      if s.pointee.isArranged { printSchedule() }
      rondo_store32(&s.pointee.runningFlag, Phase.idle)
      unpinLoop()
    } else {
      rondo_store32(&s.pointee.runningFlag, Phase.idle)
    }
    return RONDO_OK
  }

  private func closeClaimed(_ outReport: UnsafeMutablePointer<rondo_close_report>?) {
    // What other threads let go of is settled while the loop still is somebody's: this thread's.
    own()
    collectReleases()
    var report = rondo_close_report()
    countLeft(&report)
    endWatchdog()
    rondo_store64(&s.pointee.closedOwner, rondo_thread_id())
    rondo_lock(inbox.lock)
    s.pointee.isClosing = true
    rondo_store64(&s.pointee.owner, Owner.closed)
    inbox.shut()
    rondo_unlock(inbox.lock)
    let (calls, count) = inbox.take(Int.max)
    report.threadsafe_calls = countCalls(calls, count)
    if let outReport {
      report.size = outReport.pointee.size
      outReport.pointee = report
    }
    Cells.forEach(calls, count) { drop($0) }
    inbox.deallocateCalls()
    dropRing()
    s.pointee.hooks.endTasks(Raw(s))
    dropWatchers()
    dropHandles()
    dropSettings()
    s.pointee.hooks.dropExecutor(Raw(s))
    inbox.waitForWriters()
    poller.shut()
    collectReleases()  // what came between the first look and the mark
  }

  // MARK: - counting

  private func countLeft(_ report: inout rondo_close_report) {
    report.timers = UInt64(timers.pointee.count - timers.pointee.stale)
    for fd in 0..<descriptors.pointee.capacity {
      let slot = descriptor(fd)!
      if slot.pointee.reader != 0 { report.readers += 1 }
      if slot.pointee.writer != 0 { report.writers += 1 }
    }
    var calls: UInt64 = 0
    ready.forEach { call in
      if !HandleRef.isEntry(call) && !ThreadHandleRef.isCancelledEntry(call) { calls += 1 }
    }
    report.ready_calls += calls
    // A handle may have several entries, of which one at most comes to something.
    var handleCalls: UInt64 = 0
    Slab.forEach(handles) { raw in
      let handle = HandleRef(raw)
      if handle.has(HandleBits.queued) && !handle.has(HandleBits.cancelled) { handleCalls += 1 }
    }
    report.ready_calls += handleCalls
    withUnsafeMutablePointer(to: &report) { s.pointee.hooks.countPending(Raw(s), $0) }
  }

  private func countCalls(_ calls: RingCells?, _ count: Int) -> UInt64 {
    var found: UInt64 = 0
    Cells.forEach(calls, count) {
      if !ThreadHandleRef.isCancelledEntry($0) && !LoopRef.isMark($0) { found += 1 }
    }
    return found
  }

  // MARK: - letting go

  private func dropRing() {
    while !ready.isEmpty { drop(ready.popFirst()) }
    ready.deallocateCells()
  }

  private func drop(_ call: Call) {
    Contexts.release(call.context)
    call.drop?(call.arg)
  }

  /// Each leaves the table before its drop runs, which may look for it there.
  private func dropWatchers() {
    for fd in 0..<descriptors.pointee.capacity {
      forgetWatcher(fd, .read)
      forgetWatcher(fd, .write)
    }
    free(descriptors.pointee.slots)
    descriptors.pointee = .empty
  }

  /// Timers, and handles that C still has though their entry in the ring is gone.
  private func dropHandles() {
    Slab.forEach(handles) { raw in
      let handle = HandleRef(raw)
      handle.pin()
      if handle.s.pointee.entryOrder != 0 {
        handle.s.pointee.entryOrder = 0
        handle.unpin()
      }
      handle.add(HandleBits.cancelled)
      handle.finish()
      handle.unpin()
    }
    timers.deallocateEntries()
  }

  private func dropSettings() {
    s.pointee.onException = nil
    s.pointee.beforePoll = nil
    s.pointee.afterPoll = nil
    s.pointee.taskMaking = 0
    s.pointee.taskFactory = nil
    onExceptionArg.replace(.none)
    taskFactoryArg.replace(.none)
    pollArg.replace(.none)
    dropSchedule()
    takeEscaped()?.unpin()
  }

  // MARK: - the memory

  /// No count is left: close it if that was forgotten, and free it once nothing of it lives.
  func endUnused() {
    if isClosed { return freeIfUnused() }
    // Its own thread, if it lives, may just use it: it ends it when it next comes by, or ends.
    if leaveToOwner() { return Registry.markLate() }
    reportUnclosed()
    _ = shut(nil)  // the pin that this takes and gives back leads here again
  }

  /// asyncio's ResourceWarning, which Python shows in its development mode only.
  @inline(never)  // a fault of the program's
  func reportUnclosed() {
    // What came through a fork is the parent's.
    if isClosed || rondo_load64(&s.pointee.owner) == Owner.forked { return }
    if isDebugging {
      var text = Text()
      text.add("unclosed event loop <EventLoop running=False closed=False debug=True>")
      Origins.addStack(
        Origins.trace(of: Raw(s)), "\nsource_traceback: Object created at (most recent call last):", &text)
      Log.write(RONDO_LOG_WARNING, text.cString)
    }
    FailOn.check(FailOn.leaked, literal("unclosed event loop"))
  }

  /// Under the lock under which a thread that ends lets go of its loops.
  private func leaveToOwner() -> Bool {
    rondo_lock(inbox.lock)
    let owner = rondo_load64(&s.pointee.owner)
    let isOthers = owner > Owner.dead && owner != rondo_thread_id()
    if isOthers { rondo_store32(&s.pointee.isAbandoned, 1) }
    rondo_unlock(inbox.lock)
    if isOthers { inbox.wakeForRelease() }
    return isOthers
  }

  /// Free the loop's slot once it is closed, C has let go of it and no object of it is alive.
  func freeIfUnused() {
    let name = rondo_peek64(&s.pointee.header.handle)
    let isLast = Registry.remove(self) {
      rondo_lock(inbox.lock)
      defer { rondo_unlock(inbox.lock) }
      let unused = isClosed && Global.isUnused(Raw(s)) && liveObjects == 0 && !s.pointee.isFreed
        && rondo_peek64(&s.pointee.header.handle) == name
      if unused { s.pointee.isFreed = true }
      return unused
    }
    if !isLast { return }
    Slab.retire(handles)
    Slab.retire(futures)
    Slab.retire(tasks)
    Slab.retire(nodes)
    Slab.retire(scopes)
    Slab.retire(threadHandles)
    Slab.retire(syncs)
    Slab.retire(queues)
    Slab.retire(jobs)
    Global.give(Kind.loop, Raw(s))
  }

  /// Handles, futures, tasks, locks, queues that are alive; any thread, as of a moment ago.
  var liveObjects: UInt64 {
    rondo_load64(&s.pointee.handles.live) + rondo_load64(&s.pointee.futures.live)
      + rondo_load64(&s.pointee.tasks.live) + rondo_load64(&s.pointee.nodes.live)
      + rondo_load64(&s.pointee.threadHandles.live)
      + rondo_load64(&s.pointee.syncs.live) + rondo_load64(&s.pointee.queues.live)
      + rondo_load64(&s.pointee.scopes.live) + rondo_load64(&s.pointee.jobs.live)
  }
}

enum LiveCount {
  /// Objects alive in all loops.
  static func ofLoops() -> UInt64 {
    Registry.locked {
      var sum: UInt64 = 0
      Registry.forEach { sum += $0.liveObjects }
      return sum
    }
  }
}
