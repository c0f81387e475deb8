/* Which files there are: the folders are listed once, and asked from then on. */
#include "load.h"
#include "lib/unitname.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SUFFIX STR(".service")

/*
 * What is not in services.d is only looked for when something there wants it, first in oomph's own folder, then where
 * distributions and administrators put units for systemd, systemd.unit(5) "Unit File Load Path".
 */
static const char search_path[] =
	"/usr/lib/services.d:/etc/systemd/system:/run/systemd/system:/usr/local/lib/systemd/system:"
	"/usr/lib/systemd/system:/lib/systemd/system";

const char *scan_refusal(struct str name)
{
	if (!str_ends(name, SUFFIX) && !target_is(name))
		return unitname_is_valid(name) ? "not yet: only .service and .target units are run" : "is not a .service file";
	return unitname_is_valid(name) ? NULL :
	       "left out: not a name that a unit can have (letters, digits and :-_.\\@, up to 255)";
}

/* Notes, backups and hidden files beside the units are nobody's business. */
static bool is_unit_file(struct str name)
{
	return !str_starts(name, STR(".")) && (str_ends(name, SUFFIX) || target_is(name) || unitname_is_valid(name));
}

static bool is_folder_of_a_unit(struct str name)
{
	return str_ends(name, STR(".d")) || str_ends(name, STR(".wants")) || str_ends(name, STR(".requires"));
}

struct str entry_path(const struct load *load, const struct entry *e)
{
	return keep_print("%.*s/%.*s", STR_ARG(LIST_AT(load->folders, struct search_folder, e->folder).path), STR_ARG(e->name));
}

/* In a folder whose files are started, a file that is not says why. */
static bool is_left_out(struct load *load, const struct entry *e, const struct entry *first)
{
	const char *refusal = scan_refusal(e->name);
	if (refusal)
		note_set(load, "%.*s: %s", STR_ARG(shown(entry_path(load, e))), refusal);
	else if (first && LIST_AT(load->folders, struct search_folder, first->folder).is_started)
		note_set(load, "%.*s: left out: %.*s has the same name and comes first", STR_ARG(entry_path(load, e)),
			 STR_ARG(entry_path(load, first)));
	return refusal;
}

/* Entries of one name form a chain in the order of their folders, which is their precedence. */
static void add_entry(struct load *load, uint32_t folder, const struct dirent *file)
{
	struct entry e = {
		keep_str(str_from(file->d_name)), folder, NO_UNIT, file->d_type == DT_LNK || file->d_type == DT_UNKNOWN,
	};
	uint32_t last = table_find(&load->entry_of, e.name);
	const struct entry *first = last == NO_UNIT ? NULL : &LIST_AT(load->entries, struct entry, last);

	if (LIST_AT(load->folders, struct search_folder, folder).is_started && is_unit_file(e.name) && is_left_out(load, &e, first))
		return;
	uint32_t index = load->entries.n;
	*(struct entry *)list_add(&load->entries, sizeof e) = e;
	if (last == NO_UNIT) {
		table_put(&load->entry_of, e.name, index);
		return;
	}
	while (LIST_AT(load->entries, struct entry, last).next != NO_UNIT)
		last = LIST_AT(load->entries, struct entry, last).next;
	LIST_AT(load->entries, struct entry, last).next = index;
}

/* In the order of their names, so that the same folder is told of in the same lines every time. */
static void scan_folder(struct load *load, uint32_t folder)
{
	const struct search_folder f = LIST_AT(load->folders, struct search_folder, folder);
	struct dirent **files;
	int n = scandir(f.path.p, &files, NULL, alphasort);

	if (n < 0 && f.is_started)
		note_set(load, "%.*s: %s: no units from there", STR_ARG(f.path), strerror(errno));
	for (int i = 0; i < n; i++) {
		struct str name = str_from(files[i]->d_name);
		if (is_unit_file(name) || is_folder_of_a_unit(name))
			add_entry(load, folder, files[i]);
		free(files[i]);
	}
	if (n >= 0)
		free(files);
}

/* /lib/systemd/system mostly is /usr/lib/systemd/system: one folder, though links may name either. */
static bool is_listed(const struct load *load, const struct stat *st)
{
	for (uint32_t i = 0; i < load->folders.n; i++) {
		const struct search_folder *f = &LIST_AT(load->folders, struct search_folder, i);
		if (f->inode == st->st_ino && f->device == st->st_dev)
			return true;
	}
	return false;
}

void scan_folder_add(struct load *load, struct str path, bool is_started)
{
	struct stat st = { .st_ino = 0 };
	bool is_there = stat(path.p, &st) == 0 && S_ISDIR(st.st_mode);
	bool is_known = is_there && is_listed(load, &st);

	if (!is_there && !is_started)
		return;
	*(struct search_folder *)list_add(&load->folders, sizeof(struct search_folder)) =
		(struct search_folder){ path, st.st_dev, st.st_ino, is_started };
	if (!is_known)
		scan_folder(load, load->folders.n - 1);
}

void scan_folders(struct load *load)
{
	struct str rest = str_from(load->search_path ? load->search_path : search_path);

	for (uint32_t i = 0; i < load->started.n; i++)
		scan_folder_add(load, LIST_AT(load->started, struct str, i), true);
	while (rest.n) {
		struct str folder = str_until(&rest, ':');
		if (folder.n)
			scan_folder_add(load, keep_str(folder), false);
	}
}
