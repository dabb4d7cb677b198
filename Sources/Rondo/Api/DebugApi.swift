// DebugApi.swift - the exports of rondo/debug.h: watching a loop, what is alive, the alarm.
//
// Knows: Loop, the slabs. Does not know: what the objects are; loops count their own.

import CRondo
import CRondoShim

@_cdecl("rondo_loop_set_slow_callback_duration") @implementation
public func rondo_loop_set_slow_callback_duration(_ loop: OpaquePointer?, _ duration: Int64) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  if duration < 0 { return -EINVAL }
  found.s.pointee.slowCallback = duration
  return RONDO_OK
}

@_cdecl("rondo_loop_get_slow_callback_duration") @implementation
public func rondo_loop_get_slow_callback_duration(
  _ loop: OpaquePointer?, _ outDuration: UnsafeMutablePointer<Int64>?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let outDuration else { return -EINVAL }
  outDuration.pointee = found.s.pointee.slowCallback
  return RONDO_OK
}

@_cdecl("rondo_loop_set_watchdog") @implementation
public func rondo_loop_set_watchdog(_ loop: OpaquePointer?, _ threshold: Int64) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  if threshold < 0 { return -EINVAL }
  found.setWatchdog(threshold)
  return RONDO_OK
}

@_cdecl("rondo_debug_live") @implementation
public func rondo_debug_live() -> UInt64 {
  // The two errors of the process are there to stay and nobody's leak.
  let globals = rondo_globals()!
  var kept: UInt64 = 0
  if rondo_load64(&globals.pointee.cancelled_error) != 0 { kept += 1 }
  if rondo_load64(&globals.pointee.memory_error) != 0 { kept += 1 }
  var count = LiveCount.ofLoops()
  var kind: UInt32 = 0
  while kind < UInt32(RONDO_KINDS) {
    rondo_lock(rondo_global_lock(kind))
    count &+= rondo_global_slab(kind).pointee.live
    rondo_unlock(rondo_global_lock(kind))
    kind += 1
  }
  return count > kept ? count &- kept : 0
}

@_cdecl("rondo_debug_trap") @implementation
public func rondo_debug_trap() {
  // An addition that overflows whatever is read, done with Swift's own checked arithmetic: it
  // takes the way that every trap of the core takes.
  let atLeastOne = rondo_peek32(&rondo_globals()!.pointee.log_level) | 1
  rondo_poke32(&rondo_globals()!.pointee.log_level, UInt32.max + atLeastOne)
}

@_cdecl("rondo_debug_check_ffi") @implementation
public func rondo_debug_check_ffi() -> rondo_status {
  rondo_shim_ffi_probe() != 0 ? RONDO_OK : -ENOSYS
}
