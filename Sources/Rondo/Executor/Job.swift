// Job.swift - a function that runs in another thread, from being handed in to its outcome.
//
// A job of a loop is a slot of that loop's; one without a loop is a global object. What happens to
// it is one word, `state`. Who takes it from the queue makes it running; who changes it to done has
// its outcome to hand over. While it runs, others may hold it for a moment (`held`): to call its
// unblock hook, or to write down what hangs. It cannot end meanwhile, so nothing of it goes away.
//
// The outcome goes to the loop as a call in its inbox, so that it keeps its place among what the
// job itself posted, as in asyncio. If that cannot be left there for want of memory, the slot goes
// to the loop's stack of late releases, which needs none.
//
// A future and its job know each other on the loop's thread only. Whichever goes first takes
// itself out of the other; the worker never looks at the future.
//
// Knows: Future, ThreadFuture, Inbox. Does not know: workers; of executors only their locks.

import CRondo
import CRondoShim

struct JobLink {
  var next: UnsafeMutablePointer<JobLink>?
  var previous: UnsafeMutablePointer<JobLink>?
}

enum JobPhase {
  static let queued: UInt32 = 0
  static let running: UInt32 = 1
  static let done: UInt32 = 2
  static let watching: UInt32 = 3  // no function at all: waits for the end of an executor
  static let mask: UInt32 = 3
  static let asked: UInt32 = 4  // it is to end
  static let held: UInt32 = 8
  static let sleeper: UInt32 = 16  // somebody sleeps until it is not held
  static let gone: UInt32 = 32  // a custom executor has had its one call for it
}

enum JobOutcome {
  static let none: UInt32 = 0
  static let value: UInt32 = 1
  static let error: UInt32 = 2  // pinned; its address is the value's pointer
  static let cancelled: UInt32 = 3
}

/// Two lines of the cache for the worker, and behind them what only the loop's thread looks at.
struct JobState {
  var header: ObjectHeader
  var link: JobLink  // under the executor's locks
  var state: UInt32  // any thread, a futex
  var outcome: UInt32  // who runs it; after that who hands it over
  var fn: rondo_job_fn
  var arg: Value
  var context: ContextTag  // a map, or 0
  var value: Value
  var thread: UInt64  // any thread; who runs it, 0 for nobody
  var startedAt: UInt64  // any thread; nanoseconds
  var executor: UInt64  // address of a pool; 0: a custom executor's
  var future: UInt64  // address: a loop's future (its thread), or a thread future, pinned
  var extra: FutureExtra  // what its future points to
  var lane: UInt32
  var holdsClock: UInt32  // 1 while a virtual clock stands still for it; the loop's thread
  var holder: UInt64  // any thread; who holds it
  var unblock: rondo_call_fn?  // by who holds it
  var unblockArg: Raw?
  var timer: UInt64  // a watch's: address of a handle, pinned
  var name: UnsafeMutablePointer<CChar>?
  var origin: TraceID  // who handed it in, 0 for none
}

struct JobRef {
  let s: UnsafeMutablePointer<JobState>

  static let size = 256  // whole lines
  private static let linkOffset = MemoryLayout<ObjectHeader>.stride
  private static let extraOffset = 128

  /// What comes before `extra` fills two lines.
  static var isLaidOut: Bool {
    linkOffset + MemoryLayout<(JobLink, UInt32, UInt32, rondo_job_fn, Value)>.stride
      + MemoryLayout<(ContextTag, Value, UInt64, UInt64, UInt64, UInt64)>.stride == extraOffset
  }

  @inline(__always)
  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: JobState.self) }

  @inline(__always)
  init(link: UnsafeMutablePointer<JobLink>) { self.init(Raw(link) - JobRef.linkOffset) }

  /// The job of a future that has one.
  @inline(__always)
  init(of future: FutureRef) { self.init(address(future.s.pointee.extra)! - JobRef.extraOffset) }

  static func find(_ handle: OpaquePointer?) -> JobRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.job, size) else { return nil }
    return JobRef(found)
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status { Lookup.explain(handleBits(handle), Kind.job, size) }

  @inline(__always)
  var raw: Raw { Raw(s) }
  @inline(__always)
  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  @inline(__always)
  var link: UnsafeMutablePointer<JobLink> { (raw + JobRef.linkOffset).assumingMemoryBound(to: JobLink.self) }
  @inline(__always)
  var stateWord: UnsafeMutablePointer<UInt32> { place(&s.pointee.state) }
  @inline(__always)
  var state: UInt32 { rondo_load32(stateWord) }
  @inline(__always)
  var phase: UInt32 { state & JobPhase.mask }
  @inline(__always)
  var isOfLoop: Bool { chunk(of: raw).pointee.owner != nil }

  // MARK: - making

  /// A new one for a loop, on its thread. What the call carries moves on success.
  @inline(__always)
  static func make(_ loop: LoopRef, _ fn: @escaping rondo_job_fn, _ arg: Value) -> JobRef? {
    guard let slot = Slab.take(loop.jobs, owner: Raw(loop.s)) else { return nil }
    Owned.begin(slot, user: true)
    let made = JobRef(slot)
    made.fill(fn, arg)
    return made
  }

  /// A new one without a loop, pinned once for whoever runs it.
  static func make(_ fn: @escaping rondo_job_fn, _ arg: Value) -> JobRef? {
    guard let slot = Global.take(Kind.job, size) else { return nil }
    _ = Global.moveToPin(slot)
    let made = JobRef(slot)
    made.fill(fn, arg)
    return made
  }

  @inline(__always)
  private func fill(_ fn: @escaping rondo_job_fn, _ arg: Value) {
    rondo_poke32(stateWord, JobPhase.queued)
    s.pointee.outcome = JobOutcome.none
    s.pointee.lane = 0
    s.pointee.holdsClock = 0
    s.pointee.fn = fn
    s.pointee.arg = arg
    s.pointee.context = 0
    s.pointee.executor = 0
    s.pointee.future = 0
    s.pointee.value = .none
    rondo_poke64(&s.pointee.thread, 0)
    s.pointee.unblock = nil
    s.pointee.timer = 0
    s.pointee.name = nil
    s.pointee.origin = 0
  }

  /// Tie it to a new future of its loop.
  @inline(__always)
  func tie(_ future: FutureRef) {
    s.pointee.extra = FutureExtra(
      cancel: { future, error in
        JobRef.futureCancelled(FutureRef(future), ErrorRef(error))
        return true
      },
      end: { _ = JobRef(of: FutureRef($0)).untie() }, take: nil)
    s.pointee.future = bits(future.s)
    future.s.pointee.extra = bits(raw + JobRef.extraOffset)
    future.add(FutureBits.library)
  }

  /// The future, which from now on knows nothing of the job, nor the job of it.
  @inline(__always)
  func untie() -> FutureRef? {
    guard let future = address(s.pointee.future) else { return nil }
    s.pointee.future = 0
    FutureRef(future).s.pointee.extra = 0
    return FutureRef(future)
  }

  // MARK: - running

  /// Run it in this thread; it is running by its state. It is handed over and gone afterwards.
  @inline(__always)
  func run(_ worker: WorkerPointer? = nil) {
    let saved = Contexts.enterOwned(s.pointee.context)
    s.pointee.context = 0
    rondo_poke64(&s.pointee.startedAt, UInt64(bitPattern: rondo_shim_coarse_now()))
    rondo_store64(&s.pointee.thread, rondo_thread_id())
    let status = s.pointee.fn(handle, s.pointee.arg.pointer)
    s.pointee.arg.dispose()
    s.pointee.arg = .none
    let left = Contexts.leaveOwned(saved)
    if left != 0 { Maps.release(left) }
    if status != RONDO_OK || s.pointee.outcome == JobOutcome.error { fail(status) } else { s.pointee.outcome = JobOutcome.value }
    if let worker { rondo_store64(&worker.pointee.job, 0) }
    endRun()
    handOver()
  }

  /// What the function returned is no success, or it raised before.
  @inline(never)  // failures are rare
  private func fail(_ status: rondo_status) {
    if s.pointee.outcome == JobOutcome.error { return }
    setOutcome(JobOutcome.error, JobRef.failure(status, nil))
  }

  /// What the program said of its failure, pinned; a status that is none counts as -EINVAL.
  static func failure(_ status: rondo_status, _ message: UnsafePointer<CChar>?) -> ErrorRef {
    let isFailure = Status.text(status) != nil ? status < 0 : status < 0 && status > -4096
    let error = ErrorRef.of(isFailure ? status : -EINVAL, nil, message)
    if status != RONDO_E_STOP_ITERATION { return error }
    defer { error.unpin() }
    return storable(error) ?? ErrorRef.of(-ENOMEM)
  }

  /// By the job's own thread, or by who took it out of the queue. The error's pin moves.
  func setOutcome(_ outcome: UInt32, _ error: ErrorRef?) {
    disposeOutcome()
    if let error { s.pointee.value = Value(pointer: Raw(error.state), drop: nil) }
    s.pointee.outcome = outcome
  }

  func setValue(_ value: Value) {
    disposeOutcome()
    s.pointee.value = value
    s.pointee.outcome = JobOutcome.value
  }

  @inline(__always)
  private func endRun() {
    rondo_poke64(&s.pointee.thread, 0)
    if rondo_cas32(stateWord, JobPhase.running, JobPhase.done) == 0 { endHeldRun() }
  }

  @inline(never)  // it was cancelled, or somebody holds it
  private func endHeldRun() {
    while true {
      let seen = state
      if seen & JobPhase.held != 0 {
        waitWhileHeld(seen)
      } else if rondo_cas32(stateWord, seen, JobPhase.done | seen & (JobPhase.asked | JobPhase.gone)) != 0 {
        return
      }
    }
  }

  // MARK: - handing over

  /// Give the outcome to whom it belongs. The caller has made it done.
  @inline(__always)
  func handOver() {
    if !isOfLoop { return settleThreadFuture() }
    let loop = Owned.loop(of: raw)
    let call = Call(fn: { JobRef($0!).deliver() }, arg: raw, drop: { JobRef($0!).end() }, context: 0)
    if loop.post(call, handle: loop.s.pointee.header.handle) != RONDO_OK { handOverLate() }
  }

  @inline(never)  // the loop is closed or its thread has ended, or memory is out
  private func handOverLate() {
    if Owned.loop(of: raw).isClosed { disposeOutcome() }
    giveBack()
  }

  /// Leave the slot to the loop's thread; any thread.
  func giveBack() { _ = Owned.release(raw) { JobRef($0).collected() } }

  /// Off the stack of late releases.
  func collected() {
    if !Owned.loop(of: raw).isClosed { deliver() }
    end()
  }

  /// On the loop's thread, as a call of its own: complete the future, if it still wants to know.
  func deliver() {
    if s.pointee.state & JobPhase.mask == JobPhase.watching { endWatch() }
    guard let future = untie() else { return reportUnread() }
    let outcome = s.pointee.outcome
    s.pointee.outcome = JobOutcome.none
    if outcome == JobOutcome.value { return future.complete(RONDO_FUTURE_RESULT, s.pointee.value) }
    if outcome == JobOutcome.none { return }
    deliverFailure(future, outcome)
  }

  /// Nobody kept the future, and nobody cancelled it: the report that it would have made.
  @inline(never)  // rare
  private func reportUnread() {
    if s.pointee.outcome != JobOutcome.error || state & JobPhase.asked != 0 { return }
    let error = ErrorRef(s.pointee.value.pointer!)
    if error.isCancellation { return }
    let sentence = literal("Future exception was never retrieved")
    Owned.loop(of: raw).report(sentence, error)
    FailOn.check(FailOn.unretrieved, sentence)
  }

  @inline(never)  // failures are rare
  private func deliverFailure(_ future: FutureRef, _ outcome: UInt32) {
    if outcome == JobOutcome.cancelled { return future.becomeCancelled(ErrorRef.plainCancelled()) }
    let error = ErrorRef(s.pointee.value.pointer!)
    let wasAsked = error.isCancellation && state & JobPhase.asked != 0
    future.complete(wasAsked ? RONDO_FUTURE_CANCELLED : RONDO_FUTURE_EXCEPTION, s.pointee.value)
  }

  private func settleThreadFuture() {
    let future = ThreadFutureRef(address(s.pointee.future)!.assumingMemoryBound(to: ThreadFutureState.self))
    switch s.pointee.outcome {
    case JobOutcome.value:
      if future.settle(ThreadFutureRef.State.result, s.pointee.value, nil) { s.pointee.outcome = JobOutcome.none }
    case JobOutcome.error:
      let error = ErrorRef(s.pointee.value.pointer!)
      if error.isCancellation && state & JobPhase.asked != 0 {
        _ = future.cancel()
      } else {
        _ = future.settle(ThreadFutureRef.State.exception, .none, error)
      }
    default: _ = future.cancel()
    }
    future.unpin()
    unpinGlobal()
  }

  // MARK: - the end

  func disposeOutcome() {
    let outcome = s.pointee.outcome
    let value = s.pointee.value
    s.pointee.outcome = JobOutcome.none
    if outcome == JobOutcome.value { value.dispose() }
    if outcome == JobOutcome.error { ErrorRef(value.pointer!).unpin() }
  }

  /// On the loop's thread: the slot goes, and whatever nobody took.
  @inline(__always)
  func end() {
    let loop = Owned.loop(of: raw)
    if s.pointee.future | UInt64(s.pointee.holdsClock) | s.pointee.timer | bits(Raw(s.pointee.name)) != 0 { letGoOfParts(loop) }
    if s.pointee.outcome != JobOutcome.none { disposeOutcome() }
    if s.pointee.state & JobPhase.mask == JobPhase.watching { return endOfWatch(loop) }
    give(loop)
  }

  @inline(__always)
  private func give(_ loop: LoopRef) {
    Slab.give(loop.jobs, raw)
    if loop.s.pointee.isClosing { loop.freeIfUnused() }
  }

  @inline(never)  // most have none of it
  private func letGoOfParts(_ loop: LoopRef) {
    if isOfLoop {
      _ = untie()
      loop.stopTimer(place(&s.pointee.timer))
      letClockGo(loop)
    }
    freeTexts()
  }

  /// Somebody waits for it: on a virtual clock that is no time that passes.
  @inline(__always)
  func holdClock(_ loop: LoopRef) { if loop.isVirtual && loop.hold() == RONDO_OK { s.pointee.holdsClock = 1 } }

  func letClockGo(_ loop: LoopRef) {
    if s.pointee.holdsClock == 0 { return }
    s.pointee.holdsClock = 0
    _ = loop.unhold()
  }

  private func freeTexts() {
    free(s.pointee.name)
    s.pointee.name = nil
  }

  /// It held its executor until the loop's thread had joined the workers.
  @inline(never)  // once per executor
  private func endOfWatch(_ loop: LoopRef) {
    let executor = ExecutorRef(address(s.pointee.executor)!)
    rondo_poke32(stateWord, JobPhase.done)
    give(loop)
    executor.unpin()
  }

  func unpinGlobal() {
    if !Global.unpin(raw) { return }
    freeTexts()
    disposeOutcome()
    Global.give(Kind.job, raw)
  }

  /// A job that no executor has taken: as if it had never been. Its argument is the caller's.
  @inline(never)  // refusals are rare
  func forget() {
    if isOfLoop {
      let loop = Owned.loop(of: raw)
      letGoOfParts(loop)
      Contexts.release(s.pointee.context)
      return give(loop)
    }
    Contexts.release(s.pointee.context)
    unpinGlobal()
  }

  /// It was in a queue and will not run: drop what it was given and hand the outcome over.
  @inline(never)  // not what jobs usually come to
  func handOverUnrun() {
    let arg = s.pointee.arg
    s.pointee.arg = .none
    Contexts.release(s.pointee.context)
    s.pointee.context = 0
    arg.dispose()
    handOver()
  }
}
