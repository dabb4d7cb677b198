// Shutdown.swift - the end of a pool, with or without waiting, and what hangs.
//
// Knows: Worker, JobQueue, JobCancel. Does not know: loops.

import CRondo
import CRondoShim

extension ExecutorRef {
  /// Take no more jobs and, as the flags say, get rid of those that there are. Waits for nothing.
  @inline(never)  // once
  func shut(_ flags: UInt32) {
    if s.pointee.isCustom || isInherited { return }
    JobLink.withRing { ring in
      lockBoth()
      s.pointee.isShut = true
      if flags & UInt32(RONDO_SHUTDOWN_CANCEL) != 0 { s.pointee.cancelled += UInt64(takeAll(ring)) }
      wakeAll()
      unlockBoth()
      ring.handOverEach { $0.setOutcome(JobOutcome.cancelled, nil) }
    }
    if flags & UInt32(RONDO_SHUTDOWN_UNBLOCK) != 0 { askAllToEnd() }
  }

  /// Those that run now, and none that is taken from the queue later. Hooks are the program's, so each
  /// is called without a lock; the job is held meanwhile.
  private func askAllToEnd() {
    lockBoth()
    var at = s.pointee.all
    while let worker = at {
      worker.pointee.mustAsk = address(rondo_load64(&worker.pointee.job))?.load(as: UInt64.self) ?? 0
      at = worker.pointee.next
    }
    unlockBoth()
    while let job = nextToAsk() { job.askHeld() }
  }

  /// A job that is to be asked, held.
  private func nextToAsk() -> JobRef? {
    lockBoth()
    defer { unlockBoth() }
    var at = s.pointee.all
    while let worker = at {
      let named = worker.pointee.mustAsk
      worker.pointee.mustAsk = 0
      if named != 0, let job = worker.holdJob() {
        if job.s.pointee.header.handle == named {
          if let poke = s.pointee.pool.poke { worker.poke(job, poke) }
          return job
        }
        job.letGoOfHold()
      }
      at = worker.pointee.next
    }
    return nil
  }

  /// Wait for the end of the workers.
  func join(_ timeout: Int64) -> rondo_status {
    let (sum, overflow) = rondo_shim_now().addingReportingOverflow(timeout)
    let deadline = overflow ? Int64.max : sum
    while true {
      let seen = rondo_load32(&s.pointee.changes)
      rondo_lock(incomingLock)
      let isOver = s.pointee.workers == 0
      rondo_unlock(incomingLock)
      if isOver || timeout == 0 {
        reap()
        return RONDO_OK
      }
      if deadline != Int64.max && rondo_shim_now() >= deadline { return RONDO_E_TIMEOUT }
      rondo_shim_wait(&s.pointee.changes, seen, deadline)
    }
  }

  /// rondo_executor_shutdown() for a pool.
  func shutdown(_ flags: UInt32, _ timeout: Int64) -> rondo_status {
    shut(flags)
    if timeout != 0 && isMyWorker { return -EDEADLK }
    return join(timeout)
  }

  var isMyWorker: Bool {
    guard let raw = address(rondo_thread()!.pointee.worker) else { return false }
    return raw.assumingMemoryBound(to: WorkerState.self).pointee.executor == s
  }

  // MARK: - who waits for the end

  /// Add a watch; false if there is no worker left to wait for.
  func watch(_ job: JobRef) -> Bool {
    rondo_lock(incomingLock)
    defer { rondo_unlock(incomingLock) }
    if s.pointee.workers == 0 { return false }
    job.link.pointee.next = address(s.pointee.watches).map { JobRef($0).link }
    s.pointee.watches = bits(job.s)
    return true
  }

  /// The lock of incoming is held.
  func takeWatches() -> JobRef? {
    let first = address(s.pointee.watches)
    s.pointee.watches = 0
    return first.map { JobRef($0) }
  }

  func tell(_ first: JobRef) {
    var next: JobRef? = first
    while let watch = next {
      next = watch.link.pointee.next.map { JobRef(link: $0) }
      watch.s.pointee.outcome = JobOutcome.value
      watch.handOver()
    }
  }

  // MARK: - reports

  @inline(never)  // rare
  func report(_ out: UnsafeMutablePointer<rondo_executor_report>) {
    if s.pointee.isCustom { return }
    lockBoth()
    out.pointee.workers = s.pointee.workers
    out.pointee.idle = s.pointee.idleCount
    out.pointee.queued = UInt64(queued)
    out.pointee.cancelled = s.pointee.cancelled
    var at = s.pointee.all
    while let worker = at {
      if rondo_load64(&worker.pointee.job) != 0 { out.pointee.running += 1 }
      at = worker.pointee.next
    }
    unlockBoth()
  }

  /// A line for each job that runs, what its worker does for how long.
  @inline(never)  // rare
  func describeJobs(_ text: inout Text) {
    if s.pointee.isCustom || isInherited { return }
    lockBoth()
    var at = s.pointee.all
    while let worker = at {
      worker.describeJob(&text)
      at = worker.pointee.next
    }
    unlockBoth()
  }
}

extension UnsafeMutablePointer where Pointee == WorkerState {
  /// Under both locks. The job is held, so that its texts stay.
  fileprivate func describeJob(_ text: inout Text) {
    guard let job = holdJob() else { return }
    if text.count > 0 { text.add("\n") }
    job.describe(self, &text)
    job.letGoOfHold()
  }

  /// Its job, held; nil if it has none, or somebody else holds that. A worker forgets its job before
  /// that is done, so what it still has when it is held is the one that it runs.
  fileprivate func holdJob() -> JobRef? {
    guard let raw = address(rondo_load64(&pointee.job)) else { return nil }
    let job = JobRef(raw)
    if !job.tryHold() { return nil }
    if rondo_load64(&pointee.job) == bits(raw) { return job }
    job.letGoOfHold()
    return nil
  }
}

extension JobRef {
  /// As hold(), but somebody else's hold is not waited for: its hook may want our locks.
  fileprivate func tryHold() -> Bool {
    let seen = state
    if seen & (JobPhase.mask | JobPhase.held) != JobPhase.running { return false }
    if rondo_cas32(stateWord, seen, seen | JobPhase.held) == 0 { return false }
    rondo_store64(&s.pointee.holder, rondo_thread_id())
    return true
  }

  /// "job read_file() runs for 3.204 s in asyncio_1".
  fileprivate func describe(_ worker: WorkerPointer, _ text: inout Text) {
    text.add("job ")
    if let name = s.pointee.name {
      text.add(UnsafePointer(name))
    } else {
      Frames.addName(ofFunction: unsafeBitCast(s.pointee.fn, to: UInt.self), looksUp: true, &text)
    }
    text.add(" runs for ")
    let started = Int64(bitPattern: rondo_peek64(&s.pointee.startedAt))
    let age = Swift.max(0, rondo_shim_now() - started) / 1_000_000
    text.add(age / 1000)
    text.add(age % 1000 < 10 ? ".00" as StaticString : age % 1000 < 100 ? ".0" : ".")
    text.add(age % 1000)
    text.add(" s in ")
    worker.addName(&text)
    Origins.addStack(s.pointee.origin, ", submitted at", &text)
  }
}

extension ExecutorRef {
  /// rondo_executor_shutdown() for an executor of the program's own.
  @inline(never)  // rare
  func shutCustom(_ flags: UInt32, _ timeout: Int64) -> rondo_status {
    rondo_lock(incomingLock)
    s.pointee.isShut = true
    rondo_unlock(incomingLock)
    guard let shutdown = s.pointee.pool.shutdown else { return RONDO_OK }
    return shutdown(s.pointee.pool.arg.pointer, flags, timeout)
  }
}
