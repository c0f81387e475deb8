#include "lib/logjson.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *json_of(const char *unit, const struct logline *line)
{
	static char room[1000];
	struct buf b = BUF(room);
	logjson_put(&b, str_from(unit), line);
	return buf_cstr(&b);
}

static void a_line_is_an_object(void **state)
{
	(void)state;
	struct logline line = { UINT64_C(1795752181123456), 3, 812, LOG_OUT, LOG_PRIORITY_INFO, false, STR("Ready"), 0 };
	assert_string_equal(json_of("db.service", &line),
			    "{\"time\":\"2026-11-27T04:03:01.123456Z\",\"unit\":\"db.service\",\"generation\":3,\"pid\":812,\"stream\":\"out\","
			    "\"priority\":\"info\",\"text\":\"Ready\",\"cut\":false}\n");
	line = (struct logline){ .stream = LOG_NOTE, .priority = LOG_PRIORITY_ERR, .is_cut = true };
	assert_string_equal(json_of("system", &line),
			    "{\"time\":null,\"unit\":\"system\",\"generation\":null,\"pid\":null,\"stream\":\"note\","
			    "\"priority\":\"err\",\"text\":\"\",\"cut\":true}\n");
	line = (struct logline){ .stream = N_LOG_STREAM, .priority = N_LOG_PRIORITY };
	assert_non_null(strstr(json_of("system", &line), "\"stream\":null,\"priority\":null,"));
}

static void any_bytes_can_be_told(void **state)
{
	(void)state;
	static const struct { struct str text; const char *json; } rows[] = {
		{ { "a\"b\\c", 5 }, "\"a\\\"b\\\\c\"" },
		{ { "\0\t\x1b[31m\x7f", 8 }, "\"\\u0000\\u0009\\u001b[31m\\u007f\"" },
		{ { "gr\xc3\xbc\xc3\x9f\xf0\x9f\x90\xa6", 10 }, "\"gr\xc3\xbc\xc3\x9f\xf0\x9f\x90\xa6\"" },
		{ { "\xc2\x9b\xe2\x80\xae", 5 }, "\"\\u009b\\u202e\"" },
		{ { "\xff\xc3", 2 }, "null,\"text_bytes\":[255,195]" },
		{ { "a\xc3", 2 }, "null,\"text_bytes\":[97,195]" },
		{ { "\xed\xa0\x80", 3 }, "null,\"text_bytes\":[237,160,128]" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct logline line = { .text = rows[i].text };
		char expected[200] = "\"text\":";
		strcat(strcat(expected, rows[i].json), ",");
		assert_non_null(strstr(json_of("a.service", &line), expected));
	}
}

static void the_bound_holds(void **state)
{
	(void)state;
	char worst[2][255] = { { 0 } }, *room = malloc(LOGJSON_MAX(255, 255));
	memset(worst[1], 0xff, sizeof worst[1]);
	for (size_t i = 0; i < countof(worst); i++) {
		struct buf b = { .p = room, .cap = LOGJSON_MAX(255, 255) };
		struct logline line = { UINT64_C(253402300799999999), UINT32_MAX, UINT32_MAX, LOG_JOURNAL, LOG_PRIORITY_WARNING, false, str_of(worst[i], 255), 0 };
		logjson_put(&b, str_of(worst[0], 255), &line);
		assert_false(b.is_cut);
	}
	free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_an_object),
		cmocka_unit_test(any_bytes_can_be_told),
		cmocka_unit_test(the_bound_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
