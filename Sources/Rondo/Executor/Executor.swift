// Executor.swift - a pool of threads, or whatever the program runs jobs with.
//
// A pool has two queues with a lock each. Who submits appends to `incoming`; a worker takes from
// `outgoing`, and when that is empty moves all of `incoming` over. So submitters and workers meet
// once in a while, not with every job. Locks are taken in the order outgoing, incoming.
//
// Each queue has a list per lane. Only a pool that has seen a lane other than the normal one looks
// at them in turn.
//
// Counts: C's references and loops' pins hold the pool; its workers do not. When nobody holds it
// any more it takes no jobs; the workers do what is queued, and the last one frees it.
//
// In a child of fork a pool is its parent's. It has no threads there and its locks may be held for
// ever, so nothing but its counts is touched.
//
// Knows: Job, GlobalObjects. Does not know: loops.

import CRondo
import CRondoShim

struct ExecutorState {
  var header: ObjectHeader
  var forks: UInt32  // never changes; what the process's counter was
  var isCustom: Bool
  var takesJobs: Bool  // jobs of threads, into the queue: neither custom nor a pool of processes
  var hasLimits: Bool
  var lists: UnsafeMutablePointer<JobLink>?  // ten rings: incoming by lane, outgoing by lane
  var pool: PoolOptions
  var pad0: (UInt64, UInt64, UInt64)
  // Submitters and who sleeps; all of it under the lock of incoming.
  var incomingLock: UInt32  // any thread
  var incomingCount: UInt32  // any thread reads
  var idle: WorkerPointer?  // who sleeps, the last one first
  var workers: UInt32
  var idleCount: UInt32
  var isSearching: Bool  // a worker is on its way to the queue: no other is woken for it
  var isFlooded: Bool  // jobs were short lately
  var isWatched: Bool  // a worker looks from time to time whether the queue moves; see Watchman.swift
  var isShut: Bool
  var isOrphan: Bool  // nobody holds it; the last worker frees it
  var isBroken: Bool  // an initializer failed
  var awaitsFirst: Bool  // the job that the first worker is started for is about to come
  var started: UInt32  // workers ever
  var changes: UInt32  // any thread, a futex: a worker has ended
  var ended: WorkerPointer?  // threads to be joined
  var all: WorkerPointer?  // every worker
  var watches: UInt64  // address of a job that waits for the end; linked by its link
  // Workers; all of it under the lock of outgoing.
  var outgoingLock: UInt32  // any thread
  var outgoingCount: UInt32  // any thread reads
  var usesLanes: UInt32  // any thread; 1 once a job came in another lane
  var turn: UInt32  // which of the equal lanes comes next
  var busy: (UInt32, UInt32, UInt32, UInt32, UInt32)  // workers by lane, if there are limits
  var cancelled: UInt64
  var taken: UInt64  // jobs, ever
  var takenBefore: UInt64  // as of `takenAt`
  var takenAt: Int64
}

/// What a pool was made with, or the two functions of a custom executor.
struct PoolOptions {
  var maxWorkers: UInt32 = 0
  var minWorkers: UInt32 = 0
  var nice: Int32 = 0
  var idle: Int64 = 0
  var queueLimit: UInt64 = 0
  var stackSize: UInt64 = 0
  var limits: (UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0)
  var name: (UInt64, UInt64) = (0, 0)  // up to 9 bytes and a NUL
  var start: rondo_worker_start_fn? = nil
  var stop: rondo_worker_stop_fn? = nil
  var make: rondo_worker_make_fn? = nil
  var end: rondo_worker_end_fn? = nil
  var poke: rondo_drop_fn? = nil  // a pool of processes: end the process with this state
  var submit: rondo_executor_submit_fn? = nil
  var shutdown: rondo_executor_shutdown_fn? = nil
  var arg: Value = .none
}

typealias ExecutorPointer = UnsafeMutablePointer<ExecutorState>

struct ExecutorRef {
  let s: ExecutorPointer

  static let size = 512
  static let lanes = 5

  @inline(__always)
  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: ExecutorState.self) }

  @inline(__always)
  static func find(_ handle: OpaquePointer?) -> ExecutorRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.executor, size) else { return nil }
    return ExecutorRef(found)
  }

  @inline(never)
  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.executor, size)
  }

  @inline(__always)
  var raw: Raw { Raw(s) }
  @inline(__always)
  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  var isOfProcesses: Bool { s.pointee.pool.poke != nil }
  /// True in a child of the process that made it.
  @inline(__always)
  var isInherited: Bool { s.pointee.forks != rondo_peek32(&rondo_globals()!.pointee.forks) }

  // MARK: - life

  /// A new one with one reference of C's; nil if memory is out. The argument moves on success.
  @inline(never)  // rare
  static func make(_ options: PoolOptions, isCustom: Bool) -> ExecutorRef? {
    invariant(MemoryLayout<ExecutorState>.size <= size, "ExecutorRef.size is too small")
    if !Registry.prepare() || !ErrorRef.prepareShared() { return nil }
    guard let lists = allocateArray(JobLink.self, 2 * lanes) else { return nil }
    guard let slot = Global.take(Kind.executor, size) else {
      free(lists)
      return nil
    }
    for i in 0..<2 * lanes { (lists + i).makeRing() }
    let made = ExecutorRef(slot)
    made.reset(options, lists, isCustom)
    return made
  }

  /// Everything as new but the header and the locks, which somebody with a stale handle may hold.
  private func reset(_ options: PoolOptions, _ lists: UnsafeMutablePointer<JobLink>, _ isCustom: Bool) {
    // A pool that had this slot before the fork may have been locked by a thread of the parent.
    if isInherited {
      rondo_store32(incomingLock, 0)
      rondo_store32(outgoingLock, 0)
    }
    s.pointee.forks = rondo_peek32(&rondo_globals()!.pointee.forks)
    s.pointee.isCustom = isCustom
    s.pointee.takesJobs = !isCustom && options.poke == nil
    let limits = options.limits
    s.pointee.hasLimits = limits.0 | limits.1 | limits.2 | limits.3 | limits.4 != 0
    s.pointee.lists = lists
    s.pointee.pool = options
    rondo_poke32(&s.pointee.incomingCount, 0)
    s.pointee.idle = nil
    s.pointee.workers = 0
    s.pointee.idleCount = 0
    s.pointee.isSearching = false
    s.pointee.isFlooded = false
    s.pointee.isWatched = false
    s.pointee.isShut = false
    s.pointee.isOrphan = false
    s.pointee.isBroken = false
    s.pointee.awaitsFirst = false
    s.pointee.started = 0
    rondo_poke32(&s.pointee.changes, 0)
    s.pointee.ended = nil
    s.pointee.all = nil
    s.pointee.watches = 0
    rondo_poke32(&s.pointee.outgoingCount, 0)
    rondo_poke32(&s.pointee.usesLanes, s.pointee.hasLimits ? 1 : 0)
    s.pointee.turn = 0
    s.pointee.busy = (0, 0, 0, 0, 0)
    s.pointee.cancelled = 0
    s.pointee.taken = 0
    s.pointee.takenBefore = 0
    s.pointee.takenAt = 0
  }

  func pin() { Global.pin(raw) }

  func unpin() { if Global.unpin(raw) { abandon() } }

  func releaseUser() -> rondo_status { Global.release(raw) { abandon() } }

  /// Nobody holds it: what is queued still runs.
  @inline(never)  // once
  private func abandon() {
    if isInherited || s.pointee.isCustom { return end() }
    lockBoth()
    s.pointee.isShut = true
    wakeAll()
    let isUnused = s.pointee.workers == 0
    s.pointee.isOrphan = !isUnused
    unlockBoth()
    if isUnused { end() }
  }

  /// By whoever saw it unheld and without workers.
  func end() {
    if !isInherited { reap() }
    let arg = s.pointee.pool.arg
    free(s.pointee.lists)
    Global.give(Kind.executor, raw)
    arg.dispose()
  }

  // MARK: - locks

  @inline(__always)
  var incomingLock: UnsafeMutablePointer<UInt32> { place(&s.pointee.incomingLock) }
  @inline(__always)
  var outgoingLock: UnsafeMutablePointer<UInt32> { place(&s.pointee.outgoingLock) }

  func lockBoth() {
    rondo_lock(outgoingLock)
    rondo_lock(incomingLock)
  }

  func unlockBoth() {
    rondo_unlock(incomingLock)
    rondo_unlock(outgoingLock)
  }
}
