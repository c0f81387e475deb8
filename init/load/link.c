#include "load.h"
#include "lib/graph.h"

#include <string.h>

#define CYCLE_SHOWN 12  /* units of a cycle that a line names; of a longer one it tells how many more there are */

static struct draft *draft_at(struct load *load, uint32_t i)
{
	return &LIST_AT(load->drafts, struct draft, i);
}

static uint32_t index_of(struct load *load, struct str name)
{
	uint32_t low = 0, high = load->drafts.n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct str other = draft_at(load, middle)->name;
		size_t n = name.n < other.n ? name.n : other.n;
		int order = memcmp(name.p, other.p, n);
		if (order == 0 && name.n == other.n)
			return middle;
		if (order < 0 || (order == 0 && name.n < other.n))
			high = middle;
		else
			low = middle + 1;
	}
	return NO_UNIT;
}

/* Targets and slices are groups of units that come later; a unit that wants one lacks nothing by it. */
static bool is_group(struct str name)
{
	return str_ends(name, STR(".target")) || str_ends(name, STR(".slice"));
}

/* A broken unit counts as one that is not there: nobody waits for it, and who requires it cannot start. */
static bool is_usable(struct load *load, uint32_t i)
{
	return i != NO_UNIT && !draft_at(load, i)->is_broken;
}

static void miss(struct draft *d, const struct draft_link *link)
{
	if (link->kind != LINK_REQUIRES || is_group(link->name))
		return;
	const char *why = link->other != NO_UNIT ? "cannot be started" :
			  str_ends(link->name, STR(".service")) ? "is not there" : "is not yet a type that is run";
	d->unit.flags |= UNIT_DEPENDENCY_MISSING;
	complain(d, link->line, "Requires=%.*s, which %s: every start will fail for want of it",
		 STR_ARG(link->name), why);
}

/* Indices for the names. */
static void resolve(struct load *load)
{
	for (uint32_t i = 0; i < load->drafts.n; i++) {
		struct draft *d = draft_at(load, i);
		for (uint32_t l = 0; l < d->links.n && !d->is_broken; l++) {
			struct draft_link *link = &LIST_AT(d->links, struct draft_link, l);
			link->other = index_of(load, link->name);
			if (!is_usable(load, link->other))
				miss(d, link);
		}
	}
}

static void add_index(struct list *list, uint32_t index)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (LIST_AT(*list, uint32_t, i) == index)
			return;
	*(uint32_t *)list_add(list, sizeof index) = index;
}

/* Requires= and Wants= have no order and may go round in circles. */
static void link_needs(struct load *load)
{
	for (uint32_t i = 0; i < load->drafts.n; i++) {
		struct draft *d = draft_at(load, i);
		for (uint32_t l = 0; l < d->links.n && !d->is_broken; l++) {
			const struct draft_link *link = &LIST_AT(d->links, struct draft_link, l);
			if (!is_usable(load, link->other) || link->other == i)
				continue;
			if (link->kind == LINK_WANTS)
				add_index(&d->wants, link->other);
			if (link->kind == LINK_REQUIRES) {
				add_index(&d->requires, link->other);
				add_index(&draft_at(load, link->other)->required_by, i);
			}
		}
	}
}

/* ---- order ---- */

/* Where an edge of the order was written. */
struct origin {
	uint32_t unit, link;
};

struct order {
	struct list edges;      /* of struct graph_edge, tagged with the number of their origin */
	struct list origins;    /* of struct origin */
};

static struct order collect(struct load *load)
{
	struct order order = { .edges = { .n = 0 } };

	for (uint32_t i = 0; i < load->drafts.n; i++)
		for (uint32_t l = 0; l < draft_at(load, i)->links.n && is_usable(load, i); l++) {
			const struct draft_link *link = &LIST_AT(draft_at(load, i)->links, struct draft_link, l);
			if (!is_usable(load, link->other) || (link->kind != LINK_AFTER && link->kind != LINK_BEFORE))
				continue;
			bool is_after = link->kind == LINK_AFTER;
			struct graph_edge *e = list_add(&order.edges, sizeof *e);
			*e = (struct graph_edge){ is_after ? i : link->other, is_after ? link->other : i,
						  order.origins.n, false };
			*(struct origin *)list_add(&order.origins, sizeof(struct origin)) = (struct origin){ i, l };
		}
	return order;
}

static struct str stem(struct load *load, uint32_t unit)
{
	struct str name = draft_at(load, unit)->name;
	return str_of(name.p, str_rfind(name, STR(".")));
}

static void tell_cycle(struct load *load, const struct order *order, const struct graph_cycle *cycle)
{
	struct origin from = LIST_AT(order->origins, struct origin, cycle->closing->tag);
	struct draft *d = draft_at(load, from.unit);
	const struct draft_link *link = &LIST_AT(d->links, struct draft_link, from.link);
	struct buf b = keep_buf((CYCLE_SHOWN + 2) * (UNIT_NAME_MAX + 16));
	uint32_t n = cycle->n_nodes > CYCLE_SHOWN ? CYCLE_SHOWN : cycle->n_nodes;

	for (uint32_t i = 0; i < n; i++) {
		buf_str(&b, stem(load, cycle->nodes[i]));
		buf_lit(&b, " after ");
	}
	if (n < cycle->n_nodes) {
		buf_lit(&b, "... (");
		buf_u64(&b, cycle->n_nodes - n);
		buf_lit(&b, " more) after ");
	}
	buf_str(&b, stem(load, cycle->nodes[0]));
	complain(d, link->line, "ordering cycle: %.*s; \"%s=%.*s\" is ignored", STR_ARG(buf_view(&b)),
		 link->kind == LINK_AFTER ? "After" : "Before", STR_ARG(link->name));
}

static void link_order(struct load *load)
{
	uint32_t n = load->drafts.n;
	struct order order = collect(load);
	struct graph g = graph_begin(n, order.edges.items, keep(order.edges.n * sizeof(struct graph_edge)),
				     order.edges.n, keep(graph_words(n) * sizeof(uint32_t)));
	struct graph_cycle cycle;

	while (graph_next_cycle(&g, &cycle))
		tell_cycle(load, &order, &cycle);
	for (uint32_t i = 0; i < g.n_edges; i++) {
		const struct graph_edge *e = &g.edges[i];
		if (e->is_cut)
			continue;
		*(uint32_t *)list_add(&draft_at(load, e->from)->after, sizeof(uint32_t)) = e->to;
		*(uint32_t *)list_add(&draft_at(load, e->to)->before, sizeof(uint32_t)) = e->from;
	}
}

void link_units(struct load *load)
{
	resolve(load);
	link_needs(load);
	link_order(load);
}
