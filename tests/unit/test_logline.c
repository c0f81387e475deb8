#include "lib/logline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOKEN "0123456789abcdef"

static void then_head(const struct logline *line, const char *expected)
{
	char room[LOGLINE_HEAD_MAX + 1];
	struct buf b = BUF(room);
	logline_head(&b, line);
	assert_string_equal(buf_cstr(&b), expected);
}

static void a_line_has_its_origin_in_front(void **state)
{
	(void)state;
	then_head(&(struct logline){ UINT64_C(1795752181123456), 3, 812, LOG_OUT, LOG_PRIORITY_INFO, false, STR(""), 0 },
		  "2026-11-27T04:03:01.123456Z 3 812 out.info ");
	then_head(&(struct logline){ 0, 0, 0, LOG_JOURNAL, LOG_PRIORITY_EMERG, true, STR(""), 0 }, "1970-01-01T00:00:00.000000Z 0 0 journal.emerg+ ");
	/* the longest there is */
	struct logline most = { UINT64_C(253402300799999999), UINT32_MAX, UINT32_MAX, LOG_JOURNAL, LOG_PRIORITY_WARNING, true, STR(""), 0 };
	then_head(&most, "9999-12-31T23:59:59.999999Z 4294967295 4294967295 journal.warning+ ");
}

static void what_was_written_is_read(void **state)
{
	(void)state;
	for (int stream = 0; stream < N_LOG_STREAM; stream++)
		for (int priority = 0; priority < N_LOG_PRIORITY; priority++) {
			char room[128];
			struct buf b = BUF(room);
			struct logline in = { UINT64_C(1709164800000001) + (uint64_t)stream, 7, 8, (uint8_t)stream, (uint8_t)priority, priority % 2, STR(""), 0 }, out;
			logline_head(&b, &in);
			buf_lit(&b, "a text: <3>of three.words ");
			assert_true(logline_parse(buf_view(&b), &out));
			assert_true(str_eq(out.text, STR("a text: <3>of three.words ")));
			out.text = in.text;
			assert_memory_equal(&in, &out, offsetof(struct logline, text));
		}
}

static void what_is_no_such_line_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"", "hello", "2026-11-27T04:03:01.123456Z", "2026-11-27T04:03:01.123456Z 3 812 out.info", "2026-11-27T04:03:01.123456Z 3 812 out text ",
		"2026-11-27T04:03:01.123456Z 3 x out.info text", "2026-11-27T04:03:01.123456Z 3 812 pipe.info text",
		"2026-11-27T04:03:01.123456Z 3 812 out.loud text", "2026-13-27T04:03:01.123456Z 3 812 out.info text",
		"2026-11-27T04:03:01.123456Z 99999999999 812 out.info text", "11-27T04:03:01.123456Z 3 812 out.info text",
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct logline l = { .pid = 77 };
		assert_false(logline_parse(str_from(rows[i]), &l));
		assert_int_equal(l.pid, 77);
	}
}

static void times_are_those_of_rfc_3339(void **state)
{
	(void)state;
	static const struct { const char *text; uint64_t us; } rows[] = {
		{ "1970-01-01T00:00:00Z", 0 }, { "2000-02-29T12:00:00.5Z", UINT64_C(951825600500000) }, { "2026-11-27 04:03:01.123456Z", UINT64_C(1795752181123456) },
		{ "2026-11-27T05:03:01.1234567+01:00", UINT64_C(1795752181123456) }, { "2026-11-26T22:33:01.123456-05:30", UINT64_C(1795752181123456) },
		{ "2016-12-31T23:59:60Z", UINT64_C(1483228800000000) }, { "2100-03-01T00:00:00Z", UINT64_C(4107542400000000) },
		{ "2026-11-27T24:00:00Z", UINT64_MAX }, { "2026-11-27T04:03:01", UINT64_MAX }, { "2026-11-27T04:03:01.Z", UINT64_MAX }, { "1969-12-31T23:59:59Z", UINT64_MAX },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		uint64_t us = UINT64_MAX;
		struct str text = str_from(rows[i].text);
		if (logline_time(&text, &us) != (rows[i].us != UINT64_MAX) || us != rows[i].us)
			fail_msg("%s is %llu", rows[i].text, (unsigned long long)us);
	}
}

static void every_day_comes_back(void **state)
{
	(void)state;
	for (uint64_t day = 0; day < 200000; day++) {
		char room[32];
		struct buf b = BUF(room);
		uint64_t us = UINT64_MAX;
		logline_put_time(&b, day * 86400 * 1000000 + 1);
		struct str text = buf_view(&b);
		assert_int_equal(text.n, 27);
		assert_true(logline_time(&text, &us));
		assert_int_equal(us, day * 86400 * 1000000 + 1);
	}
}

static void a_priority_may_stand_in_front(void **state)
{
	(void)state;
	uint8_t priority = 77;
	struct str text = STR("<4>careful");
	assert_true(logline_take_priority(&text, &priority) && priority == LOG_PRIORITY_WARNING && str_eq(text, STR("careful")));
	static const char *const rows[] = { "<8>x", "<30>x", "< 3>x", "<3", "3>x", "", "x<3>" };
	for (size_t i = 0; i < countof(rows); i++) {
		text = str_from(rows[i]);
		assert_false(logline_take_priority(&text, &priority));
		assert_int_equal(text.n, strlen(rows[i]));
	}
	assert_int_equal(logline_priority(STR("err")), 3);
	assert_int_equal(logline_priority(STR("error")), 3);
	assert_int_equal(logline_priority(STR("7")), 7);
	assert_int_equal(logline_priority(STR("8")), -1);
	assert_int_equal(logline_priority(STR("loud")), -1);
}

static void a_marker_ends_whatever_was_before_it(void **state)
{
	(void)state;
	char room[128] = "no line feed behind this";
	struct buf b = { .p = room, .n = strlen(room), .cap = sizeof room };
	struct log_marker m = { 0, 0 };
	log_marker_put(&b, TOKEN, &(struct log_marker){ 3, 812 });
	assert_int_equal(b.n, strlen("no line feed behind this") + LOG_MARKER_SIZE);
	struct str line = buf_view(&b);
	assert_int_equal(line.p[line.n - 1], '\n');
	assert_int_equal(str_chr(line, '\n'), line.n - 1);
	line.n--;
	assert_true(log_marker_take(&line, TOKEN, &m));
	assert_true(m.generation == 3 && m.pid == 812);
	assert_true(str_eq(line, STR("no line feed behind this")));
}

static void nobody_else_can_write_one(void **state)
{
	(void)state;
	char room[64];
	struct buf b = BUF(room);
	struct log_marker m = { 77, 77 };
	log_marker_put(&b, "0123456789abcdee", &(struct log_marker){ 3, 812 });
	struct str line = str_of(room, b.n - 1), cut = str_of(room + 1, b.n - 2);
	assert_false(log_marker_take(&line, TOKEN, &m));
	assert_false(log_marker_take(&cut, "0123456789abcdee", &m));
	room[20] = 'x';
	assert_false(log_marker_take(&line, "0123456789abcdee", &m));
	assert_int_equal(m.pid, 77);
	assert_int_equal(line.n, b.n - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_its_origin_in_front),
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(what_is_no_such_line_is_refused),
		cmocka_unit_test(times_are_those_of_rfc_3339),
		cmocka_unit_test(every_day_comes_back),
		cmocka_unit_test(a_priority_may_stand_in_front),
		cmocka_unit_test(a_marker_ends_whatever_was_before_it),
		cmocka_unit_test(nobody_else_can_write_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
