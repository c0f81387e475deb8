/* oomphctl start, stop, restart, reload, kill, poweroff and its kin: what changes something. */
#include "ctl.h"

#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/*
 * Waiting for a service to settle: the events are asked for first, then the service's standing, then the change, each
 * answer read before the next question. PID 1 does one thing after another, so events older than the standing are there
 * to be thrown away when it comes, and what follows is the change's doing.
 */
struct change {
	const struct ask *ask;
	struct wire events, asks;
	struct standing before, now;
	uint32_t least;                 /* the first generation that is the change's doing */
	struct death death;             /* the last one told since; id 0: none */
};

enum settled { NOT_YET, SETTLED };

static void subscribe(struct change *c)
{
	struct request r = request_of(c->ask, NULL);
	r.verb = VERB_EVENTS;
	r.flags = REQUEST_FOLLOW;
	wire_open(&c->events, c->ask);
	expect_ok(wire_exchange(&c->events, &r, NULL, NULL), c->ask, NULL);
}

static void drop_events(struct change *c)
{
	while (wire_next(&c->events, 0))
		;
}

static bool is_about(const struct change *c, const char *unit)
{
	/* Names in notes and deaths are cut. */
	return strncmp(unit, c->before.unit.unit, sizeof c->death.unit - 1) == 0;
}

static const char *unit_word(const struct change *c)
{
	static struct line l;
	l = line_unit(c->before.unit.unit);
	return l.text;
}

static uint32_t least_generation(const struct change *c)
{
	bool is_running = c->before.unit.state == STARTING || c->before.unit.state == UP;
	bool is_same = c->ask->command->verb == VERB_STOP || (c->ask->command->verb == VERB_START && is_running);
	return c->before.unit.generation + (is_same ? 0 : 1);
}

/* ---- how it may go ---- */

static const char *delay_words(uint32_t delay_ms)
{
	static char text[1100];
	if (delay_ms == 0)
		return "; it is tried again";
	snprintf(text, sizeof text, "; it will be tried again in %s", line_ms(delay_ms).text);
	return text;
}

/* Neither up nor a failure: the unit says that this is no time for it. Only people are told; for scripts all went well. */
static enum settled passed_over(const struct change *c, unsigned result, const char *condition)
{
	if (result == RESULT_CONDITION)
		fprintf(stderr, "%s: not started: %s\n", unit_word(c), line_unmet(condition).text);
	return SETTLED;
}

/* `then` goes on after the reason, which is a sentence without its full stop. */
_Noreturn static void has_failed(const struct change *c, unsigned result, const char *condition, const char *then)
{
	struct note failed = { .kind = NOTE_FAILED, .value = result };
	bool is_known = c->death.id && c->death.generation >= c->least;
	struct line why = is_known ? line_death(&c->death) : (struct line){ "" };
	if (!is_known && result != RESULT_SUCCESS) {
		memcpy(failed.unit, c->before.unit.unit, sizeof failed.unit - 1);
		strncpy(failed.unmet, condition, sizeof failed.unmet - 1);
		why = line_note(&failed);
	}
	size_t n = strlen(why.text);
	if (n && why.text[n - 1] == '.')
		why.text[n - 1] = '\0';
	if (n)
		leave(LEAVE_FAILED, "%s%s", why.text, then);
	leave(LEAVE_FAILED, "%s: did not come up%s", unit_word(c), then);
}

static enum settled start_by_standing(const struct change *c)
{
	const struct unit_packet *p = &c->now.unit;
	bool is_ours = p->generation >= c->least;
	if (is_ours && (p->state == UP || p->state == DONE))
		return passed_over(c, p->result, p->unmet);
	if (is_ours && p->state == BACKOFF)
		has_failed(c, p->result, "", delay_words(p->next_start_ms));
	if (p->state == FAILED)
		has_failed(c, p->result, p->unmet, "");
	return NOT_YET;
}

static enum settled start_by_note(const struct change *c, const struct note *n)
{
	bool is_ours = n->generation >= c->least;
	switch (n->kind) {
	case NOTE_UP:
		return is_ours ? SETTLED : NOT_YET;
	case NOTE_DONE:
		if (!is_ours)
			leave(LEAVE_FAILED, "%s: ended before it could be started again", unit_word(c));
		return passed_over(c, n->value, n->unmet);
	case NOTE_BACKOFF:
		if (is_ours)
			has_failed(c, RESULT_SUCCESS, "", delay_words(n->value));
		return NOT_YET;
	case NOTE_FAILED:
		has_failed(c, n->value, n->unmet, "");
	case NOTE_BUG:
		leave(LEAVE_FAILED, "%s", line_note(n).text);
	case NOTE_IDLE:
		leave(LEAVE_FAILED, "%s: was stopped meanwhile", unit_word(c));
	default:
		return NOT_YET;
	}
}

static enum settled stop_by_standing(const struct change *c)
{
	return state_is_resting(c->now.unit.state) ? SETTLED : NOT_YET;
}

static enum settled stop_by_note(const struct change *c, const struct note *n)
{
	if (n->kind == NOTE_STARTING && n->generation > c->least)
		leave(LEAVE_FAILED, "%s: was started again meanwhile", unit_word(c));
	bool is_over = n->kind == NOTE_IDLE || n->kind == NOTE_FAILED || n->kind == NOTE_DONE;
	return is_over && n->generation >= c->least ? SETTLED : NOT_YET;
}

static enum settled take_event(struct change *c)
{
	const struct note *n = &c->events.in.note.note;
	const struct death *d = &c->events.in.death.death;
	bool is_stop = c->ask->command->verb == VERB_STOP;
	if (c->events.in.head.kind == PACKET_DEATH && is_about(c, d->unit) && d->is_main >= c->death.is_main)
		c->death = *d;
	if (c->events.in.head.kind != PACKET_NOTE || !is_about(c, n->unit))
		return NOT_YET;
	return is_stop ? stop_by_note(c, n) : start_by_note(c, n);
}

static void wait_settled(struct change *c)
{
	bool is_stop = c->ask->command->verb == VERB_STOP;
	standing_ask(&c->asks, c->ask, c->ask->args[0], &c->now);
	c->death = c->now.death.id > c->before.unit.last_death ? c->now.death : (struct death){ 0 };
	if (is_stop)
		c->least = c->now.unit.generation;      /* a respawn just before the order is not one that came after it */
	enum settled settled = is_stop ? stop_by_standing(c) : start_by_standing(c);
	while (settled == NOT_YET) {
		wire_wait(&c->events, c->ask);
		settled = take_event(c);
	}
}

static void order(struct wire *w, const struct ask *ask, const char *unit)
{
	struct request r = request_of(ask, unit);
	expect_ok(wire_exchange(w, &r, NULL, NULL), ask, unit);
}

static void tell_standing(struct wire *w, const struct ask *ask)
{
	struct standing s;
	if (!ask->is_json)
		return;
	standing_ask(w, ask, ask->args[0], &s);
	view_unit_json(&s.unit, &s.notes);
}

int change_main(const struct ask *ask)
{
	static struct change c;
	bool wants_wait = !(ask->options & OPTION_NO_WAIT);
	c.ask = ask;
	wire_open(&c.asks, ask);
	if (wants_wait) {
		subscribe(&c);
		standing_ask(&c.asks, ask, ask->args[0], &c.before);
		c.least = least_generation(&c);
		drop_events(&c);
	}
	order(&c.asks, ask, ask->args[0]);
	if (wants_wait)
		wait_settled(&c);
	tell_standing(&c.asks, ask);
	return LEAVE_OK;
}

/* ---- the others ---- */

/* Without a unit the answer comes when the new set is in force: oomph-load has run, and what is gone has stopped. */
static void reload_units(struct wire *w, const struct ask *ask)
{
	struct request r = request_of(ask, NULL);
	wire_send(w, &r);
	do
		wire_wait(w, ask);
	while (w->in.head.kind != PACKET_END);
	expect_ok((enum answer)w->in.end.answer, ask, NULL);
}

int reload_main(const struct ask *ask)
{
	struct wire w;
	wire_open(&w, ask);
	if (ask->n_args)
		order(&w, ask, ask->args[0]);
	else
		reload_units(&w, ask);
	return LEAVE_OK;
}

int kill_main(const struct ask *ask)
{
	struct ask copy = *ask;
	struct subcommand command = *ask->command;
	struct wire w;
	command.argument = 15;          /* SIGTERM */
	if (ask->options & OPTION_SIGNAL)
		command.argument = ask->signal;
	else if (ask->n_args > 1)
		command.argument = signal_number(str_from(ask->args[1]));
	if (command.argument == 0)
		leave(LEAVE_USAGE, "kill: %s is no signal", line_raw(ask->args[1]).text);
	copy.command = &command;
	wire_open(&w, ask);
	order(&w, &copy, ask->args[0]);
	return LEAVE_OK;
}

int power_main(const struct ask *ask)
{
	struct request r = request_of(ask, NULL);
	uint64_t status = 0;
	struct wire w;
	if (ask->n_args && (!str_u64(str_from(ask->args[0]), &status) || status > 255))
		leave(LEAVE_USAGE, "exit: %s is no exit status from 0 to 255", line_raw(ask->args[0]).text);
	r.status = (uint8_t)status;
	wire_open(&w, ask);
	expect_ok(wire_exchange(&w, &r, NULL, NULL), ask, NULL);
	return LEAVE_OK;
}
