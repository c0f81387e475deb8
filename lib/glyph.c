#include "glyph.h"
#include "values.h"

static uint32_t code_point(struct str s, size_t n)
{
	uint32_t c = (unsigned char)s.p[0] & (n == 1 ? 0x7f : 0xff >> (n + 1));
	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s.p[i] & 0x3f);
	return c;
}

/*
 * Controls, C1 among them; what ends a line for some (Unicode 15, 5.8); and what turns the text around it, so that another one is
 * read than is there (UAX #9, 2).
 */
static bool is_harmful(uint32_t c)
{
	return (c < ' ' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

struct glyph glyph_at(struct str text)
{
	unsigned char first = (unsigned char)text.p[0];
	if (first >= ' ' && first < 0x7f)
		return (struct glyph){ 1, first, true };
	size_t n = value_utf8_length(text);
	uint32_t code = n ? code_point(text, n) : first;
	return (struct glyph){ n, code, n && !is_harmful(code) };
}
