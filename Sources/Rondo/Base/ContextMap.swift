// ContextMap.swift - what a context holds: an immutable list of variables and their values.
//
// Copying a context is taking a reference to its map; setting a variable makes a new map that
// shares the values. Programs have a handful of variables, so an array in no order, copied on each
// set and read from end to end, beats a tree. Maps and values cross threads (a call from another
// thread carries its context), so their counts are atomic.
//
// Knows: Memory. Does not know: tasks, loops.

import CRondo
import CRondoShim

struct ContextBox {
  var refs: UInt32
  var value: Value
}

struct ContextEntry {
  var variable: UInt64  // handle
  var box: UnsafeMutablePointer<ContextBox>
}

struct ContextMapHeader {
  var refs: UInt32
  var count: UInt32
}

/// The address of a map, 0 for the empty one.
typealias ContextMap = UInt64

/// What a call carries: 0, a map, or (lowest bit set) the context object to run in.
typealias ContextTag = UInt64

enum Maps {
  @inline(__always)
  private static func header(_ map: ContextMap) -> UnsafeMutablePointer<ContextMapHeader> {
    address(map)!.assumingMemoryBound(to: ContextMapHeader.self)
  }

  private static func entries(_ map: ContextMap) -> UnsafeMutablePointer<ContextEntry> {
    (address(map)! + MemoryLayout<ContextMapHeader>.stride).assumingMemoryBound(to: ContextEntry.self)
  }

  @inline(__always)
  static func retain(_ map: ContextMap) {
    if map != 0 { _ = rondo_add32(&header(map).pointee.refs, 1) }
  }

  @inline(__always)
  static func release(_ map: ContextMap) {
    if map != 0 && rondo_add32(&header(map).pointee.refs, UInt32.max) == 1 { end(map) }
  }

  @inline(never)  // runs the user's drops
  private static func end(_ map: ContextMap) {
    for i in 0..<Int(header(map).pointee.count) { releaseBox(entries(map)[i].box) }
    free(address(map))
  }

  static func releaseBox(_ box: UnsafeMutablePointer<ContextBox>) {
    if rondo_add32(&box.pointee.refs, UInt32.max) != 1 { return }
    let value = box.pointee.value
    free(box)
    value.dispose()
  }

  static func find(_ map: ContextMap, _ variable: UInt64) -> UnsafeMutablePointer<ContextBox>? {
    if map == 0 { return nil }
    for i in 0..<Int(header(map).pointee.count) where entries(map)[i].variable == variable {
      return entries(map)[i].box
    }
    return nil
  }

  /// A map with one more or one changed value; nil if memory is out. The value moves on success.
  static func setting(_ map: ContextMap, _ variable: UInt64, _ value: Value) -> ContextMap? {
    guard let box = allocateArray(ContextBox.self, 1) else { return nil }
    box.initialize(to: ContextBox(refs: 1, value: value))
    guard let made = setting(map, variable, box: box) else {
      free(box)
      return nil
    }
    return made
  }

  /// As setting(), with a box whose reference moves on success, or without the variable, which may
  /// leave the empty map.
  static func setting(_ map: ContextMap, _ variable: UInt64, box: UnsafeMutablePointer<ContextBox>?) -> ContextMap? {
    let old = map == 0 ? 0 : Int(header(map).pointee.count)
    let size = MemoryLayout<ContextMapHeader>.stride + (old + 1) * MemoryLayout<ContextEntry>.stride
    guard let memory = allocateBytes(size) else { return nil }
    let made = bits(memory)
    var count = 0
    for i in 0..<old where entries(map)[i].variable != variable {
      entries(made)[count] = entries(map)[i]
      _ = rondo_add32(&entries(made)[count].box.pointee.refs, 1)
      count += 1
    }
    if let box {
      entries(made)[count] = ContextEntry(variable: variable, box: box)
      count += 1
    }
    if count == 0 {
      free(memory)
      return 0
    }
    header(made).pointee = ContextMapHeader(refs: 1, count: UInt32(count))
    return made
  }
}
