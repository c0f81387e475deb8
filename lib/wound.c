/* Wounds: a child of a service was killed, and its main process lives, or dies of something else. And whose child it was. */
#include "attrib.h"
#include "core_parts.h"

#include <string.h>

/* ---- records whose victim nobody could place ---- */

uint32_t n_unexplained(const struct core *c, const struct service *s)
{
	uint32_t n_kills = s->counter - s->counter_base;
	/* Who is named already and dying still asks for his record when he does. */
	uint32_t n_dying = (find_kill(c, s->main_pid, s->kmsg_seq) != NULL) + (find_kill(c, s->control_pid, s->control_seq) != NULL);
	uint32_t n_explained = s->n_explained + n_dying;
	return (s->flags & SERVICE_HAS_COUNTER) && n_kills > n_explained ? n_kills - n_explained : 0;
}

void note_count(struct turn *t, struct service *s, uint32_t counter)
{
	bool was_explained = n_unexplained(t->c, s) == 0;
	s->counter = counter;
	if (was_explained && n_unexplained(t->c, s))
		s->risen_seq = t->c->newest_seq;
}

/* A count rises before the line is printed, and the shell reads all of them before it tells of a victim that it cannot place. */
static bool may_be_its(const struct turn *t, const struct service *s, size_t k)
{
	const struct core *c = t->c;
	return c->stray_at[k] && c->stray_at[k] + STRAY_MS > c->now_ms && n_unexplained(c, s) && s->risen_seq < c->kills[k].seq &&
		s->kmsg_seq < c->kills[k].seq;
}

static bool has_rival(struct turn *t, uint32_t i, size_t k)
{
	for (uint32_t j = 0; j < t->c->n_services; j++)
		if (j != i && may_be_its(t, service_at(t, j), k))
			return true;
	return false;
}

/*
 * As many records as the count tells of kills, none of them lost, and no other service that lacks one: then they are this
 * one's. Anything else would be a guess, for neither number nor name nor uid of a line leads to a cgroup, and the counts have
 * no order.
 */
static bool are_all_its(struct turn *t, uint32_t i)
{
	const struct service *s = service_at(t, i);
	uint32_t n = 0;
	for (size_t k = 0; k < KILLS_KEPT; k++) {
		if (!may_be_its(t, s, k))
			continue;
		n++;
		if (has_rival(t, i, k))
			return false;
	}
	return (s->flags & SERVICE_HAS_KMSG) && n == n_unexplained(t->c, s);
}

/*
 * One of them is taken for a victim of this service, the oldest; *record: NULL, if nobody can tell which. False when there is
 * none. Once in doubt, the others stay so: the last one left is not the last claimant's for that.
 */
static bool claim_stray(struct turn *t, uint32_t i, const struct oom_kill **record)
{
	struct core *c = t->c;
	bool is_sure = are_all_its(t, i);
	size_t first = KILLS_KEPT;
	for (size_t k = 0; k < KILLS_KEPT; k++) {
		if (!may_be_its(t, service_at(t, i), k))
			continue;
		c->is_disputed[k] |= !is_sure;
		if (first == KILLS_KEPT || c->kills[k].seq < c->kills[first].seq)
			first = k;
	}
	if (first == KILLS_KEPT)
		return false;
	*record = c->is_disputed[first] ? NULL : &c->kills[first];
	c->stray_at[first] = 0;
	return true;
}

/* What the count tells of beyond the lines, now that nobody of the generation is left to have one, may be of a record that waits still. */
void close_count(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	for (size_t k = 0; k < KILLS_KEPT; k++)
		t->c->is_disputed[k] |= may_be_its(t, s, k);
	s->n_explained += n_unexplained(t->c, s);
}

/* ---- wounds ---- */

static void tell_wound(struct turn *t, uint32_t i, const struct oom_kill *record, bool is_counted)
{
	struct service *s = service_at(t, i);
	struct death *d = new_death(t, i, record ? record->tgid : 0);
	adopt_evidence(d, record, (uint8_t)((record ? EVIDENCE_KMSG : 0) | (is_counted ? EVIDENCE_MEMORY_EVENTS : 0)));
	if (record)
		memcpy(d->comm, record->comm, sizeof d->comm);
	s->n_oom_kills++;
	s->counter_told = s->counter;
	tell_now(t, d);
}

static void wound(struct turn *t, uint32_t i, const struct oom_kill *record, bool is_counted)
{
	struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	tell_wound(t, i, record, is_counted);
	if (u->oom_policy == OOM_CONTINUE || state_is_resting(s->state) || s->state == BACKOFF)
		return;
	bool is_on = s->state == UP || s->state == STARTING;
	if (is_on)
		set_result(s, RESULT_OOM_KILL);
	if (!is_on || u->oom_policy != OOM_KILL) {
		dispatch(t, i, EV_ERR);
	} else if (!(s->flags & SERVICE_GROUP_DUE)) {
		/* Not at once: with the kernel still at it, whom our SIGKILL reaches first would be told as ours. */
		s->flags |= SERVICE_GROUP_DUE;
		arm_grace(t, i, GROUP_GRACE_MS);
	}
}

void sweep_group(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	bool is_due = s->flags & SERVICE_GROUP_DUE;
	s->flags &= ~(uint32_t)SERVICE_GROUP_DUE;
	if (is_due && (s->state == UP || s->state == STARTING))
		dispatch(t, i, EV_EXIT);
}

/*
 * The main process is gone, and its service's count tells of more than its deaths do. A line that nobody could place was of
 * a worker of it, reaped by its parent at once. Not after a group kill, which counts its first victim twice.
 */
void claim_strays(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	const struct oom_kill *record;
	while (!(s->flags & SERVICE_GROUP_KILLED) && n_unexplained(t->c, s) && claim_stray(t, i, &record)) {
		s->n_explained++;
		tell_wound(t, i, record, true);
	}
}

/* The count rose, and when the grace was over neither log nor reaper had told whose death it was. */
void tell_counted(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	/*
	 * With the log at hand every victim has its line, and the count proves nobody more than the lines do: a group kill
	 * counts its first victim twice (OOM.md 0.6). Only a line that nobody could place may be this service's.
	 */
	const struct oom_kill *record = NULL;
	uint32_t n_left = n_unexplained(t->c, s);
	bool is_claimed = n_left && claim_stray(t, i, &record);
	if (n_left == 0 || ((s->flags & SERVICE_HAS_KMSG) && !is_claimed)) {
		s->counter_told = s->counter;
		return;
	}
	/* Explained, or an operator's SIGKILL to the main process would be laid at its door. */
	s->n_explained += is_claimed ? 1 : n_left;
	wound(t, i, record, true);
	if (n_unexplained(t->c, s) && s->main_pid) {
		s->counter_told--;              /* the next one, in the next step */
		arm_grace(t, i, 0);
	}
}

/* A wound told on the count's word alone gets its name. */
static bool amend_wound(struct turn *t, uint32_t i, const struct oom_kill *k)
{
	for (size_t n = 0; n < DEATHS_KEPT; n++) {
		struct death *d = &t->c->deaths[n];
		bool is_nameless = d->id && d->cause == CAUSE_OOM_KILL && d->pid == 0 && d->service == i &&
			d->generation == service_at(t, i)->generation;
		if (!is_nameless)
			continue;
		d->pid = k->tgid;
		memcpy(d->comm, k->comm, sizeof d->comm);
		adopt_evidence(d, k, EVIDENCE_KMSG);
		tell_death(t, NOTE_AMENDED, d);
		return true;
	}
	return false;
}

/* ---- what the log tells ---- */

/* Only what somebody will ask for: a group kill of many workers must not push its main process's record out. */
static void keep_kill(struct core *c, const struct oom_kill *k, bool is_unplaced)
{
	c->kills[c->next_kill] = *k;
	c->stray_at[c->next_kill] = is_unplaced ? c->now_ms : 0;
	c->is_disputed[c->next_kill] = false;
	c->next_kill = (c->next_kill + 1) % KILLS_KEPT;
}

/*
 * A worker turns out to be the main process, and its record has been told as a wound: it is dying still, and that death will
 * ask for the record, and count it.
 */
void keep_wound(struct turn *t, uint32_t i, uint32_t pid)
{
	struct service *s = service_at(t, i);
	for (size_t n = 0; n < DEATHS_KEPT; n++) {
		const struct death *d = &t->c->deaths[n];
		if (!d->id || d->code || d->service != i || d->generation != s->generation || !is_about(&d->oom, pid))
			continue;
		keep_kill(t->c, &d->oom, false);
		s->kmsg_seq = d->oom.seq - 1;   /* of this generation, whenever that was */
		s->n_oom_kills--;
		s->n_explained--;
		return;
	}
}

static uint32_t told_service(struct turn *t, const struct oom_kill *k)
{
	return attrib_path(t->units, str_from(t->c->cgroup_root), str_from(k->task_memcg));
}

/*
 * Whose worker was it? Without a summary line (the kernel limits them), or where the cgroup told is not surely the victim's
 * own: what the shell could find out. Who is not placed so may be found by a count that nobody explains.
 */
static bool place(struct turn *t, const struct oom_kill *k, uint32_t *service)
{
	bool is_told = k->task_memcg[0] && !k->is_task_memcg_above && !k->is_task_memcg_cut;
	uint32_t told = k->is_task_memcg_above ? NO_UNIT : told_service(t, k);
	*service = told != NO_UNIT ? told : t->ev->service;
	return is_told || t->ev->is_ok || *service != NO_UNIT;
}

/*
 * The kernel limits headers, not kill lines: to the log's reader a kill in one service, just after that of another's
 * whole group, is one more of that group. Its own numbers hold, what was told of the group does not.
 */
static void drop_foreign_group(struct turn *t, uint32_t i, struct oom_kill *k)
{
	uint32_t told = k->is_task_memcg_above ? told_service(t, k) : NO_UNIT;
	if (told == NO_UNIT || told == i)
		return;
	k->is_group = k->is_manual = k->is_allocating_task = k->is_task_memcg_above = false;
	k->is_memcg_cut = k->is_task_memcg_cut = false;
	k->memcg[0] = k->task_memcg[0] = k->constraint[0] = k->invoked_by[0] = '\0';
}

/* The record of a worker. Where the count tells of nothing new, it is of one that was told on the count's word. */
static void take_wound(struct turn *t, uint32_t i, const struct oom_kill *k)
{
	struct service *s = service_at(t, i);
	if (t->ev->has_counter && i == t->ev->service)
		note_count(t, s, t->ev->counter);
	if (n_unexplained(t->c, s) == 0 && amend_wound(t, i, k))
		return;
	if (k->seq > s->kmsg_seq)
		s->n_explained++;
	wound(t, i, k, (s->flags & SERVICE_HAS_COUNTER) && s->counter > s->counter_told);
}

void on_oom_kill(struct turn *t)
{
	struct core *c = t->c;
	struct oom_kill own = *t->ev->kill;
	const struct oom_kill *k = &own;
	enum role role;
	uint32_t i = core_find_pid(c, own.pid, &role);
	if (i == NO_UNIT)
		i = core_find_pid(c, own.tgid, &role);
	bool is_launched = i != NO_UNIT;        /* a main or control process: its death will ask for this record */
	bool is_placed = is_launched || place(t, k, &i);
	c->newest_seq = own.seq;
	drop_foreign_group(t, i, &own);
	if (amend_death(t, k))
		return;
	if (is_launched || !is_placed)
		keep_kill(c, k, !is_placed);    /* its service's count tells, if it is anybody's (claim_stray) */
	if (!is_launched && i != NO_UNIT && service_at(t, i)->generation)
		take_wound(t, i, k);
}

/* Was it the service's own cgroup, all of it, and not one that it made below? */
static void note_group(struct turn *t, const struct oom_kill *k)
{
	uint32_t i = told_service(t, k);
	if (i == NO_UNIT || k->is_task_memcg_cut)
		return;
	size_t n = str_from(t->c->cgroup_root).n + 1 + unitset_text(t->units, unit_at(t, i)->name).n;
	if (str_from(k->task_memcg).n == n && k->seq > service_at(t, i)->kmsg_seq)
		service_at(t, i)->flags |= SERVICE_GROUP_KILLED;
}

void on_oom_group(struct turn *t)
{
	const struct oom_kill *k = t->ev->kill;
	note_group(t, k);
	for (size_t n = 0; n < KILLS_KEPT; n++)
		if (t->c->kills[n].seq == k->seq && k->pid)
			t->c->kills[n].is_group = true;
	for (size_t n = 0; n < DEATHS_KEPT; n++) {
		struct death *d = &t->c->deaths[n];
		if (d->id && k->pid && d->oom.seq == k->seq)
			d->oom.is_group = true;
	}
}

/*
 * The count rose. Whose death it was the log or the reaper will tell, mostly in this very turn; what neither has told
 * when the grace is over is a wound.
 */
void on_counter(struct turn *t)
{
	struct service *s = service_at(t, t->ev->service);
	note_count(t, s, t->ev->counter);
	if (s->counter > s->counter_told && s->main_pid && !s->grace_at)
		arm_grace(t, t->ev->service, WOUND_GRACE_MS);
}

void on_kmsg_lost(struct turn *t)
{
	t->c->n_kmsg_lost++;
	for (uint32_t i = 0; i < t->c->n_services; i++)
		service_at(t, i)->flags &= ~(uint32_t)SERVICE_HAS_KMSG;
	if (t->c->kmsg_lost_told_at && t->c->now_ms - t->c->kmsg_lost_told_at < KMSG_LOST_AGAIN_MS)
		return;
	t->c->kmsg_lost_told_at = t->c->now_ms;
	emit_note(t, NOTE_KMSG_LOST, NO_UNIT, 0);
}
