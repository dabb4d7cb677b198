// Pass.swift - one turn of the loop: poll, collect, run what was ready. Read this first.
//
// asyncio's order, exactly: what the kernel reports, then timers that are due, then everything
// that is in the ring by now and nothing that is added meanwhile (the batch rule: a callback that
// schedules itself cannot starve the descriptors). Calls from other threads join before timers.
//
// A poll is a system call, and is left out when there is work and no descriptor is watched: then
// it could report nothing but a wake-up, which is for a sleeping loop.
//
// Knows: everything in this room. Does not know: futures, tasks.

import CRondo
import CRondoShim

extension LoopRef {
  /// One pass that sleeps `maxWait` nanoseconds at most and runs at most `limit` calls.
  func pass(maxWait: Int64, limit: UInt64) -> rondo_status {
    let status = collectEvents(maxWait: maxWait)
    if status != RONDO_OK { return status }
    if rondo_peek32(&s.pointee.sigints) != s.pointee.sigintsSeen { s.pointee.hooks.interrupt(Raw(s)) }
    collectInbox()
    collectReleases()
    if s.pointee.hasLateWakes { s.pointee.hooks.collectLate(Raw(s)) }
    collectDueTimers()
    let count = UInt64(ready.count)
    runReadyCalls(Swift.min(count, limit))
    return RONDO_OK
  }

  // MARK: - waiting

  private var hasWork: Bool {
    ready.count > 0 || s.pointee.attention != 0 || !inbox.isEmpty || s.pointee.hasLateWakes
      || rondo_load32(&s.pointee.releases) != 0
      || rondo_peek32(&s.pointee.sigints) != s.pointee.sigintsSeen
  }

  private func collectEvents(maxWait: Int64) -> rondo_status {
    if s.pointee.beforePoll == nil && s.pointee.afterPoll == nil {
      let wait = waitTime(maxWait)
      if wait == 0 && descriptors.pointee.watched == 0 && !s.pointee.isGuest { return RONDO_OK }
      return poll(wait)
    }
    return collectEventsWithHooks(maxWait)
  }

  private func collectEventsWithHooks(_ maxWait: Int64) -> rondo_status {
    if hasWork && descriptors.pointee.watched == 0 && !s.pointee.isGuest { return RONDO_OK }
    let wasInCallback = s.pointee.inCallback
    s.pointee.inCallback = true
    s.pointee.beforePoll?(handle, s.pointee.pollArg.pointer)
    // The hook may have scheduled something: then this does not sleep.
    let status = poll(waitTime(maxWait))
    if status == RONDO_OK { s.pointee.afterPoll?(handle, s.pointee.pollArg.pointer) }
    s.pointee.inCallback = wasInCallback
    return status
  }

  /// How long to sleep: not at all if there is work, for ever if negative.
  @inline(__always)
  private func waitTime(_ maxWait: Int64) -> Int64 {
    if ready.count > 0 || maxWait == 0 || hasWork { return 0 }
    let deadline = timers.pointee.count > 0 ? nextDeadline() : Int64.max
    if deadline == Int64.max { return maxWait == Int64.max ? -1 : maxWait }
    return Swift.min(maxWait, Swift.max(0, deadline - rondo_shim_now()))
  }

  private func poll(_ wanted: Int64) -> rondo_status {
    if poller.pointee.epoll < 0 {
      let status = poller.open()
      if status != RONDO_OK { return status }
    }
    let wait = wanted == 0 || !fallAsleep() ? 0 : wanted
    let count = poller.poll(wait: wait)
    if wanted != 0 || s.pointee.isGuest { wakeUp() }
    if count < 0 { return count }
    return count == 0 ? RONDO_OK : deliver(count)
  }

  /// Late releases and signals look for the same flag as calls do.
  private func fallAsleep() -> Bool {
    if !inbox.fallAsleep(poller.pointee.wake) { return false }
    return rondo_load32(&s.pointee.releases) == 0
      && rondo_load32(&s.pointee.sigints) == s.pointee.sigintsSeen
  }

  private func wakeUp() {
    // The SIGINT handler and the host's signal write without the flag; a read too many is cheap.
    if inbox.wakeUp() || s.pointee.isGuest || rondo_peek32(&s.pointee.sigints) != s.pointee.sigintsSeen {
      poller.drainWake()
    }
  }

  // MARK: - collecting

  /// Move what other threads left to the ring.
  func collectInbox() {
    if inbox.isEmpty { return }
    let waiting = Int(rondo_load32(&s.pointee.inbox.count))
    var room = waiting
    if !ready.reserve(waiting) { room = ready.pointee.slots == nil ? 0 : Int(ready.pointee.mask) + 1 - ready.count }
    if room == 0 { return }
    let (calls, count) = inbox.take(room)
    for i in 0..<count { ready.pushReserved(calls![i]) }
  }

  // MARK: - running

  /// Run the first `count` calls of the ring.
  func runReadyCalls(_ count: UInt64) {
    let thread = rondo_thread()!
    var left = count
    s.pointee.inCallback = true
    while left > 0 {
      left -= 1
      let call = ready.popFirst()
      if call.context | thread.pointee.context == 0 {
        call.fn(call.arg)
        if s.pointee.attention & Attention.raised != 0 { reportRaised(call.fn, nil) }
      } else {
        runCall(call)
        Contexts.release(call.context)
      }
      if let drop = call.drop { drop(call.arg) }
      if s.pointee.attention & Attention.escape != 0 { break }
    }
    s.pointee.inCallback = false
    s.pointee.calls &+= count - left
  }

  /// Call fn(arg) in the call's context and report what it raises. Releases nothing.
  @inline(never)  // the slow way of a call
  func runCall(_ call: Call) {
    if !Contexts.canEnter(call.context) { return reportEntered(call.fn, nil) }
    let saved = Contexts.enter(call.context)
    call.fn(call.arg)
    Contexts.leave(call.context, saved)
    if s.pointee.attention & Attention.raised != 0 { reportRaised(call.fn, nil) }
  }
}
