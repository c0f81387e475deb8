/*
 * The lines that hold cgroup paths. A path is as long as its owner likes, so the kernel may print such a line in parts,
 * and its names are what their owner likes: "x,task=sshd,pid=1,uid=0" is a cgroup. The kernel's own words are therefore
 * looked for from the end, and two paths must fit together.
 */
#include "kmsg_lines.h"

#include <string.h>

static const struct str summary_start = STR("oom-kill:constraint="), task_start = STR("Task in "),
	limit_start = STR("Memory limit reached of cgroup "), members_start = STR("Tasks in ");

bool kmsg_is_long(struct str s)
{
	return str_starts(s, summary_start) || str_starts(s, task_start) || str_starts(s, members_start) ||
		str_starts(s, limit_start);
}

/* The kernel prints "(name too long)" or "(error)" when it has no room for a path (fs/kernfs/dir.c). */
static bool is_path(struct str s)
{
	return s.n && s.p[0] == '/';
}

bool kmsg_path_within(struct str path, struct str top)
{
	if (str_eq(top, STR("/")))
		return str_starts(path, top);
	return top.n && str_starts(path, top) && (path.n == top.n || path.p[top.n] == '/');
}

static void keep_path(struct str path, char *to, bool *is_cut)
{
	*is_cut = path.n >= KMSG_PATH_MAX;
	if (*is_cut)
		path.n = KMSG_PATH_MAX - 1;
	memcpy(to, path.p, path.n);
	to[path.n] = '\0';
}

struct two_paths { struct str outer, inner; };

/*
 * Two paths with `between` between them, of which `inner` must be `outer` or below it. Names may contain `between`, so
 * every place is tried; the answer counts only if exactly one place fits. Adds the fits to *n_fits.
 */
static void split_paths(struct str s, struct str between, bool is_inner_first, struct two_paths *fit, size_t *n_fits)
{
	for (size_t at = str_find(s, between); at < s.n; ) {
		struct str first = str_of(s.p, at), second = str_skip(s, at + between.n);
		struct two_paths p = is_inner_first ? (struct two_paths){ second, first } : (struct two_paths){ first, second };
		if (is_path(p.outer) && kmsg_path_within(p.inner, p.outer)) {
			*fit = p;
			++*n_fits;
		}
		size_t next = str_find(second, between);
		at = next < second.n ? at + between.n + next : s.n;
	}
}

/* The place of the last ",label=N" whose number ends s, which loses it. */
static bool drop_number(struct str *s, struct str label, uint64_t *v)
{
	size_t at = str_rfind(*s, label);
	if (at == s->n || !str_u64(str_skip(*s, at + label.n), v))
		return false;
	s->n = at;
	return true;
}

/* ",pid=N,uid=N" at the end of s, which loses it: what remains ends in ",task=comm". */
static bool drop_numbers(struct str *s, uint32_t *pid, uint32_t *uid)
{
	uint64_t u, p;
	struct str rest = *s;
	if (!drop_number(&rest, STR(",uid="), &u) || u >= KMSG_UNTOLD_UID)
		return false;
	if (!drop_number(&rest, STR(",pid="), &p) || p < 1 || p > KMSG_PID_MAX)
		return false;
	*s = rest;
	*pid = (uint32_t)p;
	*uid = (uint32_t)u;
	return true;
}

bool kmsg_summary_tail(struct str *s, uint32_t *pid, uint32_t *uid)
{
	struct str rest = *s;
	if (!str_starts(rest, STR(",task=")) || !drop_numbers(&rest, pid, uid))
		return false;
	*s = rest;
	return true;
}

/* Where the paths of a summary begin. A cpuset's name stands before them, but holds no slash. */
static struct str summary_paths(struct str s, struct oom_kill *k)
{
	static const struct str memcg = STR(",oom_memcg=/"), global = STR(",global_oom,task_memcg=/");
	size_t m = str_find(s, memcg), g = str_find(s, global);
	if (m == s.n && g == s.n)
		return STR("");
	k->scope = m < g ? OOM_MEMCG : OOM_GLOBAL;
	return str_skip(s, m < g ? m + memcg.n - 1 : g + global.n - 1);
}

/* paths = "/a,task_memcg=/a/b,task=comm" or, when global, "/a/b,task=comm": each ",task=" that leaves a comm's length
 * behind it may be the true one, and so may each ",task_memcg=". */
static void read_summary_paths(struct str paths, struct oom_kill *k)
{
	static const struct str task = STR(",task=");
	struct two_paths fit = { 0 };
	size_t n_fits = 0, from = paths.n > KMSG_COMM_MAX - 1 + task.n ? paths.n - (KMSG_COMM_MAX - 1 + task.n) : 0;
	for (size_t at = from; at + task.n <= paths.n; at++) {
		if (!str_starts(str_skip(paths, at), task))
			continue;
		struct str both = str_of(paths.p, at);
		if (k->scope == OOM_MEMCG) {
			split_paths(both, STR(",task_memcg="), false, &fit, &n_fits);
		} else {
			fit.inner = both;
			n_fits++;
		}
	}
	if (n_fits != 1)
		return;
	if (fit.outer.n)
		keep_path(fit.outer, k->memcg, &k->is_memcg_cut);
	keep_path(fit.inner, k->task_memcg, &k->is_task_memcg_cut);
}

static enum kmsg_long read_summary(struct str s, struct oom_kill *k)
{
	size_t end = str_chr(s, ',');
	bool is_cut;
	if (end < s.n)
		kmsg_unescape(str_of(s.p, end), k->constraint, sizeof k->constraint, &is_cut);
	struct str paths = summary_paths(s, k);
	if (drop_numbers(&s, &k->pid, &k->uid) && paths.n && s.p + s.n > paths.p)
		read_summary_paths(str_of(paths.p, (size_t)(s.p + s.n - paths.p)), k);
	return KMSG_SUMMARY;
}

static enum kmsg_long read_task_in(struct str s, struct oom_kill *k)
{
	struct two_paths fit;
	size_t n_fits = 0;
	split_paths(s, STR(" killed as a result of limit of "), true, &fit, &n_fits);
	if (n_fits != 1)
		return KMSG_UNFINISHED;
	k->scope = OOM_MEMCG;
	keep_path(fit.outer, k->memcg, &k->is_memcg_cut);
	keep_path(fit.inner, k->task_memcg, &k->is_task_memcg_cut);
	return KMSG_TASK_IN;
}

static enum kmsg_long read_limit(struct str s, struct oom_kill *k)
{
	if (!is_path(s))
		return KMSG_UNFINISHED;
	k->scope = OOM_MEMCG;
	keep_path(s, k->memcg, &k->is_memcg_cut);
	return KMSG_TASK_IN;
}

static enum kmsg_long read_members(struct str s, struct oom_kill *k)
{
	static const struct str words = STR(" are going to be killed due to memory.oom.group set");
	if (!str_ends(s, words) || s.n == words.n)
		return KMSG_UNFINISHED;
	if (is_path(s))
		keep_path(str_of(s.p, s.n - words.n), k->task_memcg, &k->is_task_memcg_cut);
	return KMSG_MEMBERS;
}

enum kmsg_long kmsg_long(struct str s, struct oom_kill *k)
{
	kmsg_untold(k);
	if (str_take(&s, summary_start))
		return read_summary(s, k);
	if (str_take(&s, task_start))
		return read_task_in(s, k);
	if (str_take(&s, limit_start))
		return read_limit(s, k);
	return str_take(&s, members_start) ? read_members(s, k) : KMSG_UNFINISHED;
}
