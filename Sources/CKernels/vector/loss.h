// Vector softmax cross-entropy. A row of logits (122 KB at V = 30,522) comes from memory once, for its greatest value;
// exponentials and gradient then find it in the L2 cache.
#ifndef CK_LOSS_H
#define CK_LOSS_H

#include <math.h>

#include "math.h"

CK_INLINE vf v_logit(const float *x, const float *bias, size_t j, size_t tail) {
    vf z = v_get(x + j, tail);
    return bias ? z + v_get(bias + j, tail) : z;
}

CK_INLINE float v_greatest_logit(const float *x, const float *bias, size_t V) {
    vf least = v_set(-__builtin_inff()), a = least, b = least, c = least, d = least;
    size_t j = 0;
    for (; j + 4 * LANES <= V; j += 4 * LANES) {
        a = v_max(v_logit(x, bias, j, 0), a);
        b = v_max(v_logit(x, bias, j + LANES, 0), b);
        c = v_max(v_logit(x, bias, j + 2 * LANES, 0), c);
        d = v_max(v_logit(x, bias, j + 3 * LANES, 0), d);
    }
    const float *rest = x + j, *rest_bias = bias ? bias + j : bias;
    CK_EACH(i, V - j, a = v_max(v_keep_lanes(v_logit(rest, rest_bias, i, tail), least, tail), a););
    return v_greatest(v_max(v_max(a, b), v_max(c, d)));
}

CK_INLINE float label_logit(const float *x, const float *bias, int32_t label) {
    return x[label] + (bias ? bias[label] : 0.0f);
}

static void v_softmax_cross_entropy(float *restrict losses, float *restrict logits, const float *bias,
                                    const int32_t *labels, size_t N, size_t V, float scale) {
    for (size_t i = 0; i < N; i++) {
        float *x = logits + i * V, greatest = v_greatest_logit(x, bias, V);
        float labelled = label_logit(x, bias, labels[i]);
        vf lanes = v_set(0.0f);
        CK_EACH(j, V, {
            vf e = v_keep_lanes(v_exp_softmax(v_logit(x, bias, j, tail) - greatest), v_set(0.0f), tail);
            lanes += e;
            v_put(x + j, e, tail);
        });
        float sum = v_sum(lanes), factor = scale / sum;
        losses[i] = logf(sum) + (greatest - labelled);
        CK_EACH(j, V, v_put(x + j, v_get(x + j, tail) * factor, tail););
        x[labels[i]] -= scale;
    }
}

// The lowest position of `value`; 0 if no element equals it, as with NaN.
CK_INLINE int32_t v_first_equal(const float *x, const float *bias, size_t V, float value) {
    int32_t found = -1;
    CK_EACH(j, V, {
        vi equal = v_logit(x, bias, j, tail) == v_set(value);
        if (tail) equal &= v_lane() < (vi)(int32_t)tail;
        if (__builtin_reduce_or(equal)) {
            for (size_t lane = 0; found < 0; lane++)
                if (equal[lane]) found = (int32_t)(j + lane);
            return found;
        }
    });
    return 0;
}

static void v_softmax_cross_entropy_forward(float *restrict losses, int32_t *restrict predicted, const float *logits,
                                            const float *bias, const int32_t *labels, size_t N, size_t V) {
    for (size_t i = 0; i < N; i++) {
        const float *x = logits + i * V;
        float greatest = v_greatest_logit(x, bias, V);
        vf lanes = v_set(0.0f);
        CK_EACH(j, V, {
            lanes += v_keep_lanes(v_exp_softmax(v_logit(x, bias, j, tail) - greatest), v_set(0.0f), tail);
        });
        losses[i] = logf(v_sum(lanes)) + (greatest - label_logit(x, bias, labels[i]));
        predicted[i] = v_first_equal(x, bias, V, greatest);
    }
}

#endif
