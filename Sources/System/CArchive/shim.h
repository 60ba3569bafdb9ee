// The door to one system library; see docs/architecture.md for why it is here.
#ifndef LINKLOOM_CARCHIVE_H
#define LINKLOOM_CARCHIVE_H
#include <archive.h>
#include <archive_entry.h>
#endif
