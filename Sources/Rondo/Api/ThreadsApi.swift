// ThreadsApi.swift - the exports of rondo/threads.h that tie loops and threads together.
//
// Knows: Chain. Does not know: inboxes.

import CRondo
import CRondoShim

@_cdecl("rondo_loop_run_coroutine_threadsafe") @implementation
public func rondo_loop_run_coroutine_threadsafe(
  _ loop: OpaquePointer?, _ coroutine: OpaquePointer?, _ outFuture: OutHandle?
) -> rondo_status {
  guard let given = CoroutineRef.find(coroutine) else { return CoroutineRef.explain(coroutine) }
  guard let found = LoopRef.find(loop) else {
    let status = LoopRef.refuse(loop)
    LoopRef.closeAndRelease(given)
    return status
  }
  let refused = Drive.refusal(given)
  if refused != RONDO_OK {
    _ = given.releaseUser()
    return refused
  }
  let (future, status) = Chain.run(found, handleBits(loop), given)
  guard let future else {
    LoopRef.closeAndRelease(given)
    return status
  }
  if let outFuture { outFuture.pointee = future.handle } else { _ = future.releaseUser() }
  return RONDO_OK
}

@_cdecl("rondo_wrap_future") @implementation
public func rondo_wrap_future(_ loop: OpaquePointer?, _ threadFuture: OpaquePointer?, _ outFuture: OutHandle?)
  -> rondo_status
{
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let source = ThreadFutureRef.find(threadFuture) else { return ThreadFutureRef.explain(threadFuture) }
  guard let outFuture else { return -EINVAL }
  let (made, status) = Chain.wrap(found, source)
  guard let made else { return status }
  outFuture.pointee = made.handle
  return RONDO_OK
}
