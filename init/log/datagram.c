/*
 * A socket that anybody may send datagrams to. It outlives us: PID 1 keeps it while we are dead (FDSTORE=1 of sd_notify(3)), so
 * senders wait instead of losing what they say, and our successor reads on.
 *
 * Anybody may also send descriptors along, and to let go of one can take for ever: a socket lingers (socket(7), SO_LINGER), a FUSE
 * file waits for its owner. All services would wait for us then. So where nobody has use for descriptors there is no room for
 * them; Linux 6.16 refuses to send any; before that it drops them in recv(2), which a timer ends. One that was let in and is
 * no sealed memfd is closed by a child.
 */
#include "heard.h"
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83        /* include/uapi/asm-generic/socket.h, Linux 6.16 */
#endif

#define DATAGRAMS_A_TURN 64
#define DATAGRAMS_A_DRAIN 10000 /* whoever goes on sending is not waited for */
#define GUARD_US 5000           /* how long the kernel may take to drop a descriptor */
#define LINES_MAX 65536u        /* of one datagram, or the pipes would wait for line feeds */
#define GUARDS_MAX 20           /* as many of them for the child that closes one: it may not have run yet */
#define QUEUE_LENGTH "512"      /* of net.unix.max_dgram_qlen, as systemd sets it: at 10 a sender waits for us every 10 lines */

/* ---- opening ---- */

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	memcpy(a.sun_path, path, n < sizeof a.sun_path ? n : sizeof a.sun_path - 1);
	return a;
}

bool is_served(const char *path)
{
	struct sockaddr_un a = address_of(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool is = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
	/* A stream socket answers so, and is somebody's, too. */
	is |= fd >= 0 && errno == EPROTOTYPE;
	if (fd >= 0)
		close(fd);
	return is;
}

/* sd_listen_fds(3): the descriptor of this name that a former life left with PID 1; of no use where its path is gone. -1: none. */
static int inherited(const char *name, const char *path)
{
	const char *pid = getenv("LISTEN_PID"), *names = getenv("LISTEN_FDNAMES");
	if (!pid || !names || strtol(pid, NULL, 10) != getpid())
		return -1;
	struct str rest = str_from(names);
	for (int fd = 3; rest.n; fd++)
		if (str_eq(str_until(&rest, ':'), str_from(name)))
			return access(path, F_OK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : (close(fd), -1);
	return -1;
}

/* Leaves it with PID 1, in the place of an older one. Where nobody keeps it a restart loses what is sent meanwhile, and no more. */
static void leave(int fd, const char *name)
{
	char text[64];
	static const struct { struct str verb; bool has_fd; } steps[] = { { { "FDSTOREREMOVE=1", 15 }, false }, { { "FDSTORE=1", 9 }, true } };
	for (size_t i = 0; i < countof(steps); i++) {
		struct buf b = BUF(text);
		buf_str(&b, steps[i].verb);
		buf_lit(&b, "\nFDNAME=");
		buf_str(&b, str_from(name));
		notify_say(buf_view(&b), steps[i].has_fd ? fd : -1);
	}
}

static void make_folders(const char *path)
{
	char folder[sizeof ((struct listener *)NULL)->path];
	struct str s = str_from(path);
	for (size_t i = 1; i < s.n && i < sizeof folder; i++)
		if (path[i] == '/') {
			memcpy(folder, path, i);
			folder[i] = '\0';
			mkdir(folder, 0755);
		}
}

/* A socket takes the length of its queue when it is made; where we may not say so (a container, say) it is as it is. */
static void lengthen_queues(void)
{
	int fd = open("/proc/sys/net/unix/max_dgram_qlen", O_RDWR | O_CLOEXEC);
	char text[16] = "";
	if (fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strtol(text, NULL, 10) < strtol(QUEUE_LENGTH, NULL, 10))
		pwrite(fd, QUEUE_LENGTH, strlen(QUEUE_LENGTH), 0);
	if (fd >= 0)
		close(fd);
}

static void set_options(struct listener *in, int fd)
{
	int on = 1, off = 0;
	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	sender_ask(fd);
	in->has_no_rights = !in->takes_memfd && setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off) == 0;
}

/* Its options are set before anybody can send: a datagram is marked when it is sent. */
static int bound(struct listener *in)
{
	struct sockaddr_un a = address_of(in->path);
	if (is_served(in->path))
		return -EADDRINUSE;
	lengthen_queues();
	make_folders(in->path);
	unlink(in->path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	set_options(in, fd);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || chmod(in->path, 0666) < 0) {
		int r = -errno;
		close(fd);
		return r;
	}
	leave(fd, in->name);
	return fd;
}

static void wake_up(int signal)
{
	(void)signal;
}

static void read_some(struct logger *l, struct source *s, uint32_t events);
static void drain(struct logger *l, struct drain *d);

static int listen_to(struct logger *l, struct listener *in)
{
	int fd = inherited(in->name, in->path);
	in->room = malloc(2 * DATAGRAM_MAX);
	in->senders = senders_new();
	if (!in->room || !in->senders)
		return -ENOMEM;
	if (fd >= 0)
		set_options(in, fd);
	else
		fd = bound(in);
	if (fd < 0)
		return fd;
	/* Without SA_RESTART: the timer of take_off() is to interrupt. */
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = wake_up }, NULL);
	gethostname(in->host, sizeof in->host - 1);
	in->source = (struct source){ .fd = fd, .ready = read_some };
	in->drain.drain = drain;
	log_drain(l, &in->drain);
	return source_watch(l, &in->source, EPOLLIN);
}

bool listener_open(struct logger *l, struct listener *in, const char *file)
{
	struct buf path = BUF(in->path);
	buf_str(&path, str_from(l->options.sockets));
	buf_char(&path, '/');
	buf_str(&path, str_from(file));
	buf_cstr(&path);
	int r = path.is_cut ? -ENAMETOOLONG : listen_to(l, in);
	if (r < 0)
		complain("nobody is heard at %s: %s", in->path, r == -EADDRINUSE ? "another program listens there" : strerror(-r));
	return r == 0;
}

/* ---- reading ---- */

/* Again and again: whoever was held up between setting it and waiting is woken by the next one. 0: no more. */
static void set_guard(long us)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = us, .it_interval.tv_usec = us }, NULL);
}

/* close(2) by a child with our table of descriptors. It has the same guard: only a FUSE file holds it up for longer. */
static void close_elsewhere(struct listener *in, int fd)
{
	long pid = syscall(SYS_clone, CLONE_FILES, 0, 0, 0, 0);
	if (pid == 0) {
		set_guard(GUARD_US);
		close(fd);
		_exit(0);
	}
	if (pid > 0)
		in->closer = (pid_t)pid;
	else
		in->takes_memfd = false; /* one stays open, and no more come in */
}

/*
 * It ends without a signal (the lowest byte of clone's flags), so it has to be asked for by __WALL. One that does not end waits for
 * somebody's FUSE; to wait for it at each datagram, or to leave another one there, is more than large entries are worth.
 */
static bool is_closing(struct listener *in)
{
	set_guard(GUARD_US);
	for (int n = 0; in->closer && n < GUARDS_MAX; n++)
		if (waitpid(in->closer, NULL, __WALL) > 0 || errno == ECHILD)
			in->closer = 0;
	set_guard(0);
	if (!in->closer)
		return false;
	in->takes_memfd = false;
	complain("%s: a descriptor that was sent here cannot be closed: no more are taken", in->path);
	return true;
}

/* An entry that is too large for a datagram comes as a descriptor with an empty one. */
static bool has_room_for_memfd(struct listener *in)
{
	int n_next = 1;
	return in->takes_memfd && ioctl(in->source.fd, FIONREAD, &n_next) == 0 && n_next == 0 && !(in->closer && is_closing(in));
}

static bool is_sealed(int fd)
{
	const int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int seals = fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & wanted) == wanted;
}

static void take_descriptor(struct listener *in, int fd, bool is_right, struct datagram *d)
{
	if (!is_right || (is_sealed(fd) && d->bytes.n))
		close(fd);              /* of the sender itself, or harmless: nobody's to hang in */
	else if (is_sealed(fd))
		d->memfd = fd;
	else
		close_elsewhere(in, fd);
}

static void take_ancillary(struct listener *in, struct msghdr *m, struct datagram *d)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct ucred who;
		int fd;
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&who, CMSG_DATA(c), sizeof who);
			d->pid = (uint32_t)who.pid;
		} else {
			memcpy(&fd, CMSG_DATA(c), sizeof fd);
			take_descriptor(in, fd, c->cmsg_type == SCM_RIGHTS, d);
		}
	}
}

/* What was read is in its file: only now it leaves the queue. The timer ends that when a descriptor that came along will not go. */
static bool take_off(const struct listener *in)
{
	uint64_t before = now_ms();
	if (!in->has_no_rights)
		set_guard(GUARD_US);
	recv(in->source.fd, NULL, 0, MSG_DONTWAIT);
	if (!in->has_no_rights)
		set_guard(0);
	return now_ms() - before < GUARD_US / 1000;
}

/*
 * The next datagram; false when there is none, or enough for now. Whoever kills us between the two makes our successor read it
 * again: one message stands there twice then, but none is lost.
 */
static bool read_one(struct logger *l, struct listener *in)
{
	char control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))] __attribute__((aligned(sizeof(struct cmsghdr))));
	struct iovec part = { in->room, DATAGRAM_MAX };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(struct ucred)) };
	struct datagram d = { .memfd = -1 };
	if (has_room_for_memfd(in))
		m.msg_controllen += CMSG_LEN(sizeof(int));      /* not CMSG_SPACE(): the kernel would find room for two in it */
	ssize_t n = recvmsg(in->source.fd, &m, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return false;
	d.bytes = str_of(in->room, (size_t)n);
	take_ancillary(in, &m, &d);
	in->n_lines = 0;
	in->owner = owner_of(l, in->senders, d.pid, in->source.fd);
	in->hear(l, in, &d);
	log_flush(l);
	if (d.memfd >= 0)
		close(d.memfd);
	return take_off(in);
}

static void read_some(struct logger *l, struct source *s, uint32_t events)
{
	struct listener *in = (struct listener *)((char *)s - offsetof(struct listener, source));
	(void)events;
	for (int n = 0; n < DATAGRAMS_A_TURN && read_one(l, in); n++)
		;
}

static void drain(struct logger *l, struct drain *d)
{
	struct listener *in = (struct listener *)((char *)d - offsetof(struct listener, drain));
	for (int n = 0; n < DATAGRAMS_A_DRAIN && read_one(l, in); n++)
		;
}

/* ---- what was heard ---- */

static void put_one(struct logger *l, struct writer *w, struct logline *line, struct buf *head, struct str text)
{
	size_t n_room = head->cap - head->n;
	buf_str(head, text);
	/* A memfd may hold more than there is room for: that goes on in another line, as what is longer than LineMax= does. */
	line->is_cut = head->is_cut;
	line->text = buf_view(head);
	log_put(l, w, line);
	if (!head->is_cut)
		return;
	line->is_cut = false;
	line->text = str_skip(text, n_room);
	log_put(l, w, line);
}

void listener_put(struct logger *l, struct listener *in, const struct syslogmsg *m, struct logline *line)
{
	struct str rest = m->text;
	line->time_us = now_us();
	line->generation = in->owner.generation;
	for (bool is_first = true; (is_first || rest.n) && in->n_lines < LINES_MAX; is_first = false) {
		struct buf head = { .p = in->room + DATAGRAM_MAX, .cap = DATAGRAM_MAX };
		struct str text = str_until(&rest, '\n');
		if (++in->n_lines == LINES_MAX)
			text = STR("(this and all that follows is not kept: it is the 65536th line of one message)");
		else
			syslogmsg_put_origin(&head, m, str_from(in->host), line->pid, is_first);
		put_one(l, in->owner.writer, line, &head, text);
	}
}
