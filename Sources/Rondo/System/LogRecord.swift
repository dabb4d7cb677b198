// LogRecord.swift - a copy of a message, for who reads it later: one block of memory.
//
// The fields lie behind the head, the texts behind the fields. One allocation, made without a lock
// held, and freed by whoever is done with it.
//
// Knows: Base. Does not know: queues.

import CRondo
import CRondoShim

typealias LogRecordPointer = UnsafeMutablePointer<LogRecord>

struct LogRecord {
  var level: Int32
  var count: Int32
  var isOwn: Bool  // the library's: stderr needs no fields
  var message: UnsafePointer<CChar>

  private static let headSize = MemoryLayout<LogRecord>.stride

  /// nil if memory is out.
  static func copy(
    _ level: Int32, _ message: UnsafePointer<CChar>, _ fields: UnsafePointer<rondo_log_field>?, _ count: Int, isOwn: Bool
  ) -> LogRecordPointer? {
    var size = headSize + count * MemoryLayout<rondo_log_field>.stride + strlen(message) + 1
    for i in 0..<count { size += strlen(fields![i].key) + 1 + (fields![i].text.map { strlen($0) + 1 } ?? 0) }
    guard let block = allocateBytes(size) else { return nil }
    let copies = Self.fields(block)
    var end = UnsafeMutableRawPointer(copies + count).assumingMemoryBound(to: CChar.self)
    for i in 0..<count {
      let key = append(fields![i].key, &end)
      let text = fields![i].text.map { append($0, &end) }
      (copies + i).initialize(to: rondo_log_field(key: key, text: text, number: fields![i].number))
    }
    let record = block.assumingMemoryBound(to: LogRecord.self)
    record.initialize(to: LogRecord(level: level, count: Int32(count), isOwn: isOwn, message: append(message, &end)))
    return record
  }

  private static func append(_ text: UnsafePointer<CChar>, _ end: inout UnsafeMutablePointer<CChar>) -> UnsafePointer<CChar> {
    let at = end
    let size = strlen(text) + 1
    memcpy(at, text, size)
    end = at + size
    return UnsafePointer(at)
  }

  static func fields(_ block: Raw) -> UnsafeMutablePointer<rondo_log_field> {
    (block + headSize).assumingMemoryBound(to: rondo_log_field.self)
  }
}
