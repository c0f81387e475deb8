/*
 * Whose is a datagram? The kernel vouches for its pid (SCM_CREDENTIALS, unix(7)), and /proc/PID/cgroup says which service that is of.
 * In a container without cgroups all are in one; there it is the service that one of the process's forefathers is the main process
 * of, as the markers in the pipes tell.
 *
 * Many a sender is gone before we look (logger(1) in a script lives for a millisecond). Since Linux 6.17 the kernel hands out a
 * descriptor of it all the same, and that knows its last cgroup; before, only what was learnt of it earlier helps.
 */
#include "heard.h"
#include "parts.h"

#include "lib/attrib.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76         /* include/uapi/asm-generic/socket.h, Linux 6.5 */
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

#define CACHED 512              /* processes remembered, by their pid's last bits; a newcomer takes its forerunner's place */
#define CACHED_MS 60000u        /* a pid is not given again sooner than after as many forks as there are pids, 32768 at least */
#define FRESH_MS 10u            /* whoever sends much is asked after no more often */
#define FOREFATHERS_MAX 16
#define CGROUPS "/sys/fs/cgroup"

struct cached {
	struct writer *writer;
	uint64_t at_ms;
	uint32_t pid;
};

struct senders {
	bool has_cgroups;
	char root[512];                 /* where the services' cgroups are: our own is right below it */
	struct cached cache[CACHED];
};

/* A file of /proc/PID; empty when the process is gone. */
static struct str file_of(struct str pid, struct str name, char *room, size_t size)
{
	char path[40];
	struct buf b = BUF(path);
	buf_lit(&b, "/proc/");
	buf_str(&b, pid);
	buf_char(&b, '/');
	buf_str(&b, name);
	int fd = open(buf_cstr(&b), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, room, size);
	if (fd >= 0)
		close(fd);
	return str_of(room, n > 0 ? (size_t)n : 0);
}

struct senders *senders_new(void)
{
	struct senders *all = calloc(1, sizeof *all);
	char text[1024];
	if (!all)
		return NULL;
	struct str own = attrib_unified(file_of(STR("self"), STR("cgroup"), text, sizeof text));
	struct buf b = BUF(all->root);
	all->has_cgroups = str_ends(own, STR(".service"));
	buf_str(&b, str_of(own.p, str_rfind(own, STR("/"))));
	buf_cstr(&b);
	return all;
}

static struct writer *by_path(struct logger *l, const struct senders *all, struct str path)
{
	struct str name = attrib_folder(str_from(all->root), path);
	return str_ends(name, STR(".service")) ? writer_of(l, name) : l->others;
}

static struct writer *by_main_pid(struct logger *l, uint32_t pid)
{
	for (const struct stream *s = l->streams; s; s = s->next)
		if (ledger_held(&l->ledger, s->index).split.pid == pid)
			return s->writer;
	return NULL;
}

static uint32_t parent_of(struct str status)
{
	const struct str key = STR("\nPPid:\t");
	struct str rest = str_skip(status, str_find(status, key) + key.n);
	uint64_t pid;
	return str_digits(&rest, &pid) ? (uint32_t)pid : 0;
}

/* NULL: none of them is. */
static struct writer *by_forefathers(struct logger *l, uint32_t pid, struct str status)
{
	char text[1024], number[10];
	for (int n = 0; n < FOREFATHERS_MAX && pid > 1; n++) {
		struct writer *w = by_main_pid(l, pid);
		if (w)
			return w;
		pid = parent_of(status);
		struct buf b = BUF(number);
		buf_u64(&b, pid);
		status = file_of(buf_view(&b), STR("status"), text, sizeof text);
	}
	return NULL;
}

/* Whoever has just been started may be heard before the marker in its pipe is read. */
static struct writer *by_markers(struct logger *l, uint32_t pid, struct str status)
{
	struct writer *w = by_forefathers(l, pid, status);
	if (w)
		return w;
	wire_serve(l, &l->logs);
	streams_drain(l, NULL);
	w = by_forefathers(l, pid, status);
	return w ? w : l->others;
}

/* ---- a process that is gone ---- */

/* As in include/uapi/linux/pidfd.h, its first version. */
struct last_info {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};
#define LAST_CGROUP 4u          /* PIDFD_INFO_CGROUPID */
#define LAST_EXIT 8u            /* PIDFD_INFO_EXIT */
#define GET_LAST_INFO _IOWR(0xff, 11, struct last_info)

void sender_ask(int socket)
{
	int on = 1;
	setsockopt(socket, SOL_SOCKET, SO_PASSPIDFD, &on, sizeof on);
}

/* A descriptor of whoever sent the next datagram; -1. */
static int pidfd_of_sender(int socket)
{
	char control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))] __attribute__((aligned(sizeof(struct cmsghdr))));
	struct msghdr m = { .msg_control = control, .msg_controllen = sizeof control };
	int fd = -1;
	if (recvmsg(socket, &m, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_PIDFD)
			memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

/* A cgroup's number is a file handle, too, and what that opens has a name in /proc; -1: it is gone as well. */
static ssize_t read_cgroup_path(uint64_t id, char *path, size_t size)
{
	enum { KERNFS = 0xfe };                 /* FILEID_KERNFS in include/linux/exportfs.h */
	_Alignas(struct file_handle) char handle[sizeof(struct file_handle) + sizeof id];
	char link[40];
	struct buf b = BUF(link);
	*(struct file_handle *)handle = (struct file_handle){ .handle_bytes = sizeof id, .handle_type = KERNFS };
	memcpy(handle + offsetof(struct file_handle, f_handle), &id, sizeof id);
	int root = open(CGROUPS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = root < 0 ? -1 : open_by_handle_at(root, (struct file_handle *)handle, O_PATH | O_CLOEXEC);
	buf_lit(&b, "/proc/self/fd/");
	buf_u64(&b, fd < 0 ? 0 : (uint64_t)fd);
	ssize_t n = fd < 0 ? -1 : readlink(buf_cstr(&b), path, size);
	for (const int *open = (int[]){ root, fd }, *end = open + 2; open < end; open++)
		if (*open >= 0)
			close(*open);
	return n;
}

static struct writer *by_last_cgroup(struct logger *l, const struct senders *all, int socket)
{
	struct last_info info = { .mask = LAST_CGROUP | LAST_EXIT };
	char text[1024];
	int fd = all->has_cgroups ? pidfd_of_sender(socket) : -1;
	bool is_told = fd >= 0 && ioctl(fd, GET_LAST_INFO, &info) == 0 && (info.mask & LAST_CGROUP);
	if (fd >= 0)
		close(fd);
	ssize_t n = is_told ? read_cgroup_path(info.cgroup, text, sizeof text) : -1;
	struct str path = str_of(text, n > 0 ? (size_t)n : 0);
	return str_take(&path, STR(CGROUPS)) ? by_path(l, all, path) : NULL;
}

/* ---- either way ---- */

/* What /proc says now, or, when the process is gone, what its descriptor says, or what was said when we last heard of it. */
static struct writer *look_up(struct logger *l, const struct senders *all, uint32_t pid, int socket)
{
	char number[10], text[1024];
	struct buf b = BUF(number);
	buf_u64(&b, pid);
	struct str told = file_of(buf_view(&b), all->has_cgroups ? STR("cgroup") : STR("status"), text, sizeof text);
	if (told.n == 0)
		return by_last_cgroup(l, all, socket);
	return all->has_cgroups ? by_path(l, all, attrib_unified(told)) : by_markers(l, pid, told);
}

static struct writer *writer_of_pid(struct logger *l, struct senders *all, uint32_t pid, int socket)
{
	struct cached *c = &all->cache[pid % CACHED];
	uint64_t now = now_ms(), age = now - c->at_ms;
	bool is_cached = c->pid == pid && age < CACHED_MS;
	if (is_cached && age < FRESH_MS)
		return c->writer;
	struct writer *w = look_up(l, all, pid, socket);
	if (w)
		*c = (struct cached){ .writer = w, .at_ms = now, .pid = pid };
	return w ? w : is_cached ? c->writer : l->others;
}

struct owner owner_of(struct logger *l, struct senders *all, uint32_t pid, int socket)
{
	struct owner who = { .writer = pid ? writer_of_pid(l, all, pid, socket) : l->others };
	if (who.writer == l->others)
		return who;
	/* What its service wrote before comes before; the marker of its generation is there as well. */
	if (!who.writer->is_known)
		wire_serve(l, &l->logs);
	streams_drain(l, who.writer);
	for (const struct stream *s = l->streams; s; s = s->next) {
		uint32_t generation = s->writer == who.writer ? ledger_held(&l->ledger, s->index).split.generation : 0;
		if (generation > who.generation)
			who.generation = generation;
	}
	return who;
}
