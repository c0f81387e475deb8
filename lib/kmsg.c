/*
 * The story of one OOM that the lines of the kernel's log tell together.
 *
 * One OOM is printed under oom_lock (mm/oom_kill.c), so lines of two OOMs never mix, but much may be left out: header,
 * table and summary are rate-limited together, a chosen victim may vanish without a word (until 5.9), other CPUs print
 * in between. Hence the reader keeps `about`, what the newest OOM has said so far, and begins anew whenever a line
 * cannot belong to it.
 */
#include "kmsg_lines.h"

#include <string.h>

/* Lines of one OOM follow each other at the speed of the console, which prints them while the lock is held. */
#define CONTEXT_USEC 2000000

/* ---- context ---- */

/* A new OOM: nothing of the old one holds. What is being joined stays, since it may be what begins the new one. */
static void begin(struct kmsg_reader *r)
{
	kmsg_untold(&r->about);
	r->story++;
	r->candidate = 0;
	r->n_victims = r->n_threads = 0;
	r->has_table = r->has_summary = r->is_spent = r->is_group = r->is_group_cut = r->is_group_idle = false;
	r->last_kill_pid = 0;
	r->group[0] = '\0';
}

void kmsg_reset(struct kmsg_reader *r)
{
	memset(r, 0, sizeof *r);
	begin(r);
}

bool kmsg_is_fresh(const struct kmsg_reader *r, uint64_t usec)
{
	/* either way round: the clocks of two CPUs differ a little */
	return (usec > r->usec ? usec - r->usec : r->usec - usec) <= CONTEXT_USEC;
}

/* A line of the context comes in. */
static void touch(struct kmsg_reader *r, uint64_t usec)
{
	if (!kmsg_is_fresh(r, usec)) {
		begin(r);
		r->is_manual_next = false;
	}
	r->usec = usec;
}

/* Lines are missing, perhaps whole OOMs: what is known of victims still holds, nothing else does. */
static void forget(struct kmsg_reader *r)
{
	uint16_t n_victims = r->n_victims;
	begin(r);
	r->n_victims = n_victims;
	r->n_pending = 0;
}

static void note_sequence(struct kmsg_reader *r, uint64_t seq)
{
	if (r->has_begun && seq > r->last_seq && seq - r->last_seq > 1)
		forget(r);
	r->has_begun = true;
	r->last_seq = seq;
}

/* ---- victims and threads ---- */

static size_t n_remembered(const struct kmsg_reader *r)
{
	return r->n_victims < KMSG_VICTIMS_MAX ? r->n_victims : KMSG_VICTIMS_MAX;
}

static bool is_told(const struct kmsg_reader *r, uint32_t pid)
{
	for (size_t i = 0; i < n_remembered(r); i++)
		if (r->victims[i] == pid)
			return true;
	return false;
}

/* The first victim stays, since a group kill prints it again at the end; of the others the newest do. */
static void remember(struct kmsg_reader *r, uint32_t pid)
{
	size_t at = r->n_victims < KMSG_VICTIMS_MAX ? r->n_victims : 1 + r->n_victims % (KMSG_VICTIMS_MAX - 1);
	r->victims[at] = pid;
	r->n_victims = r->n_victims < UINT16_MAX ? (uint16_t)(r->n_victims + 1) : KMSG_VICTIMS_MAX;
}

/* The process that the task table gives for a thread, or the thread itself. */
static uint32_t process_of(const struct kmsg_reader *r, uint32_t pid)
{
	for (size_t i = 0; i < r->n_threads; i++)
		if (r->threads[i].pid == pid)
			return r->threads[i].tgid;
	return pid;
}

static void read_row(struct kmsg_reader *r, const struct oom_kill *row)
{
	/* Other CPUs may print between two rows, so the table ends with the OOM, not with the first other line. */
	if (!r->has_table || row->pid == row->tgid || r->n_threads == KMSG_THREADS_MAX)
		return;
	r->threads[r->n_threads].pid = row->pid;
	r->threads[r->n_threads++].tgid = row->tgid;
}

/* ---- what a kill takes from its context ---- */

static void copy_text(char *to, const char *from, size_t size)
{
	memcpy(to, from, size);
}

/* About the OOM as a whole: true for each of its victims. */
static void take_oom(const struct kmsg_reader *r, struct oom_kill *k)
{
	const struct oom_kill *a = &r->about;
	if (k->scope == OOM_SCOPE_UNTOLD)
		k->scope = a->scope;
	k->is_allocating_task |= a->is_allocating_task;
	k->is_manual = a->is_manual;
	k->is_memcg_cut = a->is_memcg_cut;
	copy_text(k->invoked_by, a->invoked_by, sizeof k->invoked_by);
	copy_text(k->constraint, a->constraint, sizeof k->constraint);
	copy_text(k->memcg, a->memcg, sizeof k->memcg);
}

/*
 * The victim's cgroup: the one told, if it was told of this victim. A child killed in its place (until 5.0) was only
 * searched for below the cgroup whose limit was hit.
 */
static void take_cgroup(const struct kmsg_reader *r, bool is_chosen, struct oom_kill *k)
{
	const struct oom_kill *a = &r->about;
	k->is_task_memcg_above = !is_chosen && a->memcg[0];
	k->is_task_memcg_cut = is_chosen ? a->is_task_memcg_cut : a->is_memcg_cut;
	copy_text(k->task_memcg, is_chosen ? a->task_memcg : a->memcg, sizeof k->task_memcg);
}

static bool is_other_scope(const struct kmsg_reader *r, const struct oom_kill *k)
{
	return k->scope != OOM_SCOPE_UNTOLD && r->about.scope != OOM_SCOPE_UNTOLD && k->scope != r->about.scope;
}

/*
 * Without a table, is K's pid a thread of the process in the summary? From 5.1 on nobody else can be the first to die
 * after a summary, but one OOM may end without a kill and the next come without a header, so what both tell must agree.
 */
static bool is_thread_of_chosen(const struct kmsg_reader *r, const struct oom_kill *k)
{
	return r->has_summary && r->about.pid && !r->has_table && k->uid == r->about.uid && k->scope != OOM_SCOPE_UNTOLD;
}

/* The first victim of an OOM: the chosen process, one of its threads, or (after a candidate) a child of it. */
static void take_context(struct kmsg_reader *r, struct oom_kill *k)
{
	uint32_t chosen = r->has_summary ? r->about.pid : r->candidate;
	bool is_chosen = chosen && (chosen == k->pid || chosen == k->tgid), is_thread = is_thread_of_chosen(r, k);
	bool is_of_this_oom = is_chosen || is_thread || r->candidate || !chosen;
	if (!is_of_this_oom || is_other_scope(r, k)) {
		begin(r);
		return;
	}
	if (is_thread && !is_chosen)
		k->tgid = chosen;
	is_chosen |= is_thread;
	take_oom(r, k);
	take_cgroup(r, is_chosen, k);
	if (k->uid == KMSG_UNTOLD_UID && r->about.pid == k->pid)
		k->uid = r->about.uid;
}

/* A member of the group that the last KMSG_GROUP named. */
static void take_group(const struct kmsg_reader *r, struct oom_kill *k)
{
	take_oom(r, k);
	k->is_group = true;
	k->is_task_memcg_above = r->group[0];
	k->is_task_memcg_cut = r->is_group_cut;
	copy_text(k->task_memcg, r->group, sizeof k->task_memcg);
}

/* ---- lines ---- */

static bool is_under_way(const struct kmsg_reader *r)
{
	return r->n_victims || r->is_spent || r->is_group;
}

static void note_kill(struct kmsg_reader *r, const struct oom_kill *k)
{
	r->last_kill_pid = k->pid;
	r->last_kill_seq = k->seq;
	r->is_group_idle = false;
}

static enum kmsg_news read_killed(struct kmsg_reader *r, const struct kmsg_record *rec, struct oom_kill *k)
{
	touch(r, rec->usec);
	k->seq = rec->seq;
	k->usec = rec->usec;
	k->tgid = process_of(r, k->pid);
	if (is_told(r, k->tgid)) {
		r->last_kill_pid = 0;
		return KMSG_NOTHING;
	}
	if (r->is_group && !is_other_scope(r, k)) {
		take_group(r, k);
	} else {
		if (is_under_way(r))
			begin(r);       /* another OOM, its header suppressed */
		take_context(r, k);
	}
	r->about.scope = k->scope;
	note_kill(r, k);
	remember(r, k->pid);
	if (k->tgid != k->pid)
		remember(r, k->tgid);
	return KMSG_KILL;
}

/* Printed after the victim's own line, of the same OOM; the sharer may sit in any cgroup. */
static enum kmsg_news read_sharer(struct kmsg_reader *r, const struct kmsg_record *rec, struct oom_kill *k)
{
	touch(r, rec->usec);
	if (is_told(r, k->pid))
		return KMSG_NOTHING;
	k->seq = rec->seq;
	k->usec = rec->usec;
	take_oom(r, k);
	remember(r, k->pid);
	return KMSG_KILL;
}

/* From 4.0 on order=-1 says that sysrq-f asked; before, the line above it and a kernel worker as the one who asked. */
static void read_header(struct kmsg_reader *r, const struct oom_kill *h)
{
	struct str by = str_from(h->invoked_by);
	bool is_worker = str_starts(by, STR("kworker/")) || str_starts(by, STR("events/"));
	bool is_manual = h->is_manual || (r->is_manual_next && is_worker);
	begin(r);
	r->is_manual_next = false;
	r->about.is_manual = is_manual;
	r->about.scope = is_manual ? OOM_GLOBAL : OOM_SCOPE_UNTOLD;
	copy_text(r->about.invoked_by, h->invoked_by, sizeof r->about.invoked_by);
}

static void read_candidate(struct kmsg_reader *r, const struct oom_kill *c)
{
	bool is_of_summary = !r->has_summary || !r->about.pid || r->about.pid == c->pid;
	if (is_under_way(r) || r->candidate || !is_of_summary || is_other_scope(r, c))
		begin(r);
	r->candidate = c->pid;
	r->about.scope = c->scope;
	r->about.is_allocating_task = c->is_allocating_task;
}

/* Before any kill: that of this OOM will not come, though its group's may. After a kill: a member, or another OOM. */
static void read_skipped(struct kmsg_reader *r)
{
	if (r->n_victims && !r->is_group)
		begin(r);
	r->is_spent |= r->n_victims == 0;
	r->last_kill_pid = 0;
}

static enum kmsg_news read_nobody(struct kmsg_reader *r, const struct kmsg_record *rec, struct oom_kill *k)
{
	touch(r, rec->usec);
	k->seq = rec->seq;
	k->usec = rec->usec;
	if (!is_under_way(r))
		copy_text(k->invoked_by, r->about.invoked_by, sizeof k->invoked_by);
	begin(r);
	return KMSG_NO_KILLABLE;
}

/* ---- long lines, joined from several records ---- */

/* The group lies within the cgroup whose limit was hit. What is kept of a long path can only be compared so far. */
static bool is_outside(const struct kmsg_reader *r, const struct oom_kill *group)
{
	struct str top = str_from(r->about.memcg), path = str_from(group->task_memcg);
	return top.n && !(r->about.is_memcg_cut ? str_starts(path, top) : kmsg_path_within(path, top));
}

/*
 * "Tasks in ..." is always about the kill line above it, be that the first of this OOM or, its header suppressed, of a
 * new one right behind another group. Had the first victim vanished, there is no such line since the last group.
 */
static void begin_group(struct kmsg_reader *r, const struct oom_kill *group)
{
	if (r->is_group_idle)
		r->last_kill_pid = 0;
	if (!r->is_group && !is_outside(r, group))
		return;
	uint32_t first = r->last_kill_pid;
	uint8_t scope = first ? r->about.scope : OOM_SCOPE_UNTOLD;
	begin(r);
	r->about.scope = scope;
	if (first)
		remember(r, first);
	r->last_kill_pid = first;
}

static enum kmsg_news read_members(struct kmsg_reader *r, const struct kmsg_record *rec, struct oom_kill *k)
{
	if (!r->is_pending_told)
		begin_group(r, k);
	r->is_pending_told = r->is_group = r->is_group_idle = true;
	r->is_group_cut = k->is_task_memcg_cut;
	copy_text(r->group, k->task_memcg, sizeof r->group);
	k->is_group = true;
	k->is_task_memcg_above = r->group[0];
	k->scope = r->about.scope;
	k->pid = k->tgid = r->last_kill_pid;
	k->seq = r->last_kill_pid ? r->last_kill_seq : rec->seq;
	k->usec = rec->usec;
	return KMSG_GROUP;
}

static void read_limit(struct kmsg_reader *r, const struct oom_kill *l, bool is_summary)
{
	struct oom_kill *a = &r->about;
	if (!r->is_pending_told && (is_under_way(r) || r->candidate || r->has_summary))
		begin(r);
	r->is_pending_told = true;
	a->scope = l->scope;
	a->pid = l->pid;
	a->uid = l->uid;
	a->is_memcg_cut = l->is_memcg_cut;
	a->is_task_memcg_cut = l->is_task_memcg_cut;
	copy_text(a->constraint, l->constraint, sizeof a->constraint);
	copy_text(a->memcg, l->memcg, sizeof a->memcg);
	copy_text(a->task_memcg, l->task_memcg, sizeof a->task_memcg);
	r->has_summary = is_summary;
}

static enum kmsg_news read_joined(struct kmsg_reader *r, const struct kmsg_record *rec, struct oom_kill *k)
{
	enum kmsg_long form = kmsg_long(str_of(r->pending, r->n_pending), k);
	if (form == KMSG_MEMBERS)
		return read_members(r, rec, k);
	if (form != KMSG_UNFINISHED)
		read_limit(r, k, form == KMSG_SUMMARY);
	return KMSG_NOTHING;
}

/* Adds to the line being joined. One that grows too long is given up, with the paths it seemed to tell. */
static bool join(struct kmsg_reader *r, struct str text)
{
	bool is_cut;
	char *end = r->pending + r->n_pending;
	r->n_pending = (uint16_t)(r->n_pending + kmsg_unescape(text, end, sizeof r->pending - r->n_pending, &is_cut));
	if (!is_cut)
		return true;
	r->n_pending = 0;
	r->about.pid = 0;
	r->about.memcg[0] = r->about.task_memcg[0] = '\0';
	return false;
}

static enum kmsg_news start_joining(struct kmsg_reader *r, const struct kmsg_record *rec, struct oom_kill *k)
{
	touch(r, rec->usec);
	r->n_pending = 0;
	r->is_pending_told = false;
	r->pending_caller = rec->caller;
	return join(r, rec->text) ? read_joined(r, rec, k) : KMSG_NOTHING;
}

/* With a caller field parts find each other across other CPUs' lines; without one, only side by side. */
static enum kmsg_news go_on_joining(struct kmsg_reader *r, const struct kmsg_record *rec, struct oom_kill *k)
{
	if (r->n_pending && rec->caller == r->pending_caller) {
		touch(r, rec->usec);
		return join(r, rec->text) ? read_joined(r, rec, k) : KMSG_NOTHING;
	}
	/* The rest of a summary whose middle was lost: the victim is told all the same. No path begins like this. */
	if (r->has_summary && !r->about.pid && !is_under_way(r) && kmsg_is_fresh(r, rec->usec)) {
		struct str tail = rec->text;
		kmsg_summary_tail(&tail, &r->about.pid, &r->about.uid);
	}
	return KMSG_NOTHING;
}

/* ---- feed ---- */

static enum kmsg_news read_context(struct kmsg_reader *r, enum kmsg_form form, const struct oom_kill *line,
				   uint64_t usec)
{
	touch(r, usec);
	switch (form) {
	case KMSG_MANUAL:
		r->is_manual_next = true;
		break;
	case KMSG_HEADER:
		read_header(r, line);
		break;
	case KMSG_TABLE:
		if (is_under_way(r))
			begin(r);
		r->has_table = true;
		r->n_threads = 0;
		break;
	case KMSG_ROW:
		read_row(r, line);
		break;
	case KMSG_CANDIDATE:
		read_candidate(r, line);
		break;
	default:
		read_skipped(r);
	}
	return KMSG_NOTHING;
}

enum kmsg_news kmsg_feed(struct kmsg_reader *r, const struct kmsg_record *rec, struct oom_kill *out)
{
	note_sequence(r, rec->seq);
	if (rec->facility != 0)
		return KMSG_NOTHING;
	enum kmsg_form form = kmsg_line(rec->text, out);
	if (rec->is_continuation && form != KMSG_LONG)
		return go_on_joining(r, rec, out);
	if (form != KMSG_OTHER || rec->caller == r->pending_caller)
		r->n_pending = 0;
	switch (form) {
	case KMSG_OTHER:
		return KMSG_NOTHING;
	case KMSG_LONG:
		return start_joining(r, rec, out);
	case KMSG_KILLED:
		return read_killed(r, rec, out);
	case KMSG_SHARER:
		return read_sharer(r, rec, out);
	case KMSG_NOBODY:
		return read_nobody(r, rec, out);
	default:
		return read_context(r, form, out, rec->usec);
	}
}
