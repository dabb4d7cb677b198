// Task.swift - a future whose outcome is a coroutine's, run by the loop step by step.
//
// A task that was spawned, or made of a coroutine object that nobody else holds, carries the body
// itself: one object a task, 152 bytes. It is pinned by the loop until it is done, so a step in
// the ring needs no pin. At any time exactly one thing will step it: an entry in the ring, or the
// future it awaits.
//
// Knows: Drive, Future. Does not know: who waits for it.

import CRondo
import CRondoShim

struct TaskState {
  var future: FutureState
  var body: Activation  // a nil step: `frame` is the address of a coroutine object, pinned
  var top: UInt64  // the innermost activation, 0 for the root
  var awaiting: UInt64  // address of a future, pinned; 0 for none
  var context: ContextTag  // while a step runs in a copy, the copy is the thread's
  var label: UInt64  // the address of a name, or the number in "Task-<number>" << 1 | 1
  var pending: UInt64  // address of an error, pinned: what the next step is to be woken with
  var nextWaiter: UInt64  // while it awaits: the next one that waits for the same, see Waiters
}

struct TaskRef {
  let s: UnsafeMutablePointer<TaskState>

  static let size = MemoryLayout<TaskState>.stride

  @inline(__always)
  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: TaskState.self) }

  @inline(__always)
  static func find(_ handle: OpaquePointer?) -> TaskRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.task, size) else { return nil }
    return TaskRef(found)
  }

  @inline(never)
  static func owned(_ handle: OpaquePointer?) -> TaskRef? {
    guard let found = find(handle), found.future.loop.isReadable else { return nil }
    return found
  }

  @inline(never)
  static func refuse(_ handle: OpaquePointer?) -> rondo_status {
    if let found = find(handle) { return found.future.loop.refusal }
    return Lookup.explain(handleBits(handle), Kind.task, size)
  }

  @inline(__always)
  var future: FutureRef { FutureRef(Raw(s)) }
  @inline(__always)
  var body: ActivationPointer { place(&s.pointee.body) }
  @inline(__always)
  private var inner: CoroutineRef? { body.pointee.step == nil ? body.pointee.frame.map { CoroutineRef($0) } : nil }
  @inline(__always)
  var root: ActivationPointer { inner?.body ?? body }

  /// The ring's entry for a step.
  @inline(__always)
  var wakeUp: Call { Call(fn: TaskRef.stepFn, arg: Raw(s), drop: nil, context: 0) }

  /// What every step in the ring calls: one function, so that a call can be seen to be a step.
  @inline(__always)
  static var stepFn: rondo_call_fn { { TaskRef($0!).run() } }

  // MARK: - making

  /// A task with one pin, the loop's, and C's if `user`. `body` moves on success.
  @inline(__always)
  static func make(_ loop: LoopRef, _ body: Activation, context: ContextTag, user: Bool) -> TaskRef? {
    guard let slot = Slab.take(loop.tasks, owner: Raw(loop.s)) else { return nil }
    Owned.begin(slot, user: user)
    let made = TaskRef(slot)
    made.future.clear()
    if user { made.future.pin() }
    // Field by field: copied as a whole right after it was written in parts it would stall.
    made.body.pointee.step = body.step
    made.body.pointee.frame = body.frame
    made.body.pointee.drop = body.drop
    made.body.pointee.name = body.name
    made.body.pointee.parent = 0
    rondo_poke32(&made.s.pointee.body.flags, body.flags)
    made.body.pointee.count = 0
    made.s.pointee.top = 0
    made.s.pointee.awaiting = 0
    made.s.pointee.context = context
    made.s.pointee.label = 1
    made.s.pointee.pending = 0
    if loop.isDebugging { Origins.record(slot) }
    return made
  }

  /// Schedule the first step, for which the ring has room, or take it now.
  func start(eager: Bool) {
    let loop = future.loop
    if eager { return run() }
    loop.ready.pushReserved(wakeUp)
    if loop.s.pointee.isGuest { loop.signalHost() }
  }

  // MARK: - stepping

  /// One step, from the ring.
  func run() {
    if future.has(FutureBits.state | FutureBits.inCancelled) { return runInCancelled() }
    let thread = rondo_thread()!
    if s.pointee.top | s.pointee.pending | (s.pointee.context & 1) == 0 && body.pointee.step != nil
      && thread.pointee.step_co | thread.pointee.context | thread.pointee.entered == 0
    {
      runQuickly()
    } else {
      runAnyhow()
    }
  }

  /// As run(), for a task that is done, or in a cancel scope that insists.
  @inline(never)
  private func runInCancelled() {
    if future.isDone { return }
    cancelYield()
    runAnyhow()
  }

  /// As run(), whatever the task's state.
  @inline(never)
  private func runAnyhow() {
    let loop = future.loop
    let wake = takeWake()
    let before = loop.s.pointee.currentTask
    loop.s.pointee.currentTask = bits(s)
    future.add(FutureBits.stepping)
    guard let outcome = runInContext(wake) else {
      future.remove(FutureBits.stepping)
      loop.s.pointee.currentTask = before
      return
    }
    future.remove(FutureBits.stepping)
    loop.s.pointee.currentTask = before
    settle(outcome)
  }

  /// The usual step: the body is the task's own, and nothing but what it awaits wakes it. The
  /// words that travel stay in registers; whatever is out of the ordinary goes on in Drive.
  @inline(__always)
  private func runQuickly() {
    let loop = future.loop
    let thread = rondo_thread()!
    // Calls run from the empty context, with no task as the current one: there is nothing to save.
    thread.pointee.context = s.pointee.context
    s.pointee.context = 0
    loop.s.pointee.currentTask = bits(s)
    var held = takeAwaited()
    while true {
      let answer = callBody(held, thread)
      let action = thread.pointee.step_action
      thread.pointee.step_action = Act.none
      thread.pointee.step_co = 0
      if action == Act.await && answer == RONDO_STEP_AWAIT, let awaited = takeAwaitable(thread) {
        held?.unpin()
        held = awaited
        if awaited.isDone { continue }
        leave(loop, thread)
        return wait(awaited)
      }
      if action == Act.value && answer == RONDO_STEP_RETURN {
        let value = Value(
          pointer: address(thread.pointee.step_a),
          drop: unsafeBitCast(UInt(thread.pointee.step_b), to: rondo_drop_fn?.self))
        held?.unpin()
        body.dropFrame()
        leave(loop, thread)
        return finish(value)
      }
      if action == Act.yield && answer == RONDO_STEP_YIELD && thread.pointee.step_a == 0 {
        held?.unpin()
        leave(loop, thread)
        return stepAgain()
      }
      let outcome = Drive.goOn(body, place(&s.pointee.top), held, answer, action)
      leave(loop, thread)
      return settle(outcome)
    }
  }

  @inline(__always)
  private func takeAwaited() -> FutureRef? {
    guard let awaited = address(s.pointee.awaiting) else { return nil }
    s.pointee.awaiting = 0
    return FutureRef(awaited)
  }

  @inline(__always)
  private func leave(_ loop: LoopRef, _ thread: UnsafeMutablePointer<rondo_thread>) {
    s.pointee.context = thread.pointee.context
    thread.pointee.context = 0
    loop.s.pointee.currentTask = 0
  }

  /// Call the body with the outcome of a done future, or with nothing.
  @inline(__always)
  private func callBody(_ held: FutureRef?, _ thread: UnsafeMutablePointer<rondo_thread>) -> rondo_step {
    var sent: Raw?
    var thrown: OpaquePointer?
    thread.pointee.sent_value = 0
    thread.pointee.sent_future = 0
    if let held {
      if held.outcome() == RONDO_OK {
        sent = held.s.pointee.value.pointer
        thread.pointee.sent_future = bits(held.s)
      } else {
        thrown = held.error!.handle
      }
    }
    body.add(ActivationBits.started)
    thread.pointee.step_co = body.handle
    return body.pointee.step!(opaque(body.handle), body.pointee.frame, sent, thrown)
  }

  /// The future or task that the body awaits, pinned, if it is a good one of this loop.
  @inline(__always)
  private func takeAwaitable(_ thread: UnsafeMutablePointer<rondo_thread>) -> FutureRef? {
    let handle = opaque(thread.pointee.step_a)
    guard let awaited = FutureRef.findPlain(handle) ?? FutureRef.find(handle), awaited.loop.s == future.loop.s else {
      return nil
    }
    if thread.pointee.step_flags & Act.moved == 0 {
      awaited.pin()
    } else if !Owned.moveToPin(awaited.raw) {
      awaited.pin()
      _ = awaited.releaseUser()
    }
    return awaited
  }

  /// What the next step is woken with: what was awaited, unless an error is to be thrown in.
  @inline(__always)
  private func takeWake() -> Wake {
    var wake = Wake.nothing
    if let awaited = address(s.pointee.awaiting) {
      s.pointee.awaiting = 0
      wake = .outcome(FutureRef(awaited))
    }
    if s.pointee.pending == 0 { return wake }
    let error = takePending()!
    // A cancellation that came through what was awaited is the one that is delivered.
    if let thrown = wake.thrown, thrown.isCancellation {
      error.unpin()
      return wake
    }
    wake.letGo()
    return .error(error)
  }

  private func takePending() -> ErrorRef? {
    guard let raw = address(s.pointee.pending) else { return nil }
    s.pointee.pending = 0
    future.remove(FutureBits.mustCancel)
    return ErrorRef(raw)
  }

  /// Nil if the task's context is entered already, which was reported.
  @inline(__always)
  private func runInContext(_ wake: Wake) -> Outcome? {
    let tag = s.pointee.context
    if tag & 1 == 0 {
      s.pointee.context = 0
      let saved = Contexts.enterOwned(tag)
      let outcome = Drive.run(root, place(&s.pointee.top), wake)
      s.pointee.context = Contexts.leaveOwned(saved)
      return outcome
    }
    guard let saved = Contexts.tryEnter(tag) else {
      wake.letGo()
      future.loop.reportEntered(wakeUp.fn, nil)
      return nil
    }
    let outcome = Drive.run(root, place(&s.pointee.top), wake)
    Contexts.leave(tag, saved)
    return outcome
  }

  @inline(__always)
  private func settle(_ outcome: Outcome) {
    switch outcome {
    case .waits(let awaited): wait(awaited)
    case .yields(let value): value == nil ? stepAgain() : refuseYield(value)
    case .returns(let value): finish(value)
    case .raises(let error): finish(error)
    case .item: invariant(false, "the body of a task is a generator's")
    }
  }

  /// Await a future, whose pin moves here.
  @inline(__always)
  private func wait(_ awaited: FutureRef) {
    if awaited.s == future.s { return refuse(awaited, RONDO_E_RUNTIME, "Task cannot await on itself") }
    if awaited.loop.s != future.loop.s {
      return refuse(awaited, RONDO_E_WRONG_LOOP, "Task got Future attached to a different loop")
    }
    awaited.addWaiter(self)
    s.pointee.awaiting = bits(awaited.s)
    if future.has(FutureBits.mustCancel | FutureBits.inCancelled) { passCancellation(to: awaited) }
  }

  @inline(never)  // rare, and it would cost every wait registers
  private func passCancellation(to awaited: FutureRef) {
    if !future.has(FutureBits.mustCancel) { return cancelNewWait(awaited) }
    if awaited.cancel(ErrorRef(address(s.pointee.pending)!)) { takePending()?.unpin() }
  }

  @inline(never)
  private func refuse(_ awaited: FutureRef, _ status: rondo_status, _ sentence: StaticString) {
    awaited.unpin()
    throwNext(ErrorRef.of(status, sentence: sentence))
  }

  @inline(never)
  private func refuseYield(_ value: Raw?) {
    var text = Text()
    text.add("Task got bad yield: ")
    text.addHex(bits(value))
    throwNext(ErrorRef.of(RONDO_E_RUNTIME, nil, text.cString))
  }

  /// Throw an error, whose pin moves, in at the next step, as asyncio does for bad awaits. A
  /// cancellation that waits to be delivered goes first.
  private func throwNext(_ error: ErrorRef) {
    if s.pointee.pending != 0 {
      error.unpin()
    } else {
      s.pointee.pending = bits(error.state)
    }
    stepAgain()
  }

  @inline(__always)
  func stepAgain() {
    let loop = future.loop
    if loop.isClosed { return }
    if loop.schedule(wakeUp) { return }
    future.add(FutureBits.lateStep)
    loop.s.pointee.hasLateWakes = true
  }

  // MARK: - the end

  @inline(__always)
  private func finish(_ value: Value) {
    if s.pointee.pending | future.s.pointee.extra == 0 {
      future.complete(RONDO_FUTURE_RESULT, value)
      future.unpin()
    } else {
      finishAnyhow(value)
    }
  }

  @inline(never)
  private func finishAnyhow(_ value: Value) {
    if future.s.pointee.extra != 0 { leaveScopes() }
    if future.has(FutureBits.mustCancel) {
      // Cancelled while it took its last step: asyncio lets the cancellation win.
      let error = takePending()!
      value.dispose()
      future.becomeCancelled(error)
      error.unpin()
    } else {
      takePending()?.unpin()
      future.complete(RONDO_FUTURE_RESULT, value)
    }
    future.unpin()
  }

  private func finish(_ error: ErrorRef) {
    if future.s.pointee.extra != 0 { leaveScopes() }
    takePending()?.unpin()
    if error.isCancellation {
      future.becomeCancelled(error)
    } else {
      future.fail(error)
      if error.leavesLoop { future.loop.escape(error) }
    }
    error.unpin()
    future.unpin()
  }

  /// What a task holds besides being a future; it is done or given up.
  func freeParts() {
    if body.pointee.step == nil {
      let held = inner
      body.pointee.frame = nil
      held?.unpin()
    } else if !body.has(ActivationBits.ended) {
      body.dropFrame()
    }
    Contexts.release(s.pointee.context)
    setName(nil)
    if s.pointee.pending != 0 { takePending()?.unpin() }
  }

  /// The loop is closed and this was not done: close the coroutine, end as nobody's promise.
  func abandon() {
    let loop = future.loop
    future.pin()
    if !future.has(FutureBits.quiet) {
      let sentence = literal("Task was destroyed but it is pending!")
      loop.report(sentence, nil, task: future.s.pointee.header.handle)
      FailOn.check(FailOn.leaked, sentence)
    }
    if let awaited = address(s.pointee.awaiting) { FutureRef(awaited).removeWaiter(self) }
    if root.has(ActivationBits.started) {
      Drive.close(root, place(&s.pointee.top), place(&s.pointee.awaiting))?.unpin()
    }
    Drive.giveUp(root, place(&s.pointee.top), place(&s.pointee.awaiting))
    if future.s.pointee.extra != 0 { leaveScopes() }
    let error = ErrorRef.of(RONDO_E_BROKEN_PROMISE)
    future.fail(error)
    future.remove(FutureBits.unread)
    error.unpin()
    future.unpin()
    future.unpin()
  }

  // MARK: - cancelling

  /// Task.cancel(), with the chain of awaited tasks walked in a loop. True: asked for.
  ///
  /// Tasks may await each other in a circle, which nothing but a cancellation can end (in CPython
  /// that is a RecursionError). The walk marks where it was, and a task that it meets again is taken
  /// off what it awaits and gets the cancellation itself.
  func cancel(_ error: ErrorRef) -> Bool { CancelWalk.run(future, error) }

  /// The same for a task that is not done, up to the first gather.
  func cancelChain(_ error: ErrorRef) -> CancelWalk.Stop {
    var task = self
    while true {
      if task.future.has(FutureBits.visited) {
        forgetVisits()
        task.breakOut(error)
        return .answer(true)
      }
      task.future.add(FutureBits.visited)
      task.body.pointee.count &+= 1
      guard let awaited = address(task.s.pointee.awaiting).map({ FutureRef($0) }) else { break }
      if !awaited.isTask || awaited.isDone {
        if !awaited.isDone, let gather = Gather.find(awaited), !gather.s.pointee.walk.isUnderWay {
          return .gather(gather, self, task)
        }
        if awaited.cancel(error) {
          forgetVisits()
          return .answer(true)
        }
        break
      }
      task = TaskRef(awaited.raw)
    }
    forgetVisits()
    task.setMustCancel(error)
    return .answer(true)
  }

  /// Take the marks of a walk off again.
  func forgetVisits() {
    var task = self
    while task.future.has(FutureBits.visited) {
      task.future.remove(FutureBits.visited)
      guard let awaited = address(task.s.pointee.awaiting).map({ FutureRef($0) }), awaited.isTask else { return }
      task = TaskRef(awaited.raw)
    }
  }

  /// Wait no longer for what is awaited: the next step gets the cancellation.
  private func breakOut(_ error: ErrorRef) {
    setMustCancel(error)
    guard let awaited = address(s.pointee.awaiting).map({ FutureRef($0) }), !awaited.isDone else { return }
    s.pointee.awaiting = 0
    awaited.removeWaiter(self)
    awaited.unpin()
    stepAgain()
  }

  var hasStarted: Bool { root.has(ActivationBits.started) }

  /// An error that was to be thrown in is not any more, if it is this one.
  func forgetPending(_ error: ErrorRef) {
    if s.pointee.pending == bits(error.state) { takePending()?.unpin() }
  }

  func setMustCancel(_ error: ErrorRef) {
    error.pin()
    takePending()?.unpin()
    s.pointee.pending = bits(error.state)
    future.add(FutureBits.mustCancel)
  }

  /// Task.uncancel().
  func uncancel() -> UInt32 {
    if body.pointee.count > 0 { body.pointee.count -= 1 }
    if body.pointee.count == 0 && future.has(FutureBits.mustCancel) { takePending()?.unpin() }
    return body.pointee.count
  }

  // MARK: - describing

  /// A name, which moves; nil for none.
  @inline(__always)
  func setName(_ name: UnsafeMutablePointer<CChar>?) {
    let old = s.pointee.label
    s.pointee.label = name == nil ? 1 : bits(Raw(name))  // first: a signal handler may read it
    if old & 1 == 0 { free(address(old)) }
  }

  /// What it is called, for a thread that must not look at it itself. Runs in a signal handler.
  func note(_ note: UnsafeMutablePointer<StallNote>) {
    note.pointee.task = s.pointee.future.header.handle
    note.pointee.trace = Origins.trace(of: Raw(s))
    if s.pointee.label & 1 != 0 {
      note.pointee.number = s.pointee.label >> 1
    } else {
      StallNote.copy(address(s.pointee.label), &note.pointee.name)
    }
    StallNote.copy(body.pointee.name.map { Raw(mutating: $0) }, &note.pointee.coroutine)
  }

  func addName(_ text: inout Text) {
    if s.pointee.label & 1 == 0 {
      return text.add(address(s.pointee.label).map { UnsafePointer($0.assumingMemoryBound(to: CChar.self)) })
    }
    text.add("Task-")
    text.add(Int64(bitPattern: s.pointee.label >> 1))
  }
}

// MARK: -

extension LoopRef {
  /// What a task is made of: a body with its frame, or a coroutine object.
  struct TaskOptions {
    var name: UnsafePointer<CChar>?
    var context: OpaquePointer?
    var eager: Int32 = RONDO_EAGER_DEFAULT
    var isQuiet = false
    var scope: UInt64 = 0  // address of the cancel scope that it begins in
  }

  private func startsEagerly(_ wanted: Int32) -> Bool {
    if !s.pointee.isRunning || s.pointee.taskMaking & TaskMaking.beforeRun != 0 { return false }
    return wanted == RONDO_EAGER_YES || (wanted == RONDO_EAGER_DEFAULT && s.pointee.taskMaking & TaskMaking.eager != 0)
  }

  /// A task of a body that moves on success. Nil, and why not.
  func spawn(_ body: Activation, _ options: TaskOptions, user: Bool) -> (TaskRef?, rondo_status) {
    if !ready.hasRoom && !ready.grow(by: 1) { return (nil, -ENOMEM) }
    let (tag, status) = Contexts.tag(named: options.context)
    if status != RONDO_OK { return (nil, status) }
    var name: UnsafeMutablePointer<CChar>?
    if let given = options.name { name = copyString(given) }
    let member = options.scope == 0 ? nil : allocateArray(ScopeMember.self, 1)
    let failed = options.name != nil && name == nil || options.scope != 0 && member == nil
    guard !failed, let made = TaskRef.make(self, body, context: tag, user: user) else {
      free(name)
      free(member)
      Contexts.release(tag)
      return (nil, -ENOMEM)
    }
    if name == nil { made.s.pointee.label = nextTaskNumber() << 1 | 1 } else { made.setName(name) }
    if options.isQuiet { made.future.add(FutureBits.quiet) }
    if let member { made.begin(in: CancelScope(at: options.scope)!, member) }
    return (made, RONDO_OK)
  }

  /// Numbers come from the process in blocks that grow, so that a program with one loop counts
  /// from 1 without a gap and many loops do not fight for one word. What is left of a block goes
  /// back when the loop is closed, if nobody took numbers after it.
  @inline(__always)
  private func nextTaskNumber() -> UInt64 {
    if s.pointee.taskNumber == s.pointee.lastTaskNumber { takeTaskNumbers() }
    s.pointee.taskNumber += 1
    return s.pointee.taskNumber
  }

  @inline(never)
  private func takeTaskNumbers() {
    let size = Swift.min(1024, Swift.max(1, s.pointee.taskNumbersTaken))
    s.pointee.taskNumbersTaken += size
    s.pointee.taskNumber = rondo_add64(&rondo_globals()!.pointee.task_number, size)
    s.pointee.lastTaskNumber = s.pointee.taskNumber + size
  }

  func returnTaskNumbers() {
    _ = rondo_cas64(&rondo_globals()!.pointee.task_number, s.pointee.lastTaskNumber, s.pointee.taskNumber)
    s.pointee.taskNumber = s.pointee.lastTaskNumber
  }

  /// A task without options, started. The ring has room, the current context is empty.
  @inline(__always)
  func spawnPlain(_ step: @escaping rondo_step_fn, _ frame: Raw?, _ drop: rondo_drop_fn?, user: Bool) -> TaskRef? {
    let body = Activation(
      step: step, frame: frame, drop: drop, name: literal("coroutine"), parent: 0, flags: 0, count: 0)
    guard let made = TaskRef.make(self, body, context: 0, user: user) else { return nil }
    made.s.pointee.label = nextTaskNumber() << 1 | 1
    ready.pushPlain(TaskRef.stepFn, made.future.raw)
    return made
  }

  /// Spawn and start. A user's reference keeps the task from going in an eager first step. Last:
  /// whether `body` moved, as it may also do on failure if there is a task factory.
  func spawnAndStart(_ body: Activation, _ options: TaskOptions, user: Bool) -> (TaskRef?, rondo_status, Bool) {
    if s.pointee.taskMaking & TaskMaking.factory != 0 { return spawnByFactory(body, options, user: user) }
    let (made, status) = spawn(body, options, user: user)
    made?.start(eager: startsEagerly(options.eager))
    return (made, status, made != nil)
  }

  /// loop.create_task(): the task factory's task if there is a factory, else makeTask()'s. The
  /// coroutine's reference moves on every return; on failure it is closed.
  func createTask(_ coroutine: CoroutineRef, _ options: TaskOptions, user: Bool) -> (TaskRef?, rondo_status) {
    if s.pointee.taskMaking & TaskMaking.factory != 0 { return createByFactory(coroutine, options, user: user) }
    return makeTask(coroutine, options, user: user)
  }

  /// Task(coroutine, loop=...): as createTask, without the factory.
  func makeTask(_ coroutine: CoroutineRef, _ options: TaskOptions, user: Bool) -> (TaskRef?, rondo_status) {
    if isClosed {
      LoopRef.closeAndRelease(coroutine)
      return (nil, RONDO_E_LOOP_CLOSED)
    }
    let body = coroutine.body
    if body.pointee.flags & ~(ActivationBits.ownFrame | ActivationBits.asks) == 0, Global.isSoleUser(Raw(coroutine.s)) {
      let (made, status) = spawn(body.pointee, options, user: user)
      guard let made else {
        LoopRef.closeAndRelease(coroutine)
        return (nil, status)
      }
      Global.give(Kind.coroutine, Raw(coroutine.s))
      made.start(eager: startsEagerly(options.eager))
      return (made, RONDO_OK)
    }
    return createTaskAround(coroutine, options, user: user)
  }

  /// As createTask, for an object that somebody else holds, too, or that has run already.
  private func createTaskAround(_ coroutine: CoroutineRef, _ options: TaskOptions, user: Bool)
    -> (TaskRef?, rondo_status)
  {
    let claimed = coroutine.claim()
    if claimed != RONDO_OK { return (nil, claimed) }
    let around = Activation(
      step: nil, frame: Raw(coroutine.s), drop: nil, name: coroutine.body.pointee.name, parent: 0, flags: 0, count: 0)
    let (made, status) = spawn(around, options, user: user)
    guard let made else {
      Drive.closeQuietly(coroutine)
      coroutine.unpin()
      return (nil, status)
    }
    adopt(coroutine, made)
    made.start(eager: startsEagerly(options.eager))
    return (made, RONDO_OK)
  }

  /// What was driven by hand goes on in the task.
  private func adopt(_ coroutine: CoroutineRef, _ task: TaskRef) {
    let (innermost, wake) = Drive.takeOver(coroutine)
    task.s.pointee.top = innermost == coroutine.body ? 0 : bits(innermost)
    if let future = wake.future { task.s.pointee.awaiting = bits(future.s) }
    if let error = wake.thrown {
      if wake.future == nil {
        task.s.pointee.pending = bits(error.state)
      } else {
        error.unpin()
      }
    }
  }

  /// Its frame may hold the next one, and so on: see Drops.
  static func closeAndRelease(_ coroutine: CoroutineRef) {
    if Drops.putOff(Value(pointer: Raw(coroutine.s), drop: { LoopRef.closeAndRelease(CoroutineRef($0!)) })) { return }
    Drops.enter()
    defer { Drops.leave() }
    if Drive.refusal(coroutine) == RONDO_OK && Global.isSoleUser(Raw(coroutine.s)) { Drive.closeQuietly(coroutine) }
    _ = coroutine.releaseUser()
  }
}
