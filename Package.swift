// swift-tools-version: 6.0
// The core once more, as ordinary Swift, for `swift build` and `swift test`: same sources, but
// exclusivity is checked and traps speak. What is shipped is the Embedded build of CMakeLists.txt.
import PackageDescription

// What the clang importer must know to read the shim's and rondo's headers, which say <rondo/...>.
let headers = Context.packageDirectory + "/include"
let imports: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-D_GNU_SOURCE", "-Xcc", "-I" + headers])]

let package = Package(
  name: "rondo",
  products: [.library(name: "Rondo", targets: ["Rondo"])],
  targets: [
    .systemLibrary(name: "CRondo", path: "include"),
    .target(
      name: "CRondoShim", path: "Sources/CRondoShim",
      cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-I" + headers])],
      linkerSettings: [.linkedLibrary("ffi")]),
    // Swift 5 mode: thread-local and lazy globals are guarded by the loop, not by an actor.
    .target(
      name: "Rondo", dependencies: ["CRondo", "CRondoShim"], path: "Sources/Rondo",
      swiftSettings: imports + [.swiftLanguageMode(.v5)]),
    .testTarget(
      name: "RondoTests", dependencies: ["Rondo"], path: "Tests/RondoTests",
      swiftSettings: imports + [.swiftLanguageMode(.v5)]),
  ]
)
