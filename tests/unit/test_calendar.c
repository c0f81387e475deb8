#include "lib/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Numbers in comments are the rows of a table of what systemd 252 itself was seen to do with such an input. */

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define IN_2024 (1704067200 * SECOND)           /* Monday, the first of January */

/* What it is brought to, or what was expected instead of it. */
static const char *form_of(const char *text)
{
	static char form[4096];
	struct calendar c;
	const char *expected = calendar_parse(str_from(text), &c);
	struct buf b = BUF(form);
	if (expected)
		return expected;
	calendar_print(&c, &b);
	return buf_cstr(&b);
}

static void every_spelling_has_one_form(void **state)
{
	(void)state;
	static const struct { const char *text, *form; } rows[] = {
		/* 203 */ { "daily", "*-*-* 00:00:00" }, { "weekly", "Mon *-*-* 00:00:00" }, { "*:00/10", "*-*-* *:00/10:00" },
		/* 204 */ { "Sun *-*-1..7 1:00:00", "Sun *-*-01..07 01:00:00" }, { "*-*-* 07..23:30", "*-*-* 07..23:30:00" },
		          { "1:05:00", "*-*-* 01:05:00" },
		{ "minutely", "*-*-* *:*:00" }, { "HOURLY", "*-*-* *:00:00" }, { "monthly", "*-*-01 00:00:00" },
		{ "quarterly", "*-01,04,07,10-01 00:00:00" }, { "semi-annually", "*-01,07-01 00:00:00" },
		{ "biannually", "*-01,07-01 00:00:00" }, { "yearly", "*-01-01 00:00:00" }, { "anually", "*-01-01 00:00:00" },
		{ "Mon", "Mon *-*-* 00:00:00" }, { "sunday,MON,tue-Thu", "Mon..Thu,Sun *-*-* 00:00:00" },
		{ "Mon,Tue, 5-1", "Mon,Tue *-05-01 00:00:00" }, { "Mon..Sun 3:4", "*-*-* 03:04:00" },
		{ "12-5-6", "2012-05-06 00:00:00" }, { "1-1  ", "*-01-01 00:00:00" }, { "70..71-*-*", "1970..1971-*-* 00:00:00" }, { "*-2~3", "*-02~03 00:00:00" },
		{ "*~*", "*-*-* 00:00:00" }, { "*-*~7/1 1:2:3", "*-*~07/1 01:02:03" },
		{ "9,7,8,7:0", "*-*-* 07,08,09:00:00" }, { "0..23/5:0", "*-*-* 00..20/5:00:00" }, { "5..5/2:0", "*-*-* 05:00:00" },
		{ "4..6/9:0", "*-*-* 04:00:00" }, { "0:0:0/0.5", "*-*-* 00:00:00/0.500000" }, { "0:0:1.5..3.5", "*-*-* 00:00:01.500000..03.500000" },
		{ "0:0:1.0000005", "*-*-* 00:00:01.000001" }, { "0:0:*", "*-*-* 00:00:*" }, { "0:0:5,0/1", "*-*-* 00:00:*" },
		{ "@0", "1970-01-01 00:00:00 UTC" }, { "Mon @1709210096", "Mon 2024-02-29 12:34:56 UTC" },
		{ "daily utc", "*-*-* 00:00:00 UTC" }, { "6:00 Europe/Berlin", "*-*-* 06:00:00 Europe/Berlin" },
		{ "@0 Europe/Berlin", "1970-01-01 00:00:00 UTC" },
	};
	char form[128];
	for (size_t i = 0; i < countof(rows); i++) {
		assert_string_equal(form_of(rows[i].text), rows[i].form);
		strcpy(form, rows[i].form);
		assert_string_equal(form_of(form), rows[i].form);
	}
}

static void what_is_wrong_is_told(void **state)
{
	(void)state;
	static const char *const nothing[] = {
		"", " ", "UTC", " UTC", "fortnightly", "Mon 1:0 daily:0", " daily", "daily ", "Mond", "Mon..", "Mon.Tue", "Fri..Mon", "Mon..Tue..Wed",
		"Mon,,Tue", "Mon,1-1", "5", "1:", "1:2:", "1:2:3:4", "1-", "1~2-3", "2024-1-1-1", "1-1T1:00", "*/2:0", "1..:0", "1,:0", "1/:0",
		"0:0:1.", "0:0:.5", "0:0:1.2.3", "0:0:1..1.5", "0:0/0", "0:0:0/0.0000001", "-1:0", "0x1:0", "@", "@1.5", "@-1", "@ 1", "@1 0:0",
		"99999999999999999999:0", "2147483648:0", "1:0 ~", "\xff",
	};
	static const struct { const char *text, *expected; } rows[] = {
		{ "1969-1-1", "years from 1970 to 2199" }, { "2200-1-1", "years from 1970 to 2199" }, { "@7258118400", "years from 1970 to 2199" },
		{ "@18446744073709551615", "years from 1970 to 2199" }, { "13-1", "months from 1 to 12" }, { "0-1", "months from 1 to 12" },
		{ "1-32", "days from 1 to 31, or with ~ from 1 to 28" }, { "1~29", "days from 1 to 31, or with ~ from 1 to 28" },
		{ "1~3/3", "days from 1 to 31" }, { "24:0", "hours from 0 to 23" }, { "9..7:0", "hours from 0 to 23" },
		{ "20/4:0", "hours from 0 to 23" }, { "*:60", "minutes from 0 to 59" }, { "*:0/60", "minutes from 0 to 59" },
		{ "*:*:60", "seconds from 0 to 59" }, { "*:*:59.9999999", "seconds from 0 to 59" },
	};
	for (size_t i = 0; i < countof(nothing); i++)
		assert_string_equal(form_of(nothing[i]), CALENDAR_EXPECTED);
	for (size_t i = 0; i < countof(rows); i++)
		assert_true(str_starts(str_from(form_of(rows[i].text)), str_from(rows[i].expected)));
}

static void the_name_of_a_zone_is_for_others_to_look_up(void **state)
{
	(void)state;
	static const struct { const char *text, *zone; bool is_utc; } rows[] = {
		{ "daily", "", false }, { "daily UTC", "", true }, { "daily uTC", "", true }, { "@0", "", true },
		{ "daily America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires", false }, { "0:0 Etc/GMT+5", "Etc/GMT+5", false },
		{ "Mon, Tue", "Tue", false }, { "Mon daily", "daily", false },
	};
	struct calendar c;
	for (size_t i = 0; i < countof(rows); i++) {
		assert_null(calendar_parse(str_from(rows[i].text), &c));
		assert_true(str_eq(c.zone, str_from(rows[i].zone)));
		assert_int_equal(c.is_utc, rows[i].is_utc);
	}
}

static void a_list_has_a_bound(void **state)
{
	(void)state;
	char text[4096] = "";
	for (unsigned i = 0; i < CALENDAR_RANGES_MAX - 2; i++)
		strcat(text, i ? ",1" : "1");
	strcat(text, ":0");
	assert_string_equal(form_of(text), "*-*-* 01:00:00");
	strcat(text, ",0");
	assert_string_equal(form_of(text), "at most 128 values and ranges");
}

/* ---- when ---- */

#define NEVER INT64_MIN

static int64_t next_of(const char *text, int32_t offset_s, int64_t after_us)
{
	struct calendar c;
	int64_t next_us;
	assert_null(calendar_parse(str_from(text), &c));
	return calendar_next(&c, offset_s, after_us, &next_us) ? next_us : NEVER;
}

static void the_next_time_is_told(void **state)
{
	(void)state;
	static const struct { const char *text; int64_t after, next; } rows[] = {
		{ "*-*-* 0:0:0", -1, 0 }, { "*:*:*", 0, SECOND }, { "*:*:0/0.3", 0, 300000 }, { "*:*:0/0.3", 59700000, 60 * SECOND },
		{ "daily", IN_2024 - 1, IN_2024 }, { "daily", IN_2024, IN_2024 + 24 * HOUR }, { "Tue 3:0", IN_2024, IN_2024 + 27 * HOUR },
		{ "*:0/7", IN_2024 + HOUR - SECOND, IN_2024 + HOUR }, { "20/3:0", IN_2024 + 23 * HOUR, IN_2024 + 44 * HOUR },
		{ "*-2-29", IN_2024, IN_2024 + 59 * 24 * HOUR }, { "*-2~1", IN_2024, IN_2024 + 59 * 24 * HOUR },
		{ "*~3/1", IN_2024, IN_2024 + 28 * 24 * HOUR }, { "*~3/1", IN_2024 + 30 * 24 * HOUR, IN_2024 + 57 * 24 * HOUR },
		{ "*~2..3", IN_2024 + 29 * 24 * HOUR, IN_2024 + 57 * 24 * HOUR },
		{ "Sun *-*-1..7 1:0", IN_2024, IN_2024 + (6 * 24 + 1) * HOUR }, { "2100-3-1", 0, 4107542400 * SECOND },
		{ "2199-12-31 23:59:59.999999", 0, 7258118400 * SECOND - 1 }, { "*:*:*", 7258118399 * SECOND, NEVER },
		{ "2023-*-*", IN_2024, NEVER }, { "*-2-30", 0, NEVER }, { "Mon 2024-1-2", 0, NEVER }, { "2100-2-29", 0, NEVER },
		{ "daily", INT64_MAX, NEVER }, { "daily", INT64_MIN, 0 },
	};
	for (size_t i = 0; i < countof(rows); i++)
		assert_int_equal(next_of(rows[i].text, 0, rows[i].after), rows[i].next);
}

static void local_time_is_ahead_of_utc_by_what_the_caller_says(void **state)
{
	(void)state;
	assert_int_equal(next_of("daily", 3600, IN_2024), IN_2024 + 23 * HOUR);
	assert_int_equal(next_of("daily", -3600, IN_2024), IN_2024 + HOUR);
	assert_int_equal(next_of("daily UTC", 3600, IN_2024), IN_2024 + 24 * HOUR);
	assert_int_equal(next_of("Sun 23:30", 3600, IN_2024), IN_2024 + (6 * 24 + 22) * HOUR + HOUR / 2);
	assert_int_equal(next_of("daily", INT32_MAX, INT64_MAX - 1), NEVER);
	assert_int_equal(next_of("0:0", -3600, 0), HOUR);
}

/* Every answer fits, and so no other before it does: asked from in front of it, it is told again. */
static void what_is_told_is_told_again(void **state)
{
	(void)state;
	static const char *const texts[] = { "*:0/7:0/11", "Fri *-*-13 0/5:0", "*-2/3~5/2 6:0:0.5", "1970/7-1/5-1/9 1/2:3/4:5/6.7" };
	for (size_t i = 0; i < countof(texts); i++)
		for (int64_t at = next_of(texts[i], 0, 0), n = 0; n < 200 && at != NEVER; n++) {
			int64_t next = next_of(texts[i], 0, at);
			assert_true(next == NEVER || next > at);
			assert_int_equal(next_of(texts[i], 0, at - 1), at);
			assert_int_equal(next == NEVER ? next : next_of(texts[i], 0, (at + next) / 2), next);
			at = next;
		}
}

static void a_time_has_fields(void **state)
{
	(void)state;
	int32_t at[N_CALENDAR_FIELD];
	static const int32_t leap_day[] = { 2024, 2, 29, 12, 34, 56789012 };
	assert_true(calendar_split(1709210096789012, at));
	assert_memory_equal(at, leap_day, sizeof leap_day);
	static const int32_t last[] = { 2199, 12, 31, 23, 59, 59999999 };
	assert_true(calendar_split(7258118400 * SECOND - 1, at));
	assert_memory_equal(at, last, sizeof last);
	assert_false(calendar_split(7258118400 * SECOND, at));
	assert_false(calendar_split(-1, at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_has_one_form),
		cmocka_unit_test(what_is_wrong_is_told),
		cmocka_unit_test(the_name_of_a_zone_is_for_others_to_look_up),
		cmocka_unit_test(a_list_has_a_bound),
		cmocka_unit_test(the_next_time_is_told),
		cmocka_unit_test(local_time_is_ahead_of_utc_by_what_the_caller_says),
		cmocka_unit_test(what_is_told_is_told_again),
		cmocka_unit_test(a_time_has_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
