// The AVX-512 variant whose products take bf16 factors, two at a time, and add in fp32; all else is as in AVX-512.
#if defined(__x86_64__)

#include <immintrin.h>

#include "ckernels.h"
#include "variants.h"

#define CK_LANES 16
#define CK_BF16 1

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), \
                             apply_to = function)
#include "../vector/kernels.h"
#pragma clang attribute pop

const ck_ops ck_ops_avx512_bf16 = CK_VECTOR_OPS;

#else
typedef int ck_no_avx512_bf16;  // a translation unit may not be empty
#endif
