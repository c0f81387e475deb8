/* oomph-load in the fuzzer's process, again and again: with memory that is given back, and a machine that is the same everywhere. */
#ifndef OOMPH_FUZZ_LOADER_H
#define OOMPH_FUZZ_LOADER_H

#include "fuzz.h"
#include "init/load/load.h"

const struct host *loader_host(void);

/* What was said on stdout since the last call, which is where `verify` and --dump speak. Nothing of it, nor of stderr, is shown. */
struct str loader_said(void);

/* Forgets all that the load has kept, and what it remembers of accounts. */
void loader_end(void);

#endif
