/* Calendar expressions read. systemd.time(7); where it is silent, as src/shared/calendarspec.c of systemd 252 has it. */
#include "calendar.h"

#include <string.h>

#define SECOND_US 1000000
#define NONE (-1)

static const struct field {
	int32_t least, most, unit;
	const char *expected;
} fields[N_CALENDAR_FIELD] = {
#define WITHIN ", and ranges and steps that stay within"
	[CALENDAR_YEAR] = { CALENDAR_YEAR_LEAST, CALENDAR_YEAR_MOST, 1, "years from 1970 to 2199" WITHIN },
	[CALENDAR_MONTH] = { 1, 12, 1, "months from 1 to 12" WITHIN },
	[CALENDAR_DAY] = { 1, 31, 1, "days from 1 to 31, or with ~ from 1 to 28" WITHIN },
	[CALENDAR_HOUR] = { 0, 23, 1, "hours from 0 to 23" WITHIN },
	[CALENDAR_MINUTE] = { 0, 59, 1, "minutes from 0 to 59" WITHIN },
	[CALENDAR_US] = { 0, 60 * SECOND_US - 1, SECOND_US, "seconds from 0 to 59" WITHIN },
#undef WITHIN
};

static const struct str weekday_names[] = {
#define DAY(name) { name, sizeof(name) - 1 }
	DAY("Monday"), DAY("Tuesday"), DAY("Wednesday"), DAY("Thursday"), DAY("Friday"), DAY("Saturday"), DAY("Sunday"),
#undef DAY
};

/* ---- words, in whatever case ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool take_word(struct str *s, struct str word)
{
	if (s->n < word.n)
		return false;
	for (size_t i = 0; i < word.n; i++)
		if (lower(s->p[i]) != lower(word.p[i]))
			return false;
	*s = str_skip(*s, word.n);
	return true;
}

static void skip_blanks(struct str *s)
{
	while (str_take(s, STR(" ")))
		;
}

static bool is_at(struct str s, char c)
{
	return s.n && s.p[0] == c;
}

static bool take_weekday(struct str *s, int *day)
{
	for (*day = 0; *day < (int)countof(weekday_names); ++*day)
		if (take_word(s, weekday_names[*day]) || take_word(s, str_of(weekday_names[*day].p, 3)))
			return true;
	return false;
}

/* "Mon..Fri,Sun " in front of the rest; a `-` is an older `..`, and the last comma may have nothing behind it. */
static bool take_weekdays(struct str *s, struct calendar *c)
{
	int from = NONE, day;

	if (!take_weekday(s, &day))
		return true;
	do {
		if (from > day)
			return false;
		for (int d = from == NONE ? day : from; d <= day; d++)
			c->weekdays |= (uint8_t)(1 << d);
		bool is_range = str_take(s, STR("..")) || str_take(s, STR("-"));
		if (is_range && from != NONE)
			return false;
		bool is_list = !is_range && str_take(s, STR(","));
		if (is_range || is_list)
			from = is_range ? day : NONE;
		if (s->n == 0 || is_at(*s, ' ')) {
			skip_blanks(s);
			return !is_range;
		}
		if (!is_range && !is_list)
			return false;
	} while (take_weekday(s, &day));
	return false;
}

/* ---- values ---- */

/* The digits behind a point: six of them, rounded. */
static bool take_fraction(struct str *s, uint64_t *us)
{
	unsigned n = 0;
	for (uint64_t digit; s->n && s->p[0] >= '0' && s->p[0] <= '9'; n++) {
		digit = (uint64_t)(s->p[0] - '0');
		for (unsigned place = n; place < 5; place++)
			digit *= 10;
		*us += n < 6 ? digit : n == 6 && digit >= 5;
		*s = str_skip(*s, 1);
	}
	return n > 0;
}

static bool take_value(struct str *s, int32_t unit, int32_t *value)
{
	uint64_t v;
	if (!str_digits(s, &v) || v > INT32_MAX)
		return false;
	v *= (uint64_t)unit;
	bool has_point = unit > 1 && is_at(*s, '.') && !str_starts(*s, STR(".."));
	if (has_point && (!str_take(s, STR(".")) || !take_fraction(s, &v)))
		return false;
	*value = (int32_t)v;
	return v <= INT32_MAX;
}

/* "5", "1..5", "1..5/2", "5/2" */
static bool take_range(struct str *s, int32_t unit, struct calendar_range *r)
{
	*r = (struct calendar_range){ .last = NONE };
	if (!take_value(s, unit, &r->first))
		return false;
	if (str_take(s, STR(".."))) {
		if (!take_value(s, unit, &r->last))
			return false;
		r->step = unit;
	}
	if (str_take(s, STR("/")))
		return take_value(s, unit, &r->step) && r->step > 0;
	/* A range of fractions that is shorter than the step that goes without saying needs one said. */
	return unit == 1 || r->last == NONE || r->last - r->first >= unit;
}

/* ---- lists of them, and what they are of ---- */

struct reader {
	struct str rest;
	struct calendar *c;
	unsigned n;             /* ranges in it */
	bool is_full;           /* and one more was there */
};

static bool put(struct reader *r, struct calendar_range range, uint8_t *n)
{
	r->is_full = r->n == CALENDAR_RANGES_MAX;
	if (r->is_full)
		return false;
	r->c->ranges[r->n++] = range;
	++*n;
	return true;
}

/* "*", or values and ranges with commas between; *n is how many there are. */
static bool take_list(struct reader *r, int32_t unit, uint8_t *n)
{
	struct calendar_range range;

	*n = 0;
	if (str_take(&r->rest, STR("*")))
		return unit == 1 || put(r, (struct calendar_range){ 0, NONE, unit }, n);
	do
		if (!take_range(&r->rest, unit, &range) || !put(r, range, n))
			return false;
	while (str_take(&r->rest, STR(",")));
	return true;
}

static bool take_field(struct reader *r, enum calendar_field field)
{
	return take_list(r, fields[field].unit, &r->c->n_ranges[field]);
}

static bool put_zero(struct reader *r, enum calendar_field field)
{
	return put(r, (struct calendar_range){ 0, NONE, 0 }, &r->c->n_ranges[field]);
}

/* A `-`, or the `~` behind which come days counted from the end of the month. */
static bool take_dash(struct reader *r)
{
	r->c->counts_days_back = str_take(&r->rest, STR("~"));
	return r->c->counts_days_back || str_take(&r->rest, STR("-"));
}

/* "[YEAR-]MONTH-DAY " */
static bool take_date(struct reader *r)
{
	uint8_t n[3];
	bool is_read = take_list(r, 1, &n[0]) && take_dash(r) && take_list(r, 1, &n[1]);
	bool has_year = is_read && !r->c->counts_days_back && take_dash(r);

	if (!is_read || (has_year && !take_list(r, 1, &n[2])) || (r->rest.n && !is_at(r->rest, ' ')))
		return false;
	skip_blanks(&r->rest);
	r->c->n_ranges[CALENDAR_YEAR] = has_year ? n[0] : 0;
	r->c->n_ranges[CALENDAR_MONTH] = n[has_year];
	r->c->n_ranges[CALENDAR_DAY] = n[has_year + 1];
	r->c->counts_days_back = r->c->counts_days_back && n[has_year + 1];
	return true;
}

/* "HOUR:MINUTE[:SECOND]"; nothing is midnight. */
static bool take_time(struct reader *r)
{
	if (r->rest.n == 0)
		return put_zero(r, CALENDAR_HOUR) && put_zero(r, CALENDAR_MINUTE) && put_zero(r, CALENDAR_US);
	if (!take_field(r, CALENDAR_HOUR) || !str_take(&r->rest, STR(":")) || !take_field(r, CALENDAR_MINUTE))
		return false;
	return str_take(&r->rest, STR(":")) ? take_field(r, CALENDAR_US) : put_zero(r, CALENDAR_US);
}

/* "@SECONDS" since the epoch, which is a time in UTC. A year that is none of ours is told as such. */
static bool take_epoch(struct reader *r)
{
	int32_t at[N_CALENDAR_FIELD] = { CALENDAR_YEAR_MOST + 1 };
	uint64_t s;

	if (!str_digits(&r->rest, &s))
		return false;
	if (s <= INT64_MAX / SECOND_US)
		calendar_split((int64_t)s * SECOND_US, at);
	for (int field = 0; field < N_CALENDAR_FIELD; field++)
		put(r, (struct calendar_range){ at[field], NONE, 0 }, &r->c->n_ranges[field]);
	r->c->is_utc = true;
	return true;
}

/* Whether what comes is a date: the first thing behind its first list is then a dash. */
static bool is_date(struct str s)
{
	while (s.n && ((s.p[0] >= '0' && s.p[0] <= '9') || s.p[0] == '*' || s.p[0] == ',' || s.p[0] == '.' || s.p[0] == '/'))
		s = str_skip(s, 1);
	return is_at(s, '-') || is_at(s, '~');
}

static bool take_all(struct reader *r)
{
	if (!take_weekdays(&r->rest, r->c))
		return false;
	if (str_take(&r->rest, STR("@")))
		return take_epoch(r) && r->rest.n == 0;
	return (!is_date(r->rest) || take_date(r)) && take_time(r) && r->rest.n == 0;
}

/* ---- one form for all spellings ---- */

/* 12 is 2012, 89 is 1989. */
static int32_t full_year(int32_t year)
{
	return year < 0 || year >= 100 ? year : year < 70 ? year + 2000 : year + 1900;
}

static int compare(const struct calendar_range *a, const struct calendar_range *b)
{
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->last != b->last)
		return a->last < b->last ? -1 : 1;
	return a->step < b->step ? -1 : a->step > b->step;
}

/* Into its place among `n` sorted ones, unless it is there already. How many they are then. */
static uint8_t insert(struct calendar_range *sorted, uint8_t n, struct calendar_range r)
{
	uint8_t at = n;
	while (at > 0 && compare(&sorted[at - 1], &r) > 0)
		at--;
	if (at > 0 && compare(&sorted[at - 1], &r) == 0)
		return n;
	memmove(&sorted[at + 1], &sorted[at], (size_t)(n - at) * sizeof r);
	sorted[at] = r;
	return n + 1;
}

/* It ends with its last step, and is a single value when it never steps. */
static struct calendar_range normalized(struct calendar_range r, enum calendar_field field)
{
	if (field == CALENDAR_YEAR) {
		r.first = full_year(r.first);
		r.last = full_year(r.last);
	}
	if (r.last > r.first)
		r.last -= (r.last - r.first) % r.step;
	return r.last == r.first ? (struct calendar_range){ r.first, NONE, 0 } : r;
}

/* Days of any month may be counted back, so only as many as February has. At least one step is to be taken. */
static bool is_within(struct calendar_range r, const struct field *f, bool is_back)
{
	int32_t most = is_back ? f->most - 3 : f->most;

	if (r.first < f->least || r.first > most || r.last > most || r.step > most - f->least)
		return false;
	if (r.last != NONE)
		return r.first + r.step <= r.last;
	return is_back ? r.first - r.step >= f->least : r.first + r.step <= most;
}

/* NULL, or what was expected of the field that has a value it cannot have. */
static const char *settle(struct calendar *c)
{
	struct calendar_range *from = c->ranges, *to = c->ranges;

	for (int i = 0; i < N_CALENDAR_FIELD; i++) {
		bool is_back = i == CALENDAR_DAY && c->counts_days_back;
		uint8_t n = 0;
		for (const struct calendar_range *end = from + c->n_ranges[i]; from < end; from++) {
			struct calendar_range r = normalized(*from, (enum calendar_field)i);
			if (!is_within(r, &fields[i], is_back))
				return fields[i].expected;
			n = insert(to, n, r);
		}
		c->n_ranges[i] = n;
		to += n;
	}
	if (c->weekdays == (1 << countof(weekday_names)) - 1)
		c->weekdays = 0;
	return NULL;
}

/* ---- all of it ---- */

static struct str shorthand(struct str text)
{
	static const struct { struct str name, meaning; } rows[] = {
#define ROW(name, meaning) { { name, sizeof(name) - 1 }, { meaning, sizeof(meaning) - 1 } }
		ROW("minutely", "*:*"), ROW("hourly", "*:0"), ROW("daily", "0:0"), ROW("weekly", "Mon"), ROW("monthly", "*-1"),
		ROW("quarterly", "1,4,7,10-1"), ROW("semi-annually", "1,7-1"), ROW("semiannually", "1,7-1"),
		ROW("bi-annually", "1,7-1"), ROW("biannually", "1,7-1"), ROW("yearly", "1-1"), ROW("annually", "1-1"),
		ROW("anually", "1-1"),          /* as older systemds had it */
#undef ROW
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct str rest = text;
		if (take_word(&rest, rows[i].name) && rest.n == 0)
			return rows[i].meaning;
	}
	return text;
}

static bool is_zone(struct str s)
{
	if (s.n == 0 || lower(s.p[0]) < 'a' || lower(s.p[0]) > 'z' || str_ends(s, STR("/")) || str_find(s, STR("//")) < s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = lower(s.p[i]);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '+' || c == '/'))
			return false;
	}
	return true;
}

/* Takes " UTC" or the name of a zone from the end of *text. */
static void take_zone(struct str *text, struct calendar *c)
{
	size_t at = str_rfind(*text, STR(" "));
	struct str word = str_skip(*text, at + 1), utc = word;

	if (take_word(&utc, STR("UTC")) && utc.n == 0)
		c->is_utc = true;
	else if (is_zone(word))
		c->zone = word;
	else
		return;
	text->n = at;
}

const char *calendar_parse(struct str text, struct calendar *c)
{
	*c = (struct calendar){ .is_utc = false };
	take_zone(&text, c);
	if (text.n == 0)
		return CALENDAR_EXPECTED;
	struct reader r = { .rest = shorthand(text), .c = c };
	if (!take_all(&r))
		return r.is_full ? "at most 128 values and ranges" : CALENDAR_EXPECTED;
	return settle(c);
}
_Static_assert(CALENDAR_RANGES_MAX == 128, "the number that is told");
