#ifndef CKERNELS_H
#define CKERNELS_H
#include <stddef.h>
int ck_probe(void);
#endif
