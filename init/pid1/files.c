/* Small files of /proc and cgroups: read whole, written whole. */
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int file_read(int folder, const char *path, char *to, size_t size)
{
	int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, to, size - 1);
	int r = n < 0 ? -errno : (int)n;
	close(fd);
	to[r > 0 ? r : 0] = '\0';
	return r;
}

int file_write(int folder, const char *path, struct str text)
{
	int fd = openat(folder, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, text.p, text.n);
	int r = n < 0 ? -errno : (size_t)n == text.n ? 0 : -EIO;
	close(fd);
	return r;
}

void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
