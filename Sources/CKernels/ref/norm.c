// Reference: layer normalisation, alone and fused with bias, dropout and residual. Sums in double.
#include <math.h>

#include "ref.h"

void ck_ref_layer_norm_forward(float *restrict out, float *restrict mean, float *restrict rstd, const float *inp,
                               const float *weight, const float *bias, size_t N, size_t C, float eps) {
    for (size_t i = 0; i < N; i++) {
        const float *x = inp + i * C;
        double sum = 0, squares = 0;
        for (size_t c = 0; c < C; c++) sum += x[c];
        double m = sum / (double)C;
        for (size_t c = 0; c < C; c++) squares += (x[c] - m) * (x[c] - m);
        double r = 1 / sqrt(squares / (double)C + (double)eps);
        for (size_t c = 0; c < C; c++) out[i * C + c] = (float)((x[c] - m) * r) * weight[c] + bias[c];
        mean[i] = (float)m;
        rstd[i] = (float)r;
    }
}

void ck_ref_layer_norm_backward(float *d_inp, float *restrict d_weight, float *restrict d_bias, const float *d_out,
                                const float *inp, const float *weight, const float *mean, const float *rstd, size_t N,
                                size_t C) {
    for (size_t i = 0; i < N; i++) {
        const float *x = inp + i * C, *dy = d_out + i * C;
        double sum = 0, dot = 0;
        for (size_t c = 0; c < C; c++) {
            float norm = (x[c] - mean[i]) * rstd[i];
            sum += dy[c] * weight[c];
            dot += dy[c] * weight[c] * norm;
            d_weight[c] += dy[c] * norm;
            d_bias[c] += dy[c];
        }
        float a = (float)(sum / (double)C), b = (float)(dot / (double)C);
        for (size_t c = 0; c < C; c++) {
            float norm = (x[c] - mean[i]) * rstd[i];
            d_inp[i * C + c] = (dy[c] * weight[c] - a - norm * b) * rstd[i];
        }
    }
}

void ck_ref_residual_layer_norm_forward(float *restrict out, float *restrict sum, float *restrict mean,
                                        float *restrict rstd, const float *x, const float *x_bias,
                                        const float *residual, const float *weight, const float *bias, size_t N,
                                        size_t C, float eps, ck_dropout dropout) {
    for (size_t i = 0; i < N; i++) {
        uint64_t key = ck_row_key(dropout.seed, i);
        for (size_t c = 0; c < C; c++)
            sum[i * C + c] = residual[i * C + c] + (x[i * C + c] + x_bias[c]) * ck_keep(dropout, key, (uint32_t)c);
    }
    ck_ref_layer_norm_forward(out, mean, rstd, sum, weight, bias, N, C, eps);
}

void ck_ref_residual_layer_norm_backward(float *d_x, float *restrict d_x_bias, float *d_residual,
                                         float *restrict d_weight, float *restrict d_bias, const float *d_out,
                                         const float *sum, const float *weight, const float *mean, const float *rstd,
                                         size_t N, size_t C, ck_dropout dropout) {
    for (size_t i = 0; i < N; i++) {
        uint64_t key = ck_row_key(dropout.seed, i);
        ck_ref_layer_norm_backward(d_residual + i * C, d_weight, d_bias, d_out + i * C, sum + i * C, weight, mean + i,
                                   rstd + i, 1, C);
        for (size_t c = 0; c < C; c++) {
            float d = d_residual[i * C + c] * ck_keep(dropout, key, (uint32_t)c);
            d_x[i * C + c] = d;
            d_x_bias[c] += d;
        }
    }
}
