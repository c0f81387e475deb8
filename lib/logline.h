/*
 * A line of a log: how oomph-log keeps it, and how anybody reads it.
 *
 *     2026-11-27T04:03:01.123456Z 3 812 out.info Ready to accept connections
 *
 * When it was read (RFC 3339, UTC, microseconds), the generation of its service, the process, where it came from with its
 * priority, and the text as it was written. A text that was cut into several lines has a plus behind the priority of each but the
 * last: `out.info+`. A value that nobody told is 0. The service is the folder that the file lies in.
 */
#ifndef OOMPH_LOGLINE_H
#define OOMPH_LOGLINE_H

#include "str.h"

enum log_stream {
	LOG_OUT, LOG_ERR,               /* standard output and error */
	LOG_SYSLOG,                     /* a datagram to /dev/log */
	LOG_JOURNAL,                    /* one to /run/systemd/journal/socket */
	LOG_NOTE,                       /* the logger's own words: that the service died, that lines were dropped */
	N_LOG_STREAM
};
extern const char *const log_stream_names[N_LOG_STREAM];

/* As in syslog(3), and names as journalctl -p takes them. */
enum log_priority {
	LOG_PRIORITY_EMERG, LOG_PRIORITY_ALERT, LOG_PRIORITY_CRIT, LOG_PRIORITY_ERR, LOG_PRIORITY_WARNING, LOG_PRIORITY_NOTICE,
	LOG_PRIORITY_INFO, LOG_PRIORITY_DEBUG, N_LOG_PRIORITY
};
extern const char *const log_priority_names[N_LOG_PRIORITY];

/* Where else a line goes as it comes: StandardOutput=kmsg, journal+console, kmsg+console. */
enum log_copies {
	COPY_TO_KMSG = 1 << 0, COPY_TO_CONSOLE = 1 << 1,
};

struct logline {
	uint64_t time_us;               /* CLOCK_REALTIME */
	uint32_t generation, pid;
	uint8_t stream, priority;       /* enum log_stream, enum log_priority */
	bool is_cut;                    /* the text goes on in the next line of this stream */
	struct str text;
	uint8_t facility;               /* of syslog(3), for who gets a copy, it is not kept; 0, which is the kernel's alone: untold */
};

#define LOGLINE_HEAD_MAX 80     /* bytes in front of the text, the blank included */

/* All in front of the text, appended. */
void logline_head(struct buf *to, const struct logline *line);

/* A line without its line feed. False when it is none: a torn one, or somebody else's. */
bool logline_parse(struct str bytes, struct logline *line);

/* RFC 3339 with up to six digits behind the point, "Z" or an offset, to microseconds since 1970; the text is consumed. */
bool logline_time(struct str *text, uint64_t *time_us);
void logline_put_time(struct buf *to, uint64_t time_us);        /* 27 bytes */

/* A priority's name or number; -1. */
int logline_priority(struct str name);

/* sd-daemon(3): "<4>text" is of priority 4. The prefix is taken off *text; false, and nothing changed, where there is none. */
bool logline_take_priority(struct str *text, uint8_t *priority);

/*
 * In the pipe between a service and the logger: a child that PID 1 has made tells of itself there before its program runs, so that
 * whose lines follow is known by their order alone. Nobody who does not know the token of this boot can write one.
 */
#define LOG_TOKEN_SIZE 16u              /* hexadecimal digits */
#define LOG_MARKER_SIZE (1 + LOG_TOKEN_SIZE + 8 + 8 + 1)
struct log_marker {
	uint32_t generation, pid;
};
/* LOG_MARKER_SIZE bytes, the line feed at the end included: what was in the pipe before it needs no line's end of its own. */
void log_marker_put(struct buf *to, const char token[LOG_TOKEN_SIZE], const struct log_marker *marker);
/* Whether a line (without its line feed) ends with a marker, which is then taken off it. */
bool log_marker_take(struct str *line, const char token[LOG_TOKEN_SIZE], struct log_marker *marker);
/* Whether these bytes may be the first of one, which has no line feed yet. */
bool log_marker_begins(struct str bytes, const char token[LOG_TOKEN_SIZE]);

#endif
