// BaseApi.swift - the exports of rondo/base.h: version, statuses, constants.
//
// Answers come from the library that is loaded, never from the headers a program was compiled
// with: that difference is what a host asks about.
//
// Knows: Status. Does not know: objects.

import CRondo
import CRondoShim

@_cdecl("rondo_version") @implementation
public func rondo_version() -> UInt32 { UInt32(RONDO_VERSION) }

@_cdecl("rondo_version_string") @implementation
public func rondo_version_string() -> UnsafePointer<CChar>? { literal("0.1.0") }

@_cdecl("rondo_status_name") @implementation
public func rondo_status_name(_ status: rondo_status) -> UnsafePointer<CChar>? { Status.name(status) }

@_cdecl("rondo_status_message") @implementation
public func rondo_status_message(_ status: rondo_status) -> UnsafePointer<CChar>? { Status.message(status) }

@_cdecl("rondo_constant_get") @implementation
public func rondo_constant_get(
  _ name: UnsafePointer<CChar>?, _ outValue: UnsafeMutablePointer<Int64>?
) -> rondo_status {
  guard let name, let outValue else { return -EINVAL }
  guard let value = Status.constant(name) else { return -ENOENT }
  outValue.pointee = value
  return RONDO_OK
}
