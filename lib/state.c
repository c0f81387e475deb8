#include "state.h"

#include <string.h>

/* Eight bytes at a time, each step a bijection: no single wrong word goes unseen. (Constants of splitmix64, Steele et al. 2014.) */
uint64_t state_checksum(const void *bytes, size_t n)
{
	const char *p = bytes;
	uint64_t sum = n, word;
	for (; n; p += sizeof word, n -= sizeof word) {
		size_t part = n < sizeof word ? n : sizeof word;
		word = 0;
		memcpy(&word, p, part);
		sum = (sum ^ word) * 0xbf58476d1ce4e5b9u;
		sum ^= sum >> 29;
		if (part < sizeof word)
			break;
	}
	return sum;
}

/* ---- is it a core? ---- */

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* Every bool from the one to the other. Any other byte in the place of one is nothing that a compiler reckons with. */
static bool are_flags(const bool *first, const bool *last)
{
	for (const unsigned char *p = (const void *)first; p <= (const unsigned char *)last; p++)
		if (*p > 1)
			return false;
	return true;
}

static bool is_unit(const struct core *c, uint32_t i)
{
	return i == NO_UNIT || i < c->n_services;
}

static bool is_kill(const struct oom_kill *k)
{
	return are_flags(&k->is_group, &k->is_task_memcg_above) && is_text(k->comm, sizeof k->comm) && is_text(k->invoked_by, sizeof k->invoked_by) && is_text(k->constraint, sizeof k->constraint) &&
		is_text(k->memcg, sizeof k->memcg) && is_text(k->task_memcg, sizeof k->task_memcg);
}

/* Zeroed, it has never been used. */
static bool is_death(const struct core *c, const struct death *d, size_t place)
{
	if (d->id == 0)
		return true;
	return are_flags(&d->is_main, &d->has_oom_besides) && d->id % DEATHS_KEPT == place && d->id < c->next_death && is_unit(c, d->service) && d->cause < N_CAUSE &&
		d->launch_step < N_LAUNCH_STEP && d->doubt < N_DOUBT && is_text(d->unit, sizeof d->unit) && is_text(d->comm, sizeof d->comm) &&
		is_text(d->sender.comm, sizeof d->sender.comm) && is_kill(&d->oom);
}

static bool is_system(const struct system_state *y)
{
	return y->mode <= MODE_COMMAND && y->phase <= SYSTEM_OVER && y->power < N_POWER;
}

/* What the step needs to be, for somebody looks up its command by it: core_step() launches the one of this number next. */
static bool is_service(const struct core *c, struct unitset units, const struct service *s)
{
	(void)units;
	return s->state < N_STATE && s->step < N_STEP && s->want <= 1 && s->result < N_RESULT && s->errand <= ERRAND_SWEEP &&
		s->warned_step < N_LAUNCH_STEP && s->last_death < c->next_death && is_text(s->status_text, sizeof s->status_text);
}

/* Everybody in a queue once, and whoever says that he is in one. */
static bool is_queue(const struct core *c, enum queue_name name, uint32_t flag)
{
	uint32_t n = 0, n_flagged = 0, last = NO_UNIT;
	for (uint32_t i = c->queues[name].head; i != NO_UNIT; last = i, i = c->services[i].next[name])
		if (i >= c->n_services || n++ == c->n_services || !(c->services[i].flags & flag))
			return false;
	for (uint32_t i = 0; i < c->n_services; i++)
		n_flagged += (c->services[i].flags & flag) != 0;
	return n == n_flagged && (n == 0 || c->queues[name].tail == last);
}

static bool has_queues(const struct core *c)
{
	return is_queue(c, QUEUE_WISHES, SERVICE_HAS_WISH) && is_queue(c, QUEUE_RESTARTS, SERVICE_HAS_RESTART) &&
		is_queue(c, QUEUE_SETTLE, SERVICE_QUEUED);
}

const char *state_check(const struct core *c, size_t size, struct unitset units)
{
	if (size < sizeof *c || c->magic != CORE_MAGIC || c->version != CORE_VERSION)
		return "this is no core";
	if (c->n_services != unitset_count(units) || core_size(c->n_services) != size || c->size != size)
		return "the core is of other units";
	if (!is_system(&c->system) || c->next_kill >= KILLS_KEPT || c->next_death == 0 || !c->random || c->shared.source >= N_SHARED_SOURCE ||
	    !is_text(c->cgroup_root, sizeof c->cgroup_root) || !are_flags(&c->is_disputed[0], &c->is_disputed[KILLS_KEPT - 1]) ||
	    !are_flags(&c->is_loading, &c->is_deadline_stale) || !are_flags(&c->shared.is_ours_alone, &c->shared.is_ours_alone))
		return "the core's head is damaged";
	for (size_t n = 0; n < KILLS_KEPT; n++)
		if (!is_kill(&c->kills[n]))
			return "the core's kills are damaged";
	for (size_t n = 0; n < DEATHS_KEPT; n++)
		if (!is_death(c, &c->deaths[n], n))
			return "the core's deaths are damaged";
	for (uint32_t i = 0; i < c->n_services; i++)
		if (!is_service(c, units, &c->services[i]))
			return "one of the core's services is damaged";
	return has_queues(c) ? NULL : "the core's queues are damaged";
}

/* ---- entries ---- */

static uint64_t sum_of(const struct entry *e)
{
	return state_checksum((const char *)e + sizeof e->checksum, e->size - sizeof e->checksum);
}

/* The parts of a datagram that the core looks at; of a status text as much as it may keep. */
static size_t put_message(char *to, const struct notify_message *from)
{
	struct notify_message m = *from;
	m.fd_name = STR("");
	m.status.n = m.status.n < STATUS_TEXT_MAX ? m.status.n : STATUS_TEXT_MAX;
	if (m.status.n)
		memcpy(to + sizeof m, m.status.p, m.status.n);
	m.status.p = m.fd_name.p = NULL;
	memcpy(to, &m, sizeof m);
	return sizeof m + m.status.n;
}

void entry_sign(union entry_space *e)
{
	e->head.checksum = sum_of(&e->head);
}

void entry_write(union entry_space *e, const struct event *ev)
{
	size_t n = sizeof e->head;
	e->head.event = *ev;
	e->head.event.kill = NULL;
	e->head.event.message = NULL;
	if (ev->kill) {
		memcpy(e->bytes + n, ev->kill, sizeof *ev->kill);
		n += sizeof *ev->kill;
	}
	if (ev->message)
		n += put_message(e->bytes + n, ev->message);
	for (; n % 8; n++)
		e->bytes[n] = '\0';
	e->head.size = (uint32_t)n;
	entry_sign(e);
}

static bool needs_kill(uint8_t kind)
{
	return kind == EVENT_OOM_KILL || kind == EVENT_OOM_GROUP;
}

/* What follows the head is what its kind says, and nothing else. */
static bool attach(union entry_space *e, struct event *ev)
{
	size_t n = e->head.size - sizeof e->head;
	char *rest = e->bytes + sizeof e->head;
	*ev = e->head.event;
	ev->kill = NULL;
	ev->message = NULL;
	if (needs_kill(ev->kind)) {
		ev->kill = (struct oom_kill *)rest;
		return n == sizeof *ev->kill && is_kill(ev->kill);
	}
	if (ev->kind != EVENT_NOTIFY)
		return n == 0;
	struct notify_message *m = (struct notify_message *)rest;
	if (n < sizeof *m || m->status.n > n - sizeof *m || !are_flags(&m->is_ready, &m->has_time))
		return false;
	m->status.p = rest + sizeof *m;
	m->fd_name = STR("");
	ev->message = m;
	return true;
}

bool entry_read(union entry_space *e, const void *bytes, size_t n, struct event *ev)
{
	if (n < sizeof e->head)
		return false;
	memcpy(&e->head, bytes, sizeof e->head);
	if (e->head.size < sizeof e->head || e->head.size > n || e->head.size > sizeof *e || e->head.size % 8)
		return false;
	memcpy(e, bytes, e->head.size);
	return e->head.checksum == sum_of(&e->head) && e->head.event.kind < N_EVENT_KIND && attach(e, ev);
}

bool state_find(union entry_space *e, const void *bytes, size_t n, uint64_t number, struct event *ev)
{
	for (size_t at = 0; entry_read(e, (const char *)bytes + at, n - at, ev) && e->head.number <= number; at += e->head.size)
		if (e->head.number == number)
			return true;
	return false;
}

uint64_t state_last(const void *bytes, size_t n, uint64_t number, uint32_t *end)
{
	union entry_space e;
	struct event ev;
	*end = 0;
	for (size_t at = 0; entry_read(&e, (const char *)bytes + at, n - at, &ev) && e.head.number <= number + 1; at += e.head.size) {
		number = e.head.number > number ? e.head.number : number;
		*end = (uint32_t)(at + e.head.size);
	}
	return number;
}

/* Nobody tells of these without saying of which service. */
static const bool is_of_one[N_EVENT_KIND] = {
	[EVENT_LAUNCHED] = true, [EVENT_EXECED] = true, [EVENT_LAUNCH_FAILED] = true, [EVENT_MAIN] = true, [EVENT_READY] = true,
	[EVENT_LAUNCH_WARNING] = true, [EVENT_EMPTY] = true, [EVENT_COUNTER] = true, [EVENT_NOTIFY] = true,
};

/* An event is about a service of this set, or the entry is not of this journal. */
static bool fits(const struct core *c, const struct event *ev)
{
	return is_unit(c, ev->service) && (ev->service != NO_UNIT || !is_of_one[ev->kind]) && ev->role <= ROLE_OTHER &&
		ev->step < N_LAUNCH_STEP && ev->shared < N_SHARED_SOURCE && are_flags(&ev->has_counter, &ev->is_first_killed) &&
		is_text(ev->comm, sizeof ev->comm) && is_text(ev->sender.comm, sizeof ev->sender.comm);
}

uint64_t state_replay(struct core *c, struct unitset units, const void *bytes, size_t n, uint64_t number, uint64_t until)
{
	union entry_space e;
	struct event ev;
	struct effects fx;
	for (size_t at = 0; entry_read(&e, (const char *)bytes + at, n - at, &ev); at += e.head.size) {
		if (e.head.number <= number)
			continue;               /* the image has it already */
		if (e.head.number != number + 1 || e.head.number == until || !fits(c, &ev))
			break;
		if (!e.head.is_dropped)
			core_step(c, units, &ev, &fx);
		number++;
	}
	return number;
}
