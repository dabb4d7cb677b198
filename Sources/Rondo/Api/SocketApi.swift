// SocketApi.swift - the exports of rondo/socket.h.
//
// Knows: RawSocket. Does not know: how an operation waits.

import CRondo
import CRondoShim

/// An operation with nothing filled in but what every one has.
private func operation(
  _ name: StaticString, _ fd: Int32, isWrite: Bool,
  _ attempt: @escaping @convention(thin) (SocketOperationPointer) -> Try
) -> SocketOperation {
  SocketOperation(
    extra: FutureExtra(cancel: { _, _ in false }, end: { _ in }, take: nil), attempt: attempt, name: name, fd: fd,
    isWrite: isWrite, isWatched: false, buffer: nil, size: 0, done: 0, address: nil, addressSize: nil,
    addressLength: 0)
}

private func start(_ loop: OpaquePointer?, _ wanted: SocketOperation, _ outFuture: OutHandle?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let outFuture, wanted.size >= 0, wanted.buffer != nil || wanted.size == 0 else { return -EINVAL }
  let (future, status) = RawSocket.start(found, wanted)
  guard let future else { return status }
  outFuture.pointee = future.handle
  return RONDO_OK
}

@_cdecl("rondo_loop_sock_recv") @implementation
public func rondo_loop_sock_recv(
  _ loop: OpaquePointer?, _ fd: Int32, _ buffer: Raw?, _ size: Int, _ outFuture: OutHandle?
) -> rondo_status {
  var wanted = operation("recv", fd, isWrite: false, RawSocket.receive)
  wanted.buffer = buffer
  wanted.size = size
  return start(loop, wanted, outFuture)
}

/// Where a peer's address goes: both or neither, as the caller's memory says.
private func take(
  _ wanted: inout SocketOperation, _ address: UnsafeMutablePointer<sockaddr>?, _ size: UnsafeMutablePointer<UInt32>?
) -> Bool {
  if (address == nil) != (size == nil) { return false }
  wanted.address = address
  wanted.addressSize = size
  wanted.addressLength = size?.pointee ?? 0
  return true
}

@_cdecl("rondo_loop_sock_recvfrom") @implementation
public func rondo_loop_sock_recvfrom(
  _ loop: OpaquePointer?, _ fd: Int32, _ buffer: Raw?, _ size: Int, _ address: UnsafeMutablePointer<sockaddr>?,
  _ addressSize: UnsafeMutablePointer<UInt32>?, _ outFuture: OutHandle?
) -> rondo_status {
  var wanted = operation("recvfrom", fd, isWrite: false, RawSocket.receiveFrom)
  wanted.buffer = buffer
  wanted.size = size
  if !take(&wanted, address, addressSize) { return -EINVAL }
  return start(loop, wanted, outFuture)
}

@_cdecl("rondo_loop_sock_sendall") @implementation
public func rondo_loop_sock_sendall(
  _ loop: OpaquePointer?, _ fd: Int32, _ data: UnsafeRawPointer?, _ size: Int, _ outFuture: OutHandle?
) -> rondo_status {
  var wanted = operation("sendall", fd, isWrite: true, RawSocket.sendAll)
  wanted.buffer = Raw(mutating: data)
  wanted.size = size
  return start(loop, wanted, outFuture)
}

@_cdecl("rondo_loop_sock_sendto") @implementation
public func rondo_loop_sock_sendto(
  _ loop: OpaquePointer?, _ fd: Int32, _ data: UnsafeRawPointer?, _ size: Int, _ address: UnsafePointer<sockaddr>?,
  _ addressSize: UInt32, _ outFuture: OutHandle?
) -> rondo_status {
  var wanted = operation("sendto", fd, isWrite: true, RawSocket.sendTo)
  wanted.buffer = Raw(mutating: data)
  wanted.size = size
  if address == nil && addressSize != 0 { return -EINVAL }
  wanted.address = UnsafeMutablePointer(mutating: address)
  wanted.addressLength = addressSize
  return start(loop, wanted, outFuture)
}

/// Connecting and accepting would stop the loop on a blocking socket.
private func isBlocking(_ fd: Int32) -> Bool {
  let flags = rondo_shim_file_flags(fd)
  return flags >= 0 && flags & Int32(O_NONBLOCK) == 0
}

@_cdecl("rondo_loop_sock_connect") @implementation
public func rondo_loop_sock_connect(
  _ loop: OpaquePointer?, _ fd: Int32, _ address: UnsafePointer<sockaddr>?, _ addressSize: UInt32,
  _ outFuture: OutHandle?
) -> rondo_status {
  guard LoopRef.owned(loop) != nil else { return LoopRef.refuse(loop) }
  if address == nil || isBlocking(fd) { return -EINVAL }
  var wanted = operation("connect", fd, isWrite: true, RawSocket.connecting)
  wanted.address = UnsafeMutablePointer(mutating: address)
  wanted.addressLength = addressSize
  return start(loop, wanted, outFuture)
}

@_cdecl("rondo_loop_sock_accept") @implementation
public func rondo_loop_sock_accept(
  _ loop: OpaquePointer?, _ fd: Int32, _ address: UnsafeMutablePointer<sockaddr>?,
  _ addressSize: UnsafeMutablePointer<UInt32>?, _ outFuture: OutHandle?
) -> rondo_status {
  guard LoopRef.owned(loop) != nil else { return LoopRef.refuse(loop) }
  if isBlocking(fd) { return -EINVAL }
  var wanted = operation("accept", fd, isWrite: false, RawSocket.accepting)
  if !take(&wanted, address, addressSize) { return -EINVAL }
  return start(loop, wanted, outFuture)
}

// MARK: - waiting

private func wait(_ loop: OpaquePointer?, _ wanted: SocketOperation, _ outFuture: OutHandle?) -> rondo_status {
  guard let found = LoopRef.owned(loop) else { return LoopRef.refuse(loop) }
  guard let outFuture else { return -EINVAL }
  let (future, status) = RawSocket.startWait(found, wanted)
  guard let future else { return status }
  outFuture.pointee = future.handle
  return RONDO_OK
}

@_cdecl("rondo_loop_wait_readable") @implementation
public func rondo_loop_wait_readable(_ loop: OpaquePointer?, _ fd: Int32, _ outFuture: OutHandle?) -> rondo_status {
  wait(loop, operation("wait_readable", fd, isWrite: false, RawSocket.readiness), outFuture)
}

@_cdecl("rondo_loop_wait_writable") @implementation
public func rondo_loop_wait_writable(_ loop: OpaquePointer?, _ fd: Int32, _ outFuture: OutHandle?) -> rondo_status {
  wait(loop, operation("wait_writable", fd, isWrite: true, RawSocket.readiness), outFuture)
}
