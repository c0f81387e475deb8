/* Unit sets for tests, without files: plans in, a set in memory out. The simulator draws plans, test_core.c reads them from a line of text. */
#ifndef OOMPH_TESTS_UNITS_H
#define OOMPH_TESTS_UNITS_H

#include "lib/directives.h"

#include <stdlib.h>
#include <string.h>

#define PLAN_LINKS_MAX 12

struct plan {
	char name[32];                          /* with its suffix */
	struct unit unit;                       /* values; its spans are filled by units_build() */
	uint32_t n_commands[N_EXEC_LIST];
	uint32_t may_fail[N_EXEC_LIST];         /* bit N: `-` before command N */
	bool has_pid_file;
	uint32_t prevent_status, force_status;  /* RestartPreventExitStatus=, RestartForceExitStatus=: one each; 0: none */
	struct { uint32_t unit, here, there; } links[PLAN_LINKS_MAX];
	uint32_t n_links;
};

static inline void plan_begin(struct plan *p, struct str name)
{
	memset(p, 0, sizeof *p);
	memcpy(p->name, name.p, name.n);
	unit_defaults(&p->unit);
	p->n_commands[EXEC_START] = 1;
}

static inline struct span plan_commands(struct unitset_writer *w, const struct plan *p, enum exec_list list)
{
	struct command commands[32] = { 0 };
	uint32_t n = p->n_commands[list];
	for (uint32_t i = 0; i < n; i++) {
		commands[i].path = unitset_put_text(w, STR("/bin/true"));
		commands[i].argv = unitset_put_blob(w, &STR("true"), 1);
		commands[i].flags = p->may_fail[list] >> i & 1 ? COMMAND_MAY_FAIL : 0;
	}
	return unitset_put(w, commands, n, sizeof *commands);
}

static inline struct span plan_status(struct unitset_writer *w, uint32_t status)
{
	struct exit_set set = { .signals = 0 };
	set.statuses[status / 64 % 4] = (uint64_t)1 << status % 64;
	return unitset_put(w, &set, status != 0, sizeof set);
}

static inline void plan_link(struct plan *p, uint32_t other, enum link kind)
{
	uint32_t n = 0;
	while (n < p->n_links && p->links[n].unit != other)
		n++;
	if (n == PLAN_LINKS_MAX)
		abort();
	if (n == p->n_links) {
		p->links[p->n_links++].unit = other;
		p->links[n].here = p->links[n].there = 0;
	}
	p->links[n].here |= link_effects[kind].here;
	p->links[n].there |= link_effects[kind].there;
}

/* What the other unit is to this one: by what either file says. */
static inline uint32_t plan_kinds(const struct plan *plans, uint32_t i, uint32_t other)
{
	uint32_t kinds = 0;
	for (uint32_t n = 0; n < plans[i].n_links; n++)
		kinds |= plans[i].links[n].unit == other ? plans[i].links[n].here : 0;
	for (uint32_t n = 0; n < plans[other].n_links; n++)
		kinds |= plans[other].links[n].unit == i ? plans[other].links[n].there : 0;
	return kinds;
}

static inline struct span plan_edges(struct unitset_writer *w, const struct plan *plans, uint32_t n, uint32_t i)
{
	struct edge *edges = calloc(n + 1, sizeof *edges);
	uint32_t n_edges = 0;
	for (uint32_t other = 0; other < n; other++) {
		uint32_t kinds = plan_kinds(plans, i, other);
		if (kinds)
			edges[n_edges++] = (struct edge){ other, kinds };
	}
	struct span span = unitset_put(w, edges, n_edges, sizeof *edges);
	free(edges);
	return span;
}

/* The set, in memory of its own (free(3) its bytes). */
static inline struct unitset units_build(const struct plan *plans, uint32_t n)
{
	struct unitset_writer w;
	size_t size = 65536 + n * (sizeof(struct unit) + 4096);
	unitset_begin(&w, calloc(1, size), size, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct plan *p = &plans[i];
		struct unit u = p->unit;
		u.name = unitset_put_text(&w, str_from(p->name));
		for (int list = 0; list < N_EXEC_LIST; list++)
			u.exec[list] = plan_commands(&w, p, (enum exec_list)list);
		u.pid_file = unitset_put_text(&w, p->has_pid_file ? STR("/run/x.pid") : STR(""));
		u.restart_prevent = plan_status(&w, p->prevent_status);
		u.restart_force = plan_status(&w, p->force_status);
		u.edges = plan_edges(&w, plans, n, i);
		*unitset_slot(&w, i) = u;
	}
	if (!unitset_end(&w, (struct span){ 0, 0 }) || unitset_check(w.bytes, w.needed))
		abort();                        /* the builder is wrong, not the code under test */
	return (struct unitset){ w.bytes, (uint32_t)w.needed };
}

#endif
