// Timers.swift - what is to run later.
//
// The heap knows deadlines and numbers only; a timer's handle knows which entry is its own. An
// entry that is nobody's is stale. Arming a timer for later leaves its entry where it is: when
// the entry comes up, the handle tells that it is not due, and the entry moves once, however often
// the timer was armed meanwhile. A connection's timeout, pushed on with every byte, costs two stores.
//
// Knows: TimerHeap, Handle. Does not know: the poller.

import CRondo
import CRondoShim

extension LoopRef {
  @inline(__always)
  private func timer(_ entry: TimerEntry) -> HandleRef { HandleRef(slot(number: entry.timer, size: HandleRef.size)) }

  @inline(__always)
  private func slotNumber(_ handle: HandleRef) -> UInt32 { UInt32(truncatingIfNeeded: handle.s.pointee.header.handle) }

  /// Now plus a delay; never for what the clock cannot tell.
  @inline(__always)
  func deadline(after delay: Int64) -> Int64 {
    let now = now
    if delay <= 0 { return now }
    let (sum, overflow) = now.addingReportingOverflow(delay)
    return overflow ? Int64.max : sum
  }

  @inline(__always)
  private func nextOrder() -> UInt32 {
    if timers.pointee.lastOrder == UInt32.max { renumber() }
    timers.pointee.lastOrder += 1
    return timers.pointee.lastOrder
  }

  // MARK: - arming

  /// Put a handle into the heap, which holds the pin that the caller has; false if memory is out.
  @inline(__always)
  private func enter(_ handle: HandleRef, _ when: Int64) -> Bool {
    if timers.pointee.count == timers.pointee.capacity && !makeRoom() { return false }
    let order = nextOrder()
    handle.s.pointee.when = when
    handle.s.pointee.entryWhen = when
    handle.s.pointee.entryOrder = order
    handle.s.pointee.armOrder = order
    timers.pushReserved(TimerEntry(when: when, order: order, timer: slotNumber(handle)))
    if s.pointee.isGuest { tellHostDeadline() }
    return true
  }

  @inline(never)  // the slow half of enter
  private func makeRoom() -> Bool {
    if timers.pointee.stale > timers.pointee.count / 4 {
      sweepTimers()
      return true
    }
    return timers.grow()
  }

  func callAt(_ when: Int64, _ call: Call, user: Bool) -> HandleRef? {
    if timers.pointee.count == timers.pointee.capacity && !makeRoom() { return nil }
    guard let made = HandleRef.make(self, call, bits: HandleBits.timer, user: user) else { return nil }
    _ = enter(made, when)
    return made
  }

  /// rondo_handle_rearm.
  func rearm(_ handle: HandleRef, after delay: Int64) -> rondo_status {
    if !handle.has(HandleBits.timer) { return RONDO_E_TYPE }
    if handle.has(HandleBits.cancelled | HandleBits.finished) { return RONDO_E_INVALID_STATE }
    return rearm(handle, at: deadline(after: delay))
  }

  /// rondo_handle_rearm_at.
  func rearm(_ handle: HandleRef, at deadline: Int64) -> rondo_status {
    if !handle.has(HandleBits.timer) { return RONDO_E_TYPE }
    if handle.has(HandleBits.cancelled | HandleBits.finished) { return RONDO_E_INVALID_STATE }
    let when = Swift.max(0, deadline)
    if handle.s.pointee.entryOrder != 0 {
      if when >= handle.s.pointee.entryWhen {
        handle.s.pointee.when = when
        handle.s.pointee.armOrder = nextOrder()
        return RONDO_OK
      }
      if timers.pointee.count == timers.pointee.capacity && !makeRoom() { return -ENOMEM }
      timers.pointee.stale += 1
      handle.s.pointee.entryOrder = 0
      return enter(handle, when) ? RONDO_OK : -ENOMEM
    }
    // It is running, or due and waiting in the ring: that entry comes to nothing.
    if !enter(handle, when) { return -ENOMEM }
    handle.pin()
    if handle.has(HandleBits.queued) {
      handle.remove(HandleBits.queued)
      handle.s.pointee.header.bits += HandleBits.oneSkip
    }
    return RONDO_OK
  }

  /// Take a handle out of the heap, if it is there, and the heap's pin with it.
  func disarm(_ handle: HandleRef) {
    if handle.s.pointee.entryOrder == 0 { return }
    handle.s.pointee.entryOrder = 0
    timers.pointee.stale += 1
    handle.unpin()
    let stale = timers.pointee.stale
    if stale > 100 && stale * 2 > timers.pointee.count { sweepTimers() }
  }

  private func sweepTimers() {
    if timers.pointee.stale == timers.pointee.count {
      timers.pointee.count = 0
      timers.pointee.stale = 0
      return
    }
    timers.sweep { timer($0).s.pointee.entryOrder == $0.order }
  }

  /// The numbers ran out after 4 billion armings: number what is left anew, in order.
  @inline(never)
  private func renumber() {
    sweepTimers()
    let entries = timers.pointee.entries
    for i in 0..<timers.pointee.count { refresh(&entries![i]) }
    timers.heapify()
    // Taken out in order and put back behind, which leaves a sorted array; a heap is one, too.
    let count = timers.pointee.count
    for i in 0..<count {
      let first = entries![0]
      timers.removeFirst()
      entries![count - 1 - i] = first
    }
    for i in 0..<count / 2 { swap(&entries![i], &entries![count - 1 - i]) }
    timers.pointee.count = count
    for i in 0..<count {
      let handle = timer(entries![i])
      let order = UInt32(i) + 1
      entries![i].order = order
      handle.s.pointee.entryOrder = order
      handle.s.pointee.armOrder = order
    }
    timers.pointee.lastOrder = UInt32(count)
  }

  /// Bring an entry up to date with its timer; false if it is stale.
  @inline(__always)
  @discardableResult
  private func refresh(_ entry: inout TimerEntry) -> Bool {
    let handle = timer(entry)
    if handle.s.pointee.entryOrder != entry.order { return false }
    if handle.s.pointee.armOrder != entry.order {
      entry.when = handle.s.pointee.when
      entry.order = handle.s.pointee.armOrder
      handle.s.pointee.entryWhen = entry.when
      handle.s.pointee.entryOrder = entry.order
    }
    return true
  }

  // MARK: - the pass

  /// The earliest deadline; never if there is none.
  func nextDeadline() -> Int64 {
    while timers.pointee.count > 0 {
      var entry = timers.pointee.entries![0]
      let order = entry.order
      if !refresh(&entry) {
        timers.removeFirst()
        timers.pointee.stale -= 1
      } else if entry.order != order {
        timers.replaceFirst(entry)
      } else {
        return entry.when
      }
    }
    return Int64.max
  }

  /// Move what is due to the ring: by deadline, equal ones in the order of arming.
  @inline(__always)
  func collectDueTimers() { if timers.pointee.count > 0 { collectTimersNow() } }

  @inline(never)  // apart, so that a pass without timers does not pay for it
  private func collectTimersNow() {
    let now = now
    if nextDeadline() > now { return }
    if s.pointee.isArranged && !isAnyOrder { return collectTimersInTies(now) }
    if timers.pointee.count >= 256 && ready.reserve(timers.pointee.count) && collectManyDue(now) { return }
    while nextDeadline() <= now {
      if !ready.hasRoom && !ready.grow(by: 1) { return }  // later, then
      takeFirstTimer()
    }
  }

  /// The first one is due, and the ring has room.
  @inline(__always)
  func takeFirstTimer() {
    let handle = timer(timers.pointee.entries![0])
    timers.removeFirst()
    becomeDue(handle)
  }

  private func collectManyDue(_ now: Int64) -> Bool {
    let taken = timers.takeManyDue(now) { entry in
      if refresh(&entry) { return true }
      timers.pointee.stale -= 1
      return false
    }
    let entries = timers.pointee.entries! + timers.pointee.count
    for i in 0..<taken { becomeDue(timer(entries[i])) }
    return taken > 0
  }

  /// The heap's pin goes with it to the ring, which has room.
  @inline(__always)
  private func becomeDue(_ handle: HandleRef) {
    handle.s.pointee.entryOrder = 0
    handle.add(HandleBits.queued)
    ready.pushReserved(handle.entry)
  }
}
