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

/* "23:29:38"; a fraction and a zone may follow. */
static bool take_clock(struct str *s)
{
	uint64_t h, m, sec;
	return str_digits(s, &h) && str_take(s, STR(":")) && str_digits(s, &m) && str_take(s, STR(":")) &&
		str_digits(s, &sec);
}

static bool is_month(struct str s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct str all = str_of(months, sizeof months - 1);
	size_t at = s.n == 3 ? str_find(all, s) : all.n;
	return at < all.n && at % 3 == 0;
}

/* "Nov  5 ", "Nov  5 2024 " */
static bool take_month_day(struct str *s)
{
	struct str rest = *s, year;
	uint64_t n;
	if (!is_month(str_until(&rest, ' ')))
		return false;
	take_blanks(&rest);
	if (!str_digits(&rest, &n) || !str_take(&rest, STR(" ")))
		return false;
	*s = rest;
	year = str_until(&rest, ' ');
	if (year.n == 4 && str_u64(year, &n))
		*s = rest;
	return true;
}

/* "2024-09-03T", "2024-09-03 " */
static bool take_year_month_day(struct str *s)
{
	struct str rest = *s;
	uint64_t n;
	if (!str_digits(&rest, &n) || !str_take(&rest, STR("-")) || !str_digits(&rest, &n) || !str_take(&rest, STR("-")) ||
	    !str_digits(&rest, &n) || (!str_take(&rest, STR("T")) && !str_take(&rest, STR(" "))))
		return false;
	*s = rest;
	return true;
}

/* "1725357605.123456 ": `journalctl -o short-unix`. */
static bool take_seconds(struct str *s)
{
	struct str rest = *s, word = str_until(&rest, ' ');
	uint64_t n;
	if (!str_digits(&word, &n) || !str_take(&word, STR(".")) || word.n != 6 || !str_u64(word, &n))
		return false;
	*s = rest;
	return true;
}

/* A date in front of a line, perhaps with the day of the week, and whether a host follows: dmesg, which knows none,
 * writes a comma into the clock. */
static bool take_date(struct str *s, bool *has_host)
{
	struct str rest = *s, day = str_of(s->p, s->n < 4 ? s->n : 4);
	if (take_seconds(s))
		return true;
	if (day.n == 4 && day.p[3] == ' ' && !is_month(str_of(day.p, 3)))
		rest = str_skip(rest, 4);
	if ((!take_month_day(&rest) && !take_year_month_day(&rest)) || !take_clock(&rest))
		return false;
	*has_host = !str_starts(rest, STR(","));
	str_until(&rest, ' ');
	*s = rest;
	return true;
}

/* "kern.err" as busybox and logread write it: whose facility it is. */
static void read_facility(struct str word, struct kmsg_record *r)
{
	static const struct str others[] = {
		STR("user."), STR("daemon."), STR("auth."), STR("authpriv."), STR("syslog."), STR("cron."), STR("local"),
	};
	for (size_t i = 0; i < countof(others); i++)
		if (str_starts(word, others[i]) && str_chr(word, '.') < word.n)
			r->facility = 1;
}

/* The words between the date and who speaks: a zone, a year, the host, the facility. */
#define WORDS_MAX 4

/* Who speaks. False when that is somebody else than the kernel: the first word with a colon is not "kernel:". */
static bool take_speaker(struct str *s, struct kmsg_record *r)
{
	struct str rest = *s;
	for (int i = 0; i <= WORDS_MAX && rest.n; i++) {
		struct str word = str_until(&rest, ' ');
		if (str_eq(word, STR("kernel:"))) {
			*s = rest;
			return true;
		}
		if (str_eq(word, STR("kernel")) && str_take(&rest, STR("- - - "))) {     /* RFC 5424 */
			*s = rest;
			return true;
		}
		if (str_ends(word, STR(":")))
			return false;
		read_facility(word, r);
	}
	return false;
}

/* A date, a host and who speaks. False when that is somebody else than the kernel. */
static bool take_syslog(struct str *s, struct kmsg_record *r)
{
	bool has_host = true;
	if (take_date(s, &has_host))
		return !has_host || take_speaker(s, r);
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

/* What dmesg can make of a time: "37.123371 <    0.000010>", "  +0.000010", "Nov22 21:46", a date in any language. */
static bool take_time(struct str inside, struct kmsg_record *r)
{
	struct str since = inside, time = str_trim(str_until(&inside, '<'));
	uint64_t n;
	if (read_uptime(time, &r->usec) || has_clock(since))
		return true;
	if (str_take(&since, STR("+")))
		return str_digits(&since, &n) && str_starts(since, STR("."));
	return since.n > 6 && is_month(str_of(since.p, 3)) && str_chr(since, ':') < since.n;
}

/* "[   37.123371][ T9185] ", "[Tue Mar 11 10:16:36 2025] ". A row of the task table ("[  125]  1000 ...") is none. */
static void take_brackets(struct str *s, struct kmsg_record *r)
{
	for (bool has_time = false;;) {
		struct str rest = *s;
		if (!str_take(&rest, STR("[")) || str_chr(rest, ']') == rest.n)
			return;
		struct str inside = str_trim(str_until(&rest, ']'));
		if (has_time ? !is_caller(inside) : !take_time(inside, r))
			return;
		has_time = true;
		str_take(&rest, STR(" "));
		*s = rest;
	}
}

/* "host kernel: " behind the time: `journalctl -o short-monotonic`. */
static void take_late_host(struct str *s)
{
	struct str rest = *s, host = str_until(&rest, ' ');
	if (host.n && str_chr(host, ':') == host.n && str_take(&rest, STR("kernel: ")))
		*s = rest;
}

bool kmsg_text_line(struct str line, struct kmsg_record *r)
{
	while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	if (line.n && line.p[0] >= '0' && line.p[0] <= '9' && kmsg_record(line, r))
		return true;
	*r = (struct kmsg_record){ 0 };
	take_priority(&line, r);
	if (r->level || r->facility)
		str_take(&line, STR("1 "));     /* "<3>1 2024-...": the version of RFC 5424 */
	if (!take_syslog(&line, r))
		return false;
	take_priority(&line, r);
	take_brackets(&line, r);
	if (r->usec)
		take_late_host(&line);
	r->text = line;
	return true;
}
