// Watchman.swift - a flood of short jobs is done by few workers.
//
// Where a job takes less than a wake-up, another worker only gets in the way: of the first, for the
// queue's lock, and of the loop, for a processor. But whether a job is short is known when it is
// over, and one that blocks must not keep those behind it waiting. So in a flood the next worker is
// not sent to the queue but made watchman: it looks every tenth of a millisecond whether the queue
// moves. If not, it takes a job, and help is called as usual.
//
// It is a flood if at least 64 jobs took less than two microseconds each, and until a watchman finds
// a queue that does not move. Jobs that take longer meet one at most once.
//
// Knows: Worker, JobQueue. Does not know: what the jobs do.

import CRondo
import CRondoShim

private let patrol: Int64 = 100_000
private let shortJob: Int64 = 2_000
private let enoughJobs: UInt64 = 64  // for a verdict
private let enoughMoves: UInt64 = 16  // in a patrol, for a queue that moves

extension ExecutorRef {
  /// Whether the jobs taken since the last verdict were short; both locks are held.
  func judgeFlood() -> Bool {
    let count = s.pointee.taken &- s.pointee.takenBefore
    if count < enoughJobs { return s.pointee.isFlooded }
    let now = rondo_shim_now()
    let time = now - s.pointee.takenAt
    s.pointee.takenBefore = s.pointee.taken
    s.pointee.takenAt = now
    s.pointee.isFlooded = time < Int64(Swift.min(count, 1 << 32)) * shortJob
    return s.pointee.isFlooded
  }

  /// Somebody to look whether the queue moves; the lock of incoming is held.
  func callWatchman() -> Help {
    if s.pointee.isWatched { return .none }
    guard let worker = s.pointee.idle else { return callForHelp() }
    s.pointee.idle = worker.pointee.nextIdle
    s.pointee.idleCount -= 1
    s.pointee.isWatched = true
    worker.pointee.isWatching = true
    return .wake(worker)
  }
}

extension UnsafeMutablePointer where Pointee == WorkerState {
  /// Until the queue is empty or does not move. In the second case this worker is a searching one.
  @inline(never)  // floods only
  func watch(_ executor: ExecutorRef) {
    var seen: UInt64 = 0
    repeat {
      rondo_lock(executor.outgoingLock)
      seen = executor.s.pointee.taken
      rondo_unlock(executor.outgoingLock)
      rondo_store32(&pointee.awake, 0)
      rondo_shim_wait(&pointee.awake, 0, rondo_shim_now() + patrol)
    } while goesOnWatching(executor, seen)
  }

  private func goesOnWatching(_ executor: ExecutorRef, _ seen: UInt64) -> Bool {
    executor.lockBoth()
    defer { executor.unlockBoth() }
    let s = executor.s
    let isMoving = s.pointee.taken &- seen >= enoughMoves
    if executor.queued != 0 && isMoving && !s.pointee.isShut { return true }
    s.pointee.isWatched = false
    pointee.isWatching = false
    if executor.queued != 0 && !s.pointee.isSearching {
      s.pointee.isSearching = true
      pointee.isSearching = true
    }
    if executor.queued != 0 { s.pointee.isFlooded = false }  // until enough jobs were short again
    return false
  }
}
