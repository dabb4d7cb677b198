// Waiters.swift - who is told when a future is done: tasks and callbacks, in the order they came.
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
  var next: UInt64
  var fn: rondo_future_fn?  // nil for a task
  var arg: Value  // or the task's address
  var context: ContextTag
  var future: UInt64  // address, once scheduled
}

typealias WaiterPointer = UnsafeMutablePointer<WaiterNode>

enum Waiter {
  static let size = MemoryLayout<WaiterNode>.stride

  @inline(__always)
  static func at(_ value: UInt64) -> WaiterPointer { address(value)!.assumingMemoryBound(to: WaiterNode.self) }

  static func give(_ node: WaiterPointer) {
    let loop = Owned.loop(of: Raw(node))
    Slab.give(loop.nodes, Raw(node))
    if loop.s.pointee.isClosing { loop.freeIfUnused() }
  }

  /// The ring's entry for a callback.
  static func run(_ raw: Raw) {
    let node = raw.assumingMemoryBound(to: WaiterNode.self)
    node.pointee.fn!(FutureRef(address(node.pointee.future)!).handle, node.pointee.arg.pointer)
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

  /// The task waits for it; false if memory is out.
  @inline(__always)
  func addWaiter(_ task: TaskRef) -> Bool {
    if s.pointee.waiters == 0 {
      s.pointee.waiters = bits(task.s) | 1
      return true
    }
    return appendNode(nil, Value(pointer: Raw(task.s), drop: nil), 0)
  }

  @inline(never)  // the second waiter and any callback
  private func appendNode(_ fn: rondo_future_fn?, _ arg: Value, _ context: ContextTag) -> Bool {
    guard let slot = Slab.take(loop.nodes, owner: Raw(loop.s)) else { return false }
    if s.pointee.waiters & 1 != 0 && !spellOutTask() {
      Slab.give(loop.nodes, slot)
      return false
    }
    let node = slot.assumingMemoryBound(to: WaiterNode.self)
    node.pointee.fn = fn
    node.pointee.arg = arg
    node.pointee.context = context
    node.pointee.future = 0
    append(node)
    return true
  }

  private func append(_ node: WaiterPointer) {
    if s.pointee.waiters == 0 {
      node.pointee.next = bits(node)
    } else {
      let last = Waiter.at(s.pointee.waiters)
      node.pointee.next = last.pointee.next
      last.pointee.next = bits(node)
    }
    s.pointee.waiters = bits(node)
  }

  /// Turn the single task in the word into a node.
  private func spellOutTask() -> Bool {
    let task = s.pointee.waiters & ~1
    s.pointee.waiters = 0
    if appendNode(nil, Value(pointer: address(task), drop: nil), 0) { return true }
    s.pointee.waiters = task | 1
    return false
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

  /// Take out every node that `matches` and say how many; what they carried is dropped.
  func removeWaiters(_ matches: (WaiterPointer) -> Bool) -> Int {
    if s.pointee.waiters == 0 || s.pointee.waiters & 1 != 0 { return 0 }
    var removed: UInt64 = 0
    var count = 0
    var at = Waiter.at(s.pointee.waiters).pointee.next
    let last = s.pointee.waiters
    s.pointee.waiters = 0
    while true {
      let node = Waiter.at(at)
      let next = node.pointee.next
      let isLast = at == last
      if matches(node) {
        node.pointee.next = removed
        removed = at
        count += 1
      } else {
        append(node)
      }
      if isLast { break }
      at = next
    }
    dropList(removed)
    return count
  }

  /// A task waits no longer.
  func removeWaiter(_ task: TaskRef) {
    if s.pointee.waiters == bits(task.s) | 1 {
      s.pointee.waiters = 0
      return
    }
    _ = removeWaiters { $0.pointee.fn == nil && $0.pointee.arg.pointer == Raw(task.s) }
  }

  private func dropList(_ first: UInt64) {
    var at = first
    while at != 0 {
      let node = Waiter.at(at)
      at = node.pointee.next
      let isCallback = node.pointee.fn != nil
      let arg = node.pointee.arg
      let context = node.pointee.context
      Waiter.give(node)
      if isCallback {
        Contexts.release(context)
        arg.dispose()
      }
    }
  }

  /// Forget everybody: the loop is closed, or the future goes.
  func dropWaiters() {
    let waiters = s.pointee.waiters
    if waiters == 0 { return }
    s.pointee.waiters = 0
    if waiters & 1 != 0 { return }
    let last = Waiter.at(waiters)
    let first = last.pointee.next
    last.pointee.next = 0
    dropList(first)
  }

  // MARK: - waking

  /// True if the ring has room for all who wait, so that completing cannot fail.
  @inline(__always)
  func canWake() -> Bool {
    let waiters = s.pointee.waiters
    if waiters == 0 { return true }
    if waiters & 1 != 0 { return loop.ready.hasRoom || loop.ready.grow(by: 1) }
    return loop.ready.reserve(countWaiters())
  }

  private func countWaiters() -> Int {
    var count = 1
    let last = s.pointee.waiters
    var at = Waiter.at(last).pointee.next
    while at != last {
      count += 1
      at = Waiter.at(at).pointee.next
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
    let waiters = s.pointee.waiters
    s.pointee.waiters = 0
    if waiters & 1 != 0 {
      loop.ready.pushReserved(TaskRef(address(waiters & ~1)!).wakeUp)
    } else {
      wakeList(loop, waiters)
    }
    if loop.s.pointee.isGuest { loop.signalHost() }
  }

  @inline(never)
  private func wakeList(_ loop: LoopRef, _ last: UInt64) {
    var at = Waiter.at(last).pointee.next
    while true {
      let node = Waiter.at(at)
      let isLast = at == last
      at = node.pointee.next
      if node.pointee.fn == nil {
        loop.ready.pushReserved(TaskRef(node.pointee.arg.pointer!).wakeUp)
        Slab.give(loop.nodes, Raw(node))
      } else {
        pin()
        node.pointee.future = bits(s)
        let context = node.pointee.context
        loop.ready.pushReserved(Call(
          fn: { Waiter.run($0!) }, arg: Raw(node), drop: { Waiter.drop($0!) }, context: context))
      }
      if isLast { return }
    }
  }
}
