/* What a service owns: its folders are made before each of its commands, and those of a life go with it. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folders above the last one, root's and as mkdir(1) -p has them. `path` is absolute. */
static void make_parents(const char *path)
{
	char text[4096];
	struct buf b = BUF(text);
	struct str rest = str_skip(str_from(path), 1);
	while (str_chr(rest, '/') < rest.n) {
		buf_char(&b, '/');
		buf_str(&b, str_until(&rest, '/'));
		mkdir(buf_cstr(&b), 0755);      /* what is missing in the end, the last one tells */
	}
}

/*
 * Ownership goes to the whole tree where it is another's: a package may have left files of root's there, or User= may have
 * changed. systemd leaves an existing ConfigurationDirectory= alone, which is the administrator's.
 */
static int make_folder(const struct launch *l, const struct folder *f)
{
	const struct unit *u = l->unit;
	const char *path = unitset_text(l->units, f->path).p;
	make_parents(path);
	bool is_new = mkdir(path, f->mode) == 0;
	if (!is_new && errno != EEXIST)
		return -errno;
	if (f->kind == FOLDER_CONFIGURATION && !is_new)
		return 0;
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	bool is_owned = f->kind != FOLDER_CONFIGURATION;
	int r = is_owned ? tree_own(folder, u->uid == NO_ID ? geteuid() : u->uid, u->gid == NO_ID ? getegid() : u->gid) : 0;
	if (r == 0 && fchmod(folder, f->mode) < 0)
		r = -errno;                     /* behind the change of owner, which takes set-user-ID bits away, and past the umask */
	close(folder);
	return r;
}

/* An older link may point elsewhere; what is no link is somebody's, and stays. */
static int make_link(const char *target, const char *path)
{
	struct stat st;
	make_parents(path);
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		unlink(path);
	return symlink(target, path) < 0 ? -errno : 0;
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
