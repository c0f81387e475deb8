/* The made-up kernel. The order of an OOM kill is the real one's: the count, the SIGKILL, the record, the death. */
#include "world.h"

#include <stddef.h>
#include <string.h>

struct process *kernel_find(struct world *w, uint32_t pid)
{
	for (uint32_t n = 0; n < w->n_processes; n++)
		if (w->processes[n].pid == pid)
			return &w->processes[n];
	return NULL;
}

uint32_t kernel_count(const struct world *w, uint32_t id)
{
	uint32_t n = 0;
	for (uint32_t p = 0; p < w->n_processes; p++)
		n += w->processes[p].pid && w->processes[p].is_alive && w->processes[p].id == id;
	return n;
}

/* Few pids, so that they come back soon; never one that is not reaped. */
static uint32_t new_pid(struct world *w)
{
	do
		w->next_pid = w->next_pid >= PIDS - 1 ? 100 : w->next_pid + 1;
	while (kernel_find(w, w->next_pid));
	return w->next_pid;
}

/* The first slot that is free, so that those in use stay few. */
static struct process *free_slot(struct world *w)
{
	while (w->n_processes && !w->processes[w->n_processes - 1].pid)
		w->n_processes--;
	for (uint32_t n = 0; n < w->n_processes; n++)
		if (!w->processes[n].pid)
			return &w->processes[n];
	return w->n_processes < PROCESSES ? &w->processes[w->n_processes++] : NULL;
}

struct process *kernel_fork(struct world *w, uint32_t id, enum role role)
{
	struct process *p = free_slot(w);
	if (!p)
		return NULL;
	*p = (struct process){
		.id = id, .role = (uint8_t)role, .is_alive = true, .launched_at = w->now_ms, .pid = new_pid(w),
	};
	uint32_t i = shell_index(w, id);
	p->generation = i == NO_UNIT ? 0 : w->core->services[i].generation;
	w->empty_at[id] = 0;
	w->ends[p->pid] = *p;
	uint8_t before = draw_from(w, LOT_UNITS + id);
	draw_program(w, p);
	w->lot = before;
	return p;
}

/* Signals take effect a little later, and in D state much later. */
static uint64_t soon(struct world *w, const struct process *p, uint32_t most)
{
	uint64_t at = w->now_ms + draw(w, most);
	return at < p->stuck_until ? p->stuck_until : at;
}

static void get_signal(struct world *w, struct process *p, int number, enum truth sender)
{
	/* Also one that is dead and not reaped yet: the core cannot know that it came too late. */
	if (number == SIGKILL && sender == TRUTH_OURS)
		p->was_killed_by_us = w->ends[p->pid].was_killed_by_us = true;
	if (!p->is_alive)
		return;
	if (number == SIGKILL) {
		if (p->doom)
			return;
		p->doom = (uint8_t)sender;
		p->doomed_at = w->now_ms;
		p->doom_at = soon(w, p, 8);
		return;
	}
	bool is_reload = number == SIGHUP && p->role == ROLE_MAIN && w->plans[p->id].unit.type == TYPE_NOTIFY_RELOAD;
	if (is_reload && (w->is_calm || !chance(w, 15)))
		p->reloaded_at = w->now_ms + 1 + draw(w, 100);
	bool is_harmless = number == SIGHUP || number == SIGCONT || number == SIGUSR1 || (number == SIGTERM && p->ignores_term);
	if (is_harmless || p->term_at)
		return;
	p->term_at = soon(w, p, 40);
	p->term_signal = (uint8_t)number;
}

void kernel_signal(struct world *w, struct process *p, int number, enum truth sender)
{
	uint8_t before = draw_from(w, LOT_UNITS + p->id);
	get_signal(w, p, number, sender);
	w->lot = before;
}

static void die(struct world *w, struct process *p, int code, int status, enum truth truth)
{
	p->is_alive = false;
	p->code = (uint8_t)code;
	p->status = (uint8_t)status;
	p->truth = (uint8_t)truth;
	p->died_at = w->now_ms;
	p->seen_at = w->now_ms + draw(w, 6);
	p->has_exec_untold = p->exec_at && !p->cannot_exec;
	p->exit_at = p->doom_at = p->term_at = p->ready_at = p->exec_at = p->ping_at = p->reloaded_at = 0;
	w->ends[p->pid] = *p;
	if (kernel_count(w, p->id) == 0)
		w->empty_at[p->id] = w->now_ms + draw(w, 12);
	if (p->role != ROLE_OTHER)
		for (uint32_t n = 0; n < w->n_processes; n++)
			if (w->processes[n].id == p->id)
				w->processes[n].is_orphan = true;
	/* A worker's own parent reaps it, unless that is gone. */
	if (p->role == ROLE_OTHER && !p->is_orphan)
		p->pid = 0;
}

static bool is_due(const struct world *w, uint64_t at)
{
	return at && at <= w->now_ms;
}

/* oomph-chore looks for whom a forking service has left behind, and may find nobody. */
static void find_main(struct world *w, uint32_t id)
{
	uint32_t i = shell_index(w, id), most = w->n_processes, first = draw(w, most);
	struct event ev = shell_event(EVENT_MAIN, i);
	if (i == NO_UNIT || chance(w, 15))
		return;
	for (uint32_t n = 0; n < most; n++) {
		struct process *p = &w->processes[(first + n) % most];
		const struct service *s = &w->core->services[i];
		if (!p->pid || p->id != id || p->role != ROLE_OTHER || !p->is_alive || p->generation != s->generation)
			continue;
		if (s->state != STARTING || s->step != STEP_FIND)
			return;
		p->role = ROLE_MAIN;
		draw_pings(w, p);
		ev.pid = p->pid;
		shell_feed(w, ev);
		return;
	}
}

static void say_to_manager(struct world *w, const struct process *p, struct notify_message m)
{
	struct event ev = shell_event(EVENT_NOTIFY, shell_index(w, p->id));
	ev.pid = p->pid;
	ev.message = &m;
	if (ev.service != NO_UNIT)
		shell_feed(w, ev);
}

static void run(struct world *w, struct process *p)
{
	uint32_t i = shell_index(w, p->id);
	if (!p->is_alive) {
		if (is_due(w, p->seen_at))
			shell_see_death(w, p);
	} else if (is_due(w, p->exec_at)) {
		struct event ev = shell_event(p->cannot_exec ? EVENT_LAUNCH_FAILED : EVENT_EXECED, i);
		p->exec_at = 0;
		ev.role = p->role;
		ev.pid = p->cannot_exec ? p->pid : 0;
		ev.step = LAUNCH_EXEC;
		ev.error = p->exec_error;
		if (p->cannot_exec) {
			p->exit_at = w->now_ms + 1 + draw(w, 3);
			w->last_launch_error = p->role == ROLE_MAIN ? p->exec_error : w->last_launch_error;
		}
		if (i != NO_UNIT)
			shell_feed(w, ev);
	} else if (is_due(w, p->doom_at)) {
		die(w, p, CLD_KILLED, SIGKILL, (enum truth)p->doom);
	} else if (is_due(w, p->term_at)) {
		bool is_polite = p->term_signal == SIGTERM && chance(w, 40);
		die(w, p, is_polite ? CLD_EXITED : CLD_KILLED, is_polite ? 0 : p->term_signal, TRUTH_OWN_SIGNAL);
	} else if (is_due(w, p->exit_at) && p->stuck_until <= w->now_ms && !p->doom) {
		static const struct { uint8_t code, status; } ends[] = {
			{ CLD_EXITED, 0 }, { CLD_EXITED, 0 }, { CLD_EXITED, 0 }, { CLD_EXITED, 1 }, { CLD_EXITED, 137 },
			{ CLD_DUMPED, SIGSEGV }, { CLD_KILLED, SIGABRT }, { CLD_KILLED, SIGPIPE },
		};
		uint32_t n = w->is_calm ? 0 : draw(w, 8);
		if (p->list == CHORE_FIND_MAIN && ends[n].code == CLD_EXITED && ends[n].status == 0)
			find_main(w, p->id);
		if (!p->is_alive || w->is_over)
			return;         /* what came of that has run already */
		if (p->cannot_exec)
			die(w, p, CLD_EXITED, 203, TRUTH_EXIT);
		else
			die(w, p, ends[n].code, ends[n].status, ends[n].code == CLD_EXITED ? TRUTH_EXIT : TRUTH_OWN_SIGNAL);
	} else if (is_due(w, p->exit_at)) {
		p->exit_at = p->doom ? 0 : p->stuck_until;
	} else if (is_due(w, p->ready_at)) {
		p->ready_at = 0;
		if (w->plans[p->id].unit.notify_fd && i != NO_UNIT)
			shell_feed(w, shell_event(EVENT_READY, i));
		else
			say_to_manager(w, p, (struct notify_message){ .is_ready = true, .has_status = chance(w, 50), .status = STR("ready") });
	} else if (is_due(w, p->reloaded_at)) {
		p->reloaded_at = 0;
		say_to_manager(w, p, (struct notify_message){ .is_ready = true, .is_reloading = true });
	} else if (is_due(w, p->ping_at)) {
		uint32_t luck = w->is_calm ? 99 : draw(w, 100);
		draw_pings(w, p);
		if (luck < 2)
			p->exit_at = w->now_ms + 1 + draw(w, 3000);     /* and it means it */
		say_to_manager(w, p, (struct notify_message){
			.is_alive = true, .is_stopping = luck < 2, .is_watchdog_trigger = luck == 2, .has_extension = luck < 10,
			.extension_us = draw(w, 2000000), .has_watchdog = luck == 10, .watchdog_us = 400000,
		});
	}
}

void kernel_run(struct world *w, struct process *p)
{
	uint8_t before = draw_from(w, LOT_UNITS + p->id);
	draw_apart(w);
	run(w, p);
	w->lot = before;
}

uint64_t kernel_next(const struct world *w)
{
	uint64_t next = 0;
	for (uint32_t n = 0; n < w->n_processes; n++) {
		const struct process *p = &w->processes[n];
		if (!p->pid)
			continue;
		next = earlier(next, earlier(earlier(p->exit_at, p->doom_at), earlier(p->term_at, p->ready_at)));
		next = earlier(next, earlier(earlier(p->ping_at, p->reloaded_at), earlier(p->exec_at, p->seen_at)));
	}
	return next;
}

/* ---- out of memory ---- */

static void say(struct world *w, struct process *p, bool is_group)
{
	if (!w->has_kmsg)
		return;
	if (w->n_records == RECORDS) {          /* forget what was read */
		uint32_t kept = 0;
		for (uint32_t n = 0; n < RECORDS; n++)
			if (!w->records[n].is_read)
				w->records[kept++] = w->records[n];
		w->n_records = kept;
	}
	if (w->n_records == RECORDS)
		broken(w, "the model's log is full");
	struct record *r = &w->records[w->n_records++];
	*r = (struct record){
		.kill = { .seq = ++w->seq, .pid = p->pid, .tgid = p->pid, .anon_rss_kb = 1000, .uid = 0 }, .id = p->id,
		.service_hint = NOBODY, .is_group = is_group, .visible_at = w->now_ms,
	};
	/* Now and then another CPU is still storing an earlier record, and this one hides behind it. */
	if (chance(w, 15))
		r->visible_at = w->now_ms + draw(w, 30);
	/* The summary line has a rate limit, and without it only /proc tells where the victim was, if one is quick. */
	if (!chance(w, 15))
		strcat(strcpy(r->kill.task_memcg, "/system.slice/"), w->plans[p->id].name);
	else if (!chance(w, 30))
		r->service_hint = p->id;
	else
		w->had_stray = true;
	uint64_t at = r->visible_at + draw(w, 10);
	w->kmsg_at = w->kmsg_at && w->kmsg_at < at ? w->kmsg_at : at;
}

static bool is_leftover(const struct world *w, const struct process *p)
{
	uint32_t i = shell_index(w, p->id);
	const struct service *s = i == NO_UNIT ? NULL : &w->core->services[i];
	return !s || s->generation != p->generation || state_is_resting((enum state)s->state) || s->state == BACKOFF;
}

static void blow(struct world *w, struct process *p)
{
	w->counters[p->id]++;
	kernel_signal(w, p, SIGKILL, TRUTH_OOM);
	w->ends[p->pid] = *p;
	w->ends[p->pid].truth = TRUTH_OOM;
	say(w, p, false);
	w->last_oom_at[p->id] = w->now_ms;
	if (is_leftover(w, p))
		w->last_leftover_at[p->id] = w->now_ms;
}

static void run_out(struct world *w, uint32_t id)
{
	bool is_group = w->plans[id].unit.oom_policy == OOM_KILL;
	struct process *first = NULL;
	uint64_t first_seq = 0;
	uint32_t skip = draw(w, 4);
	for (uint32_t n = 0; n < w->n_processes; n++) {
		struct process *p = &w->processes[n];
		/* One that is dying already is passed over, uncounted (task_will_free_mem). */
		if (!p->pid || !p->is_alive || p->id != id || p->doom || (!is_group && skip-- > 0))
			continue;
		blow(w, p);
		first_seq = first ? first_seq : w->seq;
		first = first ? first : p;
		if (!is_group)
			break;
	}
	if (!first)
		return;
	if (is_group) {
		w->counters[id] += chance(w, 70);       /* visited again in the group pass: logged and counted twice */
		w->had_group[id] = true;
		say(w, first, true);
		if (w->has_kmsg)
			w->records[w->n_records - 1].kill.seq = first_seq;      /* tells which kill the group's first was */
	}
	if (w->has_counters)
		w->counter_at[id] = w->now_ms + draw(w, 20);
	if (w->is_lossy && chance(w, 25)) {
		for (uint32_t n = 0; n < w->n_records; n++)
			w->records[n].is_read = true;
		w->has_lost = true;
		w->lost_at = w->now_ms;
	}
}

void kernel_run_out_of_memory(struct world *w, uint32_t id)
{
	uint8_t before = draw_from(w, LOT_UNITS + id);
	run_out(w, id);
	w->lot = before;
}
