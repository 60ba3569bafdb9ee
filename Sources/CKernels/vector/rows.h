// Vector kernels on whole rows: embeddings, gather and scatter, bias and column sums.
#ifndef CK_ROWS_H
#define CK_ROWS_H

#include "simd.h"

static void v_embedding_forward(float *restrict out, const float *word, const float *position, const float *type,
                                const int32_t *ids, const int32_t *positions, const int32_t *types, size_t N,
                                size_t C) {
    for (size_t i = 0; i < N; i++) {
        const float *w = word + (size_t)ids[i] * C, *p = position + (size_t)positions[i] * C;
        const float *t = type + (size_t)types[i] * C;
        float *o = out + i * C;
        CK_EACH(c, C, v_put(o + c, v_get(w + c, tail) + v_get(p + c, tail) + v_get(t + c, tail), tail););
    }
}

CK_INLINE void v_add_row(float *restrict dst, const float *src, size_t C) {
    CK_EACH(c, C, v_put(dst + c, v_get(dst + c, tail) + v_get(src + c, tail), tail););
}

static void v_gather_rows(float *restrict out, const float *inp, const int32_t *rows, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++) __builtin_memcpy(out + i * C, inp + (size_t)rows[i] * C, C * sizeof(float));
}

static void v_scatter_add_rows(float *restrict d_inp, const float *d_out, const int32_t *rows, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++) v_add_row(d_inp + (size_t)rows[i] * C, d_out + i * C, C);
}

static void v_add_bias(float *restrict x, const float *bias, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++) v_add_row(x + i * C, bias, C);
}

// Four rows at a time: a quarter of the traffic on d_bias, the same order of additions.
static void v_sum_rows(float *restrict d_bias, const float *x, size_t N, size_t C) {
    size_t i = 0;
    for (; i + 4 <= N; i += 4) {
        const float *r = x + i * C;
        CK_EACH(c, C, {
            vf sum = v_get(d_bias + c, tail) + v_get(r + c, tail);
            sum += v_get(r + C + c, tail);
            sum += v_get(r + 2 * C + c, tail);
            sum += v_get(r + 3 * C + c, tail);
            v_put(d_bias + c, sum, tail);
        });
    }
    for (; i < N; i++) v_add_row(d_bias, x + i * C, C);
}

#endif
