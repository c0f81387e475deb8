#include "ctl.h"

#include <time.h>

/* say.h writes into a buf; here everything ends in printf(3), so each of its words as a value. */
#define LINE(...) \
	struct line l; \
	struct buf b = BUF(l.text); \
	__VA_ARGS__; \
	buf_cstr(&b); \
	return l

struct line line_death(const struct death *d)
{
	LINE(say_death(&b, d));
}

struct line line_cause(const struct death *d)
{
	LINE(say_cause(&b, d));
}

struct line line_note(const struct note *n)
{
	LINE(say_note(&b, n));
}

struct line line_warning(unsigned step, int error)
{
	LINE(say_warning(&b, step, error));
}

struct line line_unmet(const char *condition)
{
	LINE(say_unmet(&b, str_from(condition)));
}

struct line line_reason(const struct death *d)
{
	LINE(say_reason(&b, d));
}

struct line line_evidence(const struct death *d)
{
	LINE(say_evidence(&b, d));
}

struct line line_ms(uint64_t ms)
{
	LINE(say_ms(&b, ms));
}

struct line line_kb(uint64_t kb)
{
	LINE(say_kb(&b, kb));
}

struct line line_raw(const char *raw)
{
	LINE(say_raw(&b, str_from(raw)));
}

/* A text of a unit's author: UTF-8 passes, what would move the cursor does not. */
struct line line_text(const char *text)
{
	struct line l;
	size_t n = 0;
	for (; n < sizeof l.text - 1 && text[n]; n++)
		l.text[n] = (unsigned char)text[n] < ' ' || text[n] == 0x7f ? '?' : text[n];
	l.text[n] = '\0';
	return l;
}

struct line line_unit(const char *unit)
{
	LINE(buf_str(&b, say_unit(unit)));
}

struct line line_time(const char *format, uint64_t wall_ms)
{
	struct line l;
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	if (!localtime_r(&s, &tm) || !strftime(l.text, sizeof l.text, format, &tm))
		snprintf(l.text, sizeof l.text, "@%lld", (long long)s);
	return l;
}

/* ---- texts of anybody's ---- */

static void put_escaped(FILE *out, struct glyph g)
{
	if (g.n > 1)
		fprintf(out, "\\u%04x", (unsigned)g.code);
	else
		fprintf(out, "\\x%02x", (unsigned)g.code);
}

void print_text(FILE *out, struct str text, bool is_terminal)
{
	size_t at = 0, shown = 0;
	while (is_terminal && at < text.n) {
		struct glyph g = glyph_at(str_skip(text, at));
		if (!g.is_harmless) {
			fwrite(text.p + shown, 1, at - shown, out);
			put_escaped(out, g);
			shown = at + (g.n ? g.n : 1);
		}
		at += g.n ? g.n : 1;
	}
	fwrite(text.p + shown, 1, text.n - shown, out);
}
