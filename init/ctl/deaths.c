/* oomphctl deaths, why and events: what happened. */
#include "ctl.h"

#include <string.h>
#include <unistd.h>

/* ---- tables of deaths ---- */

static const char *next_words(const struct death *d)
{
	static char text[64];
	if (!d->is_restart)
		return "-";
	snprintf(text, sizeof text, "%.32s", d->delay_ms ? line_ms(d->delay_ms).text : "at once");
	return text;
}

/* uptime_ms is the main process's, whoever died. */
static const char *lived_words(const struct death *d)
{
	static char text[64];
	if (!d->is_main || d->cause == CAUSE_START_FAILED)
		return "-";
	snprintf(text, sizeof text, "%.32s", line_ms(d->uptime_ms).text);
	return text;
}

static void print_heading(void)
{
	printf("%4s  %-19s  %-16s %7s  %-15s  %-11s  %-11s  %s\n", "ID", "TIME", "UNIT", "PID", "COMMAND", "LIVED", "RESTART",
	       "CAUSE");
}

/* Fixed widths, so that those that come later (-f) stand in the same columns. */
static void print_death(const struct death *d)
{
	char pid[16] = "-";
	if (d->pid)
		snprintf(pid, sizeof pid, "%u", d->pid);
	printf("%4llu  %-19s  %-16s %7s  %-15s  %-11s  %-11s  %s\n", (unsigned long long)d->id,
	       line_time("%Y-%m-%d %H:%M:%S", d->wall_ms).text, line_unit(d->unit).text, pid,
	       d->comm[0] ? line_raw(d->comm).text : "-", lived_words(d), next_words(d), line_cause(d).text);
}

static void show(const struct ask *ask, const struct death *d)
{
	if (ask->is_json)
		view_death_json(d);
	else
		print_death(d);
}

static void take_death(struct wire *w, void *to)
{
	if (w->in.head.kind == PACKET_DEATH)
		show(to, &w->in.death.death);
}

struct of_unit {
	const struct ask *ask;
	const char *unit;
	unsigned n;
};

static void take_death_of(struct wire *w, void *to)
{
	struct of_unit *o = to;
	const struct death *d = &w->in.death.death;
	if (w->in.head.kind != PACKET_DEATH || !str_eq(say_unit(d->unit), say_unit(o->unit)))
		return;
	o->n++;
	show(o->ask, d);
}

/* Its file may be gone, and its deaths be kept all the same. */
static enum answer show_deaths_of_gone(struct wire *w, const struct ask *ask, const char *unit)
{
	struct request r = request_of(ask, NULL);
	struct of_unit of = { ask, unit, 0 };
	enum answer answer = wire_exchange(w, &r, take_death_of, &of);
	return answer == ANSWER_OK && of.n == 0 ? ANSWER_NO_SUCH_UNIT : answer;
}

int deaths_main(const struct ask *ask)
{
	const char *unit = ask->args[0];
	struct request r = request_of(ask, unit);
	struct wire w;
	bool follows = ask->options & OPTION_FOLLOW;
	r.flags = follows ? REQUEST_FOLLOW : 0;
	wire_open(&w, ask);
	if (!ask->is_json)
		print_heading();
	enum answer answer = wire_exchange(&w, &r, take_death, (void *)ask);
	if (answer == ANSWER_NO_SUCH_UNIT && !follows)
		answer = show_deaths_of_gone(&w, ask, unit);
	expect_ok(answer, ask, unit);
	while (follows) {        /* NOLINT(bugprone-infinite-loop): a signal ends it, or PID 1 */
		fflush(stdout);
		wire_wait(&w, ask);
		take_death(&w, (void *)ask);
	}
	return LEAVE_OK;
}

/* ---- why ---- */

static void fact(const char *name, const char *text)
{
	if (text[0])
		printf("  %-9s %s\n", name, text);
}

static void print_size(const char **separator, uint64_t kb, const char *what)
{
	if (kb == KMSG_UNTOLD_KB)
		return;
	printf("%s%s %s", *separator, line_kb(kb).text, what);
	*separator = ", ";
}

static void print_sizes(const struct oom_kill *k)
{
	const char *separator = "  Sizes     ";
	print_size(&separator, k->anon_rss_kb, "anonymous");
	print_size(&separator, k->file_rss_kb, "of files");
	print_size(&separator, k->shmem_rss_kb, "shared");
	print_size(&separator, k->pgtables_kb, "page tables");
	print_size(&separator, k->total_vm_kb, "address space");
	if (separator[0] == ',')
		printf("\n");
}

static void print_oom(const struct death *d)
{
	const struct oom_kill *k = &d->oom;
	fact("Reason", line_reason(d).text);
	if (k->invoked_by[0])
		printf("  %-9s %s was asking for memory at that moment\n", "Occasion", line_raw(k->invoked_by).text);
	print_sizes(k);
	if (k->oom_score_adj != KMSG_UNTOLD_ADJ)
		printf("  %-9s oom_score_adj %d\n", "Score", k->oom_score_adj);
	if (k->is_group)
		fact("Group", "its whole cgroup was killed with it (memory.oom.group)");
	fact("Cgroup", line_raw(k->task_memcg).text);
}

static const char *down_words(const struct unit_packet *p)
{
	if (!p->want)
		return "stays down: it was told to stop";
	if (p->result == RESULT_START_LIMIT)
		return "stays down: started too often, its StartLimitBurst= is reached";
	if (p->state == DONE)
		return "stays down: it is done";
	if (p->restart == RESTART_UNSET)
		return "stays down: the unit sets no Restart=, and only an OOM kill is answered without";
	if (p->restart == RESTART_NO)
		return "stays down: the unit says Restart=no";
	return "stays down: its Restart= does not cover this end";
}

static void print_next(const struct standing *s)
{
	const struct unit_packet *p = &s->unit;
	const char *again = s->death.id && p->generation > s->death.generation ? " again" : "";
	printf("  %-9s ", "Now");
	if (p->state == BACKOFF)
		printf("starts again in %s\n", line_ms(p->next_start_ms).text);
	else if (p->state == UP)
		printf("is up%s for %s (generation %u)\n", again, line_ms(p->since_ms).text, p->generation);
	else if (p->state == STARTING)
		printf("is starting%s (generation %u)\n", again, p->generation);
	else if (p->state == STOPPING || p->state == SWEEPING)
		printf("its remains are being ended\n");
	else
		printf("%s\n", down_words(p));
}

static const char *role_words(const struct death *d)
{
	return d->is_main ? "main process" : d->code ? "a command of it" : "a worker";
}

static void print_what(const struct death *d)
{
	printf("  %-9s %s", "What", role_words(d));
	if (d->pid)
		printf(", pid %u", d->pid);
	if (d->comm[0])
		printf(" (%s)", line_raw(d->comm).text);
	printf(", generation %u%s\n", d->generation, d->is_main || d->code ? "" : "; the main process lives on");
}

/* What was kept of the moment, and where all of it is to be had. */
static void print_record(const struct ask *ask, const struct ring *r, const struct death *d)
{
	char folder[108], path[512];
	const struct victim_slot *v = ring_death(r, d->id);
	if (!v)
		return;
	record_facts(stdout, v, ring_incident(r, v));
	snprintf(folder, sizeof folder, "%.*s", (int)wire_folder(ask).n, ask->socket);
	record_path(path, sizeof path, folder, v->unit);
	if (access(path, F_OK) == 0)
		fact("Record", path);
}

static struct last_words words_of(const struct ring *r, const char *unit, const struct death *d)
{
	struct last_words words = { .n = 0 };
	if (r->has_logs)
		last_words(&words, unit, d, r->bytes ? r->bytes->since_wall_ms : 0);
	return words;
}

static void print_why(const struct ask *ask, const struct ring *ring, const char *unit, const struct death *d)
{
	struct last_words words = words_of(ring, unit, d);
	printf("%s: %s\n", line_unit(d->unit).text, line_cause(d).text);
	printf("  %-9s %s\n", "When", line_time("%a %Y-%m-%d %H:%M:%S", d->wall_ms).text);
	if (d->cause != CAUSE_START_FAILED)
		print_what(d);
	if (d->cause != CAUSE_START_FAILED && d->is_main)
		fact("Lived", line_ms(d->uptime_ms).text);
	if (d->cause == CAUSE_OOM_KILL)
		print_oom(d);
	if (d->has_oom_besides)
		fact("Besides", "the kernel's OOM killer was at work in its cgroup as well");
	fact("Evidence", line_evidence(d).text);
	print_record(ask, ring, d);
	last_words_print(stdout, &words);
}

/* Wounds: OOM kills of workers, which end no generation and so are not the unit's last death. */
struct wounds {
	uint64_t after;                 /* the last death that was one */
	struct death last;
	unsigned n;
};

static void take_wound(struct wire *w, void *to)
{
	struct wounds *wounds = to;
	const struct death *d = &w->in.death.death;
	if (w->in.head.kind != PACKET_DEATH || d->is_main || d->cause != CAUSE_OOM_KILL || d->id <= wounds->after)
		return;
	wounds->last = *d;
	wounds->n++;
}

static void why_for_people(const struct ask *ask, const struct ring *ring, const struct standing *s, const struct wounds *wounds)
{
	struct line unit = line_unit(s->unit.unit);
	if (s->death.id)
		print_why(ask, ring, s->unit.unit, &s->death);
	else if (s->unit.last_death)
		printf("%s: its last death (number %llu) is too long ago to be kept\n", unit.text,
		       (unsigned long long)s->unit.last_death);
	else if (wounds->n == 0)
		printf("%s: has not died\n", unit.text);
	if (s->death.id && wounds->n)
		printf("  %-9s %u of its workers were killed for memory; the last:\n", "Since", wounds->n);
	if (wounds->n)
		print_why(ask, ring, s->unit.unit, &wounds->last);
	if (s->death.id || wounds->n)
		print_next(s);
}

static void why_for_programs(const struct ring *ring, const char *unit, const struct death *d)
{
	const struct victim_slot *v = ring_death(ring, d->id);
	struct json j;
	if (v) {
		fputs(record_line(ring, v, false), stdout);
		return;
	}
	struct last_words words = words_of(ring, unit, d);
	json_open(&j, stdout);
	view_death_members(&j, d);
	last_words_json(&j, &words);
	json_close(&j);
}

int why_main(const struct ask *ask)
{
	struct standing s;
	struct ring ring;
	struct wire w;
	struct request r = request_of(ask, ask->args[0]);
	r.verb = VERB_DEATHS;
	wire_open(&w, ask);
	standing_ask(&w, ask, ask->args[0], &s);
	struct wounds wounds = { .after = s.unit.last_death };
	expect_ok(wire_exchange(&w, &r, take_wound, &wounds), ask, ask->args[0]);
	ring_ask(&ring, &w);
	if (ring.has_logs)
		logs_sync(wire_folder(ask), s.unit.unit);
	if (!ask->is_json)
		why_for_people(ask, &ring, &s, &wounds);
	else if (s.death.id || wounds.n)
		why_for_programs(&ring, s.unit.unit, s.death.id ? &s.death : &wounds.last);
	return LEAVE_OK;
}

/* ---- events ---- */

static void show_event(const struct ask *ask, const struct note *n, const struct death *d)
{
	if (ask->is_json) {
		view_note_json(n, d);
		return;
	}
	printf("%s.%03u  %s\n", line_time("%H:%M:%S", n->wall_ms).text, (unsigned)(n->wall_ms % 1000),
	       d ? line_death(d).text : line_note(n).text);
}

/* A death comes right before the note that tells of it. */
int events_main(const struct ask *ask)
{
	struct request r = request_of(ask, NULL);
	struct death death = { 0 };
	struct wire w;
	r.flags = REQUEST_FOLLOW;
	wire_open(&w, ask);
	expect_ok(wire_exchange(&w, &r, NULL, NULL), ask, NULL);
	for (;;) {
		wire_wait(&w, ask);
		if (w.in.head.kind == PACKET_DEATH)
			death = w.in.death.death;
		if (w.in.head.kind != PACKET_NOTE)
			continue;
		const struct note *n = &w.in.note.note;
		bool has_death = n->death && n->death == death.id;
		show_event(ask, n, has_death ? &death : NULL);
		fflush(stdout);
	}
}
