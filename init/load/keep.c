#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

struct str keep_str(struct str s)
{
	char *p = keep(s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	return str_of(p, s.n);
}

struct buf keep_buf(size_t cap)
{
	return (struct buf){ .p = keep(cap + 1), .cap = cap };
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

struct str keep_print(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *p = keep((size_t)n + 1);
	va_start(args, format);
	vsnprintf(p, (size_t)n + 1, format, args);
	va_end(args);
	return str_of(p, (size_t)n);
}

void *list_add(struct list *list, size_t item_size)
{
	if (list->n == list->cap) {
		uint32_t cap = list->cap ? list->cap * 2 : 4;
		void *items = keep(cap * item_size);
		if (list->n)
			memcpy(items, list->items, list->n * item_size);
		list->items = items;
		list->cap = cap;
	}
	return (char *)list->items + list->n++ * item_size;
}

void list_add_str(struct list *list, struct str s)
{
	*(struct str *)list_add(list, sizeof s) = s;
}

bool list_has(const struct list *list, struct str s)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (str_eq(LIST_AT(*list, struct str, i), s))
			return true;
	return false;
}

struct str list_joined(const struct list *list, struct str between)
{
	size_t n = 0;
	for (uint32_t i = 0; i < list->n; i++)
		n += LIST_AT(*list, struct str, i).n + between.n;
	struct buf b = keep_buf(n);
	for (uint32_t i = 0; i < list->n; i++) {
		if (i)
			buf_str(&b, between);
		buf_str(&b, LIST_AT(*list, struct str, i));
	}
	return buf_view(&b);
}
