/* The socket of sd_notify(3). The kernel vouches for the sender (SCM_CREDENTIALS, unix(7)); what it may say, the core decides. */
#include "pid1.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define DATAGRAMS_A_TURN 64

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

/* FDSTORE=1: what is taken leaves the list of those to be closed. */
static void take_fds(struct pid1 *p, uint32_t service, const struct notify_message *m, struct received *r)
{
	size_t n_left = 0;
	if (m->is_store_remove)
		store_remove(p, service, m->fd_name);
	for (size_t k = 0; k < r->n_fds; k++)
		if (!m->is_store || !store_take(p, service, r->fds[k], m->fd_name))
			r->fds[n_left++] = r->fds[k];
	r->n_fds = n_left;
}

void notify_take(struct pid1 *p, struct str datagram, struct received *r)
{
	struct notify_message message;
	enum role role;
	uint32_t pid = r->pid;
	if (!notify_parse(datagram, &message))
		return;
	struct event ev = event_of(EVENT_NOTIFY, core_find_pid(p->core, pid, &role));
	if (ev.service == NO_UNIT)
		ev.service = p->cgroups >= 0 ? cgroup_owner(p, pid) : reap_owner(p, pid);
	if (ev.service == NO_UNIT)
		return;
	if (core_heeds(p->core, p->units, ev.service, pid))
		take_fds(p, ev.service, &message, r);
	ev.pid = pid;
	ev.message = &message;
	ev.told_at = message.has_time ? earlier(message.time_us / 1000 + 1, now_ms()) : 0;      /* in now_ms()'s own clock */
	/* MAINPID= of a process elsewhere would make us watch, and kill, somebody else's. */
	if (message.has_main_pid)
		ev.is_ok = ev.service == (p->cgroups >= 0 ? cgroup_owner(p, message.main_pid) : reap_owner(p, message.main_pid));
	feed_last(p, &ev);
}

/* Each may bring as many as fit into one, and for those that nobody wants there must be room. */
static bool has_room(struct pid1 *p)
{
	return store_room(p) >= SCM_MAX + CLIENTS_MAX;
}

void notify_listen(struct pid1 *p)
{
	if (p->notify >= 0)
		watch(p, p->notify, has_room(p) ? EPOLLIN : 0, SOURCE_NOTIFY, 0);
}

void notify_read(struct pid1 *p)
{
	struct received *came = &p->intake.of.datagram;
	for (int n = 0; n < DATAGRAMS_A_TURN && has_room(p); n++) {
		intake_begin(p, INTAKE_DATAGRAM);
		p->scratch[0] = '\0';
		ssize_t got = receive(p->notify, p->scratch, sizeof p->scratch, came);
		if (got < 0)
			break;
		struct received copy = *came;
		if (!copy.is_cut && copy.pid)
			notify_take(p, str_of(p->scratch, (size_t)got), &copy);
		receive_discard(p, &copy);
	}
	p->intake.kind = INTAKE_NONE;
	if (!has_room(p))
		notify_listen(p);
}
