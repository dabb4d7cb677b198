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

/// What the process said.
private struct Answer {
  var value: Value = .none
  var failure: ErrorRef?  // pinned
}

extension UnsafeMutablePointer where Pointee == WorkerProcess {
  /// Make the call for a job, in a process that is ready; its outcome is set, or the status says it.
  func run(_ call: ProcessCallPointer, _ job: JobRef) -> rondo_status {
    let status = prepare()
    if status != RONDO_OK { return status }
    let timeout = call.pointee.timeout
    let (sum, overflow) = rondo_shim_now().addingReportingOverflow(timeout)
    let deadline = timeout == 0 || overflow ? Int64.max : sum
    if !pointee.isReady {
      let (status, goesOn) = makeReady(job, deadline)
      if !goesOn { return status }
    }
    pointee.jobs &+= 1
    var answer = Answer()
    let step = exchange(call, RONDO_WORKER_CALL, deadline, &answer)
    if step != .done && step != .dead { return abort(step) }
    if step == .dead { answer.failure = mourn() }
    if let failure = answer.failure {
      job.setOutcome(JobOutcome.error, failure)
    } else {
      job.setValue(answer.value)
    }
    return RONDO_OK
  }

  /// What the pool wants each process to do first; a failure of it ends the pool. Without any, a
  /// process is ready when it is there.
  private func makeReady(_ job: JobRef, _ deadline: Int64) -> (rondo_status, goesOn: Bool) {
    let pool = pointee.pool
    var answer = Answer()
    var step = Step.done
    if let first = pool.pointee.first { step = exchange(first, RONDO_WORKER_CALL, deadline, &answer) }
    let value = answer.value
    answer.value = .none
    value.dispose()
    if let last = pool.pointee.last, step == .done && answer.failure == nil {
      step = exchange(last, RONDO_WORKER_AT_END, deadline, &answer)
    }
    if step != .done && step != .dead { return (abort(step), false) }
    if step == .dead { answer.failure = mourn() }
    guard let failure = answer.failure else {
      answer.value.dispose()
      pointee.isReady = true
      return (RONDO_OK, true)
    }
    job.breakPool(failure)
    return (RONDO_OK, false)
  }

  /// There is no way to call off what it is doing.
  private func abort(_ step: Step) -> rondo_status {
    kill()
    return step == .late ? RONDO_E_TIMEOUT : step == .asked ? RONDO_E_CANCELLED : -ENOMEM
  }

  private func exchange(_ call: ProcessCallPointer, _ kind: Int32, _ deadline: Int64, _ answer: inout Answer) -> Step {
    let step = sendAll(call, kind, deadline)
    return step == .done ? receiveAnswer(&answer, deadline) : step
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

  private func sendAll(_ call: ProcessCallPointer, _ kind: Int32, _ deadline: Int64) -> Step {
    let library = call.pointee.library
    let symbol = call.pointee.symbol
    var head = rondo_worker_request()
    head.magic = RONDO_WORKER_MAGIC
    head.kind = UInt32(kind)
    head.library_size = UInt32(strlen(library))
    head.symbol_size = UInt32(strlen(symbol))
    head.input_size = call.pointee.inputSize
    var step = send(&head, MemoryLayout<rondo_worker_request>.size, deadline)
    if step == .done { step = send(library, strlen(library), deadline) }
    if step == .done { step = send(symbol, strlen(symbol), deadline) }
    if step == .done { step = send(call.pointee.input.pointer, Int(head.input_size), deadline) }
    return step
  }

  private func receiveAnswer(_ answer: inout Answer, _ deadline: Int64) -> Step {
    var head = rondo_worker_answer()
    let step = receive(&head, MemoryLayout<rondo_worker_answer>.size, deadline)
    if step != .done { return step }
    if head.magic != RONDO_WORKER_MAGIC || head.text_size > UInt32(RONDO_PROCESS_MESSAGE_MAX) { return .dead }
    return head.status == RONDO_OK ? receiveOutput(head.output_size, &answer, deadline) : receiveFailure(head, &answer, deadline)
  }

  private func receiveOutput(_ size: UInt64, _ answer: inout Answer, _ deadline: Int64) -> Step {
    let head = MemoryLayout<rondo_bytes>.stride
    if size > UInt64(Int.max - head) { return .noMemory }
    guard let block = malloc(head + Int(size)) else { return .noMemory }
    let step = receive(block + head, Int(size), deadline)
    if step != .done {
      free(block)
      return step
    }
    block.bindMemory(to: rondo_bytes.self, capacity: 1).initialize(to: rondo_bytes(size: Int(size), data: block + head))
    answer.value = Value(pointer: block, drop: { free($0) })
    return .done
  }

  private func receiveFailure(_ head: rondo_worker_answer, _ answer: inout Answer, _ deadline: Int64) -> Step {
    let size = Int(head.text_size)
    guard let text = allocateArray(CChar.self, size + 1) else { return .noMemory }
    let step = receive(Raw(text), size, deadline)
    if step == .done {
      text[size] = 0
      answer.failure = JobRef.failure(head.status, size > 0 ? UnsafePointer(text) : nil)
    }
    free(text)
    return step
  }
}
