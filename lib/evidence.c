/* Deaths, and what the kernel has to say of them. Every end of a process that matters passes through here once. */
#include "core_parts.h"

#include <signal.h>
#include <string.h>

/* ---- the record of deaths ---- */

static void oom_untold(struct oom_kill *k)
{
	*k = (struct oom_kill){
		.total_vm_kb = KMSG_UNTOLD_KB, .anon_rss_kb = KMSG_UNTOLD_KB, .file_rss_kb = KMSG_UNTOLD_KB,
		.shmem_rss_kb = KMSG_UNTOLD_KB, .pgtables_kb = KMSG_UNTOLD_KB, .uid = KMSG_UNTOLD_UID,
		.oom_score_adj = KMSG_UNTOLD_ADJ,
	};
}

struct death *new_death(struct turn *t, uint32_t i, uint32_t pid)
{
	struct core *c = t->c;
	const struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	uint64_t id = c->next_death++;
	uint64_t since_at = s->launched_at ? s->launched_at : s->began_at;
	struct death *d = &c->deaths[id % DEATHS_KEPT];
	struct str name = unitset_text(t->units, u->name);
	*d = (struct death){
		.id = id, .wall_ms = c->wall_ms, .uptime_ms = c->now_ms - since_at, .service = i,
		.generation = s->generation, .pid = pid, .memory_max = u->knobs[KNOB_MEMORY_MAX],
	};
	memcpy(d->unit, name.p, name.n < sizeof d->unit ? name.n : sizeof d->unit - 1);
	oom_untold(&d->oom);
	return d;
}

void tell_death(struct turn *t, enum note_kind kind, struct death *d)
{
	struct note *n = emit_note(t, kind, d->service, 0);
	n->death = d->id;
	n->pid = d->pid;
	n->generation = d->generation;
}

void tell_now(struct turn *t, struct death *d)
{
	d->is_decided = true;
	tell_death(t, NOTE_DEATH, d);
}

void tell_decided(struct turn *t, uint32_t i, bool is_restart, uint32_t delay_ms)
{
	struct service *s = service_at(t, i);
	struct death *d = &t->c->deaths[s->last_death % DEATHS_KEPT];
	if (s->last_death == 0 || d->id != s->last_death || d->is_decided || d->generation != s->generation)
		return;
	d->is_restart = is_restart;
	d->delay_ms = delay_ms;
	tell_now(t, d);
}

/*
 * What a death means to its generation. The first that ends it is the reason, told with what comes next; those that it
 * brings along (the main process of a failed ExecStartPost=), a failed ExecReload=, and what a `-` forgives are told as they happen.
 */
static void account(struct turn *t, uint32_t i, struct death *d, enum result result)
{
	struct service *s = service_at(t, i);
	const struct death *reason = core_death(t->c, s->last_death);
	bool has_reason = reason && reason->generation == s->generation && !reason->is_decided;
	bool ends_generation = d->is_main || (s->state == STARTING && result != RESULT_SUCCESS);
	if (ends_generation || s->state == STOPPING)
		set_result(s, result);
	if (ends_generation && !has_reason)
		s->last_death = d->id;
	else
		tell_now(t, d);
}

void record_launch_failure(struct turn *t, uint32_t i)
{
	struct death *d = new_death(t, i, t->ev->pid);
	d->cause = CAUSE_START_FAILED;
	d->launch_step = t->ev->step;
	d->launch_error = (uint8_t)t->ev->error;
	d->is_main = t->ev->role == ROLE_MAIN;
	account(t, i, d, t->ev->step >= LAUNCH_PID_FILE ? RESULT_PROTOCOL :
		restart_is_passing(t->ev->error) ? RESULT_RESOURCES : RESULT_EXIT_CODE);
}

/* ---- what the kernel said ---- */

bool is_about(const struct oom_kill *k, uint32_t pid)
{
	return k->seq && pid && (k->pid == pid || k->tgid == pid);
}

const struct oom_kill *find_kill(const struct core *c, uint32_t pid, uint64_t after_seq)
{
	for (size_t k = 0; k < KILLS_KEPT; k++)
		if (is_about(&c->kills[k], pid) && c->kills[k].seq > after_seq)
			return &c->kills[k];
	return NULL;
}

void adopt_evidence(struct death *d, const struct oom_kill *k, uint8_t evidence)
{
	d->cause = CAUSE_OOM_KILL;
	d->sender = (struct sender){ 0 };       /* who sent a second one, to a process that was as good as dead, is no news */
	d->evidence |= evidence;
	if (k)
		d->oom = *k;
}

/* ---- a count that many share (shared_count.h) ---- */

static void settle_held(struct turn *t, struct death *d, bool is_proven)
{
	struct service *s = d->service == NO_UNIT ? NULL : service_at(t, d->service);
	bool is_waited_for = s && !d->is_decided && s->last_death == d->id;
	d->doubt = is_proven ? DOUBT_NONE : DOUBT_FEWER;
	if (is_proven)
		adopt_evidence(d, NULL, shared_evidence((enum shared_source)t->c->shared.source));
	if (is_proven && s)
		s->n_oom_kills++;
	if (is_proven && is_waited_for)
		s->result = RESULT_OOM_KILL;
	if (is_waited_for) {
		s->grace_at = 0;
		enqueue(t, d->service);
	} else if (t->fx->n < EFFECTS_MAX / 2) {
		tell_death(t, NOTE_AMENDED, d);       /* a command's, told already: nothing hangs on it */
	}
}

static void close_burst(struct turn *t)
{
	if (!shared_is_due(&t->c->shared, t->c->now_ms))
		return;
	bool is_proven = shared_close(&t->c->shared);
	for (size_t n = 0; n < DEATHS_KEPT; n++)
		if (t->c->deaths[n].id && t->c->deaths[n].doubt == DOUBT_HELD)
			settle_held(t, &t->c->deaths[n], is_proven);
}

void on_shared_count(struct turn *t)
{
	const struct event *ev = t->ev;
	close_burst(t);
	shared_read(&t->c->shared, (enum shared_source)ev->shared, ev->is_ok, ev->counter, t->c->now_ms);
}

/* One that we reap and have no record of: an orphan. If SIGKILL ended it, and not ours, it may be whom the count is about. */
static void count_bystander(struct turn *t, uint32_t i)
{
	const struct event *ev = t->ev;
	bool is_ours = i != NO_UNIT && (service_at(t, i)->flags & SERVICE_WAS_SIGKILLED);
	if (ev->code == CLD_KILLED && ev->status == SIGKILL && !is_ours &&
	    shared_ask(&t->c->shared, t->c->now_ms) == SHARED_SOME_KILL)
		shared_hold(&t->c->shared, t->c->now_ms);
}

static void hold(struct turn *t, uint32_t i)
{
	struct shared_count *s = &t->c->shared;
	shared_hold(s, t->c->now_ms);
	arm_grace(t, i, (uint32_t)(s->closes_at - t->c->now_ms));
}

/* ---- a death seen by the reaper ---- */

static enum result result_of(const struct death *d, bool is_success, int sent_signal)
{
	switch (d->cause) {
	case CAUSE_OOM_KILL:
		return RESULT_OOM_KILL;
	case CAUSE_TIMEOUT:
		return RESULT_TIMEOUT;
	case CAUSE_WATCHDOG:
		return RESULT_WATCHDOG;
	case CAUSE_STOP:
		if (d->code != CLD_EXITED && (d->status == sent_signal || d->status == SIGKILL))
			return RESULT_SUCCESS;
		break;
	default:
		break;
	}
	if (is_success)
		return RESULT_SUCCESS;
	return d->code == CLD_EXITED ? RESULT_EXIT_CODE : d->code == CLD_DUMPED ? RESULT_CORE_DUMP : RESULT_SIGNAL;
}

/* The `-` of the command that has ended (systemd.service(5), "Command Lines"): however it ended, by a signal too, is a success. */
bool may_fail(struct turn *t, uint32_t i, enum role role)
{
	const struct unit *u = unit_at(t, i);
	const struct service *s = service_at(t, i);
	if (s->step == STEP_CLEAN)
		return true;
	enum exec_list list = role == ROLE_MAIN ? EXEC_START : step_list((enum step)s->step);
	/* The number counts the list that the step walks; a main process that is not a oneshot's is the first of its own. */
	uint32_t number = role == ROLE_MAIN && s->step != STEP_MAIN ? 0 : s->step_number;
	return list < N_EXEC_LIST && number < u->exec[list].n && (unitset_commands(t->units, u, list)[number].flags & COMMAND_MAY_FAIL);
}

static struct verdict judge_service(struct turn *t, uint32_t i, enum role role, const struct oom_kill **record)
{
	const struct event *ev = t->ev;
	struct service *s = service_at(t, i);
	bool is_main = role == ROLE_MAIN, is_late = !is_main && (s->flags & SERVICE_COMMAND_LATE);
	if (ev->has_counter)
		note_count(t, s, ev->counter);
	*record = find_kill(t->c, ev->pid, is_main ? s->kmsg_seq : s->control_seq);
	/* The command or main process beside it may have been named already and be dying still. */
	bool is_other_named = is_main ? find_kill(t->c, s->control_pid, s->control_seq) : find_kill(t->c, s->main_pid, s->kmsg_seq);
	struct verdict v = judge(&(struct death_facts){
		.shared = (uint8_t)shared_ask(&t->c->shared, t->c->now_ms),
		.code = ev->code, .status = ev->status, .errand = is_late ? ERRAND_TIMEOUT : s->errand,
		.sent_signal = is_late ? SIGKILL : s->sent_signal, .was_sigkilled = is_late || (s->flags & SERVICE_WAS_SIGKILLED),
		.has_counter = ev->has_counter && (s->flags & SERVICE_HAS_COUNTER), .has_kmsg = s->flags & SERVICE_HAS_KMSG,
		.n_kills = s->counter - (is_main ? s->counter_base : s->control_base),
		.n_explained = s->n_explained - (is_main ? 0 : s->control_explained) + is_other_named, .record = *record,
		.is_group_kill = s->flags & SERVICE_GROUP_KILLED, .is_first_killed = ev->is_first_killed,
	});
	/* To whoever dies of this generation after it: one that the kernel chose is counted, even if it left by itself before. */
	s->n_explained += *record || v.cause == CAUSE_OOM_KILL;
	return v;
}

static void record_death(struct turn *t, uint32_t i, const struct verdict *v, const struct oom_kill *record, bool is_main, bool is_success)
{
	const struct event *ev = t->ev;
	struct service *s = service_at(t, i);
	struct death *d = new_death(t, i, ev->pid);
	d->cause = v->cause;
	d->code = ev->code;
	d->status = ev->status;
	d->is_main = is_main;
	d->has_oom_besides = v->has_oom_besides;
	d->doubt = v->doubt;
	if (v->is_foreign)
		d->sender = ev->sender;
	memcpy(d->comm, ev->comm, sizeof d->comm);
	if (v->cause == CAUSE_OOM_KILL) {
		adopt_evidence(d, record, v->evidence);
		s->n_oom_kills++;
		s->counter_told = s->counter;
	}
	if (is_main)
		s->grace_at = 0;
	if (v->is_open)
		arm_grace(t, i, EVIDENCE_GRACE_MS);
	if (v->doubt == DOUBT_HELD)
		hold(t, i);
	account(t, i, d, result_of(d, is_success, s->sent_signal));
}

/* systemd.service(5), ExecCondition=: of these statuses the unit is passed over, and has not failed. */
static bool is_answer_no(const struct service *s, const struct event *ev)
{
	return s->state == STARTING && s->step == STEP_CONDITION && ev->code == CLD_EXITED && ev->status >= 1 && ev->status <= 254;
}

/* An answer of init/check, and a clear one. */
static bool is_unmet(const struct service *s, const struct event *ev)
{
	return s->state == STARTING && s->step == STEP_CHECK && ev->code == CLD_EXITED && ev->status >= 1 && ev->status <= CHECK_LAST;
}

void on_death(struct turn *t)
{
	const struct event *ev = t->ev;
	const struct oom_kill *record;
	enum role role = ROLE_OTHER;
	uint32_t i = core_find_pid(t->c, ev->pid, &role);
	if (i == NO_UNIT)
		i = ev->service;
	close_burst(t);
	if (role == ROLE_OTHER)
		count_bystander(t, i);
	if (i == NO_UNIT)
		return;                         /* an orphan: reaping it is all it needs */
	struct service *s = service_at(t, i);
	if (ev->is_empty)
		s->flags |= SERVICE_IS_EMPTY;
	enqueue(t, i);
	if (role == ROLE_OTHER) {
		suspect_main(t, i);
		return;
	}
	if (role == ROLE_CONTROL && is_unmet(s, ev)) {
		s->control_pid = 0;
		on_check_end(t, i);
		return;
	}

	bool is_main = role == ROLE_MAIN;
	struct verdict v = judge_service(t, i, role, &record);
	bool is_ours = s->step == STEP_CLEAN;   /* and no part of the generation any more */
	bool is_spared = may_fail(t, i, role);
	bool is_clean = is_ours || unit_is_success(unit_at(t, i), ev->code != CLD_EXITED, ev->status) ||
		(is_spared && ev->code == CLD_EXITED);
	bool is_success = is_clean || is_spared;
	if (v.cause == CAUSE_OOM_KILL && !is_ours)
		is_success = is_clean = false;  /* even with SuccessExitStatus=SIGKILL: nobody asked for this one */

	if (is_main) {
		s->main_pid = 0;
		s->main_code = ev->code;
		s->main_status = ev->status;
	} else {
		s->control_pid = 0;
	}
	if (!is_success && is_answer_no(s, ev)) {
		set_result(s, RESULT_EXEC_CONDITION);
		on_control_end(t, i, false);
		return;
	}
	/* A oneshot's command that did its work has not died on anybody: only its failures are worth a record, and all signals. */
	if (!is_clean || (is_main && unit_at(t, i)->type != TYPE_ONESHOT))
		record_death(t, i, &v, record, is_main, is_success);
	if (is_main) {
		claim_strays(t, i);
		on_main_end(t, i, is_success);
	} else {
		on_control_end(t, i, is_success);
	}
}

/* ---- a death that is known better later ---- */

/*
 * The kept death that a record is about: of this pid, with no record yet, and of just now, since the pid may
 * have been given to another process after it. A main or control process that lives asks for its record when it dies.
 */
static struct death *find_death(struct turn *t, const struct oom_kill *k)
{
	struct core *c = t->c;
	enum role role;
	struct death *found = NULL;
	if (core_find_pid(c, k->pid, &role) != NO_UNIT || core_find_pid(c, k->tgid, &role) != NO_UNIT)
		return NULL;
	for (size_t n = 0; n < DEATHS_KEPT; n++) {
		struct death *d = &c->deaths[n];
		bool is_candidate = d->id && d->pid && is_about(k, d->pid) && d->service != NO_UNIT && d->code != 0 &&
			!(d->evidence & EVIDENCE_KMSG);
		if (is_candidate && c->wall_ms - d->wall_ms <= AMENDABLE_MS && (!found || d->id > found->id))
			found = d;
	}
	return found;
}

/* A death that was judged on the count's word, or without any, learns what the log says of it. */
bool amend_death(struct turn *t, const struct oom_kill *k)
{
	struct death *d = find_death(t, k);
	if (!d)
		return false;
	struct service *s = service_at(t, d->service);
	bool is_open = s->grace_at && !s->main_pid && s->last_death == d->id && !d->is_decided;
	bool is_sigkill = d->code == CLD_KILLED && d->status == SIGKILL;
	if (d->cause != CAUSE_OOM_KILL && d->generation == s->generation && n_unexplained(t->c, s))
		s->n_explained++;
	if (!is_sigkill || (d->cause != CAUSE_OOM_KILL && d->cause != CAUSE_SIGNAL)) {
		d->has_oom_besides = true;      /* chosen, but it was on its way out by itself or by our own SIGKILL */
		return true;
	}
	s->n_oom_kills += d->cause == CAUSE_SIGNAL;
	adopt_evidence(d, k, EVIDENCE_KMSG);
	if (is_open) {
		s->result = RESULT_OOM_KILL;
		s->grace_at = 0;
		enqueue(t, d->service);
	}
	if (d->is_decided)
		tell_death(t, NOTE_AMENDED, d);
	return true;
}

/* A death that was not ours to see: the process that MAINPID= named was reaped by its parent. Only the log can tell what killed it. */
static void lose_main(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	const struct oom_kill *record = find_kill(t->c, s->main_pid, s->kmsg_seq);
	if (record) {
		struct death *d = new_death(t, i, s->main_pid);
		adopt_evidence(d, record, EVIDENCE_KMSG);
		memcpy(d->comm, record->comm, sizeof d->comm);
		d->is_main = true;
		s->n_oom_kills++;
		s->n_explained++;
		account(t, i, d, RESULT_OOM_KILL);
	}
	s->main_pid = 0;
	s->counter_told = s->counter;
	on_main_end(t, i, !record);
}

static bool may_have_lost_main(const struct service *s)
{
	return s->main_pid && (s->flags & SERVICE_MAIN_TOLD) && (s->flags & SERVICE_IS_EMPTY);
}

/* The cgroup is empty a moment before the reaper hears: a child of ours gets that moment. */
void suspect_main(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (may_have_lost_main(s) && !s->grace_at)
		arm_grace(t, i, EVIDENCE_GRACE_MS);
}

void on_grace_over(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	s->grace_at = 0;
	close_burst(t);
	if (may_have_lost_main(s)) {
		lose_main(t, i);
		return;
	}
	if (s->main_pid && s->counter > s->counter_told)
		tell_counted(t, i);
	sweep_group(t, i);
	/* An open death stays what it was judged to be: a signal, and no record of an OOM. */
}
