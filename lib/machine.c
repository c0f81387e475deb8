/* The machine as a whole: unit sets come into force, signals mean something, and one day it goes down in order. */
#include "core_parts.h"

#include <signal.h>
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

static bool is_any_starting(const struct core *c)
{
	for (uint32_t i = 0; i < c->n_services; i++)
		if (c->services[i].state == STARTING)
			return true;
	return false;
}

void settle_system(struct turn *t)
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
	if (c->has_idle && c->queues[QUEUE_SETTLE].head == NO_UNIT && !is_any_starting(c)) {
		c->has_idle = false;
		emit(t, FX_QUIET, NO_UNIT);
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

void on_units(struct turn *t)
{
	struct core *c = t->c;
	emit_note(t, NOTE_UNITS, NO_UNIT, c->n_services);
	answer_reload(t, ANSWER_OK);
	if (c->system.phase == SYSTEM_BOOTING)
		c->system.phase = SYSTEM_RUNNING;
	part_rivals(t);
	for (uint32_t i = 0; i < c->n_services; i++) {
		const struct service *s = service_at(t, i);
		const struct unit *u = unit_at(t, i);
		bool is_mended = s->state == FAILED && s->result == RESULT_BAD_SETTING;
		enqueue(t, i);
		if (u->flags & UNIT_BROKEN) {
			if (is_new(t, i))
				put_aside(t, i);
		} else if ((u->flags & UNIT_WANTED) && (is_mended || is_new(t, i))) {
			set_want(t, i, true);
		}
	}
}

void on_reloaded(struct turn *t)
{
	struct core *c = t->c;
	bool is_news = t->ev->error != c->load_error || c->reload_client != NO_CLIENT;
	c->is_loading = false;
	c->load_error = t->ev->error;
	if (t->ev->is_ok) {
		c->is_pending = true;
		for (uint32_t i = 0; i < c->n_services; i++)
			if (service_at(t, i)->flags & SERVICE_LEAVING)
				set_want(t, i, false);
		return;
	}
	if (is_news)
		emit_note(t, NOTE_LOAD_FAILED, NO_UNIT, (uint32_t)t->ev->error);
	answer_reload(t, ANSWER_LOAD_FAILED);
	/* A loader that falls over its files does so again until they change; what was short comes back, and nobody tells. */
	if (!c->is_loading && (c->system.phase == SYSTEM_BOOTING || restart_is_passing(t->ev->error)))
		c->load_at = c->now_ms + RETRY_MS;
}

void on_signal(struct turn *t)
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

void on_files(struct turn *t)
{
	if (t->c->system.mode != MODE_COMMAND)
		t->c->load_at = t->c->now_ms + (t->ev->is_ok ? 0 : RELOAD_SETTLE_MS);
}

void on_halted(struct turn *t)
{
	if (t->c->system.phase == SYSTEM_HALTING)
		t->c->system.deadline_at = t->c->now_ms;
}
