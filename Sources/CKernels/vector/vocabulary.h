// The MLM head's loss over a part of the vocabulary, a block of words at a time: the block's embeddings are packed once
// for the logits and once for the gradient of x, and a panel of logits becomes exponentials while it is in the L1 cache.
// Only those exponentials are kept, each relative to its row's greatest logit so far; what is missing to a probability
// is one factor a row and block, which backward multiplies into x once the parts are joined.
#ifndef CK_VOCABULARY_H
#define CK_VOCABULARY_H

#include <math.h>

#include "math.h"
#include "product.h"

// One row's logits of a block -> exponentials; its running statistics and the gradient so far follow a new greatest.
CK_INLINE void v_exponentials(float *restrict logits, size_t count, float *restrict greatest, float *restrict sum,
                              float *restrict d_x, size_t C) {
    vf least = v_set(-__builtin_inff()), top = least, lanes = v_set(0.0f);
    CK_EACH(j, count, top = v_max(v_keep_lanes(v_get(logits + j, tail), least, tail), top););
    float most = v_greatest(top);
    if (most > *greatest) {
        float factor = expf(*greatest - most);
        *sum *= factor;
        if (d_x) CK_EACH(c, C, v_put(d_x + c, v_get(d_x + c, tail) * factor, tail););
        *greatest = most;
    }
    most = *greatest;
    CK_EACH(j, count, {
        vf e = v_keep_lanes(v_exp_softmax(v_get(logits + j, tail) - most), v_set(0.0f), tail);
        lanes += e;
        v_put(logits + j, e, tail);
    });
    *sum += v_sum(lanes);
}

// d_bias (count) += the factors times the rows of e (N, ld).
CK_INLINE void v_add_weighted_rows(float *restrict d_bias, const float *e, size_t ld, const float *factors, size_t N,
                                   size_t count) {
    CK_EACH(j, count, {
        vf total = v_get(d_bias + j, tail);
        for (size_t i = 0; i < N; i++) total = v_fma(v_get(e + i * ld + j, tail), v_set(factors[i]), total);
        v_put(d_bias + j, total, tail);
    });
}

// Where `work` of a part holds what: the exponentials (blocks, N, width), each row's greatest logit up to and with each
// block (blocks, N), and scratch of one call.
typedef struct {
    size_t width, blocks;
    float *exponentials, *peaks, *factors, *columns, *rows_of_word, *panel, *weighted;
} v_vocabulary_work;

CK_INLINE v_vocabulary_work v_cut_work(float *work, size_t N, size_t V, size_t C) {
    size_t width = ck_vocabulary_block(C), blocks = (V + width - 1) / width;
    v_vocabulary_work cut = {.width = width, .blocks = blocks, .exponentials = work};
    cut.peaks = cut.exponentials + blocks * width * N;
    cut.factors = cut.peaks + ((blocks * N + 15) & ~(size_t)15);
    cut.columns = cut.factors + ((N + 15) & ~(size_t)15);
    cut.rows_of_word = cut.columns + v_packed_count(width, C);
    cut.panel = cut.rows_of_word + v_packed_count(C, width);
    size_t longest = C > N ? C : N;
    cut.weighted = cut.panel + v_rows_count(longest > width ? longest : width);
    return cut;
}

static void v_vocabulary_forward(const ck_vocabulary_part *part, const float *x, const float *word, const float *bias,
                                 const int32_t *labels, size_t N, size_t first, size_t V, size_t C) {
    v_vocabulary_work w = v_cut_work(part->work, N, V, C);
    float *d_x = part->d_x;
    for (size_t i = 0; i < N; i++) part->labelled[i] = part->greatest[i] = -__builtin_inff();
    for (size_t i = 0; i < N; i++) part->sum[i] = 0;
    if (V == 0) __builtin_memset(d_x, 0, N * C * sizeof(float));
    for (size_t b = 0; b < w.blocks; b++) {
        size_t begin = b * w.width, count = V - begin < w.width ? V - begin : w.width;
        v_pack_block(w.columns, word, C, true, begin, count, 0, C);
        v_pack_block(w.rows_of_word, word, C, false, 0, C, begin, count);
        for (size_t i = 0; i < N; i += TILE_ROWS) {
            size_t rows = N - i < TILE_ROWS ? N - i : TILE_ROWS, step;
            float *e = w.exponentials + (b * N + i) * w.width;
            const float *a = v_rows(w.panel, x + i * C, C, rows, C, &step);
            v_row_panel(e, w.width, bias + begin, 0, a, step, w.columns, C, 1, rows, count);
            for (size_t r = i; r < i + rows; r++) {
                float *logits = w.exponentials + (b * N + r) * w.width;
                size_t label = (size_t)labels[r] - first - begin;  // wraps where the label is of an earlier block
                if (label < count) part->labelled[r] = logits[label];
                v_exponentials(logits, count, part->greatest + r, part->sum + r, b > 0 ? d_x + r * C : NULL, C);
                w.peaks[b * N + r] = part->greatest[r];
            }
            a = v_rows(w.panel, e, w.width, rows, count, &step);
            v_row_panel(d_x + i * C, C, b > 0 ? d_x + i * C : NULL, C, a, step, w.rows_of_word, count, 1, rows, C);
        }
    }
}

static void v_vocabulary_join(float *restrict losses, float *restrict d_x, float *restrict greatest,
                              float *restrict factors, const ck_vocabulary_part *parts, size_t count,
                              const float *word, const int32_t *labels, size_t N, size_t C, float scale) {
    for (size_t i = 0; i < N; i++) {
        const float *own = word + (size_t)labels[i] * C;
        float most = -__builtin_inff(), labelled = most, sum = 0;
        for (size_t p = 0; p < count; p++) {
            most = fmaxf(most, parts[p].greatest[i]);
            labelled = fmaxf(labelled, parts[p].labelled[i]);
        }
        for (size_t p = 0; p < count; p++) sum += parts[p].sum[i] * expf(parts[p].greatest[i] - most);
        losses[i] = logf(sum) + (most - labelled);
        greatest[i] = most;
        factors[i] = scale / sum;
        CK_EACH(c, C, v_put(d_x + i * C + c, v_set(-scale) * v_get(own + c, tail), tail););
        for (size_t p = 0; p < count; p++) {
            vf factor = v_set(expf(parts[p].greatest[i] - most) * factors[i]);
            const float *d = parts[p].d_x + i * C;
            CK_EACH(c, C, v_put(d_x + i * C + c, v_fma(v_get(d + c, tail), factor, v_get(d_x + i * C + c, tail)), tail););
        }
    }
}

static void v_vocabulary_backward(float *restrict d_word, float *restrict d_bias, const ck_vocabulary_part *part,
                                  const float *greatest, const float *row_factors, const float *x, const float *word,
                                  const float *bias, const int32_t *labels, size_t N, size_t first, size_t V, size_t C,
                                  float scale, bool adds) {
    (void)word;
    (void)bias;
    v_vocabulary_work w = v_cut_work(part->work, N, V, C);
    // Backwards: the exponentials of the last blocks are still in a cache.
    for (size_t b = w.blocks; b-- > 0;) {
        size_t begin = b * w.width, count = V - begin < w.width ? V - begin : w.width;
        const float *e = w.exponentials + b * N * w.width;
        for (size_t i = 0; i < N; i++) w.factors[i] = expf(w.peaks[b * N + i] - greatest[i]) * row_factors[i];
        v_add_weighted_rows(d_bias + begin, e, w.width, w.factors, N, count);
        for (size_t c = 0; c < C; c += LANES) {
            size_t tail = C - c < LANES ? C - c : 0;
            float *out = w.weighted + c / TILE_COLUMNS * TILE_COLUMNS * v_depth(N) + c % TILE_COLUMNS;
            for (size_t i = 0; i < N; i += FACTORS) {
                vf even = v_get(x + i * C + c, tail) * w.factors[i], odd = v_set(0.0f);
                if (FACTORS > 1 && i + 1 < N) odd = v_get(x + (i + 1) * C + c, tail) * w.factors[i + 1];
                v_put(out + i / FACTORS * TILE_COLUMNS, v_join(even, odd), 0);
            }
        }
        for (size_t j = 0; j < count; j += TILE_ROWS) {
            size_t rows = count - j < TILE_ROWS ? count - j : TILE_ROWS;
            float *d = d_word + (begin + j) * C;
            v_pack_straight(w.panel, LANES, e + j, w.width, rows, N);
            v_row_panel(d, C, adds ? d : NULL, C, w.panel, 0, w.weighted, N, 1, rows, C);
        }
    }
    for (size_t i = 0; i < N; i++) {
        size_t label = (size_t)labels[i] - first;
        if (label >= V) continue;
        float *own = d_word + label * C;
        d_bias[label] -= scale;
        CK_EACH(c, C, v_put(own + c, v_get(own + c, tail) - scale * v_get(x + i * C + c, tail), tail););
    }
}

#endif
