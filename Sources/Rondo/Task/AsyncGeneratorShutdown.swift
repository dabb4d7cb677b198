// AsyncGeneratorShutdown.swift - closing every generator of a loop at once: shutdown_asyncgens().
//
// Knows: AsyncGenerator, its operations, Gather. Does not know: when a loop is to be closed.

import CRondo
import CRondoShim

struct ShutdownFrame {
  var loop: OpaquePointer?
  var generators: UnsafeMutablePointer<GeneratorRef>?  // pinned
  var count: Int
  var all: OpaquePointer?  // the gather of their ends, with a reference of C's
}

struct GeneratorShutdown {
  let s: UnsafeMutablePointer<ShutdownFrame>

  static func make(_ loop: LoopRef) -> CoroutineRef? {
    let drop: rondo_drop_fn = { GeneratorShutdown(s: $0!.assumingMemoryBound(to: ShutdownFrame.self)).letGo() }
    let step: rondo_step_fn = { GeneratorShutdown(s: $1!.assumingMemoryBound(to: ShutdownFrame.self)).step($3) }
    guard let (made, frame) = CoroutineRef.makeNative("shutdown_asyncgens", step, ShutdownFrame.self, drop) else {
      return nil
    }
    frame.pointee.loop = loop.handle
    return made
  }

  private func letGo() {
    for i in 0..<s.pointee.count { s.pointee.generators![i].unpin() }
    s.pointee.count = 0
    free(s.pointee.generators)
    if let all = FutureRef.find(s.pointee.all) { _ = all.releaseUser() }
  }

  private func step(_ thrown: OpaquePointer?) -> rondo_step {
    guard let loop = LoopRef.owned(s.pointee.loop) else {
      return Native.raise(ErrorRef.of(LoopRef.refuse(s.pointee.loop)))
    }
    if s.pointee.all != nil {
      if thrown != nil { return Native.raise(nil, thrown) }
      report(loop)
      return Native.value(.none)
    }
    loop.s.pointee.generatorsShut = true
    if !collect(loop) { return Native.raise(ErrorRef.of(-ENOMEM)) }
    if s.pointee.count == 0 { return Native.value(.none) }
    let status = closeAll(loop)
    return status == RONDO_OK ? Native.awaits(s.pointee.all, moved: false) : Native.raise(ErrorRef.of(status))
  }

  // MARK: - beginning

  /// Pin what is on the list, in its order; false if memory is out.
  private func collect(_ loop: LoopRef) -> Bool {
    let count = forEach(loop) { _ in }
    if count == 0 { return true }
    guard let found = allocateArray(GeneratorRef.self, count) else { return false }
    s.pointee.generators = found
    _ = forEach(loop) { generator in
      // One that is just ending in another thread has nothing that could be held on to.
      if s.pointee.count == count || !Global.tryPin(generator.raw) { return }
      (found + s.pointee.count).initialize(to: generator)
      s.pointee.count += 1
    }
    return true
  }

  private func forEach(_ loop: LoopRef, _ visit: (GeneratorRef) -> Void) -> Int {
    rondo_lock(GeneratorRef.lock)
    defer { rondo_unlock(GeneratorRef.lock) }
    guard let raw = address(loop.s.pointee.generators) else { return 0 }
    let first = GeneratorRef(raw)
    var at = first
    var count = 0
    repeat {
      visit(at)
      count += 1
      at = GeneratorRef(address(at.s.pointee.next)!)
    } while at.s != first.s
    return count
  }

  private func closeAll(_ loop: LoopRef) -> rondo_status {
    let count = s.pointee.count
    guard let closers = allocateArray(Raw?.self, count) else { return -ENOMEM }
    defer { free(closers) }
    for i in 0..<count {
      guard let made = GeneratorOperation.make(s.pointee.generators![i], GeneratorQuestion.close) else {
        for k in 0..<i { CoroutineRef.find(OpaquePointer(closers[k]))!.giveUp() }
        return -ENOMEM
      }
      (closers + i).initialize(to: made.handle.map { Raw($0) })
    }
    for i in 0..<count { s.pointee.generators![i].unlist() }
    let (all, status) = Gather.make(loop, closers, count, returnsExceptions: true)
    s.pointee.all = all?.handle
    return status
  }

  // MARK: - the end

  private func report(_ loop: LoopRef) {
    guard let all = FutureRef.find(s.pointee.all), let gather = Gather.find(all) else { return }
    for i in 0..<s.pointee.count {
      guard let error = gather.child(i)?.error, !error.isCancellation, !error.leavesLoop else { continue }
      let generator = s.pointee.generators![i]
      var text = Text()
      text.add("an error occurred during closing of asynchronous generator ")
      generator.describe(&text)
      loop.report(text.cString, error, asyncgen: generator.s.pointee.header.handle)
    }
  }
}

extension LoopRef {
  /// Close every generator, in a run that has begun.
  func closeGenerators() {
    guard let coroutine = GeneratorShutdown.make(self) else { return }
    s.pointee.attention = 0
    _ = runUntilComplete(coroutine.handle, nil)
  }
}
