// Vector AdamW in one pass, and the reductions and small loops around it.
#ifndef CK_OPTIMIZER_H
#define CK_OPTIMIZER_H

#include "simd.h"

static void v_adamw_step(float *restrict param, const float *grad, float *restrict m, float *restrict v, size_t n,
                         ck_adamw s) {
    float keep = 1.0f - s.learning_rate * s.weight_decay, rate = s.learning_rate / s.bias_correction1;
    float inverse2 = 1.0f / s.bias_correction2;
    CK_EACH(i, n, {
        vf g = v_get(grad + i, tail) * s.grad_scale;
        vf first = v_fma(v_get(m + i, tail), v_set(s.beta1), (1 - s.beta1) * g);
        vf second = v_fma(v_get(v + i, tail), v_set(s.beta2), (1 - s.beta2) * g * g);
        v_put(m + i, first, tail);
        v_put(v + i, second, tail);
        vf step = rate * first / (v_sqrt(second * inverse2) + s.epsilon);
        v_put(param + i, v_get(param + i, tail) * keep - step, tail);
    });
}

// A square of a float is exact in double, so lanes and order alone decide the bits: sixteen lanes at every width.
static double v_sum_of_squares(const float *x, size_t n) {
    typedef __attribute__((ext_vector_type(8))) float f8;
    typedef __attribute__((ext_vector_type(8))) double d8;
    d8 low = 0, high = 0;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        f8 a, b;
        __builtin_memcpy(&a, x + i, sizeof a);
        __builtin_memcpy(&b, x + i + 8, sizeof b);
        d8 p = __builtin_convertvector(a, d8), q = __builtin_convertvector(b, d8);
        low += p * p;
        high += q * q;
    }
    for (size_t lane = 0; i < n; i++, lane++) {
        double p = x[i];
        if (lane < 8) low[lane] += p * p;
        else high[lane - 8] += p * p;
    }
    d8 e = low + high;
    __attribute__((ext_vector_type(4))) double q = e.lo + e.hi;
    __attribute__((ext_vector_type(2))) double p = q.lo + q.hi;
    return p.x + p.y;
}

static void v_add(float *restrict dst, const float *src, size_t n) {
    CK_EACH(i, n, v_put(dst + i, v_get(dst + i, tail) + v_get(src + i, tail), tail););
}

static void v_scale(float *x, size_t n, float factor) {
    CK_EACH(i, n, v_put(x + i, v_get(x + i, tail) * factor, tail););
}

// Blocks of 4096 so that the branch is rare and a bad value is found early.
static bool v_is_finite(const float *x, size_t n) {
    for (size_t begin = 0; begin < n; begin += 4096) {
        size_t count = n - begin < 4096 ? n - begin : 4096;
        vi bad = (vi)0;
        CK_EACH(i, count, bad |= (v_bits(v_get(x + begin + i, tail)) & 0x7f800000u) == 0x7f800000u;);
        if (__builtin_reduce_or(bad)) return false;
    }
    return true;
}

#endif
