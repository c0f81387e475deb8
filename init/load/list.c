/* Texts and lists that live as long as the process. */
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
