// TaskStack.swift - where a task waits.
//
// A stackless coroutine leaves nothing on the C stack, so its place is its function and the line
// that the macros of rondo/async.h keep in its frame to go on from. A frame may be anything, also
// no pointer at all, so it is not dereferenced: the kernel is asked to read it, and a mark that the
// macros leave behind the line says that it is one of theirs.
//
// Knows: Task, Coroutine, Frames. Does not know: who asks.

import CRondo
import CRondoShim

extension TaskRef {
  /// Visit what runs or waits in it, outermost first: at most `limit`, the innermost. How many
  /// there are; nil if memory is out.
  @inline(never)  // wanted in three places
  func forEachFrame(_ limit: Int, _ visit: (Int, ActivationPointer, Int32) -> Void) -> Int? {
    if future.isDone { return 0 }
    let outermost = root
    let innermost = outermost.innermost(s.pointee.top)
    var count = 1
    var at = innermost
    while at != outermost {
      at = parent(of: at)
      count += 1
    }
    // They are linked inwards out.
    let wanted = Swift.min(count, limit)
    if wanted == 0 { return count }
    guard let inwards = allocateArray(ActivationPointer.self, wanted) else { return nil }
    defer { free(inwards) }
    at = innermost
    for i in 0..<wanted {
      inwards[wanted - 1 - i] = at
      if i + 1 < wanted { at = parent(of: at) }
    }
    for i in 0..<wanted { visit(i, inwards[i], line(of: inwards[i])) }
    return count
  }

  /// Fill in up to `capacity`; how many there are, nil if memory is out.
  func copyStack(_ frames: UnsafeMutablePointer<rondo_stack_frame>?, _ capacity: Int) -> Int? {
    // The first ones are wanted if not all fit, and forEachFrame gives the last ones.
    guard let count = forEachFrame(0, { _, _, _ in }) else { return nil }
    if capacity == 0 { return count }
    return forEachFrame(count) { index, activation, line in
      if index >= capacity { return }
      frames![index] = rondo_stack_frame(
        function: activation.pointee.step, name: activation.pointee.name, line: line, reserved: 0)
    }
  }

  private func parent(of activation: ActivationPointer) -> ActivationPointer {
    address(activation.pointee.parent)!.assumingMemoryBound(to: Activation.self)
  }

  /// The line of the await that it waits at, 0 if it is not known.
  func line(of activation: ActivationPointer) -> Int32 {
    let isRunning = future.loop.s.pointee.currentTask == bits(s) || future.has(FutureBits.stepping)
    return isRunning ? 0 : rondo_shim_frame_line(activation.pointee.frame)
  }

  /// print_stack(); false if memory is out.
  func describeStack(_ limit: Int, _ text: inout Text) -> Bool {
    let isDone = future.isDone
    text.add(isDone ? "No stack for " as StaticString : "Stack for ")
    future.describe(&text)
    if isDone { return true }
    text.add(" (most recent call last):")
    return withUnsafeMutablePointer(to: &text) { text in
      forEachFrame(limit == 0 ? Int.max : limit) { describe($1, $2, &text.pointee) } != nil
    }
  }

  private func describe(_ activation: ActivationPointer, _ line: Int32, _ text: inout Text) {
    text.add("\n")
    Frames.describe(function: unsafeBitCast(activation.pointee.step, to: UInt.self), line, activation.pointee.name, &text)
  }
}
