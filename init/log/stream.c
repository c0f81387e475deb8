/* What services write: pipes into lines. What becomes of a read is said in batch.c. */
#include "parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- unfinished lines ---- */

static bool holds(const struct logger *l, const struct stream *s)
{
	return ledger_held(&l->ledger, s->index).split.n_held > 0;
}

static void write_out(struct logger *l, struct stream *s)
{
	if (holds(l, s))
		batch_run(l, s->writer, s->index, BATCH_FLUSH);
}

static void on_silence(struct logger *l, struct timer *t)
{
	uint64_t now = now_ms();
	for (struct stream *s = l->streams; s; s = s->next) {
		if (!holds(l, s))
			continue;
		if (s->spoke_ms + SILENCE_MS <= now)
			write_out(l, s);
		else if (t->at_ms == 0 || s->spoke_ms + SILENCE_MS < t->at_ms)
			t->at_ms = s->spoke_ms + SILENCE_MS;
	}
}

/* So many unfinished lines that a batch might find no room: whose stream has been silent longest has to give way. */
static void make_rooms(struct logger *l)
{
	while (!ledger_has_rooms(&l->ledger)) {
		struct stream *oldest = NULL;
		bool wants_large = l->ledger.n_free_large < 2;
		for (struct stream *s = l->streams; s; s = s->next) {
			struct held h = ledger_held(&l->ledger, s->index);
			if (h.room != NO_ROOM && (h.room >= SMALL_ROOMS) == wants_large && (!oldest || s->spoke_ms < oldest->spoke_ms))
				oldest = s;
		}
		if (!oldest)
			return;
		write_out(l, oldest);
	}
}

/* ---- reading ---- */

static size_t read_some(struct logger *l, struct stream *s)
{
	make_rooms(l);
	size_t got = batch_read(l, s->writer, s->index, s->source.fd);
	if (got == 0)
		return 0;
	s->spoke_ms = l->round_ms;
	if (!l->silence.at_ms && holds(l, s))
		l->silence.at_ms = l->round_ms + SILENCE_MS;
	return got;
}

size_t streams_drain(struct logger *l, const struct writer *w)
{
	size_t all = 0;
	for (struct stream *s = l->streams; s; s = s->next) {
		int n = 0;
		if ((w && s->writer != w) || ioctl(s->source.fd, FIONREAD, &n) < 0)
			continue;
		for (size_t got = 1, rest = (size_t)n; rest && got; rest -= got < rest ? got : rest)
			all += got = read_some(l, s);
	}
	return all;
}

void streams_write_out(struct logger *l, const struct writer *w)
{
	for (struct stream *s = l->streams; s; s = s->next)
		if (!w || s->writer == w)
			write_out(l, s);
}

void streams_end(struct logger *l, const struct writer *w)
{
	for (struct stream *s = l->streams; s; s = s->next)
		if (s->writer == w)
			batch_end(l, s->writer, s->index);
}

/* ---- streams come and go ---- */

static void forget(struct logger *l, uint32_t index)
{
	batch_end(l, writer_of(l, str_from(l->ledger.streams[index].unit)), index);
	ledger_remove(&l->ledger, index);
}

static void detach(struct logger *l, struct stream *s)
{
	struct stream **at = &l->streams;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	source_close(l, &s->source);
	forget(l, s->index);
	free(s);
}

/* It has ended when PID 1 has let go of it and nobody is left who could write. */
static void on_stream(struct logger *l, struct source *source, uint32_t events)
{
	struct stream *s = (struct stream *)((char *)source - offsetof(struct stream, source));
	if (read_some(l, s) == 0 && events & (EPOLLHUP | EPOLLERR))
		detach(l, s);
}

/* A description of our own, to read only: one that is open for both directions never ends. Without /proc it does. */
static int reopen(int fd)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int own = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (own < 0)
		return fd;
	close(fd);
	return own;
}

static bool take_settings(struct logger *l, struct writer *w, const struct log_packet *p)
{
	struct writer_log *log = w->log;
	if (strcmp(w->identifier, p->identifier) != 0) {
		char *fresh = strdup(p->identifier);
		if (!fresh)
			return false;
		if (w->identifier[0])
			free(w->identifier);
		w->identifier = fresh;
	}
	w->is_known = true;
	w->level_max = p->level_max;
	log->rate_ms = p->rate_ms;
	log->rate_burst = p->rate_burst;
	log->copies[p->stream] = p->copies;
	if (memcmp(ledger_token(&l->ledger), p->token, sizeof p->token) != 0)
		memcpy(ledger_token(&l->ledger), p->token, sizeof p->token);
	return true;
}

static struct stream *find(struct logger *l, uint32_t index)
{
	struct stream *s = l->streams;
	while (s && s->index != index)
		s = s->next;
	return s;
}

/* The entry of this pipe; what is left of another that the unit had before ends. */
static bool entry_of(struct logger *l, const struct log_packet *p, uint64_t pipe, uint32_t *index)
{
	struct str unit = str_from(p->unit);
	*index = ledger_find(&l->ledger, unit, p->stream);
	if (*index < ledger_count(&l->ledger) && l->ledger.streams[*index].pipe != pipe) {
		struct stream *s = find(l, *index);
		if (s)
			detach(l, s);
		else
			forget(l, *index);
		*index = ledger_count(&l->ledger);
	}
	return *index < ledger_count(&l->ledger) || ledger_add(&l->ledger, unit, p->stream, pipe, index);
}

static bool is_sound(const struct log_packet *p, int fd, struct stat *st)
{
	return fd >= 0 && fstat(fd, st) == 0 && S_ISFIFO(st->st_mode) && p->stream <= LOG_ERR && p->level < N_LOG_PRIORITY &&
	       memchr(p->unit, '\0', sizeof p->unit) && memchr(p->identifier, '\0', sizeof p->identifier);
}

void stream_attach(struct logger *l, const struct log_packet *p, int fd)
{
	struct stat st;
	uint32_t index;
	struct stream *s = NULL;
	struct writer *w = is_sound(p, fd, &st) ? writer_of(l, str_from(p->unit)) : NULL;
	if (!w || !take_settings(l, w, p) || !entry_of(l, p, st.st_ino, &index))
		goto out;
	l->ledger.streams[index].level = p->level;
	l->ledger.streams[index].has_prefix = p->has_prefix;
	s = find(l, index) ? NULL : calloc(1, sizeof *s);       /* PID 1 tells of all of them again when it has been asked again */
	if (!s)
		goto out;
	*s = (struct stream){ .source = { .fd = reopen(fd), .ready = on_stream }, .writer = w, .next = l->streams, .index = index,
			      .spoke_ms = now_ms() };
	fd = -1;
	l->streams = s;
	int r = source_watch(l, &s->source, EPOLLIN);
	if (r < 0)
		complain("%s: its output cannot be read: %s", w->name, strerror(-r));
	if (holds(l, s) && !l->silence.at_ms)
		l->silence.at_ms = now_ms() + SILENCE_MS;
out:
	if (fd >= 0)
		close(fd);
}

void streams_settle(struct logger *l)
{
	for (uint32_t i = 0; i < ledger_count(&l->ledger); i++)
		if (l->ledger.streams[i].pipe && !find(l, i))
			forget(l, i);
}

void streams_open(struct logger *l)
{
	l->silence.due = on_silence;
	timer_add(l, &l->silence);
	if (pipe2(l->glance, O_CLOEXEC | O_NONBLOCK) < 0)
		l->glance[0] = l->glance[1] = -1;
}
