// ProcessPoolApi.swift - the exports of rondo/process_pool.h.
//
// Knows: ExecutorRef, ProcessPool. Does not know: workers, processes.

import CRondo
import CRondoShim

/// Longer names are mistakes: PATH_MAX.
private let longestName = 4095

@_cdecl("rondo_executor_new_process_pool") @implementation
public func rondo_executor_new_process_pool(
  _ options: UnsafePointer<rondo_process_pool_options>?, _ outExecutor: OutHandle?
) -> rondo_status {
  var wanted = rondo_process_pool_options()
  let status = readOptions(options, into: &wanted)
  if status != RONDO_OK { return status }
  guard let outExecutor else { return -EINVAL }
  let name = wanted.name ?? literal("process")
  if wanted.max_workers > 4096 || wanted.idle_ns < 0 { return -EINVAL }
  if strlen(name) > 9 { return -ENAMETOOLONG }
  if let refusal = refusal(of: wanted) { return refusal }
  guard let path = wanted.worker.map({ copyString($0) }) ?? rondo_shim_worker_path() else {
    return wanted.worker == nil ? -rondo_errno() : -ENOMEM
  }
  if access(path, X_OK) != 0 {
    let error = rondo_errno()
    free(path)
    return -error
  }
  guard let pool = ProcessPoolPointer.make(path, wanted.jobs_per_process) else {
    free(path)
    return -ENOMEM
  }
  if !pool.takeCalls(wanted) {
    pool.dispose()
    return -ENOMEM
  }
  var all = PoolOptions()
  all.maxWorkers = wanted.max_workers == 0 ? UInt32(rondo_shim_cpus()) : wanted.max_workers
  all.idle = wanted.idle_ns
  all.queueLimit = wanted.queue_limit
  all.setName(name)
  all.useProcesses(pool)
  guard let made = ExecutorRef.make(all, isCustom: false) else {
    pool.dispose()
    return -ENOMEM
  }
  outExecutor.pointee = made.handle
  return RONDO_OK
}

/// Why what is to be called first and last makes no sense; nil if it does.
private func refusal(of wanted: rondo_process_pool_options) -> rondo_status? {
  if (wanted.library == nil) != (wanted.initializer == nil && wanted.finalizer == nil) { return -EINVAL }
  if wanted.input_size < 0 || (wanted.input_size > 0 && wanted.input == nil) { return -EINVAL }
  let isTooLong = isTooLong(wanted.library) || isTooLong(wanted.initializer) || isTooLong(wanted.finalizer)
  return isTooLong ? -ENAMETOOLONG : nil
}

private func isTooLong(_ name: UnsafePointer<CChar>?) -> Bool { name.map { strlen($0) > longestName } ?? false }

extension UnsafeMutablePointer where Pointee == ProcessPool {
  /// What each process calls first and last, with copies of the input; false if memory is out.
  fileprivate func takeCalls(_ wanted: rondo_process_pool_options) -> Bool {
    guard let library = wanted.library else { return true }
    if let symbol = wanted.initializer {
      pointee.first = makeCall(library, symbol, wanted)
      if pointee.first == nil { return false }
    }
    if let symbol = wanted.finalizer {
      pointee.last = makeCall(library, symbol, wanted)
      if pointee.last == nil { return false }
    }
    return true
  }

  private func makeCall(
    _ library: UnsafePointer<CChar>, _ symbol: UnsafePointer<CChar>, _ wanted: rondo_process_pool_options
  ) -> ProcessCallPointer? {
    guard let input = malloc(Swift.max(1, wanted.input_size)) else { return nil }
    if let from = wanted.input { memcpy(input, from, wanted.input_size) }
    let made = ProcessCallPointer.make(library, symbol, Value(pointer: input, drop: { free($0) }), wanted.input_size)
    if made == nil { free(input) }
    return made
  }
}

/// The call, which has the input, or why not.
private func readCall(_ call: UnsafePointer<rondo_process_call>?, _ input: Value, _ size: Int)
  -> (ProcessCallPointer?, rondo_status)
{
  var wanted = rondo_process_call()
  if call == nil { return (nil, -EINVAL) }
  let status = readOptions(call, into: &wanted)
  if status != RONDO_OK { return (nil, status) }
  guard let library = wanted.library, let symbol = wanted.symbol else { return (nil, -EINVAL) }
  if wanted.flags & ~UInt32(RONDO_PROCESS_KILL) != 0 || wanted.timeout_ns < 0 { return (nil, -EINVAL) }
  if size < 0 || (size > 0 && input.pointer == nil) { return (nil, -EINVAL) }
  if isTooLong(library) || isTooLong(symbol) { return (nil, -ENAMETOOLONG) }
  guard let made = ProcessCallPointer.make(library, symbol, input, size) else { return (nil, -ENOMEM) }
  made.pointee.timeout = wanted.timeout_ns
  made.pointee.isKilledByCancel = wanted.flags & UInt32(RONDO_PROCESS_KILL) != 0
  return (made, RONDO_OK)
}

@_cdecl("rondo_executor_submit_process") @implementation
public func rondo_executor_submit_process(
  _ executor: OpaquePointer?, _ call: UnsafePointer<rondo_process_call>?, _ input: UnsafeMutableRawPointer?,
  _ inputSize: Int, _ drop: rondo_drop_fn?, _ outFuture: OutHandle?
) -> rondo_status {
  guard let found = ExecutorRef.find(executor) else { return refuse(ExecutorRef.explain(executor), input, drop) }
  if found.isInherited { return refuse(RONDO_E_WRONG_PROCESS, input, drop) }
  if !found.isOfProcesses { return refuse(RONDO_E_TYPE, input, drop) }
  let (made, refusal) = readCall(call, Value(pointer: input, drop: drop), inputSize)
  guard let made else { return refuse(refusal, input, drop) }
  let (future, status) = found.submit(made.request, isCall: true)
  guard let future else {
    made.dispose()
    return status
  }
  if let outFuture { outFuture.pointee = future.handle } else { _ = future.releaseUser() }
  return RONDO_OK
}

@_cdecl("rondo_loop_run_in_process") @implementation
public func rondo_loop_run_in_process(
  _ loop: OpaquePointer?, _ executor: OpaquePointer?, _ call: UnsafePointer<rondo_process_call>?,
  _ input: UnsafeMutableRawPointer?, _ inputSize: Int, _ drop: rondo_drop_fn?, _ outFuture: OutHandle?
) -> rondo_status {
  guard let owner = LoopRef.owned(loop) else { return refuse(LoopRef.refuse(loop), input, drop) }
  guard let found = ExecutorRef.find(executor) else { return refuse(ExecutorRef.explain(executor), input, drop) }
  if !found.isOfProcesses { return refuse(RONDO_E_TYPE, input, drop) }
  let (made, refusal) = readCall(call, Value(pointer: input, drop: drop), inputSize)
  guard let made else { return refuse(refusal, input, drop) }
  let (future, status) = owner.run(in: found, made.request, isCall: true)
  guard let future else {
    made.dispose()
    return status
  }
  if let outFuture { outFuture.pointee = future.handle } else { _ = future.releaseUser() }
  return RONDO_OK
}
