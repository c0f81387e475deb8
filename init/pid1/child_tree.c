#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEPTH_MAX 200           /* folders in folders; a service that nests deeper keeps what is below, and an error is told */
#define ROUNDS_MAX 8            /* of looking through one folder: somebody may still be making files in it */

/* One visit of everything below a folder; of a folder itself behind what is in it. Links are not followed, mounts not entered. */
struct tree {
	dev_t device;
	int (*visit)(const struct tree *t, int in, const char *name, bool is_folder);
	uint32_t uid, gid;
};

static bool is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static int walk(const struct tree *t, int folder, int depth);

static int enter(const struct tree *t, int in, const char *name, int depth)
{
	int folder = openat(in, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	int r = walk(t, folder, depth + 1);
	close(folder);
	return r;
}

static int look_at(const struct tree *t, int in, const char *name, int depth)
{
	struct stat st;
	if (is_dots(name) || fstatat(in, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != t->device)
		return 0;
	int r = S_ISDIR(st.st_mode) ? enter(t, in, name, depth) : 0;
	int visited = t->visit(t, in, name, S_ISDIR(st.st_mode));
	return r ? r : visited;
}

/* The first thing that goes wrong is what is told; the others are done all the same. */
static int walk(const struct tree *t, int folder, int depth)
{
	_Alignas(struct dirent64) char entries[2048];
	long n;
	int r = depth < DEPTH_MAX ? 0 : -ELOOP;
	while (depth < DEPTH_MAX && (n = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0)
		for (long at = 0; at < n; at += ((struct dirent64 *)(entries + at))->len) {
			int one = look_at(t, folder, ((struct dirent64 *)(entries + at))->name, depth);
			r = r ? r : one;
		}
	return r;
}

static int own(const struct tree *t, int in, const char *name, bool is_folder)
{
	(void)is_folder;
	return fchownat(in, name, t->uid, t->gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int tree_own(int folder, uint32_t uid, uint32_t gid)
{
	struct stat st;
	if (fstat(folder, &st) < 0)
		return -errno;
	if (st.st_uid == uid && st.st_gid == gid)
		return 0;
	struct tree t = { .device = st.st_dev, .visit = own, .uid = uid, .gid = gid };
	int r = walk(&t, folder, 0);
	return r == 0 && fchown(folder, uid, gid) < 0 ? -errno : r;     /* last: what was broken off is begun anew */
}

static int drop(const struct tree *t, int in, const char *name, bool is_folder)
{
	(void)t;
	return unlinkat(in, name, is_folder ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT ? -errno : 0;
}

int tree_remove(int in, const char *name)
{
	struct stat st;
	int r = -ENOTEMPTY;
	int folder = openat(in, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return errno == ENOENT ? 0 : -errno;
	fstat(folder, &st);
	struct tree t = { .device = st.st_dev, .visit = drop };
	for (int round = 0; round < ROUNDS_MAX && r == -ENOTEMPTY; round++) {
		lseek(folder, 0, SEEK_SET);
		walk(&t, folder, 0);
		r = unlinkat(in, name, AT_REMOVEDIR) < 0 ? -errno : 0;
	}
	close(folder);
	return r;
}
