/*
 * Unit sets: asked of oomph-load, checked, brought into force. A loader that crashes, hangs or writes nonsense costs
 * nothing: what was in force stays.
 */
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- asking ---- */

static void say_loaded(struct pid1 *p, int error)
{
	struct event ev = event_of(EVENT_RELOADED, NO_UNIT);
	ev.is_ok = error == 0;
	ev.error = error;
	feed_last(p, &ev);
}

void loader_start(struct pid1 *p)
{
	char program[sizeof p->libdir + 16], number[12], mode_vm[] = "--vm", mode_container[] = "--container", fd_option[] = "--fd", path_option[] = "--path",
	     socket_option[] = "--socket", log_option[] = "--log";
	const char *search_path = boot_variable(p, STR("OOMPH_UNIT_PATH"));
	struct buf path = BUF(program), text = BUF(number);
	char *argv[11 + countof(p->options.services)];
	uint32_t n = 0;
	if (p->loader.pid && p->loader.pid != p->dying)
		return;                         /* it was started before we crashed */
	boot_find_programs(p);          /* unless they are found: they may have been there all the time, and the disk not */
	int fd = memfd_create("oomph-units", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) {
		say_loaded(p, errno);
		return;
	}
	buf_str(&path, str_from(p->libdir));
	buf_lit(&path, "/oomph-load");
	buf_u64(&text, (uint64_t)fd);
	argv[n++] = (char *)buf_cstr(&path);
	argv[n++] = fd_option;
	argv[n++] = (char *)buf_cstr(&text);
	argv[n++] = p->options.mode == MODE_VM ? mode_vm : mode_container;
	argv[n++] = socket_option;
	argv[n++] = (char *)p->options.socket;
	if (p->options.log) {
		argv[n++] = log_option;
		argv[n++] = (char *)p->options.log;
	}
	if (search_path) {
		argv[n++] = path_option;
		argv[n++] = (char *)search_path;
	}
	for (uint32_t i = 0; i < p->options.n_services; i++)
		argv[n++] = (char *)p->options.services[i];
	argv[n] = NULL;
	p->loading = fd;
	int r = spawn_helper(p, argv, fd, &p->loader, LOAD_DEADLINE_MS);
	if (r == 0)
		return;
	close_fd(&p->loading);
	say_loaded(p, -r);
}

/* ---- checking ---- */

static void unmap(struct unitset *set)
{
	if (set->size)
		munmap((void *)set->bytes, set->size);
	*set = (struct unitset){ NULL, 0 };
}

/* Sealed, or the writer could change it behind our check (fcntl(2), F_ADD_SEALS). */
static int map_set(struct pid1 *p, int fd, struct unitset *set)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	struct stat st;
	if ((fcntl(fd, F_GET_SEALS) & seals) != seals)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || st.st_size > UNITSET_MAX)
		return -EFBIG;
	/* Private: until 6.7 the kernel refuses a shared mapping of what is sealed against writing, even to read (mm/memfd.c). */
	void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	*set = (struct unitset){ bytes, (uint32_t)st.st_size };
	const char *wrong = unitset_check(bytes, (size_t)st.st_size);
	if (!wrong)
		return 0;
	console_say(p, wrong, EBADMSG);
	unmap(set);
	return -EBADMSG;
}

/* What becomes of an earlier set that has not come into force: nothing. */
static void take_loaded(struct pid1 *p, struct unitset set)
{
	unmap(&p->loaded);
	p->loaded = set;
	if (p->loaded_units != p->loading)
		close_fd(&p->loaded_units);
	p->loaded_units = p->loading;
	core_mark_leaving(p->core, p->units, p->loaded);
	state_save(p);                          /* for that is no event */
}

/* Who has asked meanwhile has the next one started by what is told here. */
void loader_ended(struct pid1 *p, bool is_ok)
{
	struct unitset set = { NULL, 0 };
	uint32_t pid = p->loader.pid;
	int r = is_ok && p->loading >= 0 ? map_set(p, p->loading, &set) : -ECHILD;
	if (r == 0)
		take_loaded(p, set);
	else
		close_fd(&p->loading);
	say_loaded(p, -r);
	if (p->loader.pid == pid)
		loader_forget(p);
}

void loader_forget(struct pid1 *p)
{
	p->loader = (struct helper){ 0 };
	p->loading = -1;
}

/* ---- into force ---- */

static const struct slot empty_slot = {
	.counter = -1, .populated = -1, .ready = -1, .exec = -1, .logs = { { .fd = -1 }, { .fd = -1 } },
};

/* Services keep their slots by name, whatever index they have now; limits are written anew at their next start. */
static void copy_slots(struct pid1 *p, struct slot *to, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t old = unitset_find(p->units, unitset_text(p->loaded, unitset_unit(p->loaded, i)->name));
		to[i] = old == NO_UNIT || old >= p->n_slots ? empty_slot : p->slots[old];
		to[i].has_knobs = false;
		log_renumber(p, &to[i], old, i);
		if (to[i].exec >= 0)
			watch(p, to[i].exec, EPOLLIN, SOURCE_EXEC, i);
		if (to[i].ready >= 0)
			watch(p, to[i].ready, EPOLLIN, SOURCE_READY, i);
	}
}

/* KillMode= may leave processes of a unit that is gone: from here on they are anybody's orphans. */
static void close_slots(struct pid1 *p, struct slot *slots, struct unitset units)
{
	for (uint32_t i = 0; i < unitset_count(units); i++) {
		if (unitset_find(p->units, unitset_text(units, unitset_unit(units, i)->name)) != NO_UNIT)
			continue;
		unwatch(p, &slots[i].exec);
		unwatch(p, &slots[i].ready);
		log_close(p, &slots[i]);
	}
}

/* All that a set in force consists of, and is thrown away with it. */
struct mappings {
	struct core *core;
	struct slot *slots;
	struct unitset units;
};

static void drop_set(struct set *set, struct mappings *m)
{
	int *const fds[] = { &set->units, &set->core, &set->slots, &set->image };
	if (m->core)
		munmap(m->core, core_size(set->n));
	if (m->slots)
		munmap(m->slots, (set->n + 1) * sizeof *m->slots);
	unmap(&m->units);
	for (size_t k = 0; k < countof(fds); k++)
		close_fd(fds[k]);
}

static int make_set(struct pid1 *p, struct set *set, struct mappings *m)
{
	uint32_t n = unitset_count(p->loaded);
	*set = (struct set){ -1, -1, -1, -1, n };
	m->units = (struct unitset){ NULL, 0 };
	m->core = map_zeroes(core_size(n), &set->core);
	m->slots = map_zeroes((n + 1) * sizeof *m->slots, &set->slots);
	if (!m->core || !m->slots)
		return -ENOMEM;
	core_adopt(m->core, p->core, p->units, p->loaded);
	copy_slots(p, m->slots, n);
	return state_image(p, set, m->core);
}

static void use_set(struct pid1 *p, const struct mappings *m, uint32_t n)
{
	p->core = m->core;
	p->slots = m->slots;
	p->units = m->units;
	p->n_slots = n;
}

/* The one store to `which` brings it into force; before, it is as if nothing had been done. */
void loader_adopt(struct pid1 *p)
{
	struct set *old = &p->sets[p->which], *next = &p->sets[!p->which];
	struct mappings before = { p->core, p->slots, p->units }, m;
	struct event ev = event_of(EVENT_UNITS, NO_UNIT);
	reap_sweep(p, UINT64_MAX);              /* services get other numbers */
	int r = p->loaded.size ? make_set(p, next, &m) : 0;
	if (r < 0) {
		drop_set(next, &m);
		say_loaded(p, -r);
		return;
	}
	if (p->loaded.size) {
		next->units = p->loaded_units;
		m.units = p->loaded;
		p->which = !p->which;
		use_set(p, &m, next->n);
		p->loaded = (struct unitset){ NULL, 0 };
		p->loaded_units = -1;
		p->journal_at = 0;
		control_renumber(p, before.units, p->units);
		close_slots(p, before.slots, before.units);
		store_renumber(p, before.units, p->units);
		drop_set(old, &before);
	}
	feed(p, &ev);
}

/* The first core has no services; it is there so that nothing else has to ask whether there is one. */
int loader_begin(struct pid1 *p)
{
	struct set *set = &p->sets[p->which];
	p->core = map_zeroes(core_size(0), &set->core);
	p->loading = -1;
	if (!p->core)
		return -ENOMEM;
	core_init(p->core, p->options.mode, p->seed[0]);
	int r = state_image(p, set, p->core);
	if (r < 0)
		console_say(p, "the state cannot be kept; a crash would be the end", r);
	return 0;
}

/* ---- `oomph -- COMMAND` ---- */

static size_t length_of(char *const *words)
{
	size_t n = 0;
	for (; *words; words++)
		n += str_from(*words).n + 1;
	return n;
}

static struct span put_words(struct unitset_writer *w, char *const *words)
{
	struct str list[LAUNCH_WORDS_MAX];
	uint32_t n = 0;
	for (; n < countof(list) && words[n]; n++)
		list[n] = str_from(words[n]);
	return unitset_put_blob(w, list, n);
}

int loader_command(struct pid1 *p)
{
	size_t size = 4096 + length_of(p->options.command) + length_of(p->options.environment);
	void *bytes = map_shared(size, &p->loaded_units);        /* a child reads its unit */
	struct unitset_writer w;
	if (!bytes)
		return -ENOMEM;
	unitset_begin(&w, bytes, size, 1);
	struct unit *u = unitset_slot(&w, 0);
	struct command command = {
		.path = unitset_put_text(&w, str_from(p->options.command[0])),
		.argv = put_words(&w, p->options.command), .flags = COMMAND_NO_EXPAND,
	};
	u->name = unitset_put_text(&w, STR("command.service"));
	u->description = u->name;
	u->exec[EXEC_START] = unitset_put(&w, &command, 1, sizeof command);
	u->environment = put_words(&w, p->options.environment);
	u->flags = UNIT_WANTED;
	u->restart = RESTART_NO;
	u->type = TYPE_SIMPLE;
	u->umask = (uint16_t)umask(022);
	u->start_ms = FOREVER_MS;
	umask(u->umask);
	u->stdio[0] = u->stdio[1] = u->stdio[2] = STDIO_INHERIT;
	if (!unitset_end(&w, (struct span){ 0, 0 }))
		return -E2BIG;
	p->loaded = (struct unitset){ bytes, ((struct unitset_header *)bytes)->size };
	const char *wrong = unitset_check(bytes, p->loaded.size);
	if (wrong) {
		console_say(p, wrong, EINVAL);
		return -EINVAL;
	}
	loader_adopt(p);
	if (p->n_slots)
		return 0;
	unmap(&p->loaded);
	close_fd(&p->loaded_units);
	return -ENOMEM;
}

/* ---- files that change ---- */

int loader_watch(struct pid1 *p)
{
	/* A link is there with its creation. A file may be half written then, but its close is told too, and read after. */
	const uint32_t changes = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
	p->files = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (p->files < 0)
		return -errno;
	int r = watch(p, p->files, EPOLLIN, SOURCE_FILES, 0);
	/* A folder that is not there is not watched, and nobody misses it. */
	for (uint32_t i = 0; r == 0 && i < p->options.n_services; i++)
		if (inotify_add_watch(p->files, p->options.services[i], changes) < 0 && errno != ENOENT && errno != ENOTDIR)
			r = -errno;
	if (r < 0)
		close_fd(&p->files);
	return r;
}

void loader_files_changed(struct pid1 *p)
{
	char what[4096];
	struct event ev = event_of(EVENT_FILES, NO_UNIT);
	while (read(p->files, what, sizeof what) > 0)
		;                               /* which files does not matter: all are read again once it is quiet */
	feed(p, &ev);
}
