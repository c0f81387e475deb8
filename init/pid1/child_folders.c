/* What a service owns: its folders are made before each of its commands, and those of a life go with it. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The folder `name` in another one, made if it is not there. A link is followed if root made it: below a folder of its own a
 * service could otherwise have us give it, or make for it, anything on the machine.
 */
static int enter(int in, const char *name, mode_t mode, bool *is_new)
{
	struct stat st;
	*is_new = mkdirat(in, name, mode) == 0;
	if (!*is_new && errno != EEXIST)
		return -errno;
	bool is_roots = fstatat(in, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == 0;
	int folder = openat(in, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_roots ? 0 : O_NOFOLLOW));
	return folder < 0 ? -errno : folder;
}

/* The folder that `path` lies in, with all above it, and its last name. */
static int enter_above(const char *path, const char **name)
{
	char text[4096];
	struct buf b = BUF(text);
	struct str rest = str_skip(str_from(path), 1);
	int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_new;
	while (folder >= 0 && str_chr(rest, '/') < rest.n) {
		b.n = 0;
		buf_str(&b, str_until(&rest, '/'));
		int next = enter(folder, buf_cstr(&b), 0755, &is_new);
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
	int above = enter_above(unitset_text(l->units, f->path).p, &name);
	int folder = above < 0 ? above : enter(above, name, f->mode, &is_new);
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
	int above = enter_above(path, &name);
	if (above < 0)
		return above;
	if (fstatat(above, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		unlinkat(above, name, 0);
	int r = symlinkat(target, above, name) < 0 ? -errno : 0;
	close(above);
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
		if (folders[i].link.n)
			unlink(unitset_text(l->units, folders[i].link).p);
		int r = tree_remove(unitset_text(l->units, folders[i].path).p);
		if (r < 0)
			child_warn(l, LAUNCH_RUNTIME_FOLDER, -r);
	}
	child_take_credentials(l);
	_exit(0);
}
