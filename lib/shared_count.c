#include "shared_count.h"

#include "limits.h"

#include <string.h>

void shared_read(struct shared_count *s, enum shared_source source, bool is_ours_alone, uint32_t count, uint64_t now_ms)
{
	if (s->source != source) {
		*s = (struct shared_count){ .source = (uint8_t)source, .is_ours_alone = is_ours_alone, .count = count };
		return;
	}
	s->is_ours_alone &= is_ours_alone;      /* who once saw a stranger in it does not trust it again */
	if (s->forget_at && s->forget_at <= now_ms && !s->closes_at)
		s->n_kills = 0;
	if (count != s->count) {
		s->n_kills += count - s->count;
		s->forget_at = now_ms + WOUND_GRACE_MS;
	}
	s->count = count;
}

enum shared_word shared_ask(struct shared_count *s, uint64_t now_ms)
{
	if (s->source == SHARED_NONE)
		return SHARED_NO_WORD;
	if (s->n_kills == 0 || (s->forget_at <= now_ms && !s->closes_at))
		return SHARED_NO_KILL;
	return s->is_ours_alone ? SHARED_SOME_KILL : SHARED_ANYBODYS_KILL;
}

void shared_hold(struct shared_count *s, uint64_t now_ms)
{
	s->n_deaths++;
	if (s->closes_at == 0)
		s->closes_at = now_ms + EVIDENCE_GRACE_MS;
}

bool shared_is_due(const struct shared_count *s, uint64_t now_ms)
{
	return s->closes_at && s->closes_at <= now_ms;
}

bool shared_close(struct shared_count *s)
{
	bool is_proven = s->is_ours_alone && s->n_kills >= s->n_deaths;
	s->n_kills = is_proven ? s->n_kills - s->n_deaths : 0;
	s->n_deaths = 0;
	s->closes_at = 0;
	return is_proven;
}

/* ---- where it is ---- */

/* One of several words between commas. */
static bool has_word(struct str list, struct str word)
{
	while (list.n)
		if (str_eq(str_until(&list, ','), word))
			return true;
	return false;
}

/* "4:memory:/docker/1f", or "0::/" of the unified hierarchy; cgroups(7). */
static bool own_path(struct str proc_cgroup, bool is_v1, struct str *path)
{
	while (proc_cgroup.n) {
		struct str line = str_until(&proc_cgroup, '\n');
		struct str number = str_until(&line, ':'), controllers = str_until(&line, ':');
		if (is_v1 ? !has_word(controllers, STR("memory")) : !str_eq(number, STR("0")) || controllers.n)
			continue;
		*path = line;
		return line.n && line.p[0] == '/';
	}
	return false;
}

/* What is mounted is the part of the hierarchy below `root`; the rest of the path is below the mount point. */
static bool below_root(struct str *path, struct str root)
{
	if (str_eq(root, STR("/")))
		return true;
	return str_take(path, root) && (path->n == 0 || path->p[0] == '/');
}

bool shared_folder(struct str mount, struct str proc_cgroup, bool is_v1, struct buf *path)
{
	struct str own, root, point;
	for (int field = 0; field < 3; field++)
		str_until(&mount, ' ');                 /* its number, its parent's, the device */
	root = str_until(&mount, ' ');
	point = str_until(&mount, ' ');
	while (mount.n && !str_eq(str_until(&mount, ' '), STR("-")))
		;                                       /* options, and any number of optional fields */
	struct str type = str_until(&mount, ' ');
	str_until(&mount, ' ');
	if (!str_eq(type, is_v1 ? STR("cgroup") : STR("cgroup2")) || (is_v1 && !has_word(mount, STR("memory"))))
		return false;
	/* Blanks are written as \040. Who has some in there has no count; a path that leads outside ("/../x") is no place of ours. */
	if (!own_path(proc_cgroup, is_v1, &own) || !below_root(&own, root) || memchr(point.p, '\\', point.n) ||
	    (own.n >= 3 && memcmp(own.p, "/..", 3) == 0))
		return false;
	buf_str(path, point);
	if (!str_eq(own, STR("/")))
		buf_str(path, own);
	return true;
}

bool shared_kills(struct str text, uint32_t *count)
{
	uint64_t n;
	while (text.n) {
		struct str line = str_until(&text, '\n');
		if (!str_take(&line, STR("oom_kill ")))
			continue;               /* oom_kill_disable, oom_group_kill, oom */
		if (!str_u64(line, &n))
			return false;
		*count = (uint32_t)n;
		return true;
	}
	return false;
}
