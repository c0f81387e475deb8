/*
 * What becomes of files and lines: when a file is rotated, which is deleted, how many lines a service may write. journald.conf(5).
 */
#ifndef OOMPH_LOGPOLICY_H
#define OOMPH_LOGPOLICY_H

#include "str.h"

/* ---- files ---- */

struct logpolicy_limits {
	uint64_t all_max;               /* bytes of all files of all units, the current ones with them */
	uint64_t unit_max;              /* of one unit */
	uint64_t file_max;              /* a current file is rotated before it would be larger */
	uint64_t file_us;               /* ... or when its first line is so old; 0: never */
	uint64_t retention_us;          /* a rotated file whose last line is older is deleted; 0: never */
};

struct logpolicy_file {                 /* a rotated one */
	uint64_t time_us;               /* of its last line */
	uint64_t size;
	uint32_t unit;                  /* index in unit_bytes */
	uint8_t form;                   /* enum logfile_form */
	uint8_t flags;                  /* the caller's */
	uint8_t zero[2];
};

/*
 * Limits that go together: no file may be so large that to delete it would take most of what a unit has, and no unit's limit is above
 * that of all. `file_system` is its size in bytes, for the limit that nobody gave.
 */
struct logpolicy_limits logpolicy_settle(struct logpolicy_limits given, uint64_t file_system);

/* Whether `size` bytes of lines, the first of them of born_us, are to be rotated before n more are written now. */
bool logpolicy_is_full(const struct logpolicy_limits *limits, uint64_t size, uint64_t born_us, uint64_t n, uint64_t now_us);

/*
 * Which file is deleted next: one that is too old, then the oldest of a unit over its limit, then the oldest of all when they are
 * over theirs. n_files: none is. unit_bytes has the bytes of each unit's files, the current one with them; all_bytes their sum.
 */
size_t logpolicy_next(const struct logpolicy_file *files, size_t n_files, const uint64_t *unit_bytes, uint64_t all_bytes,
		      const struct logpolicy_limits *limits, uint64_t now_us);

/* ---- lines ---- */

/* LogRateLimitIntervalSec=, LogRateLimitBurst=: a window begins with a line, and so many pass until it is over. */
struct lograte {
	uint64_t since_ms;
	uint32_t n_passed, n_suppressed;
};

/* Whether a line passes. *n_suppressed: how many did not in the window that has just ended. */
bool lograte_pass(struct lograte *r, uint32_t interval_ms, uint32_t burst, uint64_t now_ms, uint32_t *n_suppressed);

/* How many did not, when the window is over and no line has come since; 0 as long as it is not. */
uint32_t lograte_end(struct lograte *r, uint32_t interval_ms, uint64_t now_ms);

#endif
