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

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a == 0 ? b : b == 0 || a < b ? a : b;
}

static void find_next_deadline(struct core *c)
{
	c->is_deadline_stale = false;
	c->next_deadline_at = 0;
	for (uint32_t i = 0; i < c->n_services; i++)
		c->next_deadline_at = earlier(c->next_deadline_at, earlier(c->services[i].deadline_at, c->services[i].grace_at));
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

/* ---- the settle queue ---- */

void enqueue(struct turn *t, uint32_t i)
{
	struct core *c = t->c;
	struct service *s = service_at(t, i);
	if (s->flags & SERVICE_QUEUED)
		return;
	s->flags |= SERVICE_QUEUED;
	s->next_queued = NO_UNIT;
	if (c->queue_head == NO_UNIT)
		c->queue_head = i;
	else
		c->services[c->queue_tail].next_queued = i;
	c->queue_tail = i;
}

static uint32_t dequeue(struct turn *t)
{
	struct core *c = t->c;
	uint32_t i = c->queue_head;
	c->queue_head = c->services[i].next_queued;
	c->services[i].flags &= ~(uint32_t)SERVICE_QUEUED;
	return i;
}

static void enqueue_all(struct turn *t, struct span span)
{
	const uint32_t *list = unitset_indices(t->units, span);
	for (uint32_t k = 0; k < span.n; k++)
		enqueue(t, list[k]);
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
	s->want = want;
	s->flags |= SERVICE_WANT_CHANGED;
	enqueue(t, i);
}

/* ---- the machine of a service ---- */

/* A cell that cannot be: this service alone is put aside, everything else goes on. */
static void park(struct turn *t, uint32_t i, enum service_event ev)
{
	struct service *s = service_at(t, i);
	struct note *n = emit_note(t, NOTE_BUG, i, 0);
	n->state = s->state;
	n->event = (uint8_t)ev;
	t->c->n_bugs++;
	s->grace_at = 0;
	enter(t, i, FAILED);
}

void enter(struct turn *t, uint32_t i, enum state state)
{
	struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	if (s->state == state)
		return;
	s->state = (uint8_t)state;
	s->since_at = t->c->now_ms;
	arm(t, i, FOREVER_MS);
	if (state_is_resting(state) || state == BACKOFF)
		s->step = STEP_NONE;
	enqueue(t, i);
	enqueue_all(t, u->after);
	enqueue_all(t, u->before);
}

void dispatch(struct turn *t, uint32_t i, enum service_event ev)
{
	struct service *s = service_at(t, i);
	struct cell cell = service_cell(s->state, ev);
	t->c->cells[s->state][ev]++;
	if (cell.is_ignored)
		return;
	if (cell.is_never) {
		park(t, i, ev);
		return;
	}
	enter(t, i, cell.state);
	act(t, i, cell.action, ev);
}

/* Requires= and Wants= pull in; the end of a unit takes those along that require it (systemd.unit(5)). */
static void pass_on_want(struct turn *t, uint32_t i)
{
	const struct unit *u = unit_at(t, i);
	bool want = service_at(t, i)->want;
	if (service_at(t, i)->flags & SERVICE_LEAVING)
		return;                         /* the set to come may not require it any more, and says so if it does */
	struct span lists[] = { want ? u->requires : u->required_by, want ? u->wants : (struct span){ 0, 0 } };
	for (size_t l = 0; l < countof(lists); l++) {
		const uint32_t *list = unitset_indices(t->units, lists[l]);
		for (uint32_t k = 0; k < lists[l].n; k++)
			if (!want || !t->c->services[list[k]].want)
				set_want(t, list[k], want);
	}
}

static void pass_on_restart(struct turn *t, uint32_t i)
{
	const struct unit *u = unit_at(t, i);
	const uint32_t *list = unitset_indices(t->units, u->required_by);
	for (uint32_t k = 0; k < u->required_by.n; k++) {
		struct service *d = service_at(t, list[k]);
		if (!d->want || (d->flags & SERVICE_RESTART_ASKED) || (d->state != UP && d->state != STARTING))
			continue;
		d->flags |= SERVICE_RESTART_ASKED;
		enqueue(t, list[k]);
	}
}

/* One service's turn: what it owes to a changed wish, to its neighbours' states, or to the end of its last process. */
static void settle_one(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->flags & SERVICE_WANT_CHANGED) {
		s->flags &= ~(uint32_t)SERVICE_WANT_CHANGED;
		pass_on_want(t, i);
		dispatch(t, i, s->want ? EV_WANT_UP : EV_WANT_DOWN);
	} else if ((s->flags & SERVICE_RESTART_ASKED) && (s->state == UP || s->state == STARTING)) {
		pass_on_restart(t, i);
		dispatch(t, i, EV_WANT_DOWN);   /* to the machine a restart is a stop; the wish stays up */
	} else if (s->step == STEP_WAIT || s->step == STEP_HOLD) {
		go_on(t, i);
	}
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
	}
	find_next_deadline(c);
}

/* ---- the machine as a whole ---- */

void load(struct turn *t)
{
	struct core *c = t->c;
	c->load_at = 0;
	if (c->system.phase >= SYSTEM_STOPPING || c->system.mode == MODE_COMMAND)
		return;
	c->wants_load = c->is_loading || c->is_pending;
	if (c->wants_load)
		return;                         /* once more when this one is through: files may have changed since */
	c->is_loading = true;
	emit(t, FX_LOAD, NO_UNIT);
}

void system_stop(struct turn *t, enum power power, int exit_status)
{
	struct core *c = t->c;
	if (c->system.phase >= SYSTEM_STOPPING)
		return;
	emit_note(t, NOTE_SYSTEM, NO_UNIT, power);
	c->system.phase = SYSTEM_STOPPING;
	c->system.power = (uint8_t)power;
	c->system.exit_status = exit_status;
	c->load_at = 0;
	for (uint32_t i = 0; i < c->n_services; i++)
		set_want(t, i, false);
}

static void system_over(struct turn *t)
{
	struct effect *e = emit(t, FX_POWER, NO_UNIT);
	e->number = t->c->system.power;
	e->argument = t->c->system.exit_status;
	t->c->system.phase = SYSTEM_OVER;
	t->c->system.deadline_at = 0;
}

/* What a shell would say of the same end: 128+N for a signal, 127 not found, 126 not executable. */
static int command_status(struct turn *t)
{
	enum { NOT_FOUND = 2 };                 /* ENOENT, which has this number on every Linux */
	const struct death *d = core_death(t->c, t->c->services[0].last_death);
	if (!d)
		return 0;
	if (d->code == 0)
		return d->launch_error == NOT_FOUND ? 127 : 126;
	return d->code == 1 /* CLD_EXITED */ ? d->status : 128 + d->status;
}

static bool all_rest(const struct core *c)
{
	for (uint32_t i = 0; i < c->n_services; i++)
		if (!state_is_resting(c->services[i].state))
			return false;
	return true;
}

static bool leavers_rest(const struct core *c)
{
	for (uint32_t i = 0; i < c->n_services; i++)
		if ((c->services[i].flags & SERVICE_LEAVING) && !state_is_resting(c->services[i].state))
			return false;
	return true;
}

static void settle_system(struct turn *t)
{
	struct core *c = t->c;
	struct system_state *y = &c->system;
	if (c->load_at && c->load_at <= c->now_ms)
		load(t);
	if (c->is_pending && leavers_rest(c)) {
		c->is_pending = false;
		emit(t, FX_ADOPT, NO_UNIT);
	}
	if (y->mode == MODE_COMMAND && y->phase == SYSTEM_RUNNING && all_rest(c)) {
		y->power = POWER_EXIT;
		y->exit_status = command_status(t);
		system_over(t);
	}
	if (y->phase == SYSTEM_STOPPING && all_rest(c)) {
		if (y->mode == MODE_VM) {
			y->phase = SYSTEM_HALTING;
			y->deadline_at = c->now_ms + HALT_DEADLINE_MS;
			emit(t, FX_HALT, NO_UNIT);
		} else {
			system_over(t);
		}
	}
	if (y->phase == SYSTEM_HALTING && y->deadline_at <= c->now_ms)
		system_over(t);
}

/* Asked for again meanwhile: what was read may be older than the asking, so the answer waits for another round. */
static void answer_reload(struct turn *t, enum answer answer)
{
	struct core *c = t->c;
	if (c->wants_load) {
		load(t);
		return;
	}
	reply(t, c->reload_client, answer);
	c->reload_client = NO_CLIENT;
}

/* A unit that cannot be used is FAILED from the start, so that `status` can tell why. */
static void put_aside(struct turn *t, uint32_t i)
{
	service_at(t, i)->result = RESULT_BAD_SETTING;
	enter(t, i, FAILED);
}

static void on_units(struct turn *t)
{
	struct core *c = t->c;
	emit_note(t, NOTE_UNITS, NO_UNIT, c->n_services);
	answer_reload(t, ANSWER_OK);
	if (c->system.phase == SYSTEM_BOOTING)
		c->system.phase = SYSTEM_RUNNING;
	for (uint32_t i = 0; i < c->n_services; i++) {
		struct service *s = service_at(t, i);
		const struct unit *u = unit_at(t, i);
		bool is_new = s->generation == 0 && s->state == IDLE && !s->want;
		bool is_mended = s->state == FAILED && s->result == RESULT_BAD_SETTING;
		enqueue(t, i);
		dispatch(t, i, EV_RESET);
		if (u->flags & UNIT_BROKEN) {
			if (is_new)
				put_aside(t, i);
		} else if ((u->flags & UNIT_WANTED) && (is_new || is_mended)) {
			set_want(t, i, true);
		}
	}
}

static void on_reloaded(struct turn *t)
{
	struct core *c = t->c;
	c->is_loading = false;
	if (t->ev->is_ok) {
		c->is_pending = true;
		for (uint32_t i = 0; i < c->n_services; i++)
			if (service_at(t, i)->flags & SERVICE_LEAVING)
				set_want(t, i, false);
		return;
	}
	emit_note(t, NOTE_LOAD_FAILED, NO_UNIT, (uint32_t)t->ev->error);
	answer_reload(t, ANSWER_LOAD_FAILED);
	if (c->system.phase == SYSTEM_BOOTING)
		c->load_at = c->now_ms + RETRY_MS;
}

static void on_signal(struct turn *t)
{
	enum power power;
	if (t->c->system.mode == MODE_COMMAND) {
		if (t->c->n_services == 0 || !t->c->services[0].main_pid)
			return;
		struct effect *e = emit(t, FX_SIGNAL, 0);
		e->role = ROLE_MAIN;
		e->number = t->ev->argument;
		return;
	}
	switch (system_signal(t->c->system.mode, t->ev->argument, &power)) {
	case SIGNAL_MEANS_POWER:
		system_stop(t, power, 0);
		break;
	case SIGNAL_MEANS_LOAD:
		load(t);
		break;
	case SIGNAL_MEANS_NOTHING:
		break;
	}
}

static void on_empty(struct turn *t)
{
	struct service *s = service_at(t, t->ev->service);
	s->flags |= SERVICE_IS_EMPTY;
	if (is_gone(t, t->ev->service))
		dispatch(t, t->ev->service, EV_GONE);
}

static void on_files(struct turn *t)
{
	if (t->c->system.mode != MODE_COMMAND)
		t->c->load_at = t->c->now_ms + (t->ev->is_ok ? 0 : RELOAD_SETTLE_MS);
}

static void on_halted(struct turn *t)
{
	if (t->c->system.phase == SYSTEM_HALTING)
		t->c->system.deadline_at = t->c->now_ms;
}

static void on_tick(struct turn *t)
{
	(void)t;
}

static void (*const handlers[N_EVENT_KIND])(struct turn *) = {
	[EVENT_TICK] = on_tick, [EVENT_UNITS] = on_units, [EVENT_RELOADED] = on_reloaded, [EVENT_REQUEST] = on_request,
	[EVENT_LAUNCHED] = on_launched, [EVENT_EXECED] = on_execed, [EVENT_LAUNCH_FAILED] = on_launch_failed,
	[EVENT_LAUNCH_WARNING] = on_launch_warning, [EVENT_DEATH] = on_death, [EVENT_EMPTY] = on_empty,
	[EVENT_COUNTER] = on_counter, [EVENT_NOTIFY] = on_notify, [EVENT_OOM_KILL] = on_oom_kill,
	[EVENT_OOM_GROUP] = on_oom_group, [EVENT_KMSG_LOST] = on_kmsg_lost, [EVENT_SIGNAL] = on_signal,
	[EVENT_FILES] = on_files, [EVENT_HALTED] = on_halted,
};

void core_step(struct core *c, struct unitset units, const struct event *ev, struct effects *fx)
{
	struct turn t = { c, units, ev, fx };
	c->now_ms = ev->now_ms > c->now_ms ? ev->now_ms : c->now_ms;    /* a clock that jumps back moves no deadline */
	c->wall_ms = ev->wall_ms;
	fx->n = 0;
	handlers[ev->kind](&t);
	fire_timers(&t);
	while (c->queue_head != NO_UNIT && has_room(fx)) {
		settle_one(&t, dequeue(&t));
		fire_timers(&t);
	}
	if (has_room(fx))
		settle_system(&t);
	fx->is_unsettled = c->queue_head != NO_UNIT || !has_room(fx) ||
		(c->next_deadline_at && c->next_deadline_at <= c->now_ms);
}

/* ---- making and carrying over ---- */

size_t core_size(uint32_t n_services)
{
	return sizeof(struct core) + n_services * sizeof(struct service);
}

void core_init(struct core *c, enum system_mode mode, uint64_t seed)
{
	*c = (struct core){
		.magic = CORE_MAGIC, .version = CORE_VERSION, .size = (uint32_t)core_size(0), .random = seed | 1,
		.system.mode = (uint8_t)mode, .next_death = 1, .queue_head = NO_UNIT, .queue_tail = NO_UNIT,
		.reload_client = NO_CLIENT,
	};
}

static uint32_t counterpart(struct unitset from, uint32_t i, struct unitset in)
{
	return i == NO_UNIT ? NO_UNIT : unitset_find(in, unitset_text(from, unitset_unit(from, i)->name));
}

void core_mark_leaving(struct core *c, struct unitset old, struct unitset new)
{
	for (uint32_t i = 0; i < c->n_services; i++)
		if (counterpart(old, i, new) == NO_UNIT)
			c->services[i].flags |= SERVICE_LEAVING;
}

void core_adopt(struct core *to, const struct core *from, struct unitset old, struct unitset new)
{
	memcpy(to, from, sizeof *to);
	to->n_services = unitset_count(new);
	to->size = (uint32_t)core_size(to->n_services);
	to->queue_head = to->queue_tail = NO_UNIT;
	for (uint32_t i = 0; i < to->n_services; i++) {
		uint32_t before = counterpart(new, i, old);
		struct service *s = &to->services[i];
		if (before == NO_UNIT)
			*s = (struct service){ .state = IDLE, .since_at = from->now_ms, .flags = SERVICE_IS_EMPTY };
		else
			*s = from->services[before];
		s->flags &= ~(uint32_t)SERVICE_QUEUED;
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
