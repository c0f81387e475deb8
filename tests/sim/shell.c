/* The shell around the core, as init/pid1 is one: effects are carried out in order, what comes of them is queued. */
#include "world.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct event shell_event(enum event_kind kind, uint32_t i)
{
	return (struct event){ .kind = (uint8_t)kind, .service = i, .client = NO_CLIENT };
}

uint32_t shell_index(const struct world *w, uint32_t id)
{
	return w->index[id];
}

void shell_index_units(struct world *w)
{
	memset(w->index, 0xff, sizeof w->index);
	for (uint32_t i = 0; i < w->n_units; i++)
		w->index[w->ids[i]] = i;
}

void shell_enqueue(struct world *w, struct event ev)
{
	if (w->n_queued == QUEUED)
		broken(w, "the shell's queue is full");
	w->queue[(w->queue_head + w->n_queued++) % QUEUED] = ev;
}

/* ---- effects ---- */

static void do_launch(struct world *w, const struct effect *e)
{
	static const int passing[] = { EAGAIN, ENOMEM };
	uint32_t id = w->ids[e->service];
	struct event ev = shell_event(EVENT_LAUNCHED, e->service);
	check_launch(w, e);
	w->n_launches++;
	ev.role = e->role;
	struct process *p = !w->is_calm && chance(w, 4) ? NULL : kernel_fork(w, id, (enum role)e->role);
	if (!p) {
		ev.kind = EVENT_LAUNCH_FAILED;
		ev.step = LAUNCH_FORK;
		ev.error = passing[draw(w, 2)];
		w->last_launch_error = ev.error;
		shell_enqueue(w, ev);
		return;
	}
	if (!w->has_cgroup[id])
		w->counters[id] = 0;
	w->has_cgroup[id] = true;
	p->list = e->list;
	if (e->list == EXEC_START && e->role == ROLE_CONTROL)
		draw_daemons(w, id);
	w->last_launch_error = 0;
	ev.pid = p->pid;
	ev.has_counter = w->has_counters;
	ev.counter = w->counters[id];
	ev.has_kmsg = w->has_kmsg;
	ev.kmsg_seq = w->read_seq;
	shell_enqueue(w, ev);
	if (chance(w, 5)) {
		ev = shell_event(EVENT_LAUNCH_WARNING, e->service);
		ev.step = LAUNCH_SCORE;
		ev.error = EPERM;
		shell_enqueue(w, ev);
	}
}

static void do_signal(struct world *w, const struct effect *e, bool is_operators)
{
	uint32_t id = w->ids[e->service];
	const struct service *s = &w->core->services[e->service];
	for (uint32_t n = 0; n < w->n_processes; n++) {
		struct process *p = &w->processes[n];
		bool is_main = p->role == ROLE_MAIN && p->pid == s->main_pid;
		bool is_meant = e->role == ROLE_OTHER || (e->role == ROLE_MAIN && is_main) ||
			(e->role == ROLE_CONTROL && p->role == ROLE_CONTROL);
		if (p->pid && p->id == id && is_meant)
			kernel_signal(w, p, e->number, is_operators ? TRUTH_OPERATOR : TRUTH_OURS);
	}
}

static void carry_out(struct world *w, const struct effect *e, bool is_operators)
{
	uint8_t before;
	switch (e->kind) {
	case FX_LAUNCH:
		before = draw_from(w, LOT_UNITS + w->ids[e->service]);
		do_launch(w, e);
		w->lot = before;
		break;
	case FX_SIGNAL:
		do_signal(w, e, is_operators);
		break;
	case FX_SWEPT:
		if (kernel_count(w, w->ids[e->service]) == 0)
			w->has_cgroup[w->ids[e->service]] = false;      /* rmdir(2) refuses a populated one */
		break;
	case FX_NOTE:
		if (e->note.kind == NOTE_DEATH || e->note.kind == NOTE_AMENDED) {
			const struct death *d = core_death(w->core, e->note.death);
			if (!d)
				broken(w, "a note about a death that is not kept");
			check_death(w, d, e->note.kind == NOTE_AMENDED);
		}
		break;
	case FX_LOAD:
		if (w->load_at)
			broken(w, "FX_LOAD while oomph-load runs");
		w->load_at = w->now_ms + 1 + draw_once_from(w, LOT_WORLD, 300);
		break;
	case FX_ADOPT:
		w->wants_adopt = true;
		break;
	case FX_HALT:
		w->halt_at = w->now_ms + 1 + draw_once_from(w, LOT_WORLD, 6000);
		if (w->halt_at > w->now_ms + 5000)
			w->halt_at = 0;                 /* it hangs */
		break;
	case FX_POWER:
		check_power(w, e);
		w->is_over = true;
		break;
	default:
		break;
	}
}

/* ---- steps ---- */

/* The same bytes at another address must give the same: there is no pointer in them, and nothing outside of them. */
static void step_twice(struct world *w, const struct event *ev, struct effects *fx)
{
	size_t size = core_size(w->n_units);
	struct core *copy = malloc(size);
	struct effects other;
	memset(&other, 0, sizeof other);
	memcpy(copy, w->core, size);
	core_step(w->core, w->units, ev, fx);
	core_step(copy, w->units, ev, &other);
	for (uint32_t i = 0; i < w->n_units; i++)
		if (memcmp(&copy->services[i], &w->core->services[i], sizeof copy->services[i]))
			broken(w, "a copied core goes on differently in service %u", i);
	if (copy->next_death != w->core->next_death || copy->random != w->core->random || fx->n != other.n)
		broken(w, "a copied core goes on differently");
	for (uint32_t n = 0; n < fx->n; n++)
		if (fx->list[n].kind != other.list[n].kind || fx->list[n].service != other.list[n].service)
			broken(w, "a copied core has other effects");
	free(w->core);                          /* and it goes on as the copy: a pointer into the old one is now a use after free */
	w->core = copy;
	w->n_copies++;
}

static bool step(struct world *w, struct event *ev)
{
	struct effects fx;
	enum role role = ROLE_OTHER;
	uint64_t first_death = w->core->next_death;
	ev->now_ms = w->now_ms;
	ev->wall_ms = 1700000000000u + w->now_ms;
	if (ev->kind == EVENT_DEATH)
		core_find_pid(w->core, ev->pid, &role);
	/* Asked for, with whatever it pulls along; after a stop, what is upheld comes back with what it requires. */
	if (ev->kind == EVENT_REQUEST && (ev->verb == VERB_START || ev->verb == VERB_RESTART || ev->verb == VERB_STOP))
		memset(w->not_before, 0, sizeof w->not_before);
	if (w->replay)
		stream_follow(w, ev);
	if (w->events)
		stream_write(w->events, w, ev);
	if (w->is_told)
		trace_event(w, ev);
	if (draw_once_from(w, LOT_MOMENTS, 100) >= 95)
		step_twice(w, ev, &fx);
	else
		core_step(w->core, w->units, ev, &fx);
	for (uint32_t n = 0; n < fx.n && w->is_told; n++)
		trace_effect(w, &fx.list[n]);
	if (w->n_steps++ > (w->most_steps ? w->most_steps : STEPS_MAX))
		broken(w, "it does not come to an end");
	w->n_events += ev->kind != EVENT_TICK;
	if (fx.n >= EFFECTS_MAX)
		broken(w, "%u effects of one step", fx.n);
	check_step(w, ev, first_death, role);
	bool asks_to_kill = ev->kind == EVENT_REQUEST && ev->verb == VERB_KILL;
	for (uint32_t n = 0; n < fx.n; n++) {
		const struct effect *e = &fx.list[n];
		bool is_asked_for = asks_to_kill && e->kind == FX_SIGNAL && e->service == ev->service && e->number == ev->argument;
		carry_out(w, e, is_asked_for);
		asks_to_kill &= !is_asked_for;          /* any more of them is the core's own */
	}
	return fx.is_unsettled;
}

static void adopt(struct world *w)
{
	struct core *core = calloc(1, core_size(w->n_next));
	core_adopt(core, w->core, w->units, w->next_units);
	free(w->core);
	free((void *)(uintptr_t)w->units.bytes);
	w->core = core;
	w->units = w->next_units;
	w->next_units = (struct unitset){ 0 };
	w->n_units = w->n_next;
	memcpy(w->ids, w->next_ids, sizeof w->ids);
	shell_index_units(w);
	for (uint32_t i = 0; i < w->n_units; i++) {
		const struct plan *old = &w->plans[w->ids[i]], *new = &w->next_plans[w->ids[i]];
		bool is_same = !memcmp(&old->unit, &new->unit, sizeof old->unit) &&
			!memcmp(old->n_commands, new->n_commands, sizeof old->n_commands);
		/* One that never ran may wait for its first start: upheld, by the delay of then. */
		bool is_begun = core->services[i].generation > 0 || core->services[i].state == BACKOFF;
		w->has_changed[w->ids[i]] |= is_begun && !is_same;
	}
	memcpy(w->plans, w->next_plans, sizeof w->plans);
	w->has_reloaded = true;
	shell_enqueue(w, shell_event(EVENT_UNITS, NO_UNIT));
}

void shell_feed(struct world *w, struct event ev)
{
	bool is_unsettled = false, has_next = true;
	while (has_next && !w->is_over) {
		is_unsettled |= step(w, &ev);
		has_next = w->n_queued > 0;
		if (!has_next && w->wants_adopt) {
			w->wants_adopt = false;
			adopt(w);
			has_next = true;
		}
		if (!has_next && is_unsettled && w->is_rude && draw_once_from(w, LOT_ACTIONS, 100) >= 30) {
			uint8_t before = draw_from(w, LOT_ACTIONS);
			draw_rudeness(w);
			w->lot = before;
			has_next = w->n_queued > 0;
		}
		if (has_next) {
			ev = w->queue[w->queue_head];
			w->queue_head = (w->queue_head + 1) % QUEUED;
			w->n_queued--;
		} else if (is_unsettled) {
			is_unsettled = false;
			has_next = true;
			ev = shell_event(EVENT_TICK, NO_UNIT);
		}
	}
	if (!w->is_over)
		check_settled(w);
}

/* ---- what the kernel tells ---- */

void shell_read_count(struct world *w, uint32_t id)
{
	uint32_t i = shell_index(w, id);
	struct event ev = shell_event(EVENT_COUNTER, i);
	ev.counter = w->counters[id];
	if (i != NO_UNIT && w->has_cgroup[id] && !w->is_over)
		shell_feed(w, ev);
}

/* Before a record that nobody can place. */
static void read_counts(struct world *w)
{
	for (uint32_t id = 0; id < IDS; id++)
		if (shell_index(w, id) != NO_UNIT && w->core->services[shell_index(w, id)].counter != w->counters[id])
			shell_read_count(w, id);
}

void shell_drain_kmsg(struct world *w)
{
	if (!w->has_kmsg)
		return;
	w->kmsg_at = 0;
	if (w->has_lost) {
		w->has_lost = false;
		shell_feed(w, shell_event(EVENT_KMSG_LOST, NO_UNIT));
	}
	for (uint32_t n = 0; n < w->n_records && !w->is_over; n++) {
		struct record *r = &w->records[n];
		if (r->is_read)
			continue;
		if (r->visible_at > w->now_ms) {        /* and what is behind it */
			w->kmsg_at = r->visible_at;
			return;
		}
		struct oom_kill kill = r->kill;
		struct event ev = shell_event(r->is_group ? EVENT_OOM_GROUP : EVENT_OOM_KILL, NO_UNIT);
		if (r->service_hint != NOBODY)
			ev.service = shell_index(w, r->service_hint);
		if (!r->is_group && !kill.task_memcg[0] && ev.service == NO_UNIT)
			read_counts(w);
		ev.kill = &kill;
		r->is_read = true;
		w->read_seq = kill.seq > w->read_seq ? kill.seq : w->read_seq;
		shell_feed(w, ev);
	}
}

void shell_see_death(struct world *w, struct process *p)
{
	uint32_t i = shell_index(w, p->id);
	if (p->has_exec_untold && i != NO_UNIT && p->role != ROLE_OTHER) {
		/* The end of the launch's pipe comes first, and means an exec to whoever reads it. */
		struct event execed = shell_event(EVENT_EXECED, i);
		execed.role = p->role;
		p->has_exec_untold = false;
		shell_feed(w, execed);
	}
	if (p->role != ROLE_OTHER)
		shell_drain_kmsg(w);
	if (w->is_over)
		return;
	i = shell_index(w, p->id);
	struct event ev = shell_event(EVENT_DEATH, p->role == ROLE_OTHER ? NO_UNIT : i);
	ev.pid = p->pid;
	ev.code = p->code;
	ev.status = p->status;
	ev.has_counter = w->has_counters && i != NO_UNIT;
	ev.counter = w->counters[p->id];
	ev.is_empty = kernel_count(w, p->id) == 0;
	/* Not where its first thread had left before. */
	ev.is_first_killed = p->code == CLD_KILLED && p->status == SIGKILL && p->pid % 4;
	/* Somebody tried, whoever was first: check.c looks when the core believes it. */
	if (p->code == CLD_KILLED && (p->status == SIGKILL || p->status == SIGTERM))
		ev.sender = (struct sender){ STRANGER, 0, "sh" };
	p->seen_at = 0;
	if (p->role == ROLE_MAIN) {
		w->last_main_code = p->code;
		w->last_main_status = p->status;
	}
	w->n_deaths++;
	/* Judged while it is still a zombie in the model: check.c looks its truth up by pid. */
	shell_feed(w, ev);
	p->pid = 0;
}

void shell_request(struct world *w, enum verb verb, uint32_t i, int argument)
{
	struct event ev = shell_event(EVENT_REQUEST, i);
	ev.client = 3;
	ev.verb = (uint8_t)verb;
	ev.argument = argument;
	shell_feed(w, ev);
}
