#include "values.h"
#include "names.h"

#include <string.h>

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
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\r' || s.p[0] == '\n'))
		s = str_skip(s, 1);
	return s;
}

/* The code point at the front of s: its length in bytes, 0 when it is none. RFC 3629. */
static size_t utf8_length(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > s.n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	bool is_overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
	bool is_outside = (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf4 && p[1] >= 0x90);
	return is_overlong || is_outside ? 0 : n;
}

bool value_is_utf8(struct str s)
{
	while (s.n) {
		size_t n = utf8_length(s);
		if (n == 0)
			return false;
		s = str_skip(s, n);
	}
	return true;
}

static bool is_word(struct str s, struct str word)
{
	if (s.n != word.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (lower(s.p[i]) != word.p[i])
			return false;
	return true;
}

bool value_boolean(struct str s, bool *value)
{
	static const struct { struct str word; bool value; } words[] = {
		{ { "1", 1 }, true }, { { "yes", 3 }, true }, { { "y", 1 }, true }, { { "true", 4 }, true },
		{ { "t", 1 }, true }, { { "on", 2 }, true },
		{ { "0", 1 }, false }, { { "no", 2 }, false }, { { "n", 1 }, false }, { { "false", 5 }, false },
		{ { "f", 1 }, false }, { { "off", 3 }, false },
	};
	for (size_t i = 0; i < countof(words); i++)
		if (is_word(s, words[i].word)) {
			*value = words[i].value;
			return true;
		}
	return false;
}

/* ---- numbers ---- */

static unsigned base_of(struct str *s)
{
	if (s->n < 2 || s->p[0] != '0')
		return 10;
	char c = lower(s->p[1]);
	unsigned base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
	*s = str_skip(*s, base == 8 && c != 'o' ? 1 : 2);
	return base;
}

bool value_u64(struct str s, uint64_t *value)
{
	uint64_t v = 0;

	str_take(&s, STR("+"));
	unsigned base = base_of(&s);
	for (size_t i = 0; i < s.n; i++) {
		char c = lower(s.p[i]);
		unsigned digit = is_digit(c) ? (unsigned)(c - '0') :
				 c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
		if (digit >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
			return false;
	}
	if (s.n == 0)
		return false;
	*value = v;
	return true;
}

bool value_int(struct str s, int64_t least, int64_t most, int64_t *value)
{
	bool is_negative = str_take(&s, STR("-"));
	uint64_t v;

	if ((is_negative && str_starts(s, STR("+"))) || !value_u64(s, &v) || v > INT32_MAX)
		return false;
	int64_t number = is_negative ? -(int64_t)v : (int64_t)v;
	if (number < least || number > most)
		return false;
	*value = number;
	return true;
}

bool value_mode(struct str s, unsigned most, unsigned *mode)
{
	unsigned v = 0;

	if (s.n == 0 || s.n > 8)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '7')
			return false;
		v = v * 8 + (unsigned)(s.p[i] - '0');
	}
	if (v > most)
		return false;
	*mode = v;
	return true;
}

bool value_percent(struct str s, unsigned *hundredths)
{
	uint64_t whole;
	unsigned part = 0;

	if (!str_ends(s, STR("%")))
		return false;
	s.n--;
	if (!str_digits(&s, &whole) || whole > 100)
		return false;
	if (str_take(&s, STR("."))) {
		if (s.n == 0 || s.n > 2)
			return false;
		for (size_t i = 0; i < s.n; i++) {
			if (!is_digit(s.p[i]))
				return false;
			part += (unsigned)(s.p[i] - '0') * (i == 0 ? 10 : 1);
		}
		s.n = 0;
	}
	if (s.n || whole * 100 + part > 10000)
		return false;
	*hundredths = (unsigned)whole * 100 + part;
	return true;
}

/* ---- times, systemd.time(7) ---- */

#define SECOND_US UINT64_C(1000000)

/* A name that begins another one stands behind it: the first that fits is taken. */
static const struct { struct str name; uint64_t us; } time_units[] = {
#define TIME_UNIT(name, us) { { name, sizeof(name) - 1 }, us }
	TIME_UNIT("seconds", SECOND_US), TIME_UNIT("second", SECOND_US), TIME_UNIT("sec", SECOND_US),
	TIME_UNIT("s", SECOND_US),
	TIME_UNIT("minutes", 60 * SECOND_US), TIME_UNIT("minute", 60 * SECOND_US),
	TIME_UNIT("months", 2629800 * SECOND_US), TIME_UNIT("month", 2629800 * SECOND_US),
	TIME_UNIT("M", 2629800 * SECOND_US),
	TIME_UNIT("msec", 1000), TIME_UNIT("ms", 1000),
	TIME_UNIT("min", 60 * SECOND_US), TIME_UNIT("m", 60 * SECOND_US),
	TIME_UNIT("hours", 3600 * SECOND_US), TIME_UNIT("hour", 3600 * SECOND_US), TIME_UNIT("hr", 3600 * SECOND_US),
	TIME_UNIT("h", 3600 * SECOND_US),
	TIME_UNIT("days", 86400 * SECOND_US), TIME_UNIT("day", 86400 * SECOND_US), TIME_UNIT("d", 86400 * SECOND_US),
	TIME_UNIT("weeks", 604800 * SECOND_US), TIME_UNIT("week", 604800 * SECOND_US),
	TIME_UNIT("w", 604800 * SECOND_US),
	TIME_UNIT("years", 31557600 * SECOND_US), TIME_UNIT("year", 31557600 * SECOND_US),
	TIME_UNIT("y", 31557600 * SECOND_US),
	TIME_UNIT("usec", 1), TIME_UNIT("us", 1), TIME_UNIT("\xc2\xb5s", 1), TIME_UNIT("\xce\xbcs", 1),
#undef TIME_UNIT
};

static bool take_time_unit(struct str *s, uint64_t *us)
{
	for (size_t i = 0; i < countof(time_units); i++)
		if (str_take(s, time_units[i].name)) {
			*us = time_units[i].us;
			return true;
		}
	return false;
}

/* The digits behind a point, each worth a tenth of the one before: finer than a microsecond is cut off. */
static bool take_fraction(struct str *s, struct str *digits)
{
	size_t n = 0;
	while (n < s->n && is_digit(s->p[n]))
		n++;
	*digits = str_of(s->p, n);
	*s = str_skip(*s, n);
	return n > 0;
}

/* One "NUMBER[.FRACTION] [UNIT]" from the front of *s. */
static bool take_time(struct str *s, uint64_t *sum)
{
	uint64_t whole = 0, us = SECOND_US, product;
	struct str digits = { "", 0 };

	bool has_whole = str_digits(s, &whole);
	if (!has_whole && (s->n == 0 || s->p[0] != '.'))
		return false;
	if (str_take(s, STR(".")) && !take_fraction(s, &digits))
		return false;
	struct str behind = skip_blanks(*s);
	bool has_unit = take_time_unit(&behind, &us);
	if (!has_unit && behind.p == s->p && behind.n)
		return false;           /* "12.34.56", "2x" */
	*s = behind;
	if (__builtin_mul_overflow(whole, us, &product) || __builtin_add_overflow(*sum, product, sum))
		return false;
	uint64_t tenth = us;
	for (size_t i = 0; i < digits.n && tenth; i++) {
		tenth /= 10;
		if (__builtin_add_overflow(*sum, (uint64_t)(digits.p[i] - '0') * tenth, sum))
			return false;
	}
	return true;
}

bool value_time(struct str s, uint64_t *us)
{
	uint64_t sum = 0;

	s = str_trim(s);
	if (str_eq(s, STR("infinity"))) {
		*us = VALUE_INFINITY;
		return true;
	}
	if (s.n == 0)
		return false;
	for (; s.n; s = skip_blanks(s))
		if (!take_time(&s, &sum))
			return false;
	if (sum == VALUE_INFINITY)
		return false;
	*us = sum;
	return true;
}

uint32_t value_ms(uint64_t us)
{
	if (us == VALUE_INFINITY)
		return FOREVER_MS;
	uint64_t ms = us / 1000 + (us > 0 && us < 1000);
	return ms < FOREVER_MS ? (uint32_t)ms : FOREVER_MS;     /* beyond 49 days nobody will tell the difference */
}

/* ---- sizes ---- */

static const struct { char letter; unsigned shift; } size_units[] = {
	{ 'E', 60 }, { 'P', 50 }, { 'T', 40 }, { 'G', 30 }, { 'M', 20 }, { 'K', 10 }, { 'B', 0 },
};

/* One "NUMBER[.FRACTION] [LETTER]"; *from is where in the table letters may still come from: they have to descend. */
static bool take_size(struct str *s, size_t *from, uint64_t *sum)
{
	uint64_t whole, product;
	double fraction = 0, tenth = 1;
	unsigned shift = 0;

	if (!str_digits(s, &whole))
		return false;
	if (str_take(s, STR(".")))
		for (; s->n && is_digit(s->p[0]); *s = str_skip(*s, 1))
			fraction += (s->p[0] - '0') * (tenth /= 10);
	*s = skip_blanks(*s);
	bool is_bare = true;
	for (size_t i = *from; i < countof(size_units) && is_bare; i++)
		if (s->n && s->p[0] == size_units[i].letter) {
			shift = size_units[i].shift;
			*from = i + 1;
			*s = str_skip(*s, 1);
			is_bare = false;
		}
	if (is_bare && s->n && !is_digit(s->p[0]))
		return false;
	if (is_bare && *from > countof(size_units))
		return false;
	if (is_bare)
		*from = countof(size_units) + 1;        /* nothing can come behind a bare number */
	uint64_t unit = UINT64_C(1) << shift;
	if (__builtin_mul_overflow(whole, unit, &product))
		return false;
	return !__builtin_add_overflow(*sum, product + (uint64_t)(fraction * (double)unit), sum);
}

bool value_size(struct str s, uint64_t *bytes)
{
	uint64_t sum = 0;
	size_t from = 0;

	s = str_trim(s);
	if (s.n == 0)
		return false;
	for (; s.n; s = skip_blanks(s))
		if (!take_size(&s, &from, &sum))
			return false;
	*bytes = sum;
	return true;
}

/* ---- limits and exit statuses ---- */

static bool limit_value(struct str s, bool has_sizes, uint64_t *value)
{
	if (str_eq(s, STR("infinity"))) {
		*value = LIMIT_INFINITY;
		return true;
	}
	return has_sizes ? value_size(s, value) : value_u64(s, value);
}

bool value_limit(struct str s, bool has_sizes, struct limit *limit)
{
	uint64_t soft, hard;
	bool is_pair = str_chr(s, ':') < s.n;
	struct str first = str_until(&s, ':');

	if (!limit_value(first, has_sizes, &soft))
		return false;
	hard = soft;
	if (is_pair && !limit_value(s, has_sizes, &hard))
		return false;
	if (soft > hard)
		return false;
	limit->soft = soft;
	limit->hard = hard;
	return true;
}

bool value_exit_status(struct str word, struct exit_set *set)
{
	uint64_t number;
	int status = value_u64(word, &number) ? (number <= 255 ? (int)number : -1) : exit_status_number(word);

	if (status >= 0) {
		set->statuses[status / 64] |= UINT64_C(1) << status % 64;
		return true;
	}
	int signal = signal_number(word);
	if (signal <= 0)
		return false;
	set->signals |= UINT64_C(1) << (signal - 1);
	return true;
}

/* ---- paths and names ---- */

bool value_is_path(struct str s)
{
	if (s.n == 0 || s.p[0] != '/' || str_chr(s, '\0') < s.n)
		return false;
	while (s.n)
		if (str_eq(str_until(&s, '/'), STR("..")))
			return false;
	return true;
}

void value_simplify_path(struct str s, struct buf *to)
{
	size_t before = to->n;
	bool is_absolute = str_starts(s, STR("/"));

	while (s.n) {
		struct str part = str_until(&s, '/');
		if (part.n == 0 || str_eq(part, STR(".")))
			continue;
		if (is_absolute || to->n > before)
			buf_char(to, '/');
		buf_str(to, part);
	}
	if (is_absolute && to->n == before)
		buf_char(to, '/');
}

static bool is_alphabetic(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

bool value_is_assignment(struct str s)
{
	struct str name = str_of(s.p, str_chr(s, '='));
	if (name.n == 0 || name.n == s.n || is_digit(name.p[0]))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_alphabetic(name.p[i]) && !is_digit(name.p[i]) && name.p[i] != '_')
			return false;
	return value_is_utf8(s) && str_chr(s, '\0') == s.n;
}

bool value_is_unit_name(struct str s)
{
	size_t dot = str_rfind(s, STR("."));
	if (dot == 0 || dot == s.n || s.n > UNIT_NAME_MAX || s.p[0] == '@')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alphabetic(s.p[i]) && !is_digit(s.p[i]) && !memchr(":-_.\\@", s.p[i], 6))
			return false;
	return name_find(unit_type_names, N_UNIT_TYPE_NAME, str_skip(s, dot + 1)) >= 0;
}
