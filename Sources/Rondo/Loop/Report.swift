// Report.swift - what nobody handled goes to the exception handler.
//
// The context of a report names objects by handle, never by address: a handler may keep it longer
// than they live.
//
// Knows: Error, Log, Handle. Does not know: futures and tasks (they describe themselves through
// a hook).

import CRondo
import CRondoShim

struct ReportState {
  var header: ObjectHeader
  var message: UnsafeMutablePointer<CChar>?
  var error: UInt64  // address, pinned
  var future: UInt64  // handle
  var task: UInt64  // handle
  var handle: UInt64  // handle
  var asyncgen: UInt64  // handle
  var source: UInt64  // the number of the stack that made what it is about, 0 for none
}

struct ReportRef {
  let s: UnsafeMutablePointer<ReportState>

  static let size = MemoryLayout<ReportState>.stride

  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: ReportState.self) }

  static func find(_ handle: OpaquePointer?) -> ReportRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.report, size) else { return nil }
    return ReportRef(found)
  }

  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }

  var error: ErrorRef? { address(s.pointee.error).map { ErrorRef($0) } }

  /// With one of C's references; nil if memory is out.
  static func make(_ message: UnsafePointer<CChar>?) -> ReportRef? {
    var copy: UnsafeMutablePointer<CChar>?
    if let message {
      copy = copyString(message)
      if copy == nil { return nil }
    }
    guard let slot = Global.take(Kind.report, size) else {
      free(copy)
      return nil
    }
    let made = ReportRef(slot)
    made.s.pointee.message = copy
    made.s.pointee.error = 0
    made.s.pointee.future = 0
    made.s.pointee.task = 0
    made.s.pointee.handle = 0
    made.s.pointee.asyncgen = 0
    made.s.pointee.source = 0
    return made
  }

  func setError(_ error: ErrorRef?) {
    let old = self.error
    error?.pin()
    s.pointee.error = error.map { bits($0.state) } ?? 0
    old?.unpin()
  }

  func releaseUser() -> rondo_status { Global.release(Raw(s)) { end() } }

  func unpin() { if Global.unpin(Raw(s)) { end() } }

  private func end() {
    error?.unpin()
    free(s.pointee.message)
    Global.give(Kind.report, Raw(s))
  }
}

extension LoopRef {
  // MARK: - the handler

  /// Report something; the objects are named by handle, 0 for none.
  func report(_ message: UnsafePointer<CChar>, _ error: ErrorRef?, future: UInt64 = 0, task: UInt64 = 0,
              handle: UInt64 = 0, asyncgen: UInt64 = 0) {
    guard let report = ReportRef.make(message) else { return Log.write(RONDO_LOG_ERROR, message) }
    report.setError(error)
    report.s.pointee.future = future
    report.s.pointee.task = task
    report.s.pointee.handle = handle
    report.s.pointee.asyncgen = asyncgen
    report.s.pointee.source = UInt64(Origins.trace(of: future != 0 ? future : task != 0 ? task : handle != 0 ? handle : asyncgen))
    callHandler(report)
    _ = report.releaseUser()
  }

  /// Call the handler; what it raises is reported itself and never escapes.
  func callHandler(_ report: ReportRef) {
    guard let handler = s.pointee.onException else { return logReport(report) }
    Global.pin(Raw(s))  // the handler may let go of a loop that does not run
    defer { unpinLoop() }
    // What is being reported now is no longer what the handler may raise.
    let before = takeRaised()
    let wasInCallback = s.pointee.inCallback
    s.pointee.inCallback = true
    inContext(of: report) { onExceptionArg.use { handler(self.handle, report.handle, $0) } }
    s.pointee.inCallback = wasInCallback
    if let raised = takeRaised() {
      if raised.leavesLoop {
        escape(raised)
      } else {
        logHandlerFailure(raised, report)
      }
      raised.unpin()
    }
    if let before { setRaised(before) }
  }

  /// In the context of the task that is reported, if there is one. (A callback is reported while its
  /// own is still current.)
  private func inContext(of report: ReportRef, _ body: () -> Void) {
    let task = report.s.pointee.task != 0 ? report.s.pointee.task : report.s.pointee.future
    var saved = SavedContext(map: 0, entered: 0)
    let isIn = task != 0 && s.pointee.hooks.enterContext(task, &saved)
    body()
    if isIn { s.pointee.hooks.leaveContext(task, &saved) }
  }

  private func logHandlerFailure(_ raised: ErrorRef, _ report: ReportRef) {
    if !Log.takes(RONDO_LOG_ERROR) { return }
    var text = Text()
    text.add("Unhandled error in exception handler\ncontext: ")
    text.add(report.s.pointee.message.map { UnsafePointer($0) } ?? literal("Unhandled exception in event loop"))
    text.add("\n")
    raised.describeFully(&text)
    var fields = LogFields()
    fields.add("loop", s.pointee.header.handle)
    fields.add("status", Int64(raised.status))
    log(text.cString, fields,
        "Exception in default exception handler while handling an unexpected error in custom exception handler")
  }

  /// Log for the default handler. The sink is the program's and may raise; asyncio has a sentence for that.
  private func log(_ message: UnsafePointer<CChar>, _ fields: LogFields, _ broken: StaticString) {
    Global.pin(Raw(s))  // as in callHandler
    defer { unpinLoop() }
    let before = takeRaised()
    let wasInCallback = s.pointee.inCallback
    s.pointee.inCallback = true
    Log.write(RONDO_LOG_ERROR, message, fields)
    if let raised = takeRaised() {
      if raised.leavesLoop { escape(raised) } else { logBroken(raised, broken) }
      raised.unpin()
    }
    s.pointee.inCallback = wasInCallback
    if let before { setRaised(before) }
  }

  @inline(never)  // once in a program's life
  private func logBroken(_ raised: ErrorRef, _ sentence: StaticString) {
    var text = Text()
    text.add(sentence)
    text.add("\n")
    raised.describeFully(&text)
    Log.write(RONDO_LOG_ERROR, text.cString)
    takeRaised()?.unpin()  // it stays broken
  }

  /// The default handler.
  func logReport(_ report: ReportRef) {
    if !Log.takes(RONDO_LOG_ERROR) { return }
    var text = Text()
    text.add(report.s.pointee.message.map { UnsafePointer($0) } ?? literal("Unhandled exception in event loop"))
    let state = report.s
    describe(&text, "\nasyncgen: ", state.pointee.asyncgen)
    describe(&text, "\nfuture: ", state.pointee.future)
    if state.pointee.handle != 0 { describeHandle(&text, "\nhandle: ", opaque(state.pointee.handle)) }
    Origins.addStack(
      UInt32(truncatingIfNeeded: state.pointee.source), "\nsource_traceback: Object created at (most recent call last):", &text)
    if state.pointee.task != state.pointee.future { describe(&text, "\ntask: ", state.pointee.task) }
    if let error = report.error {
      text.add("\n")
      error.describeFully(&text)
    }
    log(text.cString, fields(report), "Exception in default exception handler")
  }

  private func fields(_ report: ReportRef) -> LogFields {
    var fields = LogFields()
    fields.add("loop", s.pointee.header.handle)
    fields.add("future", report.s.pointee.future)
    fields.add("task", report.s.pointee.task)
    fields.add("handle", report.s.pointee.handle)
    if let error = report.error { fields.add("status", Int64(error.status)) }
    return fields
  }

  func describe(_ text: inout Text, _ key: StaticString, _ handle: UInt64) {
    if handle == 0 { return }
    text.add(key)
    let describe = s.pointee.hooks.describe
    withUnsafeMutablePointer(to: &text) { describe(handle, Raw($0)) }
  }

  /// "<TimerHandle cancelled work()>", behind `key`; nothing if it is gone. In debug mode also where
  /// the function is and who made it.
  func describeHandle(_ text: inout Text, _ key: StaticString, _ handle: OpaquePointer?) {
    if let found = HandleRef.find(handle) {
      text.add(key)
      describe(found.has(HandleBits.timer) ? "<TimerHandle " : "<Handle ", found.isCancelled,
               unsafeBitCast(found.s.pointee.call.fn, to: UInt.self), Raw(found.s), &text)
    } else if let posted = ThreadHandleRef.find(handle) {
      text.add(key)
      describe("<_ThreadSafeHandle ", rondo_load32(&posted.s.pointee.isCancelled) != 0,
               unsafeBitCast(posted.s.pointee.call.fn, to: UInt.self), Raw(posted.s), &text)
    }
  }

  func describe(_ kind: StaticString, _ isCancelled: Bool, _ fn: UInt, _ slot: Raw?, _ text: inout Text) {
    text.add(kind)
    if isCancelled { text.add("cancelled ") }
    addName(fn, &text)
    if isDebugging { Frames.addPlace(ofFunction: fn, &text) }
    if let slot { Origins.addPlace(slot, &text) }
    text.add(">")
  }

  func addName(_ function: UInt, _ text: inout Text) {
    Frames.addName(ofFunction: function, looksUp: isDebugging, &text)
  }

  // MARK: - raising

  private func takeRaised() -> ErrorRef? {
    guard let raw = address(s.pointee.raised) else { return nil }
    s.pointee.raised = 0
    s.pointee.attention &= ~Attention.raised
    return ErrorRef(raw)
  }

  /// The pin moves.
  private func setRaised(_ error: ErrorRef) {
    takeRaised()?.unpin()
    s.pointee.raised = bits(error.state)
    s.pointee.attention |= Attention.raised
  }

  /// rondo_loop_raise.
  func raise(_ error: ErrorRef) -> rondo_status {
    if !s.pointee.inCallback { return RONDO_E_INVALID_STATE }
    error.pin()
    setRaised(error)
    return RONDO_OK
  }

  /// End the run with an error that leaves the loop.
  func escape(_ error: ErrorRef) {
    error.pin()
    if let old = address(s.pointee.escaped) { ErrorRef(old).unpin() }
    s.pointee.escaped = bits(error.state)
    s.pointee.attention |= Attention.escape
  }

  func takeEscaped() -> ErrorRef? {
    guard let raw = address(s.pointee.escaped) else { return nil }
    s.pointee.escaped = 0
    return ErrorRef(raw)
  }

  /// The callback that just returned raised.
  @inline(never)
  func reportRaised(_ fn: rondo_call_fn, _ handle: UInt64?) {
    guard let error = takeRaised() else { return }
    if error.leavesLoop { escape(error) } else { reportCallback(fn, error, handle ?? 0) }
    error.unpin()
  }

  @inline(never)
  func reportEntered(_ fn: rondo_call_fn, _ handle: UInt64?) {
    let error = ErrorRef.of(RONDO_E_RUNTIME, sentence: "cannot enter context: it is already entered")
    reportCallback(fn, error, handle ?? 0)
    error.unpin()
  }

  private func reportCallback(_ fn: rondo_call_fn, _ error: ErrorRef, _ handle: UInt64) {
    var text = Text()
    text.add("Exception in callback ")
    addName(unsafeBitCast(fn, to: UInt.self), &text)
    report(text.cString, error, handle: handle)
  }
}
