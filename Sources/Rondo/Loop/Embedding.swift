// Embedding.swift - the loop as a guest of another loop: one descriptor to poll.
//
// The epoll set is that descriptor. It is readable when a watched descriptor is, when the eventfd
// was written (ready calls, calls from other threads) or when the timerfd is due. So whatever
// makes work outside of a drive tells the host at once, and the end of a drive tells what is left.
//
// Knows: Poller, Pass. Does not know: hosts.

import CRondo
import CRondoShim

extension LoopRef {
  func becomeGuest() -> (Int32, rondo_status) {
    var status = poller.open()
    if status == RONDO_OK { status = poller.openTimer() }
    if status != RONDO_OK { return (-1, status) }
    if !s.pointee.isGuest {
      s.pointee.isGuest = true
      if !s.pointee.isRunning { tellHost() }
    }
    return (poller.pointee.epoll, RONDO_OK)
  }

  /// There is work for the host to drive.
  @inline(never)  // guests only
  func signalHost() {
    // While the loop runs, the end of the run tells; see finish().
    if !s.pointee.isRunning { _ = WakeUp.signal(poller.pointee.wake) }
  }

  @inline(never)
  func tellHostDeadline() {
    if !s.pointee.isRunning { _ = rondo_shim_timerfd_arm(poller.pointee.timer, nextDeadline()) }
  }

  /// Between runs: say what is there to do. Other threads signal the eventfd from here on.
  func tellHost() {
    _ = rondo_shim_timerfd_arm(poller.pointee.timer, nextDeadline())
    let quiet = inbox.fallAsleep(poller.pointee.wake)
    if !quiet || ready.count > 0 || s.pointee.attention != 0 || s.pointee.hasLateWakes
      || rondo_load32(&s.pointee.releases) != 0
    {
      _ = WakeUp.signal(poller.pointee.wake)
    }
  }

  // MARK: - after fork

  func resetAfterFork() -> rondo_status {
    if rondo_load64(&s.pointee.owner) != Owner.forked || s.pointee.forkedWhileRunning {
      return isClosed ? RONDO_E_LOOP_CLOSED : RONDO_E_INVALID_STATE
    }
    let status = renewPoller()
    if status != RONDO_OK { return status }
    rondo_lock(inbox.lock)
    s.pointee.inbox.isSleeping = false
    s.pointee.inbox.isSignaled = false
    s.pointee.inbox.wake = poller.pointee.wake
    rondo_unlock(inbox.lock)
    rondo_store32(&s.pointee.runningFlag, 0)
    own()
    if s.pointee.isGuest { tellHost() }
    return RONDO_OK
  }

  /// The parent's epoll set is shared through fork: leave it alone and open another.
  private func renewPoller() -> rondo_status {
    if poller.pointee.epoll < 0 { return RONDO_OK }
    var old = poller.pointee
    let events = old.events
    poller.pointee = .none
    poller.pointee.events = events
    var status = poller.open()
    if status == RONDO_OK && old.timer >= 0 { status = poller.openTimer() }
    if status != RONDO_OK {
      poller.pointee.events = nil
      poller.shut()
      poller.pointee = old
      return status
    }
    old.events = nil
    withUnsafeMutablePointer(to: &old) { $0.shut() }
    let watched = poller.pointee.epoll
    invariant(watched >= 0, "a poller without descriptor")
    return rebuildPoller()
  }
}
