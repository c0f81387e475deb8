/*
 * A batch: one read of one stream, or what it holds of an unfinished line, into lines and into the unit's file. How it survives the
 * logger is said in ledger.c.
 */
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- bytes into lines ---- */

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
	l->store.in_batch = true;
	bool has_room = make_room(st, &next, in);
	uint32_t moved = next.room;
	struct logsplit s = logsplit_open(&next.split, &rules, ledger_bytes(st, next.room), in);
	if (b->op != BATCH_READ || !has_room)
		put_piece(l, w, &s, b->op == BATCH_END, &line);
	while (logsplit_next(&s, &line))
		log_put(l, w, &line);
	hold(l, w, &next, &s, &line);
	log_flush(l);
	l->store.in_batch = false;
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

void batch_run(struct logger *l, struct writer *w, uint32_t index, enum batch_op op)
{
	struct batch b = { .time_us = now_us(), .index = index, .op = (uint8_t)op };
	prepare(l, w, &b);
	ledger_begin(&l->ledger, b);
	work(l, w);
}

void batch_end(struct logger *l, struct writer *w, uint32_t index)
{
	struct logsplit_state s = ledger_held(&l->ledger, index).split;
	if (s.n_held || s.goes_on)
		batch_run(l, w, index, BATCH_END);
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

size_t batch_read(struct logger *l, struct writer *w, uint32_t index, int fd)
{
	int n = 0;
	struct ledger *st = &l->ledger;
	struct batch b = { .index = index, .op = BATCH_READ };
	if (ioctl(fd, FIONREAD, &n) < 0 || n <= 0)
		return 0;
	b.n = (uint32_t)n < INBOX_SIZE ? (uint32_t)n : INBOX_SIZE;
	prepare(l, w, &b);
	b.time_us = now_us();
	b.has_witness = peek(l, fd, &b.first);
	*ledger_inbox(st) = (char)~b.first;
	ledger_begin(st, b);
	ssize_t got = read(fd, ledger_inbox(st), b.n);
	if (got <= 0) {                 /* somebody else reads this pipe */
		ledger_done(st, index, ledger_held(st, index));
		return 0;
	}
	ledger_batch(st)->n = (uint32_t)got;
	uint64_t size = w->log->size;
	work(l, w);
	w->log->growth = growth(w->log->size - size, (uint64_t)got);
	return (size_t)got;
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

void batch_undo(struct logger *l)
{
	const struct batch *b = ledger_batch(&l->ledger);
	if (!ledger_pending(&l->ledger) || !b->inode)
		return;
	const char *unit = writer_of(l, str_from(l->ledger.streams[b->index].unit))->name;
	cut_back(l, l->options.base, b, unit);
	cut_back(l, l->options.run, b, unit);
}

void batch_recover(struct logger *l)
{
	struct ledger *st = &l->ledger;
	struct batch *b = ledger_batch(st);
	if (ledger_pending(st)) {
		struct writer *w = writer_of(l, str_from(st->streams[b->index].unit));
		bool is_read = b->op != BATCH_READ || (b->has_witness && (uint8_t)*ledger_inbox(st) == b->first && b->n <= INBOX_SIZE);
		ledger_rebase(st, 0, 0, 0);
		if (is_read && !l->options.is_stdout && store_prepare(l, w, b->n))
			ledger_rebase(st, w->log->device, w->log->inode, w->log->size);
		if (is_read)
			work(l, w);
		else
			ledger_done(st, b->index, ledger_held(st, b->index));
	}
	if (st->line_max == l->settings.line_max)
		return;
	for (uint32_t i = 0; i < ledger_count(st); i++)
		if (st->streams[i].pipe && ledger_held(st, i).split.n_held)
			batch_run(l, writer_of(l, str_from(st->streams[i].unit)), i, BATCH_FLUSH);
	if (!ledger_resize(st, l->settings.line_max))
		complain("LineMax= stays as it was: %s", strerror(errno));
}
