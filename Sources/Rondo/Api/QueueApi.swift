// QueueApi.swift - the exports of rondo/queue.h.
//
// Knows: Queue, QueueWait. Does not know: how they wait.

import CRondo
import CRondoShim

// MARK: - life

private func refusalToMake(_ loop: OpaquePointer?, _ out: OutHandle?) -> rondo_status {
  if LoopRef.owned(loop) == nil { return LoopRef.refuse(loop) }
  return out == nil ? -EINVAL : RONDO_OK
}

private func make(_ loop: OpaquePointer?, _ maxsize: Int64, _ out: OutHandle?, isStack: Bool) -> rondo_status {
  let refusal = refusalToMake(loop, out)
  guard refusal == RONDO_OK, let found = LoopRef.owned(loop) else { return refusal }
  guard let made = QueueRef.make(found, maxsize, isStack: isStack) else { return -ENOMEM }
  out?.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_queue_new") @implementation
public func rondo_queue_new(_ loop: OpaquePointer?, _ maxsize: Int64, _ outQueue: OutHandle?) -> rondo_status {
  make(loop, maxsize, outQueue, isStack: false)
}

@_cdecl("rondo_queue_new_lifo") @implementation
public func rondo_queue_new_lifo(_ loop: OpaquePointer?, _ maxsize: Int64, _ outQueue: OutHandle?) -> rondo_status {
  make(loop, maxsize, outQueue, isStack: true)
}

@_cdecl("rondo_queue_new_priority") @implementation
public func rondo_queue_new_priority(
  _ loop: OpaquePointer?, _ maxsize: Int64, _ fn: rondo_compare_fn?, _ arg: Raw?, _ drop: rondo_drop_fn?,
  _ outQueue: OutHandle?
) -> rondo_status {
  let refusal = refusalToMake(loop, outQueue)
  guard refusal == RONDO_OK, let found = LoopRef.owned(loop) else { return refuse(refusal, arg, drop) }
  guard let fn else { return refuse(-EINVAL, arg, drop) }
  guard let made = QueueRef.make(found, maxsize, fn, Value(pointer: arg, drop: drop)) else {
    return refuse(-ENOMEM, arg, drop)
  }
  outQueue?.pointee = made.handle
  return RONDO_OK
}

@_cdecl("rondo_queue_retain") @implementation
public func rondo_queue_retain(_ queue: OpaquePointer?) -> rondo_status {
  if queue == nil { return RONDO_OK }
  guard let found = QueueRef.find(queue) else { return QueueRef.refuse(queue) }
  return Owned.retain(found.raw)
}

@_cdecl("rondo_queue_release") @implementation
public func rondo_queue_release(_ queue: OpaquePointer?) -> rondo_status {
  if queue == nil { return RONDO_OK }
  guard let found = QueueRef.find(queue) else { return QueueRef.refuse(queue) }
  return Owned.release(found.raw) { SyncObjects.unpin($0) }
}

// MARK: - put and get

private func wait(_ queue: OpaquePointer?, _ out: OutHandle?, _ make: (QueueRef) -> (CoroutineRef?, rondo_status))
  -> rondo_status
{
  guard let found = QueueRef.find(queue), found.loop.isMine else { return QueueRef.refuse(queue) }
  guard let out else { return -EINVAL }
  let (made, status) = make(found)
  if let made { out.pointee = made.handle }
  return status
}

@_cdecl("rondo_queue_put") @implementation
public func rondo_queue_put(
  _ queue: OpaquePointer?, _ item: Raw?, _ drop: rondo_drop_fn?, _ outCoroutine: OutHandle?
) -> rondo_status {
  let status = wait(queue, outCoroutine) { QueueWait.put($0, Value(pointer: item, drop: drop)) }
  return status == RONDO_OK ? status : refuse(status, item, drop)
}

@_cdecl("rondo_queue_put_nowait") @implementation
public func rondo_queue_put_nowait(_ queue: OpaquePointer?, _ item: Raw?, _ drop: rondo_drop_fn?) -> rondo_status {
  guard let found = QueueRef.owned(queue) else { return refuse(QueueRef.refuse(queue), item, drop) }
  let status = found.put(Value(pointer: item, drop: drop), checked: true)
  return status == RONDO_OK ? status : refuse(status, item, drop)
}

@_cdecl("rondo_queue_get") @implementation
public func rondo_queue_get(_ queue: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  wait(queue, outCoroutine) { QueueWait.get($0) }
}

@_cdecl("rondo_queue_get_nowait") @implementation
public func rondo_queue_get_nowait(_ queue: OpaquePointer?, _ outItem: UnsafeMutablePointer<Raw?>?) -> rondo_status {
  guard let found = QueueRef.owned(queue) else { return QueueRef.refuse(queue) }
  guard let outItem else { return -EINVAL }
  let (item, status) = found.get(checked: true)
  if status == RONDO_OK { outItem.pointee = item.pointer }
  return status
}

// MARK: - looking

@_cdecl("rondo_queue_qsize") @implementation
public func rondo_queue_qsize(_ queue: OpaquePointer?, _ outCount: UnsafeMutablePointer<Int>?) -> rondo_status {
  guard let found = QueueRef.owned(queue) else { return QueueRef.refuse(queue) }
  guard let outCount else { return -EINVAL }
  outCount.pointee = found.count
  return RONDO_OK
}

@_cdecl("rondo_queue_get_maxsize") @implementation
public func rondo_queue_get_maxsize(_ queue: OpaquePointer?, _ outMaxsize: UnsafeMutablePointer<Int64>?)
  -> rondo_status
{
  guard let found = QueueRef.owned(queue) else { return QueueRef.refuse(queue) }
  guard let outMaxsize else { return -EINVAL }
  outMaxsize.pointee = found.s.pointee.maxsize
  return RONDO_OK
}

@_cdecl("rondo_queue_is_empty") @implementation
public func rondo_queue_is_empty(_ queue: OpaquePointer?) -> Int32 { QueueRef.owned(queue)?.isEmpty == true ? 1 : 0 }

@_cdecl("rondo_queue_is_full") @implementation
public func rondo_queue_is_full(_ queue: OpaquePointer?) -> Int32 { QueueRef.owned(queue)?.isFull == true ? 1 : 0 }

// MARK: - the end of work

@_cdecl("rondo_queue_task_done") @implementation
public func rondo_queue_task_done(_ queue: OpaquePointer?) -> rondo_status {
  guard let found = QueueRef.owned(queue) else { return QueueRef.refuse(queue) }
  return found.taskDone()
}

@_cdecl("rondo_queue_join") @implementation
public func rondo_queue_join(_ queue: OpaquePointer?, _ outCoroutine: OutHandle?) -> rondo_status {
  wait(queue, outCoroutine) { QueueWait.join($0) }
}

@_cdecl("rondo_queue_shutdown") @implementation
public func rondo_queue_shutdown(_ queue: OpaquePointer?, _ immediate: Int32) -> rondo_status {
  guard let found = QueueRef.owned(queue) else { return QueueRef.refuse(queue) }
  return found.shutDown(immediate: immediate != 0)
}
