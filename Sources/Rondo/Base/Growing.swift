// Growing.swift - a list that grows and may be refused the memory for it.
//
// Plain words to be freed by hand, for what is collected once and given on.
//
// Knows: Memory. Does not know: what is in it.

import CRondoShim

struct Growing<Element> {
  private(set) var base: UnsafeMutablePointer<Element>?
  private(set) var count = 0
  private var capacity = 0

  init() {}

  subscript(_ index: Int) -> Element {
    get { base![index] }
    nonmutating set { base![index] = newValue }
  }

  mutating func append(_ element: Element) -> Bool {
    if !reserve(1) { return false }
    (base! + count).initialize(to: element)
    count += 1
    return true
  }

  mutating func append(contentsOf source: UnsafePointer<Element>, _ more: Int) -> Bool {
    if !reserve(more) { return false }
    memcpy(base! + count, source, more * MemoryLayout<Element>.stride)
    count += more
    return true
  }

  @inline(never)  // rare, and the same for every list
  private mutating func reserve(_ more: Int) -> Bool {
    if count + more <= capacity { return true }
    let wanted = Swift.max(16, Swift.max(capacity * 2, count + more))
    guard let bigger = realloc(base, wanted * MemoryLayout<Element>.stride) else { return false }
    base = bigger.bindMemory(to: Element.self, capacity: wanted)
    capacity = wanted
    return true
  }

  mutating func removeLast() -> Element {
    count -= 1
    return base![count]
  }

  mutating func removeAll() { count = 0 }

  /// Turn what is behind `first` round.
  func reverse(from first: Int) {
    var low = first
    var high = count - 1
    while low < high {
      let kept = base![low]
      base![low] = base![high]
      base![high] = kept
      low += 1
      high -= 1
    }
  }

  /// The list's memory, to be freed by who gets it.
  mutating func take() -> UnsafeMutablePointer<Element>? {
    let taken = base
    base = nil
    count = 0
    capacity = 0
    return taken
  }
}
