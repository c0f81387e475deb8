#include "graph.h"

#include <string.h>

#define NEW 0u
#define LEFT UINT32_MAX         /* everything behind it has been walked */

size_t graph_words(uint32_t n_nodes)
{
	return (size_t)n_nodes * 4 + 1;
}

/* Counting sort by `from`: stable, so that edges stay in the order in which they were written. */
static void group(struct graph *g, struct graph_edge *spare)
{
	uint32_t *first = g->first;

	memset(first, 0, (g->n_nodes + 1) * sizeof *first);
	for (uint32_t i = 0; i < g->n_edges; i++)
		first[g->edges[i].from + 1]++;
	for (uint32_t i = 0; i < g->n_nodes; i++)
		first[i + 1] += first[i];
	if (g->n_edges)
		memcpy(spare, g->edges, g->n_edges * sizeof *spare);
	memcpy(g->next, first, g->n_nodes * sizeof *first);
	for (uint32_t i = 0; i < g->n_edges; i++)
		g->edges[g->next[spare[i].from]++] = spare[i];
}

/* `place` serves as "the last node that had an edge to this one" (plus one) while doubles are looked for. */
static void cut_doubles(struct graph *g)
{
	for (uint32_t i = 0; i < g->n_edges; i++) {
		struct graph_edge *e = &g->edges[i];
		e->is_cut = e->is_cut || e->from == e->to || g->place[e->to] == e->from + 1;
		if (!e->is_cut)
			g->place[e->to] = e->from + 1;
	}
}

struct graph graph_begin(uint32_t n_nodes, struct graph_edge *edges, struct graph_edge *spare, uint32_t n_edges,
			 uint32_t *words)
{
	struct graph g = { .edges = edges, .n_nodes = n_nodes, .n_edges = n_edges };

	g.first = words;
	g.next = g.first + n_nodes + 1;
	g.place = g.next + n_nodes;
	g.path = g.place + n_nodes;
	group(&g, spare);
	memset(g.place, 0, n_nodes * sizeof *g.place);
	cut_doubles(&g);
	memset(g.place, 0, n_nodes * sizeof *g.place);
	memcpy(g.next, g.first, n_nodes * sizeof *g.next);
	return g;
}

static void enter(struct graph *g, uint32_t node)
{
	g->path[g->depth++] = node;
	g->place[node] = g->depth;
}

static struct graph_edge *taken_from(const struct graph *g, uint32_t node)
{
	return &g->edges[g->next[node] - 1];
}

/* Back on the path to where edge `e` began: what was entered by it may be reached another way, and is new again. */
static void retreat(struct graph *g, const struct graph_edge *e)
{
	while (g->path[g->depth - 1] != e->from) {
		uint32_t node = g->path[--g->depth];
		g->place[node] = NEW;
		g->next[node] = g->first[node];
	}
}

/* The path from place `place` on closes a cycle with the edge taken last. */
static struct graph_cycle open_cycle(struct graph *g, uint32_t place)
{
	struct graph_cycle cycle = { NULL, g->path + place - 1, g->depth - place + 1 };
	struct graph_edge *cut;
	uint32_t n = 0;
	do
		cut = taken_from(g, cycle.nodes[n]);
	while (!cut->is_soft && ++n < cycle.n_nodes);
	cut->is_cut = true;
	cycle.cut = cut;
	retreat(g, cut);
	return cycle;
}

/* Walks depth first. An edge back to a node that is still on the path closes a cycle, and every cycle has one. */
bool graph_next_cycle(struct graph *g, struct graph_cycle *cycle)
{
	for (;;) {
		while (g->depth == 0) {
			if (g->root == g->n_nodes)
				return false;
			if (g->place[g->root] == NEW)
				enter(g, g->root);
			g->root++;
		}
		uint32_t node = g->path[g->depth - 1];
		if (g->next[node] == g->first[node + 1]) {
			g->place[node] = LEFT;
			g->depth--;
			continue;
		}
		const struct graph_edge *e = &g->edges[g->next[node]++];
		uint32_t place = g->place[e->to];
		if (e->is_cut || place == LEFT)
			continue;
		if (place == NEW) {
			enter(g, e->to);
			continue;
		}
		*cycle = open_cycle(g, place);
		return true;
	}
}
