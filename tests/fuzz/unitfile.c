/*
 * Unit files and what stands beside them, through all of oomph-load: every line is accounted for, what is dumped reads as it was
 * understood, and the set that comes of it is one that PID 1 takes and can live with.
 *
 * An input is one unit file, x.service. A line "#= NAME" begins the next file: another unit, or "x.service.d/a.conf".
 */
#include "loader.h"
#include "lib/unitfile.h"
#include "lib/unitname.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MOST 16
#define NEXT_FILE STR("#= ")

static char folder[] = "/dev/shm/oomph-fuzz.XXXXXX";
static struct file {
	struct str name, text;
	char path[600], beside[600];    /* beside: the folder that it is alone in, or "" */
} files[FILES_MOST];
static size_t n_files;

/* ---- the files ---- */

static void remove_folder(void)
{
	rmdir(folder);
}

static bool is_beside(struct str name)
{
	return str_ends(name, STR(".d")) || str_ends(name, STR(".wants")) || str_ends(name, STR(".requires"));
}

/* A name or a folder's and a name: anything else, and it is not written at all. */
static bool place(struct file *f)
{
	struct str name = f->name, parent = str_until(&name, '/');
	bool is_deep = str_chr(f->name, '/') < f->name.n;
	if (f->name.n == 0 || f->name.n > 250 || str_chr(f->name, '\0') < f->name.n || (is_deep && !is_beside(parent)))
		return false;
	if (is_deep && (name.n == 0 || str_chr(name, '/') < name.n || str_eq(name, STR("..")) || str_eq(name, STR("."))))
		return false;
	if (!is_deep && (str_eq(f->name, STR("..")) || str_eq(f->name, STR("."))))
		return false;
	snprintf(f->path, sizeof f->path, "%s/%.*s", folder, STR_ARG(f->name));
	f->beside[0] = '\0';
	if (is_deep)
		snprintf(f->beside, sizeof f->beside, "%s/%.*s", folder, STR_ARG(parent));
	return true;
}

static void write_file(const struct file *f)
{
	if (f->beside[0])
		mkdir(f->beside, 0755);
	int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd >= 0 && write(fd, f->text.p, f->text.n) < 0)
		finding("a file can be written");
	close(fd);
}

static void write_files(struct str rest)
{
	struct file f = { .name = STR("x.service"), .text = { rest.p, 0 } };
	for (n_files = 0; n_files < FILES_MOST;) {
		struct str at = rest, line = str_until(&rest, '\n');
		bool is_next = str_take(&line, NEXT_FILE), is_last = at.n == 0;
		if (!is_next)
			f.text.n += at.n - rest.n;
		if ((is_next || is_last) && place(&f) && access(f.path, F_OK) < 0) {
			write_file(&f);
			files[n_files++] = f;
		}
		if (is_last)
			return;
		if (is_next)
			f = (struct file){ .name = line, .text = { rest.p, 0 } };
	}
}

static void remove_files(void)
{
	for (size_t i = 0; i < n_files; i++) {
		unlink(files[i].path);
		if (files[i].beside[0])
			rmdir(files[i].beside);
	}
}

/* ---- each file alone ---- */

/* "PATH:LINE: " somewhere at the beginning of a line. */
static bool is_told_of(struct str said, const struct file *f, uint32_t line)
{
	char text[700];
	snprintf(text, sizeof text, "%s:%u: ", f->path, line);
	for (struct str rest = said; rest.n; str_until(&rest, '\n'))
		if (str_starts(rest, str_from(text)))
			return true;
	return false;
}

/* Those of sections that are for nobody here are told of once, with the section. */
static bool is_of_ours(struct str section)
{
	int number = section_find(section);
	return number >= 0 && number != SECTION_TIMER;
}

static void must_account_for_all(struct str said, const struct file *f)
{
	struct str text = keep_str(f->text);
	struct unitfile u = unitfile_open((char *)text.p, text.n);
	bool is_silenced = str_find(said, STR("no more is told")) < said.n;
	for (struct unitfile_item item; (item = unitfile_next(&u)).kind != UNITFILE_END;) {
		bool is_ours = item.kind != UNITFILE_SECTION && (item.kind != UNITFILE_SETTING || is_of_ours(item.section));
		if (!is_ours || is_silenced || is_told_of(said, f, item.line))
			continue;
		dprintf(2, "line %u: %.*s\nsaid:\n%.*s", item.line, STR_ARG(item.text), STR_ARG(said));
		finding("every line is told of");
	}
}

static bool is_alone(const struct file *f)
{
	return !f->beside[0] && !scan_refusal(f->name) && !unitname_is_template(f->name) && str_ends(f->name, STR(".service"));
}

static bool read_alone(struct draft *d, struct str name, struct str path, bool is_checked)
{
	struct load load = { .host = *loader_host() };
	draft_begin(d, loader_host(), name, path);
	d->is_checked = is_checked;
	draft_read(&load, d);
	return !d->is_masked;
}

/* "Read once more it says the same" (init/load/dump.c). */
static void must_dump_the_same(const struct file *f)
{
	struct draft d;
	struct file again = { .name = f->name };
	if (!is_alone(f) || !read_alone(&d, f->name, str_from(f->path), false) || d.is_broken)
		return;
	dump_draft(&d);
	struct str first = keep_str(loader_said());
	again.text = first;
	memcpy(again.path, f->path, sizeof again.path);
	write_file(&again);
	read_alone(&d, f->name, str_from(f->path), false);
	dump_draft(&d);
	struct str second = loader_said();
	if (!str_eq(first, second))
		dprintf(2, "dumped first:\n%.*s\nthen:\n%.*s\n", STR_ARG(first), STR_ARG(second));
	must(str_eq(first, second));
	write_file(f);
}

static void verify_alone(const struct file *f)
{
	struct draft d;
	if (is_alone(f) && read_alone(&d, f->name, str_from(f->path), true))
		must_account_for_all(loader_said(), f);
	loader_said();
}

/* ---- all of them ---- */

static void live_with(const unsigned char *bytes, uint32_t n, struct str script)
{
	struct machine m;
	struct unitset units = { bytes, n };
	struct input in = { (const uint8_t *)script.p, script.n };
	read_units(units);
	machine_boot(&m, units, MODE_VM);
	machine_run(&m, &in);
	machine_end(&m);
}

static void load_all(struct str script)
{
	struct load load = { .host = *loader_host(), .is_vm = true, .search_path = "" };
	struct stat st = { .st_size = 0 };
	int fd = memfd_create("units", MFD_ALLOW_SEALING);
	list_add_str(&load.started, str_from(folder));
	scan_folders(&load);
	find_units(&load);
	link_units(&load);
	must(write_set(&load, fd) == NULL && fstat(fd, &st) == 0);
	unsigned char *bytes = malloc((size_t)st.st_size);
	must(pread(fd, bytes, (size_t)st.st_size, 0) == st.st_size);
	close(fd);
	must(!unitset_check(bytes, (size_t)st.st_size));
	live_with(bytes, (uint32_t)st.st_size, script);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static bool has_folder;
	if (!has_folder) {
		must(mkdtemp(folder));
		atexit(remove_folder);
		has_folder = true;
	}
	struct str text = exactly(str_of((const char *)bytes, n));
	write_files(text);
	for (size_t i = 0; i < n_files; i++)
		verify_alone(&files[i]);
	if (n_files > 0)
		must_dump_the_same(&files[0]);
	load_all(text);
	remove_files();
	loader_end();
	free((char *)text.p);
	return 0;
}
