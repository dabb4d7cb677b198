// TypedCall.swift - a call of any C function on its way: its arguments, later its result.
//
// One piece of memory, from the call of the export to the end of the result: head, room for the
// result, the arguments. The room is there before the call, so a result cannot be lost for want of
// memory; what C gets as a future's value is the address of that room. Copies of texts and bytes are a
// second piece, whose size is known only when the arguments have been read.
//
// Knows: Signature, the shim that reads and calls. Does not know: when it is called, by whom.

import CRondo
import CRondoShim

struct TypedCallHead {
  var plan: PlanPointer
  var fn: rondo_any_fn
  var keeper: SignatureRef?
  var copies: Raw?
  var resultSize: UInt32
  var result: UInt8  // its code
  var hasArguments: Bool
}

struct TypedCall {
  let s: UnsafeMutablePointer<TypedCallHead>

  private static let headSize = 48

  @inline(__always)
  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: TypedCallHead.self) }

  var raw: Raw { Raw(s) }

  @inline(__always)
  var result: Raw { raw + TypedCall.headSize }

  @inline(__always)
  private var area: Raw { result + TypedCall.room(s.pointee.plan) }

  @inline(__always)
  private static func room(_ plan: PlanPointer) -> Int {
    Int(plan.pointee.result_size + 15) & ~15
  }

  // MARK: - making

  /// With the arguments that `read` puts into the area; the plan's keeper moves.
  @inline(__always)
  static func make(_ fn: @escaping rondo_any_fn, _ kept: KeptPlan, _ read: (PlanPointer, Raw) -> Int32)
    -> (TypedCall?, rondo_status)
  {
    let plan = kept.plan
    guard let memory = malloc(headSize + room(plan) + Int(plan.pointee.area)) else {
      return makeNothing(kept, read)
    }
    let made = TypedCall(memory)
    made.s.initialize(to: TypedCallHead(
      plan: plan, fn: fn, keeper: kept.keeper, copies: nil, resultSize: plan.pointee.result_size,
      result: plan.pointee.result, hasArguments: true))
    var status = read(plan, made.area)
    if status == RONDO_OK && UInt32(plan.pointee.flags) & UInt32(RONDO_PLAN_COPIES) != 0 {
      if !Copies.make(plan, made.area, &made.s.pointee.copies) { status = -ENOMEM }
    }
    if status == RONDO_OK { return (made, RONDO_OK) }
    made.drop()
    return (nil, status)
  }

  /// Out of memory: what it would own is dropped all the same.
  @inline(never)  // rare
  private static func makeNothing(_ kept: KeptPlan, _ read: (PlanPointer, Raw) -> Int32) -> (TypedCall?, rondo_status) {
    if UInt32(kept.plan.pointee.flags) & UInt32(RONDO_PLAN_OWNS) != 0 {
      withUnsafeTemporaryAllocation(byteCount: Int(kept.plan.pointee.area), alignment: 16) { area in
        _ = read(kept.plan, area.baseAddress!)
        dropOwned(kept.plan, area.baseAddress!)
      }
    }
    kept.letGo()
    return (nil, -ENOMEM)
  }

  // MARK: - as a callback

  /// What a loop calls it with, and drops it with.
  static var runFn: rondo_call_fn { { TypedCall($0!).run() } }
  static var dropFn: rondo_drop_fn { { TypedCall($0!).drop() } }

  @inline(__always)
  func run() { rondo_shim_call(s.pointee.plan, s.pointee.fn, area, result) }

  func drop() {
    letGoOfArguments()
    if let copies = s.pointee.copies { free(copies) }
    free(s)
  }

  private func letGoOfArguments() {
    if !s.pointee.hasArguments { return }
    s.pointee.hasArguments = false
    if UInt32(s.pointee.plan.pointee.flags) & UInt32(RONDO_PLAN_OWNS) != 0 { TypedCall.dropOwned(s.pointee.plan, area) }
    s.pointee.keeper?.unpin()
  }

  @inline(never)  // most own nothing
  private static func dropOwned(_ plan: PlanPointer, _ area: Raw) {
    var index = 0
    while index < Int(plan.pointee.values) {
      let value = plan.pointee.value[index]
      if Int32(value.code) == RONDO_CODE_OWN {
        let word = (area + Int(value.extra)).load(as: UInt.self)
        Value(pointer: (area + Int(value.offset)).load(as: Raw?.self), drop: unsafeBitCast(word, to: rondo_drop_fn?.self))
          .dispose()
      }
      index += 1
    }
  }

  // MARK: - for an executor, which drops what it was given when it has run

  func parcel() -> Raw? {
    guard let parcel = allocateArray(Raw?.self, 1) else { return nil }
    parcel.initialize(to: raw)
    return Raw(parcel)
  }

  static func unpack(_ parcel: Raw) -> TypedCall {
    let held = parcel.assumingMemoryBound(to: Raw?.self)
    let call = TypedCall(held.pointee!)
    held.pointee = nil
    return call
  }

  static var dropParcelFn: rondo_drop_fn {
    { parcel in
      if let call = parcel!.load(as: Raw?.self) { TypedCall(call).drop() }
      free(parcel)
    }
  }

  // MARK: - for its result

  /// It has run: let go of the arguments and be the value of a future from now on. False if memory
  /// for a copy of a text is out; then it is gone.
  func becomeResult(_ value: inout Value) -> Bool {
    var copy: UnsafeMutablePointer<CChar>?
    if Int32(s.pointee.result) == RONDO_CODE_STR, let text = result.load(as: UnsafePointer<CChar>?.self) {
      copy = copyString(text)
      if copy == nil {
        drop()
        return false
      }
    }
    letGoOfArguments()
    free(s.pointee.copies)
    s.pointee.copies = copy.map { Raw($0) }
    if let copy { result.storeBytes(of: copy, as: UnsafeMutablePointer<CChar>.self) }
    if s.pointee.resultSize == 0 {
      drop()
      value = .none
    } else {
      value = Value(pointer: result, drop: TypedCall.dropResultFn)
    }
    return true
  }

  private static var dropResultFn: rondo_drop_fn { { TypedCall($0! - TypedCall.headSize).drop() } }

  /// Copy a future's value that is the result of a typed call.
  static func read(_ value: Value, _ buffer: Raw?, _ size: Int) -> rondo_status {
    guard let buffer else { return -EINVAL }
    guard let pointer = value.pointer, isSame(value.drop, dropResultFn) else { return RONDO_E_TYPE }
    let wanted = Int(TypedCall(pointer - headSize).s.pointee.resultSize)
    if size != wanted { return -ERANGE }
    memcpy(buffer, pointer, size)
    return RONDO_OK
  }
}

/// The copies of texts and bytes, of a call's arguments or a completer's.
enum Copies {
  /// Let the area point to copies, all in one piece; false if memory is out.
  @inline(never)  // most have none
  static func make(_ plan: PlanPointer, _ area: Raw, _ out: UnsafeMutablePointer<Raw?>) -> Bool {
    var total = 0
    for index in 0..<Int(plan.pointee.values) {
      let (sum, overflow) = total.addingReportingOverflow(size(plan.pointee.value[index], area))
      if overflow { return false }
      total = sum
    }
    if total == 0 { return true }
    guard let memory = malloc(total) else { return false }
    out.pointee = memory
    var at = memory
    for index in 0..<Int(plan.pointee.values) {
      let value = plan.pointee.value[index]
      let count = size(value, area)
      if count == 0 { continue }
      memcpy(at, (area + Int(value.offset)).load(as: Raw.self), count)
      (area + Int(value.offset)).storeBytes(of: at, as: Raw.self)
      at += count
    }
    return true
  }

  private static func size(_ value: rondo_value, _ area: Raw) -> Int {
    guard let given = (area + Int(value.offset)).load(as: Raw?.self) else { return 0 }
    if Int32(value.code) == RONDO_CODE_STR { return strlen(given.assumingMemoryBound(to: CChar.self)) + 1 }
    // More than half of all memory is out of memory.
    if Int32(value.code) == RONDO_CODE_BYTES { return Int(clamping: (area + Int(value.extra)).load(as: UInt.self)) }
    return 0
  }
}
