// Vector kernels of layer normalisation, alone and fused with bias, dropout and residual. A row stays in the L1 cache.
#ifndef CK_NORM_H
#define CK_NORM_H

#include "random.h"

// mean, then rstd about it, then the row; `sum` is the row's sum in lanes.
CK_INLINE void v_normalise_row(float *restrict out, float *restrict mean, float *restrict rstd, const float *x, vf sum,
                               const float *weight, const float *bias, size_t C, float eps) {
    float m = v_sum(sum) / (float)C;
    vf squares = v_set(0.0f);
    CK_EACH(c, C, {
        vf d = v_keep_lanes(v_get(x + c, tail) - m, v_set(0.0f), tail);
        squares = v_fma(d, d, squares);
    });
    float r = 1.0f / __builtin_sqrtf(v_sum(squares) / (float)C + eps);
    CK_EACH(c, C, {
        vf norm = (v_get(x + c, tail) - m) * r;
        v_put(out + c, v_fma(norm, v_get(weight + c, tail), v_get(bias + c, tail)), tail);
    });
    *mean = m;
    *rstd = r;
}

static void v_layer_norm_forward(float *restrict out, float *restrict mean, float *restrict rstd, const float *inp,
                                 const float *weight, const float *bias, size_t N, size_t C, float eps) {
    for (size_t i = 0; i < N; i++) {
        vf sum = v_set(0.0f);
        CK_EACH(c, C, sum += v_get(inp + i * C + c, tail););
        v_normalise_row(out + i * C, mean + i, rstd + i, inp + i * C, sum, weight, bias, C, eps);
    }
}

// The two means that the gradient of a row subtracts, once d_weight and d_bias have had their share.
typedef struct {
    float gradient, projection;
} row_means;

CK_INLINE row_means v_norm_sums(float *restrict d_weight, float *restrict d_bias, const float *dy, const float *x,
                                const float *weight, float mean, float rstd, size_t C) {
    vf sum = v_set(0.0f), dot = v_set(0.0f);
    CK_EACH(c, C, {
        vf d = v_get(dy + c, tail), norm = (v_get(x + c, tail) - mean) * rstd, g = d * v_get(weight + c, tail);
        sum += g;
        dot = v_fma(g, norm, dot);
        v_put(d_weight + c, v_fma(d, norm, v_get(d_weight + c, tail)), tail);
        v_put(d_bias + c, v_get(d_bias + c, tail) + d, tail);
    });
    return (row_means){v_sum(sum) / (float)C, v_sum(dot) / (float)C};
}

CK_INLINE vf v_norm_gradient(vf dy, vf x, vf weight, float mean, float rstd, row_means means) {
    vf norm = (x - mean) * rstd;
    return (v_fma(dy, weight, v_set(-means.gradient)) - norm * means.projection) * rstd;
}

static void v_layer_norm_backward(float *d_inp, float *restrict d_weight, float *restrict d_bias, const float *d_out,
                                  const float *inp, const float *weight, const float *mean, const float *rstd,
                                  size_t N, size_t C) {
    for (size_t i = 0; i < N; i++) {
        const float *x = inp + i * C, *dy = d_out + i * C;
        float *dx = d_inp + i * C, m = mean[i], r = rstd[i];
        row_means means = v_norm_sums(d_weight, d_bias, dy, x, weight, m, r, C);
        CK_EACH(c, C, {
            vf g = v_norm_gradient(v_get(dy + c, tail), v_get(x + c, tail), v_get(weight + c, tail), m, r, means);
            v_put(dx + c, g, tail);
        });
    }
}

static void v_residual_layer_norm_forward(float *restrict out, float *restrict sum, float *restrict mean,
                                          float *restrict rstd, const float *x, const float *x_bias,
                                          const float *residual, const float *weight, const float *bias, size_t N,
                                          size_t C, float eps, ck_dropout dropout) {
    for (size_t i = 0; i < N; i++) {
        const float *a = x + i * C, *b = residual + i * C;
        float *s = sum + i * C;
        vf total = v_set(0.0f);
        if (dropout.threshold) {
            v_stream stream = v_stream_at(ck_row_key(dropout.seed, i), 0);
            CK_EACH(c, C, {
                vf v = v_drop(v_get(a + c, tail) + v_get(x_bias + c, tail), &stream, dropout) + v_get(b + c, tail);
                v_put(s + c, v, tail);
                total += v;
            });
        } else {
            CK_EACH(c, C, {
                vf v = v_get(a + c, tail) + v_get(x_bias + c, tail) + v_get(b + c, tail);
                v_put(s + c, v, tail);
                total += v;
            });
        }
        v_normalise_row(out + i * C, mean + i, rstd + i, s, total, weight, bias, C, eps);
    }
}

static void v_residual_layer_norm_backward(float *d_x, float *restrict d_x_bias, float *d_residual,
                                           float *restrict d_weight, float *restrict d_bias, const float *d_out,
                                           const float *sum, const float *weight, const float *mean,
                                           const float *rstd, size_t N, size_t C, ck_dropout dropout) {
    for (size_t i = 0; i < N; i++) {
        const float *s = sum + i * C, *dy = d_out + i * C;
        float *dr = d_residual + i * C, *dx = d_x + i * C, m = mean[i], r = rstd[i];
        row_means means = v_norm_sums(d_weight, d_bias, dy, s, weight, m, r, C);
        v_stream stream = v_stream_at(ck_row_key(dropout.seed, i), 0);
        CK_EACH(c, C, {
            vf g = v_norm_gradient(v_get(dy + c, tail), v_get(s + c, tail), v_get(weight + c, tail), m, r, means);
            v_put(dr + c, g, tail);
            if (dropout.threshold) g = v_drop(g, &stream, dropout);
            v_put(dx + c, g, tail);
            v_put(d_x_bias + c, v_get(d_x_bias + c, tail) + g, tail);
        });
    }
}

#endif
