/*
 * Times as people write them, systemd.time(7) "Parsing Timestamps": `2026-11-27 04:00`, `yesterday`, `-5min`, `10 min ago`, `@1795752181`,
 * `Fri 11:12`, `2026-11-27T04:03:01+01:00`, `tomorrow Pacific/Auckland`.
 *
 * There is neither a clock nor a list of time zones in here: what was read is told apart, and the caller says which moment that is.
 */
#ifndef OOMPH_TIMESTAMP_H
#define OOMPH_TIMESTAMP_H

#include "str.h"

enum timestamp_kind {
	TIMESTAMP_SINCE_1970,
	TIMESTAMP_FROM_NOW,             /* us is negative for what was before */
	TIMESTAMP_SHOWN,                /* what a calendar and a clock show in its zone */
};

struct timestamp {
	enum timestamp_kind kind;
	int64_t us;                     /* of TIMESTAMP_SHOWN: the fraction of the second */
	int year, month, day;           /* month 1 to 12; year 0: the date of today */
	int days;                       /* behind that date: yesterday is -1 */
	int hour, minute, second;
	int weekday;                    /* that it must be, Sunday is 0; -1: none was told */
	struct str zone;                /* "UTC", or what looks like a zone's name; it points into the text. Empty: local time */
	int offset_s;                   /* with "UTC": what the clock was ahead of it */
};

/* False when it is no timestamp. Whether there are such a day and such a zone is for the caller to say. */
bool timestamp_read(struct str text, struct timestamp *t);

#endif
