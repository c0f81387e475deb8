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

static struct span put_commands(struct unitset_writer *w, const struct list *list)
{
	struct command *commands = keep(list->n * sizeof *commands);
	for (uint32_t i = 0; i < list->n; i++) {
		const struct draft_command *c = &LIST_AT(*list, struct draft_command, i);
		commands[i].path = unitset_put_text(w, c->path);
		commands[i].argv = put_blob(w, &c->argv);
		commands[i].flags = c->flags;
	}
	return unitset_put(w, commands, list->n, sizeof *commands);
}

/* What can be told of any unit, one that cannot be started included. */
static void put_face(struct unitset_writer *w, struct unit *u, const struct draft *d)
{
	u->name = unitset_put_text(w, d->name);
	u->description = unitset_put_text(w, d->description);
	u->file = unitset_put_text(w, d->file);
	u->notes = put_blob(w, &d->notes);
}

static void put_rest(struct unitset_writer *w, struct unit *u, const struct draft *d)
{
	for (int i = 0; i < N_EXEC_LIST; i++)
		u->exec[i] = put_commands(w, &d->exec[i]);
	u->after = put_indices(w, &d->after);
	u->before = put_indices(w, &d->before);
	u->requires = put_indices(w, &d->requires);
	u->required_by = put_indices(w, &d->required_by);
	u->wants = put_indices(w, &d->wants);
	u->environment = put_blob(w, &d->environment);
	u->environment_files = put_blob(w, &d->environment_files);
	u->working_directory = unitset_put_text(w, d->working_directory);
	u->groups = put_indices(w, &d->groups);
	u->limits = unitset_put(w, d->limits.items, d->limits.n, sizeof(struct limit));
	for (int i = 0; i < 3; i++)
		u->stdio_path[i] = unitset_put_text(w, d->stdio_path[i]);
}

static void put_unit(struct unitset_writer *w, uint32_t i, const struct draft *d)
{
	struct unit scratch;                    /* when the room has ended: only the bytes are counted */
	struct unit *slot = unitset_slot(w, i);
	struct unit *u = slot ? slot : &scratch;

	if (d->is_broken) {
		unit_defaults(u);
		u->flags |= UNIT_WANTED | UNIT_BROKEN;
	} else {
		*u = d->unit;
	}
	put_face(w, u, d);
	if (!d->is_broken)
		put_rest(w, u, d);
}

/* In memory first: the room that a set needs is known when it has been written once. */
static bool write_bytes(struct load *load, struct unitset_writer *w, void *bytes, size_t size)
{
	unitset_begin(w, bytes, size, load->drafts.n);
	for (uint32_t i = 0; i < load->drafts.n; i++)
		put_unit(w, i, &LIST_AT(load->drafts, struct draft, i));
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
	return fill(fd, bytes, w.needed);
}
