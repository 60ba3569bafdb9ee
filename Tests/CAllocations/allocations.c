// For tests only, whose one program has this malloc everywhere.
//
// malloc and its like, counted by thread and handed on to glibc. A program's own definitions come before those of its
// libraries, so that what the Swift runtime asks for is counted too; free stays glibc's, as the memory is.

#include "callocations.h"

#include <errno.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

// Laid out at the start of every thread: to count must not allocate.
static __thread struct allocation_counts counted __attribute__((tls_model("initial-exec")));

static void count(size_t size) {
    counted.calls += 1;
    counted.bytes += size;
}

void *malloc(size_t size) {
    count(size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    count(size);
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    count(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count(size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
    count(size);
    void *made = __libc_memalign(alignment, size);
    if (made == NULL) return ENOMEM;
    *memory = made;
    return 0;
}

bool allocations_are_counted(void) { return true; }
struct allocation_counts allocations_of_this_thread(void) { return counted; }

#else

bool allocations_are_counted(void) { return false; }
struct allocation_counts allocations_of_this_thread(void) { return (struct allocation_counts){0, 0}; }

#endif
