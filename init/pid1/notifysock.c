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
#include <unistd.h>

#define DATAGRAMS_A_TURN 64
#define SCM_MAX 253             /* descriptors with one datagram: SCM_MAX_FD of include/net/scm.h */

/* Beside the control socket. Anybody may write: a service runs as any user, and its credentials say which one it is. */
int notify_open(struct pid1 *p)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct buf path = BUF(address.sun_path);
	struct str control = str_from(p->options.socket);
	int on = 1;
	buf_str(&path, str_of(control.p, str_rfind(control, STR("/"))));
	buf_lit(&path, "/notify");
	buf_cstr(&path);
	if (path.is_cut)
		return -ENAMETOOLONG;
	unlink(address.sun_path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
		bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(address.sun_path, 0777) < 0 ?
		-errno : watch(p, fd, EPOLLIN, SOURCE_NOTIFY, 0);
	if (r < 0) {
		close_fd(&fd);
		return r;
	}
	p->notify = fd;
	memcpy(p->notify_path, address.sun_path, sizeof p->notify_path);        /* $NOTIFY_SOCKET from here on */
	return 0;
}

/*
 * Descriptors that came along and are not to be kept (BARRIER=1, and whatever nobody has asked for) are closed, which is what
 * BARRIER=1 waits for. Anybody may send any, and close(2) can take for ever: a socket lingers (socket(7), SO_LINGER), a FUSE
 * file waits for its owner to answer a flush. So a child that shares our descriptors (clone(2), CLONE_FILES) closes them, one
 * such child at a time. When there is none to be had they stay open until there is: better that than to wait.
 */
bool notify_close_elsewhere(struct pid1 *p, const int *fds, size_t n)
{
	long pid = p->closer.pid || n == 0 ? -1 : syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		for (size_t i = 0; i < n; i++)
			close(fds[i]);
		_exit(0);
	}
	if (pid > 0)
		p->closer = (struct helper){ .pid = (uint32_t)pid, .deadline_at = now_ms() + CLOSE_DEADLINE_MS };
	return pid > 0;
}

void notify_closed(struct pid1 *p)
{
	p->closer = (struct helper){ 0 };
	watch(p, p->notify, EPOLLIN, SOURCE_NOTIFY, 0);
	store_purge(p);
}

/* Killed, and if even that takes for ever, it is an orphan like any other. */
void notify_expire(struct pid1 *p)
{
	if (p->closer.deadline_at == 0 || p->closer.deadline_at > now_ms())
		return;
	kill((pid_t)p->closer.pid, SIGKILL);
	notify_closed(p);
}

/* What came with a datagram. */
struct ancillary {
	uint32_t pid;                   /* of its sender; 0: the kernel did not say */
	size_t n;
	int fds[SCM_MAX];
};

static void take_ancillary(struct msghdr *m, struct ancillary *a)
{
	a->pid = 0;
	a->n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred who;
			memcpy(&who, CMSG_DATA(c), sizeof who);
			a->pid = (uint32_t)who.pid;
		}
		for (size_t at = 0; c->cmsg_type == SCM_RIGHTS && CMSG_LEN(at + sizeof(int)) <= c->cmsg_len && a->n < SCM_MAX; at += sizeof(int))
			memcpy(&a->fds[a->n++], CMSG_DATA(c) + at, sizeof a->fds[0]);
	}
}

/* FDSTORE=1: what is taken leaves the list of those to be closed. */
static void take_fds(struct pid1 *p, uint32_t service, const struct notify_message *m, struct ancillary *a)
{
	size_t n_left = 0;
	if (m->is_store_remove)
		store_remove(p, service, m->fd_name);
	for (size_t k = 0; k < a->n; k++)
		if (!m->is_store || !store_take(p, service, a->fds[k], m->fd_name))
			a->fds[n_left++] = a->fds[k];
	a->n = n_left;
}

static void take_message(struct pid1 *p, struct str datagram, struct ancillary *a)
{
	struct notify_message message;
	enum role role;
	uint32_t pid = a->pid;
	if (!notify_parse(datagram, &message))
		return;
	struct event ev = event_of(EVENT_NOTIFY, core_find_pid(p->core, pid, &role));
	if (ev.service == NO_UNIT)
		ev.service = p->cgroups >= 0 ? cgroup_owner(p, pid) : reap_owner(p, pid);
	if (ev.service == NO_UNIT)
		return;
	if (core_heeds(p->core, p->units, ev.service, pid))
		take_fds(p, ev.service, &message, a);
	ev.pid = pid;
	ev.message = &message;
	ev.told_at = message.has_time ? earlier(message.time_us / 1000 + 1, now_ms()) : 0;      /* in now_ms()'s own clock */
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
		struct ancillary came;
		take_ancillary(&m, &came);
		if (!(m.msg_flags & MSG_TRUNC) && came.pid)
			take_message(p, str_of(p->scratch, (size_t)got), &came);
		if (!notify_close_elsewhere(p, came.fds, came.n))
			store_discard(p, came.fds, came.n);
	}
	if (p->closer.pid)
		watch(p, p->notify, 0, SOURCE_NOTIFY, 0);
}
