// Reference: softmax cross-entropy with its gradient in place, and forward alone with the argmax.
#include <math.h>

#include "ref.h"

// max and log of the sum of exp of one row, bias added first.
static double row_log_sum_exp(const float *x, const float *bias, size_t V, size_t *argmax) {
    size_t best = 0;
    float greatest = -INFINITY;
    for (size_t j = 0; j < V; j++) {
        float z = x[j] + (bias ? bias[j] : 0.0f);
        if (z > greatest) {
            greatest = z;
            best = j;
        }
    }
    double sum = 0;
    for (size_t j = 0; j < V; j++) sum += exp((double)(x[j] + (bias ? bias[j] : 0.0f)) - (double)greatest);
    *argmax = best;
    return (double)greatest + log(sum);
}

void ck_ref_softmax_cross_entropy(float *restrict losses, float *restrict logits, const float *bias,
                                  const int32_t *labels, size_t N, size_t V, float scale) {
    for (size_t i = 0; i < N; i++) {
        float *x = logits + i * V;
        size_t label = (size_t)labels[i], ignored;
        double lse = row_log_sum_exp(x, bias, V, &ignored);
        losses[i] = (float)(lse - (double)(x[label] + (bias ? bias[label] : 0.0f)));
        for (size_t j = 0; j < V; j++) {
            double p = exp((double)(x[j] + (bias ? bias[j] : 0.0f)) - lse);
            x[j] = (float)((p - (j == label ? 1.0 : 0.0)) * (double)scale);
        }
    }
}

void ck_ref_softmax_cross_entropy_forward(float *restrict losses, int32_t *restrict predicted, const float *logits,
                                          const float *bias, const int32_t *labels, size_t N, size_t V) {
    for (size_t i = 0; i < N; i++) {
        const float *x = logits + i * V;
        size_t label = (size_t)labels[i], best;
        double lse = row_log_sum_exp(x, bias, V, &best);
        losses[i] = (float)(lse - (double)(x[label] + (bias ? bias[label] : 0.0f)));
        predicted[i] = (int32_t)best;
    }
}
