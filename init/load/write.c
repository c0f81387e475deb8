#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct span put_blob(struct unitset_writer *w, const struct list *list)
{
	return unitset_put_blob(w, list->items, list->n);
}

static struct span put_indices(struct unitset_writer *w, const struct list *list)
{
	return unitset_put(w, list->items, list->n, sizeof(uint32_t));
}

/*
 * PID 1 keeps the set locked in memory, so what stands there already is pointed at: a name is the end of its file's path,
 * a program mostly its own argv[0], and most units have the environment of the one before.
 */
static struct span put_end_of(struct unitset_writer *w, struct str text, struct span whole, struct str of)
{
	if (!text.n || !str_ends(of, text))
		return unitset_put_text(w, text);
	return (struct span){ whole.at + (uint32_t)(of.n - text.n), (uint32_t)text.n };
}

static struct span put_program(struct unitset_writer *w, struct str path, const struct list *argv, struct span blob)
{
	if (argv->n && str_eq(path, LIST_AT(*argv, struct str, 0)))
		return (struct span){ blob.at, (uint32_t)path.n };
	return unitset_put_text(w, path);
}

static bool lists_equal(const struct list *a, const struct list *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!str_eq(LIST_AT(*a, struct str, i), LIST_AT(*b, struct str, i)))
			return false;
	return true;
}

static struct span put_commands(struct unitset_writer *w, const struct list *list)
{
	struct command *commands = keep(list->n * sizeof *commands);
	for (uint32_t i = 0; i < list->n; i++) {
		const struct draft_command *c = &LIST_AT(*list, struct draft_command, i);
		commands[i].argv = put_blob(w, &c->argv);
		commands[i].path = put_program(w, c->path, &c->argv, commands[i].argv);
		commands[i].flags = c->flags;
	}
	return unitset_put(w, commands, list->n, sizeof *commands);
}

static struct span put_exit_set(struct unitset_writer *w, const struct exit_set *set)
{
	const struct exit_set none = { .signals = 0 };
	return unitset_put(w, set, memcmp(set, &none, sizeof none) != 0, sizeof *set);
}

/* The environment written last, and where it stands. */
struct environment {
	const struct list *list;
	struct span span;
};

/* What can be told of any unit, one that cannot be started included. */
static void put_face(struct unitset_writer *w, struct unit *u, const struct draft *d)
{
	u->file = unitset_put_text(w, d->file);
	u->name = put_end_of(w, d->name, u->file, d->file);
	u->aliases = put_blob(w, &d->aliases);
	u->description = unitset_put_text(w, d->description);
	u->notes = put_blob(w, &d->notes);
}

/* Most units set nothing of it, and then PID 1 need not keep it. */
static bool has_context(const struct draft *d)
{
	return memcmp(&d->context, &context_defaults, sizeof d->context) != 0 || d->pass_environment.n || d->unset_environment.n ||
	       d->search_path.n || d->log_identifier.n || d->folders.n || d->credentials.n || d->input.n || d->masks[MASK_CPUS].is_set || d->masks[MASK_NODES].is_set;
}

static struct span put_folders(struct unitset_writer *w, const struct draft *d)
{
	struct folder *folders = keep(d->folders.n * sizeof *folders);
	for (uint32_t i = 0; i < d->folders.n; i++) {
		const struct draft_folder *f = &LIST_AT(d->folders, struct draft_folder, i);
		folders[i].path = unitset_put_text(w, f->path);
		folders[i].link = unitset_put_text(w, f->link);
		folders[i].kind = (uint16_t)f->kind;
		folders[i].mode = d->folder_modes[f->kind];
	}
	return unitset_put(w, folders, d->folders.n, sizeof *folders);
}

/* Only as far as it has bits: an all-zero end says nothing. */
static struct span put_mask(struct unitset_writer *w, const struct mask *mask)
{
	uint32_t n = mask->is_set ? countof(mask->bits) : 0;
	while (n && mask->bits[n - 1] == 0)
		n--;
	return unitset_put(w, mask->bits, n, sizeof mask->bits[0]);
}

static struct span put_credentials(struct unitset_writer *w, const struct list *list)
{
	struct credential *credentials = keep(list->n * sizeof *credentials);
	for (uint32_t i = 0; i < list->n; i++) {
		const struct draft_credential *c = &LIST_AT(*list, struct draft_credential, i);
		credentials[i].name = unitset_put_text(w, c->name);
		credentials[i].path = unitset_put_text(w, c->path);
		credentials[i].value = unitset_put_text(w, c->value);
	}
	return unitset_put(w, credentials, list->n, sizeof *credentials);
}

static struct span put_context(struct unitset_writer *w, const struct draft *d)
{
	struct context x = d->context;

	if (!has_context(d))
		return (struct span){ 0, 0 };
	x.pass_environment = put_blob(w, &d->pass_environment);
	x.unset_environment = put_blob(w, &d->unset_environment);
	x.search_path = unitset_put_text(w, list_joined(&d->search_path, STR(":")));
	x.folders = put_folders(w, d);
	x.credentials = put_credentials(w, &d->credentials);
	x.input = unitset_put_text(w, list_joined(&d->input, STR("")));
	x.tty = unitset_put_text(w, d->tty);
	x.log_identifier = unitset_put_text(w, d->log_identifier);
	x.cpus = put_mask(w, &d->masks[MASK_CPUS]);
	x.numa_nodes = put_mask(w, &d->masks[MASK_NODES]);
	return unitset_put(w, &x, 1, sizeof x);
}

static void put_rest(struct unitset_writer *w, struct unit *u, const struct draft *d, struct environment *last)
{
	for (int i = 0; i < N_EXEC_LIST; i++)
		u->exec[i] = put_commands(w, &d->exec[i]);
	u->edges = unitset_put(w, d->edges.items, d->edges.n, sizeof(struct edge));
	if (!last->list || !lists_equal(last->list, &d->environment))
		*last = (struct environment){ &d->environment, put_blob(w, &d->environment) };
	u->environment = last->span;
	u->environment_files = put_blob(w, &d->environment_files);
	u->working_directory = unitset_put_text(w, d->working_directory);
	u->groups = put_indices(w, &d->groups);
	u->context = put_context(w, d);
	u->pid_file = unitset_put_text(w, d->pid_file);
	u->bus_name = unitset_put_text(w, d->bus_name);
	u->restart_prevent = put_exit_set(w, &d->restart_prevent);
	u->restart_force = put_exit_set(w, &d->restart_force);
	u->limits = unitset_put(w, d->limits.items, d->limits.n, sizeof(struct limit));
	for (int i = 0; i < 3; i++)
		u->stdio_path[i] = unitset_put_text(w, d->stdio_path[i]);
}

static void put_unit(struct unitset_writer *w, uint32_t i, const struct draft *d, struct environment *last)
{
	struct unit scratch;                    /* when the room has ended: only the bytes are counted */
	struct unit *slot = unitset_slot(w, i);
	struct unit *u = slot ? slot : &scratch;

	if (d->is_broken) {
		unit_defaults(u);
		u->flags |= (d->unit.flags & UNIT_WANTED) | UNIT_BROKEN;
	} else {
		*u = d->unit;
	}
	put_face(w, u, d);
	if (!d->is_broken)
		put_rest(w, u, d, last);
}

/* In memory first: the room that a set needs is known when it has been written once. */
static bool write_bytes(struct load *load, struct unitset_writer *w, void *bytes, size_t size)
{
	struct environment last = { NULL, { 0, 0 } };
	unitset_begin(w, bytes, size, load->drafts.n);
	for (uint32_t i = 0; i < load->drafts.n; i++)
		put_unit(w, i, &LIST_AT(load->drafts, struct draft, i), &last);
	return unitset_end(w, put_blob(w, &load->notes));
}

static const char *fill(int fd, const unsigned char *bytes, size_t n)
{
	if (ftruncate(fd, (off_t)n) < 0)
		return strerror(errno);
	for (size_t at = 0; at < n;) {
		ssize_t done = pwrite(fd, bytes + at, n - at, (off_t)at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? strerror(errno) : "nothing more can be written";
		at += (size_t)done;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return strerror(errno);         /* not a memfd, or one that cannot be sealed: PID 1 would not take it */
	return NULL;
}

const char *write_set(struct load *load, int fd)
{
	struct unitset_writer w;
	size_t size = 1u << 16;
	void *bytes = keep(size);

	while (!write_bytes(load, &w, bytes, size)) {
		if (w.needed >= UNITSET_MAX)
			return "the units need more room than a set may have";
		size = w.needed + 64;   /* sections may shift by their alignment */
		bytes = keep(size);
	}
	/* PID 1 asks the same, and would keep the units that it has. */
	const char *wrong = unitset_check(bytes, w.needed);
	return wrong ? keep_print("it would be refused for %s", wrong).p : fill(fd, bytes, w.needed);
}
