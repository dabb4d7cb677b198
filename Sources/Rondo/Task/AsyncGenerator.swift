// AsyncGenerator.swift - a body that hands out values, and who may ask it for the next one.
//
// A generator belongs to no loop's memory, as a coroutine: it is made anywhere and let go of
// anywhere. Its body is an Activation at the same place as a coroutine's. Between two questions
// nothing leads to it; while one is answered the body is the innermost activation of whoever asked,
// so awaits, cancellation and closing take the ways that they take for coroutines, and an answer
// costs no pass. `leave` makes of how the body stopped what the one who asked is woken with.
//
// One question at a time: who asks claims the generator with one compare-and-swap, so that a second
// one is told so, in another thread too.
//
// Knows: Coroutine, Drive. Does not know: the coroutines that ask, lists of generators.

import CRondo
import CRondoShim

struct GeneratorState {
  var header: ObjectHeader  // counts atomic: it belongs to no loop
  var loop: UInt64  // handle of the loop that it was first asked in, 0 for none
  var next: UInt64  // under the lock; in the list of that loop
  var previous: UInt64  // under the lock
  var state: UInt32  // any thread, atomic; GeneratorBits
  var question: UInt32  // a GeneratorQuestion; whose who has the claim
  var body: Activation
}

enum GeneratorBits {
  static let running: UInt32 = 1  // somebody's question is being answered
  static let closed: UInt32 = 2  // Python's ag_closed: told to end, or ended
  static let asked: UInt32 = 4  // the hooks for the first iteration were looked at
  static let finalized: UInt32 = 8  // its loop was told that nobody is left
  static let givenAway: UInt32 = 16  // and had its chance, or a finalizer of the program's: a second end is silent
  static let listed: UInt32 = 32  // under the lock
}

enum GeneratorQuestion {
  static let send: UInt32 = 0  // anext and asend
  static let raise: UInt32 = 1  // athrow
  static let close: UInt32 = 2  // aclose
}

struct GeneratorRef {
  let s: UnsafeMutablePointer<GeneratorState>

  static let size = MemoryLayout<GeneratorState>.stride

  @inline(__always)
  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: GeneratorState.self) }

  @inline(never)
  static func find(_ handle: OpaquePointer?) -> GeneratorRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.generator, size) else { return nil }
    return GeneratorRef(found)
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.generator, size)
  }

  @inline(__always)
  var body: ActivationPointer { place(&s.pointee.body) }
  var raw: Raw { Raw(s) }
  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  func pin() { Global.pin(raw) }
  @inline(never)  // in many places
  func unpin() { if Global.unpin(raw) { end() } }
  func releaseUser() -> rondo_status { Global.release(raw) { end() } }

  func has(_ bit: UInt32) -> Bool { rondo_load32(&s.pointee.state) & bit != 0 }
  /// True if it was not there before.
  func add(_ bit: UInt32) -> Bool { rondo_or32(&s.pointee.state, bit) & bit == 0 }
  var isEnded: Bool { body.has(ActivationBits.ended) }

  static func make(_ name: UnsafePointer<CChar>?, _ step: @escaping rondo_step_fn, _ frame: Value, flags: UInt32 = 0)
    -> GeneratorRef?
  {
    guard let slot = Global.take(Kind.generator, size) else { return nil }
    let made = GeneratorRef(slot)
    made.s.pointee.loop = 0
    rondo_store32(&made.s.pointee.state, 0)
    made.s.pointee.question = 0
    made.body.pointee = Activation(
      step: step, frame: frame.pointer, drop: frame.drop, name: name ?? literal("generator"), parent: 0,
      flags: flags, count: 0)
    if CoroutineRef.isOriginWanted { Origins.record(slot) }
    return made
  }

  /// One of the RONDO_GENERATOR_ numbers.
  var progress: Int32 {
    if has(GeneratorBits.running) { return RONDO_GENERATOR_RUNNING }
    if isEnded { return RONDO_GENERATOR_CLOSED }
    return body.has(ActivationBits.started) ? RONDO_GENERATOR_SUSPENDED : RONDO_GENERATOR_CREATED
  }

  /// "<async_generator object rows at 0x...>"
  func describe(_ text: inout Text) {
    text.add("<async_generator object ")
    text.add(body.pointee.name)
    text.add(" at ")
    text.addHex(s.pointee.header.handle)
    text.add(">")
  }

  // MARK: - asking

  /// How a question begins: the body is to be woken with something, or there is an answer already.
  enum Start {
    case body(Wake)
    case nothing
    case raises(ErrorRef)  // pinned
  }

  /// anext and asend; a value moves if the body is to be woken with it.
  func beginSend(_ value: Value) -> Start {
    if !claim(GeneratorQuestion.send) { return .raises(alreadyRunning("anext(): asynchronous generator is already running")) }
    if isEnded {
      _ = add(GeneratorBits.closed)
      return giveBack(.raises(ErrorRef.of(RONDO_E_STOP_ASYNC_ITERATION)))
    }
    if value.pointer != nil && !body.has(ActivationBits.started) {
      return giveBack(.raises(ErrorRef.of(
        RONDO_E_TYPE, sentence: "can't send non-None value to a just-started async generator")))
    }
    return .body(Wake(sent: value.pointer, thrown: nil, value: value, future: nil))
  }

  /// athrow, with its error, whose pin moves; aclose, with none, while `handled` is being handled.
  func beginThrow(_ error: ErrorRef?, handled: ErrorRef? = nil) -> Start {
    let question = error == nil ? GeneratorQuestion.close : GeneratorQuestion.raise
    if isEnded && !has(GeneratorBits.running) {
      error?.unpin()
      return .nothing
    }
    if !claim(question) {
      error?.unpin()
      return .raises(alreadyRunning(question))
    }
    if has(GeneratorBits.closed) {
      error?.unpin()
      return giveBack(.raises(ErrorRef.of(RONDO_E_STOP_ASYNC_ITERATION)))
    }
    if let error { return .body(.error(error)) }
    _ = add(GeneratorBits.closed)
    let exit = ErrorRef.of(RONDO_E_GENERATOR_EXIT)
    if let handled { exit.noteContext(handled) }
    return .body(.error(exit))
  }

  /// An error, whose pin moves, was thrown into the coroutine that asks before it began.
  func beginThrown(_ error: ErrorRef, _ question: UInt32) -> Start {
    if !claim(question) {
      error.unpin()
      return .raises(alreadyRunning(question))
    }
    if isEnded { return giveBack(.raises(error)) }
    return .body(.error(error))
  }

  private func claim(_ question: UInt32) -> Bool {
    if !add(GeneratorBits.running) { return false }
    s.pointee.question = question
    return true
  }

  private func giveBack(_ start: Start) -> Start {
    _ = rondo_and32(&s.pointee.state, ~GeneratorBits.running)
    return start
  }

  private func alreadyRunning(_ question: UInt32) -> ErrorRef {
    switch question {
    case GeneratorQuestion.raise: return alreadyRunning("athrow(): asynchronous generator is already running")
    case GeneratorQuestion.close: return alreadyRunning("aclose(): asynchronous generator is already running")
    default: return alreadyRunning("anext(): asynchronous generator is already running")
    }
  }

  private func alreadyRunning(_ sentence: StaticString) -> ErrorRef {
    ErrorRef.of(RONDO_E_GENERATOR_RUNNING, sentence: sentence)
  }

  // MARK: - answering

  /// What the body's stop means to whoever asked.
  func answer(_ how: Outcome) -> Outcome {
    let closes = s.pointee.question == GeneratorQuestion.close
    switch how {
    case .item(let value):
      if !closes { return .returns(value) }
      value.dispose()
      return .raises(ErrorRef.of(RONDO_E_RUNTIME, sentence: "async generator ignored GeneratorExit"))
    case .returns(let value):
      value.dispose()
      _ = add(GeneratorBits.closed)
      return closes ? .returns(.none) : .raises(ErrorRef.of(RONDO_E_STOP_ASYNC_ITERATION))
    case .raises(let error):
      if !GeneratorRef.isEnd(error) { return how }
      _ = add(GeneratorBits.closed)
      if !closes { return how }
      error.unpin()
      return .returns(.none)
    default: return how
    }
  }

  static func isEnd(_ error: ErrorRef) -> Bool {
    error.isRondo(RONDO_E_STOP_ASYNC_ITERATION) || error.isRondo(RONDO_E_GENERATOR_EXIT)
  }

  /// The body stopped, and leaves the chain.
  @inline(never)  // in the chain's way only where a generator is
  func leave(with how: Outcome) -> Outcome {
    let answer = answer(how)
    leave()
    return answer
  }

  /// The question is answered, or given up: the next one may come. The pin of who asked goes.
  @inline(never)  // as `answer`
  func leave() {
    if has(GeneratorBits.finalized) { _ = add(GeneratorBits.givenAway) }
    _ = rondo_and32(&s.pointee.state, ~GeneratorBits.running)
    unpin()
  }

  // MARK: - the end

  /// Nobody holds it any more; any thread.
  private func end() {
    unlist()
    if !isEnded {
      if leaveToLoop() { return }
      if closeHere() { return }
    }
    Global.give(Kind.generator, raw)
  }

  /// Python's gen_close(), where nobody can await: throw GeneratorExit in, once, and let go of the
  /// rest. True if the body's last step kept the generator.
  private func closeHere() -> Bool {
    pin()
    if body.has(ActivationBits.started) && !has(GeneratorBits.givenAway) {
      if s.pointee.loop != 0 && !has(GeneratorBits.closed) { warnUnasked() }
      var top: UInt64 = 0
      var awaiting: UInt64 = 0
      closeBody(&top, &awaiting)
      Drive.giveUp(body, &top, &awaiting)
    } else {
      body.dropFrame()
    }
    return !Global.unpin(raw)
  }

  private func closeBody(_ top: UnsafeMutablePointer<UInt64>, _ awaiting: UnsafeMutablePointer<UInt64>) {
    switch Drive.runWith(ErrorRef.of(RONDO_E_GENERATOR_EXIT), body, top) {
    case .returns(let value): return value.dispose()
    case .raises(let error):
      if !GeneratorRef.isEnd(error) { logFailure(error) }
      return error.unpin()
    case .item(let value): value.dispose()
    case .waits(let future): awaiting.pointee = bits(future.s)
    case .yields: break
    }
    let ignored = ErrorRef.of(RONDO_E_RUNTIME, sentence: "async generator ignored GeneratorExit")
    logFailure(ignored)
    ignored.unpin()
  }

  private func logFailure(_ error: ErrorRef) {
    var text = Text()
    text.add("Exception ignored while closing generator ")
    describe(&text)
    text.add(":\n")
    error.describeFully(&text)
    addOrigin(&text)
    Log.write(RONDO_LOG_ERROR, text.cString)
  }

  private func warnUnasked() {
    var text = Text()
    text.add("asynchronous generator ")
    describe(&text)
    text.add(" was dropped half-way, and its event loop could not be asked to close it")
    addOrigin(&text)
    Log.write(RONDO_LOG_WARNING, text.cString)
    FailOn.check(FailOn.leaked, literal("asynchronous generator dropped half-way, and its event loop is closed"))
  }

  private func addOrigin(_ text: inout Text) {
    Origins.addStack(
      Origins.trace(of: raw), "\nsource_traceback: Object created at (most recent call last):", &text)
  }
}
