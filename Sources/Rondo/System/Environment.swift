// Environment.swift - the RONDO_ variables, by which a person at the keyboard asks a program for more.
//
// A program that has rights which its caller lacks (set-user-ID, set-group-ID, file capabilities) is not asked:
// else the caller could abort it, or have it write what it keeps to itself. glibc knows (AT_SECURE) and tells NULL.
//
// Knows: the shim. Does not know: what a variable means.

import CRondoShim

enum Environment {
  static func value(of name: StaticString) -> UnsafeMutablePointer<CChar>? {
    secure_getenv(literal(name))
  }
}
