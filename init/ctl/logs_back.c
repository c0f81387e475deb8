/* A log file read from its end, by blocks. One that is packed cannot be. */
#include "logs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW 16384u
#define BETWEEN_MAX 262144u             /* of lines of other streams between those of a text */

void log_back_begin(struct log_back *b, int fd, uint64_t size)
{
	b->fd = fd;
	logback_begin(&b->window, log_room(NULL, WINDOW + 1), WINDOW, size);
}

void log_back_end(struct log_back *b)
{
	free(b->window.bytes);
	*b = (struct log_back){ .fd = -1 };
}

static bool read_before(struct log_back *b)
{
	struct logback *w = &b->window;
	uint64_t from;
	size_t n;
	char *to = logback_room(w, &from, &n);
	if (!to) {
		if (w->size >= LINE_HELD_MAX)
			return false;
		size_t size = 2 * w->size;
		logback_grown(w, log_room(w->bytes, size + 1), size);
		return true;
	}
	if (pread(b->fd, to, n, (off_t)from) != (ssize_t)n)
		return false;                   /* emptied meanwhile */
	logback_filled(w, n);
	return true;
}

bool log_back_line(struct log_back *b, struct str *line, uint64_t *at)
{
	enum logback_answer answer;
	while ((answer = logback_next(&b->window, line, at)) == LOGBACK_WANTS)
		if (!read_before(b))
			return false;
	return answer == LOGBACK_LINE;
}

uint64_t log_lines_end(int fd, uint64_t size)
{
	char bytes[4096];
	while (size) {
		size_t n = size < sizeof bytes ? (size_t)size : sizeof bytes;
		if (pread(fd, bytes, n, (off_t)(size - n)) != (ssize_t)n)
			return 0;
		const char *feed = memrchr(bytes, '\n', n);
		if (feed)
			return size - n + (size_t)(feed - bytes) + 1;
		size -= n;
	}
	return 0;
}

/* A stranger's line has its time from the line before it, so one is looked at in any case. */
uint64_t log_text_begin(int fd, uint64_t line_at)
{
	struct log_back b;
	struct logline line;
	struct str bytes;
	uint64_t at = line_at, begin_at = line_at;
	bool has_line = false;
	log_back_begin(&b, fd, line_at);
	while (begin_at - at < BETWEEN_MAX && line_at - at < 2 * ENTRY_MAX && log_back_line(&b, &bytes, &at)) {
		if (!logline_parse(bytes, &line) || (has_line && !line.is_cut))
			continue;
		has_line = true;
		begin_at = at;
	}
	log_back_end(&b);
	return begin_at;
}
