// Pass.swift - one turn of the loop: poll, collect, run what was ready. Read this first.
//
// asyncio's order, exactly: what the kernel reports, then timers that are due, then everything
// that is in the ring by now and nothing that is added meanwhile (the batch rule: a callback that
// schedules itself cannot starve the descriptors). Calls from other threads take their place among
// the others as if they had gone to the ring themselves: whatever is added to it looks for them first.
//
// A poll is a system call, and is left out when there is work and no descriptor is watched: then
// it could report nothing but a wake-up, which is for a sleeping loop.
//
// Knows: everything in this room. Does not know: futures, tasks.

import CRondo
import CRondoShim

extension LoopRef {
  /// One pass that sleeps `maxWait` nanoseconds at most and runs at most `limit` calls.
  @inline(__always)
  func pass(maxWait: Int64, limit: UInt64) -> rondo_status {
    let status = collectEvents(maxWait: maxWait)
    if status != RONDO_OK { return status }
    if rondo_peek32(&s.pointee.sigints) != s.pointee.sigintsSeen { s.pointee.hooks.interrupt(Raw(s)) }
    collectInbox()
    collectReleases()
    Registry.settleLate()
    if s.pointee.hasLateWakes { s.pointee.hooks.collectLate(Raw(s)) }
    collectDueTimers()
    if !ready.isEmpty {
      if s.pointee.isArranged { arrangeBatch() }
      runBatch(until: ready.pointee.tail, limit)
    }
    return RONDO_OK
  }

  // MARK: - waiting

  var hasWork: Bool {
    !ready.isEmpty || s.pointee.attention != 0 || !inbox.isEmpty || s.pointee.hasLateWakes
      || rondo_load32(&s.pointee.releases) != 0
      || rondo_peek32(&s.pointee.sigints) != s.pointee.sigintsSeen
  }

  @inline(__always)
  private func collectEvents(maxWait: Int64) -> rondo_status {
    if !ready.isEmpty && descriptors.pointee.watched == 0 && !s.pointee.isGuest { return RONDO_OK }
    return collectEventsNow(maxWait: maxWait)
  }

  @inline(never)
  private func collectEventsNow(maxWait: Int64) -> rondo_status {
    if isVirtual { return collectEventsVirtually(maxWait: maxWait) }
    if s.pointee.beforePoll == nil && s.pointee.afterPoll == nil {
      let wait = waitTime(maxWait)
      if wait == 0 && descriptors.pointee.watched == 0 && !s.pointee.isGuest { return RONDO_OK }
      return poll(wait)
    }
    return collectEventsWithHooks(maxWait)
  }

  private func collectEventsWithHooks(_ maxWait: Int64) -> rondo_status {
    if hasWork && descriptors.pointee.watched == 0 && !s.pointee.isGuest { return RONDO_OK }
    if let before = s.pointee.beforePoll { callHook(before) }
    // The hook may have scheduled something: then this does not sleep.
    let status = poll(waitTime(maxWait))
    if status == RONDO_OK, let after = s.pointee.afterPoll { callHook(after) }
    return status
  }

  func callHook(_ hook: rondo_loop_fn) {
    s.pointee.inCallback = true
    pollArg.use { hook(handle, $0) }
    if UInt64(s.pointee.attention) | rondo_thread()!.pointee.context != 0 {
      _ = tidyUp(unsafeBitCast(hook, to: rondo_call_fn.self))
    }
    s.pointee.inCallback = false
  }

  /// How long to sleep: not at all if there is work, for ever if negative.
  @inline(__always)
  private func waitTime(_ maxWait: Int64) -> Int64 {
    if !ready.isEmpty || maxWait == 0 || hasWork { return 0 }
    let deadline = timers.pointee.count > 0 ? nextDeadline() : Int64.max
    if deadline == Int64.max { return maxWait == Int64.max ? -1 : maxWait }
    let now = rondo_shim_now()
    return deadline <= now ? 0 : Swift.min(maxWait, deadline - now)
  }

  func poll(_ wanted: Int64) -> rondo_status {
    let status = poller.open()
    if status != RONDO_OK { return status }
    let wait = wanted == 0 || !fallAsleep() ? 0 : wanted
    if s.pointee.isTimed { restWatchdog() }
    let began = s.pointee.isTimed ? rondo_shim_now() : 0
    let count = poller.poll(wait: wait)
    let ended = began == 0 ? 0 : rondo_shim_now()
    if wanted != 0 || s.pointee.isGuest { inbox.wakeUp() }
    if count < 0 { return count }
    collectInbox()
    if s.pointee.isArranged { arrangeEvents(count) }
    let delivered = count == 0 ? RONDO_OK : deliver(count)
    if began != 0 { reportPoll(asked: wait, took: ended - began, count) }
    return delivered
  }

  /// Late releases, signals and who moves the clock look for the same flag as calls do.
  private func fallAsleep() -> Bool {
    if !inbox.fallAsleep(poller.pointee.wake) { return false }
    return rondo_load32(&s.pointee.releases) == 0
      && rondo_load32(&s.pointee.sigints) == s.pointee.sigintsSeen && (!isVirtual || staysAsleep)
  }

  // MARK: - collecting

  /// Move what other threads left to the ring.
  @inline(__always)
  func collectInbox() { if !inbox.isEmpty { collectWaiting() } }

  @inline(never)  // apart, because everything that is scheduled asks
  private func collectWaiting() {
    // Without memory some stay; and more may come between the two looks.
    for _ in 0..<3 {
      _ = ready.reserve(cells: Int(rondo_load32(&s.pointee.inbox.count)))
      let (calls, count) = inbox.take(ready.roomForCells)
      if count > 0 { s.pointee.isArranged ? pushInterleaved(calls!, count) : ready.pushCells(calls!, count) }
      if count > 0 || inbox.isEmpty { return }
    }
    while ready.hasRoom, let call = inbox.takeFirst() {
      if !s.pointee.isArranged || !LoopRef.isMark(call) { ready.pushReserved(call) }
    }
  }

  // MARK: - running

  /// Run calls from the ring up to `end`, at most `limit`, each from the empty context (see
  /// inEmptyContext).
  @inline(__always)
  private func runBatch(until end: UInt, _ limit: UInt64) {
    s.pointee.inCallback = true
    if s.pointee.isTimed {
      runTimedCalls(until: end, limit)
    } else if limit != UInt64.max || !runPlainCalls(until: end) {
      runAnyCalls(until: end, limit)
    }
    s.pointee.inCallback = false
  }

  /// The calls at the front that are one cell and do nothing rare: little enough that it all stays
  /// in registers. True if that was all of them, or one left the loop.
  @inline(__always)
  private func runPlainCalls(until end: UInt) -> Bool {
    let thread = rondo_thread()!
    var head = ready.pointee.head
    s.pointee.calls &-= UInt64(head)  // made good at the end: one thing less to keep in a register
    var isOver = false
    repeat {
      let cell = ready.cell(head).pointee
      if cell.isLong { break }
      head = head &+ 1
      ready.pointee.head = head
      if head == end {
        isOver = true
        ready.rewindIfEmpty()
      }
      unsafeBitCast(cell.word, to: rondo_call_fn.self)(Raw(bitPattern: cell.other))
      // One test for all that is rare: it raised, set a variable, stopped or left the loop.
      if UInt64(s.pointee.attention) | thread.pointee.context != 0 {
        if tidyUp(unsafeBitCast(cell.word, to: rondo_call_fn.self)) { isOver = true }
      }
    } while !isOver
    s.pointee.calls &+= UInt64(head)
    return isOver
  }

  /// As runBatch(), for calls of every kind.
  @inline(never)
  private func runAnyCalls(until end: UInt, _ limit: UInt64) {
    let thread = rondo_thread()!
    var left = limit
    var isOver = false
    while left > 0 && !isOver {
      left -= 1
      let call = ready.popFirst()
      if ready.pointee.head == end {
        isOver = true
        ready.rewindIfEmpty()
      }
      if call.context == 0 {
        call.fn(call.arg)
      } else {
        runCall(call)
        Contexts.release(call.context)
      }
      if UInt64(s.pointee.attention) | thread.pointee.context != 0, tidyUp(call.fn) { isOver = true }
      if let drop = call.drop {
        drop(call.arg)
        if UInt64(s.pointee.attention) | thread.pointee.context != 0, tidyUp(call.fn) { isOver = true }
      }
    }
    s.pointee.calls &+= limit - left
  }

  /// Calls run from the empty context, whatever the thread's own is. Entered once a run.
  @inline(__always)
  func inEmptyContext(_ body: () -> rondo_status) -> rondo_status {
    let saved = Contexts.enterOwned(0)
    let status = body()
    Maps.release(Contexts.leaveOwned(saved))
    return status
  }

  /// Report what a call raised, while its context is still current, and let go of what it set.
  /// True if the run ends at once.
  @inline(never)  // most calls neither raise nor set
  func tidyUp(_ fn: rondo_call_fn) -> Bool {
    if s.pointee.attention & Attention.raised != 0 { reportRaised(fn, nil) }
    if s.pointee.attention & Attention.signal != 0 { s.pointee.hooks.interrupt(Raw(s)) }
    Contexts.leave(0, SavedContext(map: 0, entered: 0))
    return s.pointee.attention & Attention.escape != 0
  }

  /// Call fn(arg) in the call's context and report what it raises, as a call of `handle` if it is
  /// one. Releases nothing.
  @inline(never)  // the slow way of a call
  func runCall(_ call: Call, handle: UInt64? = nil) {
    guard let saved = Contexts.tryEnter(call.context) else { return reportEntered(call.fn, handle) }
    call.fn(call.arg)
    if s.pointee.attention & Attention.raised != 0 { reportRaised(call.fn, handle) }
    Contexts.leave(call.context, saved)
  }
}
