#include "load.h"

#include <stdio.h>
#include <stdlib.h>

#define CHUNK (256u << 10)

/* Nothing is ever given back, the process lives for seconds: pieces are cut off large chunks, one behind the other. */
static struct chunk {
	struct chunk *before;
	size_t n, used;
	_Alignas(16) unsigned char bytes[];
} *chunk;

static void add_chunk(size_t n)
{
	size_t size = n > CHUNK ? n : CHUNK;
	struct chunk *fresh = calloc(1, sizeof *fresh + size);
	if (!fresh) {
		fputs("oomph-load: out of memory: the units stay as they were\n", stderr);
		exit(1);
	}
	fresh->before = chunk;
	fresh->n = size;
	chunk = fresh;
}

void *keep(size_t n)
{
	n = (n + 15) & ~(size_t)15;
	if (!chunk || chunk->n - chunk->used < n)
		add_chunk(n);
	chunk->used += n;
	return chunk->bytes + chunk->used - n;
}

struct buf scratch(size_t cap)
{
	static char *p;
	static size_t most;
	if (most < cap + 1) {
		most = 2 * cap + 4096;
		p = keep(most);
	}
	return (struct buf){ .p = p, .cap = cap };
}
