/* Times told apart into fields, and the next one that fits an expression. The calendar is the Gregorian one, without leap seconds. */
#include "calendar.h"

#define NONE INT32_MAX
#define DAY_US (INT64_C(86400) * 1000000)

static bool is_leap(int32_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int32_t month_days(int32_t year, int32_t month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* From the epoch to the first of January. */
static int32_t days_before(int32_t year)
{
	int32_t last = year - 1;
	return (year - 1970) * 365 + (last / 4 - 1969 / 4) - (last / 100 - 1969 / 100) + (last / 400 - 1969 / 400);
}

static int32_t day_of(const int32_t at[N_CALENDAR_FIELD])
{
	int32_t day = days_before(at[CALENDAR_YEAR]) + at[CALENDAR_DAY] - 1;
	for (int32_t month = 1; month < at[CALENDAR_MONTH]; month++)
		day += month_days(at[CALENDAR_YEAR], month);
	return day;
}

bool calendar_split(int64_t us, int32_t fields[N_CALENDAR_FIELD])
{
	if (us < 0 || us >= days_before(CALENDAR_YEAR_MOST + 1) * DAY_US)
		return false;
	int32_t day = (int32_t)(us / DAY_US), year = CALENDAR_YEAR_LEAST, month = 1;
	for (; days_before(year + 1) <= day; year++)
		;
	for (day -= days_before(year); day >= month_days(year, month); month++)
		day -= month_days(year, month);
	int64_t minutes = us % DAY_US / 60000000;
	fields[CALENDAR_YEAR] = year;
	fields[CALENDAR_MONTH] = month;
	fields[CALENDAR_DAY] = day + 1;
	fields[CALENDAR_HOUR] = (int32_t)(minutes / 60);
	fields[CALENDAR_MINUTE] = (int32_t)(minutes % 60);
	fields[CALENDAR_US] = (int32_t)(us % 60000000);
	return true;
}

static int64_t join(const int32_t at[N_CALENDAR_FIELD])
{
	return day_of(at) * DAY_US + (at[CALENDAR_HOUR] * 60 + at[CALENDAR_MINUTE]) * INT64_C(60000000) + at[CALENDAR_US];
}

/* The first value of one range that is not below `from`. */
static int32_t first_in(struct calendar_range r, int32_t from, int32_t most)
{
	int32_t last = r.last >= 0 ? r.last : r.step ? most : r.first;
	int32_t value = r.first;
	if (from > r.first)
		value = r.step ? r.first + (from - r.first + r.step - 1) / r.step * r.step : NONE;
	return value <= last && value <= most ? value : NONE;
}

/* Days counted from the end of a month are as many in the other direction; a step leads on to its end all the same. */
static struct calendar_range turned(struct calendar_range r, int32_t n_days)
{
	bool has_last = r.last >= 0;
	return (struct calendar_range){
		.first = n_days + 1 - (has_last ? r.last : r.first), .last = has_last ? n_days + 1 - r.first : -1, .step = r.step,
	};
}

/* The first value of a field that is not below `at` has, with all fields in front of it settled; NONE when there is none. */
static int32_t first_of(const struct calendar *c, int field, const struct calendar_range *ranges, const int32_t at[N_CALENDAR_FIELD])
{
	bool is_day = field == CALENDAR_DAY;
	int32_t n_days = is_day ? month_days(at[CALENDAR_YEAR], at[CALENDAR_MONTH]) : 0;
	static const int32_t most_of[] = { CALENDAR_YEAR_MOST, 12, 31, 23, 59, 59999999 };
	int32_t most = is_day ? n_days : most_of[field];
	int32_t best = c->n_ranges[field] == 0 && at[field] <= most ? at[field] : NONE;

	for (uint8_t i = 0; i < c->n_ranges[field]; i++) {
		struct calendar_range r = is_day && c->counts_days_back ? turned(ranges[i], n_days) : ranges[i];
		int32_t value = first_in(r, at[field], most);
		if (value < best)
			best = value;
	}
	return best;
}

static bool is_weekday(const struct calendar *c, const int32_t at[N_CALENDAR_FIELD])
{
	return c->weekdays == 0 || c->weekdays >> (day_of(at) + 3) % 7 & 1;     /* the epoch was a Thursday */
}

static void start_afresh(int32_t at[N_CALENDAR_FIELD], int from)
{
	for (int field = from; field < N_CALENDAR_FIELD; field++)
		at[field] = field == CALENDAR_MONTH || field == CALENDAR_DAY;
}

/* Field by field, the longest first; where one has no value left, the one in front of it goes on to its next. */
static bool advance(const struct calendar *c, int32_t at[N_CALENDAR_FIELD])
{
	const struct calendar_range *ranges[N_CALENDAR_FIELD] = { c->ranges };
	for (int field = 1; field < N_CALENDAR_FIELD; field++)
		ranges[field] = ranges[field - 1] + c->n_ranges[field - 1];
	for (int field = 0; field < N_CALENDAR_FIELD;) {
		int32_t value = first_of(c, field, ranges[field], at);
		if (value == NONE && field == CALENDAR_YEAR)
			return false;
		if (value == NONE)
			at[--field]++;
		else if (value > at[field])
			at[field] = value;
		else if (field == CALENDAR_DAY && !is_weekday(c, at))
			at[field]++;
		else {
			field++;
			continue;
		}
		start_afresh(at, field + 1);
	}
	return true;
}

bool calendar_next(const struct calendar *c, int32_t offset_s, int64_t after_us, int64_t *next_us)
{
	int64_t offset = c->is_utc ? 0 : offset_s * INT64_C(1000000);
	int64_t local;
	int32_t at[N_CALENDAR_FIELD];

	if (__builtin_add_overflow(after_us, offset + 1, &local))
		return false;
	if (!calendar_split(local < 0 ? 0 : local, at) || !advance(c, at))
		return false;
	*next_us = join(at) - offset;
	return true;
}
