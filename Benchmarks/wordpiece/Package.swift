// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the product pays nothing. `Sources/Text` is a link to the WordPiece folder of the room
// itself: its API is for its own package only.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "wordpiece-benchmark",
    targets: [
        .target(name: "Text", path: "Sources/Text", swiftSettings: strict),
        .executableTarget(
            name: "wordpiece-benchmark", dependencies: ["Text"], path: "Sources/wordpiece-benchmark",
            swiftSettings: strict),
    ])
