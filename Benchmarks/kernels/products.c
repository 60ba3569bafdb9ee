// Matrix products at the shapes of a training step: OpenBLAS and our own in turn, beside the fused multiply-add peak of
// the same minutes. One thread, by its CPU time, so that other programs disturb less. Prints medians of five rounds and
// the median of the rounds' ratios; answers are compared first.
#include "products.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ckernels.h"

enum { ROUNDS = 5 };

typedef struct {
    const char *name;
    size_t m, n, k;
    bool transpose_a, transpose_b;
} product;

// Slices of 2,048 tokens (tiny, mini), 1,024 (small), 512 (base); 300 masked positions.
static const product shapes[] = {
    {"tiny qkv", 2048, 384, 128, false, true},        {"tiny attention out", 2048, 128, 128, false, true},
    {"tiny ffn up", 2048, 512, 128, false, true},     {"tiny ffn down", 2048, 128, 512, false, true},
    {"tiny ffn down dX", 2048, 512, 128, false, false}, {"tiny ffn up dX", 2048, 128, 512, false, false},
    {"tiny ffn down dW", 128, 512, 2048, true, false}, {"tiny ffn up dW", 512, 128, 2048, true, false},
    {"mini ffn up", 2048, 1024, 256, false, true},    {"mini ffn down", 2048, 256, 1024, false, true},
    {"mini ffn up dX", 2048, 256, 1024, false, false}, {"mini ffn up dW", 1024, 256, 2048, true, false},
    {"small ffn up", 1024, 2048, 512, false, true},   {"small ffn down", 1024, 512, 2048, false, true},
    {"base qkv", 512, 2304, 768, false, true},        {"base ffn up", 512, 3072, 768, false, true},
    {"base ffn down", 512, 768, 3072, false, true},   {"base ffn up dX", 512, 768, 3072, false, false},
    {"base ffn up dW", 3072, 768, 512, true, false},  {"scores of a head", 128, 512, 64, false, true},
    {"context of a head", 128, 64, 512, false, false}, {"tiny logits", 300, 30522, 128, false, true},
    {"tiny logits dX", 300, 128, 30522, false, false}, {"tiny logits dW", 30522, 128, 300, true, false},
    {"square", 2048, 2048, 2048, false, true},
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
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

static void run(ck_matmul_fn *multiply, const product *p, float *c, const float *a, const float *b) {
    multiply(c, a, b, NULL, p->m, p->n, p->k, p->transpose_a, p->transpose_b, 1, 0, p->transpose_a ? p->m : p->k,
             p->transpose_b ? p->k : p->n, p->n);
}

static double rate(ck_matmul_fn *multiply, const product *p, float *c, const float *a, const float *b) {
    double flops = 2.0 * (double)p->m * (double)p->n * (double)p->k, start = now();
    int times = (int)(1e9 / flops) + 1;
    for (int i = 0; i < times; i++) run(multiply, p, c, a, b);
    return flops * times / (now() - start) * 1e-9;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values) {
    qsort(values, ROUNDS, sizeof *values, ascending);
    return values[ROUNDS / 2];
}

#if defined(__x86_64__)
typedef __attribute__((ext_vector_type(16))) float f16;
__attribute__((target("avx512f"))) static double peak(void) {
    f16 sums[12], x = 0.999f, y = 1e-3f;
    for (int i = 0; i < 12; i++) sums[i] = (float)i;
    double start = now();
    const long rounds = 10000000;
    for (long r = 0; r < rounds; r++)
        for (int i = 0; i < 12; i++) sums[i] = __builtin_elementwise_fma(sums[i], x, y);
    double took = now() - start;
    volatile float sink = 0;
    for (int i = 0; i < 12; i++) sink += sums[i].s0;
    return 2.0 * 16 * 12 * (double)rounds / took * 1e-9;
}
#endif

void products(void) {
    const ck_ops *ops = ck_ops_for(ck_preferred_variant());
    if (ops == ck_ops_for(CK_REFERENCE)) return;
#if defined(__x86_64__)
    if (ck_ops_for(CK_AVX512)) printf("AVX-512 multiply-add peak of a thread: %.0f GFLOP/s\n", peak());
#endif
    printf("%-20s %24s %10s %8s   GFLOP/s, one thread\n", "product", "m x n x k", "OpenBLAS", "ours");
    size_t most = (size_t)30522 * 512;
    float *a = filled(most, 1), *b = filled(most, 2), *c = filled(most, 3), *d = filled(most, 4);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const product *p = &shapes[i];
        run(ck_blas_matmul, p, c, a, b), run(ops->matmul, p, d, a, b);
        for (size_t j = 0; j < p->m * p->n; j++)
            if (!(fabsf(c[j] - d[j]) <= 1e-3f * (1 + fabsf(c[j])))) {
                printf("%s: WRONG at %zu: %g, not %g\n", p->name, j, (double)d[j], (double)c[j]);
                exit(1);
            }
        double theirs[ROUNDS], ours[ROUNDS], ratios[ROUNDS];
        for (int r = 0; r < ROUNDS; r++) {
            theirs[r] = rate(ck_blas_matmul, p, c, a, b), ours[r] = rate(ops->matmul, p, d, a, b);
            ratios[r] = ours[r] / theirs[r];
        }
        printf("%-20s %6zu x %5zu x %5zu %c%c %10.0f %8.0f   x %.2f\n", p->name, p->m, p->n, p->k,
               p->transpose_a ? 'T' : 'N', p->transpose_b ? 'T' : 'N', median(theirs), median(ours), median(ratios));
        fflush(stdout);
    }
    free(a), free(b), free(c), free(d);
}
