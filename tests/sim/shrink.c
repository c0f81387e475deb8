/* Shrinking by what was drawn: MacIver and Donaldson, "Test-Case Reduction via Test-Case Generation" (ECOOP 2020), without its refinements. */
#include "attempt.h"

#include <stdlib.h>
#include <string.h>

struct shrinking {
	struct attempt *attempt;
	char rule[128];
	enum fate fate;
	uint32_t *best, n_best;         /* choices */
	bool *begins;                   /* ... where something begins */
	uint32_t *next;                 /* to be tried */
	uint64_t n_steps;               /* of the best */
	uint32_t n_left;                /* attempts */
};

static void run_by_choices(struct attempt *a)
{
	attempt_world(a, 0, a->world.most_steps);
}

static uint64_t sum_of(const uint32_t *values, uint32_t n)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < n; i++)
		sum += values[i];
	return sum;
}

/* Fewer steps first: they are what somebody will read. */
static bool is_less(const struct shrinking *s)
{
	const struct attempt *a = s->attempt;
	if (a->world.n_steps != s->n_steps)
		return a->world.n_steps < s->n_steps;
	if (a->choices.n != s->n_best)
		return a->choices.n < s->n_best;
	return sum_of(a->choices.values, a->choices.n) < sum_of(s->best, s->n_best);
}

static void keep_best(struct shrinking *s)
{
	const struct choices *c = &s->attempt->choices;
	s->n_steps = s->attempt->world.n_steps;
	s->n_best = c->n;
	memcpy(s->best, c->values, c->n * sizeof *s->best);
	memcpy(s->begins, c->begins, c->n * sizeof *s->begins);
}

/* The first n of s->next. */
static bool is_better(struct shrinking *s, uint32_t n)
{
	struct attempt *a = s->attempt;
	if (s->n_left == 0)
		return false;
	s->n_left--;
	memcpy(a->choices.values, s->next, n * sizeof *s->next);
	a->choices.n_given = n;
	a->world.most_steps = s->n_steps;
	enum fate fate = attempt_apart(a, run_by_choices, true);
	if (fate != s->fate || strcmp(a->rule, s->rule) || !is_less(s))
		return false;
	keep_best(s);
	return true;
}

static bool leaves_out(struct shrinking *s, uint32_t at, uint32_t n)
{
	memcpy(s->next, s->best, at * sizeof *s->next);
	memcpy(s->next + at, s->best + at + n, (s->n_best - at - n) * sizeof *s->next);
	return is_better(s, s->n_best - n);
}

/* A unit that is left out leaves the question whether there is one. */
static bool leaves_a_question(struct shrinking *s, uint32_t at, uint32_t n)
{
	memcpy(s->next, s->best, at * sizeof *s->next);
	s->next[at] = 0;
	memcpy(s->next + at + 1, s->best + at + n, (s->n_best - at - n) * sizeof *s->next);
	return is_better(s, s->n_best - n + 1);
}

static bool makes_dull(struct shrinking *s, uint32_t at, uint32_t n)
{
	if (sum_of(s->best + at, n) == 0)
		return false;
	memcpy(s->next, s->best, s->n_best * sizeof *s->next);
	memset(s->next + at, 0, n * sizeof *s->next);
	return is_better(s, s->n_best);
}

/* From behind, since what comes first is what everything else hangs on. */
static void pass(struct shrinking *s, uint32_t least, bool (*helps)(struct shrinking *, uint32_t, uint32_t))
{
	for (uint32_t size = s->n_best; size > least; size /= 2)
		for (uint32_t end = s->n_best; end > 0; end = end > size ? end - size : 0) {
			end = end < s->n_best ? end : s->n_best;
			uint32_t n = size < end ? size : end;
			helps(s, end - n, n);
		}
}

/* What begins somewhere, up to where the next thing does. */
static void pass_apart(struct shrinking *s)
{
	for (uint32_t end = s->n_best; end > 0;) {
		uint32_t at = end - 1;
		while (at > 0 && !s->begins[at])
			at--;
		if (end - at > 1 && !leaves_out(s, at, end - at) && !leaves_a_question(s, at, end - at))
			makes_dull(s, at, end - at);
		end = at < s->n_best ? at : s->n_best;
	}
}

static void make_smaller(struct shrinking *s)
{
	for (uint32_t i = s->n_best; i-- > 0;) {
		uint32_t least = 0;
		while (i < s->n_best && least < s->best[i]) {
			uint32_t between = least + (s->best[i] - least) / 2;
			memcpy(s->next, s->best, s->n_best * sizeof *s->next);
			s->next[i] = between;
			if (!is_better(s, s->n_best))
				least = between + 1;
		}
	}
}

/* Over and over as long as it helps: the finer the pieces, the more there are to be tried. */
static void shrink_by(struct shrinking *s, uint32_t least)
{
	uint64_t before;
	do {
		before = s->n_steps;
		pass_apart(s);
		pass(s, least, leaves_out);
		pass(s, least, makes_dull);
	} while (s->n_steps < before && s->n_left);
}

void shrink(struct attempt *a, uint32_t most_attempts)
{
	struct shrinking s = { .attempt = a, .n_left = most_attempts };
	s.best = malloc(sizeof a->choices.values);
	s.next = malloc(sizeof a->choices.values);
	s.begins = malloc(sizeof a->choices.begins);
	s.fate = a->rule[0] ? FATE_BROKEN : FATE_CRASHED;
	strcpy(s.rule, a->rule);
	keep_best(&s);
	for (uint32_t parts = 16; parts < s.n_best; parts *= 8)
		shrink_by(&s, s.n_best / parts);
	shrink_by(&s, 0);
	make_smaller(&s);
	memcpy(a->choices.values, s.best, s.n_best * sizeof *s.best);
	for (a->choices.n_given = s.n_best; a->choices.n_given && !s.best[a->choices.n_given - 1];)
		a->choices.n_given--;           /* the dull end comes by itself */
	attempt_apart(a, run_by_choices, true);
	free(s.best);
	free(s.next);
	free(s.begins);
}
