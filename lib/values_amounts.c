/* Times and sizes: numbers with units, added up. */
#include "values.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct str skip_blanks(struct str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\r' || s.p[0] == '\n'))
		s = str_skip(s, 1);
	return s;
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

/* What is counted, in how many of a microsecond, and how many of it a bare number is. */
struct time_scale {
	uint64_t per_us, bare;
};

static bool take_time_unit(struct str *s, const struct time_scale *scale, uint64_t *unit)
{
	bool is_fine = scale->per_us == 1000 && (str_take(s, STR("nsec")) || str_take(s, STR("ns")));
	*unit = is_fine ? 1 : scale->bare;
	for (size_t i = 0; i < countof(time_units) && !is_fine; i++)
		if (str_take(s, time_units[i].name)) {
			*unit = time_units[i].us * scale->per_us;
			return true;
		}
	return is_fine;
}

/* Digits, and a plus in front where strtoull(3) would take it. */
static bool take_whole(struct str *s, uint64_t *whole)
{
	struct str rest = *s;
	str_take(&rest, STR("+"));
	if (!str_digits(&rest, whole))
		return false;
	*s = rest;
	return true;
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
static bool take_time(struct str *s, const struct time_scale *scale, uint64_t *sum)
{
	uint64_t whole = 0, unit, product;
	struct str digits = { "", 0 };

	bool has_whole = take_whole(s, &whole);
	if (whole > INT64_MAX)          /* there it is strtoll(3) */
		return false;
	if (!has_whole && (s->n == 0 || s->p[0] != '.'))
		return false;
	if (str_take(s, STR(".")) && !take_fraction(s, &digits))
		return false;
	struct str behind = skip_blanks(*s);
	bool has_unit = take_time_unit(&behind, scale, &unit);
	if (!has_unit && behind.p == s->p && behind.n)
		return false;           /* "12.34.56", "2x" */
	*s = behind;
	if (__builtin_mul_overflow(whole, unit, &product) || __builtin_add_overflow(*sum, product, sum))
		return false;
	uint64_t tenth = unit;
	for (size_t i = 0; i < digits.n && tenth; i++) {
		tenth /= 10;
		if (__builtin_add_overflow(*sum, (uint64_t)(digits.p[i] - '0') * tenth, sum))
			return false;
	}
	return true;
}

static bool time_value(struct str s, struct time_scale scale, uint64_t *value)
{
	uint64_t sum = 0;

	s = str_trim(s);
	if (str_eq(s, STR("infinity"))) {
		*value = VALUE_INFINITY;
		return true;
	}
	if (s.n == 0)
		return false;
	for (; s.n; s = skip_blanks(s))
		if (!take_time(&s, &scale, &sum))
			return false;
	if (sum == VALUE_INFINITY)
		return false;
	*value = sum;
	return true;
}

bool value_time(struct str s, uint64_t *us)
{
	return time_value(s, (struct time_scale){ .per_us = 1, .bare = SECOND_US }, us);
}

bool value_microseconds(struct str s, uint64_t *us)
{
	return time_value(s, (struct time_scale){ .per_us = 1, .bare = 1 }, us);
}

bool value_nanoseconds(struct str s, uint64_t *ns)
{
	return time_value(s, (struct time_scale){ .per_us = 1000, .bare = 1 }, ns);
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
	double fraction = 0;
	unsigned shift = 0;

	if (!take_whole(s, &whole))
		return false;
	if (str_take(s, STR("."))) {
		size_t n = 0;
		for (; n < s->n && is_digit(s->p[n]); n++)
			fraction = fraction * 10 + (s->p[n] - '0');
		*s = str_skip(*s, n);
		for (; n > 0; n--)
			fraction /= 10;
	}
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

	s = skip_blanks(s);
	if (s.n == 0)
		return false;
	while (s.n) {
		if (!take_size(&s, &from, &sum))
			return false;
		struct str rest = skip_blanks(s);
		if (rest.n == 0 && s.n)
			return false;   /* blanks may follow a number, but not the letter behind it (measured) */
		s = rest;
	}
	*bytes = sum;
	return true;
}
