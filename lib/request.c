/* What clients ask for: each verb's checks and what it sets in motion. Reading is the shell's own (view.h). */
#include "core_parts.h"

void reply(struct turn *t, uint32_t client, enum answer answer)
{
	if (client == NO_CLIENT)
		return;
	struct effect *e = emit(t, FX_REPLY, NO_UNIT);
	e->client = client;
	e->number = answer;
}

/* Only here and not down the whole chain: units that require one another and cannot start would try each other for ever. */
static void try_again_what_it_requires(struct turn *t, uint32_t i)
{
	const struct unit *u = unit_at(t, i);
	const uint32_t *list = unitset_indices(t->units, u->requires);
	for (uint32_t k = 0; k < u->requires.n; k++)
		if (service_at(t, list[k])->state == FAILED)
			set_want(t, list[k], true);
}

static enum answer start(struct turn *t, uint32_t i)
{
	if (t->c->system.phase >= SYSTEM_STOPPING)
		return ANSWER_STOPPING;
	if (unit_at(t, i)->flags & UNIT_BROKEN)
		return ANSWER_BROKEN_UNIT;
	dispatch(t, i, EV_RESET);
	set_want(t, i, true);
	try_again_what_it_requires(t, i);
	return ANSWER_OK;
}

static enum answer stop(struct turn *t, uint32_t i)
{
	set_want(t, i, false);
	return ANSWER_OK;
}

static enum answer restart(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	enum answer answer = start(t, i);
	if (answer == ANSWER_OK && (s->state == UP || s->state == STARTING)) {
		s->flags |= SERVICE_RESTART_ASKED;
		enqueue(t, i);
	}
	return answer;
}

/* systemd.service(5), Type=notify-reload: it answers with RELOADING=1, and with READY=1 once it has. */
static void tell_to_reload(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	struct effect *e = emit(t, FX_SIGNAL, i);
	e->role = ROLE_MAIN;
	e->number = unit_at(t, i)->reload_signal;
	s->reload_at = t->c->now_ms;
	s->flags &= ~(uint32_t)SERVICE_SAYS_RELOADING;
}

static enum answer reload(struct turn *t, uint32_t i)
{
	if (i == NO_UNIT) {
		if (t->c->system.mode == MODE_COMMAND)
			return ANSWER_BAD_REQUEST;
		if (t->c->reload_client != NO_CLIENT)
			return ANSWER_BUSY;
		t->c->reload_client = t->ev->client;
		load(t);
		return ANSWER_LATER;
	}
	struct service *s = service_at(t, i);
	if (s->state != UP || is_going_down(s))
		return ANSWER_NOT_RUNNING;
	const struct unit *u = unit_at(t, i);
	bool by_signal = u->type == TYPE_NOTIFY_RELOAD && s->main_pid;
	if (u->exec[EXEC_RELOAD].n == 0 && !by_signal)
		return ANSWER_NO_RELOAD;
	if (s->step != STEP_RUN)
		return ANSWER_BUSY;
	if (by_signal)
		tell_to_reload(t, i);
	take_step(s, STEP_RELOAD);
	emit_note(t, NOTE_RELOADING, i, 0);
	arm(t, i, unit_at(t, i)->start_ms);     /* systemd puts reloads under TimeoutStartSec= as well */
	go_on(t, i);
	return ANSWER_OK;
}

static enum answer kill_all(struct turn *t, uint32_t i)
{
	int number = t->ev->argument;
	if (number < 1 || number > 64)
		return ANSWER_BAD_REQUEST;
	if (!has_process(service_at(t, i)))
		return ANSWER_NOT_RUNNING;
	struct effect *e = emit(t, FX_SIGNAL, i);       /* the operator's, not ours: the verdict will say `signal` */
	e->role = ROLE_OTHER;
	e->number = number;
	return ANSWER_OK;
}

static enum answer power(struct turn *t, uint32_t i)
{
	(void)i;
	if (t->ev->argument < 0 || t->ev->argument >= N_POWER)
		return ANSWER_BAD_REQUEST;
	if (t->c->system.phase >= SYSTEM_STOPPING)
		return ANSWER_STOPPING;
	system_stop(t, (enum power)t->ev->argument, t->ev->status);
	return ANSWER_OK;
}

static const struct {
	enum answer (*serve)(struct turn *, uint32_t);
	bool needs_unit;
} verbs[N_VERB] = {
	[VERB_START] = { start, true }, [VERB_STOP] = { stop, true }, [VERB_RESTART] = { restart, true },
	[VERB_RELOAD] = { reload, false }, [VERB_KILL] = { kill_all, true }, [VERB_POWER] = { power, false },
};

void on_request(struct turn *t)
{
	const struct event *ev = t->ev;
	enum answer answer = ANSWER_BAD_REQUEST;
	if (ev->verb < N_VERB && verbs[ev->verb].serve)
		answer = verbs[ev->verb].needs_unit && ev->service == NO_UNIT ? ANSWER_NO_SUCH_UNIT :
			verbs[ev->verb].serve(t, ev->service);
	if (answer != ANSWER_LATER)
		reply(t, ev->client, answer);
}
