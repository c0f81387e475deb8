/*
 * Values that only systemd.exec(5) has: limits, capabilities, processors and the like, from text to what the kernel takes.
 * Each says false on what it does not understand and then leaves its result alone.
 */
#ifndef OOMPH_EXEC_VALUES_H
#define OOMPH_EXEC_VALUES_H

#include "str.h"
#include "unit.h"

/* "1024", "55:66", "infinity"; by its kind a number, a size ("64M"), a time ("40s:1m") or a nice level ("+5"). kind is left alone. */
bool exec_limit(struct str s, enum limit_kind kind, struct limit *limit);

/* A capability's number by its name, "CAP_NET_RAW" in any case, or by its digits; -1. */
int exec_capability(struct str name);

/* "keep-caps", ...: the bit of linux/securebits.h; 0. */
uint32_t exec_secure_bit(struct str name);

#endif
