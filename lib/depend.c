/*
 * What units are to one another. Everything here walks the edges of one unit, by their kinds (enum edge_kind); which directive
 * makes which edge is nothing that the core knows (link_effects in directives.h).
 */
#include "core_parts.h"

/* A walk over those neighbours to whom there is an edge of one of these kinds. */
struct walk {
	const struct edge *edge;
	uint32_t n_left, kinds;
};

static void skip_others(struct walk *w)
{
	while (w->n_left && !(w->edge->kinds & w->kinds)) {
		w->edge++;
		w->n_left--;
	}
}

static struct walk walk_edges(struct turn *t, uint32_t i, uint32_t kinds)
{
	const struct unit *u = unit_at(t, i);
	struct walk w = { unitset_edges(t->units, u), u->edges.n, kinds };
	skip_others(&w);
	return w;
}

static void walk_on(struct walk *w)
{
	w->edge++;
	w->n_left--;
	skip_others(w);
}

/* NOLINTNEXTLINE(bugprone-macro-parentheses): one argument is a name to declare */
#define EACH_EDGE(w, t, i, kinds) struct walk w = walk_edges(t, i, kinds); w.n_left; walk_on(&w)

void enqueue_neighbours(struct turn *t, uint32_t i)
{
	for (EACH_EDGE(w, t, i, EDGE_AFTER | EDGE_BEFORE))
		enqueue(t, w.edge->unit);
}

/* ---- wishes: whom a changed one pulls in or puts down ---- */

/*
 * One unit's wish against another's, in the same round of wishes: the first to speak has it, and what is down stays down
 * until the round is over. Else three units that want and exclude one another in a ring would go round for ever.
 * One that is on its way down already is put down as well: else it would be upheld for the moment of its end.
 */
static void put_down(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (!s->want && state_is_resting(s->state))
		return;
	set_want(t, i, false);
	s->flags |= SERVICE_PUT_DOWN;
}

/* What has come to rest by itself is not stopped by another's stop, and goes on telling how it ended. */
static void take_along(struct turn *t, uint32_t i)
{
	const struct service *s = service_at(t, i);
	if (!state_is_resting(s->state) || (s->flags & SERVICE_WANT_CHANGED))
		put_down(t, i);
}

static void pull_up(struct turn *t, uint32_t i)
{
	const struct service *s = service_at(t, i);
	bool is_denied = (s->flags & SERVICE_PUT_DOWN) && s->wished_in == t->c->round;
	if (!s->want && !is_denied)
		set_want(t, i, true);
}

/* systemd.unit(5): Requires=, Wants= and their kin pull in, Conflicts= puts down; a stop takes along what requires it. */
void pass_on_want(struct turn *t, uint32_t i)
{
	bool want = service_at(t, i)->want;
	if (service_at(t, i)->flags & SERVICE_LEAVING)
		return;                         /* the set to come may not require it any more, and says so if it does */
	for (EACH_EDGE(w, t, i, want ? EDGE_PULLS | EDGE_CONFLICTS : EDGE_STOPS)) {
		if (!want)
			take_along(t, w.edge->unit);
		if (want && (w.edge->kinds & EDGE_PULLS))
			pull_up(t, w.edge->unit);
		if (want && (w.edge->kinds & EDGE_CONFLICTS))
			put_down(t, w.edge->unit);
	}
}

void pass_on_restart(struct turn *t, uint32_t i)
{
	for (EACH_EDGE(w, t, i, EDGE_RESTARTS))
		ask_restart(t, w.edge->unit);
}

void pass_on_reload(struct turn *t, uint32_t i)
{
	for (EACH_EDGE(w, t, i, EDGE_RELOADS)) {
		service_at(t, w.edge->unit)->flags |= SERVICE_RELOAD_ASKED;
		enqueue(t, w.edge->unit);
	}
}

/* Only here and not down the whole chain: units that require one another and cannot start would try each other for ever. */
void try_again_what_it_requires(struct turn *t, uint32_t i)
{
	for (EACH_EDGE(w, t, i, EDGE_REQUIRES))
		if (service_at(t, w.edge->unit)->state == FAILED)
			set_want(t, w.edge->unit, true);
}

/* ---- what the end of one means to others ---- */

static bool has_wanted_rival(struct turn *t, uint32_t i, uint32_t below)
{
	for (EACH_EDGE(w, t, i, EDGE_CONFLICTS))
		if (w.edge->unit < below && service_at(t, w.edge->unit)->want)
			return true;
	return false;
}

bool is_new(struct turn *t, uint32_t i)
{
	const struct service *s = service_at(t, i);
	if (s->generation || s->state != IDLE || s->want)
		return false;
	return !(s->flags & SERVICE_PUT_DOWN) || !has_wanted_rival(t, i, NO_UNIT);
}

/* A new set has made rivals of two that are both wanted: the first in the order of names stays. */
void part_rivals(struct turn *t)
{
	for (uint32_t i = 0; i < t->c->n_services; i++)
		if (service_at(t, i)->want && has_wanted_rival(t, i, i))
			put_down(t, i);
}

/* Upholds=: whatever ended it, it goes on to another start; unless another unit's wish has put it down, which is the newer one. */
bool is_upheld(struct turn *t, uint32_t i)
{
	const struct service *s = service_at(t, i);
	if (t->c->system.phase >= SYSTEM_STOPPING || (s->flags & (SERVICE_LEAVING | SERVICE_PUT_DOWN)) ||
	    s->result == RESULT_CONDITION || has_wanted_rival(t, i, NO_UNIT))
		return false;
	for (EACH_EDGE(w, t, i, EDGE_UPHELD_BY)) {
		const struct service *d = service_at(t, w.edge->unit);
		if (d->state == UP && !is_going_down(d))
			return true;
	}
	return false;
}

/* In a turn of its own (answer_summons): one end may call many. */
static void summon(struct turn *t, uint32_t i)
{
	service_at(t, i)->flags |= SERVICE_SUMMONED;
	enqueue(t, i);
}

static void summon_all(struct turn *t, uint32_t i, enum edge_kind kind)
{
	for (EACH_EDGE(w, t, i, kind))
		summon(t, w.edge->unit);
}

void uphold_others(struct turn *t, uint32_t i)
{
	summon_all(t, i, EDGE_UPHOLDS);
}

/*
 * Called by another's end or rise (OnFailure=, OnSuccess=, Upholds=). One that has failed, or has only just come to rest, waits
 * as after a failure: units may call one another in a ring, and those without a process would do it in no time.
 */
void answer_summons(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	bool may_start = t->c->system.phase < SYSTEM_STOPPING && !(s->flags & SERVICE_LEAVING);
	bool is_recent = s->state == FAILED || t->c->now_ms - s->since_at < BACKOFF_FIRST_MS;
	s->flags &= ~(uint32_t)SERVICE_SUMMONED;
	if (s->want && s->state == BACKOFF)
		return;                         /* it is on its way */
	if (!state_is_resting(s->state) || !s->generation || !is_recent) {
		set_want(t, i, true);
	} else if (may_start) {
		start_later(t, i);
	}
}

static bool is_needed(struct turn *t, uint32_t i)
{
	for (EACH_EDGE(w, t, i, EDGE_NEEDED_BY)) {
		const struct service *d = service_at(t, w.edge->unit);
		if (d->want && !state_is_resting(d->state))
			return true;
	}
	return false;
}

/* It has not started yet, and looks for itself at what has come of the one before it (wait_for_start). */
static bool waits_behind(struct turn *t, const struct edge *edge)
{
	return (edge->kinds & EDGE_BEFORE) && service_at(t, edge->unit)->step == STEP_WAIT;
}

void pass_on_end(struct turn *t, uint32_t i)
{
	const struct service *s = service_at(t, i);
	bool was_up = s->flags & SERVICE_WAS_UP, has_run = result_has_run((enum result)s->result);
	bool is_good = result_is_good((enum result)s->result);
	if (s->flags & SERVICE_LEAVING)
		return;
	for (EACH_EDGE(w, t, i, EDGE_ENDS))
		if (!waits_behind(t, w.edge))
			take_along(t, w.edge->unit);
	if (has_run && (s->state == FAILED || (was_up && !is_good)))
		summon_all(t, i, EDGE_ON_FAILURE);
	else if (has_run && (s->state == DONE || was_up))
		summon_all(t, i, EDGE_ON_SUCCESS);
	for (EACH_EDGE(w, t, i, EDGE_PULLS | EDGE_REQUISITE))
		if ((unit_at(t, w.edge->unit)->flags & UNIT_STOP_UNNEEDED) && !is_needed(t, w.edge->unit))
			put_down(t, w.edge->unit);
}

/* It has ended, and will be back: what cannot be without it (BindsTo=) stops, and comes back with it. */
void pass_on_respawn(struct turn *t, uint32_t i)
{
	for (EACH_EDGE(w, t, i, EDGE_ENDS))
		if ((w.edge->kinds & EDGE_RESTARTS) && !waits_behind(t, w.edge))
			ask_restart(t, w.edge->unit);
}

/* ---- order ---- */

bool is_going_down(const struct service *s)
{
	bool runs = s->state == UP || s->state == STARTING;
	return s->state == STOPPING || s->state == SWEEPING || (runs && (!s->want || (s->flags & SERVICE_RESTART_ASKED)));
}

/* Of one that does not move: whether it is what is asked of it. With After= alone nothing is. */
static enum wait weigh(const struct service *d, uint32_t kinds)
{
	bool has_to_be_up = kinds & (EDGE_BINDS | EDGE_REQUISITE);
	if (!(kinds & (EDGE_REQUIRES | EDGE_REQUISITE)))
		return WAIT_OVER;
	if (d->state == BACKOFF)
		return WAIT_ON;                 /* it will come, and so shall we: nobody is there to start us by hand */
	return d->state == UP || (d->state == DONE && !has_to_be_up) ? WAIT_OVER : WAIT_VAIN;
}

static enum wait wait_for(const struct service *d, uint32_t kinds)
{
	bool is_moving = d->state == STARTING || d->state == STOPPING || d->state == SWEEPING;
	bool has_changed = d->flags & SERVICE_WANT_CHANGED;
	if (kinds & EDGE_AFTER)
		return is_moving || has_changed ? WAIT_ON : weigh(d, kinds);
	/* systemd.unit(5) After=: of two that are ordered, in whichever direction, what stops goes before what starts. */
	if ((kinds & EDGE_CONFLICTS) && (kinds & EDGE_BEFORE))
		return is_going_down(d) || has_changed ? WAIT_ON : WAIT_OVER;
	if (kinds & EDGE_REQUISITE)
		return d->want && (has_changed || !state_is_resting(d->state)) ? WAIT_OVER : WAIT_VAIN;
	return WAIT_OVER;
}

/* What stands before this one in order, systemd.unit(5) After=; with Requires= and its kin it must also have come up. */
enum wait wait_for_start(struct turn *t, uint32_t i)
{
	enum wait wait = unit_at(t, i)->flags & UNIT_DEPENDENCY_MISSING ? WAIT_VAIN : WAIT_OVER;
	for (EACH_EDGE(w, t, i, EDGE_AFTER | EDGE_CONFLICTS | EDGE_REQUISITE)) {
		enum wait one = wait_for(service_at(t, w.edge->unit), w.edge->kinds);
		wait = one > wait ? one : wait;
	}
	return wait;
}

/* The order of stopping is that of starting, backwards. */
bool is_stood_upon(struct turn *t, uint32_t i)
{
	for (EACH_EDGE(w, t, i, EDGE_BEFORE))
		if (is_going_down(service_at(t, w.edge->unit)))
			return true;
	return false;
}
