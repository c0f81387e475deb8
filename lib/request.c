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

static enum answer start(struct turn *t, uint32_t i)
{
	if (t->c->system.phase >= SYSTEM_STOPPING)
		return ANSWER_STOPPING;
	if (unit_at(t, i)->flags & UNIT_BROKEN)
		return ANSWER_BROKEN_UNIT;
	if (unit_at(t, i)->flags & UNIT_REFUSE_START)
		return ANSWER_NOT_BY_HAND;
	dispatch(t, i, EV_RESET);
	set_want(t, i, true);
	try_again_what_it_requires(t, i);
	return ANSWER_OK;
}

static enum answer stop(struct turn *t, uint32_t i)
{
	if (unit_at(t, i)->flags & UNIT_REFUSE_STOP)
		return ANSWER_NOT_BY_HAND;
	set_want(t, i, false);
	return ANSWER_OK;
}

static enum answer restart(struct turn *t, uint32_t i)
{
	enum answer answer = unit_at(t, i)->flags & UNIT_REFUSE_STOP ? ANSWER_NOT_BY_HAND : start(t, i);
	if (answer == ANSWER_OK)
		ask_restart(t, i);
	return answer;
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
	return begin_reload(t, i);
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
