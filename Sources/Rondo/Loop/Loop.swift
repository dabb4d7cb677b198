// Loop.swift - the event loop's state.
//
// One block of raw memory a loop, in the slab of loops, so that a stale loop handle can be looked
// at for ever. Fields are the loop thread's unless marked. `owner` is the one word that says in
// a single compare whether a call is allowed: it holds the owning thread's number, and one of the
// marks below when the loop is closed, inherited through fork, or orphaned.
//
// Knows: Base, System. Does not know: futures, tasks (it ends them through two function pointers).

import CRondo
import CRondoShim

enum Owner {
  static let closed: UInt64 = 1
  static let forked: UInt64 = 2
  static let dead: UInt64 = 3  // its thread has ended
  static let nobody = UInt64.max  // for the moment; see Schedule.swift
}

/// Who has the loop; claimed with one compare-and-swap.
enum Phase {
  static let idle: UInt32 = 0
  static let running: UInt32 = 1
  static let closing: UInt32 = 2
}

enum Attention {
  static let stop: UInt32 = 1
  static let raised: UInt32 = 2  // the running callback called rondo_loop_raise
  static let escape: UInt32 = 4  // leave the loop at once
  static let signal: UInt32 = 8  // a SIGINT arrived; set by its handler
}

enum TaskMaking {
  static let eager: UInt32 = 1  // tasks start inside create_task
  static let factory: UInt32 = 2  // there is a task factory
  static let beforeRun: UInt32 = 4  // a run makes its task: not eager
}

/// What the rooms below do for the loop; they set these when a loop is made.
struct LoopHooks {
  var unpin: @convention(c) (Raw) -> Void = { _ in }  // give back C's last reference of what is below
  var countPending: @convention(c) (Raw, UnsafeMutablePointer<rondo_close_report>) -> Void = { _, _ in }
  var endTasks: @convention(c) (Raw) -> Void = { _ in }  // let go of every task, at close
  var describe: @convention(c) (UInt64, Raw) -> Void = { _, _ in }
  var collectLate: @convention(c) (Raw) -> Void = { _ in }  // wake those who could not be woken
  var completeLate: @convention(c) (Raw) -> Void = { _ in }  // a completer for which the inbox had no memory
  var interrupt: @convention(c) (Raw) -> Void = { _ in }  // a SIGINT arrived
  var dropExecutor: @convention(c) (Raw) -> Void = { _ in }  // let go of the default executor, at close
  var joinExecutor: @convention(c) (Raw) -> Void = { _ in }  // at the orderly end of a run, before the loop is closed
  // Make the context of a task, by handle, the current one (false: leave
  // it) and take it back; Raw: a SavedContext.
  var enterContext: @convention(c) (UInt64, Raw) -> Bool = { _, _ in false }
  var leaveContext: @convention(c) (UInt64, Raw) -> Void = { _, _ in }
  var stepFn: UInt = 0  // what steps a task, its argument
  var doneFn: UInt = 0  // what runs a done callback
  var lookAt: @convention(c) (Raw) -> Void = { _ in }  // complete a Subject of these, and hold its task
  var lookAway: @convention(c) (Raw) -> Void = { _ in }  // let go of that task
  var note: @convention(c) (Raw, Raw) -> Void = { _, _ in }  // a task; a StallNote. In a signal handler
}

struct LoopState {
  // The first line of the cache: what other threads look at, and hardly anybody writes.
  var header: ObjectHeader
  var owner: UInt64 = 0  // any thread
  var debug: UInt32 = 0  // any thread
  var runningFlag: UInt32 = 0  // any thread; a Phase
  var isAbandoned: UInt32 = 0  // any thread; C's last reference went on another thread
  var releases: UInt32 = 0  // any thread; late releases, a stack of slot numbers
  var closedOwner: UInt64 = 0  // any thread; who may still read futures of a closed loop
  var forkedOwner: UInt64 = 0
  // The second: what producers and the loop hand to each other.
  var inbox: Inbox = .empty
  var sigints: UInt32 = 0  // any thread; SIGINTs counted by the handler
  var sigintsSeen: UInt32 = 0
  // The rest is the loop's thread's, which writes some of it with every call.
  var ready: Ring = .empty
  var attention: UInt32 = 0
  var clockKind: UInt32 = 0  // any thread; a ClockKind
  var isArranged: Bool = false  // something decides the order of calls; see Schedule.swift
  var taskMaking: UInt32 = 0  // TaskMaking bits; 0: nothing special
  var isGuest: Bool = false  // the host polls our descriptor
  var isTimed: Bool = false  // debug mode or the watchdog looks at each call
  var isSpecial: Bool = false  // isTimed or isArranged
  var isRunning: Bool = false
  var isStepped: Bool = false  // between rondo_loop_begin and rondo_loop_end
  var isClosing: Bool = false  // under the inbox's lock
  var isFreed: Bool = false  // under the inbox's lock
  var inCallback: Bool = false
  var hasLateWakes: Bool = false  // somebody was not woken for want of memory
  var forkedWhileRunning: Bool = false
  var currentTask: UInt64 = 0  // address
  var taskNumber: UInt64 = 0  // the last one given, of a block that ends at lastTaskNumber
  var lastTaskNumber: UInt64 = 0
  var taskNumbersTaken: UInt64 = 0
  var mainTask: UInt64 = 0  // address of the task that SIGINT cancels, 0 for none
  var timers: TimerHeap = .empty
  var poller: Poller = .none
  var descriptors: DescriptorTable = .empty
  var calls: UInt64 = 0  // callbacks run, ever
  var raised: UInt64 = 0  // address of an error, pinned
  var escaped: UInt64 = 0  // address of an error, pinned
  var handles: rondo_slab = rondo_slab()
  var futures: rondo_slab = rondo_slab()
  var tasks: rondo_slab = rondo_slab()
  var nodes: rondo_slab = rondo_slab()
  var scopes: rondo_slab = rondo_slab()
  var threadHandles: rondo_slab = rondo_slab()  // under the inbox's lock
  var syncs: rondo_slab = rondo_slab()
  var queues: rondo_slab = rondo_slab()
  var jobs: rondo_slab = rondo_slab()
  var executor: UInt64 = 0  // address of the default executor, pinned; 0 for none yet
  var isExecutorShut: Bool = false  // the default executor takes nothing any more
  var slowCallback: Int64 = 100_000_000
  var tick: Int64 = 0  // the coarse clock when it was last seen to move
  var lastLook: Int64 = 0  // the clock, then; or for small durations at the last look
  var isLookOld: Bool = true  // the loop has slept since
  var watchdog: Int64 = 0  // as set; 0 as debug mode says, Int64.max off
  var watch: UInt64 = 0  // address of what is shared with the watching thread, 0 for none
  var generators: UInt64 = 0  // under the lock of generators; address of the first, see Task/AsyncGenerator.swift
  var generatorHooks: UInt64 = 0  // address of a GeneratorHooks, 0 for none
  var generatorsShut: Bool = false  // shutdown_asyncgens was called
  var next: UInt64 = 0  // any thread, under the process's lock
  var holds: UInt32 = 0  // any thread; who asked the clock to stand still
  var clock: UInt64 = 0  // any thread; the time, if it is the loop's own
  var schedule = Schedule()
  var onException: rondo_exception_handler_fn? = nil
  var onExceptionArg: Setting = .none
  var beforePoll: rondo_loop_fn? = nil
  var afterPoll: rondo_loop_fn? = nil
  var pollArg: Setting = .none
  var taskFactory: rondo_task_factory_fn? = nil
  var taskFactoryArg: Setting = .none
  var factoryDepth: UInt32 = 0  // factories that run one inside the other
  var hooks: LoopHooks = LoopHooks()
}

/// The address of a stored field, so that it is worked on in place: a callback may re-enter.
@inline(__always)
func place<T>(_ field: UnsafeMutablePointer<T>) -> UnsafeMutablePointer<T> { field }

struct LoopRef {
  let s: UnsafeMutablePointer<LoopState>

  static let size = 2048  // a power of two: every lookup multiplies by it

  @inline(__always)
  init(_ state: UnsafeMutablePointer<LoopState>) { s = state }

  @inline(__always)
  init(_ raw: Raw) { s = raw.assumingMemoryBound(to: LoopState.self) }

  // MARK: - from handles

  /// The loop, if the handle is good; says nothing about threads.
  @inline(__always)
  static func find(_ handle: OpaquePointer?) -> LoopRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.loop, size) else { return nil }
    return LoopRef(found)
  }

  /// The loop, if this thread may use it; else ask `refuse` why not.
  @inline(never)  // in nearly every export; the hot ones ask `running` first
  static func owned(_ handle: OpaquePointer?) -> LoopRef? {
    guard let loop = find(handle), loop.isMine else { return nil }
    return loop
  }

  /// The loop, if it is the one that runs in this thread: then it is alive and this thread's, and
  /// one compare says so. (Not if it has a host to be told of everything.)
  @inline(__always)
  static func running(_ handle: OpaquePointer?) -> LoopRef? {
    let thread = rondo_thread()!
    if handleBits(handle) != thread.pointee.running_handle { return nil }
    // C may hand over anything, also what stands for "none".
    return address(thread.pointee.running).map { LoopRef($0) }
  }

  @inline(never)
  static func refuse(_ handle: OpaquePointer?) -> rondo_status {
    guard let loop = find(handle) else { return Lookup.explain(handleBits(handle), Kind.loop, size) }
    return loop.refusal
  }

  /// Why this thread may not schedule on the loop; the answer to a call that is refused.
  var refusal: rondo_status {
    let status = quietRefusal
    if status == RONDO_E_WRONG_THREAD { reportWrongThread() }
    return status
  }

  /// The same, for who only wants to know.
  var quietRefusal: rondo_status {
    switch rondo_load64(&s.pointee.owner) {
    case Owner.closed: return RONDO_E_LOOP_CLOSED
    case Owner.forked: return RONDO_E_WRONG_PROCESS
    default: return RONDO_E_WRONG_THREAD
    }
  }

  @inline(__always)
  var isMine: Bool { rondo_peek64(&s.pointee.owner) == rondo_thread_id() }

  /// As isMine, and also for what may still be read once the loop is closed.
  @inline(__always)
  var isReadable: Bool { isMine || isMineThoughClosed }

  @inline(never)
  var isMineThoughClosed: Bool {
    if rondo_load64(&s.pointee.owner) != Owner.closed { return false }
    let me = rondo_thread_id()
    // The thread that closed it may have ended; then whoever comes first inherits.
    return rondo_load64(&s.pointee.closedOwner) == me || rondo_cas64(&s.pointee.closedOwner, 0, me) != 0
  }

  @inline(__always)
  var isClosed: Bool { rondo_peek64(&s.pointee.owner) == Owner.closed }

  @inline(__always)
  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }

  @inline(__always)
  var isDebugging: Bool { rondo_peek32(&s.pointee.debug) != 0 }

  // MARK: - parts

  @inline(__always)
  var ready: UnsafeMutablePointer<Ring> { place(&s.pointee.ready) }
  @inline(__always)
  var timers: TimerHeapPointer { place(&s.pointee.timers) }
  @inline(__always)
  var poller: PollerPointer { place(&s.pointee.poller) }
  @inline(__always)
  var descriptors: UnsafeMutablePointer<DescriptorTable> { place(&s.pointee.descriptors) }
  @inline(__always)
  var inbox: UnsafeMutablePointer<Inbox> { place(&s.pointee.inbox) }
  @inline(__always)
  var handles: SlabPointer { place(&s.pointee.handles) }
  @inline(__always)
  var futures: SlabPointer { place(&s.pointee.futures) }
  @inline(__always)
  var tasks: SlabPointer { place(&s.pointee.tasks) }
  @inline(__always)
  var nodes: SlabPointer { place(&s.pointee.nodes) }
  var scopes: SlabPointer { place(&s.pointee.scopes) }
  @inline(__always)
  var threadHandles: SlabPointer { place(&s.pointee.threadHandles) }
  var syncs: SlabPointer { place(&s.pointee.syncs) }
  var queues: SlabPointer { place(&s.pointee.queues) }
  var jobs: SlabPointer { place(&s.pointee.jobs) }
  var onExceptionArg: SettingPointer { place(&s.pointee.onExceptionArg) }
  var pollArg: SettingPointer { place(&s.pointee.pollArg) }
  var taskFactoryArg: SettingPointer { place(&s.pointee.taskFactoryArg) }

  // MARK: - making

  static func make(readyCapacity: Int, debug: Bool) -> (LoopRef?, rondo_status) {
    if !Registry.prepare() || !ErrorRef.prepareShared() { return (nil, -ENOMEM) }
    invariant(MemoryLayout<LoopState>.size <= size, "LoopRef.size is too small")
    invariant(MemoryLayout<Inbox>.size + 12 <= 64, "the inbox no longer fits into its line of the cache")
    guard let slot = Global.take(Kind.loop, size) else { return (nil, -ENOMEM) }
    let loop = LoopRef(slot)
    loop.reset(debug: debug)
    loop.setDebug(debug)
    // Room from the start: where memory is out for good, what there is still makes progress.
    if !loop.ready.reserve(Swift.max(64, readyCapacity)) {
      Global.give(Kind.loop, slot)
      return (nil, -ENOMEM)
    }
    Registry.add(loop)
    loop.own()
    if debug { Origins.record(slot) }
    return (loop, RONDO_OK)
  }

  private func reset(debug: Bool) {
    renew(LoopState(header: s.pointee.header, debug: debug ? 1 : 0))
    Slab.prepare(handles, kind: Kind.handle, size: HandleRef.size)
    Slab.prepare(threadHandles, kind: Kind.threadHandle, size: ThreadHandleRef.size)
  }

  /// Everything as new but the header and the lock: a call with a stale handle may just have it.
  private func renew(_ state: LoopState) {
    let first = MemoryLayout<ObjectHeader>.stride
    let lock = Raw(inbox.lock) - Raw(s)
    rondo_lock(inbox.lock)
    withUnsafeBytes(of: state) { new in
      memcpy(Raw(s) + first, new.baseAddress! + first, lock - first)
      memcpy(Raw(s) + lock + 4, new.baseAddress! + lock + 4, new.count - lock - 4)
    }
    rondo_unlock(inbox.lock)
  }

  /// Make this thread the owner.
  func own() {
    _ = rondo_shim_watch_thread()
    rondo_store64(&s.pointee.owner, rondo_thread_id())
  }
}
