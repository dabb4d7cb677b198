// Descriptors.swift - who waits for which descriptor.
//
// A table by descriptor number. Interest goes to the kernel at once, so that errors are the
// caller's to see. The kernel's event carries the number and a generation: a descriptor that was
// closed while it was watched can live on in the kernel through a duplicate, and would then wake
// the loop for ever for nobody. An event with the wrong generation betrays that, and the set is
// made anew, which is the only way to get rid of such a registration.
//
// Knows: Poller, Handle. Does not know: sockets.

import CRondo
import CRondoShim

struct DescriptorSlot {
  var reader: UInt64  // address of a handle's state, 0 for none
  var writer: UInt64
  var generation: UInt32
  var registered: UInt32  // what the kernel was told
}

struct DescriptorTable {
  var slots: UnsafeMutablePointer<DescriptorSlot>?
  var capacity: Int32
  var watched: Int32  // slots that the kernel knows

  static let empty = DescriptorTable(slots: nil, capacity: 0, watched: 0)
}

enum Direction { case read, write }

extension LoopRef {
  @inline(__always)
  func descriptor(_ fd: Int32) -> UnsafeMutablePointer<DescriptorSlot>? {
    fd >= 0 && fd < descriptors.pointee.capacity ? descriptors.pointee.slots! + Int(fd) : nil
  }

  private func watcher(_ fd: Int32, _ direction: Direction) -> HandleRef? {
    guard let slot = descriptor(fd) else { return nil }
    return address(direction == .read ? slot.pointee.reader : slot.pointee.writer).map { HandleRef($0) }
  }

  private func setWatcher(_ fd: Int32, _ direction: Direction, _ handle: HandleRef?) {
    let slot = descriptor(fd)!
    let value = handle.map { bits($0.s) } ?? 0
    if direction == .read { slot.pointee.reader = value } else { slot.pointee.writer = value }
  }

  private func makeRoom(_ fd: Int32) -> rondo_status {
    if fd < descriptors.pointee.capacity { return RONDO_OK }
    // Only descriptors that exist get a slot, so the table is no longer than the process's limit.
    var capacity = Swift.max(64, Int(descriptors.pointee.capacity))
    while capacity <= Int(fd) { capacity *= 2 }
    guard let bigger = allocateArray(DescriptorSlot.self, capacity) else { return -ENOMEM }
    let used = Int(descriptors.pointee.capacity)
    if let slots = descriptors.pointee.slots {
      memcpy(bigger, slots, used * MemoryLayout<DescriptorSlot>.stride)
      free(slots)
    }
    for i in used..<capacity {
      bigger[i] = DescriptorSlot(reader: 0, writer: 0, generation: 0, registered: 0)
    }
    descriptors.pointee.slots = bigger
    descriptors.pointee.capacity = Int32(capacity)
    return RONDO_OK
  }

  /// Whether anybody waits for the descriptor.
  func isWatched(_ fd: Int32, _ direction: Direction) -> Bool { watcher(fd, direction) != nil }

  /// Whether one of the library's own waits is on the descriptor.
  func isOperationWaiting(_ fd: Int32, _ direction: Direction) -> Bool {
    watcher(fd, direction)?.has(HandleBits.operation) ?? false
  }

  // MARK: - adding and removing

  /// Watch a descriptor. `bits` says whether it is the library's own wait. On failure nothing is
  /// kept, and what the call carries is the caller's to drop.
  func watch(_ fd: Int32, _ direction: Direction, _ call: Call, bits extra: UInt32, user: Bool = false)
    -> (HandleRef?, rondo_status)
  {
    if fd < 0 { return (nil, -EINVAL) }
    if rondo_shim_file_flags(fd) < 0 { return (nil, -EBADF) }
    if poller.isOwn(fd) { return (nil, -EINVAL) }
    let old = watcher(fd, direction)
    if let old, old.has(HandleBits.operation) || extra & HandleBits.operation != 0 { return (nil, -EBUSY) }
    var status = poller.open()
    if status == RONDO_OK { status = makeRoom(fd) }
    if status != RONDO_OK { return (nil, status) }
    guard let made = HandleRef.make(self, call, bits: HandleBits.descriptor | extra, user: user) else {
      return (nil, -ENOMEM)
    }
    made.s.pointee.when = Int64(fd)
    setWatcher(fd, direction, made)
    // Told to the kernel even if it knows: the number may have been closed and opened again.
    status = applyInterest(fd, always: true)
    if status != RONDO_OK {
      setWatcher(fd, direction, old)
      made.add(HandleBits.finished | HandleBits.cancelled)
      made.unpin()
      return (nil, status)
    }
    if let old { retireWatcher(old) }
    return (made, RONDO_OK)
  }

  /// Stop watching; false if nobody was, or if it is the library's own wait and `operation` is not.
  func unwatch(_ fd: Int32, _ direction: Direction, operation: Bool) -> Bool {
    guard let old = watcher(fd, direction), old.has(HandleBits.operation) == operation else { return false }
    setWatcher(fd, direction, nil)
    _ = applyInterest(fd)
    retireWatcher(old)
    return true
  }

  /// As the loop closes: the kernel need not be told.
  func forgetWatcher(_ fd: Int32, _ direction: Direction) {
    guard let old = watcher(fd, direction) else { return }
    setWatcher(fd, direction, nil)
    retireWatcher(old)
  }

  private func retireWatcher(_ handle: HandleRef) {
    handle.add(HandleBits.cancelled)
    handle.finish()
    handle.unpin()
  }

  // MARK: - the kernel

  private func token(_ fd: Int32, _ slot: UnsafeMutablePointer<DescriptorSlot>) -> UInt64 {
    UInt64(UInt32(bitPattern: fd)) | UInt64(slot.pointee.generation & 0x7FFF_FFFF) << 32
  }

  private func applyInterest(_ fd: Int32, always: Bool = false) -> rondo_status {
    let slot = descriptor(fd)!
    let wanted = (slot.pointee.reader != 0 ? EPOLLIN.rawValue : 0) | (slot.pointee.writer != 0 ? EPOLLOUT.rawValue : 0)
    if wanted == slot.pointee.registered && !always { return RONDO_OK }
    let status = tell(fd, slot, wanted)
    if status != RONDO_OK { return status }
    descriptors.pointee.watched += (wanted != 0 ? 1 : 0) - (slot.pointee.registered != 0 ? 1 : 0)
    slot.pointee.registered = wanted
    return RONDO_OK
  }

  private func tell(_ fd: Int32, _ slot: UnsafeMutablePointer<DescriptorSlot>, _ wanted: UInt32) -> rondo_status {
    let epoll = poller.pointee.epoll
    if wanted == 0 {
      // Closed before it was removed: the kernel forgot it, or the generation will tell.
      _ = rondo_shim_epoll_ctl(epoll, EPOLL_CTL_DEL, fd, 0, 0)
      return RONDO_OK
    }
    if slot.pointee.registered != 0 {
      let status = rondo_shim_epoll_ctl(epoll, EPOLL_CTL_MOD, fd, wanted, token(fd, slot))
      if status != -ENOENT { return status }
    }
    // New to the kernel, or the number was closed and opened again behind our back.
    slot.pointee.generation &+= 1
    let status = rondo_shim_epoll_ctl(epoll, EPOLL_CTL_ADD, fd, wanted, token(fd, slot))
    return status == -EEXIST ? rondo_shim_epoll_ctl(epoll, EPOLL_CTL_MOD, fd, wanted, token(fd, slot)) : status
  }

  /// A new set with everything that is watched and nothing else.
  private func rebuildPoller() -> rondo_status {
    let fresh = epoll_create1(Int32(EPOLL_CLOEXEC))
    if fresh < 0 { return -rondo_errno() }
    var status = poller.register(fresh)
    if status == RONDO_OK { status = registerWatched(fresh) }
    if status == RONDO_OK { status = poller.replaceSet(fresh) }
    if status != RONDO_OK { _ = close(fresh) }
    return status
  }

  /// Tell a new set what is watched.
  func registerWatched(_ epoll: Int32) -> rondo_status {
    for fd in 0..<descriptors.pointee.capacity {
      let slot = descriptor(fd)!
      if slot.pointee.registered == 0 { continue }
      slot.pointee.generation &+= 1
      let status = rondo_shim_epoll_ctl(epoll, EPOLL_CTL_ADD, fd, slot.pointee.registered, token(fd, slot))
      // Closed by its owner, who will hear of it when removing it. (EPERM: and the number is a file's now.)
      if status != RONDO_OK && status != -EBADF && status != -EPERM { return status }
    }
    return RONDO_OK
  }

  // MARK: - the pass

  /// Schedule whoever waits for what the kernel reported: a reader before a writer.
  func deliver(_ count: Int32) -> rondo_status {
    var isOrphaned = false
    for i in 0..<Int(count) {
      let event = poller.pointee.events! + i
      switch rondo_event_data(event) {
      case Poller.wakeToken: poller.drainWake()
      case Poller.timerToken: poller.drainTimer()
      case let token: if !deliver(token, rondo_event_mask(event)) { isOrphaned = true }
      }
    }
    return isOrphaned ? rebuildPoller() : RONDO_OK
  }

  private func deliver(_ token: UInt64, _ mask: UInt32) -> Bool {
    let fd = Int32(truncatingIfNeeded: token)
    guard let slot = descriptor(fd), slot.pointee.registered != 0,
      UInt64(slot.pointee.generation & 0x7FFF_FFFF) == token >> 32
    else { return false }
    // As asyncio's selector: errors and hang-ups wake both.
    if mask & ~EPOLLOUT.rawValue != 0 { becomeReady(slot.pointee.reader) }
    if mask & ~EPOLLIN.rawValue != 0 { becomeReady(slot.pointee.writer) }
    return true
  }

  private func becomeReady(_ watcher: UInt64) {
    guard let raw = address(watcher) else { return }
    let handle = HandleRef(raw)
    // Without memory it is left for the next poll, which will report it again.
    if !handle.has(HandleBits.queued) { _ = schedule(handle) }
  }
}
