// Queue.swift - items that go from some tasks to others: bounded or not, in three orders.
//
// Who waits is only told to look again. An item belongs to nobody until somebody takes it, so a
// getter that is cancelled after it was woken loses none: it wakes the next one. Likewise putters
// and room.
//
// Knows: ParkingLot, QueueItems, SyncHold. Does not know: what the items are.

import CRondo
import CRondoShim

struct QueueState {
  var header: ObjectHeader
  var isShutDown: Bool
  var isBusy: Bool  // the program's comparison runs
  var maxsize: Int64  // 0 or less: no limit
  var unfinished: UInt64  // items put and not yet done
  var getters: ParkingLot
  var putters: ParkingLot
  var joiners: ParkingLot
  var items: QueueItems
  var compareDrop: rondo_drop_fn?  // of the comparison's argument
}

struct QueueRef {
  let s: UnsafeMutablePointer<QueueState>

  static let size = MemoryLayout<QueueState>.stride

  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: QueueState.self) }

  static func find(_ handle: OpaquePointer?) -> QueueRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.queue, size) else { return nil }
    return QueueRef(found)
  }

  /// The same, if this thread may use it; else ask `refuse`. Also when the loop is closed.
  static func owned(_ handle: OpaquePointer?) -> QueueRef? {
    guard let found = find(handle), found.loop.isReadable else { return nil }
    return found
  }

  @inline(never)  // the cold way out
  static func refuse(_ handle: OpaquePointer?) -> rondo_status {
    if let found = find(handle) { return found.loop.refusal }
    return Lookup.explain(handleBits(handle), Kind.queue, size)
  }

  var raw: Raw { Raw(s) }
  var loop: LoopRef { Owned.loop(of: raw) }
  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }
  var getters: LotPointer { place(&s.pointee.getters) }
  var putters: LotPointer { place(&s.pointee.putters) }
  var joiners: LotPointer { place(&s.pointee.joiners) }
  var items: UnsafeMutablePointer<QueueItems> { place(&s.pointee.items) }
  var count: Int { s.pointee.items.count }
  var isEmpty: Bool { count == 0 }
  var isFull: Bool { s.pointee.maxsize > 0 && Int64(count) >= s.pointee.maxsize }

  /// A new queue with one reference of C's. `compareArg` moves on success.
  static func make(_ loop: LoopRef, _ maxsize: Int64, isStack: Bool = false, _ compare: rondo_compare_fn? = nil,
                   _ compareArg: Value = .none) -> QueueRef? {
    guard let slot = Slab.take(loop.queues, owner: Raw(loop.s)) else { return nil }
    Owned.begin(slot, user: true)
    let made = QueueRef(slot)
    made.s.pointee.isShutDown = false
    made.s.pointee.isBusy = false
    made.s.pointee.maxsize = maxsize
    made.s.pointee.unfinished = 0
    made.s.pointee.getters = .empty
    made.s.pointee.putters = .empty
    made.s.pointee.joiners = .empty
    made.s.pointee.items = .empty
    made.s.pointee.items.isStack = isStack
    made.s.pointee.items.compare = compare
    made.s.pointee.items.compareArg = compareArg.pointer
    made.s.pointee.compareDrop = compareArg.drop
    return made
  }

  func pin() { Owned.pin(raw) }
  func unpin() { if Owned.unpin(raw) { end() } }

  private func end() {
    // The drops may name the queue, so it is there until they are over.
    s.pointee.isShutDown = true
    pin()
    items.dropAll()
    let arg = Value(pointer: s.pointee.items.compareArg, drop: s.pointee.compareDrop)
    s.pointee.compareDrop = nil
    arg.dispose()
    if !Owned.unpin(raw) { return }
    let loop = loop
    Slab.give(loop.queues, raw)
    if loop.s.pointee.isClosing { loop.freeIfUnused() }
  }

  // MARK: - without waiting

  /// Put an item in, which moves on success. `checked`: -ENOMEM also if waking a getter could fail.
  func put(_ item: Value, checked: Bool) -> rondo_status {
    if s.pointee.isBusy { return -EBUSY }
    if s.pointee.isShutDown { return RONDO_E_QUEUE_SHUT_DOWN }
    if isFull { return RONDO_E_QUEUE_FULL }
    if checked && !getters.canWake(atMost: 1, loop) { return -ENOMEM }
    if !items.makeRoom() { return -ENOMEM }
    pin()
    s.pointee.isBusy = true
    items.add(item)
    s.pointee.isBusy = false
    s.pointee.unfinished += 1
    getters.takeOutAndWakeNext()
    unpin()
    return RONDO_OK
  }

  /// Take the next item out, which is the caller's then.
  func get(checked: Bool) -> (Value, rondo_status) {
    if s.pointee.isBusy { return (.none, -EBUSY) }
    if isEmpty { return (.none, s.pointee.isShutDown ? RONDO_E_QUEUE_SHUT_DOWN : RONDO_E_QUEUE_EMPTY) }
    if checked && !putters.canWake(atMost: 1, loop) { return (.none, -ENOMEM) }
    pin()
    s.pointee.isBusy = true
    let item = items.take()
    s.pointee.isBusy = false
    putters.takeOutAndWakeNext()
    unpin()
    return (item, RONDO_OK)
  }

  func taskDone() -> rondo_status {
    if s.pointee.unfinished == 0 { return RONDO_E_INVALID_STATE }
    if s.pointee.unfinished == 1 && !joiners.canWake(atMost: UInt64.max, loop) { return -ENOMEM }
    s.pointee.unfinished -= 1
    if s.pointee.unfinished == 0 { joiners.wake(atMost: UInt64.max) }
    return RONDO_OK
  }

  func shutDown(immediate: Bool) -> rondo_status {
    if s.pointee.isBusy { return -EBUSY }
    let all = UInt64.max
    let waiting =
      getters.countPending(atMost: all) + putters.countPending(atMost: all) + joiners.countPending(atMost: all)
    if !loop.canWake(waiting) { return -ENOMEM }
    s.pointee.isShutDown = true
    if immediate {
      s.pointee.unfinished -= Swift.min(s.pointee.unfinished, UInt64(count))
      if s.pointee.unfinished == 0 { joiners.wake(atMost: UInt64.max) }
    }
    getters.takeOutAndWakeAll()
    putters.takeOutAndWakeAll()
    // Last, for the drops may do anything.
    pin()
    if immediate { items.dropAll() }
    unpin()
    return RONDO_OK
  }
}
