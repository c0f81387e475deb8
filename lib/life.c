/* A generation from the wish to the end: what each action of the machine does, and how a plan goes on step by step. */
#include "core_parts.h"

#include <signal.h>
#include <string.h>

/* Statuses: systemd.exec(5), "Process Exit Codes". The first two steps are PID 1's own: no child leaves from there. */
const struct launch_step_info launch_step_info[N_LAUNCH_STEP] = {
	[LAUNCH_FORK] = { "fork", 0 }, [LAUNCH_CGROUP] = { "cgroup", 219 }, [LAUNCH_SESSION] = { "session", 220 },
	[LAUNCH_SCORE] = { "OOMScoreAdjust=", 206 }, [LAUNCH_COREDUMP_FILTER] = { "CoredumpFilter=", 205 },
	[LAUNCH_SCHEDULING] = { "CPUSchedulingPolicy=", 214 }, [LAUNCH_AFFINITY] = { "CPUAffinity=", 215 },
	[LAUNCH_NUMA] = { "NUMAPolicy=", 242 }, [LAUNCH_IO] = { "IOSchedulingClass=", 211 },
	[LAUNCH_TIMER_SLACK] = { "TimerSlackNSec=", 212 }, [LAUNCH_PERSONALITY] = { "Personality=", 230 },
	[LAUNCH_KEYRING] = { "KeyringMode=", 237 },
	 [LAUNCH_NICE] = { "Nice=", 201 },
	[LAUNCH_RUNTIME_FOLDER] = { "RuntimeDirectory=", 233 }, [LAUNCH_STATE_FOLDER] = { "StateDirectory=", 238 },
	[LAUNCH_CACHE_FOLDER] = { "CacheDirectory=", 239 }, [LAUNCH_LOGS_FOLDER] = { "LogsDirectory=", 240 },
	[LAUNCH_CONFIGURATION_FOLDER] = { "ConfigurationDirectory=", 241 }, [LAUNCH_CREDENTIALS] = { "credentials", 243 },
	 [LAUNCH_STDIN] = { "StandardInput=", 208 },
	[LAUNCH_STDOUT] = { "StandardOutput=", 209 }, [LAUNCH_STDERR] = { "StandardError=", 222 },
	[LAUNCH_ENVIRONMENT] = { "EnvironmentFile=", 204 }, [LAUNCH_LIMITS] = { "Limit*=", 205 }, [LAUNCH_GROUP] = { "Group=", 216 },
	[LAUNCH_CAPABILITIES] = { "capabilities", 218 }, [LAUNCH_USER] = { "User=", 217 },
	[LAUNCH_CHDIR] = { "WorkingDirectory=", 200 }, [LAUNCH_SECURE_BITS] = { "SecureBits=", 213 },
	[LAUNCH_NO_NEW_PRIVILEGES] = { "NoNewPrivileges=", 227 }, [LAUNCH_EXEC] = { "exec", 203 },
	[LAUNCH_FDS] = { "descriptors", 202 }, [LAUNCH_PID_FILE] = { "PIDFile=", 0 }, [LAUNCH_BUS_NAME] = { "BusName=", 0 },
};

/* ---- launching and signalling ---- */

void launch(struct turn *t, uint32_t i, enum role role, unsigned list)
{
	struct service *s = service_at(t, i);
	struct effect *e = emit(t, FX_LAUNCH, i);
	e->role = (uint8_t)role;
	e->list = (uint8_t)list;
	e->index = s->step_number;
	s->flags |= SERVICE_LAUNCHING;
	t->c->has_idle |= role == ROLE_MAIN && unit_at(t, i)->type == TYPE_IDLE;
}

/* ---- the steps ---- */

enum exec_list step_list(enum step step)
{
	static const uint8_t lists[N_STEP] = {
		[STEP_CHECK] = EXEC_CHECK + 1, [STEP_CONDITION] = EXEC_CONDITION + 1, [STEP_PRE] = EXEC_START_PRE + 1,
		[STEP_MAIN] = EXEC_START + 1,
		[STEP_POST] = EXEC_START_POST + 1, [STEP_RELOAD] = EXEC_RELOAD + 1, [STEP_STOP] = EXEC_STOP + 1,
		[STEP_STOP_POST] = EXEC_STOP_POST + 1,
	};
	return lists[step] ? (enum exec_list)(lists[step] - 1) : N_EXEC_LIST;
}

static bool run_list(struct turn *t, uint32_t i, enum role role, enum exec_list list)
{
	if (service_at(t, i)->step_number >= unit_at(t, i)->exec[list].n)
		return false;
	launch(t, i, role, list);
	return true;
}

/* Once, as the only one of its step. */
static bool run_chore(struct turn *t, uint32_t i, enum chore chore)
{
	if (service_at(t, i)->step_number > 0)
		return false;
	launch(t, i, ROLE_CONTROL, chore);
	return true;
}

void take_step(struct service *s, enum step step)
{
	s->step = (uint8_t)step;
	s->step_number = 0;
}

static bool wants_main(const struct unit *u)
{
	return u->pid_file.n || !(u->flags & UNIT_NO_GUESS);
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
		s->flags |= SERVICE_HAS_BEGUN | SERVICE_MAY_LEAVE;
		arm(t, i, u->start_ms);
		take_step(s, STEP_CONDITION);
	}
	if (s->step == STEP_CONDITION) {
		if (run_list(t, i, ROLE_CONTROL, EXEC_CONDITION))
			return;
		take_step(s, STEP_PRE);
	}
	if (s->step == STEP_PRE) {
		if (run_list(t, i, ROLE_CONTROL, EXEC_START_PRE))
			return;
		take_step(s, STEP_MAIN);
	}
	if (s->step == STEP_MAIN) {
		/* What forks is a command that has to succeed; whom it leaves behind is looked for. */
		if (run_list(t, i, u->type == TYPE_FORKING ? ROLE_CONTROL : ROLE_MAIN, EXEC_START))
			return;
		take_step(s, u->type == TYPE_FORKING && wants_main(u) ? STEP_FIND : STEP_POST);
	}
	if (s->step == STEP_FIND) {
		if (run_chore(t, i, CHORE_FIND_MAIN))
			return;
		take_step(s, STEP_POST);
	}
	if (s->step == STEP_BUS) {
		if (run_chore(t, i, CHORE_AWAIT_BUS_NAME))
			return;
		take_step(s, STEP_POST);
	}
	if (s->step == STEP_POST && !run_list(t, i, ROLE_CONTROL, EXEC_START_POST)) {
		bool is_through = u->type == TYPE_ONESHOT && !(u->flags & UNIT_REMAIN_AFTER_EXIT);
		bool is_stopped_too = u->exec[EXEC_STOP].n;     /* it was up for a moment then, and is taken down in order */
		dispatch(t, i, is_through && !is_stopped_too ? EV_EXIT : EV_READY);
		if (is_through && is_stopped_too)
			dispatch(t, i, EV_ERR);
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
		arm(t, i, unit_at(t, i)->stop_ms);
		terminate(t, i);
	}
	if (s->step == STEP_STOP_POST) {
		if (run_list(t, i, ROLE_CONTROL, EXEC_STOP_POST))
			return;
		take_step(s, STEP_PID_FILE);
	}
	if (s->step == STEP_PID_FILE) {
		if (unit_at(t, i)->pid_file.n && run_chore(t, i, CHORE_REMOVE_PID_FILE))
			return;
		arm(t, i, unit_at(t, i)->stop_ms);
		terminate(t, i);                /* what the commands have left behind */
	}
}

/* RuntimeMaxSec= counts from the moment it was up, and waits for a reload to be through. */
static void run(struct turn *t, uint32_t i)
{
	const struct service *s = service_at(t, i);
	uint32_t most = unit_at(t, i)->runtime_ms;
	uint64_t lived = t->c->now_ms - s->up_at;
	take_step(service_at(t, i), STEP_RUN);
	arm(t, i, most == FOREVER_MS ? FOREVER_MS : lived < most ? most - (uint32_t)lived : 0);
}

static void go_on_reloading(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->step == STEP_RELOAD) {
		if (run_list(t, i, ROLE_CONTROL, EXEC_RELOAD))
			return;
		take_step(s, STEP_RELOADED);
	}
	if (s->step == STEP_RELOADED && !s->reload_at)
		run(t, i);
}

void go_on(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	if (s->state == STARTING)
		go_on_starting(t, i);
	else if (s->state == STOPPING)
		go_on_stopping(t, i);
	else if (s->state == UP && !is_going_down(s))
		go_on_reloading(t, i);
}

/* systemd.service(5), Type=notify-reload: it answers with RELOADING=1, and with READY=1 once it has. */
static void tell_to_reload(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	struct effect *e = emit(t, FX_SIGNAL, i);
	e->role = ROLE_MAIN;
	e->number = unit_at(t, i)->reload_signal;
	s->reload_at = t->c->now_ms;
	s->flags &= ~(uint32_t)SERVICE_SAYS_RELOADING;
}

enum answer begin_reload(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	const struct unit *u = unit_at(t, i);
	bool by_signal = u->type == TYPE_NOTIFY_RELOAD && s->main_pid;
	if (s->state != UP || is_going_down(s))
		return ANSWER_NOT_RUNNING;
	if (u->exec[EXEC_RELOAD].n == 0 && !by_signal)
		return ANSWER_NO_RELOAD;
	if (s->step != STEP_RUN)
		return ANSWER_BUSY;
	if (by_signal)
		tell_to_reload(t, i);
	take_step(s, STEP_RELOAD);
	emit_note(t, NOTE_RELOADING, i, 0);
	arm(t, i, u->start_ms);                 /* systemd puts reloads under TimeoutStartSec= as well */
	pass_on_reload(t, i);
	go_on(t, i);
	return ANSWER_OK;
}

/* ---- the actions ---- */

/* systemd.unit(5), StartLimitBurst= starts within StartLimitIntervalSec=: may another one come at that time? */
bool start_limit_is_spent(struct turn *t, uint32_t i, uint64_t at)
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
	act_on_end(t, i);
	pass_on_end(t, i);
}

static void begin(struct turn *t, uint32_t i)
{
	struct service *s = service_at(t, i);
	uint32_t kept = SERVICE_QUEUED | SERVICE_HAS_WISH | SERVICE_HAS_RESTART | SERVICE_WANT_CHANGED | SERVICE_IS_EMPTY | SERVICE_LEAVING |
		SERVICE_MAY_LEAVE;
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
	s->sent_signal = s->main_code = s->main_status = s->unmet = 0;
	s->counter_base = s->counter_told = s->counter;
	s->n_explained = 0;
	s->began_at = t->c->now_ms;
	s->up_at = s->launched_at = s->reload_at = 0;
	s->watchdog_ms = unit_at(t, i)->watchdog_ms;
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
	run(t, i);
	arm_watchdog(t, i);
	emit_note(t, NOTE_UP, i, (uint32_t)(s->up_at - s->began_at));
	uphold_others(t, i);
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
		begin_stop(t, i);
		break;
	case ACT_EXPIRE:
		expire(t, i);
		break;
	case ACT_KILL:
		kill_rest(t, i, why);
		break;
	case ACT_STOP_LATE:
		stop_late(t, i);
		break;
	case ACT_LINGER:
		linger(t, i);
		break;
	case ACT_UP_LATE:
		up_late(t, i);
		break;
	case ACT_ABORT:
		abort_hung(t, i);
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
