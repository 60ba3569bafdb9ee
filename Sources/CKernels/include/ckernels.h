// The kernels' contract: every operation of the model, on row-major fp32, as one table of functions a variant.
//
// Letters: N rows (tokens of a slice laid end to end, no padding), C hidden size, S sequences, NH heads,
// HS head size, T length of one sequence, V vocabulary.
//
// Rules for all kernels
// - Outputs first, then `const` inputs, then sizes. Pointers marked `restrict` must not overlap any other argument.
// - Parameter gradients are added to (`+=`); activation gradients are written (`=`).
// - They allocate nothing, keep no globals, print nothing, and may run on several threads at once on disjoint outputs.
// - Sums run in an order fixed by the sizes and the variant alone, so a variant repeats itself bit for bit. Variants
//   agree with each other within rounding; dropout masks, `sum_of_squares` and `is_finite` are the same in all.
// - Indices (ids, rows, labels, offsets) are not checked here: the caller has.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// A dropout stream. Element (row, column) is kept when hash(seed, row, column) >= threshold and is then multiplied by
// `scale` = 1 / (1 - rate); otherwise it is 0. Pure and counter-based: backward makes the same mask again, nothing is
// stored. threshold = rate * 2^32; 0 means off (scale 1). The hash is stated in dropout.h.
typedef struct {
    uint64_t seed;
    uint32_t threshold;
    float scale;
} ck_dropout;

// What one AdamW step needs beside its buffers.
typedef struct {
    float learning_rate, beta1, beta2, epsilon, weight_decay;
    float bias_correction1, bias_correction2;  // 1 - beta^t
    float grad_scale;                          // gradients are multiplied by this first (clipping, averaging)
} ck_adamw;

// Backward works on the queries of one head in tiles of this many rows (a multiple of 14 and 6, the heights of register
// tiles), so that a tile of scores and one of their gradients stay in the L2 cache.
enum { CK_ATTENTION_TILE = 128 };

// out, x: (n). out may be x. Worst error against the true value, all finite x, in units of the last place:
// exp 1.1 (results below 2^-126 are 0), erf 1.2, tanh 1.5; measured 0.97, 0.96, 1.25. NaN stays NaN. The reference
// calls libm.
typedef void ck_map_fn(float *out, const float *x, size_t n);

// C (m, n) = alpha * op(A) * op(B) + beta * C, op(A): (m, k), op(B): (k, n), row-major, leading dimensions in floats.
// beta 0: the old C is not read, and every row begins with `bias` (n) unless that is NULL. Sums over k run in chunks fixed
// by k alone, so an element's bits do not depend on m, n or what is computed beside it. Uses up to 700 KB of stack.
typedef void ck_matmul_fn(float *restrict c, const float *a, const float *b, const float *_Nullable bias, size_t m,
                          size_t n, size_t k, bool transpose_a, bool transpose_b, float alpha, float beta, size_t lda,
                          size_t ldb, size_t ldc);

// ids, positions, types: (N). out (N, C) = word[id] + position[pos] + type[type].
typedef void ck_embedding_forward_fn(float *restrict out, const float *word, const float *position, const float *type,
                                     const int32_t *ids, const int32_t *positions, const int32_t *types, size_t N,
                                     size_t C);

// out (N, C) = inp[rows[i]].
typedef void ck_gather_rows_fn(float *restrict out, const float *inp, const int32_t *rows, size_t N, size_t C);

// d_inp[rows[i]] += d_out[i], in the order of i; rows may repeat.
typedef void ck_scatter_add_rows_fn(float *restrict d_inp, const float *d_out, const int32_t *rows, size_t N,
                                    size_t C);

// out (N, C) = (inp - mean) * rstd * weight + bias; mean, rstd: (N), kept for backward.
// Ba, Kiros & Hinton 2016 (arXiv 1607.06450), biased variance; rstd = 1 / sqrt(variance + eps).
typedef void ck_layer_norm_forward_fn(float *restrict out, float *restrict mean, float *restrict rstd,
                                      const float *inp, const float *weight, const float *bias, size_t N, size_t C,
                                      float eps);

// d_inp (N, C) =, d_weight and d_bias (C) +=. d_inp may be d_out.
typedef void ck_layer_norm_backward_fn(float *d_inp, float *restrict d_weight, float *restrict d_bias,
                                       const float *d_out, const float *inp, const float *weight, const float *mean,
                                       const float *rstd, size_t N, size_t C);

// sum (N, C) = residual + dropout(x + x_bias); out = layer norm of sum. Dropout element: (row, column) of (N, C).
typedef void ck_residual_layer_norm_forward_fn(float *restrict out, float *restrict sum, float *restrict mean,
                                               float *restrict rstd, const float *x, const float *x_bias,
                                               const float *residual, const float *weight, const float *bias, size_t N,
                                               size_t C, float eps, ck_dropout dropout);

// d_residual (N, C) = gradient of sum; d_x (N, C) = that through dropout; d_x_bias, d_weight, d_bias (C) +=.
// d_residual or d_x may be d_out, but not both.
typedef void ck_residual_layer_norm_backward_fn(float *d_x, float *restrict d_x_bias, float *d_residual,
                                                float *restrict d_weight, float *restrict d_bias, const float *d_out,
                                                const float *sum, const float *weight, const float *mean,
                                                const float *rstd, size_t N, size_t C, ck_dropout dropout);

// out[i] = inp[i] dropped out, elements (i >> 32, i & 0xffffffff). out may be inp. Its own backward.
typedef void ck_dropout_forward_fn(float *out, const float *inp, size_t n, ck_dropout dropout);

// out (N, C) = gelu(x + bias), gelu(z) = z/2 * (1 + erf(z / sqrt 2)): Hendrycks & Gimpel 2016 (arXiv 1606.08415), the
// exact form, not the tanh one. out may be x.
typedef void ck_bias_gelu_forward_fn(float *out, const float *x, const float *bias, size_t N, size_t C);

// d_x (N, C) = d_out * gelu'(x + bias); d_bias (C) += its rows. d_x may be d_out. out (N, C) = gelu(x + bias) again, the
// bits of the forward kernel, unless it is NULL; it shares the erf, so that nobody needs to keep what forward made.
typedef void ck_bias_gelu_backward_fn(float *d_x, float *restrict d_bias, float *_Nullable restrict out,
                                      const float *d_out, const float *x, const float *bias, size_t N, size_t C);

// out (N, C) = tanh(x + bias). out may be x.
typedef void ck_bias_tanh_forward_fn(float *out, const float *x, const float *bias, size_t N, size_t C);

// d_x (N, C) = d_out * (1 - out^2); d_bias (C) += its rows. d_x may be d_out.
typedef void ck_bias_tanh_backward_fn(float *d_x, float *restrict d_bias, const float *d_out, const float *out,
                                      size_t N, size_t C);

// x (N, C) += bias (C).
typedef void ck_add_bias_fn(float *restrict x, const float *bias, size_t N, size_t C);

// d_bias (C) += rows of x (N, C), in the order of N.
typedef void ck_sum_rows_fn(float *restrict d_bias, const float *x, size_t N, size_t C);

// Where the rows of attention lie. Sequence s asks with rows queries[s] ..< queries[s + 1] of Q and is asked in rows
// keys[s] ..< keys[s + 1] of N; usually both are the same rows. Head h is at h * HS of a row of q, k or v.
typedef struct {
    const int32_t *queries, *keys;  // (S + 1)
    size_t S, NH, HS;
    size_t query_step;  // floats from a row of q to the next
    size_t key_step;    // of k, and of v
} ck_attention_rows;

// Multi-head attention inside each of S sequences. out: (Q, NH * HS). log_sum_exp: (NH, Q).
// Scores are scaled by 1 / sqrt(HS); dropout acts on probabilities, element (head << 40 | row of Q, column in the
// sequence). scratch: ck_attention_scratch(longest sequence, HS) floats. Vaswani et al. 2017 (arXiv 1706.03762), 3.2;
// the row statistics kept instead of probabilities: Dao et al. 2022 (arXiv 2205.14135).
typedef void ck_attention_forward_fn(float *restrict out, float *restrict log_sum_exp, const float *q, const float *k,
                                     const float *v, const ck_attention_rows *rows, ck_dropout dropout,
                                     float *restrict scratch);

// d_q, d_k, d_v (as q, k, v lie) = for the rows of the S sequences. Probabilities are computed again from log_sum_exp.
typedef void ck_attention_backward_fn(float *restrict d_q, float *restrict d_k, float *restrict d_v, const float *d_out,
                                      const float *out, const float *log_sum_exp, const float *q, const float *k,
                                      const float *v, const ck_attention_rows *rows, ck_dropout dropout,
                                      float *restrict scratch);

// losses (N) = -log softmax(logits + bias)[label]; logits (N, V) become (softmax - onehot) * scale, the gradient.
// bias: (V) or NULL.
typedef void ck_softmax_cross_entropy_fn(float *restrict losses, float *restrict logits, const float *_Nullable bias,
                                         const int32_t *labels, size_t N, size_t V, float scale);

// losses as above; predicted (N) = the lowest id with the greatest logit. logits are only read.
typedef void ck_softmax_cross_entropy_forward_fn(float *restrict losses, int32_t *restrict predicted,
                                                 const float *logits, const float *_Nullable bias,
                                                 const int32_t *labels, size_t N, size_t V);

// The loss of x (N, C) over a vocabulary and all its gradients, logits = x * word^T + bias, without ever holding all
// logits. The vocabulary is cut into parts, which may be at work at once: forward over each, one join, backward over
// each. A part is words `first ..< first + V`; `word`, `bias`, `d_word` and `d_bias` begin at its first word, labels are
// ids of the whole vocabulary.
//
// What a part has in the loss, before the parts are joined. The caller owns the memory; backward reads `work`.
typedef struct {
    float *greatest;  // (N): the greatest logit, -infinity without words
    float *sum;       // (N): of exp(logit - greatest)
    float *labelled;  // (N): the label's logit, -infinity where the label is no word of the part
    float *d_x;       // (N, C): the sum of exp(logit - greatest) times the word's row
    float *work;      // ck_vocabulary_work(N, V, C) floats
} ck_vocabulary_part;

typedef void ck_vocabulary_forward_fn(const ck_vocabulary_part *part, const float *x, const float *word,
                                      const float *bias, const int32_t *labels, size_t N, size_t first, size_t V,
                                      size_t C);

// losses (N) = -log softmax(logits)[label]; with d_logits = (softmax - onehot) * scale: d_x (N, C) =. For backward:
// greatest (N) over all parts, and factors (N) = scale / the sum of exp(logit - greatest). `word`: of the whole
// vocabulary. Parts are added in their order.
typedef void ck_vocabulary_join_fn(float *restrict losses, float *restrict d_x, float *restrict greatest,
                                   float *restrict factors, const ck_vocabulary_part *parts, size_t count,
                                   const float *word, const int32_t *labels, size_t N, size_t C, float scale);

// d_bias (V) +=, d_word (V, C) = or, where `adds`, +=.
typedef void ck_vocabulary_backward_fn(float *restrict d_word, float *restrict d_bias, const ck_vocabulary_part *part,
                                       const float *greatest, const float *factors, const float *x, const float *word,
                                       const float *bias, const int32_t *labels, size_t N, size_t first, size_t V,
                                       size_t C, float scale, bool adds);

// One AdamW step on n parameters: p -= lr * wd * p, then p -= lr * (m / bc1) / (sqrt(v / bc2) + eps).
// Loshchilov & Hutter 2019 (arXiv 1711.05101), decay as in torch.optim.AdamW.
typedef void ck_adamw_step_fn(float *restrict param, const float *grad, float *restrict m, float *restrict v, size_t n,
                              ck_adamw settings);

// Sum of x^2 in 16 lanes of double, lane i % 16, joined pairwise: the same bits in every variant.
typedef double ck_sum_of_squares_fn(const float *x, size_t n);

// dst += src.
typedef void ck_add_fn(float *restrict dst, const float *src, size_t n);

// x *= factor.
typedef void ck_scale_fn(float *x, size_t n, float factor);

// Whether no element is infinite or NaN.
typedef bool ck_is_finite_fn(const float *x, size_t n);

// Every kernel once: its name here, its type ck_<name>_fn above.
#define CK_KERNELS(K)                                                                                                  \
    K(embedding_forward) K(gather_rows) K(scatter_add_rows) K(layer_norm_forward) K(layer_norm_backward)               \
    K(residual_layer_norm_forward) K(residual_layer_norm_backward) K(dropout_forward) K(bias_gelu_forward)             \
    K(bias_gelu_backward) K(bias_tanh_forward) K(bias_tanh_backward) K(add_bias) K(sum_rows) K(attention_forward)      \
    K(attention_backward) K(softmax_cross_entropy) K(softmax_cross_entropy_forward) K(vocabulary_forward)              \
    K(vocabulary_join) K(vocabulary_backward) K(matmul) K(adamw_step) K(sum_of_squares) K(add) K(scale) K(is_finite)

// One variant of all kernels. Immutable, lives for ever.
typedef struct {
    ck_map_fn *_Nonnull map_exp, *_Nonnull map_erf, *_Nonnull map_tanh;
#define CK_FIELD(name) ck_##name##_fn *_Nonnull name;
    CK_KERNELS(CK_FIELD)
#undef CK_FIELD
} ck_ops;

// Products of CK_AVX512_BF16, those of attention and of the vocabulary too, round their factors to bf16 (subnormal ones to
// 0) and add in fp32: one is within 2^-8 of the sum of its absolute products. All else is CK_AVX512's.
typedef enum { CK_REFERENCE = 0, CK_AVX2 = 1, CK_AVX512 = 2, CK_AVX512_BF16 = 3 } ck_variant;

// The table of a variant, or NULL where this CPU (or build) cannot run it. The reference always can.
const ck_ops *_Nullable ck_ops_for(ck_variant variant);

// The variant in fp32 for this CPU, from the table of CPU kinds in dispatch.c; never by timing.
ck_variant ck_preferred_variant(void);

// The CPU kind by vendor, family and model, e.g. "amd-zen4"; "generic-x86-64-v3" and the like for unknown ones.
const char *ck_cpu_kind(void);

// Products with sums of at most this length are left to this CPU kind's own kernel, longer ones to OpenBLAS:
// PTRDIFF_MAX where ours is ahead at every shape measured (docs/performance.md), 0 where nothing was measured.
size_t ck_own_product_limit(void);

// Floats of scratch for attention over sequences of at most T tokens, forward or backward.
size_t ck_attention_scratch(size_t T, size_t HS);

// Words of a block of vocabulary_forward, a multiple of 32: its embeddings take 256 KB, half a megabyte packed both ways.
size_t ck_vocabulary_block(size_t C);
size_t ck_vocabulary_work(size_t N, size_t V, size_t C);

// Makes OpenBLAS run each call on the calling thread. Process-wide; call once before ck_blas_matmul.
void ck_blas_single_threaded(void);

// OpenBLAS's build and the kernel set that it chose, e.g. "OpenBLAS 0.3.21 … Cooperlake". Static strings.
const char *ck_blas_config(void);
const char *ck_blas_core(void);

// ck_matmul_fn by OpenBLAS: the portable default, and an oracle.
ck_matmul_fn ck_blas_matmul;

// cblas_sgemm, its enumerations by their numbers.
typedef void ck_sgemm_fn(unsigned order, unsigned transpose_a, unsigned transpose_b, int32_t m, int32_t n, int32_t k,
                         float alpha, const float *a, int32_t lda, const float *b, int32_t ldb, float beta, float *c,
                         int32_t ldc);

// A CBLAS library that was named at run time. It stays open, and its strings stay, until the process ends.
typedef struct {
    ck_sgemm_fn *sgemm;
    const char *path;     // of the file
    const char *version;  // what it says of itself
} ck_cblas;

// Opens the library of that name or path, makes it use one thread a call and tries it on a product. NULL if it cannot be
// used: *error then says why, valid until the next call of the dynamic linker. What is returned is never freed.
const ck_cblas *_Nullable ck_cblas_load(const char *path, const char *_Nullable *_Nonnull error);

// ck_matmul_fn by such a library.
void ck_cblas_matmul(const ck_cblas *library, float *c, const float *a, const float *b, const float *_Nullable bias,
                     size_t m, size_t n, size_t k, bool transpose_a, bool transpose_b, float alpha, float beta,
                     size_t lda, size_t ldb, size_t ldc);

#pragma clang assume_nonnull end

#endif
