#include "load.h"
#include "lib/names.h"
#include "lib/values.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX STR(".service")

/* A link to /dev/null says that there shall be no unit of that name, systemd.unit(5). */
static bool is_masked(const char *path)
{
	char target[16];
	return readlink(path, target, sizeof target) == 9 && memcmp(target, "/dev/null", 9) == 0;
}

static struct draft *find(struct load *load, struct str name)
{
	for (uint32_t i = 0; i < load->drafts.n; i++)
		if (str_eq(LIST_AT(load->drafts, struct draft, i).name, name))
			return &LIST_AT(load->drafts, struct draft, i);
	return NULL;
}

const char *scan_refusal(struct str name)
{
	size_t at = str_chr(name, '@');

	if (!str_ends(name, SUFFIX) && !target_is(name))
		return value_is_unit_name(name) ? "not yet: only .service and .target units are run" : "is not a .service file";
	if (!value_is_unit_name(name))
		return "left out: not a name that a unit can have (letters, digits and :-_.\\@, up to 255)";
	return at < name.n && at + 1 == name.n - SUFFIX.n ? "not yet: templates" : NULL;
}

/* Notes, backups and hidden files beside the units are nobody's business. */
static bool is_unit_file(struct str name)
{
	return !str_starts(name, STR(".")) && (str_ends(name, SUFFIX) || value_is_unit_name(name));
}

static void scan_file(struct load *load, struct str folder, const char *file_name, uint32_t n_before)
{
	struct str name = keep_str(str_from(file_name));
	struct str path = keep_print("%.*s/%s", STR_ARG(folder), file_name);

	if (!is_unit_file(name))
		return;
	const char *refusal = scan_refusal(name);
	if (refusal) {
		note_set(load, "%.*s: %s", STR_ARG(shown(path)), refusal);
		return;
	}
	/* Within one folder names differ by themselves; only the folders before it can have the same one. */
	struct load before = { .drafts = { load->drafts.items, n_before, n_before } };
	struct draft *other = n_before ? find(&before, name) : NULL;
	if (other) {
		note_set(load, "%.*s: left out: %.*s has the same name and comes first", STR_ARG(path),
			 STR_ARG(other->file));
		return;
	}
	draft_begin(list_add(&load->drafts, sizeof(struct draft)), &load->host, name, path);
}

/* In the order of their names, so that the same folder is told of in the same lines every time. */
static void scan_folder(struct load *load, struct str folder)
{
	struct dirent **entries;
	uint32_t n_before = load->drafts.n;
	int n = scandir(folder.p, &entries, NULL, alphasort);

	if (n < 0)
		note_set(load, "%.*s: %s: no units from there", STR_ARG(folder), strerror(errno));
	for (int i = 0; i < n; i++) {
		scan_file(load, folder, entries[i]->d_name, n_before);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static int by_name(const void *a, const void *b)
{
	const struct draft *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int order = memcmp(x->name.p, y->name.p, n);
	return order ? order : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

/* A mask hides the name in every folder behind its own, so it goes only when all of them are in. */
static void drop_masked(struct load *load)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < load->drafts.n; i++)
		if (!is_masked(LIST_AT(load->drafts, struct draft, i).file.p))
			LIST_AT(load->drafts, struct draft, n++) = LIST_AT(load->drafts, struct draft, i);
	load->drafts.n = n;
}

void scan_folders(struct load *load)
{
	for (uint32_t i = 0; i < load->folders.n; i++)
		scan_folder(load, LIST_AT(load->folders, struct str, i));
	if (load->is_vm)
		builtin_add(load);
	drop_masked(load);
	if (load->drafts.n)
		qsort(load->drafts.items, load->drafts.n, sizeof(struct draft), by_name);
	if (load->drafts.n > UNITS_MAX) {
		note_set(load, "%u units are left out: a set has at most %u", load->drafts.n - UNITS_MAX, UNITS_MAX);
		load->drafts.n = UNITS_MAX;
	}
}

/* Not a file: opened without blocking first, for a FIFO in services.d must not stop the machine. */
static bool is_usable(struct draft *d, int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		refuse(d, 0, "cannot be looked at: %s", strerror(errno));
	else if (S_ISDIR(st.st_mode))
		refuse(d, 0, "is a folder, not a unit file");
	else if (!S_ISREG(st.st_mode))
		refuse(d, 0, "is not a regular file");
	else if (st.st_size > UNIT_FILE_MAX)
		refuse(d, 0, "is larger than %u bytes: no unit file", UNIT_FILE_MAX);
	return !d->is_broken;
}

bool read_file(struct draft *d, struct str *text)
{
	static char bytes[UNIT_FILE_MAX + 1];
	size_t n = 0;
	int fd = open(d->file.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		refuse(d, 0, "cannot be read: %s", strerror(errno));
		return false;
	}
	ssize_t got = is_usable(d, fd) ? 1 : 0;
	while (got > 0 && n < sizeof bytes) {
		got = read(fd, bytes + n, sizeof bytes - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		refuse(d, 0, "cannot be read: %s", strerror(errno));
	close(fd);
	if (n > UNIT_FILE_MAX)
		refuse(d, 0, "is larger than %u bytes: no unit file", UNIT_FILE_MAX);
	*text = keep_str(str_of(bytes, n));
	return !d->is_broken;
}
