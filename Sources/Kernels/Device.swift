// Where the model's arithmetic runs. A `Device` value is a kernel variant of this CPU; its operations stand in the
// extensions beside this file. Only this room knows the hardware.

internal import CKernels

/// A set of kernels and the memory they work on. All operations are synchronous, run on the calling thread, allocate
/// nothing and may be called from several threads at once on disjoint outputs.
///
/// Shapes are row-major; letters: N rows (tokens laid end to end), C hidden size, V vocabulary. Parameter gradients are
/// added to, activation gradients are written. A view may be longer than the shape says: its head is used.
/// Repeating a call with the same variant and BLAS build repeats its bits, whatever the number of threads.
@safe package struct Device: @unchecked Sendable {
    /// How an operation is computed.
    package enum Variant: String, Sendable, CaseIterable {
        /// Scalar loops, sums in double: slow, and the oracle of the tests.
        case reference
        case avx2
        case avx512
        /// As `avx512`, but that all products, those of attention and of the vocabulary too, round their factors to bf16.
        /// They add in fp32.
        case avx512BF16 = "avx512-bf16"

        internal var code: ck_variant {
            switch self {
            case .reference: CK_REFERENCE
            case .avx2: CK_AVX2
            case .avx512: CK_AVX512
            case .avx512BF16: CK_AVX512_BF16
            }
        }

        package var precision: Precision { self == .avx512BF16 ? .bf16 : .fp32 }
    }

    /// What the factors of products are rounded to. Everything else is fp32.
    package enum Precision: String, Sendable, CaseIterable { case fp32, bf16 }

    package let variant: Variant
    // A constant table of the C room, immutable and never freed: safe to share between threads.
    internal let kernels: ck_ops
    // Products with longer sums are OpenBLAS's.
    internal let ownProductLimit: Int
    /// The library of all products of dense layers, where one was named.
    package let cblas: CBLAS?

    /// The variant that the committed table of CPU kinds names for this machine, with the library given to `use`.
    package static let cpu: Device = {
        let code = ck_preferred_variant()
        let variant = Variant.allCases.first { $0.code == code } ?? .reference
        let named = namedLibrary()
        guard let device = cpu(variant: variant, ownProductLimit: ck_own_product_limit(), cblas: named) else {
            preconditionFailure("this CPU cannot run \(variant)")
        }
        return device
    }()

    /// This machine's device of that precision; nil where its CPU has no instructions for it. In bf16 all products are our
    /// own.
    package static func cpu(_ precision: Precision) -> Device? {
        switch precision {
        case .fp32: cpu
        case .bf16: cpu(variant: .avx512BF16)
        }
    }

    /// A given variant, for tests and comparisons; nil where this CPU cannot run it.
    /// - Parameters:
    ///   - ownProductLimit: matrix products with longer sums are left to OpenBLAS.
    ///   - cblas: a library for all matrix products instead.
    package static func cpu(variant: Variant, ownProductLimit: Int = .max, cblas: CBLAS? = nil) -> Device? {
        _ = singleThreadedBLAS
        guard let table = unsafe ck_ops_for(variant.code) else { return nil }
        return unsafe Device(variant: variant, kernels: table.pointee, ownProductLimit: ownProductLimit, cblas: cblas)
    }

    // OpenBLAS's thread count belongs to the process; a static makes the call happen once, before any product.
    private static let singleThreadedBLAS: Void = ck_blas_single_threaded()

    /// By vendor, family and model, e.g. `amd-zen4`, `intel-icelake-server`, or `generic-x86-64-v3`.
    package var cpuKind: String { unsafe String(cString: ck_cpu_kind()) }
    package var kernelVariant: String { variant.rawValue }
    package var precision: Precision { variant.precision }
    /// What computes matrix products: `own-1` (the order of summation has changed once for every number), `openblas`,
    /// or the first up to a length of the sum and the second beyond; `cblas` where a library was named.
    package var products: String {
        if cblas != nil { return "cblas" }
        return switch ownProductLimit {
        case .max: "own-1"
        case ...0: "openblas"
        default: "own-1 to \(ownProductLimit), then openblas"
        }
    }
    /// The version of the library that was named, else OpenBLAS's with its build options.
    package var blas: String { cblas?.version ?? Self.openBLAS }

    // OpenBLAS writes this text into one buffer of the process at every call.
    private static let openBLAS = unsafe String(cString: ck_blas_config())
}

// What every operation checks: a view holds at least the floats its shape needs.
internal func require(
    _ view: FloatView, _ needed: Int, _ name: StaticString, _ operation: StaticString = #function
) {
    precondition(view.count >= needed, "\(operation): \(name) has \(view.count) floats, its shape needs \(needed)")
}

// The same of a view of indices that is written.
internal func require(
    _ view: IndexView, _ needed: Int, _ name: StaticString, _ operation: StaticString = #function
) {
    precondition(view.count >= needed, "\(operation): \(name) has \(view.count) values, its shape needs \(needed)")
}

// … and a view of indices that is read holds at least `n`, all in 0 ..< bound, so that no kernel reads outside its buffers.
internal func require(
    _ view: IndexView, _ n: Int, below bound: Int, _ name: StaticString, _ operation: StaticString = #function
) {
    precondition(view.count >= n, "\(operation): \(name) has \(view.count) values, its shape needs \(n)")
    precondition(view.isBelow(bound, first: n), "\(operation): \(name) holds a value outside 0 ..< \(bound)")
}
