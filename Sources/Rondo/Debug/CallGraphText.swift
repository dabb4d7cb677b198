// CallGraphText.swift - call graphs and tasks as text, with asyncio's words.
//
// A line of a call has its file and its line where the program's debug information tells them, and
// then its function; else the name that the coroutine was made with. Entries further in are indented
// further, up to a point: behind it the depth is a number, else the text of a chain would grow with
// the square of its length.
//
// Knows: CallGraph, Stacks, Awaiters, Frames. Does not know: where the text goes.

import CRondo
import CRondoShim

extension CallGraphRef {
  private static let mostIndented: UInt32 = 24

  func describe(_ text: inout Text) {
    for i in 0..<s.pointee.count {
      if i > 0 { text.add("\n") }
      describe(s.pointee.entries![i], &text, isAwaited: i + 1 < s.pointee.count && s.pointee.entries![i + 1].parent == i)
    }
  }

  private func describe(_ entry: CallGraphEntry, _ text: inout Text, isAwaited: Bool) {
    indent(entry, &text)
    let isTask = entry.kind == UInt16(RONDO_CALL_GRAPH_TASK)
    text.add(isTask ? "* Task(name='" as StaticString : "* Future(")
    if isTask {
      text.add(self.text(entry.name))
      text.add("', ")
    }
    text.add("id=")
    text.addHex(entry.handle)
    text.add(")")
    if entry.callCount > 0 { describeCalls(entry, &text) }
    if entry.flags & UInt16(RONDO_CALL_GRAPH_CYCLE) != 0 {
      line(entry, "  + Awaited by: a cycle, it waits for itself", &text)
    } else if entry.flags & UInt16(RONDO_CALL_GRAPH_REPEATED) != 0 {
      line(entry, "  + Awaited by: shown above", &text)
    } else if isAwaited {
      line(entry, "  + Awaited by:", &text)
    }
  }

  private func describeCalls(_ entry: CallGraphEntry, _ text: inout Text) {
    line(entry, "  + Call stack:", &text)
    for i in 0..<Int(entry.callCount) {
      line(entry, "  |   ", &text)
      describe(call(entry, i)!, &text)
    }
  }

  /// "File 'x.c', line 12, in async f()".
  private func describe(_ call: CallGraphCall, _ text: inout Text) {
    let (symbol, line) = Frames.place(ofFunction: call.step, Int64(call.place & ~CallGraphCall.generator))
    if let file = symbol.file {
      text.add("File '")
      text.add(file)
      text.add("', line ")
      text.add(line)
      text.add(", ")
    }
    text.add(call.place & CallGraphCall.generator != 0 ? "in async generator " as StaticString : "in async ")
    text.add(symbol.file == nil ? self.text(call.name) : symbol.name ?? self.text(call.name))
    text.add("()")
  }

  private func line(_ entry: CallGraphEntry, _ words: StaticString, _ text: inout Text) {
    text.add("\n")
    indent(entry, &text)
    text.add(words)
  }

  private func indent(_ entry: CallGraphEntry, _ text: inout Text) {
    for _ in 0..<Swift.min(entry.depth, CallGraphRef.mostIndented) { text.add("    ") }
    if entry.depth > CallGraphRef.mostIndented {
      text.add("(depth ")
      text.add(Int64(entry.depth))
      text.add(") ")
    }
  }
}

// MARK: - the table of tasks

extension LoopRef {
  func describeTasks(_ text: inout Text) {
    add("task id", 18, &text)
    add("task name", 20, &text)
    add("coroutine stack", 40, &text)
    add("awaiter chain", 40, &text)
    add("awaiter name", 20, &text)
    text.add("awaiter id")
    Slab.forEach(tasks) { raw in
      let task = TaskRef(raw)
      if !task.future.isDone { describe(task, &text) }
    }
  }

  /// A line for each task that awaits it, or one; those of helpers are followed to the task.
  private func describe(_ task: TaskRef, _ text: inout Text) {
    let all = Int32(RONDO_CALL_GRAPH_NO_LIMIT)
    guard let graph = CallGraphCapture.graph(of: task.future, depth: 0, limit: all, levels: 1) else { return text.cut() }
    for i in Swift.min(1, graph.s.pointee.count - 1)..<graph.s.pointee.count {
      text.add("\n")
      addLine(graph, graph.s.pointee.entries![0], graph.entry(i > 0 ? i : -1), &text)
    }
    _ = graph.releaseUser()
  }

  private func addLine(_ graph: CallGraphRef, _ task: CallGraphEntry, _ awaiter: CallGraphEntry?, _ text: inout Text) {
    let start = text.count
    text.addHex(task.handle)
    pad(start, 18, &text)
    add(graph.text(task.name), 20, &text)
    addStack(graph, task, &text)
    if let awaiter {
      addStack(graph, awaiter, &text)
      add(graph.text(awaiter.name), 20, &text)
      text.addHex(awaiter.handle)
    } else {
      add("", 40, &text)
      add("", 20, &text)
      text.add("0x0")
    }
  }

  private func addStack(_ graph: CallGraphRef, _ entry: CallGraphEntry, _ text: inout Text) {
    let start = text.count
    let shown = Swift.min(8, Int(entry.callCount))
    for i in 0..<shown {
      if i > 0 { text.add(" -> ") }
      text.add(graph.text(graph.call(entry, i)!.name))
    }
    if shown < Int(entry.callCount) { text.add(" -> ...") }
    pad(start, 40, &text)
  }

  private func add(_ words: StaticString, _ width: Int, _ text: inout Text) { add(literal(words), width, &text) }

  private func add(_ words: UnsafePointer<CChar>, _ width: Int, _ text: inout Text) {
    let start = text.count
    text.add(words)
    pad(start, width, &text)
  }

  /// A column: at least a blank behind what is in it.
  private func pad(_ start: Int, _ width: Int, _ text: inout Text) {
    repeat { text.add(" ") } while text.count < start + width + 1 && !text.isCut
  }
}
