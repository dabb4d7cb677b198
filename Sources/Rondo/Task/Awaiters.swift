// Awaiters.swift - who waits for a future, read from what it would wake.
//
// Nobody registers that it waits: the list of those to be woken is the record, so it cannot be
// forgotten and costs nothing. A task in it waits by itself. A callback of the library's own
// stands for somebody: which one it is, its function says, and for whom, its argument. A callback
// of the program's waits for nobody that could be named.
//
// A helper that waits through a callback of its own has its line in `visitCallback`.
//
// Knows: Waiters and every helper that adds callbacks. Does not know: who asks.

import CRondo
import CRondoShim

enum Awaiters {
  /// Visit the tasks that wait for `future`, and the futures of helpers that do: those who wait for
  /// such a one wait for `future`. `visit` must change nothing.
  static func forEach(of future: FutureRef, _ visit: (FutureRef) -> Void) {
    let last = future.s.pointee.waiters
    if last == 0 { return }
    var at = last
    repeat {
      at = Waiter.next(at).pointee
      if at & 1 != 0 { visit(FutureRef(address(at & ~1)!)) } else { visitCallback(Waiter.at(at), visit) }
    } while at != last
  }

  @inline(never)  // small code is worth more than a fast visit
  private static func visitCallback(_ node: WaiterPointer, _ visit: (FutureRef) -> Void) {
    let fn = unsafeBitCast(node.pointee.fn, to: UInt.self)
    func isIt(_ candidate: rondo_future_fn) -> Bool { fn == unsafeBitCast(candidate, to: UInt.self) }
    guard let arg = node.pointee.arg.pointer else { return }
    if isIt(Gather.onChildDone) || isIt(Shield.onInnerDone) || isIt(Wait.onCompletion) || isIt(WaitFor.onEnd) {
      visit(FutureRef(arg))
    } else if isIt(TaskGroup.onChildDone) {
      let member = arg.assumingMemoryBound(to: GroupMember.self)
      visit(TaskGroup(address(member.pointee.group)!).parent.future)
    } else if isIt(AsCompleted.onCompletion) {
      AsCompleted(arg).forEachGetter(visit)
    }
  }
}
