#include "ckernels.h"
#include <cblas.h>
int ck_probe(void){ return openblas_get_num_threads(); }
