// exp, erf and tanh on vectors, by polynomials fitted to the last bit of fp32 (weighted Chebyshev fits refined by
// Lawson's iteration, coefficients rounded one by one and the rest refitted). ckernels.h states the errors,
// tests measure them.
#ifndef CK_MATH_H
#define CK_MATH_H

#include "simd.h"

// exp where -87.336 <= x <= 88.722: x = n ln 2 + r, |r| <= ln 2 / 2; exp = 2^n (1 + r + r^2 q(r)).
// The magic constant 1.5 * 2^23 rounds n to an integer, whose low bits then are n itself.
CK_INLINE vf v_exp_in_range(vf x) {
    vf shifted = v_fma(x, v_set(1.44269504f), v_set(12582912.0f));
    vf n = shifted - 12582912.0f;
    vf r = v_fma(n, v_set(-0.693359375f), x);
    r = v_fma(n, v_set(2.12194440e-4f), r);
    vf q = v_set(1.381982351e-3f);
    q = v_fma(q, r, v_set(8.368686773e-3f));
    q = v_fma(q, r, v_set(4.166827723e-2f));
    q = v_fma(q, r, v_set(1.666652113e-1f));
    q = v_fma(q, r, v_set(4.999999404e-1f));
    vf y = v_fma(r * r, q, r) + 1.0f;
    return v_float(v_bits(y) + (v_bits(shifted) << 23));
}

// exp for x <= 88.722, as softmax needs it: below 2^-126 it is 0, NaN stays NaN.
CK_INLINE vf v_exp_softmax(vf x) {
    vf y = v_exp_in_range(x);
    y = x < -87.3365f ? v_set(0.0f) : y;
    return x == x ? y : x;
}

CK_INLINE vf v_exp(vf x) {
    vf y = v_exp_softmax(x);
    return x > 88.72283f ? v_set(__builtin_inff()) : y;
}

// Below 1: x + x p(x^2). From 1 on: 1 - exp(q(|x|)), where q fits log erfc; erf is 1 in fp32 from 3.92 on.
CK_INLINE vf v_erf(vf x) {
    vf t = v_abs(x), s = x * x;
    t = t > 4.0f ? v_set(4.0f) : t;
    vf p = v_set(7.806903159e-5f);
    p = v_fma(p, s, v_set(-7.997853099e-4f));
    p = v_fma(p, s, v_set(5.187162198e-3f));
    p = v_fma(p, s, v_set(-2.685334720e-2f));
    p = v_fma(p, s, v_set(1.128357872e-1f));
    p = v_fma(p, s, v_set(-3.761262596e-1f));
    p = v_fma(p, s, v_set(1.283791661e-1f));
    vf near = v_fma(p, x, x);
    vf q = v_set(1.863689977e-4f);
    q = v_fma(q, t, v_set(-2.947582165e-3f));
    q = v_fma(q, t, v_set(2.183784544e-2f));
    q = v_fma(q, t, v_set(-1.031064540e-1f));
    q = v_fma(q, t, v_set(-6.381450295e-1f));
    q = v_fma(q, t, v_set(-1.127089143f));
    q = v_fma(q, t, v_set(-3.415215760e-4f));
    vf far = v_with_sign(1.0f - v_exp_in_range(q), x);
    return t >= 1.0f ? far : near;  // NaN goes to `near`, which is NaN
}

// Below 0.625: x + x^3 p(x^2). From there: 1 - 2 / (exp(2|x|) + 1); tanh is 1 in fp32 from 9.02 on.
CK_INLINE vf v_tanh(vf x) {
    vf t = v_abs(x), s = x * x;
    t = t > 9.5f ? v_set(9.5f) : t;
    vf p = v_set(-5.694468040e-3f);
    p = v_fma(p, s, v_set(2.062983625e-2f));
    p = v_fma(p, s, v_set(-5.373691767e-2f));
    p = v_fma(p, s, v_set(1.333140880e-1f));
    p = v_fma(p, s, v_set(-3.333328068e-1f));
    vf near = v_fma(p * s, x, x);
    vf far = v_with_sign(1.0f - 2.0f / (v_exp_in_range(t + t) + 1.0f), x);
    return t >= 0.625f ? far : near;
}

static void v_map_exp(float *out, const float *x, size_t n) {
    CK_EACH(i, n, v_put(out + i, v_exp(v_get(x + i, tail)), tail););
}

static void v_map_erf(float *out, const float *x, size_t n) {
    CK_EACH(i, n, v_put(out + i, v_erf(v_get(x + i, tail)), tail););
}

static void v_map_tanh(float *out, const float *x, size_t n) {
    CK_EACH(i, n, v_put(out + i, v_tanh(v_get(x + i, tail)), tail););
}

#endif
