#include "lib/values.h"
#include "lib/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Numbers in comments are the rows of a table of what systemd 252 itself was seen to do with such an input. */

#define BAD UINT64_MAX - 7      /* "not a value" in a column of results */
#define SECOND UINT64_C(1000000)

struct row {
	const char *text;
	uint64_t value;
};

static void times_add_up(void **state)
{
	(void)state;
	static const struct row rows[] = {
		/* 145 */ { "50", 50 * SECOND },
		/* 146 */ { "2min 200ms", 120200000 },
		/* 147 */ { "5 min 20", 320 * SECOND }, { "5min 20s", 320 * SECOND },
		/* 148 */ { "1y 12month", UINT64_C(63115200) * SECOND },
		/* 149 */ { "1.5", 1500000 }, { ".22s", 220000 }, { "1.5min", 90 * SECOND },
		/* 150 */ { "3.1s.2", 3300000 }, { "3.1 .2", 3300000 },
		/* 151 */ { "1h30m", 5400 * SECOND }, { "3h5min", 11100 * SECOND }, { "2 hr", 7200 * SECOND },
		/* 152 */ { "1M", UINT64_C(2629800) * SECOND }, { "1m", 60 * SECOND },
		/* 153 */ { "3.", BAD }, { "3.s", BAD }, { "3.+1s", BAD }, { "12.34.56", BAD }, { "..5", BAD },
		/* 154 */ { "-1", BAD }, { "-0.0s", BAD }, { "", BAD }, { "10S", BAD }, { "2x", BAD },
		/* 155 */ { "infinity", VALUE_INFINITY }, { " infinity ", VALUE_INFINITY },
		/* 156 */ { "infinity 5", BAD }, { ".3 infinity", BAD },
		/* 159 */ { "10\xc2\xb5s", 10 }, { "10\xce\xbcs", 10 }, { "1 us", 1 },
		/* 160 */ { "300ms20s 5day", UINT64_C(432020300000) },
		{ "0", 0 }, { "2weeks", 1209600 * SECOND }, { "0.0000019", 1 },
		{ "1seconds", SECOND }, { "1second", SECOND }, { "1 sec", SECOND },
		{ "2 x", BAD }, { "s", BAD }, { "99999999999999999999", BAD }, { "1e3", BAD }, { "600000y", BAD },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		uint64_t us = BAD;
		bool is_read = value_time(str_from(rows[i].text), &us);
		assert_int_equal(us, rows[i].value);
		assert_int_equal(is_read, rows[i].value != BAD);
	}
}

static void times_are_kept_in_milliseconds_and_never_become_nothing(void **state)
{
	(void)state;
	assert_int_equal(value_ms(0), 0);
	assert_int_equal(value_ms(1), 1);
	assert_int_equal(value_ms(999), 1);
	assert_int_equal(value_ms(1999), 1);
	assert_int_equal(value_ms(2 * SECOND), 2000);
	assert_int_equal(value_ms(VALUE_INFINITY), FOREVER_MS);
	assert_int_equal(value_ms(UINT64_C(4294967294) * 1000), FOREVER_MS - 1);
	assert_int_equal(value_ms(UINT64_C(4294967295) * 1000), FOREVER_MS);
	assert_int_equal(value_ms(UINT64_C(9999999999) * 1000), FOREVER_MS);
}

static void a_bare_number_is_in_the_unit_of_its_directive(void **state)
{
	(void)state;
	static const struct { const char *text; uint64_t us, ns; } rows[] = {
		{ "7", 7, 7 }, { ".5", 0, 0 }, { "1.5", 1, 1 }, { "50us", 50, 50000 }, { "1ms 1us", 1001, 1001000 }, { "5 s", 5000000, UINT64_C(5000000000) },
		{ "7ns", BAD, 7 }, { "3nsec", BAD, 3 }, { "infinity", VALUE_INFINITY, VALUE_INFINITY }, { "", BAD, BAD }, { "-1", BAD, BAD }, { "5x", BAD, BAD },
		{ "9999999999999us", UINT64_C(9999999999999), UINT64_C(9999999999999000) },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		uint64_t us = BAD, ns = BAD;
		assert_int_equal(value_microseconds(str_from(rows[i].text), &us), rows[i].us != BAD);
		assert_int_equal(us, rows[i].us);
		assert_int_equal(value_nanoseconds(str_from(rows[i].text), &ns), rows[i].ns != BAD);
		assert_int_equal(ns, rows[i].ns);
	}
}

static void sizes_are_in_powers_of_1024(void **state)
{
	(void)state;
	static const struct row rows[] = {
		/* 161 */ { "1.5G", 1610612736 }, { "512 M", 536870912 }, { "1K 2", 1026 },
		/* 162 */ { "1G500M", 1598029824 }, { "1G 1G", BAD },
		/* 163 */ { "1Gi", BAD }, { "10g", BAD }, { "64MB", BAD },
		{ "0", 0 }, { "7B", 7 }, { "3", 3 }, { "1T", UINT64_C(1) << 40 }, { "1P", UINT64_C(1) << 50 },
		{ "15E", UINT64_C(15) << 60 }, { "10.M", 10485760 },
		{ "1M 1G", BAD }, { "", BAD },
		{ "M", BAD }, { "-1", BAD }, { "16E", BAD }, { "1 2", BAD },
		{ "1K 2B 3B", BAD }, { "15E 15P 1024P", BAD },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		uint64_t bytes = BAD;
		bool is_read = value_size(str_from(rows[i].text), &bytes);
		assert_int_equal(bytes, rows[i].value);
		assert_int_equal(is_read, rows[i].value != BAD);
	}
}

static void shares_have_at_most_two_places(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "50%", 5000 }, { "0%", 0 }, { "100%", 10000 }, { "12.5%", 1250 }, { "12.34%", 1234 }, { "0.05%", 5 },
		{ "101%", BAD }, { "100.01%", BAD }, { "50", BAD }, { "%", BAD }, { "1.%", BAD }, { "1.234%", BAD },
		{ "-1%", BAD }, { "1.x%", BAD }, { "5 %", BAD }, { "50%%", BAD }, { "010%", 800 }, { "09%", BAD },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		unsigned hundredths = 77777;
		bool is_read = value_percent(str_from(rows[i].text), &hundredths);
		assert_int_equal(is_read, rows[i].value != BAD);
		assert_int_equal(hundredths, is_read ? rows[i].value : 77777);
	}
}

static void a_quota_may_be_more_than_one_processor(void **state)
{
	(void)state;
	static const struct row rows[] = {
		/* 166 */ { "50%", 5000 }, { "200%", 20000 }, { "20", BAD },
		{ "12.5%", 1250 }, { "0%", BAD }, { "", BAD }, { "-5%", BAD }, { "5000000%", 500000000 },
		{ "99999999999%", BAD },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		unsigned hundredths = 77777;
		bool is_read = value_quota(str_from(rows[i].text), &hundredths);
		assert_int_equal(is_read, rows[i].value != BAD);
		assert_int_equal(hundredths, is_read ? rows[i].value : 77777);
	}
}

static void booleans_have_six_names_each(void **state)
{
	(void)state;
	/* 175, 176, 177 */
	static const char *const yes[] = { "1", "y", "t", "YES", "True", "on", "yEs" };
	static const char *const no[] = { "0", "n", "f", "OFF", "False", "no" };
	static const char *const neither[] = { "maybe", "2", "enabled", "", "ye", "yess", "on " };
	bool value;

	for (size_t i = 0; i < countof(yes); i++)
		assert_true(value_boolean(str_from(yes[i]), &value) && value);
	for (size_t i = 0; i < countof(no); i++)
		assert_true(value_boolean(str_from(no[i]), &value) && !value);
	for (size_t i = 0; i < countof(neither); i++)
		assert_false(value_boolean(str_from(neither[i]), &value));
}

static void numbers_have_bases_and_bounds(void **state)
{
	(void)state;
	int64_t n = 77;
	uint64_t u = 77;
	unsigned mode = 7777;

	/* 178 */
	assert_false(value_int(STR("20"), -20, 19, &n));
	assert_false(value_int(STR("1001"), -1000, 1000, &n));
	/* and more */
	assert_false(value_int(STR("-+5"), -20, 19, &n));
	assert_false(value_int(STR("--0"), -20, 19, &n));
	assert_false(value_int(STR(""), -20, 19, &n));
	assert_false(value_int(STR("-"), -20, 19, &n));
	assert_int_equal(n, 77);
	assert_true(value_int(STR("-20"), -20, 19, &n) && n == -20);
	assert_true(value_int(STR("+19"), -20, 19, &n) && n == 19);
	assert_true(value_u64(STR("0xFf"), &u) && u == 255);
	assert_true(value_u64(STR("0b101"), &u) && u == 5);
	assert_true(value_u64(STR("0o17"), &u) && u == 15);
	assert_true(value_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
	assert_false(value_u64(STR("18446744073709551616"), &u));
	assert_false(value_u64(STR("-1"), &u));
	assert_false(value_u64(STR("-"), &u));
	assert_true(value_u64(STR("-0"), &u) && u == 0);
	assert_true(value_u64(STR("+5"), &u) && u == 5);
	assert_false(value_u64(STR("0x"), &u));
	assert_false(value_u64(STR("09"), &u));
	assert_false(value_u64(STR("1f"), &u));
	/* 174 */
	assert_true(value_mode(STR("007"), 0777, &mode) && mode == 7);
	assert_false(value_mode(STR("8"), 0777, &mode));
	assert_false(value_mode(STR("0x7"), 0777, &mode));
	/* and more */
	assert_true(value_mode(STR("0777"), 0777, &mode) && mode == 0777);
	assert_true(value_mode(STR("000000000755"), 07777, &mode) && mode == 0755);
	assert_false(value_mode(STR("777777777777777777777777"), 07777, &mode));
	assert_false(value_mode(STR("1000"), 0777, &mode));
	assert_false(value_mode(STR(""), 0777, &mode));
}

static void exit_statuses_are_numbers_names_or_signals(void **state)
{
	(void)state;
	struct exit_set set = { .signals = 0 };

	/* 183, 184, 185, 186 */
	assert_true(value_exit_status(STR("TEMPFAIL"), &set));
	assert_true(value_exit_status(STR("250"), &set));
	assert_true(value_exit_status(STR("SIGKILL"), &set));
	assert_true(value_exit_status(STR("TERM"), &set));
	assert_true(value_exit_status(STR("15"), &set));
	assert_true(value_exit_status(STR("FAILURE"), &set));
	assert_true(value_exit_status(STR("RTMAX"), &set));
	assert_true(value_exit_status(STR("255"), &set));
	assert_false(value_exit_status(STR("256"), &set));
	assert_false(value_exit_status(STR("EXIT_FAILURE"), &set));
	assert_false(value_exit_status(STR("-1"), &set));
	assert_int_equal(set.statuses[0], 1u << 15 | 1u << 1);
	assert_int_equal(set.statuses[1], UINT64_C(1) << (75 - 64));
	assert_int_equal(set.statuses[2], 0);
	assert_true(set.statuses[3] == (UINT64_C(1) << (250 - 192) | UINT64_C(1) << (255 - 192)));
	assert_true(set.signals == (1u << 8 | 1u << 14 | UINT64_C(1) << 63));
}

static void signals_have_one_name_each(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int number;
	} rows[] = {
		/* 179 */ { "SIGINT", 2 }, { "INT", 2 }, { "2", 2 },
		/* 180 */ { "sigint", 0 }, { "65", 0 }, { "0", 0 }, { "SIGCLD", 0 }, { "SIGPOLL", 0 },
		/* 181 */ { "SIGRTMIN+3", 37 }, { "RTMAX-1", 63 },
		/* 182 */ { "RTMIN-5", 0 }, { "RTMIN++3", 0 }, { "RTMIN3", 0 }, { "RTMIN+100", 0 },
		{ "RTMIN", 34 }, { "RTMIN+30", 64 }, { "64", 64 }, { "SYS", 31 }, { "RTMAX-30", 34 }, { "IOT", 0 },
		{ "", 0 }, { "SIG", 0 }, { "SIG2", 0 }, { "RTMIN+31", 0 }, { "RTMAX-31", 0 }, { "RTMAX+1", 0 }, { "SIGSIGINT", 0 },
	};
	for (size_t i = 0; i < countof(rows); i++)
		assert_int_equal(signal_number(str_from(rows[i].name)), rows[i].number);
	for (int n = 1; n <= 64; n++)
		assert_int_equal(signal_number(str_from(signal_name(n))), n);
	assert_string_equal(signal_name(15), "SIGTERM");
	assert_string_equal(signal_name(0), "SIG?");
	assert_string_equal(signal_name(65), "SIG?");
	assert_string_equal(signal_name(-1), "SIG?");
}

static void statuses_have_names(void **state)
{
	(void)state;
	assert_string_equal(exit_status_name(203), "EXEC");
	assert_string_equal(exit_status_name(217), "USER");
	assert_null(exit_status_name(9));
	assert_null(exit_status_name(256));
	assert_null(exit_status_name(-1));
	for (int n = 0; n < 256; n++)
		if (exit_status_name(n))
			assert_int_equal(exit_status_number(str_from(exit_status_name(n))), n);
	assert_int_equal(exit_status_number(STR("exec")), -1);
	assert_int_equal(exit_status_number(STR("")), -1);
}

static void paths_are_absolute_and_do_not_climb(void **state)
{
	(void)state;
	static const struct {
		const char *path, *simple;
	} rows[] = {
		{ "/bin///echo///x", "/bin/echo/x" }, { "/", "/" }, { "//", "/" }, { "/a/./b/", "/a/b" }, { "/.", "/" },
		{ "/a..b/...", "/a..b/..." }, { "rel", NULL }, { "", NULL }, { "/a/../b", NULL }, { "/..", NULL },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char room[64];
		struct buf b = BUF(room);
		assert_int_equal(value_is_path(str_from(rows[i].path)), rows[i].simple != NULL);
		if (!rows[i].simple)
			continue;
		value_simplify_path(str_from(rows[i].path), &b);
		assert_string_equal(buf_cstr(&b), rows[i].simple);
	}
	char room[64];
	struct buf b = BUF(room);
	value_simplify_path(STR("echo"), &b);
	assert_string_equal(buf_cstr(&b), "echo");
}

static void a_pid_file_is_in_run(void **state)
{
	(void)state;
	static const struct {
		const char *text, *path;
	} rows[] = {
		/* 192 */ { "x.pid", "/run/x.pid" }, { "/var/run/x.pid", "/run/x.pid" },
		/* 193 */ { "/run/../x.pid", NULL },
		{ "/run/x.pid", "/run/x.pid" }, { "a//b/x.pid", "/run/a/b/x.pid" }, { "/var/run//a", "/run/a" },
		{ "/opt/x.pid", "/opt/x.pid" }, { "", NULL }, { "../x", NULL },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char room[64];
		struct buf b = BUF(room);
		assert_int_equal(value_run_path(str_from(rows[i].text), &b), rows[i].path != NULL);
		if (rows[i].path)
			assert_string_equal(buf_cstr(&b), rows[i].path);
	}
}

static void folders_of_a_service_are_relative(void **state)
{
	(void)state;
	static const struct {
		const char *word, *folder, *link;
	} rows[] = {
		/* 189 */ { "kea", "kea", "" }, { "lock/kea", "lock/kea", "" }, { "irqbalance/", "irqbalance", "" },
		/* 190 */ { "/run/x", NULL, NULL }, { "../x", NULL, NULL },
		/* 191 */ { "a:b", "a", "b" },
		{ "", NULL, NULL }, { ".", NULL, NULL }, { "/", NULL, NULL }, { "a/..", NULL, NULL }, { "a:/b", NULL, NULL },
		{ "a:../b", NULL, NULL }, { ":b", "b", "" }, { "private", NULL, NULL }, { "private/x", NULL, NULL }, { "x/private", "x/private", "" }, { "a\xff", NULL, NULL }, { "./", NULL, NULL }, { ".//.", NULL, NULL }, { "a:.", NULL, NULL },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct str folder = STR("?"), link = STR("?");
		bool is_read = value_directory(str_from(rows[i].word), &folder, &link);
		assert_int_equal(is_read, rows[i].folder != NULL);
		assert_true(str_eq(folder, str_from(is_read ? rows[i].folder : "?")));
		assert_true(str_eq(link, str_from(is_read ? rows[i].link : "?")));
	}
}

static void assignments_have_a_name_that_a_shell_knows(void **state)
{
	(void)state;
	static const char *const good[] = { "A=1", "_a9=", "good=z", "V3=$word 5 6", "A=B=C", "A=\xc3\xb6" };
	static const char *const bad[] = { "1A=x", "a-b=y", "=q", "A", "", "A B=1", "A=\xff" };
	for (size_t i = 0; i < countof(good); i++)
		assert_true(value_is_assignment(str_from(good[i])));
	for (size_t i = 0; i < countof(bad); i++)
		assert_false(value_is_assignment(str_from(bad[i])));
}

static void sandbox_paths_have_two_signs_in_one_order(void **state)
{
	(void)state;
	/* 199, 200 */
	static const char *const good[] = { "-/run", "+/tmp", "/a b", "-+/x" }, *const bad[] = { "+-/x", "rel", "", "-", "/a/../b" };
	for (size_t i = 0; i < countof(good); i++)
		assert_true(value_is_sandbox_path(str_from(good[i])));
	for (size_t i = 0; i < countof(bad); i++)
		assert_false(value_is_sandbox_path(str_from(bad[i])));
}

static void bus_names_have_two_words_at_least(void **state)
{
	(void)state;
	static const char *const good[] = { "org.a", "org.a-b.c_d", ":1.2", "a.b2" }, *const bad[] = { "a", ".a", "org.", "org..a", "1.a", "org.1", "", "org.a/b", ":" };
	for (size_t i = 0; i < countof(good); i++)
		assert_true(value_is_bus_name(str_from(good[i])));
	for (size_t i = 0; i < countof(bad); i++)
		assert_false(value_is_bus_name(str_from(bad[i])));
}

static void accounts_are_nearly_anything(void **state)
{
	(void)state;
	static const char *const good[] = { "root", "0", "1000", "a.b", "_x", "a b", "1a", "-a", "\xc3\xa9" };
	static const char *const bad[] = { "", "65535", "4294967295", "4294967296", "00", "-", "-1", ".", "..", "a:b", "a/b", " a", "a\n", "a\xff" };
	for (size_t i = 0; i < countof(good); i++)
		assert_true(value_is_account(str_from(good[i])));
	for (size_t i = 0; i < countof(bad); i++)
		assert_false(value_is_account(str_from(bad[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_add_up),
		cmocka_unit_test(times_are_kept_in_milliseconds_and_never_become_nothing),
		cmocka_unit_test(a_bare_number_is_in_the_unit_of_its_directive),
		cmocka_unit_test(sizes_are_in_powers_of_1024),
		cmocka_unit_test(shares_have_at_most_two_places),
		cmocka_unit_test(a_quota_may_be_more_than_one_processor),
		cmocka_unit_test(booleans_have_six_names_each),
		cmocka_unit_test(numbers_have_bases_and_bounds),
		cmocka_unit_test(exit_statuses_are_numbers_names_or_signals),
		cmocka_unit_test(signals_have_one_name_each),
		cmocka_unit_test(statuses_have_names),
		cmocka_unit_test(paths_are_absolute_and_do_not_climb),
		cmocka_unit_test(a_pid_file_is_in_run),
		cmocka_unit_test(folders_of_a_service_are_relative),
		cmocka_unit_test(sandbox_paths_have_two_signs_in_one_order),
		cmocka_unit_test(bus_names_have_two_words_at_least),
		cmocka_unit_test(accounts_are_nearly_anything),
		cmocka_unit_test(assignments_have_a_name_that_a_shell_knows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
