#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "limits.h"
#include "unitfile.h"
#include "values.h"

#define LINE_MOST (1u << 20)            /* LineMax= above it costs memory for each unfinished line */
#define MONTH_US UINT64_C(2629800000000)        /* systemd.time(7): 30.44 days */

static bool read_size(struct str value, void *to)
{
	return value_size(value, to);
}

static bool read_time(struct str value, void *to)
{
	uint64_t *us = to;
	if (!value_time(value, us))
		return false;
	if (*us == VALUE_INFINITY)
		*us = 0;
	return true;
}

static bool read_boolean(struct str value, void *to)
{
	return value_boolean(value, to);
}

static bool read_line_max(struct str value, void *to)
{
	uint64_t n;
	if (!value_size(value, &n))
		return false;
	*(uint32_t *)to = n < LOGSPLIT_LINE_LEAST ? LOGSPLIT_LINE_LEAST : n > LINE_MOST ? LINE_MOST : (uint32_t)n;
	return true;
}

/* Whether it can be reached is seen when it is used. */
static bool read_address(struct str value, void *to)
{
	char *text = to;
	if (value.n >= LOG_ADDRESS_MAX)
		return false;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	return true;
}

static const struct {
	const char *key;
	bool (*read)(struct str value, void *to);
	size_t offset;
} rows[] = {
	{ "SystemMaxUse", read_size, offsetof(struct settings, max_use) },
	{ "RuntimeMaxUse", read_size, offsetof(struct settings, runtime_max_use) },
	{ "X-ServiceMaxUse", read_size, offsetof(struct settings, service_max_use) },
	{ "SystemMaxFileSize", read_size, offsetof(struct settings, file_max) },
	{ "MaxRetentionSec", read_time, offsetof(struct settings, retention_us) },
	{ "MaxFileSec", read_time, offsetof(struct settings, file_us) },
	{ "LineMax", read_line_max, offsetof(struct settings, line_max) },
	{ "Compress", read_boolean, offsetof(struct settings, wants_compress) },
	{ "ForwardToSyslog", read_address, offsetof(struct settings, forward_syslog) },
	{ "ForwardToJSON", read_address, offsetof(struct settings, forward_json) },
};

static void take(struct settings *s, const char *path, const struct unitfile_item *item)
{
	for (size_t i = 0; i < countof(rows); i++) {
		if (!str_eq(item->key, str_from(rows[i].key)))
			continue;
		if (!rows[i].read(item->value, (char *)s + rows[i].offset))
			complain("%s:%u: %.*s is no value for %s=: as if it were not there", path, item->line, (int)item->value.n,
				 item->value.p, rows[i].key);
		return;
	}
	complain("%s:%u: %.*s= is no setting of [Log]", path, item->line, (int)item->key.n, item->key.p);
}

static char *read_whole(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *bytes = fd < 0 ? NULL : malloc(UNIT_FILE_MAX);
	ssize_t got = bytes ? read(fd, bytes, UNIT_FILE_MAX) : -1;
	if (got < 0 && errno != ENOENT)
		complain("%s: %s", path, strerror(errno));
	*n = got > 0 ? (size_t)got : 0;
	if (fd >= 0)
		close(fd);
	return bytes;
}

void settings_read(struct settings *s, const char *path)
{
	size_t n;
	*s = (struct settings){ .runtime_max_use = 16u << 20, .file_max = 16u << 20, .file_us = MONTH_US, .line_max = 48u << 10, .wants_compress = true };
	char *bytes = read_whole(path, &n);
	struct unitfile f = unitfile_open(bytes, n);
	for (;;) {
		struct unitfile_item item = unitfile_next(&f);
		bool is_ours = str_eq(item.section, STR("Log"));
		if (item.kind == UNITFILE_SETTING && is_ours)
			take(s, path, &item);
		else if ((item.kind == UNITFILE_STRAY && is_ours) || item.kind == UNITFILE_BAD)
			complain("%s:%u: %s", path, item.line, item.wrong);
		if (item.kind == UNITFILE_END || item.kind == UNITFILE_BAD)
			break;
	}
	free(bytes);
}
