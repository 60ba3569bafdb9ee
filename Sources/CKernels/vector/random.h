// The hash of dropout.h on vectors: consecutive columns of one row, the same arithmetic, so the same masks.
#ifndef CK_RANDOM_H
#define CK_RANDOM_H

#include "../dropout.h"
#include "simd.h"

typedef struct {
    vu counter;  // low(key) + column * step for the next LANES columns
    vu high;
} v_stream;

CK_INLINE v_stream v_stream_at(uint64_t key, uint32_t column) {
    vu lanes = (vu)v_lane() + column;
    return (v_stream){lanes * (uint32_t)CK_HASH_STEP + (uint32_t)key, (vu)(uint32_t)(key >> 32)};
}

// x dropped out, for the stream's next LANES columns.
CK_INLINE vf v_drop(vf x, v_stream *s, ck_dropout d) {
    vu h = s->counter;
    s->counter += LANES * (uint32_t)CK_HASH_STEP;
    h ^= h >> 16;
    h *= (uint32_t)CK_HASH_1;
    h += s->high;
    h ^= h >> 15;
    h *= (uint32_t)CK_HASH_2;
    return h >= d.threshold ? x * d.scale : v_set(0.0f);
}

#endif
