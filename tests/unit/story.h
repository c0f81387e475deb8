/*
 * Stories about core_step(): given units, when something happens, then effects and states. Time is made up, and there
 * are no processes: a story says what the kernel would have said. Included by the test that tells them.
 */
#ifndef OOMPH_TESTS_STORY_H
#define OOMPH_TESTS_STORY_H

#include "lib/core.h"
#include "lib/names.h"
#include "lib/state.h"
#include "tests/sim/units.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* No test tells of everything that can happen. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define UNITS 600
#define PROCESSES 64
#define BOOT_MS 1000u
#define WALL_MS 1700000000000u
#define TOLD 65536

/* The world of one story. */
static struct {
	struct core *core;
	struct unitset units;
	struct unitset next;                    /* of a reload: written, not in force yet */
	uint64_t now_ms;
	uint32_t next_pid;
	uint64_t kmsg_seq;
	bool has_counters, has_kmsg;
	struct sender sender;           /* of whatever kills */
	uint32_t counters[UNITS];
	struct { uint32_t pid, service; } processes[PROCESSES];
	char did[TOLD];                         /* effects but notes and replies, since somebody asked */
	char notes[TOLD];
	uint32_t n_did, n_steps, n_launches, n_units;
	int answer;
	bool is_quiet;                          /* keep no text: for many units */
	struct core *image;                     /* as it was when the journal began */
	char *journal;                          /* of the events since */
	size_t n_journal;
	uint64_t n_events;
} w;

/* ---- every story can be told again: from an image of the core, and a journal of what happened since ---- */

static void begin_journal(void)
{
	free(w.image);
	w.image = malloc(w.core->size);
	memcpy(w.image, w.core, w.core->size);
	w.n_journal = 0;
	w.n_events = 0;
}

static void note_in_journal(const struct event *ev)
{
	union entry_space e = { .head = { .number = ++w.n_events } };
	entry_write(&e, ev);
	w.journal = realloc(w.journal, w.n_journal + e.head.size);
	memcpy(w.journal + w.n_journal, &e, e.head.size);
	w.n_journal += e.head.size;
}

static void then_told_again_is_the_same(void)
{
	if (state_replay(w.image, w.units, w.journal, w.n_journal, 0, 0) != w.n_events)
		fail_msg("the journal could not be read to its end");
	if (memcmp(w.image, w.core, w.core->size) != 0)
		fail_msg("told again, the story ends otherwise");
	const char *wrong = state_check(w.core, w.core->size, w.units);
	if (wrong)
		fail_msg("%s", wrong);
}

/* ---- given: units from a line of text, "db: Restart=always Pre=1; app: After=db" ---- */

static uint32_t ms_of(struct str value)
{
	uint64_t ms;
	if (str_eq(value, STR("infinity")))
		return FOREVER_MS;
	if (!str_u64(value, &ms))
		fail_msg("no time: %.*s", (int)value.n, value.p);
	return (uint32_t)ms;
}

static uint8_t word_of(struct str value, const char *const *words, uint8_t n)
{
	for (uint8_t i = 0; i < n; i++)
		if (str_eq(value, str_from(words[i])))
			return i;
	fail_msg("not a word for this: %.*s", (int)value.n, value.p);
	return 0;
}

static uint32_t plan_find(const struct plan *plans, uint32_t n, struct str name)
{
	for (uint32_t i = 0; i < n; i++)
		if (strlen(plans[i].name) == name.n + 8 && !memcmp(plans[i].name, name.p, name.n))
			return i;
	fail_msg("no such unit: %.*s", (int)name.n, name.p);
	return 0;
}

/* "2" is two commands, "1-" one that may fail. */
static void read_commands(struct plan *p, enum exec_list list, struct str value)
{
	uint64_t n;
	if (!str_digits(&value, &n))
		fail_msg("commands: how many?");
	p->n_commands[list] = (uint32_t)n;
	p->may_fail[list] = value.n ? UINT32_MAX : 0;
}

static void read_setting(struct plan *plans, uint32_t n, uint32_t i, struct str key, struct str value)
{
		static const char *const restarts[] = {
		"unset", "no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always",
	};
	static const char *const kill_modes[] = { "control-group", "mixed", "process", "none" };
	static const char *const policies[] = { "continue", "stop", "kill" };
	static const struct { const char *key; enum exec_list list; } lists[] = {
		{ "Check", EXEC_CHECK }, { "Condition", EXEC_CONDITION }, { "StopPost", EXEC_STOP_POST }, { "Pre", EXEC_START_PRE },
		{ "Start", EXEC_START }, { "Post", EXEC_START_POST }, { "Reload", EXEC_RELOAD },
		{ "Stop", EXEC_STOP },
	};
	static const struct { const char *key; uint32_t flag; } flags[] = {
		{ "RemainAfterExit", UNIT_REMAIN_AFTER_EXIT }, { "NoSIGKILL", UNIT_NO_SIGKILL }, { "Broken", UNIT_BROKEN },
		{ "Missing", UNIT_DEPENDENCY_MISSING }, { "SendSIGHUP", UNIT_SEND_SIGHUP }, { "NoGuess", UNIT_NO_GUESS },
		{ "Cleans", UNIT_CLEANS }, { "CleansAtRest", UNIT_CLEANS_AT_REST },
		{ "RefuseManualStart", UNIT_REFUSE_START }, { "RefuseManualStop", UNIT_REFUSE_STOP },
		{ "StopWhenUnneeded", UNIT_STOP_UNNEEDED },
	};
	static const struct { const char *key; enum link link; } links[] = {
		{ "After", LINK_AFTER }, { "Before", LINK_BEFORE }, { "Requires", LINK_REQUIRES }, { "Wants", LINK_WANTS },
		{ "Requisite", LINK_REQUISITE }, { "BindsTo", LINK_BINDS_TO }, { "PartOf", LINK_PART_OF },
		{ "Conflicts", LINK_CONFLICTS }, { "Upholds", LINK_UPHOLDS }, { "OnFailure", LINK_ON_FAILURE },
		{ "OnSuccess", LINK_ON_SUCCESS }, { "PropagatesReloadTo", LINK_RELOADS_TO }, { "PropagatesStopTo", LINK_STOPS_TO },
	};
	struct plan *p = &plans[i];
	struct unit *u = &p->unit;
	for (size_t l = 0; l < countof(links); l++)
		if (str_eq(key, str_from(links[l].key))) {
			plan_link(p, plan_find(plans, n, value), links[l].link);
			return;
		}
	for (size_t l = 0; l < countof(lists); l++)
		if (str_eq(key, str_from(lists[l].key))) {
			read_commands(p, lists[l].list, value);
			return;
		}
	for (size_t f = 0; f < countof(flags); f++)
		if (str_eq(key, str_from(flags[f].key))) {
			u->flags |= flags[f].flag;
			return;
		}
	if (str_eq(key, STR("Type"))) {
		u->type = word_of(value, type_names, N_UNIT_TYPE);
		u->notify_access = unit_says_ready(u) ? NOTIFY_MAIN : NOTIFY_NONE;
	} else if (str_eq(key, STR("Restart"))) {
		u->restart = word_of(value, restarts, countof(restarts));
	} else if (str_eq(key, STR("RestartSec"))) {
		u->restart_ms = u->restart_max_ms = ms_of(value);
		u->restart_growth = 65536;
		u->flags &= ~(uint32_t)UNIT_JITTER;
	} else if (str_eq(key, STR("RestartMax"))) {
		u->restart_max_ms = ms_of(value);
		u->restart_growth = 2 * 65536;
	} else if (str_eq(key, STR("StartLimit"))) {
		u->flags |= UNIT_HAS_START_LIMIT;
		u->start_limit_burst = ms_of(value);
	} else if (str_eq(key, STR("StartLimitInterval"))) {
		u->start_limit_ms = ms_of(value);
	} else if (str_eq(key, STR("NotifyAccess"))) {
		u->notify_access = word_of(value, notify_access_names, N_NOTIFY_ACCESS);
	} else if (str_eq(key, STR("TimeoutStart"))) {
		u->start_ms = ms_of(value);
	} else if (str_eq(key, STR("TimeoutStop"))) {
		u->stop_ms = u->abort_ms = ms_of(value);
	} else if (str_eq(key, STR("Watchdog"))) {
		u->watchdog_ms = ms_of(value);
		u->notify_access = NOTIFY_MAIN;
	} else if (str_eq(key, STR("RuntimeMax"))) {
		u->runtime_ms = ms_of(value);
	} else if (str_eq(key, STR("NotifyFD"))) {
		u->notify_fd = 3;
	} else if (str_eq(key, STR("SuccessAction"))) {
		u->success_action = word_of(value, unit_action_names, N_UNIT_ACTION);
	} else if (str_eq(key, STR("FailureAction"))) {
		u->failure_action = word_of(value, unit_action_names, N_UNIT_ACTION);
	} else if (str_eq(key, STR("StartLimitAction"))) {
		u->start_limit_action = word_of(value, unit_action_names, N_UNIT_ACTION);
	} else if (str_eq(key, STR("PIDFile"))) {
		p->has_pid_file = true;
	} else if (str_eq(key, STR("ExitType"))) {
		u->exit_type = word_of(value, exit_type_names, N_EXIT_TYPE);
	} else if (str_eq(key, STR("TimeoutAbort"))) {
		u->abort_ms = ms_of(value);
	} else if (str_eq(key, STR("StartFailureMode"))) {
		u->start_failure_mode = word_of(value, failure_mode_names, N_FAILURE_MODE);
	} else if (str_eq(key, STR("StopFailureMode"))) {
		u->stop_failure_mode = word_of(value, failure_mode_names, N_FAILURE_MODE);
	} else if (str_eq(key, STR("FinalKillSignal"))) {
		u->final_signal = (uint8_t)ms_of(value);
	} else if (str_eq(key, STR("RestartKillSignal"))) {
		u->restart_signal = (uint8_t)ms_of(value);
	} else if (str_eq(key, STR("Prevent"))) {
		p->prevent_status = ms_of(value);
	} else if (str_eq(key, STR("Force"))) {
		p->force_status = ms_of(value);
	} else if (str_eq(key, STR("KillMode"))) {
		u->kill_mode = word_of(value, kill_modes, countof(kill_modes));
	} else if (str_eq(key, STR("OOMPolicy"))) {
		u->oom_policy = word_of(value, policies, countof(policies));
	} else if (str_eq(key, STR("Target"))) {
		u->type = TYPE_ONESHOT;
		u->flags |= UNIT_REMAIN_AFTER_EXIT;
		p->n_commands[EXEC_START] = 0;
	} else if (str_eq(key, STR("Unwanted"))) {
		u->flags &= ~(uint32_t)UNIT_WANTED;
	} else {
		fail_msg("no such key: %.*s", (int)key.n, key.p);
	}
}

static int by_name(const void *a, const void *b)
{
	struct str x = *(const struct str *)a, y = *(const struct str *)b;
	return str_order(str_until(&x, ':'), str_until(&y, ':'));
}

static struct unitset units_from(const char *text)
{
	struct plan *plans = calloc(UNITS, sizeof *plans);
	struct str settings[UNITS], all = str_from(text);
	uint32_t n = 0;
	while (all.n)
		settings[n++] = str_trim(str_until(&all, ';'));
	qsort(settings, n, sizeof *settings, by_name);
	for (uint32_t i = 0; i < n; i++) {
		struct str name = str_until(&settings[i], ':');
		char full[32];
		snprintf(full, sizeof full, "%.*s.service", (int)name.n, name.p);
		plan_begin(&plans[i], str_from(full));
		plans[i].unit.flags |= UNIT_WANTED;
		settings[i] = str_trim(settings[i]);
	}
	for (uint32_t i = 0; i < n; i++)
		while (settings[i].n) {
			struct str word = str_until(&settings[i], ' ');
			struct str key = str_until(&word, '=');
			if (key.n)
				read_setting(plans, n, i, key, word);
		}
	struct unitset set = units_build(plans, n);
	free(plans);
	return set;
}

/* ---- names ---- */

static uint32_t index_of(const char *name)
{
	uint32_t i = unitset_find(w.units, str_from(name));
	if (i == NO_UNIT)
		fail_msg("no such unit: %s", name);
	return i;
}

static const struct service *service(const char *name)
{
	return &w.core->services[index_of(name)];
}

static const char *short_name(uint32_t i)
{
	static char name[32];
	struct str full = unitset_text(w.units, unitset_unit(w.units, i)->name);
	snprintf(name, sizeof name, "%.*s", (int)full.n - 8, full.p);
	return name;
}

/* ---- effects as text ---- */

static void put(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(char *text, const char *format, ...)
{
	size_t n = strlen(text);
	if (n > TOLD - 256)
		return;
	if (n)
		n += (size_t)sprintf(text + n, "; ");
	va_list args;
	va_start(args, format);
	vsnprintf(text + n, TOLD - n, format, args);
	va_end(args);
}

static void record_note(const struct note *n)
{
	static const char *const kinds[N_NOTE_KIND] = {
		"starting", "up", "death", "backoff", "stopping", "idle", "failed", "done", "reloading", "warning", "amended",
		"kmsg-lost", "units", "load-failed", "system", "bug",
	};
	assert_true(n->kind < N_NOTE_KIND);
	if (n->service == NO_UNIT)
		put(w.notes, "%s", kinds[n->kind]);
	else
		put(w.notes, "%s %s", kinds[n->kind], short_name(n->service));
}

static void record_effect(const struct effect *e)
{
	static const char *const lists[N_LAUNCH_LIST] = {
		"check", "condition", "pre", "start", "post", "reload", "stop", "stop-post", [EXEC_CLEAN] = "clean",
		[CHORE_FIND_MAIN] = "find-main", [CHORE_REMOVE_PID_FILE] = "remove-pid-file", [CHORE_AWAIT_BUS_NAME] = "await-bus-name",
	};
	static const char *const roles[] = { "main", "control", "all" };
	switch (e->kind) {
	case FX_LAUNCH:
		w.n_launches++;
		put(w.did, "launch %s %s/%u", short_name(e->service), lists[e->list], e->index);
		break;
	case FX_SIGNAL:
		put(w.did, "signal %s %s %d%s", short_name(e->service), roles[e->role], e->number,
		    e->argument & ALSO_HANG_UP ? "+1" : "");
		break;
	case FX_SWEPT:
		put(w.did, "swept %s", short_name(e->service));
		break;
	case FX_REPLY:
		w.answer = e->number;
		break;
	case FX_NOTE:
		record_note(&e->note);
		break;
	case FX_QUIET:
		put(w.did, "quiet");
		break;
	case FX_LOAD:
		put(w.did, "load");
		break;
	case FX_ADOPT:
		put(w.did, "adopt");
		break;
	case FX_HALT:
		put(w.did, "halt");
		break;
	case FX_POWER:
		put(w.did, "power %s %d", power_name[e->number], e->argument);
		break;
	default:
		fail_msg("effect %d", e->kind);
	}
}

/* One event, and the ticks that it still needs. */
static void step(struct event ev)
{
	struct effects fx;
	do {
		ev.now_ms = w.now_ms;
		ev.wall_ms = WALL_MS + w.now_ms;
		note_in_journal(&ev);
		core_step(w.core, w.units, &ev, &fx);
		assert_true(fx.n <= EFFECTS_MAX);
		w.n_steps++;
		for (uint32_t i = 0; i < fx.n; i++)
			record_effect(&fx.list[i]);
		ev = (struct event){ .kind = EVENT_TICK, .service = NO_UNIT, .client = NO_CLIENT };
	} while (fx.is_unsettled);
}

static struct event event_of(enum event_kind kind, uint32_t i)
{
	return (struct event){ .kind = (uint8_t)kind, .service = i, .client = NO_CLIENT };
}

static void forget_effects(void)
{
	w.did[0] = w.notes[0] = '\0';
}

/* ---- given ---- */

static void given_booted_as(enum system_mode mode, const char *text)
{
	w.units = units_from(text);
	uint32_t n = w.n_units = unitset_count(w.units);
	struct core *none = calloc(1, core_size(0));
	core_init(none, mode, 42);
	w.core = calloc(1, core_size(n));
	core_adopt(w.core, none, (struct unitset){ 0 }, w.units);
	free(none);
	w.now_ms = BOOT_MS;
	w.next_pid = 101;
	w.has_counters = w.has_kmsg = true;
	strcpy(w.core->cgroup_root, "/system.slice");
	begin_journal();
	step(event_of(EVENT_UNITS, NO_UNIT));
}

static void given_booted(const char *text)
{
	given_booted_as(MODE_VM, text);
}

static int end_story(void **state)
{
	(void)state;
	if (w.core)
		then_told_again_is_the_same();
	free(w.image);
	free(w.journal);
	free(w.core);
	free((void *)(uintptr_t)w.units.bytes);
	free((void *)(uintptr_t)w.next.bytes);
	memset(&w, 0, sizeof w);
	return 0;
}

/* ---- when ---- */

static uint32_t n_processes(uint32_t i)
{
	uint32_t n = 0;
	for (size_t p = 0; p < PROCESSES; p++)
		n += w.processes[p].pid && w.processes[p].service == i;
	return n;
}

static uint32_t new_process(uint32_t i)
{
	for (size_t p = 0; p < PROCESSES; p++)
		if (!w.processes[p].pid) {
			w.processes[p].pid = w.next_pid++;
			w.processes[p].service = i;
			return w.processes[p].pid;
		}
	fail_msg("too many processes");
	return 0;
}

static uint32_t owner_of(uint32_t pid)
{
	for (size_t p = 0; p < PROCESSES; p++)
		if (w.processes[p].pid == pid)
			return w.processes[p].service;
	fail_msg("no such process: %u", pid);
	return 0;
}

static void remove_process(uint32_t pid)
{
	for (size_t p = 0; p < PROCESSES; p++)
		if (w.processes[p].pid == pid)
			w.processes[p].pid = 0;
}

static uint32_t when_launched_as(const char *name, enum role role)
{
	uint32_t i = index_of(name);
	struct event ev = event_of(EVENT_LAUNCHED, i);
	ev.role = (uint8_t)role;
	ev.pid = new_process(i);
	ev.has_counter = w.has_counters;
	ev.counter = w.counters[i];
	ev.has_kmsg = w.has_kmsg;
	ev.kmsg_seq = w.kmsg_seq;
	uint32_t pid = ev.pid;
	forget_effects();
	step(ev);
	return pid;
}

static uint32_t when_launched(const char *name)
{
	return when_launched_as(name, ROLE_MAIN);
}

static uint32_t when_command_launched(const char *name)
{
	return when_launched_as(name, ROLE_CONTROL);
}

static uint32_t given_worker(const char *name)
{
	return new_process(index_of(name));
}

static void when_main_found(const char *name, uint32_t pid)
{
	struct event ev = event_of(EVENT_MAIN, index_of(name));
	ev.pid = pid;
	forget_effects();
	step(ev);
}

static void when_execed(const char *name)
{
	forget_effects();
	step(event_of(EVENT_EXECED, index_of(name)));
}

static void when_launch_failed(const char *name, enum role role, enum launch_step at, int error)
{
	struct event ev = event_of(EVENT_LAUNCH_FAILED, index_of(name));
	ev.role = (uint8_t)role;
	ev.step = (uint8_t)at;
	ev.error = error;
	forget_effects();
	step(ev);
}

static void die(uint32_t pid, int code, int status)
{
	uint32_t i = owner_of(pid);
	struct event ev = event_of(EVENT_DEATH, i);
	ev.pid = pid;
	ev.code = (uint8_t)code;
	ev.status = (uint8_t)status;
	ev.has_counter = w.has_counters;
	ev.counter = w.counters[i];
	remove_process(pid);
	ev.is_empty = n_processes(i) == 0;
	strcpy(ev.comm, "program");
	ev.sender = w.sender;
	step(ev);
}

static void when_exits(uint32_t pid, int status)
{
	forget_effects();
	die(pid, CLD_EXITED, status);
}

static void when_killed(uint32_t pid, int signal)
{
	forget_effects();
	die(pid, CLD_KILLED, signal);
}

/* The count of them all, of the container's cgroup, say; the first time it is what to count from. */
static void given_shared_count(enum shared_source source, bool is_ours_alone, uint32_t count)
{
	struct event ev = event_of(EVENT_SHARED_COUNT, NO_UNIT);
	ev.shared = (uint8_t)source;
	ev.is_ok = is_ours_alone;
	ev.counter = count;
	w.has_counters = w.has_kmsg = false;
	forget_effects();
	step(ev);
}

static void when_emptied(const char *name)
{
	forget_effects();
	step(event_of(EVENT_EMPTY, index_of(name)));
}

static void given_counter(const char *name, uint32_t n_more)
{
	w.counters[index_of(name)] += n_more;
}

static void when_counter_rises(const char *name, uint32_t n_more)
{
	given_counter(name, n_more);
	struct event ev = event_of(EVENT_COUNTER, index_of(name));
	ev.counter = w.counters[index_of(name)];
	forget_effects();
	step(ev);
}

static struct oom_kill kill_record(const char *name, uint32_t pid)
{
	struct oom_kill k = { .seq = ++w.kmsg_seq, .pid = pid, .tgid = pid, .anon_rss_kb = 4096, .scope = OOM_MEMCG };
	strcpy(k.comm, "hog");
	snprintf(k.task_memcg, sizeof k.task_memcg, "/system.slice/%s.service", name);
	return k;
}

static void say_record(struct oom_kill k, enum event_kind kind)
{
	struct event ev = event_of(kind, NO_UNIT);
	ev.kill = &k;
	step(ev);
}

static void when_record(const char *name, uint32_t pid)
{
	forget_effects();
	say_record(kill_record(name, pid), EVENT_OOM_KILL);
}

/* As the kernel does it: the count, the signal, the record, the death. */
static void when_oom_killed(const char *name, uint32_t pid)
{
	given_counter(name, 1);
	when_record(name, pid);
	die(pid, CLD_KILLED, SIGKILL);
}

static void when_notified(const char *name, uint32_t pid, const char *text)
{
	struct notify_message m;
	struct event ev = event_of(EVENT_NOTIFY, index_of(name));
	assert_true(notify_parse(str_from(text), &m));
	ev.pid = pid;
	ev.message = &m;
	ev.is_ok = true;
	forget_effects();
	step(ev);
}

static void when_asked_with(enum verb verb, const char *name, int argument)
{
	struct event ev = event_of(EVENT_REQUEST, name ? index_of(name) : NO_UNIT);
	ev.client = 7;
	ev.verb = (uint8_t)verb;
	ev.argument = argument;
	w.answer = -1;
	forget_effects();
	step(ev);
}

static void when_asked(enum verb verb, const char *name)
{
	when_asked_with(verb, name, 0);
}

static void when_time_passes(uint32_t ms)
{
	w.now_ms += ms;
	forget_effects();
	step(event_of(EVENT_TICK, NO_UNIT));
}

static void when_signalled(int signal)
{
	struct event ev = event_of(EVENT_SIGNAL, NO_UNIT);
	ev.argument = signal;
	forget_effects();
	step(ev);
}

static void when_loaded(const char *text)
{
	w.next = units_from(text);
	core_mark_leaving(w.core, w.units, w.next);
	begin_journal();                        /* for that is no event */
	struct event ev = event_of(EVENT_RELOADED, NO_UNIT);
	ev.is_ok = true;
	forget_effects();
	step(ev);
}

static void when_adopted(void)
{
	uint32_t n = unitset_count(w.next);
	struct core *core = calloc(1, core_size(n));
	core_adopt(core, w.core, w.units, w.next);
	for (size_t p = 0; p < PROCESSES; p++)
		if (w.processes[p].pid)
			w.processes[p].service = unitset_find(w.next, str_from(short_name(w.processes[p].service)));
	free(w.core);
	free((void *)(uintptr_t)w.units.bytes);
	w.core = core;
	w.units = w.next;
	w.n_units = n;
	w.next = (struct unitset){ 0 };
	begin_journal();
	forget_effects();
	step(event_of(EVENT_UNITS, NO_UNIT));
}

/* ---- then ---- */

/* All that is to be done about it, in order; notes and replies are not in it. */
#define then_does(text) assert_string_equal(w.did, text)
#define then_does_nothing() then_does("")
#define then_notes(text) assert_string_equal(w.notes, text)
#define then_answer(expected) assert_int_equal(w.answer, expected)
#define then_state(name, expected) assert_string_equal(state_name[service(name)->state], state_name[expected])
#define then_result(name, expected) assert_string_equal(result_name[service(name)->result], result_name[expected])
#define then_backoff(name, ms) \
	do { then_state(name, BACKOFF); assert_int_equal(service(name)->deadline_at, w.now_ms + (ms)); } while (0)

/* Nothing is due any more, ever; a wake-up for a deadline that has passed on may still come, and does nothing. */
static void then_is_quiet(void)
{
	when_time_passes(FOREVER_MS);
	then_does_nothing();
	then_notes("");
	assert_int_equal(core_deadline(w.core), 0);
}

static const struct death *last_death(void)
{
	const struct death *d = core_death(w.core, w.core->next_death - 1);
	assert_non_null(d);
	return d;
}

static const struct death *death_of(const char *name)
{
	const struct death *d = core_death(w.core, service(name)->last_death);
	assert_non_null(d);
	return d;
}

#define then_cause(death, expected) assert_string_equal(cause_name[(death)->cause], cause_name[expected])

/* One more start of a unit without pre commands, through to its main process. */
static uint32_t given_running(const char *name)
{
	uint32_t pid = when_launched(name);
	then_state(name, UP);
	return pid;
}

#endif
