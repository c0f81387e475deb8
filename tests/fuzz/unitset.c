/*
 * A hostile unit set against PID 1's check: whatever passes is used in every way that PID 1 and its children use one.
 *
 * The input changes a sound set in which every list has something, in places, and is then what happens to its services. So
 * most of what is tried gets past the first word of it, and an input says the same when the layout has changed.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

/* In memory of its very size, with a header that does not give it away. */
static unsigned char *hostile_set(struct input *in, size_t *n)
{
	struct str sound = sound_set();
	unsigned char *patched = malloc(sound.n);
	struct unitset_header *h = (void *)patched;
	memcpy(patched, sound.p, *n = sound.n);
	/* The units, and what they point to. */
	size_t lists_at = h->units_at + h->n_units * sizeof(struct unit);
	patch(patched, n, in, (struct ground[]){ { h->units_at, lists_at - h->units_at }, { lists_at, *n - lists_at } });
	h->size = (uint32_t)*n;
	h->checksum = unitset_sum(h + 1, *n - sizeof *h);
	struct str set = exactly(str_of((char *)patched, *n));
	free(patched);
	return (unsigned char *)set.p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	size_t n;
	unsigned char *bytes = hostile_set(&in, &n);
	if (!unitset_check(bytes, n)) {
		struct machine m;
		struct unitset units = { bytes, (uint32_t)n };
		read_units(units);
		machine_boot(&m, units, input_below(&in, 2) ? MODE_VM : MODE_CONTAINER);
		machine_run(&m, &in);
		machine_end(&m);
	}
	free(bytes);
	return 0;
}
