// Which variant runs on which CPU: one committed table by vendor, family and model, features as the fallback.
// Never by timing: the same CPU kind always gives the same bits.
#include <string.h>

#include "ref/ref.h"
#include "x86/variants.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const ck_ops reference = {
    .map_exp = ck_ref_map_exp, .map_erf = ck_ref_map_erf, .map_tanh = ck_ref_map_tanh,
#define CK_ENTRY(name) .name = ck_ref_##name,
    CK_KERNELS(CK_ENTRY)
#undef CK_ENTRY
};

#if defined(__x86_64__)

typedef struct {
    char vendor[13];
    unsigned family, model;
} cpu_id;

static cpu_id identify(void) {
    cpu_id id = {{0}, 0, 0};
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx)) return id;
    memcpy(id.vendor, &ebx, 4);
    memcpy(id.vendor + 4, &edx, 4);
    memcpy(id.vendor + 8, &ecx, 4);
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return id;
    id.family = (eax >> 8) & 15;
    id.model = (eax >> 4) & 15;
    if (id.family == 6 || id.family == 15) id.model |= ((eax >> 16) & 15) << 4;
    if (id.family == 15) id.family += (eax >> 20) & 255;
    return id;
}

typedef struct {
    const char *vendor;
    unsigned family, first_model, last_model;
    const char *kind;
    ck_variant variant;
    size_t own_products;  // see ck_own_product_limit
} cpu_row;

// The first row that matches wins. Own products: measured on amd-zen4 at every shape of Benchmarks/kernels; on
// intel-icelake-server a trial of the same tile was ahead of OpenBLAS for sums of at most 512.
static const cpu_row cpus[] = {
    {"AuthenticAMD", 0x17, 0x00, 0x2f, "amd-zen", CK_AVX2, 0},
    {"AuthenticAMD", 0x17, 0x30, 0xff, "amd-zen2", CK_AVX2, 0},
    {"AuthenticAMD", 0x19, 0x10, 0x1f, "amd-zen4", CK_AVX512, PTRDIFF_MAX},
    {"AuthenticAMD", 0x19, 0x60, 0x7f, "amd-zen4", CK_AVX512, PTRDIFF_MAX},
    {"AuthenticAMD", 0x19, 0xa0, 0xaf, "amd-zen4", CK_AVX512, PTRDIFF_MAX},
    {"AuthenticAMD", 0x19, 0x00, 0xff, "amd-zen3", CK_AVX2, 0},
    {"AuthenticAMD", 0x1a, 0x00, 0xff, "amd-zen5", CK_AVX512, 0},
    {"GenuineIntel", 6, 0x3c, 0x46, "intel-haswell", CK_AVX2, 0},
    {"GenuineIntel", 6, 0x47, 0x47, "intel-broadwell", CK_AVX2, 0},
    {"GenuineIntel", 6, 0x4f, 0x4f, "intel-broadwell", CK_AVX2, 0},
    {"GenuineIntel", 6, 0x55, 0x55, "intel-skylake-server", CK_AVX512, 0},
    {"GenuineIntel", 6, 0x6a, 0x6c, "intel-icelake-server", CK_AVX512, 512},
    {"GenuineIntel", 6, 0x7d, 0x7e, "intel-icelake", CK_AVX512, 0},
    {"GenuineIntel", 6, 0x8f, 0x8f, "intel-sapphirerapids", CK_AVX512, 0},
    {"GenuineIntel", 6, 0xcf, 0xcf, "intel-emeraldrapids", CK_AVX512, 0},
    {"GenuineIntel", 6, 0xad, 0xae, "intel-graniterapids", CK_AVX512, 0},
};

static const cpu_row *known_cpu(void) {
    cpu_id id = identify();
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++)
        if (strcmp(cpus[i].vendor, id.vendor) == 0 && cpus[i].family == id.family &&
            cpus[i].first_model <= id.model && id.model <= cpus[i].last_model)
            return &cpus[i];
    return NULL;
}

// Feature bits that the CPU has and the operating system saves.
static bool can_run(ck_variant variant) {
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    switch (variant) {
        case CK_REFERENCE: return true;
        case CK_AVX2: return avx2;
        case CK_AVX512:
            return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
        case CK_AVX512_BF16: return can_run(CK_AVX512) && __builtin_cpu_supports("avx512bf16");
    }
    return false;
}

const ck_ops *ck_ops_for(ck_variant variant) {
    if (!can_run(variant)) return NULL;
    switch (variant) {
        case CK_REFERENCE: return &reference;
        case CK_AVX2: return &ck_ops_avx2;
        case CK_AVX512: return &ck_ops_avx512;
        case CK_AVX512_BF16: return &ck_ops_avx512_bf16;
    }
    return NULL;
}

ck_variant ck_preferred_variant(void) {
    const cpu_row *row = known_cpu();
    ck_variant wanted = row ? row->variant : CK_AVX512;
    if (wanted == CK_AVX512 && can_run(CK_AVX512)) return CK_AVX512;
    return can_run(CK_AVX2) ? CK_AVX2 : CK_REFERENCE;
}

const char *ck_cpu_kind(void) {
    const cpu_row *row = known_cpu();
    if (row) return row->kind;
    return can_run(CK_AVX512) ? "generic-x86-64-v4" : can_run(CK_AVX2) ? "generic-x86-64-v3" : "generic-x86-64";
}

size_t ck_own_product_limit(void) {
    const cpu_row *row = known_cpu();
    return row && can_run(row->variant) ? row->own_products : 0;
}

#else

size_t ck_own_product_limit(void) { return 0; }
const ck_ops *ck_ops_for(ck_variant variant) { return variant == CK_REFERENCE ? &reference : NULL; }
ck_variant ck_preferred_variant(void) { return CK_REFERENCE; }
const char *ck_cpu_kind(void) { return "generic"; }

#endif

size_t ck_attention_scratch(size_t T, size_t HS) {
    size_t length = (T + 31) & ~(size_t)31, width = (HS + 31) & ~(size_t)31, tile = CK_ATTENTION_TILE;
    return 3 * length * width + 2 * tile * (length + width) + 16 * (tile + width + length);
}

size_t ck_vocabulary_block(size_t C) {
    size_t words = 65536 / (C ? C : 1) & ~(size_t)31;
    return words < 32 ? 32 : words > 512 ? 512 : words;
}

size_t ck_vocabulary_work(size_t N, size_t V, size_t C) {
    size_t block = ck_vocabulary_block(C), blocks = (V + block - 1) / block, width = (C + 31) & ~(size_t)31;
    size_t exponentials = blocks * block * N, statistics = (blocks + 1) * N + 32;
    size_t longest = C > N ? C : N, panel = 16 * ((longest > block ? longest : block) + 16);
    return exponentials + statistics + block * (C + width) + panel + (N + 1) * width;
}
