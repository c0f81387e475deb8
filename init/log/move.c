/*
 * All logs from one place to another: from /run to /var/log, once that can be written to.
 *
 * What is moved becomes a rotated file each, the current ones as well: written beside, renamed, and only when all of them are on the
 * disk deleted where they were. A logger that is killed meanwhile begins anew and comes to the same names: nothing is there twice.
 */
#include "parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define TEMPORARY ".moving.tmp"

static int copy_bytes(int from, int to, uint64_t size)
{
	off_t at = 0;
	while ((uint64_t)at < size) {
		ssize_t n = sendfile(to, from, &at, (size_t)(size - (uint64_t)at));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;                  /* shorter than it was */
	}
	return 0;
}

static int copy_file(struct logger *l, int from, int folder, const char *name)
{
	struct stat st;
	unlinkat(folder, TEMPORARY, 0);
	int to = openat(folder, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	int r = to < 0 || fstat(from, &st) < 0 ? -errno : copy_bytes(from, to, (uint64_t)st.st_size);
	if (r == 0 && l->store.group && fchown(to, (uid_t)-1, l->store.group) < 0)
		fchmod(to, 0600);
	if (to >= 0)
		close(to);
	if (r == 0 && renameat(folder, TEMPORARY, folder, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(folder, TEMPORARY, 0);
	return r;
}

/* `current` gets the name of a rotated file; an empty one, and what is no log, goes nowhere. */
static int move_file(struct logger *l, int from, const char *name, int to)
{
	char fresh[LOGFILE_NAME_MAX];
	struct buf b = BUF(fresh);
	uint64_t time_us;
	enum logfile_form form;
	struct stat st;
	bool is_current = strcmp(name, LOGFILE_CURRENT) == 0;
	if (!is_current && !logfile_parse(str_from(name), &time_us, &form))
		return 0;
	int fd = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 0;
	int r = fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0 && S_ISREG(st.st_mode) && st.st_size) {
		logfile_name(&b, is_current ? last_time(fd, (uint64_t)st.st_size, l->settings.line_max) : time_us, is_current ? LOGFILE_PLAIN : form);
		r = copy_file(l, fd, to, buf_cstr(&b));
	}
	close(fd);
	return r;
}

/* The lines that are there are older. */
static int rotate_there(struct logger *l, int folder)
{
	struct stat st;
	int fd = openat(folder, LOGFILE_CURRENT, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 0;
	int r = 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size) {
		uint64_t time_us = last_time(fd, (uint64_t)st.st_size, l->settings.line_max);
		r = rotate_as(folder, &time_us);
	}
	close(fd);
	return r;
}

/* Each name in a folder. */
static int each(int folder, int (*take)(struct logger *l, int folder, const char *name, int to), struct logger *l, int to)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return -errno;
	for (const struct dirent *e = readdir(d); e && r == 0; e = readdir(d))
		r = take(l, folder, e->d_name, to);
	closedir(d);
	return r;
}

static int move_folder(struct logger *l, int from, const char *name, int to)
{
	if (!logfile_is_folder(str_from(name)))
		return 0;
	int source = folder_unit(&l->store, from, name, false);
	if (source < 0)
		return 0;
	int target = folder_unit(&l->store, to, name, true);
	int r = target < 0 ? target : rotate_there(l, target);
	if (r == 0)
		r = each(source, move_file, l, target);
	close(source);
	if (target >= 0)
		close(target);
	return r;
}

static int delete_file(struct logger *l, int folder, const char *name, int to)
{
	uint64_t time_us;
	enum logfile_form form;
	(void)l, (void)to;
	if (strcmp(name, LOGFILE_CURRENT) == 0 || logfile_parse(str_from(name), &time_us, &form))
		unlinkat(folder, name, 0);
	return 0;
}

static int delete_folder(struct logger *l, int from, const char *name, int to)
{
	int folder = logfile_is_folder(str_from(name)) ? folder_unit(&l->store, from, name, false) : -1;
	if (folder < 0)
		return 0;
	each(folder, delete_file, l, to);
	close(folder);
	unlinkat(from, name, AT_REMOVEDIR);
	return 0;
}

int move_over(struct logger *l, int from, int to)
{
	int r = each(from, move_folder, l, to);
	if (r == 0 && syncfs(to) < 0)
		r = -errno;
	return r < 0 ? r : each(from, delete_folder, l, to);
}
