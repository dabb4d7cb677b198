// ErrorTests.swift - chains without circles, groups, and who keeps what alive.
import CRondo
import CRondoShim
import Dispatch
import Testing

@testable import Rondo

@Suite struct ErrorTests {
  private func make(_ code: Int32, _ message: String? = nil) throws -> ErrorRef {
    let error =
      message == nil
      ? ErrorRef.make(RONDO_DOMAIN_USER, code, nil)
      : message!.withCString { ErrorRef.make(RONDO_DOMAIN_USER, code, $0) }
    return try #require(error)
  }

  private func describe(_ error: ErrorRef) -> String {
    var text = Text()
    error.describeFully(&text)
    return String(cString: text.cString)
  }

  @Test("a cause lives as long as what it caused")
  func causes() throws {
    let a = try make(1), b = try make(2), c = try make(3)
    let (handleB, handleC) = (b.handle, c.handle)
    #expect(a.setCause(b))
    #expect(b.setCause(c))
    #expect(b.releaseUser() == RONDO_OK)
    #expect(c.releaseUser() == RONDO_OK)
    #expect(c.releaseUser() == RONDO_E_STALE_HANDLE)
    #expect(ErrorRef.find(handleC) != nil)
    #expect(a.setCause(nil))
    #expect(ErrorRef.find(handleB) == nil)
    #expect(ErrorRef.find(handleC) == nil)
    #expect(ErrorRef.explain(handleC) == RONDO_E_STALE_HANDLE)
    #expect(a.releaseUser() == RONDO_OK)
  }

  @Test("no error becomes its own cause, at any distance")
  func circles() throws {
    let chain = try (0..<10).map { try make(Int32($0)) }
    for i in 1..<10 { #expect(chain[i - 1].setCause(chain[i])) }
    for i in 0..<10 {
      #expect(!chain[9].setCause(chain[i]))
      #expect(chain[9].cause == nil)
    }
    #expect(chain[0].setCause(chain[1]))  // once more the same is no circle
    let handles = chain.map(\.handle)
    for error in chain.reversed() { #expect(error.releaseUser() == RONDO_OK) }
    #expect(handles.allSatisfy { ErrorRef.find($0) == nil })
  }

  @Test("a long chain ends without recursion")
  func longChain() throws {
    let first = try make(0)
    var last = first
    for i in 1..<200_000 {
      let next = try make(Int32(i))
      #expect(last.setCause(next))
      _ = next.releaseUser()
      last = next
    }
    let handle = last.handle
    #expect(first.releaseUser() == RONDO_OK)
    #expect(ErrorRef.find(handle) == nil)
  }

  @Test("what was being handled is noted once, and not in a circle")
  func contexts() throws {
    let first = try make(1), second = try make(2), third = try make(3)
    second.noteContext(first)
    #expect(second.context?.state == first.state)
    second.noteContext(third)
    #expect(second.context?.state == first.state)
    first.noteContext(second)
    first.noteContext(first)
    #expect(first.context == nil)
    let handle = first.handle
    #expect(first.releaseUser() == RONDO_OK)
    #expect(ErrorRef.find(handle) != nil)
    #expect(second.releaseUser() == RONDO_OK)
    #expect(ErrorRef.find(handle) == nil)
    #expect(third.releaseUser() == RONDO_OK)
  }

  @Test("no circle through causes, contexts and members mixed, and nothing leaks")
  func mixedCircles() throws {
    let a = try make(1), b = try make(2), c = try make(3), d = try make(4)
    b.noteContext(a)
    var handles = [b.handle, d.handle]
    let group = try #require(ErrorRef.group(nil, &handles, 2).0)
    #expect(c.setCause(group))
    // c -> group -> b -> a, so nothing may lead from a to these, nor from b back to c or the group.
    for error in [a, b, c, group] { #expect(!a.setCause(error)) }
    for error in [b, c, group] { #expect(!b.setCause(error)) }
    #expect(!group.setCause(c))
    for error in [a, b, c, group] {
      a.noteContext(error)
      #expect(a.context == nil)
    }
    // What closes none is allowed: the same target twice, and a diamond.
    #expect(c.setCause(b))
    c.noteContext(group)
    #expect(c.context?.state == group.state)
    #expect(d.setCause(a))
    let all = [a, b, c, d, group].map(\.handle)
    for error in [a, b, c, d, group] { #expect(error.releaseUser() == RONDO_OK) }
    #expect(all.allSatisfy { ErrorRef.find($0) == nil })
  }

  @Test("an error that is linked no more may be linked to what it led to")
  func unlinked() throws {
    let a = try make(1), b = try make(2)
    #expect(a.setCause(b))
    #expect(!b.setCause(a))
    #expect(a.setCause(nil))
    #expect(b.setCause(a))
    #expect(!a.setCause(b))
    for error in [a, b] { #expect(error.releaseUser() == RONDO_OK) }
  }

  @Test("the walk meets every error once, however many ways lead there")
  func diamonds() throws {
    // Each level reaches the next in two ways: 2^60 ways to the last, a circle at the very end.
    let errors = try (0...60).map { try make(Int32($0)) }
    for i in 1...60 {
      #expect(errors[i - 1].setCause(errors[i]))
      errors[i - 1].noteContext(errors[i])
      #expect(errors[i - 1].context?.state == errors[i].state)
    }
    #expect(!errors[60].setCause(errors[0]))
    let other = try make(-1)
    #expect(errors[60].setCause(other))
    for error in errors + [other] { #expect(error.releaseUser() == RONDO_OK) }
    #expect(ErrorRef.find(other.handle) == nil)
  }

  @Test("a chain that grows at its near end takes no walk")
  func longChainOfContexts() throws {
    var last = ErrorRef.of(RONDO_E_USER)
    let first = last.handle
    for _ in 1..<200_000 {
      let next = ErrorRef.of(RONDO_E_USER)  // pinned, as what a coroutine raises
      next.noteContext(last)
      last.unpin()
      last = next
    }
    #expect(ErrorRef.find(first) != nil)
    last.unpin()
    #expect(ErrorRef.find(first) == nil)
  }

  @Test("threads that raise and link the same errors at once make no circle and lose none")
  func linkedByThreads() throws {
    for _ in 0..<200 {
      let errors = try (0..<8).map { try make(Int32($0)) }
      let handles = errors.map(\.handle)
      let states = errors.map { UInt(bitPattern: $0.state) }
      DispatchQueue.concurrentPerform(iterations: 4) { thread in
        var numbers = Numbers(state: UInt64(thread))
        for _ in 0..<100 {
          let from = ErrorRef(UnsafeMutablePointer(bitPattern: states[Int(numbers.next() % 8)])!)
          let to = ErrorRef(UnsafeMutablePointer(bitPattern: states[Int(numbers.next() % 8)])!)
          if numbers.next() % 2 == 0 { _ = from.setCause(to) } else { from.noteContext(to) }
        }
      }
      for error in errors { #expect(error.releaseUser() == RONDO_OK) }
      #expect(handles.allSatisfy { ErrorRef.find($0) == nil })
    }
  }

  @Test("a group keeps its members")
  func groups() throws {
    let a = try make(1, "apple"), b = try make(2, "pear")
    var handles = [a.handle, b.handle]
    let (group, status) = "fruit".withCString { ErrorRef.group($0, &handles, 2) }
    #expect(status == RONDO_OK)
    let made = try #require(group)
    #expect(made.status == RONDO_E_GROUP)
    #expect(made.state.pointee.count == 2)
    #expect(a.releaseUser() == RONDO_OK)
    #expect(b.releaseUser() == RONDO_OK)
    #expect(describe(made) == "ExceptionGroup('fruit')\n  | Exception('apple')\n  | Exception('pear')")
    #expect(made.releaseUser() == RONDO_OK)
    #expect(handles.allSatisfy { ErrorRef.find($0) == nil })
  }

  @Test("a group of what is no error is none, and holds nothing")
  func badGroups() throws {
    let a = try make(1)
    for wrong in [nil, OpaquePointer(bitPattern: 0x1234)] {
      var handles = [a.handle, wrong]
      let (group, status) = ErrorRef.group(nil, &handles, 2)
      #expect(group == nil)
      #expect(status == (wrong == nil ? -EINVAL : RONDO_E_BAD_HANDLE))
    }
    for count in [0, -1, Int.min, Int.max] {
      var none: OpaquePointer?  // nothing is read
      #expect(ErrorRef.group(nil, &none, count).1 == -EINVAL)
    }
    #expect(Global.isSoleUser(a.state))
    #expect(a.releaseUser() == RONDO_OK)
  }

  @Test("statuses become errors of the right domain and back")
  func statuses() {
    for status in [RONDO_E_TIMEOUT, RONDO_E_CANCELLED, RONDO_E_GROUP, -ENOMEM, -EPIPE] as [rondo_status] {
      let error = ErrorRef.of(status)
      #expect(error.status == status)
      #expect(string(error.message) == string(Status.message(status)))
      error.unpin()
    }
  }

  @Test("descriptions")
  func descriptions() throws {
    let timeout = ErrorRef.of(RONDO_E_TIMEOUT, sentence: "too slow")
    let broken = ErrorRef.of(-EPIPE, literal("send"))
    #expect(describe(timeout) == "TimeoutError('too slow')")
    #expect(timeout.setCause(broken))
    #expect(describe(timeout) == "TimeoutError('too slow')\ncaused by OSError(32, 'Broken pipe')")
    #expect(describe(broken) == "OSError(32, 'Broken pipe') in send")
    broken.unpin()
    timeout.unpin()
  }

  @Test("the two errors of the process are there, are always the same, and stay")
  func shared() {
    #expect(ErrorRef.prepareShared())
    let cancelled = ErrorRef.plainCancelled()
    #expect(cancelled.isCancellation)
    #expect(!cancelled.leavesLoop)
    #expect(ErrorRef.plainCancelled().state == cancelled.state)
    #expect(ErrorRef.outOfMemory().status == -ENOMEM)
    #expect(Global.retain(cancelled.state) == RONDO_OK)
    #expect(cancelled.releaseUser() == RONDO_OK)
    #expect(ErrorRef.find(cancelled.handle) != nil)
    #expect(rondo_error_set_operation(cancelled.handle, "x") == RONDO_E_INVALID_STATE)
    #expect(rondo_error_set_cause(cancelled.handle, nil) == RONDO_E_INVALID_STATE)
    let other = ErrorRef.of(RONDO_E_TIMEOUT)
    #expect(cancelled.setCause(other))  // of the library's own: left as it is
    cancelled.noteContext(other)
    #expect(cancelled.cause == nil)
    #expect(cancelled.context == nil)
    let handle = other.handle
    other.noteContext(cancelled)
    other.unpin()
    #expect(ErrorRef.find(handle) == nil)
    #expect(ErrorRef.find(cancelled.handle) != nil)
  }
}
