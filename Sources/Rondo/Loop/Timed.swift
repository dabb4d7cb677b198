// Timed.swift - the pass when somebody looks at the clock: slow callbacks and slow polls.
//
// Debug mode and the watchdog run calls this way; a loop without them never comes here (one flag, looked at
// once a pass). What is called is noted before it runs, because a call may end what it is of, and
// told afterwards, because asyncio tells a task as the step has left it.
//
// Reading the clock costs several times as much as a call that does nothing. So where one call ends the
// next begins, and what is read after each is the kernel's coarse clock, as long as that is fine enough for
// what counts as slow. Only when it has moved, every few milliseconds, the real one is read. A time
// that is told this way is too long by less than a tick, never too short.
//
// Knows: Pass, Handle, Watchdog. Does not know: tasks (a hook looks at those).

import CRondo
import CRondoShim

/// What a call is of.
struct Subject {
  var fn: rondo_call_fn
  var arg: Raw?
  var handle: UInt64 = 0  // of a handle
  var task: Raw? = nil  // held

  init(_ call: Call) {
    fn = call.fn
    arg = call.arg
    if call.drop == nil { return }
    if HandleRef.isEntry(call) {
      handle = HandleRef(call.arg!).s.pointee.header.handle
    } else if ThreadHandleRef.isEntry(call) {
      handle = ThreadHandleRef(call.arg!).s.pointee.header.handle
    }
  }

  var taskHandle: UInt64 { task.map { $0.assumingMemoryBound(to: ObjectHeader.self).pointee.handle } ?? 0 }
}

extension LoopRef {
  // MARK: - switches

  func setDebug(_ isOn: Bool) {
    rondo_store32(&s.pointee.debug, isOn ? 1 : 0)
    retime()
  }

  func setWatchdog(_ threshold: Int64) {
    s.pointee.watchdog = threshold
    retime()
  }

  private func retime() {
    s.pointee.isTimed = isDebugging || watchdogThreshold != Int64.max
    s.pointee.isSpecial = s.pointee.isTimed || s.pointee.isArranged
    renewWatchdog()
  }

  // MARK: - running

  /// As runAnyCalls().
  @inline(never)
  func runTimedCalls(until end: UInt, _ limit: UInt64) {
    startWatchdog()
    if s.pointee.isLookOld || isFine { _ = timeTaken() }
    s.pointee.isLookOld = false
    var left = limit
    var isOver = false
    while left > 0 && !isOver {
      left -= 1
      let call = ready.popFirst()
      if ready.pointee.head == end {
        isOver = true
        ready.rewindIfEmpty()
      }
      if runTimed(call) { isOver = true }
    }
    endWatched()
    s.pointee.calls &+= limit - left
  }

  /// True if the run ends at once.
  @inline(__always)
  private func runTimed(_ call: Call) -> Bool {
    var subject = Subject(call)
    let fn = unsafeBitCast(call.fn, to: UInt.self)
    if fn == s.pointee.hooks.stepFn || fn == s.pointee.hooks.doneFn {
      let lookAt = s.pointee.hooks.lookAt
      withUnsafeMutablePointer(to: &subject) { lookAt(Raw($0)) }
    }
    beginWatched(subject)
    if call.context == 0 {
      call.fn(call.arg)
    } else {
      runCall(call)
      Contexts.release(call.context)
    }
    let took = timeTaken()
    let isOver = tidyUpIfNeeded(call.fn)
    if took >= s.pointee.slowCallback && isDebugging && !isOver {
      reportSlow(subject, took)
      _ = timeTaken()  // what the log takes is no call's
    }
    if call.drop != nil || subject.task != nil { return letGo(call, subject) || isOver }
    return isOver
  }

  /// What the call leaves; true if that ends the run at once.
  @inline(never)  // keeps the plain call short
  private func letGo(_ call: Call, _ subject: Subject) -> Bool {
    if let drop = call.drop {
      drop(call.arg)
      _ = timeTaken()
    }
    if let task = subject.task { s.pointee.hooks.lookAway(task) }
    return tidyUpIfNeeded(call.fn)
  }

  /// Less than ten ticks of a coarse clock that ticks a hundred times a second count as slow.
  private var isFine: Bool { s.pointee.slowCallback < 100_000_000 }

  /// The time since this was last asked; on the coarse clock 0 until it moves, and then all of it.
  @inline(__always)
  private func timeTaken() -> Int64 {
    if !isFine {
      let tick = rondo_shim_tick()
      if tick == s.pointee.tick { return 0 }
      s.pointee.tick = tick
    }
    let now = rondo_shim_now()
    let took = now - s.pointee.lastLook
    s.pointee.lastLook = now
    noteTime()
    return took
  }

  private func tidyUpIfNeeded(_ fn: rondo_call_fn) -> Bool {
    UInt64(s.pointee.attention) | rondo_thread()!.pointee.context != 0 && tidyUp(fn)
  }

  // MARK: - telling

  /// "Executing <Task finished name='Task-1' coro=<work()>>"
  func addExecuting(_ subject: Subject, _ text: inout Text) {
    text.add("Executing ")
    if subject.task != nil {
      describe(&text, "", subject.taskHandle)
    } else if subject.handle != 0 {
      describeHandle(&text, "", opaque(subject.handle))
    } else {
      describe("<Handle ", false, unsafeBitCast(subject.fn, to: UInt.self), nil, &text)
    }
  }

  private func reportSlow(_ subject: Subject, _ took: Int64) {
    var text = Text()
    addExecuting(subject, &text)
    text.add(" took ")
    text.addThousandths((took + 500_000) / 1_000_000)
    text.add(" seconds")
    var fields = LogFields()
    fields.add("loop", s.pointee.header.handle)
    fields.add("task", subject.taskHandle)
    fields.add("handle", subject.handle)
    fields.add("duration_ns", took)
    Log.write(RONDO_LOG_WARNING, text.cString, fields)
    FailOn.check(FailOn.blocked, text.cString)
  }

  /// The words and the levels of asyncio in CPython 3.7, which had this last; but only what is too long.
  @inline(never)  // debug mode
  func reportPoll(asked: Int64, took: Int64, _ events: Int32) {
    let level = took >= 1_000_000_000 ? RONDO_LOG_INFO : RONDO_LOG_DEBUG
    // Without an end nothing is overdue.
    if asked < 0 || took - asked < s.pointee.slowCallback || !isDebugging || !Log.takes(level) { return }
    var text = Text()
    text.add("poll ")
    text.addThousandths(asked / 1000)
    text.add(" ms took ")
    text.addThousandths(took / 1000)
    text.add(" ms: ")
    if events == 0 { text.add("timeout") } else { text.add(Int64(events)) }
    if events > 0 { text.add(" events") }
    var fields = LogFields()
    fields.add("loop", s.pointee.header.handle)
    fields.add("timeout_ns", asked)
    fields.add("duration_ns", took)
    fields.add("events", Int64(events))
    Log.write(level, text.cString, fields)
    // The sink may have set a variable, and this is no call.
    Contexts.leave(0, SavedContext(map: 0, entered: 0))
  }

  /// A refused call, for the eyes of who ignores statuses.
  @inline(never)  // a mistake of the program's
  func reportWrongThread() {
    let sentence = Status.message(RONDO_E_WRONG_THREAD)
    if isDebugging && Log.takes(RONDO_LOG_ERROR) {
      var text = Text()
      text.add(sentence)
      var fields = LogFields()
      fields.add("loop", rondo_peek64(&s.pointee.header.handle))
      if let caller = Frames.caller() {
        text.add(", by ")
        Frames.describePlace(caller, &text)
        fields.add("caller", UInt64(caller))
      }
      Log.write(RONDO_LOG_ERROR, text.cString, fields)
    }
    FailOn.check(FailOn.wrongThread, sentence)
  }
}
