// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the product pays nothing. `Sources/Text` is a link to the room itself: its API is for
// its own package only.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "mediawiki-benchmark",
    targets: [
        .systemLibrary(
            name: "CArchive", path: "Sources/CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .target(name: "Text", dependencies: ["CArchive"], path: "Sources/Text", swiftSettings: strict),
        .executableTarget(
            name: "mediawiki-benchmark", dependencies: ["Text"], path: "Sources/mediawiki-benchmark",
            swiftSettings: strict),
    ])
