// Coroutine.swift - a coroutine object, and what is common to it and a task's own body.
//
// An Activation is a body with its frame, at the same place (behind 56 bytes) in a task and in a
// coroutine object, so that the handle that the body knows itself by is found from it. Inline
// awaits link activations through `parent`; who drives them keeps the innermost one, so resuming
// does not walk down however deep they are.
//
// Knows: Loop, Error, Future. Does not know: how a body is run (Drive.swift).

import CRondo
import CRondoShim

struct Activation {
  var step: rondo_step_fn?  // nil: a task whose body is a coroutine object, its `inner`
  var frame: Raw?
  var drop: rondo_drop_fn?
  var name: UnsafePointer<CChar>?
  var parent: UInt64  // address of the activation that awaits this one, 0 for none
  var flags: UInt32
  var count: UInt32  // a task's cancellation requests
}

enum ActivationBits {
  static let started: UInt32 = 1
  static let running: UInt32 = 2
  static let ended: UInt32 = 4
  static let ownFrame: UInt32 = 8  // the library allocated the frame
  static let claimed: UInt32 = 16  // a task or another coroutine has it
  static let gathered: UInt32 = 32  // being given to a gather, for the time of that call
  static let asks: UInt32 = 64  // asks a generator: see GeneratorOperation
}

typealias ActivationPointer = UnsafeMutablePointer<Activation>

extension UnsafeMutablePointer where Pointee == Activation {
  static var offset: Int { 56 }

  @inline(__always)
  func has(_ bit: UInt32) -> Bool { rondo_peek32(&pointee.flags) & bit != 0 }
  // Whole words, for the reason in FutureRef.add.
  @inline(__always)
  func add(_ bit: UInt32) { rondo_poke32(&pointee.flags, rondo_peek32(&pointee.flags) | bit) }
  @inline(__always)
  func remove(_ bit: UInt32) { rondo_poke32(&pointee.flags, rondo_peek32(&pointee.flags) & ~bit) }

  /// What the body is called with.
  @inline(__always)
  var handle: UInt64 { (Raw(self) - 56).load(as: UInt64.self) }

  @inline(__always)
  var coroutine: CoroutineRef? {
    let raw = Raw(self) - 56
    return chunk(of: raw).pointee.kind == Kind.coroutine ? CoroutineRef(raw) : nil
  }

  @inline(__always)
  var isGenerator: Bool { chunk(of: Raw(self) - 56).pointee.kind == Kind.generator }
  /// The generator whose body this is; in a chain everything but the root is one's or a coroutine's.
  var generator: GeneratorRef { GeneratorRef(Raw(self) - 56) }

  /// Its part in a chain is over: let go of the object.
  @inline(__always)
  func leaveChain() {
    if let coroutine { coroutine.unpin() } else { generator.leave() }
  }

  /// The innermost activation of a chain with this root, of which `top` is what was kept.
  @inline(__always)
  func innermost(_ top: UInt64) -> ActivationPointer {
    address(top)?.assumingMemoryBound(to: Activation.self) ?? self
  }

  /// It has ended or is given up: let go of the frame, once.
  func dropFrame() {
    add(ActivationBits.ended)
    let frame = pointee.frame
    let drop = pointee.drop
    let isOwn = has(ActivationBits.ownFrame)
    pointee.frame = nil
    pointee.drop = nil
    remove(ActivationBits.ownFrame)
    drop?(frame)
    if isOwn { free(frame) }
  }
}

struct CoroutineState {
  var header: ObjectHeader  // counts atomic: it belongs to no loop
  var top: UInt64  // driven by hand: the innermost activation, 0 for its own
  var awaiting: UInt64  // driven by hand: the address of the future it awaits, pinned
  var spare: UInt64
  var spare2: UInt64
  var body: Activation
}

struct CoroutineRef {
  let s: UnsafeMutablePointer<CoroutineState>

  static let size = MemoryLayout<CoroutineState>.stride

  @inline(__always)
  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: CoroutineState.self) }

  @inline(never)
  static func find(_ handle: OpaquePointer?) -> CoroutineRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.coroutine, size) else { return nil }
    return CoroutineRef(found)
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.coroutine, size)
  }

  @inline(__always)
  var body: ActivationPointer { place(&s.pointee.body) }
  @inline(__always)
  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  @inline(__always)
  func pin() { Global.pin(Raw(s)) }
  @inline(__always)
  func unpin() { if Global.unpin(Raw(s)) { end() } }

  static func make(_ name: UnsafePointer<CChar>?, _ step: @escaping rondo_step_fn, _ frame: Value, flags: UInt32 = 0)
    -> CoroutineRef?
  {
    guard let slot = Global.takeKept(Kind.coroutine, size) else { return nil }
    let made = CoroutineRef(slot)
    made.s.pointee.top = 0
    made.s.pointee.awaiting = 0
    made.body.pointee = Activation(
      step: step, frame: frame.pointer, drop: frame.drop, name: name ?? literal("coroutine"), parent: 0,
      flags: flags, count: 0)
    if isOriginWanted { Origins.record(slot) }
    return made
  }

  /// It belongs to no loop, so the one that runs in this thread decides, or the environment.
  static var isOriginWanted: Bool {
    address(rondo_thread()!.pointee.running).map { LoopRef($0).isDebugging } ?? Origins.isWanted
  }

  /// A coroutine of the library's own: a zeroed frame behind its handle.
  static func makeNative<Frame>(_ name: StaticString, _ step: @escaping rondo_step_fn, _ frame: Frame.Type,
                                _ drop: @escaping rondo_drop_fn)
    -> (CoroutineRef, UnsafeMutablePointer<Frame>)?
  {
    // glibc's calloc has no quick way for what has just been freed.
    guard let memory = malloc(MemoryLayout<Frame>.stride) else { return nil }
    memset(memory, 0, MemoryLayout<Frame>.stride)
    guard let made = make(literal(name), step, Value(pointer: memory, drop: drop), flags: ActivationBits.ownFrame)
    else {
      free(memory)
      return nil
    }
    return (made, memory.bindMemory(to: Frame.self, capacity: 1))
  }

  func releaseUser() -> rondo_status { Global.release(Raw(s)) { end() } }

  /// No reference is left. Its frame may hold the next one, and so on: see Drops.
  private func end() {
    let later = Value(pointer: Raw(s), drop: { CoroutineRef($0!).endNow() })
    if Drops.putOff(later) { return body.add(ActivationBits.claimed) }  // nobody can begin with it any more
    Drops.enter()
    endNow()
    Drops.leave()
  }

  /// Close it if it waits, say so if it never ran.
  private func endNow() {
    if !body.has(ActivationBits.ended) {
      if body.has(ActivationBits.started) {
        // Alive while its last steps run, which may name it.
        pin()
        Drive.closeQuietly(self)
        if !Global.unpin(Raw(s)) { return }  // its last steps kept it
      } else {
        warnNeverAwaited()
      }
      Drive.giveUp(body, place(&s.pointee.top), place(&s.pointee.awaiting))
    }
    Global.giveOrKeep(Kind.coroutine, Raw(s))
  }

  /// A coroutine that nobody has seen yet goes without a word.
  func giveUp() {
    body.dropFrame()
    Global.giveOrKeep(Kind.coroutine, Raw(s))
  }

  private func warnNeverAwaited() {
    var text = Text()
    if body.has(ActivationBits.asks), let frame = body.pointee.frame {
      GeneratorOperation.describeUnawaited(frame, &text)
    } else {
      text.add("coroutine '")
      text.add(body.pointee.name!)
    }
    text.add("' was never awaited")
    Origins.addStack(Origins.trace(of: Raw(s)), "\nCoroutine created at (most recent call last)", &text)
    var fields = LogFields()
    fields.add("coroutine", UnsafePointer(body.pointee.name!))
    Log.write(RONDO_LOG_WARNING, text.cString, fields)
    FailOn.check(FailOn.unawaited, text.cString)
  }

  var isFree: Bool {
    body.pointee.flags & (ActivationBits.claimed | ActivationBits.ended | ActivationBits.running) == 0
  }

  /// Claim it for a task or an await: C's reference becomes a pin. Else why not; the reference is
  /// taken in any case.
  func claim() -> rondo_status {
    if !isFree {
      let status = body.has(ActivationBits.running) ? RONDO_E_ALREADY_RUNNING : RONDO_E_ALREADY_AWAITED
      _ = releaseUser()
      return status
    }
    body.add(ActivationBits.claimed)
    _ = Global.moveToPin(Raw(s))
    return RONDO_OK
  }
}
