// Arrange.swift - putting a pass in the order that the schedule decides.
//
// Two ways. With RONDO_LOOP_ANY_ORDER the calls of a batch are drawn one after the other from all of
// them, once everything is collected; what a pass runs is never changed, only in which order. Without
// it only what asyncio leaves open is decided, where it is collected: timers with the same deadline,
// descriptors that the kernel reported together, and how the calls of several threads go in between
// each other. What the kernel reports comes first into the order of the descriptors' numbers, because
// its own order is nothing that could be replayed.
//
// A draw swaps the chosen one with the front of those that are left: constant time, and all zeros are
// the order as it was. Long calls take two cells, so they are moved through memory apart, which a loop
// has from the beginning: a pass needs none. It is for a stretch of 1,024 calls; more are put in order
// a stretch at a time, else a flood of calls would be slower to arrange than to make.
//
// Knows: Ring, Schedule, Timers, Inbox. Does not know: what runs.

import CRondo
import CRondoShim

extension LoopRef {
  // MARK: - the batch

  /// Everything is collected and about to run.
  @inline(never)  // seeded loops only
  func arrangeBatch() {
    let end = ready.pointee.tail
    var count = 0
    var at = ready.pointee.head
    while at != end {
      at &+= ready.cell(at).pointee.isLong ? 2 : 1
      count += 1
    }
    note(UInt64(count))
    if isVirtual { note(UInt64(bitPattern: now)) }
    if isAnyOrder { permute(from: ready.pointee.head, RONDO_CHOICE_READY) }
  }

  /// Draw the order of the calls from `start` to the ring's end, a stretch at a time.
  func permute(from start: UInt, _ kind: Int32) {
    var at = start
    while at != ready.pointee.tail { at = permuteStretch(at, kind) }
  }

  /// Returns where the stretch ends.
  private func permuteStretch(_ start: UInt, _ kind: Int32) -> UInt {
    let moved = plan.pointee.scratch!.assumingMemoryBound(to: RingCell.self)
    let order = (Raw(moved) + Schedule.stretch * 2 * MemoryLayout<RingCell>.stride).assumingMemoryBound(to: UInt32.self)
    var count = 0
    var end = start
    while end != ready.pointee.tail && count < Schedule.stretch {
      order[count] = UInt32(truncatingIfNeeded: end &- start)
      count += 1
      end &+= ready.cell(end).pointee.isLong ? 2 : 1
    }
    if count < 2 { return end }
    draw(order, count, kind)
    var filled = 0
    for i in 0..<count {
      let from = start &+ UInt(order[i])
      moved[filled] = ready.cell(from).pointee
      filled += 1
      if moved[filled - 1].isLong {
        moved[filled] = ready.cell(from &+ 1).pointee
        filled += 1
      }
    }
    for i in 0..<filled { ready.cell(start &+ UInt(i)).pointee = moved[i] }
    return end
  }

  private func draw<T>(_ items: UnsafeMutablePointer<T>, _ count: Int, _ kind: Int32) {
    var front = 0
    while count - front > 1 {
      let other = front + Int(decide(kind, UInt32(truncatingIfNeeded: count - front)))
      if other != front {
        let item = items[front]
        items[front] = items[other]
        items[other] = item
      }
      front += 1
    }
  }

  // MARK: - timers

  /// As collectTimersNow, drawing among those with the same deadline.
  @inline(never)  // seeded loops only
  func collectTimersInTies(_ now: Int64) {
    var start = ready.pointee.tail
    var last = Int64.min
    while true {
      let when = nextDeadline()
      let goes = when <= now && (ready.hasRoom || ready.grow(by: 1))
      if !goes || when != last {
        permute(from: start, RONDO_CHOICE_TIMER)
        start = ready.pointee.tail
        last = when
      }
      if !goes { return }
      takeFirstTimer()
    }
  }

  // MARK: - descriptors

  /// What the kernel reported: the loop's own first, then by number, then as it is drawn.
  @inline(never)  // seeded loops only
  func arrangeEvents(_ count: Int32) {
    let events = poller.pointee.events!
    var own = 0
    for i in 0..<Int(count) {
      let event = events[i]
      var at = i
      while at > 0 && precedes(event, events[at - 1]) {
        events[at] = events[at - 1]
        at -= 1
      }
      events[at] = event
      if isOwn(event) { own += 1 }
    }
    if !isAnyOrder { draw(events + own, Int(count) - own, RONDO_CHOICE_DESCRIPTOR) }
  }

  private func isOwn(_ event: epoll_event) -> Bool {
    var event = event
    return rondo_event_data(&event) >= Poller.timerToken
  }

  private func precedes(_ a: epoll_event, _ b: epoll_event) -> Bool {
    var (first, second) = (a, b)
    // The loop's own have the highest tokens; a token's lower half is the descriptor.
    let x = isOwn(a) ? -1 : Int64(UInt32(truncatingIfNeeded: rondo_event_data(&first)))
    let y = isOwn(b) ? -1 : Int64(UInt32(truncatingIfNeeded: rondo_event_data(&second)))
    return x < y
  }

  // MARK: - calls from other threads

  /// Does nothing: stands in the inbox before the calls of the thread that its argument names.
  private static var markFn: rondo_call_fn { { _ in } }

  static func isMark(_ call: Call) -> Bool {
    call.drop == nil
      && unsafeBitCast(call.fn, to: UInt.self) == unsafeBitCast(markFn, to: UInt.self)
  }

  /// Say whose call comes next, under the inbox's lock; false if memory is out.
  @inline(never)  // seeded loops only
  func markPoster() -> Bool {
    let me = rondo_thread_id()
    if s.pointee.inbox.count != 0 && plan.pointee.poster == me { return true }
    let mark = Call(fn: LoopRef.markFn, arg: Raw(bitPattern: UInt(me)), drop: nil, context: 0)
    if !inbox.append(mark) { return false }
    plan.pointee.poster = me
    return true
  }

  private struct Posted {
    var at: UInt32  // its first cell
    var thread: UInt32  // threads numbered as they come
  }

  /// Move calls of other threads to the ring, which has room: each thread's in its own order.
  @inline(never)  // seeded loops only
  func pushInterleaved(_ cells: RingCells, _ count: Int) {
    if isAnyOrder { return ready.pushCells(cells, count) }
    var at = 0
    var thread: UInt64 = 0
    while at < count { pushStretch(cells, &at, count, &thread) }
  }

  /// Calls, threads, and for each thread the next of its calls.
  private func pushStretch(_ cells: RingCells, _ at: inout Int, _ count: Int, _ thread: inout UInt64) {
    let threads = plan.pointee.scratch!.assumingMemoryBound(to: UInt64.self)
    let calls = Raw(threads + Schedule.stretch).assumingMemoryBound(to: Posted.self)
    let next = Raw(calls + Schedule.stretch).assumingMemoryBound(to: Int.self)
    var found = 0
    var live = 0
    while at < count && found < Schedule.stretch {
      let place = at
      let call = Cells.read(cells, &at)
      if LoopRef.isMark(call) {
        thread = UInt64(UInt(bitPattern: call.arg))
        continue
      }
      var number = 0
      while number < live && threads[number] != thread { number += 1 }
      if number == live {
        threads[live] = thread
        next[live] = found
        live += 1
      }
      calls[found] = Posted(at: UInt32(truncatingIfNeeded: place), thread: UInt32(truncatingIfNeeded: number))
      found += 1
    }
    interleave(cells, calls, found, next, live)
  }

  private func interleave(
    _ cells: RingCells, _ calls: UnsafeMutablePointer<Posted>, _ count: Int, _ next: UnsafeMutablePointer<Int>,
    _ threadCount: Int
  ) {
    var live = threadCount
    for _ in 0..<count {
      let chosen = live > 1 ? Int(decide(RONDO_CHOICE_THREAD, UInt32(truncatingIfNeeded: live))) : 0
      let taken = next[chosen]
      var at = Int(calls[taken].at)
      ready.pushReserved(Cells.read(cells, &at))
      next[chosen] = taken + 1
      while next[chosen] < count && calls[next[chosen]].thread != calls[taken].thread { next[chosen] += 1 }
      if next[chosen] == count {
        live -= 1
        for i in chosen..<live { next[i] = next[i + 1] }
      }
    }
  }
}
