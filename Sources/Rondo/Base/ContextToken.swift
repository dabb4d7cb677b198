// ContextToken.swift - what undoes one set of a context variable (contextvars.Token).
//
// It keeps the box of the value that there was, so that undoing gives back that very value: its drop
// runs once whoever is the last to hold it.
//
// Contexts that are copies have no name of their own, so the caller says in which one it is.
//
// Knows: Context, GlobalObjects. Does not know: tasks.

import CRondo
import CRondoShim

struct TokenState {
  var header: ObjectHeader
  var old: UnsafeMutablePointer<ContextBox>?  // with a reference; nil: it was not set
  var variable: UInt64  // handle
  var context: UInt64  // the name of the context it was made in
  var isUsed: UInt32  // any thread
}

struct TokenRef {
  let s: UnsafeMutablePointer<TokenState>

  static let size = MemoryLayout<TokenState>.stride

  static func find(_ handle: OpaquePointer?) -> TokenRef? {
    guard let found = Lookup.find(handleBits(handle), Kind.contextToken, size) else { return nil }
    return TokenRef(s: found.assumingMemoryBound(to: TokenState.self))
  }

  static func explain(_ handle: OpaquePointer?) -> rondo_status {
    Lookup.explain(handleBits(handle), Kind.contextToken, size)
  }

  var handle: OpaquePointer? { opaque(s.pointee.header.handle) }

  /// A token for the value that a variable has now, with one reference of C's; nil if memory is out.
  static func make(_ variable: VariableRef, _ context: UInt64) -> TokenRef? {
    guard let slot = Global.take(Kind.contextToken, size) else { return nil }
    let made = TokenRef(s: slot.assumingMemoryBound(to: TokenState.self))
    let name = variable.state.pointee.header.handle
    let old = Maps.find(rondo_thread()!.pointee.context, name)
    if let old { _ = rondo_add32(&old.pointee.refs, 1) }
    made.s.pointee.old = old
    made.s.pointee.variable = name
    made.s.pointee.context = context
    rondo_store32(&made.s.pointee.isUsed, 0)
    return made
  }

  func releaseUser() -> rondo_status {
    Global.release(Raw(s)) {
      let old = s.pointee.old
      Global.give(Kind.contextToken, Raw(s))
      if let old { Maps.releaseBox(old) }
    }
  }

  /// Undo, once.
  func reset(_ variable: VariableRef, _ context: UInt64) -> rondo_status {
    let name = variable.state.pointee.header.handle
    if s.pointee.variable != name || s.pointee.context != context { return -EINVAL }
    if rondo_cas32(&s.pointee.isUsed, 0, 1) == 0 { return RONDO_E_INVALID_STATE }
    let thread = rondo_thread()!
    let now = thread.pointee.context
    guard let map = Maps.setting(now, name, box: s.pointee.old) else {
      rondo_store32(&s.pointee.isUsed, 0)
      return -ENOMEM
    }
    if let old = s.pointee.old { _ = rondo_add32(&old.pointee.refs, 1) }
    thread.pointee.context = map
    Maps.release(now)
    return RONDO_OK
  }
}
