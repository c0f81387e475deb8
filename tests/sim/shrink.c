/* Shrinking by what was drawn: MacIver and Donaldson, "Test-Case Reduction via Test-Case Generation" (ECOOP 2020), without its refinements. */
#include "attempt.h"

#include <stdlib.h>
#include <string.h>

struct shrinking {
	struct attempt *attempt;
	char rule[128];
	enum fate fate;
	struct choice_list *best, *next;        /* next: to be tried */
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
	if (a->choices.n != s->best->n)
		return a->choices.n < s->best->n;
	return sum_of(a->choices.values, a->choices.n) < sum_of(s->best->values, s->best->n);
}

static void keep_best(struct shrinking *s)
{
	s->n_steps = s->attempt->world.n_steps;
	choices_sort(&s->attempt->choices, s->best);
}

static bool is_better(struct shrinking *s)
{
	struct attempt *a = s->attempt;
	if (s->n_left == 0)
		return false;
	s->n_left--;
	choices_give(&a->choices, s->next);
	a->world.most_steps = s->n_steps;
	enum fate fate = attempt_apart(a, run_by_choices, true);
	if (fate != s->fate || strcmp(a->rule, s->rule) || !is_less(s))
		return false;
	keep_best(s);
	return true;
}

/* The best, but n from `at` on are fewer, and 0. */
static bool is_better_with(struct shrinking *s, uint32_t at, uint32_t n, uint32_t n_dull)
{
	struct choice_list *to = s->next;
	const struct choice_list *from = s->best;
	uint32_t rest = from->n - at - n;
	to->n = from->n - n + n_dull;
	memcpy(to->values, from->values, at * sizeof *to->values);
	memcpy(to->lots, from->lots, at + n_dull);
	memset(to->values + at, 0, n_dull * sizeof *to->values);
	memcpy(to->values + at + n_dull, from->values + at + n, rest * sizeof *to->values);
	memcpy(to->lots + at + n_dull, from->lots + at + n, rest);
	return is_better(s);
}

static bool leaves_out(struct shrinking *s, uint32_t at, uint32_t n)
{
	return is_better_with(s, at, n, 0);
}

static bool makes_dull(struct shrinking *s, uint32_t at, uint32_t n)
{
	return sum_of(s->best->values + at, n) > 0 && is_better_with(s, at, n, n);
}

/* From behind, since what comes first is what everything else hangs on. */
static void pass(struct shrinking *s, uint32_t least, bool (*helps)(struct shrinking *, uint32_t, uint32_t))
{
	for (uint32_t size = s->best->n; size > least; size /= 2)
		for (uint32_t end = s->best->n; end > 0; end = end > size ? end - size : 0) {
			end = end < s->best->n ? end : s->best->n;
			uint32_t n = size < end ? size : end;
			helps(s, end - n, n);
		}
}

/* All of a lot: a unit that there is not, or to which nothing happens. */
static void pass_lots(struct shrinking *s)
{
	for (uint32_t end = s->best->n; end > 0;) {
		uint32_t at = end - 1;
		while (at > 0 && s->best->lots[at - 1] == s->best->lots[at])
			at--;
		makes_dull(s, at, end - at);
		end = at < s->best->n ? at : s->best->n;
	}
}

/* What begins somewhere, up to where the next thing does. */
static void pass_apart(struct shrinking *s)
{
	for (uint32_t end = s->best->n; end > 0;) {
		uint32_t at = end - 1;
		while (at > 0 && !s->best->begins[at])
			at--;
		if (!leaves_out(s, at, end - at))
			makes_dull(s, at, end - at);
		end = at < s->best->n ? at : s->best->n;
	}
}

static void make_smaller(struct shrinking *s)
{
	for (uint32_t i = s->best->n; i-- > 0;) {
		uint32_t least = 0;
		while (i < s->best->n && least < s->best->values[i]) {
			uint32_t between = least + (s->best->values[i] - least) / 2;
			s->next->n = s->best->n;
			memcpy(s->next->values, s->best->values, s->best->n * sizeof *s->next->values);
			memcpy(s->next->lots, s->best->lots, s->best->n);
			s->next->values[i] = between;
			if (!is_better(s))
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
		pass_lots(s);
		pass_apart(s);
		pass(s, least, leaves_out);
		pass(s, least, makes_dull);
	} while (s->n_steps < before && s->n_left);
}

void shrink(struct attempt *a, uint32_t most_attempts)
{
	struct shrinking s = { .attempt = a, .n_left = most_attempts };
	s.best = malloc(sizeof *s.best);
	s.next = malloc(sizeof *s.next);
	s.fate = a->rule[0] ? FATE_BROKEN : FATE_CRASHED;
	strcpy(s.rule, a->rule);
	keep_best(&s);
	for (uint32_t parts = 16; parts < s.best->n; parts *= 8)
		shrink_by(&s, s.best->n / parts);
	shrink_by(&s, 0);
	make_smaller(&s);
	choices_give(&a->choices, s.best);
	attempt_apart(a, run_by_choices, true);
	free(s.best);
	free(s.next);
}
