#include "lib/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

static void spans_are_from_now(void **state)
{
	(void)state;
	static const struct { const char *text; int64_t us; } rows[] = {
		{ "now", 0 }, { "+3h30min", 12600 * SECOND }, { "-5s", -5 * SECOND }, { "11min ago", -660 * SECOND }, { " 10 min ago ", -600 * SECOND },
		{ "-5min", -300 * SECOND }, { "2min left", 120 * SECOND }, { "-1.5", -1500000 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct timestamp t;
		assert_true(timestamp_read(str_from(rows[i].text), &t));
		assert_int_equal(t.kind, TIMESTAMP_FROM_NOW);
		assert_int_equal(t.us, rows[i].us);
	}
}

static void an_at_counts_from_1970(void **state)
{
	(void)state;
	struct timestamp t;
	assert_true(timestamp_read(STR("@1395716396.5"), &t));
	assert_int_equal(t.kind, TIMESTAMP_SINCE_1970);
	assert_int_equal(t.us, INT64_C(1395716396500000));
}

struct shown {
	const char *text;
	int year, month, day, days, hour, minute, second, us, weekday, offset_s;
	const char *zone;
};

static void then_shown(const struct shown *row)
{
	struct timestamp t;
	if (!timestamp_read(str_from(row->text), &t) || t.kind != TIMESTAMP_SHOWN)
		fail_msg("%s is not read", row->text);
	if (t.year != row->year || t.month != row->month || t.day != row->day || t.days != row->days || t.hour != row->hour ||
	    t.minute != row->minute || t.second != row->second || t.us != row->us || t.weekday != row->weekday ||
	    t.offset_s != row->offset_s || !str_eq(t.zone, str_from(row->zone)))
		fail_msg("%s is %d-%d-%d+%d %d:%d:%d.%d weekday %d in '%.*s' by %d", row->text, t.year, t.month, t.day, t.days, t.hour, t.minute,
			 t.second, (int)t.us, t.weekday, (int)t.zone.n, t.zone.p, t.offset_s);
}

/* The examples of systemd.time(7), and what strptime(3) makes of their kin. */
static void calendars_and_clocks_are_told_apart(void **state)
{
	(void)state;
	static const struct shown rows[] = {
		{ "Fri 2012-11-23 11:12:13", 2012, 11, 23, 0, 11, 12, 13, 0, 5, 0, "" },
		{ "2012-11-23 11:12:13", 2012, 11, 23, 0, 11, 12, 13, 0, -1, 0, "" },
		{ "2012-11-23 11:12:13.25", 2012, 11, 23, 0, 11, 12, 13, 250000, -1, 0, "" },
		{ "2012-11-23 11:12:13 UTC", 2012, 11, 23, 0, 11, 12, 13, 0, -1, 0, "UTC" },
		{ "2012-11-23T11:12:13Z", 2012, 11, 23, 0, 11, 12, 13, 0, -1, 0, "UTC" },
		{ "2012-11-23T11:12+02:00", 2012, 11, 23, 0, 11, 12, 0, 0, -1, 7200, "UTC" },
		{ "2012-11-23 11:12:13 -0130", 2012, 11, 23, 0, 11, 12, 13, 0, -1, -5400, "UTC" },
		{ "2012-11-23", 2012, 11, 23, 0, 0, 0, 0, 0, -1, 0, "" }, { "12-11-23", 2012, 11, 23, 0, 0, 0, 0, 0, -1, 0, "" },
		{ "99-1-2 3:04", 1999, 1, 2, 0, 3, 4, 0, 0, -1, 0, "" }, { "11:12:13", 0, 0, 0, 0, 11, 12, 13, 0, -1, 0, "" },
		{ "11:12", 0, 0, 0, 0, 11, 12, 0, 0, -1, 0, "" }, { "friday 11:12", 0, 0, 0, 0, 11, 12, 0, 0, 5, 0, "" },
		{ "today", 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, "" }, { "today UTC", 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, "UTC" },
		{ "yesterday", 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, "" },
		{ "tomorrow Pacific/Auckland", 0, 0, 0, 1, 0, 0, 0, 0, -1, 0, "Pacific/Auckland" },
		{ "2026-11-27 04:00", 2026, 11, 27, 0, 4, 0, 0, 0, -1, 0, "" },
		{ "2016-12-31 23:59:60 UTC", 2016, 12, 31, 0, 23, 59, 60, 0, -1, 0, "UTC" },
	};
	for (size_t i = 0; i < countof(rows); i++)
		then_shown(&rows[i]);
}

static void anything_else_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"", "@", "-", "+", " ago", "5 apples ago", "soon", "infinity", "+infinity", "@-5", "2012", "2012-11", "2012-13-01", "2012-11-32", "202-1-1",
		"2012-11-23 24:00", "2012-11-23 11", "2012-11-23 11:60", "2012-11-23 11:12:", "2012-11-23 11:12:13.", "2012-11-23x11:12", "2012-11-23 11:12 x",
		"Fri", "Fri today", "Frid 11:12", "UTC", "Z", "11:12+2", "11:12+25:00", "2012-11-23 ;rm", "2012-11-23 ../../etc", "2012-11-23 -0130",
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct timestamp t = { .us = 77 };
		if (timestamp_read(str_from(rows[i]), &t))
			fail_msg("'%s' is read", rows[i]);
		assert_int_equal(t.us, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_are_from_now),
		cmocka_unit_test(an_at_counts_from_1970),
		cmocka_unit_test(calendars_and_clocks_are_told_apart),
		cmocka_unit_test(anything_else_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
