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
  if strlen(library) > longestName || strlen(symbol) > longestName { return (nil, -ENAMETOOLONG) }
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
