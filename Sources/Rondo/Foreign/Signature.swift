// Signature.swift - a signature that is prepared once and then found again by its text.
//
// The plans of usual signatures are in a table that is never cleared, in static memory: whoever has
// found one needs no count and gives nothing back. Finding is a hash of the ends of the text and one
// comparison, without a lock, because a plan never changes once it is there. What is too large, or
// finds its places taken, is a plan in memory of its own, with an object that counts who uses it.
//
// Knows: SignatureParser, GlobalObjects, the plans of the shim. Does not know: calls.

import CRondo
import CRondoShim

typealias PlanPointer = UnsafeMutablePointer<rondo_plan>

struct SignatureState {
  var header: ObjectHeader
  var plan: PlanPointer
  var ownsPlan: Bool
}

struct SignatureRef {
  let s: UnsafeMutablePointer<SignatureState>

  static let size = MemoryLayout<SignatureState>.stride

  @inline(__always)
  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: SignatureState.self) }

  @inline(__always)
  static func find(_ handle: OpaquePointer?) -> SignatureRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.signature, size) else { return nil }
    return SignatureRef(found)
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.signature, size)
  }

  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  var plan: PlanPointer { s.pointee.plan }

  static func make(_ plan: PlanPointer, owns: Bool) -> SignatureRef? {
    guard let slot = Global.take(Kind.signature, size) else { return nil }
    let made = SignatureRef(slot)
    made.s.pointee.plan = plan
    made.s.pointee.ownsPlan = owns
    return made
  }

  func unpin() { if Global.unpin(Raw(s)) { end() } }
  func releaseUser() -> rondo_status { Global.release(Raw(s)) { end() } }

  private func end() {
    let plan = s.pointee.ownsPlan ? s.pointee.plan : nil
    Global.give(Kind.signature, Raw(s))
    free(plan)
  }
}

/// A plan, and the signature that keeps it if it is not one that stays; that has a pin then.
struct KeptPlan {
  var plan: PlanPointer
  var keeper: SignatureRef?

  func letGo() { keeper?.unpin() }

  /// Of a signature that C holds at this moment.
  @inline(__always)
  init(_ signature: SignatureRef) {
    plan = signature.plan
    keeper = signature.s.pointee.ownsPlan ? signature : nil
    if let keeper { Global.pin(Raw(keeper.s)) }
  }

  @inline(__always)
  fileprivate init(staying: PlanPointer) {
    plan = staying
    keeper = nil
  }
}

enum Plans {
  private static let probes: UInt32 = 8

  /// The plan of a text; nil: RONDO_E_BAD_SIGNATURE, -ENOMEM or -EINVAL.
  @inline(__always)
  static func find(_ text: UnsafePointer<CChar>?) -> (KeptPlan?, rondo_status) {
    guard let text else { return (nil, -EINVAL) }
    let size = strlen(text)
    let hash = hashOf(text, size)
    var number = UInt32(truncatingIfNeeded: hash)
    while number != UInt32(truncatingIfNeeded: hash) &+ probes {
      let plan = rondo_shim_cached_plan(number)!
      let state = rondo_load32(&plan.pointee.state)  // pairs with the store in build()
      if state == 0 { break }
      if state == 2 && plan.pointee.hash == hash && Int(plan.pointee.text_size) == size
        && memcmp(plan.pointee.text, text, size) == 0
      {
        return (KeptPlan(staying: plan), RONDO_OK)
      }
      number &+= 1
    }
    return prepare(text, size, hash)
  }

  /// The ends of the text and its size: signatures differ there or in few.
  @inline(__always)
  private static func hashOf(_ text: UnsafePointer<CChar>, _ size: Int) -> UInt64 {
    let raw = UnsafeRawPointer(text)
    var hash = UInt64(truncatingIfNeeded: size)
    if size >= 8 {
      hash ^= raw.loadUnaligned(as: UInt64.self) &* 0x9E37_79B9_7F4A_7C15
      hash ^= raw.loadUnaligned(fromByteOffset: size - 8, as: UInt64.self) &* 0xC2B2_AE3D_27D4_EB4F
    } else {
      var at = 0
      while at < size {
        hash = hash &* 31 &+ UInt64(raw.load(fromByteOffset: at, as: UInt8.self))
        at += 1
      }
      hash = hash &* 0x9E37_79B9_7F4A_7C15
    }
    return hash ^ hash >> 29 ^ hash >> 47
  }

  @inline(never)  // once per signature
  private static func prepare(_ text: UnsafePointer<CChar>, _ size: Int, _ hash: UInt64) -> (KeptPlan?, rondo_status) {
    if size > SignatureParser.longestText { return (nil, RONDO_E_BAD_SIGNATURE) }
    guard let codes = allocateArray(UInt8.self, SignatureParser.mostCodes) else { return (nil, -ENOMEM) }
    defer { free(codes) }
    var parser = SignatureParser(text, codes)
    if !parser.parse() { return (nil, RONDO_E_BAD_SIGNATURE) }
    let needed = rondo_shim_plan_size(codes, parser.count, size)
    if needed == 0 { return (nil, RONDO_E_BAD_SIGNATURE) }
    let source = PlanSource(codes: codes, count: parser.count, text: text, size: size, hash: hash)
    if needed <= Int(RONDO_CACHE_BYTES), let plan = claim(hash) {
      let isBuilt = source.build(plan)
      rondo_store32(&plan.pointee.state, isBuilt ? 2 : 0)
      return isBuilt ? (KeptPlan(staying: plan), RONDO_OK) : (nil, RONDO_E_BAD_SIGNATURE)
    }
    return prepareApart(source, needed)
  }

  /// A free place of the table for this hash.
  private static func claim(_ hash: UInt64) -> PlanPointer? {
    var number = UInt32(truncatingIfNeeded: hash)
    while number != UInt32(truncatingIfNeeded: hash) &+ probes {
      let plan = rondo_shim_cached_plan(number)!
      if rondo_cas32(&plan.pointee.state, 0, 1) != 0 { return plan }
      number &+= 1
    }
    return nil
  }

  private static func prepareApart(_ source: PlanSource, _ needed: Int) -> (KeptPlan?, rondo_status) {
    guard let plan = malloc(needed)?.bindMemory(to: rondo_plan.self, capacity: 1) else { return (nil, -ENOMEM) }
    if !source.build(plan) {
      free(plan)
      return (nil, RONDO_E_BAD_SIGNATURE)
    }
    guard let made = SignatureRef.make(plan, owns: true) else {
      free(plan)
      return (nil, -ENOMEM)
    }
    let kept = KeptPlan(made)
    _ = made.releaseUser()
    return (kept, RONDO_OK)
  }

  /// Say where and why a text is no signature; the position is its size if it is one.
  static func check(_ text: UnsafePointer<CChar>, _ out: inout Text) -> (Int, rondo_status) {
    guard let codes = allocateArray(UInt8.self, SignatureParser.mostCodes) else { return (0, -ENOMEM) }
    defer { free(codes) }
    let size = strlen(text)
    if size > SignatureParser.longestText {
      describe(SignatureParser.longestText, "too long", &out)
      return (SignatureParser.longestText, RONDO_OK)
    }
    var parser = SignatureParser(text, codes)
    if !parser.parse() {
      describe(parser.at, parser.sentence, &out)
      return (parser.at, RONDO_OK)
    }
    let (kept, status) = find(text)
    kept?.letGo()
    if status != RONDO_E_BAD_SIGNATURE { return (size, status) }
    describe(0, "too large, or libffi has no such type", &out)
    return (0, RONDO_OK)
  }

  private static func describe(_ position: Int, _ sentence: StaticString, _ out: inout Text) {
    out.add("at ")
    out.add(Int64(position))
    out.add(": ")
    out.add(sentence)
  }
}

private struct PlanSource {
  var codes: UnsafeMutablePointer<UInt8>
  var count: Int
  var text: UnsafePointer<CChar>
  var size: Int
  var hash: UInt64

  func build(_ plan: PlanPointer) -> Bool {
    plan.pointee.hash = hash
    return rondo_shim_plan_build(plan, codes, count, text, size) == 0
  }
}
