/*
 * Calendar expressions, systemd.time(7) "Calendar Events": `daily`, `Mon..Fri 09:00`, `*-*~03..01/2 *:0/15`, `Sun 2:00 Europe/Berlin`.
 *
 * A time is told apart into fields, and an expression says for each which values it may have. There is neither a clock nor a
 * list of time zones in here: the caller says after which time, and how far the expression's zone is ahead of UTC by then.
 * On the day a zone changes to or from summer time it is for the caller to ask again with the other offset.
 */
#ifndef OOMPH_CALENDAR_H
#define OOMPH_CALENDAR_H

#include "limits.h"
#include "str.h"

enum calendar_field {
	CALENDAR_YEAR, CALENDAR_MONTH, CALENDAR_DAY, CALENDAR_HOUR, CALENDAR_MINUTE,
	CALENDAR_US,            /* seconds, with their fraction */
	N_CALENDAR_FIELD
};

#define CALENDAR_YEAR_LEAST 1970        /* of an expression, and of what is told in answer (systemd's src/shared/calendarspec.c) */
#define CALENDAR_YEAR_MOST 2199

/* `first`, and with a step every so many behind it, to `last` or where the field ends. */
struct calendar_range {
	int32_t first;
	int32_t last;           /* -1: none was given */
	int32_t step;           /* 0: `first` alone */
};

struct calendar {
	struct calendar_range ranges[CALENDAR_RANGES_MAX];      /* those of each field behind those of the field before, sorted */
	uint8_t n_ranges[N_CALENDAR_FIELD];                     /* 0: every value */
	uint8_t weekdays;               /* bits, Monday is 0; none: every day */
	bool counts_days_back;          /* ~: day 1 is the last of its month */
	bool is_utc;
	/*
	 * What stands behind a blank at the end, looks like a zone's name and is not UTC; it points into the text that was read.
	 * Empty: local time. Whether there is such a zone is for the caller to say; `Mon, Tue` is an expression in the zone of Tue.
	 */
	struct str zone;
};

#define CALENDAR_EXPECTED "a calendar expression such as daily, Mon..Fri 09:00 or *-*-01 00:00:00"

/* NULL, or what was expected instead: CALENDAR_EXPECTED, or of a value that no time has, "hours from 0 to 23". */
const char *calendar_parse(struct str text, struct calendar *c);

/* The one form that all spellings of the same expression have: `*-*-* 00:00:00`. */
void calendar_print(const struct calendar *c, struct buf *to);

/*
 * The first time behind `after_us`; both in microseconds since the epoch. `offset_s` is what the expression's zone (local
 * time, where it has none) is ahead of UTC; nothing, when the expression is in UTC. False: never, up to the year 2199.
 */
bool calendar_next(const struct calendar *c, int32_t offset_s, int64_t after_us, int64_t *next_us);

/* The fields of a time; false when it is not in the years above. */
bool calendar_split(int64_t us, int32_t fields[N_CALENDAR_FIELD]);

#endif
