// Version.swift - toy, to be replaced.
import CRondo

@_cdecl("rondo_version") @implementation
public func rondo_version() -> UInt32 { 0x000100 }
