#include "lib/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
	struct graph_edge *edges, *spare;
	uint32_t *words;
	struct graph graph;
};

static struct world given(uint32_t n_nodes, const struct graph_edge *edges, uint32_t n_edges)
{
	struct world w = {
		.edges = calloc(n_edges + 1, sizeof *edges), .spare = calloc(n_edges + 1, sizeof *edges),
		.words = calloc(graph_words(n_nodes), sizeof(uint32_t)),
	};
	if (n_edges)
		memcpy(w.edges, edges, n_edges * sizeof *edges);
	w.graph = graph_begin(n_nodes, w.edges, w.spare, n_edges, w.words);
	return w;
}

static void done(struct world *w)
{
	free(w->edges);
	free(w->spare);
	free(w->words);
}

static bool is_cut(const struct world *w, uint32_t tag)
{
	for (uint32_t i = 0; i < w->graph.n_edges; i++)
		if (w->graph.edges[i].tag == tag)
			return w->graph.edges[i].is_cut;
	fail();
	return false;
}

static void an_order_without_cycles_stays_whole(void **state)
{
	(void)state;
	struct graph_cycle cycle;
	struct world w = given(4, (struct graph_edge[]){ { 3, 0, 0, false, false }, { 0, 1, 1, false, false }, { 0, 2, 2, false, false },
							 { 1, 2, 3, false, false }, { 3, 2, 4, false, false } }, 5);
	assert_false(graph_next_cycle(&w.graph, &cycle));
	for (uint32_t tag = 0; tag < 5; tag++)
		assert_false(is_cut(&w, tag));
	done(&w);
}

static void a_cycle_is_named_link_by_link_and_loses_one_edge(void **state)
{
	(void)state;
	struct graph_cycle cycle;
	/* 0 leads into 1 after 2 after 3 after 1. */
	struct world w = given(4, (struct graph_edge[]){ { 0, 1, 0, false, false }, { 1, 2, 1, false, false }, { 2, 3, 2, false, false },
							 { 3, 1, 3, false, false } }, 4);
	assert_true(graph_next_cycle(&w.graph, &cycle));
	assert_int_equal(cycle.n_nodes, 3);
	assert_memory_equal(cycle.nodes, ((uint32_t[]){ 1, 2, 3 }), sizeof(uint32_t[3]));
	assert_int_equal(cycle.cut->tag, 3);
	assert_false(graph_next_cycle(&w.graph, &cycle));
	assert_true(is_cut(&w, 3));
	assert_false(is_cut(&w, 0) || is_cut(&w, 1) || is_cut(&w, 2));
	done(&w);
}

/* 0 after 1 after 2 after 3 after 0, of which 1 after 2 is soft: what hung behind it is reached from elsewhere, and has its own cycle. */
static void a_soft_edge_goes_rather_than_the_one_that_closes(void **state)
{
	(void)state;
	struct graph_cycle cycle;
	struct world w = given(4, (struct graph_edge[]){ { 0, 1, 0, false, false }, { 1, 2, 1, false, true }, { 2, 3, 2, false, false },
							 { 3, 0, 3, false, false }, { 3, 2, 4, false, false } }, 5);
	assert_true(graph_next_cycle(&w.graph, &cycle));
	assert_int_equal(cycle.n_nodes, 4);
	assert_int_equal(cycle.cut->tag, 1);
	assert_true(graph_next_cycle(&w.graph, &cycle));
	assert_int_equal(cycle.n_nodes, 2);
	assert_false(graph_next_cycle(&w.graph, &cycle));
	assert_false(is_cut(&w, 0) || is_cut(&w, 3));
	done(&w);
}

static void doubled_edges_and_loops_go_quietly(void **state)
{
	(void)state;
	struct graph_cycle cycle;
	struct world w = given(2, (struct graph_edge[]){ { 1, 0, 0, false, false }, { 0, 0, 1, false, false }, { 1, 0, 2, false, false },
							 { 1, 1, 3, false, false } }, 4);
	assert_false(graph_next_cycle(&w.graph, &cycle));
	assert_false(is_cut(&w, 0));
	assert_true(is_cut(&w, 1) && is_cut(&w, 2) && is_cut(&w, 3));
	done(&w);
}

static void two_cycles_are_two_answers(void **state)
{
	(void)state;
	struct graph_cycle cycle;
	struct world w = given(4, (struct graph_edge[]){ { 0, 1, 0, false, false }, { 1, 0, 1, false, false }, { 2, 3, 2, false, false },
							 { 3, 2, 3, false, false } }, 4);
	assert_true(graph_next_cycle(&w.graph, &cycle) && cycle.n_nodes == 2 && cycle.nodes[0] == 0);
	assert_true(graph_next_cycle(&w.graph, &cycle) && cycle.n_nodes == 2 && cycle.nodes[0] == 2);
	assert_false(graph_next_cycle(&w.graph, &cycle));
	done(&w);
}

static void a_chain_of_ten_thousand_is_a_cycle_like_any_other(void **state)
{
	(void)state;
	enum { N = 10000 };
	struct graph_edge *edges = calloc(N, sizeof *edges);
	struct graph_cycle cycle;
	for (uint32_t i = 0; i < N; i++)
		edges[i] = (struct graph_edge){ i, (i + 1) % N, i, false, false };
	struct world w = given(N, edges, N);
	assert_true(graph_next_cycle(&w.graph, &cycle));
	assert_int_equal(cycle.n_nodes, N);
	assert_false(graph_next_cycle(&w.graph, &cycle));
	free(edges);
	done(&w);
}

static void nothing_at_all_is_no_cycle(void **state)
{
	(void)state;
	struct graph_cycle cycle;
	struct world w = given(0, NULL, 0);
	assert_false(graph_next_cycle(&w.graph, &cycle));
	done(&w);
}

/* What is left of any graph can be put in an order: nodes without uncut edges are taken away until none is left. */
static bool can_be_ordered(const struct graph *g)
{
	uint32_t n_left = g->n_nodes, n_before;
	bool is_gone[16] = { false };
	do {
		n_before = n_left;
		for (uint32_t node = 0; node < g->n_nodes; node++) {
			bool waits = false;
			for (uint32_t i = 0; i < g->n_edges; i++)
				waits |= g->edges[i].from == node && !g->edges[i].is_cut && !is_gone[g->edges[i].to];
			if (!is_gone[node] && !waits) {
				is_gone[node] = true;
				n_left--;
			}
		}
	} while (n_left < n_before);
	return n_left == 0;
}

static bool is_of(const struct graph_cycle *cycle, const struct graph_edge *e)
{
	for (uint32_t n = 0; n < cycle->n_nodes; n++)
		if (e->from == cycle->nodes[n] && e->to == cycle->nodes[(n + 1) % cycle->n_nodes])
			return true;
	return false;
}

/* Of the edges of the cycle, that which was cut among them: doubled ones are cut from the start. */
static bool has_soft(const struct graph *g, const struct graph_cycle *cycle)
{
	bool has = false;
	for (uint32_t i = 0; i < g->n_edges; i++)
		if ((!g->edges[i].is_cut || &g->edges[i] == cycle->cut) && is_of(cycle, &g->edges[i]))
			has |= g->edges[i].is_soft;
	return has;
}

static void any_graph_can_be_ordered_and_every_cut_was_a_cycle(void **state)
{
	(void)state;
	unsigned seed = 7;
	for (int round = 0; round < 5000; round++) {
		struct graph_edge edges[24];
		struct graph_cycle cycle;
		uint32_t n_nodes = 1 + (uint32_t)round % 8, n_edges = (uint32_t)round % 24;
		for (uint32_t i = 0; i < n_edges; i++) {
			uint32_t from = (seed = seed * 1103515245u + 12345u) / 65536u % n_nodes;
			uint32_t to = (seed = seed * 1103515245u + 12345u) / 65536u % n_nodes;
			edges[i] = (struct graph_edge){ from, to, i, false, seed >> 30 == 0 };
		}
		struct world w = given(n_nodes, edges, n_edges);
		while (graph_next_cycle(&w.graph, &cycle)) {
			assert_true(cycle.n_nodes >= 2 && cycle.n_nodes <= n_nodes);
			assert_true(is_of(&cycle, cycle.cut));
			assert_int_equal(cycle.cut->is_soft, has_soft(&w.graph, &cycle));
		}
		assert_true(can_be_ordered(&w.graph));
		done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_without_cycles_stays_whole),
		cmocka_unit_test(a_cycle_is_named_link_by_link_and_loses_one_edge),
		cmocka_unit_test(a_soft_edge_goes_rather_than_the_one_that_closes),
		cmocka_unit_test(doubled_edges_and_loops_go_quietly),
		cmocka_unit_test(two_cycles_are_two_answers),
		cmocka_unit_test(a_chain_of_ten_thousand_is_a_cycle_like_any_other),
		cmocka_unit_test(nothing_at_all_is_no_cycle),
		cmocka_unit_test(any_graph_can_be_ordered_and_every_cut_was_a_cycle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
