/* A source: the files of a unit's log in one folder, read one after the other as they are and as they are rotated meanwhile. */
#include "logs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOINED_KEPT 65536u              /* room for a joined text that is kept for the next one */

void log_source_begin(struct log_source *s, const struct log_wish *wish, struct log_unit *unit, const char *base, unsigned n_base)
{
	*s = (struct log_source){ .wish = wish, .unit = unit, .base = n_base, .file = { .fd = -1 }, .is_stale = true, .watch = -1 };
	if (asprintf(&s->folder, "%s/%s", base, unit->name) < 0)
		leave(LEAVE_FAILED, "out of memory");
}

void log_source_end(struct log_source *s)
{
	log_file_close(&s->file);
	for (size_t i = 0; i < countof(s->joins); i++)
		free(s->joins[i].text.p);
	free(s->rotations);
	free(s->folder);
}

/* Whose words are strangers' at the top of a file, if anybody's. */
struct logline log_line_above(uint64_t passed_us)
{
	return (struct logline){ .time_us = passed_us, .priority = LOG_PRIORITY_INFO };
}

/* ---- which file ---- */

void log_source_path(const struct log_source *s, const struct rotation *r, char *to, size_t size)
{
	char name[LOGFILE_NAME_MAX];
	struct buf b = BUF(name);
	if (r)
		logfile_name(&b, r->time_us, r->form);
	snprintf(to, size, "%s/%s", s->folder, r ? buf_cstr(&b) : LOGFILE_CURRENT);
}

/* By age; of one that is there packed and plain, the plain one is whole. */
static int compare(const void *a, const void *b)
{
	const struct rotation *x = a, *y = b;
	if (x->time_us != y->time_us)
		return x->time_us < y->time_us ? -1 : 1;
	return (int)x->form - (int)y->form;
}

static void add_rotation(struct log_source *s, const char *name, size_t *room)
{
	struct rotation r;
	/* Nothing in it is younger than its name. */
	if (!logfile_parse(str_from(name), &r.time_us, &r.form) || r.time_us <= s->passed_us || r.time_us < s->wish->from_us)
		return;
	if (s->n_rotations == *room) {
		*room = *room ? 2 * *room : 16;
		s->rotations = log_room(s->rotations, *room * sizeof r);
	}
	s->rotations[s->n_rotations++] = r;
}

static void leave_out_twins(struct log_source *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_rotations; i++)
		if (i == 0 || s->rotations[i].time_us != s->rotations[i - 1].time_us)
			s->rotations[n++] = s->rotations[i];
	s->n_rotations = n;
}

void log_source_list(struct log_source *s)
{
	size_t room = 0;
	DIR *folder = opendir(s->folder);
	free(s->rotations);
	s->rotations = NULL;
	s->n_rotations = s->next = 0;
	if (!folder && errno != ENOENT)
		log_trouble(s->folder, strerror(errno));
	for (const struct dirent *e; folder && (e = readdir(folder));)
		add_rotation(s, e->d_name, &room);
	if (folder)
		closedir(folder);
	if (s->n_rotations)
		qsort(s->rotations, s->n_rotations, sizeof *s->rotations, compare);
	leave_out_twins(s);
}

int log_rotation_open(const struct log_source *s, struct rotation *r, char *path, size_t size)
{
	int fd = -ENOENT;
	for (int form = r->form; fd == -ENOENT && form < N_LOGFILE_FORM; form++) {
		r->form = (enum logfile_form)form;
		log_source_path(s, r, path, size);
		fd = log_file_open(path);
	}
	if (fd < 0 && fd != -ENOENT)
		log_trouble(path, strerror(-fd));
	return fd;
}

static bool open_rotation(struct log_source *s)
{
	struct rotation r = s->rotations[s->next++];
	char path[PATH_MAX];
	uint64_t before_us = s->passed_us;
	int fd = log_rotation_open(s, &r, path, sizeof path);
	s->passed_us = r.time_us;
	if (fd < 0)
		return false;
	log_file_begin(&s->file, path, fd, r.form);
	s->last = log_line_above(before_us);
	s->is_current = s->is_left = false;
	return true;
}

static int open_current(struct log_source *s, char *path, size_t size)
{
	log_source_path(s, NULL, path, size);
	int fd = log_file_open(path);
	if (fd < 0 && fd != -ENOENT)
		log_trouble(path, strerror(-fd));
	return fd;
}

/*
 * The folder is read only after `current` has been opened: one that became a rotation before is then in the list, and one that
 * becomes it later is open.
 */
static bool open_any(struct log_source *s)
{
	char path[PATH_MAX];
	for (;;) {
		while (s->next < s->n_rotations)
			if (open_rotation(s))
				return true;
		int fd = open_current(s, path, sizeof path);
		log_source_list(s);
		if (s->n_rotations == 0 && fd >= 0) {
			log_source_take(s, path, fd);
			return true;
		}
		if (s->n_rotations == 0)
			return false;
		if (fd >= 0)
			close(fd);
	}
}

void log_source_take(struct log_source *s, const char *path, int fd)
{
	log_file_begin(&s->file, path, fd, LOGFILE_PLAIN);
	s->last = log_line_above(s->passed_us);
	s->is_current = true;
	s->is_left = false;
}

void log_source_resume(struct log_source *s)
{
	if (s->file.form == LOGFILE_PLAIN)
		s->file.at = log_text_begin(s->file.fd, s->show_from);
}

static bool open_next(struct log_source *s)
{
	bool is_first = s->passed_us == 0;
	if (!open_any(s))
		return false;
	if (s->show_from)
		log_source_resume(s);
	else if (is_first && s->file.form == LOGFILE_PLAIN)
		s->file.at = log_file_seek(s->file.fd, s->wish->from_us);
	return true;
}

/* The open file was `current` and is a rotation by now: which, tells its inode, or, if it has been packed already, its last line. */
static void leave_current(struct log_source *s)
{
	char path[PATH_MAX];
	log_source_list(s);
	if (s->last.time_us > s->passed_us)
		s->passed_us = s->last.time_us;
	for (size_t i = 0; i < s->n_rotations; i++) {
		log_source_path(s, &s->rotations[i], path, sizeof path);
		if (log_file_is(s->file.fd, path))
			s->passed_us = s->rotations[i].time_us;
	}
	log_source_list(s);
}

/*
 * Its first bytes, which tell when its first line was written, are what they were. Then a file that has become smaller is not a
 * new one: its logger was killed, and the next one writes the last lines once more.
 */
static bool begins_as_before(struct log_source *s, ino_t inode)
{
	char head[sizeof s->head] = "";
	ssize_t n = pread(s->file.fd, head, sizeof head, 0);
	bool is_same = s->head_of == inode && n == sizeof head && memcmp(head, s->head, sizeof head) == 0;
	if (n == sizeof head) {
		memcpy(s->head, head, sizeof head);
		s->head_of = inode;
	}
	return is_same;
}

void log_source_refresh(struct log_source *s)
{
	struct stat own;
	char path[PATH_MAX];
	if (s->file.fd < 0 || !s->is_current || s->is_left || fstat(s->file.fd, &own) < 0)
		return;
	log_source_path(s, NULL, path, sizeof path);
	s->is_left = !log_file_is(s->file.fd, path);
	if (!begins_as_before(s, own.st_ino) && (uint64_t)own.st_size < s->file.at) {   /* somebody has emptied it */
		s->file.begin = s->file.end = 0;
		s->file.at = s->show_from = 0;
	}
}

/* ---- entries ---- */

/* regexec(3) ends at a NUL, so each part between two of them is a text. */
bool log_matches(const struct log_wish *wish, struct str text)
{
	bool is_last = false;
	if (!wish->has_pattern)
		return true;
	((char *)text.p)[text.n] = '\0';
	while (!is_last) {
		is_last = str_chr(text, '\0') == text.n;
		if (regexec(&wish->pattern, text.p, 0, NULL, 0) == 0)
			return true;
		str_until(&text, '\0');
	}
	return false;
}

static void append(struct joining *j, struct str text)
{
	size_t needed = j->text.n + text.n + 1;
	if (needed > j->text.cap) {
		needed += needed / 2;
		j->text.p = log_room(j->text.p, needed);
		j->text.cap = needed;
	}
	buf_str(&j->text, text);
}

/* The text put together so far; what `j` has room for stays until the next one begins. */
static struct logline joined(struct joining *j, bool is_cut)
{
	struct logline line = j->first;
	line.text = buf_view(&j->text);
	line.is_cut = is_cut;
	j->is_open = false;
	j->text.n = 0;
	return line;
}

/* Whether `line` ends a text, which it then is. */
static bool join(struct log_source *s, struct logline *line, uint64_t at)
{
	struct joining *j = &s->joins[line->stream];
	if (!line->is_cut && !j->is_open)
		return true;
	if (!j->is_open) {
		if (j->text.cap > JOINED_KEPT) {
			free(j->text.p);
			j->text = (struct buf){ 0 };
		}
		j->first = *line;
		j->is_open = true;
	}
	append(j, line->text);
	j->at = at;
	if (line->is_cut && j->text.n < ENTRY_MAX)
		return false;
	*line = joined(j, line->is_cut);
	return true;
}

static bool offer(struct log_source *s, struct logline line, uint64_t at, bool is_foreign)
{
	if (!log_matches(s->wish, line.text))
		return false;
	if (s->last.time_us > s->turn_us)
		s->turn_us = s->last.time_us;
	s->entry = (struct entry){ .line = line, .at = at, .is_foreign = is_foreign };
	return true;
}

static bool take_line(struct log_source *s, struct str bytes, uint64_t at)
{
	struct logline line;
	bool is_own = logline_parse(bytes, &line);
	if (!is_own) {
		line = s->last;
		line.text = bytes;
		line.is_cut = false;
	}
	s->last = line;
	if (line.time_us > s->wish->to_us) {
		s->is_over = true;
		return false;
	}
	if (!logpick_takes(&s->wish->pick, &line) || (is_own && !join(s, &line, at)) || at < s->show_from)
		return false;
	return offer(s, line, at, !is_own);
}

static struct joining *first_open(struct log_source *s)
{
	struct joining *first = NULL;
	for (size_t i = 0; i < countof(s->joins); i++)
		if (s->joins[i].is_open && (!first || s->joins[i].at < first->at))
			first = &s->joins[i];
	return first;
}

/* Of a text whose end is not there, what is. */
static bool flush(struct log_source *s)
{
	for (struct joining *j; (j = first_open(s));) {
		struct logline line = joined(j, true);
		if (j->at >= s->show_from && offer(s, line, j->at, false))
			return true;
	}
	return false;
}

/* After the last line of the open file. False: for now there is no more. */
static bool finish_file(struct log_source *s)
{
	if (s->is_current && s->wish->follows && !s->is_left)
		return false;
	s->is_over = s->is_one_file || (s->is_current && !s->is_left);
	if (!s->is_over)
		s->show_from = 0;
	if (!s->is_over && s->is_current)
		leave_current(s);
	log_file_close(&s->file);
	return true;
}

bool log_source_next(struct log_source *s)
{
	struct str bytes;
	uint64_t at;
	while (!s->is_over) {
		bool takes_torn = !s->is_current || s->is_left || !s->wish->follows;
		if (s->file.fd < 0 && !open_next(s)) {
			s->is_over = !s->wish->follows;
			break;
		}
		if (log_file_line(&s->file, takes_torn, &bytes, &at)) {
			if (take_line(s, bytes, at))
				return true;
		} else if (!finish_file(s)) {
			break;
		}
	}
	if (s->is_over)
		log_file_close(&s->file);
	return s->is_over && !s->is_one_file && flush(s);
}
