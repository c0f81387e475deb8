/*
 * tmpfiles.d(5), of it what packages use. What is to go goes first; then the rest is made, in the order in which it
 * was read, and of several lines that make one path the first counts.
 */
#include "tmpfiles.h"
#include "lib/values.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define WALK_DESCRIPTORS 32
#define UNCHANGED ((uid_t)-1)

/* One line, understood. */
struct item {
	struct place at;
	char type;
	bool is_forced;                 /* + */
	bool may_fail;                  /* - */
	char *path, *argument;
	bool has_mode, is_mask, is_mode_new, is_owner_new;      /* `:` in front: only of what is made */
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

static struct item *items;
static size_t n_items;

static void fail(const struct item *i, const char *path)
{
	if (!i->may_fail)
		tell_errno(&i->at, path);
}

/* ---- mode and owner ---- */

/* `~` in front of a mode: what the file lacks already it does not get. */
static mode_t masked(const struct item *i, const struct stat *st)
{
	mode_t mode = i->mode;
	if (!i->is_mask)
		return mode;
	mode &= (st->st_mode & 0111 ? 07777 : (mode_t)~0111) & (st->st_mode & 0222 ? 07777 : (mode_t)~0222) &
		(st->st_mode & 0444 ? 07777 : (mode_t)~0444);
	return S_ISDIR(st->st_mode) ? mode : mode & 0777;
}

/* Through a descriptor, so that nobody can put a link in between; links themselves have an owner and no mode. */
static void apply(const struct item *i, const char *path, bool is_new)
{
	char self[64];
	struct stat st;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		fail(i, path);
		return;
	}
	bool owns = i->type != 'm' && (is_new || !i->is_owner_new);
	if (owns && (i->uid != UNCHANGED || i->gid != UNCHANGED) && fchownat(fd, "", i->uid, i->gid, AT_EMPTY_PATH) < 0)
		fail(i, path);
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	if (i->has_mode && !S_ISLNK(st.st_mode) && (is_new || !i->is_mode_new) && chmod(self, masked(i, &st)) < 0)
		fail(i, path);
	close(fd);
}

static void make_parents(const char *path)
{
	char *text = must(strdup(path));
	for (char *slash = strchr(text + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(text, 0755);              /* what is missing in the end, the last one tells */
		*slash = '/';
	}
	free(text);
}

/* ---- removing ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type;
	return ftw->level ? remove(path) : 0;
}

/* What is in a folder; never what is mounted there. */
static void empty(const struct item *i, const char *path)
{
	if (nftw(path, remove_one, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) && errno != ENOENT && errno != ENOTDIR)
		fail(i, path);
}

static void remove_path(const struct item *i, const char *path)
{
	if (i->type == 'R')
		empty(i, path);
	if (remove(path) < 0 && errno != ENOENT)
		fail(i, path);
}

/* ---- making ---- */

static void make_folder(const struct item *i)
{
	bool is_new = mkdir(i->path, i->has_mode ? i->mode : 0755) == 0;
	struct stat st;
	if (!is_new && (errno != EEXIST || stat(i->path, &st) < 0 || !S_ISDIR(st.st_mode))) {
		errno = errno == EEXIST ? ENOTDIR : errno;
		fail(i, i->path);
		return;
	}
	apply(i, i->path, is_new);
}

static bool write_argument(const struct item *i, int fd)
{
	size_t n = 0;
	if (!i->argument)
		return true;
	if (!unescape(i->argument, &n)) {
		tell(&i->at, "an escape that means nothing: ignored");
		return true;
	}
	return write(fd, i->argument, n) == (ssize_t)n;
}

static void make_file(const struct item *i)
{
	bool is_forced = i->type == 'F' || i->is_forced;
	int fd = open(i->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, i->has_mode ? i->mode : 0644);
	bool is_new = fd >= 0;
	if (!is_new && errno == EEXIST && is_forced)
		fd = open(i->path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 ? errno != EEXIST : !write_argument(i, fd))
		fail(i, i->path);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || access(i->path, F_OK) == 0)
		apply(i, i->path, is_new);
}

/* Into what is there: of /sys and /proc, mostly. */
static void write_file(const struct item *i, const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | (i->is_forced ? O_APPEND : 0));
	if (fd < 0 || !write_argument(i, fd))
		fail(i, path);
	if (fd >= 0)
		close(fd);
}

/* What is in the way goes only with a +. */
static bool is_in_the_way(const struct item *i)
{
	struct stat st;
	if (lstat(i->path, &st) < 0)
		return false;
	if (i->is_forced && !S_ISDIR(st.st_mode))
		return unlink(i->path) < 0;
	if (i->is_forced) {
		empty(i, i->path);
		return rmdir(i->path) < 0;
	}
	return true;
}

static void make_link(const struct item *i)
{
	char *factory = NULL, there[4096];
	if (!i->argument && asprintf(&factory, "/usr/share/factory%s", i->path + strlen(root)) < 0)
		return;
	const char *target = i->argument ? i->argument : factory;
	ssize_t n = readlink(i->path, there, sizeof there);
	bool is_there = n >= 0 && str_eq(str_of(there, (size_t)n), str_from(target));
	if (!is_there && !is_in_the_way(i) && symlink(target, i->path) < 0)
		fail(i, i->path);
	free(factory);
}

static void make_node(const struct item *i)
{
	uint64_t number[2] = { 0, 0 };
	struct str rest = str_from(i->argument);
	mode_t kind = i->type == 'p' ? S_IFIFO : i->type == 'c' ? S_IFCHR : S_IFBLK;
	struct stat st;
	if (i->type != 'p' && (!str_u64(str_until(&rest, ':'), &number[0]) || !str_u64(rest, &number[1]))) {
		tell(&i->at, "%c wants MAJOR:MINOR: ignored", i->type);
		return;
	}
	bool is_there = lstat(i->path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
	bool is_new = !is_there && !is_in_the_way(i);
	if (is_new && mknod(i->path, kind | (i->has_mode ? i->mode : 0644), makedev((unsigned)number[0], (unsigned)number[1])) < 0)
		fail(i, i->path);
	else if (is_new || is_there)
		apply(i, i->path, is_new);
}

/* ---- what is there already: patterns ---- */

static const struct item *walked;

static int apply_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	apply(walked, path, false);
	return 0;
}

static void change(const struct item *i, const char *path)
{
	struct stat st;
	if (i->type == 'w')
		write_file(i, path);
	else if (i->type == 'D')
		empty(i, path);
	else if (i->type == 'r' || i->type == 'R')
		remove_path(i, path);
	else if (i->type == 'e' && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)))
		return;
	else if (i->type != 'Z')
		apply(i, path, false);
	else {
		walked = i;
		nftw(path, apply_one, WALK_DESCRIPTORS, FTW_PHYS | FTW_MOUNT);
	}
}

static void change_all(const struct item *i)
{
	glob_t found;
	if (glob(i->path, GLOB_NOSORT, NULL, &found))
		return;                         /* nothing there is nothing to do */
	for (size_t k = 0; k < found.gl_pathc; k++)
		change(i, found.gl_pathv[k]);
	globfree(&found);
}

/* ---- lines ---- */

static bool read_mode(struct item *i, const char *text)
{
	unsigned mode;
	for (; text && (*text == '~' || *text == ':'); text++)
		*(*text == '~' ? &i->is_mask : &i->is_mode_new) = true;
	if (!text)
		return true;
	i->has_mode = value_mode(str_from(text), 07777, &mode);
	i->mode = (mode_t)mode;
	return i->has_mode;
}

static const char *owner(struct item *i, const char *name)
{
	bool is_new = name && *name == ':';
	i->is_owner_new |= is_new;
	return name + is_new;
}

static const char *read_owners(struct item *i, const char *user, const char *group)
{
	i->uid = i->gid = UNCHANGED;
	if (user && !find_user(owner(i, user), &i->uid))
		return user;
	if (group && !find_group(owner(i, group), &i->gid))
		return group;
	return NULL;
}

/* A letter, and signs: `!` is for a boot, which this is; `=` is what is done anyway. */
static bool read_type(struct item *i, const char *text)
{
	i->type = text[0];
	for (const char *sign = text + 1; *sign; sign++) {
		i->is_forced |= *sign == '+';
		i->may_fail |= *sign == '-';
		if (!strchr("+!-=", *sign))
			return false;           /* ~ and ^: arguments in Base64, and of credentials */
	}
	return text[0] != '\0';
}

static bool makes(const struct item *i)
{
	return strchr("fFdDvqQLpcb", i->type);
}

static void add_item(struct item i)
{
	for (size_t k = 0; k < n_items && makes(&i); k++)
		if (makes(&items[k]) && strcmp(items[k].path, i.path) == 0)
			return;
	items = must(realloc(items, (n_items + 1) * sizeof *items));
	items[n_items++] = i;
}

static bool removes(const struct item *i)
{
	return i->type == 'r' || i->type == 'R' || i->type == 'D';
}

static void make(const struct item *i)
{
	if (makes(i))
		make_parents(i->path);
	if (strchr("dDvqQ", i->type))
		make_folder(i);
	else if (i->type == 'f' || i->type == 'F')
		make_file(i);
	else if (i->type == 'L')
		make_link(i);
	else if (makes(i))
		make_node(i);
	else if (!removes(i))
		change_all(i);
}

/* tmpfiles.d(5) knows more letters: attributes, access lists, copies of trees. */
static void take_line(const struct line *line)
{
	struct item i = { .at = line->at };
	const char *wrong;
	char *const *f = line->fields;
	if (line->n_fields < 2 || !f[0] || !f[1] || !value_is_path(str_from(f[1]))) {
		tell(&i.at, "expected a type and an absolute path: ignored");
		return;
	}
	if (f[0][0] == 'x' || f[0][0] == 'X')
		return;                         /* for the cleaning of old files, which nobody does here */
	if (!read_type(&i, f[0]) || !strchr("fFwdDvqQepLcbrRzZm", i.type)) {
		tell(&i.at, "lines of type `%s` are not done without systemd-tmpfiles: ignored", f[0]);
		return;
	}
	i.path = in_root(f[1]);
	i.argument = line->rest;
	if (!read_mode(&i, f[2]))
		tell(&i.at, "`%s` is not an octal mode: ignored", f[2]);
	else if ((wrong = read_owners(&i, f[3], f[4])))
		tell(&i.at, "there is no user or group `%s`: ignored", wrong);
	else
		add_item(i);
}

void files_make(void)
{
	umask(0);
	conf_read("tmpfiles.d", 6, take_line);
	for (size_t k = 0; k < n_items; k++)
		if (removes(&items[k]))
			change_all(&items[k]);
	for (size_t k = 0; k < n_items; k++)
		make(&items[k]);
}
