// Registry.swift - every loop of the process, for fork and for threads that end.
//
// Set up with the first loop, never when the library is loaded.
//
// Knows: Loop. Does not know: who uses it.

import CRondo
import CRondoShim

enum Registry {
  private static var lock: UnsafeMutablePointer<UInt32> { rondo_globals_lock() }
  private static var linksLock: UnsafeMutablePointer<UInt32> { rondo_links_lock() }
  private static var poolLock: UnsafeMutablePointer<UInt32> { place(&rondo_globals()!.pointee.pool_lock) }

  private static var hooks: UnsafeMutablePointer<UInt32> { place(&rondo_globals()!.pointee.fork_hooks) }

  /// Install the hooks, once; false if the system refuses.
  static func prepare() -> Bool {
    // No lock: in the child of a fork that comes before the hooks are there it would stay locked.
    // The claim names the process, so that the child sees that it is nobody's there.
    let claim = UInt32(bitPattern: getpid()) << 1
    while true {
      let seen = rondo_load32(hooks)
      if seen == 1 { return true }
      if seen == claim {
        _ = sched_yield()  // another thread is at it
      } else if rondo_cas32(hooks, seen, claim) != 0 {
        return install()
      }
    }
  }

  private static func install() -> Bool {
    let status = rondo_shim_watch_process(
      { Registry.beforeFork() }, { Registry.afterForkInParent() }, { Registry.afterForkInChild() },
      { _ in Registry.threadEnds() })
    rondo_store32(hooks, status == 0 ? 1 : 0)
    return status == 0
  }

  static func add(_ loop: LoopRef) {
    rondo_lock(lock)
    loop.s.pointee.next = rondo_globals()!.pointee.loops
    rondo_globals()!.pointee.loops = bits(loop.s)
    rondo_unlock(lock)
  }

  /// Take a loop off the list if `mayGo` says so under the lock, so that who finds it there may
  /// rely on it.
  static func remove(_ loop: LoopRef, _ mayGo: () -> Bool) -> Bool {
    rondo_lock(lock)
    defer { rondo_unlock(lock) }
    if !mayGo() { return false }
    let globals = rondo_globals()!
    if globals.pointee.loops == bits(loop.s) {
      globals.pointee.loops = loop.s.pointee.next
    } else {
      forEach { other in
        if other.s.pointee.next == bits(loop.s) { other.s.pointee.next = loop.s.pointee.next }
      }
    }
    return true
  }

  /// Visit every loop; the lock is held.
  static func forEach(_ visit: (LoopRef) -> Void) {
    var at = rondo_globals()!.pointee.loops
    while let here = address(at) {
      let loop = LoopRef(here)
      at = loop.s.pointee.next
      visit(loop)
    }
  }

  /// Run `body` with the list locked; it must not run user code.
  static func locked<T>(_ body: () -> T) -> T {
    rondo_lock(lock)
    defer { rondo_unlock(lock) }
    return body()
  }

  // MARK: - fork: no lock may be held by a thread that the child does not have

  /// In the order in which they are taken one under another everywhere else.
  private static func beforeFork() {
    rondo_lock(lock)
    OwnLock.forEachKind { kind in
      rondo_lock(rondo_global_lock(kind))
      OwnLock.forEach(kind) { rondo_lock($0) }
    }
    forEach { loop in rondo_lock(loop.inbox.lock) }
    rondo_lock(linksLock)
    var kind: UInt32 = 0
    while kind < UInt32(RONDO_KINDS) {
      if !OwnLock.has(kind) { rondo_lock(rondo_global_lock(kind)) }
      kind += 1
    }
    rondo_lock(poolLock)
    LogQueue.beforeFork()
  }

  private static func unlockAll() {
    rondo_unlock(poolLock)
    var kind = UInt32(RONDO_KINDS)
    while kind > 0 {
      kind -= 1
      if !OwnLock.has(kind) { rondo_unlock(rondo_global_lock(kind)) }
    }
    rondo_unlock(linksLock)
    forEach { loop in rondo_unlock(loop.inbox.lock) }
    OwnLock.forEachKind { kind in
      OwnLock.forEach(kind) { rondo_unlock($0) }
      rondo_unlock(rondo_global_lock(kind))
    }
    rondo_unlock(lock)
  }

  private static func afterForkInParent() {
    LogQueue.afterForkInParent()
    unlockAll()
  }

  private static func afterForkInChild() {
    rondo_poke32(&rondo_globals()!.pointee.forks, rondo_globals()!.pointee.forks &+ 1)
    rondo_store32(hooks, 1)  // they are there, whether or not who installed them got to say so
    LogQueue.afterForkInChild()
    rondo_shim_stall_in_child()
    forEach { loop in
      loop.forgetWatchdog()
      // Who is about to write is not in this process.
      loop.s.pointee.inbox.writers = 0
      let owner = loop.s.pointee.owner
      if owner != Owner.closed && owner != Owner.forked {
        loop.s.pointee.forkedOwner = owner
        loop.s.pointee.forkedWhileRunning = loop.s.pointee.isRunning
        loop.s.pointee.owner = Owner.forked
      }
    }
    rondo_thread()!.pointee.worker = 0  // the pool is the parent's
    // asyncio: a child has no running loop.
    rondo_thread()!.pointee.running = 0
    rondo_thread()!.pointee.running_handle = UInt64.max
    unlockAll()
  }

  // MARK: - what other threads left for this one

  /// Call after leaving something that only a loop's own thread may settle and nobody wakes it for.
  static func markLate() { rondo_store32(&rondo_globals()!.pointee.late, 1) }

  /// Settle what was left for this thread's loops that do not run: closed ones, of which other
  /// threads let go of an object, and ones that C let go of elsewhere.
  @inline(__always)
  static func settleLate() {
    if rondo_peek32(&rondo_globals()!.pointee.late) != 0 { settleLateNow() }
  }

  @inline(never)  // rare
  private static func settleLateNow() {
    if rondo_swap32(&rondo_globals()!.pointee.late, 0) == 0 { return }
    // One at a time, and found anew each time: it runs user code, which may make or end loops.
    while let loop = firstPinned({ $0.hasLate && $0.isSettleable }) {
      loop.settle()
      loop.unpinLoop()
    }
    // The rest is for other threads, when they come by.
    if locked({ first({ $0.hasLate }) }) != nil { markLate() }
  }

  /// The first loop like this, with a pin so that it stays.
  private static func firstPinned(_ isIt: (LoopRef) -> Bool) -> LoopRef? {
    locked {
      let found = first(isIt)
      if let found { Global.pin(Raw(found.s)) }
      return found
    }
  }

  private static func first(_ isIt: (LoopRef) -> Bool) -> LoopRef? {
    var found: LoopRef?
    forEach { loop in if found == nil && isIt(loop) { found = loop } }
    return found
  }

  // MARK: - a thread ends

  private static func threadEnds() {
    let me = rondo_thread_id()
    LoopRef.setCurrent(nil)
    // One at a time: late releases run user code, which may make or close loops.
    while let loop = firstPinned({ $0.belongs(to: me) }) {
      if loop.isMine && loop.s.pointee.isRunning { loop.breakOff() }
      loop.settle()
      loop.leave(me)
      loop.unpinLoop()
    }
    Contexts.endOfThread()
    Traces.endOfThread()
  }
}

/// Objects of no loop that have a lock of their own: threads wait under it for each other. It comes
/// before the inboxes of loops.
enum OwnLock {
  static let offset = 32  // in the object; behind what a free slot uses

  static func has(_ kind: UInt32) -> Bool { kind == Kind.threadQueue || kind == Kind.threadEvent }

  fileprivate static func forEachKind(_ visit: (UInt32) -> Void) {
    visit(Kind.threadQueue)
    visit(Kind.threadEvent)
  }

  /// Visit the lock of every object of a kind; the lock of its slab is held.
  fileprivate static func forEach(_ kind: UInt32, _ visit: (UnsafeMutablePointer<UInt32>) -> Void) {
    Slab.forEach(rondo_global_slab(kind)) { visit(($0 + offset).assumingMemoryBound(to: UInt32.self)) }
  }
}

extension LoopRef {
  fileprivate func belongs(to thread: UInt64) -> Bool {
    let owner = rondo_load64(&s.pointee.owner)
    return owner == thread || (owner == Owner.closed && rondo_load64(&s.pointee.closedOwner) == thread)
  }

  fileprivate var hasLate: Bool {
    isClosed ? rondo_load32(&s.pointee.releases) != 0 : rondo_load32(&s.pointee.isAbandoned) != 0
  }

  fileprivate var isSettleable: Bool {
    isReadable && rondo_load32(&s.pointee.runningFlag) == Phase.idle
  }

  fileprivate func settle() {
    collectReleases()
    if rondo_load32(&s.pointee.isAbandoned) != 0 {
      reportUnclosed()
      _ = shut(nil)
    }
  }

  /// This thread will never use it again. Late releases and C's last reference look for the owner
  /// under the same lock, so that they are not left for somebody who is gone.
  fileprivate func leave(_ me: UInt64) {
    rondo_lock(inbox.lock)
    if rondo_load32(&s.pointee.releases) == 0 && (isClosed || rondo_load32(&s.pointee.isAbandoned) == 0) {
      if rondo_cas64(&s.pointee.owner, me, Owner.dead) == 0 { _ = rondo_cas64(&s.pointee.closedOwner, me, 0) }
    }
    rondo_unlock(inbox.lock)
  }
}
