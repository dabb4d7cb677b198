// CompleterCall.swift - what happens when a completer's function is called, on any thread.
//
// The first call of a future's takes the room and fills it, and leaves a call in the loop's inbox, whose
// argument is the completer. If the inbox has no memory for it the completer goes onto the loop's
// stack of late releases, which is linked through its slot: completing does not fail for want of memory.
//
// Knows: Completer, Inbox. Does not know: how the arguments came.

import CRondo
import CRondoShim

extension Functions {
  /// Let the static functions and the closures know whom they lead to. Before one is handed out.
  static func prepare() {
    let table = rondo_functions()!
    rondo_lock(rondo_global_lock(Kind.completer))
    defer { rondo_unlock(rondo_global_lock(Kind.completer)) }
    if table.pointee.called != nil { return }
    table.pointee.called = { number, ints, floats in
      Functions.called(UInt32(truncatingIfNeeded: number), CaughtSource(ints: ints, floats: floats, values: nil))
    }
    table.pointee.called_user = { handle, ints, floats in
      Functions.calledByUser(handle, CaughtSource(ints: ints, floats: floats, values: nil))
    }
    table.pointee.called_closure = { number, values, result in
      Functions.calledClosure(UInt32(truncatingIfNeeded: number), values, result)
    }
  }

  /// The completer that this function leads to, with a reference; nil if it has gone.
  @inline(__always)
  private static func completer(_ number: UInt32) -> CompleterRef? {
    let function = rondo_function(number)!
    guard let slot = address(rondo_load64(&function.pointee.completer)) else { return nil }
    if Global.retain(slot) != RONDO_OK { return nil }
    let found = CompleterRef(slot)
    if found.s.pointee.function == number { return found }
    _ = found.releaseUser()  // the slot has become another completer's meanwhile
    return nil
  }

  private static func called(_ number: UInt32, _ source: CaughtSource) -> UInt64 {
    guard let found = completer(number) else { return 0 }
    return found.call(source)
  }

  private static func calledByUser(_ handle: UInt64, _ source: CaughtSource) -> UInt64 {
    guard let found = CompleterRef.find(opaque(handle)), Global.retain(found.raw) == RONDO_OK else { return 0 }
    if handleBits(found.handle) == handle && found.isCalledByUser { return found.call(source) }
    _ = found.releaseUser()
    return 0
  }

  private static func calledClosure(_ number: UInt32, _ values: UnsafeMutablePointer<Raw?>?, _ result: Raw?) {
    guard let found = completer(number) else { return }
    if let wanted = found.s.pointee.result, let result { found.writeResult(wanted, to: result) }
    found.take(CaughtSource(ints: nil, floats: nil, values: values))
    _ = found.releaseUser()
  }
}

extension CompleterRef {
  fileprivate var isCalledByUser: Bool {
    s.pointee.function == Functions.none && UInt32(plan.pointee.flags) & UInt32(RONDO_PLAN_USER) != 0
  }

  /// With a reference, which this gives back.
  @inline(__always)
  fileprivate func call(_ source: CaughtSource) -> UInt64 {
    let result = s.pointee.result.map { word($0) } ?? 0
    take(source)
    _ = releaseUser()
    return result
  }

  /// The result as a register has it.
  private func word(_ result: Raw) -> UInt64 {
    switch Int32(plan.pointee.result) {
    case RONDO_CODE_I8: return UInt64(bitPattern: Int64(result.load(as: Int8.self)))
    case RONDO_CODE_BOOL, RONDO_CODE_U8: return UInt64(result.load(as: UInt8.self))
    case RONDO_CODE_I16: return UInt64(bitPattern: Int64(result.load(as: Int16.self)))
    case RONDO_CODE_U16: return UInt64(result.load(as: UInt16.self))
    case RONDO_CODE_I32: return UInt64(bitPattern: Int64(result.load(as: Int32.self)))
    case RONDO_CODE_U32: return UInt64(result.load(as: UInt32.self))
    default: return plan.pointee.result_size == 8 ? result.load(as: UInt64.self) : UInt64(result.load(as: UInt32.self))
    }
  }

  /// libffi wants integers as wide as a register.
  fileprivate func writeResult(_ wanted: Raw, to result: Raw) {
    let code = Int32(plan.pointee.result)
    let isInteger = code < RONDO_CODE_F32 || (code >= RONDO_CODE_PTR && code < RONDO_CODE_STRUCT)
    if isInteger {
      result.storeBytes(of: word(wanted), as: UInt64.self)
    } else {
      memcpy(result, wanted, Int(plan.pointee.result_size))
    }
  }

  @inline(__always)
  fileprivate func take(_ source: CaughtSource) {
    if s.pointee.queue != nil { return feed(source) }
    if rondo_cas32(&s.pointee.fired, 0, 1) == 0 { return ignore() }
    complete(source)
  }

  @inline(never)  // calls that come too late
  private func ignore() { _ = rondo_add64(&s.pointee.ignored, 1) }

  // MARK: - a queue

  @inline(never)  // a queue's own way
  private func feed(_ source: CaughtSource) {
    guard let caught = Caught.make(plan) else { return ignore() }
    let queue = ThreadQueueRef(s.pointee.queue!)
    if caught.fill(source) && queue.putNow(Value(pointer: caught.args, drop: Caught.dropFn)) == RONDO_OK {
      _ = rondo_add64(&s.pointee.calls, 1)
    } else {
      caught.drop()
      ignore()
    }
  }

  // MARK: - a future

  /// This call has won, so the room is its own until it posts.
  @inline(__always)
  private func complete(_ source: CaughtSource) {
    if !Caught(s.pointee.room!).fill(source) { dropRoom() }
    let future = FutureRef(s.pointee.future!)
    let loop = future.loop
    Global.pin(raw)
    let call = Call(fn: { CompleterRef($0!).deliver() }, arg: raw, drop: { CompleterRef($0!).letGo() }, context: 0)
    rondo_poke64(&s.pointee.calls, 1)
    let status = loop.post(call, handle: loop.s.pointee.header.handle)
    if status != RONDO_OK { completeLate(loop, status) }
  }

  /// Nothing is kept of the arguments: the future will say that memory was out.
  @inline(never)  // rare
  private func dropRoom() {
    Caught(s.pointee.room!).drop()
    s.pointee.room = nil
  }

  @inline(never)  // the inbox is shut, or memory is out
  private func completeLate(_ loop: LoopRef, _ status: rondo_status) {
    let isOver = status == RONDO_E_LOOP_CLOSED || status == RONDO_E_OWNER_DEAD || status == RONDO_E_WRONG_PROCESS
      || status == RONDO_E_STALE_HANDLE
    if !isOver { return loop.leaveRelease(raw) }
    rondo_poke64(&s.pointee.calls, 0)
    ignore()
    letGo()
  }

  /// On the loop's thread: the value is the room.
  fileprivate func deliver() {
    let future = FutureRef(s.pointee.future!)
    if future.isDone { return }
    guard let room = s.pointee.room else { return future.fail(ErrorRef.outOfMemory()) }
    s.pointee.room = nil
    future.complete(RONDO_FUTURE_RESULT, Value(pointer: Caught(room).args, drop: Caught.dropFn))
  }

  fileprivate func letGo() { if Global.unpin(raw) { end() } }
}

extension LoopRef {
  /// Set up a new loop for this room, after all others.
  func prepareForeign() {
    s.pointee.hooks.completeLate = { raw in
      CompleterRef(raw).deliverLate()
    }
  }
}

extension CompleterRef {
  /// Off the stack of late releases.
  fileprivate func deliverLate() {
    let future = FutureRef(s.pointee.future!)
    if !future.loop.isClosed { deliver() }
    letGo()
  }
}
