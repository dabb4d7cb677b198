// ProcessPool.swift - a pool of processes is a pool of threads each of which owns a process.
//
// A job of it is a job like any other, whose function sends a call to the process of its thread and
// waits for the answer. So queue, cancelling, shutdown, reports and the futures are those of every
// pool, and what is left is how to talk to a process (ProcessExchange.swift) and what becomes of it.
// The price is a thread per process, which sleeps while that works; the gain is that nothing here is
// shared between threads but one descriptor per worker, with which others wake it.
//
// The process belongs to the thread that started it: it starts with the first job, is killed by
// the kernel if that thread ends without a word, and else ends when its socket is closed.
//
// Knows: Worker, Job. Does not know: loops, the worker program.

import CRondo
import CRondoShim

/// What a pool's workers share; the pool's `arg`.
struct ProcessPool {
  var path: UnsafeMutablePointer<CChar>
  var jobsPerProcess: UInt64
  var first: ProcessCallPointer?  // made by each new process before its first job
  var last: ProcessCallPointer?  // made by each process that ends in order
}

typealias ProcessPoolPointer = UnsafeMutablePointer<ProcessPool>

extension UnsafeMutablePointer where Pointee == ProcessPool {
  /// The path moves on success.
  static func make(_ path: UnsafeMutablePointer<CChar>, _ jobsPerProcess: UInt64) -> ProcessPoolPointer? {
    guard let made = allocateArray(ProcessPool.self, 1) else { return nil }
    made.initialize(to: ProcessPool(path: path, jobsPerProcess: jobsPerProcess, first: nil, last: nil))
    return made
  }

  func dispose() {
    pointee.first?.dispose()
    pointee.last?.dispose()
    free(pointee.path)
    free(self)
  }
}

extension PoolOptions {
  /// Make it one of processes. The pool's part moves.
  mutating func useProcesses(_ pool: ProcessPoolPointer) {
    arg = Value(pointer: pool, drop: { $0!.assumingMemoryBound(to: ProcessPool.self).dispose() })
    end = { _, state in WorkerProcessPointer.from(state).dispose() }
    poke = { WorkerProcessPointer.from($0).poke() }
  }
}

// MARK: - a call

/// What a job of it carries: one block, the two names behind it.
struct ProcessCall {
  var library: UnsafeMutablePointer<CChar>
  var symbol: UnsafeMutablePointer<CChar>
  var input: Value
  var inputSize: UInt64
  var timeout: Int64  // 0 for none
  var isKilledByCancel: Bool
}

typealias ProcessCallPointer = UnsafeMutablePointer<ProcessCall>

extension UnsafeMutablePointer where Pointee == ProcessCall {
  /// nil if memory is out. The input moves on success.
  static func make(_ library: UnsafePointer<CChar>, _ symbol: UnsafePointer<CChar>, _ input: Value, _ size: Int)
    -> ProcessCallPointer?
  {
    let head = MemoryLayout<ProcessCall>.stride
    let librarySize = strlen(library) + 1
    let symbolSize = strlen(symbol) + 1
    guard let block = malloc(head + librarySize + symbolSize) else { return nil }
    let texts = (block + head).bindMemory(to: CChar.self, capacity: librarySize + symbolSize)
    memcpy(texts, library, librarySize)
    memcpy(texts + librarySize, symbol, symbolSize)
    let made = block.bindMemory(to: ProcessCall.self, capacity: 1)
    made.initialize(to: ProcessCall(
      library: texts, symbol: texts + librarySize, input: input, inputSize: UInt64(size), timeout: 0, isKilledByCancel: false))
    return made
  }

  /// The job that makes this call.
  var request: JobRequest {
    JobRequest(
      fn: { job, arg in JobRef.find(job)!.makeCall(arg!.assumingMemoryBound(to: ProcessCall.self)) },
      arg: Value(pointer: Raw(self), drop: { $0!.assumingMemoryBound(to: ProcessCall.self).dispose() }),
      name: UnsafePointer(pointee.symbol))
  }

  func dispose() {
    pointee.input.dispose()
    free(self)
  }
}

extension ExecutorRef {
  /// concurrent.futures' BrokenProcessPool, because of an initializer.
  fileprivate static func brokenError(_ cause: ErrorRef) -> ErrorRef {
    let error = ErrorRef.of(
      RONDO_E_BROKEN_POOL, sentence: "A process initializer failed, the process pool is not usable anymore")
    if !error.isShared { _ = error.setCause(cause) }
    return error
  }
}

// MARK: - in the worker's thread

extension JobRef {
  /// Run by its worker's thread.
  fileprivate func makeCall(_ call: ProcessCallPointer) -> rondo_status {
    let worker = address(rondo_thread()!.pointee.worker)!.assumingMemoryBound(to: WorkerState.self)
    let (found, refusal) = worker.process()
    guard let process = found else { return refusal }
    process.forgetPokes()
    rondo_fence()  // the state before the look: whoever asks does it the other way round
    if state & JobPhase.asked != 0 { return RONDO_E_CANCELLED }
    if call.pointee.isKilledByCancel {
      let status = setUnblock({ WorkerProcessPointer.from($0).poke() }, Raw(process))
      if status != RONDO_OK { return status }
    }
    let result = process.run(call, self)
    if call.pointee.isKilledByCancel { _ = setUnblock(nil, nil) }
    return result
  }

  /// The initializer of its pool failed in the process that was to do it, with `cause`, whose pin moves.
  @inline(never)  // once per pool
  func breakPool(_ cause: ErrorRef) {
    let executor = ExecutorRef(address(s.pointee.executor)!)
    setOutcome(JobOutcome.error, ExecutorRef.brokenError(cause))
    executor.breakDown { ExecutorRef.brokenError(cause) }
    cause.unpin()
  }
}

extension UnsafeMutablePointer where Pointee == WorkerState {
  /// What there is of its process, made when it is first needed.
  fileprivate func process() -> (WorkerProcessPointer?, rondo_status) {
    if let state = address(pointee.state) { return (WorkerProcessPointer.from(state), RONDO_OK) }
    let pool = pointee.executor.pointee.pool.arg.pointer!.assumingMemoryBound(to: ProcessPool.self)
    let (made, status) = WorkerProcessPointer.make(pool)
    if let made { rondo_store64(&pointee.state, bits(made)) }
    return (made, status)
  }

  /// Its process, while it sleeps between two jobs.
  var sleepingProcess: WorkerProcessPointer? {
    let executor = pointee.executor
    if executor.pointee.pool.poke == nil { return nil }
    return address(rondo_load64(&pointee.state)).map { WorkerProcessPointer.from($0) }
  }

  /// A shutdown asks its job, which is held, to end.
  func poke(_ job: JobRef, _ poke: rondo_drop_fn) {
    _ = rondo_or32(job.stateWord, JobPhase.asked)
    rondo_fence()
    if let state = address(rondo_load64(&pointee.state)) { poke(state) }
  }
}
