// AsyncGeneratorOperation.swift - the coroutines that ask a generator: anext, asend, athrow, aclose.
//
// Each has two steps: the first asks, the second passes the answer on. In between the generator's
// body is the innermost activation. CPython's objects for these are not started like coroutines:
// an error that is thrown in before the first step goes on into the generator. So these
// are marked, and Drive gives them that step.
//
// Knows: AsyncGenerator, Native. Does not know: who awaits them.

import CRondo
import CRondoShim

struct GeneratorOperation {
  var generator: UInt64  // address, pinned; moves to the question once it is asked
  var question: UInt32
  var isAsked: Bool
  var value: Value  // asend's, or the default
  var error: UInt64  // address, pinned: athrow's
  var thrown: UInt64  // address, pinned: thrown in before it began
  var after: UInt64  // address, pinned: what the end of a part raises at last
  var hasFallback: Bool  // anext with a default, which is then `value`

  typealias Pointer = UnsafeMutablePointer<GeneratorOperation>

  // As CPython shows them in the description of a task.
  static var sendName: StaticString { "<async_generator_asend without __name__>" }
  static var throwName: StaticString { "<async_generator_athrow without __name__>" }

  /// A coroutine with one reference of C's. What it carries moves on success.
  static func make(_ generator: GeneratorRef, _ question: UInt32, value: Value = .none, error: ErrorRef? = nil,
                   after: ErrorRef? = nil, hasFallback: Bool = false) -> CoroutineRef? {
    let drop: rondo_drop_fn = { GeneratorOperation.letGo($0!.assumingMemoryBound(to: GeneratorOperation.self)) }
    let step: rondo_step_fn = { GeneratorOperation.step($1!.assumingMemoryBound(to: GeneratorOperation.self), $2, $3) }
    let name = question == GeneratorQuestion.send ? sendName : throwName
    guard let (made, operation) = CoroutineRef.makeNative(name, step, GeneratorOperation.self, drop) else { return nil }
    generator.pin()
    error?.pin()
    after?.pin()
    operation.initialize(to: GeneratorOperation(
      generator: bits(generator.s), question: question, isAsked: false, value: value, error: bits(error?.state),
      thrown: 0, after: bits(after?.state), hasFallback: hasFallback))
    made.body.add(ActivationBits.asks)
    return made
  }

  private static func letGo(_ s: Pointer) {
    let copy = s.pointee
    s.pointee.value = .none
    take(&s.pointee.error)?.unpin()
    take(&s.pointee.thrown)?.unpin()
    take(&s.pointee.after)?.unpin()
    copy.value.dispose()
    if let generator = address(copy.generator) { GeneratorRef(generator).unpin() }
  }

  /// The error in a word, with its pin.
  private static func take(_ word: inout UInt64) -> ErrorRef? {
    guard let raw = address(word) else { return nil }
    word = 0
    return ErrorRef(raw)
  }

  /// CPython's "coroutine method 'asend' of 'rows'", up to the last quote.
  static func describeUnawaited(_ frame: Raw, _ text: inout Text) {
    let s = frame.assumingMemoryBound(to: GeneratorOperation.self)
    text.add("coroutine method '")
    switch s.pointee.question {
    case GeneratorQuestion.send: text.add("asend")
    case GeneratorQuestion.raise: text.add("athrow")
    default: text.add("aclose")
    }
    text.add("' of '")
    if let generator = address(s.pointee.generator) { text.add(GeneratorRef(generator).body.pointee.name) }
  }

  // MARK: - the two steps

  private static func step(_ s: Pointer, _ sent: Raw?, _ thrown: OpaquePointer?) -> rondo_step {
    if s.pointee.isAsked { return passOn(s, sent, ErrorRef.find(thrown)) }
    s.pointee.isAsked = true
    if let error = ErrorRef.find(thrown) {
      error.pin()
      s.pointee.thrown = bits(error.state)
    }
    let generator = s.pointee.generator
    s.pointee.generator = 0
    return Native.ask(generator, s)
  }

  private static func passOn(_ s: Pointer, _ sent: Raw?, _ thrown: ErrorRef?) -> rondo_step {
    let after = take(&s.pointee.after)
    if let thrown {
      if s.pointee.hasFallback && thrown.isRondo(RONDO_E_STOP_ASYNC_ITERATION) {
        let value = s.pointee.value
        s.pointee.value = .none
        return Native.value(value)
      }
      if let after { thrown.noteContext(after) }
      after?.unpin()
      thrown.pin()
      return Native.raise(thrown)
    }
    if let after { return Native.raise(after) }
    return Native.value(Native.takeSent(sent, held: 0))
  }

  /// Ask, in the first step's own words.
  static func begin(_ s: Pointer, _ generator: GeneratorRef) -> GeneratorRef.Start {
    if let thrown = take(&s.pointee.thrown) { return generator.beginThrown(thrown, s.pointee.question) }
    switch s.pointee.question {
    case GeneratorQuestion.send:
      if s.pointee.hasFallback { return generator.beginSend(.none) }
      let start = generator.beginSend(s.pointee.value)
      if case .body = start { s.pointee.value = .none }
      return start
    case GeneratorQuestion.raise: return generator.beginThrow(take(&s.pointee.error))
    default: return generator.beginThrow(nil, handled: address(s.pointee.after).map { ErrorRef($0) })
    }
  }
}

extension Native {
  /// Ask a generator, whose pin moves.
  static func ask(_ generator: UInt64, _ operation: GeneratorOperation.Pointer?) -> rondo_step {
    act(Act.ask, generator, bits(operation))
    return RONDO_STEP_AWAIT
  }
}

extension Drive {
  /// A body asks a generator, whose pin moves; without an operation, for its next value.
  @inline(never)  // not in the loop's way for those who await futures
  static func ask(_ generator: GeneratorRef, _ operation: Raw?, _ wake: inout Wake) -> Turn {
    let start = operation.map { GeneratorOperation.begin($0.assumingMemoryBound(to: GeneratorOperation.self), generator) }
      ?? generator.beginSend(.none)
    switch start {
    case .body(let woken):
      wake = woken
      return .push(generator.body, generator.body)
    case .nothing: break
    case .raises(let error): wake = .error(error)
    }
    generator.unpin()
    return .again
  }

  /// A coroutine that is not free was awaited: the error, pinned. Its reference is taken.
  @inline(never)  // a mistake in a body
  static func refuseClaim(_ coroutine: CoroutineRef) -> ErrorRef {
    let asks = coroutine.body.has(ActivationBits.asks)
    // By its name, which outlives its frame.
    let isSend = strcmp(coroutine.body.pointee.name!, literal(GeneratorOperation.sendName)) == 0
    let status = coroutine.claim()
    if status != RONDO_E_ALREADY_AWAITED || !asks { return ErrorRef.of(status) }
    return ErrorRef.of(status, sentence: isSend
      ? "cannot reuse already awaited __anext__()/asend()" as StaticString
      : "cannot reuse already awaited aclose()/athrow()")
  }

  /// close() of a coroutine that asks and has not begun: as CPython, it throws into the generator.
  static func closeUnasked(_ coroutine: CoroutineRef) -> ErrorRef? {
    let failure = close(coroutine.body, place(&coroutine.s.pointee.top), place(&coroutine.s.pointee.awaiting))
    guard let failure, GeneratorRef.isEnd(failure) else { return failure }
    failure.unpin()
    return nil
  }

  /// In the closing of a chain: its innermost activation is a generator's body. The error, pinned,
  /// that goes on to the one who asked.
  @inline(never)  // rare
  static func closeGenerator(_ generator: GeneratorRef, throwing failure: ErrorRef?) -> ErrorRef? {
    var top: UInt64 = 0
    var awaiting: UInt64 = 0
    let outcome = runWith(failure ?? ErrorRef.of(RONDO_E_GENERATOR_EXIT), generator.body, &top)
    switch generator.answer(outcome) {
    case .returns(let value):
      value.dispose()
      return nil
    case .raises(let error):
      if !GeneratorRef.isEnd(error) { return error }
      error.unpin()
      return nil
    case .waits(let future): awaiting = bits(future.s)
    default: break
    }
    // Nobody will ever wake it.
    giveUp(generator.body, &top, &awaiting)
    return ErrorRef.of(RONDO_E_RUNTIME, sentence: "coroutine ignored GeneratorExit")
  }
}
