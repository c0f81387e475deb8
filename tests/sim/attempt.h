/*
 * Worlds in processes of their own, which may break a rule, crash or hang. What is left of one is in memory that the two share: the
 * rule, what was drawn, how far it came.
 */
#ifndef OOMPH_TESTS_ATTEMPT_H
#define OOMPH_TESTS_ATTEMPT_H

#include "world.h"

struct attempt {
	struct world world;
	struct choices choices;
	char rule[128];                 /* that is broken: the format of its words; "" */
	char words[256];
};

enum fate { FATE_WELL, FATE_BROKEN, FATE_CRASHED };

#define WORLD_SECONDS 20                /* of processor time: more is a world that hangs */

struct attempt *attempt_new(void);
void attempt_world(struct attempt *a, uint64_t seed, uint64_t most_steps);      /* here and now, from its seed, or by a->choices */
noreturn void attempt_break(struct attempt *a, const char *rule, const char *format, va_list args);

/* Runs `what` in a child. */
enum fate attempt_apart(struct attempt *a, void (*what)(struct attempt *), bool is_quiet);

/* ---- choices.c ---- */

/* By lots, and of each in the order in which they were drawn. */
struct choice_list {
	uint32_t n;
	uint32_t values[CHOICES_MAX];
	uint8_t lots[CHOICES_MAX];
	bool begins[CHOICES_MAX];
};

void choices_sort(const struct choices *c, struct choice_list *l);
void choices_give(struct choices *c, const struct choice_list *l);
void choices_write(FILE *out, const struct choices *c);         /* those given */
bool choices_read(FILE *in, struct choices *c);                 /* to be given */

/* ---- shrink.c ---- */

/*
 * From the choices of a world that broke a rule to the fewest steps in which the same rule breaks: choices are left out, made 0 and
 * made smaller, as long as that helps. That world is the last attempt afterwards.
 */
void shrink(struct attempt *a, uint32_t most_attempts);

#endif
