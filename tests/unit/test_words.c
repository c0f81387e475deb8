#include "lib/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Numbers in comments are the rows of a table of what systemd 252 itself was seen to do with such an input. */

/* Words in angle brackets: "<a><b c>"; behind them "!" for a quote that never closes, "?" for an odd escape before. */
static void splits_into(struct str text, const char *expected)
{
	char seen[512];
	struct buf b = BUF(seen);
	enum words_result r;

	do {
		char word[256];
		struct buf w = BUF(word);
		r = words_next(&text, &w);
		assert_int_not_equal(r, WORDS_NO_ROOM);
		if (r == WORDS_UNBALANCED)
			buf_char(&b, '!');
		if (r != WORDS_WORD && r != WORDS_ODD)
			continue;
		buf_char(&b, '<');
		buf_str(&b, buf_view(&w));
		buf_char(&b, '>');
		if (r == WORDS_ODD)
			buf_char(&b, '?');
	} while (r == WORDS_WORD || r == WORDS_ODD);
	assert_string_equal(buf_cstr(&b), expected);
}

static void blanks_separate_words(void **state)
{
	(void)state;
	/* 81 */
	splits_into(STR("a   b\tc\r\nd  "), "<a><b><c><d>");
	splits_into(STR("   "), "");
	splits_into(STR(""), "");
}

static void quotes_open_and_close_anywhere(void **state)
{
	(void)state;
	/* 59, 60 */
	splits_into(STR("a\"b\"c \"a\"b \"a\"\"b\""), "<abc><ab><ab>");
	splits_into(STR("\"\" x ''"), "<><x><>");
	splits_into(STR("\"a 'b' c\" 'd \"e\" f'"), "<a 'b' c><d \"e\" f>");
	splits_into(STR("C=\"q D=e\"f B=z'w'"), "<C=q D=ef><B=zw>");
	splits_into(STR("ONE='one' \"TWO='two two' too\" THREE="), "<ONE=one><TWO='two two' too><THREE=>");
}

static void both_quotes_know_escapes(void **state)
{
	(void)state;
	/* 61, 62, 79 */
	splits_into(STR("'a\\'b' \"a\\\"b\""), "<a'b><a\"b>");
	splits_into(STR("'a\\x41b' a\\x41b"), "<aAb><aAb>");
	splits_into(STR("a\\sb a\\x20b a\\040b"), "<a b><a b><a b>");
	splits_into(STR("\\u00f6 \\U0001F600"), "<\xc3\xb6><\xf0\x9f\x98\x80>");
	splits_into(STR("\\u20ac \\u007f \\xff"), "<\xe2\x82\xac><\x7f><\xff>");
	splits_into(STR("\\a\\b\\f\\n\\r\\t\\v \\\\"), "<\a\b\f\n\r\t\v><\\>");
}

static void an_escape_that_means_nothing_keeps_its_backslash(void **state)
{
	(void)state;
	/* 63, 64 */
	splits_into(STR("'\\w+\\K' b"), "<\\w+\\K>?<b>");
	splits_into(STR("a\\ b"), "<a\\ b>?");
	splits_into(STR("\\x4 \\xg1 \\12 \\1234 \\400"), "<\\x4>?<\\xg1>?<\\12>?<S4><\\400>?");
	/* No NUL by the back door. */
	splits_into(STR("\\x00 \\000 \\u0000"), "<\\x00>?<\\000>?<\\u0000>?");
	splits_into(STR("\\U00110000 \\u00"), "<\\U00110000>?<\\u00>?");
}

static void an_open_quote_is_an_error(void **state)
{
	(void)state;
	/* 66 */
	splits_into(STR("a 'foo"), "<a>!");
	splits_into(STR("\"foo'"), "!");
	splits_into(STR("a 'x\\"), "<a>!");
}

static void a_backslash_at_the_end_stays(void **state)
{
	(void)state;
	splits_into(STR("a b\\"), "<a><b\\>?");
}

static void without_escapes_a_backslash_goes(void **state)
{
	(void)state;
	struct str rest = STR("a\\x41 'b c'\"d\" e\\");
	char room[64];
	struct buf b = BUF(room);
	assert_int_equal(words_quoted(&rest, &b), WORDS_WORD);
	assert_string_equal(buf_cstr(&b), "ax41");
	b.n = 0;
	assert_int_equal(words_quoted(&rest, &b), WORDS_WORD);
	assert_string_equal(buf_cstr(&b), "b cd");
	assert_int_equal(words_quoted(&rest, &b), WORDS_UNBALANCED);
}

static void an_error_leaves_the_rest_where_it_was(void **state)
{
	(void)state;
	char word[16];
	struct buf w = BUF(word);
	struct str rest = STR("'foo bar");
	assert_int_equal(words_next(&rest, &w), WORDS_UNBALANCED);
	assert_true(str_eq(rest, STR("'foo bar")));

	struct buf small = { .p = word, .cap = 2 };
	rest = STR("abc");
	assert_int_equal(words_next(&rest, &small), WORDS_NO_ROOM);
}

static void plain_words_know_no_quotes(void **state)
{
	(void)state;
	struct str rest = STR(" \"a b\"\tc "), word;
	assert_true(words_plain(&rest, &word) && str_eq(word, STR("\"a")));
	assert_true(words_plain(&rest, &word) && str_eq(word, STR("b\"")));
	assert_true(words_plain(&rest, &word) && str_eq(word, STR("c")));
	assert_false(words_plain(&rest, &word));
}

static void prefixes_count_once_in_any_order(void **state)
{
	(void)state;
	static const struct {
		const char *word, *rest, *prefix;
	} rows[] = {
		{ "/bin/x", "/bin/x", "" },
		/* 43 */ { "-@/bin/x", "/bin/x", "-@" }, { "@-/bin/x", "/bin/x", "-@" },
		/* 44 */ { "--/bin/x", "-/bin/x", "-" }, { "-@-/bin/x", "-/bin/x", "-@" },
		/* 45 */ { "+/x", "/x", "+" }, { "!/x", "/x", "!" }, { "!!/x", "/x", "a" },
		/* 46 */ { "+!/x", "!/x", "+" }, { "!+/x", "+/x", "!" }, { "!!!/x", "!/x", "a" },
		/* 47, 48 */ { "-:+@/x", "/x", "-@:+" }, { "|/x", "|/x", "" }, { "-", "", "-" }, { "", "", "" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct str word = str_from(rows[i].word);
		struct exec_prefix p = words_prefix(&word);
		assert_true(str_eq(word, str_from(rows[i].rest)));
		assert_int_equal(p.may_fail, strchr(rows[i].prefix, '-') != NULL);
		assert_int_equal(p.has_argv0, strchr(rows[i].prefix, '@') != NULL);
		assert_int_equal(p.no_expand, strchr(rows[i].prefix, ':') != NULL);
		assert_int_equal(p.is_privileged, strchr(rows[i].prefix, '+') != NULL);
		assert_int_equal(p.keeps_user, strchr(rows[i].prefix, '!') != NULL);
		assert_int_equal(p.is_ambient, strchr(rows[i].prefix, 'a') != NULL);
	}
}

static void specifies(const char *text, const char *expected, char unknown)
{
	char room[128];
	struct buf b = BUF(room);
	struct specifiers s = { .of = { ['n'] = STR("db.service"), ['p'] = STR("db"), ['i'] = STR("") } };

	assert_int_equal(words_specify(str_from(text), &s, &b), unknown);
	if (!unknown)
		assert_string_equal(buf_cstr(&b), expected);
}

static void specifiers_are_replaced(void **state)
{
	(void)state;
	/* 27, 71, 72 */
	specifies("100%% of %p %n", "100% of db db.service", 0);
	specifies("a%ib%pc", "abdbc", 0);
	specifies("%", "%", 0);
	specifies("100%", "100%", 0);
	specifies("%, %%1 %%n", "%, %1 %n", 0);
	specifies("%1", "", '1');
	specifies("", "", 0);
	specifies("a %Z b", "", 'Z');
	specifies("%%%%%", "%%%", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_separate_words),
		cmocka_unit_test(quotes_open_and_close_anywhere),
		cmocka_unit_test(both_quotes_know_escapes),
		cmocka_unit_test(an_escape_that_means_nothing_keeps_its_backslash),
		cmocka_unit_test(an_open_quote_is_an_error),
		cmocka_unit_test(a_backslash_at_the_end_stays),
		cmocka_unit_test(without_escapes_a_backslash_goes),
		cmocka_unit_test(an_error_leaves_the_rest_where_it_was),
		cmocka_unit_test(plain_words_know_no_quotes),
		cmocka_unit_test(prefixes_count_once_in_any_order),
		cmocka_unit_test(specifiers_are_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
