#include "load.h"
#include "lib/graph.h"

#include <stdlib.h>

#define CYCLE_SHOWN 12  /* units of a cycle that a line names; of a longer one it tells how many more there are */

static struct draft *draft_at(struct load *load, uint32_t i)
{
	return &LIST_AT(load->drafts, struct draft, i);
}

uint32_t draft_place(struct load *load, struct str name, bool *is_there)
{
	uint32_t low = 0, high = load->drafts.n;
	*is_there = false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = str_order(name, draft_at(load, middle)->name);
		if (order == 0) {
			*is_there = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static uint32_t index_of(struct load *load, struct str name)
{
	bool is_there;
	uint32_t i = draft_place(load, name, &is_there);
	return is_there ? i : NO_UNIT;
}

/* As files write it. */
static const char *link_name(enum link kind)
{
	for (size_t i = 0; i < n_directives; i++)
		if (directives[i].reading == READ_UNITS && directives[i].which == kind)
			return directives[i].key.p;
	return "?";
}

/* ---- what a link makes of both ends ---- */

/* Slices are groups of cgroups, which come later; a unit that wants one lacks nothing by it. */
static bool is_slice(struct str name)
{
	return str_ends(name, STR(".slice"));
}

/* A broken unit counts as one that is not there: nobody waits for it, and who requires it cannot start. */
static bool is_usable(struct load *load, uint32_t i)
{
	return i != NO_UNIT && !draft_at(load, i)->is_broken;
}

static bool is_of_a_type_that_runs(struct str name)
{
	return str_ends(name, STR(".service")) || target_is(name);
}

bool link_needs_what_is_not_run(enum link kind, struct str name)
{
	return link_effects[kind].is_needed && !is_slice(name) && !is_of_a_type_that_runs(name);
}

/*
 * A .socket or .mount that there is a file for, and that is not run: most services open their sockets themselves where nobody
 * passes them one, so the start is tried; what cannot do without says so itself.
 */
static void miss(const struct load *load, struct draft *d, const struct draft_link *link)
{
	bool is_of_no_type = link_needs_what_is_not_run(link->kind, link->name);
	if (!link_effects[link->kind].is_needed || is_slice(link->name))
		return;
	if (is_of_no_type && find_has_file(load, link->name)) {
		approximate(d, link->line, "%s=%.*s, which is not yet a type that is run: taken as there", link_name(link->kind),
			    STR_ARG(link->name));
		return;
	}
	const char *why = link->other != NO_UNIT ? "cannot be started" : is_of_no_type ? "is not yet a type that is run" : "is not there";
	d->unit.flags |= UNIT_DEPENDENCY_MISSING;
	complain(d, link->line, "%s=%.*s, which %s: every start will fail for want of it", link_name(link->kind),
		 STR_ARG(link->name), why);
}

/* systemd.service(5), "Implicit Dependencies". Only told, and only where that is how the bus starts: another may be there. */
static void miss_bus(const struct load *load, struct draft *d)
{
	if (d->unit.type == TYPE_DBUS && !d->is_broken && find_has_file(load, STR("dbus.socket")))
		approximate(d, 0, "Type=dbus implies Requires=dbus.socket, which is not yet a type that is run: taken as there");
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
				miss(load, d, link);
		}
		miss_bus(load, d);
	}
}

/* ---- edges: of one unit to one other, all kinds in one ---- */

struct link_edge {
	uint32_t from;
	struct edge edge;
};

static void add_edge(struct list *edges, uint32_t from, uint32_t to, uint32_t kinds)
{
	if (kinds)
		*(struct link_edge *)list_add(edges, sizeof(struct link_edge)) = (struct link_edge){ from, { to, kinds } };
}

static bool is_order(const struct draft_link *link)
{
	return link->kind == LINK_AFTER || link->kind == LINK_BEFORE;
}

/* None of these have an order, and they may go round in circles. */
static void add_needs(struct load *load, struct list *edges)
{
	for (uint32_t i = 0; i < load->drafts.n; i++) {
		struct draft *d = draft_at(load, i);
		for (uint32_t l = 0; l < d->links.n && !d->is_broken; l++) {
			const struct draft_link *link = &LIST_AT(d->links, struct draft_link, l);
			const struct link_effects *effects = &link_effects[link->kind];
			if (!is_usable(load, link->other) || link->other == i || is_order(link))
				continue;
			add_edge(edges, i, link->other, effects->here);
			add_edge(edges, link->other, i, effects->there);
		}
	}
}

static int by_units(const void *a, const void *b)
{
	const struct link_edge *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->edge.unit > y->edge.unit) - (x->edge.unit < y->edge.unit);
}

static void keep_edges(struct load *load, struct list *edges)
{
	const struct link_edge *last = NULL;
	struct edge *edge = NULL;

	if (edges->n)
		qsort(edges->items, edges->n, sizeof(struct link_edge), by_units);
	for (uint32_t i = 0; i < edges->n; i++) {
		const struct link_edge *e = &LIST_AT(*edges, struct link_edge, i);
		if (!last || by_units(last, e) != 0) {
			edge = list_add(&draft_at(load, e->from)->edges, sizeof *edge);
			edge->unit = e->edge.unit;
		}
		edge->kinds |= e->edge.kinds;
		last = e;
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
			if (!is_usable(load, link->other) || !is_order(link))
				continue;
			bool is_after = link->kind == LINK_AFTER;
			struct graph_edge *e = list_add(&order.edges, sizeof *e);
			*e = (struct graph_edge){ .from = is_after ? i : link->other, .to = is_after ? link->other : i,
						  .tag = order.origins.n, .is_soft = link->is_implied };
			*(struct origin *)list_add(&order.origins, sizeof(struct origin)) = (struct origin){ i, l };
		}
	return order;
}

static struct str short_name(struct load *load, uint32_t unit)
{
	struct str name = draft_at(load, unit)->name, suffix = STR(".service");
	return str_ends(name, suffix) ? str_of(name.p, name.n - suffix.n) : name;
}

static void tell_cycle(struct load *load, const struct order *order, const struct graph_cycle *cycle)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what is below a list's count is there */
	struct origin from = LIST_AT(order->origins, struct origin, cycle->cut->tag);
	struct draft *d = draft_at(load, from.unit);
	const struct draft_link *link = &LIST_AT(d->links, struct draft_link, from.link);
	struct buf b = keep_buf((CYCLE_SHOWN + 2) * (UNIT_NAME_MAX + 16));
	uint32_t n = cycle->n_nodes > CYCLE_SHOWN ? CYCLE_SHOWN : cycle->n_nodes;

	for (uint32_t i = 0; i < n; i++) {
		buf_str(&b, short_name(load, cycle->nodes[i]));
		buf_lit(&b, " after ");
	}
	if (n < cycle->n_nodes) {
		buf_lit(&b, "... (");
		buf_u64(&b, cycle->n_nodes - n);
		buf_lit(&b, " more) after ");
	}
	buf_str(&b, short_name(load, cycle->nodes[0]));
	complain(d, link->line, "ordering cycle: %.*s; %s\"%s=%.*s\" is ignored", STR_ARG(buf_view(&b)),
		 link->is_implied ? "the implied " : "", link_name(link->kind), STR_ARG(link->name));
}

static void add_order(struct load *load, struct list *edges)
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
		add_edge(edges, e->from, e->to, link_effects[LINK_AFTER].here);
		add_edge(edges, e->to, e->from, link_effects[LINK_AFTER].there);
	}
}

/* Two that are started by being there, and exclude one another: the core starts the first (has_wanted_rival). */
static void tell_rivals(struct load *load)
{
	for (uint32_t i = 0; i < load->drafts.n; i++) {
		struct draft *d = draft_at(load, i);
		for (uint32_t e = 0; e < d->edges.n && !d->is_broken; e++) {
			const struct edge *edge = &LIST_AT(d->edges, struct edge, e);
			const struct draft *first = draft_at(load, edge->unit);
			if ((edge->kinds & EDGE_CONFLICTS) && edge->unit < i && (d->unit.flags & first->unit.flags & UNIT_WANTED))
				complain(d, 0, "conflicts with %.*s, which is there to be started, too: only that one is",
					 STR_ARG(first->name));
		}
	}
}

void link_units(struct load *load)
{
	struct list edges = { .n = 0 };

	imply_dependencies(load);
	resolve(load);
	add_needs(load, &edges);
	add_order(load, &edges);
	keep_edges(load, &edges);
	tell_rivals(load);
}
