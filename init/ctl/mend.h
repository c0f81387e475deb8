/* Wrapped and merged lines of saved logs, put back as the kernel printed them. */
#ifndef OOMPH_MEND_H
#define OOMPH_MEND_H

#include "kmsg.h"

#define LINE_MAX_BYTES (1 << 17)        /* of a longer line the end is not read: the kernel prints no such line */

/* The line being read, which the next one may go on with. */
struct mended {
	struct kmsg_record record;      /* its text lies in bytes */
	bool is_open, has_prefix;
	size_t n;
	char bytes[LINE_MAX_BYTES];
};

void mend_begin(struct mended *m, const struct kmsg_record *r, bool has_prefix);

/* The next line, if it is the rest of this one: it is then part of it. is_bare: nothing stands before its text. */
bool mend_wrapped(struct mended *m, struct str text, bool is_bare);

/*
 * Takes another line with a time of its own off the end of *front. has_uptime: front->usec is a time since boot, with
 * which that of the rest must agree.
 */
bool mend_merged(struct kmsg_record *front, struct kmsg_record *rest, bool has_uptime);

#endif
