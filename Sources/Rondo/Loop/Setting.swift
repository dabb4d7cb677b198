// Setting.swift - the argument of a function that is set on a loop and may be replaced while it runs.
//
// The exception handler and the poll hooks may set another one from inside themselves, and the
// old argument must last until the last call with it has returned. So each call leaves a frame
// on its own stack, linked to the frames around it, and who replaces the setting leaves letting
// go to the outermost frame that still uses the old one. No count on the heap, so no failure.
//
// Knows: Memory. Does not know: which function.

import CRondo
import CRondoShim

struct Setting {
  var value: Value
  var uses: UInt64  // address of the innermost frame, 0 for none

  static let none = Setting(value: .none, uses: 0)
}

struct SettingUse {
  var outer: UInt64
  var isOld: Bool  // replaced meanwhile
  var letsGo: Bool
}

typealias SettingPointer = UnsafeMutablePointer<Setting>

extension UnsafeMutablePointer where Pointee == Setting {
  /// Call `body` with the argument, which lasts until it returns.
  func use(_ body: (Raw?) -> Void) {
    let value = pointee.value
    var use = SettingUse(outer: pointee.uses, isOld: false, letsGo: false)
    withUnsafeMutablePointer(to: &use) { here in
      pointee.uses = bits(here)
      body(value.pointer)
      pointee.uses = here.pointee.outer
      if here.pointee.letsGo { value.dispose() }
    }
  }

  func replace(_ new: Value) {
    let old = pointee.value
    pointee.value = new
    var user: UnsafeMutablePointer<SettingUse>?
    while let raw = address(user?.pointee.outer ?? pointee.uses) {
      let outer = raw.assumingMemoryBound(to: SettingUse.self)
      if outer.pointee.isOld { break }  // it and those around it use an earlier one
      outer.pointee.isOld = true
      user = outer
    }
    if let user { user.pointee.letsGo = true } else { old.dispose() }
  }
}
