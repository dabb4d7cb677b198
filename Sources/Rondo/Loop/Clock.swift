// Clock.swift - what time it is for a loop, and how a clock of its own moves.
//
// Everything that has a deadline asks `now`. Usually that is the kernel's monotonic clock. A virtual
// clock is one word, which begins at zero and only grows. It moves where the loop would sleep: there it
// asks the kernel without sleeping, and if nothing came it is where the sleep would have ended. A
// manual clock, and a held one, moves only when somebody says so, and the loop sleeps until then.
//
// A virtual clock can see what a real one cannot: that nothing will ever happen. Nothing is ready, no
// timer is set, no descriptor is watched and nobody said that something will come.
//
// Knows: Pass, Timers, Inbox. Does not know: timeouts, who moves it.

import CRondo
import CRondoShim

enum ClockKind {
  static let real: UInt32 = 0
  static let virtual: UInt32 = 1  // jumps
  static let manual: UInt32 = 2
}

extension LoopRef {
  @inline(__always)
  var isVirtual: Bool { rondo_peek32(&s.pointee.clockKind) != ClockKind.real }

  /// Nanoseconds of the loop's clock; any thread.
  @inline(__always)
  var now: Int64 { isVirtual ? Int64(bitPattern: rondo_load64(&s.pointee.clock)) : rondo_shim_now() }

  // MARK: - moving it

  /// rondo_loop_advance; any thread.
  func advance(_ delta: Int64) -> rondo_status {
    if rondo_load64(&s.pointee.owner) == Owner.closed { return RONDO_E_LOOP_CLOSED }
    if !isVirtual { return RONDO_E_INVALID_STATE }
    while true {
      let old = rondo_load64(&s.pointee.clock)
      let (sum, overflow) = Int64(bitPattern: old).addingReportingOverflow(delta)
      // The end of time is "never", and that does not come.
      if delta < 0 || overflow || sum == Int64.max { return -EINVAL }
      if rondo_cas64(&s.pointee.clock, old, UInt64(bitPattern: sum)) != 0 { break }
    }
    inbox.wakeForRelease()
    return RONDO_OK
  }

  private func raise(to time: Int64) {
    while true {
      let old = rondo_load64(&s.pointee.clock)
      if Int64(bitPattern: old) >= time { return }
      if rondo_cas64(&s.pointee.clock, old, UInt64(bitPattern: time)) != 0 { return }
    }
  }

  // MARK: - holding it

  /// rondo_loop_hold; any thread.
  func hold() -> rondo_status {
    if rondo_load64(&s.pointee.owner) == Owner.closed { return RONDO_E_LOOP_CLOSED }
    _ = rondo_add32(&s.pointee.holds, 1)
    return RONDO_OK
  }

  func unhold() -> rondo_status {
    if rondo_load64(&s.pointee.owner) == Owner.closed { return RONDO_E_LOOP_CLOSED }
    while true {
      let old = rondo_load32(&s.pointee.holds)
      if old == 0 { return RONDO_E_INVALID_STATE }
      if rondo_cas32(&s.pointee.holds, old, old - 1) == 0 { continue }
      if old == 1 && isVirtual { inbox.wakeForRelease() }
      return RONDO_OK
    }
  }

  var mayJump: Bool {
    rondo_load32(&s.pointee.clockKind) == ClockKind.virtual && rondo_load32(&s.pointee.holds) == 0
  }

  // MARK: - the pass

  /// As collectEvents, on a clock of the loop's own.
  @inline(never)  // keeps the real clock's way short
  func collectEventsVirtually(maxWait: Int64) -> rondo_status {
    if hasWork && descriptors.pointee.watched == 0 && !s.pointee.isGuest { return RONDO_OK }
    if let before = s.pointee.beforePoll { callHook(before) }
    let status = waitVirtually(maxWait)
    if status == RONDO_OK, let after = s.pointee.afterPoll { callHook(after) }
    return status
  }

  private func waitVirtually(_ maxWait: Int64) -> rondo_status {
    // What there is already.
    if descriptors.pointee.watched > 0 || s.pointee.isGuest {
      let status = poll(0)
      if status != RONDO_OK { return status }
    }
    collectInbox()
    if hasWork || maxWait == 0 { return RONDO_OK }
    let next = nextDeadline()
    if !mayJump {
      // Moved meanwhile? Then poll() does not sleep, and the next pass looks again.
      return next <= now ? RONDO_OK : poll(maxWait == Int64.max ? -1 : maxWait)
    }
    let (end, overflow) = now.addingReportingOverflow(maxWait)
    let until = overflow ? next : Swift.min(next, end)
    if until != Int64.max {
      raise(to: until)
      return RONDO_OK
    }
    return descriptors.pointee.watched > 0 ? poll(-1) : RONDO_E_DEADLOCK
  }

  /// Under the eyes of who moves the clock or lets go of it from here on: is there still nothing to do?
  var staysAsleep: Bool {
    let next = nextDeadline()
    return next > now && (!mayJump || (next == Int64.max && descriptors.pointee.watched > 0))
  }

  /// For a drive, which never sleeps: if nothing is ready, let the clock jump. False if it cannot.
  func jump() -> Bool {
    let next = nextDeadline()
    if hasWork || !mayJump || next == Int64.max { return false }
    raise(to: next)
    return true
  }
}
