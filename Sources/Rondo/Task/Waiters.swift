// Waiters.swift - who is told when a future is done: tasks and callbacks, in the order they came.
//
// One circular list through both: a task waits for one thing at a time, so its link is a word of
// its own and awaiting can neither allocate nor fail; a callback has a node. A link says which of
// the two it leads to in its lowest bit (1: a task). The future's word is the last one of the
// list, so that appending needs no second word.
//
// Everything goes through the ring, never inline. A callback's node pins the future once it is
// scheduled, so the callback may let go of everything else.
//
// Completing must not fail, and yet it needs room in the ring. What C completes is checked before
// (-ENOMEM, nothing changed); what the library completes is, if memory is out, marked and woken in
// a later pass.
//
// Knows: Future, Ring. Does not know: what the callbacks do.

import CRondo
import CRondoShim

struct WaiterNode {
  var header: ObjectHeader
  var next: UInt64  // a link
  var fn: rondo_future_fn
  var arg: Value
  var context: ContextTag
  var future: UInt64  // address, once scheduled
}

typealias WaiterPointer = UnsafeMutablePointer<WaiterNode>

enum Waiter {
  static let size = MemoryLayout<WaiterNode>.stride

  @inline(__always)
  static func at(_ value: UInt64) -> WaiterPointer { address(value)!.assumingMemoryBound(to: WaiterNode.self) }

  /// The place of the link that leads on from what `link` leads to.
  @inline(__always)
  static func next(_ link: UInt64) -> UnsafeMutablePointer<UInt64> {
    link & 1 != 0 ? place(&TaskRef(address(link & ~1)!).s.pointee.nextWaiter) : place(&at(link).pointee.next)
  }

  static func take(_ loop: LoopRef) -> WaiterPointer? {
    Slab.take(loop.nodes, owner: Raw(loop.s))?.assumingMemoryBound(to: WaiterNode.self)
  }

  static func give(_ node: WaiterPointer) {
    let loop = Owned.loop(of: Raw(node))
    Slab.give(loop.nodes, Raw(node))
    if loop.s.pointee.isClosing { loop.freeIfUnused() }
  }

  /// What the ring's entry for a callback calls.
  static var entryFn: rondo_call_fn { { Waiter.run($0!) } }

  static func run(_ raw: Raw) {
    let node = raw.assumingMemoryBound(to: WaiterNode.self)
    node.pointee.fn(FutureRef(address(node.pointee.future)!).handle, node.pointee.arg.pointer)
  }

  static func drop(_ raw: Raw) {
    let node = raw.assumingMemoryBound(to: WaiterNode.self)
    let future = FutureRef(address(node.pointee.future)!)
    let arg = node.pointee.arg
    // The node's loop lives as long as the future does.
    Slab.give(future.loop.nodes, raw)
    arg.dispose()
    future.unpin()
  }
}

extension FutureRef {
  // MARK: - adding

  /// The task waits for it.
  @inline(__always)
  func addWaiter(_ task: TaskRef) {
    let link = bits(task.s) | 1
    if s.pointee.waiters == 0 {
      task.s.pointee.nextWaiter = link
      s.pointee.waiters = link
    } else {
      append(link)
    }
  }

  private func append(_ link: UInt64) {
    if s.pointee.waiters == 0 {
      Waiter.next(link).pointee = link
    } else {
      let last = Waiter.next(s.pointee.waiters)
      Waiter.next(link).pointee = last.pointee
      last.pointee = link
    }
    s.pointee.waiters = link
  }

  private func appendNode(_ fn: @escaping rondo_future_fn, _ arg: Value, _ context: ContextTag) -> Bool {
    guard let node = Waiter.take(loop) else { return false }
    append(node, fn, arg, context)
    return true
  }

  private func append(_ node: WaiterPointer, _ fn: @escaping rondo_future_fn, _ arg: Value, _ context: ContextTag) {
    node.pointee.fn = fn
    node.pointee.arg = arg
    node.pointee.context = context
    node.pointee.future = 0
    append(bits(node))
  }

  /// add_done_callback for a pending future with a node that was taken before: it cannot fail.
  func addCallback(_ node: WaiterPointer, _ fn: @escaping rondo_future_fn, _ arg: Value) {
    append(node, fn, arg, 0)
  }

  /// add_done_callback. What moves is the caller's again on failure.
  func addCallback(_ fn: @escaping rondo_future_fn, _ arg: Value, _ context: ContextTag) -> rondo_status {
    if isDone && loop.isClosed { return RONDO_E_LOOP_CLOSED }
    if isDone && !loop.ready.hasRoom && !loop.ready.grow(by: 1) { return -ENOMEM }
    if !appendNode(fn, arg, context) { return -ENOMEM }
    if isDone { wakeWaiters() }
    return RONDO_OK
  }

  // MARK: - removing

  /// Take out every callback with this function and argument.
  func removeCallbacks(_ fn: rondo_future_fn, _ arg: Raw) {
    let wanted = unsafeBitCast(fn, to: UInt.self)
    _ = removeCallbacks { node in
      unsafeBitCast(node.pointee.fn, to: UInt.self) == wanted && node.pointee.arg.pointer == arg
    }
  }

  /// Take out every callback that `matches` and say how many; what they carried is dropped.
  func removeCallbacks(_ matches: (WaiterPointer) -> Bool) -> Int {
    var removed: UInt64 = 0
    var count = 0
    takeOut { link in
      if link & 1 != 0 || !matches(Waiter.at(link)) { return false }
      Waiter.at(link).pointee.next = removed
      removed = link
      count += 1
      return true
    }
    dropList(removed)
    return count
  }

  /// A task waits no longer.
  func removeWaiter(_ task: TaskRef) {
    let gone = bits(task.s) | 1
    takeOut { $0 == gone }
  }

  /// Go through the list once, leaving out what `isOut` says; it may use the link of that.
  private func takeOut(_ isOut: (UInt64) -> Bool) {
    let last = s.pointee.waiters
    if last == 0 { return }
    var at = Waiter.next(last).pointee
    s.pointee.waiters = 0
    while true {
      let link = at
      at = Waiter.next(link).pointee
      if !isOut(link) { append(link) }
      if link == last { return }
    }
  }

  /// Let go of callbacks that are linked up to 0.
  private func dropList(_ first: UInt64) {
    var at = first
    while at != 0 {
      let node = Waiter.at(at)
      at = node.pointee.next
      let arg = node.pointee.arg
      let context = node.pointee.context
      Waiter.give(node)
      Contexts.release(context)
      arg.dispose()
    }
  }

  /// Forget everybody: the loop is closed, or the future goes.
  func dropWaiters() {
    if s.pointee.waiters == 0 { return }
    _ = removeCallbacks { _ in true }
    s.pointee.waiters = 0
  }

  /// A callback with this argument loses it, and what it holds.
  func forgetCallback(_ arg: Raw) {
    let last = s.pointee.waiters
    if last == 0 { return }
    var at = last
    repeat {
      let link = at
      at = Waiter.next(link).pointee
      if link & 1 == 0 && Waiter.at(link).pointee.arg.pointer == arg {
        let drop = Waiter.at(link).pointee.arg.drop
        Waiter.at(link).pointee.arg.pointer = nil
        drop?(arg)
        return
      }
    } while at != last
  }

  // MARK: - waking

  /// True if the ring has room for all who wait, so that completing cannot fail.
  @inline(__always)
  func canWake() -> Bool {
    let waiters = s.pointee.waiters
    // On a closed loop nobody is woken, and the ring is gone.
    if waiters == 0 || loop.s.pointee.isClosing { return true }
    if loop.ready.hasRoom && Waiter.next(waiters).pointee == waiters { return true }
    return loop.ready.reserve(countWaiters())
  }

  private func countWaiters() -> Int {
    var count = 1
    let last = s.pointee.waiters
    var at = Waiter.next(last).pointee
    while at != last {
      count += 1
      at = Waiter.next(at).pointee
    }
    return count
  }

  /// Schedule all who wait.
  @inline(__always)
  func wakeWaiters() {
    let loop = loop
    if loop.isClosed { return dropWaiters() }
    if !canWake() {
      add(FutureBits.lateWake)
      loop.s.pointee.hasLateWakes = true
      return
    }
    let last = s.pointee.waiters
    s.pointee.waiters = 0
    if last & 1 != 0 && Waiter.next(last).pointee == last {
      loop.ready.pushReserved(TaskRef(address(last & ~1)!).wakeUp)
    } else {
      wakeList(loop, last)
    }
    if loop.s.pointee.isGuest { loop.signalHost() }
  }

  @inline(never)
  private func wakeList(_ loop: LoopRef, _ last: UInt64) {
    var at = Waiter.next(last).pointee
    while true {
      let link = at
      at = Waiter.next(link).pointee
      if link & 1 != 0 {
        loop.ready.pushReserved(TaskRef(address(link & ~1)!).wakeUp)
      } else {
        let node = Waiter.at(link)
        pin()
        node.pointee.future = bits(s)
        loop.ready.pushReserved(Call(
          fn: Waiter.entryFn, arg: Raw(node), drop: { Waiter.drop($0!) }, context: node.pointee.context))
      }
      if link == last { return }
    }
  }
}
