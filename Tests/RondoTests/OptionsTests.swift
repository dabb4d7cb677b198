// OptionsTests.swift - structs of options from older and newer programs, which are shorter and longer.
import CRondoShim
import Testing

@testable import Rondo

/// A struct that had size and flags at first, and has grown by one member.
private struct Grown {
  var size: UInt32 = 0
  var flags: UInt32 = 0
  var added: UInt64 = 0
}

@Suite struct OptionsTests {
  private static let first = 8

  /// Give so many bytes, whose size says so, each behind the size being `fill`; read them with the default added: 5.
  private func read(_ size: Int, fill: UInt8, tail: UInt8 = 0, first: Int = first) -> (Int32, Grown) {
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 8)
    defer { bytes.deallocate() }
    memset(bytes, Int32(fill), MemoryLayout<Grown>.size)
    memset(bytes + MemoryLayout<Grown>.size, Int32(tail), 8192 - MemoryLayout<Grown>.size)
    bytes.storeBytes(of: UInt32(size), as: UInt32.self)
    var options = Grown(size: 0, flags: 0, added: 5)
    let status = readOptions(UnsafePointer(bytes.assumingMemoryBound(to: Grown.self)), into: &options, first: first)
    return (status, options)
  }

  @Test("an older program's are shorter: what it does not know stays as it was")
  func shorter() {
    let (status, options) = read(Self.first, fill: 1)
    #expect(status == 0 && options.flags == 0x0101_0101 && options.added == 5)
  }

  @Test("ours are read whole")
  func whole() {
    let (status, options) = read(MemoryLayout<Grown>.size, fill: 1)
    #expect(status == 0 && options.flags == 0x0101_0101 && options.added == 0x0101_0101_0101_0101)
  }

  @Test("a newer program's are longer: what is not known here must be zero")
  func longer() {
    #expect(read(MemoryLayout<Grown>.size + 8, fill: 1).0 == 0)
    #expect(read(MemoryLayout<Grown>.size + 8, fill: 1, tail: 1).0 == -E2BIG)
    #expect(read(4096, fill: 1).0 == 0)
    #expect(read(4097, fill: 1).0 == -E2BIG)
  }

  @Test("shorter than the first version is no version")
  func tooShort() {
    #expect(read(Self.first - 1, fill: 1).0 == -EINVAL)
    #expect(read(0, fill: 1).0 == -EINVAL)
    #expect(read(Self.first, fill: 1, first: MemoryLayout<Grown>.size).0 == -EINVAL)
  }
}
