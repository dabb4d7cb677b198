// TaskTree.swift - who awaits whom in a loop, from those whom nobody awaits down to those who wait.
//
// The tasks and the awaits between them are read once, then looked through for circles, then drawn,
// each in a loop: a chain may be as long as memory allows. "python -m asyncio pstree" draws a task
// that several await below each of them, with all that it awaits, which can grow without bound.
// Here what is below it is drawn once.
//
// Nothing here runs anybody's code or changes anything but its own memory.
//
// Knows: Awaiters, SeenTable. Does not know: what it looks like.

import CRondo
import CRondoShim

struct TreeTask {
  var task: UInt64  // address
  var firstAwait: UInt32  // index + 1, 0 for none; of what it awaits
  var lastAwait: UInt32
  var isAwaited: Bool
  var state: UInt8  // while circles are looked for, and then while it is drawn
}

/// One task awaits another.
struct TreeAwait {
  var awaited: UInt32  // index of a task
  var next: UInt32  // index + 1
}

struct TaskTree {
  var tasks = Growing<TreeTask>()
  var awaits = Growing<TreeAwait>()
  private var through = Growing<UInt64>()  // addresses
  private var seen = SeenTable()
  private(set) var isOutOfMemory = false

  /// What is so now; to be let go of.
  init(of loop: LoopRef) {
    collect(loop)
    for i in 0..<tasks.count where !isOutOfMemory { follow(UInt32(i)) }
  }

  mutating func letGo() {
    free(tasks.take())
    free(awaits.take())
    free(through.take())
    seen.letGo()
  }

  private mutating func check(_ done: Bool) { if !done { isOutOfMemory = true } }

  private mutating func collect(_ loop: LoopRef) {
    Slab.forEach(loop.tasks) { raw in
      let future = TaskRef(raw).future
      if future.isDone || isOutOfMemory { return }
      guard let place = seen.place(of: bits(future.s)) else { return isOutOfMemory = true }
      place.pointee.entry = UInt32(tasks.count) + 1
      check(tasks.append(TreeTask(task: bits(future.s), firstAwait: 0, lastAwait: 0, isAwaited: false, state: 0)))
    }
  }

  /// Note who awaits a task, each once; what stands for others is followed.
  private mutating func follow(_ index: UInt32) {
    through.removeAll()
    check(through.append(tasks[Int(index)].task))
    while through.count > 0 && !isOutOfMemory {
      Awaiters.forEach(of: FutureRef(address(through.removeLast())!)) { awaiter in
        guard let place = seen.place(of: bits(awaiter.s)) else { return isOutOfMemory = true }
        if place.pointee.awaits == index + 1 { return }
        place.pointee.awaits = index + 1
        if !awaiter.isTask { return check(through.append(bits(awaiter.s))) }
        if place.pointee.entry != 0 { note(Int(place.pointee.entry) - 1, index) }
      }
    }
  }

  private mutating func note(_ awaiter: Int, _ awaited: UInt32) {
    if !awaits.append(TreeAwait(awaited: awaited, next: 0)) { return isOutOfMemory = true }
    let number = UInt32(awaits.count)
    let last = tasks[awaiter].lastAwait
    if last == 0 { tasks.base![awaiter].firstAwait = number } else { awaits.base![Int(last) - 1].next = number }
    tasks.base![awaiter].lastAwait = number
    tasks.base![Int(awaited)].isAwaited = true
  }

  // MARK: - circles

  private enum State {
    static let unseen: UInt8 = 0
    static let onPath: UInt8 = 1
    static let seen: UInt8 = 2
  }

  private struct PathStep {
    var task: UInt32
    var next: UInt32  // the await to follow, index + 1
  }

  /// Visit each circle that a walk meets: the tasks in it, and at last the first one again. Nil if
  /// memory is out. All states are 0 before and after.
  @inline(never)  // for people
  mutating func forEachCircle(_ visit: (Int, Bool) -> Void) -> Int? {
    var path = Growing<PathStep>()
    defer { free(path.take()) }
    var count = 0
    for i in 0..<tasks.count where tasks[i].state == State.unseen {
      var entering: UInt32? = UInt32(i)
      while entering != nil || path.count > 0 {
        if let task = entering {
          tasks.base![Int(task)].state = State.onPath
          if !path.append(PathStep(task: task, next: tasks[Int(task)].firstAwait)) { return nil }
          entering = nil
        }
        let top = path.base! + (path.count - 1)
        if top.pointee.next == 0 {
          tasks.base![Int(path.removeLast().task)].state = State.seen
          continue
        }
        let edge = awaits[Int(top.pointee.next) - 1]
        top.pointee.next = edge.next
        switch tasks[Int(edge.awaited)].state {
        case State.unseen: entering = edge.awaited
        case State.onPath:
          count += 1
          if count <= TaskTree.mostCircles { TaskTree.walk(path, to: edge.awaited, visit) }
        default: break
        }
      }
    }
    for i in 0..<tasks.count { tasks.base![i].state = State.unseen }
    return count
  }

  /// As many are told: each can be as long as there are tasks.
  private static let mostCircles = 16

  private static func walk(_ path: Growing<PathStep>, to end: UInt32, _ visit: (Int, Bool) -> Void) {
    var first = path.count - 1
    while path[first].task != end { first -= 1 }
    for i in first..<path.count { visit(Int(path[i].task), i == first) }
    visit(Int(end), false)
  }
}
