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
const char *exec_capability_name(int number);   /* "cap_net_raw"; NULL */

/* "0-3,8 12": bits of a mask of MASK_BITS, added to it. */
bool exec_mask(struct str s, uint64_t mask[MASK_BITS / 64]);

/* "x86-64": for personality(2). Only those that the machine this was built for can take on. */
bool exec_personality(struct str s, uint32_t *personality);
const char *exec_personality_name(uint32_t personality);

/* "private-anonymous elf-headers", "default", "all", "33": for /proc/PID/coredump_filter, core(5). */
bool exec_coredump_filter(struct str s, uint32_t *filter);

/* RFC 4648, with blanks anywhere; appended to `to`, which has room for three quarters of it. */
bool exec_base64(struct str s, struct buf *to);
void exec_to_base64(struct str s, struct buf *to);      /* four bytes for every three that are begun */

/* "keep-caps", ...: the bit of linux/securebits.h; 0. */
uint32_t exec_secure_bit(struct str name);
const char *exec_secure_bit_name(unsigned bit); /* of the bit's number; NULL */

#endif
