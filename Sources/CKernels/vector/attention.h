// Vector attention: a tile of query rows of one head at a time. Between the products one pass
// over the tile of scores, which is still in the L2 cache, does softmax and dropout together.
#ifndef CK_ATTENTION_H
#define CK_ATTENTION_H

#include <math.h>

#include "math.h"
#include "product.h"
#include "random.h"

// Scores to unnormalised, dropped-out probabilities exp(score - greatest); the padding up to a whole vector ends as 0.
// Returns the sum before dropout and the row's greatest score.
CK_INLINE float v_softmax_row(float *row, size_t T, size_t padded, ck_dropout dropout, uint64_t key, float *greatest) {
    for (size_t j = T; j < padded; j++) row[j] = -__builtin_inff();
    vf top = v_set(-__builtin_inff());
    for (size_t j = 0; j < padded; j += LANES) top = v_max(v_get(row + j, 0), top);
    float most = v_greatest(top);
    vf sum = v_set(0.0f);
    if (dropout.threshold) {
        v_stream stream = v_stream_at(key, 0);
        for (size_t j = 0; j < padded; j += LANES) {
            vf e = v_exp_softmax(v_get(row + j, 0) - most);
            sum += e;
            v_put(row + j, v_drop(e, &stream, dropout), 0);
        }
    } else {
        for (size_t j = 0; j < padded; j += LANES) {
            vf e = v_exp_softmax(v_get(row + j, 0) - most);
            sum += e;
            v_put(row + j, e, 0);
        }
    }
    *greatest = most;
    return v_sum(sum);
}

static void v_attention_forward(float *restrict out, float *restrict log_sum_exp, const float *qkv,
                                const int32_t *offsets, size_t S, size_t NH, size_t HS, ck_dropout dropout,
                                float *restrict scratch) {
    size_t H = NH * HS, N = (size_t)offsets[S], ld = 3 * H;
    float scale = 1.0f / __builtin_sqrtf((float)HS);
    for (size_t s = 0; s < S; s++)
        for (size_t h = 0; h < NH; h++) {
            size_t begin = (size_t)offsets[s], T = (size_t)offsets[s + 1] - begin, padded = (T + 15) & ~(size_t)15;
            const float *q = qkv + begin * ld + h * HS, *k = q + H, *v = k + H;
            for (size_t first = 0; first < T; first += CK_ATTENTION_TILE) {
                size_t rows = T - first < CK_ATTENTION_TILE ? T - first : CK_ATTENTION_TILE;
                float *o = out + (begin + first) * H + h * HS;
                v_matmul(scratch, q + first * ld, k, rows, T, HS, false, true, scale, 0, ld, ld, padded);
                float *inverse = scratch + CK_ATTENTION_TILE * padded;
                for (size_t i = 0; i < rows; i++) {
                    uint64_t key = ck_row_key(dropout.seed, ck_attention_row(h, begin + first + i));
                    float greatest, sum = v_softmax_row(scratch + i * padded, T, padded, dropout, key, &greatest);
                    inverse[i] = 1.0f / sum;
                    log_sum_exp[h * N + begin + first + i] = greatest + logf(sum);
                }
                v_matmul(o, scratch, v, rows, HS, T, false, false, 1, 0, padded, ld, H);
                for (size_t i = 0; i < rows; i++)
                    CK_EACH(d, HS, v_put(o + i * H + d, v_get(o + i * H + d, tail) * inverse[i], tail););
            }
        }
}

// scores -> kept probabilities (for dV); d_kept, the gradient of those -> gradient of the scores before scaling.
CK_INLINE void v_softmax_row_backward(float *scores, float *d_kept, size_t T, ck_dropout dropout, uint64_t key,
                                      float log_sum_exp, float delta, float scale) {
    if (dropout.threshold) {
        v_stream stream = v_stream_at(key, 0), again = stream;
        CK_EACH(j, T, {
            vf p = v_exp_softmax(v_get(scores + j, tail) - log_sum_exp);
            vf d = v_drop(v_get(d_kept + j, tail), &stream, dropout);
            v_put(scores + j, v_drop(p, &again, dropout), tail);
            v_put(d_kept + j, p * (d - delta) * scale, tail);
        });
    } else {
        CK_EACH(j, T, {
            vf p = v_exp_softmax(v_get(scores + j, tail) - log_sum_exp);
            v_put(scores + j, p, tail);
            v_put(d_kept + j, p * (v_get(d_kept + j, tail) - delta) * scale, tail);
        });
    }
}

static void v_attention_backward(float *restrict d_qkv, const float *d_out, const float *out, const float *log_sum_exp,
                                 const float *qkv, const int32_t *offsets, size_t S, size_t NH, size_t HS,
                                 ck_dropout dropout, float *restrict scratch) {
    size_t H = NH * HS, N = (size_t)offsets[S], ld = 3 * H;
    float scale = 1.0f / __builtin_sqrtf((float)HS);
    for (size_t s = 0; s < S; s++)
        for (size_t h = 0; h < NH; h++) {
            size_t begin = (size_t)offsets[s], T = (size_t)offsets[s + 1] - begin, padded = (T + 15) & ~(size_t)15;
            const float *q = qkv + begin * ld + h * HS, *k = q + H, *v = k + H;
            float *dq = d_qkv + begin * ld + h * HS, *dk = dq + H, *dv = dk + H;
            float *scores = scratch, *d_kept = scratch + CK_ATTENTION_TILE * padded;
            for (size_t first = 0; first < T; first += CK_ATTENTION_TILE) {
                size_t rows = T - first < CK_ATTENTION_TILE ? T - first : CK_ATTENTION_TILE;
                const float *o = out + (begin + first) * H + h * HS, *dy = d_out + (begin + first) * H + h * HS;
                float later = first > 0 ? 1.0f : 0.0f;  // dK, dV: the first tile writes, the others add
                v_matmul(scores, q + first * ld, k, rows, T, HS, false, true, scale, 0, ld, ld, padded);
                v_matmul(d_kept, dy, v, rows, T, HS, false, true, 1, 0, H, ld, padded);
                for (size_t i = 0; i < rows; i++) {
                    vf delta = v_set(0.0f);
                    CK_EACH(d, HS, delta = v_fma(v_get(o + i * H + d, tail), v_get(dy + i * H + d, tail), delta););
                    v_softmax_row_backward(scores + i * padded, d_kept + i * padded, T, dropout,
                                           ck_row_key(dropout.seed, ck_attention_row(h, begin + first + i)),
                                           log_sum_exp[h * N + begin + first + i], v_sum(delta), scale);
                }
                v_matmul(dv, scores, dy, T, HS, rows, true, false, 1, later, padded, H, ld);
                v_matmul(dk, d_kept, q + first * ld, T, HS, rows, true, false, 1, later, padded, ld, ld);
                v_matmul(dq + first * ld, d_kept, k, rows, HS, T, false, false, 1, 0, padded, ld, ld);
            }
        }
}

#endif
