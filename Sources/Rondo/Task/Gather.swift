// Gather.swift - one future for many: asyncio's gather, rule by rule.
//
// The outer future holds its children, so that their values stay readable through it. A child's
// callback holds the outer one, but only while that is pending: a gather that is done must not be
// kept alive by a child that never ends. What a callback that came too late still has to do, mark
// the child's exception as read, needs no outer future.
//
// Knows: Future, Awaitables. Does not know: how it is awaited.

import CRondo
import CRondoShim

struct GatherState {
  var extra: FutureExtra
  var children: UnsafeMutablePointer<FutureRef>  // in the order of the arguments, each pinned
  var results: UnsafeMutablePointer<Raw?>
  var count: Int
  var distinct: Int
  var finished: Int
  var returnsExceptions: Bool
  var isCancelRequested: Bool
  var walk: GatherWalk
}

struct Gather {
  let outer: FutureRef
  let s: UnsafeMutablePointer<GatherState>

  static func at(_ future: FutureRef) -> Gather {
    Gather(outer: future, s: address(future.s.pointee.extra)!.assumingMemoryBound(to: GatherState.self))
  }

  /// The gather, if the future is one.
  static func find(_ future: FutureRef) -> Gather? {
    future.has(FutureBits.gather) ? at(future) : nil
  }

  // MARK: - making

  /// The outer future with one reference of C's. Coroutines move on every return.
  static func make(_ loop: LoopRef, _ awaitables: UnsafePointer<Raw?>, _ count: Int, returnsExceptions: Bool)
    -> (FutureRef?, rondo_status)
  {
    let refused = check(loop, awaitables, count)
    guard refused == RONDO_OK, let made = allocate(loop, count, returnsExceptions) else {
      letGo(awaitables, from: 0, count)
      return (nil, refused == RONDO_OK ? -ENOMEM : refused)
    }
    for i in 0..<count {
      let status = made.add(loop, awaitables, i)
      if status != RONDO_OK {
        letGo(awaitables, from: i + 1, count)
        made.giveUp()
        return (nil, status)
      }
    }
    made.countFinished()
    return (made.outer, RONDO_OK)
  }

  /// Everything is checked before anything is taken. A coroutine that was seen is marked, because
  /// it may be given twice and moves once.
  static func check(_ loop: LoopRef, _ awaitables: UnsafePointer<Raw?>, _ count: Int) -> rondo_status {
    for i in 0..<count {
      let awaitable = OpaquePointer(awaitables[i])
      if let future = FutureRef.find(awaitable) {
        if future.loop.s != loop.s { return RONDO_E_WRONG_LOOP }
      } else if let coroutine = CoroutineRef.find(awaitable) {
        let status = Drive.refusal(coroutine)
        if status != RONDO_OK { return status }
        coroutine.body.add(ActivationBits.gathered)
      } else {
        return LoopRef.refuseAwaitable(awaitable)
      }
    }
    return loop.isClosed && count > 0 ? RONDO_E_LOOP_CLOSED : RONDO_OK
  }

  /// Coroutines that were not taken go, each once.
  static func letGo(_ awaitables: UnsafePointer<Raw?>, from first: Int, _ count: Int) {
    for i in first..<Swift.max(first, count) {
      if let coroutine = CoroutineRef.find(OpaquePointer(awaitables[i])) {
        coroutine.body.add(ActivationBits.gathered)
      }
    }
    for i in first..<Swift.max(first, count) {
      guard let coroutine = CoroutineRef.find(OpaquePointer(awaitables[i])),
        coroutine.body.has(ActivationBits.gathered)
      else { continue }
      coroutine.body.remove(ActivationBits.gathered)
      LoopRef.closeAndRelease(coroutine)
    }
  }

  private static func allocate(_ loop: LoopRef, _ count: Int, _ returnsExceptions: Bool) -> Gather? {
    let results = allocateArray(Raw?.self, count)
    let children = allocateArray(FutureRef.self, count)
    let state = allocateArray(GatherState.self, 1)
    guard let results, let children, let state, let outer = FutureRef.make(loop, user: true) else {
      CRondoShim.free(results)
      CRondoShim.free(children)
      CRondoShim.free(state)
      return nil
    }
    let extra = FutureExtra(
      cancel: { future, error in
        CancelWalk.run(FutureRef(future), ErrorRef(error))
      },
      end: { Gather.at(FutureRef($0)).free() },
      take: { _, _ in false })
    state.initialize(to: GatherState(
      extra: extra, children: children, results: results, count: 0, distinct: 0, finished: 0,
      returnsExceptions: returnsExceptions, isCancelRequested: false, walk: .none))
    outer.s.pointee.extra = bits(state)
    outer.add(FutureBits.library | FutureBits.gather)
    return Gather(outer: outer, s: state)
  }

  /// Child number `i`: a new one, or one that was given before and is awaited once.
  private func add(_ loop: LoopRef, _ awaitables: UnsafePointer<Raw?>, _ i: Int) -> rondo_status {
    let awaitable = OpaquePointer(awaitables[i])
    let coroutine = CoroutineRef.find(awaitable)
    let isFresh = coroutine?.body.has(ActivationBits.gathered) ?? FutureRef.find(awaitable).map { !$0.has(FutureBits.gathered) } ?? false
    if !isFresh { return addAgain(awaitables, i) }
    coroutine?.body.remove(ActivationBits.gathered)
    let (future, _, status) = loop.ensureFuture(awaitable, isQuiet: true)
    guard let future else { return status }
    append(future)
    future.add(FutureBits.gathered)
    s.pointee.distinct += 1
    if future.isDone {
      s.pointee.results[i] = Raw(s)  // to be counted by countFinished
      return RONDO_OK
    }
    outer.pin()
    let added = future.addCallback(
      Gather.onChildDone, Value(pointer: outer.raw, drop: { Gather.letGoOfOuter($0) }), 0)
    if added != RONDO_OK { outer.unpin() }
    return added
  }

  /// The one that was given before under the same handle.
  private func addAgain(_ awaitables: UnsafePointer<Raw?>, _ i: Int) -> rondo_status {
    guard let earlier = (0..<i).first(where: { awaitables[$0] == awaitables[i] }) else {
      return LoopRef.refuseAwaitable(OpaquePointer(awaitables[i]))
    }
    s.pointee.children[earlier].pin()
    append(s.pointee.children[earlier])
    return RONDO_OK
  }

  private func append(_ child: FutureRef) {
    (s.pointee.children + s.pointee.count).initialize(to: child)
    (s.pointee.results + s.pointee.count).initialize(to: nil)
    s.pointee.count += 1
  }

  /// Children that were done already count now, in their order (since 3.12: no pass in between).
  private func countFinished() {
    unmark()
    for i in 0..<s.pointee.count where s.pointee.results[i] == Raw(s) {
      s.pointee.results[i] = nil
      count(s.pointee.children[i])
    }
    if s.pointee.count == 0 { settle(last: nil) }
  }

  private func unmark() {
    for i in 0..<s.pointee.count { s.pointee.children[i].remove(FutureBits.gathered) }
  }

  private func giveUp() {
    unmark()
    letGoOfChildren()
    _ = outer.releaseUser()
  }

  // MARK: - children

  /// The callback of each child; its argument is the outer future, nil once that is done.
  static var onChildDone: rondo_future_fn { { Gather.childDone($0, $1) } }

  private static func childDone(_ child: OpaquePointer?, _ outer: Raw?) {
    guard let child = FutureRef.find(child) else { return }
    if let outer {
      Gather.at(FutureRef(outer)).count(child)
    } else {
      child.remove(FutureBits.unread)
    }
  }

  private static func letGoOfOuter(_ outer: Raw?) {
    if let outer { FutureRef(outer).unpin() }
  }

  private func count(_ child: FutureRef) {
    s.pointee.finished += 1
    if outer.isDone { return child.remove(FutureBits.unread) }
    if !s.pointee.returnsExceptions, let error = child.error {
      child.remove(FutureBits.unread)
      outer.fail(error)
      return letGoOfChildren()
    }
    if s.pointee.finished == s.pointee.distinct { settle(last: child) }
  }

  private func settle(last: FutureRef?) {
    for i in 0..<s.pointee.count {
      let child = s.pointee.children[i]
      child.remove(FutureBits.unread)
      s.pointee.results[i] = child.state == RONDO_FUTURE_RESULT ? child.s.pointee.value.pointer : nil
    }
    if s.pointee.isCancelRequested {
      let error = last?.error ?? ErrorRef.plainCancelled()
      outer.fail(error.isCancellation ? error : ErrorRef.plainCancelled())
    } else {
      outer.complete(RONDO_FUTURE_RESULT, Value(pointer: Raw(s.pointee.results), drop: nil))
    }
  }

  /// The outer future is done: callbacks of children that are not no longer hold it.
  private func letGoOfChildren() {
    outer.pin()
    for i in 0..<s.pointee.count { s.pointee.children[i].forgetCallback(outer.raw) }
    outer.unpin()
  }

  // MARK: - the outer future

  private func free() {
    for i in 0..<s.pointee.count { s.pointee.children[i].unpin() }
    CRondoShim.free(s.pointee.children)
    CRondoShim.free(s.pointee.results)
    CRondoShim.free(s)
  }

  func child(_ index: Int) -> FutureRef? { index >= 0 && index < s.pointee.count ? s.pointee.children[index] : nil }
  var childCount: Int { s.pointee.count }
}
