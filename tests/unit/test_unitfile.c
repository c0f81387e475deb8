#include "lib/unitfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Numbers in comments are the rows of a table of what systemd 252 itself was seen to do with such an input. */

/* What a file reads as, one item a line: "2 Unit.Description=a b", "3 [Service]", "4 ?text", "5 !text". */
static void reads_as(struct str text, const char *expected)
{
	char bytes[1024], seen[2048];
	struct buf b = BUF(seen);

	assert_true(text.n <= sizeof bytes);
	memcpy(bytes, text.p, text.n);
	struct unitfile f = unitfile_open(bytes, text.n);
	for (struct unitfile_item i; (i = unitfile_next(&f)).kind != UNITFILE_END;) {
		buf_u64(&b, i.line);
		buf_char(&b, ' ');
		switch (i.kind) {
		case UNITFILE_SECTION:
			buf_char(&b, '[');
			buf_str(&b, i.section);
			buf_char(&b, ']');
			break;
		case UNITFILE_SETTING:
			buf_str(&b, i.section);
			buf_char(&b, '.');
			buf_str(&b, i.key);
			buf_char(&b, '=');
			buf_str(&b, i.value);
			break;
		default:
			assert_non_null(i.wrong);
			buf_char(&b, i.kind == UNITFILE_BAD ? '!' : '?');
			buf_str(&b, i.text);
		}
		buf_char(&b, '\n');
	}
	assert_false(b.is_cut);
	assert_string_equal(buf_cstr(&b), expected);
	assert_int_equal(unitfile_next(&f).kind, UNITFILE_END);
}

/* The values of one key of [U] alone. */
static void value_reads_as(struct str value, const char *expected)
{
	char text[512], wanted[512];
	struct buf in = BUF(text), out = BUF(wanted);

	buf_lit(&in, "[U]\nK=");
	buf_str(&in, value);
	buf_lit(&out, "1 [U]\n2 U.K=");
	buf_str(&out, str_from(expected));
	buf_lit(&out, "\n");
	reads_as(buf_view(&in), buf_cstr(&out));
}

static void values_lose_blanks_at_their_ends_only(void **state)
{
	(void)state;
	/* 1, 10, 25, 26 */
	reads_as(STR("[Unit]\nDescription =  a b \t\r\n"), "1 [Unit]\n2 Unit.Description=a b\n");
	value_reads_as(STR("a # b ; c"), "a # b ; c");
	value_reads_as(STR("a=b=c"), "a=b=c");
	value_reads_as(STR("\"a b\" a\\x20b"), "\"a b\" a\\x20b");
	value_reads_as(STR(""), "");
}

static void a_backslash_at_the_end_joins_lines_with_a_blank(void **state)
{
	(void)state;
	/* 2, 3, 4, 8, 38 */
	value_reads_as(STR("a \\\n   b"), "a     b");
	value_reads_as(STR("a\\\nb"), "a b");
	value_reads_as(STR("a\\\n\t\tb"), "a \t\tb");
	value_reads_as(STR("a\\\r\nb\r\n"), "a b");
	value_reads_as(STR("\\\n   /a \\\n   /b"), "/a     /b");
	value_reads_as(STR("a \\"), "a");
	value_reads_as(STR("a\\\\\\\nb"), "a\\\\ b");
}

static void comments_vanish_before_lines_are_joined(void **state)
{
	(void)state;
	/* 5, 6, 11, 12 */
	value_reads_as(STR("a \\\n# x\n; y\n b"), "a   b");
	value_reads_as(STR("a \\\n# x \\\n b"), "a   b");
	reads_as(STR("# K=1 \\\n[U]\n   # K=no\nK=yes\n;K=2"), "2 [U]\n4 U.K=yes\n");
}

static void an_even_number_of_backslashes_or_an_empty_line_ends_a_value(void **state)
{
	(void)state;
	/* 9, 7 */
	reads_as(STR("[U]\nK=a \\\\\nL=b\n"), "1 [U]\n2 U.K=a \\\\\n3 U.L=b\n");
	reads_as(STR("[U]\nK=a \\\n\nL=b\n"), "1 [U]\n2 U.K=a\n4 U.L=b\n");
}

static void sections_may_come_again_and_settings_know_theirs(void **state)
{
	(void)state;
	/* 20, 24 */
	reads_as(STR("[A]  \nK=1\n[B]\nK=2\n  [A]\n  K=3"), "1 [A]\n2 A.K=1\n3 [B]\n4 B.K=2\n5 [A]\n6 A.K=3\n");
}

static void lines_that_are_no_settings_are_strays(void **state)
{
	(void)state;
	/* 21, 13, 14 */
	reads_as(STR("K=1\n[U]\nDescription\n=x\nK=2"), "1 ?K=1\n2 [U]\n3 ?Description\n4 ?=x\n5 U.K=2\n");
}

static void windows_files_are_read(void **state)
{
	(void)state;
	/* 22 */
	reads_as(STR("\xef\xbb\xbf[U]\r\nK=a\r\n"), "1 [U]\n2 U.K=a\n");
}

static void a_file_that_is_no_unit_ends_at_the_line_that_shows_it(void **state)
{
	(void)state;
	/* 19, 29 */
	reads_as(STR("[U]\nK=1\n[V\nK=2"), "1 [U]\n2 U.K=1\n3 ![V\n");
	reads_as(STR("[U]\nK=\xff\nL=2"), "1 [U]\n2 !K=\xff\n");
	reads_as(STR("[U]\nK=\xc3\xb6\n"), "1 [U]\n2 U.K=\xc3\xb6\n");
	/* Overlong, a surrogate, and beyond Unicode. */
	reads_as(STR("K=\xc0\xaf"), "1 !K=\xc0\xaf\n");
	reads_as(STR("K=\xed\xa0\x80"), "1 !K=\xed\xa0\x80\n");
	reads_as(STR("K=\xf4\x90\x80\x80"), "1 !K=\xf4\x90\x80\x80\n");
}

static void a_nul_is_no_text(void **state)
{
	(void)state;
	char bytes[] = "[U]\nK=a\0b\nL=1";
	struct unitfile f = unitfile_open(bytes, sizeof bytes - 1);
	unitfile_next(&f);
	assert_int_equal(unitfile_next(&f).kind, UNITFILE_BAD);
	assert_int_equal(unitfile_next(&f).kind, UNITFILE_END);
}

static void an_empty_file_has_nothing(void **state)
{
	(void)state;
	reads_as(STR(""), "");
	reads_as(STR("\n\n  \n# x"), "");
	reads_as(STR("\\\n\\\n"), "");
}

/* Random bytes of the syntax's own alphabet: every item lies in the file, lines only grow, reading ends. */
static void no_bytes_lead_outside(void **state)
{
	(void)state;
	static const char alphabet[] = "[]=\\\n\r #;aK\t\xff";
	unsigned seed = 1;
	for (int round = 0; round < 20000; round++) {
		size_t n = (size_t)(round % 40);
		char *bytes = malloc(n + 1);
		for (size_t i = 0; i < n; i++)
			bytes[i] = alphabet[(seed = seed * 1103515245u + 12345u) / 65536u % (sizeof alphabet - 1)];
		struct unitfile f = unitfile_open(bytes, n);
		uint32_t line = 0;
		size_t n_items = 0;
		for (struct unitfile_item i; (i = unitfile_next(&f)).kind != UNITFILE_END; line = i.line) {
			assert_true(i.line > line && ++n_items <= n);
			assert_true(i.value.n == 0 || (i.value.p >= bytes && i.value.p + i.value.n <= bytes + n));
		}
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_lose_blanks_at_their_ends_only),
		cmocka_unit_test(a_backslash_at_the_end_joins_lines_with_a_blank),
		cmocka_unit_test(comments_vanish_before_lines_are_joined),
		cmocka_unit_test(an_even_number_of_backslashes_or_an_empty_line_ends_a_value),
		cmocka_unit_test(sections_may_come_again_and_settings_know_theirs),
		cmocka_unit_test(lines_that_are_no_settings_are_strays),
		cmocka_unit_test(windows_files_are_read),
		cmocka_unit_test(a_file_that_is_no_unit_ends_at_the_line_that_shows_it),
		cmocka_unit_test(a_nul_is_no_text),
		cmocka_unit_test(an_empty_file_has_nothing),
		cmocka_unit_test(no_bytes_lead_outside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
