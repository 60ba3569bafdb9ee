// Reference: AdamW and the reductions and small loops around it.
#include <math.h>

#include "ref.h"

void ck_ref_adamw_step(float *restrict param, const float *grad, float *restrict m, float *restrict v, size_t n,
                       ck_adamw s) {
    for (size_t i = 0; i < n; i++) {
        float g = grad[i] * s.grad_scale;
        m[i] = s.beta1 * m[i] + (1 - s.beta1) * g;
        v[i] = s.beta2 * v[i] + (1 - s.beta2) * g * g;
        float p = param[i] - s.learning_rate * s.weight_decay * param[i];
        param[i] = p - s.learning_rate * (m[i] / s.bias_correction1) / (sqrtf(v[i] / s.bias_correction2) + s.epsilon);
    }
}

double ck_ref_sum_of_squares(const float *x, size_t n) {
    double lane[16] = {0};
    for (size_t i = 0; i < n; i++) lane[i % 16] += (double)x[i] * x[i];
    for (size_t width = 8; width > 0; width /= 2)
        for (size_t i = 0; i < width; i++) lane[i] += lane[i + width];
    return lane[0];
}

void ck_ref_add(float *restrict dst, const float *src, size_t n) {
    for (size_t i = 0; i < n; i++) dst[i] += src[i];
}

void ck_ref_scale(float *x, size_t n, float factor) {
    for (size_t i = 0; i < n; i++) x[i] *= factor;
}

bool ck_ref_is_finite(const float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}
