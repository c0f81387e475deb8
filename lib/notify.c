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
		{ STR("FDSTORE=1"), &m->is_store },
		{ STR("FDSTOREREMOVE=1"), &m->is_store_remove },
	};
	for (size_t i = 0; i < countof(flags); i++)
		if (str_eq(line, flags[i].line))
			return *flags[i].flag = true;
	return false;
}

static bool parse_value(struct str line, struct notify_message *m)
{
	uint64_t pid, error;
	const struct { struct str name; uint64_t least, most; bool *has; uint64_t *value; } numbers[] = {
		{ STR("MAINPID="), 1, PID_MOST, &m->has_main_pid, &pid },
		{ STR("ERRNO="), 0, ERRNO_MOST, &m->has_error, &error },
		{ STR("EXTEND_TIMEOUT_USEC="), 0, UINT64_MAX, &m->has_extension, &m->extension_us },
		{ STR("WATCHDOG_USEC="), 0, UINT64_MAX, &m->has_watchdog, &m->watchdog_us },
		{ STR("MONOTONIC_USEC="), 1, UINT64_MAX, &m->has_time, &m->time_us },
	};
	if (str_take(&line, STR("STATUS="))) {
		m->status = line;
		return m->has_status = true;
	}
	if (str_take(&line, STR("FDNAME="))) {
		m->fd_name = line;
		return true;
	}
	for (size_t i = 0; i < countof(numbers); i++) {
		if (!str_take(&line, numbers[i].name))
			continue;
		if (!parse_number(line, numbers[i].least, numbers[i].most, numbers[i].value))
			return false;
		if (numbers[i].value == &pid)
			m->main_pid = (uint32_t)pid;
		if (numbers[i].value == &error)
			m->error = (uint32_t)error;
		return *numbers[i].has = true;
	}
	return false;
}

bool notify_parse(struct str datagram, struct notify_message *out)
{
	bool is_known = false;
	*out = (struct notify_message){ .status = STR(""), .fd_name = STR("") };
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
