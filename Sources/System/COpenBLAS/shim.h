// The door to one system library; see docs/architecture.md for why it is here.
#ifndef LINKLOOM_COPENBLAS_H
#define LINKLOOM_COPENBLAS_H
#include <cblas.h>
#endif
