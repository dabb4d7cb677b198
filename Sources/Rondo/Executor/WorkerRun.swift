// WorkerRun.swift - the life of a worker, in its own thread: look, run, sleep, end.
//
// Knows: Worker, JobQueue. Does not know: who submits.

import CRondo
import CRondoShim

extension UnsafeMutablePointer where Pointee == WorkerState {
  private var executor: ExecutorRef { ExecutorRef(Raw(pointee.executor)) }

  @inline(never)  // profilers look for this name
  static func main(_ raw: Raw?) -> Raw? {
    let worker = raw!.assumingMemoryBound(to: WorkerState.self)
    worker.pointee.thread = UInt64(pthread_self())
    rondo_thread()!.pointee.worker = bits(raw)
    worker.dress()
    if worker.begin() {
      while let job = worker.next() { job.run(worker) }
      // A job that forked has returned in the child, which has no pool: its only thread ends.
      if worker.executor.isInherited { return nil }
      worker.finish()
    }
    rondo_thread()!.pointee.worker = 0
    worker.leave()
    return nil
  }

  private func dress() {
    var text = Text()
    addName(&text)
    rondo_shim_dress_thread(text.cString, executor.s.pointee.pool.nice)
  }

  /// "asyncio_3". Any thread.
  func addName(_ text: inout Text) {
    text.add(executor.name)
    text.add("_")
    text.add(Int64(pointee.number % 100_000))
  }

  // MARK: - work

  /// The next job, after whatever sleep; nil if this worker is to end.
  @inline(__always)
  private func next() -> JobRef? {
    let executor = executor
    while true {
      if executor.isInherited { return nil }
      if pointee.isWatching { watch(executor) }
      rondo_lock(executor.outgoingLock)
      if pointee.countsInLane { leaveLane() }
      if let job = executor.take() {
        if executor.s.pointee.hasLimits { enterLane(job) }
        rondo_store64(&pointee.job, bits(job.s))
        let help = pointee.isSearching ? passOn() : .none
        rondo_unlock(executor.outgoingLock)
        _ = executor.send(help)
        return job
      }
      rondo_lock(executor.incomingLock)
      if rondo_peek32(&executor.s.pointee.incomingCount) != 0 {
        executor.unlockBoth()
        continue
      }
      if !restHoldingBoth() { return nil }
    }
  }

  private func enterLane(_ job: JobRef) {
    pointee.lane = job.s.pointee.lane
    pointee.countsInLane = true
  }

  private func leaveLane() {
    executor.leaveLane(pointee.lane)
    pointee.countsInLane = false
  }

  /// It found work: the next search is another's, if there is more. The lock of outgoing is held.
  @inline(never)  // once per wake-up
  private func passOn() -> Help {
    let executor = executor
    rondo_lock(executor.incomingLock)
    pointee.isSearching = false
    executor.s.pointee.isSearching = false
    let help: Help = executor.queued == 0 ? .none : executor.judgeFlood() ? executor.callWatchman() : executor.callForHelp()
    rondo_unlock(executor.incomingLock)
    return help
  }

  // MARK: - rest

  /// Nothing to do. Sleep, the locks let go of, until somebody wakes it; false if it is to end.
  @inline(never)  // the slow half of next
  private func restHoldingBoth() -> Bool {
    let executor = executor
    if executor.s.pointee.awaitsFirst {
      executor.unlockBoth()
      executor.awaitFirstJob()
      return true
    }
    if pointee.isSearching {
      pointee.isSearching = false
      executor.s.pointee.isSearching = false
    }
    if executor.s.pointee.isShut {
      executor.unlockBoth()
      return false
    }
    sleepingProcess?.forgetPokes()  // from here on it is rung by who wakes this worker
    rondo_store32(&pointee.awake, 0)
    pointee.nextIdle = executor.s.pointee.idle
    executor.s.pointee.idle = self
    executor.s.pointee.idleCount += 1
    executor.unlockBoth()
    return sleep(executor)
  }

  private func sleep(_ executor: ExecutorRef) -> Bool {
    let idle = executor.s.pointee.pool.idle
    let (sum, overflow) = rondo_shim_now().addingReportingOverflow(idle)
    let deadline = idle == 0 || overflow ? Int64.max : sum
    while rondo_load32(&pointee.awake) == 0 {
      doze(deadline)
      if deadline == Int64.max || rondo_load32(&pointee.awake) != 0 || rondo_shim_now() < deadline { continue }
      if expire(executor) { return false }
    }
    return true
  }

  /// The idle time is over. True if it is to end; else it was woken just now, or is to stay.
  private func expire(_ executor: ExecutorRef) -> Bool {
    rondo_lock(executor.incomingLock)
    defer { rondo_unlock(executor.incomingLock) }
    // Who wakes it takes it off the list first and rings when the lock is free.
    if rondo_load32(&pointee.awake) != 0 || pointee.isSearching || pointee.isWatching { return false }
    if executor.s.pointee.workers <= executor.s.pointee.pool.minWorkers {
      // For good, or until there is work: the clock is not asked again before.
      return sleepOn(executor)
    }
    leaveIdle(executor)
    return true
  }

  private func sleepOn(_ executor: ExecutorRef) -> Bool {
    rondo_unlock(executor.incomingLock)
    while rondo_load32(&pointee.awake) == 0 { doze(Int64.max) }
    rondo_lock(executor.incomingLock)
    return false
  }

  private func leaveIdle(_ executor: ExecutorRef) {
    executor.s.pointee.idleCount -= 1
    if executor.s.pointee.idle == self {
      executor.s.pointee.idle = pointee.nextIdle
      return
    }
    var at = executor.s.pointee.idle
    while let here = at, here.pointee.nextIdle != self { at = here.pointee.nextIdle }
    at?.pointee.nextIdle = pointee.nextIdle
  }

  /// Until it may have been woken or the time is over. With a process that lives it watches that too;
  /// who wakes it rings there before it says so here.
  private func doze(_ deadline: Int64) {
    if let process = sleepingProcess, process.watch(deadline) { return }
    rondo_shim_wait(&pointee.awake, 0, deadline)
  }

  /// The process is this worker's until the word is written.
  func wake() {
    sleepingProcess?.poke()
    rondo_store32(&pointee.awake, 1)
    rondo_shim_wake_one(&pointee.awake)
  }

  // MARK: - first and last

  /// The program's initializer and factory; false if one failed, which ends the pool.
  private func begin() -> Bool {
    let pool = executor.s.pointee.pool
    if let start = pool.start {
      let status = start(pool.arg.pointer)
      if status != RONDO_OK {
        executor.breakDown { ExecutorRef.brokenError(status) }
        return false
      }
    }
    guard let make = pool.make else { return true }
    var state: Raw?
    let status = make(pool.arg.pointer, &state)
    if status != RONDO_OK {
      executor.breakDown { ExecutorRef.brokenError(status) }
      pool.stop?(pool.arg.pointer)
      return false
    }
    rondo_store64(&pointee.state, bits(state))
    return true
  }

  /// The other way round.
  private func finish() {
    let pool = executor.s.pointee.pool
    let state = address(pointee.state)
    if pool.make != nil || state != nil { pool.end?(pool.arg.pointer, state) }
    pool.stop?(pool.arg.pointer)
  }

  /// The worker's last act: to be joined by somebody else, unless it is the last of all.
  private func leave() {
    let executor = executor
    executor.lockBoth()
    if pointee.isSearching {
      pointee.isSearching = false
      executor.s.pointee.isSearching = false
    }
    while executor.hasWorkHoldingBoth(), !isReplacedHoldingBoth() {}
    rondo_unlock(executor.outgoingLock)
    executor.strike(self)
    executor.s.pointee.workers -= 1
    let isLast = executor.s.pointee.workers == 0 && executor.s.pointee.isShut
    let watches = isLast ? executor.takeWatches() : nil
    let endsPool = isLast && executor.s.pointee.isOrphan
    if !endsPool {
      pointee.nextIdle = executor.s.pointee.ended
      executor.s.pointee.ended = self
    }
    rondo_store32(&executor.s.pointee.changes, rondo_peek32(&executor.s.pointee.changes) &+ 1)
    rondo_unlock(executor.incomingLock)
    // From here on it may be joined and freed; the executor is memory that stays its kind.
    rondo_shim_wake_all(&executor.s.pointee.changes)
    if let watches { executor.tell(watches) }
    if endsPool { endPool(executor) }
  }

  /// Since this worker looked last a job came, which relied on it because it still counts: another is to
  /// do it. False if none could be had, and the job failed. Both locks are held, and let go of for a while.
  @inline(never)  // rare
  private func isReplacedHoldingBoth() -> Bool {
    let executor = executor
    executor.s.pointee.workers -= 1
    let help = executor.callForHelp()
    executor.s.pointee.workers += 1
    executor.unlockBoth()
    _ = executor.send(help)
    executor.lockBoth()
    if executor.s.pointee.workers > 1 || executor.queued == 0 { return true }
    JobLink.withRing { ring in
      _ = executor.takeAll(ring)
      executor.unlockBoth()
      ring.handOverEach { $0.setOutcome(JobOutcome.error, ErrorRef.of(-EAGAIN)) }
      executor.lockBoth()
    }
    return false
  }

  private func endPool(_ executor: ExecutorRef) {
    rondo_shim_detach_thread(pointee.thread)
    free(self)
    executor.end()
  }
}

extension JobRef {
  /// What the factory of its pool made for this thread, which runs it.
  var workerState: Raw? {
    guard let raw = address(rondo_thread()!.pointee.worker) else { return nil }
    let worker = raw.assumingMemoryBound(to: WorkerState.self)
    // Not of a pool whose job runs, in this thread, one of a custom executor.
    return s.pointee.executor == bits(worker.pointee.executor) ? address(worker.pointee.state) : nil
  }
}

extension ExecutorRef {
  var name: UnsafePointer<CChar> {
    UnsafeRawPointer(place(&s.pointee.pool.name)).assumingMemoryBound(to: CChar.self)
  }

  /// Join the threads that have ended. It waits for the last few instructions of each.
  func reap() {
    rondo_lock(incomingLock)
    var next = s.pointee.ended
    s.pointee.ended = nil
    rondo_unlock(incomingLock)
    while let worker = next {
      next = worker.pointee.nextIdle
      rondo_shim_join_thread(worker.pointee.thread)
      free(worker)
    }
  }

  /// An initializer failed: what is queued fails, and nothing is taken any more.
  @inline(never)  // rare
  func breakDown(_ error: () -> ErrorRef) {
    awaitFirstJob()
    JobLink.withRing { ring in
      lockBoth()
      s.pointee.isBroken = true
      s.pointee.isShut = true
      _ = takeAll(ring)
      wakeAll()
      unlockBoth()
      ring.handOverEach { $0.setOutcome(JobOutcome.error, error()) }
    }
  }

  fileprivate static func brokenError(_ status: rondo_status) -> ErrorRef {
    let error = ErrorRef.of(
      RONDO_E_RUNTIME, sentence: "A thread initializer failed, the thread pool is not usable anymore")
    let cause = JobRef.failure(status, nil)
    if !error.isShared { _ = error.setCause(cause) }
    cause.unpin()
    return error
  }
}

// MARK: - waiting for another job of the same pool

extension WorkerWaits {
  static let ofPool = WorkerWaits(
    begin: { WorkerPointer.mayWait($0.assumingMemoryBound(to: WorkerState.self), $1) },
    end: { $0.assumingMemoryBound(to: WorkerState.self).waitIsOver() })
}

extension UnsafeMutablePointer where Pointee == WorkerState {
  /// This worker is about to wait for a job, for ever. False if it and all others would then wait
  /// for jobs that are in the queue of this very pool, and no worker can be added to do them.
  static func mayWait(_ worker: WorkerPointer, _ job: UInt64) -> Bool {
    let executor = worker.executor
    executor.lockBoth()
    defer { executor.unlockBoth() }
    worker.pointee.waitsFor = job
    let s = executor.s
    if s.pointee.workers < s.pointee.pool.maxWorkers || s.pointee.idle != nil || s.pointee.isSearching { return true }
    var at = s.pointee.all
    while let here = at {
      if !here.waitsForQueued { return true }
      at = here.pointee.next
    }
    worker.pointee.waitsFor = 0
    return false
  }

  private var waitsForQueued: Bool {
    guard pointee.waitsFor != 0, let job = JobRef.find(opaque(pointee.waitsFor)) else { return false }
    return job.phase == JobPhase.queued && job.s.pointee.executor == bits(pointee.executor)
  }

  func waitIsOver() {
    rondo_lock(executor.outgoingLock)
    pointee.waitsFor = 0
    rondo_unlock(executor.outgoingLock)
  }
}
