// Reference: self-attention, a row of scores at a time, products by plain loops in double.
#include <math.h>

#include "ref.h"

static double dot(const float *a, const float *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * b[i];
    return sum;
}

void ck_ref_attention_forward(float *restrict out, float *restrict log_sum_exp, const float *q, const float *k,
                              const float *v, const ck_attention_rows *rows, ck_dropout dropout,
                              float *restrict scratch) {
    size_t HS = rows->HS, H = rows->NH * HS, Q = (size_t)rows->queries[rows->S], ldk = rows->key_step;
    double scale = 1 / sqrt((double)HS);
    for (size_t s = 0; s < rows->S; s++)
        for (size_t h = 0; h < rows->NH; h++) {
            size_t begin = (size_t)rows->keys[s], T = (size_t)rows->keys[s + 1] - begin;
            const float *keys = k + begin * ldk + h * HS, *values = v + begin * ldk + h * HS;
            for (size_t i = (size_t)rows->queries[s]; i < (size_t)rows->queries[s + 1]; i++) {
                float greatest = -INFINITY;
                for (size_t j = 0; j < T; j++) {
                    scratch[j] = (float)(dot(q + i * rows->query_step + h * HS, keys + j * ldk, HS) * scale);
                    if (scratch[j] > greatest) greatest = scratch[j];
                }
                double sum = 0;
                for (size_t j = 0; j < T; j++) sum += scratch[j] = expf(scratch[j] - greatest);
                log_sum_exp[h * Q + i] = greatest + (float)log(sum);
                uint64_t key = ck_row_key(dropout.seed, ck_attention_row(h, i));
                for (size_t j = 0; j < T; j++) scratch[j] *= (float)(1 / sum) * ck_keep(dropout, key, (uint32_t)j);
                for (size_t d = 0; d < HS; d++) {
                    double o = 0;
                    for (size_t j = 0; j < T; j++) o += (double)scratch[j] * values[j * ldk + d];
                    out[i * H + h * HS + d] = (float)o;
                }
            }
        }
}

void ck_ref_attention_backward(float *restrict d_q, float *restrict d_k, float *restrict d_v, const float *d_out,
                               const float *out, const float *log_sum_exp, const float *q, const float *k,
                               const float *v, const ck_attention_rows *rows, ck_dropout dropout,
                               float *restrict scratch) {
    (void)scratch;
    size_t HS = rows->HS, H = rows->NH * HS, Q = (size_t)rows->queries[rows->S];
    size_t ldq = rows->query_step, ldk = rows->key_step;
    double scale = 1 / sqrt((double)HS);
    for (size_t i = (size_t)rows->queries[0]; i < Q; i++)
        for (size_t d = 0; d < H; d++) d_q[i * ldq + d] = 0;
    for (size_t j = (size_t)rows->keys[0]; j < (size_t)rows->keys[rows->S]; j++)
        for (size_t d = 0; d < H; d++) d_k[j * ldk + d] = d_v[j * ldk + d] = 0;
    for (size_t s = 0; s < rows->S; s++)
        for (size_t h = 0; h < rows->NH; h++) {
            size_t begin = (size_t)rows->keys[s], T = (size_t)rows->keys[s + 1] - begin, at = begin * ldk + h * HS;
            const float *keys = k + at, *values = v + at;
            float *dk = d_k + at, *dv = d_v + at;
            for (size_t i = (size_t)rows->queries[s]; i < (size_t)rows->queries[s + 1]; i++) {
                const float *query = q + i * ldq + h * HS, *o = out + i * H + h * HS, *dy = d_out + i * H + h * HS;
                float *dq = d_q + i * ldq + h * HS;
                double lse = log_sum_exp[h * Q + i], delta = dot(o, dy, HS);
                uint64_t key = ck_row_key(dropout.seed, ck_attention_row(h, i));
                for (size_t j = 0; j < T; j++) {
                    double p = exp(dot(query, keys + j * ldk, HS) * scale - lse);
                    double keep = (double)ck_keep(dropout, key, (uint32_t)j);
                    float kept = (float)(p * keep);
                    float ds = (float)(p * (keep * dot(dy, values + j * ldk, HS) - delta) * scale);
                    for (size_t d = 0; d < HS; d++) {
                        dv[j * ldk + d] += kept * dy[d];
                        dq[d] += ds * keys[j * ldk + d];
                        dk[j * ldk + d] += ds * query[d];
                    }
                }
            }
        }
}
