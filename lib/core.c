#include "core_parts.h"

#include <string.h>

/* ---- effects ---- */

struct effect *emit(struct turn *t, enum effect_kind kind, uint32_t i)
{
	/* core_step keeps EFFECTS_RESERVE free before each service's turn, so the last place is never taken twice. */
	struct effects *fx = t->fx;
	struct effect *e = &fx->list[fx->n < EFFECTS_MAX ? fx->n++ : EFFECTS_MAX - 1];
	*e = (struct effect){ .kind = (uint8_t)kind, .service = i, .client = NO_CLIENT };
	return e;
}

struct note *emit_note(struct turn *t, enum note_kind kind, uint32_t i, uint32_t value)
{
	struct note *n = &emit(t, FX_NOTE, i)->note;
	n->kind = (uint8_t)kind;
	n->wall_ms = t->c->wall_ms;
	n->service = i;
	n->value = value;
	if (i == NO_UNIT)
		return n;
	struct str name = unitset_text(t->units, unit_at(t, i)->name);
	n->generation = service_at(t, i)->generation;
	n->pid = service_at(t, i)->main_pid;
	memcpy(n->unit, name.p, name.n < sizeof n->unit ? name.n : sizeof n->unit - 1);
	if (service_at(t, i)->unmet && (kind == NOTE_DONE || kind == NOTE_FAILED)) {
		struct str line = condition_of_unit(t->units, unit_at(t, i), service_at(t, i)->unmet);
		memcpy(n->unmet, line.p, line.n < sizeof n->unmet ? line.n : sizeof n->unmet - 1);
	}
	return n;
}

/* ---- time ---- */

static void note_deadline(struct core *c, uint64_t at)
{
	if (c->next_deadline_at == 0 || at < c->next_deadline_at)
		c->next_deadline_at = at;
}

void arm(struct turn *t, uint32_t i, uint32_t ms)
{
	struct service *s = service_at(t, i);
	/* The earliest of all is given up: whose turn is next is looked for when somebody asks, not once for each of a thousand. */
	if (s->deadline_at && s->deadline_at <= t->c->next_deadline_at)
		t->c->is_deadline_stale = true;
	s->deadline_at = ms == FOREVER_MS ? 0 : t->c->now_ms + ms;
	if (s->deadline_at)
		note_deadline(t->c, s->deadline_at);
}

void arm_grace(struct turn *t, uint32_t i, uint32_t ms)
{
	struct service *s = service_at(t, i);
	s->grace_at = t->c->now_ms + ms;
	note_deadline(t->c, s->grace_at);
}

void arm_watchdog(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->watchdog_at && s->watchdog_at <= t->c->next_deadline_at)
		t->c->is_deadline_stale = true;
	s->watchdog_at = s->state == UP && s->watchdog_ms ? t->c->now_ms + s->watchdog_ms : 0;
	if (s->watchdog_at)
		note_deadline(t->c, s->watchdog_at);
}

void extend(struct turn *t, uint32_t i, uint32_t ms)
{
	struct service *s = service_at(t, i);
	uint64_t at = t->c->now_ms + ms;
	if (s->deadline_at && s->deadline_at < at)
		arm(t, i, ms);
	if (s->watchdog_at && s->watchdog_at < at) {
		s->watchdog_at = at;
		t->c->is_deadline_stale = true;
	}
}

static void find_next_deadline(struct core *c)
{
	c->is_deadline_stale = false;
	c->next_deadline_at = 0;
	for (uint32_t i = 0; i < c->n_services; i++) {
		const struct service *s = &c->services[i];
		c->next_deadline_at = earlier(c->next_deadline_at, earlier(s->watchdog_at, earlier(s->deadline_at, s->grace_at)));
	}
}

uint64_t core_deadline(struct core *c)
{
	if (c->is_deadline_stale)
		find_next_deadline(c);
	return earlier(c->next_deadline_at, earlier(c->load_at, c->system.deadline_at));
}

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators"): spreads restarts, guards nothing. */
uint32_t next_random(struct core *c)
{
	c->random ^= c->random >> 12;
	c->random ^= c->random << 25;
	c->random ^= c->random >> 27;
	return (uint32_t)((c->random * 0x2545f4914f6cdd1du) >> 32);
}

/* ---- the queues: wishes to be passed on, and services to settle ---- */

static const uint32_t queued_flag[N_QUEUE] = { [QUEUE_WISHES] = SERVICE_HAS_WISH, [QUEUE_RESTARTS] = SERVICE_HAS_RESTART, [QUEUE_SETTLE] = SERVICE_QUEUED };

static void put_in(struct turn *t, enum queue_name name, uint32_t i)
{
	struct queue *q = &t->c->queues[name];
	struct service *s = service_at(t, i);
	if (s->flags & queued_flag[name])
		return;
	s->flags |= queued_flag[name];
	s->next[name] = NO_UNIT;
	if (q->head == NO_UNIT)
		q->head = i;
	else
		service_at(t, q->tail)->next[name] = i;
	q->tail = i;
}

static uint32_t take_from(struct turn *t, enum queue_name name)
{
	struct queue *q = &t->c->queues[name];
	uint32_t i = q->head;
	q->head = service_at(t, i)->next[name];
	service_at(t, i)->flags &= ~queued_flag[name];
	return i;
}

void enqueue(struct turn *t, uint32_t i)
{
	put_in(t, QUEUE_SETTLE, i);
}

static void note_wish(struct turn *t, uint32_t i, bool want)
{
	struct service *s = service_at(t, i);
	s->want = want;
	s->wished_in = t->c->round;
	s->flags &= ~(uint32_t)SERVICE_PUT_DOWN;
	put_in(t, QUEUE_WISHES, i);
}

void set_want(struct turn *t, uint32_t i, bool want)
{
	struct service *s = service_at(t, i);
	if (want && (t->c->system.phase >= SYSTEM_STOPPING || (s->flags & SERVICE_LEAVING)))
		return;
	if (want && (s->state == STOPPING || s->state == SWEEPING))
		s->flags |= SERVICE_RESTART_ASKED;      /* whatever Restart= says: this wish is newer than that end */
	if (s->want == want && !(want && (state_is_resting(s->state) || s->state == BACKOFF)))
		return;
	note_wish(t, i, want);
	s->flags |= SERVICE_WANT_CHANGED;
	enqueue(t, i);
}

void set_want_later(struct turn *t, uint32_t i)
{
	note_wish(t, i, true);
}

void ask_restart(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (!s->want || (s->flags & SERVICE_RESTART_ASKED) || (s->state != UP && s->state != STARTING))
		return;
	s->flags |= SERVICE_RESTART_ASKED;
	put_in(t, QUEUE_RESTARTS, i);
	enqueue(t, i);
}

/*
 * All the way, before anything acts on one of them: whoever is After= a unit must know that it is wanted, however long the
 * chain by which it was pulled in. Causes no effects, and ends (put_down).
 */
static void pass_on_wishes(struct turn *t)
{
	t->c->round += t->c->queues[QUEUE_WISHES].head != NO_UNIT;
	while (t->c->queues[QUEUE_WISHES].head != NO_UNIT)
		pass_on_want(t, take_from(t, QUEUE_WISHES));
	/* In a ring, one without a process would be through with its restart before that comes back to it, and go round for ever. */
	while (t->c->queues[QUEUE_RESTARTS].head != NO_UNIT)
		pass_on_restart(t, take_from(t, QUEUE_RESTARTS));
}

/* ---- the machine of a service ---- */

/* This service alone is put aside, everything else goes on. */
static void park(struct turn *t, uint32_t i)
{
	t->c->n_bugs++;
	service_at(t, i)->grace_at = 0;
	enter(t, i, FAILED);
}

/* A cell that cannot be. */
static void tell_bug(struct turn *t, uint32_t i, enum service_event ev)
{
	struct note *n = emit_note(t, NOTE_BUG, i, 0);
	n->state = service_at(t, i)->state;
	n->event = (uint8_t)ev;
}

/* Whose death was dropped is dead all the same. */
static void forget_process(struct service *s, uint32_t pid)
{
	s->main_pid = s->main_pid == pid ? 0 : s->main_pid;
	s->control_pid = s->control_pid == pid ? 0 : s->control_pid;
}

static void on_crashed(struct turn *t)
{
	const struct event *ev = t->ev;
	struct note *n = emit_note(t, NOTE_CRASHED, ev->service, (uint32_t)ev->argument);
	n->event = ev->status;
	n->is_dropped = ev->is_ok;
#if STATE_LAYOUT >= 2
	if (ev->service != NO_UNIT)
		service_at(t, ev->service)->n_crashes++;
#endif
	if (!ev->is_ok || ev->service == NO_UNIT)
		return;
	if (ev->pid)
		forget_process(service_at(t, ev->service), ev->pid);
	park(t, ev->service);
}

void enter(struct turn *t, uint32_t i, enum state state)
{
	struct service *s = service_at(t, i);
	if (s->state == state)
		return;
	s->state = (uint8_t)state;
	s->since_at = t->c->now_ms;
	arm(t, i, FOREVER_MS);
	arm_watchdog(t, i);
	if (state_is_resting(state) || state == BACKOFF)
		s->step = STEP_NONE;
	enqueue(t, i);
	enqueue_neighbours(t, i);
}

void dispatch(struct turn *t, uint32_t i, enum service_event ev)
{
	struct service *s = service_at(t, i);
	struct cell cell = service_cell(s->state, ev);
	t->c->cells[s->state][ev]++;
	if (cell.is_ignored)
		return;
	if (cell.is_never) {
		tell_bug(t, i, ev);
		park(t, i);
		return;
	}
	enter(t, i, cell.state);
	act(t, i, cell.action, ev);
}

/* One service's turn: what it owes to a changed wish, to its neighbours' states, or to the end of its last process. */
static void settle_one(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->flags & SERVICE_WANT_CHANGED) {
		s->flags &= ~(uint32_t)SERVICE_WANT_CHANGED;
		enqueue_neighbours(t, i);       /* who waited to see what would come of it; even if nothing has */
		dispatch(t, i, s->want ? EV_WANT_UP : EV_WANT_DOWN);
	}
	if ((s->flags & SERVICE_RESTART_ASKED) && (s->state == UP || s->state == STARTING))
		dispatch(t, i, EV_WANT_DOWN);   /* to the machine a restart is a stop; the wish stays up */
	if (s->flags & SERVICE_SUMMONED)
		answer_summons(t, i);
	if (s->flags & SERVICE_RELOAD_ASKED) {
		s->flags &= ~(uint32_t)SERVICE_RELOAD_ASKED;
		begin_reload(t, i);
	}
	if (s->step == STEP_WAIT || s->step == STEP_HOLD)
		go_on(t, i);
	notice_end(t, i);
	if ((s->state == STOPPING || s->state == SWEEPING) && is_gone(t, i))
		dispatch(t, i, EV_GONE);
}

static bool has_room(const struct effects *fx)
{
	return fx->n + EFFECTS_RESERVE <= EFFECTS_MAX;
}

static void fire_timers(struct turn *t)
{
	struct core *c = t->c;
	if (c->next_deadline_at == 0 || c->next_deadline_at > c->now_ms)
		return;
	for (uint32_t i = 0; i < c->n_services; i++) {
		struct service *s = &c->services[i];
		if (!has_room(t->fx))
			return;                 /* next_deadline_at has passed still: the next step goes on here */
		if (s->grace_at && s->grace_at <= c->now_ms) {
			on_grace_over(t, i);
			enqueue(t, i);
		}
		if (s->deadline_at && s->deadline_at <= c->now_ms) {
			s->deadline_at = 0;
			dispatch(t, i, EV_TIMER);
		}
		if (s->watchdog_at && s->watchdog_at <= c->now_ms) {
			s->watchdog_at = 0;
			dispatch(t, i, EV_HANG);
		}
	}
	find_next_deadline(c);
}

static void on_tick(struct turn *t)
{
	(void)t;
}

static void on_upgraded(struct turn *t)
{
	emit_note(t, NOTE_UPGRADED, NO_UNIT, t->ev->is_ok ? (uint32_t)t->ev->argument : FOREVER_MS);
}

const char *const event_kind_name[N_EVENT_KIND] = {
	[EVENT_TICK] = "tick", [EVENT_UNITS] = "units", [EVENT_RELOADED] = "reloaded", [EVENT_REQUEST] = "request",
	[EVENT_LAUNCHED] = "launched", [EVENT_EXECED] = "execed", [EVENT_LAUNCH_FAILED] = "launch-failed", [EVENT_MAIN] = "main-found",
	[EVENT_READY] = "ready", [EVENT_LAUNCH_WARNING] = "launch-warning", [EVENT_DEATH] = "death", [EVENT_EMPTY] = "empty",
	[EVENT_COUNTER] = "counter", [EVENT_NOTIFY] = "notify", [EVENT_SHARED_COUNT] = "shared-count", [EVENT_OOM_KILL] = "oom-kill",
	[EVENT_OOM_GROUP] = "oom-group", [EVENT_KMSG_LOST] = "kmsg-lost", [EVENT_SIGNAL] = "signal", [EVENT_FILES] = "files",
	[EVENT_HALTED] = "halted", [EVENT_CRASHED] = "crashed", [EVENT_UPGRADED] = "upgraded",
};

static void (*const handlers[N_EVENT_KIND])(struct turn *) = {
	[EVENT_TICK] = on_tick, [EVENT_UNITS] = on_units, [EVENT_RELOADED] = on_reloaded, [EVENT_REQUEST] = on_request,
	[EVENT_LAUNCHED] = on_launched, [EVENT_EXECED] = on_execed, [EVENT_LAUNCH_FAILED] = on_launch_failed,
	[EVENT_LAUNCH_WARNING] = on_launch_warning, [EVENT_MAIN] = on_main_found, [EVENT_READY] = on_ready, [EVENT_DEATH] = on_death, [EVENT_EMPTY] = on_empty,
	[EVENT_COUNTER] = on_counter, [EVENT_SHARED_COUNT] = on_shared_count, [EVENT_NOTIFY] = on_notify, [EVENT_OOM_KILL] = on_oom_kill,
	[EVENT_OOM_GROUP] = on_oom_group, [EVENT_KMSG_LOST] = on_kmsg_lost, [EVENT_SIGNAL] = on_signal,
	[EVENT_FILES] = on_files, [EVENT_HALTED] = on_halted,
	[EVENT_CRASHED] = on_crashed, [EVENT_UPGRADED] = on_upgraded,
};

/*
 * What effects come back as. The rest of the services settles at the EVENT_TICK behind them: were each of these to go on
 * launching, a thousand units would cause echoes faster than the shell's queue of them empties.
 */
static bool is_echo(enum event_kind kind)
{
	return kind == EVENT_LAUNCHED || kind == EVENT_LAUNCH_FAILED || kind == EVENT_EMPTY;
}

void core_step(struct core *c, struct unitset units, const struct event *ev, struct effects *fx)
{
	struct turn t = { c, units, ev, fx };
	c->now_ms = ev->now_ms > c->now_ms ? ev->now_ms : c->now_ms;    /* a clock that jumps back moves no deadline */
	c->wall_ms = ev->wall_ms;
	fx->n = 0;
	handlers[ev->kind](&t);
	bool settles = !is_echo(ev->kind);
	if (settles)
		fire_timers(&t);
	pass_on_wishes(&t);
	while (settles && c->queues[QUEUE_SETTLE].head != NO_UNIT && has_room(fx)) {
		settle_one(&t, take_from(&t, QUEUE_SETTLE));
		fire_timers(&t);
		pass_on_wishes(&t);
	}
	if (settles && has_room(fx))
		settle_system(&t);
	fx->is_unsettled = !settles || c->queues[QUEUE_SETTLE].head != NO_UNIT || !has_room(fx) ||
		(c->next_deadline_at && c->next_deadline_at <= c->now_ms);
}

/* ---- making and carrying over ---- */

size_t core_size(uint32_t n_services)
{
	return sizeof(struct core) + n_services * sizeof(struct service);
}

static void empty_queues(struct core *c)
{
	for (int q = 0; q < N_QUEUE; q++)
		c->queues[q].head = NO_UNIT;
}

void core_init(struct core *c, enum system_mode mode, uint64_t seed)
{
	*c = (struct core){
		.magic = CORE_MAGIC, .version = CORE_VERSION, .size = (uint32_t)core_size(0), .random = seed | 1,
		.system.mode = (uint8_t)mode, .next_death = 1, .reload_client = NO_CLIENT, .round = 1,
	};
	empty_queues(c);
}

static uint32_t counterpart(struct unitset from, uint32_t i, struct unitset in)
{
	return i == NO_UNIT ? NO_UNIT : unitset_find(in, unitset_text(from, unitset_unit(from, i)->name));
}

void core_mark_leaving(struct core *c, struct unitset old, struct unitset new)
{
	for (uint32_t i = 0; i < c->n_services; i++) {
		c->services[i].flags &= ~(uint32_t)SERVICE_LEAVING;
		if (counterpart(old, i, new) == NO_UNIT)
			c->services[i].flags |= SERVICE_LEAVING;
	}
}

void core_adopt(struct core *to, const struct core *from, struct unitset old, struct unitset new)
{
	memcpy(to, from, sizeof *to);
	to->n_services = unitset_count(new);
	to->size = (uint32_t)core_size(to->n_services);
	empty_queues(to);
	for (uint32_t i = 0; i < to->n_services; i++) {
		uint32_t before = counterpart(new, i, old);
		struct service *s = &to->services[i];
		if (before == NO_UNIT)
			*s = (struct service){ .state = IDLE, .since_at = from->now_ms, .flags = SERVICE_IS_EMPTY };
		else
			*s = from->services[before];
		s->flags &= ~(uint32_t)(SERVICE_QUEUED | SERVICE_HAS_WISH | SERVICE_HAS_RESTART);
	}
	for (size_t d = 0; d < DEATHS_KEPT; d++)
		if (to->deaths[d].id)
			to->deaths[d].service = counterpart(old, to->deaths[d].service, new);
}

uint32_t core_find_pid(const struct core *c, uint32_t pid, enum role *role)
{
	for (uint32_t i = 0; pid && i < c->n_services; i++) {
		const struct service *s = &c->services[i];
		if (s->main_pid != pid && s->control_pid != pid)
			continue;
		*role = s->main_pid == pid ? ROLE_MAIN : ROLE_CONTROL;
		return i;
	}
	return NO_UNIT;
}

const struct death *core_death(const struct core *c, uint64_t id)
{
	const struct death *d = &c->deaths[id % DEATHS_KEPT];
	return id && d->id == id ? d : NULL;
}
