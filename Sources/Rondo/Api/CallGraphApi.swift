// CallGraphApi.swift - the exports of rondo/callgraph.h.
//
// Knows: CallGraph, Text. Does not know: how a graph is captured.

import CRondo
import CRondoShim

/// What to begin with: the future that was named, or the running task; nil and OK for "nothing runs".
private func subject(_ future: OpaquePointer?) -> (FutureRef?, rondo_status) {
  if future != nil {
    if let found = FutureRef.owned(future) { return (found, RONDO_OK) }
    return (nil, LoopRef.refuseAwaitable(future))
  }
  guard let running = address(rondo_thread()!.pointee.running) else { return (nil, RONDO_E_NO_LOOP) }
  return (address(LoopRef(running).s.pointee.currentTask).map { FutureRef($0) }, RONDO_OK)
}

@inline(never)  // three exports begin like this
private func capture(_ future: OpaquePointer?, _ depth: Int32, _ limit: Int32) -> (CallGraphRef?, rondo_status) {
  if depth < 0 { return (nil, -EINVAL) }
  let (found, status) = subject(future)
  guard let found else { return (nil, status) }
  guard let graph = CallGraphCapture.graph(of: found, depth: depth, limit: limit) else { return (nil, -ENOMEM) }
  return (graph, RONDO_OK)
}

@_cdecl("rondo_capture_call_graph") @implementation
public func rondo_capture_call_graph(
  _ future: Raw?, _ depth: Int32, _ limit: Int32, _ outGraph: OutHandle?
) -> rondo_status {
  guard let outGraph else { return -EINVAL }
  let (graph, status) = capture(OpaquePointer(future), depth, limit)
  if status == RONDO_OK { outGraph.pointee = graph?.handle }
  return status
}

@_cdecl("rondo_format_call_graph") @implementation
public func rondo_format_call_graph(
  _ future: Raw?, _ depth: Int32, _ limit: Int32, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int,
  _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  if buffer == nil && size != 0 { return -EINVAL }
  let (graph, status) = capture(OpaquePointer(future), depth, limit)
  if status != RONDO_OK { return status }
  var text = Text()
  graph?.describe(&text)
  _ = graph?.releaseUser()
  return text.copyOut(buffer, size, outSize)
}

@_cdecl("rondo_print_call_graph") @implementation
public func rondo_print_call_graph(_ future: Raw?, _ depth: Int32, _ limit: Int32, _ fd: Int32) -> rondo_status {
  let (graph, status) = capture(OpaquePointer(future), depth, limit)
  if status != RONDO_OK { return status }
  var text = Text()
  graph?.describe(&text)
  _ = graph?.releaseUser()
  return writeOut(&text, fd)
}

private func writeOut(_ text: inout Text, _ fd: Int32) -> rondo_status {
  text.add("\n")
  return text.isCut ? -ENOMEM : Output.write(fd, text.cString, text.count)
}

// MARK: - a graph

@_cdecl("rondo_call_graph_retain") @implementation
public func rondo_call_graph_retain(_ graph: OpaquePointer?) -> rondo_status {
  if graph == nil { return RONDO_OK }
  guard let found = CallGraphRef.find(graph) else { return CallGraphRef.explain(graph) }
  return found.retain()
}

@_cdecl("rondo_call_graph_release") @implementation
public func rondo_call_graph_release(_ graph: OpaquePointer?) -> rondo_status {
  if graph == nil { return RONDO_OK }
  guard let found = CallGraphRef.find(graph) else { return CallGraphRef.explain(graph) }
  return found.releaseUser()
}

@_cdecl("rondo_call_graph_format") @implementation
public func rondo_call_graph_format(
  _ graph: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let found = CallGraphRef.find(graph) else { return CallGraphRef.explain(graph) }
  if buffer == nil && size != 0 { return -EINVAL }
  var text = Text()
  found.describe(&text)
  return text.copyOut(buffer, size, outSize)
}

@_cdecl("rondo_call_graph_count") @implementation
public func rondo_call_graph_count(_ graph: OpaquePointer?) -> Int { CallGraphRef.find(graph)?.s.pointee.count ?? 0 }

@_cdecl("rondo_call_graph_get_kind") @implementation
public func rondo_call_graph_get_kind(_ graph: OpaquePointer?, _ index: Int) -> Int32 {
  Int32(CallGraphRef.find(graph)?.entry(index)?.kind ?? 0)
}

@_cdecl("rondo_call_graph_get_flags") @implementation
public func rondo_call_graph_get_flags(_ graph: OpaquePointer?, _ index: Int) -> Int32 {
  Int32(CallGraphRef.find(graph)?.entry(index)?.flags ?? 0)
}

@_cdecl("rondo_call_graph_get_depth") @implementation
public func rondo_call_graph_get_depth(_ graph: OpaquePointer?, _ index: Int) -> Int {
  Int(CallGraphRef.find(graph)?.entry(index)?.depth ?? 0)
}

@_cdecl("rondo_call_graph_get_parent") @implementation
public func rondo_call_graph_get_parent(
  _ graph: OpaquePointer?, _ index: Int, _ outParent: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let found = CallGraphRef.find(graph) else { return CallGraphRef.explain(graph) }
  guard let outParent else { return -EINVAL }
  guard let entry = found.entry(index), index > 0 else { return -ENOENT }
  outParent.pointee = Int(entry.parent)
  return RONDO_OK
}

@_cdecl("rondo_call_graph_get_name") @implementation
public func rondo_call_graph_get_name(_ graph: OpaquePointer?, _ index: Int) -> UnsafePointer<CChar>? {
  guard let found = CallGraphRef.find(graph), let entry = found.entry(index) else { return literal("") }
  return found.text(entry.name)
}

@_cdecl("rondo_call_graph_get_future") @implementation
public func rondo_call_graph_get_future(_ graph: OpaquePointer?, _ index: Int, _ outFuture: OutHandle?) -> rondo_status {
  guard let found = CallGraphRef.find(graph) else { return CallGraphRef.explain(graph) }
  guard let outFuture else { return -EINVAL }
  guard let entry = found.entry(index) else { return -ENOENT }
  let status = rondo_future_retain(opaque(entry.handle))
  if status == RONDO_OK { outFuture.pointee = opaque(entry.handle) }
  return status
}

@_cdecl("rondo_call_graph_get_call_count") @implementation
public func rondo_call_graph_get_call_count(_ graph: OpaquePointer?, _ index: Int) -> Int {
  Int(CallGraphRef.find(graph)?.entry(index)?.callCount ?? 0)
}

@_cdecl("rondo_call_graph_get_call") @implementation
public func rondo_call_graph_get_call(_ graph: OpaquePointer?, _ index: Int, _ call: Int) -> UnsafePointer<CChar>? {
  guard let found = CallGraphRef.find(graph), let entry = found.entry(index) else { return literal("") }
  return found.call(entry, call).map { found.text($0.name) } ?? literal("")
}

// MARK: - the table of tasks

@_cdecl("rondo_loop_format_tasks") @implementation
public func rondo_loop_format_tasks(
  _ loop: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  if buffer == nil && size != 0 { return -EINVAL }
  var text = Text()
  found.describeTasks(&text)
  return text.copyOut(buffer, size, outSize)
}

@_cdecl("rondo_loop_print_tasks") @implementation
public func rondo_loop_print_tasks(_ loop: OpaquePointer?, _ fd: Int32) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  var text = Text()
  found.describeTasks(&text)
  return writeOut(&text, fd)
}

// MARK: - the tree of tasks

@_cdecl("rondo_loop_format_task_tree") @implementation
public func rondo_loop_format_task_tree(
  _ loop: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  if buffer == nil && size != 0 { return -EINVAL }
  var text = Text()
  found.describeTaskTree(&text)
  return text.copyOut(buffer, size, outSize)
}

@_cdecl("rondo_loop_print_task_tree") @implementation
public func rondo_loop_print_task_tree(_ loop: OpaquePointer?, _ fd: Int32) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  var text = Text()
  found.describeTaskTree(&text)
  return writeOut(&text, fd)
}
