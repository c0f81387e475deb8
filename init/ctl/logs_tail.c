/*
 * Where to begin so that the last n entries come: the sources are read from their ends, merged from the youngest on, until there
 * are n. Then each is read forwards from the place that was reached in it, so that not even n entries are ever in memory.
 *
 * An entry is found by its last line, for only that one tells in reading backwards that it is one. With a pattern it counts when the
 * first of its lines is met that matches: where texts were cut, a few more than n may come then.
 */
#include "logs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STRANGERS_MAX 1024              /* in a row; more of them are taken without asking for their priority */

/* An entry's last line, in the file that is open. */
struct spot {
	uint64_t time_us, at;
};

/* A packed file cannot be read backwards: its spots are found in reading it once, the last ones kept. */
struct packed {
	struct spot *spots;             /* a ring */
	size_t n, room;
	uint64_t n_seen;
};

/* Of the text, of one stream, whose line was met last. */
struct text_end {
	uint64_t at;
	bool is_known, is_counted;
};

struct back {
	struct log_source *source;
	size_t left;                    /* rotations not begun */
	bool has_current;               /* it is still to be read, or open */
	struct log_back lines;          /* of a plain file */
	struct packed packed;
	bool is_packed;                 /* what is open is one */
	struct text_end ends[N_LOG_STREAM];
	struct spot *waiting;           /* of the file that is open: n_ripe of them to be handed out, n_given of which are */
	size_t n_waiting, n_ripe, n_given, room;
	uint64_t time_us;               /* of the line met last: never rises */
	bool is_unopened;               /* nothing is open, and the next file ends at time_us */
	/* what comes out of it */
	int current;                    /* a descriptor of `current`, for the way forward; -1 */
	uint64_t end_at;                /* of its whole lines */
	bool has_start, starts_in_current;
	size_t start_rotation;
	uint64_t start_at;
};

/* ---- one file backwards ---- */

/* Whether there is one more entry, and where its last line is. */
static bool count_line(struct back *b, const struct logline *line, uint64_t at, uint64_t *spot)
{
	const struct log_wish *wish = b->source->wish;
	struct text_end *end = &b->ends[line->stream];
	if (!line->is_cut || (!end->is_known && b->has_current))
		*end = (struct text_end){ .at = at, .is_known = true };
	if (!end->is_known || end->is_counted || !logpick_takes(&wish->pick, line) || !log_matches(wish, line->text))
		return false;
	*spot = end->at;
	return end->is_counted = true;
}

static void wait_for_time(struct back *b, uint64_t at)
{
	if (b->n_waiting == b->room) {
		b->room = b->room ? 2 * b->room : 16;
		b->waiting = log_room(b->waiting, b->room * sizeof *b->waiting);
	}
	b->waiting[b->n_waiting++].at = at;
}

static void ripen(struct back *b, uint64_t time_us)
{
	for (; b->n_ripe < b->n_waiting; b->n_ripe++)
		b->waiting[b->n_ripe].time_us = time_us;
}

/* One more line. A stranger's has time and priority of the line before it, which comes later. */
static bool look_back(struct back *b)
{
	const struct log_wish *wish = b->source->wish;
	struct logline line;
	struct str bytes;
	uint64_t at, spot;
	if (!log_back_line(&b->lines, &bytes, &at)) {
		line = log_line_above(b->left ? b->source->rotations[b->left - 1].time_us : 0);
		if (!logpick_takes(&wish->pick, &line))
			b->n_waiting = 0;
		ripen(b, line.time_us);
		return b->n_ripe > 0;
	}
	if (!logline_parse(bytes, &line)) {
		if (log_matches(wish, bytes))
			wait_for_time(b, at);
		if (b->n_waiting == STRANGERS_MAX)
			ripen(b, b->time_us);
		return true;
	}
	if (!logpick_takes(&wish->pick, &line))
		b->n_waiting = 0;
	if (count_line(b, &line, at, &spot))
		wait_for_time(b, spot);
	ripen(b, line.time_us);
	return line.time_us >= wish->from_us;
}

static bool spot_before(struct back *b, struct spot *spot)
{
	if (b->n_given == b->n_ripe)
		b->n_given = b->n_ripe = b->n_waiting = 0;
	while (b->n_ripe == 0)
		if (!look_back(b))
			return false;
	*spot = b->waiting[b->n_given++];
	return true;
}

/* ---- a packed file ---- */

static void keep_spot(struct packed *p, struct spot spot, size_t most)
{
	if (p->n == p->room && p->room < most) {
		p->room = p->room ? 2 * p->room : 64;
		p->room = p->room < most ? p->room : most;
		p->spots = log_room(p->spots, p->room * sizeof spot);
	}
	p->spots[p->n_seen++ % p->room] = spot;
	p->n = p->n_seen < p->room ? (size_t)p->n_seen : p->room;
}

/* The ring grows only until it is full for the first time, so the spots stand in it in their order. */
static void read_packed(struct back *b, const char *path, int fd, enum logfile_form form, size_t most)
{
	struct log_source once;
	const struct log_source *s = b->source;
	once = (struct log_source){ .wish = s->wish, .unit = s->unit, .is_one_file = true };
	once.last = log_line_above(b->left ? s->rotations[b->left - 1].time_us : 0);
	log_file_begin(&once.file, path, fd, form);
	while (log_source_next(&once))
		keep_spot(&b->packed, (struct spot){ once.turn_us, once.entry.at }, most);
	log_source_end(&once);
}

static bool take_packed(struct packed *p, struct spot *spot)
{
	if (p->n == 0)
		return false;
	p->n--;
	*spot = p->spots[--p->n_seen % p->room];
	return true;
}

/* ---- one source backwards ---- */

static void close_lines(struct back *b)
{
	if (b->lines.fd >= 0 && b->lines.fd != b->current)
		close(b->lines.fd);
	log_back_end(&b->lines);
	free(b->packed.spots);
	free(b->waiting);
	b->waiting = NULL;
	b->n_waiting = b->n_ripe = b->n_given = b->room = 0;
	b->packed = (struct packed){ 0 };
	b->is_packed = false;
	memset(b->ends, 0, sizeof b->ends);
}

static void open_current(struct back *b)
{
	struct stat st;
	char path[PATH_MAX];
	log_source_path(b->source, NULL, path, sizeof path);
	b->current = log_file_open(path);
	b->has_current = b->current >= 0 && fstat(b->current, &st) == 0;
	if (!b->has_current)
		return;
	b->end_at = log_lines_end(b->current, (uint64_t)st.st_size);
	log_back_begin(&b->lines, b->current, (uint64_t)st.st_size);
}

static bool is_still_current(const struct back *b)
{
	char path[PATH_MAX];
	log_source_path(b->source, NULL, path, sizeof path);
	return b->current < 0 || log_file_is(b->current, path);
}

/* The files there are: `current` is none of the rotations, even if one takes place meanwhile. */
static void begin(struct back *b, struct log_source *s)
{
	*b = (struct back){ .source = s, .lines = { .fd = -1 }, .current = -1, .time_us = UINT64_MAX };
	for (;;) {
		open_current(b);
		log_source_list(s);
		if (is_still_current(b))
			break;
		close_lines(b);
		close(b->current);
	}
	b->left = s->n_rotations;
	if (b->left && s->rotations[b->left - 1].time_us > s->wish->to_us) {
		close_lines(b);
		b->has_current = false;
	}
}

/* What is behind the end of the time that is wanted, as the name of the file before it tells. */
static void skip_late(struct back *b)
{
	const struct log_source *s = b->source;
	while (b->left > 1 && s->rotations[b->left - 2].time_us > s->wish->to_us)
		b->left--;
}

static void open_rotation(struct back *b, size_t most)
{
	struct rotation r = b->source->rotations[--b->left];
	struct stat st;
	char path[PATH_MAX];
	int fd = log_rotation_open(b->source, &r, path, sizeof path);
	if (fd < 0)
		return;
	b->is_packed = r.form != LOGFILE_PLAIN;
	if (b->is_packed)
		read_packed(b, path, fd, r.form, most);
	else if (fstat(fd, &st) == 0)
		log_back_begin(&b->lines, fd, (uint64_t)st.st_size);
	else
		close(fd);
}

/* The next spot, or that a file has to be opened to know it (is_unopened); false: there is no more in this source. */
static bool go_back(struct back *b, struct spot *spot, size_t most)
{
	if (b->is_unopened)
		open_rotation(b, most);
	b->is_unopened = false;
	if (b->is_packed ? take_packed(&b->packed, spot) : b->lines.fd >= 0 && spot_before(b, spot)) {
		b->time_us = spot->time_us < b->time_us ? spot->time_us : b->time_us;
		return true;
	}
	close_lines(b);
	b->has_current = false;
	skip_late(b);
	if (b->left == 0)
		return false;
	uint64_t end_us = b->source->rotations[b->left - 1].time_us;
	b->time_us = end_us < b->time_us ? end_us : b->time_us;
	return b->is_unopened = true;
}

/* ---- all sources ---- */

/* An entry is told of when a line of it matches, and then its last one may lie behind that of another. */
static void take_spot(struct back *b, const struct spot *spot)
{
	bool is_same_file = b->has_start && b->starts_in_current == b->has_current && b->start_rotation == b->left;
	if (is_same_file && b->start_at < spot->at)
		return;
	b->has_start = true;
	b->starts_in_current = b->has_current;
	b->start_rotation = b->left;
	b->start_at = spot->at;
}

/* The youngest first; of two as young the one that comes last in reading forwards. */
static struct logturn turn_of(const struct back *b, size_t i)
{
	return (struct logturn){ UINT64_MAX - b->time_us, UINT32_MAX - (uint32_t)i };
}

static void find_starts(struct back *all, size_t n_all, struct logmerge *m, uint64_t n)
{
	struct spot *spots = log_room(NULL, (n_all + 1) * sizeof *spots);
	for (size_t i = 0; i < n_all; i++)
		if (go_back(&all[i], &spots[i], (size_t)n))
			logmerge_add(m, turn_of(&all[i], i));
	while (n && m->n) {
		size_t i = UINT32_MAX - logmerge_take(m).source;
		if (!all[i].is_unopened) {
			take_spot(&all[i], &spots[i]);
			n--;
		}
		if (n && go_back(&all[i], &spots[i], (size_t)n))
			logmerge_add(m, turn_of(&all[i], i));
	}
	free(spots);
}

/* Makes the source ready to be read forwards from there. */
static void start(struct back *b)
{
	struct log_source *s = b->source;
	char path[PATH_MAX];
	s->next = b->has_start && !b->starts_in_current ? b->start_rotation : s->n_rotations;
	s->passed_us = s->next ? s->rotations[s->next - 1].time_us : 0;
	s->is_over = !b->has_start && !s->wish->follows;
	if (b->current < 0 || s->next < s->n_rotations || s->is_over) {
		s->show_from = b->has_start ? b->start_at : 0;
		if (b->current >= 0)
			close(b->current);
		return;
	}
	log_source_path(s, NULL, path, sizeof path);
	log_source_take(s, path, b->current);
	s->show_from = b->has_start ? b->start_at : b->end_at;
	if (b->has_start)
		log_source_resume(s);
	else
		s->file.at = b->end_at;
}

void log_tail(struct log_source **sources, size_t n_sources, uint64_t n)
{
	struct back *all = log_room(NULL, (n_sources + 1) * sizeof *all);
	struct logmerge m = { .turns = log_room(NULL, (n_sources + 1) * sizeof *m.turns) };
	for (size_t i = 0; i < n_sources; i++)
		begin(&all[i], sources[i]);
	find_starts(all, n_sources, &m, n);
	for (size_t i = 0; i < n_sources; i++) {
		close_lines(&all[i]);
		start(&all[i]);
	}
	free(m.turns);
	free(all);
}
