/* [Timer], systemd.timer(5). Timers are not run yet: what they say is looked at, so that `verify` can tell what is wrong with it. */
#include "settings.h"
#include "lib/calendar.h"
#include "lib/values.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ZONES "/usr/share/zoneinfo"
#define SECOND_US INT64_C(1000000)
#define ELAPSES 3

bool timer_is(struct str name)
{
	return str_ends(name, STR(".timer"));
}

/* ---- time zones ---- */

/* tzfile(5) */
static bool is_zone(struct str name)
{
	char magic[4];
	int fd = open(keep_print(ZONES "/%.*s", STR_ARG(name)).p, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool is_one = fd >= 0 && read(fd, magic, sizeof magic) == sizeof magic && !memcmp(magic, "TZif", sizeof magic);
	if (fd >= 0)
		close(fd);
	return is_one;
}

static void set_zone(const char *zone)
{
	if (zone)
		setenv("TZ", zone, 1);
	else
		unsetenv("TZ");
}

/* How far the expression's zone is ahead of UTC by then. */
static int32_t offset_of(const struct calendar *c, time_t then)
{
	const char *own = getenv("TZ");
	struct tm tm = { .tm_gmtoff = 0 };

	own = own ? keep_str(str_from(own)).p : NULL;
	if (c->zone.n)
		set_zone(keep_print(":%.*s", STR_ARG(c->zone)).p);
	localtime_r(&then, &tm);
	set_zone(own);
	return (int32_t)tm.tm_gmtoff;
}

/* ---- expressions ---- */

/* NULL, or what was expected. */
static const char *read_expression(struct str text, struct calendar *c)
{
	const char *expected = calendar_parse(text, c);
	if (!expected && c->zone.n && !is_zone(c->zone))
		expected = keep_print("a time zone of " ZONES ", or UTC, and not %.*s", STR_ARG(shown(c->zone))).p;
	return expected;
}

static struct str form_of(const struct calendar *c)
{
	struct buf b = scratch(CALENDAR_RANGES_MAX * sizeof "59.999999..59.999999/59.999999" + c->zone.n + sizeof "Mon,Tue,Wed,Thu,Fri,Sat ");
	calendar_print(c, &b);
	return buf_view(&b);
}

/* The next one from now, in the words of date(1) and of the expression's own zone. */
static struct str next_of(const struct calendar *c)
{
	time_t now = time(NULL);
	int32_t offset = offset_of(c, now);
	char text[64] = "";
	struct tm tm;
	int64_t next_us;

	if (!calendar_next(c, offset, now * SECOND_US, &next_us))
		return STR("it would never elapse");
	time_t local = next_us / SECOND_US + offset;
	strftime(text, sizeof text, "%a %Y-%m-%d %H:%M:%S", gmtime_r(&local, &tm));
	return keep_print("the next would be %s%s%.*s", text, c->is_utc ? " UTC" : c->zone.n ? " " : "", STR_ARG(c->zone));
}

bool read_calendar(const struct setting *s)
{
	struct calendar c;
	struct str text;

	if (s->value.n == 0 || !setting_specified(s, s->value, &text))
		return true;
	const char *expected = read_expression(text, &c);
	if (expected)
		complain(s->d, s->line, "%.*s=%.*s: expected %s: ignored", STR_ARG(s->row->key), STR_ARG(shown(text)), expected);
	else
		pass_over(s->d, s->line, "%.*s=%.*s: is not yet there; %.*s", STR_ARG(s->row->key), STR_ARG(shown(form_of(&c))),
			  STR_ARG(next_of(&c)));
	return true;
}

/* An empty one resets those before it. */
bool read_span(const struct setting *s)
{
	uint64_t us;
	struct str text;
	return s->value.n == 0 || !setting_specified(s, s->value, &text) || value_time(text, &us);
}

bool read_boolean(const struct setting *s)
{
	bool value;
	return value_boolean(s->value, &value);
}

/* ---- for whoever wants to know ---- */

static void tell(struct str text, int64_t after_us)
{
	struct calendar c;
	const char *expected = read_expression(text, &c);

	if (expected) {
		printf("error: expected %s\n", expected);
		return;
	}
	printf("%.*s", STR_ARG(form_of(&c)));
	for (int i = 0; i < ELAPSES && calendar_next(&c, offset_of(&c, after_us / SECOND_US), after_us, &after_us); i++)
		printf("\t%lld", (long long)after_us);
	putchar('\n');
}

void calendars_tell(int64_t after_us, char **texts)
{
	for (; *texts; texts++)
		tell(str_from(*texts), after_us);
}
