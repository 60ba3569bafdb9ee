// The door to one system library; see docs/architecture.md for why it is here.
#ifndef LINKLOOM_CCRYPTO_H
#define LINKLOOM_CCRYPTO_H
#include <openssl/evp.h>
#endif
