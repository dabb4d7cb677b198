// CoroutineApi.swift - the exports of rondo/coroutine.h: objects, driving by hand, actions.
//
// Knows: Coroutine, Drive. Does not know: tasks.

import CRondo
import CRondoShim

// MARK: - objects

@_cdecl("rondo_coroutine_new") @implementation
public func rondo_coroutine_new(
  _ name: UnsafePointer<CChar>?, _ step: rondo_step_fn?, _ frame: Raw?, _ drop: rondo_drop_fn?,
  _ outCoroutine: OutHandle?
) -> rondo_status {
  guard let step, let outCoroutine else { return refuse(-EINVAL, frame, drop) }
  guard let made = CoroutineRef.make(name, step, Value(pointer: frame, drop: drop)) else {
    return refuse(-ENOMEM, frame, drop)
  }
  outCoroutine.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_coroutine_new_with_frame") @implementation
public func rondo_coroutine_new_with_frame(
  _ name: UnsafePointer<CChar>?, _ step: rondo_step_fn?, _ frameSize: Int, _ drop: rondo_drop_fn?,
  _ outFrame: UnsafeMutablePointer<Raw?>?, _ outCoroutine: OutHandle?
) -> rondo_status {
  guard let step, let outFrame, let outCoroutine, frameSize >= 0 else { return -EINVAL }
  guard let frame = calloc(1, max(1, frameSize)) else { return -ENOMEM }
  let value = Value(pointer: frame, drop: drop)
  guard let made = CoroutineRef.make(name, step, value, flags: ActivationBits.ownFrame) else {
    free(frame)
    return -ENOMEM
  }
  outFrame.pointee = frame
  outCoroutine.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_coroutine_retain") @implementation
public func rondo_coroutine_retain(_ coroutine: OpaquePointer?) -> rondo_status {
  if coroutine == nil { return RONDO_OK }
  guard let found = CoroutineRef.find(coroutine) else { return CoroutineRef.explain(coroutine) }
  return Global.retain(Raw(found.s))
}

@_cdecl("rondo_coroutine_release") @implementation
public func rondo_coroutine_release(_ coroutine: OpaquePointer?) -> rondo_status {
  if coroutine == nil { return RONDO_OK }
  guard let found = CoroutineRef.find(coroutine) else { return CoroutineRef.explain(coroutine) }
  return found.releaseUser()
}

// MARK: - by hand

@_cdecl("rondo_coroutine_send") @implementation
public func rondo_coroutine_send(
  _ coroutine: OpaquePointer?, _ value: Raw?, _ outStep: UnsafeMutablePointer<rondo_step>?,
  _ outValue: UnsafeMutablePointer<Raw?>?, _ outError: OutHandle?
) -> rondo_status {
  guard let found = CoroutineRef.find(coroutine) else { return CoroutineRef.explain(coroutine) }
  guard let outStep else { return -EINVAL }
  let status = Drive.refusal(found)
  if status != RONDO_OK { return status }
  if value != nil && !found.body.has(ActivationBits.started) { return RONDO_E_TYPE }
  found.pin()
  tell(Drive.send(found, value), outStep, outValue, outError)
  found.unpin()
  return RONDO_OK
}

@_cdecl("rondo_coroutine_throw") @implementation
public func rondo_coroutine_throw(
  _ coroutine: OpaquePointer?, _ error: OpaquePointer?, _ outStep: UnsafeMutablePointer<rondo_step>?,
  _ outValue: UnsafeMutablePointer<Raw?>?, _ outError: OutHandle?
) -> rondo_status {
  guard let found = CoroutineRef.find(coroutine) else { return CoroutineRef.explain(coroutine) }
  guard let given = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  guard let outStep else { return -EINVAL }
  let status = Drive.refusal(found)
  if status != RONDO_OK { return status }
  found.pin()
  tell(Drive.throwing(found, given), outStep, outValue, outError)
  found.unpin()
  return RONDO_OK
}

private func tell(
  _ outcome: Outcome, _ outStep: UnsafeMutablePointer<rondo_step>, _ outValue: UnsafeMutablePointer<Raw?>?,
  _ outError: OutHandle?
) {
  outValue?.pointee = nil
  outError?.pointee = nil
  switch outcome {
  case .yields(let value):
    outStep.pointee = RONDO_STEP_YIELD
    outValue?.pointee = value
  case .waits(let future):
    outStep.pointee = RONDO_STEP_AWAIT
    outValue?.pointee = future.handle.map { Raw($0) }
  case .returns(let value):
    outStep.pointee = RONDO_STEP_RETURN
    if let outValue { outValue.pointee = value.pointer } else { value.dispose() }
  case .raises(let error):
    outStep.pointee = RONDO_STEP_RAISE
    giveOut(error, outError)
    error.unpin()
  case .item: invariant(false, "the body of a coroutine is a generator's")
  }
}

@_cdecl("rondo_coroutine_close") @implementation
public func rondo_coroutine_close(_ coroutine: OpaquePointer?, _ outError: OutHandle?) -> rondo_status {
  guard let found = CoroutineRef.find(coroutine) else { return CoroutineRef.explain(coroutine) }
  outError?.pointee = nil
  if found.body.has(ActivationBits.running) { return RONDO_E_ALREADY_RUNNING }
  if found.body.has(ActivationBits.claimed) && !found.body.has(ActivationBits.ended) { return RONDO_E_ALREADY_AWAITED }
  found.pin()
  let isUnasked = found.body.pointee.flags & (ActivationBits.asks | ActivationBits.started) == ActivationBits.asks
  let failure = isUnasked ? Drive.closeUnasked(found) : Drive.close(found)
  let isOpen = !found.body.has(ActivationBits.ended)
  found.unpin()
  guard let failure else { return RONDO_OK }
  if !isOpen { giveOut(failure, outError) }
  failure.unpin()
  return isOpen ? RONDO_E_RUNTIME : RONDO_E_RAISED
}

// MARK: - actions

/// Write down what the running body wants. False, and nothing kept, if `co` is not the one that
/// runs. An action before it in the same step counts for nothing.
@inline(__always)
func act(_ co: OpaquePointer?, _ action: Int32, _ a: UInt64, _ b: UInt64 = 0, _ flags: UInt32 = 0) -> Bool {
  let thread = rondo_thread()!
  if co == nil || thread.pointee.step_co != handleBits(co) { return false }
  if thread.pointee.step_action != Act.none { discardEarlier(thread) }
  thread.pointee.step_action = action
  thread.pointee.step_a = a
  thread.pointee.step_b = b
  thread.pointee.step_flags = flags
  return true
}

@inline(never)
private func discardEarlier(_ thread: UnsafeMutablePointer<rondo_thread>) {
  let earlier = thread.pointee
  thread.pointee.step_action = Act.none
  Drive.discard(earlier.step_action, earlier.step_a, earlier.step_b, earlier.step_flags)
}

/// What an action function answers for a foreign `co`: no step may answer with it.
let noStep: rondo_step = -1

@_cdecl("rondo_coroutine_await") @implementation
public func rondo_coroutine_await(_ co: OpaquePointer?, _ awaitable: Raw?) -> rondo_step {
  awaitThing(co, awaitable, 0)
}

@_cdecl("rondo_coroutine_await_moved") @implementation
public func rondo_coroutine_await_moved(_ co: OpaquePointer?, _ awaitable: Raw?) -> rondo_step {
  awaitThing(co, awaitable, Act.moved)
}

@inline(__always)
private func awaitThing(_ co: OpaquePointer?, _ awaitable: Raw?, _ flags: UInt32) -> rondo_step {
  if act(co, Act.await, bits(awaitable), 0, flags) { return RONDO_STEP_AWAIT }
  Drive.letGoOfAwaitable(bits(awaitable), flags & Act.moved != 0)
  return noStep
}

@_cdecl("rondo_coroutine_sleep") @implementation
public func rondo_coroutine_sleep(_ co: OpaquePointer?, _ delay: Int64) -> rondo_step {
  if delay <= 0 { return act(co, Act.yield, 0) ? RONDO_STEP_YIELD : noStep }
  return act(co, Act.sleep, UInt64(bitPattern: delay)) ? RONDO_STEP_AWAIT : noStep
}

@_cdecl("rondo_coroutine_yield") @implementation
public func rondo_coroutine_yield(_ co: OpaquePointer?, _ value: Raw?) -> rondo_step {
  act(co, Act.yield, bits(value)) ? RONDO_STEP_YIELD : noStep
}

@_cdecl("rondo_coroutine_return") @implementation
public func rondo_coroutine_return(_ co: OpaquePointer?, _ value: Raw?, _ drop: rondo_drop_fn?) -> rondo_step {
  if act(co, Act.value, bits(value), UInt64(unsafeBitCast(drop, to: UInt.self))) { return RONDO_STEP_RETURN }
  drop?(value)
  return noStep
}

@_cdecl("rondo_coroutine_raise") @implementation
public func rondo_coroutine_raise(_ co: OpaquePointer?, _ error: OpaquePointer?) -> rondo_step {
  if let given = ErrorRef.find(error) {
    given.pin()
    return raise(co, given)
  }
  return raise(co, ErrorRef.of(ErrorRef.explain(error)))
}

/// Raise an error whose pin moves.
private func raise(_ co: OpaquePointer?, _ error: ErrorRef) -> rondo_step {
  if act(co, Act.raise, bits(error.state)) { return RONDO_STEP_RAISE }
  error.unpin()
  return noStep
}

@_cdecl("rondo_coroutine_raise_new") @implementation
public func rondo_coroutine_raise_new(
  _ co: OpaquePointer?, _ domain: Int32, _ code: Int32, _ message: UnsafePointer<CChar>?
) -> rondo_step {
  var made: OpaquePointer?
  let status = rondo_error_new(domain, code, message, &made)
  guard status == RONDO_OK, let error = ErrorRef.find(made) else { return raise(co, ErrorRef.of(status)) }
  _ = Global.moveToPin(error.state)
  return raise(co, error)
}

@_cdecl("rondo_coroutine_raise_status") @implementation
public func rondo_coroutine_raise_status(
  _ co: OpaquePointer?, _ status: rondo_status, _ operation: UnsafePointer<CChar>?
) -> rondo_step {
  raise(co, ErrorRef.of(Status.isFailure(status) ? status : -EINVAL, operation))
}

/// `co` is not the running body: why not.
private func refusalToTake(_ co: OpaquePointer?) -> rondo_status {
  if CoroutineRef.find(co) != nil || TaskRef.find(co) != nil || GeneratorRef.find(co) != nil { return RONDO_E_INVALID_STATE }
  let status = CoroutineRef.explain(co)
  return status == RONDO_E_BAD_HANDLE ? TaskRef.refuse(co) : status
}

@_cdecl("rondo_coroutine_take_sent") @implementation
public func rondo_coroutine_take_sent(_ co: OpaquePointer?, _ outValue: UnsafeMutablePointer<Raw?>?) -> rondo_status {
  let thread = rondo_thread()!
  if co == nil || thread.pointee.step_co != handleBits(co) { return refusalToTake(co) }
  guard let outValue else { return -EINVAL }
  if let held = address(thread.pointee.sent_value)?.assumingMemoryBound(to: Value.self) {
    if held.pointee.isKept { return RONDO_E_INVALID_STATE }
    thread.pointee.sent_value = 0
    outValue.pointee = held.pointee.pointer
    held.pointee.drop = nil
    return RONDO_OK
  }
  guard let raw = address(thread.pointee.sent_future), let value = FutureRef(raw).take() else {
    return RONDO_E_INVALID_STATE
  }
  thread.pointee.sent_future = 0
  outValue.pointee = value.pointer
  return RONDO_OK
}
