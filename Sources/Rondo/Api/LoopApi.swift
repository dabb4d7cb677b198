// LoopApi.swift - the exports of rondo/loop.h about the life and the running of a loop.
//
// Knows: Loop. Does not know: futures; what run_until_complete waits for is in TaskApi.swift.

import CRondo
import CRondoShim

// MARK: - life

@_cdecl("rondo_loop_new") @implementation
public func rondo_loop_new(_ options: UnsafePointer<rondo_loop_options>?, _ outLoop: OutHandle?) -> rondo_status {
  guard let outLoop else { return -EINVAL }
  var wanted = rondo_loop_options()
  let status = readOptions(options, into: &wanted)
  if status != RONDO_OK { return status }
  let known = UInt32(RONDO_LOOP_DEBUG) | replayFlags
  if wanted.flags & ~known != 0 || wanted.reserved != 0 || !isClockPossible(wanted.flags) { return -EINVAL }
  let debug = wanted.flags & UInt32(RONDO_LOOP_DEBUG) != 0 || Origins.look()
  let (loop, result) = LoopRef.make(readyCapacity: Int(wanted.ready_capacity), debug: debug)
  guard let loop else { return result }
  loop.prepareTasks()
  loop.prepareSync()
  loop.prepareJobs()
  loop.prepareForeign()
  if !beginReplay(loop, wanted) {
    _ = rondo_loop_release(loop.handle)
    return -ENOMEM
  }
  outLoop.pointee = loop.handle
  return RONDO_OK
}

@_cdecl("rondo_loop_retain") @implementation
public func rondo_loop_retain(_ loop: OpaquePointer?) -> rondo_status {
  if loop == nil { return RONDO_OK }
  guard let found = LoopRef.find(loop) else { return LoopRef.refuse(loop) }
  return Global.retain(Raw(found.s), unused: true)  // as long as it is found it lives
}

@_cdecl("rondo_loop_release") @implementation
public func rondo_loop_release(_ loop: OpaquePointer?) -> rondo_status {
  if loop == nil { return RONDO_OK }
  guard let found = LoopRef.find(loop) else { return LoopRef.refuse(loop) }
  return Global.release(Raw(found.s)) {
    found.endUnused()
    Registry.settleLate()
  }
}

@_cdecl("rondo_loop_close") @implementation
public func rondo_loop_close(
  _ loop: OpaquePointer?, _ outReport: UnsafeMutablePointer<rondo_close_report>?
) -> rondo_status {
  guard let found = LoopRef.find(loop) else { return LoopRef.refuse(loop) }
  var report = rondo_close_report()
  let known = MemoryLayout<rondo_close_report>.size
  if let outReport, Int(outReport.pointee.size) < known || outReport.pointee.size > 4096 { return -EINVAL }
  let status = found.shut(&report)
  Registry.settleLate()
  if let outReport, status == RONDO_OK {
    let size = outReport.pointee.size
    report.size = size
    memset(outReport, 0, Int(size))
    memcpy(outReport, &report, Swift.min(Int(size), known))
  }
  return status
}

// MARK: - running

@_cdecl("rondo_loop_run_forever") @implementation
public func rondo_loop_run_forever(_ loop: OpaquePointer?) -> rondo_status {
  guard let found = LoopRef.find(loop) else { return LoopRef.refuse(loop) }
  return found.runForever()
}

@_cdecl("rondo_loop_stop") @implementation
public func rondo_loop_stop(_ loop: OpaquePointer?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  return found.stop()
}

@_cdecl("rondo_loop_is_running") @implementation
public func rondo_loop_is_running(_ loop: OpaquePointer?) -> Int32 {
  guard let found = LoopRef.find(loop), rondo_load64(&found.s.pointee.owner) > Owner.dead else { return 0 }
  return rondo_load32(&found.s.pointee.runningFlag) == Phase.running ? 1 : 0
}

@_cdecl("rondo_loop_is_closed") @implementation
public func rondo_loop_is_closed(_ loop: OpaquePointer?) -> Int32 {
  guard let found = LoopRef.find(loop) else { return 1 }
  return rondo_load64(&found.s.pointee.owner) == Owner.closed ? 1 : 0
}

@_cdecl("rondo_loop_time") @implementation
public func rondo_loop_time(_ loop: OpaquePointer?, _ outTime: UnsafeMutablePointer<Int64>?) -> rondo_status {
  guard let found = LoopRef.find(loop) else { return LoopRef.refuse(loop) }
  guard let outTime else { return -EINVAL }
  if rondo_load64(&found.s.pointee.owner) == Owner.forked { return RONDO_E_WRONG_PROCESS }
  outTime.pointee = found.now
  return RONDO_OK
}

// MARK: - which loop

@_cdecl("rondo_running_loop") @implementation
public func rondo_running_loop() -> OpaquePointer? {
  address(rondo_thread()!.pointee.running).flatMap { LoopRef($0).handle }
}

@_cdecl("rondo_get_event_loop") @implementation
public func rondo_get_event_loop(_ outLoop: OutHandle?) -> rondo_status {
  guard let outLoop else { return -EINVAL }
  guard let found = rondo_running_loop() ?? opaque(rondo_thread()!.pointee.current) else { return RONDO_E_NO_LOOP }
  outLoop.pointee = found
  return RONDO_OK
}

@_cdecl("rondo_set_event_loop") @implementation
public func rondo_set_event_loop(_ loop: OpaquePointer?) -> rondo_status {
  if loop == nil {
    LoopRef.setCurrent(nil)
    return RONDO_OK
  }
  guard let found = LoopRef.find(loop) else { return LoopRef.refuse(loop) }
  LoopRef.setCurrent(found)
  return RONDO_OK
}

// MARK: - embedding

@_cdecl("rondo_loop_get_fd") @implementation
public func rondo_loop_get_fd(_ loop: OpaquePointer?, _ outFd: UnsafeMutablePointer<Int32>?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let outFd else { return -EINVAL }
  let (fd, status) = found.becomeGuest()
  if status == RONDO_OK { outFd.pointee = fd }
  return status
}

@_cdecl("rondo_loop_drive") @implementation
public func rondo_loop_drive(
  _ loop: OpaquePointer?, _ maxCalls: UInt64, _ maxTime: Int64, _ outCalls: UnsafeMutablePointer<UInt64>?
) -> rondo_status {
  guard let found = LoopRef.find(loop) else { return LoopRef.refuse(loop) }
  if maxTime < 0 { return -EINVAL }
  outCalls?.pointee = 0
  return found.drive(maxCalls, maxTime, outCalls)
}

@_cdecl("rondo_loop_begin") @implementation
public func rondo_loop_begin(_ loop: OpaquePointer?) -> rondo_status {
  guard let found = LoopRef.find(loop) else { return LoopRef.refuse(loop) }
  let status = found.begin()
  if status == RONDO_OK { found.s.pointee.isStepped = true }
  return status
}

@_cdecl("rondo_loop_iterate") @implementation
public func rondo_loop_iterate(_ loop: OpaquePointer?, _ maxWait: Int64) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  return found.iterate(maxWait)
}

@_cdecl("rondo_loop_end") @implementation
public func rondo_loop_end(_ loop: OpaquePointer?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  if !found.s.pointee.isStepped || found.s.pointee.inCallback { return RONDO_E_INVALID_STATE }
  found.s.pointee.isStepped = false
  found.finish()
  return RONDO_OK
}

@_cdecl("rondo_loop_set_poll_hooks") @implementation
public func rondo_loop_set_poll_hooks(
  _ loop: OpaquePointer?, _ before: rondo_loop_fn?, _ after: rondo_loop_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return refuse(LoopRef.refuse(loop), arg, drop) }
  let removes = before == nil && after == nil
  found.s.pointee.beforePoll = before
  found.s.pointee.afterPoll = after
  found.pollArg.replace(removes ? .none : Value(pointer: arg, drop: drop))
  if removes { drop?(arg) }
  return RONDO_OK
}

@_cdecl("rondo_loop_reset_after_fork") @implementation
public func rondo_loop_reset_after_fork(_ loop: OpaquePointer?) -> rondo_status {
  guard let found = LoopRef.find(loop) else { return LoopRef.refuse(loop) }
  return found.resetAfterFork()
}

// MARK: - debug

@_cdecl("rondo_loop_get_debug") @implementation
public func rondo_loop_get_debug(_ loop: OpaquePointer?) -> Int32 {
  guard let found = LoopRef.find(loop) else { return 0 }
  return rondo_load32(&found.s.pointee.debug) != 0 ? 1 : 0
}

@_cdecl("rondo_loop_set_debug") @implementation
public func rondo_loop_set_debug(_ loop: OpaquePointer?, _ enabled: Int32) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  if enabled != 0 && enabled != 1 { return -EINVAL }
  found.setDebug(enabled != 0)
  return RONDO_OK
}
