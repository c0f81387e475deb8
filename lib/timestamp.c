#include "timestamp.h"
#include "values.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static struct str skip_blanks(struct str s)
{
	while (s.n && s.p[0] == ' ')
		s = str_skip(s, 1);
	return s;
}

/* One to `width` digits, within bounds. */
static bool take_number(struct str *s, size_t width, int least, int most, int *value)
{
	int v = 0;
	size_t n = 0;
	for (; n < s->n && n < width && is_digit(s->p[n]); n++)
		v = v * 10 + (s->p[n] - '0');
	if (n == 0 || v < least || v > most)
		return false;
	*s = str_skip(*s, n);
	*value = v;
	return true;
}

/* ---- zones ---- */

/* "+02:00" or "-0230", all of it. */
static bool read_offset(struct str s, int *offset_s)
{
	int hours, minutes;
	bool is_behind = str_take(&s, STR("-"));
	if ((!is_behind && !str_take(&s, STR("+"))) || s.n < 4 || !take_number(&s, 2, 0, 23, &hours))
		return false;
	str_take(&s, STR(":"));
	if (s.n != 2 || !take_number(&s, 2, 0, 59, &minutes) || s.n)
		return false;
	*offset_s = (hours * 60 + minutes) * (is_behind ? -60 : 60);
	return true;
}

/* A name of tzdata begins with a capital letter, and no word of a timestamp does at its end. */
static bool looks_like_zone(struct str s)
{
	if (s.n == 0 || s.p[0] < 'A' || s.p[0] > 'Z')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]) && (lower(s.p[i]) < 'a' || lower(s.p[i]) > 'z') && str_chr(STR("/_+-"), s.p[i]) == 4)
			return false;
	return true;
}

static void take_offset(struct str *text, struct timestamp *t)
{
	static const size_t widths[] = { 6, 5 };        /* "+02:00", "+0200" */
	for (size_t i = 0; i < countof(widths); i++) {
		size_t at = text->n - widths[i];
		if (text->n <= widths[i] || !read_offset(str_skip(*text, at), &t->offset_s))
			continue;
		if (str_chr(str_of(text->p, at), ':') == at)
			continue;               /* "2026-1127" is no time */
		t->zone = STR("UTC");
		*text = str_trim(str_of(text->p, at));
		return;
	}
}

static void take_zone(struct str *text, struct timestamp *t)
{
	size_t blank = str_rfind(*text, STR(" "));
	struct str last = str_skip(*text, blank + 1);
	if (text->n > 1 && text->p[text->n - 1] == 'Z' && is_digit(text->p[text->n - 2])) {
		t->zone = STR("UTC");
		text->n--;
	} else if (blank < text->n && looks_like_zone(last)) {
		t->zone = last;
		*text = str_trim(str_of(text->p, blank));
	} else {
		take_offset(text, t);
	}
}

/* ---- dates and times of day ---- */

static bool take_weekday(struct str *text, int *weekday)
{
	static const struct str names[] = {
		STR("sunday"), STR("monday"), STR("tuesday"), STR("wednesday"), STR("thursday"), STR("friday"), STR("saturday"),
	};
	enum { SHORT = 3 };
	size_t n = str_chr(*text, ' ');
	for (int day = 0; day < (int)countof(names); day++) {
		size_t same = 0;
		while (same < n && same < names[day].n && lower(text->p[same]) == names[day].p[same])
			same++;
		if (same != n || (n != SHORT && n != names[day].n) || n == text->n)
			continue;
		*weekday = day;
		*text = skip_blanks(str_skip(*text, n));
		return true;
	}
	return false;
}

/* As strptime(3): of two digits, those from 69 on are of the last century. */
static bool take_date(struct str *text, struct timestamp *t)
{
	struct str s = *text;
	int year, month, day;
	size_t n_digits = s.n;
	if (!take_number(&s, 4, 0, 9999, &year))
		return false;
	n_digits -= s.n;
	if (n_digits == 3 || !str_take(&s, STR("-")) || !take_number(&s, 2, 1, 12, &month) || !str_take(&s, STR("-")) ||
	    !take_number(&s, 2, 1, 31, &day))
		return false;
	t->year = n_digits == 4 ? year : year + (year < 69 ? 2000 : 1900);
	t->month = month;
	t->day = day;
	*text = s;
	return true;
}

static bool take_fraction(struct str *s, int64_t *us)
{
	int64_t worth = 100000;
	*us = 0;
	if (!str_take(s, STR(".")))
		return true;
	if (s->n == 0 || !is_digit(s->p[0]))
		return false;
	for (; s->n && is_digit(s->p[0]); *s = str_skip(*s, 1), worth /= 10)
		*us += (s->p[0] - '0') * worth;
	return true;
}

/* The whole rest of the text. */
static bool read_time(struct str s, struct timestamp *t)
{
	if (!take_number(&s, 2, 0, 23, &t->hour) || !str_take(&s, STR(":")) || !take_number(&s, 2, 0, 59, &t->minute))
		return false;
	if (str_take(&s, STR(":")) && (!take_number(&s, 2, 0, 60, &t->second) || !take_fraction(&s, &t->us)))
		return false;
	return s.n == 0;
}

static bool read_day(struct str text, struct timestamp *t)
{
	static const struct { struct str name; int days; } names[] = {
		{ { "today", 5 }, 0 }, { { "yesterday", 9 }, -1 }, { { "tomorrow", 8 }, 1 },
	};
	for (size_t i = 0; i < countof(names); i++)
		if (str_eq(text, names[i].name)) {
			t->days = names[i].days;
			return true;
		}
	return false;
}

static bool read_shown(struct str text, struct timestamp *t)
{
	t->kind = TIMESTAMP_SHOWN;
	take_zone(&text, t);
	if (read_day(text, t))
		return true;
	take_weekday(&text, &t->weekday);
	if (!take_date(&text, t))
		return read_time(text, t);
	if (text.n == 0)
		return true;
	if (!str_take(&text, STR("T")) && !str_take(&text, STR(" ")))
		return false;
	return read_time(skip_blanks(text), t);
}

/* ---- spans ---- */

static bool read_span(struct str text, int64_t sign, struct timestamp *t)
{
	uint64_t us;
	if (!value_time(text, &us) || us > INT64_MAX)
		return false;
	t->us = (int64_t)us * sign;
	return true;
}

bool timestamp_read(struct str text, struct timestamp *t)
{
	struct timestamp r = { .kind = TIMESTAMP_FROM_NOW, .weekday = -1 };
	bool is_read;
	text = str_trim(text);
	if (str_take(&text, STR("@"))) {
		r.kind = TIMESTAMP_SINCE_1970;
		is_read = read_span(text, 1, &r);
	} else if (str_take(&text, STR("+"))) {
		is_read = read_span(text, 1, &r);
	} else if (str_take(&text, STR("-"))) {
		is_read = read_span(text, -1, &r);
	} else if (str_ends(text, STR(" ago"))) {
		is_read = read_span(str_of(text.p, text.n - 4), -1, &r);
	} else if (str_ends(text, STR(" left"))) {
		is_read = read_span(str_of(text.p, text.n - 5), 1, &r);
	} else {
		is_read = str_eq(text, STR("now")) || read_shown(text, &r);
	}
	if (is_read)
		*t = r;
	return is_read;
}
