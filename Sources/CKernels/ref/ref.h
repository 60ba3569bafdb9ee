// The reference variant: obvious scalar loops, the oracle that the vector variants are tested against.
#ifndef CK_REF_H
#define CK_REF_H

#include "../dropout.h"

ck_map_fn ck_ref_map_exp, ck_ref_map_erf, ck_ref_map_tanh;
#define CK_DECLARE(name) ck_##name##_fn ck_ref_##name;
CK_KERNELS(CK_DECLARE)
#undef CK_DECLARE

#endif
