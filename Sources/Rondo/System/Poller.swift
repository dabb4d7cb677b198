// Poller.swift - the kernel's side of waiting: epoll, the wake-up eventfd, the embedding timerfd.
//
// Each is opened when first needed, so that a loop which only runs callbacks costs no system call.
// A host gets a second epoll set that holds the first: the first may have to be made anew, and a
// host with an epoll set of its own would then wait for one that is closed.
//
// Knows: Base, the shim. Does not know: loops, calls.

import CRondo
import CRondoShim

struct Poller {
  var epoll: Int32
  var wake: Int32  // eventfd
  var timer: Int32  // timerfd, for embedding only
  var host: Int32  // the set that the host polls, for embedding only
  var events: UnsafeMutablePointer<epoll_event>?

  static let none = Poller(epoll: -1, wake: -1, timer: -1, host: -1, events: nil)
  static let capacity: Int32 = 256
  static let wakeToken = UInt64.max
  static let timerToken = UInt64.max - 1
}

typealias PollerPointer = UnsafeMutablePointer<Poller>

extension UnsafeMutablePointer where Pointee == Poller {
  /// Open the epoll set and the wake-up.
  @inline(__always)
  func open() -> rondo_status { pointee.epoll >= 0 ? RONDO_OK : openNow() }

  @inline(never)  // once per loop
  private func openNow() -> rondo_status {
    if pointee.events == nil {
      guard let events = allocateArray(epoll_event.self, Int(Poller.capacity)) else { return -ENOMEM }
      pointee.events = events
    }
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    if epoll < 0 { return -rondo_errno() }
    let wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    if wake < 0 {
      let status = -rondo_errno()
      _ = close(epoll)
      return status
    }
    pointee.epoll = epoll
    pointee.wake = wake
    let status = register(epoll)
    if status != RONDO_OK {
      _ = close(wake)
      _ = close(epoll)
      pointee.epoll = -1
      pointee.wake = -1
    }
    return status
  }

  /// Tell a set of the wake-up and the timer.
  func register(_ epoll: Int32) -> rondo_status {
    let status = rondo_shim_epoll_ctl(epoll, EPOLL_CTL_ADD, pointee.wake, EPOLLIN.rawValue, Poller.wakeToken)
    if status != RONDO_OK || pointee.timer < 0 { return status }
    return rondo_shim_epoll_ctl(epoll, EPOLL_CTL_ADD, pointee.timer, EPOLLIN.rawValue, Poller.timerToken)
  }

  /// Open what a host needs: the set that it polls, and the timerfd that makes it readable when a
  /// timer is due.
  func openHost() -> rondo_status {
    if pointee.host >= 0 { return RONDO_OK }
    let timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
    if timer < 0 { return -rondo_errno() }
    let host = epoll_create1(Int32(EPOLL_CLOEXEC))
    var status = host < 0 ? -rondo_errno() : RONDO_OK
    if status == RONDO_OK { status = rondo_shim_epoll_ctl(host, EPOLL_CTL_ADD, pointee.epoll, EPOLLIN.rawValue, 0) }
    if status == RONDO_OK {
      status = rondo_shim_epoll_ctl(pointee.epoll, EPOLL_CTL_ADD, timer, EPOLLIN.rawValue, Poller.timerToken)
    }
    if status != RONDO_OK {
      if host >= 0 { _ = close(host) }
      _ = close(timer)
      return status
    }
    pointee.timer = timer
    pointee.host = host
    return RONDO_OK
  }

  /// Put another set in the place of the one that is there; it moves on success.
  func replaceSet(_ fresh: Int32) -> rondo_status {
    if pointee.host >= 0 {
      let status = rondo_shim_epoll_ctl(pointee.host, EPOLL_CTL_ADD, fresh, EPOLLIN.rawValue, 0)
      if status != RONDO_OK { return status }
      _ = rondo_shim_epoll_ctl(pointee.host, EPOLL_CTL_DEL, pointee.epoll, 0, 0)
    }
    _ = close(pointee.epoll)
    pointee.epoll = fresh
    return RONDO_OK
  }

  /// Let the host's set have the number under which the host knows it.
  func takeNumber(_ number: Int32) -> rondo_status {
    if dup3(pointee.host, number, Int32(O_CLOEXEC)) < 0 { return -rondo_errno() }
    _ = close(pointee.host)
    pointee.host = number
    return RONDO_OK
  }

  /// True for the poller's own descriptors, which nobody may watch.
  func isOwn(_ fd: Int32) -> Bool {
    fd == pointee.epoll || fd == pointee.wake || fd == pointee.timer || fd == pointee.host
  }

  /// Wait for events, `wait` nanoseconds at most, for ever if negative. A count, 0 also when a
  /// signal cut it short (the caller's pass computes the rest of the wait anew), or -errno.
  func poll(wait: Int64) -> Int32 {
    let count = rondo_shim_epoll(pointee.epoll, pointee.events, Poller.capacity, wait)
    return count == -EINTR ? 0 : count
  }

  func drainWake() {
    var value: UInt64 = 0
    _ = read(pointee.wake, &value, 8)
  }

  func drainTimer() {
    var value: UInt64 = 0
    _ = read(pointee.timer, &value, 8)
  }

  func shut() {
    if pointee.host >= 0 { _ = close(pointee.host) }
    if pointee.timer >= 0 { _ = close(pointee.timer) }
    if pointee.wake >= 0 { _ = close(pointee.wake) }
    if pointee.epoll >= 0 { _ = close(pointee.epoll) }
    free(pointee.events)
    pointee = .none
  }
}

enum WakeUp {
  /// Make the eventfd readable; any thread. RONDO_OK also if it was.
  static func signal(_ fd: Int32) -> rondo_status {
    var one: UInt64 = 1
    while true {
      if write(fd, &one, 8) == 8 { return RONDO_OK }
      switch rondo_errno() {
      case EINTR: continue
      case EAGAIN: return RONDO_OK  // the counter is full: it is awake for certain
      case let error: return -error  // a sandbox that forbids it; the caller must know
      }
    }
  }
}
