#include "lib/logread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- from the end ---- */

/* All lines of `file` from its end, "LINE@AT|", read by windows of that size. */
static const char *backwards(const char *file, size_t size)
{
	static char told[4096];
	struct buf out = BUF(told);
	struct logback b;
	struct str line;
	uint64_t at, from;
	size_t n;
	enum logback_answer answer;
	logback_begin(&b, malloc(size), size, strlen(file));
	while ((answer = logback_next(&b, &line, &at)) != LOGBACK_TOP) {
		if (answer == LOGBACK_LINE) {
			buf_str(&out, line);
			buf_char(&out, '@');
			buf_u64(&out, at);
			buf_char(&out, '|');
			continue;
		}
		char *to = logback_room(&b, &from, &n);
		if (!to) {
			logback_grown(&b, realloc(b.bytes, 2 * b.size), 2 * b.size);
			continue;
		}
		memcpy(to, file + from, n);
		logback_filled(&b, n);
	}
	free(b.bytes);
	return buf_cstr(&out);
}

static void lines_come_from_the_end_whatever_the_window(void **state)
{
	(void)state;
	static const struct { const char *file, *told; } rows[] = {
		{ "", "" }, { "a", "a@0|" }, { "a\n", "a@0|" }, { "\n", "@0|" }, { "\n\n", "@1|@0|" }, { "one\ntwo\n", "two@4|one@0|" },
		{ "one\n\ntorn", "torn@5|@4|one@0|" }, { "x\na longer line than the window is\ny\n", "y@35|a longer line than the window is@2|x@0|" },
	};
	for (size_t i = 0; i < countof(rows); i++)
		for (size_t size = 1; size < 50; size++)
			assert_string_equal(backwards(rows[i].file, size), rows[i].told);
}

static void what_was_handed_out_makes_room(void **state)
{
	(void)state;
	char window[8];
	struct logback b;
	struct str line;
	uint64_t at, from;
	size_t n;
	logback_begin(&b, window, sizeof window, 1000);
	assert_int_equal(logback_next(&b, &line, &at), LOGBACK_WANTS);
	memcpy(logback_room(&b, &from, &n), "rest\nab\n", 8);
	assert_true(from == 992 && n == 8);
	logback_filled(&b, n);
	assert_int_equal(logback_next(&b, &line, &at), LOGBACK_LINE);
	assert_int_equal(logback_next(&b, &line, &at), LOGBACK_WANTS);
	assert_ptr_equal(logback_room(&b, &from, &n), window);
	assert_true(from == 989 && n == 3);     /* "rest\n" stays */
}

/* ---- from a time on ---- */

/* A file whose lines have `length` bytes each and the times 0, 1, 2 ...: where a search for `wanted` would begin to read. */
static uint64_t sought(uint64_t n_lines, uint64_t length, uint64_t wanted, unsigned *n_probes)
{
	struct logseek s = { .high = n_lines * length };
	uint64_t probe;
	for (*n_probes = 0; logseek_next(&s, &probe); ++*n_probes) {
		uint64_t line = probe / length + 1;
		if (line < n_lines && line < wanted && line * length < s.high)
			logseek_early(&s, line * length);
		else
			logseek_late(&s, probe);
	}
	return s.low;
}

static void a_time_is_found_in_few_steps(void **state)
{
	(void)state;
	const uint64_t n_lines = 1 << 20, length = 100;
	for (uint64_t wanted = 0; wanted < n_lines + 5; wanted += 997) {
		unsigned n_probes;
		uint64_t at = sought(n_lines, length, wanted, &n_probes), exact = (wanted < n_lines ? wanted : n_lines) * length;
		assert_true(at % length == 0 && at <= exact && exact - at <= LOGSEEK_NEAR + length);
		assert_in_range(n_probes, 5, 13);
	}
}

static void a_small_file_is_read_whole(void **state)
{
	(void)state;
	unsigned n_probes;
	assert_int_equal(sought(10, 100, 9, &n_probes), 0);
	assert_int_equal(n_probes, 0);
}

/* ---- many at once ---- */

static void turns_come_by_time_and_then_by_source(void **state)
{
	(void)state;
	enum { N = 1000 };
	static struct logturn turns[N];
	struct logmerge m = { .turns = turns };
	struct logturn before = { 0, 0 };
	srand(1);
	for (uint32_t i = 0; i < N; i++)
		logmerge_add(&m, (struct logturn){ (uint64_t)rand() % 50, i });
	for (unsigned n = 0; n < 5 * N; n++) {
		struct logturn t = logmerge_take(&m);
		assert_true(t.time_us > before.time_us || (t.time_us == before.time_us && t.source >= before.source));
		before = t;
		if (n < 4 * N)          /* its next one is not before it */
			logmerge_add(&m, (struct logturn){ t.time_us + (uint64_t)rand() % 50, t.source });
	}
	assert_int_equal(m.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_from_the_end_whatever_the_window),
		cmocka_unit_test(what_was_handed_out_makes_room),
		cmocka_unit_test(a_time_is_found_in_few_steps),
		cmocka_unit_test(a_small_file_is_read_whole),
		cmocka_unit_test(turns_come_by_time_and_then_by_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
