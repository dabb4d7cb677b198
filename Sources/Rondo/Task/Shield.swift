// Shield.swift - waits for a future without passing cancellation on to it.
//
// The outer future takes over the inner one's outcome and keeps it for the value's sake. Once the
// outer one is cancelled nobody looks at the inner one any more, so an error that it ends with
// goes to the exception handler, once.
//
// Knows: Future, Awaitables. Does not know: how it is awaited.

import CRondo
import CRondoShim

struct ShieldState {
  var extra: FutureExtra
  var inner: UInt64  // address of a future, pinned
}

enum Shield {
  private static func state(_ outer: FutureRef) -> UnsafeMutablePointer<ShieldState> {
    address(outer.s.pointee.extra)!.assumingMemoryBound(to: ShieldState.self)
  }

  /// The outer future with one reference of C's; `inner`'s pin moves. What is done shields itself.
  static func make(_ inner: FutureRef) -> (FutureRef?, rondo_status) {
    if inner.isDone {
      let status = Owned.retain(inner.raw)
      inner.unpin()
      return (status == RONDO_OK ? inner : nil, status)
    }
    guard let state = allocateArray(ShieldState.self, 1) else {
      inner.unpin()
      return (nil, -ENOMEM)
    }
    guard let outer = FutureRef.make(inner.loop, user: true) else {
      free(state)
      inner.unpin()
      return (nil, -ENOMEM)
    }
    let extra = FutureExtra(
      cancel: { future, error in
        Shield.cancel(FutureRef(future), ErrorRef(error))
        return true
      },
      end: { raw in
        let held = Shield.state(FutureRef(raw))
        FutureRef(address(held.pointee.inner)!).unpin()
        free(held)
      },
      take: { raw, out in
        guard let value = FutureRef(address(Shield.state(FutureRef(raw)).pointee.inner)!).take() else { return false }
        out.assumingMemoryBound(to: Value.self).pointee = value
        return true
      })
    state.initialize(to: ShieldState(extra: extra, inner: bits(inner.s)))
    outer.s.pointee.extra = bits(state)
    outer.add(FutureBits.library)
    return listen(inner, outer)
  }

  private static func listen(_ inner: FutureRef, _ outer: FutureRef) -> (FutureRef?, rondo_status) {
    outer.pin()
    let added = inner.addCallback(
      Shield.onInnerDone, Value(pointer: outer.raw, drop: { if let raw = $0 { FutureRef(raw).unpin() } }), 0)
    if added == RONDO_OK { return (outer, RONDO_OK) }
    outer.unpin()
    _ = outer.releaseUser()
    return (nil, added)
  }

  /// The inner future's callback; its argument is the outer future, nil once that is done.
  static var onInnerDone: rondo_future_fn { { Shield.innerDone($0, $1) } }

  private static func innerDone(_ inner: OpaquePointer?, _ outer: Raw?) {
    guard let inner = FutureRef.find(inner) else { return }
    guard let outer = outer.map({ FutureRef($0) }), !outer.isDone else { return report(inner) }
    switch inner.state {
    case RONDO_FUTURE_CANCELLED: outer.becomeCancelled(ErrorRef.plainCancelled())
    case RONDO_FUTURE_EXCEPTION:
      inner.remove(FutureBits.unread)
      outer.fail(inner.error!)
    default: outer.complete(RONDO_FUTURE_RESULT, Value(pointer: inner.s.pointee.value.pointer, drop: nil))
    }
  }

  /// The outer one goes its own way; the inner one's callback no longer holds it.
  private static func cancel(_ outer: FutureRef, _ error: ErrorRef) {
    outer.pin()
    let inner = FutureRef(address(state(outer).pointee.inner)!)
    outer.becomeCancelled(error)
    inner.forgetCallback(outer.raw)
    outer.unpin()
  }

  private static func report(_ inner: FutureRef) {
    if inner.state != RONDO_FUTURE_EXCEPTION { return }
    inner.remove(FutureBits.unread)
    let error = inner.error!
    // Nobody is left who could complete it, and nobody waits: that is no failure.
    if error.isRondo(RONDO_E_BROKEN_PROMISE) { return }
    var text = Text()
    let name: StaticString =
      error.state.pointee.domain == RONDO_DOMAIN_RONDO
      ? Status.text(error.state.pointee.code)?.exception ?? "Exception"
      : error.state.pointee.domain == RONDO_DOMAIN_POSIX ? "OSError" : "Exception"
    text.add(name)
    text.add(" exception in shielded future")
    inner.loop.report(text.cString, error, future: inner.s.pointee.header.handle)
  }
}
