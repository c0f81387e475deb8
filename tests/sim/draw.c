/* What is drawn by lot: units, programs, and what happens to them. */
#include "world.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static uint32_t one_of(struct world *w, const uint32_t *values, size_t n)
{
	return values[draw(w, (uint32_t)n)];
}
#define ONE_OF(w, ...) one_of(w, (const uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* ---- units ---- */

static void draw_backoff(struct world *w, struct unit *u)
{
	u->restart = (uint8_t)draw(w, N_RESTART_POLICY);
	if (chance(w, 40))
		u->restart = RESTART_ALWAYS;
	u->restart_ms = ONE_OF(w, 100, 100, 0, 1, 10, 1000, 5000);
	u->restart_max_ms = u->restart_ms + ONE_OF(w, 0, 100, 5000);
	u->restart_growth = ONE_OF(w, 65536, 65536 * 3 / 2, 65536 * 2, 65536 * 4);
	if (chance(w, 50))
		u->flags &= ~(uint32_t)UNIT_JITTER;
	if (chance(w, 15)) {
		u->flags |= UNIT_HAS_START_LIMIT;
		u->start_limit_burst = 1 + draw(w, 5);
		u->start_limit_ms = 1000 + draw(w, 20000);
	}
}

static void draw_commands(struct world *w, struct plan *p)
{
	p->n_commands[EXEC_CONDITION] = ONE_OF(w, 0, 0, 0, 0, 0, 0, 1, 2);
	p->n_commands[EXEC_STOP_POST] = ONE_OF(w, 0, 0, 0, 1, 2);
	p->n_commands[EXEC_CHECK] = ONE_OF(w, 0, 0, 0, 1);
	p->n_commands[EXEC_START_PRE] = ONE_OF(w, 0, 0, 0, 1, 2);
	p->n_commands[EXEC_START_POST] = ONE_OF(w, 0, 0, 0, 1, 2);
	p->n_commands[EXEC_RELOAD] = ONE_OF(w, 0, 1, 2);
	p->n_commands[EXEC_STOP] = ONE_OF(w, 0, 0, 1, 2);
	p->n_commands[EXEC_START] = p->unit.type == TYPE_ONESHOT ? ONE_OF(w, 1, 1, 2, 3) : 1;
	if (p->unit.type == TYPE_ONESHOT && (p->unit.flags & UNIT_REMAIN_AFTER_EXIT) && chance(w, 10))
		p->n_commands[EXEC_START] = 0;          /* ExecStop= alone, systemd.service(5) */
	for (int list = EXEC_START_PRE; list < N_EXEC_LIST; list++)
		p->may_fail[list] = chance(w, 15) ? draw(w, 8) : 0;
}

static void draw_unit(struct world *w, struct plan *p, uint32_t id)
{
	static const uint8_t signals[] = { SIGTERM, SIGTERM, SIGTERM, SIGINT, SIGQUIT, SIGKILL };
	struct unit *u = &p->unit;
	char name[16];
	snprintf(name, sizeof name, "u%03u.service", id);
	plan_begin(p, str_from(name));
	u->type = (uint8_t)draw(w, N_UNIT_TYPE);
	u->watchdog_ms = ONE_OF(w, 0, 0, 0, 0, 300, 5000);
	u->runtime_ms = u->type == TYPE_ONESHOT ? FOREVER_MS : ONE_OF(w, FOREVER_MS, FOREVER_MS, FOREVER_MS, 1000, 20000);
	u->reload_signal = SIGHUP;
	u->notify_fd = unit_says_ready(u) && chance(w, 20) ? 3 : 0;
	u->notify_access = unit_says_ready(u) || u->watchdog_ms ? NOTIFY_MAIN : NOTIFY_NONE;
	p->has_pid_file = chance(w, u->type == TYPE_FORKING ? 50 : 8);
	u->exit_type = chance(w, 10) ? EXIT_CGROUP : EXIT_MAIN;
	u->flags |= chance(w, 10) ? UNIT_NO_GUESS : 0;
	if (chance(w, u->type == TYPE_ONESHOT ? 50 : 8))
		u->flags |= UNIT_REMAIN_AFTER_EXIT;
	draw_commands(w, p);
	if (u->type == TYPE_ONESHOT && (u->flags & UNIT_REMAIN_AFTER_EXIT) && chance(w, 40))
		memset(p->n_commands, 0, sizeof p->n_commands);         /* a target */
	draw_backoff(w, u);
	u->start_ms = ONE_OF(w, 90000, 50, 500, 5000, FOREVER_MS);
	u->stop_ms = ONE_OF(w, 90000, 50, 500, 5000, FOREVER_MS);
	u->kill_mode = (uint8_t)ONE_OF(w, KILL_CONTROL_GROUP, KILL_CONTROL_GROUP, KILL_CONTROL_GROUP, KILL_MIXED, KILL_MIXED,
				       KILL_PROCESS, KILL_NONE);
	u->kill_signal = signals[draw(w, sizeof signals)];
	u->final_signal = chance(w, 10) ? SIGQUIT : SIGKILL;
	u->restart_signal = chance(w, 10) ? SIGINT : 0;
	u->abort_ms = ONE_OF(w, 90000, 50, 500);
	u->start_failure_mode = (uint8_t)(chance(w, 30) ? draw(w, N_FAILURE_MODE) : FAILURE_TERMINATE);
	u->stop_failure_mode = (uint8_t)(chance(w, 30) ? draw(w, N_FAILURE_MODE) : FAILURE_TERMINATE);
	p->prevent_status = chance(w, 5) ? 1 : 0;
	p->force_status = chance(w, 5) ? 137 : 0;
	u->oom_policy = (uint8_t)draw(w, N_OOM_POLICY);
	u->flags |= (chance(w, 20) ? 0 : UNIT_WANTED) | (chance(w, 8) ? UNIT_NO_SIGKILL : 0) |
		(chance(w, 15) ? UNIT_CLEANS : 0) | (chance(w, 8) ? UNIT_CLEANS_AT_REST : 0) |
		(chance(w, 4) ? UNIT_STOP_UNNEEDED : 0) | (chance(w, 4) ? UNIT_BROKEN : 0) | (chance(w, 5) ? UNIT_SEND_SIGHUP : 0) |
		(chance(w, 3) ? UNIT_DEPENDENCY_MISSING : 0);
	if (chance(w, 10))
		u->success.statuses[0] |= 2;
	/* With RemainAfterExit=yes it would mean: stay up, by SIGKILL or not. Then nothing waits for the verdict. */
	if (chance(w, 5) && !(u->flags & UNIT_REMAIN_AFTER_EXIT))
		u->success.signals |= 1u << (SIGKILL - 1);
}

/* After= goes to lower ids only, so that no set of units has a cycle in it; Requires= may go anywhere. */
static void draw_edges(struct world *w, struct plan *plans, const uint32_t *ids, uint32_t n, uint32_t i)
{
	struct plan *p = &plans[ids[i]];
	static const enum link rest[] = {
		LINK_REQUISITE, LINK_BINDS_TO, LINK_PART_OF, LINK_CONFLICTS, LINK_UPHOLDS, LINK_ON_FAILURE, LINK_ON_SUCCESS,
		LINK_RELOADS_TO, LINK_STOPS_TO,
	};
	p->n_links = 0;
	draw_apart(w);
	for (uint32_t k = draw(w, 4); k > 0 && n > 1; k--) {
		uint32_t other = draw(w, n);
		bool is_lower = ids[other] < ids[i];
		if (other == i)
			continue;
		if (is_lower)
			plan_link(p, other, LINK_AFTER);
		if (chance(w, is_lower ? 40 : 10))
			plan_link(p, other, LINK_REQUIRES);
		else if (chance(w, 15))
			plan_link(p, other, LINK_WANTS);
		else if (chance(w, 30))
			plan_link(p, other, rest[draw(w, countof(rest))]);
	}
}

static void draw_command_unit(struct world *w, struct plan *plans, uint32_t *ids, uint32_t *n)
{
	plan_begin(&plans[0], STR("u000.service"));
	plans[0].unit.flags |= UNIT_WANTED;
	plans[0].unit.restart = RESTART_NO;
	plans[0].unit.stop_ms = ONE_OF(w, 500, 90000);
	ids[0] = 0;
	*n = 1;
}

static bool is_drawn(struct world *w, struct plan *plans, uint32_t id, bool is_reload, uint32_t most)
{
	bool is_old = is_reload && shell_index(w, id) != NO_UNIT;
	if (is_old ? chance(w, 20) : draw(w, IDS) < IDS - most)
		return false;
	if (is_old && chance(w, 60))
		plans[id] = w->plans[id];
	else
		draw_unit(w, &plans[id], id);
	return true;
}

void draw_units(struct world *w, struct plan *plans, uint32_t *ids, uint32_t *n, bool is_reload)
{
	uint32_t luck = draw(w, 100), most = luck < 85 ? 1 + draw(w, 12) : luck < 99 ? 45 : 140, n_drawn = 0;
	if (w->mode == MODE_COMMAND) {
		draw_command_unit(w, plans, ids, n);
		return;
	}
	for (uint32_t id = 0; id < IDS; id++) {
		uint8_t before = draw_from(w, LOT_UNITS + id);
		if (is_drawn(w, plans, id, is_reload, is_reload ? IDS / 40 : most))
			ids[n_drawn++] = id;
		w->lot = before;
	}
	*n = n_drawn;
	for (uint32_t i = 0; i < n_drawn; i++) {
		uint8_t before = draw_from(w, LOT_UNITS + ids[i]);
		draw_edges(w, plans, ids, n_drawn, i);
		w->lot = before;
	}
}

struct unitset draw_set(const struct plan *plans, const uint32_t *ids, uint32_t n)
{
	struct plan *list = calloc(n + 1, sizeof *list);
	for (uint32_t i = 0; i < n; i++)
		list[i] = plans[ids[i]];
	struct unitset set = units_build(list, n);
	free(list);
	return set;
}

/* ---- programs ---- */

static uint64_t in(struct world *w, uint32_t least, uint32_t most)
{
	return w->now_ms + least + draw(w, most - least);
}

/* A command has work to do and ends; a daemon, or a worker, may stay. */
static bool ends_soon(struct world *w, const struct process *p)
{
	return p->role == ROLE_CONTROL || (p->role == ROLE_MAIN && w->plans[p->id].unit.type == TYPE_ONESHOT);
}

static void draw_program_calm(struct world *w, struct process *p)
{
	p->exit_at = p->role == ROLE_CONTROL ? in(w, 1, 50) : ends_soon(w, p) ? in(w, 200, 800) : 0;
	if (p->role == ROLE_MAIN && unit_says_ready(&w->plans[p->id].unit))
		p->ready_at = in(w, 1, 40);
	draw_pings(w, p);
	if (p->role != ROLE_OTHER)
		p->exec_at = in(w, 1, 10);
}

void draw_program(struct world *w, struct process *p)
{
	static const int errors[] = { ENOENT, EACCES, ENOMEM, ETXTBSY };
	draw_apart(w);
	if (w->is_calm) {
		draw_program_calm(w, p);
		return;
	}
	p->ignores_term = chance(w, 15);
	p->stuck_until = chance(w, 5) ? in(w, 100, 4000) : 0;
	uint32_t luck = draw(w, 100);
	if (ends_soon(w, p))
		p->exit_at = luck < 80 ? in(w, 1, 50) : luck < 95 ? in(w, 300, 6000) : 0;
	else
		p->exit_at = luck < 35 ? 0 : luck < 75 ? in(w, 100, 20000) : in(w, 1, 100);
	if (p->role == ROLE_OTHER)
		return;
	p->exec_at = in(w, 0, 10);
	p->cannot_exec = chance(w, 3);
	if (p->cannot_exec) {
		p->exec_error = errors[draw(w, 4)];
		p->exit_at = 0;
		return;
	}
	if (p->role == ROLE_MAIN && unit_says_ready(&w->plans[p->id].unit) && !chance(w, 15))
		p->ready_at = in(w, 11, 300);
	draw_pings(w, p);
	for (uint32_t n = chance(w, 30) ? draw(w, 3) : 0; n > 0 && p->role == ROLE_MAIN; n--)
		kernel_fork(w, p->id, ROLE_OTHER);
}

/* Most do in time; when all is well, all do. */
void draw_pings(struct world *w, struct process *p)
{
	uint32_t ms = w->plans[p->id].unit.watchdog_ms;
	p->ping_at = p->role != ROLE_MAIN || !ms ? 0 : w->is_calm ? w->now_ms + ms / 3 : w->now_ms + 1 + (ms / 2 + draw(w, ms * 21 / 20)) % (ms * 21 / 20);
}

void draw_daemons(struct world *w, uint32_t id)
{
	for (uint32_t n = chance(w, 10) ? 0 : 1 + draw(w, 3); n > 0; n--)
		kernel_fork(w, id, ROLE_OTHER);
}

static void calm_down(struct world *w, struct process *p)
{
	uint8_t before = draw_from(w, LOT_UNITS + p->id);
	p->stuck_until = 0;
	if (p->doom && p->doom_at > w->now_ms)
		p->doom_at = w->now_ms + 1;
	if (ends_soon(w, p) || p->ignores_term || p->term_at || p->role == ROLE_OTHER)
		p->exit_at = in(w, 1, 50);
	if (p->role == ROLE_MAIN && unit_says_ready(&w->plans[p->id].unit) && !p->ready_at)
		p->ready_at = in(w, 1, 40);
	draw_pings(w, p);
	const struct service *s = shell_index(w, p->id) == NO_UNIT ? NULL : &w->core->services[shell_index(w, p->id)];
	if (s && s->reload_at && p->pid == s->main_pid)
		p->reloaded_at = in(w, 1, 40);
	p->ignores_term = false;
	w->lot = before;
}

void draw_calm(struct world *w)
{
	w->is_calm = true;
	for (uint32_t n = 0; n < w->n_processes; n++) {
		struct process *p = &w->processes[n];
		if (p->pid && p->is_alive)
			calm_down(w, p);
	}
}

/* ---- what happens ---- */

static struct process *any_process(struct world *w)
{
	uint32_t n_alive = 0;
	for (uint32_t n = 0; n < w->n_processes; n++)
		n_alive += w->processes[n].pid && w->processes[n].is_alive;
	uint32_t chosen = n_alive ? draw(w, n_alive) : 0;
	for (uint32_t n = 0; n < w->n_processes && n_alive; n++)
		if (w->processes[n].pid && w->processes[n].is_alive && chosen-- == 0)
			return &w->processes[n];
	return NULL;
}

static void draw_worker(struct world *w, const struct process *parent)
{
	bool may_linger = parent->may_linger;
	struct process *p = kernel_fork(w, parent->id, ROLE_OTHER);
	if (p)
		p->may_linger = may_linger;     /* nobody looks after what a process does that was left alone */
}

static struct event draw_request(struct world *w, uint32_t i)
{
	static const uint8_t verbs[] = {
		VERB_START, VERB_START, VERB_STOP, VERB_STOP, VERB_RESTART, VERB_RESTART, VERB_RELOAD, VERB_RELOAD, VERB_KILL,
	};
	static const int signals[] = { SIGKILL, SIGKILL, SIGTERM, SIGHUP, 0, 99 };
	struct event ev = shell_event(EVENT_REQUEST, i);
	ev.client = 3;
	ev.verb = verbs[draw(w, sizeof verbs)];
	ev.argument = signals[draw(w, 6)];
	return ev;
}

/*
 * A client that is heard between two ticks of a step that did not settle: about a service that waits for its turn, and
 * mostly to take back what it waits for.
 */
void draw_rudeness(struct world *w)
{
	uint32_t i = w->core->queues[QUEUE_SETTLE].head == NO_UNIT ? 0 : w->core->queues[QUEUE_SETTLE].tail;
	if (w->n_units == 0)
		return;
	if (w->rude_to < w->n_units && (w->core->services[w->rude_to].flags & SERVICE_WANT_CHANGED))
		i = w->rude_to;
	w->rude_to = i;
	const struct service *s = &w->core->services[i];
	struct event ev = draw_request(w, i);
	if (chance(w, 80))
		ev.verb = s->want ? VERB_STOP : VERB_START;
	shell_enqueue(w, ev);
}

void draw_impatience(struct world *w)
{
	for (uint32_t i = 0; i < w->n_units; i++) {
		const struct service *s = &w->core->services[i];
		if (s->state != BACKOFF || s->deadline_at > w->now_ms)
			continue;
		shell_request(w, VERB_START, i, 0);
		return;
	}
}

static void draw_configuration(struct world *w)
{
	struct event ev = shell_event(EVENT_FILES, NO_UNIT);
	if (chance(w, 30)) {
		ev.kind = EVENT_SIGNAL;
		ev.argument = SIGHUP;
	} else if (chance(w, 40)) {
		ev.kind = EVENT_REQUEST;
		ev.verb = VERB_RELOAD;
		ev.client = 5;
	}
	shell_feed(w, ev);
}

/* The machine sleeps, but not with half a record stored: the grace for that one is counted in waking ms. */
static void draw_sleep(struct world *w)
{
	for (uint32_t n = 0; n < w->n_records; n++)
		if (w->records[n].visible_at > w->now_ms)
			w->records[n].visible_at = w->now_ms;
	shell_drain_kmsg(w);
	w->now_ms += draw(w, 100000);
}

void draw_action(struct world *w)
{
	static const int signals[] = { SIGKILL, SIGKILL, SIGKILL, SIGSEGV, SIGHUP, SIGTERM };
	struct process *p = any_process(w);
	uint32_t luck = draw(w, 100);
	if (luck < 2)
		return;
	if (luck < 32 && p)
		kernel_run_out_of_memory(w, p->id);
	else if (luck < 47 && p)
		kernel_signal(w, p, signals[draw(w, 6)], TRUTH_OPERATOR);
	else if (luck < 62 && p && p->role == ROLE_MAIN)
		draw_worker(w, p);
	else if (luck < 92 && w->n_units)
		shell_feed(w, draw_request(w, chance(w, 2) ? NO_UNIT : draw(w, w->n_units)));
	else if (luck < 98)
		draw_configuration(w);
	else
		draw_sleep(w);
}
