/* What must hold of the core in any world, after any step. */
#include "world.h"

#include <errno.h>
#include <stddef.h>

static const struct plan *plan_of(const struct world *w, uint32_t i)
{
	return &w->plans[w->ids[i]];
}

/* KillMode= and SendSIGKILL=no let it outlive its generation. */
static bool is_left_alone(const struct world *w, const struct process *p)
{
	const struct unit *u = &w->plans[p->id].unit;
	return u->kill_mode == KILL_NONE || (u->flags & UNIT_NO_SIGKILL) ||
		(u->kill_mode == KILL_PROCESS && p->role == ROLE_OTHER);
}

/* ---- launches ---- */

static void check_alone(struct world *w, const struct effect *e, bool is_first)
{
	uint32_t id = w->ids[e->service];
	for (uint32_t n = 0; n < w->n_processes; n++) {
		const struct process *p = &w->processes[n];
		if (!p->pid || p->id != id || p->may_linger || is_left_alone(w, p) || (p->was_killed_by_us && p->role == ROLE_CONTROL))
			continue;
		if (p->cannot_exec && !p->exec_at)
			continue;               /* it has told so, and does nothing but leave */
		if (p->role == e->role && (p->is_alive || p->seen_at))
			broken(w, "%s: a second process of role %u while %u lives", w->plans[id].name, e->role, p->pid);
		if (is_first && p->is_alive)
			broken(w, "%s: a new generation while %u of the last one lives", w->plans[id].name, p->pid);
	}
}

void check_launch(struct world *w, const struct effect *e)
{
	uint32_t id = w->ids[e->service];
	const struct service *s = &w->core->services[e->service];
	const struct plan *p = &w->plans[id];
	bool is_first = s->generation != w->launched_generation[id];
	uint32_t cleans = e->index ? UNIT_CLEANS : UNIT_CLEANS | UNIT_CLEANS_AT_REST;
	if (e->list == EXEC_CLEAN ? !(p->unit.flags & cleans) :
	    e->list < N_EXEC_LIST ? e->index >= p->n_commands[e->list] : e->list >= N_LAUNCH_LIST || e->index > 0)
		broken(w, "%s: command %u of list %u", p->name, e->index, e->list);
	if (is_first && s->state == STARTING)
		w->has_changed[id] = false;
	if (p->unit.flags & UNIT_BROKEN && !w->has_changed[id])
		broken(w, "%s: launched, though it is broken", p->name);
	check_alone(w, e, (is_first && s->state == STARTING) || e->list == EXEC_CLEAN);
	bool is_same_wish = s->wished_in == w->wished_in[id];
	if (is_first && is_same_wish && s->generation == w->backoff_generation[id] + 1 && w->now_ms < w->not_before[id])
		broken(w, "%s: launched %d ms too early", p->name, (int)(w->not_before[id] - w->now_ms));
	w->launched_generation[id] = s->generation;
}

/* ---- deaths ---- */

/* Somebody else in the service was killed for want of memory, and the log does not say enough to tell who. */
static bool is_ambiguous(const struct world *w, uint32_t id, const struct process *p)
{
	if (p->was_ambiguous)
		return true;                    /* what was read since, and before it was told, is hindsight */
	if (w->last_oom_at[id] < p->launched_at || !w->last_oom_at[id])
		return false;
	for (uint32_t n = 0; n < w->n_records; n++)
		if (!w->records[n].is_read && w->records[n].id == id)
			return true;
	return !w->has_kmsg || w->lost_at >= p->launched_at || w->had_stray || w->had_group[id];
}

/* What ends a oneshot's command that may end so: the next one need not wait for the verdict. */
static bool is_told_at_once(const struct plan *p)
{
	return p->unit.type == TYPE_ONESHOT && (p->may_fail[EXEC_START] || unit_is_success(&p->unit, true, SIGKILL));
}

static bool is_right(const struct world *w, uint32_t id, const struct process *p, const struct death *d)
{
	const struct unit *u = &w->plans[id].unit;
	bool is_ours = d->cause == CAUSE_STOP || d->cause == CAUSE_TIMEOUT || d->cause == CAUSE_WATCHDOG;
	switch (p->truth) {
	case TRUTH_OOM:
		if (d->cause == CAUSE_OOM_KILL || (is_ours && (p->was_killed_by_us || p->role == ROLE_CONTROL)))
			return true;
		/*
		 * A command beside the main process is told at once, and amended once its record comes out of hiding. So is a
		 * main process that follows a command, and not by our SIGKILL, and one of a oneshot's that may fail or be killed.
		 */
		if ((p->role == ROLE_CONTROL || u->final_signal != SIGKILL || is_told_at_once(&w->plans[id])) && is_ambiguous(w, id, p))
			return d->cause == CAUSE_SIGNAL;
		/* The count of a leftover was in the one to count from, and its line came later. */
		if (w->last_leftover_at[id] && w->last_leftover_at[id] + EVIDENCE_GRACE_MS >= p->launched_at)
			return d->cause == CAUSE_SIGNAL;
		/*
		 * No witness is left; or its count was laid at another's door, since it took so long to die; or its line hid when it
		 * died, which the log without a hole spoke against, and was lost then.
		 */
		if (!w->has_kmsg || (w->has_lost || w->lost_at >= p->launched_at))
			return d->cause == CAUSE_SIGNAL && (!w->has_counters || p->died_at - p->doomed_at >= WOUND_GRACE_MS / 2 ||
							    (w->has_kmsg && w->lost_at >= p->died_at));
		return false;
	case TRUTH_OPERATOR:
		/* Of a generation's commands the core remembers only that it had killed, not whom. */
		return d->cause == CAUSE_SIGNAL || (is_ours && (p->was_killed_by_us || p->role == ROLE_CONTROL)) ||
			(d->cause == CAUSE_OOM_KILL && d->evidence == EVIDENCE_MEMORY_EVENTS && is_ambiguous(w, id, p));
	case TRUTH_OURS:
		/* The sweep behind a group kill finishes what the kernel has begun. */
		return is_ours || (d->cause == CAUSE_OOM_KILL && w->had_group[id]);
	case TRUTH_EXIT:
		return d->cause == CAUSE_EXIT || is_ours;
	case TRUTH_OWN_SIGNAL:
		return d->cause == CAUSE_SIGNAL || d->cause == CAUSE_CORE_DUMP || d->cause == CAUSE_EXIT || is_ours;
	default:
		return false;
	}
}

/* Somebody is named for a signal that was not ours and not the OOM killer's, and then always. */
static bool is_rightly_sent(const struct process *p, const struct death *d)
{
	bool is_foreign = d->cause == CAUSE_SIGNAL && d->code == CLD_KILLED && d->status == SIGKILL;
	if (d->sender.pid == 0)
		return !is_foreign;
	return d->sender.pid == STRANGER && d->code == CLD_KILLED && d->cause != CAUSE_OOM_KILL && p->truth != TRUTH_OURS;
}

void check_death(struct world *w, const struct death *d, bool is_amended)
{
	if (d->cause == CAUSE_START_FAILED || d->service == NO_UNIT)
		return;
	uint32_t id = w->ids[d->service];
	const char *name = w->plans[id].name;
	if (d->pid == 0) {
		if (d->cause != CAUSE_OOM_KILL || !w->last_oom_at[id])
			broken(w, "%s: a wound out of nowhere", name);
		return;
	}
	if (d->pid >= PIDS)
		broken(w, "%s: no such pid: %u", name, d->pid);
	bool is_wound = d->code == 0;
	const struct process *p = is_wound ? &w->ends[d->pid] : &w->dead[d->id % DEATHS_KEPT];
	bool was_chosen = p->truth == TRUTH_OOM || p->doom == TRUTH_OOM;        /* if only to end in another way, already begun */
	if (is_wound && p->id != id)
		broken(w, "%s: %u was another service's worker", name, d->pid);
	if (is_wound && (!was_chosen || d->cause != CAUSE_OOM_KILL))
		broken(w, "%s: %u was not killed for want of memory", name, d->pid);
	if (!is_wound && (p->code != d->code || p->status != d->status))
		broken(w, "%s: %u ended by %u/%u, not %u/%u", name, d->pid, p->code, p->status, d->code, d->status);
	if (!is_rightly_sent(p, d))
		broken(w, "%s: %u died of %s, and its sender is %u", name, d->pid, cause_name[d->cause], d->sender.pid);
	if (!is_wound && !is_right(w, id, p, d))
		broken(w, "%s: %u died of %s%s, and the truth is %u", name, d->pid, cause_name[d->cause],
		       is_amended ? " (amended)" : "", p->truth);
}

void check_step(struct world *w, const struct event *ev, uint64_t first_death, enum role role_before)
{
	uint32_t n_told = 0, n_main = 0;
	if (w->core->n_bugs)
		broken(w, "a cell that is never");
	if (w->core->next_death - first_death > DEATHS_KEPT)
		broken(w, "more deaths in a step than are kept");
	for (uint64_t id = first_death; id < w->core->next_death; id++) {
		const struct death *d = core_death(w->core, id);
		struct process *dead = &w->dead[id % DEATHS_KEPT];
		*dead = w->ends[d->pid < PIDS ? d->pid : 0];
		dead->was_ambiguous = d->service != NO_UNIT && is_ambiguous(w, w->ids[d->service], dead);
		n_main += d->is_main;
		n_told += d->is_main && d->pid == ev->pid;
	}
	if (n_main > 1 || (n_main && ev->kind != EVENT_DEATH && ev->kind != EVENT_LAUNCH_FAILED))
		broken(w, "main processes died that nobody saw die");
	if (ev->kind != EVENT_DEATH || role_before != ROLE_MAIN)
		return;
	const struct plan *p = plan_of(w, ev->service);
	/* The success of a oneshot's command is no death. */
	bool is_spared = p->unit.type == TYPE_ONESHOT &&
		(ev->code == CLD_EXITED || unit_is_success(&p->unit, true, ev->status));
	if (n_told != 1 && !(is_spared && n_told == 0))
		broken(w, "%s: %u records of one death", p->name, n_told);
}

/* ---- states, once a step has settled ---- */

static bool is_moving(const struct service *s)
{
	return s->state == STARTING || s->state == STOPPING || s->state == SWEEPING;
}

struct neighbours {
	const struct edge *edges;
	uint32_t n;
};

/* Whom the unit of index i has any edge with: each once, from either side (plan_edges). */
static struct neighbours neighbours_of(const struct world *w, uint32_t i)
{
	const struct unit *u = unitset_unit(w->units, i);
	return (struct neighbours){ unitset_edges(w->units, u), u->edges.n };
}

/* What the unit of index `other` is to that of index i. */
static uint32_t kinds_of(const struct world *w, uint32_t i, uint32_t other)
{
	struct neighbours of = neighbours_of(w, i);
	for (uint32_t k = 0; k < of.n; k++)
		if (of.edges[k].unit == other)
			return of.edges[k].kinds;
	return 0;
}

static bool waits_for_somebody(const struct world *w, uint32_t i)
{
	struct neighbours of = neighbours_of(w, i);
	for (uint32_t k = 0; k < of.n; k++) {
		const struct service *d = &w->core->services[of.edges[k].unit];
		uint32_t kinds = of.edges[k].kinds;
		if ((kinds & EDGE_AFTER) && (is_moving(d) || (d->state == BACKOFF && (kinds & (EDGE_REQUIRES | EDGE_REQUISITE)))))
			return true;
		if ((kinds & EDGE_BEFORE) && (kinds & EDGE_CONFLICTS) && (d->state == STOPPING || d->state == SWEEPING))
			return true;
	}
	return false;
}

static bool holds_for_somebody(const struct world *w, uint32_t i)
{
	struct neighbours of = neighbours_of(w, i);
	for (uint32_t k = 0; k < of.n; k++) {
		const struct service *d = &w->core->services[of.edges[k].unit];
		if ((d->state == STOPPING || d->state == SWEEPING) && (of.edges[k].kinds & EDGE_BEFORE))
			return true;
	}
	return false;
}

static void check_deadline(const struct world *w, uint32_t i)
{
	const struct service *s = &w->core->services[i];
	const struct unit *u = &plan_of(w, i)->unit;
	const char *name = plan_of(w, i)->name;
	bool is_unbound = w->has_changed[w->ids[i]];    /* TimeoutXSec= was another when it was armed */
	if (s->step == STEP_WAIT && s->state == STARTING) {
		if (!waits_for_somebody(w, i))
			broken(w, "%s waits for nobody", name);
		return;
	}
	if (s->step == STEP_HOLD && s->state == STOPPING) {
		if (!(s->flags & SERVICE_LAUNCHING) && !holds_for_somebody(w, i))
			broken(w, "%s holds for nobody", name);
		return;
	}
	bool is_reloading = s->state == UP && (s->step == STEP_RELOAD || s->step == STEP_RELOADED);
	is_unbound |= (s->state == STARTING || is_reloading) && u->start_ms == FOREVER_MS;
	is_unbound |= s->state == STOPPING && u->stop_ms == FOREVER_MS;
	if ((is_moving(s) || s->state == BACKOFF || is_reloading) && !s->deadline_at && !is_unbound)
		broken(w, "%s: %s %s without a deadline", name, state_name[s->state], step_name[s->step]);
	uint64_t due = core_deadline(w->core);
	if (s->state == UP && s->watchdog_ms && !s->watchdog_at)
		broken(w, "%s: nobody watches it", name);
	if ((s->watchdog_at && (!due || due > s->watchdog_at)) || (s->deadline_at && (!due || due > s->deadline_at)) || (s->grace_at && (!due || due > s->grace_at)))
		broken(w, "%s: its deadline would be missed", name);
}

static void check_pid(struct world *w, uint32_t i, uint32_t pid, enum role role)
{
	struct process *p = pid ? kernel_find(w, pid) : NULL;
	if (pid && (!p || p->id != w->ids[i] || p->role != role))
		broken(w, "%s: %u is no process of its", plan_of(w, i)->name, pid);
}

static void check_progress(struct world *w, uint32_t i)
{
	const struct service *s = &w->core->services[i];
	const struct plan *p = plan_of(w, i);
	bool needs_control = (s->state == STARTING && (s->step == STEP_CHECK || s->step == STEP_CONDITION || s->step == STEP_PRE ||
			s->step == STEP_POST || s->step == STEP_FIND || s->step == STEP_BUS)) ||
		(s->state == UP && s->step == STEP_RELOAD) || (s->state == STOPPING && (s->step == STEP_STOP || s->step == STEP_STOP_POST || s->step == STEP_PID_FILE));
	bool may_lack_main = p->unit.type == TYPE_FORKING || p->unit.exit_type == EXIT_CGROUP || w->has_changed[w->ids[i]];
	bool needs_main = (s->state == STARTING && (s->step == STEP_MAIN || s->step == STEP_READY) && !may_lack_main) ||
		(s->state == UP && !may_lack_main && !(p->unit.flags & UNIT_REMAIN_AFTER_EXIT));
	bool has_any = s->main_pid || s->control_pid || s->grace_at || !(s->flags & SERVICE_IS_EMPTY);
	check_pid(w, i, s->main_pid, ROLE_MAIN);
	check_pid(w, i, s->control_pid, ROLE_CONTROL);
	if (s->state == UP && may_lack_main && !has_any && !(p->unit.flags & UNIT_REMAIN_AFTER_EXIT) && !w->has_changed[w->ids[i]])
		broken(w, "%s: up, and nobody is left", p->name);
	if ((needs_control && !s->control_pid) || (needs_main && !s->main_pid))
		broken(w, "%s: %s %s, and nothing runs", p->name, state_name[s->state], step_name[s->step]);
	if (s->flags & (SERVICE_QUEUED | SERVICE_HAS_WISH | SERVICE_HAS_RESTART | SERVICE_SUMMONED | SERVICE_RELOAD_ASKED | SERVICE_WANT_CHANGED | SERVICE_LAUNCHING))
		broken(w, "%s: flags %x of something that is through", p->name, s->flags);
}

static void check_want(const struct world *w, uint32_t i)
{
	const struct service *s = &w->core->services[i];
	bool is_leaving = s->state == IDLE || s->state == STOPPING || s->state == SWEEPING;
	bool is_aside = s->state == FAILED && !result_is_good((enum result)s->result);
	if (s->want && s->state == IDLE)
		broken(w, "%s: wanted, and rests", plan_of(w, i)->name);
	if (!s->want && !is_leaving && !is_aside)
		broken(w, "%s: not wanted, and %s", plan_of(w, i)->name, state_name[s->state]);
	struct neighbours of = neighbours_of(w, i);
	for (uint32_t k = 0; k < of.n && s->want; k++)
		if (w->core->services[of.edges[k].unit].want && (of.edges[k].kinds & EDGE_CONFLICTS))
			broken(w, "%s and %s: rivals, and both are wanted", plan_of(w, i)->name, plan_of(w, of.edges[k].unit)->name);
	if (w->core->system.phase >= SYSTEM_STOPPING && s->want)
		broken(w, "%s: wanted while the machine goes down", plan_of(w, i)->name);
}

static void check_backoff(struct world *w, uint32_t i)
{
	const struct service *s = &w->core->services[i];
	const struct unit *u = &plan_of(w, i)->unit;
	uint32_t id = w->ids[i];
	if (state_is_resting((enum state)s->state))
		w->not_before[id] = 0;          /* somebody gave it up: the next start is a new one */
	if (s->state != BACKOFF || (w->backoff_generation[id] == s->generation && w->not_before[id] == s->deadline_at))
		return;
	uint64_t delay = s->deadline_at - s->since_at;
	uint64_t most = u->restart_max_ms > BACKOFF_FIRST_MS ? u->restart_max_ms : BACKOFF_FIRST_MS;
	if (!w->has_changed[id] && !(s->flags & SERVICE_RESTART_ASKED) && (delay * 4 + 8 < 3u * u->restart_ms || delay > most / 4 * 5 + 8))
		broken(w, "%s: a delay of %d ms", plan_of(w, i)->name, (int)delay);
	w->backoff_generation[id] = s->generation;
	w->not_before[id] = s->deadline_at;
	w->wished_in[id] = s->wished_in;
}

/* What one of them may not be while the other is as it is. Not where a reload has just made them neighbours. */
static void check_bonds(const struct world *w, uint32_t i)
{
	const struct service *s = &w->core->services[i];
	bool rests = state_is_resting((enum state)s->state), is_final = s->result == RESULT_START_LIMIT || s->result == RESULT_BAD_SETTING ||
		s->result == RESULT_CONDITION;
	if (w->has_reloaded || (s->flags & SERVICE_LEAVING) || w->core->system.phase >= SYSTEM_STOPPING || !rests || is_final)
		return;
	struct neighbours of = neighbours_of(w, i);
	for (uint32_t k = 0; k < of.n; k++) {
		uint32_t other = of.edges[k].unit, kinds = of.edges[k].kinds;
		const struct service *d = &w->core->services[other];
		if (d->state != UP || !d->want || (d->flags & SERVICE_RESTART_ASKED))
			continue;
		if ((kinds_of(w, other, i) & EDGE_BINDS) && (kinds & EDGE_BEFORE) && !(kinds & EDGE_CONFLICTS))
			broken(w, "%s: up, though bound to %s", plan_of(w, other)->name, plan_of(w, i)->name);
		if ((kinds & EDGE_UPHELD_BY) && !(s->flags & SERVICE_PUT_DOWN))
			broken(w, "%s: at rest, though %s upholds it", plan_of(w, i)->name, plan_of(w, other)->name);
	}
}

static void note_step(struct world *w, uint32_t i)
{
	const struct service *s = &w->core->services[i];
	uint32_t id = w->ids[i];
	w->steps[s->step]++;
	if (w->step_in[id] == s->since_at && w->step[id] == s->step)
		return;
	w->step_in[id] = s->since_at;
	w->step[id] = s->step;
	w->step_since[id] = w->now_ms;
}

void check_settled(struct world *w)
{
	bool is_any_starting = false;
	if (w->core->queues[QUEUE_SETTLE].head != NO_UNIT || w->core->queues[QUEUE_WISHES].head != NO_UNIT)
		broken(w, "settled, and the queue is not empty");
	for (uint32_t i = 0; i < w->n_units; i++)
		is_any_starting |= w->core->services[i].state == STARTING;
	if (w->core->has_idle && !is_any_starting)
		broken(w, "nothing is starting, and Type=idle still waits");
	for (uint32_t i = 0; i < w->n_units; i++) {
		note_step(w, i);
		check_deadline(w, i);
		check_progress(w, i);
		check_want(w, i);
		check_backoff(w, i);
		check_bonds(w, i);
	}
	for (uint32_t n = 0; n < w->n_processes; n++) {
		struct process *p = &w->processes[n];
		p->may_linger |= p->pid && is_left_alone(w, p);
	}
}

/* ---- ends ---- */

/* Everything has worked for long: nothing may be on its way any more but what starts over and over by its own wish. */
void check_calm(struct world *w)
{
	for (uint32_t i = 0; i < w->n_units; i++) {
		const struct service *s = &w->core->services[i];
		if (w->has_changed[w->ids[i]])
			continue;               /* half started by another Type=, say: the operator restarts it */
		/* Not by the time in its state: it may have waited for another that starts over and over, and is at work since just now. */
		if ((is_moving(s) && s->step != STEP_WAIT && w->now_ms - w->step_since[w->ids[i]] > 15000) ||
		    (s->state == UP && (s->step == STEP_RELOAD || s->step == STEP_RELOADED)))
			broken(w, "%s: still %s %s though all is well", plan_of(w, i)->name, state_name[s->state], step_name[s->step]);
	}
}

static int expected_status(const struct world *w)
{
	if (w->last_launch_error)
		return w->last_launch_error == ENOENT ? 127 : 126;
	return w->last_main_code == CLD_EXITED ? w->last_main_status : 128 + w->last_main_status;
}

void check_power(struct world *w, const struct effect *e)
{
	for (uint32_t i = 0; i < w->n_units; i++)
		if (!state_is_resting((enum state)w->core->services[i].state))
			broken(w, "%s: the power goes, and it is %s", plan_of(w, i)->name, state_name[w->core->services[i].state]);
	if (w->mode == MODE_COMMAND && !w->has_asked_for_power) {
		if (e->number != POWER_EXIT || e->argument != expected_status(w))
			broken(w, "a command's status is %d, not %d", e->argument, expected_status(w));
	} else if (!w->has_asked_for_power) {
		broken(w, "nobody asked for the power to go");
	}
}
