// Vector attention. Keys and values of a head are packed once; queries come in tiles of rows whose scores stay in cache
// between the products, where one pass does softmax and dropout together.
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

static void v_attention_forward(float *restrict out, float *restrict log_sum_exp, const float *q, const float *k,
                                const float *v, const ck_attention_rows *at, ck_dropout dropout,
                                float *restrict scratch) {
    size_t HS = at->HS, H = at->NH * HS, Q = (size_t)at->queries[at->S], ldq = at->query_step, ldk = at->key_step;
    float scale = 1.0f / __builtin_sqrtf((float)HS), inverse[TILE_ROWS];
    for (size_t s = 0; s < at->S; s++)
        for (size_t h = 0; h < at->NH; h++) {
            size_t begin = (size_t)at->keys[s], T = (size_t)at->keys[s + 1] - begin, padded = (T + 15) & ~(size_t)15;
            float *keys = scratch, *values = keys + v_packed_count(T, HS), *queries = values + v_packed_count(HS, T);
            float *scores = queries + v_rows_count(HS), *kept = scores + TILE_ROWS * padded;
            v_pack_block(keys, k + begin * ldk + h * HS, ldk, true, 0, T, 0, HS);
            v_pack_block(values, v + begin * ldk + h * HS, ldk, false, 0, HS, 0, T);
            size_t end = (size_t)at->queries[s + 1];
            for (size_t first = (size_t)at->queries[s]; first < end; first += TILE_ROWS) {
                size_t rows = end - first < TILE_ROWS ? end - first : TILE_ROWS, step;
                float *o = out + first * H + h * HS;
                const float *x = v_rows(queries, q + first * ldq + h * HS, ldq, rows, HS, &step);
                v_row_panel(scores, padded, NULL, 0, x, step, keys, HS, scale, rows, T);
                for (size_t i = 0; i < rows; i++) {
                    uint64_t key = ck_row_key(dropout.seed, ck_attention_row(h, first + i));
                    float greatest, sum = v_softmax_row(scores + i * padded, T, padded, dropout, key, &greatest);
                    inverse[i] = 1.0f / sum;
                    log_sum_exp[h * Q + first + i] = greatest + logf(sum);
                }
                x = v_rows(kept, scores, padded, rows, T, &step);
                v_row_panel(o, H, NULL, 0, x, step, values, T, 1, rows, HS);
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

// d (T, HS; rows ld apart) = or += x (rows, T)^T * y, y packed, `column` has room for LANES columns of x.
CK_INLINE void v_add_outer(float *d, size_t ld, bool adds, const float *x, size_t ldx, const float *y, size_t rows,
                           size_t T, size_t HS, float *column) {
    for (size_t j = 0; j < T; j += TILE_ROWS) {
        size_t count = T - j < TILE_ROWS ? T - j : TILE_ROWS;
        v_pack_straight(column, LANES, x + j, ldx, count, rows);
        v_row_panel(d + j * ld, ld, adds ? d + j * ld : NULL, ld, column, 0, y, rows, 1, count, HS);
    }
}

static void v_attention_backward(float *restrict d_q, float *restrict d_k, float *restrict d_v, const float *d_out,
                                 const float *out, const float *log_sum_exp, const float *q, const float *k,
                                 const float *v, const ck_attention_rows *at, ck_dropout dropout,
                                 float *restrict scratch) {
    size_t HS = at->HS, H = at->NH * HS, Q = (size_t)at->queries[at->S], ldq = at->query_step, ldk = at->key_step;
    float scale = 1.0f / __builtin_sqrtf((float)HS);
    for (size_t s = 0; s < at->S; s++)
        for (size_t h = 0; h < at->NH; h++) {
            size_t begin = (size_t)at->keys[s], T = (size_t)at->keys[s + 1] - begin, padded = (T + 15) & ~(size_t)15;
            size_t asking = (size_t)at->queries[s], asked = (size_t)at->queries[s + 1] - asking;
            float *dk = d_k + begin * ldk + h * HS, *dv = d_v + begin * ldk + h * HS;
            if (asked == 0)
                for (size_t j = 0; j < T; j++) CK_EACH(d, HS, {
                    v_put(dk + j * ldk + d, v_set(0.0f), tail);
                    v_put(dv + j * ldk + d, v_set(0.0f), tail);
                });
            // Keys and values as columns for the scores and their gradient, keys as rows for that of the queries.
            float *keys = scratch, *values = keys + v_packed_count(T, HS), *key_rows = values + v_packed_count(T, HS);
            float *tile_q = key_rows + v_packed_count(HS, T), *tile_dy = tile_q + v_packed_count(HS, CK_ATTENTION_TILE);
            float *scores = tile_dy + v_packed_count(HS, CK_ATTENTION_TILE);
            float *d_kept = scores + CK_ATTENTION_TILE * padded, *column = d_kept + CK_ATTENTION_TILE * padded;
            v_pack_block(keys, k + begin * ldk + h * HS, ldk, true, 0, T, 0, HS);
            v_pack_block(values, v + begin * ldk + h * HS, ldk, true, 0, T, 0, HS);
            v_pack_block(key_rows, k + begin * ldk + h * HS, ldk, false, 0, HS, 0, T);
            for (size_t first = 0; first < asked; first += CK_ATTENTION_TILE) {
                size_t rows = asked - first < CK_ATTENTION_TILE ? asked - first : CK_ATTENTION_TILE;
                const float *o = out + (asking + first) * H + h * HS, *dy = d_out + (asking + first) * H + h * HS;
                const float *tile = q + (asking + first) * ldq + h * HS;
                for (size_t i = 0; i < rows; i += TILE_ROWS) {
                    size_t count = rows - i < TILE_ROWS ? rows - i : TILE_ROWS, step;
                    float *p = scores + i * padded, *dp = d_kept + i * padded;
                    const float *x = v_rows(column, tile + i * ldq, ldq, count, HS, &step);
                    v_row_panel(p, padded, NULL, 0, x, step, keys, HS, scale, count, T);
                    x = v_rows(column, dy + i * H, H, count, HS, &step);
                    v_row_panel(dp, padded, NULL, 0, x, step, values, HS, 1, count, T);
                    for (size_t r = 0; r < count; r++) {
                        vf delta = v_set(0.0f);
                        const float *y = o + (i + r) * H, *g = dy + (i + r) * H;
                        CK_EACH(d, HS, delta = v_fma(v_get(y + d, tail), v_get(g + d, tail), delta););
                        size_t row = asking + first + i + r;
                        v_softmax_row_backward(p + r * padded, dp + r * padded, T, dropout,
                                               ck_row_key(dropout.seed, ck_attention_row(h, row)),
                                               log_sum_exp[h * Q + row], v_sum(delta), scale);
                    }
                    x = v_rows(column, dp, padded, count, T, &step);
                    v_row_panel(d_q + (asking + first + i) * ldq + h * HS, ldq, NULL, 0, x, step, key_rows, T, 1, count,
                                HS);
                }
                v_pack_block(tile_dy, dy, H, false, 0, HS, 0, rows);
                v_pack_block(tile_q, tile, ldq, false, 0, HS, 0, rows);
                v_add_outer(dv, ldk, first > 0, scores, padded, tile_dy, rows, T, HS, column);
                v_add_outer(dk, ldk, first > 0, d_kept, padded, tile_q, rows, T, HS, column);
            }
        }
}

#endif
