// Reference: the loss over the vocabulary, logits computed again wherever they are needed, sums in double.
#include <math.h>

#include "ref.h"

static double logit(const float *x, const float *word, const float *bias, size_t j, size_t C) {
    double sum = bias[j];
    for (size_t c = 0; c < C; c++) sum += (double)x[c] * word[j * C + c];
    return sum;
}

void ck_ref_vocabulary_forward(const ck_vocabulary_part *part, const float *x, const float *word, const float *bias,
                               const int32_t *labels, size_t N, size_t first, size_t V, size_t C) {
    for (size_t i = 0; i < N; i++) {
        const float *row = x + i * C;
        size_t label = (size_t)labels[i] - first;  // wraps where the label is of an earlier part
        double greatest = -INFINITY, sum = 0;
        for (size_t j = 0; j < V; j++) greatest = fmax(greatest, logit(row, word, bias, j, C));
        part->greatest[i] = (float)greatest;
        part->labelled[i] = label < V ? (float)logit(row, word, bias, label, C) : -INFINITY;
        for (size_t c = 0; c < C; c++) part->d_x[i * C + c] = 0;
        for (size_t j = 0; j < V; j++) {
            double e = exp(logit(row, word, bias, j, C) - (double)part->greatest[i]);
            sum += e;
            for (size_t c = 0; c < C; c++) part->d_x[i * C + c] += (float)e * word[j * C + c];
        }
        part->sum[i] = (float)sum;
    }
}

void ck_ref_vocabulary_join(float *restrict losses, float *restrict d_x, float *restrict greatest,
                            float *restrict factors, const ck_vocabulary_part *parts, size_t count, const float *word,
                            const int32_t *labels, size_t N, size_t C, float scale) {
    for (size_t i = 0; i < N; i++) {
        double most = -INFINITY, labelled = -INFINITY, sum = 0;
        for (size_t p = 0; p < count; p++) {
            most = fmax(most, parts[p].greatest[i]);
            labelled = fmax(labelled, parts[p].labelled[i]);
        }
        for (size_t p = 0; p < count; p++) sum += parts[p].sum[i] * exp(parts[p].greatest[i] - most);
        losses[i] = (float)(log(sum) + most - labelled);
        greatest[i] = (float)most;
        factors[i] = (float)((double)scale / sum);
        for (size_t c = 0; c < C; c++) {
            double d = 0;
            for (size_t p = 0; p < count; p++) d += parts[p].d_x[i * C + c] * exp(parts[p].greatest[i] - most);
            d_x[i * C + c] = (float)(d * (double)scale / sum - (double)scale * word[(size_t)labels[i] * C + c]);
        }
    }
}

void ck_ref_vocabulary_backward(float *restrict d_word, float *restrict d_bias, const ck_vocabulary_part *part,
                                const float *greatest, const float *factors, const float *x, const float *word,
                                const float *bias, const int32_t *labels, size_t N, size_t first, size_t V, size_t C,
                                float scale, bool adds) {
    (void)part;
    for (size_t i = 0; i < V * C && !adds; i++) d_word[i] = 0;
    for (size_t i = 0; i < N; i++) {
        const float *row = x + i * C;
        for (size_t j = 0; j < V; j++) {
            double e = exp(logit(row, word, bias, j, C) - (double)greatest[i]);
            float d = (float)(e * (double)factors[i] - (first + j == (size_t)labels[i] ? (double)scale : 0));
            d_bias[j] += d;
            for (size_t c = 0; c < C; c++) d_word[j * C + c] += d * row[c];
        }
    }
}
