// RaceApi.swift - the exports of rondo/race.h.
//
// Knows: StaggeredRace. Does not know: who runs when.

import CRondo
import CRondoShim

@_cdecl("rondo_staggered_race") @implementation
public func rondo_staggered_race(
  _ count: Int, _ delay: Int64, _ fn: rondo_race_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?, _ outCoroutine: OutHandle?
) -> rondo_status {
  guard let fn, let outCoroutine, count >= 0, count <= RacePointer.most else { return refuse(-EINVAL, arg, drop) }
  guard let made = StaggeredRace.make(count, delay, fn, Value(pointer: arg, drop: drop)) else {
    return refuse(-ENOMEM, arg, drop)
  }
  outCoroutine.pointee = made.handle
  return RONDO_OK
}
