// The door to glibc's malloc.h, which Swift's Glibc module leaves out; see docs/architecture.md for why it is here.
#ifndef LINKLOOM_CMALLOC_H
#define LINKLOOM_CMALLOC_H
#include <malloc.h>
#endif
