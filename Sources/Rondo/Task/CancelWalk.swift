// CancelWalk.swift - a cancellation goes down through gathers: in a loop, however deep they lie.
//
// Cancelling a task cancels what it awaits, and cancelling a gather cancels its children, which
// await gathers in their turn. Each gather on the way keeps where the walk is in it and the way
// back, so the walk needs no memory and no stack. In between tasks await tasks: that is a walk of
// its own (TaskRef.cancelChain), which ends at something that is no task.
//
// Cancelling a future from another thread's may run code of the program, and that may cancel again:
// a gather in which a walk is under way says yes then, for it is being cancelled.
//
// Knows: Task, Gather. Does not know: why somebody cancels.

import CRondo
import CRondoShim

/// Where a walk is in a gather.
struct GatherWalk {
  var back: UInt64  // address of the outer future of the gather further out, 0 for none
  var head: UInt64  // address of the first task of a chain that ends here, 0 for none
  var last: UInt64  // address of the last one
  var index: Int  // of the child that is next
  var any: Bool  // some child was asked to end
  var isUnderWay: Bool

  static let none = GatherWalk(back: 0, head: 0, last: 0, index: 0, any: false, isUnderWay: false)
}

enum CancelWalk {
  /// Cancel a future; false if it is done or will not.
  @inline(never)  // cancellations are rarer than what is around them
  static func run(_ start: FutureRef, _ error: ErrorRef) -> Bool {
    var innermost: Gather?
    var next = start
    while true {
      var answer: Bool
      switch ask(next, error) {
      case .answer(let given): answer = given
      case .gather(let gather, let head, let last):
        gather.beginWalk(from: innermost, head, last)
        innermost = gather
        answer = false
      }
      while true {
        guard let gather = innermost else { return answer }
        if answer { gather.s.pointee.walk.any = true }
        if let child = gather.nextInWalk {
          next = child
          break
        }
        innermost = gather.outside
        answer = gather.endWalk(error)
      }
    }
  }

  enum Stop {
    case answer(Bool)
    case gather(Gather, TaskRef?, TaskRef?)  // go on in this one; the chain of tasks that leads to it
  }

  private static func ask(_ future: FutureRef, _ error: ErrorRef) -> Stop {
    future.remove(FutureBits.unread)
    if future.isDone { return .answer(false) }
    if future.isTask { return TaskRef(future.raw).cancelChain(error) }
    guard let gather = Gather.find(future) else { return .answer(future.cancel(error)) }
    return gather.s.pointee.walk.isUnderWay ? .answer(true) : .gather(gather, nil, nil)
  }
}

extension Gather {
  fileprivate func beginWalk(from outside: Gather?, _ head: TaskRef?, _ last: TaskRef?) {
    outer.pin()
    s.pointee.walk = GatherWalk(
      back: bits(outside?.outer.s), head: bits(head?.s), last: bits(last?.s), index: 0, any: false, isUnderWay: true)
  }

  fileprivate var outside: Gather? { address(s.pointee.walk.back).map { Gather.at(FutureRef($0)) } }

  fileprivate var nextInWalk: FutureRef? {
    let index = s.pointee.walk.index
    if index >= s.pointee.count { return nil }
    s.pointee.walk.index += 1
    return s.pointee.children[index]
  }

  /// Every child was asked. What the one who asked this gather is told.
  fileprivate func endWalk(_ error: ErrorRef) -> Bool {
    let walk = s.pointee.walk
    s.pointee.walk = .none
    if walk.any { s.pointee.isCancelRequested = true }
    outer.unpin()
    guard let head = address(walk.head), let last = address(walk.last) else { return walk.any }
    TaskRef(head).forgetVisits()
    if !walk.any { TaskRef(last).setMustCancel(error) }
    return true
  }
}
