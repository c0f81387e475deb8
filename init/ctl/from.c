/* oomphctl oom --from FILE: the OOM kills that a saved log of any kernel tells of. PID 1 is not asked. */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mend.h"

struct found {
	struct oom_kill kill;           /* kill.seq: the number given to it here */
	uint64_t line;                  /* of the file */
	uint64_t seq;                   /* of the kernel's record, if has_seq */
	bool has_seq;
	char when[48];                  /* the log's own words: it may know no year, or no date at all */
};

struct log {
	struct kmsg_reader reader;
	struct found *list;
	size_t n;
	uint64_t seq;                   /* records so far */
	uint64_t line;                  /* lines so far */
	uint64_t usec;                  /* of the record before */
	bool has_uptime;                /* usec is one, not a date's */
	struct found about;             /* where and when the open line stands */
	struct mended open;
};

/* ---- when ---- */

/* Where a clock ("23:29:38") begins, and the second of the day; s.n when there is none. */
static size_t find_clock(struct str s, uint64_t *second)
{
	for (size_t at = 0; at < s.n; at++) {
		uint64_t h, m, sec;
		struct str word = str_skip(s, at);
		if (at && ((s.p[at - 1] >= '0' && s.p[at - 1] <= '9') || s.p[at - 1] == ':'))
			continue;
		if (str_digits(&word, &h) && str_take(&word, STR(":")) && str_digits(&word, &m) && str_take(&word, STR(":")) &&
		    str_digits(&word, &sec) && h < 24 && m < 60 && sec <= 60) {
			*second = h * 3600 + m * 60 + sec;
			return at;
		}
	}
	return s.n;
}

/* The day of the month stands before the clock in every form. Nothing but nearness is asked of these times. */
static uint64_t day_before(struct str s, size_t clock)
{
	uint64_t day = 0;
	size_t at = clock;
	while (at && (s.p[at - 1] < '0' || s.p[at - 1] > '9'))
		at--;
	while (at && s.p[at - 1] >= '0' && s.p[at - 1] <= '9')
		at--;
	struct str word = str_skip(s, at);
	return str_digits(&word, &day) && day < 1u << 20 ? day : 0;
}

/* "Nov  5 23:29:38" out of a prefix: from behind what opens it to the end of the clock's word or bracket. */
static struct str date_words(struct str prefix, size_t clock)
{
	size_t bracket = str_rfind(str_of(prefix.p, clock), STR("[")), from = 0;
	if (bracket < clock)
		return str_trim(str_of(prefix.p + bracket + 1, str_chr(str_skip(prefix, bracket + 1), ']')));
	size_t colon = str_rfind(str_of(prefix.p, clock), STR(": ")), priority = str_chr(str_of(prefix.p, clock), '>');
	if (colon < clock)
		from = colon + 2;
	else if (priority < clock)
		from = priority + 1;
	return str_trim(str_of(prefix.p + from, clock + str_chr(str_skip(prefix, clock), ' ') - from));
}

static void keep_words(char *to, size_t cap, struct str words)
{
	size_t n = words.n < cap - 1 ? words.n : cap - 1;
	memcpy(to, words.p, n);
	to[n] = '\0';
}

/* A line without a time was printed right after the one before it, for all that can be known. */
static void read_time(struct log *l, struct str prefix, struct kmsg_record *r, struct found *about)
{
	uint64_t second = 0;
	size_t clock = find_clock(prefix, &second);
	bool has_clock = clock < prefix.n;
	if (has_clock)
		keep_words(about->when, sizeof about->when, date_words(prefix, clock));
	else if (r->usec)
		snprintf(about->when, sizeof about->when, "[%5llu.%06u]", (unsigned long long)(r->usec / 1000000),
			 (unsigned)(r->usec % 1000000));
	if (r->usec) {
		l->has_uptime = true;
	} else if (has_clock) {
		r->usec = (day_before(prefix, clock) * 86400 + second) * 1000000;
		l->has_uptime = false;
	} else {
		r->usec = l->usec;
	}
	l->usec = r->usec;
}

/* ---- kills ---- */

static void add_kill(struct log *l, const struct oom_kill *k)
{
	l->list = realloc(l->list, (l->n + 1) * sizeof *l->list);
	if (!l->list)
		leave(LEAVE_FAILED, "out of memory");
	l->list[l->n] = l->about;
	l->list[l->n++].kill = *k;
}

/* The first victim learns behind its own line that its whole cgroup dies with it. */
static void add_group(struct log *l, const struct oom_kill *group)
{
	for (size_t i = l->n; i > 0 && l->list[i - 1].kill.seq >= group->seq; i--) {
		struct oom_kill *k = &l->list[i - 1].kill;
		if (k->seq == group->seq && k->pid == group->pid)
			k->is_group = true;
	}
}

/* Numbered anew: an excerpt lacks lines, but those that it has still belong together when their times say so. */
static void feed(struct log *l, struct kmsg_record *r)
{
	struct oom_kill k;
	r->seq = ++l->seq;
	switch (kmsg_feed(&l->reader, r, &k)) {
	case KMSG_KILL:
		add_kill(l, &k);
		break;
	case KMSG_GROUP:
		add_group(l, &k);
		break;
	default:
		break;
	}
}

static void close_line(struct log *l)
{
	struct kmsg_record front = l->open.record, rest;
	if (!l->open.is_open)
		return;
	l->open.is_open = false;
	while (mend_merged(&front, &rest, l->has_uptime && !l->about.has_seq)) {
		feed(l, &front);
		front = rest;
		l->usec = front.usec;
	}
	feed(l, &front);
}

/* ---- lines ---- */

/* The colours of `dmesg --color=always`. The kernel itself prints no escape byte. */
static size_t drop_colours(char *bytes, size_t n)
{
	size_t to = 0;
	for (size_t i = 0; i < n; i++) {
		size_t end = i + 2;
		if (bytes[i] == '\033' && i + 1 < n && bytes[i + 1] == '[') {
			while (end < n && ((bytes[end] >= '0' && bytes[end] <= '9') || bytes[end] == ';'))
				end++;
			if (end < n && bytes[end] == 'm') {
				i = end;
				continue;
			}
		}
		bytes[to++] = bytes[i];
	}
	return to;
}

static void read_line(struct log *l, char *bytes, size_t n)
{
	struct kmsg_record r, raw;
	l->line++;
	if (memchr(bytes, '\033', n))
		n = drop_colours(bytes, n);
	struct str line = str_of(bytes, n);
	if (l->about.has_seq && str_starts(line, STR(" ")))
		return;                 /* the dictionary of a raw record */
	if (!kmsg_text_line(line, &r)) {
		close_line(l);
		return;
	}
	bool is_bare = r.text.p == bytes;
	if (mend_wrapped(&l->open, r.text, is_bare))
		return;
	close_line(l);
	bool is_raw = n && bytes[0] >= '0' && bytes[0] <= '9' && kmsg_record(line, &raw);
	l->about = (struct found){ .line = l->line, .seq = r.seq, .has_seq = is_raw };
	read_time(l, str_of(bytes, is_raw ? 0 : (size_t)(r.text.p - bytes)), &r, &l->about);
	mend_begin(&l->open, &r, !is_bare);
}

/* What is no text at all, with the tool that makes one of it. */
static void refuse_packed(const char *name, struct str head)
{
	static const struct { struct str magic; const char *tool; } packed[] = {
		{ STR("\x1f\x8b"), "zcat" }, { STR("\xfd" "7zXZ"), "xzcat" }, { STR("BZh"), "bzcat" },
		{ STR("\x28\xb5\x2f\xfd"), "zstdcat" }, { STR("LPKSHHRH"), "journalctl -k --file" },
	};
	for (size_t i = 0; i < countof(packed); i++)
		if (str_starts(head, packed[i].magic))
			leave(LEAVE_FAILED, "%s is no text; try: %s FILE | oomphctl oom --from -", name, packed[i].tool);
}

struct lines {
	size_t n;
	char bytes[LINE_MAX_BYTES];     /* the line begun */
};

static void take_bytes(struct log *l, struct lines *line, struct str bytes)
{
	while (bytes.n) {
		size_t end = str_chr(bytes, '\n'), room = sizeof line->bytes - line->n;
		memcpy(line->bytes + line->n, bytes.p, end < room ? end : room);
		line->n += end < room ? end : room;
		if (end == bytes.n)
			return;
		read_line(l, line->bytes, line->n);
		line->n = 0;
		bytes = str_skip(bytes, end + 1);
	}
}

/* Of a device (/dev/kmsg), what is there now; a pipe is waited for. */
static int open_log(const char *path, bool *is_device)
{
	struct stat st;
	*is_device = stat(path, &st) == 0 && S_ISCHR(st.st_mode);
	return open(path, O_RDONLY | O_CLOEXEC | (*is_device ? O_NONBLOCK : 0));
}

static void read_log(struct log *l, int fd, const char *name, bool is_device)
{
	static struct lines line;
	static char bytes[1 << 16];
	for (bool is_first = true;; is_first = false) {
		ssize_t n = read(fd, bytes, sizeof bytes);
		if (n < 0 && errno == EAGAIN && !is_device && poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1) > 0)
			continue;
		if (n < 0 && (errno == EINTR || errno == EPIPE))        /* EPIPE: /dev/kmsg has lost records meanwhile */
			continue;
		if (n < 0 && errno != EAGAIN)
			leave(LEAVE_FAILED, "%s: %s", name, strerror(errno));
		if (n <= 0)
			break;
		if (is_first)
			refuse_packed(name, str_of(bytes, (size_t)n));
		take_bytes(l, &line, str_of(bytes, (size_t)n));
	}
	if (line.n)
		read_line(l, line.bytes, line.n);
	close_line(l);
}

/* ---- the answer ---- */

static void show(const struct ask *ask, const struct found *f)
{
	char text[1024];
	struct buf b = BUF(text);
	if (ask->is_json) {
		view_kill_json(&f->kill, f->when, f->line, f->has_seq ? &f->seq : NULL);
		return;
	}
	say_kill(&b, &f->kill);
	printf("%s  %s Evidence: ", f->when[0] ? line_text(f->when).text : "-", buf_cstr(&b));
	if (f->has_seq)
		printf("kernel log record %llu.\n", (unsigned long long)f->seq);
	else
		printf("line %llu of the log.\n", (unsigned long long)f->line);
}

int from_main(const struct ask *ask)
{
	static struct log log;
	bool is_stdin = strcmp(ask->from, "-") == 0, is_device = false;
	const char *name = is_stdin ? "standard input" : ask->from;
	int fd = is_stdin ? STDIN_FILENO : open_log(ask->from, &is_device);
	if (fd < 0)
		leave(LEAVE_FAILED, "%s: %s", line_raw(name).text, strerror(errno));
	kmsg_reset(&log.reader);
	read_log(&log, fd, line_raw(name).text, is_device);
	size_t first = (ask->options & OPTION_NUMBER) && ask->number < log.n ? log.n - ask->number : 0;
	for (size_t i = first; i < log.n; i++)
		show(ask, &log.list[i]);
	return LEAVE_OK;
}
