/* oomphctl logs -f: waits for what is new. The kernel tells of it (inotify(7)), and the files tell what it was. */
#include "logs.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define LOOK_AGAIN_MS 1000      /* for what could not be watched: a folder that is not there yet, or one too many for the kernel */

static int events = -1;
static int base_watches[LOG_BASES_MAX];
static bool has_unwatched;
static bool has_news = true;            /* in the folder of all folders */

static int watch(const char *folder, uint32_t mask)
{
	int w = inotify_add_watch(events, folder, mask | IN_ONLYDIR);
	has_unwatched |= w < 0;
	return w;
}

void logs_watch(struct logs *l)
{
	if (events < 0) {
		events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		if (events < 0)
			leave(LEAVE_FAILED, "the logs cannot be watched: %s", strerror(errno));
		memset(base_watches, -1, sizeof base_watches);
	}
	has_unwatched = false;
	for (size_t i = 0; i < l->n_bases; i++)
		if (base_watches[i] < 0)
			base_watches[i] = watch(l->bases[i], IN_CREATE | IN_MOVED_TO);
	if (has_news)
		logs_scan(l);
	has_news = false;
	for (size_t i = 0; i < l->n_sources; i++)
		if (l->sources[i]->watch < 0) {
			l->sources[i]->watch = watch(l->sources[i]->folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM);
			l->sources[i]->is_stale = true;
		}
}

/* ---- what was told ---- */

/*
 * A folder that is removed and made anew is another one. That the old one is gone nobody tells as long as we have a file of it
 * open, which keeps it (fs/notify/fsnotify.c, fsnotify_inoderemove()).
 */
static void take_folder(struct logs *l, unsigned base, const char *name)
{
	has_news = true;
	for (size_t i = 0; i < l->n_sources; i++) {
		struct log_source *s = l->sources[i];
		if (s->base != base || strcmp(s->unit->name, name) != 0)
			continue;
		if (s->watch >= 0)
			inotify_rm_watch(events, s->watch);
		s->watch = -1;
	}
}

static void take_event(struct logs *l, const struct inotify_event *e)
{
	for (unsigned i = 0; i < l->n_bases; i++) {
		if (e->wd == base_watches[i] && e->len)
			take_folder(l, i, e->name);
		if (e->wd == base_watches[i] && (e->mask & IN_IGNORED))
			base_watches[i] = -1;
	}
	for (size_t i = 0; i < l->n_sources; i++) {
		struct log_source *s = l->sources[i];
		s->is_stale |= s->watch == e->wd;
		if (s->watch == e->wd && (e->mask & IN_IGNORED))
			s->watch = -1;
	}
}

static void look_at_all(struct logs *l)
{
	has_news = true;
	for (size_t i = 0; i < l->n_sources; i++)
		l->sources[i]->is_stale = true;
}

static void take_events(struct logs *l)
{
	union {
		struct inotify_event event;
		char bytes[65536];
	} in;
	const struct inotify_event *e;
	ssize_t n;
	while ((n = read(events, &in, sizeof in)) > 0)
		for (const char *p = in.bytes; p < in.bytes + n; p += sizeof *e + e->len) {
			e = (const struct inotify_event *)p;
			if (e->mask & IN_Q_OVERFLOW)
				look_at_all(l);
			else
				take_event(l, e);
		}
}

/* ---- waiting ---- */

/* Whoever reads us may have gone: nothing else would tell until the next line. */
static void wait_for_news(struct logs *l)
{
	struct pollfd p[] = { { .fd = events, .events = POLLIN }, { .fd = STDOUT_FILENO, .events = 0 } };
	int ready = poll(p, countof(p), has_unwatched ? LOOK_AGAIN_MS : -1);
	if (ready > 0 && (p[1].revents & (POLLERR | POLLHUP)))
		exit(LEAVE_OK);
	if (ready == 0)
		look_at_all(l);
	take_events(l);
}

_Noreturn void logs_follow(struct logs *l)
{
	l->is_live = true;
	for (;;) {
		logs_watch(l);
		for (size_t i = 0; i < l->n_sources; i++)
			if (l->sources[i]->is_stale)
				log_source_refresh(l->sources[i]);
		logs_run(l);
		if (fflush(stdout))
			leave(LEAVE_FAILED, "standard output: %s", strerror(errno));
		wait_for_news(l);
	}
}
