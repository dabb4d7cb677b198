// Slab.swift - objects that a handle names, in memory that never changes its kind.
//
// A handle is 64 bits: generation, chunk number, slot. Looking one up reads the chunk's kind and
// compares the slot's own copy of the handle, so a stale, foreign or invented handle is found out
// without following a pointer that could be wrong. That needs memory which stays memory of its
// kind for ever: chunks are pooled when a loop goes, never given back.
//
// A free slot holds its next generation and the number of no slot, so that guessing the next
// handle does not work either. Generations skip 0: a handle is never NULL.
//
// Knows: Memory. Does not know: what an object is, threads (a loop's slabs are its thread's;
// the others are taken with their lock).

import CRondo
import CRondoShim

/// What every object begins with.
struct ObjectHeader {
  var handle: UInt64  // any thread reads; the slab writes
  var userRefs: UInt32  // references that C holds; any thread, atomic; see Objects.swift
  var refs: UInt32  // the library's own pins; the owner's thread
  var nextRelease: UInt32  // the next slot in the loop's list of late releases; free: own number
  var bits: UInt32  // kind's own flags; the owner's thread
}

enum Kind {
  static let loop: UInt32 = 1
  static let handle: UInt32 = 2
  static let threadHandle: UInt32 = 3
  static let future: UInt32 = 4
  static let task: UInt32 = 5
  static let node: UInt32 = 6
  static let coroutine: UInt32 = 7
  static let error: UInt32 = 8
  static let context: UInt32 = 9
  static let variable: UInt32 = 10
  static let threadFuture: UInt32 = 11
  static let report: UInt32 = 12
  static let sync: UInt32 = 13
  static let queue: UInt32 = 14
  static let scope: UInt32 = 15  // timeouts, task groups, as_completed: see Task/Scope.swift
  static let generator: UInt32 = 16
  static let runner: UInt32 = 18
  static let callGraph: UInt32 = 19
  static let threadQueue: UInt32 = 20
  static let threadEvent: UInt32 = 21
  static let contextToken: UInt32 = 22
  static let executor: UInt32 = 23
  static let job: UInt32 = 24
  static let completer: UInt32 = 25
  static let signature: UInt32 = 31
}

/// What a chunk begins with.
struct ChunkHeader {
  var owner: Raw?  // the loop's state, nil for kinds that belong to no loop
  var next: UInt64
  var kind: UInt32
  var number: UInt32
  var slotSize: UInt32
  var capacity: UInt32
  var made: UInt32  // any thread reads; slots that have a generation, from earlier use or this one
  var pad: UInt32
  var origins: UInt64  // any thread; the address of a number for each slot, 0: see Origins.swift
}

let chunkSize = 262_144
let chunkHeaderSize = 64
let noSlot: UInt64 = 0xFFFF_FFFF

typealias HeaderPointer = UnsafeMutablePointer<ObjectHeader>
typealias ChunkPointer = UnsafeMutablePointer<ChunkHeader>

@inline(__always)
func address(_ value: UInt64) -> Raw? { Raw(bitPattern: UInt(truncatingIfNeeded: value)) }

@inline(__always)
func bits(_ pointer: Raw?) -> UInt64 { UInt64(UInt(bitPattern: pointer)) }

/// The chunk that a slot lies in.
@inline(__always)
func chunk(of slot: Raw) -> ChunkPointer {
  Raw(bitPattern: UInt(bitPattern: slot) & ~UInt(chunkSize - 1))!
    .assumingMemoryBound(to: ChunkHeader.self)
}

/// Slot `number` (chunk and slot), which must have been handed out once.
@inline(__always)
func slot(number: UInt32, size: Int) -> Raw {
  let base = rondo_chunk(number >> 16)!
  return base + (chunkHeaderSize + Int(number & 0xFFFF) * size)
}

enum Lookup {
  /// The object named by `handle` if it is alive and of this kind, else nil.
  @inline(__always)
  static func find(_ handle: UInt64, _ kind: UInt32, _ size: Int) -> Raw? {
    guard let base = rondo_chunk(UInt32(truncatingIfNeeded: handle >> 16) & 0xFFFF) else { return nil }
    let header = base.assumingMemoryBound(to: ChunkHeader.self)
    let index = UInt32(truncatingIfNeeded: handle) & 0xFFFF
    // Behind `made` lies memory that was never written, and it could hold anything.
    if header.pointee.kind != kind || index >= rondo_load32(&header.pointee.made) { return nil }
    let found = base + (chunkHeaderSize + Int(index) * size)
    if rondo_peek64(found.assumingMemoryBound(to: UInt64.self)) != handle { return nil }
    return found
  }

  /// The object of any kind that `handle` names, if it is alive.
  @inline(never)
  static func any(_ handle: UInt64) -> Raw? {
    guard let base = rondo_chunk(UInt32(truncatingIfNeeded: handle >> 16) & 0xFFFF) else { return nil }
    let header = base.assumingMemoryBound(to: ChunkHeader.self)
    return find(handle, header.pointee.kind, Int(header.pointee.slotSize))
  }

  /// Why `any` said nil.
  static func explainAny(_ handle: UInt64) -> rondo_status {
    guard let base = rondo_chunk(UInt32(truncatingIfNeeded: handle >> 16) & 0xFFFF) else {
      return handle == 0 ? -EINVAL : RONDO_E_BAD_HANDLE
    }
    let header = base.assumingMemoryBound(to: ChunkHeader.self)
    return explain(handle, header.pointee.kind, Int(header.pointee.slotSize))
  }

  /// Why `find` said nil: NULL, a handle whose object is gone, or none of this kind.
  @inline(never)
  static func explain(_ handle: UInt64, _ kind: UInt32, _ size: Int) -> rondo_status {
    if handle == 0 { return -EINVAL }
    guard let base = rondo_chunk(UInt32(truncatingIfNeeded: handle >> 16) & 0xFFFF) else {
      return RONDO_E_BAD_HANDLE
    }
    let header = base.assumingMemoryBound(to: ChunkHeader.self)
    let index = UInt32(truncatingIfNeeded: handle) & 0xFFFF
    if header.pointee.kind != kind || index >= rondo_load32(&header.pointee.made) {
      return RONDO_E_BAD_HANDLE
    }
    let found = base + (chunkHeaderSize + Int(index) * size)
    let now = rondo_peek64(found.assumingMemoryBound(to: UInt64.self)) >> 32
    return handle >> 32 != 0 && handle >> 32 < now ? RONDO_E_STALE_HANDLE : RONDO_E_BAD_HANDLE
  }
}

typealias SlabPointer = UnsafeMutablePointer<rondo_slab>

enum Slab {
  static func prepare(_ slab: SlabPointer, kind: UInt32, size: Int) {
    slab.pointee = rondo_slab(
      free_head: 0, fresh: 0, fresh_end: 0, chunks: 0, live: 0, slot_size: UInt32(size), kind: kind)
  }

  /// A slot whose header is filled in, one user reference and the pins; the rest is undefined.
  @inline(__always)
  static func take(_ slab: SlabPointer, owner: Raw?, pins: UInt32 = 1) -> Raw? {
    let found: Raw
    if let head = address(slab.pointee.free_head) {
      slab.pointee.free_head = (head + 24).load(as: UInt64.self)
      found = head
    } else {
      guard let fresh = takeFresh(slab, owner: owner) else { return nil }
      found = fresh
    }
    rondo_poke64(&slab.pointee.live, slab.pointee.live &+ 1)
    revive(found, pins: pins)
    return found
  }

  /// Fill in the header of a slot that is nobody's.
  @inline(__always)
  static func revive(_ slot: Raw, pins: UInt32) {
    let header = slot.assumingMemoryBound(to: ObjectHeader.self)
    let named = header.pointee.handle & ~noSlot | UInt64(header.pointee.nextRelease)
    rondo_poke32(&header.pointee.userRefs, 1)
    header.pointee.refs = pins
    header.pointee.nextRelease = 0
    rondo_poke32(&header.pointee.bits, 0)
    // Last: from here on it can be found.
    rondo_store64(&header.pointee.handle, named)
  }

  @inline(__always)
  static func give(_ slab: SlabPointer, _ slot: Raw) {
    kill(slot)
    put(slab, slot)
  }

  /// No handle finds it any more.
  @inline(__always)
  static func kill(_ slot: Raw) {
    let header = slot.assumingMemoryBound(to: ObjectHeader.self)
    header.pointee.nextRelease = UInt32(truncatingIfNeeded: header.pointee.handle)
    var generation = (header.pointee.handle >> 32) &+ 1
    if generation > 0xFFFF_FFFF { generation = 1 }
    rondo_poke64(&header.pointee.handle, generation << 32 | noSlot)
  }

  /// The other half of give, of a slot that was killed.
  @inline(__always)
  static func put(_ slab: SlabPointer, _ slot: Raw) {
    (slot + 24).storeBytes(of: slab.pointee.free_head, as: UInt64.self)
    slab.pointee.free_head = bits(slot)
    rondo_poke64(&slab.pointee.live, slab.pointee.live &- 1)
  }

  @inline(never)  // the slow half of take: once per slot ever
  private static func takeFresh(_ slab: SlabPointer, owner: Raw?) -> Raw? {
    if slab.pointee.fresh == slab.pointee.fresh_end {
      guard let chunk = addChunk(slab, owner: owner) else { return nil }
      let first = Raw(chunk) + chunkHeaderSize
      slab.pointee.fresh = bits(first)
      slab.pointee.fresh_end = bits(first) + UInt64(chunk.pointee.capacity) * UInt64(slab.pointee.slot_size)
    }
    let found = address(slab.pointee.fresh)!
    slab.pointee.fresh += UInt64(slab.pointee.slot_size)
    let base = chunk(of: found)
    let index = UInt32((found - Raw(base) - chunkHeaderSize) / Int(slab.pointee.slot_size))
    if index >= base.pointee.made {
      // Zeroed, so that what must survive reuse (a lock, a mark) starts from something known.
      memset(found, 0, Int(slab.pointee.slot_size))
      let header = found.assumingMemoryBound(to: ObjectHeader.self)
      rondo_poke64(&header.pointee.handle, 1 << 32 | noSlot)
      header.pointee.nextRelease = base.pointee.number << 16 | index
      rondo_store32(&base.pointee.made, index + 1)  // pairs with the load in find()
    }
    return found
  }

  private static func addChunk(_ slab: SlabPointer, owner: Raw?) -> ChunkPointer? {
    guard let chunk = pooledChunk(kind: slab.pointee.kind) ?? makeChunk(slab) else { return nil }
    invariant(chunk.pointee.slotSize == slab.pointee.slot_size, "a kind has two sizes")
    chunk.pointee.owner = owner
    chunk.pointee.next = slab.pointee.chunks
    slab.pointee.chunks = bits(chunk)
    return chunk
  }

  private static func pooledChunk(kind: UInt32) -> ChunkPointer? {
    let globals = rondo_globals()!
    rondo_lock(&globals.pointee.pool_lock)
    defer { rondo_unlock(&globals.pointee.pool_lock) }
    let head = rondo_chunk_pool(kind)!
    guard let chunk = address(head.pointee)?.assumingMemoryBound(to: ChunkHeader.self) else { return nil }
    head.pointee = chunk.pointee.next
    return chunk
  }

  private static func makeChunk(_ slab: SlabPointer) -> ChunkPointer? {
    guard let memory = rondo_aligned(chunkSize, chunkSize) else { return nil }
    let globals = rondo_globals()!
    rondo_lock(&globals.pointee.pool_lock)
    let number = globals.pointee.chunk_count
    if number < UInt32(RONDO_CHUNKS) { globals.pointee.chunk_count += 1 }
    rondo_unlock(&globals.pointee.pool_lock)
    if number >= UInt32(RONDO_CHUNKS) {
      free(memory)
      return nil
    }
    let chunk = memory.bindMemory(to: ChunkHeader.self, capacity: 1)
    chunk.pointee = ChunkHeader(
      owner: nil, next: 0, kind: slab.pointee.kind, number: number, slotSize: slab.pointee.slot_size,
      capacity: UInt32((chunkSize - chunkHeaderSize) / Int(slab.pointee.slot_size)), made: 0, pad: 0, origins: 0)
    rondo_set_chunk(number, memory)
    return chunk
  }

  /// Give all chunks of a slab without live slots to the pool.
  static func retire(_ slab: SlabPointer) {
    invariant(slab.pointee.live == 0, "a slab was retired with objects alive")
    // Slots are handed out from the start again; their generations are in `made` of them.
    guard let first = address(slab.pointee.chunks)?.assumingMemoryBound(to: ChunkHeader.self) else { return }
    let globals = rondo_globals()!
    rondo_lock(&globals.pointee.pool_lock)
    let head = rondo_chunk_pool(slab.pointee.kind)!
    var last = first
    while let next = address(last.pointee.next) { last = next.assumingMemoryBound(to: ChunkHeader.self) }
    last.pointee.next = head.pointee
    head.pointee = bits(first)
    rondo_unlock(&globals.pointee.pool_lock)
    prepare(slab, kind: slab.pointee.kind, size: Int(slab.pointee.slot_size))
  }

  /// Visit every live slot. `visit` may give slots back, also others than its own: those are not
  /// met any more. Whether it meets what is taken meanwhile is open.
  static func forEach(_ slab: SlabPointer, _ visit: (Raw) -> Void) {
    var next = address(slab.pointee.chunks)
    while let memory = next {
      let chunk = memory.assumingMemoryBound(to: ChunkHeader.self)
      var index: UInt32 = 0
      while index < chunk.pointee.made {
        let found = memory + (chunkHeaderSize + Int(index) * Int(chunk.pointee.slotSize))
        let handle = found.load(as: UInt64.self)
        if handle & noSlot != noSlot { visit(found) }
        index += 1
      }
      next = address(chunk.pointee.next)
    }
  }
}
