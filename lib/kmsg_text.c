/*
 * Lines of a saved log: the same text as in /dev/kmsg behind the prefixes of dmesg(1), syslog and journalctl(1).
 * Those print names without the kernel's escapes, so a newline in a comm splits its line there; nothing can mend that.
 */
#include "kmsg.h"

static void take_blanks(struct str *s)
{
	while (s->n && s->p[0] == ' ')
		*s = str_skip(*s, 1);
}

static bool take_clock(struct str *s)
{
	uint64_t h, m, sec;
	return str_digits(s, &h) && str_take(s, STR(":")) && str_digits(s, &m) && str_take(s, STR(":")) &&
		str_digits(s, &sec);
}

/* "Nov  5 23:29:38 " */
static bool take_syslog_date(struct str *s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct str rest = *s, month = str_of(s->p, s->n < 3 ? s->n : 3);
	uint64_t day;
	if (month.n < 3 || str_find(str_of(months, sizeof months - 1), month) % 3 != 0 ||
	    str_find(str_of(months, sizeof months - 1), month) == sizeof months - 1)
		return false;
	rest = str_skip(rest, 3);
	take_blanks(&rest);
	if (!str_digits(&rest, &day) || !str_take(&rest, STR(" ")) || !take_clock(&rest) || !str_take(&rest, STR(" ")))
		return false;
	*s = rest;
	return true;
}

/* "2024-09-03T10:00:05.123456+00:00 ", and whether a host follows: dmesg, which knows none, writes a comma. */
static bool take_iso_date(struct str *s, bool *has_host)
{
	struct str rest = *s, date = str_until(&rest, ' ');
	uint64_t n;
	if (!str_digits(&date, &n) || !str_take(&date, STR("-")) || !str_digits(&date, &n) || !str_take(&date, STR("-")) ||
	    !str_digits(&date, &n) || !str_take(&date, STR("T")) || !take_clock(&date))
		return false;
	*has_host = !str_starts(date, STR(","));
	*s = rest;
	return true;
}

/* A date, a host and who speaks. False when that is somebody else than the kernel. */
static bool take_syslog(struct str *s)
{
	bool has_host = true;
	if (take_syslog_date(s) || take_iso_date(s, &has_host)) {
		if (!has_host)
			return true;
		str_until(s, ' ');
		return str_take(s, STR("kernel: "));
	}
	str_take(s, STR("kernel: "));
	return true;
}

/* "<3>", or what `dmesg --decode` makes of it: "kern  :err   : ". */
static void take_priority(struct str *s, struct kmsg_record *r)
{
	struct str rest = *s;
	uint64_t v;
	if (str_take(&rest, STR("<")) && str_digits(&rest, &v) && str_take(&rest, STR(">"))) {
		r->level = v & 7;
		r->facility = (uint8_t)(v >> 3 < 255 ? v >> 3 : 255);
		*s = rest;
		return;
	}
	static const struct str others[] = { STR("user "), STR("daemon"), STR("auth "), STR("syslog"), STR("local") };
	struct str facility = str_until(&rest, ':'), level = str_until(&rest, ':');
	if (facility.n != 6 || level.n != 6 || !str_take(&rest, STR(" ")))
		return;
	if (str_starts(facility, STR("kern "))) {
		*s = rest;
		return;
	}
	for (size_t i = 0; i < countof(others); i++)
		if (str_starts(facility, others[i])) {
			r->facility = 1;
			*s = rest;
			return;
		}
}

/* "   37.123371" in microseconds. */
static bool read_uptime(struct str s, uint64_t *usec)
{
	uint64_t seconds, fraction;
	if (!str_digits(&s, &seconds) || !str_take(&s, STR(".")) || s.n != 6 || !str_u64(s, &fraction) ||
	    seconds > UINT64_MAX / 2000000)
		return false;
	*usec = seconds * 1000000 + fraction;
	return true;
}

/* "Tue Mar 11 10:16:36 2025" in any language: somewhere a clock. */
static bool has_clock(struct str s)
{
	for (size_t at = str_chr(s, ' '); at < s.n; at += 1 + str_chr(str_skip(s, at + 1), ' ')) {
		struct str word = str_skip(s, at + 1);
		if (take_clock(&word))
			return true;
	}
	return false;
}

static bool is_caller(struct str s)
{
	uint64_t n;
	return (str_take(&s, STR("T")) || str_take(&s, STR("C"))) && str_u64(s, &n);
}

/* "[   37.123371][ T9185] ", "[Tue Mar 11 10:16:36 2025] ". A row of the task table ("[  125]  1000 ...") is none. */
static void take_brackets(struct str *s, struct kmsg_record *r)
{
	for (bool has_time = false;;) {
		struct str rest = *s;
		if (!str_take(&rest, STR("[")) || str_chr(rest, ']') == rest.n)
			return;
		struct str inside = str_trim(str_until(&rest, ']'));
		if (has_time ? !is_caller(inside) : !read_uptime(inside, &r->usec) && !has_clock(inside))
			return;
		has_time = true;
		str_take(&rest, STR(" "));
		*s = rest;
	}
}

bool kmsg_text_line(struct str line, struct kmsg_record *r)
{
	while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	if (line.n && line.p[0] >= '0' && line.p[0] <= '9' && kmsg_record(line, r))
		return true;
	*r = (struct kmsg_record){ 0 };
	take_priority(&line, r);
	if (!take_syslog(&line))
		return false;
	take_priority(&line, r);
	take_brackets(&line, r);
	r->text = line;
	return true;
}
