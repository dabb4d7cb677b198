// Status.swift - the names and sentences of statuses, and the constants by name.
//
// Knows: nothing. Does not know: errors, which carry more.

import CRondo
import CRondoShim

struct StatusText {
  let code: rondo_status
  let name: StaticString
  let sentence: StaticString
  let exception: StaticString  // asyncio's name for it, for descriptions
}

enum Status {
  /// The text of one of rondo's own codes, or nil.
  static func text(_ code: rondo_status) -> StatusText? {
    func row(_ name: StaticString, _ sentence: StaticString, _ exception: StaticString) -> StatusText {
      StatusText(code: code, name: name, sentence: sentence, exception: exception)
    }
    switch code {
    case RONDO_OK: return row("RONDO_OK", "Success", "None")
    case RONDO_E_CANCELLED: return row("RONDO_E_CANCELLED", "cancelled", "CancelledError")
    case RONDO_E_TIMEOUT: return row("RONDO_E_TIMEOUT", "the time allowed is over", "TimeoutError")
    case RONDO_E_INVALID_STATE:
      return row("RONDO_E_INVALID_STATE", "invalid state", "InvalidStateError")
    case RONDO_E_RAISED: return row("RONDO_E_RAISED", "it ended with an exception", "Exception")
    case RONDO_E_BROKEN_PROMISE:
      return row("RONDO_E_BROKEN_PROMISE", "nobody is left who could complete the future", "BrokenPromiseError")
    case RONDO_E_BAD_HANDLE: return row("RONDO_E_BAD_HANDLE", "not a handle of this type", "TypeError")
    case RONDO_E_STALE_HANDLE:
      return row("RONDO_E_STALE_HANDLE", "the handle's object is gone or was released once too often", "ReferenceError")
    case RONDO_E_WRONG_THREAD:
      return row("RONDO_E_WRONG_THREAD",
                 "Non-thread-safe operation invoked on an event loop other than the current one", "RuntimeError")
    case RONDO_E_WRONG_PROCESS:
      return row("RONDO_E_WRONG_PROCESS", "the loop was inherited through fork and not reset", "RuntimeError")
    case RONDO_E_WRONG_LOOP: return row("RONDO_E_WRONG_LOOP", "attached to a different loop", "ValueError")
    case RONDO_E_LOOP_CLOSED: return row("RONDO_E_LOOP_CLOSED", "Event loop is closed", "RuntimeError")
    case RONDO_E_LOOP_RUNNING:
      return row("RONDO_E_LOOP_RUNNING", "This event loop is already running", "RuntimeError")
    case RONDO_E_OTHER_LOOP_RUNNING:
      return row("RONDO_E_OTHER_LOOP_RUNNING", "Cannot run the event loop while another loop is running", "RuntimeError")
    case RONDO_E_NO_LOOP: return row("RONDO_E_NO_LOOP", "no running event loop", "RuntimeError")
    case RONDO_E_LOOP_STOPPED:
      return row("RONDO_E_LOOP_STOPPED", "Event loop stopped before Future completed.", "RuntimeError")
    case RONDO_E_OWNER_DEAD:
      return row("RONDO_E_OWNER_DEAD", "the thread that owned the event loop has ended", "RuntimeError")
    case RONDO_E_RUNTIME: return row("RONDO_E_RUNTIME", "a rule of the model was broken", "RuntimeError")
    case RONDO_E_TYPE: return row("RONDO_E_TYPE", "an object of the wrong type was given", "TypeError")
    case RONDO_E_ALREADY_RUNNING:
      return row("RONDO_E_ALREADY_RUNNING", "coroutine already executing", "ValueError")
    case RONDO_E_ALREADY_AWAITED:
      return row("RONDO_E_ALREADY_AWAITED", "cannot reuse already awaited coroutine", "RuntimeError")
    case RONDO_E_GENERATOR_EXIT:
      return row("RONDO_E_GENERATOR_EXIT", "the coroutine is being closed", "GeneratorExit")
    case RONDO_E_INTERRUPTED: return row("RONDO_E_INTERRUPTED", "interrupted", "KeyboardInterrupt")
    case RONDO_E_EXIT: return row("RONDO_E_EXIT", "the program asked to end", "SystemExit")
    case RONDO_E_USER: return row("RONDO_E_USER", "an error of the program's own", "Exception")
    case RONDO_E_GROUP: return row("RONDO_E_GROUP", "several errors", "ExceptionGroup")
    case RONDO_E_STOP_ITERATION: return row("RONDO_E_STOP_ITERATION", "stop iteration", "StopIteration")
    case RONDO_E_QUEUE_EMPTY: return row("RONDO_E_QUEUE_EMPTY", "the queue is empty", "QueueEmpty")
    case RONDO_E_QUEUE_FULL: return row("RONDO_E_QUEUE_FULL", "the queue is full", "QueueFull")
    case RONDO_E_QUEUE_SHUT_DOWN:
      return row("RONDO_E_QUEUE_SHUT_DOWN", "the queue has been shut down", "QueueShutDown")
    case RONDO_E_BROKEN_BARRIER: return row("RONDO_E_BROKEN_BARRIER", "the barrier is broken", "BrokenBarrierError")
    case RONDO_E_STOP_ASYNC_ITERATION:
      return row("RONDO_E_STOP_ASYNC_ITERATION", "stop asynchronous iteration", "StopAsyncIteration")
    case RONDO_E_GENERATOR_RUNNING:
      return row("RONDO_E_GENERATOR_RUNNING", "asynchronous generator is already running", "RuntimeError")
    case RONDO_E_DEADLOCK:
      return row("RONDO_E_DEADLOCK", "nothing that could still happen would wake the loop", "RuntimeError")
    case RONDO_E_RUNNER_CLOSED: return row("RONDO_E_RUNNER_CLOSED", "Runner is closed", "RuntimeError")
    case RONDO_E_EXECUTOR_SHUT_DOWN:
      return row("RONDO_E_EXECUTOR_SHUT_DOWN", "cannot schedule new futures after shutdown", "RuntimeError")
    case RONDO_E_BAD_SIGNATURE: return row("RONDO_E_BAD_SIGNATURE", "the text is no signature", "ValueError")
    case RONDO_E_NO_CLOSURES:
      return row("RONDO_E_NO_CLOSURES", "the system allows no executable memory for a function", "PermissionError")
    case RONDO_E_BROKEN_POOL: return row("RONDO_E_BROKEN_POOL", "a worker process ended abruptly", "BrokenProcessPool")
    case RONDO_E_RESOLVER: return row("RONDO_E_RESOLVER", "a name could not be looked up", "gaierror")
    default: return nil
    }
  }

  /// Whether it stands for an error: one of rondo's own codes, or -errno.
  static func isFailure(_ status: rondo_status) -> Bool { status < 0 && (status > -4096 || text(status) != nil) }

  static func name(_ status: rondo_status) -> UnsafePointer<CChar> {
    if let own = text(status) { return literal(own.name) }
    if status < 0, status > -4096, let name = strerrorname_np(-status) { return name }
    return literal("RONDO_E_UNKNOWN")
  }

  static func message(_ status: rondo_status) -> UnsafePointer<CChar> {
    if let own = text(status) { return literal(own.sentence) }
    if status < 0, status > -4096, let text = strerrordesc_np(-status) { return text }
    return literal("unknown status")
  }

  /// A constant of the headers, for hosts that cannot read them.
  static func constant(_ name: UnsafePointer<CChar>) -> Int64? {
    var code = RONDO_E_CANCELLED
    while code > RONDO_E_CANCELLED - 100 {  // not every number need be taken
      if let text = text(code), strcmp(name, literal(text.name)) == 0 { return Int64(code) }
      code -= 1
    }
    return otherConstant(name)
  }

  private static func otherConstant(_ name: UnsafePointer<CChar>) -> Int64? {
    var found: Int64?
    @inline(never)  // else there is a comparison in full for each of them
    func check(_ candidate: StaticString, _ value: Int64) {
      if found == nil && strcmp(name, literal(candidate)) == 0 { found = value }
    }
    check("RONDO_OK", Int64(RONDO_OK))
    check("RONDO_NEVER", Int64.max)
    check("RONDO_VERSION", Int64(RONDO_VERSION))
    check("RONDO_VERSION_MAJOR", Int64(RONDO_VERSION_MAJOR))
    check("RONDO_VERSION_MINOR", Int64(RONDO_VERSION_MINOR))
    check("RONDO_VERSION_PATCH", Int64(RONDO_VERSION_PATCH))
    check("RONDO_DOMAIN_RONDO", Int64(RONDO_DOMAIN_RONDO))
    check("RONDO_DOMAIN_POSIX", Int64(RONDO_DOMAIN_POSIX))
    check("RONDO_DOMAIN_RESOLVER", Int64(RONDO_DOMAIN_RESOLVER))
    check("RONDO_DOMAIN_TLS", Int64(RONDO_DOMAIN_TLS))
    check("RONDO_DOMAIN_USER", Int64(RONDO_DOMAIN_USER))
    check("RONDO_LOOP_DEBUG", Int64(RONDO_LOOP_DEBUG))
    check("RONDO_LOOP_VIRTUAL_CLOCK", Int64(RONDO_LOOP_VIRTUAL_CLOCK))
    check("RONDO_LOOP_MANUAL_CLOCK", Int64(RONDO_LOOP_MANUAL_CLOCK))
    check("RONDO_LOOP_ANY_ORDER", Int64(RONDO_LOOP_ANY_ORDER))
    check("RONDO_LOOP_PRINT_SCHEDULE", Int64(RONDO_LOOP_PRINT_SCHEDULE))
    check("RONDO_CHOICE_READY", Int64(RONDO_CHOICE_READY))
    check("RONDO_CHOICE_TIMER", Int64(RONDO_CHOICE_TIMER))
    check("RONDO_CHOICE_DESCRIPTOR", Int64(RONDO_CHOICE_DESCRIPTOR))
    check("RONDO_CHOICE_THREAD", Int64(RONDO_CHOICE_THREAD))
    check("RONDO_FUTURE_PENDING", Int64(RONDO_FUTURE_PENDING))
    check("RONDO_FUTURE_RESULT", Int64(RONDO_FUTURE_RESULT))
    check("RONDO_FUTURE_EXCEPTION", Int64(RONDO_FUTURE_EXCEPTION))
    check("RONDO_FUTURE_CANCELLED", Int64(RONDO_FUTURE_CANCELLED))
    check("RONDO_STEP_RETURN", Int64(RONDO_STEP_RETURN))
    check("RONDO_STEP_YIELD", Int64(RONDO_STEP_YIELD))
    check("RONDO_STEP_AWAIT", Int64(RONDO_STEP_AWAIT))
    check("RONDO_STEP_RAISE", Int64(RONDO_STEP_RAISE))
    check("RONDO_GENERATOR_CREATED", Int64(RONDO_GENERATOR_CREATED))
    check("RONDO_GENERATOR_RUNNING", Int64(RONDO_GENERATOR_RUNNING))
    check("RONDO_GENERATOR_SUSPENDED", Int64(RONDO_GENERATOR_SUSPENDED))
    check("RONDO_GENERATOR_CLOSED", Int64(RONDO_GENERATOR_CLOSED))
    check("RONDO_EAGER_DEFAULT", Int64(RONDO_EAGER_DEFAULT))
    check("RONDO_EAGER_YES", Int64(RONDO_EAGER_YES))
    check("RONDO_EAGER_NO", Int64(RONDO_EAGER_NO))
    check("RONDO_CANCEL_SCOPE_SHIELD", Int64(RONDO_CANCEL_SCOPE_SHIELD))
    check("RONDO_CANCEL_SCOPE_FAIL", Int64(RONDO_CANCEL_SCOPE_FAIL))
    check("RONDO_COMPLETER_CLOSURE", Int64(RONDO_COMPLETER_CLOSURE))
    check("RONDO_GATHER_RETURN_EXCEPTIONS", Int64(RONDO_GATHER_RETURN_EXCEPTIONS))
    check("RONDO_RUN_NO_SIGINT", Int64(RONDO_RUN_NO_SIGINT))
    check("RONDO_ORIGIN_DEPTH", Int64(RONDO_ORIGIN_DEPTH))
    check("RONDO_LOG_DEBUG", Int64(RONDO_LOG_DEBUG))
    check("RONDO_LOG_INFO", Int64(RONDO_LOG_INFO))
    check("RONDO_LOG_WARNING", Int64(RONDO_LOG_WARNING))
    check("RONDO_SEMAPHORE_BOUNDED", Int64(RONDO_SEMAPHORE_BOUNDED))
    check("RONDO_WAIT_ALL_COMPLETED", Int64(RONDO_WAIT_ALL_COMPLETED))
    check("RONDO_WAIT_FIRST_COMPLETED", Int64(RONDO_WAIT_FIRST_COMPLETED))
    check("RONDO_WAIT_FIRST_EXCEPTION", Int64(RONDO_WAIT_FIRST_EXCEPTION))
    check("RONDO_LANE_NORMAL", Int64(RONDO_LANE_NORMAL))
    check("RONDO_LANE_HIGH", Int64(RONDO_LANE_HIGH))
    check("RONDO_LANE_FILES", Int64(RONDO_LANE_FILES))
    check("RONDO_LANE_RESOLVER", Int64(RONDO_LANE_RESOLVER))
    check("RONDO_LANE_LOW", Int64(RONDO_LANE_LOW))
    check("RONDO_JOB_COPY_CONTEXT", Int64(RONDO_JOB_COPY_CONTEXT))
    check("RONDO_PROCESS_KILL", Int64(RONDO_PROCESS_KILL))
    check("RONDO_PROCESS_MESSAGE_MAX", Int64(RONDO_PROCESS_MESSAGE_MAX))
    check("RONDO_SHUTDOWN_CANCEL", Int64(RONDO_SHUTDOWN_CANCEL))
    check("RONDO_SHUTDOWN_UNBLOCK", Int64(RONDO_SHUTDOWN_UNBLOCK))
    check("RONDO_LOG_ERROR", Int64(RONDO_LOG_ERROR))
    check("RONDO_CALL_GRAPH_TASK", Int64(RONDO_CALL_GRAPH_TASK))
    check("RONDO_CALL_GRAPH_FUTURE", Int64(RONDO_CALL_GRAPH_FUTURE))
    check("RONDO_CALL_GRAPH_REPEATED", Int64(RONDO_CALL_GRAPH_REPEATED))
    check("RONDO_CALL_GRAPH_CYCLE", Int64(RONDO_CALL_GRAPH_CYCLE))
    check("RONDO_CALL_GRAPH_NO_LIMIT", Int64(RONDO_CALL_GRAPH_NO_LIMIT))
    check("RONDO_LOG_CRITICAL", Int64(RONDO_LOG_CRITICAL))
    check("RONDO_LOG_QUEUE_DROP_OLDEST", Int64(RONDO_LOG_QUEUE_DROP_OLDEST))
    return found
  }
}
