// The tables of the x86 variants; each is defined by one file of this folder.
#ifndef CK_VARIANTS_H
#define CK_VARIANTS_H

#include "ckernels.h"

#if defined(__x86_64__)
extern const ck_ops ck_ops_avx2, ck_ops_avx512, ck_ops_avx512_bf16;
#endif

#endif
