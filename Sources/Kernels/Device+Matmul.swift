// Matrix products on the calling thread: by the device's own kernel or by OpenBLAS, as the table of CPU kinds says, or by
// the library that was named.

internal import CKernels

extension Device {
    /// `C = alpha · op(A) · op(B) + beta · C + bias`; C is (m, n), op(A) (m, k), op(B) (k, n), all row-major.
    /// - Parameters: `lda`, `ldb`, `ldc`: floats from one stored row to the next; by default the rows are dense.
    ///   With beta 0 the old content of C is not read. `bias`: (n), added to every row; only with beta 0.
    ///
    /// An element's bits depend on its row of op(A), its column of op(B) and k, not on m, n or the number of threads.
    package func matmul(
        _ c: FloatView, _ a: FloatView, _ b: FloatView, bias: FloatView? = nil, m: Int, n: Int, k: Int,
        transposeA: Bool = false, transposeB: Bool = false, alpha: Float = 1, beta: Float = 0, lda: Int? = nil,
        ldb: Int? = nil,
        ldc: Int? = nil
    ) {
        precondition(m >= 0 && n >= 0 && k >= 0, "matmul: sizes \(m), \(n), \(k)")
        let (rowsA, widthA) = transposeA ? (k, m) : (m, k)
        let (rowsB, widthB) = transposeB ? (n, k) : (k, n)
        let (lda, ldb, ldc) = (lda ?? max(widthA, 1), ldb ?? max(widthB, 1), ldc ?? max(n, 1))
        precondition(
            lda >= widthA && ldb >= widthB && ldc >= n && min(lda, ldb, ldc) > 0,
            "matmul: leading dimensions \(lda), \(ldb), \(ldc) for rows of \(widthA), \(widthB), \(n)")
        precondition(max(m, n, k, lda, ldb, ldc) <= Int(Int32.max), "matmul: a size past 2³¹ − 1")
        precondition(bias == nil || beta == 0, "matmul: a bias beside beta \(beta)")
        if let bias { require(bias, n, "bias") }
        require(a, Self.extent(rowsA, widthA, lda), "A")
        require(b, Self.extent(rowsB, widthB, ldb), "B")
        require(c, Self.extent(m, n, ldc), "C")
        if let cblas {
            unsafe ck_cblas_matmul(
                cblas.library, c.pointer, a.pointer, b.pointer, bias?.pointer, m, n, k, transposeA, transposeB, alpha,
                beta, lda, ldb, ldc)
        } else if k <= ownProductLimit {
            unsafe kernels.matmul(
                c.pointer, a.pointer, b.pointer, bias?.pointer, m, n, k, transposeA, transposeB, alpha, beta, lda, ldb,
                ldc)
        } else {
            unsafe ck_blas_matmul(
                c.pointer, a.pointer, b.pointer, bias?.pointer, m, n, k, transposeA, transposeB, alpha, beta, lda, ldb,
                ldc)
        }
    }

    // Floats from the first to the last element of a strided matrix.
    private static func extent(_ rows: Int, _ width: Int, _ stride: Int) -> Int {
        rows == 0 || width == 0 ? 0 : (rows - 1) * stride + width
    }
}
