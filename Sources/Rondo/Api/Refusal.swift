// Refusal.swift - how an export says no: what moved is dropped, options are read by their size.
//
// Knows: Memory. Does not know: which export.

import CRondo
import CRondoShim

public typealias OutHandle = UnsafeMutablePointer<OpaquePointer?>

/// Drop what moved and give the status back. The status was found out before: a drop may change
/// what it stands for.
@inline(never)  // the cold way out of every export
func refuse(_ status: rondo_status, _ arg: Raw?, _ drop: rondo_drop_fn?) -> rondo_status {
  drop?(arg)
  return status
}

/// Read options that begin with their size: shorter ones are from an older program, longer ones
/// from a newer one, which must then have left zero what is not known here. A struct that has grown since
/// its first release says how large it was then.
func readOptions<T>(
  _ given: UnsafePointer<T>?, into options: inout T, first: Int = MemoryLayout<T>.size
) -> rondo_status {
  guard let given else { return RONDO_OK }
  let raw = UnsafeRawPointer(given)
  let size = Int(raw.load(as: UInt32.self))
  let known = MemoryLayout<T>.size
  if size < first { return -EINVAL }
  if size > 4096 { return -E2BIG }
  var at = known
  while at < size {
    if raw.load(fromByteOffset: at, as: UInt8.self) != 0 { return -E2BIG }
    at += 1
  }
  withUnsafeMutableBytes(of: &options) { _ = memcpy($0.baseAddress!, raw, Swift.min(size, known)) }
  return RONDO_OK
}
