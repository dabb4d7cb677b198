// CallGraphCapture.swift - collects a call graph: everything that leads to one future.
//
// asyncio recurses, so a long chain overflows its stack, a circle never ends, and tasks that many
// ways lead to are written out for each of them. Here the entries to come are a list. A future is
// looked up in a table before it is entered: if it has an entry already, those who await it are not
// followed again, and if that entry is one of those that lead to this one, it is a circle. So the
// work is proportional to the tasks, the awaits between them and the calls in them.
//
// The futures of helpers (a gather's, a shield's) are passed through: asyncio names the task.
//
// Nothing here runs anybody's code or changes anything but its own memory.
//
// Knows: Awaiters, Stacks. Does not know: who wants it.

import CRondo
import CRondoShim

enum CallGraphBits {
  static let open: UInt16 = 256  // it leads to the entry that is being made
  static let awaited: UInt16 = 512  // somebody awaits it
}

struct CallGraphCapture {
  var entries = Growing<CallGraphEntry>()
  var calls = Growing<CallGraphCall>()
  var names = Growing<CChar>()
  private var work = Growing<Work>()
  private var through = Growing<UInt64>()  // addresses
  private var seen = SeenTable()
  private var lastName: UnsafePointer<CChar>?  // and its copy: coroutines of one kind come in rows
  private var lastNameOffset: UInt32 = 0
  private var isOutOfMemory = false
  private let limit: Int
  private let depth: Int
  private let levels: UInt32

  private struct Work {
    var future: UInt64  // address
    var parent: UInt32
  }

  private init(depth: Int32, limit: Int32, levels: UInt32) {
    self.limit = Int(limit)
    self.depth = Int(depth)
    self.levels = levels
  }

  /// The graph of a future, with one of C's references; nil if memory is out. `levels`: how far to
  /// follow those who await it.
  static func graph(of future: FutureRef, depth: Int32, limit: Int32, levels: UInt32 = UInt32.max) -> CallGraphRef? {
    var capture = CallGraphCapture(depth: depth, limit: limit, levels: levels)
    capture.collect(future)
    let made = capture.isOutOfMemory ? nil : CallGraphRef.make(&capture)
    capture.letGo()
    return made
  }

  private mutating func letGo() {
    free(entries.take())
    free(calls.take())
    free(names.take())
    free(work.take())
    free(through.take())
    seen.letGo()
  }

  private mutating func check(_ done: Bool) { if !done { isOutOfMemory = true } }

  // MARK: - entries

  private mutating func collect(_ future: FutureRef) {
    _ = addName(literal(""))
    check(work.append(Work(future: bits(future.s), parent: 0)))
    var at = 0
    while work.count > 0 && !isOutOfMemory {
      let next = work.removeLast()
      // Leave the entries that do not lead to the next one.
      while entries.count > 0 && at != Int(next.parent) {
        entries.base![at].flags &= ~CallGraphBits.open
        at = Int(entries[at].parent)
      }
      at = entries.count
      add(FutureRef(address(next.future)!), next.parent)
    }
    for i in 0..<entries.count { entries.base![i].flags &= UInt16(RONDO_CALL_GRAPH_REPEATED | RONDO_CALL_GRAPH_CYCLE) }
  }

  private mutating func add(_ future: FutureRef, _ parent: UInt32) {
    let index = entries.count
    if index >= Int(Int32.max) { return isOutOfMemory = true }
    let depth = index == 0 ? 0 : entries[Int(parent)].depth + 1
    guard let place = seen.place(of: bits(future.s)) else { return isOutOfMemory = true }
    if place.pointee.entry != 0 {
      var again = entries[Int(place.pointee.entry) - 1]
      let flags = again.flags
      again.flags = UInt16(
        flags & CallGraphBits.open != 0
          ? RONDO_CALL_GRAPH_CYCLE : flags & CallGraphBits.awaited != 0 ? RONDO_CALL_GRAPH_REPEATED : 0)
      again.parent = parent
      again.depth = depth
      return check(entries.append(again))
    }
    place.pointee.entry = UInt32(index) + 1
    var made = CallGraphEntry(
      handle: handleBits(future.handle), parent: parent, depth: depth, name: 0, firstCall: UInt32(calls.count),
      callCount: 0, kind: UInt16(future.isTask ? RONDO_CALL_GRAPH_TASK : RONDO_CALL_GRAPH_FUTURE),
      flags: CallGraphBits.open)
    if future.isTask {
      made.name = addTaskName(TaskRef(future.raw))
      addCalls(TaskRef(future.raw))
      made.callCount = UInt32(calls.count) - made.firstCall
    }
    check(entries.append(made))
    if !isOutOfMemory && depth < levels { addAwaiters(of: future, UInt32(index)) }
  }

  /// Put those who await a future on the list of what is to come, each once, in the order in which
  /// they wait; what stands for others is followed at its place.
  private mutating func addAwaiters(of future: FutureRef, _ index: UInt32) {
    let first = work.count
    through.removeAll()
    follow(future, index)
    while through.count > 0 && !isOutOfMemory {
      let next = FutureRef(address(through.removeLast())!)
      if next.isTask { check(work.append(Work(future: bits(next.s), parent: index))) } else { follow(next, index) }
    }
    if work.count > first { entries.base![Int(index)].flags |= CallGraphBits.awaited }
    work.reverse(from: first)  // the first one is to be taken off first
  }

  @inline(never)  // the same
  private mutating func follow(_ future: FutureRef, _ index: UInt32) {
    let first = through.count
    Awaiters.forEach(of: future) { awaiter in
      guard let place = seen.place(of: bits(awaiter.s)) else { return isOutOfMemory = true }
      if place.pointee.awaits == index + 1 { return }
      place.pointee.awaits = index + 1
      check(through.append(bits(awaiter.s)))
    }
    through.reverse(from: first)
  }

  // MARK: - calls

  /// Innermost first. A positive limit keeps the outermost ones, as in asyncio.
  @inline(never)  // the same
  private mutating func addCalls(_ task: TaskRef) {
    if limit == 0 { return }
    var count = 0
    Stacks.forEachCall(of: task) { _ in count += 1 }
    let skipped = Stacks.isRunning(task) ? depth : 0
    let first = Swift.max(skipped, limit > 0 ? count - limit : 0)
    let end = limit < 0 ? Swift.min(count, skipped - limit) : count
    var at = 0
    Stacks.forEachCall(of: task) { call in
      if at >= first && at < end { check(calls.append(describe(call, of: task))) }
      at += 1
    }
  }

  /// Lines are asked for where all of the graph is wanted.
  private mutating func describe(_ call: ActivationPointer, of task: TaskRef) -> CallGraphCall {
    let line = levels == UInt32.max ? UInt32(task.line(of: call)) : 0
    return CallGraphCall(
      step: unsafeBitCast(call.pointee.step, to: UInt.self), name: addName(Stacks.name(of: call)),
      place: line | (call.isGenerator ? CallGraphCall.generator : 0))
  }

  private mutating func addTaskName(_ task: TaskRef) -> UInt32 {
    var text = Text()
    task.addName(&text)
    if text.isCut { isOutOfMemory = true }
    let offset = addName(text.cString)
    lastName = nil  // it goes, and another may come to lie there
    return offset
  }

  private mutating func addName(_ name: UnsafePointer<CChar>) -> UInt32 {
    if name == lastName { return lastNameOffset }
    let offset = names.count
    if offset > Int(Int32.max) { isOutOfMemory = true }
    check(names.append(contentsOf: name, strlen(name) + 1))
    lastName = name
    lastNameOffset = UInt32(truncatingIfNeeded: offset)
    return lastNameOffset
  }
}

/// What the capture has met, by address.
struct SeenTable {
  struct Place {
    var future: UInt64  // address, 0: free
    var entry: UInt32  // its first entry + 1; 0 for none
    var awaits: UInt32  // the last entry + 1 that it was found to await
  }

  private var places: UnsafeMutablePointer<Place>?
  private var capacity = 0
  private var count = 0

  init() {}

  mutating func letGo() {
    free(places)
    places = nil
  }

  /// The place of a future, a new one if need be, until the next call; nil if memory is out.
  @inline(never)  // small code is worth more than a fast capture
  mutating func place(of future: UInt64) -> UnsafeMutablePointer<Place>? {
    if count * 2 >= capacity && !grow() { return nil }
    let found = find(future)
    if found.pointee.future == 0 {
      found.pointee = Place(future: future, entry: 0, awaits: 0)
      count += 1
    }
    return found
  }

  @inline(never)  // the same
  private func find(_ future: UInt64) -> UnsafeMutablePointer<Place> {
    var at = Int(truncatingIfNeeded: (future &* 0x9E37_79B9_7F4A_7C15) >> 32) & (capacity - 1)
    while places![at].future != 0 && places![at].future != future { at = (at + 1) & (capacity - 1) }
    return places! + at
  }

  private mutating func grow() -> Bool {
    let wanted = Swift.max(64, capacity * 2)
    guard let memory = calloc(wanted, MemoryLayout<Place>.stride) else { return false }
    let old = places
    let oldCapacity = capacity
    places = memory.bindMemory(to: Place.self, capacity: wanted)
    capacity = wanted
    for i in 0..<oldCapacity where old![i].future != 0 { find(old![i].future).pointee = old![i] }
    free(old)
    return true
  }
}
