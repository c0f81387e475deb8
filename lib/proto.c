#include "proto.h"
#include "condition.h"

#include <string.h>

const char *request_check(const void *bytes, size_t size)
{
	const struct request *r = bytes;
	if (size != sizeof *r)
		return "size";
	if (r->magic != PROTO_MAGIC)
		return "magic";
	if (r->version != PROTO_VERSION)
		return "version";
	if (r->verb >= N_VERB)
		return "verb";
	if (!memchr(r->unit, '\0', sizeof r->unit))
		return "unit name";
	return NULL;
}

bool verb_is_change(enum verb verb)
{
	switch (verb) {
	case VERB_LIST: case VERB_STATUS: case VERB_DEATHS: case VERB_EVENTS: case VERB_VERSION:
	case VERB_INCIDENTS: case VERB_LOGS: case VERB_CRASHES:
		return false;
	default:
		return true;
	}
}

bool verb_is_for_root(enum verb verb)
{
	return verb_is_change(verb) || verb == VERB_LOGS || verb == VERB_CRASHES;
}

static void copy(char *to, size_t size, struct str from)
{
	size_t n = from.n < size ? from.n : size - 1;
	memcpy(to, from.p, n);
	to[n] = '\0';
}

void view_unit(struct unit_packet *p, const struct core *c, struct unitset units, uint32_t i, uint64_t now_ms)
{
	const struct service *s = &c->services[i];
	const struct unit *u = unitset_unit(units, i);
	*p = (struct unit_packet){
		.head = { PACKET_UNIT, sizeof *p },
		.since_ms = now_ms - s->since_at, .uptime_ms = s->main_pid ? now_ms - s->launched_at : 0,
		.last_death = s->last_death, .next_start_ms = FOREVER_MS,
		.main_pid = s->main_pid, .control_pid = s->control_pid, .generation = s->generation,
		.n_restarts = s->n_restarts, .n_oom_kills = s->n_oom_kills, .oom_score_adj = u->oom_score_adj,
		.state = s->state, .step = s->step, .want = s->want, .result = s->result,
		.type = u->type, .restart = u->restart, .oom_policy = u->oom_policy,
		.is_helper = (u->flags & UNIT_HELPER) != 0, .has_warning = s->warned != 0,
		.warned_step = s->warned_step, .warned_error = s->warned_error,
	};
#if STATE_LAYOUT >= 2
	p->n_crashes = s->n_crashes;
#endif
	if (s->state == BACKOFF)
		p->next_start_ms = s->deadline_at > now_ms ? (uint32_t)(s->deadline_at - now_ms) : 0;
	memcpy(p->knobs, u->knobs, sizeof p->knobs);
	memcpy(p->status_text, s->status_text, sizeof p->status_text);
	copy(p->unit, sizeof p->unit, unitset_text(units, u->name));
	copy(p->description, sizeof p->description, unitset_text(units, u->description));
	copy(p->file, sizeof p->file, unitset_text(units, u->file));
	copy(p->unmet, sizeof p->unmet, condition_of_unit(units, u, s->unmet));
	struct buf path = BUF(p->cgroup);
	buf_str(&path, str_from(c->cgroup_root));
	buf_char(&path, '/');
	buf_str(&path, unitset_text(units, u->name));
	buf_cstr(&path);
}

void view_log(struct log_packet *p, struct unitset units, uint32_t i, enum log_stream stream)
{
	const struct unit *u = unitset_unit(units, i);
	const struct context *x = unitset_context(units, u);
	*p = (struct log_packet){
		.head = { PACKET_LOG, sizeof *p }, .stream = (uint8_t)stream, .rate_ms = x->log_rate_ms, .rate_burst = x->log_rate_burst,
		.level = x->log_level, .level_max = x->log_level_max, .has_prefix = !(x->flags & CONTEXT_NO_LOG_PREFIX),
		.copies = x->log_copies[stream],
	};
	copy(p->unit, sizeof p->unit, unitset_text(units, u->name));
	copy(p->identifier, sizeof p->identifier, unitset_text(units, x->log_identifier));
}
