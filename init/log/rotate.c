/* Which files there are, which is rotated, which goes. */
#include "parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1              /* linux/fs.h; musl has neither the call nor its flags */
#endif

/* ---- times within a file ---- */

static uint64_t changed_us(int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || st.st_mtim.tv_sec < 0)
		return now_us();
	return (uint64_t)st.st_mtim.tv_sec * 1000000 + (uint64_t)st.st_mtim.tv_nsec / 1000;
}

uint64_t first_time(int fd)
{
	char head[LOGLINE_HEAD_MAX];
	ssize_t n = pread(fd, head, sizeof head, 0);
	struct str text = str_of(head, n > 0 ? (size_t)n : 0);
	uint64_t us;
	return logline_time(&text, &us) ? us : changed_us(fd);
}

/* Of the last line that is one: a torn one has no time of its own. */
uint64_t last_time(int fd, uint64_t size, uint32_t line_max)
{
	size_t most = 2 * (line_max + LOGLINE_HEAD_MAX + 1), n = size < most ? (size_t)size : most;
	char *bytes = malloc(n);
	uint64_t us = 0;
	if (bytes && pread(fd, bytes, n, (off_t)(size - n)) == (ssize_t)n)
		for (size_t end = n; end && !us;) {
			const char *feed = memrchr(bytes, '\n', end - 1);
			size_t from = feed ? (size_t)(feed + 1 - bytes) : 0;
			struct logline line;
			struct str text = str_of(bytes + from, end - from);
			if (logline_parse(text, &line))
				us = line.time_us;
			end = from;
		}
	free(bytes);
	return us ? us : changed_us(fd);
}

/* ---- the list ---- */

static bool has_place(struct store *s)
{
	size_t cap = s->files_cap ? 2 * s->files_cap : 64;
	if (s->n_files < s->files_cap)
		return true;
	struct logpolicy_file *fresh = realloc(s->files, cap * sizeof *fresh);
	if (!fresh)
		return false;
	s->files = fresh;
	s->files_cap = cap;
	return true;
}

void inventory_add(struct logger *l, uint32_t unit, uint64_t time_us, uint64_t size, enum logfile_form form)
{
	struct store *s = &l->store;
	if (!has_place(s))
		return;
	s->files[s->n_files++] = (struct logpolicy_file){ .time_us = time_us, .size = size, .unit = unit, .form = (uint8_t)form };
	s->unit_bytes[unit] += size;
	s->all_bytes += size;
}

static void inventory_drop(struct store *s, size_t i)
{
	s->unit_bytes[s->files[i].unit] -= s->files[i].size;
	s->all_bytes -= s->files[i].size;
	s->files[i] = s->files[--s->n_files];
}

static void take_file(struct logger *l, struct writer *w, int folder, const char *name)
{
	uint64_t time_us;
	enum logfile_form form;
	struct stat st;
	if (str_ends(str_from(name), STR(".tmp"))) {    /* of a compression, or a move, that was broken off */
		unlinkat(folder, name, 0);
		return;
	}
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	if (logfile_parse(str_from(name), &time_us, &form)) {
		inventory_add(l, w->log->id, time_us, (uint64_t)st.st_size, form);
	} else if (strcmp(name, LOGFILE_CURRENT) == 0) {
		w->log->size = (uint64_t)st.st_size;
		l->store.unit_bytes[w->log->id] += w->log->size;
		l->store.all_bytes += w->log->size;
	}
}

static void scan_folder(struct logger *l, const char *name)
{
	struct writer *w = logfile_is_folder(str_from(name)) ? writer_of(l, str_from(name)) : NULL;
	int fd = w && strcmp(w->name, name) == 0 ? folder_unit(&l->store, l->store.place.fd, name, false) : -1;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		take_file(l, w, fd, e->d_name);
	closedir(d);
}

void inventory_scan(struct logger *l)
{
	struct store *s = &l->store;
	s->n_files = 0;
	s->all_bytes = 0;
	memset(s->unit_bytes, 0, l->n_writers * sizeof *s->unit_bytes);
	for (uint32_t i = 0; i < l->n_writers; i++) {
		struct writer_log *log = l->writers[i]->log;
		log->size = log->inode = log->last_us = 0;
	}
	int fd = openat(s->place.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return;
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		scan_folder(l, e->d_name);
	closedir(d);
	finish_known(l);
}

/* ---- rotation ---- */

/* Never over a file that is there: renameat2(2); a file system that cannot promise that is asked first. */
static int rename_fresh(int folder, const char *from, const char *to)
{
	if (syscall(SYS_renameat2, folder, from, folder, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (faccessat(folder, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(folder, from, folder, to) < 0 ? -errno : 0;
}

int rotate_as(int folder, uint64_t *time_us)
{
	for (;; ++*time_us) {
		char name[LOGFILE_NAME_MAX];
		struct buf b = BUF(name);
		logfile_name(&b, *time_us, LOGFILE_PLAIN);
		int r = rename_fresh(folder, LOGFILE_CURRENT, buf_cstr(&b));
		if (r != -EEXIST)
			return r;
	}
}

int rotate(struct logger *l, struct writer *w, int folder)
{
	struct writer_log *log = w->log;
	struct store *s = &l->store;
	uint64_t time_us = log->last_us, size = log->size;
	int r = rotate_as(folder, &time_us);
	if (r < 0)
		return r;
	store_shut(l, w);
	log->size = 0;
	s->unit_bytes[log->id] -= size;
	s->all_bytes -= size;
	inventory_add(l, log->id, time_us, size, LOGFILE_PLAIN);
	return 0;
}

/* ---- deletion ---- */

static void delete(struct logger *l, size_t i)
{
	struct store *s = &l->store;
	const struct logpolicy_file *f = &s->files[i];
	char name[LOGFILE_NAME_MAX];
	struct buf b = BUF(name);
	logfile_name(&b, f->time_us, (enum logfile_form)f->form);
	int folder = folder_unit(s, s->place.fd, l->writers[f->unit]->name, false);
	if (folder >= 0) {
		unlinkat(folder, buf_cstr(&b), 0);
		close(folder);
	}
	inventory_drop(s, i);
}

/* All is over the limit, and nothing but current files is left: the largest is made one that can go. */
static bool rotate_largest(struct logger *l)
{
	struct writer *largest = NULL;
	struct store *s = &l->store;
	for (uint32_t i = 0; i < l->n_writers; i++)
		if (!largest || l->writers[i]->log->size > largest->log->size)
			largest = l->writers[i];
	bool is_there = largest && largest->log->size && (largest->log->last_us || store_current(l, largest));
	int folder = is_there ? folder_unit(s, s->place.fd, largest->name, false) : -1;
	if (folder < 0)
		return false;
	int r = rotate(l, largest, folder);
	close(folder);
	return r == 0;
}

/* With room for one more file, so that limits hold until the next rotation. */
void retire(struct logger *l)
{
	struct store *s = &l->store;
	struct logpolicy_limits limits = s->place.limits;
	limits.all_max -= limits.file_max;
	limits.unit_max -= limits.file_max;
	s->aged_ms = l->round_ms;
	for (;;) {
		size_t i = logpolicy_next(s->files, s->n_files, s->unit_bytes, s->all_bytes, &limits, now_us());
		if (i < s->n_files)
			delete(l, i);
		else if (s->all_bytes <= s->place.limits.all_max || !rotate_largest(l))
			return;
	}
}

bool retire_one(struct logger *l)
{
	static const struct logpolicy_limits nothing = { .unit_max = UINT64_MAX };
	struct store *s = &l->store;
	size_t i = logpolicy_next(s->files, s->n_files, s->unit_bytes, s->all_bytes, &nothing, 0);
	if (i == s->n_files)
		return false;
	delete(l, i);
	return true;
}
