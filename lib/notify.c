#include "notify.h"

#define PID_MOST (1u << 22)     /* PID_MAX_LIMIT of Linux, include/linux/threads.h */
#define ERRNO_MOST 4095u        /* MAX_ERRNO of Linux, include/linux/err.h */

static bool parse_number(struct str text, uint64_t least, uint64_t most, uint64_t *value)
{
	uint64_t v;
	if (!str_u64(text, &v) || v < least || v > most)
		return false;
	*value = v;
	return true;
}

static bool parse_flag(struct str line, struct notify_message *m)
{
	const struct { struct str line; bool *flag; } flags[] = {
		{ STR("READY=1"), &m->is_ready },
		{ STR("STOPPING=1"), &m->is_stopping },
		{ STR("RELOADING=1"), &m->is_reloading },
		{ STR("WATCHDOG=1"), &m->is_alive },
		{ STR("WATCHDOG=trigger"), &m->is_watchdog_trigger },
		{ STR("BARRIER=1"), &m->wants_barrier },
	};
	for (size_t i = 0; i < countof(flags); i++)
		if (str_eq(line, flags[i].line))
			return *flags[i].flag = true;
	return false;
}

static bool parse_value(struct str line, struct notify_message *m)
{
	uint64_t number;
	if (str_take(&line, STR("STATUS="))) {
		m->status = line;
		return m->has_status = true;
	}
	if (str_take(&line, STR("MAINPID="))) {
		if (!parse_number(line, 1, PID_MOST, &number))
			return false;
		m->main_pid = (uint32_t)number;
		return m->has_main_pid = true;
	}
	if (str_take(&line, STR("ERRNO="))) {
		if (!parse_number(line, 0, ERRNO_MOST, &number))
			return false;
		m->error = (uint32_t)number;
		return m->has_error = true;
	}
	if (str_take(&line, STR("EXTEND_TIMEOUT_USEC="))) {
		if (!parse_number(line, 0, UINT64_MAX, &number))
			return false;
		m->extension_us = number;
		return m->has_extension = true;
	}
	return false;
}

bool notify_parse(struct str datagram, struct notify_message *out)
{
	bool is_known = false;
	*out = (struct notify_message){ .status = STR("") };
	/* Some senders count the NUL of their string; systemd forgives that one, too. */
	if (datagram.n && datagram.p[datagram.n - 1] == '\0')
		datagram.n--;
	while (datagram.n) {
		struct str line = str_until(&datagram, '\n');
		if (line.n > NOTIFY_LINE_MAX || str_chr(line, '\0') != line.n)
			continue;
		is_known |= parse_flag(line, out) || parse_value(line, out);
	}
	return is_known;
}
