// DebugApi.swift - the exports of rondo/debug.h: the log, what is alive, the alarm.
//
// Knows: Log, the slabs. Does not know: what the objects are; loops count their own.

import CRondo
import CRondoShim

@_cdecl("rondo_log_set_sink") @implementation
public func rondo_log_set_sink(
  _ fn: rondo_log_fn?, _ arg: UnsafeMutableRawPointer?, _ drop: rondo_drop_fn?
) -> rondo_status {
  Log.setSink(fn, Value(pointer: arg, drop: drop))
}

@_cdecl("rondo_log_set_level") @implementation
public func rondo_log_set_level(_ level: Int32) -> rondo_status {
  Log.setLevel(level)
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
