/* What comes of a launch, and of an end: how far a generation has got by it. */
#include "core_parts.h"

#include <signal.h>
#include <string.h>

/* ---- what comes of a launch ---- */

void on_launched(struct turn *t)
{
	const struct event *ev = t->ev;
	uint32_t i = ev->service;
	struct service *s = service_at(t, i);
	bool is_alone = !s->main_pid && !s->control_pid;
	s->flags &= ~(uint32_t)(SERVICE_IS_EMPTY | SERVICE_LAUNCHING);
	if (is_alone || ev->role == ROLE_MAIN)
		s->flags = (s->flags & ~(uint32_t)SERVICE_HAS_KMSG) | (ev->has_kmsg ? SERVICE_HAS_KMSG : 0);
	if (is_alone && ev->has_counter) {
		s->flags |= SERVICE_HAS_COUNTER;
		s->counter = s->counter_base = s->counter_told = ev->counter;
		s->n_explained = 0;
	}
	if (ev->role == ROLE_CONTROL) {
		s->control_pid = ev->pid;
		s->control_seq = ev->kmsg_seq;
		s->control_base = ev->counter;
		s->control_explained = s->n_explained;
		s->flags &= ~(uint32_t)SERVICE_COMMAND_LATE;
	} else {
		s->main_pid = ev->pid;
		s->flags &= ~(uint32_t)SERVICE_MAIN_TOLD;
		s->launched_at = t->c->now_ms;
		s->kmsg_seq = ev->kmsg_seq;
	}
	enqueue(t, i);
	if (s->state == STOPPING && s->step == STEP_HOLD && (s->flags & SERVICE_WAS_UP) && ev->role == ROLE_CONTROL)
		drop_control(t, i);
	else if (s->state == STOPPING || s->state == SWEEPING)
		end_newborn(t, i);              /* the wish changed between the order to launch and the launch */
	else if (s->state == STARTING && s->step == STEP_MAIN && ev->role == ROLE_MAIN) {
		enum unit_type type = unit_at(t, i)->type;
		bool is_up_at_once = type == TYPE_SIMPLE || type == TYPE_IDLE;
		if (type != TYPE_ONESHOT)
			take_step(s, is_up_at_once ? STEP_POST : type == TYPE_DBUS ? STEP_BUS : STEP_READY);
		if (is_up_at_once || type == TYPE_DBUS)
			go_on(t, i);
	}
}

void on_execed(struct turn *t)
{
	uint32_t i = t->ev->service;
	struct service *s = service_at(t, i);
	if (s->state != STARTING || s->step != STEP_READY || t->ev->role != ROLE_MAIN || unit_at(t, i)->type != TYPE_EXEC)
		return;
	take_step(s, STEP_POST);
	go_on(t, i);
}

/* The child reports a step that failed and exits; or there is no child at all (fork, cgroup). */
void on_launch_failed(struct turn *t)
{
	const struct event *ev = t->ev;
	uint32_t i = ev->service;
	struct service *s = service_at(t, i);
	bool is_main = ev->role == ROLE_MAIN;
	bool is_known = ev->pid ? ev->pid == (is_main ? s->main_pid : s->control_pid) : s->flags & SERVICE_LAUNCHING;

	if (!is_known)
		return;                         /* its death was seen first, and told */
	s->flags &= ~(uint32_t)SERVICE_LAUNCHING;
	enqueue(t, i);
	bool is_success = may_fail(t, i, (enum role)ev->role);
	if (is_main)
		s->main_pid = 0;                /* its exit is only an echo: the reaper finds no owner for it */
	else
		s->control_pid = 0;
	if (!is_success)
		record_launch_failure(t, i);
	if (is_main)
		on_main_end(t, i, is_success);
	else
		on_control_end(t, i, is_success);
}

/* Another's child perhaps, and older than we know of it: it may die without a word to us (lose_main() in evidence.c). */
void on_main_found(struct turn *t)
{
	struct service *s = service_at(t, t->ev->service);
	if (s->state != STARTING || s->step != STEP_FIND)
		return;
	s->main_pid = t->ev->pid;
	s->flags |= SERVICE_MAIN_TOLD;
	s->launched_at = t->c->now_ms;
	s->kmsg_seq = s->control_seq;
	keep_wound(t, t->ev->service, s->main_pid);
}

static uint64_t launch_bit(unsigned step)
{
	_Static_assert(N_LAUNCH_STEP <= 64, "one bit for each in struct service");
	return UINT64_C(1) << step % 64;
}

void on_launch_warning(struct turn *t)
{
	struct service *s = service_at(t, t->ev->service);
	struct note *n;
	s->warned_step = t->ev->step;
	s->warned_error = (uint8_t)t->ev->error;
	if (s->warned & launch_bit(t->ev->step))
		return;                         /* told once; a respawn has nothing new to say */
	s->warned |= launch_bit(t->ev->step);
	n = emit_note(t, NOTE_WARNING, t->ev->service, (uint32_t)t->ev->error);
	n->step = t->ev->step;
}

static bool may_notify(const struct unit *u, enum role role)
{
	switch (u->notify_access) {
	case NOTIFY_MAIN:
		return role == ROLE_MAIN;
	case NOTIFY_EXEC:
		return role != ROLE_OTHER;
	default:
		return u->notify_access == NOTIFY_ALL;
	}
}

bool core_heeds(const struct core *c, struct unitset units, uint32_t service, uint32_t pid)
{
	enum role role = ROLE_OTHER;
	core_find_pid(c, pid, &role);
	return may_notify(unitset_unit(units, service), role);
}

static void become_ready(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->state != STARTING || s->step != STEP_READY || !unit_says_ready(unit_at(t, i)))
		return;
	take_step(s, STEP_POST);
	go_on(t, i);
}

void on_ready(struct turn *t)
{
	become_ready(t, t->ev->service);
}

static uint32_t ms_of(uint64_t us)
{
	uint64_t ms = us / 1000 + (us % 1000 != 0);
	return ms < FOREVER_MS ? (uint32_t)ms : FOREVER_MS - 1;
}

static void hear_of_time(struct turn *t, uint32_t i, const struct notify_message *m)
{
	struct service *s = service_at(t, i);
	if (m->has_watchdog)
		s->watchdog_ms = ms_of(m->watchdog_us);
	if (m->is_alive || m->has_watchdog)
		arm_watchdog(t, i);
	if (m->has_extension && (s->state == STARTING || s->state == UP || s->state == STOPPING))
		extend(t, i, ms_of(m->extension_us));
}

/* RELOADING=1 from before our signal is about another reload; one that does not say when it was sent is taken for ours. */
static void hear_of_reload(struct turn *t, uint32_t i, const struct notify_message *m)
{
	struct service *s = service_at(t, i);
	if (!s->reload_at || s->state != UP)
		return;
	if (m->is_reloading && (!t->ev->told_at || t->ev->told_at >= s->reload_at))
		s->flags |= SERVICE_SAYS_RELOADING;
	if (!m->is_ready || !(s->flags & SERVICE_SAYS_RELOADING))
		return;
	s->reload_at = 0;
	if (s->step == STEP_RELOADED)
		go_on(t, i);
}

void on_notify(struct turn *t)
{
	const struct event *ev = t->ev;
	const struct notify_message *m = ev->message;
	struct service *s = service_at(t, ev->service);
	if (!core_heeds(t->c, t->units, ev->service, ev->pid))
		return;
	if (m->has_status) {
		size_t n = m->status.n < sizeof s->status_text ? m->status.n : sizeof s->status_text - 1;
		if (n)
			memcpy(s->status_text, m->status.p, n);
		s->status_text[n] = '\0';
	}
	if (m->has_main_pid && ev->is_ok && s->main_pid && s->main_pid != m->main_pid) {
		s->main_pid = m->main_pid;
		s->flags |= SERVICE_MAIN_TOLD;
	}
	hear_of_time(t, ev->service, m);
	hear_of_reload(t, ev->service, m);
	if (m->is_ready)
		become_ready(t, ev->service);
	if (m->is_stopping && s->state == UP && !is_going_down(s)) {
		s->flags |= SERVICE_SAYS_STOPPING;
		dispatch(t, ev->service, EV_ERR);
	}
	if (m->is_watchdog_trigger && s->state == UP)
		dispatch(t, ev->service, EV_HANG);
}

/* ---- what comes of a death ---- */

/* ExitType=cgroup, systemd.service(5): it ends with the last of its processes, whichever that is. */
static bool lives_on(const struct service *s, const struct unit *u)
{
	return u->exit_type == EXIT_CGROUP && !(s->flags & SERVICE_IS_EMPTY);
}

void notice_end(struct turn *t, uint32_t i)
{
	const struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	if (s->state != UP || s->grace_at)
		return;
	if (!s->main_pid)
		tell_decided(t, i, false, 0);   /* of a main process that it outlives */
	if (u->type == TYPE_ONESHOT || (u->flags & UNIT_REMAIN_AFTER_EXIT))
		return;
	if (!has_process(s) && !(s->flags & SERVICE_LAUNCHING))
		on_main_end(t, i, s->result == RESULT_SUCCESS);
}

void on_main_end(struct turn *t, uint32_t i, bool is_success)
{
	struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	bool is_on = s->state == UP || (s->state == STARTING && s->step == STEP_POST);
	bool remains = (is_success && (u->flags & UNIT_REMAIN_AFTER_EXIT)) || lives_on(s, u);
	if (s->state == STARTING && u->type == TYPE_ONESHOT && s->step == STEP_MAIN && is_success) {
		tell_decided(t, i, false, 0);
		s->step_number++;
		go_on(t, i);
		return;
	}
	bool owes_word = (s->step == STEP_READY && unit_says_ready(u)) || s->step == STEP_BUS;
	if (s->state == STARTING && owes_word && is_success) {
		set_result(s, RESULT_PROTOCOL);
	} else if (is_on && remains) {
		enqueue(t, i);
		return;
	}
	/* It left by itself, and well: what ExecStop= cleans up is there to be cleaned up all the same (systemd.service(5)). */
	if (s->state == UP && is_success && u->exec[EXEC_STOP].n)
		dispatch(t, i, EV_ERR);
	else if (s->state == STARTING || s->state == UP || s->state == STOPPING || s->state == SWEEPING)
		dispatch(t, i, EV_EXIT);
}

void on_control_end(struct turn *t, uint32_t i, bool is_success)
{
	struct service *s = service_at(t, i);
	if (s->state == STARTING && !is_success) {
		dispatch(t, i, EV_EXIT);
		return;
	}
	s->step_number++;
	if (!is_success)
		s->step_number = UINT32_MAX;    /* what is left of ExecReload= or ExecStop= is not tried */
	go_on(t, i);
	enqueue(t, i);
}

/* systemd.unit(5): nothing has run, so that was no start that a limit counts, and no death. */
void on_check_end(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	s->unmet = t->ev->status;
	s->n_starts -= s->n_starts > 0;
	set_result(s, s->unmet > CHECK_ASSERTION ? RESULT_ASSERT : RESULT_CONDITION);
	dispatch(t, i, EV_EXIT);
}

void on_empty(struct turn *t)
{
	struct service *s = service_at(t, t->ev->service);
	s->flags |= SERVICE_IS_EMPTY;
	enqueue(t, t->ev->service);
	suspect_main(t, t->ev->service);
	if (is_gone(t, t->ev->service))
		dispatch(t, t->ev->service, EV_GONE);
}
