// Run.swift - who runs the loop, and how long.
//
// One thread at a time runs a loop; `runningFlag` is claimed with one compare-and-swap. A loop
// that is not running may be claimed by any thread, which then owns it: that is how a loop made
// by one thread is run by another, and how a loop outlives its thread.
//
// Knows: Pass. Does not know: what is waited for.

import CRondo
import CRondoShim

extension LoopRef {
  // MARK: - claiming

  /// Why this thread cannot run the loop now, or RONDO_OK after claiming it.
  func claim() -> rondo_status {
    let owner = rondo_load64(&s.pointee.owner)
    if owner == Owner.closed { return RONDO_E_LOOP_CLOSED }
    if owner == Owner.forked { return RONDO_E_WRONG_PROCESS }
    switch rondo_load32(&s.pointee.runningFlag) {
    case Phase.running: return RONDO_E_LOOP_RUNNING
    case Phase.closing: return RONDO_E_LOOP_CLOSED
    default: break
    }
    if rondo_thread()!.pointee.running != 0 { return RONDO_E_OTHER_LOOP_RUNNING }
    if rondo_cas32(&s.pointee.runningFlag, Phase.idle, Phase.running) == 0 { return RONDO_E_LOOP_RUNNING }
    // It may have been closed between the first look and the claim.
    if rondo_load64(&s.pointee.owner) == Owner.closed {
      rondo_store32(&s.pointee.runningFlag, Phase.idle)
      return RONDO_E_LOOP_CLOSED
    }
    if !isMine { own() }
    return RONDO_OK
  }

  func begin() -> rondo_status {
    let status = claim()
    if status != RONDO_OK { return status }
    Global.pin(Raw(s))  // C may let go of the loop inside a callback
    s.pointee.isRunning = true
    rondo_thread()!.pointee.running = bits(s)
    if !s.pointee.isGuest { rondo_thread()!.pointee.running_handle = s.pointee.header.handle }
    return RONDO_OK
  }

  /// End a run. The loop may be gone afterwards.
  func finish() {
    s.pointee.isRunning = false
    if s.pointee.isTimed { restWatchdog() }
    Global.giveKept(Kind.coroutine)
    rondo_thread()!.pointee.running = 0
    rondo_thread()!.pointee.running_handle = UInt64.max
    if s.pointee.isGuest { tellHost() }
    rondo_store32(&s.pointee.runningFlag, Phase.idle)
    unpinLoop()
  }

  /// The thread ends in the middle of a run.
  func breakOff() {
    s.pointee.isStepped = false
    s.pointee.inCallback = false
    finish()
  }

  /// Give a pin back; the last of all counts closes the loop.
  func unpinLoop() { if Global.unpin(Raw(s)) { endUnused() } }

  /// Set this thread's current loop, which holds it.
  static func setCurrent(_ loop: LoopRef?) {
    if loop != nil { _ = rondo_shim_watch_thread() }
    let thread = rondo_thread()!
    let old = find(opaque(thread.pointee.current))
    if let loop { Global.pin(Raw(loop.s)) }
    thread.pointee.current = loop?.s.pointee.header.handle ?? 0
    old?.unpinLoop()
  }

  // MARK: - running

  /// Passes until something ends the run.
  func runPasses() -> rondo_status {
    inEmptyContext {
      while true {
        let status = pass(maxWait: Int64.max, limit: UInt64.max)
        if status != RONDO_OK { return status }
        if s.pointee.attention != 0, let end = endOfRun() { return end }
      }
    }
  }

  /// What `attention` asks for after a pass; nil to go on.
  func endOfRun() -> rondo_status? {
    if s.pointee.attention & Attention.escape != 0 {
      s.pointee.attention &= ~(Attention.escape | Attention.stop)
      let error = address(s.pointee.escaped).map { ErrorRef($0) }
      return error?.status ?? RONDO_E_EXIT
    }
    if s.pointee.attention & Attention.stop != 0 {
      s.pointee.attention &= ~Attention.stop
      return RONDO_OK
    }
    return nil
  }

  func runForever() -> rondo_status {
    let status = begin()
    if status != RONDO_OK { return status }
    let end = runPasses()
    finish()
    return end
  }

  func stop() -> rondo_status {
    s.pointee.attention |= Attention.stop
    if s.pointee.isGuest { signalHost() }
    return RONDO_OK
  }

  // MARK: - by hand

  func iterate(_ maxWait: Int64) -> rondo_status {
    if !s.pointee.isStepped || !s.pointee.isRunning { return RONDO_E_INVALID_STATE }
    if s.pointee.inCallback { return RONDO_E_LOOP_RUNNING }
    let status = inEmptyContext { pass(maxWait: Swift.max(0, maxWait), limit: UInt64.max) }
    if status != RONDO_OK { return status }
    return endOfStep()
  }

  private func endOfStep() -> rondo_status {
    let stopped = s.pointee.attention & Attention.stop != 0
    guard let end = endOfRun() else { return RONDO_OK }
    return end == RONDO_OK && stopped ? RONDO_E_LOOP_STOPPED : end
  }

  /// Bounded, without sleeping.
  func drive(_ maxCalls: UInt64, _ maxTime: Int64, _ outCalls: UnsafeMutablePointer<UInt64>?) -> rondo_status {
    let status = begin()
    if status != RONDO_OK { return status }
    let before = s.pointee.calls
    let end = inEmptyContext { drivePasses(maxCalls, maxTime) }
    outCalls?.pointee = s.pointee.calls &- before
    finish()
    return end
  }

  private func drivePasses(_ maxCalls: UInt64, _ maxTime: Int64) -> rondo_status {
    let single = maxCalls == 0 && maxTime == 0
    // The host's time, whatever clock the loop has.
    let (sum, overflow) = rondo_shim_now().addingReportingOverflow(maxTime)
    let until = maxTime == 0 || overflow ? Int64.max : sum
    var left = maxCalls == 0 ? UInt64.max : maxCalls
    while true {
      let before = s.pointee.calls
      // With a limit in time calls go in small lots, so that one long batch cannot overrun it.
      let status = pass(maxWait: 0, limit: until == Int64.max ? left : Swift.min(left, 64))
      if status != RONDO_OK { return status }
      if s.pointee.attention != 0 { return endOfStep() }
      let ran = s.pointee.calls &- before
      if ran == 0 && isVirtual && jump() { continue }
      left -= Swift.min(left, ran)
      if single || ran == 0 || left == 0 { return RONDO_OK }
      if until != Int64.max && rondo_shim_now() >= until { return RONDO_OK }
    }
  }
}
