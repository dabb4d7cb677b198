// Watchdog.swift - a thread that says where the loop's thread is when one call does not come back.
//
// The loop and its watching thread share one block of memory. Closing the loop joins the thread,
// unless that is just telling of a stall: a log sink may block, and nobody must wait for it. Then the
// thread is left to end, and to free the block, by itself. It sleeps while the loop does.
// When a call begins the loop writes down what it is and when; that is all that the thread ever
// reads. It never touches the loop, whose objects are its own thread's.
//
// The stack is taken by a signal (stall.c), once a stall.
//
// Knows: Timed, Log, Frames. Does not know: what a stall is due to.

import CRondo
import CRondoShim

struct WatchState {
  var lock: UInt32 = 0  // guards the description
  var signal: UInt32 = 0  // futex: goes up when the sleeping thread has to look
  var isAsleep: UInt32 = 0  // any thread
  var phase: UInt32 = 0  // any thread; a WatchPhase
  var tid: UInt32 = 0  // any thread; the kernel's number of the loop's thread
  var threshold: UInt64  // any thread
  var began: UInt64 = 0  // any thread; when the call began that runs, 0 for none
  let loop: UInt64
  var owner: UInt64 = 0  // the loop's thread
  var task: UInt64 = 0  // under the lock, as are the next ones
  var handle: UInt64 = 0
  var text: UnsafeMutablePointer<CChar>? = nil
  var thread = pthread_t()
}

enum WatchPhase {
  static let watching: UInt32 = 0
  static let telling: UInt32 = 1
  static let ending: UInt32 = 2
}

typealias WatchPointer = UnsafeMutablePointer<WatchState>

extension LoopRef {
  /// Int64.max if it is off.
  var watchdogThreshold: Int64 {
    if s.pointee.watchdog != 0 { return s.pointee.watchdog }
    return isDebug ? 1_000_000_000 : Int64.max
  }

  private var watch: WatchPointer? { address(s.pointee.watch)?.assumingMemoryBound(to: WatchState.self) }

  // MARK: - its life

  /// Start it if it is wanted; without memory or a thread the next pass tries again.
  func startWatchdog() {
    if let watch {
      if watch.pointee.owner != rondo_thread_id() { watch.takeThread() }
      return
    }
    if watchdogThreshold == Int64.max || !isMine { return }
    guard let made = allocateArray(WatchState.self, 1) else { return }
    made.initialize(to: WatchState(threshold: UInt64(watchdogThreshold), loop: s.pointee.header.handle))
    made.takeThread()
    let status = rondo_shim_start_thread(
      { Watch.run($0!.assumingMemoryBound(to: WatchState.self)) }, made, literal("rondo-watchdog"), &made.pointee.thread)
    if status == 0 { s.pointee.watch = bits(made) } else { free(made) }
  }

  /// The threshold may be another one, or none.
  func renewWatchdog() {
    guard let watch else { return }
    if watchdogThreshold == Int64.max { return endWatchdog() }
    rondo_store64(&watch.pointee.threshold, UInt64(watchdogThreshold))
    watch.wakeUp()
  }

  func endWatchdog() {
    guard let watch else { return }
    s.pointee.watch = 0
    let thread = watch.pointee.thread
    if rondo_swap32(&watch.pointee.phase, WatchPhase.ending) == WatchPhase.telling {
      _ = pthread_detach(thread)  // the block is its own now
    } else {
      watch.wakeUp()
      _ = pthread_join(thread, nil)
      watch.freeMemory()
    }
  }

  /// In a child of fork(), which has no such thread.
  func forgetWatchdog() {
    guard let watch else { return }
    s.pointee.watch = 0
    watch.freeMemory()
  }

  // MARK: - calls

  func beginWatched(_ subject: Subject, _ now: Int64) {
    guard let watch else { return }
    var text = Text()
    addExecuting(subject, &text)
    rondo_lock(&watch.pointee.lock)
    let old = watch.pointee.text
    watch.pointee.text = text.take()
    watch.pointee.task = subject.taskHandle
    watch.pointee.handle = subject.handle
    rondo_unlock(&watch.pointee.lock)
    free(old)
    rondo_store64(&watch.pointee.began, UInt64(now))
    // Either it sees that a call began, or it is seen to sleep.
    rondo_fence()
    if rondo_load32(&watch.pointee.isAsleep) != 0 { watch.wakeUp() }
  }

  func endWatched() {
    if let watch { rondo_store64(&watch.pointee.began, 0) }
  }
}

extension UnsafeMutablePointer where Pointee == WatchState {
  fileprivate func takeThread() {
    pointee.owner = rondo_thread_id()
    rondo_store32(&pointee.tid, UInt32(bitPattern: rondo_shim_gettid()))
  }

  fileprivate func wakeUp() {
    rondo_store32(&pointee.isAsleep, 0)
    _ = rondo_add32(&pointee.signal, 1)
    rondo_shim_wake_one(&pointee.signal)
  }

  fileprivate func freeMemory() {
    free(pointee.text)
    free(self)
  }
}

private enum Watch {
  /// The watching thread.
  static func run(_ watch: WatchPointer) {
    rondo_shim_prepare_stall()
    var told: UInt64 = 0
    while rondo_load32(&watch.pointee.phase) != WatchPhase.ending {
      let seen = rondo_load32(&watch.pointee.signal)
      let began = rondo_load64(&watch.pointee.began)
      if began == 0 || began == told {
        sleep(watch, seen, began)
      } else {
        let due = began &+ rondo_load64(&watch.pointee.threshold)
        if UInt64(rondo_shim_now()) < due {
          rondo_shim_wait(&watch.pointee.signal, seen, Int64(Swift.min(due, UInt64(Int64.max))))
        } else {
          told = began
          if rondo_cas32(&watch.pointee.phase, WatchPhase.watching, WatchPhase.telling) == 0 { return }
          tell(watch, began)
          if rondo_cas32(&watch.pointee.phase, WatchPhase.telling, WatchPhase.watching) == 0 {
            return watch.freeMemory()
          }
        }
      }
    }
  }

  /// Until another call begins.
  private static func sleep(_ watch: WatchPointer, _ seen: UInt32, _ began: UInt64) {
    rondo_store32(&watch.pointee.isAsleep, 1)
    rondo_fence()
    if rondo_load64(&watch.pointee.began) == began && rondo_load32(&watch.pointee.phase) != WatchPhase.ending {
      rondo_shim_wait(&watch.pointee.signal, seen, Int64.max)
    }
  }

  private static func tell(_ watch: WatchPointer, _ began: UInt64) {
    var text = Text()
    var fields = LogFields()
    fields.add("loop", watch.pointee.loop)
    rondo_lock(&watch.pointee.lock)
    let isCurrent = rondo_load64(&watch.pointee.began) == began
    text.add(watch.pointee.text.map { UnsafePointer($0) })
    fields.add("task", watch.pointee.task)
    fields.add("handle", watch.pointee.handle)
    rondo_unlock(&watch.pointee.lock)
    if !isCurrent { return }  // it just came back
    let took = rondo_shim_now() - Int64(began)
    text.add(" has taken ")
    text.addThousandths((took + 500_000) / 1_000_000)
    text.add(" seconds so far; the loop's thread is in")
    addStack(watch, began, &text)
    fields.add("duration_ns", took)
    Log.write(RONDO_LOG_WARNING, text.cString, fields)
    FailOn.check(FailOn.blocked, text.cString)
  }

  private static func addStack(_ watch: WatchPointer, _ began: UInt64, _ text: inout Text) {
    withUnsafeTemporaryAllocation(of: Frame.self, capacity: Int(RONDO_STALL_FRAMES)) { frames in
      let tid = Int32(bitPattern: rondo_load32(&watch.pointee.tid))
      let count = rondo_shim_capture_stall(tid, frames.baseAddress)
      if count < 0 {
        text.add(count == -EBUSY
          ? "\n  (unknown: no real-time signal is free)" as StaticString : "\n  (unknown: it does not answer a signal)")
      } else if rondo_load64(&watch.pointee.began) != began {
        text.add("\n  (it came back meanwhile)")
      } else {
        Frames.describe(frames.baseAddress!, Int(count), &text)
      }
    }
  }
}
