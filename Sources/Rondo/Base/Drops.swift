// Drops.swift - letting go of one thing lets go of the next one: not deeper than the stack allows.
//
// A value's drop may release what holds another value, and so on for as long as the chain is. Up to
// a certain depth that happens as it comes. Deeper down what is to be let go of is put on a list,
// and the outermost drop of this thread goes through the list before it returns. So a drop runs
// before the call that caused it returns, unless that call itself is deep inside of others.
//
// Putting off takes memory. If there is none it is done at once after all.
//
// Knows: Memory. Does not know: what is let go of.

import CRondoShim

enum Drops {
  private static let mostNested: UInt32 = 16

  private struct PutOff {
    var next: UInt64  // address
    var value: Value
  }

  /// value.drop, which is there.
  @inline(never)  // in many places; with nothing to drop nobody comes here
  static func run(_ value: Value) {
    if putOff(value) { return }
    enter()
    value.drop!(value.pointer)
    leave()
  }

  /// True if it is so deep down that this was put off.
  @inline(__always)
  static func putOff(_ value: Value) -> Bool { isDeep && putOffNow(value) }

  /// True if what holds something had better be put off.
  @inline(__always)
  static var isDeep: Bool { rondo_thread()!.pointee.dropping >= mostNested }

  @inline(never)  // rare
  private static func putOffNow(_ value: Value) -> Bool {
    let thread = rondo_thread()!
    guard let made = allocateArray(PutOff.self, 1) else { return false }
    made.initialize(to: PutOff(next: thread.pointee.put_off, value: value))
    thread.pointee.put_off = bits(made)
    return true
  }

  @inline(__always)
  static func enter() { rondo_thread()!.pointee.dropping += 1 }

  @inline(__always)
  static func leave() {
    let thread = rondo_thread()!
    thread.pointee.dropping -= 1
    if thread.pointee.dropping == 0 && thread.pointee.put_off != 0 { runPutOff(thread) }
  }

  @inline(never)  // rare
  private static func runPutOff(_ thread: UnsafeMutablePointer<rondo_thread>) {
    while let first = address(thread.pointee.put_off)?.assumingMemoryBound(to: PutOff.self) {
      thread.pointee.put_off = first.pointee.next
      let value = first.pointee.value
      free(first)
      thread.pointee.dropping = 1  // so that what it puts off in turn comes here
      value.drop!(value.pointer)
      thread.pointee.dropping = 0
    }
  }
}
