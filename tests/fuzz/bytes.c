#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sanitizers' own way: the fuzzer keeps the input of whatever aborts. */
void finding(const char *what)
{
	dprintf(2, "fuzz: it does not hold that %s\n", what);
	abort();
}

uint64_t input_number(struct input *in, size_t n_bytes)
{
	uint64_t number = 0;
	for (size_t i = 0; i < n_bytes && in->n; i++, in->n--)
		number |= (uint64_t)*in->p++ << 8 * i;
	return number;
}

uint32_t input_below(struct input *in, uint32_t below)
{
	return (uint32_t)input_number(in, below <= 1 ? 0 : below <= 256 ? 1 : below <= 65536 ? 2 : 4) % (below ? below : 1);
}

struct str input_text(struct input *in)
{
	size_t n = input_number(in, 1);
	struct str text = str_of((const char *)in->p, n < in->n ? n : in->n);
	in->p += text.n;
	in->n -= text.n;
	return text;
}

struct str input_rest(struct input *in)
{
	struct str text = str_of((const char *)in->p, in->n);
	in->n = 0;
	return text;
}

struct str exactly(struct str text)
{
	char *p = malloc(text.n ? text.n : 1);
	if (text.n)
		memcpy(p, text.p, text.n);
	return str_of(p, text.n);
}

void must_lie_within(struct str part, struct str whole)
{
	must(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}
