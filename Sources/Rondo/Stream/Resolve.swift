// Resolve.swift - getaddrinfo and getnameinfo as jobs of the default executor.
//
// A question is one block of memory with copies of all that was asked, and goes with its job. What is
// numeric is asked of the same functions with the flags that keep them from looking anything up: they
// answer at once, or say that it is not numeric.
//
// Knows: RunInExecutor, Log. Does not know: sockets.

import CRondo
import CRondoShim

struct AddressQuestion {
  var hints: addrinfo
  var host: UInt64  // address of a copy behind this, 0 for none
  var service: UInt64
  var isLogged: Bool
  var slow: Int64  // what counts as slow
}

struct NameQuestion {
  var address: sockaddr_storage
  var length: UInt32
  var flags: Int32
}

enum Resolve {
  static let mostBytes = 1024

  // MARK: - what is asked

  /// The length of a name with its NUL; nil if it is too long.
  static func size(_ name: UnsafePointer<CChar>?) -> Int? {
    guard let name else { return 0 }
    let length = strnlen(name, mostBytes + 1)
    return length > mostBytes ? nil : length + 1
  }

  /// The resolver would take a port that is too large for another one.
  static func isPortTooLarge(_ service: UnsafePointer<CChar>?) -> Bool {
    guard var at = service else { return false }
    var port = 0
    while at.pointee >= 48 && at.pointee <= 57 {
      port = Swift.min(port * 10 + Int(at.pointee - 48), 1 << 20)
      at += 1
    }
    return at.pointee == 0 && port > 65535
  }

  /// Nil if memory is out.
  static func question(
    _ loop: LoopRef, _ host: UnsafePointer<CChar>?, _ hostSize: Int, _ service: UnsafePointer<CChar>?, _ serviceSize: Int,
    _ hints: addrinfo
  ) -> UnsafeMutablePointer<AddressQuestion>? {
    let size = MemoryLayout<AddressQuestion>.stride
    guard let memory = malloc(size + hostSize + serviceSize) else { return nil }
    if let host { memcpy(memory + size, host, hostSize) }
    if let service { memcpy(memory + size + hostSize, service, serviceSize) }
    let question = memory.bindMemory(to: AddressQuestion.self, capacity: 1)
    question.initialize(to: AddressQuestion(
      hints: hints, host: host == nil ? 0 : bits(memory + size), service: service == nil ? 0 : bits(memory + size + hostSize),
      isLogged: loop.isDebugging, slow: loop.s.pointee.slowCallback))
    return question
  }

  private static func text(_ value: UInt64) -> UnsafePointer<CChar>? {
    address(value).map { UnsafePointer($0.assumingMemoryBound(to: CChar.self)) }
  }

  // MARK: - answers

  /// The first address of a list, for who does not know its layout.
  static func read(_ list: UnsafePointer<addrinfo>, _ out: inout rondo_address) -> rondo_status {
    let family = list.pointee.ai_family
    guard let given = list.pointee.ai_addr, family == AF_INET || family == AF_INET6 else { return -EAFNOSUPPORT }
    var info = rondo_name_info()
    let address = UnsafeRawPointer(given)
    let code = rondo_shim_getnameinfo(
      address.assumingMemoryBound(to: sockaddr_storage.self), list.pointee.ai_addrlen, &info.host, &info.service,
      NI_NUMERICHOST | NI_NUMERICSERV)
    if code != 0 { return -EAFNOSUPPORT }
    out.family = family
    out.type = list.pointee.ai_socktype
    out.protocol = list.pointee.ai_protocol
    // Both families have it at the same place.
    out.port = Int32(UInt16(bigEndian: address.load(fromByteOffset: 2, as: UInt16.self)))
    out.length = list.pointee.ai_addrlen
    out.sockaddr = UnsafePointer(given)
    out.canonical_name = UnsafePointer(list.pointee.ai_canonname)
    _ = strncpy(&out.host, &info.host, MemoryLayout.size(ofValue: out.host) - 1)
    return RONDO_OK
  }

  static func ask(_ question: UnsafeMutablePointer<AddressQuestion>) -> (UnsafeMutablePointer<addrinfo>?, Int32) {
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(text(question.pointee.host), text(question.pointee.service), &question.pointee.hints, &list)
    return (code == 0 ? list : nil, code)
  }

  static var freeList: rondo_drop_fn { { if let list = $0 { freeaddrinfo(list.assumingMemoryBound(to: addrinfo.self)) } } }

  /// What the resolver's code means, pinned.
  static func error(_ code: Int32, _ number: Int32, _ operation: StaticString) -> ErrorRef {
    if code == EAI_SYSTEM { return ErrorRef.of(number > 0 ? -number : -EIO, literal(operation)) }
    if code == EAI_MEMORY { return ErrorRef.of(-ENOMEM, literal(operation)) }
    guard let made = ErrorRef.make(RONDO_DOMAIN_RESOLVER, code, gai_strerror(code)) else { return ErrorRef.of(-ENOMEM) }
    made.state.pointee.operation = copyString(literal(operation))
    _ = Global.moveToPin(made.state)
    return made
  }

  /// The job of a worker.
  static func addressJob(_ handle: OpaquePointer?, _ arg: Raw?) -> rondo_status {
    let question = arg.unsafelyUnwrapped.assumingMemoryBound(to: AddressQuestion.self)
    let began = rondo_shim_now()
    let (list, code) = ask(question)
    let number = rondo_errno()
    if question.pointee.isLogged { log(question, rondo_shim_now() - began, list) }
    guard let job = JobRef.find(handle) else { return RONDO_OK }
    if code == 0 {
      job.setValue(Value(pointer: list.map { Raw($0) }, drop: freeList))
    } else {
      job.setOutcome(JobOutcome.error, error(code, number, "getaddrinfo"))
    }
    return RONDO_OK
  }

  /// In asyncio's words, but with the number of addresses instead of them.
  private static func log(_ question: UnsafeMutablePointer<AddressQuestion>, _ took: Int64, _ list: UnsafeMutablePointer<addrinfo>?) {
    let level = took >= question.pointee.slow ? RONDO_LOG_INFO : RONDO_LOG_DEBUG
    if list == nil || !Log.takes(level) { return }
    var text = Text()
    text.add("Getting address info ")
    addPrintable(self.text(question.pointee.host), &text)
    text.add(":")
    addPrintable(self.text(question.pointee.service), &text)
    text.add(" took ")
    text.addThousandths(took / 1000)
    text.add("ms: ")
    var count: Int64 = 0
    var next = list
    while let one = next {
      count += 1
      next = one.pointee.ai_next
    }
    text.add(count)
    text.add(" addresses")
    var fields = LogFields()
    fields.add("duration_ns", took)
    Log.write(level, text.cString, fields)
  }

  /// What was asked must not be able to begin another line of the log.
  private static func addPrintable(_ name: UnsafePointer<CChar>?, _ text: inout Text) {
    guard var at = name else { return text.add("None") }
    while at.pointee != 0 {
      if UInt8(bitPattern: at.pointee) < 32 { text.add("?") } else { text.add(at, 1) }
      at += 1
    }
  }

  static func nameJob(_ handle: OpaquePointer?, _ arg: Raw?) -> rondo_status {
    let question = arg.unsafelyUnwrapped.assumingMemoryBound(to: NameQuestion.self)
    let (info, code) = ask(question)
    let number = rondo_errno()
    guard let job = JobRef.find(handle) else { return RONDO_OK }
    if let info {
      job.setValue(Value(pointer: Raw(info), drop: { free($0) }))
    } else {
      job.setOutcome(JobOutcome.error, error(code, number, "getnameinfo"))
    }
    return RONDO_OK
  }

  static func ask(_ question: UnsafeMutablePointer<NameQuestion>) -> (UnsafeMutablePointer<rondo_name_info>?, Int32) {
    guard let info = allocateArray(rondo_name_info.self, 1) else { return (nil, EAI_MEMORY) }
    let code = rondo_shim_getnameinfo(
      &question.pointee.address, question.pointee.length, &info.pointee.host, &info.pointee.service, question.pointee.flags)
    if code == 0 { return (info, 0) }
    free(info)
    return (nil, code)
  }
}

extension LoopRef {
  /// A future that is done, with one reference of C's; the value moves on success.
  private func done(_ value: Value) -> FutureRef? {
    guard let future = FutureRef.make(self, user: true) else { return nil }
    future.complete(RONDO_FUTURE_RESULT, value)
    return future
  }

  private func inResolverLane(_ fn: @escaping rondo_job_fn, _ arg: Raw) -> (FutureRef?, rondo_status) {
    var request = JobRequest(fn: fn, arg: Value(pointer: arg, drop: { free($0) }))
    request.lane = UInt32(RONDO_LANE_RESOLVER)
    let (future, status) = run(in: nil, request)
    if future == nil { free(arg) }
    return (future, status)
  }

  func addresses(_ host: UnsafePointer<CChar>?, _ service: UnsafePointer<CChar>?, _ hints: addrinfo)
    -> (FutureRef?, rondo_status)
  {
    if (host == nil && service == nil) || host?.pointee == 0 { return (nil, -EINVAL) }
    if Resolve.isPortTooLarge(service) { return (nil, -EINVAL) }
    guard let hostSize = Resolve.size(host), let serviceSize = Resolve.size(service) else { return (nil, -ENAMETOOLONG) }
    guard let question = Resolve.question(self, host, hostSize, service, serviceSize, hints) else { return (nil, -ENOMEM) }
    question.pointee.hints.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV
    let (list, _) = Resolve.ask(question)
    question.pointee.hints.ai_flags = hints.ai_flags
    guard let list else { return inResolverLane({ Resolve.addressJob($0, $1) }, question) }
    free(question)
    if let future = done(Value(pointer: Raw(list), drop: Resolve.freeList)) { return (future, RONDO_OK) }
    freeaddrinfo(list)
    return (nil, -ENOMEM)
  }

  func names(_ address: UnsafePointer<sockaddr>, _ length: UInt32, _ flags: Int32) -> (FutureRef?, rondo_status) {
    if length < 2 || Int(length) > MemoryLayout<sockaddr_storage>.size { return (nil, -EINVAL) }
    let family = Int32(address.pointee.sa_family)
    if family != AF_INET && family != AF_INET6 { return (nil, -EAFNOSUPPORT) }
    guard let question = allocateArray(NameQuestion.self, 1) else { return (nil, -ENOMEM) }
    question.initialize(to: NameQuestion(address: sockaddr_storage(), length: length, flags: flags))
    memcpy(&question.pointee.address, address, Int(length))
    let numeric = NI_NUMERICHOST | NI_NUMERICSERV
    if flags & numeric != numeric { return inResolverLane({ Resolve.nameJob($0, $1) }, question) }
    let (info, _) = Resolve.ask(question)
    // What it refuses is told by the future, so it goes the usual way.
    guard let info else { return inResolverLane({ Resolve.nameJob($0, $1) }, question) }
    free(question)
    if let future = done(Value(pointer: Raw(info), drop: { free($0) })) { return (future, RONDO_OK) }
    free(info)
    return (nil, -ENOMEM)
  }
}
