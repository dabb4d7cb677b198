// TextTests.swift - lines of text grow, say numbers, and are handed out whole or not at all.
import CRondo
import CRondoShim
import Testing

@testable import Rondo

@Suite struct TextTests {
  private func text(_ fill: (inout Text) -> Void) -> String {
    var text = Text()
    fill(&text)
    return String(cString: text.cString)
  }

  @Test("no text is the empty one")
  func empty() {
    #expect(text { _ in } == "")
    #expect(text { $0.add("") } == "")
    #expect(text { $0.add(nil as UnsafePointer<CChar>?) } == "")
  }

  @Test(
    "numbers",
    arguments: [0, 7, -7, 10, 99, -100, 1_234_567_890, Int64.max, Int64.min] as [Int64])
  func numbers(number: Int64) {
    #expect(text { $0.add(number) } == String(number))
  }

  @Test("addresses", arguments: [0, 1, 9, 10, 15, 16, 0xDEAD_BEEF, UInt64.max] as [UInt64])
  func hex(number: UInt64) {
    #expect(text { $0.addHex(number) } == "0x" + String(number, radix: 16))
  }

  @Test("thousandths have three digits", arguments: [
    (0, "0.000"), (7, "0.007"), (42, "0.042"), (120, "0.120"), (1000, "1.000"), (123_456, "123.456"),
  ] as [(Int64, String)])
  func thousandths(_ number: Int64, _ expected: String) {
    #expect(text { $0.addThousandths(number) } == expected)
  }

  @Test("a text that moves out leaves an empty one")
  func take() {
    var text = Text()
    #expect(text.take() == nil)
    text.add("moved")
    let taken = text.take()
    #expect(taken != nil && strcmp(taken!, "moved") == 0)
    free(taken)
    text.add("again")
    #expect(String(cString: text.cString) == "again")
  }

  @Test("it grows with what is added")
  func grows() {
    var expected = ""
    var text = Text()
    for i in 0..<3000 {
      text.add("ab")
      text.add(Int64(i))
      "é".withCString { text.add($0) }
      expected += "ab\(i)é"
    }
    // Taken out first: #expect copies what it looks into, and a Text cannot be copied.
    let (made, count, isCut) = (String(cString: text.cString), text.count, text.isCut)
    #expect(made == expected)
    #expect(count == expected.utf8.count)
    #expect(!isCut)
  }

  @Test("part of a string")
  func part() {
    #expect("hello".withCString { hello in text { $0.add(hello, 4) } } == "hell")
  }

  @Test("a buffer that is too small is not written, one that fits is")
  func copyOut() {
    var text = Text()
    text.add("twelve bytes")
    var buffer = [CChar](repeating: 35, count: 20)
    for size in 0...12 {
      var needed = 0
      let status = text.copyOut(&buffer, size, &needed)
      #expect(status == -ERANGE)
      #expect(needed == 12)
      #expect(buffer.allSatisfy { $0 == 35 })
    }
    let status = text.copyOut(&buffer, 13, nil)
    #expect(status == RONDO_OK)
    #expect(String(cString: buffer) == "twelve bytes")
    #expect(buffer[13] == 35)
    var needed = 0
    let asked = text.copyOut(nil, 0, &needed)
    #expect(asked == -ERANGE)
    #expect(needed == 12)
    let empty = Text()
    let (none, one) = (empty.copyOut(nil, 0, &needed), empty.copyOut(&buffer, 1, nil))
    #expect(none == -ERANGE)
    #expect(needed == 0)
    #expect(one == RONDO_OK)
    #expect(buffer[0] == 0)
  }
}
