// The door to one system library; see docs/architecture.md for why it is here.
#ifndef LINKLOOM_CEXPAT_H
#define LINKLOOM_CEXPAT_H
#include <expat.h>
#endif
