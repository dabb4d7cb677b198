// Completion.swift - completing a future from another thread, through its loop's inbox.
//
// The message keeps the future with one of C's references, whose count is the one that other
// threads may touch.
//
// Knows: Inbox, Future. Does not know: who completes.

import CRondo
import CRondoShim

enum Completion {
  case result(Value)
  case exception(ErrorRef)  // pinned
  case cancellation(ErrorRef)  // pinned
}

private struct Message {
  var future: UInt64  // address
  var kind: Int32
  var value: Value  // or, with a nil drop, the error's address

  func dispose() {
    if kind == RONDO_FUTURE_RESULT { return value.dispose() }
    if let error = value.pointer { ErrorRef(error).unpin() }
  }

  /// On the loop's thread: the first wins, a late value is dropped.
  func deliver() {
    let future = FutureRef(address(self.future)!)
    if future.isDone && kind != RONDO_FUTURE_CANCELLED { return dispose() }
    if kind == RONDO_FUTURE_RESULT { return future.complete(RONDO_FUTURE_RESULT, value) }
    let error = ErrorRef(value.pointer!)
    if kind == RONDO_FUTURE_CANCELLED { _ = future.cancel(error) } else { future.fail(error) }
    error.unpin()
  }
}

extension FutureRef {
  /// Give one of C's references back.
  @inline(never)
  func releaseUser() -> rondo_status { Owned.release(raw) { FutureRef($0).unpinUser() } }

  /// Leave a completion for the loop; any thread. What it carries moves on success.
  func post(_ completion: Completion) -> rondo_status {
    let status = Owned.retain(raw)
    if status != RONDO_OK { return status }
    let message = message(of: completion)
    guard let memory = allocateArray(Message.self, 1) else {
      _ = releaseUser()
      return -ENOMEM
    }
    memory.initialize(to: message)
    let call = Call(fn: { deliverMessage($0!) }, arg: memory, drop: { dropMessage($0!) }, context: 0)
    let loop = loop
    let posted = loop.post(call, handle: loop.s.pointee.header.handle)
    if posted == RONDO_OK { return RONDO_OK }
    free(memory)
    _ = releaseUser()
    return posted
  }

  private func message(of completion: Completion) -> Message {
    switch completion {
    case .result(let value): return Message(future: bits(s), kind: RONDO_FUTURE_RESULT, value: value)
    case .exception(let error):
      return Message(future: bits(s), kind: RONDO_FUTURE_EXCEPTION, value: Value(pointer: Raw(error.state), drop: nil))
    case .cancellation(let error):
      return Message(future: bits(s), kind: RONDO_FUTURE_CANCELLED, value: Value(pointer: Raw(error.state), drop: nil))
    }
  }
}

private func deliverMessage(_ raw: Raw) {
  let message = raw.assumingMemoryBound(to: Message.self)
  let copy = message.pointee
  message.pointee.kind = RONDO_FUTURE_PENDING  // delivered: only the reference is left
  copy.deliver()
}

private func dropMessage(_ raw: Raw) {
  let message = raw.assumingMemoryBound(to: Message.self).pointee
  free(raw)
  if message.kind != RONDO_FUTURE_PENDING { message.dispose() }
  _ = FutureRef(address(message.future)!).releaseUser()
}
