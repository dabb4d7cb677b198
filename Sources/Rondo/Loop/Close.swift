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
    if rondo_load32(&s.pointee.runningFlag) != 0 { return RONDO_E_LOOP_RUNNING }
    if rondo_cas32(&s.pointee.runningFlag, 0, 1) == 0 { return RONDO_E_LOOP_RUNNING }
    let wasForked = rondo_load64(&s.pointee.owner) == Owner.forked
    if rondo_load64(&s.pointee.owner) != Owner.closed {
      if wasForked { own() }
      Global.pin(Raw(s))
      closeClaimed(report)
      rondo_store32(&s.pointee.runningFlag, 0)
      unpinLoop()
    }
    return RONDO_OK
  }

  private func closeClaimed(_ outReport: UnsafeMutablePointer<rondo_close_report>?) {
    var report = rondo_close_report()
    collectReleasesAtClose()
    report.timers = UInt64(timers.pointee.count - timers.pointee.stale)
    countReadyAndWatched(&report)
    withUnsafeMutablePointer(to: &report) { s.pointee.hooks.countPending(Raw(s), $0) }
    rondo_store64(&s.pointee.closedOwner, rondo_thread_id())
    _ = rondo_shim_watch_thread()
    s.pointee.isClosing = true
    rondo_store64(&s.pointee.owner, Owner.closed)
    inbox.shut()
    report.threadsafe_calls = dropInbox()
    if let outReport {
      report.size = outReport.pointee.size
      outReport.pointee = report
    }
    dropRing()
    s.pointee.hooks.endTasks(Raw(s))
    dropHandles()
    dropSettings()
    poller.shut()
  }

  /// What other threads let go of is settled while the loop still is this thread's.
  private func collectReleasesAtClose() {
    own()
    collectReleases()
  }

  private func countReadyAndWatched(_ report: inout rondo_close_report) {
    for fd in 0..<descriptors.pointee.capacity {
      let slot = descriptor(fd)!
      if slot.pointee.reader != 0 { report.readers += 1 }
      if slot.pointee.writer != 0 { report.writers += 1 }
    }
    let ring = ready.pointee
    var at = ring.head
    while at != ring.tail {
      let call = ring.slots![Int(bitPattern: at & ring.mask)]
      let own = call.drop.map { unsafeBitCast($0, to: UInt.self) } == handleDrop
      if !own || !HandleRef(call.arg!).has(HandleBits.cancelled | HandleBits.skips) { report.ready_calls += 1 }
      at &+= 1
    }
  }

  /// How the ring's entries of handles are told from others.
  private var handleDrop: UInt? {
    unsafeBitCast(HandleRef(Raw(s)).entry.drop, to: UInt.self)
  }

  // MARK: - letting go

  private func dropInbox() -> UInt64 {
    let (calls, count) = inbox.take(Int.max)
    for i in 0..<count { drop(calls![i]) }
    inbox.deallocateCalls()
    return UInt64(count)
  }

  private func dropRing() {
    while ready.count > 0 { drop(ready.popFirst()) }
    ready.deallocateSlots()
  }

  private func drop(_ call: Call) {
    Contexts.release(call.context)
    call.drop?(call.arg)
  }

  /// Every handle that is left: timers, watchers, and those whose ring entry is gone.
  private func dropHandles() {
    Slab.forEach(handles) { raw in
      let handle = HandleRef(raw)
      handle.pin()
      if handle.s.pointee.entryOrder != 0 {
        handle.s.pointee.entryOrder = 0
        handle.unpin()
      }
      if handle.has(HandleBits.descriptor) && !handle.has(HandleBits.cancelled) { handle.unpin() }
      handle.add(HandleBits.cancelled)
      handle.finish()
      handle.unpin()
    }
    timers.deallocateEntries()
    free(descriptors.pointee.slots)
    descriptors.pointee = .empty
  }

  private func dropSettings() {
    let handler = s.pointee.onExceptionArg
    let hooks = s.pointee.pollArg
    s.pointee.onException = nil
    s.pointee.onExceptionArg = .none
    s.pointee.beforePoll = nil
    s.pointee.afterPoll = nil
    s.pointee.pollArg = .none
    handler.dispose()
    hooks.dispose()
    takeEscaped()?.unpin()
  }

  // MARK: - the memory

  /// No count is left: close it if that was forgotten, and free it once nothing of it lives.
  func endUnused() {
    if !isClosed {
      let owner = rondo_load64(&s.pointee.owner)
      if owner > Owner.dead && owner != rondo_thread_id() {
        // Its own thread lives and may just use it: it does this when it next comes by, or ends.
        rondo_store32(&s.pointee.isAbandoned, 1)
        leaveAbandoned()
        return
      }
      _ = shut(nil)
      return  // the pin that close took and gave back led here again
    }
    freeIfUnused()
  }

  private func leaveAbandoned() { inbox.wakeForRelease() }

  /// Free the loop's slot once it is closed, C has let go of it and no object of it is alive.
  func freeIfUnused() {
    let name = s.pointee.header.handle
    rondo_lock(inbox.lock)
    let unused = isClosed && Global.isUnused(Raw(s)) && liveObjects == 0 && !s.pointee.isFreed
      && s.pointee.header.handle == name
    if unused { s.pointee.isFreed = true }
    rondo_unlock(inbox.lock)
    if !unused { return }
    Registry.remove(self)
    Slab.retire(handles)
    Slab.retire(futures)
    Slab.retire(tasks)
    Slab.retire(nodes)
    Slab.retire(threadHandles)
    Global.give(Kind.loop, Raw(s))
  }

  /// Handles, futures, tasks that are alive; any thread, as of a moment ago.
  var liveObjects: UInt64 {
    rondo_load64(&s.pointee.handles.live) + rondo_load64(&s.pointee.futures.live)
      + rondo_load64(&s.pointee.tasks.live) + rondo_load64(&s.pointee.nodes.live)
      + rondo_load64(&s.pointee.threadHandles.live)
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
