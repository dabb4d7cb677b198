// CallGraph.swift - a call graph that was captured: entries, calls and names, and nothing else.
//
// A copy, so that it can be read while everything goes on, by any thread and after the end of what
// it shows. It names objects by handle and holds none of them. The entries are in the order in
// which they are printed: each is followed by those who await it.
//
// A stack belongs to a range of `calls`. Entries that show one task share the range, so that the
// graph is no larger than what it shows.
//
// Knows: GlobalObjects. Does not know: how it is captured, tasks.

import CRondo
import CRondoShim

struct CallGraphEntry {
  var handle: UInt64
  var parent: UInt32  // index; an entry's own for the first
  var depth: UInt32
  var name: UInt32  // offset of the task's name
  var firstCall: UInt32
  var callCount: UInt32
  var kind: UInt16
  var flags: UInt16  // RONDO_CALL_GRAPH_REPEATED and _CYCLE, and while it is made, CallGraphBits
}

struct CallGraphCall {
  var step: UInt  // the function; 0 for what has none
  var name: UInt32  // offset
  var place: UInt32  // the line that it waits at, 0 for unknown, and `generator`

  static let generator: UInt32 = 1 << 31
}

struct CallGraphState {
  var header: ObjectHeader
  var entries: UnsafeMutablePointer<CallGraphEntry>?
  var calls: UnsafeMutablePointer<CallGraphCall>?
  var names: UnsafeMutablePointer<CChar>?
  var count: Int
}

struct CallGraphRef {
  let s: UnsafeMutablePointer<CallGraphState>

  static let size = MemoryLayout<CallGraphState>.stride

  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: CallGraphState.self) }

  @inline(never)  // one copy for all who ask
  static func find(_ handle: OpaquePointer?) -> CallGraphRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.callGraph, size) else { return nil }
    return CallGraphRef(found)
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.callGraph, size)
  }

  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }

  /// With one of C's references; takes what was captured. Nil if memory is out.
  static func make(_ capture: inout CallGraphCapture) -> CallGraphRef? {
    guard let slot = Global.take(Kind.callGraph, size) else { return nil }
    let made = CallGraphRef(slot)
    made.s.pointee.count = capture.entries.count
    made.s.pointee.entries = capture.entries.take()
    made.s.pointee.calls = capture.calls.take()
    made.s.pointee.names = capture.names.take()
    return made
  }

  func retain() -> rondo_status { Global.retain(Raw(s)) }

  func releaseUser() -> rondo_status {
    Global.release(Raw(s)) {
      free(s.pointee.entries)
      free(s.pointee.calls)
      free(s.pointee.names)
      Global.give(Kind.callGraph, Raw(s))
    }
  }

  // MARK: - reading

  /// An index is C's size_t: what is above half of that is negative here.
  func entry(_ index: Int) -> CallGraphEntry? {
    index >= 0 && index < s.pointee.count ? s.pointee.entries![index] : nil
  }

  func text(_ offset: UInt32) -> UnsafePointer<CChar> { UnsafePointer(s.pointee.names! + Int(offset)) }

  /// The innermost first.
  func call(_ entry: CallGraphEntry, _ index: Int) -> CallGraphCall? {
    if index < 0 || index >= Int(entry.callCount) { return nil }
    return s.pointee.calls![Int(entry.firstCall) + index]
  }
}
