#include "tmpfiles.h"
#include "lib/words.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* In order of precedence: a file hides those of its name in the folders behind. */
static const char *const folders[] = { "/etc", "/run", "/usr/local/lib", "/usr/lib" };

struct file {
	char *name, *path;
};
static struct file *files;
static size_t n_files;

char *in_root(const char *path)
{
	char *whole;
	if (asprintf(&whole, "%s%s", root, path) < 0)
		exit(1);
	return whole;
}

/* ---- specifiers, tmpfiles.d(5) "Specifiers": those of a system's own instance ---- */

static struct str first_line(const char *path)
{
	static char text[4][256];
	static size_t n;
	char *line = text[n++ % countof(text)];
	FILE *f = fopen(path, "re");
	if (!f || !fgets(line, sizeof text[0], f))
		line[0] = '\0';
	if (f)
		fclose(f);
	return str_trim(str_from(line));
}

static const struct specifiers *learn(void)
{
	static struct specifiers s;
	static struct utsname names;
	if (s.of['t'].p)
		return &s;
	uname(&names);
	s.of['t'] = STR("/run");
	s.of['S'] = STR("/var/lib");
	s.of['C'] = STR("/var/cache");
	s.of['L'] = STR("/var/log");
	s.of['T'] = STR("/tmp");
	s.of['V'] = STR("/var/tmp");
	s.of['u'] = s.of['g'] = STR("root");
	s.of['U'] = s.of['G'] = STR("0");
	s.of['h'] = STR("/root");
	s.of['H'] = str_from(names.nodename);
	s.of['l'] = str_of(names.nodename, str_chr(s.of['H'], '.'));
	s.of['v'] = str_from(names.release);
	s.of['m'] = first_line("/etc/machine-id");
	s.of['b'] = first_line("/proc/sys/kernel/random/boot_id");
	return &s;
}

/* ---- lines ---- */

static char *specified(struct str text, char *unknown)
{
	static char room[8192];
	struct buf b = BUF(room);
	*unknown = words_specify(text, learn(), &b);
	return must(strdup(buf_cstr(&b)));
}

bool unescape(char *text, size_t *n)
{
	struct str rest = str_from(text);
	struct buf b = { .p = text, .cap = rest.n };
	while (rest.n) {
		size_t used = rest.p[0] == '\\' ? words_escape(str_skip(rest, 1), &b) : 0;
		if (rest.p[0] == '\\' && used == 0)
			return false;
		if (used == 0)
			buf_char(&b, rest.p[0]);
		rest = str_skip(rest, used + 1);
	}
	*n = b.n;
	return true;
}

static bool read_fields(struct line *line, unsigned n_fields, struct str *rest)
{
	while (line->n_fields < n_fields) {
		char *word = must(calloc(1, rest->n + 1)), unknown;
		struct buf b = { .p = word, .cap = rest->n };
		enum words_result r = words_next(rest, &b);
		if (r == WORDS_END)
			return true;
		if (r != WORDS_WORD) {
			tell(&line->at, "%s: ignored", r == WORDS_ODD ? "an escape that means nothing" : "a quote is never closed");
			return false;
		}
		word = specified(buf_view(&b), &unknown);
		if (unknown) {
			tell(&line->at, "%%%c is not a specifier (a percent sign is %%%%): ignored", unknown);
			return false;
		}
		line->fields[line->n_fields++] = strcmp(word, "-") == 0 ? NULL : word;
	}
	return true;
}

static void read_lines(struct file *file, unsigned n_fields, void (*take)(const struct line *))
{
	char *text = NULL;
	size_t room = 0;
	FILE *f = fopen(file->path, "re");
	struct line line = { .at = { file->path, 0 } };
	if (!f) {
		tell(NULL, "%s: %s", file->path, strerror(errno));
		return;
	}
	while (getline(&text, &room, f) >= 0) {
		struct str rest = str_trim(str_from(text));
		line = (struct line){ .at = { file->path, line.at.line + 1 } };
		if (rest.n == 0 || rest.p[0] == '#' || !read_fields(&line, n_fields, &rest))
			continue;
		rest = str_trim(rest);
		line.rest = rest.n && !str_eq(rest, STR("-")) ? must(strndup(rest.p, rest.n)) : NULL;
		take(&line);
	}
	fclose(f);
}

/* ---- files ---- */

static void find_files(const char *folder)
{
	DIR *d = opendir(folder);
	size_t n_before = n_files;
	for (struct dirent *e; d && (e = readdir(d));) {
		bool is_hidden = !str_ends(str_from(e->d_name), STR(".conf"));
		for (size_t i = 0; i < n_before && !is_hidden; i++)
			is_hidden = strcmp(files[i].name, e->d_name) == 0;
		if (is_hidden)
			continue;
		files = must(realloc(files, (n_files + 1) * sizeof *files));
		files[n_files].name = must(strdup(e->d_name));
		if (asprintf(&files[n_files++].path, "%s/%s", folder, e->d_name) < 0)
			exit(1);
	}
	if (d)
		closedir(d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

/* A link to /dev/null says that there shall be no file of that name. */
static bool is_masked(const char *path)
{
	char target[16];
	return readlink(path, target, sizeof target) == 9 && memcmp(target, "/dev/null", 9) == 0;
}

void conf_read(const char *kind, unsigned n_fields, void (*take)(const struct line *))
{
	n_files = 0;
	for (size_t i = 0; i < countof(folders); i++) {
		char *folder;
		if (asprintf(&folder, "%s%s/%s", root, folders[i], kind) < 0)
			exit(1);
		find_files(folder);
	}
	if (n_files)
		qsort(files, n_files, sizeof *files, by_name);
	for (size_t i = 0; i < n_files; i++)
		if (!is_masked(files[i].path))
			read_lines(&files[i], n_fields, take);
}
