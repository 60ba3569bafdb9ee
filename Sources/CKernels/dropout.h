// The hash behind every dropout mask, in scalar form. The vector form in vector/random.h is the same arithmetic on
// 32-bit lanes, so that all variants make the same masks.
//
// A row gets 64 bits, key = mix64(seed + mix64(row)) (mix64: the finaliser of SplitMix64). Then for each column
//   x = low(key) + column * 0x9e3779b9;  x ^= x >> 16;  x *= 0x21f0aaad;  x += high(key);
//   x ^= x >> 15;  x *= 0xd35a2d97
// (multipliers of a low-bias 32-bit mixer found by C. Wellons' hash prospector). Only `x >= threshold` is asked,
// so the high bits, the well-mixed ones, decide.
#ifndef CK_DROPOUT_H
#define CK_DROPOUT_H

#include "ckernels.h"

enum { CK_HASH_STEP = (int)0x9e3779b9, CK_HASH_1 = 0x21f0aaad, CK_HASH_2 = (int)0xd35a2d97 };

static inline uint64_t ck_mix64(uint64_t z) {
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline uint64_t ck_row_key(uint64_t seed, uint64_t row) { return ck_mix64(seed + ck_mix64(row)); }

static inline uint32_t ck_hash(uint64_t key, uint32_t column) {
    uint32_t x = (uint32_t)key + column * (uint32_t)CK_HASH_STEP;
    x ^= x >> 16;
    x *= (uint32_t)CK_HASH_1;
    x += (uint32_t)(key >> 32);
    x ^= x >> 15;
    return x * (uint32_t)CK_HASH_2;
}

// What element (row of `key`, column) is multiplied by.
static inline float ck_keep(ck_dropout d, uint64_t key, uint32_t column) {
    return ck_hash(key, column) >= d.threshold ? d.scale : 0.0f;
}

// The row number of an attention probability: unique by head and row of the slice.
static inline uint64_t ck_attention_row(size_t head, size_t row) { return ((uint64_t)head << 40) | row; }

#endif
