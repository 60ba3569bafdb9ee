// Times every kernel in each variant that this CPU runs, at the sizes of a tiny BERT (H 128, NH 2, I 512, V 30,522) on
// 2,048 tokens in four sequences. One thread. Best of several runs, in ns an element; each vector result is checked
// against the reference first, so a fast wrong kernel does not pass for a fast one.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ckernels.h"
#include "products.h"

enum { N = 2048, H = 128, NH = 2, HS = 64, I = 512, V = 30522, S = 4, MASKED = 300, PARAMS = 4400000 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *filled(size_t n, unsigned seed) {
    float *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
    if (!x) abort();
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
    }
    return x;
}

// One set of buffers for all kernels: names as in the contract.
static float *x, *y, *z, *residual, *bias, *weight, *mean, *rstd, *d_bias, *d_weight, *d_bias2, *scratch, *logits;
static float *losses, *qkv, *d_qkv, *lse, *m1, *m2, *wide_bias, *wide_bias2, *wide_scratch, *grad;
static int32_t *ids, *positions, *types, offsets[S + 1], *labels, *predicted;
static const ck_ops *ops;
static const ck_dropout drop = {42, 429496730u, 1.0f / 0.9f};

static void map_exp(void) { ops->map_exp(y, x, N * I); }
static void map_erf(void) { ops->map_erf(y, x, N * I); }
static void map_tanh(void) { ops->map_tanh(y, x, N * I); }
static void dropout(void) { ops->dropout_forward(y, x, N * I, drop); }
static void gelu_forward(void) { ops->bias_gelu_forward(y, x, bias, N, I); }
static void gelu_backward(void) { ops->bias_gelu_backward(y, d_bias, residual, z, x, bias, N, I); }
static void layer_norm(void) { ops->layer_norm_forward(y, mean, rstd, x, weight, bias, N, H, 1e-12f); }
static void layer_norm_back(void) { ops->layer_norm_backward(y, d_weight, d_bias, z, x, weight, mean, rstd, N, H); }
static void residual_norm(void) {
    ops->residual_layer_norm_forward(y, z, mean, rstd, x, bias, residual, weight, bias, N, H, 1e-12f, drop);
}
static void residual_norm_back(void) {
    ops->residual_layer_norm_backward(y, d_bias, z, d_weight, d_bias2, residual, x, weight, mean, rstd, N, H, drop);
}
static const ck_attention_rows rows = {offsets, offsets, S, NH, HS, 3 * H, 3 * H};
static void attention(void) {
    ops->attention_forward(y, lse, qkv, qkv + H, qkv + 2 * H, &rows, drop, scratch);
}
static void attention_back(void) {
    ops->attention_backward(d_qkv, d_qkv + H, d_qkv + 2 * H, z, y, lse, qkv, qkv + H, qkv + 2 * H, &rows, drop, scratch);
}
static void cross_entropy(void) { ops->softmax_cross_entropy(losses, logits, wide_bias, labels, MASKED, V, 1e-3f); }
static void vocabulary(void) {
    float *greatest = wide_scratch, *factors = greatest + MASKED, *after = factors + MASKED;
    ck_vocabulary_part part = {after, after + MASKED, after + 2 * MASKED, after + 3 * MASKED,
                               after + (3 + H) * MASKED};
    ops->vocabulary_forward(&part, x, m2, wide_bias2, labels, MASKED, 0, V, H);
    ops->vocabulary_join(losses, y, greatest, factors, &part, 1, m2, labels, MASKED, H, 1e-3f);
    ops->vocabulary_backward(m1, wide_bias, &part, greatest, factors, x, m2, wide_bias2, labels, MASKED, 0, V, H, 1e-3f,
                             false);
}
static void cross_entropy_forward(void) {
    ops->softmax_cross_entropy_forward(losses, predicted, logits, wide_bias, labels, MASKED, V);
}
static void sum_rows(void) { ops->sum_rows(wide_bias, logits, MASKED, V); }
static void embedding(void) { ops->embedding_forward(y, m1, x, x, ids, positions, types, N, H); }
static void adamw(void) {
    ops->adamw_step(grad, logits, m1, m2, PARAMS, (ck_adamw){1e-4f, 0.9f, 0.999f, 1e-6f, 0.01f, 0.1f, 0.001f, 1.0f});
}
static volatile double sink;
static void squares(void) { sink = ops->sum_of_squares(logits, PARAMS); }
static void all_finite(void) { sink = ops->is_finite(logits, PARAMS); }

typedef struct {
    const char *name;
    void (*run)(void);
    double elements;
    float **output;      // compared with the reference, or NULL
    size_t output_count;
} kernel;

static const kernel kernels[] = {
    {"exp", map_exp, N * I, &y, N * I},
    {"erf", map_erf, N * I, &y, N * I},
    {"tanh", map_tanh, N * I, &y, N * I},
    {"dropout", dropout, N * I, &y, N * I},
    {"bias+gelu", gelu_forward, N * I, &y, N * I},
    {"bias+gelu backward", gelu_backward, N * I, &y, N * I},
    {"layer norm", layer_norm, N * H, &y, N * H},
    {"layer norm backward", layer_norm_back, N * H, &y, N * H},
    {"residual+dropout+norm", residual_norm, N * H, &y, N * H},
    {"residual+dropout+norm backward", residual_norm_back, N * H, &y, N * H},
    {"attention (per score)", attention, 1.0 * S * NH * 512 * 512, &y, N * H},
    {"attention backward (per score)", attention_back, 1.0 * S * NH * 512 * 512, &d_qkv, N * 3 * H},
    {"cross-entropy + gradient", cross_entropy, 1.0 * MASKED * V, &losses, MASKED},
    {"MLM loss, all gradients (per logit)", vocabulary, 1.0 * MASKED * V, &losses, MASKED},
    {"cross-entropy forward", cross_entropy_forward, 1.0 * MASKED * V, &losses, MASKED},
    {"sum of rows, V wide", sum_rows, 1.0 * MASKED * V, &wide_bias, V},
    {"embedding", embedding, N * H, &y, N * H},
    {"adamw", adamw, PARAMS, &grad, PARAMS},
    {"sum of squares", squares, PARAMS, NULL, 0},
    {"is finite", all_finite, PARAMS, NULL, 0},
};

static void reset(void) {
    free(x), free(y), free(z), free(residual), free(bias), free(weight), free(d_bias), free(d_weight), free(d_bias2);
    free(logits), free(qkv), free(m1), free(m2), free(wide_bias), free(grad), free(mean), free(rstd), free(lse);
    x = filled(N * I, 1), y = filled(N * I, 2), z = filled(N * I, 3), residual = filled(N * I, 4);
    bias = filled(I, 5), weight = filled(I, 6), d_bias = filled(I, 7), d_weight = filled(I, 8), d_bias2 = filled(I, 9);
    logits = filled((size_t)MASKED * V, 10), qkv = filled(N * 3 * H, 11), wide_bias = filled(V, 14);
    m1 = filled(PARAMS, 12), m2 = filled(PARAMS, 13), grad = filled(PARAMS, 15);
    mean = filled(N, 16), rstd = filled(N, 17), lse = filled(N * NH, 18);
    for (size_t i = 0; i < N * NH; i++) lse[i] = 6.3f;
    for (size_t i = 0; i < PARAMS; i++) m2[i] *= m2[i];
}

static double best_time(void (*run)(void), double at_least) {
    double best = 1e9, spent = 0;
    for (int i = 0; i < 3 || (spent < at_least && i < 200); i++) {
        double start = now();
        run();
        double took = now() - start;
        spent += took;
        if (took < best) best = took;
    }
    return best;
}

int main(int argc, char **argv) {
    const char *prefix = argc > 1 ? argv[1] : "";
    ck_blas_single_threaded();
    printf("%s, %s, %s\n", ck_cpu_kind(), ck_blas_config(), ck_blas_core());
    wide_bias2 = filled(V, 23), wide_scratch = filled(ck_vocabulary_work(MASKED, V, H) + (5 + H) * MASKED, 24);
    scratch = filled(ck_attention_scratch(512, HS), 20), losses = filled(MASKED, 21), d_qkv = filled(N * 3 * H, 22);
    ids = calloc(N, 4), positions = calloc(N, 4), types = calloc(N, 4), labels = calloc(N, 4), predicted = calloc(N, 4);
    for (int i = 0; i < N; i++)
        ids[i] = (i * 7919) % V, positions[i] = i % 512, types[i] = i % 512 >= 256, labels[i] = i;
    for (int s = 0; s <= S; s++) offsets[s] = s * 512;
    printf("%-36s %10s %10s %10s   ns an element; (x) times the reference\n", "", "reference", "avx2", "avx512");
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
        if (strncmp(kernels[k].name, prefix, strlen(prefix)) != 0) continue;
        float *expected = NULL;
        double reference = 0;
        printf("%-36s", kernels[k].name);
        for (int variant = CK_REFERENCE; variant <= CK_AVX512; variant++) {
            ops = ck_ops_for((ck_variant)variant);
            if (!ops) continue;
            reset();
            kernels[k].run();
            size_t count = kernels[k].output_count;
            if (variant == CK_REFERENCE && count) {
                expected = malloc(count * sizeof *expected);
                memcpy(expected, *kernels[k].output, count * sizeof *expected);
            }
            for (size_t i = 0; i < count; i++) {
                float difference = fabsf(expected[i] - (*kernels[k].output)[i]);
                if (!(difference <= 1e-3f * (1 + fabsf(expected[i])))) {
                    printf(" WRONG at %zu: %g, not %g\n", i, (double)(*kernels[k].output)[i], (double)expected[i]);
                    return 1;
                }
            }
            double took = best_time(kernels[k].run, 0.15) / kernels[k].elements * 1e9;
            if (variant == CK_REFERENCE) reference = took;
            if (variant == CK_REFERENCE) printf(" %9.3f", took);
            else printf(" %7.3f (%.0f)", took, reference / took);
        }
        printf("\n");
        free(expected);
    }
    if (strncmp("matmul", prefix, strlen(prefix)) == 0) products();
    return 0;
}
