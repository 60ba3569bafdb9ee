// The door to one system library; see docs/architecture.md for why it is here.
#ifndef LINKLOOM_CYAML_H
#define LINKLOOM_CYAML_H
#include <yaml.h>
#endif
