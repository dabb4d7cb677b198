// Support.swift - what the tests of Base share: numbers that look random, drops that are counted.
import CRondo
import CRondoShim
import Testing

@testable import Rondo

/// SplitMix64 with a seed of the test's own, so that a failure comes back.
struct Numbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A value whose drop counts, on the heap of the test that made it.
final class Counted {
  let drops = UnsafeMutablePointer<Int>.allocate(capacity: 1)

  init() { drops.initialize(to: 0) }

  deinit { drops.deallocate() }

  var value: Value {
    Value(pointer: Raw(drops), drop: { $0!.assumingMemoryBound(to: Int.self).pointee += 1 })
  }

  var count: Int { drops.pointee }
}

/// Run `body` with an empty current context and let go of what it set.
func inEmptyContext(_ body: () throws -> Void) rethrows {
  let saved = Contexts.enterOwned(0)
  defer { Maps.release(Contexts.leaveOwned(saved)) }
  try body()
}

func string(_ text: UnsafePointer<CChar>?) -> String? {
  guard let text else { return nil }
  return String(cString: text)
}
