// Traces.swift - every call stack that made something, once each, under a number.
//
// A program has few places that make objects, however many objects they make. So a stack is kept
// for good under a number, an object carries the number, and there is nothing to let go of when
// it ends. All of it lies in blocks of 256 KiB like the slabs', which stay: one table, up to 13
// blocks of stacks. When those are nearly full, which takes stacks of ever new shapes (a
// recursion that makes tasks at each depth), only the innermost call of a new one is kept.
//
// The lock is the pool's, the last one in the order. Nothing is allocated and no code of anybody
// else's runs under it.
//
// Knows: Memory, the shim's stacks. Does not know: what was made.

import CRondo
import CRondoShim

typealias TraceID = UInt32  // 0: none is known

struct Trace {
  var hash: UInt64
  var count: UInt64
  // RONDO_TRACE_DEPTH return addresses follow, innermost first

  static let size = 16 + Int(RONDO_TRACE_DEPTH) * 8
  static let perBlock = UInt32(chunkSize / size)
  static let tableSize: UInt32 = 65_536
  static let most = perBlock * UInt32(RONDO_TRACE_BLOCKS)
}

enum Traces {
  private static var globals: UnsafeMutablePointer<rondo_globals> { rondo_globals()! }
  private static var lock: UnsafeMutablePointer<UInt32> { rondo_pool_lock() }

  /// The stack of whoever called the library.
  @inline(__always)
  static func current() -> TraceID {
    let thread = rondo_thread()!
    if thread.pointee.stacks == 0 { takeStacks(thread) }
    return rondo_shim_trace(address(thread.pointee.stacks)) { Traces.intern($0!, $1) }
  }

  /// The return addresses of a stack, innermost first.
  static func frames(_ id: TraceID) -> (UnsafePointer<Frame>, Int)? {
    guard id != 0, let found = record(id - 1) else { return nil }
    return (UnsafePointer((found + 16).assumingMemoryBound(to: Frame.self)), Int(found.load(fromByteOffset: 8, as: UInt64.self)))
  }

  private static func record(_ index: UInt32) -> Raw? {
    address(block(index).pointee).map { $0 + Int(index % Trace.perBlock) * Trace.size }
  }

  private static func block(_ index: UInt32) -> UnsafeMutablePointer<UInt64> {
    rondo_trace_block(index / Trace.perBlock)
  }

  // MARK: - numbers

  private static func intern(_ frames: UnsafePointer<UInt64>, _ given: UInt32) -> TraceID {
    if !prepareTable() { return 0 }
    while true {
      rondo_lock(lock)
      let isNearlyFull = globals.pointee.trace_count >= Trace.most - Trace.perBlock
      let count = isNearlyFull ? 1 : given
      let hash = self.hash(frames, count)
      let found = find(frames, count, hash)
      if found.pointee != 0 || globals.pointee.trace_count >= Trace.most {
        rondo_unlock(lock)
        return found.pointee
      }
      let index = globals.pointee.trace_count
      if let free = record(index) {
        free.storeBytes(of: hash, as: UInt64.self)
        free.storeBytes(of: UInt64(count), toByteOffset: 8, as: UInt64.self)
        memcpy(free + 16, frames, Int(count) * 8)
        globals.pointee.trace_count = index + 1
        found.pointee = index + 1
        rondo_unlock(lock)
        return index + 1
      }
      rondo_unlock(lock)
      if !addBlock(index) { return 0 }
    }
  }

  private static func hash(_ frames: UnsafePointer<UInt64>, _ count: UInt32) -> UInt64 {
    var sum: UInt64 = 0xCBF2_9CE4_8422_2325
    for i in 0..<Int(count) { sum = (sum ^ frames[i]) &* 0x9E37_79B9_7F4A_7C15 }
    return sum ^ sum >> 29
  }

  /// Where its number is, or is to be; the lock is held. The table is never full.
  private static func find(_ frames: UnsafePointer<UInt64>, _ count: UInt32, _ hash: UInt64) -> UnsafeMutablePointer<UInt32> {
    let table = address(globals.pointee.trace_table)!.assumingMemoryBound(to: UInt32.self)
    var at = UInt32(truncatingIfNeeded: hash >> 16)
    while true {
      let entry = table + Int(at % Trace.tableSize)
      if entry.pointee == 0 { return entry }
      let other = record(entry.pointee - 1)!
      if other.load(as: UInt64.self) == hash && other.load(fromByteOffset: 8, as: UInt64.self) == UInt64(count)
        && memcmp(other + 16, frames, Int(count) * 8) == 0
      {
        return entry
      }
      at &+= 1
    }
  }

  // MARK: - memory

  private static func prepareTable() -> Bool {
    if rondo_load64(&globals.pointee.trace_table) != 0 { return true }
    return install(&globals.pointee.trace_table)
  }

  private static func addBlock(_ index: UInt32) -> Bool { install(block(index)) }

  /// A zeroed block at `field`, unless another thread was first; false if memory is out.
  private static func install(_ field: UnsafeMutablePointer<UInt64>) -> Bool {
    guard let memory = keepBlock() else { return false }
    rondo_lock(lock)
    let isFirst = field.pointee == 0
    if isFirst { rondo_store64(field, bits(memory)) }
    rondo_unlock(lock)
    if !isFirst { free(memory) }
    return true
  }

  /// A zeroed block.
  static func keepBlock() -> Raw? {
    guard let memory = rondo_aligned(chunkSize, chunkSize) else { return nil }
    return memset(memory, 0, chunkSize)
  }

  /// A piece of memory that stays; nil if memory is out.
  static func keep(_ size: Int) -> Raw? {
    let wanted = UInt64(size + 7 & ~7)
    var fresh: Raw?
    while true {
      rondo_lock(lock)
      if let fresh, globals.pointee.arena_end - globals.pointee.arena_at < wanted {
        globals.pointee.arena_at = bits(fresh)
        globals.pointee.arena_end = bits(fresh) + UInt64(chunkSize)
      } else {
        free(fresh)  // another thread was first
      }
      if globals.pointee.arena_end - globals.pointee.arena_at >= wanted {
        let found = globals.pointee.arena_at
        globals.pointee.arena_at += wanted
        rondo_unlock(lock)
        return address(found)
      }
      rondo_unlock(lock)
      fresh = rondo_aligned(chunkSize, chunkSize)
      if fresh == nil { return nil }
    }
  }

  // MARK: - what a thread is known to have had

  @inline(never)  // once per thread
  private static func takeStacks(_ thread: UnsafeMutablePointer<rondo_thread>) {
    // The thread's end gives them back; without the hook they would be lost.
    if rondo_load32(&globals.pointee.fork_hooks) != 1 || rondo_shim_watch_thread() != 0 { return }
    rondo_lock(lock)
    let spare = globals.pointee.spare_stacks
    if let spare = address(spare) { globals.pointee.spare_stacks = spare.load(as: UInt64.self) }
    rondo_unlock(lock)
    guard let found = address(spare) ?? keep(rondo_shim_stacks_size()) else { return }
    memset(found, 0, rondo_shim_stacks_size())
    thread.pointee.stacks = bits(found)
  }

  static func endOfThread() {
    let thread = rondo_thread()!
    guard let stacks = address(thread.pointee.stacks) else { return }
    thread.pointee.stacks = 0
    rondo_lock(lock)
    stacks.storeBytes(of: globals.pointee.spare_stacks, as: UInt64.self)
    globals.pointee.spare_stacks = bits(stacks)
    rondo_unlock(lock)
  }
}
