/* A world from its first ms to its last: boot, whatever is due and drawn, a long calm, and the power goes. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#define CALM_MS 30000u                  /* after it nothing may be on its way */

static void boot(struct world *w)
{
	w->random = w->seed * 0x2545f4914f6cdd1du;
	w->choices->n = 0;
	uint32_t luck = draw(w, 100);
	w->mode = luck < 60 ? MODE_VM : luck < 92 ? MODE_CONTAINER : MODE_COMMAND;
	w->has_counters = !chance(w, 20);
	w->has_kmsg = !chance(w, 20);
	w->is_lossy = chance(w, 20);
	w->is_rude = chance(w, 40);
	w->now_ms = 1000;
	w->next_pid = 100;
	w->action_at = w->now_ms + draw(w, 2000);
	w->calm_at = w->now_ms + 2000 + draw(w, 120000);
	/* Some machines go down in the midst of it all. */
	w->shutdown_at = chance(w, 40) ? w->now_ms + draw(w, 60000) : 0;
	w->end_at = w->calm_at + 10000000;
	struct core *none = calloc(1, core_size(0));
	core_init(none, (enum system_mode)w->mode, draw(w, UINT32_MAX));
	w->core = none;
	strcpy(none->cgroup_root, "/system.slice");
	draw_units(w, w->plans, w->ids, &w->n_units, false);
	shell_index_units(w);
	w->units = draw_set(w->plans, w->ids, w->n_units);
	w->core = calloc(1, core_size(w->n_units));
	core_adopt(w->core, none, (struct unitset){ 0 }, w->units);
	free(none);
	shell_feed(w, shell_event(EVENT_UNITS, NO_UNIT));
}

static void finish_load(struct world *w)
{
	struct event ev = shell_event(EVENT_RELOADED, NO_UNIT);
	w->load_at = 0;
	ev.is_ok = !chance(w, 15);
	ev.error = 12;
	if (ev.is_ok) {
		draw_units(w, w->next_plans, w->next_ids, &w->n_next, true);
		w->next_units = draw_set(w->next_plans, w->next_ids, w->n_next);
		core_mark_leaving(w->core, w->units, w->next_units);
	}
	shell_feed(w, ev);
}

static void shut_down(struct world *w)
{
	struct event ev = shell_event(EVENT_SIGNAL, NO_UNIT);
	w->shutdown_at = 0;
	w->has_asked_for_power = true;
	ev.argument = chance(w, 50) ? SIGTERM : SIGINT;
	if (w->mode == MODE_COMMAND || chance(w, 30))
		shell_request(w, VERB_POWER, NO_UNIT, POWER_OFF);
	else
		shell_feed(w, ev);
}

static bool is_due(const struct world *w, uint64_t at)
{
	return at && at <= w->now_ms;
}

static void run_notices(struct world *w)
{
	for (uint32_t id = 0; id < IDS && !w->is_over; id++) {
		if (is_due(w, w->counter_at[id])) {
			w->counter_at[id] = 0;
			shell_drain_kmsg(w);
			shell_read_count(w, id);
		}
		if (is_due(w, w->empty_at[id])) {
			w->empty_at[id] = 0;
			uint32_t i = shell_index(w, id);
			if (i != NO_UNIT && kernel_count(w, id) == 0 && !w->is_over)
				shell_feed(w, shell_event(EVENT_EMPTY, i));
		}
	}
}

/* Everything that is due, in the order of the kernel's tables, which the draw of the times has shuffled enough. */
static void run_due(struct world *w)
{
	uint32_t most = w->n_processes, first = draw_once_from(w, LOT_MOMENTS, most);
	for (uint32_t n = 0; n < most && !w->is_over; n++) {
		struct process *p = &w->processes[(first + n) % most];
		if (p->pid)
			kernel_run(w, p);
	}
	if (!w->is_over && is_due(w, w->kmsg_at))
		shell_drain_kmsg(w);
	if (!w->is_over)
		run_notices(w);
	if (!w->is_over && is_due(w, w->load_at))
		finish_load(w);
	if (!w->is_over && is_due(w, w->halt_at)) {
		w->halt_at = 0;
		shell_feed(w, shell_event(EVENT_HALTED, NO_UNIT));
	}
	if (!w->is_over && is_due(w, core_deadline(w->core)))
		shell_feed(w, shell_event(EVENT_TICK, NO_UNIT));
}

static void run_plan(struct world *w)
{
	if (!w->is_over && !w->is_calm && is_due(w, w->action_at)) {
		uint8_t before = draw_from(w, LOT_ACTIONS);
		draw_apart(w);
		w->action_at = w->now_ms + 1 + draw(w, 1500);
		draw_action(w);
		w->lot = before;
	}
	if (!w->is_over && !w->is_calm && is_due(w, w->calm_at)) {
		draw_calm(w);
		w->calm_at = w->now_ms;
		if (!w->has_asked_for_power)
			w->shutdown_at = w->now_ms + CALM_MS;
	}
	if (!w->is_over && is_due(w, w->shutdown_at)) {
		if (w->is_calm)
			check_calm(w);
		shut_down(w);
	}
}

static uint64_t next_moment(const struct world *w)
{
	uint64_t next = earlier(kernel_next(w), earlier(w->kmsg_at, earlier(w->load_at, w->halt_at)));
	next = earlier(next, earlier(core_deadline(w->core), w->shutdown_at));
	if (!w->is_calm)
		next = earlier(next, earlier(w->action_at, w->calm_at));
	for (uint32_t id = 0; id < IDS; id++)
		next = earlier(next, earlier(w->counter_at[id], w->empty_at[id]));
	return next;
}

void world_run(struct world *w)
{
	boot(w);
	while (!w->is_over) {
		uint64_t next = next_moment(w);
		if (next == 0 || next > w->end_at)
			broken(w, "nothing will ever happen again, and it is not over");
		w->now_ms = next > w->now_ms ? next : w->now_ms;
		if (!w->is_calm && draw_once_from(w, LOT_MOMENTS, 100) >= 98)
			draw_impatience(w);
		if (!w->is_over)
			run_due(w);
		run_plan(w);
	}
}

void world_end(struct world *w)
{
	free(w->core);
	free((void *)(uintptr_t)w->units.bytes);
	free((void *)(uintptr_t)w->next_units.bytes);
}
