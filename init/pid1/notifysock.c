/* The socket of sd_notify(3). The kernel vouches for the sender (SCM_CREDENTIALS, unix(7)); what it may say, the core decides. */
#include "pid1.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAMS_A_TURN 64
#define SCM_MAX 253             /* descriptors with one datagram: SCM_MAX_FD of include/net/scm.h */

/* Beside the control socket. Anybody may write: a service runs as any user, and its credentials say which one it is. */
int notify_open(struct pid1 *p)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct buf path = BUF(p->notify_path);
	struct str control = str_from(p->options.socket);
	int on = 1;
	p->notify = -1;
	buf_str(&path, str_of(control.p, str_rfind(control, STR("/"))));
	buf_lit(&path, "/notify");
	memcpy(address.sun_path, buf_cstr(&path), path.n + 1);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(p->notify_path);
	if (fd < 0 || path.is_cut || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		int r = -errno;
		close_fd(&fd);
		p->notify_path[0] = '\0';       /* no NOTIFY_SOCKET then */
		return r;
	}
	chmod(p->notify_path, 0777);
	p->notify = fd;
	return watch(p, fd, EPOLLIN, SOURCE_NOTIFY, 0);
}

/*
 * Descriptors that came along are nobody's here (FDSTORE=, BARRIER=): closed, which is what BARRIER= waits for. Anybody may
 * send any, and close(2) can take for ever: a socket lingers (socket(7), SO_LINGER), a FUSE file waits for its owner to
 * answer a flush. So a child that shares our descriptors (clone(2), CLONE_FILES) closes them, one such child at a time. When
 * there is none to be had they stay open: better that than to wait.
 */
static void close_elsewhere(struct pid1 *p, const int *fds, size_t n)
{
	long pid = n ? syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0) : -1;
	if (pid == 0) {
		for (size_t i = 0; i < n; i++)
			close(fds[i]);
		_exit(0);
	}
	if (pid > 0)
		p->closer = (struct helper){ .pid = (uint32_t)pid, .deadline_at = now_ms() + CLOSE_DEADLINE_MS };
}

void notify_closed(struct pid1 *p)
{
	p->closer = (struct helper){ 0 };
	watch(p, p->notify, EPOLLIN, SOURCE_NOTIFY, 0);
}

/* Killed, and if even that takes for ever, it is an orphan like any other. */
void notify_expire(struct pid1 *p)
{
	if (p->closer.deadline_at == 0 || p->closer.deadline_at > now_ms())
		return;
	kill((pid_t)p->closer.pid, SIGKILL);
	notify_closed(p);
}

static uint32_t take_ancillary(struct pid1 *p, struct msghdr *m)
{
	int fds[SCM_MAX];
	size_t n = 0;
	uint32_t pid = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred who;
			memcpy(&who, CMSG_DATA(c), sizeof who);
			pid = (uint32_t)who.pid;
		}
		for (size_t at = 0; c->cmsg_type == SCM_RIGHTS && CMSG_LEN(at + sizeof(int)) <= c->cmsg_len && n < SCM_MAX; at += sizeof(int))
			memcpy(&fds[n++], CMSG_DATA(c) + at, sizeof fds[0]);
	}
	close_elsewhere(p, fds, n);
	return pid;
}

/* A time of CLOCK_MONOTONIC in the clock that the core lives by: it is as long ago in the one as in the other. */
static uint64_t time_of(uint64_t monotonic_us)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	uint64_t us = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
	uint64_t age_ms = monotonic_us < us ? (us - monotonic_us) / 1000 : 0, now = now_ms();
	return age_ms < now ? now - age_ms : 1;
}

static void take_message(struct pid1 *p, struct str datagram, uint32_t pid)
{
	struct notify_message message;
	enum role role;
	if (!notify_parse(datagram, &message))
		return;
	struct event ev = event_of(EVENT_NOTIFY, core_find_pid(p->core, pid, &role));
	if (ev.service == NO_UNIT)
		ev.service = p->cgroups >= 0 ? cgroup_owner(p, pid) : reap_owner(p, pid);
	if (ev.service == NO_UNIT)
		return;
	ev.pid = pid;
	ev.message = &message;
	ev.told_at = message.has_time ? time_of(message.time_us) : 0;
	/* MAINPID= of a process elsewhere would make us watch, and kill, somebody else's. */
	if (message.has_main_pid)
		ev.is_ok = ev.service == (p->cgroups >= 0 ? cgroup_owner(p, message.main_pid) : reap_owner(p, message.main_pid));
	feed(p, &ev);
}

void notify_read(struct pid1 *p)
{
	for (int n = 0; n < DATAGRAMS_A_TURN && !p->closer.pid; n++) {
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * SCM_MAX)];
		} ancillary;
		struct iovec part = { p->scratch, sizeof p->scratch };
		struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &ancillary, .msg_controllen = sizeof ancillary };
		ssize_t got = recvmsg(p->notify, &m, MSG_CMSG_CLOEXEC);
		if (got < 0)
			return;
		uint32_t pid = take_ancillary(p, &m);
		if (!(m.msg_flags & MSG_TRUNC) && pid)
			take_message(p, str_of(p->scratch, (size_t)got), pid);
	}
	if (p->closer.pid)
		watch(p, p->notify, 0, SOURCE_NOTIFY, 0);
}
