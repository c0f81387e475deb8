/*
 * A count of OOM kills for those who have none of their own: services in a container that may not make cgroups, or without
 * the memory controller. The narrowest that is there is taken, once, at boot: our own cgroup's in the unified hierarchy
 * (cgroup-v2.rst, memory.events), in that of v1 (cgroup-v1/memory.rst, memory.oom_control), the machine's (/proc/vmstat).
 */
#include "pid1.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

static const char *const files[N_SHARED_SOURCE] = {
	[SHARED_MEMORY_EVENTS] = "/memory.events", [SHARED_OOM_CONTROL] = "/memory.oom_control", [SHARED_VMSTAT] = "/proc/vmstat",
};

static const char *path_of(struct buf *b, const struct pid1 *p, const char *file)
{
	buf_str(b, str_from(p->shared.folder));
	buf_str(b, str_from(file));
	return buf_cstr(b);
}

/* From its start, as much as p->scratch takes. seq_file gives a page at a time, and vmstat is longer (fs/seq_file.c). */
static struct str read_all(struct pid1 *p, int fd)
{
	ssize_t got;
	size_t n = 0;
	while (fd >= 0 && n < sizeof p->scratch && (got = pread(fd, p->scratch + n, sizeof p->scratch - n, (off_t)n)) > 0)
		n += (size_t)got;
	return str_of(p->scratch, n);
}

static bool count(struct pid1 *p, uint32_t *n)
{
	return p->shared.source != SHARED_NONE && shared_kills(read_all(p, p->shared.file), n);
}

/* ---- is anybody else counted? ---- */

/* cgroup.procs of v2 shows a process outside of our PID namespace as 0 (kernel/cgroup/cgroup.c, cgroup_procs_show). */
static bool has_strangers(struct pid1 *p)
{
	char path[sizeof p->shared.folder + 32];
	struct buf b = BUF(path);
	int fd = openat(AT_FDCWD, path_of(&b, p, "/cgroup.procs"), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct str pids = read_all(p, fd);
	close_fd(&fd);
	while (pids.n)
		if (str_eq(str_until(&pids, '\n'), STR("0")))
			return true;
	return false;
}

/* release_agent is in the root of a v1 hierarchy only (kernel/cgroup/cgroup-v1.c): everybody is who is nowhere else. */
static bool is_everybodys(struct pid1 *p)
{
	char path[sizeof p->shared.folder + 32];
	struct buf b = BUF(path);
	return access(path_of(&b, p, "/release_agent"), F_OK) == 0;
}

static bool is_ours_alone(struct pid1 *p)
{
	if (!p->is_first)
		return false;           /* one process among others */
	if (is_initial_namespace())
		return true;            /* all there is descends from us */
	return p->shared.source == SHARED_MEMORY_EVENTS ? !has_strangers(p) :
		p->shared.source == SHARED_OOM_CONTROL && !is_everybodys(p);
}

/* ---- which ---- */

static bool try(struct pid1 *p, enum shared_source source, struct str folder)
{
	char path[sizeof p->shared.folder + 32];
	uint32_t n;
	struct buf to = BUF(p->shared.folder), b = BUF(path);
	buf_str(&to, folder);
	buf_cstr(&to);
	p->shared.source = (uint8_t)source;
	p->shared.file = to.is_cut ? -1 : openat(AT_FDCWD, path_of(&b, p, files[source]), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (count(p, &n))
		return true;
	p->shared.source = SHARED_NONE;
	close_fd(&p->shared.file);
	return false;
}

static bool try_mount(struct pid1 *p, struct str line, struct str own, enum shared_source source)
{
	char folder[sizeof p->shared.folder];
	struct buf b = BUF(folder);
	return shared_folder(line, own, source == SHARED_OOM_CONTROL, &b) && !b.is_cut && try(p, source, buf_view(&b));
}

/* Line by line, since there is no end to how many mounts there are. A line that no buffer holds is passed over. */
static bool find_mounted(struct pid1 *p, struct str own, enum shared_source source)
{
	char text[4096];
	size_t n = 0;
	ssize_t got;
	bool is_found = false;
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && !is_found && (got = read(fd, text + n, sizeof text - n)) > 0) {
		struct str rest = str_of(text, n + (size_t)got);
		while (!is_found && memchr(rest.p, '\n', rest.n))
			is_found = try_mount(p, str_until(&rest, '\n'), own, source);
		n = rest.n < sizeof text ? rest.n : 0;
		memmove(text, rest.p, n);
	}
	close_fd(&fd);
	return is_found;
}

void counters_find(struct pid1 *p)
{
	char text[2048];
	int n = file_read(AT_FDCWD, "/proc/self/cgroup", text, sizeof text);
	struct str own = str_of(text, n > 0 ? (size_t)n : 0);
	/* A container may be shown its cgroup without being told its name. */
	if (!find_mounted(p, own, SHARED_MEMORY_EVENTS) && !try(p, SHARED_MEMORY_EVENTS, STR("/sys/fs/cgroup")) &&
	    !find_mounted(p, own, SHARED_OOM_CONTROL))
		try(p, SHARED_VMSTAT, STR(""));
}

void counters_begin(struct pid1 *p)
{
	char path[sizeof p->shared.folder + 32];
	struct buf b = BUF(path);
	p->shared.watch = -1;
	if (cgroup_counts(p)) {
		p->shared.source = SHARED_NONE; /* every service has its own */
		close_fd(&p->shared.file);
	}
	if (p->shared.source == SHARED_MEMORY_EVENTS) {
		if (p->cgroup_events < 0)
			p->cgroup_events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		if (p->cgroup_events >= 0)
			watch(p, p->cgroup_events, EPOLLIN, SOURCE_CGROUP, 0);
		p->shared.watch = inotify_add_watch(p->cgroup_events, path_of(&b, p, files[SHARED_MEMORY_EVENTS]), IN_MODIFY);
	}
	counters_read(p);
}

void counters_read(struct pid1 *p)
{
	struct event ev = event_of(EVENT_SHARED_COUNT, NO_UNIT);
	p->shared.is_stale = false;
	ev.shared = p->shared.source;
	if (!count(p, &ev.counter))
		return;
	/* Only when it has moved: who else is in there matters to nobody before. */
	ev.is_ok = (p->core->shared.source && p->core->shared.count == ev.counter) || is_ours_alone(p);
	feed(p, &ev);
}
