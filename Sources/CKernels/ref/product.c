// Reference: a matrix product, one element at a time, summed in double.
#include "ref.h"

void ck_ref_matmul(float *restrict c, const float *a, const float *b, const float *bias, size_t m, size_t n, size_t k,
                   bool transpose_a, bool transpose_b, float alpha, float beta, size_t lda, size_t ldb, size_t ldc) {
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t p = 0; p < k; p++)
                sum += (double)a[transpose_a ? p * lda + i : i * lda + p] * b[transpose_b ? j * ldb + p : p * ldb + j];
            double old = beta == 0 ? (bias ? bias[j] : 0) : (double)beta * c[i * ldc + j];
            c[i * ldc + j] = (float)(alpha * sum + old);
        }
}
