#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOTHING ((struct str){ NULL, 0 })

static void assert_str(struct str s, const char *expected)
{
	if (!str_eq(s, str_from(expected)))
		fail_msg("<%.*s> instead of <%s>", (int)s.n, s.p, expected);
}

/* A copy in memory of exactly its size, without a NUL: the sanitizer sees a byte read too far. */
static struct str exact(const char *text)
{
	size_t n = strlen(text);
	return str_of(memcpy(malloc(n), text, n), n);
}

static void release(struct str s)
{
	free((void *)s.p);
}

static void nothing_is_an_empty_string(void **state)
{
	(void)state;
	struct str rest = NOTHING, word;
	uint64_t number;
	assert_int_equal(str_from(NULL).n, 0);
	assert_non_null(str_from(NULL).p);
	assert_true(str_eq(NOTHING, STR("")));
	assert_true(str_starts(NOTHING, STR("")));
	assert_true(str_ends(STR("a"), NOTHING));
	assert_false(str_starts(NOTHING, STR("a")));
	assert_false(str_ends(NOTHING, STR("a")));
	assert_int_equal(str_skip(NOTHING, 3).n, 0);
	assert_int_equal(str_trim(NOTHING).n, 0);
	assert_int_equal(str_chr(NOTHING, 'a'), 0);
	assert_int_equal(str_find(NOTHING, STR("a")), 0);
	assert_int_equal(str_rfind(NOTHING, STR("a")), 0);
	assert_false(str_next(&rest, &word));
	assert_false(str_digits(&rest, &number));
	assert_int_equal(str_until(&rest, 'a').n, 0);
	assert_int_equal(str_distance(NOTHING, NOTHING), 0);
}

static void strings_compare_by_bytes(void **state)
{
	(void)state;
	assert_true(str_eq(STR("a\0b"), STR("a\0b")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
	assert_false(str_eq(STR("a"), STR("ab")));
	assert_true(str_starts(STR("abc"), STR("ab")));
	assert_false(str_starts(STR("ab"), STR("abc")));
	assert_true(str_ends(STR("abc"), STR("bc")));
	assert_true(str_ends(STR("abc"), STR("abc")));
	assert_false(str_ends(STR("bc"), STR("abc")));
	assert_false(str_ends(STR("abc"), STR("ab")));
}

static void blanks_are_trimmed(void **state)
{
	(void)state;
	static const struct { const char *text, *trimmed; } rows[] = {
		{ "", "" }, { " ", "" }, { " \t\r\n", "" }, { "a", "a" }, { "  a b\t", "a b" }, { "a\r\n", "a" },
		{ "\va", "\va" },       /* a vertical tab is no blank, for systemd either */
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct str text = exact(rows[i].text);
		assert_str(str_trim(text), rows[i].trimmed);
		release(text);
	}
}

static void needles_are_found(void **state)
{
	(void)state;
	static const struct { const char *text, *needle; size_t first, last; } rows[] = {
		{ "abcabc", "abc", 0, 3 },
		{ "abcabc", "c", 2, 5 },
		{ "aaa", "aa", 0, 1 },
		{ "abcabc", "abcabc", 0, 0 },
		{ "abcabc", "abcabcd", 6, 6 },
		{ "abc", "x", 3, 3 },
		{ "ab", "bc", 2, 2 },
		{ "abc", "", 0, 3 },
		{ "", "", 0, 0 },
		{ "", "a", 0, 0 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct str text = exact(rows[i].text), needle = exact(rows[i].needle);
		assert_int_equal(str_find(text, needle), rows[i].first);
		assert_int_equal(str_rfind(text, needle), rows[i].last);
		release(text);
		release(needle);
	}
	assert_int_equal(str_chr(STR("a\0b"), '\0'), 1);
	assert_int_equal(str_chr(STR("ab"), '\0'), 2);
	assert_int_equal(str_chr(STR("a\xff"), '\xff'), 1);
}

static void strings_are_consumed_from_the_front(void **state)
{
	(void)state;
	struct str s = STR("key=a=b");
	assert_false(str_take(&s, STR("kez")));
	assert_str(s, "key=a=b");
	assert_str(str_until(&s, '='), "key");
	assert_true(str_take(&s, STR("a")));
	assert_str(s, "=b");
	assert_str(str_until(&s, '='), "");
	assert_str(str_until(&s, '='), "b");
	assert_str(s, "");
	assert_str(str_until(&s, '='), "");
	assert_true(str_take(&s, STR("")));

	struct str last = exact("ab");
	s = last;
	assert_str(str_until(&s, 'b'), "a");
	assert_int_equal(s.n, 0);
	release(last);
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
	(void)state;
	static const struct { const char *text; bool is_u64; uint64_t u64; bool is_i64; int64_t i64; } rows[] = {
		{ "0", true, 0, true, 0 },
		{ "007", true, 7, true, 7 },
		{ "18446744073709551615", true, UINT64_MAX, false, 0 },
		{ "18446744073709551616", false, 0, false, 0 },
		{ "18446744073709551620", false, 0, false, 0 },
		{ "99999999999999999999", false, 0, false, 0 },
		{ "9223372036854775807", true, INT64_MAX, true, INT64_MAX },
		{ "9223372036854775808", true, 1ull << 63, false, 0 },
		{ "-9223372036854775807", false, 0, true, -INT64_MAX },
		{ "-9223372036854775808", false, 0, true, INT64_MIN },
		{ "-9223372036854775809", false, 0, false, 0 },
		{ "-0", false, 0, true, 0 },
		{ "-1", false, 0, true, -1 },
		{ "--1", false, 0, false, 0 },
		{ "-", false, 0, false, 0 },
		{ "+1", false, 0, false, 0 },
		{ "", false, 0, false, 0 },
		{ " 1", false, 0, false, 0 },
		{ "1 ", false, 0, false, 0 },
		{ "1a", false, 0, false, 0 },
		{ "0x1", false, 0, false, 0 },
		{ "1\n", false, 0, false, 0 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct str text = exact(rows[i].text);
		uint64_t u = 0;
		int64_t s = 0;
		if (str_u64(text, &u) != rows[i].is_u64 || (rows[i].is_u64 && u != rows[i].u64))
			fail_msg("u64 <%s>: %llu", rows[i].text, (unsigned long long)u);
		if (str_i64(text, &s) != rows[i].is_i64 || (rows[i].is_i64 && s != rows[i].i64))
			fail_msg("i64 <%s>: %lld", rows[i].text, (long long)s);
		release(text);
	}
}

static void digits_are_taken_only_when_they_make_a_number(void **state)
{
	(void)state;
	uint64_t v = 5;
	struct str s = STR("12min");
	assert_true(str_digits(&s, &v));
	assert_int_equal(v, 12);
	assert_str(s, "min");
	assert_false(str_digits(&s, &v));
	assert_str(s, "min");
	assert_int_equal(v, 12);
	s = STR("99999999999999999999x");
	assert_false(str_digits(&s, &v));
	assert_str(s, "99999999999999999999x");
	assert_int_equal(v, 12);
}

static void blobs_are_walked(void **state)
{
	(void)state;
	struct str blob = STR("a\0\0bc\0"), word;
	assert_true(str_next(&blob, &word));
	assert_str(word, "a");
	assert_true(str_next(&blob, &word));
	assert_str(word, "");
	assert_true(str_next(&blob, &word));
	assert_str(word, "bc");
	assert_int_equal(word.p[word.n], '\0');
	assert_false(str_next(&blob, &word));
}

static void distances_count_single_edits(void **state)
{
	(void)state;
#define LONG "0123456789012345678901234567890123456789012345678901234567890123"
	static const struct { const char *a, *b; unsigned distance; } rows[] = {
		{ "", "", 0 },
		{ "", "abc", 3 },
		{ "Restart", "Restart", 0 },
		{ "Restart", "Restat", 1 },
		{ "Restart", "Resttart", 1 },
		{ "Restart", "Rextart", 1 },
		{ "Restart", "restart", 1 },
		{ "Restart", "Resatrt", 2 },
		{ "kitten", "sitting", 3 },
		{ "ExecStart", "StartExec", 8 },
		{ LONG, LONG, 0 },
		{ LONG, "", 64 },
		{ LONG "4", LONG, 255 },
		{ "", LONG "4", 255 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct str a = exact(rows[i].a), b = exact(rows[i].b);
		if (str_distance(a, b) != rows[i].distance || str_distance(b, a) != rows[i].distance)
			fail_msg("<%s> <%s>: %u", rows[i].a, rows[i].b, str_distance(a, b));
		release(a);
		release(b);
	}
}

static void numbers_are_written(void **state)
{
	(void)state;
	char text[128];
	struct buf b = BUF(text);
	buf_u64(&b, 0);
	buf_char(&b, ' ');
	buf_u64(&b, UINT64_MAX);
	buf_char(&b, ' ');
	buf_i64(&b, INT64_MIN);
	buf_char(&b, ' ');
	buf_i64(&b, -7);
	buf_char(&b, ' ');
	buf_pad(&b, 5, 3);
	buf_char(&b, ' ');
	buf_pad(&b, 1234, 3);
	buf_char(&b, ' ');
	buf_pad(&b, 0, 0);
	assert_str(buf_view(&b), "0 18446744073709551615 -9223372036854775808 -7 005 1234 0");
	assert_false(b.is_cut);
	b.n = 0;
	buf_pad(&b, 7, 99);             /* no number is wider than twenty digits */
	assert_str(buf_view(&b), "00000000000000000007");
}

static void a_full_buffer_cuts_and_tells(void **state)
{
	(void)state;
	for (size_t cap = 0; cap <= 8; cap++) {
		char *room = malloc(cap);
		struct buf b = { .p = room, .cap = cap };
		buf_lit(&b, "abc");
		buf_str(&b, NOTHING);
		buf_u64(&b, 1234);
		assert_int_equal(b.n, cap < 7 ? cap : 7);
		assert_int_equal(b.is_cut, cap < 7);
		assert_memory_equal(b.n ? room : "", "abc1234", b.n);

		/* Then as a C string: the NUL costs the last byte only where there is no other room. */
		const char *text = buf_cstr(&b);
		size_t n = cap == 0 ? 0 : cap < 8 ? cap - 1 : 7;
		assert_int_equal(strlen(text), n);
		assert_memory_equal(text, "abc1234", n);
		assert_int_equal(b.is_cut, cap < 8);
		assert_string_equal(buf_cstr(&b), cap == 0 ? "" : room);
		free(room);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_an_empty_string),
		cmocka_unit_test(strings_compare_by_bytes),
		cmocka_unit_test(blanks_are_trimmed),
		cmocka_unit_test(needles_are_found),
		cmocka_unit_test(strings_are_consumed_from_the_front),
		cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
		cmocka_unit_test(digits_are_taken_only_when_they_make_a_number),
		cmocka_unit_test(blobs_are_walked),
		cmocka_unit_test(distances_count_single_edits),
		cmocka_unit_test(numbers_are_written),
		cmocka_unit_test(a_full_buffer_cuts_and_tells),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
