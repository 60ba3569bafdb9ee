// Vector kernels on elements: GELU and tanh with their bias, dropout.
#ifndef CK_ACTIVATIONS_H
#define CK_ACTIVATIONS_H

#include "math.h"
#include "random.h"

static void v_bias_gelu_forward(float *out, const float *x, const float *bias, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++) {
        float *o = out + i * C;
        const float *r = x + i * C;
        CK_EACH(c, C, {
            vf z = v_get(r + c, tail) + v_get(bias + c, tail), half = 0.5f * z;
            v_put(o + c, v_fma(half, v_erf(z * 0.70710678f), half), tail);
        });
    }
}

static void v_bias_gelu_backward(float *d_x, float *restrict d_bias, float *restrict out, const float *d_out,
                                 const float *x, const float *bias, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++) {
        float *dx = d_x + i * C, *o = out ? out + i * C : out;
        const float *dy = d_out + i * C, *r = x + i * C;
        CK_EACH(c, C, {
            vf z = v_get(r + c, tail) + v_get(bias + c, tail);
            vf e = v_erf(z * 0.70710678f), half = 0.5f * z, cdf = v_fma(v_set(0.5f), e, v_set(0.5f));
            if (o) v_put(o + c, v_fma(half, e, half), tail);
            vf pdf = 0.39894228f * v_exp_softmax(-0.5f * z * z);
            vf d = v_get(dy + c, tail) * v_fma(z, pdf, cdf);
            v_put(dx + c, d, tail);
            v_put(d_bias + c, v_get(d_bias + c, tail) + d, tail);
        });
    }
}

static void v_bias_tanh_forward(float *out, const float *x, const float *bias, size_t N, size_t C) {
    for (size_t i = 0; i < N; i++) {
        float *o = out + i * C;
        const float *r = x + i * C;
        CK_EACH(c, C, v_put(o + c, v_tanh(v_get(r + c, tail) + v_get(bias + c, tail)), tail););
    }
}

static void v_bias_tanh_backward(float *d_x, float *restrict d_bias, const float *d_out, const float *out, size_t N,
                                 size_t C) {
    for (size_t i = 0; i < N; i++) {
        float *dx = d_x + i * C;
        const float *dy = d_out + i * C, *y = out + i * C;
        CK_EACH(c, C, {
            vf v = v_get(y + c, tail), d = v_get(dy + c, tail) * (1.0f - v * v);
            v_put(dx + c, d, tail);
            v_put(d_bias + c, v_get(d_bias + c, tail) + d, tail);
        });
    }
}

static void v_dropout_forward(float *out, const float *inp, size_t n, ck_dropout dropout) {
    if (dropout.threshold == 0) {
        if (out != inp) __builtin_memmove(out, inp, n * sizeof(float));
        return;
    }
    for (size_t begin = 0; begin < n; begin += (size_t)1 << 32) {
        size_t left = n - begin, count = left < (size_t)1 << 32 ? left : (size_t)1 << 32;
        v_stream stream = v_stream_at(ck_row_key(dropout.seed, begin >> 32), 0);
        CK_EACH(i, count, v_put(out + begin + i, v_drop(v_get(inp + begin + i, tail), &stream, dropout), tail););
    }
}

#endif
