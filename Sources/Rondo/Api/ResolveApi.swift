// ResolveApi.swift - the exports of rondo/resolve.h.
//
// Knows: Resolve. Does not know: who looks up.

import CRondo
import CRondoShim

private func give(_ future: FutureRef?, _ status: rondo_status, _ out: OutHandle) -> rondo_status {
  if let future { out.pointee = future.handle }
  return status
}

@_cdecl("rondo_loop_getaddrinfo") @implementation
public func rondo_loop_getaddrinfo(
  _ loop: OpaquePointer?, _ host: UnsafePointer<CChar>?, _ service: UnsafePointer<CChar>?, _ family: Int32, _ type: Int32,
  _ protocol_: Int32, _ flags: Int32, _ outFuture: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let outFuture else { return -EINVAL }
  var hints = addrinfo()
  hints.ai_family = family
  hints.ai_socktype = type
  hints.ai_protocol = protocol_
  hints.ai_flags = flags
  let (future, status) = found.addresses(host, service, hints)
  return give(future, status, outFuture)
}

@_cdecl("rondo_addrinfo_free") @implementation
public func rondo_addrinfo_free(_ list: UnsafeMutablePointer<addrinfo>?) -> rondo_status {
  Resolve.freeList(list.map { Raw($0) })
  return RONDO_OK
}

@_cdecl("rondo_addrinfo_get_address") @implementation
public func rondo_addrinfo_get_address(_ list: UnsafePointer<addrinfo>?, _ outAddress: UnsafeMutablePointer<rondo_address>?)
  -> rondo_status
{
  guard let list, let outAddress else { return -EINVAL }
  let size = outAddress.pointee.size
  if Int(size) < MemoryLayout<rondo_address>.size || size > 4096 { return -EINVAL }
  var address = rondo_address()
  let status = Resolve.read(list, &address)
  if status != RONDO_OK { return status }
  memset(outAddress, 0, Int(size))
  address.size = size
  outAddress.pointee = address
  return RONDO_OK
}

@_cdecl("rondo_addrinfo_next") @implementation
public func rondo_addrinfo_next(_ list: UnsafePointer<addrinfo>?) -> UnsafePointer<addrinfo>? {
  list.flatMap { UnsafePointer($0.pointee.ai_next) }
}

@_cdecl("rondo_loop_getnameinfo") @implementation
public func rondo_loop_getnameinfo(
  _ loop: OpaquePointer?, _ address: UnsafePointer<sockaddr>?, _ length: UInt32, _ flags: Int32, _ outFuture: OutHandle?
) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let address, let outFuture else { return -EINVAL }
  let (future, status) = found.names(address, length, flags)
  return give(future, status, outFuture)
}
