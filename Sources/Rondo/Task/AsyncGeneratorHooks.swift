// AsyncGeneratorHooks.swift - what a loop knows of generators, and what becomes of one that is
// dropped half-way.
//
// The list holds nobody: generators unlist themselves when they end, in any thread, so the links
// are under the lock of the generators' slab, and who takes one from the list must get a pin
// before it believes in it. The list names loops by handle: a generator may outlive its loop.
//
// A generator that is dropped half-way comes to life once more: a call in the loop's inbox holds
// it, and awaits its aclose() in a new task. So cleaning up may await, in a thread where it can.
//
// Knows: AsyncGenerator, its operations, Task, Inbox. Does not know: how generators are closed together.

import CRondo
import CRondoShim

/// What the program sets in place of the loop's own; made when it first does.
struct GeneratorHooks {
  var first: rondo_async_generator_fn?
  var finalizer: rondo_async_generator_fn?
  var arg: Setting
}

extension GeneratorRef {
  static var lock: UnsafeMutablePointer<UInt32> { rondo_global_lock(Kind.generator) }

  // MARK: - the first question

  /// Once: make it known to the loop that runs in this thread.
  @inline(__always)
  func noteFirst() {
    if !has(GeneratorBits.asked) { noteFirstNow() }
  }

  @inline(never)  // once a generator
  private func noteFirstNow() {
    if !add(GeneratorBits.asked) { return }
    guard let running = address(rondo_thread()!.pointee.running) else { return }
    let loop = LoopRef(running)
    if loop.isClosed { return }
    s.pointee.loop = loop.s.pointee.header.handle
    if let hooks = loop.generatorHooks, let first = hooks.pointee.first {
      let handle = handle
      pin()
      place(&hooks.pointee.arg).use { first(loop.handle, handle, $0) }
      return unpin()
    }
    if loop.s.pointee.generatorsShut { warnShut() }
    list(loop)
  }

  private func warnShut() {
    var text = Text()
    text.add("asynchronous generator ")
    describe(&text)
    text.add(" was scheduled after loop.shutdown_asyncgens() call")
    Log.write(RONDO_LOG_WARNING, text.cString)
  }

  // MARK: - the list, a circle

  private func list(_ loop: LoopRef) {
    rondo_lock(GeneratorRef.lock)
    defer { rondo_unlock(GeneratorRef.lock) }
    let first = address(loop.s.pointee.generators).map { GeneratorRef($0) } ?? self
    let last = first.s == s ? self : GeneratorRef(address(first.s.pointee.previous)!)
    s.pointee.next = bits(first.s)
    s.pointee.previous = bits(last.s)
    last.s.pointee.next = bits(s)
    first.s.pointee.previous = bits(s)
    loop.s.pointee.generators = bits(first.s)
    _ = add(GeneratorBits.listed)
  }

  func unlist() {
    if !has(GeneratorBits.listed) { return }
    rondo_lock(GeneratorRef.lock)
    unlistLocked()
    rondo_unlock(GeneratorRef.lock)
  }

  /// Under the lock, under which a loop with a list is alive.
  func unlistLocked() {
    guard has(GeneratorBits.listed), let loop = LoopRef.find(opaque(s.pointee.loop)) else { return }
    _ = rondo_and32(&s.pointee.state, ~GeneratorBits.listed)
    let next = GeneratorRef(address(s.pointee.next)!)
    let previous = GeneratorRef(address(s.pointee.previous)!)
    next.s.pointee.previous = bits(previous.s)
    previous.s.pointee.next = bits(next.s)
    if loop.s.pointee.generators == bits(s) { loop.s.pointee.generators = next.s == s ? 0 : bits(next.s) }
  }

  // MARK: - dropped half-way

  /// Have the loop close it. False if there is none that could, or it was asked to before.
  func leaveToLoop() -> Bool {
    if s.pointee.loop == 0 || has(GeneratorBits.closed) || !add(GeneratorBits.finalized) { return false }
    guard let loop = LoopRef.find(opaque(s.pointee.loop)) else { return false }
    pin()
    let call = Call(
      fn: { GeneratorRef($0!).finalize() }, arg: raw, drop: { GeneratorRef($0!).unpin() }, context: Contexts.capture())
    // On the loop's own thread without the inbox, behind which tasks that start would get ahead.
    let isLeft = loop.isMine ? loop.schedule(call) : loop.post(call, handle: s.pointee.loop) == RONDO_OK
    if isLeft { return true }
    Contexts.release(call.context)
    _ = Global.unpin(raw)
    return false
  }

  /// In a pass of its loop.
  private func finalize() {
    guard let loop = LoopRef.find(opaque(s.pointee.loop)), !loop.isClosed else { return }
    if let hooks = loop.generatorHooks, let finalizer = hooks.pointee.finalizer {
      _ = add(GeneratorBits.givenAway)
      place(&hooks.pointee.arg).use { finalizer(loop.handle, handle, $0) }
      return
    }
    // Without memory for a task the call's drop closes it as well as can be.
    guard let closing = GeneratorOperation.make(self, GeneratorQuestion.close) else { return }
    _ = loop.createTask(closing, LoopRef.TaskOptions(), user: false)
  }
}

extension LoopRef {
  var generatorHooks: UnsafeMutablePointer<GeneratorHooks>? {
    address(s.pointee.generatorHooks)?.assumingMemoryBound(to: GeneratorHooks.self)
  }

  /// False if memory is out; the argument moves on success.
  func setGeneratorHooks(_ first: rondo_async_generator_fn?, _ finalizer: rondo_async_generator_fn?, _ arg: Value) -> Bool {
    if generatorHooks == nil {
      guard let made = allocateArray(GeneratorHooks.self, 1) else { return false }
      made.initialize(to: GeneratorHooks(first: nil, finalizer: nil, arg: .none))
      s.pointee.generatorHooks = bits(made)
    }
    let hooks = generatorHooks!
    hooks.pointee.first = first
    hooks.pointee.finalizer = finalizer
    place(&hooks.pointee.arg).replace(arg)
    return true
  }

  /// The loop is closed: it closes no generator any more, and no call of a hook is under way.
  func forgetGenerators() {
    rondo_lock(GeneratorRef.lock)
    while let first = address(s.pointee.generators) { GeneratorRef(first).unlistLocked() }
    rondo_unlock(GeneratorRef.lock)
    guard let hooks = generatorHooks else { return }
    s.pointee.generatorHooks = 0
    place(&hooks.pointee.arg).replace(.none)
    free(hooks)
  }
}
