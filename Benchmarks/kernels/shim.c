// One matrix product of ours and of OpenBLAS behind plain symbols, for mkl.py.
#include <stdbool.h>
#include <stddef.h>

#include "ckernels.h"

/// c (m, n) = op(a) · op(b), row-major, op a transposition or nothing; one thread.
void linkloom_product(float *c, const float *a, const float *b, size_t m, size_t n, size_t k, bool ta, bool tb) {
    ck_ops_for(ck_preferred_variant())->matmul(c, a, b, NULL, m, n, k, ta, tb, 1, 0, ta ? m : k, tb ? k : n, n);
}

void openblas_product(float *c, const float *a, const float *b, size_t m, size_t n, size_t k, bool ta, bool tb) {
    ck_blas_matmul(c, a, b, NULL, m, n, k, ta, tb, 1, 0, ta ? m : k, tb ? k : n, n);
}
