/*
 * What stands beside a unit's file, systemd.unit(5): NAME.d/ with more of it, NAME.wants/ and NAME.requires/ with names of
 * others. A unit is spoken of by all its names, by its template, and by every PREFIX- that its name begins with.
 */
#include "load.h"
#include "lib/unitname.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* The names in a folder, sorted. Instances of a template share theirs, so each is read once. */
static const struct list *listing(struct load *load, struct str path)
{
	uint32_t i = table_find(&load->listing_of, path);
	if (i != NO_UNIT)
		return &LIST_AT(load->listings, struct list, i);
	struct list *names = list_add(&load->listings, sizeof *names);
	struct dirent **files;
	int n = scandir(path.p, &files, NULL, alphasort);

	for (int f = 0; f < n; f++) {
		if (files[f]->d_name[0] != '.' && names->n < LISTING_MAX)
			list_add_str(names, keep_str(str_from(files[f]->d_name)));
		free(files[f]);
	}
	if (n > LISTING_MAX)
		note_set(load, "%.*s: more than %u names: the last of them do not count", STR_ARG(path), LISTING_MAX);
	if (n >= 0)
		free(files);
	table_put(&load->listing_of, path, load->listings.n - 1);
	return names;
}

/* ---- which folders ---- */

/* First entries of the folders that may belong to a unit, the nearest name first. */
struct kin {
	const struct load *load;
	struct str suffix;
	struct list heads;              /* of uint32_t: an entry, and by its chain those of that name in later folders */
};

static void add_kin(struct kin *kin, struct str name)
{
	char bytes[UNIT_NAME_MAX + sizeof ".requires"];
	struct buf b = BUF(bytes);

	buf_str(&b, name);
	buf_str(&b, kin->suffix);
	uint32_t head = table_find(&kin->load->entry_of, buf_view(&b));
	if (head != NO_UNIT)
		*(uint32_t *)list_add(&kin->heads, sizeof head) = head;
}

/* "a-b-c" to "a-b-", "a-b-" to "a-"; false when no dash is left that parts anything. */
static bool shorten(struct str *prefix)
{
	struct str s = *prefix;
	if (str_ends(s, STR("-")))
		s.n--;
	size_t dash = str_rfind(s, STR("-"));
	if (dash == 0 || dash == s.n)
		return false;
	prefix->n = dash + 1;
	return true;
}

/* The name with each of its shorter prefixes, and after each of these its template. */
static void add_kins(struct kin *kin, struct str name)
{
	struct unitname parts = unitname_parts(name);
	char bytes[2 * UNIT_NAME_MAX + 2];

	add_kin(kin, name);
	for (bool is_instance = parts.instance.n > 0;;) {
		struct buf b = BUF(bytes);
		if (is_instance) {
			buf_str(&b, parts.prefix);
			buf_char(&b, '@');
			buf_str(&b, parts.suffix);
			add_kin(kin, buf_view(&b));
		}
		if (!shorten(&parts.prefix))
			return;
		b = BUF(bytes);
		buf_str(&b, parts.prefix);
		if (is_instance) {
			buf_char(&b, '@');
			buf_str(&b, parts.instance);
		}
		buf_str(&b, parts.suffix);
		add_kin(kin, buf_view(&b));
	}
}

/* The folders themselves: those of /etc before those of /usr, and in each the nearest name first. */
static void add_paths(struct load *load, const struct list *heads, struct list *paths)
{
	for (uint32_t folder = 0; folder < load->folders.n && heads->n; folder++)
		for (uint32_t h = 0; h < heads->n; h++)
			for (uint32_t i = LIST_AT(*heads, uint32_t, h); i != NO_UNIT; i = LIST_AT(load->entries, struct entry, i).next)
				if (LIST_AT(load->entries, struct entry, i).folder == folder)
					list_add_str(paths, entry_path(load, &LIST_AT(load->entries, struct entry, i)));
}

static struct list folders_of(struct load *load, const struct draft *d, struct str suffix)
{
	struct kin kin = { .load = load, .suffix = suffix };
	struct list paths = { .n = 0 };

	add_kins(&kin, d->name);
	for (uint32_t i = 0; i < d->aliases.n; i++)
		add_kins(&kin, LIST_AT(d->aliases, struct str, i));
	add_paths(load, &kin.heads, &paths);
	return paths;
}

/* ---- what is in them ---- */

struct dropin {
	struct str name, path;
};

static int by_name(const void *a, const void *b)
{
	const struct dropin *x = a, *y = b;
	return strcmp(x->name.p, y->name.p);
}

/* Of one file name only the first counts, whichever folder it is in. */
static void add_dropins(struct load *load, struct draft *d, struct str folder, struct table *known, struct list *dropins)
{
	const struct list *names = listing(load, folder);
	for (uint32_t i = 0; i < names->n; i++) {
		struct str name = LIST_AT(*names, struct str, i);
		if (!str_ends(name, STR(".conf")) || table_find(known, name) != NO_UNIT)
			continue;
		if (dropins->n == DROPINS_MAX) {
			complain(d, 0, "has more than %u drop-ins: %.*s/%.*s and more are left out", DROPINS_MAX, STR_ARG(folder),
				 STR_ARG(name));
			return;
		}
		table_put(known, name, dropins->n);
		*(struct dropin *)list_add(dropins, sizeof(struct dropin)) =
			(struct dropin){ name, keep_print("%.*s/%.*s", STR_ARG(folder), STR_ARG(name)) };
	}
}

void dropins_read(struct load *load, struct draft *d)
{
	struct list folders = folders_of(load, d, STR(".d")), dropins = { .n = 0 };
	struct kin all = { .load = load, .suffix = STR(".d") };
	struct table known = { .n = 0 };

	add_kin(&all, str_skip(unitname_parts(d->name).suffix, 1));     /* service.d: of all services, the farthest */
	add_paths(load, &all.heads, &folders);
	for (uint32_t i = 0; i < folders.n; i++)
		add_dropins(load, d, LIST_AT(folders, struct str, i), &known, &dropins);
	if (dropins.n)
		qsort(dropins.items, dropins.n, sizeof(struct dropin), by_name);
	for (uint32_t i = 0; i < dropins.n; i++)
		file_read_dropin(d, LIST_AT(dropins, struct dropin, i).path);
}

static void add_links(struct load *load, struct draft *d, struct str suffix, enum link kind)
{
	struct list folders = folders_of(load, d, suffix);
	for (uint32_t f = 0; f < folders.n; f++) {
		const struct list *names = listing(load, LIST_AT(folders, struct str, f));
		for (uint32_t i = 0; i < names->n; i++) {
			struct str name = LIST_AT(*names, struct str, i);
			if (unitname_is_valid(name))
				draft_link(d, name, kind, 0);
		}
	}
}

void links_read(struct load *load, struct draft *d)
{
	add_links(load, d, STR(".wants"), LINK_WANTS);
	add_links(load, d, STR(".requires"), LINK_REQUIRES);
}
