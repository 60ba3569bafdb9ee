// Vector matrix products. op(B) is packed block by block into panels two vectors wide, which then stream from the L2
// cache; a panel of rows of op(A) stays in the L1 cache while it meets every panel of B. A tile of C lives in registers.
//
// Every element of C is a sum over packed elements in ascending order of k, cut into chunks whose number and borders
// depend on K alone; a chunk is summed from zero (in fp32 by fused multiply-adds) and then added to C. So the bits of an
// element depend on its own row and column and on K, never on the rows or columns computed beside it.
//
// A packed element is a factor, or, where CK_BF16 is set, two factors of consecutive k, rounded to bf16 (to nearest, ties
// to even; subnormal factors count as 0): a sum then adds two products at a time, in fp32 (VDPBF16PS, Intel 64 and IA-32
// Architectures Software Developer's Manual, volume 2). Rows of A are then packed always; C stays fp32.
#ifndef CK_PRODUCT_H
#define CK_PRODUCT_H

#include "simd.h"

enum {
    TILE_ROWS = CK_LANES == 16 ? 14 : 6,  // as many accumulators as registers allow beside B and a row's element
    TILE_COLUMNS = 2 * CK_LANES,
    CHUNK = 512,                           // most packed elements of one chunk of a sum
    BLOCK_COLUMNS = 256,                   // columns of B packed at once: with CHUNK half of a 1 MB L2 cache
    GROUP_PANELS = 4,                      // panels of a transposed A packed at once: an eighth of it
    FACTORS = CK_BF16 ? 2 : 1,             // of a packed element
};

// Packed elements of a sum of k products; what an odd k leaves free is 0.
CK_INLINE size_t v_depth(size_t k) { return (k + FACTORS - 1) / FACTORS; }

// Packed elements of LANES sums: the factors of an even k, and of the next where two share an element.
CK_INLINE vf v_join(vf even, vf odd) {
#if CK_BF16
    typedef __attribute__((ext_vector_type(32))) uint16_t halves;
    halves both = (halves)_mm512_cvtne2ps_pbh((__m512)odd, (__m512)even);
    return (vf)__builtin_shufflevector(both, both, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25,
                                       10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#else
    (void)odd;
    return even;
#endif
}

// LANES packed elements of one sum: FACTORS * LANES consecutive floats, of which only the first `count` are read.
CK_INLINE vf v_take(const float *x, size_t count) {
#if CK_BF16
    vf low = v_get(x, count < LANES ? count : 0), high = v_set(0.0f);
    if (count > LANES) high = v_get(x + LANES, count < 2 * LANES ? count - LANES : 0);
    return (vf)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
#else
    return v_get(x, count < LANES ? count : 0);
#endif
}

// sum + a * b over the factors of each lane.
CK_INLINE vf v_multiply_add(vf a, vf b, vf sum) {
#if CK_BF16
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
    return v_fma(a, b, sum);
#endif
}

// One tile: c (rows, columns) = old + alpha * a (rows, depth) * b (depth, columns), b packed TILE_COLUMNS wide.
// The packed element (r, i) of a is a[r * row_step + i * step]. `old` is NULL, C itself (old_step ldc), or a row that every
// row of C begins with (old_step 0).
CK_INLINE void v_tile(float *c, size_t ldc, const float *old, size_t old_step, const float *restrict a, size_t row_step,
                      size_t step, const float *restrict b, size_t depth, float alpha, size_t columns, const size_t rows,
                      const size_t vectors) {
    vf sums[TILE_ROWS][2];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) sums[r][0] = sums[r][1] = v_set(0.0f);
    for (size_t i = 0; i < depth; i++) {
        vf b0 = v_get(b, 0), b1 = vectors > 1 ? v_get(b + LANES, 0) : b0;
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) {
            vf x = v_set(a[r * row_step]);
            sums[r][0] = v_multiply_add(x, b0, sums[r][0]);
            if (vectors > 1) sums[r][1] = v_multiply_add(x, b1, sums[r][1]);
        }
        a += step;
        b += TILE_COLUMNS;
    }
    size_t last = columns - (vectors - 1) * LANES, tail = last < LANES ? last : 0;
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) {
            size_t part = v + 1 == vectors ? tail : 0;
            vf sum = alpha * sums[r][v];
            v_put(c + r * ldc + v * LANES, old ? v_get(old + r * old_step + v * LANES, part) + sum : sum, part);
        }
    }
}

typedef void v_tile_fn(float *c, size_t ldc, const float *old, size_t old_step, const float *restrict a,
                       size_t row_step, const float *restrict b, size_t depth, float alpha, size_t columns);

// One function a height, for rows of A packed LANES apart and for rows read in place.
#define CK_TILE(rows)                                                                                             \
    static void v_packed_##rows(float *c, size_t ldc, const float *old, size_t old_step, const float *restrict a, \
                                size_t row_step, const float *restrict b, size_t depth, float alpha, size_t columns) { \
        (void)row_step;                                                                                           \
        if (columns > LANES) v_tile(c, ldc, old, old_step, a, 1, LANES, b, depth, alpha, columns, rows, 2);           \
        else v_tile(c, ldc, old, old_step, a, 1, LANES, b, depth, alpha, columns, rows, 1);                           \
    }                                                                                                             \
    static void v_in_place_##rows(float *c, size_t ldc, const float *old, size_t old_step,                        \
                                  const float *restrict a, size_t row_step, const float *restrict b, size_t depth,    \
                                  float alpha, size_t columns) {                                                  \
        if (columns > LANES) v_tile(c, ldc, old, old_step, a, row_step, 1, b, depth, alpha, columns, rows, 2);        \
        else v_tile(c, ldc, old, old_step, a, row_step, 1, b, depth, alpha, columns, rows, 1);                        \
    }
CK_TILE(1)
CK_TILE(2)
CK_TILE(3)
CK_TILE(4)
CK_TILE(5)
CK_TILE(6)
#if CK_LANES == 16
CK_TILE(7)
CK_TILE(8)
CK_TILE(9)
CK_TILE(10)
CK_TILE(11)
CK_TILE(12)
CK_TILE(13)
CK_TILE(14)
#endif
#undef CK_TILE

#if CK_LANES == 16
#define CK_TILES(kind)                                                                                       \
    {v_##kind##_1, v_##kind##_2, v_##kind##_3,  v_##kind##_4,  v_##kind##_5,  v_##kind##_6,  v_##kind##_7, \
     v_##kind##_8, v_##kind##_9, v_##kind##_10, v_##kind##_11, v_##kind##_12, v_##kind##_13, v_##kind##_14}
#else
#define CK_TILES(kind) {v_##kind##_1, v_##kind##_2, v_##kind##_3, v_##kind##_4, v_##kind##_5, v_##kind##_6}
#endif
static v_tile_fn *const v_packed_tiles[TILE_ROWS] = CK_TILES(packed);
static v_tile_fn *const v_in_place_tiles[TILE_ROWS] = CK_TILES(in_place);
#undef CK_TILES

// LANES rows of LANES to columns: log2(LANES) perfect shuffles.
CK_INLINE void v_transpose(vf *restrict rows) {
    vf next[LANES];
#pragma clang loop unroll(full)
    for (size_t width = 1; width < LANES; width *= 2) {
#pragma clang loop unroll(full)
        for (size_t i = 0; i < LANES / 2; i++) {
            vf a = rows[i], b = rows[i + LANES / 2];
#if CK_LANES == 16
            next[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * i + 1] =
                __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#else
            next[2 * i] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
            next[2 * i + 1] = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#endif
        }
#pragma clang loop unroll(full)
        for (size_t i = 0; i < LANES; i++) rows[i] = next[i];
    }
}

// out[i * width + r] = element i of row r of x, for r < rows <= LANES, i < v_depth(k); lanes past `rows` are 0.
static void v_pack_transposed(float *restrict out, size_t width, const float *x, size_t ld, size_t rows, size_t k) {
    vf block[LANES];
    for (size_t i = 0; i < k; i += FACTORS * LANES) {
        size_t count = v_depth(k - i) < LANES ? v_depth(k - i) : LANES;
#pragma clang loop unroll(full)
        for (size_t r = 0; r < LANES; r++) block[r] = r < rows ? v_take(x + r * ld + i, k - i) : v_set(0.0f);
        v_transpose(block);
        for (size_t j = 0; j < count; j++) v_put(out + (i / FACTORS + j) * width, block[j], 0);
    }
}

// Row i of x, which has k rows; zeros past them.
CK_INLINE vf v_row(const float *x, size_t ld, size_t i, size_t k, size_t tail) {
    return i < k ? v_get(x + i * ld, tail) : v_set(0.0f);
}

// out[i * width + r] = element i of column r of x, for r < columns <= LANES, i < v_depth(k); lanes past `columns` are 0.
static void v_pack_straight(float *restrict out, size_t width, const float *x, size_t ld, size_t columns, size_t k) {
    size_t tail = columns < LANES ? columns : 0;
    for (size_t i = 0; i < k; i += FACTORS)
        v_put(out + i / FACTORS * width, v_join(v_row(x, ld, i, k, tail), v_row(x, ld, i + 1, k, tail)), 0);
}

// Panels of TILE_ROWS columns of x, as v_pack_straight leaves each, CHUNK * LANES floats apart: column r of panel p is
// column p * TILE_ROWS + r of x. Rows lie far apart and a cache line holds columns of two panels, so all panels of a group
// are taken from a row at once, and rows are asked for ahead.
static void v_pack_group(float *restrict out, const float *x, size_t ld, size_t columns, size_t k) {
    const size_t ahead = 8;
    for (size_t i = 0; i < k; i += FACTORS) {
        for (size_t next = i + ahead; next < i + ahead + FACTORS && next < k; next++)
            for (size_t j = 0; j < columns; j += LANES) __builtin_prefetch(x + next * ld + j);
        float *panel = out + i / FACTORS * LANES;
        for (size_t j = 0; j < columns; j += TILE_ROWS, panel += CHUNK * LANES) {
            size_t tail = columns - j < LANES ? columns - j : 0;
            v_put(panel, v_join(v_row(x + j, ld, i, k, tail), v_row(x + j, ld, i + 1, k, tail)), 0);
        }
    }
}

// Columns first ..< first + columns and rows k0 ..< k0 + k of op(B), as panels of v_depth(k) * TILE_COLUMNS floats. Rows
// are read from end to end, which the hardware fetches ahead.
static void v_pack_block(float *restrict out, const float *b, size_t ldb, bool transposed, size_t first,
                         size_t columns, size_t k0, size_t k) {
    size_t depth = v_depth(k);
    if (transposed) {
        for (size_t j = 0; j < columns; j += LANES) {
            size_t count = columns - j < LANES ? columns - j : LANES;
            float *panel = out + j / TILE_COLUMNS * TILE_COLUMNS * depth + j % TILE_COLUMNS;
            v_pack_transposed(panel, TILE_COLUMNS, b + (first + j) * ldb + k0, ldb, count, k);
        }
        return;
    }
    for (size_t i = 0; i < k; i += FACTORS) {
        const float *rows = b + k0 * ldb + first;
        CK_EACH(j, columns, {
            v_put(out + j / TILE_COLUMNS * TILE_COLUMNS * depth + i / FACTORS * TILE_COLUMNS + j % TILE_COLUMNS,
                  v_join(v_row(rows + j, ldb, i, k, tail), v_row(rows + j, ldb, i + 1, k, tail)), 0);
        });
    }
}

// Floats that columns (of sums of length k) take when packed.
CK_INLINE size_t v_packed_count(size_t columns, size_t k) {
    return (columns + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS * v_depth(k);
}

// c (rows, columns) = old + alpha * a * b for rows <= TILE_ROWS and sums of length k, b as v_pack_block leaves it.
// row_step 0: a is packed as v_pack_straight does it.
CK_INLINE void v_row_panel(float *c, size_t ldc, const float *old, size_t old_step, const float *a, size_t row_step,
                           const float *b, size_t k, float alpha, size_t rows, size_t columns) {
    v_tile_fn *tile = row_step ? v_in_place_tiles[rows - 1] : v_packed_tiles[rows - 1];
    size_t depth = v_depth(k);
    for (size_t j = 0; j < columns; j += TILE_COLUMNS) {
        // The tile writes C at its end; asked for now, its lines are there by then.
        for (size_t r = 0; r < rows; r++)
            for (size_t v = 0; v < TILE_COLUMNS; v += LANES) __builtin_prefetch(c + r * ldc + j + v, 1);
        tile(c + j, ldc, old ? old + j : old, old_step, a, row_step, b + j * depth, depth, alpha,
             columns - j < TILE_COLUMNS ? columns - j : TILE_COLUMNS);
    }
}

// Rows of A may be read where they lie unless they fall on the same sets of the L1 cache.
CK_INLINE bool v_rows_collide(size_t lda) { return lda % 1024 == 0; }

// Floats that v_rows may pack into.
CK_INLINE size_t v_rows_count(size_t k) { return LANES * (CK_BF16 ? v_depth(k) + LANES : k); }

// Rows of a matrix as v_row_panel takes them: packed into `packed`, or left where they lie.
CK_INLINE const float *v_rows(float *restrict packed, const float *x, size_t ld, size_t rows, size_t k,
                              size_t *row_step) {
#if CK_BF16
    // One after another, a cache line and more apart.
    *row_step = (v_depth(k) + LANES - 1) / LANES * LANES;
    if (*row_step % 64 == 0) *row_step += LANES;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < k; i += FACTORS * LANES)
            v_put(packed + r * *row_step + i / FACTORS, v_take(x + r * ld + i, k - i), 0);
    return packed;
#else
    *row_step = v_rows_collide(ld) ? 0 : ld;
    if (*row_step) return x;
    v_pack_transposed(packed, LANES, x, ld, rows, k);
    return packed;
#endif
}

static void v_matmul(float *restrict c, const float *a, const float *b, const float *bias, size_t m, size_t n, size_t k,
                     bool transpose_a, bool transpose_b, float alpha, float beta, size_t lda, size_t ldb, size_t ldc) {
    _Alignas(64) float block[CHUNK * BLOCK_COLUMNS], rows_of_a[GROUP_PANELS * CHUNK * LANES];
    size_t depth = v_depth(k), chunks = k == 0 ? 1 : (depth + CHUNK - 1) / CHUNK;
    if (beta != 0.0f && beta != 1.0f)
        for (size_t i = 0; i < m; i++) CK_EACH(j, n, v_put(c + i * ldc + j, v_get(c + i * ldc + j, tail) * beta, tail););
    for (size_t first = 0; first < n; first += BLOCK_COLUMNS) {
        size_t columns = n - first < BLOCK_COLUMNS ? n - first : BLOCK_COLUMNS;
        for (size_t chunk = 0; chunk < chunks; chunk++) {
            size_t begin = depth * chunk / chunks * FACTORS, end = depth * (chunk + 1) / chunks * FACTORS;
            size_t count = (end < k ? end : k) - begin;
            bool adds = chunk > 0 || beta != 0.0f;
            v_pack_block(block, b, ldb, transpose_b, first, columns, begin, count);
            for (size_t i = 0; i < m; i += TILE_ROWS) {
                size_t rows = m - i < TILE_ROWS ? m - i : TILE_ROWS, row_step = 0;
                const float *panel = rows_of_a;
                if (transpose_a) {
                    size_t member = i / TILE_ROWS % GROUP_PANELS, most = GROUP_PANELS * TILE_ROWS;
                    if (member == 0)
                        v_pack_group(rows_of_a, a + begin * lda + i, lda, m - i < most ? m - i : most, count);
                    panel += member * CHUNK * LANES;
                } else panel = v_rows(rows_of_a, a + i * lda + begin, lda, rows, count, &row_step);
                float *out = c + i * ldc + first;
                const float *old = adds ? out : bias ? bias + first : NULL;
                v_row_panel(out, ldc, old, adds ? ldc : 0, panel, row_step, block, count, alpha, rows, columns);
            }
        }
    }
}

#endif
