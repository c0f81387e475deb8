/*
 * Descriptors that services leave with us for their next life: FDSTORE=1 of sd_notify(3), FileDescriptorStoreMax=.
 *
 * Every child that PID 1 makes has a copy of each until its exec closes it, and close(2) of a file of a dead FUSE server waits
 * for it. So only what belongs to no file system is taken: sockets, pipes, memfds and the kernel's anonymous files. Ours are
 * closed by a child as well (notifysock.c), since even a socket may linger.
 */
#include "pid1.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool is_harmless(struct pid1 *p, int fd)
{
	char path[40], kind[64];
	struct buf b = BUF(path);
	buf_lit(&b, "/proc/self/fd/");
	buf_u64(&b, (uint64_t)fd);
	/* Made up by the kernel from what it has in memory (d_path in fs/d_path.c): no file system is asked. */
	ssize_t n = readlink(buf_cstr(&b), kind, sizeof kind);
	if (n < 0)
		console_say(p, "a descriptor that a service leaves cannot be kept", errno);
	struct str s = str_of(kind, n > 0 ? (size_t)n : 0);
	if (str_starts(s, STR("anon_inode:")))
		return !str_starts(s, STR("anon_inode:[eventpoll]"));   /* which may hold others, this one's like or not */
	return str_starts(s, STR("socket:")) || str_starts(s, STR("pipe:")) || str_starts(s, STR("/memfd:"));
}

/* Not a part of PID 1's own memory, which is locked: most machines never need it. */
static bool is_there(struct pid1 *p)
{
	if (p->store)
		return true;
	p->store = map_shared(STORE_MAX * sizeof *p->store, &p->store_memory);
	return p->store != NULL;
}

uint32_t store_count(const struct pid1 *p, uint32_t service)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < p->n_store; k++)
		n += p->store[k].service == service;
	return n;
}

bool store_take(struct pid1 *p, uint32_t service, int fd, struct str name)
{
	const struct unit *u = unitset_unit(p->units, service);
	if (store_count(p, service) >= u->fd_store_max || !is_there(p) || p->n_store == STORE_MAX || !is_harmless(p, fd))
		return false;
	struct stored *s = &p->store[p->n_store++];
	*s = (struct stored){ .fd = fd, .service = service };
	/* sd_notify(3): "stored" when it has no name, or one that is none. */
	if (name.n == 0 || name.n >= sizeof s->name || str_chr(name, ':') < name.n)
		name = STR("stored");
	memcpy(s->name, name.p, name.n);
	return true;
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

size_t store_discard(struct pid1 *p, const int *fds, size_t n)
{
	size_t k = 0;
	for (; k < n && is_there(p) && p->n_store < STORE_MAX; k++)
		p->store[p->n_store++] = (struct stored){ .fd = fds[k], .service = NO_UNIT };
	return k;
}

/* As many as one child closes; it comes again when that is through. Without a child they stay until there is one. */
void store_purge(struct pid1 *p)
{
	int fds[STORE_MAX];
	size_t n = 0;
	for (uint32_t k = 0; k < p->n_store; k++)
		if (p->store[k].service == NO_UNIT)
			fds[n++] = p->store[k].fd;
	if (n == 0 || !notify_close_elsewhere(p, fds, n))
		return;
	uint32_t n_kept = 0;
	for (uint32_t k = 0; k < p->n_store; k++)
		if (p->store[k].service != NO_UNIT)
			p->store[n_kept++] = p->store[k];
	p->n_store = n_kept;
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
