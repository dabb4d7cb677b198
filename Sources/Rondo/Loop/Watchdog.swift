// Watchdog.swift - a thread that says where the loop's thread is when one call does not come back.
//
// The loop and its watching thread share one block of memory. Closing the loop joins the thread,
// unless that is just telling of a stall: a log sink may block, and nobody must wait for it. Then the
// thread is left to end, and to free the block, by itself. It sleeps while the loop does.
//
// When a call begins the loop writes down its number, when, and of what: a few words, because this is done
// for every call. The thread never touches the loop, whose objects are its own thread's. What a
// task is called is found out by the loop's thread itself, in the handler of the signal that also takes
// its stack (stall.c), once a stall.
//
// Knows: Log, Frames, Origins. Does not know: what a stall is due to.

import CRondo
import CRondoShim

struct WatchState {
  var signal: UInt32 = 0  // futex: goes up when the sleeping thread has to look
  var isAsleep: UInt32 = 0  // any thread
  var isActive: UInt32 = 0  // any thread; the loop runs calls and has not slept since
  var phase: UInt32 = 0  // any thread; a WatchPhase
  var tid: UInt32 = 0  // any thread; the kernel's number of the loop's thread
  var threshold: UInt64  // any thread
  var turn: UInt64 = 0  // any thread; another one for each call, odd while one runs
  var began: UInt64  // any thread; when that was, or a little earlier; never 0, which would be long ago
  var fn: UInt64 = 0  // the loop's thread, as are the next ones: what runs
  var arg: UInt64 = 0
  var isDebugging: UInt32 = 0  // any thread
  let loop: UInt64
  let state: Raw  // the loop's
  var owner: UInt64 = 0  // the loop's thread
  var note = StallNote()  // who has asked for a stack
  var thread = pthread_t()
}

/// What the loop's thread says of itself.
struct StallNote {
  typealias Name = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
  static let noName: Name = (0, 0, 0, 0, 0, 0, 0, 0)

  var turn: UInt64 = 0  // even: it was in no call
  var fn: UInt = 0
  var isTimer = false
  var task: UInt64 = 0  // handle
  var handle: UInt64 = 0
  var number: UInt64 = 0  // in "Task-<number>", 0 for a name
  var name: Name = noName
  var coroutine: Name = noName
  var trace: TraceID = 0

  /// The beginning of a string, ended by a NUL.
  static func copy(_ string: Raw?, _ name: inout Name) {
    guard let string else { return }
    let length = Swift.min(strnlen(string.assumingMemoryBound(to: CChar.self), 63), 63)
    withUnsafeMutableBytes(of: &name) { _ = memcpy($0.baseAddress!, string, length) }
  }
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
    return isDebugging ? 1_000_000_000 : Int64.max
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
    made.initialize(to: WatchState(
      threshold: UInt64(watchdogThreshold), began: UInt64(rondo_shim_now()), loop: s.pointee.header.handle,
      state: Raw(s)))
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

  @inline(__always)
  func beginWatched(_ subject: Subject) {
    guard let watch else { return }
    // After them the turn: a signal handler that finds it odd finds these words written.
    rondo_poke64(&watch.pointee.fn, UInt64(unsafeBitCast(subject.fn, to: UInt.self)))
    rondo_poke64(&watch.pointee.arg, bits(subject.task ?? subject.arg))
    rondo_store64(&watch.pointee.turn, (rondo_peek64(&watch.pointee.turn) &+ 1) | 1)
    if rondo_peek32(&watch.pointee.isActive) == 0 { watch.activate() }
  }

  /// The clock was read: what begins now began then, or a little later.
  @inline(never)  // every few milliseconds
  func noteTime() {
    if let watch { rondo_poke64(&watch.pointee.began, UInt64(bitPattern: s.pointee.lastLook)) }
  }

  /// No call runs.
  @inline(__always)
  func endWatched() {
    if let watch { rondo_store64(&watch.pointee.turn, (rondo_peek64(&watch.pointee.turn) | 1) &+ 1) }
  }

  /// The loop is going to sleep, or its run ends: the clock has to be read again, and nobody to watch.
  @inline(never)  // who sleeps has time
  func restWatchdog() {
    s.pointee.isLookOld = true
    endWatched()
    if let watch { rondo_store32(&watch.pointee.isActive, 0) }
  }
}

extension UnsafeMutablePointer where Pointee == WatchState {
  fileprivate func takeThread() {
    pointee.owner = rondo_thread_id()
    rondo_store32(&pointee.tid, UInt32(bitPattern: rondo_shim_gettid()))
  }

  /// Either the thread sees that calls run, or it is seen to sleep.
  @inline(never)  // once after each sleep of the loop
  fileprivate func activate() {
    rondo_poke32(&pointee.isDebugging, LoopRef(pointee.state).isDebugging ? 1 : 0)
    rondo_store32(&pointee.isActive, 1)
    rondo_fence()
    if rondo_load32(&pointee.isAsleep) != 0 { wakeUp() }
  }

  fileprivate func wakeUp() {
    rondo_store32(&pointee.isAsleep, 0)
    _ = rondo_add32(&pointee.signal, 1)
    rondo_shim_wake_one(&pointee.signal)
  }

  fileprivate func freeMemory() { free(self) }
}

private enum Watch {
  /// The watching thread.
  static func run(_ watch: WatchPointer) {
    rondo_shim_prepare_stall()
    var told: UInt64 = 0
    while rondo_load32(&watch.pointee.phase) != WatchPhase.ending {
      let seen = rondo_load32(&watch.pointee.signal)
      let turn = rondo_load64(&watch.pointee.turn)
      let threshold = rondo_load64(&watch.pointee.threshold)
      if rondo_load32(&watch.pointee.isActive) == 0 {
        sleep(watch, seen)
      } else if turn & 1 == 0 || turn == told {
        wait(watch, seen, UInt64(rondo_shim_now()), threshold)
      } else {
        let began = rondo_load64(&watch.pointee.began)
        if UInt64(rondo_shim_now()) < began &+ threshold {
          wait(watch, seen, began, threshold)
        } else if rondo_load64(&watch.pointee.turn) == turn {
          told = turn
          if !tell(watch, turn, began) { return }
        }
      }
    }
  }

  /// Until then, or until something changes.
  private static func wait(_ watch: WatchPointer, _ seen: UInt32, _ from: UInt64, _ time: UInt64) {
    let (sum, overflow) = from.addingReportingOverflow(time)
    rondo_shim_wait(&watch.pointee.signal, seen, overflow || sum > UInt64(Int64.max) ? Int64.max : Int64(sum))
  }

  /// Until the loop runs calls.
  private static func sleep(_ watch: WatchPointer, _ seen: UInt32) {
    rondo_store32(&watch.pointee.isAsleep, 1)
    rondo_fence()
    if rondo_load32(&watch.pointee.isActive) == 0 && rondo_load32(&watch.pointee.phase) != WatchPhase.ending {
      rondo_shim_wait(&watch.pointee.signal, seen, Int64.max)
    }
  }

  /// False if nobody is left to watch for, and nothing to come back to.
  private static func tell(_ watch: WatchPointer, _ turn: UInt64, _ began: UInt64) -> Bool {
    if rondo_cas32(&watch.pointee.phase, WatchPhase.watching, WatchPhase.telling) == 0 { return true }
    report(watch, turn, began)
    if rondo_cas32(&watch.pointee.phase, WatchPhase.telling, WatchPhase.watching) != 0 { return true }
    watch.freeMemory()
    return false
  }

  private static func report(_ watch: WatchPointer, _ turn: UInt64, _ began: UInt64) {
    withUnsafeTemporaryAllocation(of: Frame.self, capacity: Int(RONDO_STALL_FRAMES)) { frames in
      watch.pointee.note = StallNote()
      let tid = Int32(bitPattern: rondo_load32(&watch.pointee.tid))
      let count = rondo_shim_capture_stall(
        tid, frames.baseAddress, { Watch.note($0!.assumingMemoryBound(to: WatchState.self)) }, watch)
      if rondo_load64(&watch.pointee.turn) != turn { return }  // it just came back
      let took = rondo_shim_now() - Int64(began)
      var text = Text()
      var fields = LogFields()
      fields.add("loop", watch.pointee.loop)
      addSubject(watch, count < 0 ? StallNote() : watch.pointee.note, &text, &fields)
      text.add(" has taken ")
      text.addThousandths((took + 500_000) / 1_000_000)
      text.add(" seconds so far; the loop's thread is in")
      if count >= 0 {
        Frames.describe(frames.baseAddress!, Int(count), &text)
      } else {
        text.add(count == -EBUSY
          ? "\n  (unknown: no real-time signal is free)" as StaticString : "\n  (unknown: it does not answer a signal)")
      }
      fields.add("duration_ns", took)
      Log.write(RONDO_LOG_WARNING, text.cString, fields)
      FailOn.check(FailOn.blocked, text.cString)
    }
  }

  /// In the loop's thread, which is in a signal handler: what it does.
  private static func note(_ watch: WatchPointer) {
    let turn = rondo_peek64(&watch.pointee.turn)
    if turn & 1 == 0 { return }
    let note = place(&watch.pointee.note)
    note.pointee.fn = UInt(watch.pointee.fn)
    let hooks = LoopRef(watch.pointee.state).s.pointee.hooks
    if note.pointee.fn == hooks.stepFn, let task = address(watch.pointee.arg) {
      hooks.note(task, Raw(note))
    } else if let entry = address(watch.pointee.arg), let found = HandleRef.of(entry: entry, fn: note.pointee.fn) {
      note.pointee.handle = found.s.pointee.header.handle
      note.pointee.isTimer = found.has(HandleBits.timer)
      note.pointee.fn = unsafeBitCast(found.s.pointee.call.fn, to: UInt.self)
      note.pointee.trace = Origins.trace(of: Raw(found.s))
    } else if let entry = address(watch.pointee.arg), let posted = ThreadHandleRef.of(entry: entry, fn: note.pointee.fn) {
      note.pointee.handle = posted.s.pointee.header.handle
      note.pointee.fn = unsafeBitCast(posted.s.pointee.call.fn, to: UInt.self)
      note.pointee.trace = Origins.trace(of: Raw(posted.s))
    }
    note.pointee.turn = turn
  }

  /// "Executing <Task pending name='Task-1' coro=<work()>>"; without a note there is no more than a number.
  private static func addSubject(_ watch: WatchPointer, _ note: StallNote, _ text: inout Text, _ fields: inout LogFields) {
    fields.add("task", note.task)
    fields.add("handle", note.handle)
    if note.task != 0 {
      text.add("Executing <Task pending name='")
      if note.number != 0 {
        text.add("Task-")
        text.add(Int64(bitPattern: note.number))
      }
      add(note.name, &text)
      text.add("' coro=<")
      add(note.coroutine, &text)
      text.add("()>")
    } else {
      text.add(note.isTimer ? "Executing <TimerHandle " as StaticString : "Executing <Handle ")
      let fn = note.turn != 0 ? note.fn : UInt(rondo_peek64(&watch.pointee.fn))
      Frames.addName(ofFunction: fn, looksUp: rondo_peek32(&watch.pointee.isDebugging) != 0, &text)
    }
    Origins.addPlace(note.trace, " created at ", &text)
    text.add(">")
  }

  private static func add(_ name: StallNote.Name, _ text: inout Text) {
    withUnsafeBytes(of: name) { text.add(UnsafePointer($0.baseAddress!.assumingMemoryBound(to: CChar.self))) }
  }
}
