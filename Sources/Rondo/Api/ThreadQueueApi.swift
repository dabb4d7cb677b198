// ThreadQueueApi.swift - the exports of rondo/thread_queue.h, and rondo_event_set_threadsafe.
//
// Each call has a reference of its own, because another thread may release the object meanwhile.
//
// Knows: ThreadQueue, ThreadEvent, ThreadWait. Does not know: how they wait.

import CRondo
import CRondoShim

private func use(_ queue: OpaquePointer?, _ body: (ThreadQueueRef) -> rondo_status) -> rondo_status {
  guard let found = ThreadQueueRef.find(queue) else { return ThreadQueueRef.explain(queue) }
  if Global.retain(Raw(found.s)) != RONDO_OK { return RONDO_E_STALE_HANDLE }  // it is just being ended
  let status = found.handle == queue ? body(found) : RONDO_E_STALE_HANDLE
  _ = found.releaseUser()
  return status
}

private func handOut(_ made: CoroutineRef?, _ outCoroutine: OutHandle) -> rondo_status {
  guard let made else { return -ENOMEM }
  outCoroutine.pointee = made.handle
  return RONDO_OK
}

// MARK: - queues

@_cdecl("rondo_thread_queue_new") @implementation
public func rondo_thread_queue_new(_ maxsize: Int64, _ outQueue: OutHandle?) -> rondo_status {
  guard let outQueue else { return -EINVAL }
  if !Registry.prepare() { return -ENOMEM }  // its lock is to be found by fork()
  guard let made = ThreadQueueRef.make(maxsize) else { return -ENOMEM }
  outQueue.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_thread_queue_retain") @implementation
public func rondo_thread_queue_retain(_ queue: OpaquePointer?) -> rondo_status {
  if queue == nil { return RONDO_OK }
  guard let found = ThreadQueueRef.find(queue) else { return ThreadQueueRef.explain(queue) }
  return Global.retain(Raw(found.s))
}

@_cdecl("rondo_thread_queue_release") @implementation
public func rondo_thread_queue_release(_ queue: OpaquePointer?) -> rondo_status {
  if queue == nil { return RONDO_OK }
  guard let found = ThreadQueueRef.find(queue) else { return ThreadQueueRef.explain(queue) }
  return found.releaseUser()
}

@_cdecl("rondo_thread_queue_put_nowait") @implementation
public func rondo_thread_queue_put_nowait(_ queue: OpaquePointer?, _ item: Raw?, _ drop: rondo_drop_fn?)
  -> rondo_status
{
  let status = use(queue) { $0.putNow(Value(pointer: item, drop: drop)) }
  return status == RONDO_OK ? status : refuse(status, item, drop)
}

@_cdecl("rondo_thread_queue_put") @implementation
public func rondo_thread_queue_put(_ queue: OpaquePointer?, _ item: Raw?, _ drop: rondo_drop_fn?, _ timeout: Int64)
  -> rondo_status
{
  let status = use(queue) { $0.put(Value(pointer: item, drop: drop), timeout) }
  return status == RONDO_OK ? status : refuse(status, item, drop)
}

@_cdecl("rondo_thread_queue_put_async") @implementation
public func rondo_thread_queue_put_async(
  _ queue: OpaquePointer?, _ item: Raw?, _ drop: rondo_drop_fn?, _ outCoroutine: OutHandle?
) -> rondo_status {
  let status = use(queue) { found in
    guard let outCoroutine else { return -EINVAL }
    return handOut(ThreadWait.put(found, Value(pointer: item, drop: drop)), outCoroutine)
  }
  return status == RONDO_OK ? status : refuse(status, item, drop)
}

@_cdecl("rondo_thread_queue_get_nowait") @implementation
public func rondo_thread_queue_get_nowait(_ queue: OpaquePointer?, _ outItem: UnsafeMutablePointer<Raw?>?)
  -> rondo_status
{
  use(queue) { found in
    guard let outItem else { return -EINVAL }
    let (item, status) = found.getNow()
    if status == RONDO_OK { outItem.pointee = item.pointer }
    return status
  }
}

@_cdecl("rondo_thread_queue_get") @implementation
public func rondo_thread_queue_get(_ queue: OpaquePointer?, _ timeout: Int64, _ outItem: UnsafeMutablePointer<Raw?>?)
  -> rondo_status
{
  use(queue) { found in
    guard let outItem else { return -EINVAL }
    let (item, status) = found.get(timeout)
    if status == RONDO_OK { outItem.pointee = item.pointer }
    return status
  }
}

@_cdecl("rondo_thread_queue_get_async") @implementation
public func rondo_thread_queue_get_async(_ queue: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  use(queue) { found in
    guard let outCoroutine else { return -EINVAL }
    return handOut(ThreadWait.get(found), outCoroutine)
  }
}

@_cdecl("rondo_thread_queue_qsize") @implementation
public func rondo_thread_queue_qsize(_ queue: OpaquePointer?, _ outCount: UnsafeMutablePointer<Int>?) -> rondo_status {
  use(queue) { found in
    guard let outCount else { return -EINVAL }
    outCount.pointee = found.qsize()
    return RONDO_OK
  }
}

@_cdecl("rondo_thread_queue_get_maxsize") @implementation
public func rondo_thread_queue_get_maxsize(_ queue: OpaquePointer?, _ outMaxsize: UnsafeMutablePointer<Int64>?)
  -> rondo_status
{
  use(queue) { found in
    guard let outMaxsize else { return -EINVAL }
    outMaxsize.pointee = found.s.pointee.maxsize
    return RONDO_OK
  }
}

@_cdecl("rondo_thread_queue_task_done") @implementation
public func rondo_thread_queue_task_done(_ queue: OpaquePointer?) -> rondo_status { use(queue) { $0.taskDone() } }

@_cdecl("rondo_thread_queue_join") @implementation
public func rondo_thread_queue_join(_ queue: OpaquePointer?, _ timeout: Int64) -> rondo_status {
  use(queue) { $0.join(timeout) }
}

@_cdecl("rondo_thread_queue_join_async") @implementation
public func rondo_thread_queue_join_async(_ queue: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  use(queue) { found in
    guard let outCoroutine else { return -EINVAL }
    return handOut(ThreadWait.join(found), outCoroutine)
  }
}

@_cdecl("rondo_thread_queue_shutdown") @implementation
public func rondo_thread_queue_shutdown(_ queue: OpaquePointer?, _ immediate: Int32) -> rondo_status {
  use(queue) { found in
    found.shutDown(immediate: immediate != 0)
    return RONDO_OK
  }
}

// MARK: - events

private func use(event: OpaquePointer?, _ body: (ThreadEventRef) -> rondo_status) -> rondo_status {
  guard let found = ThreadEventRef.find(event) else { return ThreadEventRef.explain(event) }
  if Global.retain(Raw(found.s)) != RONDO_OK { return RONDO_E_STALE_HANDLE }  // it is just being ended
  let status = found.handle == event ? body(found) : RONDO_E_STALE_HANDLE
  _ = found.releaseUser()
  return status
}

@_cdecl("rondo_thread_event_new") @implementation
public func rondo_thread_event_new(_ outEvent: OutHandle?) -> rondo_status {
  guard let outEvent else { return -EINVAL }
  if !Registry.prepare() { return -ENOMEM }
  guard let made = ThreadEventRef.make() else { return -ENOMEM }
  outEvent.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_thread_event_retain") @implementation
public func rondo_thread_event_retain(_ event: OpaquePointer?) -> rondo_status {
  if event == nil { return RONDO_OK }
  guard let found = ThreadEventRef.find(event) else { return ThreadEventRef.explain(event) }
  return Global.retain(Raw(found.s))
}

@_cdecl("rondo_thread_event_release") @implementation
public func rondo_thread_event_release(_ event: OpaquePointer?) -> rondo_status {
  if event == nil { return RONDO_OK }
  guard let found = ThreadEventRef.find(event) else { return ThreadEventRef.explain(event) }
  return found.releaseUser()
}

@_cdecl("rondo_thread_event_set") @implementation
public func rondo_thread_event_set(_ event: OpaquePointer?) -> rondo_status {
  use(event: event) { found in
    found.set()
    return RONDO_OK
  }
}

@_cdecl("rondo_thread_event_clear") @implementation
public func rondo_thread_event_clear(_ event: OpaquePointer?) -> rondo_status {
  use(event: event) { found in
    found.clear()
    return RONDO_OK
  }
}

@_cdecl("rondo_thread_event_is_set") @implementation
public func rondo_thread_event_is_set(_ event: OpaquePointer?) -> Int32 {
  ThreadEventRef.find(event)?.isSet == true ? 1 : 0
}

@_cdecl("rondo_thread_event_wait") @implementation
public func rondo_thread_event_wait(_ event: OpaquePointer?, _ timeout: Int64) -> rondo_status {
  use(event: event) { $0.wait(timeout) }
}

@_cdecl("rondo_thread_event_wait_async") @implementation
public func rondo_thread_event_wait_async(_ event: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  use(event: event) { found in
    guard let outCoroutine else { return -EINVAL }
    return handOut(ThreadWait.wait(found), outCoroutine)
  }
}

// MARK: - a loop's event

@_cdecl("rondo_event_set_threadsafe") @implementation
public func rondo_event_set_threadsafe(_ event: OpaquePointer?) -> rondo_status {
  guard let found = SyncRef.find(event, SyncType.event) else { return SyncRef.refuse(event, SyncType.event) }
  return found.postSet()
}
