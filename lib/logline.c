#include "logline.h"
#include "names.h"

#include <string.h>

const char *const log_stream_names[N_LOG_STREAM] = {
	[LOG_OUT] = "out", [LOG_ERR] = "err", [LOG_SYSLOG] = "syslog", [LOG_JOURNAL] = "journal", [LOG_NOTE] = "note",
};

const char *const log_priority_names[N_LOG_PRIORITY] = {
	"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
};

#define SECOND_US UINT64_C(1000000)
#define DAY_S 86400u

/* ---- times ---- */

/* Days since 1970-01-01 of the proleptic Gregorian calendar, by eras of 400 years that begin in March. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct date {
	uint64_t year;
	unsigned month, day;
};

static struct date date_of(uint64_t days)
{
	days += 719468;                 /* since 0000-03-01 */
	uint64_t era = days / 146097, of_era = days % 146097;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = (unsigned)(of_era - (365 * year + year / 4 - year / 100));
	unsigned month = (5 * of_year + 2) / 153;
	return (struct date){ .year = year + era * 400 + (month >= 10), .month = month < 10 ? month + 3 : month - 9,
			      .day = of_year - (153 * month + 2) / 5 + 1 };
}

void logline_put_time(struct buf *to, uint64_t time_us)
{
	uint64_t seconds = time_us / SECOND_US;
	unsigned of_day = (unsigned)(seconds % DAY_S);
	struct date d = date_of(seconds / DAY_S);
	buf_pad(to, d.year, 4);
	buf_char(to, '-');
	buf_pad(to, d.month, 2);
	buf_char(to, '-');
	buf_pad(to, d.day, 2);
	buf_char(to, 'T');
	buf_pad(to, of_day / 3600, 2);
	buf_char(to, ':');
	buf_pad(to, of_day / 60 % 60, 2);
	buf_char(to, ':');
	buf_pad(to, of_day % 60, 2);
	buf_char(to, '.');
	buf_pad(to, time_us % SECOND_US, 6);
	buf_char(to, 'Z');
}

/* Exactly `n` digits, and `behind` behind them unless it is NUL. */
static bool take_number(struct str *text, unsigned n, char behind, unsigned least, unsigned most, unsigned *value)
{
	unsigned v = 0;
	if (text->n < n + (behind != '\0') || (behind && text->p[n] != behind))
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (text->p[i] < '0' || text->p[i] > '9')
			return false;
		v = v * 10 + (unsigned)(text->p[i] - '0');
	}
	if (v < least || v > most)
		return false;
	*text = str_skip(*text, n + (behind != '\0'));
	*value = v;
	return true;
}

static bool take_fraction(struct str *text, uint64_t *us)
{
	uint64_t worth = SECOND_US / 10;
	unsigned digit, n = 0;
	*us = 0;
	if (!str_take(text, STR(".")))
		return true;
	for (; take_number(text, 1, '\0', 0, 9, &digit); n++, worth /= 10)
		*us += digit * worth;
	return n > 0;
}

static bool take_offset(struct str *text, int64_t *seconds)
{
	unsigned hours, minutes;
	*seconds = 0;
	if (str_take(text, STR("Z")) || str_take(text, STR("z")))
		return true;
	bool is_behind = str_take(text, STR("-"));      /* of Greenwich */
	if ((!is_behind && !str_take(text, STR("+"))) || !take_number(text, 2, ':', 0, 23, &hours) ||
	    !take_number(text, 2, '\0', 0, 59, &minutes))
		return false;
	*seconds = (int64_t)(hours * 3600 + minutes * 60) * (is_behind ? -1 : 1);
	return true;
}

bool logline_time(struct str *text, uint64_t *time_us)
{
	struct str s = *text;
	unsigned year, month, day, hour, minute, second;
	uint64_t us;
	int64_t offset;
	if (!take_number(&s, 4, '-', 1970, 9999, &year) || !take_number(&s, 2, '-', 1, 12, &month) || !take_number(&s, 2, '\0', 1, 31, &day) ||
	    (!str_take(&s, STR("T")) && !str_take(&s, STR(" "))) || !take_number(&s, 2, ':', 0, 23, &hour) ||
	    !take_number(&s, 2, ':', 0, 59, &minute) || !take_number(&s, 2, '\0', 0, 60, &second) || !take_fraction(&s, &us) ||
	    !take_offset(&s, &offset))
		return false;
	int64_t seconds = days_of(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second - offset;
	if (seconds < 0)
		return false;
	*time_us = (uint64_t)seconds * SECOND_US + us;
	*text = s;
	return true;
}

/* ---- lines ---- */

void logline_head(struct buf *to, const struct logline *line)
{
	logline_put_time(to, line->time_us);
	buf_char(to, ' ');
	buf_u64(to, line->generation);
	buf_char(to, ' ');
	buf_u64(to, line->pid);
	buf_char(to, ' ');
	buf_str(to, str_from(log_stream_names[line->stream]));
	buf_char(to, '.');
	buf_str(to, str_from(log_priority_names[line->priority]));
	if (line->is_cut)
		buf_char(to, '+');
	buf_char(to, ' ');
}

static bool take_u32(struct str *text, uint32_t *value)
{
	uint64_t v;
	if (!str_digits(text, &v) || v > UINT32_MAX || !str_take(text, STR(" ")))
		return false;
	*value = (uint32_t)v;
	return true;
}

bool logline_parse(struct str bytes, struct logline *line)
{
	struct logline l = { .time_us = 0 };
	if (!logline_time(&bytes, &l.time_us) || !str_take(&bytes, STR(" ")) || !take_u32(&bytes, &l.generation) ||
	    !take_u32(&bytes, &l.pid) || str_chr(bytes, ' ') == bytes.n)
		return false;
	struct str from = str_until(&bytes, ' ');
	l.is_cut = str_ends(from, STR("+"));
	from.n -= l.is_cut;
	int stream = name_find(log_stream_names, N_LOG_STREAM, str_until(&from, '.'));
	int priority = name_find(log_priority_names, N_LOG_PRIORITY, from);
	if (stream < 0 || priority < 0)
		return false;
	l.stream = (uint8_t)stream;
	l.priority = (uint8_t)priority;
	l.text = bytes;
	*line = l;
	return true;
}

int logline_priority(struct str name)
{
	static const struct { struct str name; int priority; } others[] = {
		{ { "error", 5 }, LOG_PRIORITY_ERR }, { { "warn", 4 }, LOG_PRIORITY_WARNING }, { { "panic", 5 }, LOG_PRIORITY_EMERG },
	};
	uint64_t number;
	if (str_u64(name, &number))
		return number < N_LOG_PRIORITY ? (int)number : -1;
	for (size_t i = 0; i < countof(others); i++)
		if (str_eq(name, others[i].name))
			return others[i].priority;
	return name_find(log_priority_names, N_LOG_PRIORITY, name);
}

bool logline_take_priority(struct str *text, uint8_t *priority)
{
	if (text->n < 3 || text->p[0] != '<' || text->p[1] < '0' || text->p[1] > '7' || text->p[2] != '>')
		return false;
	*priority = (uint8_t)(text->p[1] - '0');
	*text = str_skip(*text, 3);
	return true;
}

/* ---- markers ---- */

/* NUL, the token, generation and pid in eight hexadecimal digits each, and the line feed. */
#define NUMBER_SIZE 8u

static void put_hex(struct buf *to, uint32_t value)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		buf_char(to, "0123456789abcdef"[value >> shift & 15]);
}

/* 16: it is none. */
static uint32_t digit_of(char c)
{
	return (uint32_t)str_chr(STR("0123456789abcdef"), c);
}

static bool hex(const char *p, uint32_t *value)
{
	uint32_t v = 0;
	for (unsigned i = 0; i < NUMBER_SIZE; i++) {
		uint32_t digit = digit_of(p[i]);
		if (digit == 16)
			return false;
		v = v << 4 | digit;
	}
	*value = v;
	return true;
}

void log_marker_put(struct buf *to, const char token[LOG_TOKEN_SIZE], const struct log_marker *marker)
{
	buf_char(to, '\0');
	buf_str(to, str_of(token, LOG_TOKEN_SIZE));
	put_hex(to, marker->generation);
	put_hex(to, marker->pid);
	buf_char(to, '\n');
}

bool log_marker_take(struct str *line, const char token[LOG_TOKEN_SIZE], struct log_marker *marker)
{
	const size_t n = LOG_MARKER_SIZE - 1;   /* without the line feed */
	const char *at = line->n >= n ? line->p + line->n - n : NULL;
	struct log_marker m;
	if (!at || *at != '\0' || memcmp(at + 1, token, LOG_TOKEN_SIZE) != 0)
		return false;
	if (!hex(at + 1 + LOG_TOKEN_SIZE, &m.generation) || !hex(at + 1 + LOG_TOKEN_SIZE + NUMBER_SIZE, &m.pid))
		return false;
	line->n -= n;
	*marker = m;
	return true;
}

bool log_marker_begins(struct str bytes, const char token[LOG_TOKEN_SIZE])
{
	size_t n = 1;
	while (n < bytes.n && (n <= LOG_TOKEN_SIZE ? bytes.p[n] == token[n - 1] : digit_of(bytes.p[n]) < 16))
		n++;
	return bytes.n > 0 && bytes.p[0] == '\0' && n == bytes.n && n < LOG_MARKER_SIZE;
}
