#include "parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a. */
static uint32_t bucket_of(struct str name)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < name.n; i++)
		hash = (hash ^ (unsigned char)name.p[i]) * 16777619u;
	return hash % BUCKETS;
}

struct writer *writer_find(struct logger *l, struct str name)
{
	for (struct writer *w = l->buckets[bucket_of(name)]; w; w = w->next)
		if (str_eq(str_from(w->name), name))
			return w;
	return NULL;
}

static bool has_place(struct logger *l)
{
	uint32_t cap = l->writers_cap ? 2 * l->writers_cap : 64;
	if (l->n_writers < l->writers_cap)
		return true;
	struct writer **fresh = l->n_writers < WRITERS_MAX ? realloc(l->writers, cap * sizeof *fresh) : NULL;
	if (!fresh)
		return false;
	l->writers = fresh;
	l->writers_cap = cap;
	return true;
}

/* One piece of memory: the writer, what is private of it, its name. */
static struct writer *make(struct logger *l, struct str name)
{
	struct { struct writer w; struct writer_log log; char name[]; } *all = has_place(l) ? calloc(1, sizeof *all + name.n + 1) : NULL;
	if (!all)
		return NULL;
	memcpy(all->name, name.p, name.n);
	all->log = (struct writer_log){ .id = l->n_writers, .fd = -1 };
	all->w = (struct writer){ .name = all->name, .identifier = (char *)"", .level_max = LOG_PRIORITY_DEBUG, .log = &all->log };
	struct writer **bucket = &l->buckets[bucket_of(name)];
	all->w.next = *bucket;
	*bucket = &all->w;
	l->writers[l->n_writers++] = &all->w;
	return &all->w;
}

struct writer *writer_of(struct logger *l, struct str name)
{
	struct writer *w = writer_find(l, name);
	if (!w && logfile_is_folder(name))
		w = make(l, name);
	return w ? w : l->others;
}

struct str writer_short(const struct writer *w)
{
	struct str name = str_from(w->name);
	if (str_ends(name, STR(".service")))
		name.n -= strlen(".service");
	return name;
}

bool writers_open(struct logger *l)
{
	l->rates.due = rate_timer;
	timer_add(l, &l->rates);
	l->others = make(l, STR(LOGFILE_SYSTEM));
	return l->others;
}

/* ---- lines ---- */

static void note_suppressed(struct logger *l, struct writer *w, uint32_t n)
{
	log_note(l, w, LOG_PRIORITY_WARNING, "suppressed %u lines", n);
}

static bool is_passed(struct logger *l, struct writer *w, const struct logline *line)
{
	struct writer_log *log = w->log;
	uint32_t n;
	if (line->priority > w->level_max)
		return false;
	if (log->rate_ms == 0)
		return true;
	bool is_passed = lograte_pass(&log->rate, log->rate_ms, log->rate_burst, l->round_ms, &n);
	if (n)
		note_suppressed(l, w, n);
	if (log->rate.n_suppressed == 1 && (l->rates.at_ms == 0 || l->rates.at_ms > l->round_ms + log->rate_ms))
		l->rates.at_ms = l->round_ms + log->rate_ms;
	return is_passed;
}

/* A service that was silenced and then falls silent is told of all the same. */
void rate_timer(struct logger *l, struct timer *t)
{
	uint64_t now = now_ms();
	for (uint32_t i = 0; i < l->n_writers; i++) {
		struct writer_log *log = l->writers[i]->log;
		uint32_t n = lograte_end(&log->rate, log->rate_ms, now);
		if (n)
			note_suppressed(l, l->writers[i], n);
		else if (log->rate.n_suppressed && (t->at_ms == 0 || log->rate.since_ms + log->rate_ms < t->at_ms))
			t->at_ms = log->rate.since_ms + log->rate_ms;
	}
}

void writer_keep(struct logger *l, struct writer *w, const struct logline *line)
{
	for (struct tap *t = l->taps; t; t = t->next)
		t->line(l, t, w, line);
	if (l->options.is_stdout)
		stdout_line(l, w, line);
	else
		store_line(l, w, line);
}

/* Of one that is too long, which only datagrams are: streams come in pieces already. */
static void keep_pieces(struct logger *l, struct writer *w, const struct logline *line, size_t most)
{
	struct logline piece = *line;
	for (piece.is_cut = true; piece.text.n > most; piece.text = str_skip(piece.text, most)) {
		struct str rest = piece.text;
		piece.text.n = most;
		writer_keep(l, w, &piece);
		piece.text = rest;
	}
	piece.is_cut = line->is_cut;
	writer_keep(l, w, &piece);
}

void log_put(struct logger *l, struct writer *w, const struct logline *line)
{
	size_t most = l->options.is_stdout ? stdout_line_max(w) : l->settings.line_max;
	if (!is_passed(l, w, line))
		return;
	if (line->text.n <= most)
		writer_keep(l, w, line);
	else
		keep_pieces(l, w, line, most);
}

void log_put_text(struct logger *l, struct writer *w, const struct logline *line)
{
	struct logline one = *line;
	struct str rest = line->text;
	do {
		one.text = str_until(&rest, '\n');
		log_put(l, w, &one);
	} while (rest.n);
}

void log_note(struct logger *l, struct writer *w, uint8_t priority, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	writer_keep(l, w, &(struct logline){ .time_us = now_us(), .stream = LOG_NOTE, .priority = priority, .text = str_from(text) });
}

const struct settings *log_settings(const struct logger *l)
{
	return &l->settings;
}
