/* A generation from the wish to the end: what each action of the machine does, and how a plan goes on step by step. */
#include "core_parts.h"

#include <signal.h>
#include <string.h>

/* Statuses: systemd.exec(5), "Process Exit Codes". The first two steps are PID 1's own: no child leaves from there. */
const struct launch_step_info launch_step_info[N_LAUNCH_STEP] = {
	[LAUNCH_FORK] = { "fork", 0 }, [LAUNCH_CGROUP] = { "cgroup", 219 }, [LAUNCH_SESSION] = { "session", 220 },
	[LAUNCH_SCORE] = { "OOMScoreAdjust=", 206 }, [LAUNCH_NICE] = { "Nice=", 201 }, [LAUNCH_LIMITS] = { "Limit*=", 205 },
	[LAUNCH_STDIN] = { "StandardInput=", 208 }, [LAUNCH_STDOUT] = { "StandardOutput=", 209 },
	[LAUNCH_STDERR] = { "StandardError=", 222 }, [LAUNCH_ENVIRONMENT] = { "EnvironmentFile=", 204 },
	[LAUNCH_GROUP] = { "Group=", 216 }, [LAUNCH_USER] = { "User=", 217 }, [LAUNCH_CHDIR] = { "WorkingDirectory=", 200 },
	[LAUNCH_EXEC] = { "exec", 203 },
};

/* ---- launching and signalling ---- */

static void launch(struct turn *t, uint32_t i, enum role role, enum exec_list list)
{
	struct service *s = service_at(t, i);
	struct effect *e = emit(t, FX_LAUNCH, i);
	e->role = (uint8_t)role;
	e->list = (uint8_t)list;
	e->index = s->step_number;
	s->flags |= SERVICE_LAUNCHING;
}

static void send(struct turn *t, uint32_t i, enum role role, int number)
{
	struct effect *e = emit(t, FX_SIGNAL, i);
	e->role = (uint8_t)role;
	e->number = number;
	service_at(t, i)->sent_signal = (uint8_t)number;
	if (number == SIGKILL)
		service_at(t, i)->flags |= SERVICE_WAS_SIGKILLED;
}

/* Whether KillMode= or SendSIGKILL=no let processes outlive their generation (systemd.kill(5)). */
static bool leaves_rest(const struct unit *u)
{
	return u->kill_mode == KILL_PROCESS || u->kill_mode == KILL_NONE || (u->flags & UNIT_NO_SIGKILL);
}

static void forget_processes(struct service *s)
{
	s->main_pid = s->control_pid = 0;
	s->flags |= SERVICE_IS_EMPTY;
}

void sweep(struct turn *t, uint32_t i)
{
	const struct unit *u = unit_at(t, i);
	struct service *s = service_at(t, i);
	if (u->kill_mode == KILL_NONE || (u->flags & UNIT_NO_SIGKILL)) {
		forget_processes(s);
	} else if (u->kill_mode == KILL_PROCESS) {
		if (s->main_pid)
			send(t, i, ROLE_MAIN, SIGKILL);
		if (s->control_pid)
			send(t, i, ROLE_CONTROL, SIGKILL);
	} else if (has_process(s)) {
		send(t, i, ROLE_OTHER, SIGKILL);
	}
}

/* KillSignal= to whom KillMode= says (systemd.kill(5)). */
void terminate(struct turn *t, uint32_t i)
{
	const struct unit *u = unit_at(t, i);
	struct service *s = service_at(t, i);
	bool has_any = has_process(s);
	s->step = STEP_TERM;
	switch (u->kill_mode) {
	case KILL_CONTROL_GROUP:
		if (has_any)
			send(t, i, ROLE_OTHER, u->kill_signal);
		break;
	case KILL_MIXED:
		if (has_any)
			send(t, i, s->main_pid ? ROLE_MAIN : ROLE_OTHER, s->main_pid ? u->kill_signal : SIGKILL);
		break;
	case KILL_PROCESS:
		if (s->control_pid)
			send(t, i, ROLE_CONTROL, u->kill_signal);
		if (s->main_pid)
			send(t, i, ROLE_MAIN, u->kill_signal);
		break;
	case KILL_NONE:
		forget_processes(s);
		break;
	}
	enqueue(t, i);
}

bool has_process(const struct service *s)
{
	return s->main_pid || s->control_pid || !(s->flags & SERVICE_IS_EMPTY);
}

bool is_gone(struct turn *t, uint32_t i)
{
	const struct service *s = service_at(t, i);
	if (s->main_pid || s->control_pid || s->grace_at || (s->flags & SERVICE_LAUNCHING))
		return false;
	if (s->state == STOPPING && s->step != STEP_TERM)
		return false;                   /* ExecStop= is still to come, even for a service without a process */
	return (s->flags & SERVICE_IS_EMPTY) || leaves_rest(unit_at(t, i));
}

void set_result(struct service *s, enum result result)
{
	if (s->result == RESULT_SUCCESS)
		s->result = (uint8_t)result;    /* what came first is the reason; what it caused is not */
}

/* ---- the steps ---- */

static bool run_list(struct turn *t, uint32_t i, enum role role, enum exec_list list)
{
	if (service_at(t, i)->step_number >= unit_at(t, i)->exec[list].n)
		return false;
	launch(t, i, role, list);
	return true;
}

void take_step(struct service *s, enum step step)
{
	s->step = (uint8_t)step;
	s->step_number = 0;
}

static void go_on_starting(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	if (s->step == STEP_WAIT) {
		enum wait wait = wait_for_start(t, i);
		if (wait == WAIT_ON)
			return;
		bool is_broken = u->flags & UNIT_BROKEN;        /* by a new set that came while it was waiting */
		if (wait == WAIT_VAIN || is_broken) {
			set_result(s, is_broken ? RESULT_BAD_SETTING : RESULT_DEPENDENCY);
			dispatch(t, i, EV_ERR);
			return;
		}
		/* Even a oneshot, which may start for ever, is not to look at a dead disk for ever. */
		arm(t, i, u->start_ms < START_TIMEOUT_MS ? u->start_ms : START_TIMEOUT_MS);
		take_step(s, STEP_CHECK);
	}
	if (s->step == STEP_CHECK) {
		if (run_list(t, i, ROLE_CONTROL, EXEC_CHECK))
			return;
		if (u->exec[EXEC_START].n)
			emit_note(t, NOTE_STARTING, i, 0);      /* a target takes no time for it */
		s->began_at = t->c->now_ms;
		arm(t, i, u->start_ms);
		take_step(s, STEP_PRE);
	}
	if (s->step == STEP_PRE) {
		if (run_list(t, i, ROLE_CONTROL, EXEC_START_PRE))
			return;
		take_step(s, STEP_MAIN);
	}
	if (s->step == STEP_MAIN) {
		if (run_list(t, i, ROLE_MAIN, EXEC_START))
			return;
		take_step(s, STEP_POST);
	}
	if (s->step == STEP_POST && !run_list(t, i, ROLE_CONTROL, EXEC_START_POST)) {
		bool is_through = u->type == TYPE_ONESHOT && !(u->flags & UNIT_REMAIN_AFTER_EXIT);
		dispatch(t, i, is_through ? EV_EXIT : EV_READY);
	}
}

static void go_on_stopping(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->step == STEP_HOLD) {
		if (is_stood_upon(t, i) || (s->flags & SERVICE_LAUNCHING))
			return;
		if (has_process(s) || (s->flags & SERVICE_WAS_UP))
			emit_note(t, NOTE_STOPPING, i, 0);
		arm(t, i, unit_at(t, i)->stop_ms);
		take_step(s, STEP_STOP);
	}
	if (s->step == STEP_STOP) {
		/* systemd.service(5): ExecStop= is only for a service that had been started successfully. */
		if ((s->flags & SERVICE_WAS_UP) && run_list(t, i, ROLE_CONTROL, EXEC_STOP))
			return;
		terminate(t, i);
	}
}

void go_on(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->state == STARTING)
		go_on_starting(t, i);
	else if (s->state == STOPPING)
		go_on_stopping(t, i);
	else if (s->state == UP && s->step == STEP_RELOAD && !is_going_down(s) && !run_list(t, i, ROLE_CONTROL, EXEC_RELOAD)) {
		take_step(s, STEP_RUN);
		arm(t, i, FOREVER_MS);
	}
}

enum answer begin_reload(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->state != UP || is_going_down(s))
		return ANSWER_NOT_RUNNING;
	if (unit_at(t, i)->exec[EXEC_RELOAD].n == 0)
		return ANSWER_NO_RELOAD;
	if (s->step != STEP_RUN)
		return ANSWER_BUSY;
	take_step(s, STEP_RELOAD);
	emit_note(t, NOTE_RELOADING, i, 0);
	arm(t, i, unit_at(t, i)->start_ms);     /* systemd puts reloads under TimeoutStartSec= as well */
	pass_on_reload(t, i);
	go_on(t, i);
	return ANSWER_OK;
}

/* ---- the actions ---- */

/* systemd.unit(5), StartLimitBurst= starts within StartLimitIntervalSec=: may another one come at that time? */
static bool start_limit_is_spent(struct turn *t, uint32_t i, uint64_t at)
{
	const struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	if (!(u->flags & UNIT_HAS_START_LIMIT) || u->start_limit_burst == 0 || u->start_limit_ms == 0)
		return false;
	return s->n_starts >= u->start_limit_burst && at - s->limit_since_at <= u->start_limit_ms;
}

static void count_start(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->n_starts == 0 || t->c->now_ms - s->limit_since_at > unit_at(t, i)->start_limit_ms) {
		s->limit_since_at = t->c->now_ms;
		s->n_starts = 0;
	}
	s->n_starts++;
}

static void refuse(struct turn *t, uint32_t i, enum result result)
{
	service_at(t, i)->result = (uint8_t)result;
	emit(t, FX_SWEPT, i);                   /* BACKOFF had kept the cgroup */
	enter(t, i, FAILED);
	emit_note(t, NOTE_FAILED, i, result);
	pass_on_end(t, i);
}

static void begin(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	uint32_t kept = SERVICE_QUEUED | SERVICE_HAS_WISH | SERVICE_WANT_CHANGED | SERVICE_IS_EMPTY | SERVICE_LEAVING;
	if (unit_at(t, i)->flags & UNIT_BROKEN) {
		refuse(t, i, RESULT_BAD_SETTING);       /* pulled in by another unit, or broken since its last generation */
		return;
	}
	if (start_limit_is_spent(t, i, t->c->now_ms)) {
		refuse(t, i, RESULT_START_LIMIT);
		return;
	}
	count_start(t, i);
	s->generation++;
	s->flags &= kept;
	s->result = RESULT_SUCCESS;
	s->errand = ERRAND_NONE;
	s->sent_signal = s->unmet = 0;
	s->counter_base = s->counter_told = s->counter;
	s->n_explained = 0;
	s->began_at = t->c->now_ms;
	s->up_at = s->launched_at = 0;
	s->status_text[0] = '\0';
	s->main_pid = s->control_pid = 0;
	take_step(s, STEP_WAIT);
	go_on(t, i);
}

static void go_up(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	s->flags |= SERVICE_WAS_UP;
	s->up_at = t->c->now_ms;
	take_step(s, STEP_RUN);
	emit_note(t, NOTE_UP, i, (uint32_t)(s->up_at - s->began_at));
	uphold_others(t, i);
}

/* SIGKILL to the command that runs beside the main process. Not by send(): it says nothing about the generation's end. */
static void kill_control(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (!s->control_pid)
		return;
	struct effect *e = emit(t, FX_SIGNAL, i);
	e->role = ROLE_CONTROL;
	e->number = SIGKILL;
	s->flags |= SERVICE_COMMAND_LATE;
}

/* A reload has no part in a stop: killed, and forgotten, so that ExecStop= may take its place. */
void drop_control(struct turn *t, uint32_t i)
{
	kill_control(t, i);
	service_at(t, i)->control_pid = 0;
}

static void stop(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	s->errand = ERRAND_STOP;
	if (s->step == STEP_RELOAD)
		drop_control(t, i);
	take_step(s, STEP_HOLD);
	go_on(t, i);
}

static void expire(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	set_result(s, RESULT_TIMEOUT);
	s->errand = ERRAND_TIMEOUT;
	emit_note(t, NOTE_STOPPING, i, 0);
	arm(t, i, unit_at(t, i)->stop_ms);
	terminate(t, i);
}

static void kill_rest(struct turn *t, uint32_t i, enum service_event why)
{
	struct service *s = service_at(t, i);
	if (why == EV_TIMER && s->errand != ERRAND_SWEEP) {
		set_result(s, RESULT_TIMEOUT);
		s->errand = ERRAND_TIMEOUT;
	} else if (s->errand == ERRAND_NONE) {
		s->errand = ERRAND_SWEEP;
	}
	sweep(t, i);
	arm(t, i, SWEEP_AGAIN_MS);
	enqueue(t, i);
}

/* Main is gone while stopping. KillMode=mixed: the rest has had its time with it. */
static void linger(struct turn *t, uint32_t i)
{
	if (unit_at(t, i)->kill_mode == KILL_MIXED && service_at(t, i)->step == STEP_TERM)
		sweep(t, i);
	enqueue(t, i);
}

static void reload_late(struct turn *t, uint32_t i)
{
	kill_control(t, i);
	arm(t, i, SWEEP_AGAIN_MS);              /* until its death is told, and again if it is not */
}

/* Somebody has asked for it: nothing has failed. */
static uint32_t no_delay(struct service *s)
{
	s->n_failures = s->delay_ms = 0;
	return 0;
}

/* The delay before the next generation, jitter and all; s->delay_ms is what it climbs from. */
static uint32_t next_delay(struct turn *t, uint32_t i, uint32_t least_ms)
{
	struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	bool was_healthy = s->up_at && t->c->now_ms - s->up_at >= HEALTHY_RUN_MS;
	bool is_first = was_healthy || s->n_failures == 0;
	s->n_failures = is_first ? 1 : s->n_failures + 1;
	s->delay_ms = restart_delay(u, is_first, s->delay_ms);
	if (s->result == RESULT_RESOURCES && least_ms < BACKOFF_FIRST_MS)
		least_ms = BACKOFF_FIRST_MS;            /* RestartSec=0 must not turn a full machine into a busy one */
	if (s->delay_ms < least_ms)
		s->delay_ms = least_ms;
	return restart_jitter(u, s->delay_ms, next_random(t->c));
}

static void rest(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	tell_decided(t, i, false, 0);
	emit(t, FX_SWEPT, i);
	enter(t, i, !s->want ? IDLE : result_is_good((enum result)s->result) ? DONE : FAILED);
	emit_note(t, s->state == IDLE ? NOTE_IDLE : s->state == DONE ? NOTE_DONE : NOTE_FAILED, i, s->result);
	pass_on_end(t, i);
}

static void back_off(struct turn *t, uint32_t i, uint32_t delay_ms)
{
	enter(t, i, BACKOFF);
	arm(t, i, delay_ms);
	emit_note(t, NOTE_BACKOFF, i, delay_ms);
}

void start_later(struct turn *t, uint32_t i)
{
	set_want_later(t, i);
	back_off(t, i, next_delay(t, i, BACKOFF_FIRST_MS));
}

/* The generation is over. What now? */
static void decide(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	bool is_asked = s->want && (s->flags & SERVICE_RESTART_ASKED);
	bool has_to_be = is_upheld(t, i);
	if (!is_asked && !has_to_be && (!s->want || !restart_applies(unit_at(t, i)->restart, s->result))) {
		rest(t, i);
		return;
	}
	uint32_t delay_ms = is_asked ? no_delay(s) : next_delay(t, i, has_to_be ? BACKOFF_FIRST_MS : 0);
	if (!is_asked && start_limit_is_spent(t, i, t->c->now_ms + delay_ms)) {
		s->result = RESULT_START_LIMIT;
		rest(t, i);
		return;
	}
	s->n_restarts += !is_asked;
	tell_decided(t, i, true, delay_ms);
	if (!s->want)
		set_want_later(t, i);           /* Upholds=, after a stop */
	back_off(t, i, delay_ms);
	if (!is_asked)
		pass_on_respawn(t, i);
}

static void cancel(struct turn *t, uint32_t i)
{
	emit(t, FX_SWEPT, i);
	emit_note(t, NOTE_IDLE, i, service_at(t, i)->result);
	if (is_upheld(t, i))
		start_later(t, i);
}

void act(struct turn *t, uint32_t i, enum action action, enum service_event why)
{
	struct service *s = service_at(t, i);
	switch (action) {
	case ACT_BEGIN:
		begin(t, i);
		break;
	case ACT_UP:
		go_up(t, i);
		break;
	case ACT_STOP:
	case ACT_END:
		stop(t, i);
		break;
	case ACT_EXPIRE:
		expire(t, i);
		break;
	case ACT_KILL:
		kill_rest(t, i, why);
		break;
	case ACT_LINGER:
		linger(t, i);
		break;
	case ACT_RELOAD_LATE:
		reload_late(t, i);
		break;
	case ACT_CANCEL:
		cancel(t, i);
		break;
	case ACT_DECIDE:
		decide(t, i);
		break;
	case ACT_FORGET:
		s->n_failures = s->n_starts = s->delay_ms = 0;
		break;
	case ACT_NONE:
	case N_ACTION:
		break;
	}
}
