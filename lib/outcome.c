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
	else if (s->state == STOPPING && s->step == STEP_TERM)
		terminate(t, i);                /* the wish changed between the order to launch and the launch */
	else if (s->state == SWEEPING)
		sweep(t, i);
	else if (s->state == STARTING && s->step == STEP_MAIN && ev->role == ROLE_MAIN) {
		enum unit_type type = unit_at(t, i)->type;
		if (type == TYPE_SIMPLE)
			take_step(s, STEP_POST);
		else if (type != TYPE_ONESHOT)
			take_step(s, STEP_READY);
		if (type == TYPE_SIMPLE)
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

void on_launch_warning(struct turn *t)
{
	struct service *s = service_at(t, t->ev->service);
	struct note *n;
	s->warned_step = t->ev->step;
	s->warned_error = (uint8_t)t->ev->error;
	if (s->flags & SERVICE_WARNED)
		return;                         /* told once; a respawn has nothing new to say */
	s->flags |= SERVICE_WARNED;
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

void on_notify(struct turn *t)
{
	const struct event *ev = t->ev;
	const struct notify_message *m = ev->message;
	struct service *s = service_at(t, ev->service);
	enum role role = ROLE_OTHER;
	core_find_pid(t->c, ev->pid, &role);
	if (!may_notify(unit_at(t, ev->service), role))
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
	if (m->is_ready && s->state == STARTING && s->step == STEP_READY && unit_at(t, ev->service)->type == TYPE_NOTIFY) {
		take_step(s, STEP_POST);
		go_on(t, ev->service);
	}
}

/* ---- what comes of a death ---- */

void on_main_end(struct turn *t, uint32_t i, bool is_success)
{
	struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	bool remains = is_success && (u->flags & UNIT_REMAIN_AFTER_EXIT);
	if (s->state == STARTING && u->type == TYPE_ONESHOT && s->step == STEP_MAIN && is_success) {
		tell_decided(t, i, false, 0);
		s->step_number++;
		go_on(t, i);
		return;
	}
	if (s->state == STARTING && s->step == STEP_READY && is_success && u->type == TYPE_NOTIFY) {
		set_result(s, RESULT_PROTOCOL);
	} else if ((s->state == UP || (s->state == STARTING && s->step == STEP_POST)) && remains) {
		tell_decided(t, i, false, 0);
		return;
	}
	if (s->state == STARTING || s->state == UP || s->state == STOPPING || s->state == SWEEPING)
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
	if (s->state == UP && !is_success)
		s->step_number = UINT32_MAX;    /* what is left of ExecReload= is not tried */
	if (s->state != STOPPING || s->step == STEP_STOP)
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
	suspect_main(t, t->ev->service);
	if (is_gone(t, t->ev->service))
		dispatch(t, t->ev->service, EV_GONE);
}
