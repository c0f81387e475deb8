/* A world in words, for whoever looks into one that broke a rule. */
#include "world.h"

#include <stdio.h>

static const char *name_of(const struct world *w, uint32_t i)
{
	return i < w->n_units ? w->plans[w->ids[i]].name : "-";
}

const char *const event_name[N_EVENT_KIND] = {
	"tick", "units", "reloaded", "request", "launched", "execed", "launch-failed", "main-found", "ready", "launch-warning", "death", "empty",
	"counter", "notify", "shared-count", "oom-kill", "oom-group", "kmsg-lost", "signal", "files", "halted",
};

void trace_event(const struct world *w, const struct event *ev)
{
	printf("%8llu %-14s %s", (unsigned long long)w->now_ms, event_name[ev->kind], name_of(w, ev->service));
	if (ev->kind == EVENT_REQUEST)
		printf(" verb %u %d", ev->verb, ev->argument);
	if (ev->kind == EVENT_LAUNCHED || ev->kind == EVENT_LAUNCH_FAILED || ev->kind == EVENT_EXECED)
		printf(" role %u pid %u error %d", ev->role, ev->pid, ev->error);
	if (ev->kind == EVENT_DEATH)
		printf(" pid %u %u/%u%s", ev->pid, ev->code, ev->status, ev->is_empty ? " empty" : "");
	if (ev->has_counter || ev->kind == EVENT_COUNTER)
		printf(" count %u", ev->counter);
	if (ev->kill)
		printf(" pid %u seq %llu", ev->kill->pid, (unsigned long long)ev->kill->seq);
	if (ev->service < w->n_units) {
		const struct service *s = &w->core->services[ev->service];
		printf("   [%s %s want %d main %u control %u]", state_name[s->state], step_name[s->step], s->want, s->main_pid,
		       s->control_pid);
	}
	putchar('\n');
}

void trace_effect(const struct world *w, const struct effect *e)
{
	static const char *const kinds[N_EFFECT_KIND] = {
		"launch", "signal", "swept", "reply", "note", "quiet", "load", "adopt", "halt", "power",
	};
	static const char *const notes[N_NOTE_KIND] = {
		"starting", "up", "death", "backoff", "stopping", "idle", "failed", "done", "reloading", "warning", "amended",
		"kmsg-lost", "units", "load-failed", "system", "bug",
	};
	printf("         -> %s %s", kinds[e->kind], name_of(w, e->service));
	if (e->kind == FX_LAUNCH)
		printf(" role %u list %u/%u", e->role, e->list, e->index);
	if (e->kind == FX_SIGNAL)
		printf(" role %u signal %d", e->role, e->number);
	if (e->kind == FX_NOTE)
		printf(" %s %u", notes[e->note.kind], e->note.value);
	const struct death *d = e->kind == FX_NOTE && e->note.death ? core_death(w->core, e->note.death) : NULL;
	if (d)
		printf(" #%llu pid %u %s %u/%u evidence %u", (unsigned long long)d->id, d->pid, cause_name[d->cause], d->code,
		       d->status, d->evidence);
	putchar('\n');
}
