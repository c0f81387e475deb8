#include "ctl.h"

#include <signal.h>

static struct str name_of(const char *const *table, size_t n, size_t i)
{
	return str_from(i < n ? table[i] : "?");
}

#define NAME(table, i) name_of(table, countof(table), (i))

static void number_or_null(struct json *j, const char *key, uint64_t v, uint64_t none)
{
	if (v == none)
		json_null(j, key);
	else
		json_number(j, key, v);
}

/* ---- a unit ---- */

static void knob(struct json *j, const char *key, uint64_t v)
{
	if (v == KNOB_UNSET || v == KNOB_INFINITY)
		json_null(j, key);
	else
		json_number(j, key, v);
}

static void unit_notes(struct json *j, const struct notes *notes)
{
	json_array(j, "notes");
	for (size_t i = 0; notes && i < notes->n; i++)
		json_item(j, str_from(notes->lines[i]));
	json_end_array(j);
}

static void unit_warning(struct json *j, const struct unit_packet *p)
{
	if (p->has_warning)
		json_text(j, "warning", str_from(line_warning(p->warned_step, p->warned_error).text));
	else
		json_null(j, "warning");
}

void view_unit_json(const struct unit_packet *p, const struct notes *notes)
{
	struct json j;
	json_open(&j, stdout);
	json_text(&j, "unit", str_from(p->unit));
	json_text(&j, "state", NAME(state_name, p->state));
	json_text(&j, "want", p->want ? STR("up") : STR("down"));
	number_or_null(&j, "main_pid", p->main_pid, 0);
	json_number(&j, "since_ms", p->since_ms);
	json_number(&j, "generation", p->generation);
	json_number(&j, "restarts", p->n_restarts);
	json_number(&j, "oom_kills", p->n_oom_kills);
	json_number(&j, "crashes", p->n_crashes);
	json_signed(&j, "oom_score_adj", p->oom_score_adj);
	number_or_null(&j, "next_start_ms", p->next_start_ms, FOREVER_MS);
	json_text(&j, "result", NAME(result_name, p->result));
	number_or_null(&j, "last_death", p->last_death, 0);

	json_text_or_null(&j, "step", NAME(step_name, p->step));
	json_text(&j, "type", NAME(type_names, p->type));
	json_text_or_null(&j, "restart", NAME(restart_names, p->restart));
	json_text(&j, "oom_policy", NAME(oom_policy_names, p->oom_policy));
	knob(&j, "memory_max", p->knobs[KNOB_MEMORY_MAX]);
	number_or_null(&j, "control_pid", p->control_pid, 0);
	json_text_or_null(&j, "description", str_from(p->description));
	json_text_or_null(&j, "file", str_from(p->file));
	json_text_or_null(&j, "status_text", str_from(p->status_text));
	json_text_or_null(&j, "condition", str_from(p->unmet));
	json_text_or_null(&j, "cgroup", str_from(p->has_cgroup ? p->cgroup : ""));
	json_bool(&j, "helper", p->is_helper);
	unit_warning(&j, p);
	if (notes)
		unit_notes(&j, notes);
	json_close(&j);
}

/* ---- a death ---- */

static void evidence(struct json *j, uint8_t bits)
{
	json_array(j, "evidence");
	if (bits & EVIDENCE_KMSG)
		json_item(j, STR("kmsg"));
	if (bits & EVIDENCE_MEMORY_EVENTS)
		json_item(j, STR("memory.events"));
	if (bits & EVIDENCE_OOM_CONTROL)
		json_item(j, STR("oom_control"));
	if (bits & EVIDENCE_VMSTAT)
		json_item(j, STR("vmstat"));
	json_end_array(j);
}

static void oom_members(struct json *j, const struct oom_kill *k, uint8_t bits, const uint64_t *seq)
{
	json_text_or_null(j, "scope", k->scope == OOM_GLOBAL ? STR("global") : k->scope == OOM_MEMCG ? STR("memcg") : STR(""));
	if (bits & EVIDENCE_KMSG)
		json_bool(j, "group", k->is_group);
	else
		json_null(j, "group");
	evidence(j, bits);
	json_text_or_null(j, "constraint", str_from(k->constraint));
	json_text_or_null(j, "memcg", str_from(k->memcg));
	json_text_or_null(j, "task_memcg", str_from(k->task_memcg));
	json_text_or_null(j, "invoked_by", str_from(k->invoked_by));
	number_or_null(j, "total_vm_kb", k->total_vm_kb, KMSG_UNTOLD_KB);
	number_or_null(j, "anon_rss_kb", k->anon_rss_kb, KMSG_UNTOLD_KB);
	number_or_null(j, "file_rss_kb", k->file_rss_kb, KMSG_UNTOLD_KB);
	number_or_null(j, "shmem_rss_kb", k->shmem_rss_kb, KMSG_UNTOLD_KB);
	number_or_null(j, "pgtables_kb", k->pgtables_kb, KMSG_UNTOLD_KB);
	if (k->oom_score_adj == KMSG_UNTOLD_ADJ)
		json_null(j, "oom_score_adj");
	else
		json_signed(j, "oom_score_adj", k->oom_score_adj);
	number_or_null(j, "uid", k->uid, KMSG_UNTOLD_UID);
	if (seq)
		json_number(j, "kmsg_seq", *seq);
	else
		json_null(j, "kmsg_seq");
}

static void oom(struct json *j, const struct death *d)
{
	json_object(j, "oom");
	oom_members(j, &d->oom, d->evidence, d->evidence & EVIDENCE_KMSG ? &d->oom.seq : NULL);
	json_end_object(j);
}

void view_kill_json(const struct oom_kill *k, const char *when, uint64_t line, const uint64_t *seq)
{
	struct json j;
	json_open(&j, stdout);
	json_number(&j, "pid", k->pid);
	json_number(&j, "tgid", k->tgid);
	json_text_or_null(&j, "comm", str_from(k->comm));
	json_text_or_null(&j, "when", str_from(when));
	json_number(&j, "line", line);
	json_text(&j, "cause", NAME(cause_name, CAUSE_OOM_KILL));
	oom_members(&j, k, EVIDENCE_KMSG, seq);
	json_close(&j);
}

static void how_it_ended(struct json *j, const struct death *d)
{
	bool is_exit = d->code == CLD_EXITED, is_signal = d->code == CLD_KILLED || d->code == CLD_DUMPED;
	number_or_null(j, "exit_code", is_exit ? d->status : UINT64_MAX, UINT64_MAX);
	number_or_null(j, "signal", is_signal ? d->status : UINT64_MAX, UINT64_MAX);
	json_bool(j, "core_dumped", d->code == CLD_DUMPED);
}

static void sender(struct json *j, const struct sender *s)
{
	if (s->pid == 0) {
		json_null(j, "sender");
		return;
	}
	json_object(j, "sender");
	json_number(j, "pid", s->pid);
	json_text(j, "comm", str_from(s->comm));
	json_number(j, "uid", s->uid);
	json_end_object(j);
}

static void start_failure(struct json *j, const struct death *d)
{
	char text[128];
	struct buf b = BUF(text);
	say_error(&b, d->launch_error);
	json_text(j, "step", str_from(d->launch_step < N_LAUNCH_STEP ? launch_step_info[d->launch_step].setting : "?"));
	json_text(j, "error", buf_view(&b));
}

void view_death_members(struct json *j, const struct death *d)
{
	json_number(j, "id", d->id);
	json_text(j, "unit", str_from(d->unit));
	json_number(j, "generation", d->generation);
	number_or_null(j, "pid", d->pid, 0);
	json_bool(j, "main", d->is_main);
	json_text_or_null(j, "comm", str_from(d->comm));
	json_time(j, "time", d->wall_ms);
	json_number(j, "uptime_ms", d->uptime_ms);
	json_text(j, "cause", NAME(cause_name, d->cause));
	how_it_ended(j, d);
	sender(j, &d->sender);
	if (d->cause == CAUSE_OOM_KILL)
		oom(j, d);
	else
		json_null(j, "oom");
	json_bool(j, "restart", d->is_restart);
	number_or_null(j, "delay_ms", d->is_restart ? d->delay_ms : UINT64_MAX, UINT64_MAX);
	json_bool(j, "oom_besides", d->has_oom_besides);
	json_bool(j, "oom_possible", d->doubt != DOUBT_NONE);
	json_text_or_null(j, "oom_doubt", d->doubt < N_DOUBT ? str_from(oom_doubt_name[d->doubt]) : STR("?"));
	if (d->cause == CAUSE_START_FAILED)
		start_failure(j, d);
}

void view_death_json(const struct death *d)
{
	struct json j;
	json_open(&j, stdout);
	view_death_members(&j, d);
	json_close(&j);
}

/* ---- a note ---- */

static const char *const note_name[N_NOTE_KIND] = {
	[NOTE_STARTING] = "starting", [NOTE_UP] = "up", [NOTE_DEATH] = "death", [NOTE_BACKOFF] = "backoff",
	[NOTE_STOPPING] = "stopping", [NOTE_IDLE] = "idle", [NOTE_FAILED] = "failed", [NOTE_DONE] = "done",
	[NOTE_RELOADING] = "reloading", [NOTE_WARNING] = "warning", [NOTE_AMENDED] = "amended",
	[NOTE_KMSG_LOST] = "kmsg-lost", [NOTE_UNITS] = "units", [NOTE_LOAD_FAILED] = "load-failed",
	[NOTE_SYSTEM] = "system", [NOTE_BUG] = "bug", [NOTE_CRASHED] = "crashed", [NOTE_UPGRADED] = "upgraded",
};

static void note_value(struct json *j, const struct note *n)
{
	switch (n->kind) {
	case NOTE_UP:
		json_number(j, "after_ms", n->value);
		break;
	case NOTE_BACKOFF:
		json_number(j, "delay_ms", n->value);
		break;
	case NOTE_FAILED:
		json_text(j, "result", NAME(result_name, n->value));
		break;
	case NOTE_UNITS:
		json_number(j, "units", n->value);
		break;
	case NOTE_SYSTEM:
		json_text(j, "power", NAME(power_name, n->value));
		break;
	default:
		break;
	}
}

void view_note_json(const struct note *n, const struct death *d)
{
	struct json j;
	json_open(&j, stdout);
	json_text(&j, "event", NAME(note_name, n->kind));
	json_time(&j, "time", n->wall_ms);
	json_text_or_null(&j, "unit", str_from(n->unit));
	if (n->unit[0])
		json_number(&j, "generation", n->generation);
	number_or_null(&j, "pid", n->pid, 0);
	note_value(&j, n);
	json_text(&j, "text", str_from(d ? line_death(d).text : line_note(n).text));
	if (d) {
		json_object(&j, "death");
		view_death_members(&j, d);
		json_end_object(&j);
	}
	json_close(&j);
}
