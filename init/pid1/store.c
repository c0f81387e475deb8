/*
 * Descriptors that services leave with us for their next life (FDSTORE=1 of sd_notify(3), FileDescriptorStoreMax=), and those that nobody
 * wants, until they are closed.
 *
 * Every child that PID 1 makes has a copy of each until its exec closes it, and close(2) of a file of a dead FUSE server waits
 * for it. So only what belongs to no file system is taken: sockets, pipes, memfds and the kernel's anonymous files. Even a socket
 * may linger (socket(7), SO_LINGER), so whatever it is, a child closes it.
 */
#include "pid1.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_harmless(int fd, int *error)
{
	char path[40], kind[64];
	struct buf b = BUF(path);
	buf_lit(&b, "/proc/self/fd/");
	buf_u64(&b, (uint64_t)fd);
	/* Made up by the kernel from what it has in memory (d_path in fs/d_path.c): no file system is asked. */
	ssize_t n = readlink(buf_cstr(&b), kind, sizeof kind);
	*error = n < 0 ? errno : 0;
	struct str s = str_of(kind, n > 0 ? (size_t)n : 0);
	if (str_starts(s, STR("anon_inode:")))
		return !str_starts(s, STR("anon_inode:[eventpoll]"));   /* which may hold others, this one's like or not */
	return str_starts(s, STR("socket:")) || str_starts(s, STR("pipe:")) || str_starts(s, STR("/memfd:"));
}

/* Not a part of PID 1's own memory: most machines never need it. */
static bool is_there(struct pid1 *p)
{
	if (p->store)
		return true;
	p->store = map_shared(STORE_PLACES * sizeof *p->store, &p->store_memory);
	return p->store != NULL;
}

static uint32_t count(const struct pid1 *p, bool is_wanted)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < p->n_store; k++)
		n += p->store[k].fd >= 0 && (p->store[k].service != NO_UNIT) == is_wanted;
	return n;
}

uint32_t store_count(const struct pid1 *p, uint32_t service)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < p->n_store; k++)
		n += p->store[k].service == service;
	return n;
}

/* Nothing ever moves: children read this meanwhile, and the one that closes writes. So a place is taken once its descriptor stands there. */
static bool put(struct pid1 *p, uint32_t service, int fd, struct str name)
{
	uint32_t k = 0;
	while (k < p->n_store && p->store[k].fd >= 0)
		k++;
	if (!is_there(p) || k == STORE_PLACES)
		return false;
	struct stored *s = &p->store[k];
	memset(s->name, 0, sizeof s->name);
	memcpy(s->name, name.p, name.n);
	s->service = service;
	__atomic_store_n(&s->fd, fd, __ATOMIC_RELEASE);
	p->n_store += k == p->n_store;
	return true;
}

bool store_take(struct pid1 *p, uint32_t service, int fd, struct str name)
{
	const struct unit *u = unitset_unit(p->units, service);
	int error;
	if (store_count(p, service) >= u->fd_store_max || count(p, true) == STORE_MAX)
		return false;
	if (!is_harmless(fd, &error)) {
		if (error)
			console_say(p, "a descriptor that a service leaves cannot be kept", error);
		return false;
	}
	/* sd_notify(3): "stored" when it has no name, or one that is none. */
	if (name.n == 0 || name.n >= sizeof p->store->name || str_chr(name, ':') < name.n)
		name = STR("stored");
	return put(p, service, fd, name);
}

static void give_up(struct pid1 *p, uint32_t service, struct str name)
{
	for (uint32_t k = 0; k < p->n_store; k++)
		if (p->store[k].service == service && (name.n == 0 || str_eq(name, str_from(p->store[k].name))))
			p->store[k].service = NO_UNIT;
	store_purge(p);
}

void store_remove(struct pid1 *p, uint32_t service, struct str name)
{
	if (name.n)
		give_up(p, service, name);
}

void store_drop(struct pid1 *p, uint32_t service)
{
	give_up(p, service, STR(""));
}

void store_renumber(struct pid1 *p, struct unitset old, struct unitset new)
{
	for (uint32_t k = 0; k < p->n_store; k++) {
		struct stored *s = &p->store[k];
		if (s->service != NO_UNIT)
			s->service = unitset_find(new, unitset_text(old, unitset_unit(old, s->service)->name));
	}
	store_purge(p);
}

/* ---- closing ---- */

uint32_t store_room(struct pid1 *p)
{
	uint32_t n = is_there(p) ? count(p, false) : UNWANTED_MAX;
	return n < UNWANTED_MAX ? UNWANTED_MAX - n : 0;
}

size_t store_discard(struct pid1 *p, const int *fds, size_t n)
{
	size_t k = 0;
	while (k < n && put(p, NO_UNIT, fds[k], STR("")))
		k++;
	return k;
}

/*
 * It has a copy of each until its parent is through, and so the last one of those that are closed meanwhile. And who exits does not
 * linger (PF_EXITING in inet_release(), net/ipv4/af_inet.c).
 */
static void hold(pid_t parent)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent)
		sigwaitinfo(&set, NULL);        /* blocked, as all signals are in PID 1 */
	_exit(0);
}

static void close_kind(struct stored *all, uint32_t n, bool are_harmless)
{
	int error;
	for (uint32_t k = 0; k < n; k++) {
		int fd = __atomic_load_n(&all[k].fd, __ATOMIC_ACQUIRE);
		if (fd < 0 || all[k].service != NO_UNIT || is_harmless(fd, &error) != are_harmless)
			continue;
		all[k].fd = -1;                 /* first: its number may be another's as soon as it is closed */
		close(fd);
	}
}

/* Files come last, without anybody to hold: to close one can take for ever, and no copy of ours shall stay open for so long. */
static void close_all(struct stored *all, uint32_t n)
{
	pid_t self = getpid();
	long holder = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (holder == 0)
		hold(self);
	close_kind(all, n, true);
	if (holder > 0)
		kill((pid_t)holder, SIGTERM);
	close_kind(all, n, false);
	_exit(0);
}

/*
 * By a child that shares our descriptors (clone(2), CLONE_FILES), one such child at a time. When there is none to be had they stay open
 * until there is: better that than to wait.
 */
void store_purge(struct pid1 *p)
{
	struct stored *all = p->store;
	uint32_t n = p->n_store;
	long pid = p->closer.pid || count(p, false) == 0 ? -1 : syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		close_all(all, n);
	if (pid > 0)
		p->closer = (struct helper){ .pid = (uint32_t)pid, .deadline_at = now_ms() + CLOSE_DEADLINE_MS };
}

void store_closed(struct pid1 *p)
{
	p->closer = (struct helper){ 0 };
	store_purge(p);
	notify_listen(p);
	control_listen(p);
}

/* Killed, and if even that takes for ever, it is an orphan like any other; what it has not come to is the next one's. */
void store_expire(struct pid1 *p)
{
	if (p->closer.deadline_at == 0 || p->closer.deadline_at > now_ms())
		return;
	kill((pid_t)p->closer.pid, SIGKILL);
	store_closed(p);
}
