// Handle.swift - a scheduled call that can be cancelled: a soon-call, a timer, a reader or a writer.
//
// Wherever the loop holds one (ring, heap, descriptor table) it holds a pin. A call in the ring
// cannot be taken out of the middle, so cancelling marks the handle and the ring's entry comes to
// nothing. The argument is dropped at once, but never while its own function runs.
//
// Knows: Base, Loop, Objects. Does not know: when it is due, which descriptor.

import CRondo
import CRondoShim

struct HandleState {
  var header: ObjectHeader
  var call: Call
  var when: Int64  // a timer's deadline; a reader's descriptor
  var entryWhen: Int64  // the deadline of its entry in the heap, if it has one
  var entryOrder: UInt32  // the number of its entry in the heap, 0 for none
  var armOrder: UInt32  // the number of its latest arming
}

enum HandleBits {
  static let cancelled: UInt32 = 1
  static let timer: UInt32 = 2
  static let queued: UInt32 = 4  // in the ring
  static let running: UInt32 = 8
  static let finished: UInt32 = 16  // its argument is gone
  static let descriptor: UInt32 = 32
  static let operation: UInt32 = 64  // the library's own wait on a descriptor
  // 128 is Origins.known
  static let oneSkip: UInt32 = 256  // entries in the ring that come to nothing, counted from here
  static let skips: UInt32 = 0x7FFF_FF00
}

func isSame(_ a: rondo_drop_fn?, _ b: rondo_drop_fn?) -> Bool {
  unsafeBitCast(a, to: UInt.self) == unsafeBitCast(b, to: UInt.self)
}

struct HandleRef: Equatable {
  let s: UnsafeMutablePointer<HandleState>

  static let size = MemoryLayout<HandleState>.stride

  @inline(__always)
  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: HandleState.self) }

  @inline(__always)
  static func find(_ handle: OpaquePointer?) -> HandleRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.handle, size) else { return nil }
    return HandleRef(found)
  }

  @inline(__always)
  var loop: LoopRef { Owned.loop(of: Raw(s)) }

  @inline(__always)
  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }

  @inline(__always)
  func has(_ bit: UInt32) -> Bool { s.pointee.header.bits & bit != 0 }

  // Any thread may look whether it is cancelled.
  @inline(__always)
  func add(_ bit: UInt32) { rondo_poke32(&s.pointee.header.bits, s.pointee.header.bits | bit) }

  @inline(__always)
  func remove(_ bit: UInt32) { rondo_poke32(&s.pointee.header.bits, s.pointee.header.bits & ~bit) }

  var isCancelled: Bool { rondo_peek32(&s.pointee.header.bits) & HandleBits.cancelled != 0 }

  @inline(__always)
  func pin() { Owned.pin(Raw(s)) }

  @inline(__always)
  func unpin() { if Owned.unpin(Raw(s)) { end() } }

  private func end() {
    let loop = loop
    if !has(HandleBits.finished) {
      // Closed while it was scheduled. The drop may name the handle, so it is there until then.
      pin()
      finish()
      if !Owned.unpin(Raw(s)) { return }
    }
    Slab.give(loop.handles, Raw(s))
    if loop.s.pointee.isClosing { loop.freeIfUnused() }
  }

  /// A handle with one pin, the loop's, and one of C's if it wants the handle. What the call
  /// carries moves on success.
  @inline(__always)
  static func make(_ loop: LoopRef, _ call: Call, bits: UInt32, user: Bool) -> HandleRef? {
    guard let slot = Slab.take(loop.handles, owner: Raw(loop.s)) else { return nil }
    Owned.begin(slot, user: user)
    let made = HandleRef(slot)
    made.s.pointee.call = call
    made.s.pointee.entryOrder = 0
    made.add(bits)
    if loop.isDebugging { Origins.record(slot) }
    if user { made.pin() }
    return made
  }

  // MARK: - in the ring

  /// The ring's entry for this handle. It carries a pin of its own.
  @inline(__always)
  var entry: Call {
    Call(fn: { HandleRef($0!).run() }, arg: Raw(s), drop: { HandleRef($0!).unpin() }, context: 0)
  }

  /// For C, with a reference. While it runs in a copy, the copy is the thread's current context.
  func contextForUser() -> (ContextRef?, rondo_status) {
    if has(HandleBits.finished) { return (nil, RONDO_E_INVALID_STATE) }
    let copy = has(HandleBits.running) ? rondo_thread()!.pointee.context : nil
    let context = Contexts.forUser(s.pointee.call.context, copy: copy)
    return (context, context == nil ? -ENOMEM : RONDO_OK)
  }

  /// The handle whose entry this argument and function are of, if it is one's.
  static func of(entry arg: Raw, fn: UInt) -> HandleRef? {
    let handle = HandleRef(arg)
    return fn == unsafeBitCast(handle.entry.fn, to: UInt.self) ? handle : nil
  }

  /// True for a ring's entry that entry made.
  static func isEntry(_ call: Call) -> Bool { isSame(call.drop, HandleRef(Raw(bitPattern: 8)!).entry.drop) }

  private func run() {
    if has(HandleBits.skips) {
      rondo_poke32(&s.pointee.header.bits, s.pointee.header.bits - HandleBits.oneSkip)
      return comeToNothing()
    }
    remove(HandleBits.queued)
    if has(HandleBits.cancelled) { return comeToNothing() }
    add(HandleBits.running)
    callUser()
    remove(HandleBits.running)
    // A timer that was armed again while it ran, and a watched descriptor, keep their argument.
    if has(HandleBits.descriptor) && !has(HandleBits.cancelled) { return }
    if s.pointee.entryOrder != 0 { return }
    finish()
  }

  /// It was counted as a call that ran.
  private func comeToNothing() { loop.s.pointee.calls &-= 1 }

  /// The context of a handle that runs again is the one that it left behind, as asyncio's is.
  @inline(__always)
  private func callUser() {
    let call = s.pointee.call
    guard let saved = Contexts.tryEnterKept(call.context) else {
      return loop.reportEntered(call.fn, s.pointee.header.handle)
    }
    invoke(call)
    if loop.s.pointee.attention & Attention.raised != 0 { loop.reportRaised(call.fn, s.pointee.header.handle) }
    s.pointee.call.context = Contexts.leaveKept(call.context, saved)
  }

  @inline(__always)
  private func invoke(_ call: Call) {
    if has(HandleBits.descriptor) {
      unsafeBitCast(call.fn, to: rondo_fd_fn.self)(Int32(truncatingIfNeeded: s.pointee.when), call.arg)
    } else {
      call.fn(call.arg)
    }
  }

  /// Let go of the argument and the context, once.
  func finish() {
    if has(HandleBits.finished | HandleBits.running) { return }
    add(HandleBits.finished)
    let call = s.pointee.call
    Contexts.release(call.context)
    call.drop?(call.arg)
  }

  // MARK: - C's references

  func releaseUser() -> rondo_status {
    Owned.release(Raw(s)) { HandleRef($0).unpin() }
  }
}

extension Contexts {
  /// As tryEnter(), but a map moves into the thread, and leaveKept() brings it back as it is then.
  @inline(__always)
  static func tryEnterKept(_ tag: ContextTag) -> SavedContext? {
    tag & 1 == 0 ? enterOwned(tag) : tryEnter(tag)
  }

  @inline(__always)
  static func leaveKept(_ tag: ContextTag, _ saved: SavedContext) -> ContextTag {
    if tag & 1 == 0 { return leaveOwned(saved) }
    leave(tag, saved)
    return tag
  }
}

extension LoopRef {
  /// True if a call in the empty context only needs to be put into the ring of the running loop.
  @inline(__always)
  var takesPlainCalls: Bool {
    ready.hasRoom && inbox.isEmpty && rondo_thread()!.pointee.context == 0
  }

  /// Append a call to the ring; false if memory is out.
  @inline(__always)
  func schedule(_ call: Call) -> Bool {
    collectInbox()
    if !ready.push(call) { return false }
    if s.pointee.isGuest { signalHost() }
    return true
  }

  /// Append an entry for a handle, with a pin.
  @inline(__always)
  func schedule(_ handle: HandleRef) -> Bool {
    if !ready.push(handle.entry) { return false }  // only a pass does this: no host to be told
    handle.pin()
    handle.add(HandleBits.queued)
    return true
  }

  /// rondo_loop_call_soon with a handle.
  func callSoon(_ call: Call) -> HandleRef? {
    collectInbox()
    if !ready.hasRoom && !ready.grow(by: 1) { return nil }
    guard let made = HandleRef.make(self, call, bits: HandleBits.queued, user: true) else { return nil }
    ready.pushReserved(made.entry)
    if s.pointee.isGuest { signalHost() }
    return made
  }

  /// rondo_handle_cancel for a handle of the loop's thread.
  func cancel(_ handle: HandleRef) {
    if handle.has(HandleBits.cancelled) { return }
    if handle.has(HandleBits.descriptor) { return }  // those are removed, not cancelled
    handle.pin()
    handle.add(HandleBits.cancelled)
    disarm(handle)
    handle.finish()
    handle.unpin()
  }
}
