/*
 * LoadCredential= and SetCredential=: files in a folder of /run that only the service's user can look into, made before its first
 * process and removed behind its last. They are written into a folder of another name, which is then renamed: a command that
 * starts at the same time sees all of them or none.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREDENTIAL_MAX (1u << 20)       /* systemd's bound for all of a unit's; here for each */

static const char *folder_of(const struct launch *l, struct buf *b)
{
	buf_lit(b, CREDENTIALS_FOLDER "/");
	buf_str(b, unitset_text(l->units, l->unit->name));
	return buf_cstr(b);
}

/* A name that no unit has, and no other child. */
static const char *workshop(struct buf *b)
{
	buf_lit(b, CREDENTIALS_FOLDER "/.");
	buf_u64(b, (uint64_t)getpid());
	return buf_cstr(b);
}

static int open_stored(const char *name)
{
	static const char *const stores[] = { "/etc/credstore/", "/run/credstore/", "/usr/local/lib/credstore/", "/usr/lib/credstore/" };
	int fd = -1;
	for (size_t i = 0; i < countof(stores) && fd < 0; i++) {
		char text[UNIT_NAME_MAX + 32];
		struct buf path = BUF(text);
		buf_str(&path, str_from(stores[i]));
		buf_str(&path, str_from(name));
		fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC | O_NOCTTY);
	}
	return fd;
}

static int copy(int from, int to)
{
	char bytes[4096];
	ssize_t n;
	size_t sum = 0;
	while ((n = read(from, bytes, sizeof bytes)) > 0) {
		sum += (size_t)n;
		if (sum > CREDENTIAL_MAX)
			return -EFBIG;
		if (write(to, bytes, (size_t)n) != n)
			return -ENOSPC;
	}
	return n < 0 ? -errno : 0;
}

static bool has_value(const struct launch *l, const struct context *x, struct span name)
{
	const struct credential *list = unitset_credentials(l->units, x);
	for (uint32_t i = 0; i < x->credentials.n; i++)
		if (!list[i].path.n && str_eq(unitset_text(l->units, list[i].name), unitset_text(l->units, name)))
			return true;
	return false;
}

static int write_one(const struct launch *l, int folder, struct span name, int from, struct str value)
{
	const struct unit *u = l->unit;
	int to = openat(folder, unitset_text(l->units, name).p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (to < 0)
		return errno == EEXIST ? 0 : -errno;    /* a file came before the value of its name */
	int r = from >= 0 ? copy(from, to) : write(to, value.p, value.n) == (ssize_t)value.n ? 0 : -ENOSPC;
	if (r == 0 && u->uid != NO_ID && fchown(to, u->uid, u->gid) < 0)
		r = -errno;
	close(to);
	return r;
}

/* What is looked for in the stores need not be there; a path that the unit gives has to be, or a value in its place. */
static int load_one(const struct launch *l, const struct context *x, int folder, const struct credential *c)
{
	struct str path = unitset_text(l->units, c->path);
	bool is_absolute = path.p[0] == '/';
	int from = is_absolute ? open(path.p, O_RDONLY | O_CLOEXEC | O_NOCTTY) : open_stored(path.p);
	if (from < 0)
		return is_absolute && !has_value(l, x, c->name) ? -errno : 0;
	int r = write_one(l, folder, c->name, from, STR(""));
	close(from);
	return r;
}

static int write_all(const struct launch *l, const struct context *x, int folder)
{
	const struct credential *list = unitset_credentials(l->units, x);
	int r = 0;
	for (uint32_t i = 0; i < x->credentials.n && r == 0; i++)
		if (list[i].path.n)
			r = load_one(l, x, folder, &list[i]);
	for (uint32_t i = 0; i < x->credentials.n && r == 0; i++)
		if (!list[i].path.n)
			r = write_one(l, folder, list[i].name, -1, unitset_text(l->units, list[i].value));
	if (r == 0 && l->unit->uid != NO_ID && fchown(folder, l->unit->uid, l->unit->gid) < 0)
		r = -errno;
	return r == 0 && fchmod(folder, 0500) < 0 ? -errno : r;
}

static int make_all(const struct launch *l, const struct context *x, const char *path)
{
	char text[64];
	struct buf b = BUF(text);
	const char *new = workshop(&b);
	mkdir(CREDENTIALS_FOLDER, 0755);
	if (mkdir(new, 0700) < 0)
		return -errno;
	int folder = open(new, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = folder < 0 ? -errno : write_all(l, x, folder);
	close_fd(&folder);
	if (r == 0 && rename(new, path) == 0)
		return 0;
	if (r == 0 && errno != ENOTEMPTY && errno != EEXIST)
		r = -errno;                     /* else somebody was faster, with the same */
	tree_remove(AT_FDCWD, new);
	return r;
}

void child_give_credentials(const struct launch *l)
{
	const struct context *x = unitset_context(l->units, l->unit);
	char text[UNIT_NAME_MAX + 32];
	struct buf b = BUF(text);
	if (x->credentials.n == 0)
		return;
	const char *path = folder_of(l, &b);
	if (l->is_alone)
		tree_remove(AT_FDCWD, path);
	int r = access(path, F_OK) == 0 ? 0 : make_all(l, x, path);
	if (r < 0)
		child_give_up(l, LAUNCH_CREDENTIALS, -r);
}

void child_take_credentials(const struct launch *l)
{
	char text[UNIT_NAME_MAX + 32];
	struct buf b = BUF(text);
	int r = unitset_context(l->units, l->unit)->credentials.n ? tree_remove(AT_FDCWD, folder_of(l, &b)) : 0;
	if (r < 0)
		child_warn(l, LAUNCH_CREDENTIALS, -r);
}
