// RunApi.swift - the exports of rondo/run.h.
//
// Knows: Runner, what a new loop needs. Does not know: how a main is run.

import CRondo
import CRondoShim

/// The options of a run or a runner, checked.
private func readRunOptions(_ options: UnsafePointer<rondo_run_options>?) -> (RunnerOptions?, rondo_status) {
  var wanted = rondo_run_options()
  let status = readOptions(options, into: &wanted)
  if status != RONDO_OK { return (nil, status) }
  if wanted.flags & ~UInt32(RONDO_RUN_NO_SIGINT) != 0 || wanted.reserved != 0 || wanted.debug < -1 || wanted.debug > 1 {
    return (nil, -EINVAL)
  }
  let factory = wanted.loop_factory
  let make: rondo_loop_factory_fn = factory ?? { _, out in rondo_loop_new(nil, out) }
  return (RunnerOptions(
    debug: wanted.debug, make: make, makeArg: wanted.loop_factory_arg, setsCurrent: factory == nil,
    watchesSigint: wanted.flags & UInt32(RONDO_RUN_NO_SIGINT) == 0), RONDO_OK)
}

/// Why a main cannot be run whoever runs it, or RONDO_OK.
private func refusalOfMain(_ main: OpaquePointer?) -> rondo_status {
  if FutureRef.find(main) != nil || CoroutineRef.find(main) != nil { return RONDO_OK }
  return LoopRef.refuseAwaitable(main)
}

@_cdecl("rondo_run") @implementation
public func rondo_run(
  _ main: Raw?, _ options: UnsafePointer<rondo_run_options>?, _ outValue: UnsafeMutablePointer<Raw?>?,
  _ outError: OutHandle?
) -> rondo_status {
  let given = OpaquePointer(main)
  var status = refusalOfMain(given)
  if status != RONDO_OK { return status }
  let (wanted, refused) = readRunOptions(options)
  guard let wanted, let runner = RunnerRef.make(wanted, isSingle: true) else {
    status = wanted == nil ? refused : -ENOMEM
    LoopRef.letGo(awaitable: given)
    return status
  }
  let (future, result) = runner.run(given, in: nil)
  let (end, escaped) = runner.close()
  // What leaves the closing takes the place of the run's own outcome, as an exception in __exit__.
  status = end == RONDO_E_INTERRUPTED || end == RONDO_E_EXIT ? end : result
  handOut(future, status, escaped, outValue, outError)
  _ = runner.releaseUser()
  return status
}

/// What a run ended with goes to C; the future's and the error's pins are given back.
private func handOut(
  _ future: FutureRef?, _ status: rondo_status, _ escaped: ErrorRef?, _ outValue: UnsafeMutablePointer<Raw?>?,
  _ outError: OutHandle?
) {
  guard let future else {
    escaped?.unpin()
    return
  }
  outError?.pointee = nil
  if status == RONDO_OK {
    if let outValue { outValue.pointee = future.takeValue().pointer }
  } else if let error = escaped ?? future.error {
    giveOut(error, outError)
  }
  escaped?.unpin()
  future.unpin()
}

// MARK: - runners

@_cdecl("rondo_runner_new") @implementation
public func rondo_runner_new(_ options: UnsafePointer<rondo_run_options>?, _ outRunner: OutHandle?) -> rondo_status {
  guard let outRunner else { return -EINVAL }
  let (wanted, refused) = readRunOptions(options)
  guard let wanted else { return refused }
  guard let made = RunnerRef.make(wanted, isSingle: false) else { return -ENOMEM }
  outRunner.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_runner_retain") @implementation
public func rondo_runner_retain(_ runner: OpaquePointer?) -> rondo_status {
  if runner == nil { return RONDO_OK }
  guard let found = RunnerRef.find(runner) else { return RunnerRef.explain(runner) }
  return Global.retain(Raw(found.s))
}

@_cdecl("rondo_runner_release") @implementation
public func rondo_runner_release(_ runner: OpaquePointer?) -> rondo_status {
  if runner == nil { return RONDO_OK }
  guard let found = RunnerRef.find(runner) else { return RunnerRef.explain(runner) }
  return found.releaseUser()
}

@_cdecl("rondo_runner_run") @implementation
public func rondo_runner_run(
  _ runner: OpaquePointer?, _ main: Raw?, _ outValue: UnsafeMutablePointer<Raw?>?, _ outError: OutHandle?
) -> rondo_status {
  rondo_runner_run_in_context(runner, nil, main, outValue, outError)
}

@_cdecl("rondo_runner_run_in_context") @implementation
public func rondo_runner_run_in_context(
  _ runner: OpaquePointer?, _ context: OpaquePointer?, _ main: Raw?, _ outValue: UnsafeMutablePointer<Raw?>?,
  _ outError: OutHandle?
) -> rondo_status {
  let given = OpaquePointer(main)
  var status = RONDO_OK
  let found = RunnerRef.find(runner)
  if found == nil { status = RunnerRef.explain(runner) }
  if status == RONDO_OK && context != nil && ContextRef.find(context) == nil { status = ContextRef.explain(context) }
  if status == RONDO_OK { status = refusalOfMain(given) }
  guard status == RONDO_OK, let found else {
    LoopRef.letGo(awaitable: given)
    return status
  }
  let (future, result) = found.run(given, in: context)
  handOut(future, result, nil, outValue, outError)
  return result
}

@_cdecl("rondo_runner_get_loop") @implementation
public func rondo_runner_get_loop(_ runner: OpaquePointer?, _ outLoop: OutHandle?) -> rondo_status {
  guard let found = RunnerRef.find(runner) else { return RunnerRef.explain(runner) }
  guard let outLoop else { return -EINVAL }
  let (loop, status) = found.getLoop()
  if status == RONDO_OK { outLoop.pointee = loop }
  return status
}

@_cdecl("rondo_runner_close") @implementation
public func rondo_runner_close(_ runner: OpaquePointer?) -> rondo_status {
  guard let found = RunnerRef.find(runner) else { return RunnerRef.explain(runner) }
  let (status, escaped) = found.close()
  escaped?.unpin()
  return status
}
