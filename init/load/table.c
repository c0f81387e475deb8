/* Names to numbers: a set has thousands of units, and each of them is looked for by every other one that names it. */
#include "load.h"

struct table_slot {
	struct str name;                /* p is NULL where the slot is free */
	uint32_t value;
};

/* FNV-1a, 32 bits. Whoever could make names collide could as well fill the folder. */
static uint32_t hash(struct str s)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h;
}

/* The slot of that name, or the free one where it belongs; there always is one, tables are at most half full. */
static struct table_slot *slot_of(const struct table *t, struct str name)
{
	uint32_t i = hash(name) & (t->cap - 1);
	while (t->slots[i].name.p && !str_eq(t->slots[i].name, name))
		i = (i + 1) & (t->cap - 1);
	return &t->slots[i];
}

static void grow(struct table *t)
{
	struct table larger = { .cap = t->cap ? t->cap * 2 : 64, .n = t->n };
	larger.slots = keep(larger.cap * sizeof *larger.slots);
	for (uint32_t i = 0; i < t->cap; i++)
		if (t->slots[i].name.p)
			*slot_of(&larger, t->slots[i].name) = t->slots[i];
	*t = larger;
}

uint32_t table_find(const struct table *t, struct str name)
{
	const struct table_slot *slot = t->cap ? slot_of(t, name) : NULL;
	return slot && slot->name.p ? slot->value : NO_UNIT;
}

void table_put(struct table *t, struct str name, uint32_t value)
{
	if (t->n * 2 >= t->cap)
		grow(t);
	struct table_slot *slot = slot_of(t, name);
	t->n += !slot->name.p;
	*slot = (struct table_slot){ name, value };
}
