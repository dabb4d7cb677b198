// Error.swift - what went wrong: domain, code, message, operation, cause, context, members.
//
// Errors cross threads and outlive loops, so they are global objects. Everything that holds one
// (a future, another error, a report) pins it; C's references are counted apart.
//
// Causes, contexts and members are links that hold what they lead to, so an error that could be
// reached from itself would never go. No link may close such a circle, whichever way round it
// leads: the links change under one lock for the process, and a new one is made only after a walk
// from its far end has not met its near end. The walk marks what it has seen in the errors
// themselves, which also hold its list of what is left to see, so it needs no memory and meets
// every error once, however many ways lead there. Nearly all are spared it: what no error has
// ever linked to cannot be met.
//
// Knows: GlobalObjects, Status, Text. Does not know: who raises.

import CRondo
import CRondoShim

struct ErrorState {
  var header: ObjectHeader
  var domain: Int32
  var code: Int32
  var message: UnsafeMutablePointer<CChar>?
  var operation: UnsafeMutablePointer<CChar>?
  var causeWord: UInt64  // any thread; address of an error, pinned; written under the lock
  var contextWord: UInt64  // any thread; the same; once a timeout took its place, that holds it
  var members: UnsafeMutablePointer<ErrorRef>?  // pinned; never change
  var count: Int
  var isLinked: Bool  // under the lock; some error has linked to it at some time
  var walk: UInt64  // under the lock; the last walk that met it
  var nextInWalk: UnsafeMutablePointer<ErrorState>?  // under the lock
}

struct ErrorRef {
  let state: UnsafeMutablePointer<ErrorState>

  static let size = MemoryLayout<ErrorState>.stride

  init(_ state: UnsafeMutablePointer<ErrorState>) { self.state = state }

  @inline(__always)
  init(_ raw: Raw) { state = raw.assumingMemoryBound(to: ErrorState.self) }

  @inline(never)
  static func find(_ handle: OpaquePointer?) -> ErrorRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.error, size) else { return nil }
    return ErrorRef(found)
  }

  @inline(never)
  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.error, size)
  }

  @inline(__always)
  var handle: OpaquePointer? { opaque(state.pointee.header.handle) }

  @inline(__always)
  func pin() { Global.pin(state) }

  @inline(never)  // errors are rare, and let go of in many places
  func unpin() { if Global.unpin(state) { end() } }

  func releaseUser() -> rondo_status { Global.release(state) { end() } }

  // MARK: - making

  /// A new error with one reference of C's; nil if memory is out.
  @inline(never)
  static func make(_ domain: Int32, _ code: Int32, _ message: UnsafePointer<CChar>?) -> ErrorRef? {
    var copy: UnsafeMutablePointer<CChar>?
    if let message {
      copy = copyString(message)
      if copy == nil { return nil }
    }
    guard let slot = Global.take(Kind.error, size) else {
      free(copy)
      return nil
    }
    let state = slot.assumingMemoryBound(to: ErrorState.self)
    state.pointee.domain = domain
    state.pointee.code = code
    state.pointee.message = copy
    state.pointee.operation = nil
    rondo_poke64(&state.pointee.causeWord, 0)
    rondo_poke64(&state.pointee.contextWord, 0)
    state.pointee.members = nil
    state.pointee.count = 0
    state.pointee.isLinked = false
    state.pointee.walk = 0
    state.pointee.nextInWalk = nil
    return ErrorRef(state)
  }

  /// A new error that is pinned once and that C does not hold.
  static func pinned(_ code: rondo_status, _ message: UnsafePointer<CChar>?) -> ErrorRef? {
    guard let error = make(RONDO_DOMAIN_RONDO, code, message) else { return nil }
    _ = Global.moveToPin(error.state)
    return error
  }

  /// The error that stands for a status, pinned once; the fallback if memory is out.
  @inline(never)  // failures are rare, and there are many places for them
  static func of(_ status: rondo_status, _ operation: UnsafePointer<CChar>? = nil,
                 _ message: UnsafePointer<CChar>? = nil) -> ErrorRef {
    let own = Status.text(status) != nil
    invariant(own ? status < 0 : status < 0 && status > -4096, "an error was made of what is no failure")
    guard let error = make(own ? RONDO_DOMAIN_RONDO : RONDO_DOMAIN_POSIX, own ? status : -status, message) else {
      let fallback = outOfMemory()
      fallback.pin()
      return fallback
    }
    _ = Global.moveToPin(error.state)
    if let operation { error.state.pointee.operation = copyString(operation) }
    return error
  }

  /// The same with a sentence from the source.
  static func of(_ status: rondo_status, sentence: StaticString) -> ErrorRef {
    of(status, nil, literal(sentence))
  }

  /// More members than any list in memory has; a count beyond is a mistake and nothing is read.
  private static let mostMembers = 1 << 28

  /// A new group with one reference of C's, or nil and why not.
  static func group(_ message: UnsafePointer<CChar>?, _ errors: UnsafePointer<OpaquePointer?>, _ count: Int)
    -> (ErrorRef?, rondo_status)
  {
    // A size_t arrives as an Int: what is above half of it is negative here.
    if count < 1 || count > mostMembers { return (nil, -EINVAL) }
    guard let members = allocateArray(ErrorRef.self, count) else { return (nil, -ENOMEM) }
    let status = pinAll(errors, count, members)
    if status != RONDO_OK {
      free(members)
      return (nil, status)
    }
    guard let error = make(RONDO_DOMAIN_RONDO, RONDO_E_GROUP, message) else {
      for i in 0..<count { members[i].unpin() }
      free(members)
      return (nil, -ENOMEM)
    }
    error.state.pointee.members = members
    error.state.pointee.count = count
    // Nobody knows the group yet, so these links close no circle.
    rondo_lock(linksLock)
    for i in 0..<count { members[i].state.pointee.isLinked = true }
    rondo_unlock(linksLock)
    return (error, RONDO_OK)
  }

  /// Pin each as it is found; on failure none is pinned.
  private static func pinAll(_ errors: UnsafePointer<OpaquePointer?>, _ count: Int,
                             _ members: UnsafeMutablePointer<ErrorRef>) -> rondo_status {
    for i in 0..<count {
      guard let member = find(errors[i]) else {
        let status = explain(errors[i])
        for k in 0..<i { members[k].unpin() }
        return status
      }
      member.pin()
      (members + i).initialize(to: member)
    }
    return RONDO_OK
  }

  // MARK: - the two that must never fail

  /// The cancellation without message or cause; one for the process, never freed.
  static func plainCancelled() -> ErrorRef { shared(&rondo_globals()!.pointee.cancelled_error, RONDO_E_CANCELLED) }

  static func plainCancelledPinned() -> ErrorRef {
    let plain = plainCancelled()
    plain.pin()
    return plain
  }

  static func outOfMemory() -> ErrorRef { shared(&rondo_globals()!.pointee.memory_error, 0) }

  /// Make both; false if memory is out. Every loop does it before anything can need them.
  static func prepareShared() -> Bool {
    let globals = rondo_globals()!
    return prepare(&globals.pointee.cancelled_error, RONDO_DOMAIN_RONDO, RONDO_E_CANCELLED)
      && prepare(&globals.pointee.memory_error, RONDO_DOMAIN_POSIX, ENOMEM)
  }

  private static func prepare(_ place: UnsafeMutablePointer<UInt64>, _ domain: Int32, _ code: Int32) -> Bool {
    if rondo_load64(place) != 0 { return true }
    guard let error = make(domain, code, nil) else { return false }
    _ = Global.moveToPin(error.state)
    if rondo_cas64(place, 0, bits(error.state)) == 0 { error.unpin() }
    return true
  }

  @inline(__always)
  private static func shared(_ place: UnsafeMutablePointer<UInt64>, _ code: Int32) -> ErrorRef {
    if rondo_load64(place) == 0 {
      invariant(prepareShared(), "out of memory for the first error of the process")
    }
    return ErrorRef(address(rondo_load64(place))!)
  }

  // MARK: - reading

  @inline(__always)
  func isRondo(_ code: Int32) -> Bool {
    state.pointee.domain == RONDO_DOMAIN_RONDO && state.pointee.code == code
  }

  var isCancellation: Bool { isRondo(RONDO_E_CANCELLED) }

  /// KeyboardInterrupt and SystemExit: they leave the loop at once.
  var leavesLoop: Bool { isRondo(RONDO_E_INTERRUPTED) || isRondo(RONDO_E_EXIT) }

  var status: rondo_status {
    switch state.pointee.domain {
    case RONDO_DOMAIN_RONDO: return state.pointee.code
    case RONDO_DOMAIN_POSIX: return -state.pointee.code
    case RONDO_DOMAIN_RESOLVER: return RONDO_E_RESOLVER
    default: return RONDO_E_USER
    }
  }

  var message: UnsafePointer<CChar> {
    if let own = state.pointee.message { return UnsafePointer(own) }
    return status == RONDO_E_USER ? literal("") : Status.message(status)
  }

  @inline(__always)
  private static func at(_ word: UnsafeMutablePointer<UInt64>) -> ErrorRef? {
    address(rondo_load64(word)).map { ErrorRef($0) }
  }

  var cause: ErrorRef? { ErrorRef.at(&state.pointee.causeWord) }

  var context: ErrorRef? { ErrorRef.at(&state.pointee.contextWord) }

  /// True for the two that belong to the whole process: what one wrote into them all would read.
  var isShared: Bool {
    let globals = rondo_globals()!
    return bits(state) == rondo_load64(&globals.pointee.cancelled_error)
      || bits(state) == rondo_load64(&globals.pointee.memory_error)
  }

  // MARK: - linking

  private static var linksLock: UnsafeMutablePointer<UInt32> { rondo_links_lock() }

  /// False if `self` can be reached from `cause`. A shared error is left as it is.
  func setCause(_ cause: ErrorRef?) -> Bool {
    if isShared { return true }
    rondo_lock(ErrorRef.linksLock)
    if let cause, cause.reaches(self) {
      rondo_unlock(ErrorRef.linksLock)
      return false
    }
    let old = self.cause
    link(&state.pointee.causeWord, cause)
    rondo_unlock(ErrorRef.linksLock)
    old?.unpin()
    return true
  }

  /// Note what was being handled when this was raised, once, as Python's __context__; not if
  /// `self` can be reached from there. Two threads may raise one error object at the same time:
  /// the lock decides whose context it gets, and readers see a whole one or none.
  func noteContext(_ handled: ErrorRef) {
    if state == handled.state || context != nil || isShared { return }
    rondo_lock(ErrorRef.linksLock)
    if context == nil && !handled.reaches(self) { link(&state.pointee.contextWord, handled) }
    rondo_unlock(ErrorRef.linksLock)
  }

  /// The first cancellation in the chain of contexts becomes a timeout that it caused, as
  /// asyncio.timeout() does when something else was raised while it was being handled. What a
  /// reader may just look at stays: the timeout holds it.
  func noteTimeout() {
    var at = self
    while let context = at.context {
      if context.isCancellation {
        let timeout = ErrorRef.of(RONDO_E_TIMEOUT)
        if !timeout.isShared { at.replaceContext(context, by: timeout) }
        return timeout.unpin()
      }
      at = context
    }
  }

  /// `timeout` is new, so the links that it gets close no circle.
  private func replaceContext(_ old: ErrorRef, by timeout: ErrorRef) {
    _ = timeout.setCause(old)
    timeout.noteContext(old)
    rondo_lock(ErrorRef.linksLock)
    let isStill = context?.state == old.state
    if isStill { link(&state.pointee.contextWord, timeout) }
    rondo_unlock(ErrorRef.linksLock)
    if isStill { old.unpin() }
  }

  /// Under the lock.
  private func link(_ word: UnsafeMutablePointer<UInt64>, _ target: ErrorRef?) {
    target?.pin()
    target?.state.pointee.isLinked = true
    rondo_store64(word, bits(target?.state))
  }

  /// True if the links lead from here to `goal`. Under the lock, so what is reachable stays: a
  /// link is taken away under it, or with its error, which nothing reachable holds then.
  private func reaches(_ goal: ErrorRef) -> Bool {
    if state == goal.state { return true }
    if !goal.state.pointee.isLinked { return false }
    let globals = rondo_globals()!
    globals.pointee.error_walk += 1
    let walk = globals.pointee.error_walk
    var left: UnsafeMutablePointer<ErrorState>?
    func meet(_ error: ErrorRef?) {
      guard let met = error?.state, met.pointee.walk != walk else { return }
      met.pointee.walk = walk
      met.pointee.nextInWalk = left
      left = met
    }
    meet(self)
    while let here = left {
      if here == goal.state { return true }
      left = here.pointee.nextInWalk
      let error = ErrorRef(here)
      meet(error.cause)
      meet(error.context)
      for i in 0..<here.pointee.count { meet(here.pointee.members![i]) }
    }
    return false
  }

  // MARK: - the end

  /// Free this and whatever only it held. A chain of causes may be long, so it is a list, not a
  /// recursion: what ends next is linked through `operation`, which is freed first.
  private func end() {
    var doomed: UnsafeMutablePointer<ErrorState>? = nil
    func doom(_ error: UnsafeMutablePointer<ErrorState>) {
      free(error.pointee.operation)
      error.pointee.operation = Raw(doomed)?.assumingMemoryBound(to: CChar.self)
      doomed = error
    }
    func unpin(_ error: UnsafeMutablePointer<ErrorState>?) {
      if let error, Global.unpin(error) { doom(error) }
    }
    doom(state)
    while let error = doomed {
      doomed = Raw(error.pointee.operation)?.assumingMemoryBound(to: ErrorState.self)
      unpin(ErrorRef(error).cause?.state)
      unpin(ErrorRef(error).context?.state)
      for i in 0..<error.pointee.count { unpin(error.pointee.members![i].state) }
      free(error.pointee.members)
      free(error.pointee.message)
      Global.give(Kind.error, error)
    }
  }

  // MARK: - describing

  /// "TimeoutError('too slow')".
  func describe(_ text: inout Text) {
    switch state.pointee.domain {
    case RONDO_DOMAIN_POSIX, RONDO_DOMAIN_RESOLVER:
      text.add(state.pointee.domain == RONDO_DOMAIN_POSIX ? "OSError(" as StaticString : "gaierror(" as StaticString)
      text.add(Int64(state.pointee.code))
      text.add(", '")
      text.add(message)
      text.add("')")
      return
    case RONDO_DOMAIN_RONDO:
      text.add(Status.text(state.pointee.code)?.exception ?? "Exception")
    case RONDO_DOMAIN_TLS: text.add("TLSError")
    default: text.add("Exception")
    }
    text.add("(")
    if state.pointee.message != nil {
      text.add("'")
      text.add(message)
      text.add("'")
    }
    text.add(")")
  }

  /// With its causes, a line each.
  func describeFully(_ text: inout Text) {
    describe(&text)
    if let operation = state.pointee.operation {
      text.add(" in ")
      text.add(UnsafePointer(operation))
    }
    for i in 0..<Swift.min(state.pointee.count, 100) {
      text.add("\n  | ")
      state.pointee.members![i].describe(&text)
    }
    var at = self
    for _ in 0..<100 {
      if let cause = at.cause {
        text.add("\ncaused by ")
        at = cause
      } else if let context = at.context {
        text.add("\nwhile handling ")
        at = context
      } else {
        return
      }
      at.describe(&text)
    }
  }
}

@inline(__always)
func handleBits(_ handle: OpaquePointer?) -> UInt64 { UInt64(UInt(bitPattern: handle)) }

@inline(__always)
func opaque(_ handle: UInt64) -> OpaquePointer? { OpaquePointer(bitPattern: UInt(truncatingIfNeeded: handle)) }

/// No future may hold StopIteration: it would end the generator that awaits it.
func storable(_ error: ErrorRef) -> ErrorRef? {
  if !error.isRondo(RONDO_E_STOP_ITERATION) {
    error.pin()
    return error
  }
  let sentence: StaticString = "StopIteration interacts badly with generators and cannot be raised into a Future"
  guard let wrapped = ErrorRef.pinned(RONDO_E_RUNTIME, literal(sentence)) else { return nil }
  invariant(wrapped.setCause(error), "a new error was a cause already")
  return wrapped
}
