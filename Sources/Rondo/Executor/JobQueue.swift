// JobQueue.swift - the jobs that wait in a pool, by lane.
//
// Rings with a head that is no job, so that a job is taken out of the middle without knowing which
// of the two queues it is in.
//
// Knows: Executor, Job. Does not know: threads.

import CRondo
import CRondoShim

extension JobLink {
  /// Run `body` with a ring of its own, in which jobs wait for what becomes of them.
  static func withRing<T>(_ body: (UnsafeMutablePointer<JobLink>) -> T) -> T {
    var head = JobLink(next: nil, previous: nil)
    return withUnsafeMutablePointer(to: &head) {
      $0.makeRing()
      return body($0)
    }
  }
}

extension UnsafeMutablePointer where Pointee == JobLink {
  /// Give each job, which is nobody else's any more, its outcome, and hand it over. No lock is held.
  func handOverEach(_ decide: (JobRef) -> Void) {
    while !isEmptyRing {
      let job = JobRef(link: pointee.next.unsafelyUnwrapped)
      job.link.leaveRing()
      decide(job)
      job.handOverUnrun()
    }
  }

  func makeRing() { initialize(to: JobLink(next: self, previous: self)) }

  @inline(__always)
  var isEmptyRing: Bool { pointee.next == self }

  @inline(__always)
  func appendToRing(_ link: UnsafeMutablePointer<JobLink>) {
    let last = pointee.previous.unsafelyUnwrapped
    link.pointee = JobLink(next: self, previous: last)
    last.pointee.next = link
    pointee.previous = link
  }

  @inline(__always)
  func leaveRing() {
    let next = pointee.next.unsafelyUnwrapped
    let previous = pointee.previous.unsafelyUnwrapped
    previous.pointee.next = next
    next.pointee.previous = previous
    pointee.next = nil
  }

  /// Move everything to the end of another ring.
  @inline(__always)
  func move(to other: UnsafeMutablePointer<JobLink>) {
    if isEmptyRing { return }
    let first = pointee.next.unsafelyUnwrapped
    let last = pointee.previous.unsafelyUnwrapped
    let end = other.pointee.previous.unsafelyUnwrapped
    end.pointee.next = first
    first.pointee.previous = end
    last.pointee.next = other
    other.pointee.previous = last
    makeRing()
  }
}

extension ExecutorRef {
  @inline(__always)
  private func incoming(_ lane: Int) -> UnsafeMutablePointer<JobLink> { s.pointee.lists.unsafelyUnwrapped + lane }

  @inline(__always)
  private func outgoing(_ lane: Int) -> UnsafeMutablePointer<JobLink> {
    s.pointee.lists.unsafelyUnwrapped + (ExecutorRef.lanes + lane)
  }

  /// As of a moment ago without the locks, exactly with both.
  var queued: UInt32 { rondo_peek32(&s.pointee.incomingCount) &+ rondo_peek32(&s.pointee.outgoingCount) }

  /// The lock of incoming is held.
  @inline(__always)
  func append(_ job: JobRef) {
    let lane = Int(job.s.pointee.lane)
    if lane != 0 { rondo_store32(&s.pointee.usesLanes, 1) }
    incoming(lane).appendToRing(job.link)
    rondo_poke32(&s.pointee.incomingCount, rondo_peek32(&s.pointee.incomingCount) &+ 1)
  }

  /// Take it out, wherever it is; both locks are held. `incoming` is emptied first, so that there is
  /// one place that it can be in.
  func remove(_ job: JobRef) {
    refillHoldingBoth()
    job.link.leaveRing()
    rondo_poke32(&s.pointee.outgoingCount, rondo_peek32(&s.pointee.outgoingCount) &- 1)
  }

  /// The next job for a worker, running by its state; the lock of outgoing is held.
  @inline(__always)
  func take() -> JobRef? {
    if rondo_peek32(&s.pointee.usesLanes) != 0 { return takeByLane() }
    if rondo_peek32(&s.pointee.outgoingCount) == 0 {
      if rondo_peek32(&s.pointee.incomingCount) == 0 { return nil }
      refill()
    }
    if let job = takeFirst(0) { return job }
    // What came with the refill may be the first of another lane.
    return rondo_peek32(&s.pointee.usesLanes) != 0 ? takeByLane() : nil
  }

  /// Whether a worker that came now would be given a job; both locks are held.
  @inline(never)  // once per worker
  func hasWorkHoldingBoth() -> Bool {
    refillHoldingBoth()
    for lane in 0..<ExecutorRef.lanes where !outgoing(lane).isEmptyRing {
      if !s.pointee.hasLimits || limits[lane] == 0 || busy[lane] < limits[lane] { return true }
    }
    return false
  }

  private func takeFirst(_ lane: Int) -> JobRef? {
    let head = outgoing(lane)
    if head.isEmptyRing { return nil }
    let job = JobRef(link: head.pointee.next.unsafelyUnwrapped)
    job.link.leaveRing()
    rondo_poke32(&s.pointee.outgoingCount, rondo_peek32(&s.pointee.outgoingCount) &- 1)
    rondo_store32(job.stateWord, JobPhase.running)
    s.pointee.taken &+= 1
    return job
  }

  private func refill() {
    rondo_lock(incomingLock)
    refillHoldingBoth()
    rondo_unlock(incomingLock)
  }

  private func refillHoldingBoth() {
    let count = rondo_peek32(&s.pointee.incomingCount)
    if count == 0 { return }
    for lane in 0..<ExecutorRef.lanes { incoming(lane).move(to: outgoing(lane)) }
    rondo_poke32(&s.pointee.outgoingCount, rondo_peek32(&s.pointee.outgoingCount) &+ count)
    rondo_poke32(&s.pointee.incomingCount, 0)
  }

  // MARK: - lanes

  /// High first, then the three equal ones in turn, then low.
  @inline(never)  // pools with one lane do without
  private func takeByLane() -> JobRef? {
    if rondo_peek32(&s.pointee.incomingCount) != 0 { refill() }
    if rondo_peek32(&s.pointee.outgoingCount) == 0 { return nil }
    if let job = takeAllowed(Int(RONDO_LANE_HIGH)) { return job }
    for _ in 0..<3 {
      let turn = Int(s.pointee.turn)
      s.pointee.turn = UInt32(turn == 2 ? 0 : turn + 1)
      let lane = turn == 0 ? RONDO_LANE_NORMAL : turn == 1 ? RONDO_LANE_FILES : RONDO_LANE_RESOLVER
      if let job = takeAllowed(Int(lane)) { return job }
    }
    return takeAllowed(Int(RONDO_LANE_LOW))
  }

  private func takeAllowed(_ lane: Int) -> JobRef? {
    if s.pointee.hasLimits {
      let limit = limits[lane]
      if limit != 0 && busy[lane] >= limit { return nil }
    }
    guard let job = takeFirst(lane) else { return nil }
    if s.pointee.hasLimits { busy[lane] += 1 }
    return job
  }

  private var busy: UnsafeMutablePointer<UInt32> {
    UnsafeMutableRawPointer(place(&s.pointee.busy)).assumingMemoryBound(to: UInt32.self)
  }

  private var limits: UnsafeMutablePointer<UInt32> {
    UnsafeMutableRawPointer(place(&s.pointee.pool.limits)).assumingMemoryBound(to: UInt32.self)
  }

  /// A worker has done a job of this lane; the lock of outgoing is held.
  func leaveLane(_ lane: UInt32) { busy[Int(lane)] -= 1 }

  // MARK: - all of them

  /// Empty the queue into a ring of the caller's, done by their state; both locks are held.
  func takeAll(_ ring: UnsafeMutablePointer<JobLink>) -> UInt32 {
    refillHoldingBoth()
    for lane in 0..<ExecutorRef.lanes { outgoing(lane).move(to: ring) }
    let count = rondo_peek32(&s.pointee.outgoingCount)
    rondo_poke32(&s.pointee.outgoingCount, 0)
    var at = ring.pointee.next.unsafelyUnwrapped
    while at != ring {
      rondo_store32(JobRef(link: at).stateWord, JobPhase.done)
      at = at.pointee.next.unsafelyUnwrapped
    }
    return count
  }
}
