// Reference: self-attention, a row of scores at a time, products by plain loops in double.
#include <math.h>

#include "ref.h"

static double dot(const float *a, const float *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * b[i];
    return sum;
}

void ck_ref_attention_forward(float *restrict out, float *restrict log_sum_exp, const float *qkv,
                              const int32_t *offsets, size_t S, size_t NH, size_t HS, ck_dropout dropout,
                              float *restrict scratch) {
    size_t H = NH * HS, N = (size_t)offsets[S];
    double scale = 1 / sqrt((double)HS);
    for (size_t s = 0; s < S; s++)
        for (size_t h = 0; h < NH; h++) {
            size_t begin = (size_t)offsets[s], T = (size_t)offsets[s + 1] - begin;
            const float *q = qkv + begin * 3 * H + h * HS, *k = q + H, *v = k + H;
            for (size_t i = 0; i < T; i++) {
                float greatest = -INFINITY;
                for (size_t j = 0; j < T; j++) {
                    scratch[j] = (float)(dot(q + i * 3 * H, k + j * 3 * H, HS) * scale);
                    if (scratch[j] > greatest) greatest = scratch[j];
                }
                double sum = 0;
                for (size_t j = 0; j < T; j++) sum += scratch[j] = expf(scratch[j] - greatest);
                log_sum_exp[h * N + begin + i] = greatest + (float)log(sum);
                uint64_t key = ck_row_key(dropout.seed, ck_attention_row(h, begin + i));
                for (size_t j = 0; j < T; j++) scratch[j] *= (float)(1 / sum) * ck_keep(dropout, key, (uint32_t)j);
                for (size_t d = 0; d < HS; d++) {
                    double o = 0;
                    for (size_t j = 0; j < T; j++) o += (double)scratch[j] * v[j * 3 * H + d];
                    out[(begin + i) * H + h * HS + d] = (float)o;
                }
            }
        }
}

void ck_ref_attention_backward(float *restrict d_qkv, const float *d_out, const float *out, const float *log_sum_exp,
                               const float *qkv, const int32_t *offsets, size_t S, size_t NH, size_t HS,
                               ck_dropout dropout, float *restrict scratch) {
    (void)scratch;
    size_t H = NH * HS, N = (size_t)offsets[S];
    double scale = 1 / sqrt((double)HS);
    for (size_t i = (size_t)offsets[0] * 3 * H; i < N * 3 * H; i++) d_qkv[i] = 0;
    for (size_t s = 0; s < S; s++)
        for (size_t h = 0; h < NH; h++) {
            size_t begin = (size_t)offsets[s], T = (size_t)offsets[s + 1] - begin;
            const float *q = qkv + begin * 3 * H + h * HS, *k = q + H, *v = k + H;
            float *dq = d_qkv + begin * 3 * H + h * HS, *dk = dq + H, *dv = dk + H;
            for (size_t i = 0; i < T; i++) {
                const float *o = out + (begin + i) * H + h * HS, *dy = d_out + (begin + i) * H + h * HS;
                double lse = log_sum_exp[h * N + begin + i], delta = dot(o, dy, HS);
                uint64_t key = ck_row_key(dropout.seed, ck_attention_row(h, begin + i));
                for (size_t j = 0; j < T; j++) {
                    double p = exp(dot(q + i * 3 * H, k + j * 3 * H, HS) * scale - lse);
                    double keep = (double)ck_keep(dropout, key, (uint32_t)j);
                    float kept = (float)(p * keep);
                    float ds = (float)(p * (keep * dot(dy, v + j * 3 * H, HS) - delta) * scale);
                    for (size_t d = 0; d < HS; d++) {
                        dv[j * 3 * H + d] += kept * dy[d];
                        dq[i * 3 * H + d] += ds * k[j * 3 * H + d];
                        dk[j * 3 * H + d] += ds * q[i * 3 * H + d];
                    }
                }
            }
        }
}
