// swift-tools-version: 6.2
import PackageDescription

// Rooms and the doors between them: docs/architecture.md says why each arrow is here.
// `make lint` builds with `--explicit-target-dependency-import-check error`, so an undeclared import fails.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/System/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests", swiftSettings: strict)
}

let package = Package(
    name: "linkloom",
    products: [.executable(name: "linkloom", targets: ["linkloom"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        system("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
        system("CArchive", pkgConfig: "libarchive", apt: "libarchive-dev"),
        system("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
        .systemLibrary(name: "CMalloc", path: "Sources/System/CMalloc"),
        system("COpenBLAS", pkgConfig: "openblas", apt: "libopenblas-dev"),

        .target(
            name: "CKernels", dependencies: ["COpenBLAS"],
            cSettings: [
                .unsafeFlags(["-O2"], .when(configuration: .debug)),
                .unsafeFlags(["-O3", "-fno-math-errno", "-Wall", "-Wextra", "-Werror"]),
            ]),
        .target(
            name: "Kernels", dependencies: ["CKernels"],
            swiftSettings: strict + [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]),
        .target(name: "Container", dependencies: ["CZstd", "CCrypto"], swiftSettings: strict),
        .target(name: "Transformer", dependencies: ["Kernels", "Container"], swiftSettings: strict),
        .target(name: "Text", dependencies: ["CArchive"], swiftSettings: strict),
        .target(name: "Corpus", dependencies: ["Container"], swiftSettings: strict),
        .target(name: "Pipeline", dependencies: ["CYAML", "Container"], swiftSettings: strict),
        .target(
            name: "Stages", dependencies: ["Pipeline", "Text", "Corpus", "Transformer", "Container"],
            swiftSettings: strict),
        .target(
            name: "Runner", dependencies: ["Pipeline", "Container", "CMalloc", argumentParser], swiftSettings: strict),
        .executableTarget(
            name: "linkloom", dependencies: ["Runner", "Stages", argumentParser], swiftSettings: strict),

        .target(name: "CAllocations", path: "Tests/CAllocations"),
        .target(name: "Fuzzing", path: "Tests/Fuzzing", swiftSettings: strict),
        tests("Container", ["Container"]),
        tests("Pipeline", ["Pipeline", "Container"]),
        tests("Text", ["Text", "CArchive", "Fuzzing"]),
        tests("Corpus", ["Corpus", "Container"]),
        tests("Kernels", ["Kernels", "CKernels"]),
        tests("Transformer", ["Transformer", "Kernels", "Container", "CAllocations", "Fuzzing"]),
        tests("Stages", ["Stages", "Pipeline", "Corpus", "Transformer", "Text", "Container"]),
        tests("Runner", ["Runner", "Pipeline", "Container"]),
        tests("EndToEnd", ["Corpus", "Container", "linkloom"]),
    ],
    cLanguageStandard: .c11
)
