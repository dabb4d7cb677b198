// Future.swift - a result that comes later.
//
// 56 bytes: the header, the value (or the error's address), one word for those who wait, one word
// for what is particular about it. A task begins with the same fields and is a future in every
// respect, so both are looked at through FutureRef.
//
// The word for those who wait is the last link of a circular list; see Waiters.swift.
//
// Knows: Loop, Error. Does not know: coroutines.

import CRondo
import CRondoShim

struct FutureState {
  var header: ObjectHeader
  var value: Value  // or, with a nil drop, the address of a pinned error
  var waiters: UInt64  // 0, or the last link: a task's address | 1, or a node's
  var extra: UInt64  // 0, the address of a FutureExtra, or a sleep's timer
}

/// What a future of the library's own has besides: how it is cancelled, what goes with it.
struct FutureExtra {
  var cancel: @convention(c) (Raw, Raw) -> Bool  // future, error of the cancellation
  var end: @convention(c) (Raw) -> Void  // future; frees the extra
  /// If the value is another's: take it from there; false if that cannot be.
  var take: (@convention(c) (Raw, Raw) -> Bool)?
}

enum FutureBits {
  static let state: UInt32 = 3  // the RONDO_FUTURE_ constants
  static let unread: UInt32 = 4  // an exception that nobody has read
  static let taken: UInt32 = 8
  static let library: UInt32 = 16  // completed by the library alone
  static let lateWake: UInt32 = 32  // done, but its waiters were not woken for want of memory
  static let sleep: UInt32 = 64  // extra is a timer
  static let quiet: UInt32 = 128  // no report when it goes pending
  static let patient: UInt32 = 131072  // has to end by itself: a cancelled scope lets it be waited for
  static let gather: UInt32 = 16384  // extra is a GatherState
  // a task's own
  static let mustCancel: UInt32 = 256
  static let lateStep: UInt32 = 1024
  static let stepping: UInt32 = 2048
  static let visited: UInt32 = 32768  // on the way of a cancellation
  static let inCancelled: UInt32 = 65536  // in a cancel scope that insists
  static let gathered: UInt32 = 8192  // being given to a gather, for the time of that call
}

struct FutureRef {
  let s: UnsafeMutablePointer<FutureState>

  static let size = MemoryLayout<FutureState>.stride

  @inline(__always)
  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: FutureState.self) }

  /// A future or a task.
  @inline(never)  // in many places; the hot ones ask `findPlain` first
  static func find(_ handle: OpaquePointer?) -> FutureRef? {
    if let found = Lookup.find(handleBits(handle), Kind.future, size) { return FutureRef(found) }
    return TaskRef.find(handle)?.future
  }

  /// A future that is not a task.
  @inline(__always)
  static func findPlain(_ handle: OpaquePointer?) -> FutureRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.future, size) else { return nil }
    return FutureRef(found)
  }

  /// The same, if this thread may use it; else ask `refuse`.
  @inline(never)
  static func owned(_ handle: OpaquePointer?) -> FutureRef? {
    guard let found = find(handle), found.loop.isReadable else { return nil }
    return found
  }

  @inline(never)
  static func refuse(_ handle: OpaquePointer?) -> rondo_status {
    if let found = find(handle) { return found.loop.refusal }
    let plain = Lookup.explain(handleBits(handle), Kind.future, size)
    return plain == RONDO_E_BAD_HANDLE ? Lookup.explain(handleBits(handle), Kind.task, TaskRef.size) : plain
  }

  @inline(__always)
  var raw: Raw { Raw(s) }
  @inline(__always)
  var loop: LoopRef { Owned.loop(of: raw) }
  @inline(__always)
  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  @inline(__always)
  var isTask: Bool { chunk(of: raw).pointee.kind == Kind.task }
  @inline(__always)
  var flags: UInt32 { rondo_peek32(&s.pointee.header.bits) }
  @inline(__always)
  func has(_ bit: UInt32) -> Bool { flags & bit != 0 }
  // Whole words: a store of one byte of it, which the compiler likes, stalls the next load of all.
  @inline(__always)
  func add(_ bit: UInt32) { rondo_poke32(&s.pointee.header.bits, flags | bit) }
  @inline(__always)
  func remove(_ bit: UInt32) { rondo_poke32(&s.pointee.header.bits, flags & ~bit) }
  @inline(__always)
  var state: Int32 { Int32(flags & FutureBits.state) }
  @inline(__always)
  var isDone: Bool { flags & FutureBits.state != 0 }
  @inline(__always)
  var isCancelled: Bool { state == RONDO_FUTURE_CANCELLED }
  @inline(__always)
  func pin() { Owned.pin(raw) }
  @inline(__always)
  func unpin() { if Owned.unpin(raw) { end() } }

  // MARK: - life

  /// A pending future with one pin: C's if `user`, else the caller's.
  @inline(__always)
  static func make(_ loop: LoopRef, user: Bool) -> FutureRef? {
    guard let slot = Slab.take(loop.futures, owner: Raw(loop.s)) else { return nil }
    Owned.begin(slot, user: user)
    let made = FutureRef(slot)
    made.clear()
    return made
  }

  @inline(__always)
  func clear() {
    s.pointee.value = .none
    s.pointee.waiters = 0
    s.pointee.extra = 0
  }

  /// The last pin is gone. The usual end: nobody waits, nothing is particular about it.
  @inline(never)  // wherever a pin is given back
  func end() {
    let isPlain = s.pointee.extra | s.pointee.waiters == 0 && flags & (FutureBits.unread | FutureBits.sleep) == 0
    if !isPlain || isTask { return isTask ? endAnyhow() : endInTurn() }
    let loop = loop
    letGoOfOutcome()
    Slab.give(loop.futures, raw)
    if loop.s.pointee.isClosing { loop.freeIfUnused() }
  }

  /// A gather or a shield holds what holds the next one, and so on: see Drops. A task does not: its
  /// frame is gone, and whatever else it has is let go of through Drops itself.
  @inline(never)  // rare
  private func endInTurn() {
    if Drops.isDeep {
      pin()
      if Drops.putOff(Value(pointer: raw, drop: { FutureRef($0!).unpin() })) { return }
      s.pointee.header.refs -= 1
    }
    Drops.enter()
    endAnyhow()
    Drops.leave()
  }

  @inline(never)  // runs the exception handler, lets go of a task's parts
  private func endAnyhow() {
    if has(FutureBits.unread) && reportUnread() { return }
    let loop = loop
    if isTask { TaskRef(raw).freeParts() }
    let extra = s.pointee.extra
    s.pointee.extra = 0
    if has(FutureBits.sleep) {
      if let timer = address(extra) { HandleRef(timer).unpin() }
    } else if let extra = address(extra) {
      let end = extra.assumingMemoryBound(to: FutureExtra.self).pointee.end
      s.pointee.extra = bits(extra)
      end(raw)
    }
    if s.pointee.waiters != 0 { dropWaiters() }
    letGoOfOutcome()
    Slab.give(isTask ? loop.tasks : loop.futures, raw)
    if loop.s.pointee.isClosing { loop.freeIfUnused() }
  }

  @inline(__always)
  private func letGoOfOutcome() {
    let value = s.pointee.value
    if state == RONDO_FUTURE_RESULT {
      if !has(FutureBits.taken) { value.dispose() }
    } else if let error = value.pointer {
      ErrorRef(error).unpin()
    }
  }

  /// Report the exception that nobody read; true if a handler kept the future.
  private func reportUnread() -> Bool {
    remove(FutureBits.unread)
    pin()
    let name = s.pointee.header.handle
    let sentence = literal(isTask ? "Task exception was never retrieved" : "Future exception was never retrieved")
    loop.report(sentence, error, future: name, task: isTask ? name : 0)
    FailOn.check(FailOn.unretrieved, sentence)
    // No longer the last: if the handler kept nothing this ends it for good.
    unpin()
    return true
  }

  /// C gave its last reference back.
  func unpinUser() {
    if isDone { return unpin() }
    if !isTask && s.pointee.extra == 0 && s.pointee.waiters != 0 && !has(FutureBits.library) {
      // Nobody is left who could complete it, and somebody waits.
      let error = ErrorRef.of(RONDO_E_BROKEN_PROMISE)
      complete(RONDO_FUTURE_EXCEPTION, Value(pointer: Raw(error.state), drop: nil))
      remove(FutureBits.unread)
    }
    unpin()
  }

  // MARK: - reading

  /// The error of a future that ended with one or was cancelled.
  var error: ErrorRef? {
    if state < RONDO_FUTURE_EXCEPTION { return nil }
    return s.pointee.value.pointer.map { ErrorRef($0) }
  }

  /// What reading the result says; an exception counts as read.
  @inline(__always)
  func outcome() -> rondo_status {
    switch state {
    case RONDO_FUTURE_PENDING: return RONDO_E_INVALID_STATE
    case RONDO_FUTURE_RESULT: return RONDO_OK
    case RONDO_FUTURE_EXCEPTION:
      remove(FutureBits.unread)
      return RONDO_E_RAISED
    default: return RONDO_E_CANCELLED
    }
  }

  /// The value of a future with a result, with the duty to drop it; nil if it was taken before, or
  /// is part of something that stays.
  func take() -> Value? {
    if has(FutureBits.taken) || s.pointee.value.isBorrowed || s.pointee.value.isKept { return nil }
    if !has(FutureBits.sleep), let take = extraTake {
      var value = Value.none
      if !withUnsafeMutablePointer(to: &value, { take(raw, Raw($0)) }) { return nil }
      add(FutureBits.taken)
      return value
    }
    return takeValue()
  }

  private var extraTake: (@convention(c) (Raw, Raw) -> Bool)? {
    address(s.pointee.extra)?.assumingMemoryBound(to: FutureExtra.self).pointee.take
  }

  /// The value of a future that keeps its own, with the duty to drop it.
  func takeValue() -> Value {
    let value = s.pointee.value
    add(FutureBits.taken)
    return value
  }

  // MARK: - completing

  /// End it and schedule whoever waits. The value, or the pin in it, moves.
  @inline(__always)
  func complete(_ state: Int32, _ value: Value) {
    s.pointee.value = value
    add(UInt32(bitPattern: state))
    if state == RONDO_FUTURE_EXCEPTION { add(FutureBits.unread) }
    if s.pointee.waiters != 0 { wakeWaiters() }
  }

  /// Complete a pending future of the program's that at most one task awaits; false, and nothing
  /// done, if there is more to it.
  @inline(__always)
  func completePlain(_ value: Value) -> Bool {
    let waiter = s.pointee.waiters
    if flags & (FutureBits.state | FutureBits.library) != 0 { return false }
    if waiter != 0 {
      let loop = loop
      if waiter & 1 == 0 || !loop.ready.hasRoom || loop.s.pointee.isGuest { return false }
      let task = TaskRef(address(waiter & ~1).unsafelyUnwrapped)
      if task.s.pointee.nextWaiter != waiter { return false }
      s.pointee.waiters = 0
      loop.ready.pushPlain(TaskRef.stepFn, task.future.raw)
    }
    s.pointee.value = value
    add(UInt32(RONDO_FUTURE_RESULT))
    return true
  }

  /// Without a value, if it is pending: somebody is told that something has happened.
  @inline(never)  // in places that are rare
  func completeOnce() { if !isDone { complete(RONDO_FUTURE_RESULT, .none) } }

  /// With an error, which is pinned here.
  func fail(_ error: ErrorRef) {
    error.pin()
    complete(RONDO_FUTURE_EXCEPTION, Value(pointer: Raw(error.state), drop: nil))
  }

  func becomeCancelled(_ error: ErrorRef) {
    error.pin()
    complete(RONDO_FUTURE_CANCELLED, Value(pointer: Raw(error.state), drop: nil))
  }

  /// Future.cancel(); false if it is done, or if an operation of the library would not.
  func cancel(_ error: ErrorRef) -> Bool {
    remove(FutureBits.unread)
    if isDone { return false }
    if isTask || has(FutureBits.gather) { return CancelWalk.run(self, error) }
    guard let extra = address(s.pointee.extra) else {
      becomeCancelled(error)
      return true
    }
    if has(FutureBits.sleep) {
      loop.cancel(HandleRef(extra))
      becomeCancelled(error)
      return true
    }
    return extra.assumingMemoryBound(to: FutureExtra.self).pointee.cancel(raw, Raw(error.state))
  }

  /// The error of a cancellation, pinned once: the one of the process if it says nothing.
  static func cancellation(_ message: UnsafePointer<CChar>?, _ reason: ErrorRef?) -> ErrorRef? {
    if message == nil && reason == nil {
      let plain = ErrorRef.plainCancelled()
      plain.pin()
      return plain
    }
    guard let made = ErrorRef.pinned(RONDO_E_CANCELLED, message) else { return nil }
    _ = made.setCause(reason)
    return made
  }
}
