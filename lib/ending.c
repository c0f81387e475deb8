/* How a generation ends: signals in their order, what is run behind its last process, and what comes next. */
#include "core_parts.h"

#include <signal.h>

/* ---- signals ---- */

static void send(struct turn *t, uint32_t i, enum role role, int number, unsigned also)
{
	struct effect *e = emit(t, FX_SIGNAL, i);
	e->role = (uint8_t)role;
	e->number = number;
	e->argument = (int32_t)also;
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

/* FinalKillSignal= once; who is still there when its time is up gets what nobody can ignore. */
static int final_signal_of(const struct service *s, const struct unit *u)
{
	return (s->flags & SERVICE_FINAL_SENT) || s->step == STEP_CLEAN ? SIGKILL : u->final_signal;
}

void sweep(struct turn *t, uint32_t i)
{
	const struct unit *u = unit_at(t, i);
	struct service *s = service_at(t, i);
	int number = final_signal_of(s, u);
	s->flags |= SERVICE_FINAL_SENT;
	if (u->kill_mode == KILL_NONE || (u->flags & UNIT_NO_SIGKILL)) {
		forget_processes(s);
	} else if (u->kill_mode == KILL_PROCESS) {
		if (s->main_pid)
			send(t, i, ROLE_MAIN, number, 0);
		if (s->control_pid)
			send(t, i, ROLE_CONTROL, number, 0);
	} else if (has_process(s)) {
		send(t, i, ROLE_OTHER, number, 0);
	}
}

/* To whom KillMode= says (systemd.kill(5)). */
static void send_to_all_told(struct turn *t, uint32_t i, int number, unsigned also)
{
	struct service *s = service_at(t, i);
	bool has_any = has_process(s);
	uint8_t mode = unit_at(t, i)->kill_mode;
	switch (mode) {
	case KILL_CONTROL_GROUP:
		if (has_any)
			send(t, i, ROLE_OTHER, number, also);
		break;
	case KILL_MIXED:
	case KILL_PROCESS:
		if (has_any && mode == KILL_MIXED && !s->main_pid) {
			send(t, i, ROLE_OTHER, SIGKILL, 0);
			break;
		}
		if (s->control_pid)
			send(t, i, ROLE_CONTROL, number, also);
		if (s->main_pid)
			send(t, i, ROLE_MAIN, number, also);
		break;
	case KILL_NONE:
		forget_processes(s);
		break;
	}
	enqueue(t, i);
}

void terminate(struct turn *t, uint32_t i)
{
	const struct unit *u = unit_at(t, i);
	struct service *s = service_at(t, i);
	bool is_restart = (s->flags & SERVICE_RESTART_ASKED) && u->restart_signal;
	s->step = STEP_TERM;
	send_to_all_told(t, i, is_restart ? u->restart_signal : u->kill_signal,
			 ALSO_CONTINUE | (u->flags & UNIT_SEND_SIGHUP ? ALSO_HANG_UP : 0));
}

/* WatchdogSignal=, for a core dump of what hangs. */
static void abort_now(struct turn *t, uint32_t i)
{
	const struct unit *u = unit_at(t, i);
	service_at(t, i)->step = STEP_ABORT;
	arm(t, i, u->abort_ms);
	send_to_all_told(t, i, u->watchdog_signal, ALSO_CONTINUE);
}

void end_newborn(struct turn *t, uint32_t i)
{
	const struct service *s = service_at(t, i);
	if (s->step == STEP_CLEAN)
		return;                         /* it is what the end is for */
	if (s->state == SWEEPING)
		sweep(t, i);
	else if (s->step == STEP_TERM)
		terminate(t, i);
	else if (s->step == STEP_ABORT)
		send_to_all_told(t, i, unit_at(t, i)->watchdog_signal, ALSO_CONTINUE);
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
	if (s->state == STOPPING && s->step != STEP_TERM && s->step != STEP_ABORT && s->step != STEP_CLEAN)
		return false;                   /* ExecStop= is still to come, even for a service without a process */
	return (s->flags & SERVICE_IS_EMPTY) || leaves_rest(unit_at(t, i));
}

void set_result(struct service *s, enum result result)
{
	if (s->result == RESULT_SUCCESS)
		s->result = (uint8_t)result;    /* what came first is the reason; what it caused is not */
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

/* ---- the actions ---- */

void begin_stop(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->step == STEP_RELOAD)
		drop_control(t, i);
	if (s->flags & SERVICE_SAYS_STOPPING) {
		emit_note(t, NOTE_STOPPING, i, 0);
		arm(t, i, unit_at(t, i)->stop_ms);
		s->step = STEP_TERM;            /* as if it had been told to; and no errand of ours explains how it ends */
		enqueue(t, i);
		return;
	}
	s->errand = ERRAND_STOP;
	take_step(s, STEP_HOLD);
	go_on(t, i);
}

void expire(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	set_result(s, RESULT_TIMEOUT);
	s->errand = ERRAND_TIMEOUT;
	emit_note(t, NOTE_STOPPING, i, 0);
	if (u->start_failure_mode == FAILURE_ABORT) {
		abort_now(t, i);
		return;
	}
	arm(t, i, u->stop_ms);
	if (u->start_failure_mode == FAILURE_TERMINATE) {
		terminate(t, i);
		return;
	}
	s->step = STEP_TERM;
	sweep(t, i);
	enqueue(t, i);
}

void kill_rest(struct turn *t, uint32_t i, enum service_event why)
{
	struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	if (s->step == STEP_CLEAN) {
		s->errand = ERRAND_SWEEP;       /* what takes too long is ours, and no fault of the service's */
	} else if (why == EV_TIMER && s->errand != ERRAND_SWEEP) {
		set_result(s, RESULT_TIMEOUT);
		s->errand = s->errand == ERRAND_WATCHDOG ? ERRAND_WATCHDOG : ERRAND_TIMEOUT;
	} else if (s->errand == ERRAND_NONE) {
		s->errand = ERRAND_SWEEP;
	}
	bool is_polite = final_signal_of(s, u) != SIGKILL;
	sweep(t, i);
	arm(t, i, !is_polite ? SWEEP_AGAIN_MS : u->stop_ms != FOREVER_MS ? u->stop_ms : STOP_TIMEOUT_MS);
	enqueue(t, i);
}

/*
 * A stop took too long. A command that hangs (ExecStop=, ExecStopPost=) is no reason to deny the service itself its
 * KillSignal=, with its own time; after that patience is over, with or without a core dump on the way.
 */
void stop_late(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	bool is_command = s->step == STEP_STOP || s->step == STEP_STOP_POST || s->step == STEP_PID_FILE;
	bool may_abort = u->stop_failure_mode == FAILURE_ABORT && s->step != STEP_ABORT && s->step != STEP_CLEAN;
	if (!may_abort && (!is_command || u->stop_failure_mode == FAILURE_KILL)) {
		enter(t, i, SWEEPING);
		kill_rest(t, i, EV_TIMER);
		return;
	}
	set_result(s, RESULT_TIMEOUT);
	s->errand = ERRAND_TIMEOUT;
	if (may_abort) {
		abort_now(t, i);
		return;
	}
	arm(t, i, u->stop_ms);
	terminate(t, i);
}

/* Main is gone while stopping. KillMode=mixed: the rest has had its time with it. */
void linger(struct turn *t, uint32_t i)
{
	uint8_t step = service_at(t, i)->step;
	if (unit_at(t, i)->kill_mode == KILL_MIXED && (step == STEP_TERM || step == STEP_ABORT))
		sweep(t, i);
	enqueue(t, i);
}

void up_late(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->step == STEP_RELOAD) {
		s->reload_at = 0;               /* nobody waits for what it says of it any more */
		kill_control(t, i);
		arm(t, i, SWEEP_AGAIN_MS);      /* until its death is told, and again if it is not */
	} else if (s->step == STEP_RELOADED) {
		s->reload_at = 0;
		go_on(t, i);
	} else {
		set_result(s, RESULT_TIMEOUT);  /* RuntimeMaxSec= */
		dispatch(t, i, EV_ERR);
	}
}

void abort_hung(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->step == STEP_RELOAD)
		drop_control(t, i);
	set_result(s, RESULT_WATCHDOG);
	s->errand = ERRAND_WATCHDOG;
	emit_note(t, NOTE_STOPPING, i, 0);
	abort_now(t, i);
}

/* ---- what next ---- */

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

/* A bad end is one whether or not somebody had asked for it: a stop that had to be forced leaves `failed`, as in systemd. */
static enum state rest_of(const struct service *s)
{
	if (!result_is_good((enum result)s->result))
		return FAILED;
	return s->want ? DONE : IDLE;
}

/* systemd.unit(5): one service may be what the machine is there for. */
void act_on_end(struct turn *t, uint32_t i)
{
	static const uint8_t powers[N_UNIT_ACTION] = {
		[ACTION_REBOOT] = POWER_REBOOT, [ACTION_POWEROFF] = POWER_OFF, [ACTION_HALT] = POWER_HALT, [ACTION_EXIT] = POWER_EXIT,
	};
	const struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	uint8_t action = s->state == FAILED ? u->failure_action : u->success_action;
	if (!result_has_run((enum result)s->result))
		return;
	if (s->result == RESULT_START_LIMIT && u->start_limit_action)
		action = u->start_limit_action;
	if (action)
		system_stop(t, (enum power)powers[action], s->main_code == CLD_EXITED ? s->main_status : s->state == FAILED);
}

static void rest(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	tell_decided(t, i, false, 0);
	emit(t, FX_SWEPT, i);
	enter(t, i, rest_of(s));
	emit_note(t, s->state == IDLE ? NOTE_IDLE : s->state == DONE ? NOTE_DONE : NOTE_FAILED, i, s->result);
	pass_on_end(t, i);
	act_on_end(t, i);
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

/* systemd.service(5): RestartPreventExitStatus= beats RestartForceExitStatus=, which beats Restart=. */
static bool restarts_itself(struct turn *t, uint32_t i)
{
	const struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	bool is_signal = s->main_code != CLD_EXITED;
	if (s->main_code && unitset_has_status(t->units, u->restart_prevent, is_signal, s->main_status))
		return false;
	if (s->main_code && unitset_has_status(t->units, u->restart_force, is_signal, s->main_status))
		return true;
	return restart_applies(u->restart, (enum result)s->result);
}

/* ExecStopPost=, and the PID file: behind the last process of a generation that had begun, however it came to its end. */
static bool follow_up(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	if (!(s->flags & SERVICE_HAS_BEGUN) || (u->exec[EXEC_STOP_POST].n == 0 && u->pid_file.n == 0))
		return false;
	s->flags &= ~(uint32_t)SERVICE_HAS_BEGUN;
	enter(t, i, STOPPING);
	arm(t, i, u->stop_ms);
	take_step(s, STEP_STOP_POST);
	go_on(t, i);
	return true;
}

/*
 * RuntimeDirectory= and its like go with the generation, systemd.exec(5): by a command that no unit has, and that cannot fail.
 * Not where a condition or a dependency kept every command from running: what is there was made by another unit.
 */
static bool clean(struct turn *t, uint32_t i, bool restarts)
{
	struct service *s = service_at(t, i);
	uint32_t what = restarts ? UNIT_CLEANS : UNIT_CLEANS | UNIT_CLEANS_AT_REST;
	if (!(s->flags & SERVICE_MAY_LEAVE) || !(unit_at(t, i)->flags & what))
		return false;
	s->flags &= ~(uint32_t)SERVICE_MAY_LEAVE;
	take_step(s, STEP_CLEAN);
	s->step_number = restarts;
	launch(t, i, ROLE_CONTROL, EXEC_CLEAN);
	arm(t, i, CLEAN_DEADLINE_MS);
	return true;
}

/* The generation is over. What now? */
void decide(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	bool is_asked = s->want && (s->flags & SERVICE_RESTART_ASKED);
	close_count(t, i);
	if (follow_up(t, i))
		return;
	bool has_to_be = is_upheld(t, i);
	bool restarts = is_asked || has_to_be || (s->want && restarts_itself(t, i));
	if (clean(t, i, restarts))
		return;
	if (!restarts) {
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

void cancel(struct turn *t, uint32_t i)
{
	emit(t, FX_SWEPT, i);
	emit_note(t, NOTE_IDLE, i, service_at(t, i)->result);
	if (is_upheld(t, i))
		start_later(t, i);
}
