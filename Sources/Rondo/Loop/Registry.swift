// Registry.swift - every loop of the process, for fork and for threads that end.
//
// Set up with the first loop, never when the library is loaded.
//
// Knows: Loop. Does not know: who uses it.

import CRondo
import CRondoShim

enum Registry {
  private static var lock: UnsafeMutablePointer<UInt32> { rondo_globals_lock() }

  /// Install the hooks, once; false if the system refuses.
  static func prepare() -> Bool {
    let globals = rondo_globals()!
    if rondo_load32(&globals.pointee.fork_hooks) == 1 { return true }
    rondo_lock(lock)
    defer { rondo_unlock(lock) }
    if globals.pointee.fork_hooks == 1 { return true }
    let status = rondo_shim_watch_process(
      { Registry.beforeFork() }, { Registry.afterForkInParent() }, { Registry.afterForkInChild() },
      { _ in Registry.threadEnds() })
    if status == 0 { rondo_store32(&globals.pointee.fork_hooks, 1) }
    return status == 0
  }

  static func add(_ loop: LoopRef) {
    rondo_lock(lock)
    loop.s.pointee.next = rondo_globals()!.pointee.loops
    rondo_globals()!.pointee.loops = bits(loop.s)
    rondo_unlock(lock)
  }

  static func remove(_ loop: LoopRef) {
    rondo_lock(lock)
    let globals = rondo_globals()!
    if globals.pointee.loops == bits(loop.s) {
      globals.pointee.loops = loop.s.pointee.next
    } else {
      forEach { other in
        if other.s.pointee.next == bits(loop.s) { other.s.pointee.next = loop.s.pointee.next }
      }
    }
    rondo_unlock(lock)
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

  private static func beforeFork() {
    rondo_lock(lock)
    forEach { loop in rondo_lock(loop.inbox.lock) }
    var kind: UInt32 = 0
    while kind < UInt32(RONDO_KINDS) {
      rondo_lock(rondo_global_lock(kind))
      kind += 1
    }
  }

  private static func unlockAll() {
    var kind: UInt32 = 0
    while kind < UInt32(RONDO_KINDS) {
      rondo_unlock(rondo_global_lock(kind))
      kind += 1
    }
    forEach { loop in rondo_unlock(loop.inbox.lock) }
    rondo_unlock(lock)
  }

  private static func afterForkInParent() { unlockAll() }

  private static func afterForkInChild() {
    forEach { loop in
      let owner = loop.s.pointee.owner
      if owner != Owner.closed && owner != Owner.forked {
        loop.s.pointee.forkedOwner = owner
        loop.s.pointee.forkedWhileRunning = loop.s.pointee.isRunning
        loop.s.pointee.owner = Owner.forked
      }
    }
    // asyncio: a child has no running loop.
    rondo_thread()!.pointee.running = 0
    unlockAll()
  }

  // MARK: - a thread ends

  private static func threadEnds() {
    let me = rondo_thread_id()
    LoopRef.setCurrent(nil)
    // One at a time: late releases run user code, which may make or close loops.
    while let loop = locked({ firstOwned(by: me) }) {
      loop.collectReleases()
      if rondo_load32(&loop.s.pointee.isAbandoned) != 0 { _ = loop.shut(nil) }
      leave(loop, me)
    }
    Contexts.endOfThread()
  }

  private static func leave(_ loop: LoopRef, _ me: UInt64) {
    let name = loop.s.pointee.header.handle
    rondo_lock(loop.inbox.lock)
    if loop.s.pointee.header.handle == name {
      if rondo_cas64(&loop.s.pointee.owner, me, Owner.dead) == 0 {
        _ = rondo_cas64(&loop.s.pointee.closedOwner, me, 0)
      }
    }
    rondo_unlock(loop.inbox.lock)
  }

  private static func firstOwned(by thread: UInt64) -> LoopRef? {
    var found: LoopRef?
    forEach { loop in
      let owner = rondo_load64(&loop.s.pointee.owner)
      if owner == thread || (owner == Owner.closed && rondo_load64(&loop.s.pointee.closedOwner) == thread) {
        found = loop
      }
    }
    return found
  }
}
