// Worker.swift - the threads of a pool: when they start, how they find work, when they end.
//
// At most one worker at a time is on its way to the queue (`isSearching`): woken, or just started.
// While it is, nobody wakes another. When it has taken a job and more are there, it passes this on
// to the next worker, asleep or new. So a flood of short jobs costs a wake-up now and then, and a
// queue of long ones still gets every worker that it may have.
//
// A worker goes to sleep under both locks, having seen both queues empty, so that no job comes
// between its look and its sleep. Each sleeps on a word of its own; the last to fall asleep is the
// first to be woken, and the others may reach the end of their idle time.
//
// A thread that ends puts itself on a list, and whoever comes by joins it: a shutdown that waits,
// the next start, the end of the pool.
//
// Knows: Executor, JobQueue. Does not know: loops.

import CRondo
import CRondoShim

typealias WorkerPointer = UnsafeMutablePointer<WorkerState>

struct WorkerState {
  var waits: WorkerWaits  // first: ThreadFuture.wait() looks for it
  var executor: ExecutorPointer
  var next: WorkerPointer?  // among all; under the lock of incoming
  var previous: WorkerPointer?
  var nextIdle: WorkerPointer?  // among who sleeps, or who has ended; the same
  var thread: UInt64  // its own, before it ends
  var job: UInt64  // any thread; address of what runs, under the lock of outgoing; it ends without
  var waitsFor: UInt64  // handle of a job, under the lock of outgoing
  var state: UInt64  // any thread; address of what options.make made, or of its process; its own
  var mustAsk: UInt64  // handle of a job that a shutdown is to ask; under both locks
  var awake: UInt32  // any thread, a futex
  var number: UInt32
  var lane: UInt32
  var isSearching: Bool  // under the lock of incoming
  var isWatching: Bool  // the same
  var countsInLane: Bool
}

/// What the end of a look for work asks for, once the locks are free.
enum Help {
  case none
  case wake(WorkerPointer)
  case start
}

extension ExecutorRef {
  // MARK: - who is to come

  /// A worker for what is in the queue, unless one is on its way; the lock of incoming is held.
  @inline(__always)
  func callForHelp() -> Help {
    if s.pointee.isSearching { return .none }
    if s.pointee.isWatched && s.pointee.workers - s.pointee.idleCount > 1 { return .none }
    if s.pointee.idle == nil && s.pointee.workers >= s.pointee.pool.maxWorkers { return .none }
    return choose()
  }

  @inline(never)  // not with every job
  private func choose() -> Help {
    s.pointee.isSearching = true
    guard let worker = s.pointee.idle else {
      s.pointee.workers += 1
      return .start
    }
    s.pointee.idle = worker.pointee.nextIdle
    s.pointee.idleCount -= 1
    worker.pointee.isSearching = true
    return .wake(worker)
  }

  /// No lock is held. An errno if a thread was to be started and could not be.
  @inline(__always)
  func send(_ help: Help) -> Int32 {
    switch help {
    case .none: return 0
    case .wake(let worker):
      worker.wake()
      return 0
    case .start: return start()
    }
  }

  /// The lock of incoming is held.
  func wakeAll() {
    while let worker = s.pointee.idle {
      s.pointee.idle = worker.pointee.nextIdle
      s.pointee.idleCount -= 1
      worker.wake()
    }
  }

  // MARK: - starting

  /// Start a worker that has been counted and is searching.
  @inline(never)  // once per thread
  private func start() -> Int32 {
    reap()
    guard let worker = allocateArray(WorkerState.self, 1) else { return startFailed(ENOMEM) }
    rondo_lock(incomingLock)
    worker.initialize(to: WorkerState(
      waits: .ofPool, executor: s, next: nil, previous: nil, nextIdle: nil, thread: 0, job: 0, waitsFor: 0, state: 0, mustAsk: 0,
      awake: 1, number: s.pointee.started, lane: 0, isSearching: true, isWatching: false, countsInLane: false))
    s.pointee.started &+= 1
    enlist(worker)
    rondo_unlock(incomingLock)
    var thread: UInt64 = 0
    let error = rondo_shim_start_worker({ WorkerPointer.main($0) }, worker, Int(s.pointee.pool.stackSize), &thread)
    if error == 0 { return 0 }
    rondo_lock(incomingLock)
    strike(worker)
    rondo_unlock(incomingLock)
    free(worker)
    return startFailed(error)
  }

  /// Those that there are go on; without any, nobody would ever do what is queued.
  private func startFailed(_ error: Int32) -> Int32 {
    JobLink.withRing { ring in
      lockBoth()
      s.pointee.workers -= 1
      s.pointee.isSearching = false
      let isDead = s.pointee.workers == 0
      if isDead { _ = takeAll(ring) }
      unlockBoth()
      ring.handOverEach { $0.setOutcome(JobOutcome.error, ErrorRef.of(-error)) }
      return isDead ? error : 0
    }
  }

  /// Count the first worker and start it, before there is anything in the queue that would be lost
  /// with it. 0 if there is one, or an errno; and whether the one that was started awaits the job.
  func startFirst() -> (Int32, isAwaited: Bool) {
    rondo_lock(incomingLock)
    let isNeeded = s.pointee.workers == 0 && !s.pointee.isShut
    if isNeeded {
      s.pointee.workers = 1
      s.pointee.isSearching = true
      s.pointee.awaitsFirst = true
    }
    rondo_unlock(incomingLock)
    return isNeeded ? (start(), true) : (0, false)
  }

  /// The lock of incoming is held, and stays so until the job is in the queue, or is known not to come.
  func firstJobIsThere() {
    s.pointee.awaitsFirst = false
    rondo_store32(&s.pointee.changes, rondo_peek32(&s.pointee.changes) &+ 1)
    rondo_shim_wake_all(&s.pointee.changes)
  }

  /// A pool neither rests nor breaks before it has the job that its first worker was started for.
  func awaitFirstJob() {
    while true {
      rondo_lock(incomingLock)
      let isThere = !s.pointee.awaitsFirst
      let seen = rondo_peek32(&s.pointee.changes)
      rondo_unlock(incomingLock)
      if isThere { return }
      rondo_shim_wait(&s.pointee.changes, seen, Int64.max)
    }
  }

  private func enlist(_ worker: WorkerPointer) {
    worker.pointee.next = s.pointee.all
    s.pointee.all?.pointee.previous = worker
    s.pointee.all = worker
  }

  func strike(_ worker: WorkerPointer) {
    if let previous = worker.pointee.previous {
      previous.pointee.next = worker.pointee.next
    } else {
      s.pointee.all = worker.pointee.next
    }
    worker.pointee.next?.pointee.previous = worker.pointee.previous
  }
}
