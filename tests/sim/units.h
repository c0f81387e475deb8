/* Unit sets for tests, without files: plans in, a set in memory out. The simulator draws plans, test_core.c reads them from a line of text. */
#ifndef OOMPH_TESTS_UNITS_H
#define OOMPH_TESTS_UNITS_H

#include "lib/unit.h"

#include <stdlib.h>
#include <string.h>

#define PLAN_EDGES_MAX 8

struct plan {
	char name[32];                          /* with its suffix */
	struct unit unit;                       /* values; its spans are filled by units_build() */
	uint32_t n_commands[N_EXEC_LIST];
	uint32_t may_fail[N_EXEC_LIST];         /* bit N: `-` before command N */
	uint32_t after[PLAN_EDGES_MAX], requires[PLAN_EDGES_MAX], wants[PLAN_EDGES_MAX];
	uint32_t n_after, n_requires, n_wants;
	bool has_pid_file;
	uint32_t prevent_status, force_status;  /* RestartPreventExitStatus=, RestartForceExitStatus=: one each; 0: none */
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

/* The other end of every edge: of all plans, those whose list (told by its offset) names unit i. */
static inline struct span plan_backwards(struct unitset_writer *w, const struct plan *plans, uint32_t n, uint32_t i,
					 size_t list, size_t count)
{
	uint32_t *found = calloc(n + 1, sizeof *found), n_found = 0;
	for (uint32_t other = 0; other < n; other++) {
		const char *at = (const char *)&plans[other];
		const uint32_t *edges = (const void *)(at + list);
		uint32_t n_edges;
		memcpy(&n_edges, at + count, sizeof n_edges);
		for (uint32_t e = 0; e < n_edges; e++)
			if (edges[e] == i)
				found[n_found++] = other;
	}
	struct span span = unitset_put(w, found, n_found, sizeof *found);
	free(found);
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
		u.after = unitset_put(&w, p->after, p->n_after, sizeof *p->after);
		u.requires = unitset_put(&w, p->requires, p->n_requires, sizeof *p->requires);
		u.pid_file = unitset_put_text(&w, p->has_pid_file ? STR("/run/x.pid") : STR(""));
		u.restart_prevent = plan_status(&w, p->prevent_status);
		u.restart_force = plan_status(&w, p->force_status);
		u.wants = unitset_put(&w, p->wants, p->n_wants, sizeof *p->wants);
		u.before = plan_backwards(&w, plans, n, i, offsetof(struct plan, after), offsetof(struct plan, n_after));
		u.required_by = plan_backwards(&w, plans, n, i, offsetof(struct plan, requires),
					       offsetof(struct plan, n_requires));
		*unitset_slot(&w, i) = u;
	}
	if (!unitset_end(&w, (struct span){ 0, 0 }) || unitset_check(w.bytes, w.needed))
		abort();                        /* the builder is wrong, not the code under test */
	return (struct unitset){ w.bytes, (uint32_t)w.needed };
}

#endif
