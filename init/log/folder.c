/* Folders and files of logs: opened so that nobody's link leads out of them. */
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

const char *folder_refusal(int error)
{
	switch (error) {
	case ELOOP: case ENOTDIR: return "a link, or no folder";     /* open(2), O_NOFOLLOW with O_DIRECTORY */
	case EPERM: return "somebody else's";
	default: return strerror(error);
	}
}

/* The descriptor as it is when it is a folder of ours that nobody else may write to; else closed, and -EPERM. */
static int is_ours(int fd)
{
	struct stat st;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 0022) == 0)
		return fd;
	close(fd);
	return -EPERM;
}

static void make_parents(const char *path)
{
	char text[512];
	size_t n = strlen(path);
	for (size_t i = 1; i < n && i < sizeof text; i++)
		if (path[i] == '/') {
			memcpy(text, path, i);
			text[i] = '\0';
			mkdir(text, 0755);
		}
}

int folder_base(const char *path, bool is_made)
{
	if (is_made) {
		make_parents(path);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return is_ours(open(path, FOLDER_FLAGS));
}

int folder_unit(const struct store *s, int base, const char *name, bool is_made)
{
	if (is_made && mkdirat(base, name, 0750) == 0) {
		int fd = openat(base, name, FOLDER_FLAGS);
		if (fd >= 0 && s->group && fchown(fd, (uid_t)-1, s->group) < 0)
			fchmod(fd, 0700);
		return is_ours(fd);
	}
	return is_ours(openat(base, name, FOLDER_FLAGS));
}

/* O_NONBLOCK is for a FIFO that somebody has put there: ENXIO. */
int folder_current(const struct store *s, int folder, struct stat *st)
{
	int fd = openat(folder, LOGFILE_CURRENT, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
	if (fd < 0)
		return -errno;
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode) || st->st_uid != geteuid() || st->st_nlink > 1) {
		close(fd);
		return -EPERM;
	}
	if (st->st_size == 0 && s->group && fchown(fd, (uid_t)-1, s->group) < 0)
		fchmod(fd, 0600);
	return fd;
}
