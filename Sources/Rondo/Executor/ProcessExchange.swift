// ProcessExchange.swift - one call to a worker process: send it, wait, read the answer.
//
// The socket is never waited for alone. Each wait ends as well when the process has ended, when
// somebody wants the job to end, or when its time is over; all of these but the answer end the
// process, because there is no way to call off what it is doing.
//
// Knows: WorkerProcess, Job. Does not know: who starts processes.

import CRondo
import CRondoShim

/// Why an exchange went on or did not.
private enum Step {
  case done
  case dead  // the process has ended, or speaks no sense
  case late
  case asked
  case noMemory
}

extension UnsafeMutablePointer where Pointee == WorkerProcess {
  /// Make the call for a job; its outcome is set, or the status says it.
  func run(_ call: ProcessCallPointer, _ job: JobRef) -> rondo_status {
    let timeout = call.pointee.timeout
    let (sum, overflow) = rondo_shim_now().addingReportingOverflow(timeout)
    let deadline = timeout == 0 || overflow ? Int64.max : sum
    pointee.jobs &+= 1
    var step = sendAll(call, deadline)
    if step == .done { step = receiveAnswer(job, deadline) }
    switch step {
    case .done: return RONDO_OK
    case .dead:
      job.setOutcome(JobOutcome.error, mourn())
      return RONDO_OK
    case .late: kill()
      return RONDO_E_TIMEOUT
    case .asked: kill()
      return RONDO_E_CANCELLED
    case .noMemory: kill()
      return -ENOMEM
    }
  }

  // MARK: - waiting

  /// Until the socket is ready. `.dead` only if it is not and never will be.
  @inline(never)  // it sleeps
  private func wait(_ events: Int32, _ deadline: Int64, _ isGone: inout Bool) -> Step {
    if isGone { return .dead }
    while true {
      var wanted = (
        pollfd(fd: pointee.socket, events: Int16(events), revents: 0), pollfd(fd: pointee.wake, events: Int16(POLLIN), revents: 0),
        pollfd(fd: pointee.pidfd, events: Int16(POLLIN), revents: 0)
      )
      let count = withUnsafeMutableBytes(of: &wanted) {
        CRondoShim.poll($0.baseAddress!.assumingMemoryBound(to: pollfd.self), 3, milliseconds(until: deadline))
      }
      if count > 0 && wanted.1.revents != 0 { return .asked }
      if count > 0 && wanted.0.revents != 0 { return .done }
      if count > 0 && wanted.2.revents != 0 {
        // What it had sent before is still to be read.
        isGone = true
        return .done
      }
      if deadline != Int64.max && rondo_shim_now() >= deadline { return .late }
    }
  }

  private func milliseconds(until deadline: Int64) -> Int32 {
    if deadline == Int64.max { return -1 }
    let left = Swift.max(0, deadline - rondo_shim_now())
    return Int32(Swift.min(left / 1_000_000 + 1, 86_400_000))
  }

  // MARK: - bytes

  private func send(_ from: UnsafeRawPointer?, _ size: Int, _ deadline: Int64) -> Step {
    var at = 0
    var isGone = false
    while at < size {
      let sent = CRondoShim.send(pointee.socket, from! + at, size - at, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
      if sent >= 0 {
        at += sent
        continue
      }
      let error = rondo_errno()
      if error == EINTR { continue }
      if error != EAGAIN { return .dead }
      let step = wait(POLLOUT, deadline, &isGone)
      if step != .done { return step }
    }
    return .done
  }

  private func receive(_ to: Raw?, _ size: Int, _ deadline: Int64) -> Step {
    var at = 0
    var isGone = false
    while at < size {
      let got = recv(pointee.socket, to! + at, size - at, Int32(MSG_DONTWAIT))
      if got > 0 {
        at += got
        continue
      }
      if got == 0 { return .dead }
      let error = rondo_errno()
      if error == EINTR { continue }
      if error != EAGAIN { return .dead }
      let step = wait(POLLIN, deadline, &isGone)
      if step != .done { return step }
    }
    return .done
  }

  // MARK: - messages

  private func sendAll(_ call: ProcessCallPointer, _ deadline: Int64) -> Step {
    let library = call.pointee.library
    let symbol = call.pointee.symbol
    var head = rondo_worker_request()
    head.magic = RONDO_WORKER_MAGIC
    head.library_size = UInt32(strlen(library))
    head.symbol_size = UInt32(strlen(symbol))
    head.input_size = call.pointee.inputSize
    var step = send(&head, MemoryLayout<rondo_worker_request>.size, deadline)
    if step == .done { step = send(library, strlen(library), deadline) }
    if step == .done { step = send(symbol, strlen(symbol), deadline) }
    if step == .done { step = send(call.pointee.input.pointer, Int(head.input_size), deadline) }
    return step
  }

  private func receiveAnswer(_ job: JobRef, _ deadline: Int64) -> Step {
    var head = rondo_worker_answer()
    let step = receive(&head, MemoryLayout<rondo_worker_answer>.size, deadline)
    if step != .done { return step }
    if head.magic != RONDO_WORKER_MAGIC || head.text_size > UInt32(RONDO_PROCESS_MESSAGE_MAX) { return .dead }
    return head.status == RONDO_OK ? receiveOutput(head.output_size, job, deadline) : receiveFailure(head, job, deadline)
  }

  private func receiveOutput(_ size: UInt64, _ job: JobRef, _ deadline: Int64) -> Step {
    let head = MemoryLayout<rondo_bytes>.stride
    if size > UInt64(Int.max - head) { return .noMemory }
    guard let block = malloc(head + Int(size)) else { return .noMemory }
    let step = receive(block + head, Int(size), deadline)
    if step != .done {
      free(block)
      return step
    }
    block.bindMemory(to: rondo_bytes.self, capacity: 1).initialize(to: rondo_bytes(size: Int(size), data: block + head))
    job.setValue(Value(pointer: block, drop: { free($0) }))
    return .done
  }

  private func receiveFailure(_ head: rondo_worker_answer, _ job: JobRef, _ deadline: Int64) -> Step {
    let size = Int(head.text_size)
    guard let text = allocateArray(CChar.self, size + 1) else { return .noMemory }
    let step = receive(Raw(text), size, deadline)
    if step == .done {
      text[size] = 0
      job.setFailure(head.status, size > 0 ? UnsafePointer(text) : nil)
    }
    free(text)
    return step
  }
}
