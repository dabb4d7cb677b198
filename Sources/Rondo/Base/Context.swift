// Context.swift - which context is the current one, and the objects that C holds contexts by.
//
// The current context of a thread is a map in a thread-local word. Entering moves a map there and
// leaving takes it away again, so reading a variable looks at one place, whoever runs: a callback
// in a copy, a task in its own map, or C inside rondo_context_run(). While a context object is
// entered its map is in the thread and the object's own word is empty; one word of the object,
// `entered`, is the claim on it. Winning the claim is the right to touch `map`, so two threads
// that want the same object need no lock: one of them is told that it is entered already.
//
// User code (drops) runs only when a map ends, and that is always the last thing done here.
//
// Knows: ContextMap, GlobalObjects. Does not know: loops, tasks, calls.

import CRondo
import CRondoShim

struct ContextState {
  var header: ObjectHeader
  var map: ContextMap  // owns one reference; whoever holds the claim touches it
  var entered: UInt32  // any thread; 1 while some thread is in it
  var pad: UInt32
}

struct ContextRef {
  let state: UnsafeMutablePointer<ContextState>

  static let size = MemoryLayout<ContextState>.stride

  @inline(__always)
  init(_ state: UnsafeMutablePointer<ContextState>) { self.state = state }

  @inline(__always)
  static func find(_ handle: OpaquePointer?) -> ContextRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.context, size) else { return nil }
    return ContextRef(found.assumingMemoryBound(to: ContextState.self))
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.context, size)
  }

  /// A new object with one reference of C's; nil if memory is out. The map moves on success.
  static func make(_ map: ContextMap) -> ContextRef? {
    guard let slot = Global.take(Kind.context, size) else { return nil }
    let state = slot.assumingMemoryBound(to: ContextState.self)
    state.pointee.map = map
    rondo_poke32(&state.pointee.entered, 0)
    return ContextRef(state)
  }

  @inline(__always)
  var handle: OpaquePointer? { opaque(state.pointee.header.handle) }

  @inline(__always)
  func pin() { Global.pin(state) }

  @inline(__always)
  func unpin() { if Global.unpin(state) { end() } }

  func releaseUser() -> rondo_status { Global.release(state) { end() } }

  @inline(never)  // runs the user's drops
  private func end() {
    // Whoever is in it has it pinned, so nobody is, and the map is here.
    let map = state.pointee.map
    Global.give(Kind.context, state)
    Maps.release(map)
  }

  // MARK: - the claim

  /// Get the right to `map`; pairs with the store in disclaim().
  @inline(__always)
  fileprivate func claim() -> Bool { rondo_cas32(&state.pointee.entered, 0, 1) != 0 }

  @inline(__always)
  fileprivate func disclaim() { rondo_store32(&state.pointee.entered, 0) }
}

/// What was current before something was entered.
struct SavedContext {
  var map: ContextMap
  var entered: UInt64  // handle
}

enum Contexts {
  @inline(__always)
  private static func object(_ tag: ContextTag) -> ContextRef? {
    if tag & 1 == 0 { return nil }
    return ContextRef(address(tag & ~1)!.assumingMemoryBound(to: ContextState.self))
  }

  /// For C, with a reference: the object that a tag names, else a copy of `copy`, the tag's own map if
  /// nil. Nil if memory is out.
  @inline(never)  // rare
  static func forUser(_ tag: ContextTag, copy: ContextMap? = nil) -> ContextRef? {
    if let object = object(tag) {
      _ = Global.retain(object.state)
      return object
    }
    let map = copy ?? tag
    Maps.retain(map)
    guard let made = ContextRef.make(map) else {
      Maps.release(map)
      return nil
    }
    return made
  }

  // MARK: - tags: what calls and tasks carry

  /// The current context as of now: later changes of it are not seen.
  @inline(__always)
  static func capture() -> ContextTag {
    let map = rondo_thread()!.pointee.context
    Maps.retain(map)
    return map
  }

  /// The object itself: what is set in it stays in it.
  @inline(__always)
  static func tag(_ context: ContextRef) -> ContextTag {
    context.pin()
    return bits(context.state) | 1
  }

  /// The tag of a context that C names; NULL is a copy of the current one.
  static func tag(named context: OpaquePointer?) -> (ContextTag, rondo_status) {
    if context == nil { return (capture(), RONDO_OK) }
    guard let found = ContextRef.find(context) else { return (0, ContextRef.explain(context)) }
    return (tag(found), RONDO_OK)
  }

  @inline(__always)
  static func release(_ tag: ContextTag) {
    if let object = object(tag) { object.unpin() } else { Maps.release(tag) }
  }

  // MARK: - entering and leaving, nested strictly within a thread

  /// Make it current unless it is entered already. The tag's own reference stays the caller's
  /// and must last until leave().
  @inline(__always)
  static func tryEnter(_ tag: ContextTag) -> SavedContext? {
    if let object = object(tag) { return tryEnter(object) }
    Maps.retain(tag)
    return enterOwned(tag)
  }

  @inline(never)  // rare, and out of the way of calls that carry a map
  private static func tryEnter(_ object: ContextRef) -> SavedContext? {
    if !object.claim() { return nil }
    let saved = enterOwned(object.state.pointee.map)
    object.state.pointee.map = 0
    rondo_thread()!.pointee.entered = object.state.pointee.header.handle
    return saved
  }

  @inline(__always)
  static func leave(_ tag: ContextTag, _ saved: SavedContext) {
    if let object = object(tag) { return leave(object, saved) }
    Maps.release(leaveOwned(saved))
  }

  @inline(never)  // as tryEnter
  private static func leave(_ object: ContextRef, _ saved: SavedContext) {
    let isIn = rondo_thread()!.pointee.entered == object.state.pointee.header.handle
    let map = leaveOwned(saved)
    if !isIn { return Maps.release(map) }
    object.state.pointee.map = map
    object.disclaim()
  }

  /// Make a map current; it moves. For tasks, whose map changes from step to step.
  @inline(__always)
  static func enterOwned(_ map: ContextMap) -> SavedContext {
    let thread = rondo_thread()!
    let saved = SavedContext(map: thread.pointee.context, entered: thread.pointee.entered)
    thread.pointee.context = map
    thread.pointee.entered = 0
    return saved
  }

  /// Give the map back, as it is now.
  @inline(__always)
  static func leaveOwned(_ saved: SavedContext) -> ContextMap {
    let thread = rondo_thread()!
    let map = thread.pointee.context
    thread.pointee.context = saved.map
    thread.pointee.entered = saved.entered
    return map
  }

  /// Let go of what an ending thread holds.
  static func endOfThread() { Maps.release(leaveOwned(SavedContext(map: 0, entered: 0))) }

  // MARK: - variables

  /// Set it in the current context. The value moves, on failure as well.
  static func set(_ variable: VariableRef, _ value: Value) -> rondo_status {
    let thread = rondo_thread()!
    let old = thread.pointee.context
    guard let map = Maps.setting(old, variable.state.pointee.header.handle, value) else {
      value.dispose()
      return -ENOMEM
    }
    thread.pointee.context = map
    Maps.release(old)
    return RONDO_OK
  }

  static func get(_ variable: VariableRef) -> Raw? {
    let state = variable.state
    guard let box = Maps.find(rondo_thread()!.pointee.context, state.pointee.header.handle) else {
      return state.pointee.defaultValue
    }
    return box.pointee.value.pointer
  }
}

// MARK: -

/// A variable is a name for a handle: contexts hold the handle, never the object, and handles are
/// not used twice. So a variable may go while contexts still hold values for it.
struct VariableState {
  var header: ObjectHeader
  var name: UnsafeMutablePointer<CChar>  // for who looks with a debugger
  var defaultValue: Raw?
}

struct VariableRef {
  let state: UnsafeMutablePointer<VariableState>

  static let size = MemoryLayout<VariableState>.stride

  @inline(__always)
  static func find(_ handle: OpaquePointer?) -> VariableRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.variable, size) else { return nil }
    return VariableRef(state: found.assumingMemoryBound(to: VariableState.self))
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.variable, size)
  }

  /// A new variable with one reference of C's; nil if memory is out.
  static func make(_ name: UnsafePointer<CChar>, _ defaultValue: Raw?) -> VariableRef? {
    guard let copy = copyString(name) else { return nil }
    guard let slot = Global.take(Kind.variable, size) else {
      free(copy)
      return nil
    }
    let state = slot.assumingMemoryBound(to: VariableState.self)
    state.pointee.name = copy
    state.pointee.defaultValue = defaultValue
    return VariableRef(state: state)
  }

  @inline(__always)
  var handle: OpaquePointer? { opaque(state.pointee.header.handle) }

  func releaseUser() -> rondo_status {
    Global.release(state) {
      free(state.pointee.name)
      Global.give(Kind.variable, state)
    }
  }
}
