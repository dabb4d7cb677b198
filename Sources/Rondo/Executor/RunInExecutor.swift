// RunInExecutor.swift - handing jobs in, and what a loop has to do with executors.
//
// A loop makes its default pool when the first job asks for it. Closing the loop shuts the pool
// without waiting, as asyncio does; its end is waited for with a watch, which is a job's slot that
// the pool's last worker hands over like an outcome. So no thread is needed to wait in.
//
// Knows: everything in this room, Timers, Log. Does not know: streams.

import CRondo
import CRondoShim

/// A job as an export was asked for it.
struct JobRequest {
  var fn: rondo_job_fn
  var arg: Value
  var lane: UInt32 = 0
  var flags: UInt32 = 0
  var name: UnsafePointer<CChar>? = nil

  var isPlain: Bool { flags == 0 && name == nil }
}

extension ExecutorRef {
  /// Put a new job into the queue. On success it is the executor's.
  @inline(__always)
  func submit(_ job: JobRef) -> rondo_status {
    if !s.pointee.takesJobs || isInherited { return submitElsewhere(job) }
    return enqueue(job)
  }

  /// The same for a pool of processes, whose jobs are calls of libraries and nothing else.
  @inline(never)  // what costs microseconds anyway
  private func submitCall(_ job: JobRef) -> rondo_status { isInherited ? RONDO_E_WRONG_PROCESS : enqueue(job) }

  @inline(__always)
  func submit(_ job: JobRef, isCall: Bool) -> rondo_status { isCall ? submitCall(job) : submit(job) }

  @inline(__always)
  private func enqueue(_ job: JobRef) -> rondo_status {
    job.s.pointee.executor = bits(s)
    rondo_lock(incomingLock)
    if s.pointee.workers == 0 { return enqueueFirstHoldingLock(job) }
    return enqueueHoldingLock(job)
  }

  @inline(__always)
  private func enqueueHoldingLock(_ job: JobRef) -> rondo_status {
    let refusal = s.pointee.isShut || s.pointee.pool.queueLimit != 0 ? refusalHoldingLock : RONDO_OK
    if refusal != RONDO_OK {
      rondo_unlock(incomingLock)
      return refusal
    }
    append(job)
    let help = callForHelp()
    rondo_unlock(incomingLock)
    _ = send(help)
    return RONDO_OK
  }

  /// The same with a worker to be started first. If its initializer fails the job is there, and fails.
  @inline(never)  // once per pool, or after an idle time
  private func enqueueFirstHoldingLock(_ job: JobRef) -> rondo_status {
    rondo_unlock(incomingLock)
    let (error, isAwaited) = startFirst()
    rondo_lock(incomingLock)
    if isAwaited { firstJobIsThere() }
    if error == 0 { return enqueueHoldingLock(job) }
    rondo_unlock(incomingLock)
    return -error
  }

  private var refusalHoldingLock: rondo_status {
    if s.pointee.isShut { return s.pointee.isBroken && isOfProcesses ? RONDO_E_BROKEN_POOL : RONDO_E_EXECUTOR_SHUT_DOWN }
    return UInt64(queued) >= s.pointee.pool.queueLimit ? RONDO_E_QUEUE_FULL : RONDO_OK
  }

  @inline(never)  // not what is fast
  private func submitElsewhere(_ job: JobRef) -> rondo_status {
    if isInherited { return RONDO_E_WRONG_PROCESS }
    if isOfProcesses { return RONDO_E_TYPE }
    rondo_lock(incomingLock)
    let isShut = s.pointee.isShut
    rondo_unlock(incomingLock)
    guard !isShut, let submit = s.pointee.pool.submit else { return RONDO_E_EXECUTOR_SHUT_DOWN }
    return submit(s.pointee.pool.arg.pointer, job.handle, Int32(job.s.pointee.lane))
  }

  /// rondo_executor_submit: a thread future with one reference of C's. The argument moves on success.
  @inline(never)  // for threads without a loop
  func submit(_ request: JobRequest, isCall: Bool = false) -> (ThreadFutureRef?, rondo_status) {
    guard let future = ThreadFutureRef.make() else { return (nil, -ENOMEM) }
    guard let job = JobRef.make(request.fn, request.arg) else {
      _ = future.releaseUser()
      return (nil, -ENOMEM)
    }
    future.pin()
    job.s.pointee.future = bits(future.s)
    Global.pin(job.raw)
    future.expect(job: job.raw, { JobRef($0!).cancel() }, drop: { JobRef($0!).unpinGlobal() })
    var status = job.set(request, isDebug: false)
    if status == RONDO_OK { status = submit(job, isCall: isCall) }
    if status == RONDO_OK { return (future, RONDO_OK) }
    job.forget()
    future.unpin()
    _ = future.releaseUser()
    return (nil, status)
  }
}

extension JobRef {
  @inline(__always)
  func set(_ request: JobRequest, isDebug: Bool) -> rondo_status {
    s.pointee.lane = request.lane
    return request.isPlain && !isDebug ? RONDO_OK : setMore(request, isDebug)
  }

  @inline(never)  // most have none of it
  private func setMore(_ request: JobRequest, _ isDebug: Bool) -> rondo_status {
    if let name = request.name {
      s.pointee.name = copyString(name)
      if s.pointee.name == nil { return -ENOMEM }
    }
    if request.flags & UInt32(RONDO_JOB_COPY_CONTEXT) != 0 { s.pointee.context = Contexts.capture() }
    // For the report of a shutdown that it makes wait.
    if isDebug { s.pointee.origin = Traces.current() }
    return RONDO_OK
  }

  /// A watch: the pool's workers are at their end. On the loop's thread.
  func endWatch() { ExecutorRef(address(s.pointee.executor)!).reap() }
}

extension LoopRef {
  /// Set up a new loop for jobs, after prepareSync().
  func prepareJobs() {
    invariant(MemoryLayout<JobState>.size <= JobRef.size, "JobRef.size is too small")
    invariant(JobRef.isLaidOut, "a job's future does not find the job")
    Slab.prepare(jobs, kind: Kind.job, size: JobRef.size)
    s.pointee.hooks.unpin = { raw in
      if chunk(of: raw).pointee.kind == Kind.job { return JobRef(raw).collected() }
      if SyncObjects.isOne(raw) { SyncObjects.unpin(raw) } else { LoopRef.unpinTaskObject(raw) }
    }
    s.pointee.hooks.dropExecutor = { LoopRef($0).dropDefaultExecutor() }
    s.pointee.hooks.joinExecutor = { LoopRef($0).joinDefaultExecutor() }
  }

  /// rondo_loop_run_in_executor; the argument moves on success. nil for a pool is the default one.
  @inline(__always)
  func run(in executor: ExecutorRef?, _ request: JobRequest, isCall: Bool = false) -> (FutureRef?, rondo_status) {
    var pool = executor
    if pool == nil {
      let status = findDefaultExecutor()
      if status != RONDO_OK { return (nil, status) }
      pool = ExecutorRef(address(s.pointee.executor).unsafelyUnwrapped)
    }
    guard let job = JobRef.make(self, request.fn, request.arg) else { return (nil, -ENOMEM) }
    guard let future = FutureRef.make(self, user: true) else {
      job.forget()
      return (nil, -ENOMEM)
    }
    job.tie(future)
    job.holdClock(self)
    var status = job.set(request, isDebug: rondo_peek32(&s.pointee.debug) != 0)
    if status == RONDO_OK { status = pool.unsafelyUnwrapped.submit(job, isCall: isCall) }
    if status == RONDO_OK { return (future, RONDO_OK) }
    return notTaken(job, future, status)
  }

  @inline(never)  // refusals are rare
  private func notTaken(_ job: JobRef, _ future: FutureRef, _ status: rondo_status) -> (FutureRef?, rondo_status) {
    job.forget()
    _ = future.releaseUser()
    return (nil, status)
  }

  /// Make it if there is none yet.
  @inline(__always)
  private func findDefaultExecutor() -> rondo_status {
    if s.pointee.isExecutorShut { return RONDO_E_EXECUTOR_SHUT_DOWN }
    return s.pointee.executor != 0 ? RONDO_OK : makeDefaultExecutor()
  }

  @inline(never)  // once per loop
  private func makeDefaultExecutor() -> rondo_status {
    var options = PoolOptions()
    options.maxWorkers = ExecutorRef.defaultWorkers
    options.setName(literal("asyncio"))
    guard let made = ExecutorRef.make(options, isCustom: false) else { return -ENOMEM }
    _ = Global.moveToPin(made.raw)
    s.pointee.executor = bits(made.s)
    return RONDO_OK
  }

  // MARK: - the default executor

  func setDefaultExecutor(_ executor: ExecutorRef) {
    let old = address(s.pointee.executor)
    executor.pin()
    s.pointee.executor = bits(executor.s)
    if let old { ExecutorRef(old).unpin() }
  }

  private func dropDefaultExecutor() {
    s.pointee.isExecutorShut = true
    guard let executor = address(s.pointee.executor).map({ ExecutorRef($0) }) else { return }
    s.pointee.executor = 0
    executor.shut(0)
    executor.unpin()
  }

  /// rondo_loop_shutdown_default_executor: a future with one reference of C's.
  @inline(never)  // once per loop
  func shutDownDefaultExecutor(_ timeout: Int64) -> (FutureRef?, rondo_status) {
    if let executor = address(s.pointee.executor).map({ ExecutorRef($0) }) {
      let (future, status) = shutDown(executor, 0, timeout)
      if future != nil { s.pointee.isExecutorShut = true }
      return (future, status)
    }
    guard let future = FutureRef.make(self, user: true) else { return (nil, -ENOMEM) }
    s.pointee.isExecutorShut = true
    future.complete(RONDO_FUTURE_RESULT, .none)
    return (future, RONDO_OK)
  }

  /// rondo_loop_shutdown_executor for a pool: a future with one reference of C's. Everything is made
  /// first, because the hooks that `flags` may call are the program's: they may close this loop.
  @inline(never)  // once per executor
  func shutDown(_ executor: ExecutorRef, _ flags: UInt32, _ timeout: Int64) -> (FutureRef?, rondo_status) {
    guard let future = FutureRef.make(self, user: true) else { return (nil, -ENOMEM) }
    guard let watch = makeWatch(executor, future, timeout) else {
      _ = future.releaseUser()
      return (nil, -ENOMEM)
    }
    executor.shut(flags)
    if executor.isInherited || !executor.watch(watch) {
      watch.s.pointee.outcome = JobOutcome.value
      watch.collected()
    }
    return (future, RONDO_OK)
  }

  /// The same for an executor of the program's own, which alone knows what it waits for.
  @inline(never)  // rare
  func shutDownCustom(_ executor: ExecutorRef, _ flags: UInt32) -> (FutureRef?, rondo_status) {
    guard let future = FutureRef.make(self, user: true) else { return (nil, -ENOMEM) }
    executor.pin()
    let status = executor.shutCustom(flags, 0)
    executor.unpin()
    if status == RONDO_OK && !isClosed { future.complete(RONDO_FUTURE_RESULT, .none) }
    if status == RONDO_OK { return (future, RONDO_OK) }
    _ = future.releaseUser()
    return (nil, status)
  }

  private func makeWatch(_ executor: ExecutorRef, _ future: FutureRef, _ timeout: Int64) -> JobRef? {
    guard let watch = JobRef.make(self, { _, _ in RONDO_OK }, .none) else { return nil }
    rondo_store32(watch.stateWord, JobPhase.watching)
    if timeout != Int64.max {
      let call = Call(fn: { JobRef($0!).watchTimedOut() }, arg: watch.raw, drop: nil, context: 0)
      guard let timer = callAt(deadline(after: timeout), call, user: false) else {
        rondo_store32(watch.stateWord, JobPhase.done)
        watch.end()
        return nil
      }
      timer.pin()
      watch.s.pointee.timer = bits(timer.s)
      watch.s.pointee.startedAt = UInt64(timeout)
    }
    watch.tie(future)
    watch.holdClock(self)
    executor.pin()
    watch.s.pointee.executor = bits(executor.s)
    return watch
  }

  /// At the end of a run, the loop at rest: wait for the workers, as long as asyncio does.
  @inline(never)  // once per run
  private func joinDefaultExecutor() {
    if s.pointee.executor == 0 {
      s.pointee.isExecutorShut = true
      return
    }
    guard let ended = shutDownDefaultExecutor(300_000_000_000).0 else { return }
    if begin() == RONDO_OK {
      s.pointee.attention = 0
      _ = run(until: ended, isNew: false)
      finish()
    }
    _ = ended.releaseUser()
  }
}

extension JobRef {
  /// The workers did not end in time: asyncio's warning, with what they are at, and no more waiting.
  @inline(never)  // rare
  fileprivate func watchTimedOut() {
    let loop = Owned.loop(of: raw)
    loop.stopTimer(place(&s.pointee.timer))
    guard let future = untie() else { return }
    var text = Text()
    text.add("The executor did not finishing joining its threads within ")
    text.addSeconds(Int64(s.pointee.startedAt))
    text.add(" seconds.")
    text.add("\n")
    ExecutorRef(address(s.pointee.executor)!).describeJobs(&text)
    future.pin()
    future.complete(RONDO_FUTURE_RESULT, .none)
    future.unpin()
    Log.write(RONDO_LOG_WARNING, text.cString)
  }
}

extension Text {
  /// "300", "0.05".
  mutating func addSeconds(_ time: Int64) {
    add(time / 1_000_000_000)
    var left = time % 1_000_000_000
    if left == 0 { return }
    add(".")
    while left > 0 {
      add(left / 100_000_000)
      left = left % 100_000_000 * 10
    }
  }
}

extension ExecutorRef {
  /// As concurrent.futures has it.
  static var defaultWorkers: UInt32 { UInt32(Swift.min(32, rondo_shim_cpus() + 4)) }
}

extension PoolOptions {
  /// A name of at most 9 bytes, so that a number fits behind it.
  mutating func setName(_ name: UnsafePointer<CChar>) {
    withUnsafeMutableBytes(of: &self.name) { _ = memcpy($0.baseAddress!, name, strlen(name) + 1) }
  }
}
