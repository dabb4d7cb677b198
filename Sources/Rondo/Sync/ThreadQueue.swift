// ThreadQueue.swift - a queue that threads and the tasks of any loop use alike.
//
// One lock over the items and over who waits. So put and get know at once whether they worked, an item
// goes from one side to the other without a pass of any loop, and the order is one order for all. The
// other way, to carry every item through the inbox of one loop into a queue of that loop, was thought
// through: a full queue cannot be told from there, and each item would cost a call.
//
// The lock is at the same place in every object of its kind, so that fork() finds it (Registry.swift).
//
// Knows: ThreadLot, QueueItems, GlobalObjects. Does not know: what the items are.

import CRondo
import CRondoShim

struct ThreadQueueState {
  var header: ObjectHeader
  var unfinished: UInt64  // under the lock, as all that follows; items put and not yet done
  var lock: UInt32  // any thread; at OwnLock.offset
  var isShutDown: Bool
  var maxsize: Int64  // never changes; 0 or less: no limit
  var items: QueueItems
  var getters: ThreadLot
  var putters: ThreadLot
  var joiners: ThreadLot
}

struct ThreadQueueRef {
  let s: UnsafeMutablePointer<ThreadQueueState>

  static let size = MemoryLayout<ThreadQueueState>.stride

  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: ThreadQueueState.self) }

  static func find(_ handle: OpaquePointer?) -> ThreadQueueRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.threadQueue, size) else { return nil }
    return ThreadQueueRef(found)
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.threadQueue, size)
  }

  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  var lock: UnsafeMutablePointer<UInt32> { place(&s.pointee.lock) }
  var getters: ThreadLotPointer { place(&s.pointee.getters) }
  var putters: ThreadLotPointer { place(&s.pointee.putters) }
  var joiners: ThreadLotPointer { place(&s.pointee.joiners) }
  private var items: UnsafeMutablePointer<QueueItems> { place(&s.pointee.items) }

  /// A new queue with one reference of C's; nil if memory is out. The lock is not touched: a call
  /// with a stale handle may just have it.
  static func make(_ maxsize: Int64) -> ThreadQueueRef? {
    guard let slot = Global.take(Kind.threadQueue, size) else { return nil }
    let made = ThreadQueueRef(slot)
    invariant(Raw(made.lock) - slot == OwnLock.offset, "the lock of a queue is not where fork() looks for it")
    rondo_lock(made.lock)
    made.s.pointee.unfinished = 0
    made.s.pointee.isShutDown = false
    made.s.pointee.maxsize = maxsize
    made.s.pointee.items = .empty
    made.s.pointee.getters = .empty
    made.s.pointee.putters = .empty
    made.s.pointee.joiners = .empty
    rondo_unlock(made.lock)
    return made
  }

  func pin() { Global.pin(Raw(s)) }
  func unpin() { if Global.unpin(Raw(s)) { end() } }
  func releaseUser() -> rondo_status { Global.release(Raw(s)) { end() } }

  private func end() {
    rondo_lock(lock)
    var left = takeAll()
    rondo_unlock(lock)
    Global.give(Kind.threadQueue, Raw(s))
    withUnsafeMutablePointer(to: &left) { $0.dropAll() }
  }

  private func takeAll() -> QueueItems {
    let left = s.pointee.items
    s.pointee.items = .empty
    return left
  }

  // MARK: - under the lock

  var count: Int { s.pointee.items.count }
  private var isFull: Bool { s.pointee.maxsize > 0 && Int64(count) >= s.pointee.maxsize }

  /// Put an item in, which moves on success; RONDO_E_TIMEOUT if it would have to wait.
  func tryPut(_ item: Value) -> (rondo_status, ThreadWake) {
    if s.pointee.isShutDown { return (RONDO_E_QUEUE_SHUT_DOWN, ThreadWake()) }
    if isFull { return (RONDO_E_TIMEOUT, ThreadWake()) }
    if !items.makeRoom() { return (-ENOMEM, ThreadWake()) }
    items.add(item)
    s.pointee.unfinished += 1
    return (RONDO_OK, getters.wakeOne())
  }

  /// Take the next item, which is the caller's then; RONDO_E_TIMEOUT if it would have to wait.
  func tryGet(_ item: inout Value) -> (rondo_status, ThreadWake) {
    if count == 0 { return (s.pointee.isShutDown ? RONDO_E_QUEUE_SHUT_DOWN : RONDO_E_TIMEOUT, ThreadWake()) }
    item = items.take()
    return (RONDO_OK, s.pointee.maxsize > 0 ? putters.wakeOne() : ThreadWake())
  }

  /// Who was woken leaves without taking anything: the next one's turn, if there still is anything.
  func handOnItem() -> ThreadWake { count > 0 ? getters.wakeOne() : ThreadWake() }
  func handOnRoom() -> ThreadWake { isFull ? ThreadWake() : putters.wakeOne() }

  // MARK: - any thread

  private func locked(_ body: () -> (rondo_status, ThreadWake)) -> rondo_status {
    rondo_lock(lock)
    let (status, wake) = body()
    rondo_unlock(lock)
    wake.deliver()
    return status
  }

  func putNow(_ item: Value) -> rondo_status {
    let status = locked { tryPut(item) }
    return status == RONDO_E_TIMEOUT ? RONDO_E_QUEUE_FULL : status
  }

  func put(_ item: Value, _ timeout: Int64) -> rondo_status { putters.wait(lock, timeout) { tryPut(item) } }

  func getNow() -> (Value, rondo_status) {
    var item = Value.none
    let status = locked { tryGet(&item) }
    return (item, status == RONDO_E_TIMEOUT ? RONDO_E_QUEUE_EMPTY : status)
  }

  func get(_ timeout: Int64) -> (Value, rondo_status) {
    var item = Value.none
    let status = getters.wait(lock, timeout) { tryGet(&item) }
    return (item, status)
  }

  func qsize() -> Int {
    rondo_lock(lock)
    defer { rondo_unlock(lock) }
    return count
  }

  func taskDone() -> rondo_status {
    rondo_lock(lock)
    if s.pointee.unfinished == 0 {
      rondo_unlock(lock)
      return RONDO_E_INVALID_STATE
    }
    s.pointee.unfinished -= 1
    if s.pointee.unfinished > 0 { rondo_unlock(lock) } else { wakeAndUnlock(joiners) }
    return RONDO_OK
  }

  private func wakeAndUnlock(_ lot: ThreadLotPointer) {
    let limit = lot.pointee.entered
    let wake = lot.wakeSleepers()
    rondo_unlock(lock)
    wake.deliver()
    lot.wakeTasks(lock, upTo: limit)
  }

  /// Once it was zero while this waits, that is enough, whatever was put since.
  func join(_ timeout: Int64) -> rondo_status {
    var turn: UInt32?
    return joiners.wait(lock, timeout) {
      let isOver = s.pointee.unfinished == 0 || joiners.pointee.turn != turn ?? joiners.pointee.turn
      turn = joiners.pointee.turn
      return (isOver ? RONDO_OK : RONDO_E_TIMEOUT, ThreadWake())
    }
  }

  func shutDown(immediate: Bool) {
    var left = QueueItems.empty
    rondo_lock(lock)
    s.pointee.isShutDown = true
    var isDone = false
    if immediate {
      isDone = s.pointee.unfinished > 0 && s.pointee.unfinished <= UInt64(count)
      s.pointee.unfinished -= Swift.min(s.pointee.unfinished, UInt64(count))
      left = takeAll()
    }
    let getting = getters.pointee.entered
    let putting = putters.pointee.entered
    let joining = joiners.pointee.entered
    let wakes = (getters.wakeSleepers(), putters.wakeSleepers(), isDone ? joiners.wakeSleepers() : ThreadWake())
    rondo_unlock(lock)
    wakes.0.deliver()
    wakes.1.deliver()
    wakes.2.deliver()
    if isDone { joiners.wakeTasks(lock, upTo: joining) }
    getters.wakeTasks(lock, upTo: getting)
    putters.wakeTasks(lock, upTo: putting)
    withUnsafeMutablePointer(to: &left) { $0.dropAll() }  // last, for the drops may do anything
  }
}
