// The one door to OpenBLAS.
#include <cblas.h>
#include <string.h>

#include "ckernels.h"

void ck_blas_single_threaded(void) { openblas_set_num_threads(1); }
const char *ck_blas_config(void) { return openblas_get_config(); }
const char *ck_blas_core(void) { return openblas_get_corename(); }

void ck_blas_matmul(float *c, const float *a, const float *b, const float *bias, size_t m, size_t n, size_t k,
                    bool transpose_a, bool transpose_b, float alpha, float beta, size_t lda, size_t ldb, size_t ldc) {
    if (m == 0 || n == 0) return;
    if (bias && beta == 0) {
        for (size_t i = 0; i < m; i++) memcpy(c + i * ldc, bias, n * sizeof(float));
        beta = 1;
    }
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
                (blasint)m, (blasint)n, (blasint)k, alpha, a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
}
