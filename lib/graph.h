/*
 * Which unit comes after which: a graph of indices, its cycles found and cut, in time linear in its edges (and in the
 * length of a cycle for each soft edge cut) and without recursion, so that ten thousand units in one chain are as good as two.
 */
#ifndef OOMPH_GRAPH_H
#define OOMPH_GRAPH_H

#include "str.h"

struct graph_edge {
	uint32_t from, to;      /* `from` has an edge to `to`: it comes after it, or requires it */
	uint32_t tag;           /* the caller's own: where it was written, say */
	bool is_cut;            /* doubled, of a unit to itself, or cut to open a cycle */
	bool is_soft;           /* is cut rather than the others of its cycle */
};

struct graph {
	struct graph_edge *edges;       /* grouped by `from` once graph_begin() is done */
	uint32_t n_nodes, n_edges;
	uint32_t *first;                /* n_nodes + 1: where the edges of a node begin */
	uint32_t *next;                 /* per node: its edge to be walked next; of those on the path the one before it was taken */
	uint32_t *place;                /* per node: its depth on the path from 1, NEW or LEFT */
	uint32_t *path;                 /* the nodes from the walk's root to where it stands */
	uint32_t depth, root;
};

/* How many uint32_t and edges of room the graph needs beside its edges. */
size_t graph_words(uint32_t n_nodes);

/*
 * Groups `edges` by their origin and cuts doubled ones (the first given stays) and those of a unit to itself. `spare`
 * has room for as many edges and is free again afterwards; `words` has room for graph_words() and stays the graph's.
 * All indices are below n_nodes.
 */
struct graph graph_begin(uint32_t n_nodes, struct graph_edge *edges, struct graph_edge *spare, uint32_t n_edges,
			 uint32_t *words);

/* A cycle: the edge of it that was cut, and its nodes: nodes[0] comes after nodes[1] ... the last after nodes[0]. */
struct graph_cycle {
	const struct graph_edge *cut;
	const uint32_t *nodes;
	uint32_t n_nodes;
};

/*
 * The next cycle; its first soft edge is cut, or else the one that closes it. False when there is none left, and what is not cut then has no cycle.
 * `nodes` is good until the next call.
 */
bool graph_next_cycle(struct graph *g, struct graph_cycle *cycle);

#endif
