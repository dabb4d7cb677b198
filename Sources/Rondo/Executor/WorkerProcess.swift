// WorkerProcess.swift - one process of a pool: its start, its end, and what is said of that.
//
// Nothing is known of a process by its number. A pidfd says when it has ended, also if the host
// reaps children that are not its own, or has the kernel do it; only how it ended is lost then.
//
// An end that was not asked for is learned from the pidfd or from the end of the stream, whichever
// is first. The stream may end a moment before the process does, and a job may have closed it: so
// the process is given a moment, and killed after that.
//
// Knows: the shim's processes. Does not know: jobs.

import CRondo
import CRondoShim

/// How long a process may take to end by itself.
private let patience: Int32 = 2000

struct WorkerProcess {
  var pool: ProcessPoolPointer
  var socket: Int32  // -1 for no process
  var pidfd: Int32
  let wake: Int32  // an eventfd; any thread writes to it
  var jobs: UInt64  // of this process
  var isReady: Bool  // it has done what its pool wants done first
}

typealias WorkerProcessPointer = UnsafeMutablePointer<WorkerProcess>

extension UnsafeMutablePointer where Pointee == WorkerProcess {
  static func from(_ raw: Raw?) -> WorkerProcessPointer { raw!.assumingMemoryBound(to: WorkerProcess.self) }

  /// Whole before anybody else learns of it.
  static func make(_ pool: ProcessPoolPointer) -> (WorkerProcessPointer?, rondo_status) {
    guard let made = allocateArray(WorkerProcess.self, 1) else { return (nil, -ENOMEM) }
    let wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    if wake < 0 {
      let error = rondo_errno()
      free(made)
      return (nil, -error)
    }
    made.initialize(to: WorkerProcess(pool: pool, socket: -1, pidfd: -1, wake: wake, jobs: 0, isReady: false))
    return (made, RONDO_OK)
  }

  func dispose() {
    end()
    close(pointee.wake)
    free(self)
  }

  /// Any thread, while the job runs: its process is to be killed.
  func poke() { _ = eventfd_write(pointee.wake, 1) }

  // MARK: - start

  /// Nobody's wish of before counts.
  func forgetPokes() {
    var count: UInt64 = 0
    _ = eventfd_read(pointee.wake, &count)
  }

  /// A process that lives. RONDO_OK or an errno.
  func prepare() -> rondo_status {
    let limit = pointee.pool.pointee.jobsPerProcess
    if pointee.socket >= 0 && (hasEnded(0) || (limit != 0 && pointee.jobs >= limit)) { end() }
    return pointee.socket >= 0 ? RONDO_OK : start()
  }

  @inline(never)  // once per process
  private func start() -> rondo_status {
    let error = rondo_shim_start_process(pointee.pool.pointee.path, &pointee.socket, &pointee.pidfd)
    if error != 0 { return -error }
    pointee.jobs = 0
    pointee.isReady = false
    return RONDO_OK
  }

  // MARK: - between two jobs

  /// Sleep until somebody pokes, the time is over, or the process ends: then it is reaped, and another
  /// one started if it had done anything. False if there is none, or whoever pokes is about to say why.
  func watch(_ deadline: Int64) -> Bool {
    if pointee.socket < 0 { return false }
    var wanted = (
      pollfd(fd: pointee.wake, events: Int16(POLLIN), revents: 0), pollfd(fd: pointee.pidfd, events: Int16(POLLIN), revents: 0)
    )
    let count = withUnsafeMutableBytes(of: &wanted) {
      CRondoShim.poll($0.baseAddress!.assumingMemoryBound(to: pollfd.self), 2, milliseconds(until: deadline))
    }
    if count <= 0 { return true }
    if wanted.0.revents != 0 { return false }
    let wasOfUse = pointee.jobs > 0
    end()
    if wasOfUse { _ = start() }  // if not, the next job tries again, and is told
    return true
  }

  func milliseconds(until deadline: Int64) -> Int32 {
    if deadline == Int64.max { return -1 }
    let left = Swift.max(0, deadline - rondo_shim_now())
    return Int32(Swift.min(left / 1_000_000 + 1, 86_400_000))
  }

  // MARK: - end

  /// Whether it has ended, after at most so many milliseconds.
  private func hasEnded(_ wait: Int32) -> Bool {
    var wanted = pollfd(fd: pointee.pidfd, events: Int16(POLLIN), revents: 0)
    let deadline = rondo_shim_now() + Int64(wait) * 1_000_000
    while true {
      let left = Swift.max(0, (deadline - rondo_shim_now() + 999_999) / 1_000_000)
      let count = CRondoShim.poll(&wanted, 1, wait == 0 ? 0 : Int32(left))
      if count > 0 { return true }
      if wait == 0 || (count == 0 && left == 0) { return false }
    }
  }

  /// It has nothing to do: it ends by itself, or is killed.
  func end() {
    if pointee.socket < 0 { return }
    closeSocket()
    _ = reap(kill: !hasEnded(patience))
  }

  func kill() {
    closeSocket()
    _ = reap(kill: true)
  }

  private func closeSocket() {
    close(pointee.socket)
    pointee.socket = -1
  }

  private func reap(kill: Bool) -> rondo_process_end {
    let end = rondo_shim_end_process(pointee.pidfd, kill ? 1 : 0)
    pointee.pidfd = -1
    return end
  }

  /// It ended while it had a job: the error that says how.
  @inline(never)  // rare
  func mourn() -> ErrorRef {
    closeSocket()
    let isAlive = !hasEnded(patience)
    let end = reap(kill: isAlive)
    var text = Text()
    text.add("a worker process ended abruptly: ")
    if isAlive {
      text.add("it stopped listening")
    } else if end.how == RONDO_END_EXITED {
      text.add("exit status ")
      text.add(Int64(end.number))
    } else if end.how == RONDO_END_KILLED {
      text.add("signal ")
      text.add(Int64(end.number))
      if let name = sigabbrev_np(end.number) {
        text.add(" (SIG")
        text.add(name)
        text.add(")")
      }
    } else {
      text.add("somebody else has learned how")
    }
    return ErrorRef.of(RONDO_E_BROKEN_POOL, nil, text.cString)
  }
}
