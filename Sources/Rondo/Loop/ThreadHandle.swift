// ThreadHandle.swift - the handle of a call from another thread, which any thread may cancel.
//
// asyncio 3.14's rule: cancelling waits while the function runs, so that afterwards it certainly
// does not, and never will; inside the function it does not wait. The inbox's lock guards all of
// it but the counts, which are atomic as those of global objects.
//
// Knows: Inbox, GlobalObjects. Does not know: other handles.

import CRondo
import CRondoShim

struct ThreadHandleState {
  var header: ObjectHeader
  var call: Call
  var running: UInt32  // 0 no, 1 yes, 2 yes and somebody waits
  var isCancelled: UInt32
  var isFinished: Bool
}

struct ThreadHandleRef {
  let s: UnsafeMutablePointer<ThreadHandleState>

  static let size = MemoryLayout<ThreadHandleState>.stride

  @inline(__always)
  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: ThreadHandleState.self) }

  static func find(_ handle: OpaquePointer?) -> ThreadHandleRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.threadHandle, size) else { return nil }
    return ThreadHandleRef(found)
  }

  var loop: LoopRef { Owned.loop(of: Raw(s)) }
  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  private var lock: UnsafeMutablePointer<UInt32> { loop.inbox.lock }
  private var running: UnsafeMutablePointer<UInt32> { place(&s.pointee.running) }

  /// A handle with one of C's references; under the inbox's lock.
  static func make(_ loop: LoopRef, _ call: Call) -> ThreadHandleRef? {
    guard let slot = Slab.take(loop.threadHandles, owner: Raw(loop.s)) else { return nil }
    let made = ThreadHandleRef(slot)
    rondo_poke64((slot + 8).assumingMemoryBound(to: UInt64.self), 1)
    made.s.pointee.call = call
    rondo_poke32(made.running, 0)
    rondo_poke32(&made.s.pointee.isCancelled, 0)
    made.s.pointee.isFinished = false
    return made
  }

  var entry: Call {
    Call(fn: { ThreadHandleRef($0!).run() }, arg: Raw(s), drop: { ThreadHandleRef($0!).letGo() }, context: 0)
  }

  /// The handle whose entry this argument and function are of, if it is one's.
  static func of(entry arg: Raw, fn: UInt) -> ThreadHandleRef? {
    let handle = ThreadHandleRef(arg)
    return fn == unsafeBitCast(handle.entry.fn, to: UInt.self) ? handle : nil
  }

  static func isEntry(_ call: Call) -> Bool { isSame(call.drop, ThreadHandleRef(Raw(bitPattern: 8)!).entry.drop) }

  /// True for an entry of a call that was cancelled.
  static func isCancelledEntry(_ call: Call) -> Bool {
    isEntry(call) && rondo_load32(&ThreadHandleRef(call.arg!).s.pointee.isCancelled) != 0
  }

  /// The ring or the inbox lets go of it: it ran, or never will.
  private func letGo() {
    finish()
    unpin()
  }

  func unpin() { if Global.unpin(Raw(s)) { end() } }

  func releaseUser() -> rondo_status { Global.release(Raw(s)) { end() } }

  private func end() {
    let owner = loop
    let name = rondo_peek64(&owner.s.pointee.header.handle)
    rondo_lock(owner.inbox.lock)
    Slab.give(owner.threadHandles, Raw(s))
    let closing = owner.s.pointee.isClosing
    rondo_unlock(owner.inbox.lock)
    if closing && rondo_peek64(&owner.s.pointee.header.handle) == name { owner.freeIfUnused() }
  }

  /// Let go of the argument, once.
  func finish() {
    rondo_lock(lock)
    let first = !s.pointee.isFinished && rondo_load32(running) == 0
    if first { s.pointee.isFinished = true }
    rondo_unlock(lock)
    if !first { return }
    Contexts.release(s.pointee.call.context)
    s.pointee.call.drop?(s.pointee.call.arg)
  }

  private func run() {
    rondo_lock(lock)
    let goes = rondo_peek32(&s.pointee.isCancelled) == 0 && !s.pointee.isFinished
    if goes { rondo_poke32(running, 1) }
    rondo_unlock(lock)
    if !goes {
      loop.s.pointee.calls &-= 1
      return
    }
    loop.runCall(s.pointee.call, handle: s.pointee.header.handle)
    if rondo_swap32(running, 0) == 2 { rondo_shim_wake_all(running) }
    finish()
  }

  /// Wait until the function does not run, unless this thread is the one that runs it; then hold
  /// the lock.
  private func lockQuiet() {
    while true {
      rondo_lock(lock)
      let phase = rondo_load32(running)
      if phase == 0 || loop.isMine { return }
      rondo_unlock(lock)
      // It may be over since the look, and the mark is only for who will look for it then.
      if phase == 2 || rondo_cas32(running, 1, 2) != 0 { rondo_shim_wait(running, 2, Int64.max) }
    }
  }

  func cancel() {
    Global.pin(Raw(s))
    lockQuiet()
    rondo_store32(&s.pointee.isCancelled, 1)
    rondo_unlock(lock)
    finish()
    unpin()
  }

  var isCancelled: Bool {
    lockQuiet()
    defer { rondo_unlock(lock) }
    return rondo_load32(&s.pointee.isCancelled) != 0
  }
}

extension LoopRef {
  /// Leave a cancellable call from any thread.
  func postWithHandle(_ call: Call, handle: UInt64) -> (ThreadHandleRef?, rondo_status) {
    rondo_lock(inbox.lock)
    if inbox.pointee.isClosed || rondo_peek64(&s.pointee.header.handle) != handle {
      rondo_unlock(inbox.lock)
      // The plain post finds out once more, and says why not.
      let status = post(call, handle: handle)
      return (nil, status)
    }
    let made = ThreadHandleRef.make(self, call)
    rondo_unlock(inbox.lock)
    guard let made else { return (nil, -ENOMEM) }
    if isDebugging { Origins.record(Raw(made.s)) }
    Global.pin(Raw(made.s))
    let status = post(made.entry, handle: handle)
    if status == RONDO_OK { return (made, RONDO_OK) }
    rondo_lock(inbox.lock)
    made.s.pointee.isFinished = true  // the caller drops the argument
    rondo_unlock(inbox.lock)
    made.unpin()
    _ = made.releaseUser()
    return (nil, status)
  }
}
