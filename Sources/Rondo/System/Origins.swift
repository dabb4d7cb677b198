// Origins.swift - who made an object.
//
// In debug mode an object gets the number of the stack that made it. The numbers of a chunk's
// objects lie beside the chunk, in an array that comes with the first one, and one bit of the
// object's header says that its number is its own and not that of who had the slot before. So
// objects do not grow, their end has nothing to do, and without debug mode there is nothing.
//
// Knows: Slab, Traces, Frames. Does not know: who is in debug mode; what an object is.

import CRondo
import CRondoShim

enum Origins {
  static let known: UInt32 = 128  // in header.bits, of every kind that records its origin

  /// Call on a new object, from whatever the program called.
  @inline(never)  // a frame of its own at the same place each time, by which its stack is known again
  static func record(_ slot: Raw) {
    let base = chunk(of: slot)
    let header = slot.assumingMemoryBound(to: ObjectHeader.self)
    let trace = Traces.current()
    guard trace != 0, let numbers = numbers(of: base) ?? makeNumbers(base) else { return }
    rondo_store32(numbers + Int(header.pointee.handle & 0xFFFF), trace)
    rondo_poke32(&header.pointee.bits, header.pointee.bits | known)
  }

  static func trace(of slot: Raw) -> TraceID {
    let header = slot.assumingMemoryBound(to: ObjectHeader.self)
    if rondo_peek32(&header.pointee.bits) & known == 0 { return 0 }
    guard let numbers = numbers(of: chunk(of: slot)) else { return 0 }
    return rondo_load32(numbers + Int(rondo_peek64(&header.pointee.handle) & 0xFFFF))
  }

  /// The same of whatever a handle names, 0 for what records none and for what is gone.
  static func trace(of handle: UInt64) -> TraceID {
    guard let found = Lookup.any(handle), isRecorded(chunk(of: found).pointee.kind) else { return 0 }
    return trace(of: found)
  }

  static func isRecorded(_ kind: UInt32) -> Bool {
    switch kind {
    case Kind.loop, Kind.handle, Kind.threadHandle, Kind.future, Kind.task, Kind.coroutine, Kind.generator:
      return true
    default: return false
    }
  }

  @inline(__always)
  private static func numbers(of chunk: ChunkPointer) -> UnsafeMutablePointer<UInt32>? {
    address(rondo_load64(&chunk.pointee.origins))?.assumingMemoryBound(to: UInt32.self)
  }

  @inline(never)  // once per chunk
  private static func makeNumbers(_ chunk: ChunkPointer) -> UnsafeMutablePointer<UInt32>? {
    guard let made = Traces.keep(Int(chunk.pointee.capacity) * 4) else { return nil }
    // One thread at a time takes from a chunk, but a chunk of the process belongs to any of them.
    if rondo_cas64(&chunk.pointee.origins, 0, bits(made)) == 0 { return numbers(of: chunk) }
    return made.assumingMemoryBound(to: UInt32.self)
  }

  // MARK: - saying so

  /// " created at prog.c:12", if it is known.
  @inline(never)  // for people
  static func addPlace(_ slot: Raw, _ text: inout Text) { addPlace(trace(of: slot), " created at ", &text) }

  static func addPlace(_ trace: TraceID, _ before: StaticString, _ text: inout Text) {
    guard let (frames, _) = Traces.frames(trace) else { return }
    text.add(before)
    Frames.describePlace(frames[0], &text)
  }

  /// A heading and a line for each call, outermost first; nothing if it is not known.
  @inline(never)  // for people
  static func addStack(_ trace: TraceID, _ heading: StaticString, _ text: inout Text) {
    guard let (frames, count) = Traces.frames(trace) else { return }
    text.add(heading)
    Frames.describe(frames, count, &text)
  }

  // MARK: - RONDO_DEBUG

  /// Whether the environment asks for debug mode; read anew by `look`.
  static var isWanted: Bool {
    let seen = rondo_peek32(&rondo_globals()!.pointee.debug_wanted)
    return seen == 0 ? look() : seen == 2
  }

  @inline(never)
  static func look() -> Bool {
    let text = Environment.value(of: "RONDO_DEBUG")
    let wanted = text != nil && text![0] != 0 && strcmp(text!, literal("0")) != 0
    rondo_poke32(&rondo_globals()!.pointee.debug_wanted, wanted ? 2 : 1)
    return wanted
  }
}
