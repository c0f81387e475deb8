/*
 * Seeded random worlds over core_step():  sim [SEED [WORLDS [told]]]
 *
 * A world that breaks a rule is named by its seed; `sim SEED 1` runs that very world again, and `sim SEED 1 told` tells it. At the end every cell of
 * the service machine that is not NEVER must have been visited.
 */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BASE_SEED 1u
#define WORLDS 10000u
#define CALM_MS 30000u                  /* after it nothing may be on its way */

noreturn void broken(const struct world *w, const char *format, ...)
{
	va_list args;
	fflush(stdout);
	fprintf(stderr, "sim: seed %llu, step %llu, %llu ms: ", (unsigned long long)w->seed, (unsigned long long)w->n_steps,
		(unsigned long long)w->now_ms);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nsim: run that world again with: build/host/sim %llu 1 told\n", (unsigned long long)w->seed);
	exit(1);
}

static void boot(struct world *w, uint64_t seed, bool is_told)
{
	memset(w, 0, sizeof *w);
	w->is_told = is_told;
	w->seed = seed;
	w->random = seed * 0x2545f4914f6cdd1du;
	uint32_t luck = draw(w, 100);
	w->mode = luck < 60 ? MODE_VM : luck < 92 ? MODE_CONTAINER : MODE_COMMAND;
	w->has_counters = chance(w, 80);
	w->has_kmsg = chance(w, 80);
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
	core_init(none, (enum system_mode)w->mode, seed);
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
	ev.is_ok = chance(w, 85);
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
	uint32_t most = w->n_processes, first = draw(w, most);
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
		w->action_at = w->now_ms + 1 + draw(w, 1500);
		draw_action(w);
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

static void run(struct world *w)
{
	while (!w->is_over) {
		uint64_t next = next_moment(w);
		if (next == 0 || next > w->end_at)
			broken(w, "nothing will ever happen again, and it is not over");
		w->now_ms = next > w->now_ms ? next : w->now_ms;
		if (!w->is_calm && chance(w, 2))
			draw_impatience(w);
		if (!w->is_over)
			run_due(w);
		run_plan(w);
	}
}

static uint64_t total[N_STATE][N_SERVICE_EVENT], total_steps[N_STEP];

static void end(struct world *w)
{
	for (int s = 0; s < N_STATE; s++)
		for (int ev = 0; ev < N_SERVICE_EVENT; ev++)
			total[s][ev] += w->core->cells[s][ev];
	for (int step = 0; step < N_STEP; step++)
		total_steps[step] += w->steps[step];
	free(w->core);
	free((void *)(uintptr_t)w->units.bytes);
	free((void *)(uintptr_t)w->next_units.bytes);
}

static unsigned missing_cells(unsigned *n_live, bool is_asked)
{
	unsigned n_missing = 0;
	for (int s = 0; s < N_STATE; s++)
		for (int ev = 0; ev < N_SERVICE_EVENT; ev++) {
			if (service_cell((enum state)s, (enum service_event)ev).is_never)
				continue;
			++*n_live;
			if (total[s][ev])
				continue;
			n_missing++;
			if (is_asked)
				fprintf(stderr, "sim: never visited: %s %s\n", state_name[s], service_event_name[ev]);
		}
	for (int step = 0; step < N_STEP; step++) {
		n_missing += !total_steps[step];
		if (is_asked && !total_steps[step])
			fprintf(stderr, "sim: never settled in step %d (%s)\n", step, step_name[step]);
	}
	return n_missing;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : BASE_SEED;
	uint64_t n_worlds = argc > 2 ? strtoull(argv[2], NULL, 10) : WORLDS;
	uint64_t n_steps = 0, n_events = 0, n_launches = 0, n_deaths = 0;
	struct world *w = malloc(sizeof *w);
	for (uint64_t n = 0; n < n_worlds; n++) {
		boot(w, seed + n, argc > 3);
		run(w);
		n_steps += w->n_steps;
		n_events += w->n_events;
		n_launches += w->n_launches;
		n_deaths += w->n_deaths;
		end(w);
	}
	free(w);
	/* A few worlds, asked for by their seed, are not meant to see everything. */
	bool is_gated = n_worlds >= WORLDS;
	unsigned n_live = 0, n_missing = missing_cells(&n_live, is_gated);
	double minutes = (double)clock() / CLOCKS_PER_SEC / 60;
	printf("sim: %llu worlds, %llu steps, %llu events, %llu launches, %llu deaths, cells %u/%u, %.1f million events a minute\n",
	       (unsigned long long)n_worlds, (unsigned long long)n_steps, (unsigned long long)n_events, (unsigned long long)n_launches,
	       (unsigned long long)n_deaths, n_live - n_missing, n_live, (double)n_events / 1e6 / minutes);
	return n_missing && is_gated ? 1 : 0;
}
