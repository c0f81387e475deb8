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
#include <sys/time.h>
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
		bind_as(fd, &address, 0777) < 0 ? -errno : watch(p, fd, EPOLLIN, SOURCE_NOTIFY, 0);
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

static uint32_t owner(struct pid1 *p, uint32_t pid)
{
	return p->cgroups >= 0 ? cgroup_owner(p, pid) : reap_owner(p, pid);
}

static uint32_t find_sender(struct pid1 *p, uint32_t pid)
{
	enum role role;
	uint32_t service = core_find_pid(p->core, pid, &role);
	return service == NO_UNIT ? owner(p, pid) : service;
}

void notify_take(struct pid1 *p, struct str datagram, struct received *r)
{
	struct notify_message message;
	uint32_t pid = r->pid;
	if (!notify_parse(datagram, &message))
		return;
	struct event ev = event_of(EVENT_NOTIFY, find_sender(p, pid));
	if (ev.service == NO_UNIT)
		return;
	if (core_heeds(p->core, p->units, ev.service, pid))
		take_fds(p, ev.service, &message, r);
	ev.pid = pid;
	ev.message = &message;
	ev.told_at = message.has_time ? earlier(message.time_us / 1000 + 1, now_ms()) : 0;      /* in now_ms()'s own clock */
	/* MAINPID= of a process elsewhere would make us watch, and kill, somebody else's. */
	if (message.has_main_pid)
		ev.is_ok = ev.service == owner(p, message.main_pid);
	feed_last(p, &ev);
}

/* ---- reading ---- */

static bool may_store(struct pid1 *p, uint32_t pid)
{
	uint32_t service = pid ? find_sender(p, pid) : NO_UNIT;
	return service != NO_UNIT && unitset_unit(p->units, service)->fd_store_max && core_heeds(p->core, p->units, service, pid);
}

/* The first datagram, with what it brings: to drop that may take for ever, but for signals. BARRIER=1 waits for it. */
static void drop(int fd)
{
	struct itimerval soon = { .it_value = { .tv_usec = 10000 } };
	sigset_t alarm;
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	signal(SIGALRM, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	recv(fd, NULL, 0, MSG_DONTWAIT);
	_exit(0);
}

/* Its words are heeded, whatever it brings. */
static ssize_t receive_words(struct pid1 *p, struct received *came)
{
	bool has_descriptors;
	ssize_t n = receive_look(p->notify, NULL, 0, came, &has_descriptors);
	if (n < 0 || !has_descriptors || may_store(p, came->pid))
		return receive(p->notify, p->scratch, sizeof p->scratch, came);
	n = receive_look(p->notify, p->scratch, sizeof p->scratch, came, &has_descriptors);
	int notify = p->notify;                 /* a child has no part in `p` (map_zeroes()) */
	long pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		drop(notify);
	if (pid < 0)
		return -errno;
	p->closer = (struct helper){ .pid = (uint32_t)pid, .deadline_at = now_ms() + CLOSE_DEADLINE_MS };
	return n;
}

/* Those who may store bring as many as fit into one datagram, and for those that are not taken there must be room. */
static bool is_open(struct pid1 *p)
{
	return !p->closer.pid && store_room(p) >= SCM_MAX + CLIENTS_MAX;
}

void notify_listen(struct pid1 *p)
{
	if (p->notify >= 0)
		watch(p, p->notify, is_open(p) ? EPOLLIN : 0, SOURCE_NOTIFY, 0);
}

void notify_read(struct pid1 *p)
{
	struct received *came = &p->intake.of.datagram;
	for (int n = 0; n < DATAGRAMS_A_TURN && is_open(p); n++) {
		intake_begin(p, INTAKE_DATAGRAM);
		p->scratch[0] = '\0';
		ssize_t got = receive_words(p, came);
		if (got < 0)
			break;
		struct received copy = *came;
		if (!copy.is_cut && copy.pid)
			notify_take(p, str_of(p->scratch, (size_t)got), &copy);
		receive_discard(p, &copy);
	}
	p->intake.kind = INTAKE_NONE;
	if (!is_open(p))
		notify_listen(p);
}
