// ExecutorApi.swift - the exports of rondo/executor.h.
//
// Knows: ExecutorRef, JobRef. Does not know: workers, queues.

import CRondo
import CRondoShim

// MARK: - making

@_cdecl("rondo_executor_new_thread_pool") @implementation
public func rondo_executor_new_thread_pool(
  _ options: UnsafePointer<rondo_thread_pool_options>?, _ outExecutor: OutHandle?
) -> rondo_status {
  var wanted = rondo_thread_pool_options()
  var status = readOptions(options, into: &wanted)
  // Of options that cannot be read nobody knows what moves.
  if status != RONDO_OK { return status }
  var pool = PoolOptions()
  status = outExecutor == nil ? -EINVAL : pool.take(wanted)
  if status != RONDO_OK { return refuse(status, wanted.arg, wanted.drop) }
  guard let made = ExecutorRef.make(pool, isCustom: false) else { return refuse(-ENOMEM, wanted.arg, wanted.drop) }
  outExecutor!.pointee = made.handle
  return RONDO_OK
}

/// More threads than any machine makes use of; a number beyond is a mistake.
private let mostWorkers: UInt32 = 65_536

extension PoolOptions {
  fileprivate mutating func take(_ wanted: rondo_thread_pool_options) -> rondo_status {
    maxWorkers = wanted.max_workers == 0 ? ExecutorRef.defaultWorkers : wanted.max_workers
    minWorkers = wanted.min_workers
    if maxWorkers > mostWorkers || minWorkers > maxWorkers || wanted.idle_ns < 0 || wanted.reserved != 0 { return -EINVAL }
    if wanted.end != nil && wanted.make == nil { return -EINVAL }
    if wanted.stack_size > 1 << 40 || (wanted.stack_size != 0 && wanted.stack_size < 16_384) { return -EINVAL }
    let given = wanted.name ?? literal("rondo")
    if strlen(given) > 9 { return -ENAMETOOLONG }
    setName(given)
    nice = wanted.nice
    idle = wanted.idle_ns
    queueLimit = wanted.queue_limit
    stackSize = wanted.stack_size
    limits = wanted.lane_limits
    start = wanted.start
    stop = wanted.stop
    make = wanted.make
    end = wanted.end
    arg = Value(pointer: wanted.arg, drop: wanted.drop)
    return RONDO_OK
  }
}

@_cdecl("rondo_executor_new_custom") @implementation
public func rondo_executor_new_custom(
  _ vtable: UnsafePointer<rondo_executor_vtable>?, _ selfArg: UnsafeMutableRawPointer?, _ drop: rondo_drop_fn?,
  _ outExecutor: OutHandle?
) -> rondo_status {
  var wanted = rondo_executor_vtable()
  let status = vtable == nil || outExecutor == nil ? -EINVAL : readOptions(vtable, into: &wanted)
  if status != RONDO_OK { return refuse(status, selfArg, drop) }
  if wanted.submit == nil || wanted.reserved != 0 { return refuse(-EINVAL, selfArg, drop) }
  var options = PoolOptions()
  options.submit = wanted.submit
  options.shutdown = wanted.shutdown
  options.arg = Value(pointer: selfArg, drop: drop)
  guard let made = ExecutorRef.make(options, isCustom: true) else { return refuse(-ENOMEM, selfArg, drop) }
  outExecutor!.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_executor_retain") @implementation
public func rondo_executor_retain(_ executor: OpaquePointer?) -> rondo_status {
  if executor == nil { return RONDO_OK }
  guard let found = ExecutorRef.find(executor) else { return ExecutorRef.explain(executor) }
  return Global.retain(found.raw)
}

@_cdecl("rondo_executor_release") @implementation
public func rondo_executor_release(_ executor: OpaquePointer?) -> rondo_status {
  if executor == nil { return RONDO_OK }
  guard let found = ExecutorRef.find(executor) else { return ExecutorRef.explain(executor) }
  return found.releaseUser()
}

// MARK: - handing jobs in

/// What was asked for, or why not. What it carries is still the caller's.
@inline(__always)
private func readRequest(
  _ options: UnsafePointer<rondo_job_options>?, _ fn: rondo_job_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?
) -> (JobRequest?, rondo_status) {
  guard let fn else { return (nil, -EINVAL) }
  var request = JobRequest(fn: fn, arg: Value(pointer: arg, drop: drop))
  if options == nil { return (request, RONDO_OK) }
  let status = request.read(options)
  return (status == RONDO_OK ? request : nil, status)
}

extension JobRequest {
  @inline(never)  // most come without options
  fileprivate mutating func read(_ options: UnsafePointer<rondo_job_options>?) -> rondo_status {
    var wanted = rondo_job_options()
    let status = readOptions(options, into: &wanted)
    if status != RONDO_OK { return status }
    if wanted.lane < 0 || wanted.lane >= Int32(ExecutorRef.lanes) || wanted.reserved != 0 { return -EINVAL }
    if wanted.flags & ~UInt32(RONDO_JOB_COPY_CONTEXT) != 0 { return -EINVAL }
    lane = UInt32(wanted.lane)
    flags = wanted.flags
    name = wanted.name
    return RONDO_OK
  }
}

@_cdecl("rondo_executor_submit") @implementation
public func rondo_executor_submit(
  _ executor: OpaquePointer?, _ options: UnsafePointer<rondo_job_options>?, _ fn: rondo_job_fn?,
  _ arg: UnsafeMutableRawPointer?, _ drop: rondo_drop_fn?, _ outFuture: OutHandle?
) -> rondo_status {
  guard let found = ExecutorRef.find(executor) else { return refuse(ExecutorRef.explain(executor), arg, drop) }
  let (request, refusal) = readRequest(options, fn, arg, drop)
  guard let request else { return refuse(refusal, arg, drop) }
  let (future, status) = found.submit(request)
  guard let future else { return refuse(status, arg, drop) }
  if let outFuture { outFuture.pointee = future.handle } else { _ = future.releaseUser() }
  return RONDO_OK
}

@_cdecl("rondo_loop_run_in_executor") @implementation
public func rondo_loop_run_in_executor(
  _ loop: OpaquePointer?, _ executor: OpaquePointer?, _ options: UnsafePointer<rondo_job_options>?, _ fn: rondo_job_fn?,
  _ arg: UnsafeMutableRawPointer?, _ drop: rondo_drop_fn?, _ outFuture: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.running(loop) ?? LoopRef.owned(loop) else { return refuse(LoopRef.refuse(loop), arg, drop) }
  let pool = ExecutorRef.find(executor)
  if pool == nil && executor != nil { return refuse(ExecutorRef.explain(executor), arg, drop) }
  let (request, refusal) = readRequest(options, fn, arg, drop)
  guard let request else { return refuse(refusal, arg, drop) }
  return run(found, pool, request, outFuture)
}

@inline(__always)
private func run(_ loop: LoopRef, _ pool: ExecutorRef?, _ request: JobRequest, _ outFuture: OutHandle?) -> rondo_status {
  let (future, status) = loop.run(in: pool, request)
  guard let future else { return refuse(status, request.arg.pointer, request.arg.drop) }
  if let outFuture { outFuture.pointee = future.handle } else { _ = future.releaseUser() }
  return RONDO_OK
}

@_cdecl("rondo_loop_to_thread") @implementation
public func rondo_loop_to_thread(
  _ loop: OpaquePointer?, _ fn: rondo_job_fn?, _ arg: UnsafeMutableRawPointer?, _ drop: rondo_drop_fn?,
  _ outFuture: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return refuse(LoopRef.refuse(loop), arg, drop) }
  let (request, refusal) = readRequest(nil, fn, arg, drop)
  guard var request else { return refuse(refusal, arg, drop) }
  request.flags = UInt32(RONDO_JOB_COPY_CONTEXT)
  return run(found, nil, request, outFuture)
}

// MARK: - the default executor

@_cdecl("rondo_loop_set_default_executor") @implementation
public func rondo_loop_set_default_executor(_ loop: OpaquePointer?, _ executor: OpaquePointer?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let pool = ExecutorRef.find(executor) else { return ExecutorRef.explain(executor) }
  if !pool.s.pointee.takesJobs { return RONDO_E_TYPE }
  found.setDefaultExecutor(pool)
  return RONDO_OK
}

@_cdecl("rondo_loop_get_default_executor") @implementation
public func rondo_loop_get_default_executor(_ loop: OpaquePointer?, _ outExecutor: OutHandle?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let outExecutor else { return -EINVAL }
  let pool = address(found.s.pointee.executor).map { ExecutorRef($0) }
  let status = pool.map { Global.retain($0.raw) } ?? RONDO_OK
  if status == RONDO_OK { outExecutor.pointee = pool?.handle }
  return status
}

@_cdecl("rondo_loop_shutdown_default_executor") @implementation
public func rondo_loop_shutdown_default_executor(_ loop: OpaquePointer?, _ timeoutNs: Int64, _ outFuture: OutHandle?)
  -> rondo_status
{
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  if timeoutNs < 0 { return -EINVAL }
  let (future, status) = found.shutDownDefaultExecutor(timeoutNs)
  guard let future else { return status }
  if let outFuture { outFuture.pointee = future.handle } else { _ = future.releaseUser() }
  return RONDO_OK
}

// MARK: - shutting down, reports

private let shutdownFlags = UInt32(RONDO_SHUTDOWN_CANCEL | RONDO_SHUTDOWN_UNBLOCK)

@_cdecl("rondo_loop_shutdown_executor") @implementation
public func rondo_loop_shutdown_executor(
  _ loop: OpaquePointer?, _ executor: OpaquePointer?, _ flags: UInt32, _ timeoutNs: Int64, _ outFuture: OutHandle?
) -> rondo_status {
  guard let owner = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let found = ExecutorRef.find(executor) else { return ExecutorRef.explain(executor) }
  if flags & ~shutdownFlags != 0 || timeoutNs < 0 { return -EINVAL }
  if found.isInherited { return RONDO_E_WRONG_PROCESS }
  if found.isMyWorker { return -EDEADLK }
  let (future, status) = found.s.pointee.isCustom ? owner.shutDownCustom(found, flags) : owner.shutDown(found, flags, timeoutNs)
  guard let future else { return status }
  if let outFuture { outFuture.pointee = future.handle } else { _ = future.releaseUser() }
  return RONDO_OK
}

@_cdecl("rondo_executor_shutdown") @implementation
public func rondo_executor_shutdown(
  _ executor: OpaquePointer?, _ flags: UInt32, _ timeoutNs: Int64,
  _ outReport: UnsafeMutablePointer<rondo_executor_report>?
) -> rondo_status {
  guard let found = ExecutorRef.find(executor) else { return ExecutorRef.explain(executor) }
  if flags & ~shutdownFlags != 0 || timeoutNs < 0 { return -EINVAL }
  if found.isInherited { return RONDO_E_WRONG_PROCESS }
  if outReport != nil && !isReadable(outReport) { return -EINVAL }
  found.pin()  // another thread may let go of it meanwhile
  let status = found.s.pointee.isCustom ? found.shutCustom(flags, timeoutNs) : found.shutdown(flags, timeoutNs)
  if let outReport { write(found, outReport) }
  found.unpin()
  return status
}

private func isReadable(_ report: UnsafeMutablePointer<rondo_executor_report>?) -> Bool {
  guard let report else { return false }
  return Int(report.pointee.size) >= MemoryLayout<rondo_executor_report>.size && report.pointee.size <= 4096
}

private func write(_ executor: ExecutorRef, _ outReport: UnsafeMutablePointer<rondo_executor_report>) {
  var report = rondo_executor_report()
  executor.report(&report)
  report.size = outReport.pointee.size
  memset(outReport, 0, Int(report.size))
  outReport.pointee = report
}

@_cdecl("rondo_executor_get_report") @implementation
public func rondo_executor_get_report(
  _ executor: OpaquePointer?, _ outReport: UnsafeMutablePointer<rondo_executor_report>?
) -> rondo_status {
  guard let found = ExecutorRef.find(executor) else { return ExecutorRef.explain(executor) }
  if found.isInherited { return RONDO_E_WRONG_PROCESS }
  guard let outReport, isReadable(outReport) else { return -EINVAL }
  write(found, outReport)
  return RONDO_OK
}

@_cdecl("rondo_executor_describe_jobs") @implementation
public func rondo_executor_describe_jobs(
  _ executor: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int,
  _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let found = ExecutorRef.find(executor) else { return ExecutorRef.explain(executor) }
  if found.isInherited { return RONDO_E_WRONG_PROCESS }
  var text = Text()
  found.describeJobs(&text)
  return text.copyOut(buffer, size, outSize)
}

// MARK: - in a job

/// The job, if it runs in this thread.
private func running(_ job: OpaquePointer?) -> (JobRef?, rondo_status) {
  guard let found = JobRef.find(job) else { return (nil, JobRef.explain(job)) }
  return found.isMine ? (found, RONDO_OK) : (nil, RONDO_E_WRONG_THREAD)
}

@_cdecl("rondo_job_return") @implementation
public func rondo_job_return(_ job: OpaquePointer?, _ value: UnsafeMutableRawPointer?, _ drop: rondo_drop_fn?)
  -> rondo_status
{
  let (found, status) = running(job)
  guard let found else { return refuse(status, value, drop) }
  found.setValue(Value(pointer: value, drop: drop))
  return RONDO_OK
}

@_cdecl("rondo_job_raise") @implementation
public func rondo_job_raise(_ job: OpaquePointer?, _ error: OpaquePointer?) -> rondo_status {
  if JobRef.find(job) == nil { return JobRef.explain(job) }
  guard let given = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  let (found, status) = running(job)
  guard let found else { return status }
  guard let stored = storable(given) else { return -ENOMEM }
  found.setOutcome(JobOutcome.error, stored)
  return RONDO_OK
}

@_cdecl("rondo_job_set_unblock") @implementation
public func rondo_job_set_unblock(_ job: OpaquePointer?, _ fn: rondo_call_fn?, _ arg: UnsafeMutableRawPointer?)
  -> rondo_status
{
  let (found, status) = running(job)
  guard let found else { return status }
  return found.setUnblock(fn, arg)
}

@_cdecl("rondo_job_get_state") @implementation
public func rondo_job_get_state(_ job: OpaquePointer?, _ outState: UnsafeMutablePointer<UnsafeMutableRawPointer?>?)
  -> rondo_status
{
  let (found, status) = running(job)
  guard let found else { return status }
  guard let outState else { return -EINVAL }
  outState.pointee = found.workerState
  return RONDO_OK
}

@_cdecl("rondo_job_is_cancelled") @implementation
public func rondo_job_is_cancelled(_ job: OpaquePointer?) -> Int32 {
  guard let found = running(job).0 else { return 0 }
  return found.state & JobPhase.asked != 0 ? 1 : 0
}

// MARK: - for custom executors

@_cdecl("rondo_job_run") @implementation
public func rondo_job_run(_ job: OpaquePointer?) -> rondo_status {
  guard let found = JobRef.find(job) else { return JobRef.explain(job) }
  return found.runForCustom()
}

@_cdecl("rondo_job_abandon") @implementation
public func rondo_job_abandon(_ job: OpaquePointer?) -> rondo_status {
  guard let found = JobRef.find(job) else { return JobRef.explain(job) }
  return found.abandonForCustom()
}
