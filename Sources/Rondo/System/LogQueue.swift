// LogQueue.swift - messages that wait for a sink which may block, and the thread that takes them there.
//
// Who logs copies the message, without a lock held, and leaves it under a lock that is held for a
// few instructions. It never waits: without room something is dropped, and the gap is remembered
// where it is. So the sink hears of it between the messages that were before and after.
//
// The thread is detached. A sink that blocks for ever must not keep anybody: not who replaces it,
// not exit(), which waits for a bounded time only. The queue is the thread's to free.
//
// A child of fork() has no such thread. What waits there is the parent's to deliver, so the child
// forgets it, and starts a thread of its own with its first message.
//
// Knows: Base, LogRecord. Does not know: which sink is installed.

import CRondo
import CRondoShim

struct LogEntry {
  var record: LogRecordPointer
  var gap: UInt64  // messages dropped before this one
}

struct LogQueueState {
  var lock: UInt32 = 0
  var wake: UInt32 = 0  // a futex; goes up when the sleeping thread has something to do
  var isAsleep = false  // under the lock, as are the next ones
  var isEnding = false
  var isOrphan = true  // no thread in this process
  var isReporting = false  // a gap is being reported that no message follows
  var head = 0
  var count = 0
  var gap: UInt64 = 0  // messages dropped behind the newest
  var accepted: UInt64 = 0
  var finished: UInt64 = 0  // delivered, or dropped after all
  let capacity: Int
  let dropsOldest: Bool
  let fn: rondo_log_fn?
  let arg: Value
  let entries: UnsafeMutablePointer<LogEntry>
  let name: UnsafeMutablePointer<CChar>
  var next: UInt64 = 0  // under the process's lock
}

typealias LogQueuePointer = UnsafeMutablePointer<LogQueueState>

enum LogQueue {
  static let largest: UInt32 = 1 << 20

  static func at(_ value: UInt64) -> LogQueuePointer? {
    address(value)?.assumingMemoryBound(to: LogQueueState.self)
  }

  private static var globals: UnsafeMutablePointer<rondo_globals> { rondo_globals() }

  // MARK: - making

  /// A queue with its thread; the argument moves on success.
  static func make(_ options: rondo_log_queue_options, _ fn: rondo_log_fn?, _ arg: Value)
    -> (LogQueuePointer?, rondo_status)
  {
    let capacity = options.capacity == 0 ? 1024 : Int(options.capacity)
    let entries = allocateArray(LogEntry.self, capacity)
    let name = copyString(options.thread_name ?? literal("rondo-log"))
    let made = allocateArray(LogQueueState.self, 1)
    guard let entries, let name, let made else {
      free(entries)
      free(name)
      free(made)
      return (nil, -ENOMEM)
    }
    made.initialize(to: LogQueueState(
      capacity: capacity, dropsOldest: options.flags & UInt32(RONDO_LOG_QUEUE_DROP_OLDEST) != 0,
      fn: fn, arg: arg, entries: entries, name: name))
    let status = start(made)
    if status != RONDO_OK {
      freeMemory(made)
      return (nil, status)
    }
    waitAtExit(options.exit_wait_ns)
    rondo_lock(&globals.pointee.lock)
    made.pointee.next = globals.pointee.log_queues
    globals.pointee.log_queues = bits(made)
    rondo_unlock(&globals.pointee.lock)
    return (made, RONDO_OK)
  }

  private static func start(_ queue: LogQueuePointer) -> rondo_status {
    queue.pointee.isOrphan = false
    let status = rondo_shim_start_thread({ LogQueue.work(LogQueue.at(bits($0!))!) }, queue, queue.pointee.name, nil)
    if status != RONDO_OK { queue.pointee.isOrphan = true }
    return status
  }

  private static func waitAtExit(_ wanted: Int64) {
    rondo_store64(&globals.pointee.log_exit_wait, UInt64(wanted == 0 ? 1_000_000_000 : Swift.max(0, wanted)))
    if rondo_swap32(&globals.pointee.log_at_exit, 1) == 0 {
      _ = rondo_shim_at_exit { _ = Log.flush(Int64(rondo_load64(&rondo_globals()!.pointee.log_exit_wait))) }
    }
  }

  private static func freeMemory(_ queue: LogQueuePointer) {
    free(queue.pointee.entries)
    free(queue.pointee.name)
    free(queue)
  }

  // MARK: - any thread

  /// Leave a message, or drop one.
  @inline(never)  // who has no queue pays nothing for it
  static func push(
    _ queue: LogQueuePointer, _ level: Int32, _ message: UnsafePointer<CChar>,
    _ fields: UnsafePointer<rondo_log_field>?, _ count: Int, isOwn: Bool
  ) {
    if dropsAtOnce(queue) { return }
    let copy = LogRecord.copy(level, message, fields, count, isOwn: isOwn)
    rondo_lock(&queue.pointee.lock)
    let gone = append(queue, copy)
    let wakes = queue.pointee.isAsleep
    queue.pointee.isAsleep = false
    // Under the lock, so that of several threads one starts it.
    let isLate = queue.pointee.isOrphan
    if isLate { _ = start(queue) }
    rondo_unlock(&queue.pointee.lock)
    free(gone)
    if gone != nil || copy == nil { _ = rondo_add64(&globals.pointee.log_dropped, 1) }
    if wakes { wakeUp(queue) }
  }

  /// Full, and the new one is what goes: then it need not be copied.
  private static func dropsAtOnce(_ queue: LogQueuePointer) -> Bool {
    if queue.pointee.dropsOldest { return false }
    rondo_lock(&queue.pointee.lock)
    let isFull = queue.pointee.count == queue.pointee.capacity
    if isFull { queue.pointee.gap += 1 }
    rondo_unlock(&queue.pointee.lock)
    if isFull { _ = rondo_add64(&globals.pointee.log_dropped, 1) }
    return isFull
  }

  /// Under the lock. Answers what is to be freed.
  private static func append(_ queue: LogQueuePointer, _ copy: LogRecordPointer?) -> LogRecordPointer? {
    var gone: LogRecordPointer?
    let isFull = queue.pointee.count == queue.pointee.capacity
    guard let copy, !isFull || queue.pointee.dropsOldest else {
      queue.pointee.gap += 1
      return copy
    }
    if isFull {
      let oldest = takeFirst(queue)
      queue.pointee.finished += 1
      gone = oldest.record
      // The gap is now before the next one, or before what comes.
      if queue.pointee.count > 0 {
        queue.pointee.entries[queue.pointee.head].gap += oldest.gap + 1
      } else {
        queue.pointee.gap += oldest.gap + 1
      }
    }
    let place = (queue.pointee.head + queue.pointee.count) % queue.pointee.capacity
    queue.pointee.entries[place] = LogEntry(record: copy, gap: queue.pointee.gap)
    queue.pointee.gap = 0
    queue.pointee.count += 1
    queue.pointee.accepted += 1
    return gone
  }

  private static func takeFirst(_ queue: LogQueuePointer) -> LogEntry {
    let first = queue.pointee.entries[queue.pointee.head]
    queue.pointee.head = (queue.pointee.head + 1) % queue.pointee.capacity
    queue.pointee.count -= 1
    return first
  }

  private static func wakeUp(_ queue: LogQueuePointer) {
    _ = rondo_add32(&queue.pointee.wake, 1)
    rondo_shim_wake_one(&queue.pointee.wake)
  }

  /// Nobody leaves messages any more: deliver what waits, drop the argument, and go.
  static func end(_ queue: LogQueuePointer) {
    rondo_lock(&queue.pointee.lock)
    _ = rondo_add32(&globals.pointee.log_ending, 1)
    queue.pointee.isEnding = true
    let isOrphan = queue.pointee.isOrphan
    let wakes = queue.pointee.isAsleep
    queue.pointee.isAsleep = false
    rondo_unlock(&queue.pointee.lock)
    if isOrphan { return endOrphans() }
    if wakes { wakeUp(queue) }
  }

  /// Wait until all that is in this queue by now, and in those that end, is delivered.
  static func wait(_ queue: LogQueuePointer?, _ timeout: Int64) -> rondo_status {
    let now = rondo_shim_now()
    let deadline = timeout > Int64.max - now ? Int64.max : now + timeout
    var wanted: UInt64 = 0
    if let queue {
      rondo_lock(&queue.pointee.lock)
      wanted = queue.pointee.accepted
      rondo_unlock(&queue.pointee.lock)
    }
    _ = rondo_add32(&globals.pointee.log_flushers, 1)
    defer { _ = rondo_add32(&globals.pointee.log_flushers, UInt32.max) }
    while true {
      let seen = rondo_load32(&globals.pointee.log_progress)
      if rondo_load32(&globals.pointee.log_ending) == 0 && isThrough(queue, wanted) { return RONDO_OK }
      if deadline != Int64.max && rondo_shim_now() >= deadline { return RONDO_E_TIMEOUT }
      rondo_shim_wait(&globals.pointee.log_progress, seen, deadline)
    }
  }

  private static func isThrough(_ queue: LogQueuePointer?, _ wanted: UInt64) -> Bool {
    guard let queue else { return true }
    rondo_lock(&queue.pointee.lock)
    defer { rondo_unlock(&queue.pointee.lock) }
    if queue.pointee.finished > wanted { return true }
    return queue.pointee.finished == wanted && queue.pointee.gap == 0 && !queue.pointee.isReporting
  }

  // MARK: - the queue's thread

  private static func work(_ queue: LogQueuePointer) {
    rondo_thread()!.pointee.log_worker = bits(queue)
    while deliverNext(queue) {}
    // Off the list first: then nobody else has it.
    remove(queue)
    let arg = queue.pointee.arg
    freeMemory(queue)
    arg.dispose()
    rondo_thread()!.pointee.log_worker = 0
    _ = rondo_add32(&globals.pointee.log_ending, UInt32.max)
    tellProgress()
  }

  private static func remove(_ queue: LogQueuePointer) {
    rondo_lock(&globals.pointee.lock)
    if globals.pointee.log_queues == bits(queue) {
      globals.pointee.log_queues = queue.pointee.next
    } else {
      forEach { if $0.pointee.next == bits(queue) { $0.pointee.next = queue.pointee.next } }
    }
    rondo_unlock(&globals.pointee.lock)
  }

  /// Wait for something and deliver it; false if nothing will come any more.
  private static func deliverNext(_ queue: LogQueuePointer) -> Bool {
    rondo_lock(&queue.pointee.lock)
    while queue.pointee.count == 0 && queue.pointee.gap == 0 {
      let isOver = queue.pointee.isEnding
      queue.pointee.isAsleep = !isOver
      let seen = rondo_load32(&queue.pointee.wake)
      rondo_unlock(&queue.pointee.lock)
      if isOver { return false }
      rondo_shim_wait(&queue.pointee.wake, seen, Int64.max)
      rondo_lock(&queue.pointee.lock)
    }
    queue.pointee.isAsleep = false
    let entry = queue.pointee.count > 0 ? takeFirst(queue) : nil
    let gap = entry?.gap ?? queue.pointee.gap
    if entry == nil {
      queue.pointee.gap = 0
      queue.pointee.isReporting = true
    }
    rondo_unlock(&queue.pointee.lock)
    if gap > 0 { deliverGap(queue, gap) }
    if let entry {
      deliver(queue, entry.record)
      free(entry.record)
    }
    rondo_lock(&queue.pointee.lock)
    if entry != nil { queue.pointee.finished += 1 }
    queue.pointee.isReporting = false
    rondo_unlock(&queue.pointee.lock)
    tellProgress()
    return true
  }

  private static func deliver(_ queue: LogQueuePointer, _ record: LogRecordPointer) {
    let count = Int(record.pointee.count)
    let fields = UnsafePointer(LogRecord.fields(record))
    guard let fn = queue.pointee.fn else {
      return Log.toStderr(record.pointee.message, fields, record.pointee.isOwn ? 0 : count)
    }
    fn(record.pointee.level, record.pointee.message, count == 0 ? nil : fields, count, queue.pointee.arg.pointer)
  }

  private static func deliverGap(_ queue: LogQueuePointer, _ gap: UInt64) {
    var text = Text()
    text.add(Int64(gap))
    text.add(gap == 1 ? " message was dropped" as StaticString : " messages were dropped")
    var fields = LogFields()
    fields.add("dropped", gap)
    guard let fn = queue.pointee.fn else { return Log.toStderr(text.cString, nil, 0) }
    fields.use { fn(RONDO_LOG_WARNING, text.cString, $0, $1, queue.pointee.arg.pointer) }
  }

  private static func tellProgress() {
    _ = rondo_add32(&globals.pointee.log_progress, 1)
    if rondo_load32(&globals.pointee.log_flushers) != 0 { rondo_shim_wake_all(&globals.pointee.log_progress) }
  }

  // MARK: - fork; the process's lock is held, and it is the last one that is taken

  private static func forEach(_ visit: (LogQueuePointer) -> Void) {
    var here = globals.pointee.log_queues
    while let queue = at(here) {
      here = queue.pointee.next
      visit(queue)
    }
  }

  static func beforeFork() { forEach { rondo_lock(&$0.pointee.lock) } }

  static func afterForkInParent() { forEach { rondo_unlock(&$0.pointee.lock) } }

  static func afterForkInChild() {
    rondo_store32(&globals.pointee.log_flushers, 0)
    rondo_store32(&globals.pointee.log_ending, 0)
    forEach { queue in
      while queue.pointee.count > 0 { free(takeFirst(queue).record) }
      queue.pointee.gap = 0
      queue.pointee.finished = queue.pointee.accepted
      queue.pointee.isAsleep = false
      if bits(queue) == rondo_thread()!.pointee.log_worker {
        // The sink forks: this is the queue's thread, in the middle of a message.
        if !queue.pointee.isReporting { queue.pointee.finished -= 1 }
      } else {
        queue.pointee.isReporting = false
        queue.pointee.isOrphan = true
      }
      if queue.pointee.isEnding { _ = rondo_add32(&globals.pointee.log_ending, 1) }
      rondo_unlock(&queue.pointee.lock)
    }
  }

  /// Drop what queues without a thread have that should end.
  static func endOrphans() {
    if rondo_load32(&globals.pointee.log_ending) == 0 { return }
    while let queue = firstEndingOrphan() {
      remove(queue)
      let arg = queue.pointee.arg
      freeMemory(queue)
      arg.dispose()
      _ = rondo_add32(&globals.pointee.log_ending, UInt32.max)
      tellProgress()
    }
  }

  /// Taken by one thread only.
  private static func firstEndingOrphan() -> LogQueuePointer? {
    var found: LogQueuePointer?
    rondo_lock(&globals.pointee.lock)
    forEach { queue in
      if found != nil { return }
      rondo_lock(&queue.pointee.lock)
      if queue.pointee.isEnding && queue.pointee.isOrphan {
        queue.pointee.isOrphan = false
        found = queue
      }
      rondo_unlock(&queue.pointee.lock)
    }
    rondo_unlock(&globals.pointee.lock)
    return found
  }
}
