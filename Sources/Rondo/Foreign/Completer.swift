// Completer.swift - a C function that completes a future, once, or feeds a queue.
//
// The function may be called by any number of threads, at any time, also while the completer is being
// released. So a call begins with a reference, taken with a compare-and-swap that fails if the completer
// is ending, and ends by giving it back. Completers live in a slab, so what it looks at is always one.
//
// The room for the arguments is there from the beginning: completing needs no memory but for copies of
// texts, and if those cannot be had the future is completed with that.
//
// Knows: Caught, Functions, Future, ThreadQueue. Does not know: libffi.

import CRondo
import CRondoShim

struct CompleterState {
  var header: ObjectHeader
  var plan: PlanPointer
  var keeper: SignatureRef?  // pinned
  var future: Raw?  // with one of C's references; nil for a queue
  var queue: Raw?  // pinned
  var room: Raw?  // where a future's value goes to; whoever fires has it
  var result: Raw?  // what the function returns; nil for zero
  var arg: Value
  var calls: UInt64  // any thread
  var ignored: UInt64  // any thread
  var fired: UInt32  // any thread; 1 from the first call on, of a future's
  var function: UInt32
}

struct CompleterRef {
  let s: UnsafeMutablePointer<CompleterState>

  static let size = MemoryLayout<CompleterState>.stride

  @inline(__always)
  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: CompleterState.self) }

  @inline(__always)
  static func find(_ handle: OpaquePointer?) -> CompleterRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.completer, size) else { return nil }
    return CompleterRef(found)
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.completer, size)
  }

  var raw: Raw { Raw(s) }
  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  var plan: PlanPointer { s.pointee.plan }

  func releaseUser() -> rondo_status { Global.release(raw) { end() } }

  /// Nobody holds it and no call is in it.
  func end() {
    if s.pointee.function != Functions.none { Functions.give(s.pointee.function) }
    let state = s.pointee
    Global.give(Kind.completer, raw)
    if let room = state.room { Caught(room).drop() }
    free(state.result)
    state.keeper?.unpin()
    if let queue = state.queue { ThreadQueueRef(queue).unpin() }
    if let future = state.future { _ = FutureRef(future).releaseUser() }
    state.arg.dispose()
  }
}

// MARK: - making

struct CompleterWish {
  var future: FutureRef?
  var queue: ThreadQueueRef?
  var kept: KeptPlan
  var wantsClosure = false
  var result: UnsafeRawPointer?
  var arg = Value.none
}

extension CompleterRef {
  /// What the wish carries (the plan's keeper, arg) moves on success.
  static func make(_ wish: CompleterWish) -> (CompleterRef?, rondo_status) {
    let plan = wish.kept.plan
    if !suits(plan) { return (nil, RONDO_E_BAD_SIGNATURE) }
    Functions.prepare()
    var room: Raw?
    var result: Raw?
    if wish.future != nil { room = Caught.make(plan)?.raw }
    if let given = wish.result, plan.pointee.result_size > 0 {
      result = malloc(Int(plan.pointee.result_size))
      if let result { memcpy(result, given, Int(plan.pointee.result_size)) }
    }
    let isComplete = (room != nil || wish.future == nil) && (result != nil || wish.result == nil || plan.pointee.result_size == 0)
    guard isComplete, let slot = Global.take(Kind.completer, size) else {
      free(room)
      free(result)
      return (nil, -ENOMEM)
    }
    return CompleterRef(slot).begin(wish, room, result)
  }

  private func begin(_ wish: CompleterWish, _ room: Raw?, _ result: Raw?) -> (CompleterRef?, rondo_status) {
    s.pointee.plan = wish.kept.plan
    s.pointee.keeper = nil
    s.pointee.future = nil
    s.pointee.queue = nil
    s.pointee.room = room
    s.pointee.result = result
    s.pointee.arg = .none
    rondo_poke64(&s.pointee.calls, 0)
    rondo_poke64(&s.pointee.ignored, 0)
    rondo_poke32(&s.pointee.fired, 0)
    s.pointee.function = Functions.none
    var status = wish.future.map { Owned.retain($0.raw) } ?? RONDO_OK
    if status == RONDO_OK {
      s.pointee.future = wish.future?.raw
      if let queue = wish.queue {
        queue.pin()
        s.pointee.queue = Raw(queue.s)
      }
      status = takeFunction(wish.wantsClosure)
    }
    if status != RONDO_OK {
      _ = releaseUser()
      return (nil, status)
    }
    s.pointee.keeper = wish.kept.keeper
    s.pointee.arg = wish.arg
    return (self, RONDO_OK)
  }

  private static func suits(_ plan: PlanPointer) -> Bool {
    if UInt32(plan.pointee.flags) & UInt32(RONDO_PLAN_OWNS) != 0 { return false }
    return Int32(plan.pointee.result) != RONDO_CODE_CORO && plan.pointee.fixed == plan.pointee.params
  }

  private var isStatic: Bool {
    let result = Int32(plan.pointee.result)
    return UInt32(plan.pointee.flags) & UInt32(RONDO_PLAN_PLAIN) != 0 && result != RONDO_CODE_F32 && result != RONDO_CODE_F64
  }

  private var isNamedByUser: Bool { UInt32(plan.pointee.flags) & UInt32(RONDO_PLAN_USER) != 0 }

  private func takeFunction(_ wantsClosure: Bool) -> rondo_status {
    if isStatic && !wantsClosure {
      if isNamedByUser { return RONDO_OK }
      s.pointee.function = Functions.takeStatic(raw)
      if s.pointee.function != Functions.none { return RONDO_OK }
    }
    let (number, status) = Functions.takeClosure(raw, plan)
    s.pointee.function = number
    return status
  }

  var code: Raw? {
    if s.pointee.function != Functions.none { return Functions.code(s.pointee.function) }
    return rondo_shim_user_function(UInt32(plan.pointee.user))
  }
}
