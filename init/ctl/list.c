/* oomphctl list: a table of the services. */
#include "ctl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT, STATE, PID, SINCE, RESTARTS, OOM, SCORE, N_COLUMN };

static const char *const headings[N_COLUMN] = {
	[UNIT] = "UNIT", [STATE] = "STATE", [PID] = "PID", [SINCE] = "SINCE", [RESTARTS] = "RESTARTS", [OOM] = "OOM",
	[SCORE] = "SCORE",
};

struct row {
	struct line cells[N_COLUMN];
	struct line description;
};

struct listing {
	const struct ask *ask;
	struct row *rows;
	size_t n;
};

__attribute__((format(printf, 1, 2))) static struct line print(const char *format, ...)
{
	struct line l;
	va_list args;
	va_start(args, format);
	vsnprintf(l.text, sizeof l.text, format, args);
	va_end(args);
	return l;
}

static struct row row_of(const struct unit_packet *p)
{
	return (struct row){
		.cells = {
			[UNIT] = line_unit(p->unit),
			[STATE] = print("%s", p->state < N_STATE ? state_name[p->state] : "?"),
			[PID] = p->main_pid ? print("%u", p->main_pid) : print("-"),
			[SINCE] = line_ms(p->since_ms),
			[RESTARTS] = print("%u", p->n_restarts),
			[OOM] = print("%u", p->n_oom_kills),
			[SCORE] = print("%d", p->oom_score_adj),
		},
		.description = line_text(p->description),
	};
}

static void take_unit(struct wire *w, void *to)
{
	struct listing *l = to;
	if (w->in.head.kind != PACKET_UNIT || (w->in.unit.is_helper && !(l->ask->options & OPTION_ALL)))
		return;
	if (l->ask->is_json) {
		view_unit_json(&w->in.unit, NULL);
		return;
	}
	l->rows = realloc(l->rows, (l->n + 1) * sizeof *l->rows);
	if (!l->rows)
		leave(LEAVE_FAILED, "out of memory");
	l->rows[l->n++] = row_of(&w->in.unit);
}

static void print_row(const struct row *row, const int *widths)
{
	for (int c = 0; c < N_COLUMN; c++)
		printf(c >= RESTARTS ? "%*s  " : "%-*s  ", widths[c], row->cells[c].text);
	printf("%s\n", row->description.text);
}

static void print_table(const struct listing *l)
{
	struct row head = { .description = print("DESCRIPTION") };
	int widths[N_COLUMN];
	for (int c = 0; c < N_COLUMN; c++) {
		head.cells[c] = print("%s", headings[c]);
		widths[c] = (int)strlen(headings[c]);
		for (size_t i = 0; i < l->n; i++)
			if ((int)strlen(l->rows[i].cells[c].text) > widths[c])
				widths[c] = (int)strlen(l->rows[i].cells[c].text);
	}
	print_row(&head, widths);
	for (size_t i = 0; i < l->n; i++)
		print_row(&l->rows[i], widths);
}

int list_main(const struct ask *ask)
{
	struct listing l = { .ask = ask };
	struct request r = request_of(ask, NULL);
	struct wire w;
	wire_open(&w, ask);
	expect_ok(wire_exchange(&w, &r, take_unit, &l), ask, NULL);
	if (!ask->is_json)
		print_table(&l);
	return LEAVE_OK;
}
