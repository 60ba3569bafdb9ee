// The MLM head's loss over the vocabulary, forward and backward together, a block of words at a time: the block's
// embeddings are packed once for the logits and once for the gradient of x, and a panel of logits becomes exponentials
// while it is in the L1 cache. Only those exponentials are kept, each relative to its row's greatest logit so far; what
// is missing to a probability is one factor a row and block, which the second pass multiplies into x.
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

static void v_vocabulary_loss(float *restrict losses, float *restrict d_x, float *restrict d_word,
                              float *restrict d_bias, const float *x, const float *word, const float *bias,
                              const int32_t *labels, size_t N, size_t V, size_t C, float scale, bool adds,
                              float *restrict scratch) {
    size_t width = ck_vocabulary_block(C), blocks = (V + width - 1) / width;
    float *exponentials = scratch, *peaks = exponentials + blocks * width * N;  // (blocks, N, width), (blocks, N)
    float *sums = peaks + ((blocks * N + 15) & ~(size_t)15), *factors = sums + ((N + 15) & ~(size_t)15);
    float *labelled = factors + ((N + 15) & ~(size_t)15), *columns = labelled + ((N + 15) & ~(size_t)15);
    float *rows_of_word = columns + v_packed_count(width, C), *panel = rows_of_word + v_packed_count(C, width);
    float *weighted = panel + (C > N ? C : N) * LANES;
    for (size_t b = 0; b < blocks; b++) {
        size_t first = b * width, count = V - first < width ? V - first : width;
        float *greatest = peaks + b * N;
        v_pack_block(columns, word, C, true, first, count, 0, C);
        v_pack_block(rows_of_word, word, C, false, 0, C, first, count);
        for (size_t i = 0; i < N; i += TILE_ROWS) {
            size_t rows = N - i < TILE_ROWS ? N - i : TILE_ROWS, step;
            float *e = exponentials + (b * N + i) * width;
            const float *a = v_rows(panel, x + i * C, C, rows, C, &step);
            v_row_panel(e, width, bias + first, 0, a, step, columns, C, 1, rows, count);
            for (size_t r = i; r < i + rows; r++) {
                float *logits = exponentials + (b * N + r) * width;
                size_t label = (size_t)labels[r] - first;  // wraps where the label is of an earlier block
                if (label < count) labelled[r] = logits[label];
                greatest[r] = b > 0 ? greatest[r - N] : -__builtin_inff();
                if (b == 0) sums[r] = 0;
                v_exponentials(logits, count, greatest + r, sums + r, b > 0 ? d_x + r * C : NULL, C);
            }
            v_row_panel(d_x + i * C, C, b > 0 ? d_x + i * C : NULL, C, e, width, rows_of_word, count, 1, rows, C);
        }
    }
    const float *last = peaks + (blocks - 1) * N;
    for (size_t i = 0; i < N; i++) {
        const float *own = word + (size_t)labels[i] * C;
        float factor = scale / sums[i];
        losses[i] = logf(sums[i]) + (last[i] - labelled[i]);
        CK_EACH(c, C, {
            v_put(d_x + i * C + c, v_get(d_x + i * C + c, tail) * factor - scale * v_get(own + c, tail), tail);
        });
    }
    // Backwards: the exponentials of the last blocks are still in a cache.
    for (size_t b = blocks; b-- > 0;) {
        size_t first = b * width, count = V - first < width ? V - first : width;
        const float *e = exponentials + b * N * width;
        for (size_t i = 0; i < N; i++) factors[i] = expf(peaks[b * N + i] - last[i]) * (scale / sums[i]);
        v_add_weighted_rows(d_bias + first, e, width, factors, N, count);
        for (size_t c = 0; c < C; c += LANES) {
            size_t tail = C - c < LANES ? C - c : 0;
            float *out = weighted + c / TILE_COLUMNS * TILE_COLUMNS * N + c % TILE_COLUMNS;
            for (size_t i = 0; i < N; i++) v_put(out + i * TILE_COLUMNS, v_get(x + i * C + c, tail) * factors[i], 0);
        }
        for (size_t j = 0; j < count; j += TILE_ROWS) {
            size_t rows = count - j < TILE_ROWS ? count - j : TILE_ROWS;
            float *d = d_word + (first + j) * C;
            v_pack_straight(panel, LANES, e + j, width, rows, N);
            v_row_panel(d, C, adds ? d : NULL, C, panel, 0, weighted, N, 1, rows, C);
        }
    }
    for (size_t i = 0; i < N; i++) {
        float *own = d_word + (size_t)labels[i] * C;
        d_bias[labels[i]] -= scale;
        CK_EACH(c, C, v_put(own + c, v_get(own + c, tail) - scale * v_get(x + i * C + c, tail), tail););
    }
}

#endif
