// ThreadFuture.swift - a result that any thread may wait for (concurrent.futures.Future).
//
// The state is a futex word: waiting is sleeping on it, being done is one exchange, with a wake
// only if somebody said that it sleeps. Reading a done future takes no lock, because value and
// error are written before the state and never again. Everything else (who wins, the callbacks,
// the chain) changes under the lock of the kind. One lock for all of them: a section is a few
// instructions, and fork() takes that lock with the others, so a child never inherits one that
// nobody will let go of.
//
// Two sides may be chained to it. Its owner, a loop whose task will complete it, is told when it
// is cancelled first (onCancel); who waits without a thread uses a callback.
//
// User code (callbacks, drops, onCancel) runs without the lock and with the future pinned.
//
// Knows: GlobalObjects, Error, the handle of a loop. Does not know: tasks, what a loop is.

import CRondo
import CRondoShim

typealias ThreadFutureFn = @convention(c) (OpaquePointer?, Raw?) -> Void
typealias ChainFn = @convention(c) (Raw?) -> Void

struct ThreadFutureState {
  var header: ObjectHeader
  var state: UInt32  // any thread, a futex; changes under the lock, but for pending to awaited
  var isChained: UInt32  // any thread; 1 once a task completes it, for good
  var value: Value  // written before the state; `drop` under the lock
  var error: UnsafeMutablePointer<ErrorState>?  // pinned; written before the state
  var firstCallback: UnsafeMutablePointer<ThreadFutureCallback>?  // under the lock
  var lastCallback: UnsafeMutablePointer<ThreadFutureCallback>?
  var ownerLoop: UInt64  // any thread; handle of the loop that completes it, 0 for none
  var job: UInt64  // handle of the job that completes it, 0 for none
  var chain: ThreadFutureChain  // under the lock
}

struct ThreadFutureCallback {
  var next: UnsafeMutablePointer<ThreadFutureCallback>?
  var fn: ThreadFutureFn
  var arg: Value

  /// fn, then drop.
  func run(_ future: OpaquePointer?) {
    fn(future, arg.pointer)
    arg.dispose()
  }
}

/// What is to be told of a cancellation, at most once, and what lets go of it, once.
struct ThreadFutureChain {
  var onCancel: ChainFn?
  var arg: Value

  static let none = ThreadFutureChain(onCancel: nil, arg: .none)
}

/// What a worker of an executor is asked before it sleeps for another job, for ever, and after: its
/// first field.
struct WorkerWaits {
  var begin: @convention(c) (Raw, UInt64) -> Bool  // worker, handle of the job; false if that is a deadlock
  var end: @convention(c) (Raw) -> Void
}

struct ThreadFutureRef {
  let s: UnsafeMutablePointer<ThreadFutureState>

  static let size = MemoryLayout<ThreadFutureState>.stride

  enum State {
    static let pending: UInt32 = 0
    static let result: UInt32 = 1
    static let exception: UInt32 = 2
    static let cancelled: UInt32 = 3
    fileprivate static let awaited: UInt32 = 4  // pending, and some thread sleeps on it
    fileprivate static let mask: UInt32 = 3
  }


  @inline(__always)
  init(_ state: UnsafeMutablePointer<ThreadFutureState>) { s = state }

  @inline(__always)
  static func find(_ handle: OpaquePointer?) -> ThreadFutureRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.threadFuture, size) else { return nil }
    return ThreadFutureRef(found.assumingMemoryBound(to: ThreadFutureState.self))
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.threadFuture, size)
  }

  /// A new pending one with one reference of C's; nil if memory is out.
  static func make() -> ThreadFutureRef? {
    guard let slot = Global.take(Kind.threadFuture, size) else { return nil }
    let state = slot.assumingMemoryBound(to: ThreadFutureState.self)
    rondo_poke32(&state.pointee.state, State.pending)
    rondo_poke32(&state.pointee.isChained, 0)
    state.pointee.value = .none
    state.pointee.error = nil
    state.pointee.firstCallback = nil
    state.pointee.lastCallback = nil
    state.pointee.ownerLoop = 0
    state.pointee.job = 0
    state.pointee.chain = .none
    return ThreadFutureRef(state)
  }

  @inline(__always)
  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }

  @inline(__always)
  func pin() { Global.pin(s) }

  @inline(__always)
  func unpin() { if Global.unpin(s) { end() } }

  func releaseUser() -> rondo_status { Global.release(s) { end() } }

  /// Nobody can name it any more: let go of everything, the slot first, user code last.
  private func end() {
    let value = s.pointee.value
    let error = s.pointee.error
    let chain = s.pointee.chain
    var next = s.pointee.firstCallback
    Global.give(Kind.threadFuture, s)
    while let callback = next {
      next = callback.pointee.next
      let arg = callback.pointee.arg
      free(callback)
      arg.dispose()
    }
    chain.arg.dispose()
    if let error { ErrorRef(error).unpin() }
    value.dispose()
  }

  fileprivate var lock: UnsafeMutablePointer<UInt32> { rondo_global_lock(Kind.threadFuture) }
}

// MARK: - reading, any thread

extension ThreadFutureRef {
  /// Pairs with the exchange in complete(): if it says done, value and error may be read.
  @inline(__always)
  var state: UInt32 { rondo_load32(&s.pointee.state) & State.mask }

  @inline(__always)
  var isDone: Bool { state != State.pending }

  var isCancelled: Bool { state == State.cancelled }

  /// The value of a done future, borrowed.
  var value: Raw? { s.pointee.value.pointer }

  /// The exception of a done future, borrowed.
  var error: ErrorRef? {
    guard let error = s.pointee.error else { return nil }
    return ErrorRef(error)
  }

  /// The value with the duty to drop it, for whoever passes it on. The pointer can still be read
  /// here, on the new owner's account; a second taker gets it without the duty.
  func takeValue() -> Value {
    rondo_lock(lock)
    let value = s.pointee.value
    s.pointee.value.drop = nil
    rondo_unlock(lock)
    return value
  }

  /// What reading it says now: the status of rondo_thread_future_result().
  var outcome: rondo_status {
    switch state {
    case State.pending: return RONDO_E_TIMEOUT
    case State.result: return RONDO_OK
    case State.exception: return RONDO_E_RAISED
    default: return RONDO_E_CANCELLED
    }
  }
}

// MARK: - waiting, any thread

extension ThreadFutureRef {
  /// Wait until it is done and say how it ended; RONDO_E_TIMEOUT if it is not. The caller has it
  /// pinned: a slot that was given back and taken anew would be another future's word.
  func wait(_ timeout: Int64) -> rondo_status {
    if timeout < 0 { return -EINVAL }
    if isDone || timeout == 0 { return outcome }
    if isCompletedHere { return -EDEADLK }
    if rondo_thread()!.pointee.worker != 0 && s.pointee.job != 0 && timeout == Int64.max { return waitInWorker() }
    let (sum, overflow) = rondo_shim_now().addingReportingOverflow(timeout)
    sleep(until: overflow ? Int64.max : sum)
    return outcome
  }

  /// A worker that waits for a job of its own pool, which may need this very worker.
  @inline(never)  // rare
  private func waitInWorker() -> rondo_status {
    let worker = address(rondo_thread()!.pointee.worker)!
    let waits = worker.assumingMemoryBound(to: WorkerWaits.self)
    if !waits.pointee.begin(worker, s.pointee.job) { return isDone ? outcome : RONDO_E_DEADLOCK }
    sleep(until: Int64.max)
    waits.pointee.end(worker)
    return outcome
  }

  private func sleep(until deadline: Int64) {
    // If the exchange in complete() comes first this fails, and the futex word differs as well.
    _ = rondo_cas32(&s.pointee.state, State.pending, State.awaited)
    // A signal may cut the sleep short: only the state and the clock count.
    while !isDone {
      if deadline != Int64.max && rondo_shim_now() >= deadline { return }
      rondo_shim_wait(&s.pointee.state, State.awaited, deadline)
    }
  }

  /// True if the loop that would have to complete it is this thread's, running or not.
  private var isCompletedHere: Bool {
    let owner = rondo_load64(&s.pointee.ownerLoop)
    return owner != 0 && LoopRef.find(opaque(owner))?.isMine == true
  }
}

// MARK: - completing, any thread

extension ThreadFutureRef {
  /// True if it is chained to a task, which alone completes it.
  @inline(__always)
  var isChained: Bool { rondo_load32(&s.pointee.isChained) != 0 }

  /// Say that a task of `loop` will complete it. Before anybody else knows it.
  func expect(_ loop: OpaquePointer?) {
    rondo_store32(&s.pointee.isChained, 1)
    rondo_store64(&s.pointee.ownerLoop, handleBits(loop))
  }

  /// Say that a job will complete it, and what to tell that. Before anybody else knows it.
  func expect(job: Raw, _ onCancel: @escaping ChainFn, drop: @escaping rondo_drop_fn) {
    rondo_store32(&s.pointee.isChained, 1)
    s.pointee.job = job.load(as: UInt64.self)
    s.pointee.chain = ThreadFutureChain(onCancel: onCancel, arg: Value(pointer: job, drop: drop))
  }

  /// Say what to tell if it is cancelled before it is done otherwise. `arg` is dropped once: after
  /// onCancel, or when it is done. If it is done already, onCancel is called now if need be.
  func chain(_ onCancel: @escaping ChainFn, _ arg: Value) {
    rondo_lock(lock)
    let late = isDone
    if !late { s.pointee.chain = ThreadFutureChain(onCancel: onCancel, arg: arg) }
    rondo_unlock(lock)
    if !late { return }
    if isCancelled { onCancel(arg.pointer) }
    arg.dispose()
  }

  /// Complete it; false if it is done. On success the value moves and the error is pinned; else
  /// both stay the caller's. Wakes whoever waits and runs the callbacks before it returns.
  func settle(_ state: UInt32, _ value: Value, _ error: ErrorRef?) -> Bool {
    guard let chain = complete(state, value, error) else { return false }
    runCallbacks()
    chain.arg.dispose()
    unpin()
    return true
  }

  /// Cancel it and tell the chain, once.
  func cancel() -> rondo_status {
    guard let chain = complete(State.cancelled, .none, nil) else { return RONDO_E_INVALID_STATE }
    runCallbacks()
    if let onCancel = chain.onCancel { onCancel(chain.arg.pointer) }
    chain.arg.dispose()
    unpin()
    return RONDO_OK
  }

  /// Win, write the outcome and wake; nil if somebody else has won. Leaves it pinned.
  private func complete(_ state: UInt32, _ value: Value, _ error: ErrorRef?) -> ThreadFutureChain? {
    invariant(state & ~State.mask == 0 && state != State.pending, "a thread future was completed as pending")
    error?.pin()
    pin()
    rondo_lock(lock)
    if isDone {
      rondo_unlock(lock)
      error?.unpin()
      unpin()
      return nil
    }
    let chain = s.pointee.chain
    s.pointee.chain = .none
    s.pointee.value = value
    s.pointee.error = error?.state
    let before = rondo_swap32(&s.pointee.state, state)
    rondo_unlock(lock)
    if before == State.awaited { rondo_shim_wake_all(&s.pointee.state) }
    return chain
  }
}

// MARK: - callbacks

extension ThreadFutureRef {
  /// Run fn when it is done, or here and now if it is. `arg` moves on every return.
  func addCallback(_ fn: @escaping ThreadFutureFn, _ arg: Value) -> rondo_status {
    guard let callback = allocateArray(ThreadFutureCallback.self, 1) else {
      arg.dispose()
      return -ENOMEM
    }
    callback.initialize(to: ThreadFutureCallback(next: nil, fn: fn, arg: arg))
    rondo_lock(lock)
    let isPending = !isDone
    if isPending { append(callback) }
    rondo_unlock(lock)
    if isPending { return RONDO_OK }
    free(callback)
    pin()
    ThreadFutureCallback(next: nil, fn: fn, arg: arg).run(handle)
    unpin()
    return RONDO_OK
  }

  /// The lock is held.
  private func append(_ callback: UnsafeMutablePointer<ThreadFutureCallback>) {
    if let last = s.pointee.lastCallback {
      last.pointee.next = callback
    } else {
      s.pointee.firstCallback = callback
    }
    s.pointee.lastCallback = callback
  }

  /// Once, by who completed it: nothing is appended to a done future.
  private func runCallbacks() {
    rondo_lock(lock)
    var next = s.pointee.firstCallback
    s.pointee.firstCallback = nil
    s.pointee.lastCallback = nil
    rondo_unlock(lock)
    while let node = next {
      let callback = node.pointee
      next = callback.next
      free(node)
      callback.run(handle)
    }
  }
}
