// A CBLAS library named at run time, for the products that a device would otherwise leave to its own kernels or OpenBLAS.

internal import CKernels
import Synchronization

/// Why a library cannot be used, in words.
package struct CBLASError: Error, Equatable {
    package let message: String
}

/// A CBLAS library with 32-bit sizes (MKL, BLIS, another OpenBLAS), made to use one thread a call.
@safe package struct CBLAS: @unchecked Sendable {
    // Immutable and never freed, of a library that is never closed: safe to share between threads.
    internal let library: UnsafePointer<ck_cblas>

    /// Opens the library of that path, or of that name where the dynamic linker finds it, and tries it on products.
    /// - Throws: `CBLASError` for what is no library, has no `cblas_sgemm`, or multiplies wrongly.
    package init(_ path: String) throws(CBLASError) {
        var error: UnsafePointer<CChar>? = nil
        guard let opened = unsafe ck_cblas_load(path, &error) else {
            throw CBLASError(message: unsafe error.map { unsafe String(cString: $0) } ?? "it cannot be opened")
        }
        unsafe library = opened
    }

    /// Of the file that was opened.
    package var path: String { unsafe String(cString: library.pointee.path) }
    /// What the library says of itself.
    package var version: String { unsafe String(cString: library.pointee.version) }
}

extension Device {
    private static let named = Mutex<(library: CBLAS?, isRead: Bool)>((nil, false))

    /// Makes `cpu` compute the products of dense layers by this library. Loss and attention, which use parts of products
    /// while they are in a cache, keep their own kernels.
    /// - Precondition: nobody has used `cpu` yet.
    package static func use(_ library: CBLAS) {
        named.withLock {
            precondition(!$0.isRead, "a CBLAS is named before the device is first used")
            $0.library = library
        }
    }

    /// What `use` named; from now on it cannot be changed.
    internal static func namedLibrary() -> CBLAS? {
        named.withLock {
            $0.isRead = true
            return $0.library
        }
    }
}
