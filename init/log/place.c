/* Where the logs are: /var/log once that can be written to, /run until then. */
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void settle_limits(struct logger *l)
{
	struct place *p = &l->store.place;
	const struct settings *s = &l->settings;
	struct statvfs fs = { .f_blocks = 0 };
	fstatvfs(p->fd, &fs);
	p->limits = logpolicy_settle((struct logpolicy_limits){
		.all_max = p->is_run ? s->runtime_max_use : s->max_use, .unit_max = s->service_max_use, .file_max = s->file_max,
		.file_us = s->file_us, .retention_us = s->retention_us }, (uint64_t)fs.f_blocks * fs.f_frsize);
}

static void settle_in(struct logger *l, int fd, bool is_run)
{
	struct stat st = { .st_ino = 0 };
	struct place *p = &l->store.place;
	for (uint32_t i = 0; i < l->n_writers; i++)
		store_shut(l, l->writers[i]);
	if (p->fd >= 0)
		close(p->fd);
	*p = (struct place){ .fd = fd, .is_run = is_run };
	if (fd < 0)
		return;
	fstat(fd, &st);
	p->device = st.st_dev;
	p->inode = st.st_ino;
	settle_limits(l);
	inventory_scan(l);
	retire(l);
	finish_next(l);
}

/* The folder for good, when it can be written to; else a negative errno, told when it is a new one that waiting will not mend. */
static int open_base(struct logger *l)
{
	int fd = folder_base(l->options.base, true);
	if (fd >= 0 && faccessat(fd, ".", W_OK, 0) < 0) {
		int r = -errno;
		close(fd);
		fd = r;
	}
	int refused = fd == -EPERM || fd == -ELOOP || fd == -ENOTDIR ? -fd : 0;
	if (refused && refused != l->store.refused)
		complain("%s is refused, logs stay in %s: it is %s", l->options.base, l->options.run, folder_refusal(refused));
	l->store.refused = refused;
	return fd;
}

static bool is_where_it_was(struct logger *l)
{
	struct stat st;
	const struct place *p = &l->store.place;
	return lstat(l->options.base, &st) == 0 && st.st_dev == p->device && st.st_ino == p->inode;
}

/* From /run to /var/log once that is there; and out from under a file system that was mounted over it. */
void place_move(struct logger *l)
{
	struct store *s = &l->store;
	s->looked_ms = l->round_ms;
	if (s->place.fd >= 0 && !s->place.is_run && is_where_it_was(l))
		return;
	if (l->round_ms < s->move_at_ms)
		return;
	int fd = open_base(l);
	if (fd < 0)
		return;
	int r = s->place.fd < 0 ? 0 : move_over(l, s->place.fd, fd);
	if (r == 0) {
		settle_in(l, fd, false);
		return;
	}
	close(fd);
	if (r != s->moved)
		complain("logs stay in %s, they cannot be moved to %s: %s", l->options.run, l->options.base, strerror(-r));
	s->moved = r;
	s->move_wait_ms = s->move_wait_ms == 0 ? 1000 : s->move_wait_ms < 60000 ? 2 * s->move_wait_ms : s->move_wait_ms;
	s->move_at_ms = l->round_ms + s->move_wait_ms;
}

/* When nobody writes a line, less and less often. */
void place_look(struct logger *l, struct timer *t)
{
	struct store *s = &l->store;
	log_flush(l);
	place_move(l);
	if (s->place.fd >= 0 && !s->place.is_run)
		return;
	s->wait_ms = s->wait_ms < 60000 ? 2 * s->wait_ms : s->wait_ms;
	t->at_ms = now_ms() + s->wait_ms;
}

void place_settle(struct logger *l)
{
	struct store *s = &l->store;
	int run = folder_base(l->options.run, true);
	if (run < 0)
		complain("%s cannot be used: %s", l->options.run, folder_refusal(-run));
	/* As if the lines were in /run, so that those that are there are moved. */
	s->place = (struct place){ .fd = run, .is_run = true };
	place_move(l);
	if (s->place.is_run) {
		s->place.fd = -1;
		settle_in(l, run, true);
		s->look.at_ms = now_ms() + s->wait_ms;
	}
}
