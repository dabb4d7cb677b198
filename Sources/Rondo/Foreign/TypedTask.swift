// TypedTask.swift - a typed call as a coroutine: its result is the coroutine's, or it makes one.
//
// Knows: TypedCall, Coroutine. Does not know: on whose loop it runs.

import CRondo
import CRondoShim

private struct TypedTaskFrame {
  var call: Raw?  // nil once it has run
  var isMade: Bool  // the coroutine that it made is awaited
}

enum TypedTask {
  /// The call moves on success; nil if memory is out.
  static func make(_ call: TypedCall) -> CoroutineRef? {
    let step: rondo_step_fn = { _, frame, sent, thrown in TypedTask.step(frame!, sent, thrown) }
    let drop: rondo_drop_fn = { frame in
      if let call = frame!.assumingMemoryBound(to: TypedTaskFrame.self).pointee.call { TypedCall(call).drop() }
    }
    guard let (made, frame) = CoroutineRef.makeNative("typed call", step, TypedTaskFrame.self, drop) else { return nil }
    frame.pointee.call = call.raw
    return made
  }

  private static func step(_ raw: Raw, _ sent: Raw?, _ thrown: OpaquePointer?) -> rondo_step {
    let frame = raw.assumingMemoryBound(to: TypedTaskFrame.self)
    if thrown != nil { return Native.raise(nil, thrown) }
    if frame.pointee.isMade { return Native.value(Native.takeSent(sent, held: 0)) }
    let call = TypedCall(frame.pointee.call!)
    call.run()
    frame.pointee.call = nil
    if Int32(call.s.pointee.result) == RONDO_CODE_CORO { return awaitMade(call, frame) }
    var value = Value.none
    return call.becomeResult(&value) ? Native.value(value) : Native.raise(ErrorRef.of(-ENOMEM))
  }

  private static func awaitMade(_ call: TypedCall, _ frame: UnsafeMutablePointer<TypedTaskFrame>) -> rondo_step {
    let made = call.result.load(as: OpaquePointer?.self)
    call.drop()
    if CoroutineRef.find(made) == nil {
      return Native.raise(ErrorRef.of(RONDO_E_TYPE, sentence: "A coroutine object is required"))
    }
    frame.pointee.isMade = true
    return Native.awaits(made, moved: true)
  }
}
