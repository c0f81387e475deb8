/*
 * What comes to the logger, and what lies in its files. The first byte says which form the rest is read as; what is handed on must
 * be all of what came, and what is written must read the same.
 */
#include "fuzz.h"
#include "lib/journalmsg.h"
#include "lib/logfile.h"
#include "lib/logjson.h"
#include "lib/logqueue.h"
#include "lib/logread.h"
#include "lib/logsplit.h"
#include "lib/syslogmsg.h"

#include <stdlib.h>
#include <string.h>

static struct buf room_of(size_t n)
{
	return (struct buf){ .p = malloc(n ? n : 1), .cap = n };
}

/* ---- a line of a file ---- */

static void as_json(const struct logline *line)
{
	struct buf b = room_of(LOGJSON_MAX(9, line->text.n));
	logjson_put(&b, STR("x.service"), line);
	must(!b.is_cut);
	free(b.p);
}

static void read_line(struct str text)
{
	struct logline line, again;
	struct buf b = room_of(LOGLINE_HEAD_MAX + text.n);
	uint64_t time_us;
	enum logfile_form form;
	struct str rest = text;
	if (logline_parse(text, &line)) {
		must_lie_within(line.text, text);
		must(line.stream < N_LOG_STREAM && line.priority < N_LOG_PRIORITY);
		logline_head(&b, &line);
		buf_str(&b, line.text);
		must(!b.is_cut && logline_parse(buf_view(&b), &again));
		must(again.time_us == line.time_us && again.generation == line.generation && again.pid == line.pid && again.stream == line.stream &&
		     again.priority == line.priority && again.is_cut == line.is_cut && str_eq(again.text, line.text));
		as_json(&line);
	}
	logline_time(&rest, &time_us);
	must_lie_within(rest, text);
	logline_take_priority(&rest, &line.priority);
	if (logfile_parse(text, &time_us, &form))
		must(form < N_LOGFILE_FORM);
	logfile_is_folder(text);
	free(b.p);
}

/* ---- a file, from both its ends ---- */

#define LINES_MOST 4096

static size_t forwards(struct str text, size_t *begins)
{
	size_t n = 0;
	for (struct str rest = text; rest.n && n < LINES_MOST; str_until(&rest, '\n'))
		begins[n++] = text.n - rest.n;
	return n;
}

static void read_backwards(struct str text)
{
	static size_t begins[LINES_MOST];
	size_t n = forwards(text, begins), size = 8;
	struct logback b;
	struct str line;
	uint64_t at, from;
	logback_begin(&b, malloc(size), size, text.n);
	for (enum logback_answer answer; n <= LINES_MOST && (answer = logback_next(&b, &line, &at)) != LOGBACK_TOP;) {
		size_t wanted;
		char *room = answer == LOGBACK_WANTS ? logback_room(&b, &from, &wanted) : NULL;
		if (answer == LOGBACK_LINE) {
			must(n > 0 && at == begins[--n]);
			must(line.n == str_chr(str_skip(text, at), '\n') && memcmp(line.p, text.p + at, line.n) == 0);
		} else if (room) {
			must(from + wanted <= text.n);
			memcpy(room, text.p + from, wanted);
			logback_filled(&b, wanted);
		} else {
			size *= 2;
			logback_grown(&b, realloc(b.bytes, size), size);
		}
	}
	must(n == 0);
	free(b.bytes);
}

/* ---- a stream into lines, however it is cut into reads ---- */

#define LINE_MAX LOGSPLIT_LINE_LEAST
static const char token[] = "0123456789abcdef";

/* All texts, a line feed behind each that is complete, and markers as they change things. */
static void note(struct buf *all, const struct logline *line)
{
	must(line->text.n <= LINE_MAX + LOG_MARKER_SIZE && line->priority < N_LOG_PRIORITY);
	buf_str(all, line->text);
	if (!line->is_cut) {
		buf_char(all, '\n');
		buf_u64(all, line->generation);
	}
}

static void split(struct str text, size_t chunk, struct buf *all)
{
	struct logsplit_state state = { 0 };
	const struct logsplit_rules rules = { token, LINE_MAX, LOG_PRIORITY_INFO, true };
	char *held = malloc(LOGSPLIT_ROOM(LINE_MAX));
	struct logline line = { .time_us = 1 };
	for (struct str rest = text; rest.n;) {
		struct str read = exactly(str_of(rest.p, rest.n < chunk ? rest.n : chunk));
		struct logsplit s = logsplit_open(&state, &rules, held, read);
		while (logsplit_next(&s, &line))
			note(all, &line);
		must(state.n_held <= LOGSPLIT_ROOM(LINE_MAX) && state.n_held + s.in.n <= LOGSPLIT_ROOM(LINE_MAX));
		if (s.in.n)
			memcpy(held + state.n_held, s.in.p, s.in.n);
		state.n_held += (uint32_t)s.in.n;
		rest = str_skip(rest, read.n);
		free((char *)read.p);
	}
	struct logsplit s = logsplit_open(&state, &rules, held, STR(""));
	while (logsplit_flush(&s, true, &line))
		note(all, &line);
	free(held);
}

static void split_anyhow(struct str text)
{
	static const size_t chunks[] = { 1, 7, 100, 300, 65536 };
	size_t most = 32 * (text.n + 2);
	struct buf whole = room_of(most);
	split(text, 65536, &whole);
	must(!whole.is_cut);
	for (size_t i = 0; i < countof(chunks); i++) {
		struct buf parts = room_of(most);
		split(text, chunks[i], &parts);
		must(str_eq(buf_view(&whole), buf_view(&parts)));
		free(parts.p);
	}
	free(whole.p);
}

/* ---- datagrams ---- */

static void read_syslog(struct str text)
{
	struct syslogmsg m;
	struct buf b = room_of(text.n * 2 + 64), head = room_of(SYSLOG_HEAD_MAX + text.n);
	syslogmsg_parse(text, &m);
	must(m.facility < N_SYSLOG_FACILITY && m.priority < N_LOG_PRIORITY);
	const struct str parts[] = { m.host, m.tag, m.pid, m.id, m.data, m.text, syslogmsg_trim(text) };
	for (size_t i = 0; i < countof(parts); i++)
		must_lie_within(parts[i], text);
	syslogmsg_put_origin(&b, &m, STR("here"), 7, true);
	syslogmsg_put_origin(&b, &m, STR("here"), 7, false);
	struct syslog_outgoing out = { 1795752181000000, m.facility, m.priority, 7, m.host, m.tag, m.id, m.text };
	syslogmsg_put(&head, &out);
	must(!head.is_cut);
	struct str rest = m.text, tag;
	if (syslogmsg_take_tag(&rest, &tag))
		must_lie_within(tag, text);
	free(b.p);
	free(head.p);
}

static void read_journal(struct str text)
{
	struct str rest = text;
	struct journalmsg m;
	for (enum journalmsg_result r = JOURNALMSG_ENTRY; r == JOURNALMSG_ENTRY;) {
		size_t before = rest.n;
		r = journalmsg_next(&rest, &m);
		must_lie_within(rest, text);
		must(r != JOURNALMSG_ENTRY || rest.n < before);
		if (r == JOURNALMSG_END)
			return;
		must_lie_within(m.message, text);
		must_lie_within(m.identifier, text);
		must_lie_within(m.pid, text);
		must(m.priority < N_LOG_PRIORITY && m.facility < N_SYSLOG_FACILITY);
	}
}

/* ---- records that wait ---- */

static void queue_up(struct str text)
{
	char bytes[64];
	struct logqueue q = { .bytes = bytes, .cap = sizeof bytes };
	struct input in = { (const uint8_t *)text.p, text.n };
	while (in.n) {
		struct buf b = room_of(sizeof bytes);
		if (input_below(&in, 2))
			logqueue_push(&q, input_text(&in));
		else if (logqueue_pop(&q, &b))
			must(!b.is_cut);
		must(q.n <= q.cap);
		free(b.p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static void (*const forms[])(struct str) = { read_line, read_backwards, split_anyhow, read_syslog, read_journal, queue_up };
	if (n == 0)
		return 0;
	struct str text = exactly(str_of((const char *)bytes + 1, n - 1));
	forms[bytes[0] % countof(forms)](text);
	free((char *)text.p);
	return 0;
}
