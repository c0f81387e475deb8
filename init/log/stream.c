/* What services write: pipes into lines. How a read survives the logger is said in ledger.c. */
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- a batch: bytes into lines ---- */

static struct logsplit_rules rules_of(struct logger *l, const struct ledger_stream *s, const struct writer *w)
{
	uint32_t most = l->ledger.line_max;
	if (l->options.is_stdout && most > stdout_line_max(w))
		most = stdout_line_max(w);
	return (struct logsplit_rules){ .token = ledger_token(&l->ledger), .line_max = most, .level = s->level, .has_prefix = s->has_prefix };
}

/* The line that is held and what is to come of it need to be in one place. */
static bool make_room(struct ledger *st, struct held *h, struct str in)
{
	uint32_t room;
	size_t n = h->split.n_held;
	if (n == 0 || h->room >= SMALL_ROOMS || n + logsplit_first(in) <= SMALL_ROOM)
		return true;
	if (!ledger_room(st, SMALL_ROOM + 1, &room))
		return false;
	memcpy(ledger_bytes(st, room), ledger_bytes(st, h->room), n);
	h->room = room;
	return true;
}

static void put_piece(struct logger *l, struct writer *w, struct logsplit *s, bool is_end, struct logline *line)
{
	if (logsplit_flush(s, is_end, line))
		log_put(l, w, line);
}

/* What is left of a read is kept; where there is no room for it, it is written. */
static void hold(struct logger *l, struct writer *w, struct held *h, struct logsplit *s, struct logline *line)
{
	struct str rest = s->in;
	if (h->split.n_held == 0)
		h->room = NO_ROOM;
	if (rest.n == 0)
		return;
	h->split.n_held = (uint32_t)rest.n;
	if (ledger_room(&l->ledger, rest.n, &h->room)) {
		memcpy(ledger_bytes(&l->ledger, h->room), rest.p, rest.n);
		return;
	}
	s->held = (char *)rest.p;
	put_piece(l, w, s, false, line);
	h->room = NO_ROOM;
}

static void work(struct logger *l, struct writer *w)
{
	struct ledger *st = &l->ledger;
	const struct batch *b = ledger_batch(st);
	const struct ledger_stream *from = &st->streams[b->index];
	struct logsplit_rules rules = rules_of(l, from, w);
	struct held next = ledger_held(st, b->index), before = next;
	struct str in = b->op == BATCH_READ ? str_of(ledger_inbox(st), b->n) : STR("");
	struct logline line = { .time_us = b->time_us, .stream = from->stream };
	bool has_room = make_room(st, &next, in);
	uint32_t moved = next.room;
	struct logsplit s = logsplit_open(&next.split, &rules, ledger_bytes(st, next.room), in);
	if (b->op != BATCH_READ || !has_room)
		put_piece(l, w, &s, b->op == BATCH_END, &line);
	while (logsplit_next(&s, &line))
		log_put(l, w, &line);
	hold(l, w, &next, &s, &line);
	log_flush(l);
	ledger_done(st, b->index, next);
	if (moved != before.room && moved != next.room)
		ledger_free(st, moved);
}

/* Where the lines of a batch will go has to be known before it is told of. */
static void prepare(struct logger *l, struct writer *w, struct batch *b)
{
	log_flush(l);
	if (l->options.is_stdout || !store_prepare(l, w, (uint64_t)b->n * (16 + w->log->growth) / 16))
		return;
	b->device = w->log->device;
	b->inode = w->log->inode;
	b->size = w->log->size;
}

static void run(struct logger *l, struct writer *w, uint32_t index, enum batch_op op)
{
	struct batch b = { .time_us = now_us(), .index = index, .op = (uint8_t)op };
	prepare(l, w, &b);
	ledger_begin(&l->ledger, b);
	l->store.in_batch = true;
	work(l, w);
	l->store.in_batch = false;
}

/* ---- unfinished lines ---- */

static bool holds(const struct logger *l, const struct stream *s)
{
	return ledger_held(&l->ledger, s->index).split.n_held > 0;
}

static void end_line(struct logger *l, struct writer *w, uint32_t index)
{
	struct logsplit_state s = ledger_held(&l->ledger, index).split;
	if (s.n_held || s.goes_on)
		run(l, w, index, BATCH_END);
}

static void write_out(struct logger *l, struct stream *s)
{
	if (holds(l, s))
		run(l, s->writer, s->index, BATCH_FLUSH);
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

/* The first byte in the pipe, which stays there: tee(2). */
static bool peek(struct logger *l, int fd, uint8_t *first)
{
	return l->ledger.fd >= 0 && tee(fd, l->glance[1], 1, SPLICE_F_NONBLOCK) == 1 && read(l->glance[0], first, 1) == 1;
}

/* By how much lines are longer in the file, in sixteenths: so a file is rotated before a read would make it too large. */
static uint32_t growth(uint64_t written, uint64_t n)
{
	return written > n ? (uint32_t)((written - n) * 16 / n + 1) : 0;
}

static size_t read_some(struct logger *l, struct stream *s)
{
	int n = 0;
	struct ledger *st = &l->ledger;
	struct batch b = { .index = s->index, .op = BATCH_READ };
	if (ioctl(s->source.fd, FIONREAD, &n) < 0 || n <= 0)
		return 0;
	make_rooms(l);
	b.n = (uint32_t)n < INBOX_SIZE ? (uint32_t)n : INBOX_SIZE;
	prepare(l, s->writer, &b);
	b.time_us = now_us();
	b.has_witness = peek(l, s->source.fd, &b.first);
	*ledger_inbox(st) = (char)~b.first;
	ledger_begin(st, b);
	ssize_t got = read(s->source.fd, ledger_inbox(st), b.n);
	if (got <= 0) {                 /* somebody else reads this pipe */
		ledger_done(st, s->index, ledger_held(st, s->index));
		return 0;
	}
	ledger_batch(st)->n = (uint32_t)got;
	uint64_t size = s->writer->log->size;
	l->store.in_batch = true;
	work(l, s->writer);
	l->store.in_batch = false;
	s->writer->log->growth = growth(s->writer->log->size - size, (uint64_t)got);
	s->spoke_ms = l->round_ms;
	if (!l->silence.at_ms && holds(l, s))
		l->silence.at_ms = l->round_ms + SILENCE_MS;
	return (size_t)got;
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
			end_line(l, s->writer, s->index);
}

/* ---- streams come and go ---- */

static void forget(struct logger *l, uint32_t index)
{
	end_line(l, writer_of(l, str_from(l->ledger.streams[index].unit)), index);
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

/* ---- after a predecessor ---- */

/* The file that its batch was being written to gets the size that it had before. */
static void cut_back(struct logger *l, const char *base, const struct batch *b, const char *unit)
{
	struct stat st;
	int at = folder_base(base, false), folder = at < 0 ? -1 : folder_unit(&l->store, at, unit, false);
	int fd = folder < 0 ? -1 : openat(folder, LOGFILE_CURRENT, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == b->inode && st.st_dev == b->device &&
	    (uint64_t)st.st_size > b->size && ftruncate(fd, (off_t)b->size) < 0)
		complain("%s: its log ends in lines that may be there twice: %s", unit, strerror(errno));
	for (int *open = (int[]){ fd, folder, at, -2 }; *open != -2; open++)
		if (*open >= 0)
			close(*open);
}

void streams_undo(struct logger *l)
{
	const struct batch *b = ledger_batch(&l->ledger);
	if (!ledger_pending(&l->ledger) || !b->inode)
		return;
	const char *unit = writer_of(l, str_from(l->ledger.streams[b->index].unit))->name;
	cut_back(l, l->options.base, b, unit);
	cut_back(l, l->options.run, b, unit);
}

void streams_recover(struct logger *l)
{
	struct ledger *st = &l->ledger;
	struct batch *b = ledger_batch(st);
	if (ledger_pending(st)) {
		struct writer *w = writer_of(l, str_from(st->streams[b->index].unit));
		bool is_read = b->op != BATCH_READ || (b->has_witness && (uint8_t)*ledger_inbox(st) == b->first && b->n <= INBOX_SIZE);
		ledger_rebase(st, 0, 0, 0);
		if (is_read && !l->options.is_stdout && store_prepare(l, w, b->n))
			ledger_rebase(st, w->log->device, w->log->inode, w->log->size);
		l->store.in_batch = true;
		if (is_read)
			work(l, w);
		else
			ledger_done(st, b->index, ledger_held(st, b->index));
		l->store.in_batch = false;
	}
	if (st->line_max == l->settings.line_max)
		return;
	for (uint32_t i = 0; i < ledger_count(st); i++)
		if (st->streams[i].pipe && ledger_held(st, i).split.n_held)
			run(l, writer_of(l, str_from(st->streams[i].unit)), i, BATCH_FLUSH);
	if (!ledger_resize(st, l->settings.line_max))
		complain("LineMax= stays as it was: %s", strerror(errno));
}

void streams_open(struct logger *l)
{
	l->silence.due = on_silence;
	timer_add(l, &l->silence);
	if (pipe2(l->glance, O_CLOEXEC | O_NONBLOCK) < 0)
		l->glance[0] = l->glance[1] = -1;
}
