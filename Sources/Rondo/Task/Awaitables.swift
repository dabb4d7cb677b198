// Awaitables.swift - futures of what can be awaited, running until one is done, listing tasks.
//
// Knows: Task, Run. Does not know: gather and its like.

import CRondo
import CRondoShim

extension LoopRef {
  /// ensure_future: a future or task gives itself, a coroutine a new task. The future is pinned
  /// once for the caller; a coroutine's reference moves on every return.
  func ensureFuture(_ awaitable: OpaquePointer?, isQuiet: Bool = false) -> (FutureRef?, Bool, rondo_status) {
    if let future = FutureRef.find(awaitable) {
      if future.loop.s != s { return (nil, false, RONDO_E_WRONG_LOOP) }
      future.pin()
      return (future, false, RONDO_OK)
    }
    guard let coroutine = CoroutineRef.find(awaitable) else { return (nil, false, LoopRef.refuseAwaitable(awaitable)) }
    var options = TaskOptions()
    options.isQuiet = isQuiet
    // C's reference keeps it through an eager first step; it becomes the caller's pin.
    let (task, status) = createTask(coroutine, options, user: true)
    guard let task else { return (nil, false, status) }
    task.future.pin()
    _ = task.future.releaseUser()
    return (task.future, true, RONDO_OK)
  }

  /// Coroutines move on every return, refusals included: one that was not taken is closed.
  static func letGo(awaitable: OpaquePointer?) {
    if let coroutine = CoroutineRef.find(awaitable) { closeAndRelease(coroutine) }
  }

  static func refuseAwaitable(_ awaitable: OpaquePointer?) -> rondo_status {
    if awaitable == nil { return -EINVAL }
    var status = FutureRef.refuse(awaitable)
    if status == RONDO_E_BAD_HANDLE { status = CoroutineRef.explain(awaitable) }
    return status == RONDO_E_BAD_HANDLE ? RONDO_E_TYPE : status
  }

  // MARK: - running until one is done

  /// The rest of run_until_complete; the run has begun.
  func runUntilComplete(_ awaitable: OpaquePointer?, _ outFuture: UnsafeMutablePointer<OpaquePointer?>?) -> rondo_status {
    let (future, isNew, status) = beforeRunning { ensureFuture(awaitable, isQuiet: true) }
    guard let future else { return status }
    let result = run(until: future, isNew: isNew)
    if let outFuture {
      _ = Owned.retain(future.raw)
      outFuture.pointee = future.handle
    }
    future.unpin()
    return result
  }

  /// Make the task that a run is for. In asyncio the loop does not run yet, so its first step is
  /// never eager, whatever a task factory asks for.
  func beforeRunning<T>(_ make: () -> T) -> T {
    s.pointee.taskMaking |= TaskMaking.beforeRun
    let made = make()
    s.pointee.taskMaking &= ~TaskMaking.beforeRun
    return made
  }

  func run(until future: FutureRef, isNew: Bool) -> rondo_status {
    let stopper: rondo_future_fn = { future, _ in
      guard let done = FutureRef.find(future) else { return }
      // Such an error ends the run by itself.
      if let error = done.error, done.state == RONDO_FUTURE_EXCEPTION, error.leavesLoop { return }
      _ = done.loop.stop()
    }
    let added = future.addCallback(stopper, Value(pointer: Raw(s), drop: nil), Contexts.capture())
    if added != RONDO_OK { return added }
    let end = runPasses()
    let mine = unsafeBitCast(stopper, to: UInt.self)
    _ = future.removeCallbacks { node in
      unsafeBitCast(node.pointee.fn, to: UInt.self) == mine
    }
    if end != RONDO_OK {
      // asyncio reads the exception of a task that only this call knows.
      if isNew && future.isDone { future.remove(FutureBits.unread) }
      return end
    }
    return future.isDone ? RONDO_OK : RONDO_E_LOOP_STOPPED
  }

  // MARK: - listing

  /// Fill in up to `capacity` tasks that are not done, each retained; how many there are.
  func listTasks(_ tasks: UnsafeMutablePointer<OpaquePointer?>?, _ capacity: Int) -> Int {
    var count = 0
    Slab.forEach(self.tasks) { raw in
      let task = FutureRef(raw)
      if task.isDone { return }
      if count < capacity, Owned.retain(raw) == RONDO_OK { tasks![count] = task.handle }
      count += 1
    }
    return count
  }

  /// As listTasks, from another thread: the loop's thread makes the list.
  func askForTasks(_ tasks: UnsafeMutablePointer<OpaquePointer?>?, _ capacity: Int,
                   _ outCount: UnsafeMutablePointer<Int>) -> rondo_status {
    if rondo_load32(&s.pointee.runningFlag) == 0 || rondo_load64(&s.pointee.owner) <= Owner.dead { return refusal }
    guard let question = TaskQuestion.make(bits(s), capacity) else { return -ENOMEM }
    let call = Call(
      fn: { TaskQuestion.answer($0!) }, arg: question, drop: { TaskQuestion.leave($0!) }, context: 0)
    let status = post(call, handle: s.pointee.header.handle)
    if status != RONDO_OK {
      TaskQuestion.leave(question)
      TaskQuestion.leave(question)
      return status
    }
    return TaskQuestion.wait(question, tasks, capacity, outCount)
  }
}

/// What one thread asks and the loop's thread answers; whoever leaves last frees it.
struct TaskQuestion {
  var users: UInt32  // any thread
  var isAnswered: UInt32  // any thread, a futex; 2 if the loop was closed instead
  var loop: UInt64
  var tasks: UnsafeMutablePointer<OpaquePointer?>
  var capacity: Int
  var count: Int

  typealias Pointer = UnsafeMutablePointer<TaskQuestion>

  static func make(_ loop: UInt64, _ capacity: Int) -> Pointer? {
    guard let tasks = allocateArray(OpaquePointer?.self, Swift.max(1, capacity)) else { return nil }
    guard let made = allocateArray(TaskQuestion.self, 1) else {
      free(tasks)
      return nil
    }
    made.initialize(to: TaskQuestion(users: 2, isAnswered: 0, loop: loop, tasks: tasks, capacity: capacity, count: 0))
    return made
  }

  static func answer(_ raw: Raw) {
    let question = raw.assumingMemoryBound(to: TaskQuestion.self)
    question.pointee.count = LoopRef(address(question.pointee.loop)!).listTasks(
      question.pointee.tasks, question.pointee.capacity)
    rondo_store32(&question.pointee.isAnswered, 1)
    rondo_shim_wake_all(&question.pointee.isAnswered)
  }

  static func leave(_ raw: Raw) {
    let question = raw.assumingMemoryBound(to: TaskQuestion.self)
    leave(question)
  }

  static func leave(_ question: Pointer) {
    if rondo_load32(&question.pointee.isAnswered) == 0 {
      rondo_store32(&question.pointee.isAnswered, 2)
      rondo_shim_wake_all(&question.pointee.isAnswered)
    }
    if rondo_add32(&question.pointee.users, UInt32.max) != 1 { return }
    // An answer that came too late: nobody took the references in it.
    for i in 0..<Swift.min(question.pointee.count, question.pointee.capacity) {
      if let task = FutureRef.find(question.pointee.tasks[i]) { _ = task.releaseUser() }
    }
    free(question.pointee.tasks)
    free(question)
  }

  static func wait(_ question: Pointer, _ tasks: UnsafeMutablePointer<OpaquePointer?>?, _ capacity: Int,
                   _ outCount: UnsafeMutablePointer<Int>) -> rondo_status {
    let limit = rondo_shim_now() + 10_000_000_000
    while rondo_load32(&question.pointee.isAnswered) == 0 && rondo_shim_now() < limit {
      rondo_shim_wait(&question.pointee.isAnswered, 0, limit)
    }
    let answered = rondo_load32(&question.pointee.isAnswered)
    if answered == 1 {
      outCount.pointee = question.pointee.count
      let filled = Swift.min(question.pointee.count, capacity)
      for i in 0..<filled { tasks![i] = question.pointee.tasks[i] }
      question.pointee.count = 0
    }
    leave(question)
    return answered == 1 ? RONDO_OK : answered == 2 ? RONDO_E_LOOP_CLOSED : RONDO_E_TIMEOUT
  }
}

extension TaskRef {
  /// The context for C, with a reference: the object it was made with, else a copy as of now.
  func contextForUser() -> ContextRef? {
    // While it takes a step in a copy, the copy is the thread's current context.
    let isCurrent = future.loop.s.pointee.currentTask == bits(s) || future.has(FutureBits.stepping)
    return Contexts.forUser(s.pointee.context, copy: isCurrent ? rondo_thread()!.pointee.context : nil)
  }
}
