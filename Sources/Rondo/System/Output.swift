// Output.swift - all of a text to a descriptor, however little it takes at a time.
//
// Knows: errno. Does not know: what the text says.

import CRondo
import CRondoShim

enum Output {
  /// Write everything; the status of the first write that fails for good.
  static func write(_ fd: Int32, _ bytes: UnsafePointer<CChar>, _ count: Int) -> rondo_status {
    var at = 0
    while at < count {
      let written = CRondoShim.write(fd, bytes + at, count - at)
      if written >= 0 {
        at += written
        continue
      }
      let error = rondo_errno()
      if error == EINTR { continue }
      if error != EAGAIN { return -error }
      // The descriptor does not block; this call does.
      var ready = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
      _ = poll(&ready, 1, -1)
    }
    return RONDO_OK
  }
}
