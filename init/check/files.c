/* What is asked about files. systemd.unit(5), "Conditions and Asserts". */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/values.h"

bool has_bytes(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

static bool is_of_mode(struct str path, mode_t type)
{
	struct stat st;
	return stat(path.p, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

enum answer path_exists(struct str path)
{
	return access(path.p, F_OK) == 0;
}

static bool matches(const char *pattern)
{
	glob_t found;
	int r = glob(pattern, GLOB_NOSORT, NULL, &found);
	bool has_any = r == 0 && found.gl_pathc > 0;
	if (r == 0)
		globfree(&found);
	return has_any;
}

/* glob(3) here has no braces, and shipped units do. */
enum answer path_exists_glob(struct str pattern)
{
	size_t cap = pattern.n + 1;
	char *text = malloc(cap);
	bool has_any = false;
	for (uint32_t n = 0; text && n < BRACE_READINGS && !has_any; n++) {
		struct buf b = { .p = text, .cap = cap };
		if (condition_brace(pattern, n, &b))
			has_any = matches(buf_cstr(&b));
	}
	free(text);
	return has_any;
}

enum answer path_is_directory(struct str path)
{
	return is_of_mode(path, S_IFDIR);
}

enum answer path_is_symbolic_link(struct str path)
{
	struct stat st;
	return lstat(path.p, &st) == 0 && S_ISLNK(st.st_mode);
}

enum answer path_is_socket(struct str path)
{
	return is_of_mode(path, S_IFSOCK);
}

/* The kernel writes blanks and the like of a path as \040, proc_pid_mountinfo(5). */
static bool is_mount_path(struct str escaped, struct str path)
{
	while (escaped.n && path.n) {
		unsigned char c = (unsigned char)escaped.p[0];
		size_t n = 1;
		if (c == '\\' && escaped.n >= 4) {
			c = (unsigned char)((escaped.p[1] - '0') << 6 | (escaped.p[2] - '0') << 3 | (escaped.p[3] - '0'));
			n = 4;
		}
		if (c != (unsigned char)path.p[0])
			return false;
		escaped = str_skip(escaped, n);
		path = str_skip(path, 1);
	}
	return escaped.n == path.n;
}

enum answer path_is_mount_point(struct str path)
{
	enum { ROOT_FIELD = 4 };
	char *real = realpath(path.p, NULL);
	struct str mounts = read_all("/proc/self/mountinfo");
	bool is_found = false;
	while (real && mounts.n && !is_found) {
		struct str line = str_until(&mounts, '\n');
		for (int field = 0; field < ROOT_FIELD; field++)
			str_until(&line, ' ');
		is_found = is_mount_path(str_until(&line, ' '), str_from(real));
	}
	free(real);
	return is_found;
}

enum answer path_is_read_write(struct str path)
{
	struct statvfs st;
	return statvfs(path.p, &st) == 0 && !(st.f_flag & ST_RDONLY);
}

/* Hidden files and backups are nobody's business. */
static bool is_counted(const char *name)
{
	static const struct str leavings[] = {
		{ "~", 1 }, { ".bak", 4 }, { ".old", 4 }, { ".swp", 4 }, { ".rpmnew", 7 }, { ".rpmsave", 8 }, { ".rpmorig", 8 },
		{ ".dpkg-old", 9 }, { ".dpkg-new", 9 }, { ".dpkg-tmp", 9 }, { ".dpkg-dist", 10 }, { ".dpkg-bak", 9 },
		{ ".dpkg-backup", 12 }, { ".dpkg-remove", 12 }, { ".ucf-new", 8 }, { ".ucf-old", 8 }, { ".ucf-dist", 9 },
	};
	if (name[0] == '.')
		return false;
	for (size_t i = 0; i < countof(leavings); i++)
		if (str_ends(str_from(name), leavings[i]))
			return false;
	return true;
}

enum answer directory_not_empty(struct str path)
{
	DIR *d = opendir(path.p);
	struct dirent *entry;
	bool has_any = false;
	if (!d)
		return NO;
	while (!has_any && (entry = readdir(d)) != NULL)
		has_any = is_counted(entry->d_name);
	closedir(d);
	return has_any;
}

enum answer file_not_empty(struct str path)
{
	return has_bytes(path.p);
}

enum answer file_is_executable(struct str path)
{
	struct stat st;
	return stat(path.p, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

static bool is_newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

/* /etc or /var against /usr, by systemd-update-done(8)'s stamp. */
enum answer needs_update(struct str path)
{
	char stamp[4096];
	struct stat usr, done;
	snprintf(stamp, sizeof stamp, "%s/.updated", path.p);
	if (path_is_read_write(path) != YES || stat("/usr", &usr) < 0)
		return NO;
	return stat(stamp, &done) < 0 || is_newer(&usr.st_mtim, &done.st_mtim);
}

enum answer first_boot(struct str argument)
{
	bool value;
	if (!value_boolean(argument, &value))
		return ERROR;
	return value == (access("/run/systemd/first-boot", F_OK) == 0);
}

enum answer credential(struct str name)
{
	static const char *const folders[] = { "/run/credentials/@system", "/run/credentials/@encrypted" };
	char path[4096];
	if (str_chr(name, '/') < name.n || name.n == 0)
		return ERROR;
	for (size_t i = 0; i < countof(folders); i++) {
		snprintf(path, sizeof path, "%s/%s", folders[i], name.p);
		if (access(path, F_OK) == 0)
			return YES;
	}
	return NO;
}
