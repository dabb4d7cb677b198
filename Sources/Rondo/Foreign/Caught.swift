// Caught.swift - the arguments of one call of a completer's function, as C reads them later.
//
// One piece of memory: head, an address for each parameter, the area that they point into. The area
// is that of a typed call: for a function whose arguments come in registers it is the registers.
//
// Knows: Copies, the plans of the shim. Does not know: completers.

import CRondo
import CRondoShim

struct CaughtHead {
  var copies: Raw?
  var plan: PlanPointer
}

struct Caught {
  let s: UnsafeMutablePointer<CaughtHead>

  private static let headSize = 16

  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: CaughtHead.self) }

  var raw: Raw { Raw(s) }
  /// What C gets: the array of addresses.
  var args: Raw { raw + Caught.headSize }

  @inline(__always)
  private var area: Raw { args + Caught.pointers(s.pointee.plan) }

  @inline(__always)
  private static func pointers(_ plan: PlanPointer) -> Int { Int(plan.pointee.params) * 8 + 15 & ~15 }

  /// Room for one call; nil if memory is out. It does not need the plan any more once it is filled.
  static func make(_ plan: PlanPointer) -> Caught? {
    guard let memory = malloc(headSize + pointers(plan) + Int(plan.pointee.area)) else { return nil }
    memory.initializeMemory(as: CaughtHead.self, repeating: CaughtHead(copies: nil, plan: plan), count: 1)
    let made = Caught(memory)
    rondo_shim_point(plan, made.area, made.args.assumingMemoryBound(to: Raw?.self))
    return made
  }

  /// Take the arguments in; false if memory for copies is out.
  @inline(__always)
  func fill(_ source: CaughtSource) -> Bool {
    let plan = s.pointee.plan
    if let ints = source.ints {
      memcpy(area, ints, Int(RONDO_INT_REGISTERS) * 8)
      let floats = plan.pointee.floats
      if floats > 0 {
        memcpy(area + Int(RONDO_INT_REGISTERS) * 8, source.floats!, floats <= 2 ? 16 : Int(RONDO_FLOAT_REGISTERS) * 8)
      }
    } else {
      rondo_shim_catch_closure(plan, area, source.values)
    }
    if UInt32(plan.pointee.flags) & UInt32(RONDO_PLAN_COPIES) == 0 { return true }
    return Copies.make(plan, area, &s.pointee.copies)
  }

  func drop() {
    free(s.pointee.copies)
    free(s)
  }

  static func drop(args: Raw) { Caught(args - headSize).drop() }
  static var dropFn: rondo_drop_fn { { raw in if let raw { Caught.drop(args: raw) } } }
}

/// Where the arguments are at the moment of the call: in registers that were saved, or where libffi has them.
struct CaughtSource {
  var ints: UnsafePointer<UInt64>?
  var floats: UnsafePointer<Double>?
  var values: UnsafeMutablePointer<Raw?>?
}
