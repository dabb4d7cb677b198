// ReplayApi.swift - the exports of rondo/replay.h, and what a new loop's options say about them.
//
// Knows: Clock, Schedule. Does not know: how the order is made.

import CRondo
import CRondoShim

// MARK: - options

let replayFlags = UInt32(
  RONDO_LOOP_VIRTUAL_CLOCK | RONDO_LOOP_MANUAL_CLOCK | RONDO_LOOP_ANY_ORDER | RONDO_LOOP_PRINT_SCHEDULE)

func isClockPossible(_ flags: UInt32) -> Bool {
  let both = UInt32(RONDO_LOOP_VIRTUAL_CLOCK | RONDO_LOOP_MANUAL_CLOCK)
  return flags & both != both
}

/// False if memory is out.
func beginReplay(_ loop: LoopRef, _ options: rondo_loop_options) -> Bool {
  if options.flags & UInt32(RONDO_LOOP_VIRTUAL_CLOCK) != 0 {
    rondo_poke32(&loop.s.pointee.clockKind, ClockKind.virtual)
  } else if options.flags & UInt32(RONDO_LOOP_MANUAL_CLOCK) != 0 {
    rondo_poke32(&loop.s.pointee.clockKind, ClockKind.manual)
  }
  var flags = options.flags
  let seed = options.seed != 0 ? options.seed : seedOfEnvironment(&flags)
  return loop.beginSchedule(seed: seed, flags: flags)
}

/// RONDO_SEED: a number, perhaps with ":any" behind it. Anything else is no seed.
private func seedOfEnvironment(_ flags: inout UInt32) -> UInt64 {
  guard let text = Environment.value(of: "RONDO_SEED") else { return 0 }
  var end: UnsafeMutablePointer<CChar>?
  let seed = strtoull(text, &end, 0)
  guard let end, end != text else { return 0 }
  if strcmp(end, literal(":any")) == 0 {
    flags |= UInt32(RONDO_LOOP_ANY_ORDER)
    return UInt64(seed)
  }
  return end[0] == 0 ? UInt64(seed) : 0
}

// MARK: - the clock

@_cdecl("rondo_loop_advance") @implementation
public func rondo_loop_advance(_ loop: OpaquePointer?, _ delta: Int64) -> rondo_status {
  let (found, status) = anyones(loop)
  return found?.advance(delta) ?? status
}

@_cdecl("rondo_loop_hold") @implementation
public func rondo_loop_hold(_ loop: OpaquePointer?) -> rondo_status {
  let (found, status) = anyones(loop)
  return found?.hold() ?? status
}

@_cdecl("rondo_loop_unhold") @implementation
public func rondo_loop_unhold(_ loop: OpaquePointer?) -> rondo_status {
  let (found, status) = anyones(loop)
  return found?.unhold() ?? status
}

/// The loop, whatever thread this is, but not in a child of its process.
private func anyones(_ loop: OpaquePointer?) -> (LoopRef?, rondo_status) {
  guard let found = LoopRef.find(loop) else { return (nil, LoopRef.refuse(loop)) }
  if rondo_load64(&found.s.pointee.owner) == Owner.forked { return (nil, RONDO_E_WRONG_PROCESS) }
  return (found, RONDO_OK)
}

// MARK: - the order

@_cdecl("rondo_loop_set_choice") @implementation
public func rondo_loop_set_choice(
  _ loop: OpaquePointer?, _ fn: rondo_choice_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return refuse(LoopRef.refuse(loop), arg, drop) }
  let kept = fn == nil ? Value.none : Value(pointer: arg, drop: drop)
  if !found.setChoice(fn, kept) { return refuse(-ENOMEM, arg, drop) }
  if fn == nil { drop?(arg) }
  return RONDO_OK
}

/// A loop of this thread, also a closed one, that has a schedule.
private func readable(_ loop: OpaquePointer?) -> (LoopRef?, rondo_status) {
  guard let found = LoopRef.find(loop) else { return (nil, LoopRef.refuse(loop)) }
  return found.isReadable ? (found, RONDO_OK) : (nil, found.refusal)
}

@_cdecl("rondo_loop_get_seed") @implementation
public func rondo_loop_get_seed(_ loop: OpaquePointer?, _ outSeed: UnsafeMutablePointer<UInt64>?) -> rondo_status {
  let (found, status) = readable(loop)
  guard let found else { return status }
  guard let outSeed else { return -EINVAL }
  outSeed.pointee = found.plan.pointee.seed
  return RONDO_OK
}

@_cdecl("rondo_loop_get_schedule_hash") @implementation
public func rondo_loop_get_schedule_hash(_ loop: OpaquePointer?, _ outHash: UnsafeMutablePointer<UInt64>?)
  -> rondo_status
{
  let (found, status) = readable(loop)
  guard let found else { return status }
  guard let outHash else { return -EINVAL }
  if !found.s.pointee.isArranged { return RONDO_E_INVALID_STATE }
  outHash.pointee = found.plan.pointee.hash
  return RONDO_OK
}
