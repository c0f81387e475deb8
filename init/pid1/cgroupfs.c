/*
 * A cgroup for each service, in the unified hierarchy (cgroups(7), Documentation/admin-guide/cgroup-v2.rst in the kernel).
 * Where there is none that we may write, every function here says so by doing nothing, and the services run without.
 */
#include "pid1.h"

#include "lib/attrib.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CGROUP2_MAGIC 0x63677270        /* linux/magic.h */

/* Depth of cgroups below a service's that are signalled and cleared away with it; what is deeper, only SIGKILL reaches. */
#define NESTED_MAX 4

/* How many of them one look takes in: whoever makes more holds nobody up with it. */
#define FOLDERS_MAX 1024

const char cgroup_mount_point[] = "/sys/fs/cgroup";

/* Each by itself: one that the kernel does not have must not cost the others. */
static void enable_controllers(int folder)
{
	static const char *const controllers[] = { "+memory", "+pids", "+cpu" };
	for (size_t k = 0; k < countof(controllers); k++)
		file_write(folder, "cgroup.subtree_control", str_from(controllers[k]));
}

/* A look at the cgroups below one, without readdir(3) and its heap. */
struct walk {
	int parent;
	uint32_t *n_left;               /* of FOLDERS_MAX */
	long at, n;
	_Alignas(struct dirent64) char entries[1024];
};

static const char *next_folder(struct walk *w)
{
	enum { IS_FOLDER = 4 };                 /* DT_DIR */
	while (w->parent >= 0 && *w->n_left) {
		if (w->at >= w->n) {
			w->at = 0;
			w->n = syscall(SYS_getdents64, w->parent, w->entries, sizeof w->entries);
			if (w->n <= 0)
				break;
		}
		const struct dirent64 *e = (struct dirent64 *)(w->entries + w->at);
		w->at += e->len;
		struct str name = str_from(e->name);
		if (e->type != IS_FOLDER || str_eq(name, STR(".")) || str_eq(name, STR("..")))
			continue;
		--*w->n_left;
		return e->name;
	}
	return NULL;
}

/* With the cgroups that the service made below its own, as deep as anybody nests them. Fails while a process is in one. */
static void remove_nested(int in, const char *name, int depth_left, uint32_t *n_left)
{
	if (unlinkat(in, name, AT_REMOVEDIR) == 0 || errno != EBUSY || depth_left == 0)
		return;
	struct walk w = { .parent = openat(in, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .n_left = n_left };
	for (const char *below; (below = next_folder(&w));)
		remove_nested(w.parent, below, depth_left - 1, n_left);
	close_fd(&w.parent);
	unlinkat(in, name, AT_REMOVEDIR);
}

static void remove_folder(int in, const char *name)
{
	uint32_t n_left = FOLDERS_MAX;
	remove_nested(in, name, NESTED_MAX, &n_left);
}

static int open_folder(int in, const char *name)
{
	int fd = openat(in, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int make_folder(int in, const char *name)
{
	if (mkdirat(in, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	return open_folder(in, name);
}

/* Our own cgroup, below the mount point: that of the machine's PID 1 is the root, and a cgroup namespace shows ours as that. */
static struct str own_path(struct pid1 *p, char *text, size_t size)
{
	if (p->options.mode == MODE_VM || file_read(AT_FDCWD, "/proc/self/cgroup", text, size) <= 0)
		return STR("");
	struct str own = attrib_unified(str_from(text));
	if (str_ends(own, STR("/init.scope")))
		own.n -= STR("/init.scope").n;  /* where an oomph before us moved itself */
	return str_eq(own, STR("/")) ? STR("") : own;
}

static int open_below(struct str own)
{
	char text[512];
	struct buf path = BUF(text);
	buf_str(&path, str_from(cgroup_mount_point));
	buf_str(&path, own);
	return open_folder(AT_FDCWD, buf_cstr(&path));
}

/*
 * Services live in system.slice, as under systemd: tools that group by slice go on working. It is made below our own
 * cgroup, which is ours to use and nobody else's. A cgroup with processes may not have controlled children, so anywhere but in the
 * root PID 1 moves into a leaf of its own first.
 */
void cgroup_find(struct pid1 *p)
{
	struct statfs fs;
	char text[512];
	p->cgroups = -1;
	if (statfs(cgroup_mount_point, &fs) < 0 || fs.f_type != CGROUP2_MAGIC)
		return;
	struct str own = own_path(p, text, sizeof text);
	int root = open_below(own);
	if (root < 0) {
		console_say(p, cgroup_mount_point, root);
		return;
	}
	if (p->options.mode != MODE_VM) {
		int leaf = make_folder(root, "init.scope");
		if (leaf >= 0) {
			file_write(leaf, "cgroup.procs", STR("0"));
			close(leaf);
		}
	}
	enable_controllers(root);
	int slice = make_folder(root, "system.slice");
	close(root);
	if (slice < 0) {
		if (slice != -EROFS && slice != -EACCES)        /* as a container's maker will have it */
			console_say(p, "services have no cgroups", slice);
		return;
	}
	enable_controllers(slice);
	p->cgroups = slice;
	p->cgroup_events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int r = p->cgroup_events < 0 ? -errno : watch(p, p->cgroup_events, EPOLLIN, SOURCE_CGROUP, 0);
	if (r < 0)
		console_say(p, "changes of cgroups are seen late", r);
	struct buf path = BUF(p->core->cgroup_root);
	buf_str(&path, own);
	buf_lit(&path, "/system.slice");
	buf_cstr(&path);
}

/* ---- a service's own ---- */

static const char *name_of(struct pid1 *p, uint32_t i)
{
	return unitset_text(p->units, unitset_unit(p->units, i)->name).p;
}

void cgroup_path(struct pid1 *p, uint32_t i, struct buf *b)
{
	buf_str(b, str_from(p->core->cgroup_root));
	buf_char(b, '/');
	buf_str(b, str_from(name_of(p, i)));
}

/* A file of a service's cgroup, from the folder of them all. */
static const char *file_of(struct buf *b, struct pid1 *p, uint32_t i, const char *file)
{
	buf_str(b, unitset_text(p->units, unitset_unit(p->units, i)->name));
	buf_char(b, '/');
	buf_str(b, str_from(file));
	return buf_cstr(b);
}

static int write_knobs(int folder, const struct unit *u)
{
	int worst = 0;
	for (size_t k = 0; k < N_CGROUP_KNOB; k++) {
		char text[48];
		struct buf b = BUF(text);
		if (u->knobs[k] == KNOB_UNSET)
			continue;
		if (u->knobs[k] == KNOB_INFINITY)
			buf_lit(&b, "max");
		else
			buf_u64(&b, u->knobs[k]);
		if (k == KNOB_CPU_MAX) {
			buf_char(&b, ' ');
			buf_u64(&b, u->cpu_period_us);
		}
		int r = file_write(folder, cgroup_knob_file[k], buf_view(&b));
		worst = r < 0 ? r : worst;
	}
	/* OOMPolicy=kill: the kernel takes the whole service down with its first victim. */
	int r = u->oom_policy == OOM_KILL ? file_write(folder, "memory.oom.group", STR("1")) : 0;
	return r < 0 ? r : worst;
}

static bool wants_any_knob(const struct unit *u)
{
	for (size_t k = 0; k < N_CGROUP_KNOB; k++)
		if (u->knobs[k] != KNOB_UNSET)
			return true;
	return u->oom_policy == OOM_KILL;
}

static void warn(struct pid1 *p, uint32_t service, int error)
{
	struct event ev = event_of(EVENT_LAUNCH_WARNING, service);
	ev.step = LAUNCH_CGROUP;
	ev.error = error;
	feed(p, &ev);
}

static int watch_file(struct pid1 *p, uint32_t i, const char *file)
{
	char text[sizeof cgroup_mount_point + KMSG_PATH_MAX + UNIT_NAME_MAX + 64];
	struct buf path = BUF(text);
	buf_str(&path, str_from(cgroup_mount_point));
	cgroup_path(p, i, &path);
	buf_char(&path, '/');
	buf_str(&path, str_from(file));
	return inotify_add_watch(p->cgroup_events, buf_cstr(&path), IN_MODIFY);
}

/*
 * Since "cgroup: fix race between fork and cgroup.kill" (6.14, and stable kernels of 2025) a child cloned straight into
 * a cgroup is compared with the kill count of its parent's: once cgroup.kill was written there, every later such child is
 * dead at birth (kernel/cgroup/cgroup.c, cgroup_css_set_fork and cgroup_post_fork). So a killed cgroup is replaced, and
 * where somebody is left in it, and it cannot be, children walk in by themselves. The same for one found here, whose
 * history nobody knows.
 */
static int make_fresh(struct pid1 *p, uint32_t i)
{
	struct slot *slot = &p->slots[i];
	const char *name = name_of(p, i);
	if (slot->was_killed)
		remove_folder(p->cgroups, name);
	bool is_fresh = mkdirat(p->cgroups, name, 0755) == 0;
	if (!is_fresh && errno == EEXIST) {
		remove_folder(p->cgroups, name);
		is_fresh = mkdirat(p->cgroups, name, 0755) == 0;
	}
	int r = is_fresh || errno == EEXIST ? 0 : -errno;
	slot->was_killed = !is_fresh;
	slot->is_unused = is_fresh;
	slot->has_knobs = false;
	/* kernfs tells inotify of changes. That only wakes us; what counts is what is read then. */
	slot->counter = watch_file(p, i, "memory.events");
	slot->populated = watch_file(p, i, "cgroup.events");
	return r;
}

/*
 * Limits of a reloaded unit wait for its next generation, and for an empty cgroup where one can be had: below what is in use
 * memory.max reclaims, and then kills, in the write(2) of ours (memory_max_write in mm/memcontrol.c).
 */
int cgroup_make(struct pid1 *p, uint32_t i, int *folder)
{
	const struct unit *u = unitset_unit(p->units, i);
	const struct service *s = &p->core->services[i];
	struct slot *slot = &p->slots[i];
	bool begins = !slot->has_cgroup || (s->state == STARTING && !s->main_pid);
	*folder = -1;
	if (p->cgroups < 0) {
		if (wants_any_knob(u))
			warn(p, i, EROFS);
		return 0;
	}
	int r = 0;
	if (!slot->has_cgroup || (begins && (slot->was_killed || !slot->has_knobs)))
		r = make_fresh(p, i);           /* else it is kept from the last generation, limits and all */
	*folder = r < 0 ? r : open_folder(p->cgroups, name_of(p, i));
	if (*folder == -ENOENT) {               /* somebody has removed it */
		r = make_fresh(p, i);
		*folder = r < 0 ? r : open_folder(p->cgroups, name_of(p, i));
	}
	if (*folder < 0)
		return *folder;
	slot->has_cgroup = true;
	begins |= slot->is_unused;
	r = slot->has_knobs || !begins ? 0 : write_knobs(*folder, u);
	if (r < 0)
		warn(p, i, -r);
	slot->has_knobs |= begins;
	return 0;
}

/* Not hidden as systemd's .control is: signals and removal take it along as any other below the service's own. */
void cgroup_leaf(struct pid1 *p, uint32_t i, int *folder)
{
	char path[UNIT_NAME_MAX + 32];
	struct buf b = BUF(path);
	int leaf = make_folder(p->cgroups, file_of(&b, p, i, "control"));
	if (leaf < 0)
		return;                         /* the child will be told EBUSY, and tell it */
	close_fd(folder);
	*folder = leaf;
}

/* Processes that KillMode= spared keep the folder; the next start goes on in it. */
void cgroup_drop(struct pid1 *p, uint32_t i)
{
	struct slot *slot = &p->slots[i];
	if (!slot->has_cgroup)
		return;
	remove_folder(p->cgroups, name_of(p, i));
	slot->has_cgroup = false;
	slot->counter = slot->populated = -1;   /* the kernel drops a watch with its file */
}

/*
 * What is told may bring another set into force. Its slots have the same watches, under other numbers: then all of them are
 * looked at once more, since what was read here is not reported again.
 */
static void read_events(struct pid1 *p, const struct inotify_event *e)
{
	bool is_all = e->mask & IN_Q_OVERFLOW;
	const struct core *core;
	do {
		core = p->core;
		for (uint32_t i = 0; i < p->n_slots && p->core == core; i++) {
			if (is_all || p->slots[i].counter == e->wd)
				loop_counter(p, i);
			if (p->core == core && (is_all || p->slots[i].populated == e->wd))
				loop_populated(p, i);
		}
	} while (p->core != core);
}

void cgroup_serve(struct pid1 *p)
{
	_Alignas(struct inotify_event) char events[1024];
	ssize_t n = read(p->cgroup_events, events, sizeof events);
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (struct inotify_event *)(events + at);
		at += (ssize_t)(sizeof *e + e->len);
		if (e->mask & (IN_MODIFY | IN_Q_OVERFLOW))
			read_events(p, e);
		if ((e->mask & IN_Q_OVERFLOW) || e->wd == p->shared.watch)
			counters_read(p);
	}
}

/* The value behind "key " at the start of a line of a flat keyed file; false when it is not there. */
static bool flat_keyed(struct str text, struct str key, uint64_t *value)
{
	while (text.n) {
		struct str line = str_until(&text, '\n');
		if (str_take(&line, key) && str_take(&line, STR(" ")))
			return str_u64(line, value);
	}
	return false;
}

static bool read_key(struct pid1 *p, uint32_t i, const char *file, struct str key, uint64_t *value)
{
	char path[UNIT_NAME_MAX + 32], text[512];
	struct buf b = BUF(path);
	if (!p->slots[i].has_cgroup)
		return false;
	int n = file_read(p->cgroups, file_of(&b, p, i, file), text, sizeof text);
	return n > 0 && flat_keyed(str_of(text, (size_t)n), key, value);
}

bool cgroup_counts(struct pid1 *p)
{
	char text[256];
	int n = p->cgroups < 0 ? 0 : file_read(p->cgroups, "cgroup.subtree_control", text, sizeof text);
	struct str rest = str_trim(str_of(text, n > 0 ? (size_t)n : 0));
	while (rest.n)
		if (str_eq(str_until(&rest, ' '), STR("memory")))
			return true;
	return false;
}

bool cgroup_count(struct pid1 *p, uint32_t i, uint32_t *oom_kills)
{
	uint64_t n = 0;
	bool is_zero = p->slots[i].is_unused && p->slots[i].counter >= 0;
	if (!is_zero && !read_key(p, i, "memory.events", STR("oom_kill"), &n))
		return false;
	*oom_kills = (uint32_t)n;
	return true;
}

void cgroup_read_counts(struct pid1 *p)
{
	const struct core *core = p->core;
	for (uint32_t i = 0; i < p->n_slots && p->core == core; i++) {
		struct event ev = event_of(EVENT_COUNTER, i);
		if (cgroup_count(p, i, &ev.counter) && ev.counter != core->services[i].counter)
			feed(p, &ev);
	}
}

/* One that is gone is not (ENODEV: it was removed while it was open). One that cannot be read now may be. */
bool cgroup_is_populated(struct pid1 *p, uint32_t i)
{
	char path[UNIT_NAME_MAX + 32], text[512];
	struct buf b = BUF(path);
	uint64_t n;
	if (!p->slots[i].has_cgroup)
		return false;
	int r = file_read(p->cgroups, file_of(&b, p, i, "cgroup.events"), text, sizeof text);
	if (r <= 0)
		return r != -ENOENT && r != -ENODEV;
	return !flat_keyed(str_of(text, (size_t)r), STR("populated"), &n) || n != 0;
}

/*
 * One read(2) gives a page of them at most (fs/seq_file.c), some 600. 0 is a process of another PID namespace, and to kill(2)
 * our own group.
 */
static int signal_listed(struct pid1 *p, int file, int number)
{
	enum { READS_MAX = 1024 };              /* for a fork bomb, whose list never ends */
	size_t n_kept = 0;
	int n = 0;
	for (int n_reads = 0; n_reads < READS_MAX; n_reads++) {
		ssize_t got = read(file, p->scratch + n_kept, sizeof p->scratch - n_kept);
		if (got < 0 && n == 0)
			return -errno;
		if (got <= 0)
			break;
		struct str rest = str_of(p->scratch, n_kept + (size_t)got);
		while (str_chr(rest, '\n') < rest.n) {
			uint64_t pid;
			if (str_u64(str_until(&rest, '\n'), &pid) && pid)
				n += kill((pid_t)pid, number) == 0;
		}
		n_kept = rest.n;
		memmove(p->scratch, rest.p, n_kept);
	}
	return n;
}

/*
 * cgroup.procs lists no cgroup but its own; a service that moved its processes further down must hear of its end as well. How many
 * have; a negative errno when it cannot be told who is in there.
 */
static int signal_folder(struct pid1 *p, int folder, int number, int depth_left, uint32_t *n_left)
{
	int file = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	int r = file < 0 ? -errno : signal_listed(p, file, number), n = r > 0 ? r : 0;
	close_fd(&file);
	struct walk w = { .parent = depth_left ? openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, .n_left = n_left };
	for (const char *below; (below = next_folder(&w));) {
		int fd = openat(w.parent, below, O_PATH | O_DIRECTORY | O_CLOEXEC);
		int n_below = fd < 0 ? 0 : signal_folder(p, fd, number, depth_left - 1, n_left);
		n += n_below > 0 ? n_below : 0;
		close_fd(&fd);
	}
	close_fd(&w.parent);
	return n ? n : r;
}

/*
 * SIGKILL goes to all at once, forks included, by cgroup.kill (5.14). Any other signal, and older kernels: to each that
 * is listed, until a round finds nobody new; a fork bomb is for SIGKILL and TasksMax=.
 */
int cgroup_signal(struct pid1 *p, uint32_t i, int number)
{
	enum { ROUNDS_MAX = 8 };
	struct slot *slot = &p->slots[i];
	int n = 0, n_now = 1, folder = open_folder(p->cgroups, name_of(p, i));
	if (folder < 0)
		return folder;
	if (number == SIGKILL && file_write(folder, "cgroup.kill", STR("1")) == 0) {
		slot->was_killed = true;
		n = 1;
	} else {
		for (int round = 0; n_now > 0 && round < (number == SIGKILL ? ROUNDS_MAX : 1); round++) {
			uint32_t n_left = FOLDERS_MAX;
			n_now = signal_folder(p, folder, number, NESTED_MAX, &n_left);
			n += n_now > 0 ? n_now : 0;
		}
	}
	close(folder);
	return n ? 0 : n_now < 0 ? n_now : -ESRCH;
}

uint32_t cgroup_owner(struct pid1 *p, uint32_t pid)
{
	char path[32], text[1024];
	struct buf b = BUF(path);
	buf_lit(&b, "/proc/");
	buf_u64(&b, pid);
	buf_lit(&b, "/cgroup");
	if (p->cgroups < 0 || file_read(AT_FDCWD, buf_cstr(&b), text, sizeof text) <= 0)
		return NO_UNIT;
	return attrib_path(p->units, str_from(p->core->cgroup_root), attrib_unified(str_from(text)));
}

static int open_by_number(uint64_t id)
{
	enum { KERNFS = 0xfe };                 /* FILEID_KERNFS in include/linux/exportfs.h, Linux 5.5 */
	_Alignas(struct file_handle) char handle[sizeof(struct file_handle) + sizeof id];
	*(struct file_handle *)handle = (struct file_handle){ .handle_bytes = sizeof id, .handle_type = KERNFS };
	memcpy(handle + offsetof(struct file_handle, f_handle), &id, sizeof id);
	int root = open(cgroup_mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);      /* O_PATH would not do, open_by_handle_at(2) */
	int fd = open_by_handle_at(root, (struct file_handle *)handle, O_PATH | O_CLOEXEC);
	int r = fd < 0 ? -errno : fd;
	close_fd(&root);
	return r;
}

/* A cgroup's number is a file handle, too, and what that opens has a name in /proc. No number is given twice. */
bool cgroup_owner_of(struct pid1 *p, uint64_t id, uint32_t *service)
{
	char link[32], text[sizeof cgroup_mount_point + KMSG_PATH_MAX + UNIT_NAME_MAX + 64];
	struct buf b = BUF(link);
	*service = NO_UNIT;
	int fd = p->cgroups < 0 ? -ENOENT : open_by_number(id);
	if (fd < 0)
		return fd == -ESTALE;           /* its cgroup is gone, and so is who was in it */
	buf_lit(&b, "/proc/self/fd/");
	buf_u64(&b, (uint64_t)fd);
	ssize_t n = readlink(buf_cstr(&b), text, sizeof text);
	close(fd);
	struct str path = str_of(text, n > 0 ? (size_t)n : 0);
	if (str_take(&path, STR(cgroup_mount_point)))
		*service = attrib_path(p->units, str_from(p->core->cgroup_root), path);
	return n > 0;
}
