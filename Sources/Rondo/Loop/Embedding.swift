// Embedding.swift - the loop as a guest of another loop: one descriptor to poll.
//
// A set that holds the epoll set is that descriptor. It is readable when a watched descriptor is, when the eventfd
// was written (ready calls, calls from other threads) or when the timerfd is due. So whatever
// makes work outside of a drive tells the host at once, and the end of a drive tells what is left.
//
// Knows: Poller, Pass. Does not know: hosts.

import CRondo
import CRondoShim

extension LoopRef {
  func becomeGuest() -> (Int32, rondo_status) {
    var status = poller.open()
    if status == RONDO_OK { status = poller.openHost() }
    if status != RONDO_OK { return (-1, status) }
    if !s.pointee.isGuest {
      s.pointee.isGuest = true
      if s.pointee.isRunning { rondo_thread()!.pointee.running_handle = UInt64.max }
      if !s.pointee.isRunning { tellHost() }
    }
    return (poller.pointee.host, RONDO_OK)
  }

  /// There is work for the host to drive.
  @inline(never)  // guests only
  func signalHost() {
    // While the loop runs, the end of the run tells; see finish().
    if !s.pointee.isRunning { _ = WakeUp.signal(poller.pointee.wake) }
  }

  @inline(never)
  func tellHostDeadline() {
    if !s.pointee.isRunning { _ = rondo_shim_timerfd_arm(poller.pointee.timer, hostDeadline) }
  }

  /// When the host's clock is to wake it. A clock of the loop's own is where it is to be, or never is.
  private var hostDeadline: Int64 {
    let next = nextDeadline()
    return !isVirtual ? next : next <= now || (next != Int64.max && mayJump) ? 0 : Int64.max
  }

  /// Between runs: say what is there to do. Other threads signal the eventfd from here on.
  func tellHost() {
    _ = rondo_shim_timerfd_arm(poller.pointee.timer, hostDeadline)
    let quiet = inbox.fallAsleep(poller.pointee.wake)
    if !quiet || !ready.isEmpty || s.pointee.attention != 0 || s.pointee.hasLateWakes
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
    rondo_store32(&s.pointee.runningFlag, Phase.idle)
    own()
    if s.pointee.isGuest { tellHost() }
    return RONDO_OK
  }

  /// The parent's sets are shared through fork: leave them alone and open others.
  private func renewPoller() -> rondo_status {
    if poller.pointee.epoll < 0 { return RONDO_OK }
    var old = poller.pointee
    poller.pointee = .none
    var status = poller.open()
    if status == RONDO_OK && old.host >= 0 { status = poller.openHost() }
    if status == RONDO_OK { status = registerWatched(poller.pointee.epoll) }
    if status == RONDO_OK && old.host >= 0 { status = poller.takeNumber(old.host) }
    if status != RONDO_OK {
      poller.shut()
      poller.pointee = old
      return status
    }
    old.host = -1  // its number is the new one's now
    withUnsafeMutablePointer(to: &old) { $0.shut() }
    return RONDO_OK
  }
}
