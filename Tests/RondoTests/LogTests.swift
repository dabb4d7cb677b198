// LogTests.swift - a sink's argument lives as long as somebody is in the sink.
import CRondo
import CRondoShim
import Dispatch
import Testing

@testable import Rondo

/// What a sink gets. Never freed here: a test reads it after the drop.
private struct Sink {
  var calls: UInt32 = 0  // any thread
  var drops: UInt32 = 0  // any thread
  var dropsInside: UInt32 = 0  // how often it was dropped when a call came to its end
  var isInside: UInt32 = 0
  var mayLeave: UInt32 = 0
}

@Suite(.serialized) struct LogTests {
  private typealias SinkPointer = UnsafeMutablePointer<Sink>

  private func makeSink() -> SinkPointer {
    let sink = SinkPointer.allocate(capacity: 1)
    sink.initialize(to: Sink())
    return sink
  }

  private func value(_ sink: SinkPointer) -> Value {
    Value(pointer: Raw(sink), drop: { _ = rondo_add32(&$0!.assumingMemoryBound(to: Sink.self).pointee.drops, 1) })
  }

  private func write() { "x".withCString { Log.write(RONDO_LOG_ERROR, $0) } }

  private static let count: rondo_log_fn = { _, _, _, _, arg in
    let sink = arg!.assumingMemoryBound(to: Sink.self)
    _ = rondo_add32(&sink.pointee.calls, 1)
    if rondo_load32(&sink.pointee.drops) != 0 { _ = rondo_add32(&sink.pointee.dropsInside, 1) }
  }

  @Test("a sink that replaces itself keeps its argument until it returns")
  func replacesItself() {
    let sink = makeSink()
    #expect(Log.setSink({ _, _, _, _, arg in
      let sink = arg!.assumingMemoryBound(to: Sink.self)
      sink.pointee.calls += 1
      if sink.pointee.calls == 1 { "inside".withCString { Log.write(RONDO_LOG_ERROR, $0) } }
      _ = Log.setSink(nil, .none)
      sink.pointee.dropsInside += rondo_load32(&sink.pointee.drops)
    }, value(sink)) == RONDO_OK)
    write()
    #expect(sink.pointee.calls == 2)
    #expect(sink.pointee.dropsInside == 0)
    #expect(sink.pointee.drops == 1)
    sink.deallocate()
  }

  @Test("a sink that somebody is in outlives any number of others")
  func parked() {
    let first = makeSink(), second = makeSink(), third = makeSink()
    #expect(Log.setSink({ _, _, _, _, arg in
      let sink = arg!.assumingMemoryBound(to: Sink.self)
      rondo_store32(&sink.pointee.isInside, 1)
      while rondo_load32(&sink.pointee.mayLeave) == 0 { sched_yield() }
      sink.pointee.dropsInside = rondo_load32(&sink.pointee.drops)
    }, value(first)) == RONDO_OK)
    let done = DispatchGroup()
    DispatchQueue.global().async(group: done) { "x".withCString { Log.write(RONDO_LOG_ERROR, $0) } }
    while rondo_load32(&first.pointee.isInside) == 0 { sched_yield() }
    #expect(Log.setSink(Self.count, value(second)) == RONDO_OK)
    write()
    #expect(Log.setSink(Self.count, value(third)) == RONDO_OK)
    write()
    #expect(Log.setSink(nil, .none) == RONDO_OK)
    #expect(first.pointee.drops == 0)
    for sink in [second, third] {
      #expect(sink.pointee.calls == 1)
      #expect(sink.pointee.drops == 1)
    }
    rondo_store32(&first.pointee.mayLeave, 1)
    done.wait()
    #expect(first.pointee.dropsInside == 0)
    #expect(first.pointee.drops == 1)
    for sink in [first, second, third] { sink.deallocate() }
  }

  @Test("threads that log while others replace the sink")
  func stress() {
    let sinks = (0..<2000).map { _ in makeSink() }
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      if thread > 0 {
        for _ in 0..<2000 { write() }
      } else {
        for sink in sinks { _ = Log.setSink(Self.count, value(sink)) }
      }
    }
    #expect(Log.setSink(nil, .none) == RONDO_OK)
    #expect(sinks.allSatisfy { $0.pointee.drops == 1 && $0.pointee.dropsInside == 0 })
    for sink in sinks { sink.deallocate() }
  }

  @Test("an argument without a function is let go of at once")
  func noFunction() {
    let sink = makeSink()
    #expect(rondo_log_set_sink(nil, sink, value(sink).drop) == RONDO_OK)
    #expect(sink.pointee.drops == 1)
    sink.deallocate()
  }
}
