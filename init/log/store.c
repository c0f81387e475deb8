#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- failures ---- */

static bool is_no_space(int error)
{
	return error == ENOSPC || error == EDQUOT;
}

static void tell_failure(struct logger *l, int error)
{
	struct store *s = &l->store;
	bool is_told = s->failed == error && l->round_ms - s->failed_ms <= FAILED_AGAIN_MS;
	s->failed = error;
	s->failed_ms = l->round_ms;
	if (is_told)
		return;
	if (is_no_space(error))
		complain("no space left for logs: the oldest files are deleted, then lines are dropped; the services go on");
	else
		complain("logs cannot be written, lines are dropped; the services go on: %s", strerror(error));
}

/* ---- files ---- */

static void set_size(struct logger *l, struct writer_log *log, uint64_t size)
{
	uint64_t change = size - log->size;     /* may be less than nothing: all of it wraps alike */
	log->size = size;
	l->store.unit_bytes[log->id] += change;
	l->store.all_bytes += change;
}

void store_shut(struct logger *l, struct writer *w)
{
	if (w->log->fd < 0)
		return;
	close(w->log->fd);
	w->log->fd = -1;
	l->store.n_open--;
}

static void shut_one(struct logger *l)
{
	struct writer *oldest = NULL;
	for (uint32_t i = 0; i < l->n_writers; i++) {
		struct writer *w = l->writers[i];
		if (w->log->fd >= 0 && (!oldest || w->log->used < oldest->log->used))
			oldest = w;
	}
	if (oldest)
		store_shut(l, oldest);
}

static void refuse(struct logger *l, struct writer *w, int error)
{
	bool is_everybodys = is_no_space(error) || l->store.place.fd < 0;
	w->log->lost_error = error;
	if (is_everybodys)
		tell_failure(l, error);
	if (w->log->is_refused || is_everybodys)
		return;
	w->log->is_refused = true;
	complain("the log of %s is refused, its lines are dropped: %s/%s: %s", w->name,
		 l->store.place.is_run ? l->options.run : l->options.base, w->name, folder_refusal(error));
}

/* A line that a power cut has torn stays, and ends here. */
static void mend(int fd, uint64_t *size)
{
	char last;
	if (*size && pread(fd, &last, 1, (off_t)*size - 1) == 1 && last != '\n' && write(fd, "\n", 1) == 1)
		++*size;
}

static int make_current(struct logger *l, struct writer *w, struct stat *st)
{
	int folder = l->store.place.fd < 0 ? -ENOENT : folder_unit(&l->store, l->store.place.fd, w->name, true);
	int fd = folder < 0 ? folder : folder_current(&l->store, folder, st);
	if (folder >= 0)
		close(folder);
	return fd;
}

bool store_current(struct logger *l, struct writer *w)
{
	struct writer_log *log = w->log;
	struct stat st;
	int fd = make_current(l, w, &st);
	while (is_no_space(-fd) && retire_one(l))
		fd = make_current(l, w, &st);
	if (fd < 0) {
		refuse(l, w, -fd);
		return false;
	}
	if (l->store.n_open >= FILES_OPEN_MAX)
		shut_one(l);
	l->store.n_open++;
	uint64_t size = (uint64_t)st.st_size;
	if (size && (log->inode != st.st_ino || log->size != size || log->last_us == 0)) {
		log->born_us = first_time(fd);
		log->last_us = last_time(fd, size, l->settings.line_max);
		mend(fd, &size);
	}
	log->fd = fd;
	log->device = st.st_dev;
	log->inode = st.st_ino;
	log->is_refused = false;
	log->looked_ms = l->round_ms;
	set_size(l, log, size);
	return true;
}

/* Somebody has deleted the file: what is written to it now nobody can read. */
static void look_for_name(struct logger *l, struct writer *w)
{
	struct stat st;
	w->log->looked_ms = l->round_ms;
	if (fstat(w->log->fd, &st) == 0 && st.st_nlink > 0)
		return;
	store_shut(l, w);
	set_size(l, w->log, 0);
}

static void rotate_current(struct logger *l, struct writer *w)
{
	int folder = folder_unit(&l->store, l->store.place.fd, w->name, false);
	if (folder < 0)
		return;
	int r = rotate(l, w, folder);
	close(folder);
	if (r < 0)
		complain("%s: its log could not be rotated: %s", w->name, strerror(-r));
	retire(l);
	finish_next(l);
}

bool store_prepare(struct logger *l, struct writer *w, uint64_t n)
{
	struct writer_log *log = w->log;
	if (l->round_ms - l->store.looked_ms >= LOOK_AGAIN_MS)
		place_move(l);
	if (l->store.all_bytes > l->store.place.limits.all_max || l->round_ms - l->store.aged_ms > AGE_AGAIN_MS)
		retire(l);
	if (log->fd >= 0 && l->round_ms - log->looked_ms >= LOOK_AGAIN_MS)
		look_for_name(l, w);
	if (log->fd < 0 && !store_current(l, w))
		return false;
	log->used = ++l->store.tick;
	if (!logpolicy_is_full(&l->store.place.limits, log->size, log->born_us, n, now_us()))
		return true;
	rotate_current(l, w);
	return log->fd >= 0 || store_current(l, w);
}

/* ---- writing ---- */

bool writes_all(int fd, const char *p, size_t n, size_t *written)
{
	while (*written < n) {
		ssize_t r = write(fd, p + *written, n - *written);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return false;
		*written += (size_t)r;
	}
	return true;
}

/* Whole lines that fit stay; the rest is lost. */
static void lose(struct writer_log *log, const char *p, size_t n, size_t *written, int error)
{
	const char *feed = *written ? memrchr(p, '\n', *written) : NULL;
	size_t whole = feed ? (size_t)(feed + 1 - p) : 0;
	if (whole < *written && ftruncate(log->fd, (off_t)(log->size + whole)) == 0)
		*written = whole;
	for (size_t i = whole; i < n; i++)
		log->n_lost += p[i] == '\n';
	log->lost_error = error;
}

static bool append(struct logger *l, struct writer_log *log, const char *p, size_t n)
{
	size_t written = 0;
	bool is_whole = true;
	while (is_whole && !writes_all(log->fd, p, n, &written)) {
		int error = errno;
		tell_failure(l, error);
		if (is_no_space(error) && retire_one(l))
			continue;
		lose(log, p, n, &written, error);
		is_whole = false;
	}
	set_size(l, log, log->size + written);
	return is_whole;
}

/* What could not be written is told of where it is missing. */
static void tell_loss(struct logger *l, struct writer *w)
{
	char text[LOGLINE_HEAD_MAX + 200], what[120];
	struct writer_log *log = w->log;
	struct buf b = BUF(text);
	uint64_t n = log->n_lost;
	snprintf(what, sizeof what, "dropped %llu lines: %s\n", (unsigned long long)n, strerror(log->lost_error));
	logline_head(&b, &(struct logline){ .time_us = now_us(), .stream = LOG_NOTE, .priority = LOG_PRIORITY_WARNING });
	buf_str(&b, str_from(what));
	log->n_lost = 0;
	if (!append(l, log, b.p, b.n))
		log->n_lost = n;
}

void log_flush(struct logger *l)
{
	struct writer *w = l->out_writer;
	struct buf *out = &l->out;
	if (out->n == 0)
		return;
	if (l->options.is_stdout) {
		stdout_write(l);
		out->n = 0;
		return;
	}
	struct writer_log *log = w->log;
	bool can_write = l->store.in_batch ? log->fd >= 0 : store_prepare(l, w, out->n);
	if (can_write && log->n_lost)
		tell_loss(l, w);
	if (log->size == 0)
		log->born_us = l->out_first_us;
	log->last_us = l->out_last_us;
	if (can_write)
		append(l, log, out->p, out->n);
	else
		for (size_t i = 0; i < out->n; i++)
			log->n_lost += out->p[i] == '\n';
	out->n = 0;
}

/* ---- lines ---- */

static const struct head *head_of(struct heads *h, const struct logline *line)
{
	unsigned i = line->priority * 2u + line->is_cut;
	if (h->time_us != line->time_us || h->pid != line->pid || h->generation != line->generation || h->stream != line->stream)
		*h = (struct heads){ .time_us = line->time_us, .pid = line->pid, .generation = line->generation, .stream = line->stream };
	if (!(h->made & 1u << i)) {
		struct buf b = BUF(h->of[i].text);
		logline_head(&b, line);
		h->of[i].n = (uint8_t)b.n;
		h->made |= (uint16_t)(1u << i);
	}
	return &h->of[i];
}

void store_line(struct logger *l, struct writer *w, const struct logline *line)
{
	const struct head *head = head_of(&l->heads, line);
	struct buf *out = &l->out;
	if (l->out_writer != w || out->cap - out->n < head->n + line->text.n + 1)
		log_flush(l);
	if (out->n == 0) {
		l->out_writer = w;
		l->out_first_us = line->time_us;
	}
	l->out_last_us = line->time_us;
	char *p = out->p + out->n;
	memcpy(p, head->text, head->n);
	memcpy(p + head->n, line->text.p, line->text.n);
	p[head->n + line->text.n] = '\n';
	out->n += head->n + line->text.n + 1;
}

/* ---- its life ---- */

bool store_open(struct logger *l)
{
	struct store *s = &l->store;
	const struct group *g = getgrnam("adm");
	size_t most = l->settings.line_max + LOGLINE_HEAD_MAX + 1;
	s->place.fd = -1;
	s->child = -1;
	s->group = g ? g->gr_gid : 0;
	s->unit_bytes = calloc(WRITERS_MAX, sizeof *s->unit_bytes);
	l->out.cap = most > OUT_SIZE ? most : OUT_SIZE;
	l->out.p = malloc(l->out.cap);
	s->wait_ms = LOOK_AGAIN_MS;
	s->look.due = place_look;
	timer_add(l, &s->look);
	return s->unit_bytes && l->out.p;
}

void store_close(struct logger *l)
{
	log_flush(l);
	for (uint32_t i = 0; i < l->n_writers; i++)
		store_shut(l, l->writers[i]);
	if (l->store.child > 0)
		kill(l->store.child, SIGTERM);
}
