/* The events are anybody's guess, but each as PID 1 would form it: what the core may rely on, it may rely on here. */
#include "fuzz.h"
#include "lib/proto.h"
#include "lib/say.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define TICKS_MOST 64           /* behind one event: there are sets by which something would go on for ever */
#define EVENTS_MOST 256

/* ---- effects ---- */

static bool is_service(const struct machine *m, uint32_t i)
{
	return i < m->core->n_services;
}

static void look_at_note(const struct machine *m, const struct note *note)
{
	char text[512];
	struct buf b = BUF(text);
	const struct death *d = core_death(m->core, note->death);
	must(note->kind < N_NOTE_KIND && (note->service == NO_UNIT || is_service(m, note->service)));
	must(memchr(note->unit, '\0', sizeof note->unit) && memchr(note->unmet, '\0', sizeof note->unmet));
	if (note->kind != NOTE_DEATH && note->kind != NOTE_AMENDED)
		say_note(&b, note);
	else if (d)
		say_death(&b, d);
}

static void launch(struct machine *m, const struct effect *e)
{
	const struct unit *u = unitset_unit(m->units, e->service);
	must(is_service(m, e->service) && e->list < N_LAUNCH_LIST && e->role <= ROLE_CONTROL);
	if (e->list < N_EXEC_LIST) {
		must(e->index < u->exec[e->list].n);
		launch_unit(m->units, e->service, (enum exec_list)e->list, e->index);
	}
	if (m->n_launches < LAUNCHES_OPEN) {
		m->launches[m->n_launches].service = e->service;
		m->launches[m->n_launches++].role = e->role;
	}
}

static void carry_out(struct machine *m, const struct effect *e)
{
	switch ((enum effect_kind)e->kind) {
	case FX_LAUNCH:
		launch(m, e);
		break;
	case FX_SIGNAL:
		must(is_service(m, e->service) && e->number >= 1 && e->number <= 64 && e->role <= ROLE_OTHER);
		break;
	case FX_SWEPT:
		must(is_service(m, e->service));
		break;
	case FX_REPLY:
		must(e->client != NO_CLIENT && e->number >= 0 && e->number < N_ANSWER);
		break;
	case FX_NOTE:
		look_at_note(m, &e->note);
		break;
	case FX_LOAD:
		must(!m->is_loading);
		m->is_loading = true;
		break;
	case FX_ADOPT:
		m->wants_adopt = true;
		break;
	case FX_POWER:
		m->is_over = true;
		break;
	case FX_QUIET: case FX_HALT:
		break;
	case N_EFFECT_KIND:
		finding("an effect is one of those that there are");
	}
}

/* ---- steps ---- */

static void must_be_sound(const struct core *c)
{
	for (uint32_t i = 0; i < c->n_services; i++) {
		const struct service *s = &c->services[i];
		must(s->state < N_STATE && s->step < N_STEP && s->result < N_RESULT);
		must(memchr(s->status_text, '\0', sizeof s->status_text));
	}
}

static bool step(struct machine *m, struct event *ev)
{
	struct effects fx;
	ev->now_ms = m->now_ms;
	ev->wall_ms = 1700000000000u + m->now_ms;
	core_step(m->core, m->units, ev, &fx);
	must(fx.n < EFFECTS_MAX);
	for (uint32_t n = 0; n < fx.n; n++) {
		carry_out(m, &fx.list[n]);
		if (m->watch)
			m->watch(m->watcher, &fx.list[n]);
	}
	must_be_sound(m->core);
	return fx.is_unsettled;
}

static struct event event_of(enum event_kind kind, uint32_t service)
{
	return (struct event){ .kind = (uint8_t)kind, .service = service, .client = NO_CLIENT };
}

/* The same set again, as after a reload that changed nothing. */
static void adopt(struct machine *m)
{
	struct core *core = calloc(1, core_size(m->core->n_services));
	core_adopt(core, m->core, m->units, m->units);
	free(m->core);
	m->core = core;
	m->wants_adopt = false;
}

void machine_feed(struct machine *m, struct event *ev)
{
	struct event tick = event_of(EVENT_TICK, NO_UNIT);
	bool is_unsettled = step(m, ev);
	for (unsigned n = 0; (is_unsettled || m->wants_adopt) && !m->is_over && n < TICKS_MOST; n++) {
		struct event next = m->wants_adopt ? event_of(EVENT_UNITS, NO_UNIT) : tick;
		if (m->wants_adopt)
			adopt(m);
		is_unsettled = step(m, &next);
	}
}

void machine_adopt(struct machine *m, struct core *core, struct unitset units)
{
	*m = (struct machine){ .core = core, .units = units, .now_ms = core->now_ms, .next_pid = 1000, .next_seq = core->newest_seq + 1 };
	m->is_loading = core->is_loading;
	for (uint32_t i = 0; i < core->n_services && m->n_launches < LAUNCHES_OPEN; i++)
		if (core->services[i].flags & SERVICE_LAUNCHING)
			m->launches[m->n_launches++].service = i;
}

void machine_boot(struct machine *m, struct unitset units, enum system_mode mode)
{
	struct core *none = calloc(1, core_size(0));
	struct event ev = event_of(EVENT_UNITS, NO_UNIT);
	*m = (struct machine){ .units = units, .now_ms = 1000, .next_pid = 100, .next_seq = 1 };
	core_init(none, mode, 1);
	strcpy(none->cgroup_root, "/system.slice");
	m->core = calloc(1, core_size(unitset_count(units)));
	core_adopt(m->core, none, (struct unitset){ NULL, 0 }, units);
	free(none);
	machine_feed(m, &ev);
}

void machine_look(const struct machine *m)
{
	struct unit_packet packet;
	struct log_packet log;
	for (uint32_t i = 0; i < m->core->n_services; i++) {
		view_unit(&packet, m->core, m->units, i, m->now_ms);
		must(memchr(packet.unit, '\0', sizeof packet.unit) && memchr(packet.cgroup, '\0', sizeof packet.cgroup));
		for (int stream = LOG_OUT; stream <= LOG_ERR; stream++)
			view_log(&log, m->units, i, (enum log_stream)stream);
	}
}

void machine_end(struct machine *m)
{
	free(m->core);
}

/* ---- what happens ---- */

static struct event result_of_launch(struct machine *m, struct input *in)
{
	struct event ev = event_of(EVENT_TICK, NO_UNIT);
	if (m->n_launches == 0)
		return ev;
	uint32_t n = input_below(in, m->n_launches);
	uint8_t how = (uint8_t)input_number(in, 1);
	ev.kind = how & 1 ? EVENT_LAUNCH_FAILED : EVENT_LAUNCHED;
	ev.service = m->launches[n].service;
	ev.role = m->launches[n].role;
	m->launches[n] = m->launches[--m->n_launches];
	ev.pid = how & 1 ? 0 : m->next_pid++;
	ev.step = how & 1 ? (uint8_t)(how / 2 % N_LAUNCH_STEP) : 0;
	ev.error = how & 1 ? 12 : 0;
	ev.has_counter = how & 4;
	ev.counter = how & 4 ? (uint32_t)input_number(in, 1) : 0;
	ev.has_kmsg = how & 8;
	ev.kmsg_seq = m->next_seq;
	return ev;
}

void machine_launch_all(struct machine *m)
{
	for (unsigned n = 0; m->n_launches && n < EVENTS_MOST && !m->is_over; n++) {
		struct input none = { NULL, 0 };
		struct event ev = result_of_launch(m, &none);
		machine_feed(m, &ev);
	}
}

/* Somebody's pid, or one that is nobody's. */
static uint32_t some_pid(const struct machine *m, struct input *in)
{
	uint32_t n = input_below(in, 256);
	const struct service *s = is_service(m, n / 2) ? &m->core->services[n / 2] : NULL;
	return s ? n & 1 ? s->control_pid : s->main_pid : 90 + n;
}

static struct event death(struct machine *m, struct input *in)
{
	static const struct { uint8_t code, status; } ends[] = {
		{ CLD_EXITED, 0 }, { CLD_EXITED, 1 }, { CLD_KILLED, SIGKILL }, { CLD_KILLED, SIGTERM }, { CLD_DUMPED, SIGSEGV }, { CLD_EXITED, 203 },
	};
	struct event ev = event_of(EVENT_DEATH, NO_UNIT);
	uint32_t how = input_below(in, 256), owner = input_below(in, 256);
	ev.pid = some_pid(m, in);
	ev.code = ends[how % countof(ends)].code;
	ev.status = ends[how % countof(ends)].status;
	ev.service = is_service(m, owner) ? owner : NO_UNIT;
	ev.is_empty = how & 8;
	ev.has_counter = how & 16;
	ev.counter = input_below(in, 8);
	ev.is_first_killed = how & 32;
	ev.sender.pid = how & 64 ? 1 + how : 0;
	return ev;
}

static void feed_kill(struct machine *m, struct input *in, enum event_kind kind)
{
	struct event ev = event_of(kind, NO_UNIT);
	uint32_t how = input_below(in, 256), owner = input_below(in, 256);
	struct oom_kill kill = { .seq = m->next_seq++, .pid = some_pid(m, in), .is_group = how & 1 };
	struct str path = input_text(in);
	kill.tgid = how & 2 ? some_pid(m, in) : kill.pid;
	if (path.n)
		memcpy(kill.task_memcg, path.p, path.n < KMSG_PATH_MAX ? path.n : KMSG_PATH_MAX - 1);
	ev.service = is_service(m, owner) ? owner : NO_UNIT;
	ev.is_ok = how & 4;
	ev.has_counter = how & 8 && ev.service != NO_UNIT;
	ev.counter = how >> 5;
	ev.kill = &kill;
	machine_feed(m, &ev);
}

static void feed_message(struct machine *m, struct input *in)
{
	struct event ev = event_of(EVENT_NOTIFY, input_below(in, m->core->n_services));
	struct notify_message message;
	ev.pid = some_pid(m, in);
	ev.is_ok = input_below(in, 2);
	ev.told_at = input_below(in, 65536);
	ev.message = &message;
	if (is_service(m, ev.service) && notify_parse(input_text(in), &message))
		machine_feed(m, &ev);
}

static void feed_request(struct machine *m, struct input *in)
{
	uint32_t i = input_below(in, 256);
	struct event ev = event_of(EVENT_REQUEST, is_service(m, i) ? i : NO_UNIT);
	ev.verb = (uint8_t)input_below(in, N_VERB);
	ev.argument = (int32_t)(int8_t)input_number(in, 1);
	ev.status = (uint8_t)input_number(in, 1);
	ev.client = 3;
	if (verb_is_change((enum verb)ev.verb))
		machine_feed(m, &ev);
}

/* Of those that tell of one service, or of none. */
static void feed_other(struct machine *m, struct input *in)
{
	static const uint8_t kinds[] = {
		EVENT_EXECED, EVENT_MAIN, EVENT_READY, EVENT_LAUNCH_WARNING, EVENT_EMPTY, EVENT_COUNTER,        /* of one */
		EVENT_SHARED_COUNT, EVENT_KMSG_LOST, EVENT_SIGNAL, EVENT_FILES, EVENT_HALTED, EVENT_CRASHED, EVENT_UPGRADED, EVENT_RELOADED,
	};
	struct event ev = event_of(kinds[input_below(in, countof(kinds))], NO_UNIT);
	uint32_t n = input_below(in, 256);
	bool is_of_one = ev.kind != EVENT_SHARED_COUNT && ev.kind != EVENT_KMSG_LOST && ev.kind < EVENT_SIGNAL;
	if (ev.kind == EVENT_RELOADED && !m->is_loading)
		return;
	if (is_of_one && ev.kind != EVENT_RELOADED && m->core->n_services == 0)
		return;
	if (is_of_one && ev.kind != EVENT_RELOADED)
		ev.service = n % m->core->n_services;
	ev.pid = ev.kind == EVENT_MAIN ? some_pid(m, in) : 0;
	ev.role = n & 1 ? ROLE_CONTROL : ROLE_MAIN;
	ev.step = (uint8_t)(n % N_LAUNCH_STEP);
	ev.error = (int32_t)n;
	ev.has_counter = true;
	ev.counter = n >> 4;
	ev.shared = (uint8_t)(n % N_SHARED_SOURCE);
	ev.is_ok = n & 2;
	ev.argument = (int32_t)(1 + n % 64);
	ev.status = (uint8_t)(n % (N_EVENT_KIND + 1));
	if (ev.kind == EVENT_CRASHED && is_service(m, n / 4))
		ev.service = n / 4;
	if (ev.kind == EVENT_RELOADED && ev.is_ok)
		core_mark_leaving(m->core, m->units, m->units);
	m->is_loading &= ev.kind != EVENT_RELOADED;
	machine_feed(m, &ev);
}

static void pass_time(struct machine *m, struct input *in)
{
	uint32_t ms = input_below(in, 256);
	uint64_t due = core_deadline(m->core);
	m->now_ms = ms < 128 && due > m->now_ms ? due : m->now_ms + ms;
	struct event ev = event_of(EVENT_TICK, NO_UNIT);
	machine_feed(m, &ev);
}

void machine_run(struct machine *m, struct input *in)
{
	struct event ev;
	for (unsigned n = 0; in->n && !m->is_over && n < EVENTS_MOST; n++) {
		switch (input_below(in, 9)) {
		case 0: case 1:
			ev = result_of_launch(m, in);
			machine_feed(m, &ev);
			break;
		case 2:
			ev = death(m, in);
			machine_feed(m, &ev);
			break;
		case 3:
			pass_time(m, in);
			break;
		case 4:
			feed_request(m, in);
			break;
		case 5:
			feed_message(m, in);
			break;
		case 6:
			feed_kill(m, in, EVENT_OOM_KILL);
			break;
		case 7:
			feed_kill(m, in, EVENT_OOM_GROUP);
			break;
		default:
			feed_other(m, in);
		}
	}
	machine_look(m);
}
