/* oomphctl status and version: what stands. */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>

#define STATUS_LINES 10

/* ---- the answer to VERB_STATUS ---- */

static void add_note(struct notes *notes, const char *text)
{
	notes->lines = realloc(notes->lines, (notes->n + 1) * sizeof *notes->lines);
	if (!notes->lines)
		leave(LEAVE_FAILED, "out of memory");
	memcpy(notes->lines[notes->n++], text, sizeof *notes->lines);
}

static void take_standing(struct wire *w, void *to)
{
	struct standing *s = to;
	if (w->in.head.kind == PACKET_UNIT)
		s->unit = w->in.unit;
	else if (w->in.head.kind == PACKET_TEXT)
		add_note(&s->notes, w->in.text.text);
	else if (w->in.head.kind == PACKET_DEATH)
		s->death = w->in.death.death;
}

void standing_ask(struct wire *w, const struct ask *ask, const char *unit, struct standing *s)
{
	struct request r = request_of(ask, unit);
	r.verb = VERB_STATUS;
	*s = (struct standing){ 0 };
	expect_ok(wire_exchange(w, &r, take_standing, s), ask, unit);
}

/* ---- for people ---- */

static void field(const char *name, const char *text)
{
	if (text[0])
		printf("%10s: %s\n", name, text);
}

static void print_state(const struct unit_packet *p)
{
	const char *step = p->step < N_STEP ? step_name[p->step] : "";
	printf("%10s: %s", "State", p->state < N_STATE ? state_name[p->state] : "?");
	if (step[0])
		printf(" (%s)", step);
	else if (p->state == FAILED)
		printf(" (%s)", p->result < N_RESULT ? result_name[p->result] : "?");
	printf(" for %s, wanted %s\n", line_ms(p->since_ms).text, p->want ? "up" : "down");
	if (p->next_start_ms != FOREVER_MS)
		printf("%10s: in %s\n", "Next start", line_ms(p->next_start_ms).text);
}

static void print_pid(const struct unit_packet *p)
{
	if (p->main_pid)
		printf("%10s: %u, for %s\n", "Main PID", p->main_pid, line_ms(p->uptime_ms).text);
	if (p->control_pid)
		printf("%10s: %u\n", "Command", p->control_pid);
}

/* A file of the service's cgroup as a number. False where it cannot be read, or says "max". */
static bool read_knob(const struct unit_packet *p, const char *file, uint64_t *value)
{
	char path[sizeof p->cgroup + 64];
	unsigned long long number;
	snprintf(path, sizeof path, "/sys/fs/cgroup%s/%s", p->cgroup, file);
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	bool is_number = fscanf(f, "%llu", &number) == 1;
	fclose(f);
	*value = number;
	return is_number;
}

static void print_memory(const struct unit_packet *p)
{
	uint64_t current, most;
	if (!p->has_cgroup || !read_knob(p, "memory.current", &current))
		return;
	printf("%10s: %s", "Memory", line_kb(current / 1024).text);
	if (read_knob(p, "memory.max", &most))
		printf(" of at most %s", line_kb(most / 1024).text);
	printf("\n");
}

static void print_counts(const struct unit_packet *p)
{
	printf("%10s: oom_score_adj %d, OOMPolicy=%s, killed %u time%s\n", "OOM", p->oom_score_adj,
	       p->oom_policy < N_OOM_POLICY ? oom_policy_names[p->oom_policy] : "?", p->n_oom_kills,
	       p->n_oom_kills == 1 ? "" : "s");
	printf("%10s: %u (generation %u)\n", "Restarts", p->n_restarts, p->generation);
}

static void print_death(const struct standing *s)
{
	if (s->death.id)
		printf("%10s: %s: %s\n", "Last death", line_time("%Y-%m-%d %H:%M:%S", s->death.wall_ms).text,
		       line_death(&s->death).text);
	else if (s->unit.last_death)
		printf("%10s: number %llu, too long ago to be kept\n", "Last death", (unsigned long long)s->unit.last_death);
}

static void print_standing(const struct standing *s)
{
	const struct unit_packet *p = &s->unit;
	printf("%s", p->unit);
	if (p->description[0])
		printf(" - %s", line_text(p->description).text);
	printf("\n");
	field("File", line_text(p->file).text);
	print_state(p);
	if (p->unmet[0])
		printf("%10s: %s, as of %s ago\n", "Condition", line_unmet(p->unmet).text, line_ms(p->since_ms).text);
	print_pid(p);
	print_memory(p);
	print_counts(p);
	field("Status", line_raw(p->status_text).text);
	print_death(s);
	if (p->has_warning)
		field("Warning", line_warning(p->warned_step, p->warned_error).text);
	for (size_t i = 0; i < s->notes.n; i++)
		field("Note", line_text(s->notes.lines[i]).text);
}

int status_main(const struct ask *ask)
{
	struct standing s;
	struct wire w;
	wire_open(&w, ask);
	standing_ask(&w, ask, ask->args[0], &s);
	if (ask->is_json) {
		view_unit_json(&s.unit, &s.notes);
		return LEAVE_OK;
	}
	print_standing(&s);
	if (logs_are_here(&w)) {
		logs_sync(wire_folder(ask), s.unit.unit);
		logs_print_last(s.unit.unit, STATUS_LINES);
	}
	return LEAVE_OK;
}

/* ---- version ---- */

static void take_version(struct wire *w, void *to)
{
	if (w->in.head.kind == PACKET_VERSION)
		*(struct version_packet *)to = w->in.version;
}

static const char *mode_name(unsigned mode)
{
	static const char *const names[] = { [MODE_VM] = "vm", [MODE_CONTAINER] = "container", [MODE_COMMAND] = "command" };
	return mode < countof(names) ? names[mode] : "?";
}

static const char *build_words(const uint8_t *build)
{
	static char text[2 * BUILD_ID_SIZE + 1];
	for (size_t i = 0; i < BUILD_ID_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", build[i]);
	return text;
}

static void version_json(const struct version_packet *v)
{
	struct json j;
	json_open(&j, stdout);
	json_text(&j, "version", str_from(v->version));
	json_number(&j, "protocol", v->proto_version);
	json_text(&j, "mode", str_from(mode_name(v->mode)));
	json_number(&j, "uptime_ms", v->uptime_ms);
	json_number(&j, "services", v->n_services);
	json_bool(&j, "kmsg", v->has_kmsg);
	json_bool(&j, "cgroup", v->has_cgroup);
	json_number(&j, "kmsg_lost", v->n_kmsg_lost);
	json_number(&j, "bugs", v->n_bugs);
	json_number(&j, "crashes", v->n_crashes);
	json_bool(&j, "reaps_only", v->reaps_only);
	json_text(&j, "build", str_from(build_words(v->build)));
	json_close(&j);
}

static void print_version(const struct version_packet *v)
{
	printf("oomph %s (protocol %u), PID 1 of a %s for %s, %u services\n", v->version, v->proto_version, mode_name(v->mode),
	       line_ms(v->uptime_ms).text, v->n_services);
	printf("kernel log %s, cgroups %s\n", v->has_kmsg ? "readable" : "not readable",
	       v->has_cgroup ? "in use" : "not in use");
	if (v->n_kmsg_lost)
		printf("the kernel log was overrun %llu times\n", (unsigned long long)v->n_kmsg_lost);
	if (v->n_crashes)
		printf("%u crashes that it came back from, see `oomphctl crashes`\n", v->n_crashes);
	if (v->reaps_only)
		printf("it has crashed too often and only reaps; `oomphctl upgrade` brings another one\n");
	if (v->n_bugs)
		printf("%u impossible events: please report them\n", v->n_bugs);
}

int version_main(const struct ask *ask)
{
	struct version_packet v = { 0 };
	struct request r = request_of(ask, NULL);
	struct wire w;
	wire_open(&w, ask);
	expect_ok(wire_exchange(&w, &r, take_version, &v), ask, NULL);
	if (ask->is_json)
		version_json(&v);
	else
		print_version(&v);
	return LEAVE_OK;
}
