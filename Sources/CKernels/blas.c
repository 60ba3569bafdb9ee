// The one door to OpenBLAS, and to another CBLAS that is named at run time.
#define _GNU_SOURCE
#include <cblas.h>
#include <dlfcn.h>
#include <link.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ref/ref.h"

_Static_assert(sizeof(blasint) == sizeof(int32_t), "CBLAS with 32-bit sizes");

void ck_blas_single_threaded(void) { openblas_set_num_threads(1); }
const char *ck_blas_config(void) { return openblas_get_config(); }
const char *ck_blas_core(void) { return openblas_get_corename(); }

// ck_sgemm_fn has CBLAS's own signature but for the names of its enumerations.
static ck_sgemm_fn *const linked = (ck_sgemm_fn *)(void (*)(void))cblas_sgemm;

static void multiply(ck_sgemm_fn *sgemm, float *c, const float *a, const float *b, const float *bias, size_t m,
                     size_t n, size_t k, bool transpose_a, bool transpose_b, float alpha, float beta, size_t lda,
                     size_t ldb, size_t ldc) {
    if (m == 0 || n == 0) return;
    if (bias && beta == 0) {
        for (size_t i = 0; i < m; i++) memcpy(c + i * ldc, bias, n * sizeof(float));
        beta = 1;
    }
    sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, (blasint)m,
          (blasint)n, (blasint)k, alpha, a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
}

void ck_blas_matmul(float *c, const float *a, const float *b, const float *bias, size_t m, size_t n, size_t k,
                    bool transpose_a, bool transpose_b, float alpha, float beta, size_t lda, size_t ldb, size_t ldc) {
    multiply(linked, c, a, b, bias, m, n, k, transpose_a, transpose_b, alpha, beta, lda, ldb, ldc);
}

void ck_cblas_matmul(const ck_cblas *library, float *c, const float *a, const float *b, const float *bias, size_t m,
                     size_t n, size_t k, bool transpose_a, bool transpose_b, float alpha, float beta, size_t lda,
                     size_t ldb, size_t ldc) {
    multiply(library->sgemm, c, a, b, bias, m, n, k, transpose_a, transpose_b, alpha, beta, lda, ldb, ldc);
}

// One product with strides, both transpositions and beta, against the reference: a library with 64-bit sizes, or one
// that is broken, does not pass.
static bool multiplies(ck_sgemm_fn *sgemm) {
    enum { M = 3, N = 5, K = 7, LD = 11 };
    for (int transposed = 0; transposed < 4; transposed++) {
        float a[K * LD], b[K * LD], c[M * LD], expected[M * LD];
        for (int i = 0; i < K * LD; i++) a[i] = (float)(i % 13) - 6, b[i] = (float)(i % 7) - 3;
        for (int i = 0; i < M * LD; i++) c[i] = expected[i] = (float)(i % 5);
        bool ta = transposed & 1, tb = transposed & 2;
        multiply(sgemm, c, a, b, NULL, M, N, K, ta, tb, 0.5f, 2, LD, LD, LD);
        ck_ref_matmul(expected, a, b, NULL, M, N, K, ta, tb, 0.5f, 2, LD, LD, LD);
        for (int i = 0; i < M * LD; i++)
            if (!(fabsf(c[i] - expected[i]) < 1e-4f)) return false;
    }
    return true;
}

static void *symbol(void *library, const char *name) { return dlsym(library, name); }

static void use_one_thread(void *library) {
    static const char *const setters[] = {"openblas_set_num_threads", "MKL_Set_Num_Threads", "bli_thread_set_num_threads"};
    for (size_t i = 0; i < sizeof setters / sizeof *setters; i++) {
        // The count is an int or a long: 1 is the same in the register of both.
        void (*set)(long) = (void (*)(long))symbol(library, setters[i]);
        if (set) set(1);
    }
}

static char *version_of(void *library) {
    char text[256] = "a CBLAS that does not tell its version";
    const char *(*openblas)(void) = (const char *(*)(void))symbol(library, "openblas_get_config");
    const char *(*blis)(void) = (const char *(*)(void))symbol(library, "bli_info_get_version_str");
    void (*mkl)(char *, int) = (void (*)(char *, int))symbol(library, "MKL_Get_Version_String");
    if (openblas) strncpy(text, openblas(), sizeof text - 1);
    else if (blis) strcpy(text, "BLIS "), strncat(text, blis(), sizeof text - 6);
    else if (mkl) mkl(text, sizeof text - 1);
    text[sizeof text - 1] = 0;
    for (size_t end = strlen(text); end > 0 && text[end - 1] == ' '; end--) text[end - 1] = 0;
    return strdup(text);
}

// The libraries that were opened, which stay until the process ends: here they can be found.
typedef struct opened {
    ck_cblas library;
    struct opened *before;
} opened;
static _Atomic(opened *) newest;

// Sets *error and answers NULL.
static const ck_cblas *refuse(const char **error, const char *why) {
    *error = why ? why : "the dynamic linker does not say why";
    return NULL;
}

const ck_cblas *ck_cblas_load(const char *path, const char **error) {
    int flags = RTLD_NOW | RTLD_LOCAL;
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
    flags |= RTLD_DEEPBIND;  // its own symbols before OpenBLAS's, which have the same names
#endif
    // MKL asks the environment how to thread when it is opened; a pool of its own would compete with ours.
    setenv("MKL_THREADING_LAYER", "SEQUENTIAL", 0);
    void *library = dlopen(path, flags);
    if (!library) return refuse(error, dlerror());
    ck_sgemm_fn *sgemm = (ck_sgemm_fn *)symbol(library, "cblas_sgemm");
    if (!sgemm) return refuse(error, "it has no function cblas_sgemm");
    use_one_thread(library);
    if (!multiplies(sgemm)) return refuse(error, "its products are wrong: it may be built with 64-bit sizes");
    struct link_map *map = NULL;
    if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || !map) return refuse(error, dlerror());
    char *own_path = strdup(map->l_name), *version = version_of(library);
    opened *loaded = malloc(sizeof *loaded);
    if (!own_path || !version || !loaded) {
        free(own_path), free(version), free(loaded);
        return refuse(error, "out of memory");
    }
    *loaded = (opened){.library = {sgemm, own_path, version}, .before = atomic_load(&newest)};
    while (!atomic_compare_exchange_weak(&newest, &loaded->before, loaded)) continue;
    return &loaded->library;
}
