/* What a service owns: its folders are made before each of its commands, and those of a life go with it. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Root has made it, and nobody else can put another thing in its place. */
static bool is_roots(int in, const char *name)
{
	struct stat above, st;
	return fstat(in, &above) == 0 && above.st_uid == 0 && (!(above.st_mode & (S_IWGRP | S_IWOTH)) || above.st_mode & S_ISVTX) &&
	       fstatat(in, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == 0;
}

/*
 * The folder `name` in another one. A link is followed if it is root's: below a folder of its own a service could otherwise have us give
 * it, make for it, or remove, anything on the machine.
 */
static int enter(int in, const char *name)
{
	int folder = openat(in, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_roots(in, name) ? 0 : O_NOFOLLOW));
	return folder < 0 ? -errno : folder;
}

static int make(int in, const char *name, mode_t mode, bool *is_new)
{
	*is_new = mkdirat(in, name, mode) == 0;
	return !*is_new && errno != EEXIST ? -errno : enter(in, name);
}

/* The folder that `path` lies in, made with all above it if it `has_to` be there, and its last name. */
static int enter_above(const char *path, const char **name, bool has_to)
{
	char text[4096];
	struct buf b = BUF(text);
	struct str rest = str_skip(str_from(path), 1);
	int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_new;
	while (folder >= 0 && str_chr(rest, '/') < rest.n) {
		b.n = 0;
		buf_str(&b, str_until(&rest, '/'));
		int next = has_to ? make(folder, buf_cstr(&b), 0755, &is_new) : enter(folder, buf_cstr(&b));
		close(folder);
		folder = next;
	}
	*name = rest.p;
	return folder;
}

/*
 * Ownership goes to the whole tree where it is another's: a package may have left files of root's there, or User= may have
 * changed. systemd leaves an existing ConfigurationDirectory= alone, which is the administrator's.
 */
static int settle(const struct launch *l, const struct folder *f, int folder, bool is_new)
{
	const struct unit *u = l->unit;
	bool is_configuration = f->kind == FOLDER_CONFIGURATION;
	if (is_configuration && !is_new)
		return 0;
	int r = is_configuration ? 0 :
		tree_own(folder, u->uid == NO_ID ? geteuid() : u->uid, u->gid == NO_ID ? getegid() : u->gid);
	/* Behind the change of owner, which takes set-user-ID bits away, and past the umask. */
	return r == 0 && fchmod(folder, f->mode) < 0 ? -errno : r;
}

static int make_folder(const struct launch *l, const struct folder *f)
{
	const char *name;
	bool is_new;
	int above = enter_above(unitset_text(l->units, f->path).p, &name, true);
	int folder = above < 0 ? above : make(above, name, f->mode, &is_new);
	int r = folder < 0 ? folder : settle(l, f, folder, is_new);
	close_fd(&folder);
	close_fd(&above);
	return r;
}

/* An older link may point elsewhere; what is no link is somebody's, and stays. */
static int make_link(const char *target, const char *path)
{
	const char *name;
	struct stat st;
	int above = enter_above(path, &name, true);
	if (above < 0)
		return above;
	if (fstatat(above, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		unlinkat(above, name, 0);
	int r = symlinkat(target, above, name) < 0 ? -errno : 0;
	close(above);
	return r;
}

static int remove_folder(const struct launch *l, const struct folder *f)
{
	const char *name;
	int above;
	if (f->link.n && (above = enter_above(unitset_text(l->units, f->link).p, &name, false)) >= 0) {
		unlinkat(above, name, 0);
		close(above);
	}
	above = enter_above(unitset_text(l->units, f->path).p, &name, false);
	int r = above == -ENOENT ? 0 : above < 0 ? above : tree_remove(above, name);
	close_fd(&above);
	return r;
}

void child_make_folders(const struct launch *l)
{
	const struct context *x = unitset_context(l->units, l->unit);
	const struct folder *folders = unitset_folders(l->units, x);
	for (uint32_t i = 0; i < x->folders.n; i++) {
		int r = make_folder(l, &folders[i]);
		if (r == 0 && folders[i].link.n)
			r = make_link(unitset_text(l->units, folders[i].path).p, unitset_text(l->units, folders[i].link).p);
		if (r < 0)
			child_give_up(l, LAUNCH_RUNTIME_FOLDER + folders[i].kind, -r);
	}
}

/* What cannot be removed is told as a setting that could not be had; the next generation finds it there. */
void child_clean(const struct launch *l)
{
	const struct context *x = unitset_context(l->units, l->unit);
	const struct folder *folders = unitset_folders(l->units, x);
	bool removes = x->runtime_preserve == PRESERVE_NO || (x->runtime_preserve == PRESERVE_RESTART && !l->restarts);
	for (uint32_t i = 0; removes && i < x->folders.n; i++) {
		if (folders[i].kind != FOLDER_RUNTIME)
			continue;
		int r = remove_folder(l, &folders[i]);
		if (r < 0)
			child_warn(l, LAUNCH_RUNTIME_FOLDER, -r);
	}
	child_take_credentials(l);
	_exit(0);
}
