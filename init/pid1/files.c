/* Small files of /proc and cgroups: read whole, written whole. And memory. */
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

int each_number(const char *path, bool (*take)(void *, uint32_t), void *to)
{
	_Alignas(struct dirent64) char entries[4096];
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool goes_on = folder >= 0;
	int r = folder < 0 ? -errno : 0;
	long n = 0;
	while (goes_on && (n = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0)
		for (long at = 0; goes_on && at < n; at += ((struct dirent64 *)(entries + at))->len) {
			uint64_t number;
			if (str_u64(str_from(((struct dirent64 *)(entries + at))->name), &number) && (int64_t)number != folder)
				goes_on = take(to, (uint32_t)number);
		}
	r = n < 0 ? -errno : r;
	close_fd(&folder);
	return r;
}

static bool set_flags(void *to, uint32_t fd)
{
	if (fd > 2)
		fcntl((int)fd, F_SETFD, *(const int *)to);
	return true;
}

void set_descriptor_flags(int flags)
{
	enum { FILES = 1 << 19 };               /* boot_process() asks for no more */
	int r = each_number("/proc/self/fd", set_flags, &flags);
	/* With no descriptor left to look with: one that is forgotten here is closed by the exec, the state's own among them. */
	for (uint32_t fd = 3; r < 0 && fd < FILES; fd++)
		set_flags(&flags, fd);
}

void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* There is no moment at which it has other permissions, and no name to be led astray by, as with chmod(2). */
int bind_as(int fd, const struct sockaddr_un *address, mode_t mode)
{
	mode_t before = umask(~mode & 0777);
	int r = bind(fd, (const struct sockaddr *)address, sizeof *address);
	umask(before);
	return r;
}

/* By way of a link that only looks like one (proc_pid_fd(5)): no file system is asked for a name. */
int open_again(const char *folder, int fd, int flags)
{
	char path[64];
	struct buf b = BUF(path);
	buf_str(&b, str_from(folder));
	buf_u64(&b, (uint64_t)fd);
	int own = open(buf_cstr(&b), flags | O_NOCTTY | O_CLOEXEC);
	return own < 0 ? -errno : own;
}

void *map_shared(size_t size, int *fd)
{
	*fd = memfd_create("oomph", MFD_CLOEXEC);
	/* Refused, by a seccomp filter or for want of descriptors: memory without a file does as well, until we crash. */
	if (*fd >= 0 && ftruncate(*fd, (off_t)size) < 0)
		close_fd(fd);
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE | (*fd < 0 ? MAP_ANONYMOUS : 0), *fd, 0);
	if (bytes != MAP_FAILED)
		return bytes;
	close_fd(fd);
	return NULL;
}

/*
 * A child has none of it: what fork(2) need not copy makes each launch faster, and what we write meanwhile is not copied
 * page by page either.
 */
void *map_zeroes(size_t size, int *fd)
{
	void *bytes = map_shared(size, fd);
	if (bytes)
		madvise(bytes, size, MADV_DONTFORK);
	return bytes;
}
