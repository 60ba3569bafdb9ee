// The AVX-512 variant: the vector kernels at 16 lanes, compiled for these features whatever the build's own target is.
#if defined(__x86_64__)

#include <immintrin.h>

#include "ckernels.h"
#include "variants.h"

#define CK_LANES 16
#define CK_BF16 0

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"))), \
                             apply_to = function)
#include "../vector/kernels.h"
#pragma clang attribute pop

const ck_ops ck_ops_avx512 = CK_VECTOR_OPS;

#else
typedef int ck_no_avx512;  // a translation unit may not be empty
#endif
