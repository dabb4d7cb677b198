// RawSocket.swift - socket operations as futures: try at once, wait for the loop only if it must.
//
// One kind of future for all of them; what differs is one function that tries. MSG_DONTWAIT makes
// the tries safe on blocking sockets, too. While an operation waits, the loop's watch on the
// descriptor holds its future, so a program that lets go of the future does not stop it;
// cancelling does, at once.
//
// Knows: Descriptors, Future. Does not know: streams.

import CRondo
import CRondoShim

/// What a try says: done with a value, not yet, or an errno.
enum Try {
  case done(Value)
  case wait
  case failed(Int32)
}

struct SocketOperation {
  var extra: FutureExtra
  var attempt: @convention(thin) (UnsafeMutablePointer<SocketOperation>) -> Try
  var name: StaticString
  var fd: Int32
  var isWrite: Bool
  var isWatched: Bool
  var buffer: Raw?
  var size: Int
  var done: Int
  var address: UnsafeMutablePointer<sockaddr>?
  var addressSize: UnsafeMutablePointer<UInt32>?
  var addressLength: UInt32
}

typealias SocketOperationPointer = UnsafeMutablePointer<SocketOperation>

enum RawSocket {
  /// A future with one reference of C's for an operation that is filled in but for `extra`.
  static func start(_ loop: LoopRef, _ wanted: SocketOperation) -> (FutureRef?, rondo_status) {
    if rondo_shim_file_flags(wanted.fd) < 0 { return (nil, -EBADF) }
    if loop.isOperationWaiting(wanted.fd, wanted.isWrite ? .write : .read) { return (nil, -EBUSY) }
    guard let operation = allocateArray(SocketOperation.self, 1) else { return (nil, -ENOMEM) }
    guard let future = FutureRef.make(loop, user: true) else {
      free(operation)
      return (nil, -ENOMEM)
    }
    operation.initialize(to: wanted)
    operation.pointee.extra = FutureExtra(
      cancel: { raw, error in
        RawSocket.cancel(FutureRef(raw), ErrorRef(error))
        return true
      },
      end: { free(RawSocket.operation(FutureRef($0))) }, take: nil)
    future.s.pointee.extra = bits(operation)
    future.add(FutureBits.library)
    return go(loop, future, operation)
  }

  private static func operation(_ future: FutureRef) -> SocketOperationPointer {
    address(future.s.pointee.extra)!.assumingMemoryBound(to: SocketOperation.self)
  }

  private static func go(_ loop: LoopRef, _ future: FutureRef, _ operation: SocketOperationPointer)
    -> (FutureRef?, rondo_status)
  {
    if finish(future, operation) { return (future, RONDO_OK) }
    let call = Call(
      fn: unsafeBitCast({ RawSocket.becameReady($1!) } as rondo_fd_fn, to: rondo_call_fn.self), arg: future.raw,
      drop: { RawSocket.letGo(FutureRef($0!)) }, context: 0)
    future.pin()
    let (handle, status) = loop.watch(
      operation.pointee.fd, operation.pointee.isWrite ? .write : .read, call, bits: HandleBits.operation)
    if handle == nil {
      future.unpin()
      _ = future.releaseUser()
      return (nil, status)
    }
    operation.pointee.isWatched = true
    return (future, RONDO_OK)
  }

  /// Try; true if it is over.
  private static func finish(_ future: FutureRef, _ operation: SocketOperationPointer) -> Bool {
    switch operation.pointee.attempt(operation) {
    case .wait: return false
    case .done(let value):
      unwatch(future, operation)
      future.complete(RONDO_FUTURE_RESULT, value)
    case .failed(let number):
      unwatch(future, operation)
      let error = ErrorRef.of(-number, literal(operation.pointee.name))
      future.fail(error)
      error.unpin()
    }
    return true
  }

  private static func becameReady(_ raw: Raw) {
    let future = FutureRef(raw)
    if !future.isDone { _ = finish(future, operation(future)) }
  }

  /// The watch is gone. If the loop is closed, nothing can complete the future any more.
  private static func letGo(_ future: FutureRef) {
    if future.loop.isClosed && !future.isDone { future.becomeCancelled(ErrorRef.plainCancelled()) }
    future.unpin()
  }

  private static func unwatch(_ future: FutureRef, _ operation: SocketOperationPointer) {
    if !operation.pointee.isWatched { return }
    operation.pointee.isWatched = false
    _ = future.loop.unwatch(operation.pointee.fd, operation.pointee.isWrite ? .write : .read, operation: true)
  }

  private static func cancel(_ future: FutureRef, _ error: ErrorRef) {
    future.pin()
    unwatch(future, operation(future))
    future.becomeCancelled(error)
    future.unpin()
  }

  // MARK: - waiting for no more than the descriptor

  /// Refused where a program's own watch is, whether it would have to wait or not.
  static func startWait(_ loop: LoopRef, _ wanted: SocketOperation) -> (FutureRef?, rondo_status) {
    if wanted.fd >= 0 && loop.poller.isOwn(wanted.fd) { return (nil, -EINVAL) }
    if loop.isWatched(wanted.fd, wanted.isWrite ? .write : .read) { return (nil, -EBUSY) }
    return start(loop, wanted)
  }

  /// What poll(2) says; an error and a hang-up are something to read and to write.
  static func readiness(_ op: SocketOperationPointer) -> Try {
    var asked = pollfd(fd: op.pointee.fd, events: Int16(op.pointee.isWrite ? POLLOUT : POLLIN), revents: 0)
    while true {
      let count = CRondoShim.poll(&asked, 1, 0)
      if count == 0 { return .wait }
      if count > 0 { return asked.revents & Int16(POLLNVAL) != 0 ? .failed(EBADF) : .done(.none) }
      if let end = of(rondo_errno()) { return end }
    }
  }

  // MARK: - tries

  /// EAGAIN waits, EINTR tries again, anything else fails.
  private static func of(_ number: Int32) -> Try? {
    switch number {
    case EAGAIN: return .wait
    case EINTR: return nil
    default: return .failed(number)
    }
  }

  private static func count(_ number: Int) -> Value { Value(pointer: Raw(bitPattern: number), drop: nil) }

  static func receive(_ op: SocketOperationPointer) -> Try {
    while true {
      let got = recv(op.pointee.fd, op.pointee.buffer, op.pointee.size, Int32(MSG_DONTWAIT))
      if got >= 0 { return .done(count(got)) }
      if let end = of(rondo_errno()) { return end }
    }
  }

  static func receiveFrom(_ op: SocketOperationPointer) -> Try {
    while true {
      var length = op.pointee.addressLength
      let got = rondo_shim_recvfrom(
        op.pointee.fd, op.pointee.buffer, op.pointee.size, op.pointee.address, &length)
      if got >= 0 {
        op.pointee.addressSize?.pointee = length
        return .done(count(got))
      }
      if let end = of(rondo_errno()) { return end }
    }
  }

  static func sendAll(_ op: SocketOperationPointer) -> Try {
    while op.pointee.done < op.pointee.size {
      let sent = send(
        op.pointee.fd, op.pointee.buffer! + op.pointee.done, op.pointee.size - op.pointee.done,
        Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
      if sent >= 0 {
        op.pointee.done += sent
      } else if let end = of(rondo_errno()) {
        return end
      }
    }
    return .done(.none)
  }

  static func sendTo(_ op: SocketOperationPointer) -> Try {
    while true {
      let sent = rondo_shim_sendto(
        op.pointee.fd, op.pointee.buffer, op.pointee.size, op.pointee.address, op.pointee.addressLength)
      if sent >= 0 { return .done(count(sent)) }
      if let end = of(rondo_errno()) { return end }
    }
  }

  /// The first try connects, the next ones ask how it went.
  static func connecting(_ op: SocketOperationPointer) -> Try {
    if op.pointee.done == 0 {
      op.pointee.done = 1
      if rondo_shim_connect(op.pointee.fd, op.pointee.address, op.pointee.addressLength) == 0 { return .done(.none) }
      let number = rondo_errno()
      // The address is borrowed during the call only. EAGAIN (a full backlog of a local socket)
      // is a failure: nothing is under way that one could wait for.
      op.pointee.address = nil
      return number == EINPROGRESS || number == EINTR ? .wait : .failed(number)
    }
    let number = rondo_shim_socket_error(op.pointee.fd)
    return number == 0 ? .done(.none) : .failed(number)
  }

  static func accepting(_ op: SocketOperationPointer) -> Try {
    while true {
      var length = op.pointee.addressLength
      let fd = rondo_shim_accept(op.pointee.fd, op.pointee.address, &length)
      if fd >= 0 {
        op.pointee.addressSize?.pointee = length
        return .done(Value(pointer: Raw(bitPattern: Int(fd)), drop: { _ = close(Int32(Int(bitPattern: $0))) }))
      }
      // A peer that gave up before it was accepted is not the listener's failure.
      let number = rondo_errno()
      if number == ECONNABORTED { continue }
      if let end = of(number) { return end }
    }
  }
}
