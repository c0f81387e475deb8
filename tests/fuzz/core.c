/*
 * The simulator's worlds (tests/sim), with the input in the place of its lots: which units there are, what their programs do, what
 * befalls them and when. What no byte decides takes its dull course. The rules are check.c's.
 *
 * An input is runs of choices: a byte that says whose lots they are, one that says how many, and they themselves.
 */
#include "fuzz.h"
#include "tests/sim/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define UNITS_MOST 12                   /* rules are checked of each pair of them after each event: many cost more than they show */
#define OWNERS (LOT_UNITS + UNITS_MOST) /* of lots */
#define CHOICES_MOST 4096
#define STEPS_MOST 8000u                /* a world may be busy as long as it likes, but nobody has to look on */

static jmp_buf cut_short;

void broken(const struct world *w, const char *format, ...)
{
	char text[400];
	va_list args;
	if (w->n_steps > w->most_steps)
		longjmp(cut_short, 1);
	va_start(args, format);
	int n = snprintf(text, sizeof text, "at %llu ms: ", (unsigned long long)w->now_ms);
	vsnprintf(text + n, sizeof text - (size_t)n, format, args);
	va_end(args);
	finding(text);
}

/* Most draws are of a hundred or fewer; some are of times. */
static uint32_t next_choice(struct input *in)
{
	uint32_t byte = (uint32_t)input_number(in, 1);
	return byte < 0xe0 ? byte : (byte & 0x1f) << 16 | (uint32_t)input_number(in, 2);
}

static void give(struct choices *c, struct input in)
{
	static uint32_t values[OWNERS][CHOICES_MOST];
	uint32_t n[OWNERS] = { 0 }, at = 0;
	while (in.n) {
		uint32_t owner = input_below(&in, 256) % OWNERS;
		for (uint32_t left = (uint32_t)input_number(&in, 1); left > 0 && in.n && n[owner] < CHOICES_MOST; left--)
			values[owner][n[owner]++] = next_choice(&in);
	}
	for (uint32_t lot = 0; lot <= N_LOTS; lot++) {
		c->first[lot] = at;
		for (uint32_t i = 0; lot < OWNERS && i < n[lot]; i++)
			c->given[at++] = values[lot][i];
	}
}

/* Its last ms, if it was cut short; 0. */
static uint64_t run(struct input in, uint64_t most_steps)
{
	static struct world w;
	static struct choices choices;
	memset(&w, 0, sizeof w);
	w.choices = &choices;
	w.most_steps = most_steps;
	give(&choices, in);
	bool is_cut = setjmp(cut_short);
	if (!is_cut)
		world_run(&w);
	world_end(&w);
	return is_cut ? w.now_ms : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct input in = { bytes, n };
	uint64_t end_ms = run(in, STEPS_MOST);
	/* In one that is only busy time goes on. */
	if (end_ms && run(in, 2 * STEPS_MOST) == end_ms)
		finding("there is an end to what happens in one ms");
	return 0;
}
