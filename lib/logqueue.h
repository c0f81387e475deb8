/*
 * Records that wait to be sent on, oldest first, in memory that its owner has sized. Who sends may be slower than who logs for as
 * long as he likes: when one more does not fit the oldest go, and are counted.
 */
#ifndef OOMPH_LOGQUEUE_H
#define OOMPH_LOGQUEUE_H

#include "str.h"

struct logqueue {
	char *bytes;
	size_t cap;
	size_t first, n;                /* where the oldest begins; how many bytes are in use */
	uint64_t n_dropped;             /* so many records, since its owner last set it to 0 */
};

/* One that is larger than all of the queue is dropped itself. */
void logqueue_push(struct logqueue *q, struct str record);

/* The oldest, appended to `to` and gone from here; false when there is none. */
bool logqueue_pop(struct logqueue *q, struct buf *to);

#endif
