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
	feed(p, &ev);
}

void loader_start(struct pid1 *p)
{
	char program[sizeof p->libdir + 16], number[12], mode_vm[] = "--vm", mode_container[] = "--container", fd_option[] = "--fd", path_option[] = "--path",
	     socket_option[] = "--socket", log_option[] = "--log";
	const char *search_path = boot_variable(p, STR("OOMPH_UNIT_PATH"));
	struct buf path = BUF(program), text = BUF(number);
	char *argv[11 + countof(p->options.services)];
	uint32_t n = 0;
	if (!p->has_helpers)
		boot_find_helpers(p);   /* once more: they may have been there all the time, and the disk not */
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
	int r = spawn_helper(p, argv, fd, &p->loader, LOAD_DEADLINE_MS);
	if (r < 0) {
		close(fd);
		say_loaded(p, -r);
		return;
	}
	p->loading = fd;
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

void loader_ended(struct pid1 *p, bool is_ok)
{
	int fd = p->loading;
	p->loading = -1;
	unmap(&p->loaded);
	int r = is_ok && fd >= 0 ? map_set(p, fd, &p->loaded) : -ECHILD;
	close_fd(&fd);
	if (r == 0)
		core_mark_leaving(p->core, p->units, p->loaded);
	say_loaded(p, -r);
}

/* ---- into force ---- */

static const struct slot empty_slot = {
	.counter = -1, .populated = -1, .ready = -1, .exec = -1, .logs = { { .fd = -1 }, { .fd = -1 } },
};

/* Services keep their slots by name, whatever index they have now; limits are written anew at their next start. */
static void move_slots(struct pid1 *p, struct slot *to, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t old = unitset_find(p->units, unitset_text(p->loaded, unitset_unit(p->loaded, i)->name));
		to[i] = old == NO_UNIT || old >= p->n_slots ? empty_slot : p->slots[old];
		if (old != NO_UNIT && old < p->n_slots)
			p->slots[old] = empty_slot;
		to[i].has_knobs = false;
		log_renumber(p, &to[i], old, i);
		if (to[i].exec >= 0)
			watch(p, to[i].exec, EPOLLIN, SOURCE_EXEC, i);
		if (to[i].ready >= 0)
			watch(p, to[i].ready, EPOLLIN, SOURCE_READY, i);
	}
	/* KillMode= may leave processes of a unit that is gone: from here on they are anybody's orphans. */
	for (uint32_t i = 0; i < p->n_slots; i++) {
		unwatch(p, &p->slots[i].exec);
		unwatch(p, &p->slots[i].ready);
		log_close(p, &p->slots[i]);
	}
}

void loader_adopt(struct pid1 *p)
{
	uint32_t n = unitset_count(p->loaded);
	struct core *core = map_zeroes(core_size(n));
	struct slot *slots = map_zeroes((n + 1) * sizeof *slots);
	if (!core || !slots) {
		if (core)
			munmap(core, core_size(n));
		if (slots)
			munmap(slots, (n + 1) * sizeof *slots);
		say_loaded(p, ENOMEM);
		return;
	}
	core_adopt(core, p->core, p->units, p->loaded);
	move_slots(p, slots, n);
	control_renumber(p, p->units, p->loaded);
	store_renumber(p, p->units, p->loaded);
	if (p->n_slots)
		munmap(p->slots, (p->n_slots + 1) * sizeof *slots);
	munmap(p->core, p->core->size);
	unmap(&p->units);
	p->core = core;
	p->slots = slots;
	p->n_slots = n;
	p->units = p->loaded;
	p->loaded = (struct unitset){ NULL, 0 };
	struct event ev = event_of(EVENT_UNITS, NO_UNIT);
	feed(p, &ev);
}

/* The first core has no services; it is there so that nothing else has to ask whether there is one. */
int loader_begin(struct pid1 *p)
{
	p->core = map_zeroes(core_size(0));
	p->loading = -1;
	if (!p->core)
		return -ENOMEM;
	core_init(p->core, p->options.mode, p->seed[0]);
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
	for (; words[n] && n < countof(list); n++)
		list[n] = str_from(words[n]);
	return unitset_put_blob(w, list, n);
}

int loader_command(struct pid1 *p)
{
	size_t size = 4096 + length_of(p->options.command) + length_of(p->options.environment);
	/* Not map_zeroes(): a child reads its unit. */
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct unitset_writer w;
	if (bytes == MAP_FAILED)
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
