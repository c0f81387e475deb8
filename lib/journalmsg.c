#include "journalmsg.h"
#include "syslogmsg.h"

static void take_number(struct str value, uint64_t most, uint8_t *number)
{
	uint64_t v;
	if (str_u64(value, &v) && v <= most)
		*number = (uint8_t)v;
}

struct seen {
	bool message, identifier, pid, priority, facility;
};

static bool is_first(struct str name, struct str wanted, bool *is_seen)
{
	if (*is_seen || !str_eq(name, wanted))
		return false;
	*is_seen = true;
	return true;
}

static void keep(struct journalmsg *m, struct seen *seen, struct str name, struct str value)
{
	if (is_first(name, STR("MESSAGE"), &seen->message))
		m->message = syslogmsg_trim(value);
	else if (is_first(name, STR("SYSLOG_IDENTIFIER"), &seen->identifier))
		m->identifier = value;
	else if (is_first(name, STR("SYSLOG_PID"), &seen->pid))
		m->pid = value;
	else if (is_first(name, STR("PRIORITY"), &seen->priority))
		take_number(value, N_LOG_PRIORITY - 1, &m->priority);
	else if (is_first(name, STR("SYSLOG_FACILITY"), &seen->facility))
		take_number(value, N_SYSLOG_FACILITY - 1, &m->facility);
}

/* Behind NAME LF. False when the length leads beyond the datagram, or not to a line feed. */
static bool take_sized(struct str *s, struct str *value)
{
	uint64_t n = 0;
	if (s->n < 8)
		return false;
	for (unsigned i = 0; i < 8; i++)
		n |= (uint64_t)(uint8_t)s->p[i] << 8 * i;
	*s = str_skip(*s, 8);
	if (n >= s->n || s->p[n] != '\n')
		return false;
	*value = str_of(s->p, (size_t)n);
	*s = str_skip(*s, (size_t)n + 1);
	return true;
}

/* A last field without its line feed is taken as well: there is nothing that it could be mistaken for. */
static bool take_field(struct str *s, struct journalmsg *m, struct seen *seen)
{
	bool has_end = str_chr(*s, '\n') < s->n;
	struct str line = str_until(s, '\n'), value = line, name = str_until(&value, '=');
	/* Marks of the export format, which journald passes over as well. */
	if (str_starts(line, STR(".")) || str_starts(line, STR("#")))
		return true;
	if (name.n == line.n && (!has_end || !take_sized(s, &value)))
		return false;
	keep(m, seen, name, value);
	return true;
}

enum journalmsg_result journalmsg_next(struct str *datagram, struct journalmsg *m)
{
	struct seen seen = { 0 };
	enum journalmsg_result result = JOURNALMSG_ENTRY;
	*m = (struct journalmsg){ .priority = LOG_PRIORITY_INFO, .facility = SYSLOG_FACILITY_USER };
	while (str_take(datagram, STR("\n")))
		;
	if (datagram->n == 0)
		return JOURNALMSG_END;
	while (result == JOURNALMSG_ENTRY && datagram->n && !str_take(datagram, STR("\n")))
		if (!take_field(datagram, m, &seen))
			result = JOURNALMSG_BAD;
	if (result == JOURNALMSG_BAD)
		*datagram = STR("");
	m->has_message = seen.message;
	return result;
}
