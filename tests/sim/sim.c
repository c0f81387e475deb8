/*
 * Seeded random worlds over core_step():
 *
 *     sim [SEED [WORLDS [told | brief]]]
 *     sim --replay FILE
 *
 * At the end every cell of the service machine that is not NEVER must have been visited. A world that breaks a rule, crashes or
 * hangs is shrunk, unless `brief`, and the events that are left are told, and written into a file to be replayed.
 */
#include "attempt.h"
#include "stream.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BASE_SEED 1u
#define WORLDS 10000u
#define ATTEMPTS 8000u                  /* at a smaller world */

static struct attempt *now;

noreturn void broken(const struct world *w, const char *format, ...)
{
	va_list args;
	(void)w;
	va_start(args, format);
	attempt_break(now, format, format, args);
}

/* ---- many worlds ---- */

static uint64_t first_seed, n_worlds;
static uint64_t total[N_STATE][N_SERVICE_EVENT], total_steps[N_STEP];

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

static void run_worlds(struct attempt *a)
{
	struct world *w = &a->world;
	uint64_t n_steps = 0, n_events = 0, n_launches = 0, n_deaths = 0;
	for (uint64_t n = 0; n < n_worlds; n++) {
		attempt_world(a, first_seed + n, 0);
		n_steps += w->n_steps;
		n_events += w->n_events;
		n_launches += w->n_launches;
		n_deaths += w->n_deaths;
		for (int s = 0; s < N_STATE; s++)
			for (int ev = 0; ev < N_SERVICE_EVENT; ev++)
				total[s][ev] += w->core->cells[s][ev];
		for (int step = 0; step < N_STEP; step++)
			total_steps[step] += w->steps[step];
		world_end(w);
	}
	/* A few worlds, asked for by their seed, are not meant to see everything. */
	bool is_gated = n_worlds >= WORLDS;
	unsigned n_live = 0, n_missing = missing_cells(&n_live, is_gated);
	double minutes = (double)clock() / CLOCKS_PER_SEC / 60;
	printf("sim: %llu worlds, %llu steps, %llu events, %llu launches, %llu deaths, cells %u/%u, %.1f million events a minute\n",
	       (unsigned long long)n_worlds, (unsigned long long)n_steps, (unsigned long long)n_events, (unsigned long long)n_launches,
	       (unsigned long long)n_deaths, n_live - n_missing, n_live, (double)n_events / 1e6 / minutes);
	if (n_missing && is_gated)
		broken(w, "cells or steps that no world visits");
	exit(0);                                /* not _exit(2): the leak checker has its turn */
}

/* ---- one that broke a rule ---- */

static const char *words_of(const struct attempt *a)
{
	return a->rule[0] ? a->words : "it crashes, or hangs";
}

static void run_by_choices(struct attempt *a)
{
	attempt_world(a, 0, 0);
}

static void write_replay(struct attempt *a, const char *path)
{
	FILE *out = a->world.events = fopen(path, "w");
	if (!out)
		return;
	setvbuf(out, NULL, _IOLBF, 0);          /* it may crash */
	fprintf(out, "# %s\n", words_of(a));
	choices_write(out, &a->choices);
	attempt_apart(a, run_by_choices, true);
	fclose(out);
	a->world.events = NULL;
}

static void show_events(const char *path)
{
	FILE *in = fopen(path, "r");
	char line[4096];
	while (in && fgets(line, sizeof line, in))
		if (line[0] >= '0' && line[0] <= '9')
			fputs(line, stdout);
	if (in)
		fclose(in);
}

static void tell_broken(const struct attempt *a)
{
	unsigned long long seed = a->world.seed, n_steps = a->world.n_steps;
	printf("sim: seed %llu, step %llu, %llu ms: %s\n", seed, n_steps, (unsigned long long)a->world.now_ms, words_of(a));
	printf("sim: run that world again with: build/host/sim %llu 1 told\n", seed);
}

static void tell_shrunk(struct attempt *a)
{
	char path[64];
	unsigned long long n_steps = a->world.n_steps;
	snprintf(path, sizeof path, "build/host/seed-%llu.events", (unsigned long long)a->world.seed);
	if (a->choices.n == CHOICES_MAX)
		return;                         /* more was drawn than is kept */
	shrink(a, ATTEMPTS);
	printf("sim: of its %llu steps %llu are left: %s\n\n", n_steps, (unsigned long long)a->world.n_steps, words_of(a));
	write_replay(a, path);
	show_events(path);
	printf("\nsim: run these again with: build/host/sim --replay %s\n", path);
}

/* ---- replaying ---- */

static int replay(struct attempt *a, const char *path)
{
	struct stream s = { .file = fopen(path, "r") };
	if (!s.file || !choices_read(s.file, &a->choices)) {
		fprintf(stderr, "sim: %s: no events to replay\n", path);
		return 2;
	}
	rewind(s.file);
	a->world.replay = &s;
	a->world.is_told = true;
	enum fate fate = attempt_apart(a, run_by_choices, false);
	fclose(s.file);
	if (fate != FATE_WELL)
		fprintf(stderr, "sim: %s\n", words_of(a));
	return fate == FATE_WELL ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct attempt *a = now = attempt_new();
	if (argc == 3 && !strcmp(argv[1], "--replay"))
		return replay(a, argv[2]);
	first_seed = argc > 1 ? strtoull(argv[1], NULL, 10) : BASE_SEED;
	n_worlds = argc > 2 ? strtoull(argv[2], NULL, 10) : WORLDS;
	a->world.is_told = argc > 3 && !strcmp(argv[3], "told");
	if (attempt_apart(a, run_worlds, false) == FATE_WELL)
		return 0;
	tell_broken(a);
	if (argc <= 3)
		tell_shrunk(a);
	return 1;
}
