// Random.swift - numbers that a seed decides.
//
// splitmix64: one word of state, every seed is good, and the same numbers on every machine. What is
// drawn here decides the order of calls, never anything that must not be guessed.
//
// Knows: nothing. Does not know: what is decided.

struct Random {
  var state: UInt64

  /// The bits of a number, well stirred.
  static func stir(_ number: UInt64) -> UInt64 {
    var z = number
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number below `count`, which is not zero.
  mutating func below(_ count: UInt32) -> UInt32 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return UInt32(truncatingIfNeeded: Random.stir(state).multipliedFullWidth(by: UInt64(count)).high)
  }
}
