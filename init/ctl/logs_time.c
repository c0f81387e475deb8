/* Moments: what --since and --until name, and when this boot began. */
#include "logs.h"
#include "procstat.h"
#include "timestamp.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND_US 1000000

static int64_t clock_us(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

/* musl takes a zone that is not there for UTC (src/time/__tz.c, do_tzset()). */
static bool has_zone(struct str zone)
{
	char path[PATH_MAX];
	if (str_eq(zone, STR("UTC")))
		return true;
	snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", (int)zone.n, zone.p);
	return str_find(zone, STR("..")) == zone.n && access(path, R_OK) == 0;
}

static bool set_zone(struct str zone)
{
	char name[64];
	if (zone.n == 0)
		return true;
	if (zone.n >= sizeof name || !has_zone(zone))
		return false;
	snprintf(name, sizeof name, "%.*s", (int)zone.n, zone.p);
	return setenv("TZ", name, 1) == 0;
}

/* What the calendar and the clock show, as a time; false: it has no such day. */
static bool settle(const struct timestamp *t, time_t now, int64_t *us)
{
	struct tm today, tm;
	tzset();
	localtime_r(&now, &today);
	tm = (struct tm){ .tm_year = t->year ? t->year - 1900 : today.tm_year, .tm_mon = t->year ? t->month - 1 : today.tm_mon,
			  .tm_mday = (t->year ? t->day : today.tm_mday), .tm_hour = t->hour, .tm_min = t->minute,
			  .tm_sec = t->second, .tm_isdst = -1 };
	tm.tm_mday += t->days;
	int day = tm.tm_mday;
	int64_t seconds = mktime(&tm);
	if ((t->year && tm.tm_mday != day && t->second < 60) || (t->weekday >= 0 && tm.tm_wday != t->weekday))
		return false;
	*us = (seconds - t->offset_s) * SECOND_US + t->us;
	return true;
}

static bool settle_in_zone(const struct timestamp *t, time_t now, int64_t *us)
{
	const char *before = getenv("TZ");
	char *kept = before ? strdup(before) : NULL;
	bool is_settled = set_zone(t->zone) && settle(t, now, us);
	if (kept)
		setenv("TZ", kept, 1);
	else
		unsetenv("TZ");
	tzset();
	free(kept);
	return is_settled;
}

uint64_t log_time_option(const char *word)
{
	struct timestamp t;
	int64_t now = clock_us(CLOCK_REALTIME), us = -1;
	bool is_read = timestamp_read(str_from(word), &t);
	if (is_read && t.kind == TIMESTAMP_SHOWN)
		is_read = settle_in_zone(&t, now / SECOND_US, &us);
	else if (is_read)
		is_read = !__builtin_add_overflow(t.kind == TIMESTAMP_FROM_NOW ? now : 0, t.us, &us);
	if (!is_read || us < 0)
		leave(LEAVE_USAGE, "%s is no time; write it as \"2026-11-27 04:00\", \"yesterday\", \"-5min\" or \"@1795752000\"",
		      line_raw(word).text);
	return (uint64_t)us;
}

/* A container's process 1 is younger than the machine. */
static int64_t age_of_pid1(int64_t uptime_us)
{
	char text[512];
	struct procstat p;
	int fd = open("/proc/1/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
	if (fd >= 0)
		close(fd);
	if (n <= 0 || !procstat_read(str_of(text, (size_t)n), &p))
		return uptime_us;
	return uptime_us - (int64_t)p.started_at * (SECOND_US / 100);
}

uint64_t log_boot_us(void)
{
	return (uint64_t)(clock_us(CLOCK_REALTIME) - age_of_pid1(clock_us(CLOCK_BOOTTIME)));
}
