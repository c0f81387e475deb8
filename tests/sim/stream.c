#include "stream.h"

#include "lib/str.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define WALL_MS 1700000000000u

enum form { NUMBER, SIGNED, TEXT, WORDS };
struct field {
	const char *name;
	size_t at, size;
	enum form form;
};
#define FIELD(type, member, how) { #member, offsetof(struct type, member), sizeof ((struct type *)0)->member, how }

static const struct field event_fields[] = {
	FIELD(event, role, NUMBER), FIELD(event, verb, NUMBER), FIELD(event, client, NUMBER), FIELD(event, argument, SIGNED),
	FIELD(event, pid, NUMBER), FIELD(event, code, NUMBER), FIELD(event, status, NUMBER), FIELD(event, step, NUMBER),
	FIELD(event, error, SIGNED), FIELD(event, shared, NUMBER), FIELD(event, has_counter, NUMBER), FIELD(event, counter, NUMBER),
	FIELD(event, is_empty, NUMBER), FIELD(event, is_ok, NUMBER), FIELD(event, has_kmsg, NUMBER), FIELD(event, kmsg_seq, NUMBER),
	FIELD(event, is_first_killed, NUMBER), FIELD(event, wall_ms, NUMBER), FIELD(event, told_at, NUMBER), FIELD(event, comm, TEXT),
	FIELD(event, sender.pid, NUMBER), FIELD(event, sender.uid, NUMBER), FIELD(event, sender.comm, TEXT), { .name = NULL },
};

static const struct field kill_fields[] = {
	FIELD(oom_kill, seq, NUMBER), FIELD(oom_kill, usec, NUMBER), FIELD(oom_kill, pid, NUMBER), FIELD(oom_kill, tgid, NUMBER),
	FIELD(oom_kill, uid, NUMBER), FIELD(oom_kill, comm, TEXT), FIELD(oom_kill, total_vm_kb, NUMBER), FIELD(oom_kill, anon_rss_kb, NUMBER),
	FIELD(oom_kill, file_rss_kb, NUMBER), FIELD(oom_kill, shmem_rss_kb, NUMBER), FIELD(oom_kill, pgtables_kb, NUMBER),
	FIELD(oom_kill, oom_score_adj, SIGNED), FIELD(oom_kill, scope, NUMBER), FIELD(oom_kill, is_group, NUMBER),
	FIELD(oom_kill, is_sharer, NUMBER), FIELD(oom_kill, is_allocating_task, NUMBER), FIELD(oom_kill, is_manual, NUMBER),
	FIELD(oom_kill, is_memcg_cut, NUMBER), FIELD(oom_kill, is_task_memcg_cut, NUMBER), FIELD(oom_kill, is_task_memcg_above, NUMBER),
	FIELD(oom_kill, invoked_by, TEXT), FIELD(oom_kill, constraint, TEXT), FIELD(oom_kill, memcg, TEXT), FIELD(oom_kill, task_memcg, TEXT),
	{ .name = NULL },
};

static const struct field message_fields[] = {
	FIELD(notify_message, is_ready, NUMBER), FIELD(notify_message, is_stopping, NUMBER), FIELD(notify_message, is_reloading, NUMBER),
	FIELD(notify_message, is_alive, NUMBER), FIELD(notify_message, is_watchdog_trigger, NUMBER), FIELD(notify_message, has_main_pid, NUMBER),
	FIELD(notify_message, main_pid, NUMBER), FIELD(notify_message, has_extension, NUMBER), FIELD(notify_message, extension_us, NUMBER),
	FIELD(notify_message, has_watchdog, NUMBER), FIELD(notify_message, watchdog_us, NUMBER), FIELD(notify_message, has_time, NUMBER),
	FIELD(notify_message, time_us, NUMBER), FIELD(notify_message, has_error, NUMBER), FIELD(notify_message, error, NUMBER),
	FIELD(notify_message, has_status, NUMBER), FIELD(notify_message, status, WORDS), { .name = NULL },
};

/* What a field is of that nobody tells. */
static struct event usual(enum event_kind kind, uint64_t now_ms)
{
	return (struct event){ .kind = (uint8_t)kind, .now_ms = now_ms, .wall_ms = WALL_MS + now_ms, .service = NO_UNIT, .client = NO_CLIENT };
}

/* ---- writing ---- */

static uint64_t number_of(const struct field *f, const void *from)
{
	uint64_t value = 0;             /* of a little endian, as all that we run on */
	memcpy(&value, (const char *)from + f->at, f->size);
	uint64_t sign = (uint64_t)1 << (f->size * 8 - 1);
	return f->form == SIGNED ? (value ^ sign) - sign : value;
}

static void write_text(FILE *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] > ' ' && text.p[i] <= '~' && text.p[i] != '%')
			putc(text.p[i], out);
		else
			fprintf(out, "%%%02x", (unsigned char)text.p[i]);
}

static void write_field(FILE *out, const char *whose, const struct field *f, const void *from)
{
	const char *at = (const char *)from + f->at;
	fprintf(out, " %s%s=", whose, f->name);
	if (f->form == TEXT)
		write_text(out, str_from(at));
	else if (f->form == WORDS)
		write_text(out, *(const struct str *)(const void *)at);
	else
		fprintf(out, f->form == SIGNED ? "%lld" : "%llu", (unsigned long long)number_of(f, from));
}

static void write_fields(FILE *out, const char *whose, const struct field *fields, const void *from, const void *base)
{
	for (const struct field *f = fields; f->name; f++)
		if (memcmp((const char *)from + f->at, (const char *)base + f->at, f->size))
			write_field(out, whose, f, from);
}

void stream_write(FILE *out, const struct world *w, const struct event *ev)
{
	static const struct oom_kill no_kill;
	static const struct notify_message no_message;
	struct event base = usual((enum event_kind)ev->kind, ev->now_ms);
	fprintf(out, "%llu %s", (unsigned long long)ev->now_ms, event_name[ev->kind]);
	if (ev->service != NO_UNIT)
		fprintf(out, " %s", w->plans[w->ids[ev->service]].name);
	write_fields(out, "", event_fields, ev, &base);
	if (ev->kill)
		write_fields(out, "kill.", kill_fields, ev->kill, &no_kill);
	if (ev->message)
		write_fields(out, "message.", message_fields, ev->message, &no_message);
	putc('\n', out);
}

/* ---- reading ---- */

static bool read_number(const struct field *f, struct str text, void *to)
{
	uint64_t value;
	int64_t less;
	bool is_read = f->form == SIGNED ? str_i64(text, &less) : str_u64(text, &value);
	memcpy((char *)to + f->at, f->form == SIGNED ? (void *)&less : (void *)&value, is_read ? f->size : 0);
	return is_read;
}

/* "%20" is a space. */
static size_t read_text(struct str text, char *to, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n && n + 1 < size; i++) {
		char hex[3] = "";
		bool is_hex = text.p[i] == '%' && i + 2 < text.n;
		to[n++] = is_hex ? (char)strtol(memcpy(hex, text.p + i + 1, 2), NULL, 16) : text.p[i];
		i += is_hex ? 2 : 0;
	}
	to[n] = '\0';
	return n;
}

static bool read_field(const struct field *fields, struct str name, struct str value, void *to, struct stream *s)
{
	for (const struct field *f = fields; f->name; f++) {
		if (!str_eq(name, str_from(f->name)))
			continue;
		if (f->form == NUMBER || f->form == SIGNED)
			return read_number(f, value, to);
		if (f->form == TEXT)
			read_text(value, (char *)to + f->at, f->size);
		else
			*(struct str *)(void *)((char *)to + f->at) = str_of(s->status, read_text(value, s->status, sizeof s->status));
		return true;
	}
	return false;
}

static bool read_any_field(struct str word, struct stream *s)
{
	struct str name = str_until(&word, '='), last = name, whose = str_until(&last, '.');
	if (str_eq(whose, STR("kill")))
		return read_field(kill_fields, last, word, &s->kill, s);
	if (str_eq(whose, STR("message")))
		return read_field(message_fields, last, word, &s->message, s);
	return read_field(event_fields, name, word, &s->event, s);
}

static enum event_kind kind_of(struct str name)
{
	enum event_kind kind = EVENT_TICK;
	while (kind < N_EVENT_KIND && !str_eq(name, str_from(event_name[kind])))
		kind++;
	return kind;
}

static uint32_t unit_of(const struct world *w, struct str name)
{
	uint32_t i = 0;
	while (i < w->n_units && !str_eq(name, str_from(w->plans[w->ids[i]].name)))
		i++;
	return i < w->n_units ? i : NO_UNIT;
}

bool stream_read(struct str line, const struct world *w, struct stream *s)
{
	uint64_t now_ms;
	struct str time = str_until(&line, ' ');
	enum event_kind kind = kind_of(str_until(&line, ' '));
	if (!str_u64(time, &now_ms) || kind == N_EVENT_KIND)
		return false;
	s->event = usual(kind, now_ms);
	s->kill = (struct oom_kill){ .seq = 0 };
	s->message = (struct notify_message){ .is_ready = false };
	s->event.kill = kind == EVENT_OOM_KILL || kind == EVENT_OOM_GROUP ? &s->kill : NULL;
	s->event.message = kind == EVENT_NOTIFY ? &s->message : NULL;
	while (line.n) {
		struct str word = str_until(&line, ' ');
		bool is_unit = str_chr(word, '=') == word.n;
		if (is_unit)
			s->event.service = unit_of(w, word);
		if (is_unit ? s->event.service == NO_UNIT : !read_any_field(word, s))
			return false;
	}
	return true;
}

/* ---- replaying ---- */

static bool next_line(struct stream *s)
{
	while (fgets(s->line, sizeof s->line, s->file)) {
		s->n_lines++;
		s->line[strcspn(s->line, "\n")] = '\0';
		if (s->line[0] >= '0' && s->line[0] <= '9')
			return true;
	}
	return false;
}

static bool is_same(const struct world *w, const struct event *ev, const char *line)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	stream_write(out, w, ev);
	fclose(out);
	bool is = size == strlen(line) + 1 && !memcmp(text, line, size - 1);
	free(text);
	return is;
}

void stream_follow(struct world *w, struct event *ev)
{
	struct stream *s = w->replay;
	if (s->is_over)
		return;
	if (next_line(s) && is_same(w, ev, s->line) && stream_read(str_from(s->line), w, s)) {
		*ev = s->event;
		return;
	}
	printf("from here on it is another story than the one of line %u: the core's answers have changed\n", s->n_lines);
	s->is_over = true;
}
