// ErrorApi.swift - the exports of rondo/error.h.
//
// Everything is checked here, so that ErrorRef may believe what it is given. Two errors belong to
// the whole process (the plain cancellation and "out of memory"): C may hold and read them, but
// what one program part wrote into them every other would read, so setting refuses.
//
// Knows: ErrorRef, Status, Text. Does not know: who raises.

import CRondo
import CRondoShim

// MARK: - making

private func isCode(_ code: Int32, of domain: Int32) -> Bool {
  switch domain {
  case RONDO_DOMAIN_RONDO: return code != RONDO_OK && Status.text(code) != nil
  case RONDO_DOMAIN_POSIX: return code > 0 && code < 4096  // what the kernel can return
  case RONDO_DOMAIN_RESOLVER, RONDO_DOMAIN_TLS, RONDO_DOMAIN_USER: return true
  default: return false
  }
}

@_cdecl("rondo_error_new") @implementation
public func rondo_error_new(
  _ domain: Int32, _ code: Int32, _ message: UnsafePointer<CChar>?,
  _ outError: UnsafeMutablePointer<OpaquePointer?>?
) -> rondo_status {
  guard let outError, isCode(code, of: domain) else { return -EINVAL }
  guard let error = ErrorRef.make(domain, code, message) else { return -ENOMEM }
  outError.pointee = error.handle
  return RONDO_OK
}

@_cdecl("rondo_error_group_new") @implementation
public func rondo_error_group_new(
  _ message: UnsafePointer<CChar>?, _ errors: UnsafePointer<OpaquePointer?>?, _ count: Int,
  _ outError: UnsafeMutablePointer<OpaquePointer?>?
) -> rondo_status {
  guard let errors, let outError else { return -EINVAL }
  let (group, status) = ErrorRef.group(message, errors, count)
  if let group { outError.pointee = group.handle }
  return status
}

@_cdecl("rondo_error_retain") @implementation
public func rondo_error_retain(_ error: OpaquePointer?) -> rondo_status {
  if error == nil { return RONDO_OK }
  guard let found = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  return Global.retain(found.state)
}

@_cdecl("rondo_error_release") @implementation
public func rondo_error_release(_ error: OpaquePointer?) -> rondo_status {
  if error == nil { return RONDO_OK }
  guard let found = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  return found.releaseUser()
}

// MARK: - setting

@_cdecl("rondo_error_set_operation") @implementation
public func rondo_error_set_operation(_ error: OpaquePointer?, _ operation: UnsafePointer<CChar>?) -> rondo_status {
  guard let found = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  if found.isShared { return RONDO_E_INVALID_STATE }
  var copy: UnsafeMutablePointer<CChar>?
  if let operation {
    copy = copyString(operation)
    if copy == nil { return -ENOMEM }
  }
  // Freed last: `operation` may be the text that get_operation() gave.
  let old = found.state.pointee.operation
  found.state.pointee.operation = copy
  free(old)
  return RONDO_OK
}

@_cdecl("rondo_error_set_cause") @implementation
public func rondo_error_set_cause(_ error: OpaquePointer?, _ cause: OpaquePointer?) -> rondo_status {
  guard let found = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  let from = ErrorRef.find(cause)
  if from == nil && cause != nil { return ErrorRef.explain(cause) }
  if found.isShared { return RONDO_E_INVALID_STATE }
  return found.setCause(from) ? RONDO_OK : -ELOOP
}

// MARK: - reading

@_cdecl("rondo_error_get_domain") @implementation
public func rondo_error_get_domain(_ error: OpaquePointer?) -> Int32 {
  ErrorRef.find(error)?.state.pointee.domain ?? 0
}

@_cdecl("rondo_error_get_code") @implementation
public func rondo_error_get_code(_ error: OpaquePointer?) -> Int32 {
  ErrorRef.find(error)?.state.pointee.code ?? 0
}

@_cdecl("rondo_error_get_status") @implementation
public func rondo_error_get_status(_ error: OpaquePointer?) -> rondo_status {
  ErrorRef.find(error)?.status ?? ErrorRef.explain(error)
}

@_cdecl("rondo_error_get_message") @implementation
public func rondo_error_get_message(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
  ErrorRef.find(error)?.message ?? literal("")
}

@_cdecl("rondo_error_get_operation") @implementation
public func rondo_error_get_operation(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
  UnsafePointer(ErrorRef.find(error)?.state.pointee.operation)
}

@_cdecl("rondo_error_get_cause") @implementation
public func rondo_error_get_cause(_ error: OpaquePointer?) -> OpaquePointer? {
  ErrorRef.find(error)?.cause?.handle
}

@_cdecl("rondo_error_get_context") @implementation
public func rondo_error_get_context(_ error: OpaquePointer?) -> OpaquePointer? {
  ErrorRef.find(error)?.context?.handle
}

@_cdecl("rondo_error_get_count") @implementation
public func rondo_error_get_count(_ error: OpaquePointer?) -> Int {
  ErrorRef.find(error)?.state.pointee.count ?? 0
}

@_cdecl("rondo_error_get_member") @implementation
public func rondo_error_get_member(_ error: OpaquePointer?, _ index: Int) -> OpaquePointer? {
  guard let found = ErrorRef.find(error), let members = found.state.pointee.members,
    index >= 0, index < found.state.pointee.count
  else { return nil }
  return members[index].handle
}

@_cdecl("rondo_error_describe") @implementation
public func rondo_error_describe(
  _ error: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int,
  _ outSize: UnsafeMutablePointer<Int>?
) -> rondo_status {
  guard let found = ErrorRef.find(error) else { return ErrorRef.explain(error) }
  // A size above half of size_t is negative here and no buffer has it.
  if size < 0 || (buffer == nil && size > 0) { return -EINVAL }
  var text = Text()
  found.describeFully(&text)
  return text.copyOut(buffer, size, outSize)
}
