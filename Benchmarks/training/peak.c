// The fused multiply-add peak of THREADS threads in fp32, in GFLOP/s: independent chains that stay in registers.
// Usage: peak [THREADS]

#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { chains = 12, rounds = 40 * 1000 * 1000 };

// Results land here, so that no compiler drops the work.
static volatile float sink;

__attribute__((target("avx512f"))) static double wide(void) {
    __m512 sums[chains];
    __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
    for (int c = 0; c < chains; c++) sums[c] = _mm512_set1_ps((float)c);
    for (long round = 0; round < rounds; round++) {
        for (int c = 0; c < chains; c++) sums[c] = _mm512_fmadd_ps(sums[c], a, b);
        __asm__ volatile("" : "+v"(a));
    }
    for (int c = 0; c < chains; c++) sink += _mm512_reduce_add_ps(sums[c]);
    return 2.0 * 16 * chains * rounds;
}

__attribute__((target("avx2,fma"))) static double narrow(void) {
    __m256 sums[chains];
    __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
    for (int c = 0; c < chains; c++) sums[c] = _mm256_set1_ps((float)c);
    for (long round = 0; round < rounds; round++) {
        for (int c = 0; c < chains; c++) sums[c] = _mm256_fmadd_ps(sums[c], a, b);
        __asm__ volatile("" : "+x"(a));
    }
    for (int c = 0; c < chains; c++) sink += _mm256_cvtss_f32(sums[c]);
    return 2.0 * 8 * chains * rounds;
}

static void *work(void *operations) {
    *(double *)operations = __builtin_cpu_supports("avx512f") ? wide() : narrow();
    return NULL;
}

int main(int count, char **arguments) {
    int threads = count > 1 ? atoi(arguments[1]) : 1;
    if (threads < 1 || threads > 256) return 2;
    pthread_t thread[256];
    double operations[256], total = 0;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int t = 0; t < threads; t++)
        if (pthread_create(&thread[t], NULL, work, &operations[t])) return 1;
    for (int t = 0; t < threads; t++) {
        pthread_join(thread[t], NULL);
        total += operations[t];
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.1f\n", total / ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)));
}
