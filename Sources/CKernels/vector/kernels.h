// All vector kernels at one width, and their table. Included once by each file of x86/, inside its target attribute.
#ifndef CK_VECTOR_KERNELS_H
#define CK_VECTOR_KERNELS_H

#include "activations.h"
#include "attention.h"
#include "loss.h"
#include "math.h"
#include "norm.h"
#include "optimizer.h"
#include "product.h"
#include "rows.h"
#include "vocabulary.h"

#define CK_VECTOR_ENTRY(name) .name = v_##name,
#define CK_VECTOR_OPS \
    {.map_exp = v_map_exp, .map_erf = v_map_erf, .map_tanh = v_map_tanh, CK_KERNELS(CK_VECTOR_ENTRY)}

#endif
