// Schedule.swift - the one source of decisions about order, and the hash over them.
//
// Without a seed a loop decides nothing: everything runs in asyncio's order, and no line of this file
// is reached. With one, each thing that could as well have come in another order is a decision: a kind,
// a number of candidates, and the one that is next. Who answers is a choice function if one is set,
// else the seed's numbers, else nobody, which is asyncio's order again. Every answer goes into a hash,
// so that two runs with the same hash ran the same schedule.
//
// While a choice function runs the loop belongs to no thread. So it cannot change what is just being
// put in order: whatever it tries is refused as a call from a wrong thread would be.
//
// Knows: Random, Setting, Contexts. Does not know: what is put in order; that is in Arrange.swift.

import CRondo
import CRondoShim

struct Schedule {
  var flags: UInt32 = 0  // the loop's options
  var seed: UInt64 = 0
  var random = Random(state: 0)
  var hash: UInt64 = 0
  var decisions: UInt64 = 0
  var poster: UInt64 = 0  // the thread whose calls are last in the inbox; under its lock
  var choose: rondo_choice_fn? = nil
  var chooseArg: Setting = .none
  var scratch: Raw? = nil  // for what is being put in order; there once something decides

  static let stretch = 1024  // calls that are put in order at a time
  static let scratchSize = stretch * (2 * MemoryLayout<RingCell>.stride + 4)
}

extension LoopRef {
  var plan: UnsafeMutablePointer<Schedule> { place(&s.pointee.schedule) }

  var isAnyOrder: Bool { plan.pointee.flags & UInt32(RONDO_LOOP_ANY_ORDER) != 0 }

  // MARK: - beginning

  /// Give a new loop its seed and what the options say about it; false if memory is out.
  func beginSchedule(seed: UInt64, flags: UInt32) -> Bool {
    plan.pointee.flags = flags
    plan.pointee.seed = seed
    plan.pointee.random = Random(state: seed)
    return seed == 0 && flags & UInt32(RONDO_LOOP_PRINT_SCHEDULE) == 0 || arrange()
  }

  /// From here on passes are put in order, and the inbox says whose calls are whose.
  private func arrange() -> Bool {
    if s.pointee.isArranged { return true }
    guard let room = malloc(Schedule.scratchSize) else { return false }
    plan.pointee.scratch = room
    s.pointee.isArranged = true
    s.pointee.isSpecial = true
    if isAnyOrder { return true }
    rondo_lock(inbox.lock)
    s.pointee.inbox.takesPlain = false
    rondo_unlock(inbox.lock)
    return true
  }

  /// The argument moves if it is true.
  func setChoice(_ fn: rondo_choice_fn?, _ arg: Value) -> Bool {
    if !arrange() { return false }
    plan.pointee.choose = fn
    plan.pointee.hash = 0
    plan.pointee.decisions = 0
    place(&s.pointee.schedule.chooseArg).replace(arg)
    return true
  }

  // MARK: - deciding

  func note(_ fact: UInt64) {
    plan.pointee.hash = Random.stir(plan.pointee.hash &* 0x9E37_79B9_7F4A_7C15 &+ fact &+ 1)
  }

  /// Which of `count`, two or more, is next.
  func decide(_ kind: Int32, _ count: UInt32) -> UInt32 {
    var choice: UInt32 = 0
    if let choose = plan.pointee.choose {
      choice = Swift.min(ask(choose, kind, count), count - 1)
    } else if plan.pointee.seed != 0 {
      choice = plan.pointee.random.below(count)
    }
    note(UInt64(count) << 32 | UInt64(choice))
    plan.pointee.decisions &+= 1
    return choice
  }

  /// The program's answer, from an empty context and with a loop that is nobody's.
  private func ask(_ choose: rondo_choice_fn, _ kind: Int32, _ count: UInt32) -> UInt32 {
    let thread = rondo_thread()!
    let running = thread.pointee.running_handle
    let owner = rondo_load64(&s.pointee.owner)
    thread.pointee.running_handle = UInt64.max
    rondo_store64(&s.pointee.owner, Owner.nobody)
    let saved = Contexts.enterOwned(0)
    var answer: UInt32 = 0
    place(&s.pointee.schedule.chooseArg).use { answer = choose(handle, kind, count, $0) }
    Maps.release(Contexts.leaveOwned(saved))
    // In a child that was forked here the loop is marked already.
    _ = rondo_cas64(&s.pointee.owner, Owner.nobody, owner)
    rondo_thread()!.pointee.running_handle = running
    return answer
  }

  // MARK: - the end

  func dropSchedule() {
    plan.pointee.choose = nil
    place(&s.pointee.schedule.chooseArg).replace(.none)
    free(plan.pointee.scratch)
    plan.pointee.scratch = nil
  }

  /// One line that tells how to run this again.
  @inline(never)  // once per loop
  func printSchedule() {
    let isWanted = plan.pointee.flags & UInt32(RONDO_LOOP_PRINT_SCHEDULE) != 0
      || (plan.pointee.seed != 0 && rondo_load32(&s.pointee.debug) != 0)
    if !isWanted { return }
    var text = Text()
    text.add("rondo: seed=")
    let seed = plan.pointee.seed
    if seed > UInt64(Int64.max) { text.addHex(seed) } else { text.add(Int64(seed)) }
    text.add(" order=")
    text.add(isAnyOrder ? "any" : "open" as StaticString)
    text.add(" decisions=")
    text.add(Int64(bitPattern: plan.pointee.decisions))
    text.add(" schedule=")
    text.addHex(plan.pointee.hash)
    Log.write(RONDO_LOG_INFO, text.cString)
  }
}
