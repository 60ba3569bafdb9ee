// Reference: exp, erf, tanh of arrays (libm), GELU and tanh with their bias, dropout.
#include <math.h>

#include "ref.h"

void ck_ref_map_exp(float *out, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = expf(x[i]);
}

void ck_ref_map_erf(float *out, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = erff(x[i]);
}

void ck_ref_map_tanh(float *out, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = tanhf(x[i]);
}

void ck_ref_bias_gelu_forward(float *out, const float *x, const float *bias, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < C; c++) {
            float z = x[i * C + c] + bias[c];
            out[i * C + c] = 0.5f * z * (1.0f + erff(z * 0.70710678f));
        }
}

void ck_ref_bias_gelu_backward(float *d_x, float *restrict d_bias, float *restrict out, const float *d_out,
                               const float *x, const float *bias, size_t N, size_t C) {
    if (out) ck_ref_bias_gelu_forward(out, x, bias, N, C);
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < C; c++) {
            float z = x[i * C + c] + bias[c];
            float cdf = 0.5f * (1.0f + erff(z * 0.70710678f)), pdf = 0.39894228f * expf(-0.5f * z * z);
            float d = d_out[i * C + c] * (cdf + z * pdf);
            d_x[i * C + c] = d;
            d_bias[c] += d;
        }
}

void ck_ref_bias_tanh_forward(float *out, const float *x, const float *bias, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < C; c++) out[i * C + c] = tanhf(x[i * C + c] + bias[c]);
}

void ck_ref_bias_tanh_backward(float *d_x, float *restrict d_bias, const float *d_out, const float *out, size_t N,
                               size_t C) {
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < C; c++) {
            float y = out[i * C + c], d = d_out[i * C + c] * (1.0f - y * y);
            d_x[i * C + c] = d;
            d_bias[c] += d;
        }
}

void ck_ref_dropout_forward(float *out, const float *inp, size_t n, ck_dropout dropout) {
    for (size_t i = 0; i < n; i++)
        out[i] = inp[i] * ck_keep(dropout, ck_row_key(dropout.seed, (uint64_t)i >> 32), (uint32_t)i);
}
