// Vectors of CK_LANES floats, by the compiler's vector types: one text of each kernel serves every width. The file
// that includes this has set CK_LANES and the target attribute of all functions (see x86/).
#ifndef CK_SIMD_H
#define CK_SIMD_H

#define CK_VEC __attribute__((ext_vector_type(CK_LANES)))
#define CK_INLINE static inline __attribute__((always_inline))

typedef float vf CK_VEC;
typedef uint32_t vu CK_VEC;
typedef int32_t vi CK_VEC;  // also the result of a comparison: 0 or -1 a lane

enum { LANES = CK_LANES };

CK_INLINE vf v_set(float x) { return (vf)x; }
CK_INLINE vu v_bits(vf x) { return (vu)x; }
CK_INLINE vf v_float(vu x) { return (vf)x; }
CK_INLINE vf v_fma(vf a, vf b, vf c) { return __builtin_elementwise_fma(a, b, c); }
CK_INLINE vf v_sqrt(vf x) { return __builtin_elementwise_sqrt(x); }
CK_INLINE vf v_max(vf a, vf b) { return a > b ? a : b; }
CK_INLINE vf v_abs(vf x) { return v_float(v_bits(x) & 0x7fffffffu); }
// The magnitude of `x` (not negative) with the sign of `sign`.
CK_INLINE vf v_with_sign(vf x, vf sign) { return v_float(v_bits(x) | (v_bits(sign) & 0x80000000u)); }

CK_INLINE vi v_lane(void) {
#if CK_LANES == 16
    return (vi){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#else
    return (vi){0, 1, 2, 3, 4, 5, 6, 7};
#endif
}

// `tail` 0 means a whole vector; otherwise the first `tail` lanes are read (others 0) or written.
CK_INLINE vf v_get(const float *p, size_t tail) {
    if (tail) {
#if CK_LANES == 16
        return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << tail) - 1), p);
#else
        vi mask = v_lane() < (vi)(int32_t)tail;
        return (vf)_mm256_maskload_ps(p, (__m256i)mask);
#endif
    }
    vf v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

CK_INLINE void v_put(float *p, vf v, size_t tail) {
    if (tail) {
#if CK_LANES == 16
        _mm512_mask_storeu_ps(p, (__mmask16)((1u << tail) - 1), (__m512)v);
#else
        vi mask = v_lane() < (vi)(int32_t)tail;
        _mm256_maskstore_ps(p, (__m256i)mask, (__m256)v);
#endif
    } else {
        __builtin_memcpy(p, &v, sizeof v);
    }
}

// `x` in the lanes that v_get(…, tail) reads, `other` in the rest.
CK_INLINE vf v_keep_lanes(vf x, vf other, size_t tail) { return tail ? (v_lane() < (vi)(int32_t)tail ? x : other) : x; }

// Lanes joined pairwise, halves first.
CK_INLINE float v_sum(vf v) {
#if CK_LANES == 16
    __attribute__((ext_vector_type(8))) float e = v.lo + v.hi;
#else
    vf e = v;
#endif
    __attribute__((ext_vector_type(4))) float q = e.lo + e.hi;
    __attribute__((ext_vector_type(2))) float p = q.lo + q.hi;
    return p.x + p.y;
}

CK_INLINE float v_greatest(vf v) {
#if CK_LANES == 16
    __attribute__((ext_vector_type(8))) float e = v.lo > v.hi ? v.lo : v.hi;
#else
    vf e = v;
#endif
    __attribute__((ext_vector_type(4))) float q = e.lo > e.hi ? e.lo : e.hi;
    __attribute__((ext_vector_type(2))) float p = q.lo > q.hi ? q.lo : q.hi;
    return p.x > p.y ? p.x : p.y;
}

// Runs the statements for i = 0, LANES, … below n; `tail` is 0 for whole vectors, else the lanes left at the end.
#define CK_EACH(i, n, ...)                          \
    do {                                            \
        size_t i = 0;                               \
        for (; i + LANES <= (n); i += LANES) {      \
            const size_t tail = 0;                  \
            __VA_ARGS__                             \
        }                                           \
        if (i < (n)) {                              \
            const size_t tail = (n) - i;            \
            __VA_ARGS__                             \
        }                                           \
    } while (0)

#endif
