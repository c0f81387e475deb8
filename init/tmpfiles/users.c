/*
 * sysusers.d(5): users and groups that packages want to be there. They are appended to passwd(5), group(5) and, where there are
 * any, shadow(5) and gshadow(5); what stands there already is left as it is. Written aside and renamed, under the lock that
 * useradd(8) takes, so that a power cut leaves the old files or the new.
 */
#include "tmpfiles.h"
#include "lib/values.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NOBODY UINT32_MAX

/* A file of lines "name:...". */
struct table {
	const char *path;
	mode_t mode;                    /* of a new one */
	bool is_loaded, is_there, is_changed;
	char **lines;
	size_t n;
};
static struct table users = { .path = "/etc/passwd", .mode = 0644 };
static struct table groups = { .path = "/etc/group", .mode = 0644 };
static struct table secrets = { .path = "/etc/shadow", .mode = 0600 };
static struct table group_secrets = { .path = "/etc/gshadow", .mode = 0600 };
static struct table *const tables[] = { &users, &groups, &secrets, &group_secrets };

/* ---- tables ---- */

static void add_line(struct table *t, char *line)
{
	t->lines = must(realloc(t->lines, (t->n + 1) * sizeof *t->lines));
	t->lines[t->n++] = line;
}

static void load(struct table *t)
{
	char *text = NULL;
	size_t room = 0;
	FILE *f = t->is_loaded ? NULL : fopen(in_root(t->path), "re");
	t->is_loaded = true;
	t->is_there |= f != NULL;
	while (f && getline(&text, &room, f) >= 0) {
		struct str line = str_from(text);
		if (str_ends(line, STR("\n")))
			line.n--;
		add_line(t, must(strndup(line.p, line.n)));
	}
	if (f)
		fclose(f);
}

static struct str field(const char *line, int number)
{
	struct str rest = str_from(line), field = { "", 0 };
	for (int i = 0; i <= number; i++)
		field = str_until(&rest, ':');
	return field;
}

static char *find_line(struct table *t, const char *name)
{
	load(t);
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(field(t->lines[i], 0), str_from(name)))
			return t->lines[i];
	return NULL;
}

/* The third field of both passwd and group. */
static uint32_t id_of(const char *line)
{
	uint64_t id;
	return line && str_u64(field(line, 2), &id) && id < NOBODY ? (uint32_t)id : NOBODY;
}

static bool has_id(struct table *t, uint32_t id)
{
	load(t);
	for (size_t i = 0; i < t->n; i++)
		if (id_of(t->lines[i]) == id)
			return true;
	return false;
}

static bool find_id(struct table *t, const char *name, uint32_t *id)
{
	uint64_t number;
	bool is_number = str_u64(str_from(name), &number) && number < NOBODY;
	*id = is_number ? (uint32_t)number : id_of(find_line(t, name));
	return *id != NOBODY;
}

bool find_user(const char *name, uid_t *uid)
{
	return find_id(&users, name, uid);
}

bool find_group(const char *name, gid_t *gid)
{
	return find_id(&groups, name, gid);
}

/* ---- writing ---- */

static bool write_lines(const struct table *t, FILE *f)
{
	for (size_t i = 0; i < t->n; i++)
		fprintf(f, "%s\n", t->lines[i]);
	return fflush(f) == 0 && fsync(fileno(f)) == 0;
}

static void save(const struct table *t)
{
	char *path = in_root(t->path), *new;
	struct stat st = { .st_mode = t->mode };
	if (!t->is_changed || asprintf(&new, "%s.oomph", path) < 0)
		return;
	bool was_there = stat(path, &st) == 0;
	FILE *f = fopen(new, "we");
	bool is_good = f && fchmod(fileno(f), st.st_mode & 07777) == 0 && (!was_there || fchown(fileno(f), st.st_uid, st.st_gid) == 0) &&
		       write_lines(t, f);
	if (!is_good || rename(new, path) < 0) {
		tell_errno(NULL, path);
		unlink(new);
	}
	if (f)
		fclose(f);
}

/* lckpwdf(3); musl's does nothing. */
static void lock(void)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(in_root("/etc/.pwd.lock"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		fcntl(fd, F_SETLKW, &whole);    /* until we leave */
}

/* ---- what is wanted ---- */

struct wish {
	struct place at;
	char type;
	const char *name, *id, *gecos, *home, *shell;
};
static struct wish *wishes;
static size_t n_wishes;
static struct range { uint32_t first, last; } range = { 100, 999 };     /* systemd's own; an `r` line moves it */

static uint32_t free_id(void)
{
	for (uint32_t id = range.last; id >= range.first && id != NOBODY; id--)
		if (!has_id(&users, id) && !has_id(&groups, id))
			return id;
	return NOBODY;
}

/* A number, or a path whose owner is meant; NOBODY: take any. */
static uint32_t wished_id(const char *text, bool is_group)
{
	uint64_t id;
	struct stat st;
	if (!text)
		return NOBODY;
	if (*text == '/')
		return stat(in_root(text), &st) < 0 ? NOBODY : is_group ? st.st_gid : st.st_uid;
	struct str rest = str_from(text);
	return str_u64(str_until(&rest, ':'), &id) && id < NOBODY ? (uint32_t)id : NOBODY;
}

static char *print(const char *format, const char *name, uint32_t id)
{
	char *line;
	if (asprintf(&line, format, name, id) < 0)
		exit(1);
	return line;
}

static void change(struct table *t, char *line)
{
	add_line(t, line);
	t->is_changed = true;
}

static uint32_t make_group(const struct wish *w, const char *name, uint32_t id)
{
	const char *line = find_line(&groups, name);
	if (line)
		return id_of(line);
	if (id == NOBODY || has_id(&groups, id))
		id = free_id();
	if (id == NOBODY) {
		tell(&w->at, "no number is left for the group %s", name);
		return NOBODY;
	}
	change(&groups, print("%s:x:%u:", name, id));
	load(&group_secrets);
	if (group_secrets.is_there)
		change(&group_secrets, print("%s:!*::", name, 0));
	return id;
}

/* ID may be "UID:GID" or "UID:GROUP", of a group that is there. */
static uint32_t primary_group(const struct wish *w, uint32_t id)
{
	uint32_t gid;
	const char *colon = w->id && *w->id != '/' ? strchr(w->id, ':') : NULL;
	if (!colon)
		return make_group(w, w->name, id);
	if (find_group(colon + 1, &gid))
		return gid;
	tell(&w->at, "there is no group `%s`", colon + 1);
	return NOBODY;
}

static void make_user(const struct wish *w)
{
	uint32_t id = wished_id(w->id, false), gid;
	if (find_line(&users, w->name))
		return;
	if (id == NOBODY)
		id = id_of(find_line(&groups, w->name));
	if (id == NOBODY || has_id(&users, id))
		id = free_id();
	gid = id == NOBODY ? NOBODY : primary_group(w, id);
	if (gid == NOBODY) {
		if (id == NOBODY)
			tell(&w->at, "no number is left for the user %s", w->name);
		return;
	}
	char *line;
	if (asprintf(&line, "%s:x:%u:%u:%s:%s:%s", w->name, id, gid, w->gecos ? w->gecos : "", w->home ? w->home : "/",
		     w->shell ? w->shell : id == 0 ? "/bin/sh" : "/usr/sbin/nologin") < 0)
		exit(1);
	change(&users, line);
	load(&secrets);
	if (secrets.is_there)
		change(&secrets, print("%s:!*:%u::::::", w->name, (uint32_t)(time(NULL) / 86400)));
}

static bool has_member(struct str members, const char *name)
{
	while (members.n)
		if (str_eq(str_until(&members, ','), str_from(name)))
			return true;
	return false;
}

/* The members are the last field. */
static void join(struct table *t, const char *user, const char *group)
{
	load(t);
	for (size_t i = 0; i < t->n; i++) {
		struct str members = field(t->lines[i], 3);
		char *line;
		if (!str_eq(field(t->lines[i], 0), str_from(group)) || has_member(members, user))
			continue;
		if (asprintf(&line, "%s%s%s", t->lines[i], members.n ? "," : "", user) < 0)
			exit(1);
		t->lines[i] = line;
		t->is_changed = true;
	}
}

static void make_member(const struct wish *w)
{
	struct wish user = { .at = w->at, .type = 'u', .name = w->name };
	make_user(&user);
	make_group(w, w->id, NOBODY);
	join(&groups, w->name, w->id);
	join(&group_secrets, w->name, w->id);
}

static void move_range(const struct wish *w)
{
	uint64_t first, last;
	struct str rest = str_from(w->id);
	struct str low = str_until(&rest, '-');
	if (str_u64(low, &first) && str_u64(rest.n ? rest : low, &last) && first <= last && last < NOBODY)
		range = (struct range){ (uint32_t)first, (uint32_t)last };
	else
		tell(&w->at, "`%s` is not a range of numbers: ignored", w->id);
}

static void grant(const struct wish *w)
{
	switch (w->type) {
	case 'r':
		move_range(w);
		break;
	case 'g':
		make_group(w, w->name, wished_id(w->id, true));
		break;
	case 'u':
		make_user(w);
		break;
	case 'm':
		make_member(w);
		break;
	}
}

/* useradd(8) takes no others; a colon or a line feed would make a line of its own. */
static bool is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
	return n > 0 && n < 32 && name[n] == '\0' && *name != '-' && (*name < '0' || *name > '9');
}

static bool is_field(const char *text)
{
	return !text || !strpbrk(text, ":\n");
}

static void take_line(const struct line *line)
{
	char *const *f = line->fields;
	const char *type = f[0] ? f[0] : "";
	struct wish w = { line->at, type[0], f[1], f[2], f[3], f[4], f[5] };
	bool is_letter = strlen(type) == 1 || strcmp(type, "u!") == 0;
	if (!is_letter || !strchr("ugmr", type[0]))
		tell(&w.at, "expected u, g, m or r, and a name: ignored");
	else if ((w.type == 'r') != !w.name || (w.name && !is_name(w.name)))
		tell(&w.at, "`%s` is not a name that a user or group can have: ignored", w.name ? w.name : "-");
	else if (((w.type == 'm' || w.type == 'r') && !w.id) || (w.type == 'm' && !is_name(w.id)))
		tell(&w.at, "expected a group, or a range of numbers: ignored");
	else if (!is_field(w.gecos) || !is_field(w.home) || !is_field(w.shell))
		tell(&w.at, "no colons can be in these: ignored");
	else {
		wishes = must(realloc(wishes, (n_wishes + 1) * sizeof *wishes));
		wishes[n_wishes++] = w;
	}
}

void users_make(void)
{
	conf_read("sysusers.d", 6, take_line);
	if (n_wishes == 0)
		return;
	lock();
	for (const char *type = "rgum"; *type; type++)
		for (size_t i = 0; i < n_wishes; i++)
			if (wishes[i].type == *type)
				grant(&wishes[i]);
	for (size_t i = 0; i < countof(tables); i++)
		save(tables[i]);
}
