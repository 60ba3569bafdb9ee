// The door to one system library; see docs/architecture.md for why it is here.
#ifndef LINKLOOM_CZSTD_H
#define LINKLOOM_CZSTD_H
#include <zstd.h>
#endif
