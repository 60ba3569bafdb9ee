#include "../ref/ref.h"
#include "variants.h"
#if defined(__x86_64__)
const ck_ops ck_ops_avx512 = {
    .map_exp = ck_ref_map_exp, .map_erf = ck_ref_map_erf, .map_tanh = ck_ref_map_tanh,
#define CK_ENTRY(name) .name = ck_ref_##name,
    CK_KERNELS(CK_ENTRY)
#undef CK_ENTRY
};
#endif
