/* What a world has drawn, lot by lot: sorted, given again, written and read. */
#include "attempt.h"

#include <stdlib.h>
#include <string.h>

void choices_sort(const struct choices *c, struct choice_list *l)
{
	uint32_t at[N_LOTS + 1] = { 0 };
	for (uint32_t i = 0; i < c->n; i++)
		at[c->lots[i] + 1]++;
	for (uint32_t lot = 0; lot < N_LOTS; lot++)
		at[lot + 1] += at[lot];
	for (uint32_t i = 0; i < c->n; i++) {
		uint32_t to = at[c->lots[i]]++;
		l->values[to] = c->values[i];
		l->lots[to] = c->lots[i];
		l->begins[to] = c->begins[i];
	}
	l->n = c->n;
}

void choices_give(struct choices *c, const struct choice_list *l)
{
	memset(c->first, 0, sizeof c->first);
	for (uint32_t i = 0; i < l->n; i++)
		c->first[l->lots[i] + 1]++;
	for (uint32_t lot = 0; lot < N_LOTS; lot++)
		c->first[lot + 1] += c->first[lot];
	memcpy(c->given, l->values, l->n * sizeof *l->values);
}

/* "choices 3 5 0x12 7": of lot 3; of the many that are alike only how many, and what is dull at the end comes by itself. */
void choices_write(FILE *out, const struct choices *c)
{
	for (uint32_t lot = 0; lot < N_LOTS; lot++) {
		uint32_t end = c->first[lot + 1];
		while (end > c->first[lot] && c->given[end - 1] == 0)
			end--;
		if (end > c->first[lot])
			fprintf(out, "choices %u", lot);
		for (uint32_t i = c->first[lot], n; i < end; i += n) {
			for (n = 1; i + n < end && c->given[i + n] == c->given[i];)
				n++;
			fprintf(out, n > 1 ? " %ux%u" : " %u", c->given[i], n);
		}
		if (end > c->first[lot])
			putc('\n', out);
	}
}

static void read_lot(struct choice_list *l, char *p)
{
	uint32_t lot = (uint32_t)strtoul(p, &p, 10);
	for (char *next; lot < N_LOTS; p = next) {
		uint32_t value = (uint32_t)strtoul(p, &next, 10);
		if (next == p)
			return;
		uint32_t n = *next == 'x' ? (uint32_t)strtoul(next + 1, &next, 10) : 1;
		for (; n > 0 && l->n < CHOICES_MAX; n--) {
			l->values[l->n] = value;
			l->lots[l->n++] = (uint8_t)lot;
		}
	}
}

/* Written in the order of the lots, and so read. */
bool choices_read(FILE *in, struct choices *c)
{
	struct choice_list *l = calloc(1, sizeof *l);
	char *line = NULL;
	size_t size = 0;
	while (getline(&line, &size, in) > 0)
		if (!strncmp(line, "choices ", 8))
			read_lot(l, line + 8);
	choices_give(c, l);
	bool is_any = l->n > 0;
	free(line);
	free(l);
	return is_any;
}
