// SmokeTests.swift - the core compiles as ordinary Swift and can be called.
import CRondo
import Testing

@testable import Rondo

@Suite struct Smoke {
  @Test("the exported function answers in ordinary Swift, too")
  func version() {
    #expect(rondo_version() > 0)
  }
}
