#include "lib/glyph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void then(const char *text, size_t n, uint32_t code, bool is_harmless)
{
	struct glyph g = glyph_at(str_from(text));
	if (g.n != n || g.code != code || g.is_harmless != is_harmless)
		fail_msg("%s is %zu bytes, U+%04X, %d", text, g.n, (unsigned)g.code, g.is_harmless);
}

static void what_can_only_be_seen_is_harmless(void **state)
{
	(void)state;
	then("a", 1, 'a', true);
	then(" ", 1, ' ', true);
	then("\t", 1, '\t', true);
	then("\xc3\xbc", 2, 0xfc, true);
	then("\xc2\xa0", 2, 0xa0, true);
	then("\xe2\x82\xac", 3, 0x20ac, true);
	then("\xe2\x80\x8d", 3, 0x200d, true);          /* joins emoji and letters */
	then("\xf0\x9f\x90\xa6", 4, 0x1f426, true);
}

static void what_moves_the_cursor_or_turns_the_text_is_not(void **state)
{
	(void)state;
	then("\x1b[2J", 1, 0x1b, false);
	then("\n", 1, '\n', false);
	then("\r", 1, '\r', false);
	then("\x7f", 1, 0x7f, false);
	then("\xc2\x80", 2, 0x80, false);
	then("\xc2\x9b" "31m", 2, 0x9b, false);
	static const struct { const char *text; uint32_t code; } turning[] = {
		{ "\xd8\x9c", 0x61c }, { "\xe2\x80\x8e", 0x200e }, { "\xe2\x80\x8f", 0x200f }, { "\xe2\x80\xa8", 0x2028 }, { "\xe2\x80\xa9", 0x2029 },
		{ "\xe2\x80\xaa", 0x202a }, { "\xe2\x80\xae", 0x202e }, { "\xe2\x81\xa6", 0x2066 }, { "\xe2\x81\xa9", 0x2069 }, { "\xef\xbb\xbf", 0xfeff },
	};
	for (size_t i = 0; i < countof(turning); i++)
		then(turning[i].text, strlen(turning[i].text), turning[i].code, false);
}

static void what_is_no_utf8_is_a_byte(void **state)
{
	(void)state;
	then("\xff", 0, 0xff, false);
	then("\xc3", 0, 0xc3, false);
	then("\xc3" "a", 0, 0xc3, false);
	then("\xe2\x82", 0, 0xe2, false);
	then("\xed\xa0\x80", 0, 0xed, false);
	then("\x80", 0, 0x80, false);
	assert_int_equal(glyph_at(str_of("\0", 1)).n, 1);
	assert_false(glyph_at(str_of("\0", 1)).is_harmless);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_only_be_seen_is_harmless),
		cmocka_unit_test(what_moves_the_cursor_or_turns_the_text_is_not),
		cmocka_unit_test(what_is_no_utf8_is_a_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
