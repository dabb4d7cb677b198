// ByHand.swift - driving a coroutine without a task: send, throw, close.
//
// As in Python, closing goes from the inside out: the innermost coroutine gets GeneratorExit
// first, and what it makes of it decides what the next one gets.
//
// Knows: Drive. Does not know: tasks.

import CRondo
import CRondoShim

extension Drive {
  /// Whether it can be driven by hand now.
  static func refusal(_ coroutine: CoroutineRef) -> rondo_status {
    if coroutine.body.has(ActivationBits.running) { return RONDO_E_ALREADY_RUNNING }
    if coroutine.body.has(ActivationBits.claimed | ActivationBits.ended) { return RONDO_E_ALREADY_AWAITED }
    return RONDO_OK
  }

  static func byHand(_ coroutine: CoroutineRef, _ wake: Wake) -> Outcome {
    let outcome = run(coroutine.body, place(&coroutine.s.pointee.top), wake)
    if case .waits(let future) = outcome { coroutine.s.pointee.awaiting = bits(future.s) }
    return outcome
  }

  /// coroutine.send(value).
  static func send(_ coroutine: CoroutineRef, _ value: Raw?) -> Outcome {
    var wake = wakeByHand(coroutine)
    if wake.thrown == nil && wake.future == nil {
      wake.sent = value
      wake.value.pointer = value
    }
    return byHand(coroutine, wake)
  }

  /// coroutine.throw(error): what it awaits is left alone.
  static func throwing(_ coroutine: CoroutineRef, _ error: ErrorRef) -> Outcome {
    letGoOfAwaited(place(&coroutine.s.pointee.awaiting))
    error.pin()
    return byHand(coroutine, .error(error))
  }

  private static func letGoOfAwaited(_ awaiting: UnsafeMutablePointer<UInt64>) {
    guard let future = address(awaiting.pointee) else { return }
    awaiting.pointee = 0
    FutureRef(future).unpin()
  }

  // MARK: - closing

  /// coroutine.close(): nil if it ended as it should, else the error (pinned).
  static func close(_ coroutine: CoroutineRef) -> ErrorRef? {
    if coroutine.body.has(ActivationBits.ended) { return nil }
    if !coroutine.body.has(ActivationBits.started) {
      coroutine.body.dropFrame()
      return nil
    }
    return close(coroutine.body, place(&coroutine.s.pointee.top), place(&coroutine.s.pointee.awaiting))
  }

  static func closeQuietly(_ coroutine: CoroutineRef) { close(coroutine)?.unpin() }

  /// Close a chain from its innermost activation to its root. Nobody else drives it meanwhile.
  static func close(_ root: ActivationPointer, _ top: UnsafeMutablePointer<UInt64>,
                    _ awaiting: UnsafeMutablePointer<UInt64>) -> ErrorRef? {
    root.add(ActivationBits.running)
    letGoOfAwaited(awaiting)
    var at = root.innermost(top.pointee)
    top.pointee = 0
    var failure: ErrorRef?
    while at != root {
      var innermost: UInt64 = 0
      var awaited: UInt64 = 0
      let parent = address(at.pointee.parent)!.assumingMemoryBound(to: Activation.self)
      if at.isGenerator {
        failure = closeGenerator(at.generator, throwing: failure)
      } else {
        failure = closeOne(at, throwing: failure, &innermost, &awaited)
        // One that ignored it, and whatever it awaits now, goes all the same.
        giveUp(at, &innermost, &awaited)
      }
      at.leaveChain()
      at = parent
    }
    failure = closeOne(root, throwing: failure, top, awaiting)
    root.remove(ActivationBits.running)
    return failure
  }

  /// Run one activation by itself with an error, whose pin moves.
  @inline(never)  // else all of `run` is in each place that closes something
  static func runWith(_ error: ErrorRef, _ at: ActivationPointer, _ top: UnsafeMutablePointer<UInt64>) -> Outcome {
    run(at, top, .error(error))
  }

  /// Throw GeneratorExit, or what an inner one failed with, into one activation. If it ignores that,
  /// `top` and `awaiting` tell where it waits now.
  private static func closeOne(
    _ at: ActivationPointer, throwing failure: ErrorRef?, _ top: UnsafeMutablePointer<UInt64>,
    _ awaiting: UnsafeMutablePointer<UInt64>
  ) -> ErrorRef? {
    switch runWith(failure ?? ErrorRef.of(RONDO_E_GENERATOR_EXIT), at, top) {
    case .returns(let value):
      value.dispose()
      return nil
    case .raises(let error):
      if !error.isRondo(RONDO_E_GENERATOR_EXIT) { return error }
      error.unpin()
      return nil
    case .yields, .item: break
    case .waits(let future): awaiting.pointee = bits(future.s)
    }
    return ErrorRef.of(RONDO_E_RUNTIME, sentence: "coroutine ignored GeneratorExit")
  }

  /// Let go of a chain without asking: what is awaited, every frame, every inner object.
  @inline(never)  // at the end of what was not done
  static func giveUp(_ root: ActivationPointer, _ top: UnsafeMutablePointer<UInt64>,
                     _ awaiting: UnsafeMutablePointer<UInt64>) {
    letGoOfAwaited(awaiting)
    var at = root.innermost(top.pointee)
    top.pointee = 0
    while at != root {
      let parent = address(at.pointee.parent)!.assumingMemoryBound(to: Activation.self)
      if !at.has(ActivationBits.ended) { at.dropFrame() }
      at.leaveChain()
      at = parent
    }
    if !root.has(ActivationBits.ended) { root.dropFrame() }
  }
}
