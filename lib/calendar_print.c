/* Calendar expressions written, as calendar_spec_to_string() of systemd 252 does (src/shared/calendarspec.c). */
#include "calendar.h"

#define SECOND_US 1000000

static void print_value(int32_t value, int32_t unit, unsigned digits, struct buf *to)
{
	buf_pad(to, (uint64_t)(value / unit), digits);
	if (value % unit) {
		buf_char(to, '.');
		buf_pad(to, (uint64_t)(value % unit), 6);
	}
}

static void print_range(struct calendar_range r, int32_t unit, unsigned digits, struct buf *to)
{
	print_value(r.first, unit, digits, to);
	if (r.last >= 0) {
		buf_lit(to, "..");
		print_value(r.last, unit, digits, to);
	}
	if (r.step && (r.last < 0 || r.step != unit)) {
		buf_char(to, '/');
		print_value(r.step, unit, 1, to);
	}
}

/* Every value, or every second among others: fractions that stand beside it are lost here (systemd's are). */
static bool is_star(const struct calendar_range *ranges, uint8_t n, int32_t unit)
{
	for (uint8_t i = 0; i < n && unit == SECOND_US; i++)
		if (ranges[i].first == 0 && ranges[i].last < 0 && ranges[i].step == unit)
			return true;
	return n == 0;
}

static void print_field(const struct calendar_range *ranges, uint8_t n, enum calendar_field field, struct buf *to)
{
	int32_t unit = field == CALENDAR_US ? SECOND_US : 1;
	if (is_star(ranges, n, unit)) {
		buf_char(to, '*');
		return;
	}
	for (uint8_t i = 0; i < n; i++) {
		if (i)
			buf_char(to, ',');
		print_range(ranges[i], unit, field == CALENDAR_YEAR ? 4 : 2, to);
	}
}

static void print_weekday(unsigned day, struct buf *to)
{
	buf_str(to, str_of(&"MonTueWedThuFriSatSun"[3 * day], 3));
}

/* "Mon..Wed,Fri,Sat " */
static void print_weekdays(unsigned days, struct buf *to)
{
	unsigned n;
	for (unsigned day = 0; days >> day; day += n + 1) {
		for (n = 0; days >> (day + n) & 1; n++)
			;
		if (n == 0)
			continue;
		if (days & ((1u << day) - 1))
			buf_char(to, ',');
		print_weekday(day, to);
		if (n > 1) {
			buf_str(to, n > 2 ? STR("..") : STR(","));
			print_weekday(day + n - 1, to);
		}
	}
	if (days)
		buf_char(to, ' ');
}

void calendar_print(const struct calendar *c, struct buf *to)
{
	static const char behind[] = { '-', '-', ' ', ':', ':', ' ' };
	const struct calendar_range *ranges = c->ranges;

	print_weekdays(c->weekdays, to);
	for (int field = 0; field < N_CALENDAR_FIELD; field++) {
		print_field(ranges, c->n_ranges[field], (enum calendar_field)field, to);
		ranges += c->n_ranges[field];
		bool is_end = field == CALENDAR_US && !c->is_utc && c->zone.n == 0;
		if (!is_end)
			buf_char(to, field == CALENDAR_MONTH && c->counts_days_back ? '~' : behind[field]);
	}
	buf_str(to, c->is_utc ? STR("UTC") : c->zone);
}
