// GeneratorApi.swift - the exports of rondo/generator.h.
//
// Knows: AsyncGenerator and its operations. Does not know: how a body is run.

import CRondo
import CRondoShim

// MARK: - objects

@_cdecl("rondo_async_generator_new") @implementation
public func rondo_async_generator_new(
  _ name: UnsafePointer<CChar>?, _ step: rondo_step_fn?, _ frame: Raw?, _ drop: rondo_drop_fn?,
  _ outGenerator: OutHandle?
) -> rondo_status {
  guard let step, let outGenerator else { return refuse(-EINVAL, frame, drop) }
  guard let made = GeneratorRef.make(name, step, Value(pointer: frame, drop: drop)) else {
    return refuse(-ENOMEM, frame, drop)
  }
  outGenerator.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_async_generator_new_with_frame") @implementation
public func rondo_async_generator_new_with_frame(
  _ name: UnsafePointer<CChar>?, _ step: rondo_step_fn?, _ frameSize: Int, _ drop: rondo_drop_fn?,
  _ outFrame: UnsafeMutablePointer<Raw?>?, _ outGenerator: OutHandle?
) -> rondo_status {
  guard let step, let outFrame, let outGenerator, frameSize >= 0 else { return -EINVAL }
  guard let frame = calloc(1, max(1, frameSize)) else { return -ENOMEM }
  let value = Value(pointer: frame, drop: drop)
  guard let made = GeneratorRef.make(name, step, value, flags: ActivationBits.ownFrame) else {
    free(frame)
    return -ENOMEM
  }
  outFrame.pointee = frame
  outGenerator.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_async_generator_retain") @implementation
public func rondo_async_generator_retain(_ generator: OpaquePointer?) -> rondo_status {
  if generator == nil { return RONDO_OK }
  guard let found = GeneratorRef.find(generator) else { return GeneratorRef.explain(generator) }
  return Global.retain(found.raw)
}

@_cdecl("rondo_async_generator_release") @implementation
public func rondo_async_generator_release(_ generator: OpaquePointer?) -> rondo_status {
  if generator == nil { return RONDO_OK }
  guard let found = GeneratorRef.find(generator) else { return GeneratorRef.explain(generator) }
  return found.releaseUser()
}

@_cdecl("rondo_async_generator_get_name") @implementation
public func rondo_async_generator_get_name(_ generator: OpaquePointer?) -> UnsafePointer<CChar>? {
  GeneratorRef.find(generator)?.body.pointee.name
}

@_cdecl("rondo_async_generator_get_state") @implementation
public func rondo_async_generator_get_state(_ generator: OpaquePointer?, _ outState: UnsafeMutablePointer<Int32>?)
  -> rondo_status
{
  guard let found = GeneratorRef.find(generator) else { return GeneratorRef.explain(generator) }
  guard let outState else { return -EINVAL }
  outState.pointee = found.progress
  return RONDO_OK
}

// MARK: - asking

/// Hand the coroutine of an operation out. The hook may let go of the generator.
private func handOut(_ generator: GeneratorRef, _ outCoroutine: OutHandle, _ make: () -> CoroutineRef?) -> rondo_status {
  generator.pin()
  generator.noteFirst()
  let made = make()
  generator.unpin()
  guard let made else { return -ENOMEM }
  outCoroutine.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_async_generator_anext") @implementation
public func rondo_async_generator_anext(_ generator: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  guard let found = GeneratorRef.find(generator) else { return GeneratorRef.explain(generator) }
  guard let outCoroutine else { return -EINVAL }
  return handOut(found, outCoroutine) { GeneratorOperation.make(found, GeneratorQuestion.send) }
}

@_cdecl("rondo_async_generator_anext_default") @implementation
public func rondo_async_generator_anext_default(
  _ generator: OpaquePointer?, _ value: Raw?, _ drop: rondo_drop_fn?, _ outCoroutine: OutHandle?
) -> rondo_status {
  guard let found = GeneratorRef.find(generator) else { return refuse(GeneratorRef.explain(generator), value, drop) }
  guard let outCoroutine else { return refuse(-EINVAL, value, drop) }
  let status = handOut(found, outCoroutine) {
    GeneratorOperation.make(found, GeneratorQuestion.send, value: Value(pointer: value, drop: drop), hasFallback: true)
  }
  return status == RONDO_OK ? status : refuse(status, value, drop)
}

@_cdecl("rondo_async_generator_asend") @implementation
public func rondo_async_generator_asend(
  _ generator: OpaquePointer?, _ value: Raw?, _ drop: rondo_drop_fn?, _ outCoroutine: OutHandle?
) -> rondo_status {
  guard let found = GeneratorRef.find(generator) else { return refuse(GeneratorRef.explain(generator), value, drop) }
  guard let outCoroutine else { return refuse(-EINVAL, value, drop) }
  let status = handOut(found, outCoroutine) {
    GeneratorOperation.make(found, GeneratorQuestion.send, value: Value(pointer: value, drop: drop))
  }
  return status == RONDO_OK ? status : refuse(status, value, drop)
}

@_cdecl("rondo_async_generator_athrow") @implementation
public func rondo_async_generator_athrow(
  _ generator: OpaquePointer?, _ error: OpaquePointer?, _ outCoroutine: OutHandle?
) -> rondo_status {
  guard let found = GeneratorRef.find(generator) else { return GeneratorRef.explain(generator) }
  guard let given = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  guard let outCoroutine else { return -EINVAL }
  return handOut(found, outCoroutine) { GeneratorOperation.make(found, GeneratorQuestion.raise, error: given) }
}

@_cdecl("rondo_async_generator_aclose") @implementation
public func rondo_async_generator_aclose(_ generator: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  guard let found = GeneratorRef.find(generator) else { return GeneratorRef.explain(generator) }
  guard let outCoroutine else { return -EINVAL }
  return handOut(found, outCoroutine) { GeneratorOperation.make(found, GeneratorQuestion.close) }
}

@_cdecl("rondo_async_generator_exit") @implementation
public func rondo_async_generator_exit(
  _ generator: OpaquePointer?, _ thrown: OpaquePointer?, _ outCoroutine: OutHandle?
) -> rondo_status {
  guard let found = GeneratorRef.find(generator) else { return GeneratorRef.explain(generator) }
  let given = ErrorRef.find(thrown)
  if given == nil && thrown != nil { return ErrorRef.explain(thrown) }
  guard let outCoroutine else { return -EINVAL }
  return handOut(found, outCoroutine) { GeneratorOperation.make(found, GeneratorQuestion.close, after: given) }
}

// MARK: - actions

@_cdecl("rondo_coroutine_yield_value") @implementation
public func rondo_coroutine_yield_value(_ co: OpaquePointer?, _ value: Raw?, _ drop: rondo_drop_fn?) -> rondo_step {
  if act(co, Act.item, bits(value), UInt64(unsafeBitCast(drop, to: UInt.self))) { return RONDO_STEP_YIELD }
  drop?(value)
  return noStep
}

@_cdecl("rondo_coroutine_anext") @implementation
public func rondo_coroutine_anext(_ co: OpaquePointer?, _ generator: OpaquePointer?) -> rondo_step {
  guard let found = GeneratorRef.find(generator) else {
    let why = GeneratorRef.explain(generator)
    return act(co, Act.ask, 0, UInt64(UInt32(bitPattern: why))) ? RONDO_STEP_AWAIT : noStep
  }
  if co == nil || rondo_thread()!.pointee.step_co != handleBits(co) { return noStep }
  found.pin()
  found.noteFirst()
  _ = act(co, Act.ask, bits(found.s))
  return RONDO_STEP_AWAIT
}

// MARK: - loops

@_cdecl("rondo_loop_set_asyncgen_hooks") @implementation
public func rondo_loop_set_asyncgen_hooks(
  _ loop: OpaquePointer?, _ first: rondo_async_generator_fn?, _ finalizer: rondo_async_generator_fn?, _ arg: Raw?,
  _ drop: rondo_drop_fn?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return refuse(LoopRef.refuse(loop), arg, drop) }
  let removes = first == nil && finalizer == nil
  if !found.setGeneratorHooks(first, finalizer, removes ? .none : Value(pointer: arg, drop: drop)) {
    return refuse(-ENOMEM, arg, drop)
  }
  if removes { drop?(arg) }
  return RONDO_OK
}

@_cdecl("rondo_loop_get_asyncgen_hooks") @implementation
public func rondo_loop_get_asyncgen_hooks(
  _ loop: OpaquePointer?, _ outFirst: UnsafeMutablePointer<rondo_async_generator_fn?>?,
  _ outFinalizer: UnsafeMutablePointer<rondo_async_generator_fn?>?, _ outArg: UnsafeMutablePointer<Raw?>?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let outFirst, let outFinalizer else { return -EINVAL }
  let hooks = found.generatorHooks?.pointee
  outFirst.pointee = hooks?.first
  outFinalizer.pointee = hooks?.finalizer
  outArg?.pointee = hooks?.arg.value.pointer
  return RONDO_OK
}

@_cdecl("rondo_loop_shutdown_asyncgens") @implementation
public func rondo_loop_shutdown_asyncgens(_ loop: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let outCoroutine else { return -EINVAL }
  guard let made = GeneratorShutdown.make(found) else { return -ENOMEM }
  outCoroutine.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_exception_context_get_asyncgen") @implementation
public func rondo_exception_context_get_asyncgen(_ context: OpaquePointer?) -> OpaquePointer? {
  ReportRef.find(context).flatMap { opaque($0.s.pointee.asyncgen) }
}
