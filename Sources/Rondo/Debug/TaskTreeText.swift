// TaskTreeText.swift - the tree of tasks as "python -m asyncio pstree" draws it.
//
// Below a task stand its coroutines, each below the one that awaits it, and below the innermost the
// tasks that it awaits. Far down the depth is a number, else the text of a chain would grow with the
// square of its length.
//
// Knows: TaskTree, Stacks, Frames. Does not know: where the text goes.

import CRondo
import CRondoShim

/// Where a line stands.
private struct TreePlace {
  var depth: UInt32
  var lasts: UInt64  // bit n: at depth n nothing follows
  var isLast: Bool

  static let mostIndented: UInt32 = 48

  /// Of what is below it.
  func below(isLast: Bool) -> TreePlace {
    let own: UInt64 = self.isLast && depth < 64 ? 1 << UInt64(depth) : 0
    return TreePlace(depth: depth + 1, lasts: lasts | own, isLast: isLast)
  }
}

private struct TreeWork {
  var task: UInt32
  var place: TreePlace
}

extension LoopRef {
  func describeTaskTree(_ text: inout Text) {
    var tree = TaskTree(of: self)
    if tree.isOutOfMemory || !tree.describe(&text) { text.cut() }
    tree.letGo()
  }
}

extension TaskTree {
  private static let drawn: UInt8 = 1

  /// False if memory is out.
  fileprivate mutating func describe(_ text: inout Text) -> Bool {
    guard let circles = describeCircles(&text) else { return false }
    return circles > 0 || draw(&text)
  }

  private mutating func describeCircles(_ text: inout Text) -> Int? {
    let list = tasks.base
    return withUnsafeMutablePointer(to: &text) { text in
      forEachCircle { index, isFirst in
        if text.pointee.count == 0 { text.pointee.add("ERROR: await-graph contains cycles - cannot print a tree!\n") }
        text.pointee.add(isFirst ? "\ncycle: " as StaticString : " → ")
        TaskTree.task(list![index]).addName(&text.pointee)
      }
    }
  }

  private static func task(_ entry: TreeTask) -> TaskRef { TaskRef(address(entry.task)!) }

  // MARK: - drawing

  private mutating func draw(_ text: inout Text) -> Bool {
    var work = Growing<TreeWork>()
    var calls = Growing<UInt64>()  // addresses
    defer {
      free(work.take())
      free(calls.take())
    }
    for i in 0..<tasks.count where !tasks[i].isAwaited {
      if !work.append(TreeWork(task: UInt32(i), place: TreePlace(depth: 0, lasts: 0, isLast: true))) { return false }
      while work.count > 0 {
        let next = work.removeLast()
        guard let below = draw(next, &calls, &text), push(below, next.task, &work) else { return false }
      }
    }
    return true
  }

  /// The task and its calls; where what it awaits belongs, nil if memory is out.
  private mutating func draw(_ work: TreeWork, _ calls: inout Growing<UInt64>, _ text: inout Text) -> TreePlace? {
    let task = TaskTree.task(tasks[Int(work.task)])
    indent(work.place, &text)
    text.add("(T) ")
    task.addName(&text)
    if tasks[Int(work.task)].state == TaskTree.drawn {
      text.add(" (shown above)")
      return work.place
    }
    calls.removeAll()
    var isComplete = true
    Stacks.forEachCall(of: task) { call in if !calls.append(bits(call)) { isComplete = false } }
    if !isComplete { return nil }
    calls.reverse(from: 0)
    var place = work.place
    for i in 0..<calls.count {
      place = place.below(isLast: true)
      indent(place, &text)
      draw(address(calls[i])!.assumingMemoryBound(to: Activation.self), task, &text)
    }
    return place
  }

  /// " f prog.c:12"
  private func draw(_ call: ActivationPointer, _ task: TaskRef, _ text: inout Text) {
    let step = unsafeBitCast(call.pointee.step, to: UInt.self)
    let (symbol, line) = Frames.place(ofFunction: step, Int64(task.line(of: call)))
    text.add(" ")
    text.add(symbol.file == nil ? Stacks.name(of: call) : symbol.name ?? Stacks.name(of: call))
    guard let file = symbol.file else { return }
    text.add(" ")
    text.add(file)
    text.add(":")
    text.add(line)
  }

  /// What a task awaits is to come, the first one first. False if memory is out.
  private mutating func push(_ place: TreePlace, _ task: UInt32, _ work: inout Growing<TreeWork>) -> Bool {
    if tasks[Int(task)].state == TaskTree.drawn { return true }
    tasks.base![Int(task)].state = TaskTree.drawn
    let first = work.count
    var number = tasks[Int(task)].firstAwait
    while number != 0 {
      let edge = awaits[Int(number) - 1]
      number = edge.next
      if !work.append(TreeWork(task: edge.awaited, place: place.below(isLast: number == 0))) { return false }
    }
    work.reverse(from: first)
    return true
  }

  private func indent(_ place: TreePlace, _ text: inout Text) {
    if text.count > 0 { text.add("\n") }
    for depth in 0..<Swift.min(place.depth, TreePlace.mostIndented) {
      text.add(place.lasts & (1 << UInt64(depth)) != 0 ? "    " as StaticString : "│   ")
    }
    if place.depth > TreePlace.mostIndented {
      text.add("(depth ")
      text.add(Int64(place.depth))
      text.add(") ")
    }
    text.add(place.isLast ? "└── " as StaticString : "├── ")
  }
}
