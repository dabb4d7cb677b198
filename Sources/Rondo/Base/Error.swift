// Error.swift - what went wrong: domain, code, message, operation, cause, context, members.
//
// Errors cross threads and outlive loops, so they are global objects. Everything that holds one
// (a future, another error, a report) pins it; C's references are counted apart.
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
  var cause: UnsafeMutablePointer<ErrorState>?
  var context: UnsafeMutablePointer<ErrorState>?
  var members: UnsafeMutablePointer<ErrorRef>?
  var count: Int
}

struct ErrorRef {
  let state: UnsafeMutablePointer<ErrorState>

  static let size = MemoryLayout<ErrorState>.stride

  init(_ state: UnsafeMutablePointer<ErrorState>) { self.state = state }

  @inline(__always)
  static func find(_ handle: OpaquePointer?) -> ErrorRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.error, size) else { return nil }
    return ErrorRef(found.assumingMemoryBound(to: ErrorState.self))
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.error, size)
  }

  @inline(__always)
  var handle: OpaquePointer? { opaque(state.pointee.header.handle) }

  @inline(__always)
  func pin() { Global.pin(state) }

  @inline(__always)
  func unpin() { if Global.unpin(state) { end() } }

  func releaseUser() -> rondo_status {
    switch Global.release(state) {
    case .stays: return RONDO_OK
    case .ends:
      end()
      return RONDO_OK
    case .stale: return RONDO_E_STALE_HANDLE
    }
  }

  // MARK: - making

  /// A new error with one reference of C's; nil if memory is out.
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
    state.pointee.cause = nil
    state.pointee.context = nil
    state.pointee.members = nil
    state.pointee.count = 0
    return ErrorRef(state)
  }

  /// A new error that is pinned once and that C does not hold.
  static func pinned(_ code: rondo_status, _ message: UnsafePointer<CChar>?) -> ErrorRef? {
    guard let error = make(RONDO_DOMAIN_RONDO, code, message) else { return nil }
    _ = Global.moveToPin(error.state)
    return error
  }

  /// The error that stands for a status, pinned once; the fallback if memory is out.
  static func of(_ status: rondo_status, _ operation: UnsafePointer<CChar>? = nil,
                 _ message: UnsafePointer<CChar>? = nil) -> ErrorRef {
    let own = Status.text(status) != nil
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

  static func group(_ message: UnsafePointer<CChar>?, _ errors: UnsafePointer<OpaquePointer?>, _ count: Int)
    -> (ErrorRef?, rondo_status)
  {
    for i in 0..<count where find(errors[i]) == nil { return (nil, explain(errors[i])) }
    guard let members = allocateArray(ErrorRef.self, count) else { return (nil, -ENOMEM) }
    guard let error = make(RONDO_DOMAIN_RONDO, RONDO_E_GROUP, message) else {
      free(members)
      return (nil, -ENOMEM)
    }
    for i in 0..<count {
      let member = find(errors[i])!
      member.pin()
      (members + i).initialize(to: member)
    }
    error.state.pointee.members = members
    error.state.pointee.count = count
    return (error, RONDO_OK)
  }

  // MARK: - the two that must never fail

  /// The cancellation without message or cause; one for the process, never freed.
  static func plainCancelled() -> ErrorRef { shared(&rondo_globals()!.pointee.cancelled_error, RONDO_E_CANCELLED) }

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
    return ErrorRef(address(rondo_load64(place))!.assumingMemoryBound(to: ErrorState.self))
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
    default: return RONDO_E_USER
    }
  }

  var message: UnsafePointer<CChar> {
    if let own = state.pointee.message { return UnsafePointer(own) }
    return status == RONDO_E_USER ? literal("") : Status.message(status)
  }

  // MARK: - linking

  /// False if `error` would become its own cause.
  func setCause(_ cause: ErrorRef?) -> Bool {
    var at = cause?.state
    while let here = at {
      if here == state { return false }
      at = here.pointee.cause
    }
    cause?.pin()
    let old = state.pointee.cause
    state.pointee.cause = cause?.state
    if let old { ErrorRef(old).unpin() }
    return true
  }

  /// Note what was being handled when this was raised, once, as Python's __context__.
  func noteContext(_ handled: ErrorRef) {
    if state == handled.state || state.pointee.context != nil || isShared { return }
    var at: UnsafeMutablePointer<ErrorState>? = handled.state
    while let here = at {
      if here == state { return }
      at = here.pointee.context
    }
    handled.pin()
    state.pointee.context = handled.state
  }

  private var isShared: Bool {
    let globals = rondo_globals()!
    return bits(state) == rondo_load64(&globals.pointee.cancelled_error)
      || bits(state) == rondo_load64(&globals.pointee.memory_error)
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
      unpin(error.pointee.cause)
      unpin(error.pointee.context)
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
    case RONDO_DOMAIN_POSIX:
      text.add("OSError(")
      text.add(Int64(state.pointee.code))
      text.add(", '")
      text.add(message)
      text.add("')")
      return
    case RONDO_DOMAIN_RONDO:
      text.add(Status.text(state.pointee.code)?.exception ?? "Exception")
    case RONDO_DOMAIN_RESOLVER: text.add("ResolverError")
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
    var at = state
    for _ in 0..<100 {
      if let cause = at.pointee.cause {
        text.add("\ncaused by ")
        at = cause
      } else if let context = at.pointee.context {
        text.add("\nwhile handling ")
        at = context
      } else {
        return
      }
      ErrorRef(at).describe(&text)
    }
  }
}

@inline(__always)
func handleBits(_ handle: OpaquePointer?) -> UInt64 { UInt64(UInt(bitPattern: handle)) }

@inline(__always)
func opaque(_ handle: UInt64) -> OpaquePointer? { OpaquePointer(bitPattern: UInt(truncatingIfNeeded: handle)) }
