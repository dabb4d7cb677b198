// Threadsafe.swift - coroutines for a loop of another thread, and loop futures for thread futures.
//
// Knows: Inbox, Task, ThreadFuture. Does not know: who waits on the other side.

import CRondo
import CRondoShim

/// A coroutine on its way to the loop's thread.
private struct Parcel {
  var coroutine: OpaquePointer?  // nil once it is a task
  var future: ThreadFutureRef  // pinned
  var loop: UInt64  // address
}

enum Chain {
  // MARK: - run_coroutine_threadsafe

  /// The thread future with one reference of C's. The coroutine moves on success.
  static func run(_ loop: LoopRef, _ handle: UInt64, _ coroutine: CoroutineRef) -> (ThreadFutureRef?, rondo_status) {
    guard let future = ThreadFutureRef.make() else { return (nil, -ENOMEM) }
    guard let parcel = allocateArray(Parcel.self, 1) else {
      _ = future.releaseUser()
      return (nil, -ENOMEM)
    }
    future.pin()
    parcel.initialize(to: Parcel(coroutine: coroutine.handle, future: future, loop: bits(loop.s)))
    future.expect(opaque(handle))
    let call = Call(fn: { Chain.unpack($0!) }, arg: parcel, drop: { Chain.drop($0!) }, context: Contexts.capture())
    let status = loop.post(call, handle: handle)
    if status == RONDO_OK { return (future, RONDO_OK) }
    Contexts.release(call.context)
    future.unpin()
    free(parcel)
    _ = future.releaseUser()
    return (nil, status)
  }

  /// On the loop's thread: make the task and tie the two together.
  private static func unpack(_ raw: Raw) {
    let parcel = raw.assumingMemoryBound(to: Parcel.self)
    let loop = LoopRef(address(parcel.pointee.loop)!)
    let future = parcel.pointee.future
    guard let coroutine = CoroutineRef.find(parcel.pointee.coroutine) else { return }
    parcel.pointee.coroutine = nil
    let (task, status) = loop.createTask(coroutine, LoopRef.TaskOptions(), user: true)
    guard let task else {
      let error = ErrorRef.of(status)
      _ = future.settle(ThreadFutureRef.State.exception, .none, error)
      error.unpin()
      return
    }
    tie(task, future)
  }

  private static func drop(_ raw: Raw) {
    let parcel = raw.assumingMemoryBound(to: Parcel.self).pointee
    free(raw)
    if let coroutine = CoroutineRef.find(parcel.coroutine) {
      // The loop was closed first: nobody will ever run it.
      LoopRef.closeAndRelease(coroutine)
      _ = parcel.future.settle(ThreadFutureRef.State.cancelled, .none, nil)
    }
    parcel.future.unpin()
  }

  /// C's reference of the task goes to the thread future, which gives it back when it is done.
  private static func tie(_ task: TaskRef, _ future: ThreadFutureRef) {
    future.pin()
    let status = task.future.addCallback(
      { Chain.taskDone($0, $1) },
      Value(pointer: Raw(future.s), drop: { Chain.letGo($0!) }), 0)
    if status != RONDO_OK { future.unpin() }
    future.chain(
      { raw in
        let task = FutureRef(raw!)
        let error = ErrorRef.plainCancelled()
        error.pin()
        if task.post(.cancellation(error)) != RONDO_OK { error.unpin() }
      },
      Value(pointer: task.future.raw, drop: { _ = FutureRef($0!).releaseUser() }))
  }

  private static func taskDone(_ handle: OpaquePointer?, _ raw: Raw?) {
    guard let task = FutureRef.find(handle) else { return }
    let future = ThreadFutureRef(raw!.assumingMemoryBound(to: ThreadFutureState.self))
    switch task.outcome() {
    case RONDO_OK:
      let value = task.has(FutureBits.taken) ? Value(pointer: task.s.pointee.value.pointer, drop: nil) : task.takeValue()
      if !future.settle(ThreadFutureRef.State.result, value, nil) { value.dispose() }
    case RONDO_E_RAISED: _ = future.settle(ThreadFutureRef.State.exception, .none, task.error)
    default: _ = future.settle(ThreadFutureRef.State.cancelled, .none, nil)
    }
  }

  /// The callback goes without having run if the loop was closed: then nobody completes it.
  private static func letGo(_ raw: Raw) {
    let future = ThreadFutureRef(raw.assumingMemoryBound(to: ThreadFutureState.self))
    _ = future.settle(ThreadFutureRef.State.cancelled, .none, nil)
    future.unpin()
  }

  // MARK: - wrap_future

  struct WrapState {
    var extra: FutureExtra
    var source: ThreadFutureRef  // pinned
    var holdsClock: Bool  // until the thread is done nothing is idle
  }

  private static func letClockGo(_ future: FutureRef) {
    if !state(future).pointee.holdsClock { return }
    state(future).pointee.holdsClock = false
    _ = future.loop.unhold()
  }

  private static func state(_ future: FutureRef) -> UnsafeMutablePointer<WrapState> {
    address(future.s.pointee.extra)!.assumingMemoryBound(to: WrapState.self)
  }

  /// A loop's future with one reference of C's that ends as the thread future does.
  static func wrap(_ loop: LoopRef, _ source: ThreadFutureRef) -> (FutureRef?, rondo_status) {
    guard let state = allocateArray(WrapState.self, 1) else { return (nil, -ENOMEM) }
    guard let future = FutureRef.make(loop, user: true) else {
      free(state)
      return (nil, -ENOMEM)
    }
    source.pin()
    let extra = FutureExtra(
      cancel: { raw, error in
        let future = FutureRef(raw)
        Chain.letClockGo(future)
        future.becomeCancelled(ErrorRef(error))
        _ = Chain.state(future).pointee.source.cancel()
        return true
      },
      end: { raw in
        let held = Chain.state(FutureRef(raw))
        Chain.letClockGo(FutureRef(raw))
        let source = held.pointee.source
        free(held)
        source.unpin()
      },
      take: { raw, out in
        out.assumingMemoryBound(to: Value.self).pointee = Chain.state(FutureRef(raw)).pointee.source.takeValue()
        return true
      })
    state.initialize(to: WrapState(
      extra: extra, source: source, holdsClock: loop.isVirtual && loop.hold() == RONDO_OK))
    future.s.pointee.extra = bits(state)
    future.add(FutureBits.library)
    _ = Owned.retain(future.raw)  // the callback's
    let status = source.addCallback(
      { Chain.sourceDone($1) }, Value(pointer: future.raw, drop: { _ = FutureRef($0!).releaseUser() }))
    if status == RONDO_OK { return (future, RONDO_OK) }
    _ = future.releaseUser()
    return (nil, status)
  }

  /// In the thread that completed the thread future: tell the loop.
  private static func sourceDone(_ raw: Raw?) {
    let future = FutureRef(raw!)
    if Owned.retain(future.raw) != RONDO_OK { return }
    let call = Call(
      fn: { Chain.takeOver(FutureRef($0!)) }, arg: future.raw, drop: { _ = FutureRef($0!).releaseUser() }, context: 0)
    let loop = future.loop
    if loop.post(call, handle: loop.s.pointee.header.handle) != RONDO_OK { _ = future.releaseUser() }
  }

  private static func takeOver(_ future: FutureRef) {
    letClockGo(future)
    if future.isDone { return }
    let source = state(future).pointee.source
    switch source.state {
    case ThreadFutureRef.State.result: future.complete(RONDO_FUTURE_RESULT, Value(pointer: source.value, drop: nil))
    case ThreadFutureRef.State.exception: future.fail(source.error!)
    default: future.becomeCancelled(ErrorRef.plainCancelled())
    }
  }
}
