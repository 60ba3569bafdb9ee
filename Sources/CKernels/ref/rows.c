// Reference: embeddings, row gather and scatter, bias and column sums.
#include "ref.h"

void ck_ref_embedding_forward(float *restrict out, const float *word, const float *position, const float *type,
                              const int32_t *ids, const int32_t *positions, const int32_t *types, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++) {
        const float *w = word + (size_t)ids[i] * C, *p = position + (size_t)positions[i] * C;
        const float *t = type + (size_t)types[i] * C;
        for (size_t c = 0; c < C; c++) out[i * C + c] = w[c] + p[c] + t[c];
    }
}

void ck_ref_gather_rows(float *restrict out, const float *inp, const int32_t *rows, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < C; c++) out[i * C + c] = inp[(size_t)rows[i] * C + c];
}

void ck_ref_scatter_add_rows(float *restrict d_inp, const float *d_out, const int32_t *rows, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < C; c++) d_inp[(size_t)rows[i] * C + c] += d_out[i * C + c];
}

void ck_ref_add_bias(float *restrict x, const float *bias, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < C; c++) x[i * C + c] += bias[c];
}

void ck_ref_sum_rows(float *restrict d_bias, const float *x, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < C; c++) d_bias[c] += x[i * C + c];
}
