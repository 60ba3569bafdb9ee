// Reference: the loss over the vocabulary, logits computed again wherever they are needed, sums in double.
#include <math.h>

#include "ref.h"

static double logit(const float *x, const float *word, const float *bias, size_t j, size_t C) {
    double sum = bias[j];
    for (size_t c = 0; c < C; c++) sum += (double)x[c] * word[j * C + c];
    return sum;
}

void ck_ref_vocabulary_loss(float *restrict losses, float *restrict d_x, float *restrict d_word, float *restrict d_bias,
                            const float *x, const float *word, const float *bias, const int32_t *labels, size_t N,
                            size_t V, size_t C, float scale, bool adds, float *restrict scratch) {
    (void)scratch;
    for (size_t i = 0; i < V * C && !adds; i++) d_word[i] = 0;
    for (size_t i = 0; i < N; i++) {
        const float *row = x + i * C;
        double greatest = -INFINITY, sum = 0;
        for (size_t j = 0; j < V; j++) greatest = fmax(greatest, logit(row, word, bias, j, C));
        for (size_t j = 0; j < V; j++) sum += exp(logit(row, word, bias, j, C) - greatest);
        losses[i] = (float)(log(sum) + greatest - logit(row, word, bias, (size_t)labels[i], C));
        for (size_t c = 0; c < C; c++) d_x[i * C + c] = 0;
        for (size_t j = 0; j < V; j++) {
            double p = exp(logit(row, word, bias, j, C) - greatest) / sum - (j == (size_t)labels[i] ? 1 : 0);
            float d = (float)(p * (double)scale);
            d_bias[j] += d;
            for (size_t c = 0; c < C; c++) {
                d_x[i * C + c] += d * word[j * C + c];
                d_word[j * C + c] += d * row[c];
            }
        }
    }
}
