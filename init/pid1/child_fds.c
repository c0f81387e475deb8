/* What a main process finds open besides the standard three: descriptors it had left with us, and the one to say that it is ready. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define FIRST 3                 /* SD_LISTEN_FDS_START of sd_listen_fds(3) */

/* Out of the way of the numbers to be given away. */
static int lifted(const struct launch *l, int fd, int above)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, above);
	if (high < 0)
		child_give_up(l, LAUNCH_FDS, errno);
	return high;
}

static void give(const struct launch *l, int fd, int number)
{
	if (dup2(fd, number) < 0)
		child_give_up(l, LAUNCH_FDS, errno);
	if ((l->unit->flags & UNIT_NON_BLOCKING) && number != l->unit->notify_fd)
		fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK);
}

void child_pass_fds(struct launch *l)
{
	int fds[STORE_MAX], n = 0, notify_fd = l->unit->notify_fd;
	for (uint32_t k = 0; k < l->n_store && l->list == EXEC_START; k++)
		n += l->store[k].service == l->service;
	if (n == 0 && l->ready < 0)
		return;
	int above = (FIRST + n > notify_fd ? FIRST + n : notify_fd) + 1;
	if (l->reports >= 0)
		l->reports = lifted(l, l->reports, above);
	int ready = l->ready < 0 ? -1 : lifted(l, l->ready, above);
	n = 0;
	for (uint32_t k = 0; k < l->n_store; k++)
		if (l->store[k].service == l->service)
			fds[n++] = lifted(l, l->store[k].fd, above);
	for (int k = 0; k < n; k++)
		give(l, fds[k], FIRST + k);
	if (ready >= 0)
		give(l, ready, notify_fd);
}

/* sd_listen_fds(3) */
void child_tell_fds(const struct launch *l, struct launch_words *w)
{
	char names[STORE_MAX * sizeof l->store->name];
	struct buf b = BUF(names);
	uint32_t n = 0;
	for (uint32_t k = 0; k < l->n_store; k++) {
		if (l->store[k].service != l->service)
			continue;
		if (n++)
			buf_char(&b, ':');
		buf_str(&b, str_from(l->store[k].name));
	}
	if (n == 0)
		return;
	launch_setenv_number(w, STR("LISTEN_PID"), (uint64_t)getpid());
	launch_setenv_number(w, STR("LISTEN_FDS"), n);
	launch_setenv_text(w, STR("LISTEN_FDNAMES"), buf_view(&b));
}

/* Type=idle: PID 1 closes its end when nothing is starting any more. Ours goes first, or none would ever be the last. */
void child_wait_idle(const struct launch *l)
{
	enum { IDLE_MOST_MS = 5000 };           /* systemd.service(5) */
	struct pollfd p = { .fd = l->idle };
	if (l->idle < 0)
		return;
	close(l->idle_other);
	poll(&p, 1, IDLE_MOST_MS);              /* no events: its end is always reported */
}
