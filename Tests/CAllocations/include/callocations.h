// How often, and how much, the calling thread has asked malloc and its like for memory: for tests alone.
#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

struct allocation_counts {
    uint64_t calls;
    /// Bytes asked for; nothing is subtracted when they are freed.
    uint64_t bytes;
};

/// Whether anything is counted: not under a sanitizer, whose own malloc it is then.
bool allocations_are_counted(void);

/// Of the calling thread since it began, so that tests running beside are not seen.
struct allocation_counts allocations_of_this_thread(void);

#endif
